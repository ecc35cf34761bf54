"""What somebody wrote in a file, each value with the place where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from studio.errors import DrawerError, why
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable

MANY = 16
"""A longer list of what there is to choose from helps nobody."""

Scalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was said."""

    file: Path
    line: int | None = None
    """Counts from 1; `None` where the file as a whole is meant."""
    folder: Path | None = None
    """Left out when the file is named to people, who know it as `scenes/talk.yaml`; `None`: nothing is left out."""

    @property
    def shown(self) -> str:
        """The file as people know it."""
        if self.folder and self.file.is_relative_to(self.folder):
            return self.file.relative_to(self.folder).as_posix()
        return str(self.file)

    def error(self, message: str) -> DrawerError:
        """Return the error that says `message` about this place."""
        return DrawerError(message, file=self.file, line=self.line, shown=self.shown)


@dataclass(frozen=True, slots=True)
class Said:
    """A value as somebody wrote it, and where."""

    value: Scalar | tuple[Said, ...] | dict[Scalar, Said]
    place: Place
    """The line of its key, or of the value itself in a list."""

    def at(self, *path: str | int) -> Said:
        """Follow keys and list positions as far as they go: what is left out is said by what stands around it."""
        here = self
        for step in path:
            inside = here.value
            if isinstance(inside, tuple):
                inside = dict(enumerate(inside))
            if not isinstance(inside, dict) or step not in inside:
                break
            here = inside[step]
        return here


def over(upper: Said, lower: Said) -> Said:
    """Return `lower` with what `upper` changes: mappings are merged key by key, all else is replaced as a whole."""
    if not (isinstance(upper.value, dict) and isinstance(lower.value, dict)):
        return upper
    merged = dict(lower.value)
    for key, value in upper.value.items():
        merged[key] = over(value, merged[key]) if key in merged else value
    return Said(merged, upper.place)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the word that was probably meant, or `None` where none of `known` comes near."""
    words = {name.casefold(): name for name in known}
    near = get_close_matches(word.casefold(), words, n=1)
    return words[near[0]] if near else None


def instead(word: str, known: Iterable[str]) -> str:
    """Return how a sentence about a wrong `word` ends: `; did you mean "main"?`, or what there is to choose from."""
    known = list(known)
    if near := nearest(word, known):
        return _('; did you mean "{word}"?').format(word=near)
    if known:
        more = ", …" if len(known) > MANY else ""
        return _("; known here: {words}").format(words=", ".join(known[:MANY]) + more)
    return ""


def read_text(place: Place) -> str:
    """Return the text of the file, which must be UTF-8."""
    try:
        return place.file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        data = place.file.read_bytes()
        line = data[: problem.start].count(b"\n") + 1
        broken = Place(place.file, line, place.folder)
        raise broken.error(_("there are bytes here that are not UTF-8; save the file as UTF-8 text")) from None
    except IsADirectoryError:
        raise place.error(_("this is a folder, where a file is expected; move it away")) from None
    except FileNotFoundError:
        raise place.error(_("there is no such file")) from None
    except OSError as problem:
        raise place.error(_("the file cannot be read: {reason}").format(reason=why(problem))) from None
