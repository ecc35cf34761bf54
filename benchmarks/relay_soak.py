"""Real time on the air with everything: `studio live`, Whisper, four destinations, and a fault each minute."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import statistics
import subprocess
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import psutil
from benchmarks.relay_house import To, begin, child, family, role, temporary, write_house
from benchmarks.relay_look import see, stamps, steps
from benchmarks.relay_stage import Arrivals, Book, Ear, Encoder, console, free_port, make_programme, until
from tests.faults.servers import KEY, PASSPHRASE, Hole, Narrow, Nginx, Srt

from studio.rehearsal import make_talk

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

MINUTE = 60.0
BEGINS = 10.0
"""Second of each minute at which its fault begins; all are over before the minute is."""
SHORT = 15.0
"""Seconds that a minute must have for a fault."""
LOOKS = 5.0
"""Seconds between two looks at the processes; a twelfth of a shorter minute."""
FLAT = 0.05
DRIFT = 0.02
ROLES = ("core", "relay", "recogniser")
WARM = 5
"""Minutes, or a fifth of a shorter run, until memory must not grow any more."""
LEAVES = 900.0
"""Seconds that the show may take to end: half an hour of recordings is joined."""


@dataclass(eq=False)
class Evening:
    """All that a fault may lay hands on."""

    studio: subprocess.Popen[bytes]
    port: int
    ear: Ear
    encoder: Encoder
    one: Nginx
    narrow: Narrow
    far: Srt
    web: httpx.AsyncClient
    restarted: set[str] = field(default_factory=set)
    """Roles that this minute's fault killed."""

    async def ask(self, what: str, **said: object) -> None:
        """Ask the core for something, as another program does."""
        answer = await self.web.post(f"http://127.0.0.1:{self.port}/api/{what}", json=said)
        answer.raise_for_status()


# ── a fault a minute ──────────────────────────────────────────────────────────────────────────────────────────────────


async def rtmp_killed(evening: Evening) -> None:
    """The RTMP server dies for 15 s."""
    await asyncio.to_thread(evening.one.kill)
    await asyncio.sleep(15)
    evening.one.start()


async def encoder_killed(evening: Evening) -> None:
    """The encoder dies for 3 s."""
    await asyncio.to_thread(evening.encoder.kill, 3.0)


async def srt_frozen(evening: Evening) -> None:
    """The SRT server is stopped for 20 s."""
    evening.far.freeze()
    await asyncio.sleep(20)
    evening.far.thaw()


async def hold_changed(evening: Evening) -> None:
    """The hold becomes three seconds longer for 20 s."""
    report = evening.ear.report
    hold = (report.hold if report else 6000) / 1000
    await evening.ask("hold", seconds=hold + 3)
    await asyncio.sleep(20)
    await evening.ask("hold", seconds=hold)


async def recogniser_killed(evening: Evening) -> None:
    """The recogniser dies."""
    evening.restarted.add("recogniser")
    child(evening.studio.pid, "recogniser").kill()


async def black_hole(evening: Evening) -> None:
    """The RTMP server's port swallows whoever calls, for 20 s."""
    await asyncio.to_thread(evening.one.kill)
    with contextlib.closing(Hole(evening.one.port)):
        await asyncio.sleep(20)
    evening.one.start()


