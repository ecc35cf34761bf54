from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.media.relay_bench import Encoder, Relays, make_clip, see, segments
from tests.ports import free_port

from studio.events import Destination
from studio.media._leave.disk import EVERY, Disk, Elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterator

MB = 1_000_000
SHOW = Path("shows")


@dataclass
class Evening:
    """A disk that fills, and what was said and paused because of it."""

    free: float
    rate: float = MB
    """Bytes a second."""
    written: float = 0.0
    at: float = 0.0
    may_pause: bool = True
    said: list[str] = field(default_factory=list)
    paused: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.disk = Disk(
            SHOW,
            self.said.append,
            written=lambda: round(self.written),
            pause=self.pause,
            free=lambda: round(self.free),
        )

    def pause(self, why: str) -> bool:
        self.paused.append(why)
        return self.may_pause

    def go_on(self, seconds: float) -> None:
        until = self.at + seconds
        while self.at < until:
            self.disk.look(self.at)
            self.at += EVERY
            self.written += self.rate * EVERY
            self.free -= self.rate * EVERY


def test_half_an_hour_before_the_disk_is_full_it_is_said_once() -> None:
    evening = Evening(free=40 * 60 * MB)
    evening.go_on(9 * 60)
    assert evening.said == []
    evening.go_on(10 * 60)
    assert evening.said == [
        "The disk of shows is full in about 30 minutes, if this goes on; make room there now.",
    ]
    evening.free += 60 * 60 * MB  # somebody made room
    evening.go_on(60)
    evening.free -= 70 * 60 * MB
    evening.go_on(60)
    assert len(evening.said) == 2
    assert evening.paused == []


def test_what_airs_is_recorded_longest() -> None:
    evening = Evening(free=5 * 60 * MB)
    evening.go_on(30)
    assert evening.paused == []
    evening.go_on(120)
    [why] = evening.paused
    assert why.startswith("The disk of shows is nearly full, so the clean recording has stopped")
    evening.rate = MB / 2  # the clean recording does not write any more
    evening.go_on(60)
    assert len(evening.paused) == 1
    evening.free += 30 * 60 * MB
    evening.go_on(10)
    assert evening.paused == [why, ""]
    assert evening.said[-1].startswith("The disk of shows has room again")


def test_where_nothing_can_stop_nothing_is_said_to() -> None:
    evening = Evening(free=100 * MB, may_pause=False)
    evening.go_on(15)
    evening.free = 10 * MB
    evening.go_on(5)
    assert len(evening.paused) == 1
    evening.free = 9000 * MB
    evening.go_on(5)
    assert evening.said == []


def test_a_disk_that_does_not_fill_is_nobodys_trouble() -> None:
    evening = Evening(free=200 * MB, rate=0)
    evening.go_on(600)
    assert evening.said == []


def test_what_destinations_write_counts_where_they_write_it(tmp_path: Path, small_disk: Path) -> None:
    show, at = tmp_path / "show", 0.0
    said: list[str] = []
    show.mkdir()
    sizes = {"copy": 0.0, "drive": 0.0}
    places = {"copy": tmp_path / "copies" / "copy.ts", "drive": small_disk / "hall"}
    free = 300.0 * MB
    watch = Elsewhere(
        show,
        said.append,
        lambda: [(name, places[name], round(size)) for name, size in sizes.items()],
        free=lambda _place: round(free),
    )
    while at < 60:
        watch.look(at)
        at += EVERY
        for name in sizes:
            sizes[name] += MB * EVERY
        free -= MB * EVERY
    assert watch.beside() == sizes["copy"]
    assert said == [f"The disk of {small_disk} is full in about 5 minutes, if this goes on; make room there now."]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 20 MB."""
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here ({made.stderr.strip()}): a full disk is not tried")
    yield place
    subprocess.run(["umount", str(place)], check=True)


async def test_on_a_disk_that_is_nearly_full_only_what_airs_is_recorded(
    relays: Relays, encoders: list[Encoder], clip: Path, small_disk: Path
) -> None:
    url = f"srt://127.0.0.1:{free_port()}"
    relay = await relays.start(f"listen:{url}", folder=small_disk)
    await relay.until(lambda: relay.reported and relay.report.source == "connecting")
    encoders.append(Encoder(clip, url))
    await relay.until(lambda: relay.aired >= 25)
    await relay.until(lambda: relay.outputs().get("clean") == "failed")
    assert relay.outputs()["recording"] == "on air"
    [said] = relay.troubles()
    assert "so the clean recording has stopped" in said.sentence
    relay.finish()
    assert await relay.ended() == 0
    assert see(small_disk / "recording.mp4").end > 1


class Hanging:
    """A file that lets nobody write until somebody reads it: what a network drive does whose server is gone."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._path = path

    def answer(self) -> None:
        """Take everything from now on."""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(FileNotFoundError):  # taken away, which is its end
            while True:
                with self._path.open("rb") as file:
                    while file.read(65536):
                        pass


async def test_disks_that_hang_hold_neither_the_air_nor_one_another(relays: Relays, tmp_path: Path) -> None:
    hall = tmp_path / "hall"
    clip = make_clip(tmp_path / "long.mp4", seconds=30)
    destination = Destination("hall", "hls", str(hall))
    relay = await relays.start(f"file:{clip}", destinations=(destination,), part_seconds=1.0)
    await relay.until(lambda: relay.outputs().get("hall") == "on air" if relay.reported else False)
    Hanging(relay.plan.folder / "recording.part-002.ts")
    answers = Hanging(hall / f".seg-00001.ts.{relay.process.pid}")

    await relay.until(lambda: relay.outputs()["recording"] == relay.outputs()["hall"] == "stalled")
    (said, _hls, _hall) = relay.report.outputs
    assert "does not answer; look at the disk" in said.detail
    seen = (relay.report.on_time, len(segments(relay.plan.folder / "hls" / "index.m3u8")))
    await relay.until(lambda: relay.report.on_time > seen[0] + 60)
    assert relay.outputs() == {"recording": "stalled", "hls": "on air", "hall": "stalled"}
    assert len(segments(relay.plan.folder / "hls" / "index.m3u8")) > seen[1]

    answers.answer()
    await relay.until(lambda: relay.outputs()["hall"] == "on air")
    relay.finish()
    assert await relay.ended() == 0
    assert relay.outputs() == {"recording": "stalled", "hls": "done", "hall": "done"}
    assert "#EXT-X-ENDLIST" in (hall / "index.m3u8").read_text()
    assert "so the end of recording is missing" in relay.troubles()[-1].sentence
    whole = len(see(relay.plan.folder / "recording.part-001.ts").times)
    assert 50 - relay.report.dropped <= whole <= 50
