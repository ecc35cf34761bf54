"""A private PulseAudio whose sound cards are pretended ones: what is played to one is heard on its monitor."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Self

import numpy as np
import pyaudio

from studio.media._arrive import portaudio
from studio.media._takes.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    import pytest
    from numpy.typing import NDArray

RATE = 48_000
BLOCK = 480


class Booth:
    """A card `booth` with an output and an input `booth_mic` that hears it; an input `wall_mic` hears silence."""

    def __init__(self, folder: Path, rate: int = RATE) -> None:
        self.folder = folder
        self.rate = rate
        self.socket = folder / "native"
        (folder / "run").mkdir(parents=True, mode=0o700)
        lines = ["pcm.!default { type pulse }", "ctl.!default { type pulse }"]
        for name, device in (("booth", "booth"), ("booth_mic", "booth.monitor"), ("wall_mic", "wall")):
            hint = f'hint {{ show on description "{name}" }}'
            lines.append(f'pcm.{name} {{ type pulse device "{device}" fallback "" {hint} }}')
        (folder / "asound.conf").write_text("\n".join(lines) + "\n")
        self.env = {
            "PULSE_SERVER": f"unix:{self.socket}",
            "PULSE_COOKIE": str(folder / "cookie"),
            "ALSA_CONFIG_PATH": f"/usr/share/alsa/alsa.conf:{folder / 'asound.conf'}",
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "PULSE_RUNTIME_PATH": str(folder / "run"),
        }

    def switch_on(self) -> None:
        alone = ("-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disable-shm=yes")
        self._server = subprocess.Popen(
            [
                *("pulseaudio", *alone, "--realtime=no", "--high-priority=no"),
                *("-L", f"module-native-protocol-unix auth-anonymous=1 socket={self.socket}"),
            ],
            env={**os.environ, **self.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 60
        while self._pactl("info") is None:
            assert time.monotonic() < until
            time.sleep(0.05)
        assert self._pactl("load-module", "module-null-source", "source_name=wall", f"rate={self.rate}") is not None
        self.plug()

    def switch_off(self) -> None:
        self._server.kill()
        self._server.wait()

    def plug(self) -> None:
        """Plug the booth in."""
        sink = ("module-null-sink", "sink_name=booth", f"rate={self.rate}", "channels=2")
        made = self._pactl("load-module", *sink)
        assert made is not None
        self._module = made.strip()

    def unplug(self) -> None:
        """Pull it out; there is nothing else that a sound server could play to instead."""
        assert self._pactl("unload-module", self._module) is not None

    def _pactl(self, *words: str) -> str | None:
        env = {**os.environ, **self.env}
        done = subprocess.run(
            ["pactl", *words], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        return None if done.returncode else done.stdout

    def enter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let this process hear and play there."""
        for name, value in self.env.items():
            monkeypatch.setenv(name, value)


class Ear:
    """Hears an input from `with` to its end, and keeps it; `tell` is told each block as the recorder tells it."""

    def __init__(
        self,
        device: str,
        tell: Callable[[NDArray[np.int32], int], None] = lambda _block, _first: None,
        *,
        channels: int = 2,
        rate: int = RATE,
    ) -> None:
        self._device, self._tell, self.channels, self.rate = device, tell, channels, rate
        self._blocks: list[NDArray[np.int32]] = []
        self._some = threading.Condition()
        self._pace = Pace(rate)
        self.frames = 0

    def __enter__(self) -> Self:
        self._sound = portaudio.start()
        device = portaudio.choose(self._sound, self._device)
        with portaudio.quiet():
            self._stream = self._sound.open(
                self.rate, self.channels, pyaudio.paInt32, input=True, input_device_index=int(device["index"]),
                frames_per_buffer=BLOCK, stream_callback=self._call,
            )  # fmt: skip
        self.until(lambda: self.frames > 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        self._sound.terminate()

    def _call(self, data: bytes | None, _count: int, times: dict[str, float], _flags: int) -> tuple[None, int]:
        block = np.frombuffer(data or b"", np.int32).reshape(-1, self.channels)
        with self._some:
            first = self.frames
            self._pace.note(first, portaudio.moment(times["input_buffer_adc_time"], times, time.monotonic()))
            self._blocks.append(block)
            self.frames += len(block)
            self._some.notify_all()
        self._tell(block, first)
        return None, pyaudio.paContinue

    def lead(self) -> float | None:
        """Frames heard beyond the machine's clock."""
        return self._pace.lead

    def until(self, so: Callable[[], bool], seconds: float = 90) -> None:
        """Wait until something is so; it is looked at whenever something was heard, and ten times a second."""
        end = time.monotonic() + seconds
        with self._some:
            while not so():
                assert time.monotonic() < end, "it never was so"
                self._some.wait(0.1)

    def part(self, first: int, frames: int) -> NDArray[np.float32]:
        """Return what was heard from a frame on, full scale ±1; waits until it was."""
        self.until(lambda: self.frames >= first + frames)
        sound = np.concatenate(self._blocks)[first : first + frames]
        return np.asarray(sound / (1 << 31), np.float32)
