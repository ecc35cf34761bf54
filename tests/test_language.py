from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from studio.language import decimal, speak

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    """Whatever is spoken in a test."""
    yield
    speak("en")


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "-11.5 3 +0.25"), ("pl", "-11,5 3 +0,25"), ("lt", "-11,5 3 +0,25"), ("de", "-11.5 3 +0.25")],
)
def test_numbers_have_the_comma_of_the_language(language: str, said: str) -> None:
    speak(language)
    assert " ".join((decimal(-11.5), decimal(3.0), decimal(0.25, "+.2f"))) == said
