"""What nobody heard is filled in from the recording; all else stays."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from studio import media
from studio.captions import plan_repair, read_kept, repair
from studio.captions._repair import _sound
from studio.catalogue import Catalogue
from studio.spoken import Word
from studio.subtitles import Corrections, Term, Track, put_right, read, rules_for, save
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

LENGTH = Ms(20_000)
SAID = [Word(f"word{second}", Ms(second * 1000), Ms(second * 1000 + 600)) for second in range(20)]


def ears(sound: NDArray[np.float32], start: Ms, told: Callable[[Ms, Ms], None] | None) -> list[Word]:
    """Hear a word each second, as far as the sound goes."""
    end = start + len(sound) * 1000 // 16_000
    if told:
        told(Ms(end - start), Ms(end - start))
    return [word for word in SAID if start <= word.start and word.end <= end]


@pytest.fixture
def show(tmp_path: Path) -> Path:
    """A recording of twenty seconds."""
    soundfile.write(tmp_path / "recording.wav", np.zeros(20 * 16_000, np.float32), 16_000)
    return tmp_path


def keep(folder: Path, cues: list[tuple[str, list[Word]]], *others: dict[str, int]) -> None:
    """Write the journals of a show that heard only `cues`, each with how it reads."""
    words = [{"text": w.text, "start": w.start, "end": w.end, "settled": w.end} for _text, said in cues for w in said]
    lines = [json.dumps(entry) for entry in (*words, *others)]
    (folder / "captions.words.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    entries = [
        {"number": n, "start": said[0].start, "end": said[-1].end, "lines": [text], "words": len(said)}
        for n, (text, said) in enumerate(cues, 1)
    ]
    (folder / "captions.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")


def fill(folder: Path) -> list[tuple[int, int, int]]:
    plan = plan_repair(folder, LENGTH)
    filled = repair(
        plan, folder / "recording.wav", ears, rules_for(Catalogue(), "en"),
        say=lambda _said: None, progress=lambda _done, _all: None,
    )  # fmt: skip
    return [(one.start, one.end, one.words) for one in filled]


def text(folder: Path) -> list[str]:
    return [word for cue in read(folder / "captions.srt").cues for word in cue.text.split()]


def test_a_gap_is_filled_and_the_other_cues_keep_their_words(show: Path) -> None:
    keep(
        show,
        [("CORRECTED by hand now", SAID[0:4]), ("word10 word11", SAID[10:12])],
        {"gap_start": 4000, "gap_end": 9900},
        {"heard": 20_000},
    )
    assert fill(show) == [(4000, 9900, 6)]
    assert text(show) == ["CORRECTED", "by", "hand", "now", *(f"word{n}" for n in range(4, 12))]
    cues = read_kept(show).cues
    assert [cue.number for cue in cues] == list(range(1, len(cues) + 1))
    assert all(before.end <= after.start for before, after in pairwise(cues))


def test_the_second_time_there_is_nothing_to_do(show: Path) -> None:
    keep(show, [("word0", SAID[:1])], {"gap_start": 4000, "gap_end": 9900}, {"heard": 20_000})
    fill(show)
    after = {path.name: path.read_bytes() for path in show.iterdir()}
    assert plan_repair(show, LENGTH).unheard == ()
    assert {path.name: path.read_bytes() for path in show.iterdir()} == after


def test_a_mark_of_what_was_skipped_goes_when_it_is_known(show: Path) -> None:
    skipped = Word("[…]", Ms(2000), Ms(4900))
    keep(show, [("word0 word1 […] word5", [*SAID[:2], skipped, SAID[5]])], {"heard": 20_000})
    assert fill(show) == [(2000, 4900, 3)]
    assert text(show) == [f"word{n}" for n in range(6)]


def test_what_was_skipped_is_filled_also_where_a_person_struck_the_mark(show: Path) -> None:
    skipped = Word("[…]", Ms(2000), Ms(4900))
    keep(show, [("word0 word1", [*SAID[:2], skipped])], {"heard": 20_000})
    struck = [{"id": 2, "text": "", "by": "person", "read": "[…]", "start": 2000, "end": 4900}]
    with (show / "captions.words.jsonl").open("a", encoding="utf-8") as journal:
        journal.write(json.dumps({"edit": {"id": 2, "text": ""}, "revised": struck, "at": 5000}) + "\n")
    assert fill(show) == [(2000, 4900, 3)]


def test_what_this_recording_does_not_hold_stays_to_be_filled(show: Path) -> None:
    keep(show, [("word0 […]", SAID[:1])], {"gap_start": 4000, "gap_end": 9900}, {"heard": 20_000})
    soundfile.write(show / "recording.wav", np.zeros(3 * 16_000, np.float32), 16_000)
    before = {path.name: path.read_bytes() for path in show.iterdir()}
    said: list[str] = []
    plan = plan_repair(show, LENGTH)
    assert not repair(
        plan, show / "recording.wav", ears, rules_for(Catalogue(), "en"), say=said.append, progress=lambda *_at: None
    )
    assert said == [
        "recording.wav has no sound from 00:00:04 to 00:00:09; if the show has another recording, name that one."
    ]
    assert {path.name: path.read_bytes() for path in show.iterdir()} == before


def test_a_missing_end_is_made(show: Path) -> None:
    keep(show, [("word0 word1 word2", SAID[:3])])
    assert [(start, end) for start, end, _words in fill(show)] == [(2600, 20_000)]
    assert text(show) == [f"word{n}" for n in range(20)]


def test_a_recording_without_captions_gets_them(show: Path) -> None:
    assert fill(show) == [(0, 20_000, 20)]
    assert text(show) == [f"word{n}" for n in range(20)]
    assert (show / "captions.vtt").read_text("utf-8").startswith("WEBVTT\n\n1\n")


def test_what_a_person_put_right_in_the_subtitle_file_stays(show: Path) -> None:
    keep(
        show,
        [("word0 word1", SAID[:2]), ("word10 word11", SAID[10:12])],
        {"gap_start": 4000, "gap_end": 9900},
        {"heard": 20_000},
    )
    cues = read_kept(show).cues
    save(Track((cues[0], type(cues[1])(2, cues[1].start, cues[1].end, ("By hand",)))), show / "captions.srt")
    fill(show)
    assert text(show)[-2:] == ["By", "hand"]


def test_what_is_filled_in_is_put_right() -> None:
    corrector = Corrections((Term("Kowalski", ("koval ski",)),)).corrector()
    heard = [
        Word(text, Ms(at), Ms(at + 400)) for at, text in ((0, "oto"), (500, "koval"), (1000, "ski,"), (1500, "aktor"))
    ]
    assert put_right(heard, corrector) == [
        heard[0],
        Word("Kowalski,", Ms(500), Ms(1400)),
        heard[3],
    ]


def test_what_was_there_before_is_kept(show: Path) -> None:
    keep(show, [("word0", SAID[:1])], {"gap_start": 4000, "gap_end": 9900}, {"heard": 20_000})
    before = (show / "captions.jsonl").read_bytes()
    fill(show)
    assert (show / "captions.before-repair-1.jsonl").read_bytes() == before
    assert (
        (show / "captions.words.jsonl")
        .read_text("utf-8")
        .startswith((show / "captions.before-repair-1.words.jsonl").read_text("utf-8"))
    )


def test_a_repair_that_was_cut_off_while_it_moved_its_files_is_ended(show: Path) -> None:
    keep(show, [("word0", SAID[:1])], {"gap_start": 4000, "gap_end": 9900}, {"heard": 20_000})
    fill(show)
    ready = show / ".captions.repaired"
    ready.mkdir()
    for name in ("captions.words.jsonl", "captions.srt"):
        (show / name).rename(ready / name)
    assert plan_repair(show, LENGTH).unheard == ()
    assert not ready.exists()
    assert text(show)[0] == "word0"


def test_what_was_revised_and_what_a_person_edited_stays_as_it_reads_now(show: Path) -> None:
    keep(show, [("word0 word1", SAID[:2]), ("word10 word11", SAID[10:12])], {"heard": 20_000})
    read_now = [{"id": 1, "text": "SECOND", "by": "person", "read": "word1", "start": 1000, "end": 1600}]
    struck = [{"id": 2, "text": "", "by": "person", "read": "word10", "start": 10_000, "end": 10_600}]
    lines = [
        {"edit": {"word": 1, "text": "SECOND"}, "revised": read_now, "at": 2000},
        {"edit": {"word": 2, "text": ""}, "revised": struck, "at": 11_000},
        {"gap_start": 4000, "gap_end": 9900},
    ]
    with (show / "captions.words.jsonl").open("a", encoding="utf-8") as journal:
        journal.writelines(json.dumps(line) + "\n" for line in lines)
    cues = [
        {"number": 1, "start": 0, "end": 1600, "lines": ["word0 SECOND"], "words": 2, "ids": [0, 1]},
        {"number": 2, "start": 10_000, "end": 11_600, "lines": ["word11"], "words": 1, "ids": [2, 3]},
    ]
    with (show / "captions.jsonl").open("a", encoding="utf-8") as journal:
        journal.writelines(json.dumps(cue) + "\n" for cue in cues)
    (show / "captions.en.srt").write_text("1\n00:00:00,000 --> 00:00:01,600\nenglish\n\n", encoding="utf-8")
    english = (show / "captions.en.srt").read_bytes()
    assert fill(show) == [(4000, 9900, 6)]
    assert text(show) == ["word0", "SECOND", *(f"word{n}" for n in range(4, 10)), "word11"]
    assert (show / "captions.en.srt").read_bytes() == english
    assert plan_repair(show, LENGTH).unheard == ()
    assert [cue.text.split() for cue in read_kept(show).cues] == [
        cue.text.split() for cue in read(show / "captions.srt").cues
    ]


def test_a_struck_word_beside_what_is_filled_in_does_not_come_back(show: Path) -> None:
    keep(show, [("word3", SAID[3:4])], {"heard": 20_000})
    struck = [{"id": 0, "text": "", "by": "person", "read": "word3", "start": 3000, "end": 3600}]
    with (show / "captions.words.jsonl").open("a", encoding="utf-8") as journal:
        journal.write(json.dumps({"edit": {"word": 0, "text": ""}, "revised": struck, "at": 4000}) + "\n")
        journal.write(json.dumps({"gap_start": 3200, "gap_end": 9900}) + "\n")
    with (show / "captions.jsonl").open("a", encoding="utf-8") as journal:
        journal.write(json.dumps({"number": 1, "start": 3000, "end": 3600, "lines": [], "words": 0, "ids": [0]}) + "\n")
    fill(show)
    assert text(show) == [f"word{n}" for n in range(4, 10)]


def test_a_recording_whose_hold_was_changed_is_heard_where_its_words_are(tmp_path: Path) -> None:
    time = media.air_time(tmp_path / "recording.mp4")
    time.change(Ms(5000), Ms(8000))  # the show stands for 5 s
    time.change(Ms(2000), Ms(20_000))  # and 3 s of it are left out
    seconds = [*range(8), *[0] * 5, *range(8, 15), *range(18, 24)]
    levels = np.repeat(np.array(seconds, np.float32) / 100, 16_000)
    soundfile.write(tmp_path / "recording.wav", levels, 16_000)
    sound, first = _sound(tmp_path / "recording.wav", Ms(5000), Ms(20_000), lambda _said: None)
    heard = {at: round(float(sound[(at * 1000 + 500 - first) * 16]) * 100) for at in range(5, 20)}
    assert heard == {at: 0 if 15 <= at < 18 else at for at in range(5, 20)}
