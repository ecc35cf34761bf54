"""Encoders and files that are not as they should be: followed, or named; what airs has no gap."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import threading
import time
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from PIL import Image
from tests.media.relay_bench import Relay, Stage, left_out, see
from tests.ports import free_port

from studio.media._ground.clock import RATE, TICK, Ticks
from studio.media._ground.eyes import Eyes
from studio.media._ground.tape import AIR_RATE, Arrival, Tape

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

FFMPEG = ("ffmpeg", "-nostdin", "-v", "error", "-y")
TONE = "sine=440:r=48000"
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p")
PACKET = 188
"""Bytes of one of MPEG-TS."""
PICTURES, SOUND = 0x100, 0x101
"""Their numbers in FFmpeg's MPEG-TS."""


def film(path: Path, seconds: float, *more: str, picture: str = "testsrc2=s=320x180:r=25", sound: str = TONE) -> Path:
    """Write a film with sound; `more` are FFmpeg's words on how."""
    sources = ("-f", "lavfi", "-i", picture, *(("-f", "lavfi", "-i", sound) if sound else ()))
    usual = () if "-c:v" in more else H264
    subprocess.run([*FFMPEG, *sources, "-t", str(seconds), *usual, *more, str(path)], check=True)
    return path


class Wire:
    """Sends the bytes of MPEG-TS to an SRT input as they are, a picture each 40 ms, whatever their stamps say."""

    def __init__(self, data: bytes, url: str) -> None:
        self._data = data
        self.gone = threading.Event()
        self._process = subprocess.Popen(
            [*FFMPEG, "-f", "data", "-i", "pipe:0", "-map", "0", "-c", "copy", "-f", "data", f"{url}?pkt_size=1316"],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def _send(self) -> None:
        began, number, ready = time.monotonic(), 0, bytearray()
        pipe = self._process.stdin
        assert pipe is not None
        try:
            for at in range(0, len(self._data), PACKET):
                packet = self._data[at : at + PACKET]
                if packet[1] & 0x40 and _number(packet) == PICTURES:
                    number += 1
                    pipe.write(ready)
                    pipe.flush()
                    ready.clear()
                    self.gone.wait(max(0.0, began + number / 25 - time.monotonic()))
                    if self.gone.is_set():
                        break
                ready += packet
            pipe.write(ready)
            pipe.close()
            self._process.wait(5)
        except (OSError, subprocess.TimeoutExpired):
            pass
        self.gone.set()

    def close(self) -> None:
        self.gone.set()
        self._process.terminate()  # or SRT would notice after five seconds only
        self._thread.join()
        self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()


def _number(packet: bytes) -> int:
    return (packet[1] & 31) << 8 | packet[2]


@pytest.fixture
def wires_of() -> Iterator[Callable[[], list[Wire]]]:
    running: list[list[Wire]] = []

    def make() -> list[Wire]:
        running.append([])
        return running[-1]

    yield make
    for wire in itertools.chain.from_iterable(running):
        wire.close()


async def listening(stage: Stage) -> tuple[Relay, str]:
    url = f"srt://127.0.0.1:{free_port()}"
    relay = await stage.relays.start(f"listen:{url}")
    await relay.until(lambda: relay.reported and relay.report.source == "connecting")
    return relay, url


async def changes(tmp_path: Path, wires: list[Wire], stage: Stage) -> None:
    parts = [
        film(tmp_path / "begins.ts", 2, "-output_ts_offset", "95441.7"),  # its 33 bits are over after two seconds
        film(tmp_path / "jumps.ts", 2, "-output_ts_offset", "14", picture="testsrc2=s=640x360:r=25"),
        film(tmp_path / "goes back.ts", 2, "-output_ts_offset", "5", "-ac", "1", picture="testsrc2=s=640x360:r=25"),
        film(tmp_path / "falls silent.ts", 2, "-output_ts_offset", "7", sound=""),
    ]
    relay, url = await listening(stage)
    wires.append(Wire(b"".join(part.read_bytes() for part in parts), url))
    await relay.until(lambda: relay.aired >= 150)
    assert relay.report.source == "online"
    await relay.until(lambda: relay.report.source == "connecting")
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()

    folder = relay.plan.folder
    aired = see(folder / "recording.mp4")
    # what jumps is laid where it arrives: on a busy machine that is later, and the last picture stands so long
    assert max(later - earlier for earlier, later in pairwise(aired.times)) <= 0.7 + left_out(relay)
    loud = np.abs(aired.sound).reshape(-1, 1) > 0.01
    assert loud.mean() * len(aired.sound) / aired.rate == pytest.approx(6, abs=1)
    sizes = []
    for name in ("clean.mp4", "clean-2.mp4"):
        with av.open(str(folder / name)) as clean:
            sizes.append(clean.streams.video[0].height)
    assert sizes == [180, 360]


async def mute(tmp_path: Path, wires: list[Wire], stage: Stage) -> None:
    data = film(tmp_path / "both.ts", 12).read_bytes()
    packets = (data[at : at + PACKET] for at in range(0, len(data), PACKET))
    mute = b"".join(packet for packet in packets if _number(packet) != SOUND)
    hevc = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=25:log-level=none", "-c:a", "ac3")
    other = film(tmp_path / "hevc.ts", 6, *hevc, sound="aevalsrc='0.5*sin(2*PI*800*t)|0|0|0|0|0':c=5.1:s=48000")
    relay, url = await listening(stage)

    wires.append(Wire(mute, url))
    await relay.until(wires[0].gone.is_set)  # the first look does not tell; the next one is longer
    wires.append(Wire(mute, url))
    await relay.until(lambda: relay.aired >= 25)
    assert [said.sentence.partition(",")[0] for said in relay.troubles()] == ["The encoder sends no sound"]
    wires[1].close()
    await relay.until(lambda: relay.report.source == "connecting")
    wires.append(Wire(other.read_bytes(), url))
    await relay.until(lambda: relay.report.source == "online")
    await relay.until(lambda: (relay.report.peak or -100) > -20)
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    with av.open(str(relay.plan.folder / "clean-2.mp4")) as clean:
        assert clean.streams.video[0].codec_context.name == "hevc"


async def test_what_comes_may_change_in_mid_stream_or_never_come(
    together: Callable[..., Awaitable[None]], wires_of: Callable[[], list[Wire]], tmp_path: Path
) -> None:
    await together(partial(changes, tmp_path, wires_of()), partial(mute, tmp_path, wires_of()))


def test_no_channel_is_lost_and_none_becomes_much_quieter() -> None:
    levels = []
    for channel in range(6):
        tape = Tape(2)
        arrival = Arrival(tape, lambda _at, _samples: None, None)
        samples = np.zeros((6, AIR_RATE), np.float32)
        samples[channel] = 0.5 * np.sin(np.arange(AIR_RATE) * 2 * np.pi * 440 / AIR_RATE)
        frame = av.AudioFrame.from_ndarray(samples, "fltp", "5.1")
        frame.sample_rate = AIR_RATE
        arrival.take(frame, Ticks(0))
        _at, mixed = tape.read(AIR_RATE)
        levels.append(tuple(np.abs(mixed).max(axis=0) / 16384))
    left, right, centre, low, back_left, back_right = levels
    assert left == pytest.approx((0.707, 0), abs=0.01)
    assert right == pytest.approx((0, 0.707), abs=0.01)
    assert centre == pytest.approx((0.5, 0.5), abs=0.01)
    assert low == (0, 0)  # by ITU-R BS.775
    assert back_left == pytest.approx((0.5, 0), abs=0.01)
    assert back_right == pytest.approx((0, 0.5), abs=0.01)


def seen(path: Path) -> list[av.VideoFrame]:
    """All pictures of `path`, as the air sees them."""
    found: list[av.VideoFrame] = []
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        eyes = Eyes(video.codec_context)
        for packet in container.demux(video):
            if packet.dts is not None and packet.pts is not None:
                packet.pts, packet.dts = (round(at * packet.time_base * RATE) for at in (packet.pts, packet.dts))
                packet.time_base = TICK
                found += eyes.decode(packet)
        return found + eyes.decode(None)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_phones_film_stands_upright(tmp_path: Path, degrees: int) -> None:
    flat = film(tmp_path / "flat.mp4", 0.4, sound="")
    phone = tmp_path / "phone.mp4"
    turn = ["-c", "copy", "-metadata:s:v", f"rotate={degrees}", str(phone)]
    subprocess.run([*FFMPEG, "-i", str(flat), *turn], check=True)
    subprocess.run([*FFMPEG, "-i", str(phone), "-frames:v", "1", str(tmp_path / "upright.png")], check=True)
    pictures = seen(phone)
    assert len(pictures) == 10
    with Image.open(tmp_path / "upright.png") as wanted:
        assert np.array_equal(pictures[0].to_ndarray(format="rgb24"), np.asarray(wanted.convert("RGB")))


def test_two_fields_become_one_picture(tmp_path: Path) -> None:
    fields = ("-c:v", "mpeg2video", "-b:v", "2M", "-flags", "+ilme+ildct", "-bf", "2")
    film(tmp_path / "fields.ts", 1, *fields, picture="testsrc2=s=320x180:r=50,interlace", sound="")
    pictures = seen(tmp_path / "fields.ts")
    assert len(pictures) == 25
    assert not any(picture.interlaced_frame for picture in pictures)
    stamps = [picture.pts or 0 for picture in pictures]
    assert {later - earlier for earlier, later in pairwise(stamps)} == {RATE // 25}
