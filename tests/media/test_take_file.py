"""The files of takes: what is in them, and what is left of them when nobody closed them."""

from __future__ import annotations

import errno
import resource
import struct
import xml.etree.ElementTree as ET
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
import soundfile

from studio.errors import MediaError
from studio.media import TakeNotes, repair_take, write_take
from studio.media._takes import wav
from studio.media._takes.writer import TakeWriter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

RATE = 48_000
AT = datetime(2026, 11, 27, 18, 30, 0, 500_000, timezone(timedelta(hours=1)))
NOTES = TakeNotes(7, AT, "Próba chóru", "Kołysanka", ["Ola", "", "Jonė, Ela"])
TRACKS = ["sopran", "alt", "tenor"]


def sound(frames: int, channels: int = 3) -> NDArray[np.int32]:
    numbers = np.random.default_rng(frames).integers(-(1 << 23), 1 << 23, (frames, channels))
    return (numbers << 8).astype(np.int32)


def read(path: Path) -> NDArray[np.int32]:
    found, rate = soundfile.read(path, dtype="int32", always_2d=True)
    assert rate == RATE
    return np.asarray(found)


def chunks(path: Path) -> dict[bytes, bytes]:
    data, place, found = path.read_bytes(), 12, {}
    while place < len(data):
        name, size = struct.unpack_from("<4sI", data, place)
        found[name] = data[place + 8 : place + 8 + size]
        place += 8 + size + size % 2
    return found


