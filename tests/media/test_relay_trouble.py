from __future__ import annotations

import json
import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from tests.media.relay_bench import QUICK, Relays, make_clip, see

from studio.errors import MediaError
from studio.events import SetHold
from studio.media import REFUSED, command, probe, recover
from studio.media._ground.clock import Zero
from studio.media._ground.watchdog import Pulse, Watchdog
from studio.media._leave.outputs import trouble
from studio.units import Ms
from studio.wire.obs import Collection, Scene, Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 kB."""
    place: Path = tmp_path / "tiny"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here ({made.stderr.strip()}): a full disk is not tried")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def noisy(folder: Path) -> Path:
    return make_clip(folder / "noisy.mp4", seconds=2.4, more=("-vf", "noise=alls=60:allf=t"))


async def test_an_air_that_hangs_ends_the_relay_and_the_next_one_goes_on(relays: Relays, tmp_path: Path) -> None:
    film = make_clip(tmp_path / "film.mp4", seconds=30, more=("-g", "25"))
    picture = tmp_path / "logo.png"
    slate = Collection((Scene("Slate", (Source("logo", "image", file=picture),)),))
    plan = relays.plan(f"file:{film}", hold=Ms(500), patience=2.0, encode=QUICK, slate=slate)
    relay = await relays.start(plan)
    await relay.until(lambda: relay.aired >= 5)
    os.mkfifo(picture)  # whoever opens it waits, as for a network drive that does not answer
    relay.line.send(SetHold(Ms(8000)))  # the show stands, and the slate is drawn
    assert await relay.ended() == 1
    assert any(said.sentence.startswith("The programme stood still, so the relay is") for said in relay.troubles())
    picture.unlink()
    again = await relays.start(plan)
    await again.until(lambda: again.aired >= 25)
    again.finish()
    assert await again.ended() == 0


def test_the_watchdog_counts_its_own_looks_at_who_is_at_work() -> None:
    pulse = Pulse()
    watchdog = Watchdog({"air": pulse}, 2.0)
    assert [watchdog.look(1.0) for _look in range(5)] == [None] * 5  # it has not begun, or rests
    pulse.beat()
    assert [watchdog.look(1.0) for _look in range(3)] == [None, None, "air"]
    pulse.beat()
    assert watchdog.look(1.0) is None
    pulse.rest()
    assert [watchdog.look(1.0) for _look in range(5)] == [None] * 5


async def test_a_full_disk_stops_what_writes_there_and_nothing_else(
    relays: Relays, tmp_path: Path, tiny_disk: Path
) -> None:
    show = tmp_path / "show"
    show.mkdir()
    (show / "hls").symlink_to(tiny_disk)
    relay = await relays.start(f"file:{noisy(tmp_path)}")
    await relay.until(lambda: relay.reported and relay.outputs().get("hls") == "failed")
    assert await relay.ended() == 0
    assert relay.outputs() == {"recording": "done", "hls": "failed"}
    assert [said.sentence for said in relay.troubles()] == [
        (
            f"The disk of {show / 'hls'} is full, so HLS for the hall has stopped; make room."
            " What was written before is kept."
        )
    ]
    assert see(show / "recording.mp4").end == pytest.approx(2.4, abs=0.2)


async def test_a_recording_on_a_full_disk_keeps_what_it_has(relays: Relays, tmp_path: Path, tiny_disk: Path) -> None:
    relay = await relays.start(f"file:{noisy(tmp_path)}", folder=tiny_disk)
    assert await relay.ended() == 0
    assert relay.outputs()["recording"] == "failed"
    assert sum("so the recording has stopped" in said.sentence for said in relay.troubles()) == 1
    assert sum("recording.mp4" in said.sentence for said in relay.troubles()) == 1
    [part] = tiny_disk.glob("recording.part-*.ts")
    assert not (tiny_disk / "recording.mp4").exists()
    before = see(part).times[-1]
    moved = tmp_path / "roomy"
    moved.mkdir()
    (moved / part.name).write_bytes(part.read_bytes())
    assert recover(moved) == moved / "recording.mp4"
    assert see(moved / "recording.mp4").times[-1] == pytest.approx(before, abs=0.1)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("absent.mp4", None, "is not there; is its name right"),
        ("text.mp4", b"Ladies and gentlemen\n" * 50, "has no picture or sound that can be read"),
        ("empty.mkv", b"", "has no picture or sound that can be read"),
    ],
)
async def test_a_file_that_cannot_be_played_is_refused_in_one_sentence(
    relays: Relays, tmp_path: Path, name: str, content: bytes | None, sentence: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MediaError, match=sentence):
        probe(path)
    relay = await relays.start(f"file:{path}")
    assert await relay.ended() == REFUSED
    [said] = relay.troubles()
    assert said.ends_show
    assert sentence in said.sentence
    assert relays.log.rstrip().endswith(said.sentence)
    assert "Traceback" not in relays.log


async def test_an_input_that_is_none_is_refused(relays: Relays) -> None:
    relay = await relays.start("camera:7")
    assert await relay.ended() == REFUSED
    assert "'camera:7' is no input" in relay.troubles()[0].sentence


def test_a_plan_that_is_none_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(command(), input=b"{}", capture_output=True, check=False, cwd=tmp_path)
    assert done.returncode == REFUSED
    assert b"The relay's plan is not one" in done.stderr
    assert b"Traceback" not in done.stderr


def test_other_trouble_says_what_the_disk_said(tmp_path: Path) -> None:
    sentence = trouble("hls", PermissionError(13, "Permission denied"), tmp_path)
    assert (
        sentence
        == f"HLS for the hall has stopped, {tmp_path} cannot be written (the rights do not allow it); check the disk."
    )


def test_the_clock_goes_on_in_a_show_that_was_cut_off_and_begins_anew_after_its_end(tmp_path: Path) -> None:
    told: list[int] = []
    first = Zero(tmp_path, told.append)
    assert not first.continued
    first.begin_now()
    first.begin_now()
    assert told == [first.epoch]
    again = Zero(tmp_path, told.append)
    assert again.continued
    assert again.epoch == first.epoch
    again.end()
    assert not Zero(tmp_path, told.append).continued


def test_another_boot_goes_on_by_the_wall_clock_for_some_hours(tmp_path: Path) -> None:
    def kept(ago: float) -> None:
        said = {"epoch": 5, "boot": "another", "wall": time.time() - ago}
        (tmp_path / "clock.json").write_text(json.dumps(said))

    kept(3600)
    zero = Zero(tmp_path, lambda _epoch: None)
    assert zero.now() / 90_000 == pytest.approx(3600, abs=1)
    assert zero.show == 5
    again = Zero(tmp_path, lambda _epoch: None)
    assert (again.epoch, again.show) == (zero.epoch, 5)  # reckoned once, and the same show
    kept(100_000)
    assert Zero(tmp_path, lambda _epoch: None).epoch is None
    (tmp_path / "clock.json").write_text("{torn")
    assert Zero(tmp_path, lambda _epoch: None).epoch is None
