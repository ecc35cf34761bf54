from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.media.relay_bench import Relays, see

from studio.media import REFUSED, EncodePreset
from studio.spoken import Cue
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Hall:
    """A private PulseAudio whose only sound card is a pretended one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "native"
        (folder / "run").mkdir(parents=True, mode=0o700)
        (folder / "asound.conf").write_text(
            "pcm.!default { type pulse }\nctl.!default { type pulse }\n"
            'pcm.hall_microphone { type pulse device "hall.monitor" hint { show on description "hall_microphone" } }\n'
        )
        self.env = {
            **os.environ,
            "PULSE_SERVER": f"unix:{self.socket}",
            "PULSE_COOKIE": str(folder / "cookie"),
            "ALSA_CONFIG_PATH": f"/usr/share/alsa/alsa.conf:{folder / 'asound.conf'}",
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "PULSE_RUNTIME_PATH": str(folder / "run"),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def switch_on(self) -> None:
        self.process = subprocess.Popen(
            [
                *(
                    "pulseaudio",
                    "-n",
                    "--daemonize=no",
                    "--use-pid-file=no",
                    "--exit-idle-time=-1",
                    "--disable-shm=yes",
                ),
                *("--realtime=no", "--high-priority=no"),
                *("-L", f"module-native-protocol-unix auth-anonymous=1 socket={self.socket}"),
                *("-L", "module-null-sink sink_name=hall rate=48000 channels=2"),
            ],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 60
        while subprocess.run(["pactl", "info"], env=self.env, capture_output=True, check=False).returncode:
            assert time.monotonic() < until
            time.sleep(0.05)

    def switch_off(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.socket.unlink(missing_ok=True)

    def speak(self, seconds: float) -> subprocess.Popen[bytes]:
        """Play a loud tone into the room."""
        tone = (12_000 * np.sin(np.arange(int(seconds * 48_000)) * 2 * np.pi * 440 / 48_000)).astype(np.int16)
        path = self.folder / "tone.raw"
        path.write_bytes(np.repeat(tone, 2).tobytes())
        return subprocess.Popen(
            ["pacat", "--raw", "--rate=48000", "--channels=2", "--format=s16le", "--device=hall", str(path)],
            env=self.env,
        )


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    room = Hall(tmp_path / "hall")
    room.switch_on()
    yield room
    room.switch_off()


async def test_a_microphone_airs_with_the_card_and_comes_back_after_its_server_died(relays: Relays, hall: Hall) -> None:
    preset = EncodePreset(height=180, fps=10, preset="ultrafast", threads=1)
    relay = await relays.start("mic:hall_micro", env=hall.env, encode=preset)
    relay.show(Cue(1, Ms(1500), Ms(2500), ("Mikrofon działa",)))  # not at once: it shall be here when it is due
    await relay.until(lambda: relay.aired >= 10)
    voice = hall.speak(1.5)
    await relay.until(lambda: relay.report.peak is not None and relay.report.peak > -20)
    voice.wait()
    assert relay.report.source == "online"

    hall.switch_off()
    await relay.until(lambda: relay.report.source == "degraded")
    assert "gives no sound" in relay.troubles()[0].sentence
    hall.switch_on()
    await relay.until(lambda: relay.report.source == "online")
    voice = hall.speak(1.0)
    await relay.until(lambda: relay.report.peak is not None and relay.report.peak > -20)
    voice.wait()
    relay.finish()
    assert await relay.ended() == 0

    seen = see(relay.plan.folder / "recording.mp4")
    assert seen.captioned[:26] == [1500 <= round(at * 1000) < 2500 for at in seen.times[:26]]
    steps = np.diff(seen.times)
    assert float(steps.max()) == pytest.approx(0.1, abs=0.01)  # the card never stops
    assert int((np.abs(seen.sound) > 0.2).sum()) > seen.rate // 2
    assert len(relay.troubles()) == 1


async def test_what_a_microphone_said_before_a_kill_airs_after_it(relays: Relays, hall: Hall) -> None:
    preset = EncodePreset(height=180, fps=10, preset="ultrafast", threads=1)
    relay = await relays.start("mic:hall_micro", env=hall.env, encode=preset, hold=Ms(6000))
    await relay.until(lambda: len(relay.sounds()) > 5)
    hall.speak(1.0).wait()
    heard = len(relay.sounds())
    await relay.until(lambda: len(relay.sounds()) > heard + 10)  # the tone is all here, and none of it has aired
    assert relay.aired == 0
    await relay.kill()
    again = await relays.start(relay.plan, env=hall.env)
    await again.until(lambda: again.aired >= 50)
    again.finish()
    assert await again.ended() == 0
    seen = see(relay.plan.folder / "recording.mp4")
    assert int((np.abs(seen.sound) > 0.2).sum()) > seen.rate // 3
    assert not list(relay.plan.folder.glob("clean*"))


async def test_an_unknown_microphone_is_refused_with_those_there_are(relays: Relays, hall: Hall) -> None:
    relay = await relays.start("mic:balcony", env=hall.env)
    assert await relay.ended() == REFUSED
    assert relay.troubles()[0].sentence.startswith("There is no microphone 'balcony'; there are: ")
    assert "hall_microphone" in relay.troubles()[0].sentence
