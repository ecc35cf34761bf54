"""Click out, click in: how far what is recorded lies from where the song has it, over takes of a whole recorder."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from benchmarks.relay_stage import Book, busy_cores
from tests.vocal.booth import RATE, Booth

from studio.events import ArmedTrack, Backing, Click, RecorderState, StartTake, Stretch, TakeEnded
from studio.vocal import Recorder, RecorderPlan

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from numpy.typing import NDArray

AT = (0.3, 0.8, 1.3, 1.8, 2.3)
"""Seconds of the backing at which it clicks."""
SECONDS = 2.6
MEDIAN, WORST = 1.0, 3.0
"""Milliseconds that are asked for."""
NOISE = 0.18
"""Of full scale: as loud as the ping."""
WIDE = 0.05
"""Seconds on either side in which a click is looked for."""
RUNS = ("idle", "loaded", "anew", "noise")


@dataclass(frozen=True)
class Heard:
    """One take."""

    beside: tuple[float, ...]
    """Milliseconds of each click after its place."""
    latency: float | None
    """Frames."""
    detail: str


def measure(options: argparse.Namespace, book: Book) -> None:
    """Record takes, look where their clicks are, and write the figures down."""
    with tempfile.TemporaryDirectory(prefix="vocal-") as name:
        folder = Path(name)
        _write(folder / "song.wav", RATE)
        _write(folder / "song-44.flac", 44_100)
        for run in options.only or RUNS:
            booth = Booth(folder / run)
            booth.switch_on()
            try:
                with contextlib.ExitStack() as stack:
                    if run == "loaded":
                        stack.enter_context(busy_cores())
                    if run == "noise":
                        stack.enter_context(_noise(booth))
                    takes = asyncio.run(_takes(booth, folder, run, options.takes))
            finally:
                booth.switch_off()
            _figures(run, takes, book)
            book.save()


async def _takes(booth: Booth, songs: Path, run: str, count: int) -> list[Heard]:
    session = booth.folder / "session"
    session.mkdir()
    found: list[Heard] = []
    if run == "anew":  # the recorder, and with it both streams, is started for each take
        for number in range(1, count + 1):
            found += await _record(booth, session, [_wish(number, songs)])
        return found
    return await _record(booth, session, [_wish(number, songs) for number in range(1, count + 1)])


def _wish(number: int, songs: Path) -> StartTake:
    """Each of four takes is of another kind: plain, at another rate, counted in, punched in."""
    return StartTake(
        number,
        (ArmedTrack(1, "one"), ArmedTrack(2, "two")),
        backing=Backing(str(songs / ("song-44.flac" if number % 4 == 1 else "song.wav"))),
        click=Click(240, beats=2, count_in=1) if number % 4 == 2 else None,  # noqa: PLR2004
        punch=Stretch(0.6, SECONDS - 0.1) if number % 4 == 3 else None,  # noqa: PLR2004
        lead=0.5,
        seconds=SECONDS - 0.1,
    )


async def _record(booth: Booth, session: Path, wishes: list[StartTake]) -> list[Heard]:
    plan = RecorderPlan(session, session / "r.sock", "booth_mic", RATE, 2, output="booth")
    found: list[Heard] = []
    async with Recorder(plan, env=booth.env) as recorder, recorder.messages() as messages:
        for wish in wishes:
            started = await recorder.start_take(wish)
            state: RecorderState | None = None
            async for message in messages:
                state = message if isinstance(message, RecorderState) else state
                if isinstance(message, TakeEnded) and message.number == wish.number:
                    break
            sound, rate = soundfile.read(session / started.path, dtype="float32", always_2d=True)
            beside = _beside(sound[:, 0], rate, started.backing_offset or 0.0)
            found.append(Heard(tuple(beside), state.latency if state else None, state.detail if state else ""))
    return found


def _beside(sound: NDArray[np.float32], rate: int, offset: float) -> Iterator[float]:
    """Look for each click of the song around where it should be."""
    shape = _click(rate)
    for at in AT:
        first = round((at - offset - WIDE) * rate)
        if first < 0 or first + 2 * WIDE * rate + len(shape) > len(sound):
            continue
        fits = np.correlate(sound[first : first + round(2 * WIDE * rate) + len(shape)], shape, "valid")
        best = int(np.argmax(fits))
        left, middle, right = fits[max(0, best - 1)], fits[best], fits[min(len(fits) - 1, best + 1)]
        bend = left - 2 * middle + right
        fine = best + (0.5 * (left - right) / bend if bend < 0 else 0.0)
        yield (first + fine - (at - offset) * rate) * 1000 / rate


def _click(rate: int) -> NDArray[np.float32]:
    """Return a click that is none of the studio's own: 4 ms of a rising sweep."""
    at = np.arange(round(0.004 * rate)) / rate
    return np.asarray(np.sin(2 * np.pi * (1500 * at + 500_000 * at * at)) * np.hanning(len(at)), np.float32)


def _write(path: Path, rate: int) -> None:
    sound = np.zeros(round(SECONDS * rate), np.float32)
    for at in AT:
        first = round(at * rate)
        sound[first : first + len(_click(rate))] += 0.9 * _click(rate)
    soundfile.write(path, sound, rate, subtype="PCM_24")


def _figures(run: str, takes: list[Heard], book: Book) -> None:
    middles = [float(np.median(np.abs(take.beside))) for take in takes if take.beside]
    every = [abs(one) for take in takes for one in take.beside]
    book.at_most(f"{run}: offset after compensation, median of {len(middles)} takes", np.median(middles), MEDIAN, "ms")
    book.at_most(f"{run}: worst of {len(every)} clicks", max(every, default=None), WORST, "ms")
    measured = [take.latency for take in takes if take.latency is not None]
    told = f"{min(measured) * 1000 / RATE:.1f} to {max(measured) * 1000 / RATE:.1f} ms" if measured else "never"
    book.tell(f"{run}: latency that was compensated", told)
    pings = sum(a is None or a != b for a, b in itertools.pairwise([None, *(take.latency for take in takes)]))
    book.tell(f"{run}: pings", str(pings), pings)
    for sentence in dict.fromkeys(take.detail for take in takes if take.detail):
        book.tell(f"{run}: said", sentence)
    book.detail[run] = [(take.beside, take.latency, take.detail) for take in takes]


@contextlib.contextmanager
def _noise(booth: Booth) -> Iterator[None]:
    """Let it be as loud in the room as the ping is."""
    path = booth.folder / "noise.raw"
    noise = NOISE * np.random.default_rng(5).standard_normal((RATE * 600, 1)).astype(np.float32)
    path.write_bytes(noise.repeat(2, axis=1).tobytes())
    player = subprocess.Popen(
        ["pacat", "--raw", f"--rate={RATE}", "--channels=2", "--format=float32le", "--device=booth", str(path)],
        env={**os.environ, **booth.env},
        stdin=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        player.kill()
        player.wait()
