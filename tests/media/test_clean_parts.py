"""The clean recording and what fills the hold again, without a relay around them."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import av
import pytest
from tests.media.relay_bench import FLASH, make_clip

from studio.media._arrive.intake import Intake, Session
from studio.media._arrive.refill import refill
from studio.media._ground.clock import RATE, Ticks, Zero, ticks
from studio.media._ground.hold import Hold
from studio.media._ground.tape import AIR_RATE, Tape
from studio.media._leave import clean
from studio.media._leave.clean import Clean

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from studio.units import Ms


def make_intake(folder: Path, heard: Callable[[Ms, bytes], None] = lambda _at, _samples: None) -> Intake:
    return Intake(
        Zero(folder, lambda _epoch: None),
        Hold(256 << 20),
        Tape(40),
        ticks(30),
        heard=heard,
        sound_ended=lambda _silent: None,
        say=lambda _sentence: None,
        seconds=None,
    )


def held_times(intake: Intake) -> list[float]:
    """What would air, decoded, in seconds of the show."""
    times = []
    while (held := intake.hold.take(Ticks(1 << 40))) is not None:
        frames = held.reel.decoder.decode(held.packet)
        shown = [frame.pts for frame in frames if frame.pts is not None and frame.pts >= held.reel.begin]
        times += [at / RATE for at in shown if not held.reel.is_over(at)]
    return times


@pytest.mark.parametrize("between", [50, 1000], ids=["a key frame is near", "no key frame is near"])
def test_the_hold_is_filled_from_the_middle_of_a_long_part(tmp_path: Path, between: int) -> None:
    long = make_clip(tmp_path / "long.mp4", seconds=100, more=("-g", str(between), "-keyint_min", str(between)))
    part = tmp_path / "clean.part-001.ts"
    copy = ["-c", "copy", "-muxdelay", "0", "-muxpreload", "0", str(part)]
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(long), *copy], check=True)
    told: list[float] = []
    intake = make_intake(tmp_path, lambda at, _samples: told.append(at / 1000))
    begin = ticks(70)
    assert refill(intake, tmp_path, begin)
    times = held_times(intake)
    assert times[0] == pytest.approx(70, abs=0.05)
    assert times[-1] == pytest.approx(100, abs=0.15)
    assert len(times) == pytest.approx(30 * 25, abs=4)
    assert told[0] == pytest.approx(70, abs=0.05)
    first, sound = intake.tape.read(72 * AIR_RATE)
    assert first == 70 * AIR_RATE
    loud = abs(sound[:, 0]) > 5000
    assert loud.argmax() / AIR_RATE == pytest.approx(1.0, abs=0.1)  # the beep at 71 s
    assert loud.sum() / AIR_RATE == pytest.approx(FLASH, abs=0.06)


def test_where_nothing_was_copied_nothing_is_filled(tmp_path: Path) -> None:
    (tmp_path / "clean.part-001.ts").touch()
    (tmp_path / "clean.part-002.ts").write_bytes(b"what a bad disk gives" * 100)
    intake = make_intake(tmp_path)
    assert not refill(intake, tmp_path, ticks(5))
    assert held_times(intake) == []


class Encoders:
    """Gives a clean recording what an encoder would."""

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.clean = Clean(folder, 6, keep=True, seconds=600, say=self.said.append)
        self.intake = make_intake(folder)

    def stream(self, clip: Path, shift: float = 0) -> None:
        """Send `clip`, all at once, moved by `shift` seconds on the show clock."""
        with av.open(str(clip)) as container:
            session = Session(self.intake, container, Ticks(0))
            session.copy = self.clean.begin(session.streams)
            for packet in container.demux(session.streams):
                if packet.size:
                    session.put(packet, ticks(shift))


def until(is_so: Callable[[], object], within: float = 60) -> None:
    late = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < late
        time.sleep(0.01)


def copied(folder: Path, name: str = "clean.part-001.ts") -> list[tuple[str, float, bool]]:
    with av.open(str(folder / name)) as container:
        return [
            (packet.stream.type, float(packet.pts * packet.time_base), packet.is_keyframe)
            for packet in container.demux()
            if packet.pts is not None
        ]


def test_a_disk_that_does_not_answer_keeps_nobody_waiting(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clean, "MOST", 2_000)
    pipe = tmp_path / "clean.part-001.ts"
    os.mkfifo(pipe)
    encoder = Encoders(tmp_path)
    encoder.stream(clip)  # nobody reads: whoever writes waits, and we are here all the same
    assert encoder.clean.lost > 0
    [said] = encoder.said
    assert said.startswith(f"The disk of {tmp_path} is too slow")
    reader = threading.Thread(target=pipe.read_bytes)
    reader.start()
    assert encoder.clean.close()
    reader.join(60)


def test_what_is_paused_goes_on_at_a_key_frame(tmp_path: Path, clip: Path) -> None:
    encoder = Encoders(tmp_path)
    encoder.clean.pause("the disk is nearly full")
    encoder.stream(clip)
    encoder.stream(clip, shift=6)
    until(lambda: not encoder.clean._waiting)
    report = encoder.clean.report()
    assert report is not None
    assert (report.state, report.detail) == ("failed", "the disk is nearly full")
    encoder.clean.pause("")
    encoder.stream(clip, shift=12)
    assert encoder.clean.close()
    packets = copied(tmp_path)
    assert min(at for _kind, at, _key in packets) > 11.9  # AAC begins a little before
    assert next(key for kind, _at, key in packets if kind == "video")
    assert encoder.said == []


def test_what_ts_cannot_carry_is_left_out_and_said_once(tmp_path: Path, clip: Path) -> None:
    raw = tmp_path / "raw.mkv"
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-i", str(clip), "-c:v", "copy", "-c:a", "pcm_s16le", str(raw)],
        check=True,
    )
    encoder = Encoders(tmp_path)
    encoder.stream(raw)
    encoder.stream(raw, shift=7)
    assert encoder.clean.close()
    assert len(encoder.said) == 1
    assert encoder.said[0].startswith("The encoder sends pcm_s16le, which the clean recording cannot take")
    assert {kind for kind, _at, _key in copied(tmp_path)} == {"video"}


def test_parts_that_no_hold_can_want_are_let_go(tmp_path: Path, clip: Path) -> None:
    encoder = Encoders(tmp_path)
    encoder.clean = Clean(tmp_path, 1, keep=False, seconds=1, say=encoder.said.append)
    for number in range(5):
        encoder.stream(clip, shift=6 * number)
    assert encoder.clean.close()
    parts = sorted(path.name for path in tmp_path.glob("clean.part-*.ts"))
    assert parts[0] > "clean.part-003.ts"  # 30 s came, 16 s can be wanted
    assert min(at for _kind, at, _key in copied(tmp_path, parts[0])) <= 30 - 16
    encoder.clean.forget()
    assert not list(tmp_path.glob("clean.part-*.ts"))
