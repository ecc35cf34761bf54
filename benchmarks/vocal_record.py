"""A counter in each channel of a pretended desk: what of it is in the file, and what the recorder says is not."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from benchmarks.relay_stage import Book, busy_cores
from tests.vocal.hall import Hall, judge

from studio.events import ArmedTrack, Dropout, StartTake
from studio.vocal import Recorder, RecorderPlan, socket_of

if TYPE_CHECKING:
    import argparse

    from tests.vocal.hall import Verdict

STOPS = (0.5, 1.0, 2.0, 3.0, 5.0)
"""Seconds for which the recorder is stopped, one after the other."""
APART = 8.0
"""Seconds between two of them."""
WRITER = 0.10
"""Of a core."""


def measure(options: argparse.Namespace, book: Book) -> None:
    """Record, look into the files, and write the figures down."""
    runs = options.only or ["idle", "loaded", "stopped"]
    with tempfile.TemporaryDirectory(prefix="vocal-") as name:
        for number, run in enumerate(runs, 1):
            with Hall(Path(name) / run, options.rate, options.channels) as hall:
                hall.count()
                with busy_cores() if run == "loaded" else contextlib.nullcontext():
                    asyncio.run(_record(hall, number, run, options, book))
                book.tell(f"{run}: times the player itself ran dry", f"{hall.dry}", hall.dry)
            book.save()


async def _record(hall: Hall, number: int, run: str, options: argparse.Namespace, book: Book) -> None:
    folder = hall.folder / "session"
    folder.mkdir()
    plan = RecorderPlan(folder, socket_of(folder), "desk", options.rate, options.channels, form=options.form)
    async with Recorder(plan, env=hall.added) as recorder, recorder.messages() as messages:
        await asyncio.sleep(3)  # it learns how the input's clock goes
        dropouts: list[Dropout] = []

        async def listen() -> None:
            async for message in messages:
                match message:
                    case Dropout():
                        dropouts.append(message)

        listening = asyncio.create_task(listen())
        process = psutil.Process(recorder.pid)
        tracks = tuple(ArmedTrack(channel, f"track {channel}") for channel in range(1, options.channels + 1))
        started = await recorder.start_take(StartTake(number, tracks))
        used, began = _used(process), asyncio.get_running_loop().time()
        if run == "stopped":
            await _stop_and_go(process)
        else:
            await asyncio.sleep(options.seconds)
        share = (_used(process) - used) / (asyncio.get_running_loop().time() - began)
        marked_live = sum(dropout.frames for dropout in dropouts)
        ended = await recorder.stop()
        listening.cancel()
    marks = [(dropout.frame, dropout.frames) for dropout in dropouts]
    verdict = judge(folder / started.path, range(options.channels), marks)
    _figures(run, verdict, share, book)
    book.is_so(
        f"{run}: told while recording, and at the end",
        "the same",
        f"{marked_live}, {ended.lost if ended else None}",
        met=ended is not None and marked_live == ended.lost,
    )
    book.detail[run] = {"marks": marks, "places": verdict.places[:200], "astray": verdict.astray[:200]}


def _figures(run: str, verdict: Verdict, share: float, book: Book) -> None:
    book.tell(f"{run}: frames in the file", f"{verdict.frames}", verdict.frames)
    if run == "idle":
        book.at_most(f"{run}: lost", verdict.lost, 0, "frames", 0)
    book.is_so(
        f"{run}: lost, and marked", "the same", f"{verdict.lost}, {verdict.marked}", met=verdict.lost == verdict.marked
    )
    book.is_so(f"{run}: places where they differ", "none", f"{len(verdict.astray)}", met=not verdict.astray)
    book.at_most(f"{run}: frames whose channels disagree", verdict.wrong, 0, "frames", 0)
    book.at_most(f"{run}: recorder, of a core", share, WRITER, "", 3)
    if verdict.silent:
        book.tell(f"{run}: frames in which the player was late", f"{verdict.silent}", verdict.silent)


async def _stop_and_go(process: psutil.Process) -> None:
    for seconds in STOPS:
        await asyncio.sleep(APART)
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        process.send_signal(signal.SIGCONT)
    await asyncio.sleep(APART)


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
