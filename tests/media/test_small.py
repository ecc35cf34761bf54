"""The small picture beside the big one, for weak connections."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from tests.media.hls_bench import LOOK, TS, files, listed, programme
from tests.media.relay_bench import QUICK, Stage

from studio.events import Destination
from studio.media import EncodePreset, SmallPicture
from studio.media._air.picture import black
from studio.media._air.small import Shot, Small, Waiting
from studio.media._ground.clock import RATE, Ticks
from studio.media._leave.hls import BEHIND, Hls
from studio.media._leave.row import Look
from studio.spoken import Cue
from studio.subtitles import Style
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from numpy.typing import NDArray

SMALL = SmallPicture(height=96, video_bitrate=100)
SMALL_LOOK = Look(170, 96, 25.0, 100_000)


def shot(at: int, *, key: bool = False) -> Shot:
    return Shot(black(16, 16), Ticks(at), key, ())


def test_where_too_many_wait_the_newest_goes_and_a_keyframe_last() -> None:
    waiting = Waiting(3)
    for at in range(5):
        waiting.put(shot(at, key=at == 0))
    assert waiting.dropped == 2
    waiting.put(shot(5, key=True))
    waiting.put(shot(6, key=True))
    waiting.put(shot(7, key=True))
    waiting.end()
    left = [waiting.take() for _turn in range(4)]
    assert [each.at if each else None for each in left] == [5, 6, 7, None]
    assert waiting.dropped == 5


def test_fewer_frames_where_fewer_are_wanted_and_every_keyframe() -> None:
    said: list[str] = []
    preset = replace(TS, small=replace(SMALL, fps=10))
    small = Small(preset, Style(), black(320, 180), 25.0, said.append)
    for number in range(10):
        small.put(black(320, 180), Ticks(number * RATE // 25), ("Labas",), key=number in {0, 7})
    made = small.close()
    assert said == []
    assert [picture.stamp * 25 // RATE for picture in made if picture.key] == [0, 7]
    assert 4 <= len(made) <= 6
    assert {picture.kind for picture in made} == {"small"}


def test_what_cannot_be_encoded_is_said_once_and_holds_nobody() -> None:
    said: list[str] = []
    small = Small(replace(TS, small=SMALL), Style(), black(320, 180), 25.0, said.append)
    for number in range(3):  # frames without pixels
        small.put(av.VideoFrame(), Ticks(number * RATE // 25), (), key=number == 0)
    assert small.close() == []
    assert small.take() == []
    (sentence,) = said
    assert sentence.startswith("The small picture for weak connections cannot be encoded")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"height": 20}, "small.height is 20"),
        ({"video_bitrate": 10}, "small.video_bitrate is 10"),
        ({"fps": -1}, "small.fps is -1"),
    ],
)
def test_what_a_preset_may_not_say(wrong: dict[str, int], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        SmallPicture(**wrong)
    with pytest.raises(ValueError, match="not below video_bitrate"):
        EncodePreset(video_bitrate=500, small=SmallPicture(video_bitrate=600))


def fill(folder: Path, lost: range) -> None:
    """Write 12 seconds in segments of one; the small picture lacks those that begin in `lost` seconds."""
    hls = Hls(folder, replace(TS, playlist_segments=0), LOOK, [], small=SMALL_LOOK)
    for coded in programme(TS, 12):
        hls.write(coded)
        if coded.kind == "picture" and coded.stamp // RATE not in lost:
            hls.write(replace(coded, kind="small"))
    hls.close()


def test_a_segment_that_the_small_picture_lacks_is_a_gap_and_the_rest_stays_aligned(tmp_path: Path) -> None:
    fill(tmp_path, range(4, 5))
    text = (tmp_path / "small.m3u8").read_text()
    assert text.count("#EXT-X-GAP") == 1
    assert re.findall("#EXTINF:.*", text) == re.findall("#EXTINF:.*", (tmp_path / "index.m3u8").read_text())
    assert listed(tmp_path / "small.m3u8") == [f"seg-{number:05}.small.ts" for number in range(12)]
    assert "seg-00004.small.ts" not in files(tmp_path)
    for name in ("seg-00003.small.ts", "seg-00005.small.ts"):
        with av.open(str(tmp_path / name)) as file:
            sounds = [packet for packet in file.demux(audio=0) if packet.size]
            assert 44 <= len(sounds) <= 49


def test_nobody_is_sent_to_a_small_picture_that_ended(tmp_path: Path) -> None:
    fill(tmp_path, range(3, 12))
    assert "small.m3u8" not in (tmp_path / "master.m3u8").read_text()
    assert (tmp_path / "small.m3u8").read_text().count("#EXT-X-GAP") >= 12 - 3 - BEHIND


def pictures(playlist: Path) -> list[tuple[float, bool, NDArray[np.uint8]]]:
    with av.open(str(playlist)) as file:
        return [
            (float(frame.time or 0), frame.key_frame, frame.to_ndarray(format="gray").astype(np.uint8))
            for frame in file.decode(video=0)
        ]


async def same_moments(clip: Path, stage: Stage) -> None:
    crowd = stage.relays.folder / "crowd"
    encode = replace(QUICK, keyframe_seconds=1, segment_seconds=1, playlist_segments=0, small=SMALL)
    to = Destination(name="crowd", kind="hls", address=str(crowd))
    relay = await stage.relays.start(f"file:{clip}", encode=encode, destinations=(to,), hold=Ms(1500))
    relay.show(Cue(1, Ms(1500), Ms(3500), ("MMMMMMMM", "WWWWWWWW")))
    await relay.until(lambda: relay.aired >= 105)
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    assert relay.troubles() == []

    for folder in (relay.plan.folder / "hls", crowd):
        master = (folder / "master.m3u8").read_text()
        streams = re.findall(
            r'BANDWIDTH=(\d+),RESOLUTION=(\d+)x(\d+),.*CODECS="(avc1\.\w+,mp4a\.40\.2)",SUB.*\n(.*)', master
        )
        assert [name for *_, name in streams] == ["index.m3u8", "small.m3u8"]
        assert int(streams[1][2]) == 96
        assert int(streams[1][0]) < int(streams[0][0])
        big, small = (listed(folder / name) for name in ("index.m3u8", "small.m3u8"))
        assert small == [name.replace(".ts", ".small.ts") for name in big]
        assert len(big) >= 4
        for names in (big, small):
            for name in names:
                length = float(
                    re.findall(
                        rf"#EXTINF:([\d.]+),\n{name}",
                        "".join(p.read_text() for p in (folder / "index.m3u8", folder / "small.m3u8")),
                    )[0]
                )
                bits = (folder / name).stat().st_size * 8
                assert length < 0.5 or bits / length <= int(streams[names is small][0]) + 1
        seen = [pictures(folder / name) for name in ("index.m3u8", "small.m3u8")]
        keys = [[at for at, key, _picture in each if key] for each in seen]
        assert keys[0] == keys[1]
        assert len(seen[0]) - len(seen[1]) <= len(seen[0]) // 4  # a busy machine leaves some out of the small one
    colours = []
    for name in ("index.m3u8", "small.m3u8"):
        with av.open(str(folder / name)) as file:
            colours.append(next(file.decode(video=0)).colorspace)
    assert colours == [5, 5]  # named alike, where the source said nothing of them
    with av.open(str(relay.plan.folder / "recording.mp4")) as file:
        assert len(file.streams.video) == 1
        assert file.streams.video[0].height > 96

    first = seen[0][0][0]
    for each in seen:

        def lit(at: float, each: list[tuple[float, bool, NDArray[np.uint8]]] = each) -> int:
            picture = min(each, key=lambda one: abs(one[0] - first - at))[2]
            return int((picture[picture.shape[0] * 2 // 3 :] > 200).sum()) * 1000 // picture.size

        assert lit(2.5) > lit(0.6) + 5


async def taken_up(clip: Path, stage: Stage) -> None:
    encode = replace(
        QUICK, keyframe_seconds=1, segment_seconds=1, playlist_segments=0, segment_type="fmp4", small=SMALL
    )
    relay = await stage.relays.start(f"file:{clip}", encode=encode)
    await relay.until(lambda: relay.aired >= 40)
    await relay.kill()
    relay = await stage.relays.start(relay.plan)
    await relay.until(lambda: relay.aired >= 40)
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    big, small = (relay.plan.folder / "hls" / name for name in ("index.m3u8", "small.m3u8"))
    assert listed(small) == [name.replace(".m4s", ".small.m4s") for name in listed(big)]
    for playlist in (big, small):
        text = playlist.read_text()
        assert text.count("#EXT-X-MAP") == 2
        assert text.count("#EXT-X-DISCONTINUITY\n") == 1
    lengths = [re.findall("#EXTINF:.*", playlist.read_text()) for playlist in (big, small)]
    assert lengths[0] == lengths[1]
    keys = [[at for at, key, _picture in pictures(playlist) if key] for playlist in (big, small)]
    assert len(keys[0]) >= 3
    assert keys[0] == keys[1]


async def test_a_show_has_both_pictures_in_segments_of_the_same_moments_also_when_a_relay_takes_it_up(
    together: Callable[..., Awaitable[None]], clip: Path
) -> None:
    await together(partial(same_moments, clip), partial(taken_up, clip))
