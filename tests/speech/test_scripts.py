"""In Polish nothing is written in Chinese: which tokens may be said where letters are Latin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from studio.sound import SPEECH_RATE
from studio.speech._scripts import LATIN, foreign
from studio.speech._whisper import Whisper
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def whisper(base: Path) -> Whisper:
    return Whisper(base, threads=1, compute="int8")


def barred(whisper: Whisper, text: str) -> list[bool]:
    """Of each token of `text`, whether it may not be said."""
    unwritten = set(whisper._unwritten("pl"))
    return [token in unwritten for token in whisper._model.hf_tokenizer.encode(text, add_special_tokens=False).ids]


@pytest.mark.parametrize(
    "text",
    [
        "Zażółć gęślą jaźń, KTÓŻ TO ŹDŹBŁO „NIÓSŁ”?",
        "Ąžuolas, čia ėjo ąčęėįšųūž – ĄČĘĖĮŠŲŪŽ …",  # noqa: RUF001 - as it is written
        "Curaçao, Ærø, Þór, Győr, naïve, Straße, Tiếng Việt, Ștefan",
        "«ça» ‘so’ — №5, 20 €, ½ 5° 3 µm 1ª 2º ™ ♪ 😀",  # noqa: RUF001 - as it is written
    ],
)
def test_what_is_written_in_latin_letters_may_be_said(whisper: Whisper, text: str) -> None:
    assert not any(barred(whisper, text))


@pytest.mark.parametrize(
    "text", ["Привет", "你好世界", "ありがとう", "감사합니다", "γεια", "שלום", "مرحبا", "สวัสดี", "नमस्ते", "、。"]
)
def test_no_letter_of_another_script_can_begin(whisper: Whisper, text: str) -> None:
    told = barred(whisper, text)
    assert told[0]
    decode = whisper._model.hf_tokenizer.decode
    tokens = whisper._model.hf_tokenizer.encode(text, add_special_tokens=False).ids
    assert not any(sign in text for sign in decode([token for token, bar in zip(tokens, told, strict=True) if not bar]))


def test_only_where_letters_are_latin(whisper: Whisper) -> None:
    assert {"pl", "lt", "en", "de"} <= LATIN
    assert len(whisper._unwritten("ru")) == 1, "what the model itself wants unsaid"
    assert whisper._unwritten("ru", "translate") is whisper._unwritten("en"), "a translation is English, made once"


def test_a_token_is_looked_at_byte_by_byte() -> None:
    # U+00E4 U+00BD U+0142 stand for the bytes E4 BD A0, in which 你 is written; U+00C5 U+0124 for C5 82, ł.
    assert foreign(enumerate(["abc", "ä", "ä½", "ä½ł", "½", "Å", "ÅĤ", "Ġä½łÅĤ", "<|pl|>"])) == [1, 2, 3, 7]


def test_whatever_is_heard_is_written_in_latin_letters(whisper: Whisper) -> None:
    noise = np.random.default_rng(2).normal(0, 0.05, 4 * SPEECH_RATE).astype(np.float32)
    batch = whisper.encode_all([noise, noise[::-1]], Ms(1200))
    said = "".join(piece.text for guess in whisper.follow_all(batch, "lt", 2) for piece in guess.words)
    assert not any(sign > "\u024f" and sign.isalpha() for sign in said)
