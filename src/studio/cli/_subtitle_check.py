"""`studio subtitle check` and `studio subtitle fix`: subtitle files against a reading profile."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec
import typer
from rich.table import Table

from studio import subtitles
from studio.catalogue import Catalogue
from studio.cli._screen import err, out
from studio.cli._venue import VenueOption, read_venue
from studio.errors import SubtitlesError
from studio.language import LANGUAGES, _, plural, spoken
from studio.units import timecode

if TYPE_CHECKING:
    from collections.abc import Callable

SHOWN = 20
"""Findings of a file that are printed; the rest is counted."""

FilesArgument = Annotated[list[Path], typer.Argument(metavar="FILE…", help=_("Subtitle files."))]
ProfileOption = Annotated[
    str | None,
    typer.Option("--profile", help=_("polish, lithuanian, english, bbc, sdh, children, or one of your own.")),
]
LangOption = Annotated[
    str | None, typer.Option("--lang", help=_("Language of the text, pl, lt or en, where the file does not tell."))
]


class _Held(NamedTuple):
    """A file, what it holds, and what it is held against."""

    file: Path
    track: subtitles.Track
    rules: subtitles.Rules
    profile: str


def check(
    files: FilesArgument,
    *,
    profile: ProfileOption = None,
    lang: LangOption = None,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print everything that was found as JSON."))] = False,
    venue: VenueOption = None,
) -> None:
    """Hold each file against the profile; end with 1 where something is wrong that can always be mended."""
    found: list[tuple[_Held, subtitles.Report]] = []

    def look(held: _Held) -> bool:
        report = subtitles.check(held.track, held.rules)
        found.append((held, report))
        if not as_json:
            _show(held, report)
        return report.hard == 0

    well = _each(files, _catalogue(venue), profile, lang, look)
    if as_json:
        text = msgspec.json.format(msgspec.json.encode([_as_json(*one) for one in found])).decode()
        out.print(text, markup=False, soft_wrap=True)
    if not well:
        raise typer.Exit(1)


def fix(
    files: FilesArgument,
    *,
    to: Annotated[
        Path | None,
        typer.Option("--out", help=_("File to write, or a folder; otherwise NAME.fixed beside each file.")),
    ] = None,
    profile: ProfileOption = None,
    lang: LangOption = None,
    fps: Annotated[
        float | None, typer.Option("--fps", min=10, max=120, help=_("Put all times on whole frames of such a film."))
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help=_("Replace files that say something else."))] = False,
    venue: VenueOption = None,
) -> None:
    """Write each file anew, mended; end with 1 where something could not be mended."""
    if to is not None and len(files) > 1 and to.exists() and not to.is_dir():
        raise typer.BadParameter(_("{path} is a file; for several files, name a folder.").format(path=to))

    def mend(held: _Held) -> bool:
        mended = subtitles.fix(held.track, held.rules, rate=fps)
        path = _target(held.file, to, alone=len(files) == 1)
        wish = subtitles.ConvertWish(overwrite=overwrite)
        done = subtitles.convert(mended, held.file, subtitles.kind_of(path), path, wish)
        before, after = subtitles.check(held.track, held.rules), subtitles.check(mended, held.rules)
        text = _("{file}: {old} → {new} cues; broken {before} → {after}").format(
            file=path, old=before.cues, new=after.cues, before=_share(before.broken), after=_share(after.broken)
        )
        out.print(text, markup=False, soft_wrap=True)
        so = () if done.new else (_("{file} is so already.").format(file=path),)
        for sentence in (*so, *done.said, *_left(after)):
            out.print(f"  {sentence}", markup=False, soft_wrap=True)
        return after.hard == 0

    if not _each(files, _catalogue(venue), profile, lang, mend):
        raise typer.Exit(1)


def _each(
    files: list[Path], catalogue: Catalogue, profile: str | None, lang: str | None, do: Callable[[_Held], bool]
) -> bool:
    """Do it to each file, one by one; what is wrong with one is said, and the others go on."""
    well = True
    if profile is not None:
        subtitles.profile(profile, lang or "", catalogue)  # a profile that does not exist is said once
    for file in files:
        try:
            well = do(_held(file, catalogue, profile, lang)) and well
        except SubtitlesError as problem:
            err.print(str(problem), markup=False, soft_wrap=True)
            well = False
    return well


def _held(file: Path, catalogue: Catalogue, profile: str | None, lang: str | None) -> _Held:
    track = subtitles.read(file)
    language = lang or _language(file, track, catalogue)
    name = profile or subtitles.profile_of(language)
    return _Held(file, track, subtitles.profile(name, language, catalogue), name)


def _language(file: Path, track: subtitles.Track, catalogue: Catalogue) -> str:
    """What the file says, or its name (film.pl.srt), or its small words; otherwise the user's own."""
    for told in (track.language[:2].lower(), Path(file.stem).suffix.lstrip(".").lower()):
        if told in LANGUAGES:
            return told
    return subtitles.language_of(track, catalogue) or spoken()


def _catalogue(file: Path | None) -> Catalogue:
    return Catalogue(read_venue(file).folder)


def _target(file: Path, to: Path | None, *, alone: bool) -> Path:
    if to is None:
        return file.with_name(f"{file.stem}.fixed{file.suffix}")
    if to.is_dir() or not alone:
        to.mkdir(parents=True, exist_ok=True)
        return to / file.name
    return to


def _show(held: _Held, report: subtitles.Report) -> None:
    text = _("{file} ({profile}): {cues}, broken {broken}, to be mended {hard}").format(
        file=held.file,
        profile=f"{held.profile}, {held.rules.language}",
        cues=plural("{n} cue", "{n} cues", report.cues).format(n=report.cues),
        broken=_share(report.broken),
        hard=_share(report.hard),
    )
    out.print(text, markup=False, soft_wrap=True)
    worth = [finding for finding in report.findings if finding.kind not in subtitles.NOTES]
    blinks = len(report.findings) - len(worth)
    if blinks:
        text = plural("{n} gap is short enough to blink", "{n} gaps are short enough to blink", blinks).format(n=blinks)
        out.print(f"  {text}", markup=False, soft_wrap=True)
    if not worth:
        return
    table = Table()
    for title in (_("cue"), _("begins"), _("what is wrong")):
        table.add_column(title, overflow="fold")
    for finding in worth[:SHOWN]:
        table.add_row(str(finding.cue), timecode(finding.at), finding.sentence, style="bold" if finding.hard else None)
    out.print(table)
    more = len(worth) - SHOWN
    if more > 0:
        text = plural("and {n} more; --json shows all", "and {n} more; --json shows all", more).format(n=more)
        out.print(text, markup=False, soft_wrap=True)


def _left(report: subtitles.Report) -> list[str]:
    """What is still wrong, a sentence a kind."""
    fast = report.count("fast")
    left = []
    if fast:
        left.append(
            plural(
                "{n} cue is spoken faster than it can be read", "{n} cues are spoken faster than they can be read", fast
            ).format(n=fast)
        )
    left += [str(finding) for finding in report.findings if finding.hard][:SHOWN]
    return left


def _share(share: float) -> str:
    return f"{share:.1%}"


def _as_json(held: _Held, report: subtitles.Report) -> dict[str, object]:
    return {
        "file": str(held.file),
        "profile": held.profile,
        "language": held.rules.language,
        "cues": report.cues,
        "broken": round(report.broken, 4),
        "hard": round(report.hard, 4),
        "counts": report.counts,
        "findings": [
            asdict(finding) | {"hard": finding.hard, "sentence": finding.sentence} for finding in report.findings
        ],
    }
