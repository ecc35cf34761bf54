from __future__ import annotations

import json
import shutil
import subprocess
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.media.relay_bench import Stage, left_out, see

from studio.media import recover, whole_recording
from studio.media._leave.marks import Marks, marks_of
from studio.spoken import Cue
from studio.subtitles import Track, read, save
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

SPOKEN = (
    Cue(1, Ms(500), Ms(1200), ("Dobry wieczór", "Państwu")),
    Cue(2, Ms(1200), Ms(1800), ("„Zaczynamy”, mówi",)),
    Cue(3, Ms(2400), Ms(3000), ("Ąžuolas, żółw & źdźbło",)),
)
ENGLISH = (Cue(1, Ms(500), Ms(1800), ("Good evening",)),)


def caption(folder: Path, epoch: int) -> None:
    """Write captions as a recogniser does, for the show that `epoch` tells of."""
    save(Track(SPOKEN), folder / "captions.srt")
    save(Track(ENGLISH), folder / "captions.en.srt")
    (folder / "captions.words.jsonl").write_text(json.dumps({"epoch": epoch}) + "\n")


def test_captions_are_of_the_show_that_goes_on_after_a_reboot(tmp_path: Path) -> None:
    (tmp_path / "clock.json").write_text(json.dumps({"epoch": 9, "show": 5, "boot": "another", "wall": 1}))
    for began, tracks in ((5, 2), (9, 0)):
        caption(tmp_path, began)
        assert len(marks_of(tmp_path, "pl", aired=False).tracks) == tracks


def test_a_word_that_is_called_as_a_mark_of_the_journal_is_a_word(tmp_path: Path) -> None:
    (tmp_path / "clock.json").write_text(json.dumps({"epoch": 9, "show": 5, "boot": "another", "wall": 1}))
    caption(tmp_path, 5)
    with (tmp_path / "captions.words.jsonl").open("a") as journal:
        journal.write(json.dumps({"id": 1, "text": "epoch", "start": 500, "end": 1200}) + "\n")
    assert len(marks_of(tmp_path, "pl", aired=False).tracks) == 2


def shown(whole: Path, track: int) -> tuple[Cue, ...]:
    """The captions of a file, as ffmpeg reads them."""
    text = whole.with_name("seen.srt")
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(whole), "-map", f"0:s:{track}", str(text)], check=True
    )
    return read(text).cues


def told(whole: Path) -> dict[str, object]:
    asked = ["ffprobe", "-v", "error", "-show_chapters", "-show_streams", "-of", "json", str(whole)]
    found: dict[str, object] = json.loads(subprocess.run(asked, check=True, capture_output=True).stdout)
    return found


async def tracks_and_chapters(clip: Path, stage: Stage) -> None:
    relay = await stage.relays.start(f"file:{clip}")
    await relay.until(lambda: relay.aired >= 90)
    caption(relay.plan.folder, relay.epoch)
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    whole = relay.plan.folder / "recording.mp4"
    assert [cue.lines for cue in shown(whole, 0)] == [cue.lines for cue in SPOKEN]
    assert [(cue.start, cue.end) for cue in shown(whole, 0)] == [(cue.start, cue.end) for cue in SPOKEN]
    assert [cue.lines for cue in shown(whole, 1)] == [("Good evening",)]
    found = json.dumps(told(whole), ensure_ascii=False)
    assert '"language": "pol"' in found
    assert '"language": "eng"' in found
    assert '"title": "Dobry wieczór Państwu"' in found
    assert see(whole).flashes == pytest.approx([1.0, 3.0][: len(see(whole).flashes)], abs=0.02 + left_out(relay))


async def of_another_show(clip: Path, stage: Stage) -> None:
    relay = await stage.relays.start(f"file:{clip}")
    await relay.until(lambda: relay.aired >= 20)
    caption(relay.plan.folder, relay.epoch - 1)
    await relay.kill()
    await stage.over.wait()
    whole = recover(relay.plan.folder)
    assert whole is not None
    assert '"subtitle"' not in json.dumps(told(whole))


