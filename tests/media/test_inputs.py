"""Main and backup encoder: what viewers see and hear when one takes over from the other."""

from __future__ import annotations

import itertools
import signal
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.media.inputs_bench import look, make_encoded, repeats
from tests.media.relay_bench import Encoder, Relay, Stage, left_out
from tests.media.test_copy import COPY, copied
from tests.ports import free_port

from studio.events import ChooseInput, Sound
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Main, backup, and a backup with larger pictures."""
    folder = tmp_path_factory.mktemp("inputs")
    return (
        make_encoded(folder / "main.mp4", "0x002000", 440),
        make_encoded(folder / "backup.mp4", "0x000040", 880),
        make_encoded(folder / "larger.mp4", "0x000040", 880, "640x360"),
    )


async def both(stage: Stage, clips: tuple[Path, Path], hold: int, **more: object) -> tuple[Relay, list[str]]:
    urls = [f"rtmp://127.0.0.1:{free_port()}/live/studio" for _each in clips]
    relay = await stage.relays.start(stage.relays.plan(f"listen:{urls[0]}", backup=urls[1], hold=Ms(hold), **more))
    await relay.until(lambda: relay.reported and len(relay.report.inputs) == 2)
    for clip, url in zip(clips, urls, strict=True):
        stage.encoders.append(Encoder(clip, url))
    await relay.until(lambda: all(each.state == "online" for each in relay.report.inputs) and relay.aired > 10)
    await relay.until(lambda: airs(relay) == "main")  # on a busy machine the backup may have been there first
    return relay, urls


def airs(relay: Relay) -> str | None:
    return next((each.name for each in relay.report.inputs if each.airs), None)


def later(relay: Relay, frames: int) -> Callable[[], bool]:
    upto = relay.aired + frames
    return lambda: relay.aired >= upto


async def main_lost(clips: tuple[Path, Path, Path], how: signal.Signals, stage: Stage) -> None:
    larger = how is signal.SIGSTOP
    relay, _urls = await both(stage, (clips[0], clips[1 + larger]), hold=1500)
    await relay.until(later(relay, 30))
    stage.encoders[0].process.send_signal(how)
    await relay.until(lambda: airs(relay) == "backup")
    [alarm] = [alarm for alarm in relay.report.alarms if alarm.name == "main"]
    assert "the backup is on the air" in alarm.sentence
    await relay.until(later(relay, 85))
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()

    aired = look(relay.plan.folder / "recording.mp4")
    [turn] = aired.turns
    assert aired.who[0] == "main"
    lacks = left_out(relay)
    assert aired.longest_step < 0.09 + lacks
    assert repeats(aired) <= 1
    # the bar of the backup moves on from its first picture: nothing stands, nothing is left out
    after = [(b - a) % 40 for a, b in itertools.pairwise(aired.bars[turn : turn + 40])]
    assert after == [1] * 39 or lacks
    assert sum(length for _at, length in aired.silences) <= 0.02
    if larger:  # players cannot follow another size inside one file
        assert set(look(relay.plan.folder / "clean.mp4").who) == {"main"}
        assert set(look(relay.plan.folder / "clean-2.mp4").who) == {"backup"}
    else:
        clean = look(relay.plan.folder / "clean.mp4")
        assert len(clean.turns) <= 1  # up to a group of pictures before the aired one does
        assert clean.times == sorted(clean.times)
        assert clean.longest_step < 0.21  # B-frames that would come after the other's key frame
        assert repeats(clean) <= 1
        assert sum(length for _at, length in clean.silences) <= 0.05
    heard = [said for said in relay.said if isinstance(said, Sound)]
    for one, other in itertools.pairwise(heard):  # each moment once
        assert other.start == pytest.approx(one.start + len(one.samples) / 32, abs=25)


async def chosen_by_hand(clips: tuple[Path, Path, Path], stage: Stage) -> None:
    relay, urls = await both(stage, clips[:2], hold=1000)
    relay.line.send(ChooseInput("backup"))
    await relay.until(lambda: airs(relay) == "backup")
    assert relay.report.chosen == "backup"
    await relay.until(later(relay, 40))
    await relay.kill()

    relay = await stage.relays.start(relay.plan)
    for clip, url in zip(clips[:2], urls, strict=True):
        stage.encoders.append(Encoder(clip, url))
    await relay.until(lambda: relay.reported and airs(relay) == "backup")
    assert relay.report.chosen == "backup"
    await relay.until(later(relay, 40))
    stage.encoders[-1].stop()  # what was chosen is lost
    await relay.until(lambda: airs(relay) == "main")
    assert relay.report.chosen is None
    assert "backup encoder, which somebody had chosen, is lost" in relay.troubles()[-1].sentence
    relay.line.send(ChooseInput("backup"))
    await relay.until(lambda: "cannot go on the air" in relay.troubles()[-1].sentence)
    assert airs(relay) == "main"
    await relay.until(later(relay, 30))
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    aired = look(relay.plan.folder / "recording.mp4")
    assert [who for who, _same in itertools.groupby(who for who in aired.who if who)] == ["main", "backup", "main"]


async def copied_of_both(clips: tuple[Path, Path, Path], stage: Stage) -> None:
    encode = replace(COPY, segment_type="fmp4", playlist_segments=0)
    relay, _urls = await both(stage, clips[:2], hold=1000, captions=False, encode=encode)
    await relay.until(later(relay, 20))
    stage.encoders[0].process.kill()
    await relay.until(lambda: airs(relay) == "backup")
    await relay.until(later(relay, 85))  # the hold, what is left of a group of pictures, and some of the next
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    for path in (relay.plan.folder / "recording.mp4", relay.plan.folder / "hls" / "index.m3u8"):
        aired = look(path)
        assert len(aired.turns) == 1
        assert aired.times == sorted(aired.times)
        assert aired.longest_step < 0.15 + left_out(relay)
        assert repeats(aired) <= 1
        assert sum(length for _at, length in aired.silences) <= 0.02
    main, backup = (copied(relay.plan.folder / "recording.mp4", clip) for clip in clips[:2])
    assert main > 0.1
    assert backup > 0.1


async def test_a_lost_main_encoder_is_not_missed_within_the_hold(
    together: Callable[..., Awaitable[None]], clips: tuple[Path, Path, Path]
) -> None:
    await together(partial(main_lost, clips, signal.SIGKILL), partial(main_lost, clips, signal.SIGSTOP))


async def test_a_hand_chooses_and_what_is_copied_is_copied_of_both(
    together: Callable[..., Awaitable[None]], clips: tuple[Path, Path, Path]
) -> None:
    await together(partial(chosen_by_hand, clips), partial(copied_of_both, clips))
