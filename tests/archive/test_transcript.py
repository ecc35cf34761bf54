"""A film as a text to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import docx
import odfdo
import pytest

from studio.archive import Document, FilmCue, save_transcript, transcript
from studio.errors import ArchiveError, SubtitlesError
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path


def cue(id_: int, start: int, text: str, speaker: str | None = None) -> FilmCue:
    return FilmCue(id_, Ms(start), Ms(start + 1000), (text,), speaker=speaker)


TALK = transcript(
    "Zebranie <1>",
    Document(
        "pl",
        "polish",
        (
            cue(1, 0, "Dzień dobry,", "Ewa"),
            cue(2, 1500, "witam\x00państwa.", "Ewa"),
            cue(3, 8000, "Zaczynamy.", "Ewa"),
            cue(4, 3_600_000, "A & B < C?", "Jan"),
        ),
    ),
)
PLAIN = """\
Zebranie <1>
============

[00:00:00] Ewa: Dzień dobry, witam państwa.

[00:00:08] Zaczynamy.

[01:00:00] Jan: A & B < C?
"""


def test_a_plain_text_has_times_and_speakers(tmp_path: Path) -> None:
    save_transcript(TALK, tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text("utf-8") == PLAIN


def test_a_page_is_escaped(tmp_path: Path) -> None:
    save_transcript(TALK, tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text("utf-8")
    assert "<h1>Zebranie &lt;1&gt;</h1>" in page
    assert '<p id="t3600000"><time>01:00:00</time><b>Jan:</b> A &amp; B &lt; C?</p>' in page


def test_word_reads_it(tmp_path: Path) -> None:
    save_transcript(TALK, tmp_path / "a.docx")
    file = docx.Document(str(tmp_path / "a.docx"))
    assert file.core_properties.title == "Zebranie <1>"
    assert [paragraph.text for paragraph in file.paragraphs] == [
        "Zebranie <1>",
        "00:00:00\tEwa: Dzień dobry, witam państwa.",
        "00:00:08\tZaczynamy.",
        "01:00:00\tJan: A & B < C?",
    ]


def test_libreoffice_reads_it(tmp_path: Path) -> None:
    save_transcript(TALK, tmp_path / "a.odt")
    file = odfdo.Document(tmp_path / "a.odt")
    assert file.meta.title == "Zebranie <1>"
    assert [header.inner_text for header in file.body.headers] == ["Zebranie <1>"]
    assert [paragraph.inner_text for paragraph in file.body.paragraphs] == [
        "00:00:00\tEwa: Dzień dobry, witam państwa.",
        "00:00:08\tZaczynamy.",
        "01:00:00\tJan: A & B < C?",
    ]


def test_who_goes_on_for_long_gets_paragraphs() -> None:
    cues = tuple(cue(number, number * 1000, "To jest jedno ze zdań tej długiej mowy.") for number in range(60))
    assert [len(each.text) for each in transcript("", Document("pl", "", cues)).paragraphs] == [639, 639, 639, 479]


def test_what_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"\.txt, \.html, \.docx, \.odt"):
        save_transcript(TALK, tmp_path / "a.pages")
    with pytest.raises(SubtitlesError, match="cannot be written"):
        save_transcript(TALK, tmp_path / "nowhere" / "a.txt")
