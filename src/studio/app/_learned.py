"""Glossaries of what people put right in films: one for each language, among the house's own files."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from studio.catalogue import Catalogue, amended, user_folder
from studio.errors import SubtitlesError, why
from studio.language import _
from studio.subtitles import Entry, Glossary, write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from studio.archive import Suggestion

DRAWER = "subtitles/glossaries"
SPOKEN = ("pl", "lt", "en")
"""Languages that a glossary may be of; for others it is for any."""


def _put(said: dict[str, Any], entry: Entry) -> None:
    """Write `entry` into what a glossary says, in the place where it stands or at the end."""
    heard = list(entry.heard)
    known = next((each for each in said["entries"] if each["write"] == entry.write), None)
    if known is None:
        said["entries"].append({"write": entry.write, "heard": heard})
    else:
        known["heard"] = heard


class Learned:
    """What was learned so far, in files that people may edit."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` is that of the drawers of the house; `None`: where the user's are."""
        self._folder = folder or user_folder()
        self._writing = threading.Lock()

    def name(self, language: str) -> str:
        """Of the glossary, as `--glossary` takes it."""
        return f"learned-{self._language(language)}"

    def entries(self, language: str) -> tuple[Entry, ...]:
        """What the glossary says now. Raises DrawerError where somebody broke it."""
        if not self._file(language).exists():
            return ()
        return Catalogue(self._folder).load(DRAWER, self.name(language), Glossary).entries

    def unknown(self, suggestions: Sequence[Suggestion]) -> tuple[Suggestion, ...]:
        """Those of `suggestions` that are not written so already."""
        known = {
            language: {(entry.write, heard.casefold()) for entry in self.entries(language) for heard in entry.heard}
            for language in {each.language for each in suggestions}
        }
        return tuple(each for each in suggestions if (each.write, each.heard.casefold()) not in known[each.language])

    def learn(self, language: str, write: str, heard: Sequence[str]) -> Path:
        """Write `write` in place of what was `heard` from now on; return the file. Raises StudioError."""
        with self._writing:
            return self._learn(language, write, heard)

    def _learn(self, language: str, write: str, heard: Sequence[str]) -> Path:
        entries = {entry.write: entry for entry in self.entries(language)}
        before = entries.get(write, Entry(write))
        both = tuple(dict.fromkeys((*before.heard, *heard)))
        entries[write] = Entry(write, both, before.forms, before.hint)
        file = self._file(language)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise SubtitlesError(
                _("{file} cannot be written ({problem}); is there room, and may you write there?").format(
                    file=file, problem=why(problem)
                )
            ) from problem
        if file.exists():
            write_whole(file, amended(file, lambda said: _put(said, entries[write])))
        else:
            write_whole(file, self._text(language, tuple(entries.values())))
        return file

    def _text(self, language: str, entries: Sequence[Entry]) -> str:
        lines = [
            "# What people put right in films, learned on the page of films. Entries may be changed by hand.",
            f"name: {_quoted(_('Learned from corrections'))}",
            f"language: {self._language(language)}",
            "entries:",
        ]
        for entry in entries:
            lines.append(f"  - write: {_quoted(entry.write)}")
            lines.append(f"    heard: [{', '.join(map(_quoted, entry.heard))}]")
            if entry.forms:
                forms = (f"{_quoted(form)}: [{', '.join(map(_quoted, heard))}]" for form, heard in entry.forms.items())
                lines.append(f"    forms: {{ {', '.join(forms)} }}")
            if entry.hint:
                lines.append("    hint: true")
        return "\n".join(lines) + "\n"

    def _file(self, language: str) -> Path:
        return self._folder / DRAWER / f"{self.name(language)}.yaml"

    @staticmethod
    def _language(language: str) -> str:
        return language if language in SPOKEN else "any"


def _quoted(text: str) -> str:
    """As YAML takes it: JSON's strings are among its own."""
    return json.dumps(text, ensure_ascii=False)
