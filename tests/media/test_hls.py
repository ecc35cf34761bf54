"""HLS folders, written from packets that real encoders made."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import pytest
from tests.media.hls_bench import FMP4, LOOK, TS, files, listed, programme, stamps

from studio.media._ground.clock import RATE
from studio.media._ground.cues import CueBoard
from studio.media._leave.hls import Hls, Rendition
from studio.media._leave.playlist import Entry, Playlist
from studio.media._leave.row import Look
from studio.spoken import Cue
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from studio.media import EncodePreset
    from studio.media._ground.coded import Coded

SMALL = replace(LOOK, bandwidth=100_000)


def write(folder: Path, preset: EncodePreset, seconds: float, begin: float = 0, *, close: bool = True) -> Hls:
    """Let one life of a relay write `seconds` of programme with a caption; return what wrote it."""
    board = CueBoard()
    board.show(Cue(1, Ms(round(begin * 1000) + 480), Ms(round(begin * 1000) + 1480), ("Labas vakaras",)))
    hls = Hls(folder, preset, LOOK, [Rendition(board, "lt")])
    for coded in programme(preset, seconds, begin):
        hls.write(coded)
    if close:
        hls.close()
    return hls


@pytest.mark.parametrize("preset", [TS, FMP4], ids=["ts", "fmp4"])
def test_ffmpeg_plays_the_list_to_its_end_and_nothing_is_lost_or_moved(tmp_path: Path, preset: EncodePreset) -> None:
    write(tmp_path, replace(preset, playlist_segments=0), 4.4, 2.0)
    with av.open(str(tmp_path / "index.m3u8")) as container:
        times = [float(frame.time) for frame in container.decode(video=0)]
    assert len(times) == 110
    assert [round(later - earlier, 4) for earlier, later in pairwise(times)] == [0.04] * 109
    with av.open(str(tmp_path / "index.m3u8")) as container:
        sounds = [float(frame.time or 0) for frame in container.decode(audio=0)]
    steps = [later - earlier for earlier, later in pairwise(sounds)]
    assert max(abs(step - 1024 / 48_000) for step in steps) < 0.001
    assert sounds[0] - times[0] == pytest.approx(0, abs=0.03)
    text = (tmp_path / "index.m3u8").read_text()
    assert text.count("#EXTINF:1.000000,") == 4
    assert "#EXTINF:0.400000," in text
    assert text.endswith("#EXT-X-ENDLIST\n")
    assert "#EXT-X-TARGETDURATION:1\n" in text
    assert ("#EXT-X-MAP" in text) is (preset is FMP4)


@pytest.mark.parametrize(("preset", "shift"), [(TS, 126_000), (FMP4, 0)], ids=["ts", "fmp4"])
def test_the_map_of_the_captions_says_what_the_pictures_really_carry(
    tmp_path: Path, preset: EncodePreset, shift: int
) -> None:
    write(tmp_path, preset, 3, 7.0)
    second = (tmp_path / "seg-00001.vtt").read_text(encoding="utf-8")
    found = re.search(r"X-TIMESTAMP-MAP=MPEGTS:(\d+),LOCAL:00:00:09.000", second)
    assert found is not None
    assert int(found[1]) == shift + 9 * 90_000
    head = (tmp_path / "init-00000.mp4").read_bytes() if preset is FMP4 else b""
    data = head + (tmp_path / listed(tmp_path / "index.m3u8")[1]).read_bytes()
    assert stamps(data)[0] - shift / 90_000 == pytest.approx(8.0, abs=0.001)
    assert "00:00:07.480 --> 00:00:08.480" in second


@pytest.mark.parametrize("preset", [TS, FMP4], ids=["ts", "fmp4"])
def test_what_left_the_window_goes_and_what_others_have_stays(tmp_path: Path, preset: EncodePreset) -> None:
    mine = {"essay.tmp", "seg-x.vtt", "seg-00001.ts.txt", "notes.m3u8", ".index.m3u8.swp"}
    for name in mine | {".seg-00009.ts.4711", ".index.m3u8.4711"}:
        (tmp_path / name).touch()
    write(tmp_path, preset, 70.0)
    ending = ".ts" if preset is TS else ".m4s"
    last = [f"seg-{number:05}" for number in range(66, 70)]
    assert listed(tmp_path / "index.m3u8") == [name + ending for name in last]
    assert listed(tmp_path / "captions.m3u8") == [name + ".vtt" for name in last]
    # a minute of what is listed no more can still be fetched
    kept = {f"seg-{number:05}{end}" for number in range(6, 70) for end in (ending, ".vtt")}
    others = {"master.m3u8", "index.m3u8", "captions.m3u8"} | ({"init-00000.mp4"} if preset is FMP4 else set())
    assert files(tmp_path) == kept | others | mine
    assert "#EXT-X-MEDIA-SEQUENCE:66\n" in (tmp_path / "index.m3u8").read_text()
    assert ("#EXT-X-MAP" in (tmp_path / "index.m3u8").read_text()) is (preset is FMP4)


@pytest.mark.parametrize("preset", [TS, FMP4], ids=["ts", "fmp4"])
def test_a_relay_that_is_started_again_goes_on_with_the_list(tmp_path: Path, preset: EncodePreset) -> None:
    whole = replace(preset, playlist_segments=0)
    write(tmp_path, whole, 2.5, close=False)  # killed: the third second is lost
    master = (tmp_path / "master.m3u8").read_text()
    write(tmp_path, whole, 2.0, 5.0)
    text = (tmp_path / "index.m3u8").read_text()
    names = [f"seg-{number:05}{'.ts' if preset is TS else '.m4s'}" for number in range(4)]
    assert listed(tmp_path / "index.m3u8") == names
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1
    assert text.index("#EXT-X-DISCONTINUITY\n") < text.index(names[2])
    assert text.index(names[1]) < text.index("#EXT-X-DISCONTINUITY\n")
    assert re.findall(r'MAP:URI="(.*)"', text) == ([] if preset is TS else ["init-00000.mp4", "init-00002.mp4"])
    assert (tmp_path / "master.m3u8").read_text() == master
    with av.open(str(tmp_path / "index.m3u8")) as container:
        assert sum(1 for _frame in container.decode(video=0)) == 100

    # a third life, in a list that has become short
    write(tmp_path, preset, 7.0, 20.0)
    text = (tmp_path / "index.m3u8").read_text()
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:2\n" in text
    assert "#EXT-X-MEDIA-SEQUENCE:7\n" in text
    assert text.count("#EXT-X-DISCONTINUITY\n") == 0
    clocks = re.findall(r"#EXT-X-PROGRAM-DATE-TIME:(\S+)", text)
    assert len(clocks) == 1


@pytest.mark.parametrize("window", [0, 4])
@pytest.mark.parametrize("preset", [TS, FMP4], ids=["ts", "fmp4"])
def test_over_a_restart_both_pictures_tell_players_the_same(tmp_path: Path, preset: EncodePreset, window: int) -> None:
    """A player changes between them by number, discontinuity and clock, and by the stamps in the segments."""
    preset = replace(preset, playlist_segments=window)
    small = Look(170, 96, 25.0, 100_000)
    for begin, seconds in ((3600.0, 3.4), (3605.24, 2.2), (3620.0, 4.2)):
        hls = Hls(tmp_path, preset, LOOK, [], small=small)
        less = programme(preset, seconds, begin, size=(small.width, small.height))
        smaller = {coded.stamp: replace(coded, kind="small") for coded in less if coded.kind == "picture"}
        last = max(smaller) - 90_000
        for coded in programme(preset, seconds, begin):
            hls.write(coded)
            if coded.kind == "picture" and coded.stamp <= last:  # killed before the last second of it was encoded
                hls.write(smaller[coded.stamp])
    large, little = (_told(tmp_path, name) for name in ("index.m3u8", "small.m3u8"))
    both = large.keys() & little.keys()
    assert len(both) >= 3
    for number in both:
        (breaks, seconds_, clock, stamp), other = large[number], little[number]
        assert breaks == other[0], f"segment {number}: the same stretch"
        assert seconds_ == pytest.approx(other[1], abs=1e-6)
        assert clock == pytest.approx(other[2], abs=0.002)
        assert other[3] in (None, pytest.approx(stamp, abs=1e-4)), "left out, or at the same time"


def _told(folder: Path, name: str) -> dict[int, tuple[int, float, float, float | None]]:
    """Of each listed segment: its stretch, its length, when it aired, and its first stamp (`None`: left out)."""
    found: dict[int, tuple[int, float, float, float | None]] = {}
    text = (folder / name).read_text()
    breaks, seconds, clock, gap, head = 0, 0.0, 0.0, False, b""
    for line in text.splitlines():
        tag, _colon, value = line.partition(":")
        match tag:
            case "#EXT-X-DISCONTINUITY-SEQUENCE":
                breaks = int(value)
            case "#EXT-X-DISCONTINUITY":
                breaks += 1
            case "#EXT-X-PROGRAM-DATE-TIME":
                clock = datetime.fromisoformat(value).timestamp()
            case "#EXT-X-MAP":
                head = (folder / value.split('"')[1]).read_bytes()
            case "#EXTINF":
                seconds = float(value.rstrip(","))
            case "#EXT-X-GAP":
                gap = True
            case _ if line.startswith("seg-"):
                number = int(line.split("-")[1][:5])
                stamp = None if gap else min(stamps(head + (folder / line).read_bytes()))
                found[number] = breaks, seconds, clock, stamp
                clock, gap = clock + seconds, False
    return found


def test_another_form_of_segments_begins_a_list_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, TS, 2.0)
    write(tmp_path, FMP4, 2.0, 5.0)
    assert listed(tmp_path / "index.m3u8") == ["seg-00002.m4s", "seg-00003.m4s"]
    assert "#EXT-X-DISCONTINUITY\n" in (tmp_path / "index.m3u8").read_text()


@pytest.mark.parametrize("preset", [TS, FMP4], ids=["ts", "fmp4"])
def test_pictures_of_another_form_begin_a_segment_and_a_head_of_their_own(tmp_path: Path, preset: EncodePreset) -> None:
    whole = replace(preset, playlist_segments=0)
    hls = Hls(tmp_path, whole, LOOK, [])
    for coded in programme(whole, 1.4):
        hls.write(coded)
    first = (tmp_path / "master.m3u8").read_text()
    for coded in programme(replace(whole, preset="veryfast"), 1.6, 1.4):  # another profile
        hls.write(coded)
    hls.close()
    text = (tmp_path / "index.m3u8").read_text()
    assert re.findall(r"#EXTINF:([\d.]+)", text) == ["1.000000", "0.400000", "1.000000", "0.600000"]
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1
    assert 'CODECS="avc1.42c01e,' in first
    assert 'CODECS="avc1.64001e,' in (tmp_path / "master.m3u8").read_text()
    with av.open(str(tmp_path / "index.m3u8")) as container:
        assert sum(1 for _frame in container.decode(video=0)) == 75


@pytest.mark.parametrize("preset", [TS, FMP4], ids=["ts", "fmp4"])
@pytest.mark.parametrize(
    ("hole", "keys"), [((0.79, 2.49), 0.5), ((0.79, 4.99), 0.5), ((2.09, 2.99), 0.5), ((0, 0), 0.9)]
)
def test_the_target_duration_never_changes_and_no_segment_is_longer(
    tmp_path: Path, preset: EncodePreset, hole: tuple[float, float], keys: float
) -> None:
    """Whatever is missing: the pictures, or the keyframes of one that was copied; after a restart, too."""
    whole, said = replace(preset, playlist_segments=0), set()

    def lasts(name: str) -> list[float]:
        text = (tmp_path / name).read_text()
        said.add(re.findall(r"#EXT-X-TARGETDURATION:(\d+)\n", text)[0])
        return [float(seconds) for seconds in re.findall(r"#EXTINF:([\d.]+)", text)]

    for begin in (0.0, 10.0):
        hls = Hls(tmp_path, whole, LOOK, [Rendition(CueBoard(), "lt")], small=SMALL)
        for coded in both(programme(replace(whole, keyframe_seconds=keys), 6.0, begin)):
            at = coded.stamp / RATE - begin
            if coded.kind == "sound" or not hole[0] < at < hole[1]:
                hls.write(coded)
            if (tmp_path / "captions.m3u8").exists():
                assert max(lasts("index.m3u8") + lasts("captions.m3u8")) < 1.5
        hls.close()
    for name in ("index.m3u8", "small.m3u8", "captions.m3u8"):
        assert max(lasts(name)) < 1.5
    assert said == {"1"}
    with av.open(str(tmp_path / "index.m3u8")) as container:
        shown = sum(1 for _frame in container.decode(video=0))
    missing = sum(hole[0] < number / 25 < hole[1] for number in range(150))
    assert shown == 2 * (150 - missing)


def both(coded: Iterable[Coded]) -> Iterator[Coded]:
    """The same pictures once more, as if they were small ones."""
    for each in coded:
        yield each
        if each.kind == "picture":
            yield replace(each, kind="small")


def test_a_list_keeps_what_it_promised_when_its_settings_change(tmp_path: Path) -> None:
    long = replace(TS, segment_seconds=3, keyframe_seconds=3, playlist_segments=0)
    write(tmp_path, long, 4.0)
    write(tmp_path, replace(TS, playlist_segments=0), 2.0, 5.0)
    assert "#EXT-X-TARGETDURATION:3\n" in (tmp_path / "index.m3u8").read_text()


def test_the_bandwidth_that_is_said_is_never_less_than_that_of_a_segment(tmp_path: Path) -> None:
    hls = Hls(tmp_path, TS, replace(LOOK, bandwidth=1000), [])
    for coded in programme(TS, 3):
        hls.write(coded)
    hls.close()
    said = int((tmp_path / "master.m3u8").read_text().partition("BANDWIDTH=")[2].partition(",")[0])
    sizes = [(tmp_path / name).stat().st_size * 8 for name in listed(tmp_path / "index.m3u8")]
    assert said == max(sizes)


def test_packets_of_transport_streams_are_counted_on_from_one_segment_to_the_next(tmp_path: Path) -> None:
    write(tmp_path, TS, 3.0)
    data = b"".join((tmp_path / name).read_bytes() for name in listed(tmp_path / "index.m3u8"))
    counts: dict[int, int] = {}
    for at in range(0, len(data), 188):
        stream, count = (data[at + 1] & 31) << 8 | data[at + 2], data[at + 3] & 15
        carries = data[at + 3] & 16
        if stream in counts and carries:
            assert count == (counts[stream] + 1) & 15
        counts[stream] = count
    assert len(counts) == 5  # the two tables, the names of services, picture and sound


def test_a_torn_or_foreign_playlist_is_read_as_far_as_it_goes() -> None:
    playlist = Playlist("", 0, 2)
    playlist.resume(
        "#EXTM3U\n#EXT-X-DISCONTINUITY-SEQUENCE:x\n#EXTINF:2.0,\nseg-00004.ts\n#EXTINF:,\n../seg-00005.ts\n"
        "#EXT-X-PROGRAM-DATE-TIME:yesterday\n#EXTINF:oops,\nseg-00006.ts\n#EXTINF:2.0,\nseg-00003.ts\n#EXTINF:2.0",
        ".ts",
    )
    assert [entry.number for entry in playlist.entries] == [4]
    playlist.add(Entry(7, 2.0, ".ts", 0.0, broken=True))
    assert playlist.last == 7
