from __future__ import annotations

import itertools
import os
import re
from functools import partial
from time import sleep
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.media.relay_bench import QUICK, Encoder, Relay, Stage, expected, left_out, make_clip, see, segments
from tests.media.test_relay_closed import closed_captions, write
from tests.ports import free_port

from studio.events import HoldChanged, SetHold
from studio.media._air.closed import ClosedCaptions
from studio.media._air.encode import PictureEncoder
from studio.media._air.picture import black
from studio.media._ground.airtime import AirTime
from studio.media._ground.clock import Ticks
from studio.media._ground.cues import CueBoard
from studio.spoken import Cue
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


def cue(number: int, start: int, end: int) -> Cue:
    return Cue(number, Ms(start), Ms(end), ("Ąžuolas",))


# ── on paper ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_while_the_hold_stays_the_show_airs_at_its_own_time(tmp_path: Path) -> None:
    time = AirTime(tmp_path, Ms(6000), continued=False)
    assert (time.show(Ms(12_345)), time.air(Ms(12_345)), time.shift) == (12_345, 12_345, 0)
    assert not time.turns
    assert not list(tmp_path.iterdir())


def test_a_longer_hold_makes_the_show_stand(tmp_path: Path) -> None:
    time = AirTime(tmp_path, Ms(2000), continued=False)
    assert time.change(Ms(10_000), Ms(5000)) == 8000
    assert [time.show(Ms(air)) for air in (4999, 5000, 9000, 12_999, 13_000, 14_000)] == [
        4999, 5000, 5000, 5000, 5000, 6000,
    ]  # fmt: skip
    assert [time.air(Ms(show)) for show in (4999, 5000, 5001, 6000)] == [4999, 5000, 13_001, 14_000]
    assert time.cues(cue(1, 4000, 6000)) == [cue(1, 4000, 5000), cue(1, 13_000, 14_000)]  # not on the slate
    assert time.cues(cue(1, 4000, 5000)) == [cue(1, 4000, 5000)]
    assert time.stand(Ms(14_999)) == (13_000, 5000)
    assert time.stand(Ms(15_000)) is None


def test_a_caption_stands_with_its_picture(tmp_path: Path) -> None:
    time = AirTime(tmp_path, Ms(2000), continued=False)
    time.change(Ms(4000), Ms(5000))
    assert time.cues(cue(1, 4000, 6000)) == [cue(1, 4000, 8000)]


def test_a_shorter_hold_leaves_a_stretch_out(tmp_path: Path) -> None:
    time = AirTime(tmp_path, Ms(10_000), continued=False)
    assert time.change(Ms(0), Ms(5000)) == -10_000
    assert [time.show(Ms(air)) for air in (4999, 5000, 6000)] == [4999, 15_000, 16_000]
    assert [time.air(Ms(show)) for show in (4999, 5001, 14_999, 15_000, 16_000)] == [4999, 5000, 5000, 5000, 6000]
    assert time.cues(cue(1, 7000, 9000)) == []
    assert time.cues(cue(2, 14_000, 17_000)) == [cue(2, 5000, 7000)]


def test_a_change_of_mind_before_the_show_goes_on(tmp_path: Path) -> None:
    time = AirTime(tmp_path, Ms(2000), continued=False)
    time.change(Ms(10_000), Ms(5000))
    assert time.change(Ms(6000), Ms(7000)) == 2000  # 8 s less the 2 that have passed, less 4
    assert [time.show(Ms(air)) for air in (8999, 9000, 10_000)] == [5000, 5000, 6000]
    assert time.change(Ms(0), Ms(8000)) == -5000
    assert [time.show(Ms(air)) for air in (7999, 8000, 9000)] == [5000, 10_000, 11_000]
    assert time.shift == -2000


def test_the_air_never_goes_back_and_knows_its_way_both_ways(tmp_path: Path) -> None:
    dice = np.random.default_rng(4)
    time = AirTime(tmp_path, Ms(6000), continued=False)
    at = 0
    for _change in range(40):
        at += int(dice.integers(1, 9000))
        time.change(Ms(int(dice.integers(0, 30_000))), Ms(at))
    shown = [time.show(Ms(air)) for air in range(0, at + 40_000, 7)]
    assert shown == sorted(shown)
    for show in range(0, max(shown), 13):
        air = time.air(Ms(show))
        assert time.show(air) >= show
        assert time.show(Ms(air - 1)) < show or air == 0


