"""The recorder is killed at random moments, and the sound server: what is lost, and whether the session opens."""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from benchmarks.relay_stage import until
from tests.vocal.hall import CHANNELS, RATE, Hall, judge

from studio.events import ArmedTrack, Dropout, StartTake, TakeEnded
from studio.vocal import Recorder, RecorderPlan, Session, command, socket_of
from studio.vocal._marks import marks_of

if TYPE_CHECKING:
    import argparse

    from benchmarks.relay_stage import Book

    from studio.vocal import Take

LOST = 0.2
MOMENTS = (0.3, 5.0)
"""Seconds into the take."""
BLOCK = 1024
"""Frames that have been heard when the first of them is said to be written."""
AWAY = (0.5, 1.5, 3.0)
"""Seconds for which the sound server is gone, one kill for each."""


@dataclass
class Death:
    """One kill and what followed; seconds."""

    what: str
    into: float
    """When, in the take."""
    lost: float
    """Of what had been heard until then."""
    wrong: int
    """Frames in the file that are not what was played, and that no mark tells of."""
    reason: str
    """That the session gives."""
    back: float | None = None
    """Until the recorder answers again."""


def measure(options: argparse.Namespace, book: Book) -> None:
    """Kill, look into the files, and write the figures down."""
    chance = random.Random(options.seed)  # noqa: S311 - the same moments each time
    deaths: list[Death] = []
    with tempfile.TemporaryDirectory(prefix="vocal-") as name, Hall(Path(name) / "hall") as hall:
        hall.count()
        folder = Path(name) / "session"
        session = Session.new(folder)
        for channel in range(1, CHANNELS + 1):
            session.arm(channel, f"track {channel}")
        for number in range(options.count):
            moment = chance.uniform(*MOMENTS)
            deaths.append(asyncio.run((_supervised if number % 2 else _alone)(hall, folder, moment)))
            book.detail["deaths"] = [asdict(death) for death in deaths]
            book.save()
        deaths += [asyncio.run(_server(hall, folder, chance.uniform(*MOMENTS), away)) for away in AWAY]
        opened = Session.open(folder)
        _figures(deaths, opened, book)
    book.detail["deaths"] = [asdict(death) for death in deaths]


def _plan(folder: Path) -> RecorderPlan:
    return RecorderPlan(folder, socket_of(folder), "desk", RATE, CHANNELS)


async def _begin(recorder: Recorder, session: Session) -> tuple[Take, float]:
    """Start a take of all that is armed; return it, and when its first frame was heard."""
    take = session.begin()
    told = await recorder.start_take(StartTake(take.number, tuple(ArmedTrack(t.channel, t.name) for t in take.tracks)))
    ago = datetime.now(UTC) - datetime.fromisoformat(told.at)
    return session.started(told, take), time.monotonic() - ago.total_seconds() - BLOCK / RATE


async def _alone(hall: Hall, folder: Path, moment: float) -> Death:
    """Nobody starts it again; the session is opened."""
    plan = _plan(folder)
    (folder / "plan.json").write_bytes(plan.to_json())
    with (folder / "plan.json").open() as told:
        process = subprocess.Popen(command(), stdin=told, env=hall.env, stderr=subprocess.DEVNULL)  # noqa: ASYNC220
    await until(plan.socket.exists, 30, "a recorder")
    async with Recorder(plan) as recorder:
        take, began = await _begin(recorder, Session.open(folder))
        await asyncio.sleep(moment)
        process.kill()
        killed = time.monotonic()
        process.wait()
    session = Session.open(folder)
    return _death("recorder, alone", folder, session, take.number, killed - began)


async def _supervised(hall: Hall, folder: Path, moment: float) -> Death:
    """It is started again, and tells what came of the take."""
    session = Session.open(folder)
    async with Recorder(_plan(folder), env=hall.added) as recorder, recorder.messages() as messages:
        take, began = await _begin(recorder, session)
        await asyncio.sleep(moment)
        psutil.Process(recorder.pid).kill()
        killed = time.monotonic()
        async for message in messages:
            if isinstance(message, TakeEnded):
                session.ended(message)
                break
        back = time.monotonic() - killed
    death = _death("recorder, supervised", folder, Session.open(folder), take.number, killed - began)
    death.back = back
    return death


async def _server(hall: Hall, folder: Path, moment: float, away: float) -> Death:
    """PulseAudio is killed and comes back; the take goes on, and is stopped."""
    session = Session.open(folder)
    async with Recorder(_plan(folder), env=hall.added) as recorder, recorder.messages() as messages:
        await asyncio.sleep(3)
        take, began = await _begin(recorder, session)
        await asyncio.sleep(moment)
        hall.switch_off()
        killed = time.monotonic()
        await asyncio.sleep(away)
        hall.switch_on()
        hall.count()
        gap: Dropout | None = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                async for message in messages:
                    if isinstance(message, Dropout):
                        gap = message
                        break
        back = time.monotonic() - killed - away
        await asyncio.sleep(2)
        ended = await recorder.stop()
        if ended is not None:
            session.ended(ended)
    death = _death(f"PulseAudio, {away:g} s", folder, Session.open(folder), take.number, killed - began)
    death.lost = killed - began - (gap.frame if gap else 0) / RATE
    death.back = back
    if gap is not None:
        death.reason += f"; {gap.frames} frames {gap.how}"
    return death


def _death(what: str, folder: Path, session: Session, number: int, heard: float) -> Death:
    take = session.state.takes[number]
    path = folder / take.file
    marks = marks_of(path)
    verdict = judge(path, range(CHANNELS), [(lost.frame, lost.frames) for lost in marks.lost])
    astray = sum(abs(lost - marked) for _at, lost, marked in verdict.astray) if what.startswith("recorder") else 0
    frames = min(verdict.frames, take.frames or 0)
    return Death(what, heard, heard - frames / RATE, verdict.wrong + astray, take.ended or "")


def _figures(deaths: list[Death], session: Session, book: Book) -> None:
    for what in ("recorder", "PulseAudio"):
        of = [death for death in deaths if death.what.startswith(what)]
        if not of:
            continue
        book.at_most(f"{what} killed {len(of)} times: lost, at most", max(death.lost for death in of), LOST)
        book.tell(f"{what}: lost, half of them", f"{sorted(death.lost for death in of)[len(of) // 2]:.3f} s")
        back = [death.back for death in of if death.back is not None]
        book.tell(f"{what}: until there is sound again, at most", f"{max(back):.2f} s", max(back))
        book.at_most(f"{what}: frames that are wrong and not marked", sum(death.wrong for death in of), 0, "frames", 0)
    takes = session.state.takes
    book.is_so("takes in the session", str(len(deaths)), str(len(takes)), met=len(takes) == len(deaths))
    silent = [death for death in deaths if not death.reason]
    book.is_so("takes whose end has no reason", "none", str(len(silent)), met=not silent)
