"""Every command: thin readers of arguments, no decisions."""

import gc
import os
import signal
import threading
from typing import TYPE_CHECKING

_before = signal.getsignal(signal.SIGINT)
if threading.current_thread() is threading.main_thread():  # Ctrl-C before anything has begun: there is nothing to say
    signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(130))

_swept = gc.isenabled()
gc.disable()  # what is loaded stays: to look for rubbish in it again and again takes a tenth of the start

from studio.cli._main import main, studio  # noqa: E402 - what loads for a second

if _swept:
    gc.enable()
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, _before)

if TYPE_CHECKING:
    import typer

    app: typer.Typer

__all__ = ["app", "main"]


def __getattr__(name: str) -> object:
    if name == "app":  # every command there is, which takes two seconds
        return studio()
    raise AttributeError(name)
