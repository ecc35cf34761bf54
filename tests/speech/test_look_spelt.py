"""What the second look spells letter by letter is weighed as one word."""

from __future__ import annotations

import pytest

from studio.speech._look import Seen, _as_words, _unspelt
from studio.speech._settle import Piece
from studio.spoken import Word
from studio.units import Ms


def said(*words: tuple[str, float], begin: int = 0) -> list[Word]:
    """Words one after the other, each 200 ms long, with how sure they are."""
    return [
        Word(text, Ms(begin + 200 * at), Ms(begin + 200 * at + 200), confidence)
        for at, (text, confidence) in enumerate(words)
    ]


def seen(*words: tuple[str, float]) -> list[Seen]:
    return [Seen(Piece(word.text, ()), word) for word in said(*words)]


def test_letters_that_are_spelt_are_one_word() -> None:
    look = seen(("M.", 0.2), ("A.", 0.9), ("R.", 0.9), ("K.", 0.9), ("Poświęconym", 0.8), ("i", 0.9), ("w", 0.9))
    assert [len(row) for row in _as_words(look)] == [4, 1, 1, 1]


SPELT = (("A.", 0.3), ("K.", 0.5), ("W.", 0.5), ("W.", 0.5))


@pytest.mark.parametrize(
    ("first", "kept"),
    [
        ((("archiwom", 0.6), ("filmowym", 0.7)), ["archiwom", "filmowym"]),
        ((("archiwom", 0.1), ("filmowym", 0.2)), ["A.", "K.", "W.", "W."]),
        ((("A", 0.9), ("K", 0.9)), ["A.", "K.", "W.", "W."]),
        ((), ["A.", "K.", "W.", "W."]),
    ],
    ids=["surer", "less sure", "spelt, too", "nothing"],
)
def test_a_better_guess_of_the_first_pass_stays(first: tuple[tuple[str, float], ...], kept: list[str]) -> None:
    look = seen(("ul.", 0.9), *SPELT, ("Wilno", 0.9))
    found = _unspelt(look, said(*first, begin=250))
    assert [one.word.text for one in found] == ["ul.", *kept, "Wilno"]
