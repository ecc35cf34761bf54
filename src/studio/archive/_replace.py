"""Find and replace, in a document or before it is done: pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from studio.archive._edits import EditError, reword
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studio.archive._document import Document, FilmCue

LONGEST = 500
"""Letters of a pattern."""


class Replacement(Struct, frozen=True):
    """What would become of a cue."""

    cue: int
    before: tuple[str, ...]
    after: tuple[str, ...]
    """Empty: the cue would go."""
    times: int
    """How often it was found in this cue."""


class Pattern(Struct, frozen=True):
    """What is looked for, and what is put in its place."""

    find: str
    write: str
    regexp: bool = False
    r"""`find` is a regular expression, and `\1` or `\g<name>` in `write` what its groups found."""
    words: bool = False
    """Whole words only."""
    case: bool = False
    """Capitals count."""


def replacements(document: Document, pattern: Pattern) -> tuple[Replacement, ...]:
    """Return what `replace_in` would do. Raises EditError where the pattern is none."""
    return tuple(_found(document.cues, pattern))


def replace_in(document: Document, pattern: Pattern) -> tuple[Document, int]:
    """Put `pattern.write` in place of all that is found; return how often that was.

    What is found may reach over the end of a line: a space in `find` stands for that, too. A cue in which nothing is
    left goes. Raises EditError where the pattern is none.
    """
    count = 0
    for each in replacements(document, pattern):
        document = reword(document, each.cue, each.after)
        count += each.times
    return document, count


def _found(cues: tuple[FilmCue, ...], pattern: Pattern) -> Iterator[Replacement]:
    if not pattern.find:
        raise EditError(_("Say what to look for."))
    if len(pattern.find) > LONGEST:
        raise EditError(_("What to look for is longer than {most} letters.").format(most=LONGEST))
    said = pattern.find
    if not pattern.regexp:
        said = r"\s+".join(map(re.escape, said.split(" "))) if said.strip() else re.escape(said)
    if pattern.words:
        said = rf"(?<!\w)(?:{said})(?!\w)"
    try:
        found = re.compile(said, 0 if pattern.case else re.IGNORECASE)
        write = pattern.write if pattern.regexp else pattern.write.replace("\\", r"\\")
        for cue in cues:
            text = "\n".join(cue.lines)
            after, times = found.subn(write, text)
            if times and after != text:
                lines = tuple(line for line in (" ".join(line.split()) for line in after.split("\n")) if line)
                yield Replacement(cue.id, cue.lines, lines, times)
    except (re.error, IndexError, RecursionError, OverflowError) as problem:
        raise EditError(_("This is no regular expression ({problem}).").format(problem=problem)) from None