def test_a_relay_that_comes_back_goes_on_with_the_hold_it_had(tmp_path: Path) -> None:
    time = AirTime(tmp_path, Ms(2000), continued=False)
    time.change(Ms(10_000), Ms(5000))
    again = AirTime(tmp_path, Ms(2000), continued=True)
    again.plan(Ms(2000), Ms(30_000))
    assert (again.hold, again.began, again.show(Ms(14_000))) == (10_000, 2000, 6000)
    told = AirTime(tmp_path, Ms(4000), continued=True)
    told.plan(Ms(4000), Ms(40_000))  # somebody started the show again with another hold
    assert (told.hold, told.began, told.show(Ms(38_000))) == (4000, 2000, 36_000)
    assert AirTime(tmp_path, Ms(6000), continued=False).hold == 6000
    assert AirTime.of(tmp_path).air(Ms(6000)) == 14_000
    assert AirTime.of(tmp_path / "elsewhere").air(Ms(6000)) == 6000


def test_a_hold_that_changes_before_anything_airs_is_the_one_it_begins_with(tmp_path: Path) -> None:
    time = AirTime(tmp_path, Ms(2000), continued=False)
    time.change(Ms(10_000), None)
    assert (time.began, time.shift, time.show(Ms(7))) == (10_000, 0, 7)


def test_a_disk_that_hangs_keeps_no_hold_from_changing(tmp_path: Path) -> None:
    time, pipe = AirTime(tmp_path, Ms(2000), continued=False), tmp_path / f".air.json.{os.getpid()}"
    os.mkfifo(pipe)  # whoever writes there waits until somebody reads
    time.change(Ms(4000), Ms(5000))
    time.change(Ms(3000), Ms(6000))
    assert (time.hold, time.show(Ms(9000))) == (3000, 8000)
    with pipe.open("rb") as read:
        read.read()
    kept = tmp_path / "air.json"
    while not kept.exists():  # it is the pipe, in whose place nothing is written
        sleep(0.01)
    kept.unlink()
    time.change(Ms(2500), Ms(10_000))
    while not kept.is_file():
        sleep(0.01)
    while AirTime.of(tmp_path).hold != 2500:  # the note before it may have come first
        sleep(0.01)


def test_closed_captions_stand_when_their_words_air(tmp_path: Path) -> None:
    time, board = AirTime(tmp_path, Ms(2000), continued=False), CueBoard()
    board.show(cue(1, 3500, 5000))
    time.change(Ms(4000), Ms(3000))
    encoder = PictureEncoder(QUICK, black(320, 180), 25)
    pictures = [each for at in range(200) for each in encoder.encode(black(320, 180), Ticks(at * 3600))]
    (found,) = closed_captions(write(tmp_path / "pictures.ts", ClosedCaptions(board, time).add(pictures)))
    assert found.start == pytest.approx(5500, abs=60)
    assert found.end == pytest.approx(7000, abs=60)


# ── on the air ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def change(relay: Relay, seconds: float) -> None:
    hold = Ms(int(seconds * 1000))
    relay.line.send(SetHold(hold))
    await relay.until(lambda: HoldChanged(hold) in relay.said and relay.report.hold == hold)


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "long.mp4", seconds=40)


