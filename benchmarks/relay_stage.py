"""What the measurements of the relay share: a programme, an encoder, clocks, and figures with what was asked."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import multiprocessing
import os
import platform
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from studio.bridge import Line
from studio.events import AnyMessage, OutputReport, RelayReport, Sound, Subscribe, Welcome

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from multiprocessing.sharedctypes import Synchronized

    from studio.units import Ms

FPS = 25
FLASH = 0.12
"""Seconds of each flash and beep; they come at 1 s, 3 s, 5 s … of the programme."""
BEEP = 12_000
"""Hertz: above what the talk's voice has, which was made at 22 kHz, so that it is found among words."""
console = Console()


# ── figures ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured."""

    what: str
    asked: str
    """Empty where nothing is asked and the figure only tells more."""
    measured: str
    met: bool | None
    """`None` where nothing is asked, or nothing could be measured."""
    value: float | None = None


@contextlib.contextmanager
def busy_cores() -> Iterator[None]:
    """Keep every core busy."""
    busy = [multiprocessing.Process(target=_burn, daemon=True) for _core in range(os.cpu_count() or 1)]
    for one in busy:
        one.start()
    try:
        yield
    finally:
        for one in busy:
            one.kill()
            one.join()


def _burn() -> None:
    while True:
        sum(range(10_000))


