"""A private PulseAudio with a pretended desk of many channels, and a player whose every sample says which one it is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Self

import numpy as np
import soundfile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

RATE = 48_000
CHANNELS = 18
PLACES = (
    *("front-left", "front-right", "rear-left", "rear-right", "front-center", "lfe", "side-left", "side-right"),
    *(f"aux{number}" for number in range(24)),
)
"""As ALSA's pulse plugin calls the channels: where a server's sink has others, they are mixed and vanish."""
AHEAD = 1500
"""Milliseconds that the player is ahead: it must not be what is late."""
PIECE = 4800
_ALL = 1 << 24
_STEP = 1 << 16


class Hall:
    """`with Hall(folder)`: an input `desk` that hears what is played to the sink `desk`."""

    def __init__(self, folder: Path, rate: int = RATE, channels: int = CHANNELS) -> None:
        self.folder, self.rate, self.channels = folder, rate, channels
        self.socket = folder / "native"
        (folder / "run").mkdir(parents=True, mode=0o700)
        (folder / "asound.conf").write_text(
            "pcm.!default { type pulse }\nctl.!default { type pulse }\n"
            'pcm.desk { type pulse device "desk.monitor" fallback "" hint { show on description "desk" } }\n'
        )
        self.added = {
            "PULSE_SERVER": f"unix:{self.socket}",
            "PULSE_COOKIE": str(folder / "cookie"),
            "ALSA_CONFIG_PATH": f"/usr/share/alsa/alsa.conf:{folder / 'asound.conf'}",
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "PULSE_RUNTIME_PATH": str(folder / "run"),
        }
        self.env = {**os.environ, **self.added}
        self._children: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.switch_on()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.switch_off()

    @property
    def places(self) -> str:
        return ",".join(PLACES[: self.channels])

    def switch_on(self) -> None:
        alone = ("-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disable-shm=yes")
        self.server = subprocess.Popen(
            [
                *("pulseaudio", *alone, "--realtime=no", "--high-priority=no"),
                *("-L", f"module-native-protocol-unix auth-anonymous=1 socket={self.socket}"),
            ],
            env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + 60
        while subprocess.run(["pactl", "info"], env=self.env, capture_output=True, check=False).returncode:
            assert time.monotonic() < until, "PulseAudio does not answer"
            time.sleep(0.05)
        self.plug()

    def switch_off(self) -> None:
        """As `kill -9` does."""
        self.server.kill()
        self.server.wait()
        self.socket.unlink(missing_ok=True)
        for child in self._children:
            child.kill()
            child.wait()
        self._children.clear()

    def plug(self) -> None:
        sink = f"sink_name=desk format=s32le rate={self.rate} channels={self.channels} channel_map={self.places}"
        self._module = self.pactl("load-module", "module-null-sink", *sink.split())

    def unplug(self) -> None:
        self.pactl("unload-module", self._module)

    def pactl(self, *words: str) -> str:
        done = subprocess.run(["pactl", *words], env=self.env, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def count(self) -> None:
        """Play the counter from now on; return when it is heard."""
        with (self.folder / "player.log").open("ab") as log:
            self._children.append(
                subprocess.Popen(
                    [sys.executable, __file__, str(self.channels), str(self.rate)],
                    env={**self.env, "LC_ALL": "C"}, stdout=subprocess.DEVNULL, stderr=log,
                )
            )  # fmt: skip
        until = time.monotonic() + 60
        while not self.pactl("list", "short", "sink-inputs"):
            assert time.monotonic() < until, "nobody counts"
            time.sleep(0.05)

    @property
    def dry(self) -> int:
        """How often the player came too late: its counter stood still then, and is no measure of what was lost."""
        return (self.folder / "player.log").read_bytes().count(b"Stream underrun")


def counted(first: int, frames: int, channels: int) -> NDArray[np.int32]:
    """Return frames of the counter, 24 bits on the left: each channel counts, from another place on.

    A count is written as a number that looks like noise, for a counter that rises is like itself at any other time.
    """
    begin = np.uint32(first % _ALL)
    counts = np.arange(frames, dtype=np.uint32)[:, None] + np.arange(channels, dtype=np.uint32) * _STEP + begin + 1
    return (_scrambled(counts % _ALL) << 8).view(np.int32)


def _scrambled(counts: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Give each of 24 bits another one of its own."""
    for factor in (np.uint32(0x9E3779), np.uint32(0xC2B2AF)):
        counts = np.asarray(
            (counts ^ (counts >> 12)) * factor % _ALL, np.uint32
        )  # what goes beyond 32 bits is no part of the lowest 24
    return np.asarray(counts ^ (counts >> 12), np.uint32)


