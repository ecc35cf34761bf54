"""The terminal while takes are recorded: which keys do what, and what is shown meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Literal

from rich.live import Live

from studio.app import TakeWish, VocalRoom
from studio.cli import _vocal_shown as shown
from studio.cli._screen import err
from studio.cli._vocal_meters import Meters
from studio.errors import StudioError
from studio.events import AnyMessage
from studio.language import _
from studio.vocal import Device, Session, Take, TakeForm

REFRESH = 10
"""Times a second that the meters are drawn."""
Press = Literal["enter", "leave", "k", "0", "1", "2", "3", "4", "5"]
_KEYS: dict[str, Press] = {
    "\r": "enter", "\n": "enter", " ": "enter", "q": "leave", "k": "k",
    "0": "0", "1": "1", "2": "2", "3": "3", "4": "4", "5": "5",
}  # fmt: skip


async def console(session: Session, wish: TakeWish, *, device: Device, form: TakeForm, again: bool) -> list[Take]:
    """Record a take, and with `again` one after the other until somebody leaves; return them.

    Raises StudioError where the first one cannot be recorded.
    """
    meters = Meters(shown.song_title(session.state, wish.song), tuple(session.state.tracks.values()))

    def say(sentence: str) -> None:
        meters.say(sentence)
        if not err.is_terminal:
            err.print(sentence, markup=False, soft_wrap=True)

    takes: list[Take] = []
    with pressed() as keys:
        async with VocalRoom(session, say, device=device, form=form) as room, room.messages() as messages:
            with Live(meters, console=err, refresh_per_second=REFRESH) if err.is_terminal else nullcontext():
                listening = asyncio.create_task(_listen(messages, meters))
                try:
                    while True:
                        leaves = await _one(room, wish, keys, takes, say)
                        if not again or leaves or await _between(session, takes, keys, meters):
                            break
                finally:
                    listening.cancel()
    return [session.state.takes[take.number] for take in takes]


async def _listen(messages: AsyncIterator[AnyMessage], meters: Meters) -> None:
    async for message in messages:
        meters.take_in(message)


async def _one(
    room: VocalRoom, wish: TakeWish, keys: asyncio.Queue[Press], takes: list[Take], say: Callable[[str], None]
) -> bool:
    """Record one take into `takes`; return whether somebody wants to leave."""
    try:
        leaves = await _through(room, wish, keys)
    except StudioError as problem:
        if not takes:
            raise
        say(str(problem))
        return False
    takes += await room.over()
    return leaves


async def _through(room: VocalRoom, wish: TakeWish, keys: asyncio.Queue[Press]) -> bool:
    """Record until it is over by itself, or somebody ends it; return whether that one leaves."""
    enough = asyncio.create_task(_until(keys, "enter", "leave"))
    work = asyncio.create_task(room.record(wish))
    try:
        await asyncio.wait({work, enough}, return_when="FIRST_COMPLETED")
        if not work.done():  # ended while it was counted in
            work.cancel()
            await asyncio.wait({work})
            await room.over()
        else:
            work.result()
            over = asyncio.create_task(room.over())
            await asyncio.wait({over, enough}, return_when="FIRST_COMPLETED")
            if not over.done():
                await room.stop()
            await over
        return enough.done() and enough.result() == "leave"
    finally:
        enough.cancel()


async def _between(session: Session, takes: list[Take], keys: asyncio.Queue[Press], meters: Meters) -> bool:
    """Wait for the next take; keep the last one meanwhile. Return whether somebody leaves."""
    while True:
        last = session.state.takes[takes[-1].number] if takes else None
        worth = (_("take") + f" {last.number} {shown.worth(last).plain}").rstrip() if last else ""
        meters.wait(worth, _("Enter: next take   k: keep   1-5: keep with stars   q: leave"))
        key = await _until(keys, *_KEYS.values())
        if key in ("enter", "leave"):
            return key == "leave"
        if last is not None:
            try:
                if key == "k":
                    await asyncio.to_thread(session.keep, last.number, keeper=not last.keeper)
                else:
                    await asyncio.to_thread(session.keep, last.number, keeper=key != "0", stars=int(key))
            except StudioError as problem:
                meters.say(str(problem))


async def _until(keys: asyncio.Queue[Press], *wanted: Press) -> Press:
    while True:
        key = await keys.get()
        if key in wanted:
            return key


@contextmanager
def pressed() -> Iterator[asyncio.Queue[Press]]:
    """Keys as they are pressed; Ctrl-C, and whatever else ends a program, leaves, and nothing before all is kept."""
    loop = asyncio.get_running_loop()
    keys: asyncio.Queue[Press] = asyncio.Queue()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, keys.put_nowait, "leave")
    typed = sys.stdin is not None and sys.stdin.isatty()
    file = sys.stdin.fileno() if typed else -1
    before = termios.tcgetattr(file) if typed else None

    def read() -> None:
        said = os.read(file, 64)
        if not said:  # the terminal is gone
            loop.remove_reader(file)
        for letter in said.decode("utf-8", "replace"):
            if letter in _KEYS:
                keys.put_nowait(_KEYS[letter])

    if typed:
        tty.setcbreak(file)  # Ctrl-C stays a signal
        loop.add_reader(file, read)
    try:
        yield keys
    finally:
        if before is not None:
            loop.remove_reader(file)
            termios.tcsetattr(file, termios.TCSADRAIN, before)
        for number in signals:
            loop.remove_signal_handler(number)