async def cut_off(clip: Path, tmp_path: Path, stage: Stage) -> None:
    relay = await stage.relays.start(f"file:{clip}")
    await relay.until(lambda: relay.aired >= 60)
    await relay.kill()
    await stage.over.wait()
    caption(relay.plan.folder, relay.epoch)
    other = shutil.copytree(relay.plan.folder, tmp_path / "other", ignore=shutil.ignore_patterns("*.sock"))
    whole = recover(relay.plan.folder)
    assert whole is not None
    assert shown(whole, 0)[0].lines == SPOKEN[0].lines

    film = recover(other, form="mkv", language="pl")
    assert film == other / "recording.mkv"
    assert whole_recording(other) == film
    assert shown(film, 0)[:2] == SPOKEN[:2]
    assert shown(film, 0) == shown(whole, 0)
    assert shown(film, 1) == shown(whole, 1) == ENGLISH
    streams = told(film)["streams"]
    assert isinstance(streams, list)
    kinds = [(stream["codec_name"], stream["tags"].get("language")) for stream in streams]
    assert kinds == [("h264", None), ("aac", None), ("subrip", "pol"), ("subrip", "eng")]
    assert '"title": "Dobry wieczór Państwu"' in json.dumps(told(film), ensure_ascii=False)
    assert see(film).times == pytest.approx(see(whole).times, abs=0.001)
    assert see(film).end == pytest.approx(see(whole).end, abs=0.001)


async def test_captions_become_tracks_and_chapters_of_the_recording_in_either_form_but_those_of_another_show(
    together: Callable[..., Awaitable[None]], clip: Path, tmp_path: Path
) -> None:
    await together(partial(tracks_and_chapters, clip), partial(of_another_show, clip), partial(cut_off, clip, tmp_path))


def test_a_chapter_begins_after_a_pause_and_has_its_first_words() -> None:
    minute = 60_000
    cues = (
        Cue(1, Ms(4000), Ms(6000), ("Dobry wieczór",)),
        Cue(2, Ms(2 * minute), Ms(2 * minute + 2000), ("Za wcześnie na nowy rozdział",)),
        Cue(3, Ms(6 * minute), Ms(6 * minute + 2000), ("Pierwszy gość",)),
        Cue(4, Ms(6 * minute + 2000), Ms(6 * minute + 4000), ("mówi dalej",)),
        Cue(5, Ms(12 * minute), Ms(12 * minute + 2000), ("Drugi gość, " + "który ma bardzo długie nazwisko " * 3,)),
    )
    chapters = Marks((("pl", cues),)).chapters()
    assert [(one["start"], one["end"], one["metadata"]["title"]) for one in chapters] == [
        (0, 6 * minute, "Dobry wieczór"),
        (6 * minute, 12 * minute, "Pierwszy gość"),
        (12 * minute, 12 * minute + 2000, "Drugi gość, który ma bardzo długie nazwisko który ma…"),
    ]
    steady = tuple(Cue(n + 1, Ms(n * 2000), Ms(n * 2000 + 2000), (f"{n}",)) for n in range(900))
    assert [one["start"] for one in Marks((("", steady),)).chapters()] == [0, 15 * minute]


def test_captions_make_no_file_longer() -> None:
    marks = Marks((("pl", SPOKEN), ("en", ENGLISH))).within(Ms(1500))
    assert marks.tracks[0][1] == (SPOKEN[0], Cue(2, Ms(1200), Ms(1500), SPOKEN[1].lines))
    assert marks.tracks[1][1][0].end == 1500
    assert marks.chapters()[-1]["end"] == 1500
    assert Marks((("pl", SPOKEN),)).within(Ms(0)) == Marks()


def test_where_nobody_spoke_there_are_no_marks(tmp_path: Path) -> None:
    assert marks_of(tmp_path, aired=True) == Marks()
    assert Marks().chapters() == []
