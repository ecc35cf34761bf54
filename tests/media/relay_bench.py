"""A relay as a real process, clips with a flash and a beep, and what is seen and heard in what it wrote."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import av
import numpy as np
from numpy.typing import NDArray

from studio.bridge import Line
from studio.events import (
    AnyMessage,
    ClockStarted,
    Finish,
    RelayReport,
    ShowCue,
    Sound,
    SoundEnded,
    Subscribe,
    Trouble,
    Welcome,
)
from studio.media import EncodePreset, RelayPlan, command
from studio.subtitles import Style
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from studio.spoken import Cue

QUICK = EncodePreset(preset="ultrafast", threads=1, quality=24)
STYLE = Style(size=0.09)
FLASH = 0.12
"""Seconds of each flash and beep; they come at 1 s, 3 s, 5 s …"""
PATIENCE = 90.0
"""Seconds after which what is waited for does not come: a guard against hanging, not a promise."""


@dataclass
class Relay:
    """The relay of a test, and all it has said."""

    plan: RelayPlan
    process: asyncio.subprocess.Process
    line: Line
    said: list[AnyMessage] = field(default_factory=list)
    reader: asyncio.Task[None] | None = None

    async def listen(self) -> None:
        async for message in self.line:
            self.said.append(message)

    async def until(self, is_so: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not is_so():  # noqa: ASYNC110 - what is waited for is no event of ours
                await asyncio.sleep(0.02)

    def show(self, *cues: Cue) -> None:
        for cue in cues:
            self.line.send(ShowCue(cue))

    def finish(self) -> None:
        self.line.send(Finish())

    @property
    def welcome(self) -> Welcome:
        return next(message for message in self.said if isinstance(message, Welcome))

    @property
    def epoch(self) -> int:
        """As told by the first word, or later when the show had not begun then."""
        told = [said.epoch for said in self.said if isinstance(said, Welcome | ClockStarted) and said.epoch]
        return told[0]

    @property
    def report(self) -> RelayReport:
        return [message for message in self.said if isinstance(message, RelayReport)][-1]

    @property
    def reported(self) -> bool:
        return any(isinstance(message, RelayReport) for message in self.said)

    @property
    def aired(self) -> int:
        return self.report.frames if self.reported else 0

    def outputs(self) -> dict[str, str]:
        return {output.name: output.state for output in self.report.outputs}

    def troubles(self) -> list[Trouble]:
        return [message for message in self.said if isinstance(message, Trouble)]

    def sounds(self) -> list[Sound]:
        return [message for message in self.said if isinstance(message, Sound)]

    def sound_ended(self) -> list[SoundEnded]:
        return [message for message in self.said if isinstance(message, SoundEnded)]

    async def ended(self) -> int:
        """Wait for its end; return its exit code."""
        code = await asyncio.wait_for(self.process.wait(), PATIENCE)
        if self.reader:
            await asyncio.wait_for(self.reader, PATIENCE)
        return code

    async def kill(self) -> None:
        self.process.kill()
        await self.ended()


class Relays:
    """Starts relays, and leaves none behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._all: list[Relay] = []

    def plan(self, source: str, **more: object) -> RelayPlan:
        usual: dict[str, object] = {
            "folder": self.folder / "show",
            "socket": self.folder / "relay.sock",
            "hold": Ms(600),
            "encode": QUICK,
            "style": STYLE,
            "title": "Próba",
            "captions": True,
            "language": "pl",
            "interface": "en",
        }
        return RelayPlan(input=source, **{**usual, **more})  # type: ignore[arg-type] # the test's own names

    async def start(
        self,
        source: str | RelayPlan,
        *,
        name: str = "core",
        sound_from: int | None = 0,
        env: dict[str, str] | None = None,
        **more: object,
    ) -> Relay:
        plan = source if isinstance(source, RelayPlan) else self.plan(source, **more)
        log = (self.folder / "relay.log").open("ab")
        process = await asyncio.create_subprocess_exec(*command(), stdin=subprocess.PIPE, stderr=log, env=env)
        log.close()
        assert process.stdin is not None
        process.stdin.write(plan.to_json())
        process.stdin.close()
        relay = Relay(plan, process, await call(plan.socket, process))
        self._all.append(relay)
        relay.line.send(Subscribe(name, None if sound_from is None else Ms(sound_from)))
        relay.reader = asyncio.create_task(relay.listen())
        await relay.until(lambda: relay.said or process.returncode is not None)
        return relay

    @property
    def log(self) -> str:
        return (self.folder / "relay.log").read_text(encoding="utf-8")

    async def close(self) -> None:
        for relay in self._all:
            if relay.process.returncode is None:
                relay.process.kill()
                await relay.process.wait()
            if relay.reader:
                relay.reader.cancel()
            await relay.line.close()


