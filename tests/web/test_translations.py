"""Everything that people see is there in Polish and Lithuanian."""

from __future__ import annotations

import json
import re
from functools import cache
from string import Formatter
from typing import TYPE_CHECKING, Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from studio import language
from studio.web._pages import STATIC

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from babel.messages.catalog import Catalog, Message

KEYWORDS = {"_": None, "t": None, "plural": (1, 2)}
LANGUAGES = ("pl", "lt")


@pytest.fixture(scope="module")
def seen(root: Path) -> dict[str | tuple[str, ...], str]:
    """Every sentence that people see, and the file it stands in."""
    with (root / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]  # Babel types the rest
    found = extract_from_dir(
        root / "src" / "studio",
        methods,
        options,
        keywords=KEYWORDS,
        directory_filter=lambda folder: not folder.endswith("__pycache__"),  # Babel leaves out what begins with _
    )
    return {message: file for file, _line, message, _comments, _context in found}


@cache
def catalogue(code: str) -> Catalog:
    with (language.LOCALE / code / "LC_MESSAGES" / "studio.po").open("rb") as file:
        return read_po(file, locale=code)


def texts(given: Any) -> tuple[str, ...]:  # noqa: ANN401 - Babel's id and string are a text, or several
    return tuple(given) if isinstance(given, list | tuple) else (given,)


def translated(code: str) -> Iterator[Message]:
    return (message for message in catalogue(code) if message.id)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_sentence_is_translated(seen: dict[str | tuple[str, ...], str], code: str) -> None:
    known = catalogue(code)
    missing = []
    for sentence, file in seen.items():
        message = known.get(texts(sentence)[0])
        if message is None or message.fuzzy or not all(texts(message.string)):
            missing.append(f"{file}: {sentence}")
    assert not missing, "run scripts/translate and write these by hand:\n" + "\n".join(missing)


@pytest.mark.parametrize("code", LANGUAGES)
def test_translations_have_the_same_gaps_as_their_sentences(code: str) -> None:
    def gaps(text: str) -> set[str]:
        return {name for _text, name, _format, _conversion in Formatter().parse(text) if name is not None}

    for message in translated(code):
        wanted = set().union(*(gaps(text) for text in texts(message.id)))
        for text in texts(message.string):
            assert not text or gaps(text) == wanted, message.id


@pytest.mark.parametrize("code", LANGUAGES)
def test_translations_end_as_their_sentences_do(code: str) -> None:
    for message in translated(code):
        for text in texts(message.string):
            same = [bool(re.search(r"[.?!]$", part)) for part in (texts(message.id)[0], text)]
            assert not text or same[0] == same[1], message.id
            assert text == text.strip(), message.id


def test_every_word_of_the_pages_is_found(seen: dict[str | tuple[str, ...], str]) -> None:
    """Babel must see into templates within templates."""
    for module in STATIC.glob("*.js"):
        for sentence in re.findall(r'\bt\(\s*"([^"]+)"', module.read_text(encoding="utf-8")):
            assert sentence in seen, f"{module.name}: {sentence}"


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_build_compiled_what_python_and_the_pages_read(code: str) -> None:
    words = json.loads((language.LOCALE / code / "web.json").read_text(encoding="utf-8"))
    known = catalogue(code)
    assert words["Scenes"] == known["Scenes"].string
    assert all(words.values())
    try:
        language.speak(code)
        assert language.spoken() == code
        assert language._("There is no command {name}.") == known["There is no command {name}."].string
        forms = [language.plural("{n} frame dropped", "{n} frames dropped", count) for count in (1, 2, 10)]
        assert len(set(forms)) == 3
    finally:
        language.speak("en")
    assert language._("Scenes") == "Scenes"
