"""The library with thousands of films in it: how long it takes to open, to list, to search and to save.

The films are made up: words of syllables, as frequent as words are (Zipf), in cues as subtitles have them. So the most
frequent word stands in one cue in three, and the questions are of every frequency.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from bisect import bisect
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from studio.archive import Document, FilmCue, open_library
from studio.spoken import Word
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable

FILMS, MINUTES = 2000, 90
CUE = 4000
"""Milliseconds from one cue to the next: 1350 in 90 minutes."""
VOCABULARY = 40_000
RARE, RARELY = "lt", 100
"""One film in so many is in this language."""
TIMES = 15
"""Each figure is the median of so many."""
OPENS, FINDS = 300, 100
"""Milliseconds that are asked for: the first page of films, and the first page of what was found."""
_SYLLABLES = (
    *("ba", "ce", "chło", "do", "dzie", "fa", "gó", "ja", "ką", "kło", "le", "łu", "mi", "na", "nię", "o", "pó"),
    *("ra", "rze", "sa", "ście", "szy", "ta", "tu", "wa", "wie", "wy", "za", "zna", "żół"),
)
_OPEN = """
import sys, time
begun = time.perf_counter()
from pathlib import Path
from studio.archive import open_library
with open_library(Path(sys.argv[1])) as library:
    opened = time.perf_counter()
    films = library.films(most=50)
    total = library.count()