@cache
def _counts() -> NDArray[np.int32]:
    """Return which count each number of 24 bits is."""
    table = np.empty(_ALL, np.int32)
    every = np.arange(_ALL, dtype=np.uint32)
    table[_scrambled(every)] = every
    return table


@dataclass
class Verdict:
    """What a file that heard the counter holds."""

    frames: int = 0
    lost: int = 0
    """Frames of the counter that are missing, and for which no silence was played that nobody marked."""
    marked: int = 0
    """Frames that the marks say are."""
    wrong: int = 0
    """Frames in which channels disagree, or which are none of the counter's."""
    astray: list[tuple[int, int, int]] = field(default_factory=list)
    """Of each place where lost and marked differ: frame, lost, marked."""
    places: list[tuple[int, int]] = field(default_factory=list)
    """Of each loss: frame, frames."""
    silent: int = 0
    """Frames in which the player had nothing to say: silence that is not marked."""


def judge(path: Path, channels: Iterable[int], marks: Iterable[tuple[int, int]]) -> Verdict:
    """Compare a file of these channels of the input, counted from 0, with the marks: frame and frames of each."""
    offsets = np.array(list(channels)) * _STEP + 1
    told = sorted(marks)
    found = Verdict(marked=sum(frames for _at, frames in told))
    last: tuple[int, int] | None = None  # frame of the file, and of the counter
    for block in soundfile.blocks(path, 1 << 16, dtype="int32", always_2d=True):
        heard = block.any(axis=1)
        counts = (_counts()[(block.view(np.uint32) >> 8)] - offsets) % _ALL
        agrees = (counts == counts[:, :1]).all(axis=1)
        found.wrong += int((heard & ~agrees).sum())
        places = np.flatnonzero(heard & agrees)
        values = counts[places, 0].astype(np.int64)
        places += found.frames
        if last is not None:
            places, values = np.concatenate([[last[0]], places]), np.concatenate([[last[1]], values])
        for at in np.flatnonzero((np.diff(values) % _ALL != 1) | (np.diff(places) != 1)):
            _compare(found, (int(places[at]), int(places[at + 1])), (int(values[at]), int(values[at + 1])), told)
        if len(places):
            last = int(places[-1]), int(values[-1])
        found.frames += len(block)
    return found


def _compare(found: Verdict, frames: tuple[int, int], counts: tuple[int, int], told: list[tuple[int, int]]) -> None:
    lost = (counts[1] - counts[0] - 1) % _ALL
    marked = sum(
        min(at + many, frames[1]) - max(at, frames[0]) for at, many in told if frames[0] < at + many and at < frames[1]
    )
    silent = frames[1] - frames[0] - 1 - marked
    found.silent += silent
    lost -= min(
        max(0, lost - marked), silent
    )  # a player that was late: its server played silence, and dropped that much
    found.lost += lost
    if lost:
        found.places.append((frames[0] + 1, lost))
    if lost != marked:
        found.astray.append((frames[0] + 1, lost, marked))


def _play(channels: int, rate: int) -> None:
    """Count until killed, well ahead of what is heard."""
    player = subprocess.Popen(
        [
            *("pacat", "--verbose", "--raw"),
            *(f"--rate={rate}", f"--channels={channels}", "--format=s32le", "--device=desk"),
            *(f"--channel-map={','.join(PLACES[:channels])}", f"--latency-msec={AHEAD}"),
        ],
        stdin=subprocess.PIPE,
    )
    assert player.stdin is not None
    at = 0
    while player.poll() is None:
        player.stdin.write(counted(at, PIECE, channels).tobytes())
        at += PIECE


if __name__ == "__main__":
    _play(int(sys.argv[1]), int(sys.argv[2]))
