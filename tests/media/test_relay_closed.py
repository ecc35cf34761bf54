from __future__ import annotations

import re
import subprocess
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.media.relay_bench import QUICK, Stage, left_out, make_clip, see, segments

from studio.events import ShowCue
from studio.media._air.closed import ClosedCaptions
from studio.media._air.encode import PictureEncoder
from studio.media._air.picture import black
from studio.media._ground.clock import Ticks
from studio.media._ground.coded import Coded
from studio.media._ground.cues import CueBoard
from studio.spoken import Cue
from studio.subtitles import read
from studio.units import Ms
from studio.wire.cea608 import EXTENDED, SPECIAL

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from studio.media import RelayPlan

CUES = [
    Cue(1, Ms(800), Ms(2200), ("Dzień dobry",)),
    Cue(2, Ms(2200), Ms(3600), ("Größe, café, mañana", "i żółć")),
    Cue(3, Ms(4480), Ms(5320), ("Ąžuolas",)),
]
SAID = ["Dzien dobry", "Größe, café, mañana i zólc", "Azuolas"]


def closed_captions(file: Path) -> list[Cue]:
    """Read what ffmpeg's own decoder finds in the pictures of `file`."""
    track = file.with_suffix(".608.srt")
    source = f"movie={file}[out0+subcc]"
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-map", "s", str(track)],
        check=True,
        timeout=60,
    )
    return list(read(track).cues)


def plain(cue: Cue) -> str:
    """Its text, without the spaces that place it."""
    return " ".join(cue.text.replace("\\h", " ").replace("\u00a0", " ").split())


def decoded(file: Path) -> int:
    """Decode every picture of `file` and return how many there are; ffmpeg must find no fault."""
    found = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", str(file), "-map", "0:v", "-f", "framemd5", "-"],
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert found.stderr == ""
    return len([line for line in found.stdout.splitlines() if not line.startswith("#")])


def write(path: Path, pictures: list[Coded]) -> Path:
    """Write coded pictures one after the other, in 25 a second."""
    bare = path.with_suffix(".h264")
    bare.write_bytes(b"".join(picture.data for picture in pictures))
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-y", "-r", "25", "-i", str(bare), "-c", "copy", str(path)],
        check=True,
        timeout=60,
    )
    return path


def encoded(board: CueBoard, seconds: float) -> tuple[list[Coded], list[Coded]]:
    """Encode black pictures; return them as they are, and with captions."""
    encoder = PictureEncoder(QUICK, black(320, 180), 25)
    pictures: list[Coded] = []
    for number in range(round(seconds * 25)):
        pictures += encoder.encode(black(320, 180), Ticks(number * 3600))
    pictures += encoder.flush()
    return pictures, ClosedCaptions(board).add(pictures)


def test_every_letter_is_read_back_from_a_coded_picture(tmp_path: Path) -> None:
    letters = [letter for letter in [*SPECIAL, *EXTENDED] if letter.isalpha()]
    board, cues = CueBoard(), []
    for number in range(0, len(letters), 8):
        start = 2000 + number * 500
        cues.append(Cue(number + 1, Ms(start), Ms(start + 3900), ("".join(letters[number : number + 8]),)))
        board.show(cues[-1])
    pictures, captioned = encoded(board, cues[-1].end / 1000 + 1)
    assert len(captioned) == len(pictures)
    file = write(tmp_path / "letters.ts", captioned)
    assert decoded(file) == len(pictures)
    found = closed_captions(file)
    assert "".join(plain(cue) for cue in found) == "".join(letters)


def test_a_cue_that_came_late_is_as_late_in_the_pictures() -> None:
    board = CueBoard()
    closed = ClosedCaptions(board)
    board.air(Ms(1960))
    board.show(Cue(1, Ms(1000), Ms(4000), ("Hello",)))
    for number in range(50, 75):
        closed.add([Coded("picture", Ticks(number * 3600), key=False, data=b"\0\0\1\x41", duration=Ticks(3600))])
    assert closed.late == 1360  # nine pairs from 2000 on


async def closed_beside_burned(clip: Path, stage: Stage) -> None:
    relay = await stage.relays.start(f"file:{clip}", hold=Ms(2500), cea608=True)
    relay.show(*CUES)
    assert await relay.ended() == 0
    await stage.over.wait()
    folder = relay.plan.folder
    recording = folder / "recording.mp4"
    assert decoded(recording) == len(see(recording).times) == 150 - relay.report.dropped
    found = closed_captions(recording)
    assert [plain(cue) for cue in found] == SAID
    for cue, right in zip(found, CUES, strict=True):
        assert cue.start == pytest.approx(right.start, abs=100 + left_out(relay) * 1000)
        assert cue.end == pytest.approx(right.end, abs=100 + left_out(relay) * 1000)

    master = (folder / "hls" / "master.m3u8").read_text(encoding="utf-8")
    assert 'TYPE=CLOSED-CAPTIONS,GROUP-ID="closed",NAME="Polski",LANGUAGE="pl"' in master
    assert ',SUBTITLES="captions",CLOSED-CAPTIONS="closed"' in master
    hls, whole = folder / "hls", folder / "hls.ts"
    whole.write_bytes(b"".join((hls / name).read_bytes() for name in segments(hls / "index.m3u8")))
    assert [plain(cue) for cue in closed_captions(whole)] == SAID

    picture, webvtt, cea608 = relay.report.sinks
    assert (picture.name, picture.state, picture.late) == ("picture", "off", 0)
    assert (webvtt.name, webvtt.state, webvtt.late) == ("webvtt", "off", 0)
    assert (cea608.name, cea608.state, cea608.late) == ("cea608", "off", 0)
    assert cea608.detail == ("CEA-608 has no Ą, ć, ł, ń, ż, ž; plain letters stand in their place (so far: 6).")