@pytest.mark.parametrize("form", ["wav", "flac"])
def test_what_was_heard_is_in_the_file_to_the_bit(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"007.{form}"
    take = write_take(path, RATE, TRACKS, NOTES)
    first, second = sound(1001), sound(70_000)
    take.write(first)
    take.silence(1234)
    take.write(second)
    assert take.frames == 72_235
    take.close()
    take.close()
    assert (read(path) == np.concatenate([first, np.zeros((1234, 3), np.int32), second])).all()
    with pytest.raises(MediaError, match="it is there already"):
        write_take(path, RATE, TRACKS, NOTES)


@pytest.mark.parametrize("channels", [1, 2, 18, 32])
def test_any_number_of_channels_and_rate_is_plain_wave_to_ffmpeg(tmp_path: Path, channels: int) -> None:
    take = write_take(tmp_path / "1.wav", 96_000, [f"track {n}" for n in range(channels)], NOTES)
    written = sound(4801, channels)
    take.write(written)
    take.close()
    with av.open(str(tmp_path / "1.wav")) as file:
        stream = file.streams.audio[0]
        assert (stream.rate, stream.channels, stream.codec_context.name) == (96_000, channels, "pcm_s24le")
        decoded = np.concatenate([frame.to_ndarray().reshape(-1, channels) for frame in file.decode(stream)])
    assert (decoded == written).all()


def test_the_head_says_when_and_who(tmp_path: Path) -> None:
    path = tmp_path / "7.wav"
    write_take(path, RATE, TRACKS, NOTES).close()
    found = chunks(path)
    bext = wav._BEXT.unpack(found[b"bext"][: wav._BEXT.size])
    assert [field.rstrip(b"\0").decode() for field in bext[:5]] == [
        "Próba chóru / Kołysanka / take 7", "studio", "studio 20261127183000 007", "2026-11-27", "18:30:00",
    ]  # fmt: skip
    midnight = ((18 * 60 + 30) * 60) * RATE + RATE // 2
    assert bext[5:7] == (midnight, 2)
    assert found[b"bext"][wav._BEXT.size :].strip() == b"A=PCM,F=48000,W=24,M=multi,T=studio"
    told = ET.fromstring(found[b"iXML"])  # noqa: S314 - we wrote it
    assert [told.findtext(name) for name in ("PROJECT", "SCENE", "TAKE")] == ["Próba chóru", "Kołysanka", "7"]
    assert told.findtext("SPEED/TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO") == str(midnight % (1 << 32))
    tracks = [(track.findtext("NAME"), track.findtext("FUNCTION")) for track in told.findall("TRACK_LIST/TRACK")]
    assert tracks == [("sopran", "Ola"), ("alt", ""), ("tenor", "Jonė, Ela")]
    with av.open(str(path)) as file:
        assert file.metadata["time_reference"] == str(midnight)


def test_flac_says_when_and_who(tmp_path: Path) -> None:
    take = write_take(tmp_path / "7.flac", RATE, TRACKS, NOTES)
    take.write(sound(5000))
    take.close()
    with av.open(str(tmp_path / "7.flac")) as file:
        said = {name.upper(): word for name, word in file.metadata.items()}
    assert (said["TITLE"], said["ALBUM"], said["ARTIST"]) == ("Kołysanka", "Próba chóru", "Ola, Jonė, Ela")
    assert (said["TRACK1"], said["TRACK3"]) == ("sopran", "tenor")
    with pytest.raises(MediaError, match="FLAC holds 8 tracks and 9 are armed"):
        write_take(tmp_path / "9.flac", RATE, ["x"] * 9, NOTES)


def test_a_file_beyond_4_gb_is_rf64(tmp_path: Path) -> None:
    head = wav.head(RATE, ["x"] * 18, NOTES)
    frames = (5 << 30) // (18 * wav.BYTES)
    grown = wav.sized(head, frames * 18 * wav.BYTES, frames)
    assert len(grown) == len(head)
    assert grown[:4] == b"RF64"
    assert grown[12:16] == b"ds64"
    path = tmp_path / "large.wav"
    with path.open("wb") as file:
        file.write(grown)
        file.truncate(len(head) + frames * 18 * wav.BYTES)  # a hole: it takes no room
    assert soundfile.info(path).frames == frames
    assert repair_take(path).frames == frames


@pytest.mark.parametrize("form", ["wav", "flac"])
@pytest.mark.parametrize("torn", [0, 1, 4321])
def test_a_file_that_nobody_closed_is_whole_but_for_its_end(tmp_path: Path, form: str, torn: int) -> None:
    whole = tmp_path / f"whole.{form}"
    take = write_take(whole, RATE, TRACKS, NOTES)
    written = sound(RATE * 2)
    for begin in range(0, len(written), 1024):
        take.write(written[begin : begin + 1024])
    path = tmp_path / f"killed.{form}"
    data = whole.read_bytes()
    path.write_bytes(data[: len(data) - torn])
    if form == "wav":  # what is there can be played before anybody mends it
        assert len(read(path)) > RATE
    found = repair_take(path)
    assert (found.rate, found.channels) == (RATE, 3)
    assert len(written) - found.frames <= 0.2 * RATE
    assert (read(path)[: found.frames] == written[: found.frames]).all()
    assert soundfile.info(path).frames == found.frames
    assert repair_take(path) == found
    take.close()


class Watched(TakeWriter):
    """Remembers how the file stood after each write."""

    def __init__(self, path: Path) -> None:
        self.moments: list[bytes] = []
        super().__init__(path, RATE, TRACKS, NOTES)

    def _all(self, data: bytes, place: int) -> None:
        super()._all(data, place)
        self.moments.append(self.path.read_bytes())


def rows(block: NDArray[np.int32]) -> set[bytes]:
    return {row.tobytes() for row in block}


@pytest.mark.parametrize("missing", [700, 3000])
def test_what_is_kept_outlives_a_kill_at_every_moment_and_is_written_where_it_belongs(
    tmp_path: Path, missing: int
) -> None:
    take = Watched(tmp_path / "1.wav")
    known, kept = sound(5000), sound(5120)
    before, piece, after = kept[:1024], kept[1024:2048], kept[2048:]
    take.write(known)
    for begin in range(0, len(kept), 1024):
        take.keep(kept[begin : begin + 1024])
    assert (take.frames, soundfile.info(take.path).frames) == (5000, 5000)
    begun = len(take.moments) - 1
    take.write(before)
    take.silence(missing + len(piece), len(piece))
    take.write(after[:2000])
    take.write(after[2000:])
    path = tmp_path / "killed.wav"
    for moment in take.moments[begun:]:
        path.write_bytes(moment)
        assert repair_take(path).frames >= len(known) + len(kept)
        found = read(path)
        assert (found[: len(known)] == known).all()
        assert rows(before) | rows(after) <= rows(found)
    take.close()
    silence = np.zeros((missing + len(piece), 3), np.int32)
    assert (read(take.path) == np.concatenate([known, before, silence, after])).all()


def test_what_is_kept_and_not_wanted_is_not_in_the_file(tmp_path: Path) -> None:
    take = write_take(tmp_path / "1.wav", RATE, TRACKS, NOTES)
    take.write(sound(999))
    take.keep(sound(2000))
    take.close()
    assert len(read(tmp_path / "1.wav")) == repair_take(tmp_path / "1.wav").frames == take.frames == 999


def test_what_is_no_take_is_refused(tmp_path: Path) -> None:
    for name, data in (("a.wav", b""), ("b.wav", b"RIFF" + bytes(60)), ("c.flac", b"fLaC")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(MediaError, match="is no take"):
            repair_take(tmp_path / name)
    with pytest.raises(MediaError, match="there is no such file"):
        repair_take(tmp_path / "nobody.wav")
    with pytest.raises(MediaError, match="there is no such file or folder"):
        write_take(tmp_path / "no" / "1.wav", RATE, TRACKS, NOTES)


@pytest.fixture
def small_disk() -> Iterator[int]:
    """Files end at a megabyte, as on a disk that is full."""
    most = 1 << 20
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    yield most
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_takes_no_more_leaves_a_valid_file(tmp_path: Path, small_disk: int) -> None:
    path = tmp_path / "1.wav"
    take = write_take(path, RATE, TRACKS, NOTES)
    written = sound(small_disk // 9)

    def write_all() -> None:
        for begin in range(0, len(written), 1024):
            take.write(written[begin : begin + 1024])

    with pytest.raises(MediaError) as refused:
        write_all()
    assert str(refused.value).startswith(f"{path} cannot be written: ")
    assert isinstance(refused.value.__cause__, OSError)
    assert refused.value.__cause__.errno == errno.EFBIG
    take.close()
    found = read(path)
    assert len(found) == take.frames > (small_disk // 9) - 3000
    assert (found == written[: len(found)]).all()
