"""The report of a film: one file, without anything beside it, that says what to look at."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from studio import subtitles
from studio.archive import Account, Document, FilmCue, report, save_report
from studio.spoken import Word
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path

RULES = subtitles.profile("polish", "pl")


def cue(number: int, start: int, end: int, *lines: str, confidence: float = 0.9, by: str = "machine") -> FilmCue:
    words = [Word(word, Ms(start), Ms(end), confidence) for line in lines for word in line.split()]
    return FilmCue(number, Ms(start), Ms(end), lines, tuple(words), by)  # type: ignore[arg-type]  # one of its words


def document(*cues: FilmCue) -> Document:
    return Document("pl", "polish", cues)


ACCOUNT = Account(
    "Wieczór <o> poezji",
    "wieczór & noc.mp4",
    Ms(1_500_000),
    "base-int8",
    accepted_by="Ola Kowalska",
    voiced=((Ms(0), Ms(4000)), (Ms(700_000), Ms(704_000))),
    rejected=((Ms(60_000), Ms(63_500)),),
    again=((Ms(700_000), Ms(702_000)),),
    languages=((Ms(0), Ms(4000), "pl"), (Ms(700_000), Ms(704_000), "en")),
    said=("The film was cut off: it ends at 00:25:00.",),
)


def test_everything_that_somebody_should_look_at_stands_in_it_with_its_time() -> None:
    text = report(
        ACCOUNT,
        document(
            cue(1, 0, 3000, "Dzień dobry państwu."),
            cue(2, 700_000, 701_000, "To jest o wiele za szybko,", "żeby ktoś to przeczytał.", confidence=0.3),
        ),
        RULES,
    )
    assert "wieczór &amp; noc.mp4" in text
    assert "Wieczór &lt;o&gt; poezji" in text
    assert "Ola Kowalska" in text
    assert "The film was cut off" in text
    for heading in (
        "Too fast to read: 1",
        "Doubtful words: 10",
        "Quiet stretches without subtitles: 1",
        "Decoded again: 1",
    ):
        assert heading in text, heading
    assert "00:11:40.000" in text
    assert re.search(r"00:01:00\.000</td><td>3\.5 s", text)
    assert text.count("<svg") == 3, "a strip for each ten minutes"


def test_it_needs_nothing_and_runs_nothing() -> None:
    text = report(ACCOUNT, document(cue(1, 0, 3000, "<script>alert(1)</script>")), RULES)
    assert not re.search(r"<script|src=|href=|url\(|http:|https:", text.replace("&lt;script", ""))
    assert "&lt;script&gt;" in text


def test_a_film_without_a_word_has_a_report_too(tmp_path: Path) -> None:
    file = tmp_path / "cisza.html"
    save_report(file, Account("Cisza"), document(), RULES)
    assert "Every cue keeps to the profile." in file.read_text("utf-8")
    assert list(tmp_path.iterdir()) == [file]


def test_what_a_person_wrote_is_no_doubtful_word() -> None:
    text = report(Account("Film"), document(cue(1, 0, 3000, "Zażółć.", confidence=0.1, by="person")), RULES)
    assert "Doubtful words" not in text
    assert "<dt>Cues by a person</dt><dd>1</dd>" in text


def test_of_thousands_of_findings_the_first_are_listed_and_the_rest_counted() -> None:
    many = [cue(n + 1, n * 3000, n * 3000 + 900, "Za szybko, żeby ktoś to przeczytał.") for n in range(1000)]
    text = report(Account("Długi"), document(*many), RULES)
    assert "Too fast to read: 1000" in text
    assert "and 600 more" in text