async def changed_on_the_air(long_clip: Path, source: str, stage: Stage) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    relay = await stage.relays.start(f"file:{long_clip}" if source == "file" else f"listen:{url}", hold=Ms(1000))
    if source == "listen":
        await relay.until(lambda: relay.reported and relay.report.source == "connecting")
        stage.encoders.append(Encoder(long_clip, url))
    cues = [cue(number, 1000 + 2000 * number, 1900 + 2000 * number) for number in range(1, 20)]
    relay.show(*cues)
    await relay.until(lambda: relay.aired >= 60)
    await change(relay, 2.5)
    await relay.until(lambda: relay.aired >= 120)
    await change(relay, 6.0)
    await relay.until(lambda: relay.report.slate)
    await relay.until(lambda: not relay.report.slate)
    await relay.until(lambda: relay.aired >= 200)
    await change(relay, 0)
    aired = relay.aired
    await relay.until(lambda: relay.aired >= aired + 70)
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()

    folder = relay.plan.folder
    time = AirTime.of(folder)
    assert len(time.turns) == 5
    seen = see(folder / "recording.mp4")
    steps = [later - earlier for earlier, later in itertools.pairwise(seen.times)]
    assert min(steps) > 0
    lacks = left_out(relay)
    assert max(steps) < 0.15 + lacks  # no jump, no hole
    assert len(seen.sound) / seen.rate == pytest.approx(seen.times[-1] - seen.sound_begin, abs=0.3)
    # what flashes and beeps in the show does so at its time on the air, together
    flashes = [time.air(Ms(1000 + 2000 * number)) / 1000 for number in range(20)]
    turns = [turn.air / 1000 for turn in time.turns]
    whole = [flash for flash in seen.flashes if min(abs(flash - turn) for turn in turns) > 0.2]
    assert len(whole) >= (1 if lacks else 4)
    for flash in whole:
        assert min(abs(flash - due) for due in flashes) <= 0.06 + lacks
        assert min(abs(flash - beep) for beep in seen.beeps) <= 0.06 + lacks
    # so do captions, burned and in WebVTT
    shown = [piece for each in cues for piece in time.cues(each)]
    wanted = expected(shown, seen)
    wrong = [at for at, is_there, due in zip(seen.times, seen.captioned, wanted, strict=True) if is_there is not due]
    assert len(wrong) <= 0.05 * len(seen.times)
    vtt = "".join((folder / "hls" / name).read_text("utf-8") for name in segments(folder / "hls" / "captions.m3u8"))
    told = {(number, start) for number, start in re.findall(r"^(\d+)\n\S+:(\S+) -->", vtt, re.MULTILINE)}
    for each in shown[1:]:
        if each.end / 1000 < seen.times[-1] - 1:
            assert (str(each.number), f"{each.start / 1000 % 60:06.3f}") in told


async def killed_while_it_stands(long_clip: Path, stage: Stage) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    relay = await stage.relays.start(f"listen:{url}", hold=Ms(500))
    await relay.until(lambda: relay.reported and relay.report.source == "connecting")
    stage.encoders.append(Encoder(long_clip, url))
    relay.show(cue(1, 0, 60_000))
    await relay.until(lambda: relay.aired >= 60)
    await change(relay, 6.0)  # long enough for another relay to be there before it is over
    await relay.until(lambda: relay.report.slate)
    await relay.kill()
    again = await stage.relays.start(relay.plan)
    again.show(cue(1, 0, 60_000))
    await again.until(lambda: again.aired >= 30)
    await again.until(lambda: again.report.slate)  # no encoder has come
    await again.until(lambda: [alarm.name for alarm in again.report.alarms] == ["slate"])
    again.finish()
    assert await again.ended() == 0
    await stage.over.wait()

    folder = relay.plan.folder
    (stand, goes_on) = AirTime.of(folder).turns
    seen = see(folder / "recording.mp4")
    stood = [at for at in seen.times if stand.air / 1000 + 0.1 < at < goes_on.air / 1000 - 0.1]
    assert len(stood) > 25  # the next relay has the slate at once
    assert not any(stand.air / 1000 < at < goes_on.air / 1000 for at in [*seen.flashes, *seen.beeps])
    captioned = dict(zip(seen.times, seen.captioned, strict=True))
    assert not any(captioned[at] for at in stood)
    after = [at for at in seen.times if goes_on.air / 1000 + 0.1 < at < goes_on.air / 1000 + 1]
    assert after
    assert all(captioned[at] for at in after)
    shift = (goes_on.air - stand.air) / 1000
    clean = see(folder / "clean.mp4")
    for flash in seen.flashes:
        away = min(abs(flash - at - (shift if at > stand.show / 1000 else 0)) for at in clean.flashes)
        assert away < 0.06 + left_out(relay, again)


async def impossible(clip: Path, stage: Stage) -> None:
    relay = await stage.relays.start(f"file:{clip}")
    await relay.until(lambda: relay.aired >= 5)
    relay.line.send(SetHold(Ms(31_000)))
    await relay.until(relay.troubles)
    assert relay.troubles()[0].sentence == "A hold of 31 s cannot be; choose between 0 and 30 s."
    assert relay.report.hold == relay.plan.hold
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()


async def test_the_hold_is_changed_on_the_air(together: Callable[..., Awaitable[None]], long_clip: Path) -> None:
    await together(partial(changed_on_the_air, long_clip, "file"), partial(changed_on_the_air, long_clip, "listen"))


async def test_a_relay_that_is_killed_while_the_show_stands_airs_nothing_twice(
    together: Callable[..., Awaitable[None]], long_clip: Path, clip: Path
) -> None:
    await together(partial(killed_while_it_stands, long_clip), partial(impossible, clip))
