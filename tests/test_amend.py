"""A glossary is added to, and what people wrote in it stays."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from studio.catalogue import amended
from studio.errors import DrawerError

if TYPE_CHECKING:
    from pathlib import Path

GLOSSARY = dedent("""\
    # Our own names. Ask Ewa before you change them.
    name: "Nasz dom"
    language: pl
    entries:
      - write: Żółwińska  # the director
        heard: [żółwinska]
      # people of the band
      - write: Kowalski
    """)


def test_comments_and_quotes_stay(tmp_path: Path) -> None:
    file = tmp_path / "dom.yaml"
    file.write_text(GLOSSARY, "utf-8")
    now = amended(file, lambda said: said["entries"].append({"write": "Lipy", "heard": ["lwy"]}))
    assert now == GLOSSARY + "  - write: Lipy\n    heard:\n      - lwy\n"
    assert file.read_text("utf-8") == GLOSSARY


def test_what_is_no_yaml_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: [", "utf-8")
    with pytest.raises(DrawerError, match="not YAML"):
        amended(tmp_path / "a.yaml", lambda _said: None)