async def not_wished(clip: Path, stage: Stage) -> None:
    relay = await stage.relays.start(f"file:{clip}", seconds=3.0)
    await relay.until(lambda: relay.aired > 20)
    assert [(sink.name, sink.state, sink.late) for sink in relay.report.sinks] == [
        ("picture", "online", None),
        ("webvtt", "online", None),
    ]
    relay.show(Cue(1, Ms(0), Ms(2500), ("Za późno",)))
    assert await relay.ended() == 0
    await stage.over.wait()
    assert closed_captions_are_none(relay.plan)
    late = relay.report.sinks[0].late
    assert late is not None
    assert late >= 800


def closed_captions_are_none(plan: RelayPlan) -> bool:
    recording = (plan.folder / "recording.mp4").read_bytes()
    master = (plan.folder / "hls" / "master.m3u8").read_text(encoding="utf-8")
    return b"GA94" not in recording and "CLOSED-CAPTIONS" not in master


async def translation(clip: Path, stage: Stage) -> None:
    relay = await stage.relays.start(f"file:{clip}", seconds=4.4, translate=True, hold=Ms(1500))
    relay.show(*CUES)
    english = [Cue(1, Ms(1200), Ms(2800), ("Good morning",)), Cue(2, Ms(3000), Ms(4000), ("Oak",))]
    gone = Cue(3, Ms(3500), Ms(4200), ("nobody said that",))
    for cue in (*english, gone, Cue(3, gone.start, gone.end, ())):
        relay.line.send(ShowCue(cue, "en"))
    assert await relay.ended() == 0
    await stage.over.wait()
    hls = relay.plan.folder / "hls"
    master = (hls / "master.m3u8").read_text(encoding="utf-8")
    assert re.findall(r'TYPE=SUBTITLES,GROUP-ID="captions",NAME="(\w+)",LANGUAGE="(\w+)".*URI="(.*)"', master) == [
        ("Polski", "pl", "captions.m3u8"),
        ("English", "en", "captions.en.m3u8"),
    ]
    assert segments(hls / "captions.en.m3u8") == ["seg-00000.en.vtt", "seg-00001.en.vtt", "seg-00002.en.vtt"]
    texts = [(hls / name).read_text(encoding="utf-8") for name in segments(hls / "captions.en.m3u8")]
    assert ["Good morning" in text for text in texts] == [True, True, False]
    assert ["Oak" in text for text in texts] == [False, True, False]
    assert not any("nobody" in text or "dobry" in text for text in texts)
    theirs = [(hls / name).read_text(encoding="utf-8") for name in segments(hls / "captions.m3u8")]
    for text, other in zip(texts, theirs, strict=True):
        assert text.split("\n\n")[0] == other.split("\n\n")[0]  # the same map
    assert not any("Good" in text for text in theirs)
    assert relay.report.cues == 2  # of the picture alone: the third is behind the end


async def corrected(tmp_path: Path, stage: Stage) -> None:
    silent = make_clip(tmp_path / "clip.mp4", seconds=4)
    relay = await stage.relays.start(f"file:{silent}", hold=Ms(2000), cea608=True)
    relay.show(Cue(1, Ms(1600), Ms(2600), ("wajna",)), Cue(2, Ms(2800), Ms(3600), ("nikt tego nie rzekl",)))
    relay.show(Cue(1, Ms(1600), Ms(2600), ("Wajda",)), Cue(2, Ms(2800), Ms(3600), ()))
    assert await relay.ended() == 0
    await stage.over.wait()
    found = closed_captions(relay.plan.folder / "recording.mp4")
    assert [plain(cue) for cue in found] == ["Wajda"]
    seen = see(relay.plan.folder / "recording.mp4")
    assert seen.captioned == [1600 <= round(at * 1000) < 2600 for at in seen.times]
    written = "".join(path.read_text(encoding="utf-8") for path in (relay.plan.folder / "hls").glob("*.vtt"))
    assert "Wajda" in written
    assert "wajna" not in written
    assert "nikt" not in written


async def test_a_film_carries_closed_captions_at_the_time_of_its_burned_ones_and_only_where_it_is_wished(
    together: Callable[..., Awaitable[None]], clip: Path
) -> None:
    await together(partial(closed_beside_burned, clip), partial(not_wished, clip))


async def test_a_translation_is_a_second_rendition_and_what_is_corrected_before_it_airs_is_so_everywhere(
    together: Callable[..., Awaitable[None]], clip: Path, tmp_path: Path
) -> None:
    await together(partial(translation, clip), partial(corrected, tmp_path))