@dataclass
class Book:
    """All figures of one run, printed in the end and saved as it goes."""

    run: str
    file: Path | None = None
    """Where they are saved as JSON; `None`: nowhere."""
    settings: dict[str, Any] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    detail: dict[str, Any] = field(default_factory=dict)
    began: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @classmethod
    def of(cls, chosen: argparse.Namespace) -> Book:
        """Of a command line that has `run` and `json`."""
        settings = {name: str(value) for name, value in vars(chosen).items() if name not in ("run", "json")}
        return cls(chosen.run, chosen.json, settings)

    def filled(self, measure: Callable[[argparse.Namespace, Book], None], chosen: argparse.Namespace) -> int:
        """Measure, print, save; return 1 where something asked is not met, else 0."""
        try:
            measure(chosen, self)
        except (KeyboardInterrupt, TimeoutError) as cut:
            self.is_so("the run", "whole", f"cut off: {cut!r}", met=False)
        self.save()
        self.show()
        if all(figure.met is not False for figure in self.figures):
            return 0
        console.print("[red]Something asked is not met.[/]")
        return 1

    def at_most(self, what: str, value: float | None, limit: float, unit: str = "s", digits: int = 3) -> None:
        """`value` should be no more than `limit`; `None`: it could not be measured, which does not meet it."""
        self._add(what, f"≤ {limit:g} {unit}".rstrip(), value, unit, digits, met=value is not None and value <= limit)

    def at_least(self, what: str, value: float | None, limit: float, unit: str = "", digits: int = 3) -> None:
        """`value` should be no less than `limit`."""
        self._add(what, f"≥ {limit:g} {unit}".rstrip(), value, unit, digits, met=value is not None and value >= limit)

    def is_so(self, what: str, asked: str, measured: str, *, met: bool) -> None:
        """Something that is so or is not."""
        self.figures.append(Figure(what, asked, measured, met))

    def tell(self, what: str, measured: str, value: float | None = None) -> None:
        """Something nobody asked for, and that helps to understand the rest."""
        self.figures.append(Figure(what, "", measured, None, value))

    def _add(self, what: str, asked: str, value: float | None, unit: str, digits: int, *, met: bool) -> None:
        shown = "–" if value is None else f"{value:.{digits}f} {unit}".rstrip()  # noqa: RUF001 - a dash
        self.figures.append(Figure(what, asked, shown, met, value))

    def save(self) -> None:
        """Write what is known so far, aside and then in place."""
        if self.file is None:
            return
        told = {
            "run": self.run,
            "began": self.began,
            "saved": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "settings": self.settings,
            "figures": [asdict(figure) for figure in self.figures],
            "detail": self.detail,
        }
        aside = self.file.with_name(self.file.name + ".tmp")
        aside.write_text(json.dumps(told, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")
        aside.replace(self.file)

    def show(self) -> None:
        """Print the table."""
        table = Table(title=f"{Path(sys.argv[0]).stem}: {self.run}")
        for name in ("what", "asked", "measured", "met"):
            table.add_column(name, justify="left" if name == "what" else "right")
        for figure in self.figures:
            met = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}[figure.met]
            table.add_row(figure.what, figure.asked, figure.measured, met)
        console.print(table)


def machine() -> dict[str, Any]:
    """What this was measured on, without any name."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ""
    )
    ffmpeg = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, check=False).stdout.split("\n")[0]
    return {
        "cores": os.cpu_count(),
        "processor": model,
        "python": platform.python_version(),
        "ffmpeg": ffmpeg.split(" Copyright")[0],
        "load": [round(each, 2) for each in os.getloadavg()],
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


# ── a programme ───────────────────────────────────────────────────────────────────────────────────────────────────────


def make_programme(
    path: Path, *, seconds: float, size: str = "1280x720", speech: Path | None = None, kilobits: int = 3000
) -> Path:
    """Write a clip as an encoder would stream it: a moving picture that flashes while it beeps, a green mark, speech.

    The upper right eighth is black and flashes white; the upper left one is green, which no slate is. `speech` is heard
    again and again between the beeps.
    """
    lit = f"gte(t\\,1)*lt(mod(t-1\\,2)\\,{FLASH})"
    picture = (
        f"testsrc2=s={size}:r={FPS},drawbox=x=iw*7/8:y=0:w=iw/8:h=ih/8:c=black:t=fill,"
        f"drawbox=x=iw*7/8:y=0:w=iw/8:h=ih/8:c=white:t=fill:enable='{lit}',"
        "drawbox=x=0:y=0:w=iw/8:h=ih/8:c=0x00FF00:t=fill"
    )
    tone = f"aevalsrc='0.4*sin(2*PI*{BEEP}*t)*{lit}':s=48000"
    asked = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone]
    if speech is not None:
        asked += ["-stream_loop", "-1", "-i", str(speech), "-filter_complex"]
        asked += ["[2:a:0]aresample=48000,aformat=channel_layouts=mono[s];[1:a][s]amix=inputs=2:normalize=0[a]"]
        asked += ["-map", "0:v", "-map", "[a]"]
    rate = ["-b:v", f"{kilobits}k", "-maxrate", f"{kilobits}k", "-bufsize", f"{kilobits}k"]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50", "-bf", "0", *rate]
    sound = ["-c:a", "aac", "-b:a", "160k", "-ac", "2"]
    end = ["-t", str(seconds), str(path)]
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *asked, *coded, *sound, *end], check=True)
    return path


class Encoder:
    """An `ffmpeg -re -c copy` that streams a clip for ever, and calls again at once when it is cut off.

    It stands for an encoder on another computer: it costs this one next to nothing.
    """

    AGAIN = 0.1
    """Seconds until it calls again. OBS waits for a second and longer each time; this is the harder case."""

    def __init__(self, clip: Path, url: str, sent: Path | None = None) -> None:
        """Stream to `url` from now on; `sent`: write down there, as MPEG-TS, what was sent on the newest connection."""
        self._command = [
            *("ffmpeg", "-v", "error", "-nostdin", "-y", "-re", "-stream_loop", "-1", "-i", str(clip)),
            *("-c", "copy", "-f", "flv", url),
        ]
        if sent is not None:
            self._command += ["-c", "copy", "-f", "mpegts", "-flush_packets", "1", str(sent)]
        self._port = int(url.rsplit(":", 1)[1].partition("/")[0])
        self._process: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()
        self._off = threading.Event()
        self.connected: list[float] = []
        """When the relay's listener took a call, on the monotonic clock."""
        self._threads = [
            threading.Thread(target=self._stream, name="encoder", daemon=True),
            threading.Thread(target=self._look, name="encoder's line", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def kill(self, away: float = 0.0) -> None:
        """Kill it with -9, and be back in `away` seconds."""
        self._off.set()
        process = self._process
        if process is not None:
            process.kill()
            process.wait()
        self._over.wait(away)
        self._off.clear()

    def close(self) -> None:
        """Be gone."""
        self._over.set()
        self.kill()
        for thread in self._threads:
            thread.join()

    @property
    def pid(self) -> int | None:
        """The process that streams just now."""
        return self._process.pid if self._process else None

    def _stream(self) -> None:
        while not self._over.is_set():
            if not self._off.is_set():
                self._process = subprocess.Popen(
                    self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
                if self._over.is_set() or self._off.is_set():
                    self._process.kill()
                self._process.wait()
            self._over.wait(self.AGAIN)

    def _look(self) -> None:
        there = False
        while not self._over.wait(0.1 if there else 0.01):
            is_there = established(self._port)
            if is_there and not there:
                self.connected.append(time.monotonic())
            there = is_there


def established(port: int) -> bool:
    """Whether somebody is connected to `port` of this machine."""
    wanted = f":{port:04X}"
    for line in _lines("/proc/net/tcp")[1:]:
        words = line.split()
        if words[1].endswith(wanted) and words[3] == "01":
            return True
    return False


# ── what arrives, and when ────────────────────────────────────────────────────────────────────────────────────────────

_SO_TIMESTAMPNS = 35  # linux/asm-generic/socket.h; Python has no name for it


class Arrivals:
    """When bytes came, by the kernel's own clock: datagrams at ports, and what is written below folders.

    Times are seconds since 1970. That a file grew is seen 200 times a second, and when is taken from its own time, so
    that a late look finds a gap too long rather than too short.
    """

    def __init__(self) -> None:
        self._files: dict[str, tuple[Path, str]] = {}
        self._ports: dict[str, socket.socket] = {}
        self.times: dict[str, list[float]] = {}
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._looker = threading.Thread(target=self._look, name="looker", daemon=True)
        self._looker.start()

    def watch(self, name: str, folder: Path, pattern: str) -> None:
        """Look at the files of `folder` whose names are like `pattern`."""
        self.times[name] = []
        self._files[name] = folder, pattern

    def port(self, name: str) -> int:
        """Open a port for datagrams; return its number."""
        taker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        taker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        taker.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        taker.bind(("127.0.0.1", 0))
        taker.settimeout(0.2)
        self.times[name] = []
        thread = threading.Thread(target=self._take, args=(taker, self.times[name]), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
        number: int = taker.getsockname()[1]
        return number

    def gap(self, name: str, begin: float, end: float) -> float:
        """Seconds without a byte at `name`, the most within [begin, end]."""
        inside = [begin, *sorted(at for at in self.times[name] if begin < at < end), end]
        return max(later - earlier for earlier, later in pairwise(inside))

    def close(self) -> None:
        """Look no more."""
        self._over.set()
        for thread in (self._looker, *self._threads):
            thread.join()

    def _look(self) -> None:
        sizes: dict[str, int] = {}
        while not self._over.wait(0.005):
            for name, (folder, pattern) in list(self._files.items()):
                total, latest = written(folder, pattern)
                if total != sizes.get(name, 0):
                    sizes[name] = total
                    self.times[name].append(latest)

    def _take(self, taker: socket.socket, times: list[float]) -> None:
        with taker:
            while not self._over.is_set():
                with contextlib.suppress(TimeoutError):
                    _data, told, _flags, _sender = taker.recvmsg(65536, 64)
                    seconds, nanoseconds = struct.unpack("qq", told[0][2])
                    times.append(seconds + nanoseconds / 1e9)


def written(folder: Path, pattern: str, but: frozenset[str] = frozenset()) -> tuple[int, float]:
    """Return the bytes of the files of `folder` like `pattern`, but for `but`, and when the last was written."""
    total, latest = 0, 0.0
    with contextlib.suppress(FileNotFoundError):
        for entry in os.scandir(folder):
            if fnmatchcase(entry.name, pattern) and entry.name not in but:
                with contextlib.suppress(FileNotFoundError):
                    state = entry.stat()
                    total += state.st_size
                    latest = max(latest, state.st_mtime)
    return total, latest


# ── clocks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Heartbeat:
    """The longest that the running loop, the core's, took from one turn to the next; one is asked for each 20 ms."""

    EVERY = 0.02

    def __init__(self) -> None:
        self.longest = 0.0
        self._task = asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        before = loop.time()
        while True:
            await asyncio.sleep(self.EVERY)
            now = loop.time()
            self.longest = max(self.longest, now - before)
            before = now

    async def close(self) -> None:
        """Stop beating."""
        self._task.cancel()
        await asyncio.wait({self._task})


class Bystander:
    """A process that does nothing but ask for a turn each 20 ms: how long this machine lets anybody wait."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._longest = context.Value("d", 0.0)
        self._process = context.Process(target=_stand_by, args=(self._longest,), daemon=True)
        self._process.start()

    @property
    def longest(self) -> float:
        """Seconds from one turn to the next, the most since `forget`."""
        return float(self._longest.value)

    def forget(self) -> None:
        """Begin anew."""
        self._longest.value = 0.0

    def close(self) -> None:
        """Be gone."""
        self._process.kill()
        self._process.join()


class Pulse(Bystander):
    """A process that asks the core's page each 20 ms whether it is well: how long the core takes to answer."""

    def __init__(self, port: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._longest = context.Value("d", 0.0)
        self._process = context.Process(target=_ask, args=(port, self._longest), daemon=True)
        self._process.start()


def _ask(port: int, longest: Synchronized[float]) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    while True:
        time.sleep(Heartbeat.EVERY)
        before = time.monotonic()
        try:
            line.request("GET", "/healthz")
            line.getresponse().read()
        except (OSError, http.client.HTTPException):
            line.close()
        longest.value = max(longest.value, time.monotonic() - before)


def _stand_by(longest: Synchronized[float]) -> None:
    before = time.monotonic()
    while True:
        time.sleep(Heartbeat.EVERY)
        now = time.monotonic()
        longest.value = max(longest.value, now - before)
        before = now


class Ear:
    """Somebody else who calls the relay, beside the core: hears all it reports, and the programme's sound, for ever."""

    def __init__(self, at: Path, *, sound: bool = False) -> None:
        """Call at the socket `at`, again and again where relays die."""
        self._at = at
        self._sound = sound
        self.report: RelayReport | None = None
        self.epoch = 0
        self.process = 0
        self.heard_upto: Ms | int = 0
        """Where the sound that the relay handed on ends, on the show clock."""
        self.reports: list[tuple[float, int]] = []
        """When each report came (monotonic), and from which process."""
        self._task = asyncio.create_task(self._listen())

    def output(self, name: str) -> OutputReport | None:
        """What the last report says of the output `name`."""
        return next((output for output in self.report.outputs if output.name == name), None) if self.report else None

    def state(self, name: str) -> str:
        """Its state; empty where it is not there."""
        output = self.output(name)
        return output.state if output else ""

    @property
    def longest_silence(self) -> float:
        """Seconds between two reports of the same relay, the most since they were last forgotten."""
        return max((b[0] - a[0] for a, b in pairwise(self.reports) if a[1] == b[1]), default=0.0)

    async def close(self) -> None:
        """Hang up."""
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _listen(self) -> None:
        while True:
            try:
                line = await Line.call(self._at)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            line.send(Subscribe("bench", self.heard_upto if self._sound else None))  # type: ignore[arg-type] # Ms
            try:
                async for message in line:
                    self._hear(message)
            finally:
                await line.close()

    def _hear(self, message: AnyMessage) -> None:
        match message:
            case Welcome():
                self.process = message.process
                self.epoch = message.epoch or self.epoch
            case RelayReport():
                self.report = message
                self.reports.append((time.monotonic(), self.process))
            case Sound():
                self.heard_upto = max(self.heard_upto, message.start + len(message.samples) // 32)
            case _:
                self.epoch = getattr(message, "epoch", 0) or self.epoch


async def until(is_so: Callable[[], object], within: float, what: str) -> float:
    """Wait until something is so; return the seconds it took. Raises TimeoutError that says `what` did not come."""
    began = time.monotonic()
    while not is_so():
        if time.monotonic() - began > within:
            raise TimeoutError(f"{what}: not within {within:g} s")
        await asyncio.sleep(0.01)
    return time.monotonic() - began


def free_port() -> int:
    """Return a port that nobody listens at just now."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        number: int = trial.getsockname()[1]
        return number
