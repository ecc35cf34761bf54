"""`studio subtitle sync`: a subtitle file brought to the sound of its film."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from studio import media, speech, subtitles
from studio.cli._screen import err, out, span_progress
from studio.errors import SubtitlesError
from studio.language import _, decimal, plural
from studio.units import Ms


def sync(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=_("The subtitle file."))],
    *,
    to: Annotated[Path, typer.Option("--to", metavar="FILM", help=_("The film, or a recording of its sound."))],
    into: Annotated[
        Path | None, typer.Option("--out", help=_("Where to write; without it, beside FILE as NAME.synced."))
    ] = None,
    track: Annotated[
        int | None, typer.Option(min=1, help=_("Sound track to listen to; without it, the one with speech."))
    ] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help=_("Write also what is not sure."))] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help=_("Replace files that say something else."))] = False,
) -> None:
    """Shift FILE, and stretch it where it was made for another frame rate, so that it fits what is said in FILM."""
    text = subtitles.read(file)
    sound = media.film_sound(to, track=track, language=text.language, say=_say)
    bar, told = span_progress(_("listening to {film}").format(film=to.name))
    length = sound.length or Ms(0)
    with bar:
        found = speech.survey(
            (chunk.samples for chunk in sound.chunks()), lambda at: told(min(at, length or at), length or at)
        )
    if not found.voiced:
        raise SubtitlesError(
            _("Nobody speaks in {film}: there is nothing to bring {file} to; is it another track?").format(
                film=to.name, file=file.name
            )
        )
    fit = speech.fit([speech.Stretch(cue.start, cue.end) for cue in text.cues], found)
    if not (fit.believed or anyway):
        raise SubtitlesError(
            _(
                "{file} was not brought to {film}: no place fits clearly ({sure} sure; it would be {shift}); "
                "is it the right film? --anyway writes it all the same."
            ).format(file=file.name, film=to.name, sure=f"{fit.sure:.0%}", shift=_told(fit))
        )
    target = into or file.with_name(f"{file.stem}.synced{file.suffix}")
    cues = tuple(replace(cue, start=fit.at(cue.start), end=fit.at(cue.end)) for cue in text.cues)
    kept = tuple(cue for cue in cues if cue.end > cue.start)
    wish = subtitles.ConvertWish(overwrite=overwrite)
    done = subtitles.convert(replace(text, cues=kept), file, subtitles.kind_of(target), target, wish)
    for remark in done.said:
        _say(remark)
    out.print(
        _("{file}: {shift}, {sure} sure.").format(file=target.name, shift=_told(fit), sure=f"{fit.sure:.0%}"),
        markup=False,
        soft_wrap=True,
    )
    if not done.new:
        _say(_("{file} is so already.").format(file=target))
    if len(kept) < len(cues):
        left = len(cues) - len(kept)
        _say(
            plural(
                "{n} cue would stand before the film begins; it was left out.",
                "{n} cues would stand before the film begins; they were left out.",
                left,
            ).format(n=left)
        )


def _told(fit: speech.Fit) -> str:
    moved = _("moved by {seconds} s").format(seconds=decimal(fit.shift / 1000, "+.2f"))
    if fit.rate == 1:
        return moved
    return _("{moved}, and stretched by {percent} %").format(moved=moved, percent=decimal(100 * (fit.rate - 1), "+.2f"))


def _say(said: str) -> None:
    err.print(said, markup=False, soft_wrap=True)
