"""Subtitles in a film for good, or as tracks; everything else stays as it was."""

from __future__ import annotations

import os
import subprocess
import tracemalloc
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from tests.media import films
from tests.media.test_film_sound import beeps, heard, near

from studio import media
from studio.errors import MediaError
from studio.media import EncodePreset, TextTrack
from studio.media._film.sounds import Recoder
from studio.spoken import Cue
from studio.subtitles import Style
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

QUICK = EncodePreset(preset="ultrafast", quality=16, video_bitrate=20_000)
STYLE = Style(size=0.12, box="#FF00FF", outline=0)
CUE = Cue(1, Ms(1000), Ms(2000), ("Zażółć gęślą jaźń", "Įlinkdama fechtuotojo špaga"))


def burn(source: Path, out: Path, *cues: Cue, **more: Any) -> list[str]:  # noqa: ANN401
    said: list[str] = []
    media.burn(source, out, cues or (CUE,), style=STYLE, preset=QUICK, say=said.append, **more)
    return said


def pictures(path: Path) -> list[tuple[int, NDArray[np.uint8]]]:
    with av.open(str(path)) as container:
        zero = (container.start_time or 0) / 1000
        return [
            (round((frame.time or 0) * 1000 - zero), np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
            for frame in container.decode(video=0)
        ]


def subtitled(picture: NDArray[np.uint8]) -> bool:
    """Whether the ground of the style stands in the lower third: pink, as nothing of the bars is there."""
    low = picture[picture.shape[0] * 2 // 3 :].astype(int)
    pink = (low[..., 0] > 180) & (low[..., 1] < 90) & (low[..., 2] > 180)
    return bool(pink[:, picture.shape[1] // 3 : picture.shape[1] * 2 // 3].mean() > 0.2)


@pytest.mark.parametrize("name", ["phone.mp4", "phone.mkv"])
def test_pictures_keep_their_times_and_cues_stand_for_theirs_also_without_a_steady_rate(
    tmp_path: Path, name: str
) -> None:
    film = films.unsteady(tmp_path / name)
    told: list[tuple[int, int | None]] = []
    assert burn(film, tmp_path / f"out-{name}", progress=lambda at, length: told.append((at, length))) == []
    before, after = pictures(film), pictures(tmp_path / f"out-{name}")
    assert [at for at, _picture in after] == [at for at, _picture in before]
    assert [at for at, picture in after if subtitled(picture)] == [at for at, _p in before if 1000 <= at < 2000]
    assert told[-1][0] == told[-1][1]
    assert [first[0] <= second[0] for first, second in pairwise(told)].count(False) == 0
    assert {path.name for path in tmp_path.iterdir()} == {name, f"out-{name}"}


def test_all_sound_tracks_chapters_and_titles_stay(tmp_path: Path) -> None:
    burn(films.twelve_tracks(tmp_path / "festival.mkv"), tmp_path / "burned.mkv")
    before, after = media.film(tmp_path / "festival.mkv"), media.film(tmp_path / "burned.mkv")
    assert after.sounds == before.sounds
    burn(films.whole(tmp_path / films.ODD_NAME), tmp_path / "ir kitas.mp4")
    film = media.film(tmp_path / "ir kitas.mp4")
    assert (film.title, [chapter.title for chapter in film.chapters]) == ("Ąžuolas", ["Początek", "Pabaiga"])


def test_a_delayed_track_stays_delayed_and_one_that_cannot_be_copied_becomes_aac(tmp_path: Path) -> None:
    burn(films.delayed(tmp_path / "a.mkv"), tmp_path / "b.mp4")
    assert near(beeps(heard(tmp_path / "b.mp4")), [1500, 2500, 3500])
    films.ffmpeg("-i", tmp_path / "a.mkv", "-c:v", "copy", "-c:a", "libvorbis", tmp_path / "c.mkv")
    burn(tmp_path / "c.mkv", tmp_path / "d.mp4")
    assert [sound.codec for sound in media.film(tmp_path / "d.mp4").sounds] == ["aac"]
    assert near(beeps(heard(tmp_path / "d.mp4")), [1500, 2500, 3500], within=25)


def test_a_film_on_its_side_is_turned_before_it_is_written_on(tmp_path: Path) -> None:
    films.whole(tmp_path / "a.mp4", seconds=2)
    with av.open(str(tmp_path / "a.mp4")) as source, av.open(str(tmp_path / "side.mp4"), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        stream.set_display_rotation(90)
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    picture = media.film(tmp_path / "side.mp4").picture
    assert picture is not None
    assert abs(picture.rotation) == 90
    burn(tmp_path / "side.mp4", tmp_path / "up.mp4")
    film = media.film(tmp_path / "up.mp4")
    assert film.picture is not None
    assert (film.picture.width, film.picture.height, film.picture.rotation) == (90, 160, 0)
    shown = pictures(tmp_path / "up.mp4")[0][1].astype(int)
    plain = pictures(tmp_path / "a.mp4")[0][1].astype(int)
    turned = np.rot90(plain, picture.rotation // 90)
    assert np.abs(shown[:60] - turned[:60]).mean() < 30


def test_ten_bits_become_eight_and_high_dynamic_range_is_refused(tmp_path: Path) -> None:
    deep = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"]
    films.ffmpeg(*films.bars(2), *deep, tmp_path / "deep.mkv")
    burn(tmp_path / "deep.mkv", tmp_path / "plain.mp4")
    film = media.film(tmp_path / "plain.mp4")
    assert film.picture is not None
    assert film.picture.pixels == "yuv420p"
    hdr = ["-color_trc", "smpte2084", "-color_primaries", "bt2020", "-colorspace", "bt2020nc"]
    films.ffmpeg(*films.bars(1), *deep, *hdr, tmp_path / "hdr.mkv")
    with pytest.raises(MediaError, match="high dynamic range"):
        burn(tmp_path / "hdr.mkv", tmp_path / "pale.mp4")
    assert not (tmp_path / "pale.mp4").exists()


def test_what_cannot_be_written_says_so_and_leaves_nothing_behind(tmp_path: Path) -> None:
    film = films.whole(tmp_path / "a.mp4", seconds=2)

    def stop(_at: Ms, _length: Ms | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        burn(film, tmp_path / "b.mp4", progress=stop)
    os.mkfifo(tmp_path / "pipe.mp4")
    for out, says in (
        ("a.mp4", "at once"),
        ("b.flv", "ending"),
        ("nowhere/b.mp4", "cannot be written"),
        ("pipe.mp4", "it is a device or a pipe"),
    ):
        with pytest.raises(MediaError, match=says):
            burn(film, tmp_path / out)
        with pytest.raises(MediaError, match=says):
            media.mux(film, tmp_path / out, [TextTrack((CUE,), "pl")], say=print)
    films.ffmpeg(*films.beeps(1), tmp_path / "radio.mp3")
    with pytest.raises(MediaError, match="no picture"):
        burn(tmp_path / "radio.mp3", tmp_path / "b.mp4")
    assert {path.name for path in tmp_path.iterdir()} == {"a.mp4", "chapters.ffmeta", "pipe.mp4", "radio.mp3"}
    assert (tmp_path / "pipe.mp4").is_fifo()


@pytest.mark.parametrize("name", ["b.mp4", "b.mkv"])
def test_tracks_are_added_to_those_that_are_there(tmp_path: Path, name: str) -> None:
    film = films.whole(tmp_path / films.ODD_NAME)
    first = tmp_path / f"first-{name}"
    media.mux(film, first, [TextTrack((CUE,), "pl", "Polski, „napisy”", default=True), TextTrack((), "en")], say=print)
    media.mux(first, tmp_path / name, [TextTrack((CUE,), "lt", "Lietuviškai", default=True, sdh=True)], say=print)
    after = media.film(tmp_path / name)
    assert [(text.language, text.title, text.default, text.sdh) for text in after.texts] == [
        ("pl", "Polski, „napisy”", False, False),
        ("lt", "Lietuviškai", True, True),
    ]
    assert [chapter.title for chapter in after.chapters] == ["Początek", "Pabaiga"]
    assert len(after.sounds) == 1
    with av.open(str(tmp_path / name)) as container:
        stream = container.streams.subtitles[1]
        packets = [(p.pts, p.duration, bytes(p)) for p in container.demux(stream) if p.pts is not None]
        times = [
            (round(float(at * (stream.time_base or 0)) * 1000), text)
            for at, _long, text in packets
            if b"fechtuotojo" in text
        ]
    assert len(times) == 1
    assert abs(times[0][0] - 1000) <= 50
    assert "Zażółć gęślą jaźń".encode() in times[0][1]


def test_what_a_browser_does_not_play_is_made_into_what_it_does(tmp_path: Path) -> None:
    assert not media.playable(films.delayed(tmp_path / "a.mkv")).whole
    media.proxy(tmp_path / "a.mkv", tmp_path / "b.mp4", say=print)
    assert media.playable(tmp_path / "b.mp4").whole
    assert near(beeps(heard(tmp_path / "b.mp4")), [1500, 2500, 3500], within=25)
    assert [at for at, _picture in pictures(tmp_path / "b.mp4")][:3] == [0, 40, 80]


def test_a_sound_that_leaps_by_minutes_takes_no_more_memory(tmp_path: Path) -> None:
    tracemalloc.start()
    with (
        av.open(str(films.delayed(tmp_path / "a.mkv"))) as film,
        av.open(str(tmp_path / "b.mp4"), "w") as out,
    ):
        recoder = Recoder(out, film.streams.audio[0], 96, "stereo")
        packets = [packet for packet in film.demux(film.streams.audio[0]) if packet.pts is not None]
        for packet in packets[len(packets) // 2 :]:
            packet.pts = packet.dts = (packet.pts or 0) + round(600 / packet.time_base)
        tracemalloc.reset_peak()
        for packet in packets:
            out.mux(list(recoder.packets(packet, Fraction(0))))
        out.mux(list(recoder.rest()))
        peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000
    with av.open(str(tmp_path / "b.mp4")) as made:
        assert (made.duration or 0) > 600_000_000


def test_peaks_are_where_it_beeps(tmp_path: Path) -> None:
    found = media.peaks(films.delayed(tmp_path / "a.mp4"), per_second=50)
    assert found.dtype == np.int8
    assert not found[:72].any()
    assert found[78, 0] < -30
    assert found[78, 1] > 30
    assert abs(len(found) / 50 - 4.5) < 0.1


def test_shots_begin_at_the_cuts(tmp_path: Path) -> None:
    films.ffmpeg(
        "-f", "lavfi", "-i", "color=navy:s=160x90:r=25:d=1.6",
        "-f", "lavfi", "-i", "testsrc=s=160x90:r=25:d=2",
        "-f", "lavfi", "-i", "color=white:s=160x90:r=25:d=1",
        "-filter_complex", "[0][1][2]concat=n=3", *films.QUICK, tmp_path / "cuts.mp4",
    )  # fmt: skip
    told: list[int] = []
    assert media.shots(tmp_path / "cuts.mp4", lambda at, _length: told.append(at)) == (1600, 3600)
    assert told[-1] == 4600


def test_shots_of_a_film_with_known_cuts(shared: Path) -> None:
    found = media.shots(shared / "data" / "film" / "bbb_480p_30s.mp4")
    assert found == (11_875, 15_750, 23_042)


def test_fields_become_whole_pictures_and_pixels_square(tmp_path: Path) -> None:
    films.ffmpeg(
        *films.bars(2, size="180x144", rate=50), "-vf", "interlace,setsar=16/15",
        "-c:v", "mpeg2video", "-flags", "+ilme+ildct", "-q:v", "4", tmp_path / "dvd.mpg",
    )  # fmt: skip
    before = media.film(tmp_path / "dvd.mpg").picture
    assert before is not None
    assert (before.width, before.steady) == (180, True)
    burn(tmp_path / "dvd.mpg", tmp_path / "out.mp4")
    after = media.film(tmp_path / "out.mp4").picture
    assert after is not None
    assert (after.width, after.height, after.rate) == (192, 144, 25.0)
    assert after.shape == 1
    shown = pictures(tmp_path / "out.mp4")
    assert [at for at, _picture in shown[:3]] == [0, 40, 80]
    assert next(at for at, picture in shown if subtitled(picture)) == 1000


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk on which 64 kB are free."""
    place = tmp_path / "full"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here ({made.stderr.strip()}): a full disk is not tried")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_a_film_that_found_no_room_for_its_end_is_not_called_made(tmp_path: Path, full_disk: Path, ending: str) -> None:
    film = films.whole(tmp_path / f"film{ending}", 6)
    assert film.stat().st_size > 64_000
    with pytest.raises(MediaError, match="the disk is full"):
        media.mux(film, full_disk / f"out{ending}", [TextTrack((CUE,), "pl")], say=print)
    assert not list(full_disk.iterdir())
