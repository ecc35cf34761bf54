"""How singers and songs are called on a command line, and how one finds what is meant."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, TypeVar

from studio.catalogue import instead
from studio.errors import VocalError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

_PLAIN = str.maketrans("łŁøØđĐßæÆœŒ", "lLoOdDsaAoO")
Named = TypeVar("Named")


def slug(name: str) -> str:
    """Return `name` in small plain letters: `ola-zolta` for "Ola Żółta"; never empty."""
    bare = unicodedata.normalize("NFKD", name.translate(_PLAIN))
    bare = "".join(letter for letter in bare if not unicodedata.combining(letter)).casefold()
    return re.sub(r"[^\w]+", "-", bare).strip("-_") or "x"


def new_id(name: str, taken: Container[str]) -> str:
    """Return a slug that nothing has yet."""
    base = slug(name)
    number = 1
    found = base
    while found in taken:
        number += 1
        found = f"{base}-{number}"
    return found


def found(word: str, named: Mapping[str, Named], names: Mapping[str, str], sentence: str, none: str) -> Named:
    """Return what `word` means: an id, or the beginning of one name alone.

    Raises VocalError with `sentence`, and what there is instead; `none` is how to go on where there is nothing.
    """
    if word in named:
        return named[word]
    wanted = slug(word)
    exact = [key for key, name in names.items() if slug(name) == wanted]
    near = exact or [key for key, name in names.items() if slug(name).startswith(wanted)]
    if len(near) == 1:
        return named[near[0]]
    near_ = instead(word, dict.fromkeys((*named, *names.values())))
    whole = sentence.format(name=word).rstrip(".") + (near_ or f"; {none}")
    raise VocalError(whole if whole.endswith("?") else whole.rstrip(".") + ".")


def meant(name: str, names: Iterable[str]) -> str | None:
    """Return who of `names` may be meant by a `name` that is the first words of theirs; `None`: nobody."""
    return next((other for other in names if slug(other).startswith(slug(name) + "-")), None)