@dataclass
class Stage:
    """What a show has that runs beside others."""

    relays: Relays
    over: asyncio.Barrier
    """Where it waits when its relays have ended: to look into files would keep the others waiting."""
    encoders: list[Encoder] = field(default_factory=list)


async def call(path: Path, process: asyncio.subprocess.Process) -> Line:
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(OSError):
                return await Line.call(path)
            assert process.returncode is None, "the relay ended before it answered"
            await asyncio.sleep(0.02)


# ── clips ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def make_clip(
    path: Path, *, seconds: float, size: str = "320x180", sound: bool = True, more: tuple[str, ...] = ()
) -> Path:
    """Write a clip whose upper half flashes while a tone beeps, from 1 s on every two seconds."""
    lit = f"gte(t\\,1)*lt(mod(t-1\\,2)\\,{FLASH})"
    picture = f"color=black:s={size}:r=25,drawbox=w=iw:h=ih/2:c=white:t=fill:enable='{lit}'"
    tone = f"aevalsrc='0.8*sin(2*PI*1000*t)*{lit}':s=48000"
    sounds = ["-f", "lavfi", "-i", tone] if sound else []
    subprocess.run(
        [
            *("ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", picture, *sounds, "-t", str(seconds)),
            *(
                "-pix_fmt",
                "yuv420p",
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-bf",
                "2",
                "-g",
                "50",
                *more,
                str(path),
            ),
        ],
        check=True,
    )
    return path


# ── what is in a file ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Seen:
    """A file, decoded."""

    times: list[float]
    """Of each picture, seconds."""
    upper: list[float]
    """How bright the upper half of each is."""
    lower: list[float]
    """The brightest spot of the lowest third."""
    sound: NDArray[np.float32]
    sound_begin: float
    rate: int

    @property
    def flashes(self) -> list[float]:
        lit = [light > 100 for light in self.upper]
        return [at for at, now, before in zip(self.times[1:], lit[1:], lit, strict=False) if now and not before]

    @property
    def beeps(self) -> list[float]:
        loud = np.flatnonzero(np.abs(self.sound) > 0.2)
        first = loud[np.diff(loud, prepend=-self.rate) > self.rate // 2]
        return [self.sound_begin + int(at) / self.rate for at in first]

    @property
    def captioned(self) -> list[bool]:
        return [spot > 150 for spot in self.lower]

    @property
    def end(self) -> float:
        return max(self.times[-1] + 0.04, self.sound_begin + len(self.sound) / self.rate)


def see(path: Path) -> Seen:
    """Decode all of `path`; sound is laid down by its stamps, gaps are silent."""
    times, upper, lower = [], [], []
    pieces: list[tuple[float, NDArray[np.float32]]] = []
    rate = 48_000
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            light = frame.to_ndarray(format="gray")
            times.append(float(frame.time))
            upper.append(float(light[: frame.height // 2].mean()))
            lower.append(float(light[frame.height * 2 // 3 :].max()))
    with av.open(str(path)) as container:
        for sound in container.decode(audio=0):
            rate = sound.sample_rate
            pieces.append((float(sound.time or 0), sound.to_ndarray()[0].astype(np.float32)))
    begin = pieces[0][0] if pieces else 0.0
    track = np.zeros(max((round((at - begin) * rate) + len(samples) for at, samples in pieces), default=0), np.float32)
    for at, samples in pieces:
        place = round((at - begin) * rate)
        track[place : place + len(samples)] = samples
    return Seen(times, upper, lower, track, begin, rate)


def left_out(*relays: Relay) -> float:
    """Seconds that may lack from one picture to the next; 0 where the air had time for every picture.

    Where the machine has none, the air leaves pictures out and shows one a second, however late it is (`SIGN_OF_LIFE`).
    """
    return 1.1 if any(relay.report.dropped for relay in relays) else 0.0


def expected(cues: list[Cue], seen: Seen) -> list[bool]:
    """Whether a cue should stand on each picture."""
    return [any(cue.start <= round(at * 1000) < cue.end for cue in cues) for at in seen.times]


def segments(playlist: Path) -> list[str]:
    return re.findall(r"^[^#\n]+$", playlist.read_text(encoding="utf-8"), re.MULTILINE)


# ── encoders that stream to us ────────────────────────────────────────────────────────────────────────────────────────


class Encoder:
    """An `ffmpeg` that streams a file to the relay in real time."""

    def __init__(self, clip: Path, url: str) -> None:
        self._polite = url.startswith("srt")
        form = "flv" if url.startswith("rtmp") else "mpegts"
        self.process = subprocess.Popen(
            [*("ffmpeg", "-nostdin", "-v", "error", "-re", "-stream_loop", "-1", "-i", str(clip)),
             *("-c", "copy", "-f", form, url)],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def stop(self) -> None:
        # SRT notices a caller that vanished only after five seconds: there it says goodbye.
        self.process.send_signal(signal.SIGTERM if self._polite else signal.SIGKILL)
        self.process.wait()
