"""One subtitle file written in another form."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from pathlib import Path

from studio.errors import SubtitlesError, why
from studio.language import _
from studio.subtitles._formats.table import FORMATS, form_of, kind_of, read, write_whole, written
from studio.subtitles._formats.track import Programme, Track

USUAL = 25
"""Frames a second, where nobody says how many."""

_LANGUAGE = re.compile(r"\.([a-z]{2,3})(?:-[A-Za-z]{2,4})?$")
"""`film.pl.srt` says that it is in Polish."""


@dataclass(frozen=True, slots=True)
class ConvertWish:
    """How files are to be converted."""

    kinds: tuple[str, ...] = ()
    """Of FORMATS; none: the one that `out` ends in."""
    out: Path | None = None
    """A folder, or the file itself; `None`: beside the source."""
    language: str = ""
    """Code of the language, for files that do not tell; empty: what their name says."""
    rate: int | None = None
    """Frames a second, for forms that count them; `None` for 25."""
    overwrite: bool = False
    """Whether a file may be replaced by one that says something else."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A file that is there now."""

    target: Path
    new: bool
    """Whether it was written; otherwise it was there, byte for byte."""
    said: tuple[str, ...]
    """A sentence for each thing that the form cannot carry."""


def targets(sources: tuple[Path, ...], wish: ConvertWish) -> dict[Path, dict[str, Path]]:
    """Where each of `sources` goes, by form. Raises SubtitlesError where that cannot be told or two go to one place."""
    kinds, file = _kinds(wish)
    if file and (len(sources) > 1 or len(kinds) > 1):
        raise SubtitlesError(_("{out} is one file; for several, --out is a folder.").format(out=file))
    taken: dict[Path, Path] = {}
    for source in sources:
        for kind in kinds:
            target = file or (wish.out or source.parent) / f"{stem(source)}{FORMATS[kind].ending}"
            if target in taken:
                raise SubtitlesError(
                    _("{one} and {other} would both become {target}; convert them into folders of their own.").format(
                        one=taken[target], other=source, target=target
                    )
                )
            taken[target] = source
    places = iter(taken)
    return {source: {kind: next(places) for kind in kinds} for source in sources}


def _kinds(wish: ConvertWish) -> tuple[tuple[str, ...], Path | None]:
    """The forms to write, and the file where `out` is one."""
    kinds, file = wish.kinds, None
    if wish.out is not None and not wish.out.is_dir():
        try:
            kinds = kinds or (kind_of(wish.out),)
            file = wish.out if wish.out.suffix else None
        except SubtitlesError:
            if wish.out.suffix:
                raise
    if not kinds:
        raise SubtitlesError(
            _("--format is missing: say what to write, {kinds}, or several with commas.").format(
                kinds=", ".join(FORMATS)
            )
        )
    for kind in kinds:
        form_of(kind)
    return kinds, file


def opened(source: Path, wish: ConvertWish) -> Track:
    """Read `source`; its language is what it tells, else what is wished, else what its name says."""
    track = read(source, wish.rate)
    named = _LANGUAGE.search(stem(source))
    return track if track.language else replace(track, language=wish.language or (named[1] if named else ""))


def convert(track: Track, source: Path, kind: str, target: Path, wish: ConvertWish) -> Converted:
    """Write the `track` of `source` to `target` in form `kind`. Raises SubtitlesError; then `target` is as it was."""
    try:
        # The day of the source, not today's: who converts again tomorrow gets the same bytes.
        made = dt.datetime.fromtimestamp(source.stat().st_mtime).astimezone().date()
        there = target.read_bytes() if target.exists() else None
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise SubtitlesError(
            _("{file} cannot be written ({problem}); is there room, and may you write there?").format(
                file=target, problem=why(problem)
            )
        ) from problem
    file = written(track, kind, Programme(title=stem(source), made=made, rate=wish.rate or USUAL))
    if there == file.content:
        return Converted(target, new=False, said=file.said)
    if there is not None and not wish.overwrite:
        raise SubtitlesError(
            _("{file} is there and says something else; --overwrite replaces it, or name another --out.").format(
                file=target
            )
        )
    write_whole(target, file.content)
    return Converted(target, new=True, said=file.said)


def stem(path: Path) -> str:
    """The name without the ending that says the form, which may have several dots."""
    ending = next((form.ending for form in FORMATS.values() if path.name.lower().endswith(form.ending)), path.suffix)
    return path.name[: len(path.name) - len(ending)]