assert len(films) == min(50, total)
print(1000 * (time.perf_counter() - begun), 1000 * (time.perf_counter() - opened))
"""


class Talk:
    """Somebody who says the same nonsense each time."""

    def __init__(self, seed: int = 7) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - no secret
        made: dict[str, None] = {}
        while len(made) < VOCABULARY:
            made["".join(self._chance.choices(_SYLLABLES, k=self._chance.choice((1, 2, 2, 3, 3, 4))))] = None
        self.words = sorted(made, key=len)
        """The most frequent first."""
        self._weights = list(accumulate(1 / (rank + 2.7) for rank in range(VOCABULARY)))

    def line(self) -> str:
        """Five or six words."""
        count, most = self._chance.randint(4, 7), self._weights[-1]
        return " ".join(self.words[bisect(self._weights, self._chance.random() * most)] for _ in range(count))

    def document(self, minutes: int) -> Document:
        """A film's subtitles, with the words that were heard."""
        cues = []
        for id_ in range(1, minutes * 60_000 // CUE + 1):
            start = id_ * CUE - CUE
            lines = (self.line(), self.line())
            said = " ".join(lines).split()
            each = 3500 // len(said)
            words = tuple(
                Word(word, Ms(start + at * each), Ms(start + at * each + each), self._chance.randint(40, 99) / 100)
                for at, word in enumerate(said)
            )
            cues.append(FilmCue(id_, Ms(start), Ms(start + 3500), lines, words))
        return Document("pl", "polish", tuple(cues))


def fill(path: Path, films: int, minutes: int, progress: Callable[[int], None] = lambda _done: None) -> Talk:
    """Make a library of so many films; the same one each time. One that is begun is gone on with."""
    talk = Talk()
    with open_library(path) as library:
        for number in range(1, films + 1):
            title = f"{talk.line()} {number}".capitalize()
            language = RARE if number % RARELY == 0 else "pl"
            document = replace(talk.document(minutes), language=language)
            path = Path(f"/films/{number // 100:02}/{title}.mp4")
            film = library.add(path, fingerprint=str(number), language=language)
            if not film.heads:
                library.texts.save(film.id, None, document, "benchmark", "recognised")
                library.set_state(film.id, "done")
            progress(number)
    return talk


def measure(path: Path, talk: Talk) -> dict[str, float]:
    """Milliseconds of everything that somebody waits for."""
    figures: dict[str, float] = {}
    cold = [subprocess.run([sys.executable, "-c", _OPEN, str(path)], capture_output=True, check=True) for _ in range(7)]
    told = [tuple(map(float, each.stdout.split())) for each in cold]
    figures["open, a new process, imports and all"] = statistics.median(each[0] for each in told)
    figures["first page of a new process"] = statistics.median(each[1] for each in told)

    def opened() -> None:
        with open_library(path) as library:
            library.films(most=50)
            library.count()

    figures["open and first page"] = _median(opened)
    with open_library(path) as library:
        total = library.count()
        figures["a page in the midst"] = _median(lambda: library.films(first=total // 2, most=50))
        figures["films by a part of the title"] = _median(lambda: library.films(asked="zolzol", most=50))
        words = talk.words
        questions = {
            "search, most frequent word": words[0],
            "search, a frequent word": words[300],
            "search, a rare word": words[-1],
            "search, no such word": "qqqqq",
            "search, two frequent words": f"{words[0]} {words[1]}",
            "search, frequent and rare": f"{words[0]} {words[-1]}",
            "search, two rare words": f"{words[-1]} {words[-2]}",
            "search, phrase": f'"{words[0]} {words[1]}"',
            "search, phrase of three": f'"{words[0]} {words[1]} {words[2]}"',
            "search, beginning of one letter": "z*",
            "search, beginning of three": f"{words[-1][:3]}*",
            "search, beginning of six": f"{words[-1][:6]}*",
            "search, one but not another": f"{words[5]} -{words[0]}",
        }
        for what, asked in questions.items():
            figures[what] = _median(lambda asked=asked: library.search(asked, most=50))  # type: ignore[misc]
        figures["search in a rare language"] = _median(lambda: library.search(words[0], language=RARE, most=50))
        figures["search in a frequent language"] = _median(lambda: library.search(words[0], language="pl", most=50))
        first = library.search(words[0], most=50)
        assert first.next is not None  # noqa: S101 - it stands in one cue in three
        after = first.next
        figures["search, second page"] = _median(lambda: library.search(words[0], after=after, most=50))
        film = library.films(most=1, first=total // 2)[0]
        figures["search in one film"] = _median(lambda: library.search(words[0], film=film.id, most=50))
        figures["a film's subtitles"] = _median(lambda: library.texts.document(film.id))
        now = library.texts.document(film.id)

        def save() -> None:
            nonlocal now
            cue = replace(now.cues[100], lines=(talk.line(),), by="person")
            now = replace(now, cues=(*now.cues[:100], cue, *now.cues[101:]))
            library.texts.save(film.id, library.texts.head(film.id).number, now, "benchmark")

        figures["save an edit of one cue"] = _median(save)
    return figures


def _median(what: Callable[[], object]) -> float:
    spent = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        what()
        spent.append(1000 * (time.perf_counter() - begun))
    return statistics.median(spent)


def run(films: int = FILMS, minutes: int = MINUTES, at: Path | None = None, out: Path | None = None) -> bool:
    """Make the library (at `at`, where it stays; else aside), measure, print; return whether what is asked is met."""
    with tempfile.TemporaryDirectory() as aside:
        path = at or Path(aside) / "films.db"
        begun = time.perf_counter()

        def said(done: int) -> None:
            if done % 100 == 0:
                print(f"{done} films, {time.perf_counter() - begun:.0f} s", file=sys.stderr)

        talk = fill(path, films, minutes, said)
        figures = measure(path, talk)
        size = path.stat().st_size / 1e6
    print(f"{films} films of {minutes} minutes, {films * minutes * 60_000 // CUE} cues, {size:.0f} MB")
    met = True
    for what, spent in figures.items():
        most = FINDS if what.startswith("search") else OPENS if what == "open and first page" else None
        verdict = "" if most is None else f"  (at most {most}: {'met' if spent <= most else 'NOT MET'})"
        met = met and (most is None or spent <= most)
        print(f"{what:40} {spent:8.1f} ms{verdict}")
    if out is not None:
        out.write_text(json.dumps({"films": films, "minutes": minutes, "megabytes": size, "ms": figures}, indent=2))
    return met