async def deaf_page(evening: Evening) -> None:
    """A page opens the core's WebSocket, reads nothing for 20 s and vanishes."""
    _reader, writer = await asyncio.open_connection("127.0.0.1", evening.port)
    writer.write(
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{evening.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    await writer.drain()
    writer.transport.pause_reading()  # type: ignore[attr-defined] # a stream's transport can
    await asyncio.sleep(20)
    writer.transport.abort()


async def slow_line(evening: Evening) -> None:
    """The line to the second RTMP server takes 200 kb/s for 25 s."""
    evening.narrow.rate = 25_000
    await asyncio.sleep(25)
    evening.narrow.rate = None


async def wrong_key(evening: Evening) -> None:
    """The RTMP server does not know our key for 15 s."""

    def take(key: str) -> None:
        evening.one.kill()
        evening.one.take(key)
        evening.one.start()

    await asyncio.to_thread(take, "another-key")
    await asyncio.sleep(15)
    await asyncio.to_thread(take, KEY)


async def srt_killed(evening: Evening) -> None:
    """The SRT server dies for 10 s."""
    await asyncio.to_thread(evening.far.kill)
    await asyncio.sleep(10)
    evening.far.start()


FAULTS: tuple[Callable[[Evening], Coroutine[Any, Any, None]], ...] = (
    rtmp_killed,
    encoder_killed,
    srt_frozen,
    hold_changed,
    recogniser_killed,
    black_hole,
    deaf_page,
    slow_line,
    wrong_key,
    srt_killed,
)


# ── the run ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def measure(options: argparse.Namespace, book: Book) -> None:
    """Put it on the air, note what happens, and look into the files."""
    with temporary() as folder:
        keep = options.keep or folder / "show"
        clip = make_programme(
            folder / "clip.mp4", seconds=min(300, options.minutes * 60), size=options.size, speech=make_talk()
        )
        book.tell("programme", f"{options.size}, 25 frames, moving, with speech, by ffmpeg over RTMP; Whisper base")
        seen: dict[tuple[int, float], str] = {}
        code = asyncio.run(_run(folder, clip, options, book, seen))
        book.is_so("studio live ended with", "0", str(code), met=code == 0)
        _left_over(seen, keep, book)
        _minutes(book)
        book.save()
        _recording(keep, book)


@contextlib.asynccontextmanager
async def opened(folder: Path, show: Path, clip: Path, options: argparse.Namespace) -> AsyncIterator[Evening]:
    """Start servers, `studio live` and the encoder; all but the studio, which is asked to leave, are gone after it."""
    with contextlib.ExitStack() as stack:
        arrivals = Arrivals()
        stack.callback(arrivals.close)
        one, two, far = Nginx(folder / "one"), Nginx(folder / "two"), Srt(folder / "far", arrivals.port("far"))
        narrow = Narrow(two.port, None)
        stack.callback(narrow.close)
        for server in (one, two, far):
            server.start()
            stack.callback(server.kill)
        listen, port = f"rtmp://127.0.0.1:{free_port()}/live/studio", free_port()
        to = (
            To("one", one.address, KEY),
            To("two", f"rtmp://127.0.0.1:{narrow.port}/live", KEY),
            To("far", far.address, PASSPHRASE),
            To("folder", str(folder / "web"), preset="hls-folder"),
        )
        toml = write_house(
            folder / "house", listen=listen, to=to, hold=options.hold, captions=True, encode=options.encode, port=port
        )
        studio = begin(toml, show, folder / "studio.log")
        encoder = Encoder(clip, listen)
        stack.callback(encoder.close)
        ear = Ear(show / "run" / "relay.sock")
        async with httpx.AsyncClient(timeout=10) as web:
            try:
                yield Evening(studio, port, ear, encoder, one, narrow, far, web)
            finally:
                if studio.poll() is None:
                    studio.send_signal(signal.SIGINT)
                    with contextlib.suppress(TimeoutError):
                        await until(lambda: studio.poll() is not None, LEAVES, "the studio's end")
                if studio.poll() is None:
                    studio.kill()
                    studio.wait()
                await ear.close()


async def _run(
    folder: Path, clip: Path, options: argparse.Namespace, book: Book, seen: dict[tuple[int, float], str]
) -> int | None:
    show = options.keep or folder / "show"
    rows: list[dict[str, Any]] = book.detail.setdefault("minutes", [])
    async with opened(folder, show, clip, options) as evening:
        names = ("one", "two", "far", "folder")
        await until(lambda: all(evening.ear.state(name) == "on air" for name in names), 90, "all on the air")
        began = time.monotonic()
        number = 0
        faults = [fault for fault in FAULTS if not options.only or fault.__name__ in options.only]
        while (left := began + options.minutes * MINUTE - time.monotonic()) > 1:
            fault = faults[number % len(faults)]
            row = await _minute(evening, number, fault, min(left, options.every), seen)
            rows.append(row)
            console.print(row)
            book.save()
            number += 1
            if evening.studio.poll() is not None:
                break
        book.detail["on the air"] = round(time.monotonic() - began, 1)
    book.detail["log"] = (folder / "studio.log").read_text(encoding="utf-8", errors="replace").splitlines()[-60:]
    return evening.studio.poll()


async def _minute(
    evening: Evening,
    number: int,
    fault: Callable[[Evening], Coroutine[Any, Any, None]],
    lasts: float,
    seen: dict[tuple[int, float], str],
) -> dict[str, Any]:
    """Let a minute, or what `lasts`, pass with its fault; return what was seen of it."""
    begins = min(BEGINS, lasts / 3)
    began = time.monotonic()
    evening.restarted.clear()
    memory: dict[str, list[float]] = defaultdict(list)
    files: dict[str, list[int]] = defaultdict(list)
    answers, states = [], defaultdict(set)
    evening.ear.reports.clear()
    going: asyncio.Task[None] | None = None
    with console.status(f"minute {number + 1}: {fault.__doc__}") as told:
        while (passed := time.monotonic() - began) < lasts:
            if going is None and passed >= begins and lasts >= SHORT:
                going = asyncio.create_task(fault(evening))
            look = await asyncio.to_thread(_look, evening.studio.pid, seen)
            for which, (bytes_, descriptors) in look.items():
                memory[which].append(bytes_ / 1e6)
                files[which].append(descriptors)
            asked = time.monotonic()
            with contextlib.suppress(httpx.HTTPError):
                await evening.web.get(f"http://127.0.0.1:{evening.port}/healthz")
            answers.append(time.monotonic() - asked)
            report = evening.ear.report
            for output in report.outputs if report else ():
                states[output.name].add(output.state)
            told.update(f"minute {number + 1}: {fault.__doc__} {_short(report)}")
            await asyncio.sleep(max(0.0, min(LOOKS, lasts / 12, began + lasts - time.monotonic())))
        if going is not None:
            await going
    report = evening.ear.report
    return {
        "minute": number + 1,
        "fault": fault.__doc__ if going else "none",
        "memory": {which: round(statistics.median(found), 1) for which, found in memory.items()},
        "files": {which: max(found) for which, found in files.items()},
        "restarted": sorted(evening.restarted),
        "answer": round(max(answers), 3),
        "report": round(evening.ear.longest_silence, 2),
        "frames": report.frames if report else 0,
        "on_time": report.on_time if report else 0,
        "dropped": report.dropped if report else 0,
        "late_p95": report.late_p95 if report else None,
        "cues": report.cues if report else 0,
        "late_cues": report.late_cues if report else 0,
        "alarms": [alarm.name for alarm in report.alarms] if report else [],
        "states": {name: sorted(each) for name, each in states.items()},
        "in the end": {output.name: output.state for output in (report.outputs if report else ())},
        "load": round(os.getloadavg()[0], 2),
    }


def _short(report: Any) -> str:  # noqa: ANN401 - the last report, if one came
    return f"{report.on_time} of {report.frames} on time, {report.cues} cues" if report else ""


def _look(studio: int, seen: dict[tuple[int, float], str]) -> dict[str, tuple[int, int]]:
    """Return own bytes and open files of each role's process; remember every process of the house."""
    found: dict[str, tuple[int, int]] = {}
    for process in family(studio):
        with contextlib.suppress(psutil.Error):
            which = "core" if process.pid == studio else role(process)
            seen.setdefault((process.pid, process.create_time()), which)
            own, open_ = process.memory_full_info().uss, process.num_fds()
            before = found.get(which, (0, 0))
            found[which] = before[0] + own, before[1] + open_
    return found


# ── what it came to ───────────────────────────────────────────────────────────────────────────────────────────────────


def _left_over(seen: dict[tuple[int, float], str], show: Path, book: Book) -> None:
    time.sleep(1)
    left = []
    # whoever started the measurement may name the folder of the show
    around = {os.getpid(), *(process.pid for process in psutil.Process().parents())}
    for process in psutil.process_iter(["pid", "create_time", "cmdline", "status"]):
        info = process.info
        ours = (info["pid"], info["create_time"]) in seen or any(str(show) in word for word in info["cmdline"] or ())
        if ours and info["status"] != psutil.STATUS_ZOMBIE and info["pid"] not in around:
            left.append(" ".join(info["cmdline"] or ())[:80])
    told = f"{len(left)} of {len(seen)} that there were" + (f": {left}" if left else "")
    book.is_so("processes left over", "0", told, met=not left)


def _lives(rows: list[dict[str, Any]], warm: int, which: str) -> list[list[float]]:
    """Return the memory of each process in that role, MB, of every minute after the first `warm` ones.

    A process that a fault killed is followed by another, which begins anew and warms up in that minute and the next.
    """
    lives: list[list[float]] = [[]]
    for number, row in enumerate(rows):
        if which in row["restarted"]:
            lives.append([])
            warm = max(warm, number + 2)
        if number >= warm and which in row["memory"]:
            lives[-1].append(row["memory"][which])
    return [life for life in lives if len(life) > 1]


def _minutes(book: Book) -> None:
    rows: list[dict[str, Any]] = book.detail["minutes"]
    if not rows:
        return
    warm = rows[min(WARM, len(rows) // 5) :]
    for which in ROLES:
        lives = _lives(rows, len(rows) - len(warm), which)
        if not lives:
            book.tell(f"memory of {which}", "too few minutes")
            continue
        told = " MB, then ".join(f"{statistics.median(life):.0f}" for life in lives)
        swing = max(abs(each / statistics.median(life) - 1) for life in lives for each in life)
        book.at_most(f"memory of {which}, {told} MB: furthest from its median", swing * 100, FLAT * 100, "%", digits=1)
        trends = [
            statistics.mean(life[len(life) // 2 :]) / statistics.mean(life[: len(life) // 2]) - 1 for life in lives
        ]
        book.tell(
            f"memory of {which}: second half against the first",
            ", ".join(f"{trend * 100:+.1f} %" for trend in trends),
            max(trends),
        )
        open_ = [row["files"][which] for row in warm if which in row["files"]]
        quiet = statistics.median(open_)
        last = open_[-1]
        book.is_so(f"open files of {which} in the last minute", f"≤ {quiet:.0f} + 5", str(last), met=last <= quiet + 5)
    last = rows[-1]
    book.at_least("frames on time", last["on_time"] / last["frames"] if last["frames"] else None, 0.99, digits=4)
    book.tell("frames dropped; cues; late cues", f"{last['dropped']}; {last['cues']}; {last['late_cues']}")
    book.tell("core's slowest answer to a page", f"{max(row['answer'] for row in rows):.3f} s")
    book.tell("longest wait for a report of the relay", f"{max(row['report'] for row in rows):.2f} s")
    ill = [row["minute"] for row in rows if any(state != "on air" for state in row["in the end"].values())]
    book.is_so("minutes at whose end not all was on the air again", "none", str(ill or "none"), met=not ill)


def _recording(show: Path, book: Book) -> None:
    path = show / "recording.mp4"
    if not path.exists():
        book.is_so("recording", "whole", "there is none", met=False)
        return
    console.print("decoding the recording …")
    seen = see(path)
    times = stamps(path)["video"]
    least, most = steps(times)
    lasts = times[-1] - times[0]
    book.is_so("the recording decodes", "0 errors", f"{seen.errors} errors, {lasts:.1f} s", met=not seen.errors)
    book.tell("steps of its stamps: least, most", f"{least:.3f} s, {most:.3f} s")
    pairs = seen.apart()
    edge = min(60.0, lasts / 3)
    first = [late for at, late in pairs if at < times[0] + edge]
    last = [late for at, late in pairs if at > times[-1] - edge]
    if not first or not last:
        book.at_most("sound against picture, end against beginning", None, DRIFT)
        return
    drift = abs(statistics.median(last) - statistics.median(first))
    book.at_most("sound against picture, end against beginning", drift, DRIFT)
    late = [each for _at, each in pairs]
    book.tell(
        "beep after its flash: least, median, most",
        f"{min(late):.3f}, {statistics.median(late):.3f}, {max(late):.3f} s",
    )
    book.tell("flashes with a beep", f"{len(pairs)} of {len(seen.flashes)}")
