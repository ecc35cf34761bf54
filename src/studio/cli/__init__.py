"""Every command: thin readers of arguments, no decisions."""

import os
import signal
import threading

_before = signal.getsignal(signal.SIGINT)
if threading.current_thread() is threading.main_thread():  # Ctrl-C before anything has begun: there is nothing to say
    signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(130))

from studio.cli._main import app, main  # noqa: E402 - what loads for a second

if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, _before)

__all__ = ["app", "main"]
