"""What may be believed of a guess."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import example, given
from hypothesis import strategies as st

from studio.speech._settle import (
    Piece,
    agreed,
    average,
    continues,
    cut_copy,
    cut_echo,
    cut_loop,
    flat,
    pieces,
    plain,
    shown,
)
from studio.spoken import Word
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Sequence

VOCABULARY = [" dzień", " dobry", " pań", "stwu", ",", ".", " -", " 50", "%", " nie"]


def read(tokens: Sequence[int]) -> str:
    return "".join(VOCABULARY[token] for token in tokens)


def said(text: str) -> list[Piece]:
    return [Piece(word, (hash(word) & 0xFFFF,)) for word in text.split()]


def text(words: list[Piece]) -> str:
    return " ".join(word.text for word in words)


def test_tokens_are_parted_where_a_word_opens() -> None:
    words = pieces([0, 1, 4, 2, 3, 5], read, lambda token: VOCABULARY[token].startswith(" "))
    assert [word.text for word in words] == ["dzień", "dobry,", "państwu."]
    assert [word.plain for word in words] == ["dzień", "dobry", "państwu"]
    assert words[2].tokens == (2, 3, 5)
    assert words[2].ends_sentence
    assert not words[0].ends_sentence


def test_a_guess_may_begin_inside_a_word() -> None:
    assert [word.text for word in pieces([3, 1], read, lambda token: VOCABULARY[token].startswith(" "))] == [
        "stwu",
        "dobry",
    ]


def test_a_dash_is_not_said_but_a_sign_is() -> None:
    assert [Piece(word, ()).said for word in ("-", "...", "%", "§", "tak")] == [False, False, True, True, True]


def test_plain_words_have_no_case_and_no_punctuation() -> None:
    assert plain("„Ósmego,") == "ósmego"
    assert plain("O\u0301smego") == "ósmego"


def test_two_passes_agree_up_to_the_first_other_word() -> None:
    assert agreed(said("dzień dobry państwo"), said("Dzień dobry, państwu jest")) == 2


def test_the_last_word_of_the_later_pass_is_never_believed() -> None:
    assert agreed(said("dzień dobry"), said("dzień dobry")) == 1
    assert agreed(said("dzień dobry"), said("dzień dobry państwu")) == 2
    assert agreed([], said("dzień")) == 0


def test_a_loop_keeps_one_copy() -> None:
    assert cut_loop([1, 2, 3, 2, 3, 2, 3, 9]) == [1, 2, 3]
    assert cut_loop([1, 2, 3, 2, 3]) == [1, 2, 3, 2, 3]


def test_four_words_said_before_are_a_copy() -> None:
    before = said("witamy w domu kultury w Sejnach")
    assert text(cut_copy(before, said("dziś witamy w domu kultury"))) == "dziś"


def test_words_that_repeat_what_stands_directly_before_are_a_copy() -> None:
    assert text(cut_copy(said("bo to jest"), said("to jest"))) == ""
    assert text(cut_copy([], said("i tak dalej i tak dalej"))) == "i tak dalej"


def test_what_is_repeated_and_gone_on_from_was_said() -> None:
    said_twice = said("mass hysteria, mass hysteria, what do they think")
    assert cut_copy([], said_twice) == said_twice
    assert cut_copy(said_twice[:2], said_twice[2:]) == said_twice[2:]


def timed(text: str, *starts: int) -> list[Word]:
    return [
        Word(word, Ms(start), Ms(end))
        for word, start, end in zip(text.split(), starts, [*starts[1:], starts[-1] + 100], strict=True)
    ]


def test_a_sentence_with_no_time_of_its_own_is_written_once() -> None:
    once = (64, 390, 610, 750, 970, 1150)
    twice = timed("Welcome to the House of Culture. " * 2, *once, 1250, 1290, 1330, 1370, 1410, 1450)
    assert cut_echo(twice) == [*twice[:5], Word("Culture.", Ms(1150), Ms(1550))]
    early = timed("welcome to the house " * 2, 0, 20, 40, 60, 80, 500, 800, 1000)
    assert cut_echo(early) == [Word("welcome", Ms(0), Ms(500)), *early[5:]]


def test_what_is_sung_or_said_twice_has_its_time_and_stays() -> None:
    for said_twice in (
        timed("I have a dream " * 2, 0, 200, 300, 400, 900, 1000, 1100, 1150),
        timed("no no no no no no", 0, 150, 300, 450, 600, 750),
        timed("tak tak", 0, 20),
    ):
        assert cut_echo(said_twice) == said_twice


def test_one_unlikely_word_counts_more_than_a_certain_one() -> None:
    assert round(average([0.04, 1.0]), 3) == 0.2
    assert average([]) == 0.0


def test_one_word_may_come_twice() -> None:
    assert text(cut_copy(said("bardzo"), said("bardzo dobrze"))) == "bardzo dobrze"


def test_what_follows_the_doubted_words() -> None:
    again = said("Dzień dobry, państwu")
    rest = continues(said("dzień dobry"), again)
    assert rest is not None
    assert text(rest) == "państwu"
    assert continues(said("dobry"), again) is None
    assert continues([], again) == again


def test_the_last_word_of_a_guess_is_hidden() -> None:
    assert shown(said("dzień - dobry pań")) == "dzień dobry"
    assert shown([]) == ""


a_word = st.sampled_from(["tak", "nie", "a", "i", "o", "lecz", "dom"])
words = st.lists(a_word.map(lambda word: Piece(word, (ord(word[0]),))))


@given(words, words)
def test_what_is_cut_is_always_a_beginning(before: list[Piece], guess: list[Piece]) -> None:
    kept = cut_copy(before, guess)
    assert kept == guess[: len(kept)]
    tokens = flat(guess)
    assert cut_loop(tokens) == tokens[: len(cut_loop(tokens))]


@given(words, words)
def test_agreement_is_a_common_beginning(previous: list[Piece], guess: list[Piece]) -> None:
    count = agreed(previous, guess)
    assert count <= max(0, len(guess) - 1)
    assert [word.plain for word in previous[:count]] == [word.plain for word in guess[:count]]


@given(st.lists(st.integers(0, 3), max_size=60))
@example([1, 0, 1, 0, 1, 0, 0, 0])
def test_nothing_stays_three_times_in_a_row(tokens: list[int]) -> None:
    kept = cut_loop(tokens)
    for size in range(1, 13):
        for at in range(len(kept) - 3 * size + 1):
            run = kept[at : at + size]
            assert not run == kept[at + size : at + 2 * size] == kept[at + 2 * size : at + 3 * size]
