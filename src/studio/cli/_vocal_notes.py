"""`studio vocal song|singer|arm|keep|comment|comp|note`: what is noted in a session."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from studio.cli import _vocal_shown as shown
from studio.cli._screen import out
from studio.cli._vocal_open import (
    JsonOption,
    SessionOption,
    TakesArgument,
    consent_of,
    opened,
    piece_of,
    seconds_of,
)
from studio.language import _
from studio.vocal import Session


def song(
    title: Annotated[
        str | None, typer.Argument(metavar="[TITLE]", help=_("What is sung from now on; none: list the songs."))
    ] = None,
    *,
    tempo: Annotated[float | None, typer.Option("--tempo", help=_("Beats a minute, for click and count-in."))] = None,
    beats: Annotated[int | None, typer.Option("--beats", min=1, max=32, help=_("Beats in one bar."))] = None,
    backing: Annotated[
        Path | None, typer.Option("--backing", metavar="FILE", help=_("Sound to sing to, in any format."))
    ] = None,
    melody: Annotated[
        Path | None, typer.Option("--melody", metavar="FILE", help=_("The tune as a MIDI file, for the pitch trace."))
    ] = None,
    session: SessionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Note a song, or more of it."""
    if title is None and (tempo, beats, backing, melody) != (None,) * 4:
        raise typer.BadParameter(_("Say which song that is of: `studio vocal song TITLE …`."))
    opened_ = opened(session)
    if title is not None:
        opened_.song(title, tempo=tempo, beats=beats, melody=melody, backing=backing)
    if as_json:
        shown.print_json(list(opened_.state.songs.values()))
    else:
        out.print(shown.songs_table(opened_.state))


def singer(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help=_("None: list the singers."))] = None,
    *,
    child: Annotated[
        bool | None, typer.Option("--child/--adult", help=_("A child's voice leaves only with consent."))
    ] = None,
    consent: Annotated[
        str | None,
        typer.Option("--consent", metavar="yes|no|DAY", help=_("What the form says; DAY: the last one, 2027-06-30.")),
    ] = None,
    session: SessionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Note a singer, or more of one."""
    asked = consent_of(consent)
    if name is None and (child, consent) != (None, None):
        raise typer.BadParameter(_("Say whom that is of: `studio vocal singer NAME …`."))
    opened_ = opened(session)
    if name is not None:
        opened_.singer(name, child=child, consent=asked)
    if as_json:
        shown.print_json(list(opened_.state.singers.values()))
    else:
        out.print(shown.singers_table(opened_.state.singers.values()))


def arm(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CHANNEL=NAME[:SINGER,…]]…",
            help=_("1=Ola records input 1 as Ola; 3=Choir:ola,jan names who sings there; 3= disarms it."),
        ),
    ] = None,
    *,
    session: SessionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Arm channels; without any, list what is armed."""
    pairs = [_armed(word) for word in words or ()]
    opened_ = opened(session)
    for channel, track, singers in pairs:
        if track:
            opened_.arm(channel, track, _singers(opened_, track, singers))
        else:
            opened_.disarm(channel)
    state = opened_.state
    if as_json:
        shown.print_json(list(state.tracks.values()))
    elif state.tracks:
        out.print(shown.tracks_table(state, state.tracks.values()))
    else:
        out.print(_("No track is armed; `studio vocal arm 1=NAME` says what is recorded from the first input."))


def _armed(word: str) -> tuple[int, str, list[str] | None]:
    channel, equals, rest = word.partition("=")
    if not (equals and channel.isdecimal()):
        raise typer.BadParameter(_("“{word}” is to be CHANNEL=NAME, such as 1=Ola.").format(word=word))
    track, colon, singers = rest.partition(":")
    if colon and not track.strip():
        raise typer.BadParameter(
            _("“{word}” lacks the track's name; write 1=Ola:ola, or 1= to disarm it.").format(word=word)
        )
    return int(channel), track.strip(), [one.strip() for one in singers.split(",") if one.strip()] if colon else None


def _singers(session: Session, track: str, asked: list[str] | None) -> list[str]:
    """Who sings into it: those who were named, else the singer that the track is called by."""
    if asked is None:
        known = session.find_singer(track)
        return [known.id] if known else []
    return [session.must_find_singer(one).id for one in asked]


def keep(
    takes: TakesArgument,
    *,
    stars: Annotated[int | None, typer.Option("--stars", min=0, max=5, help=_("How good it is, 0 to 5."))] = None,
    drop: Annotated[bool, typer.Option("--drop", help=_("It is no keeper after all; its file stays."))] = False,
    session: SessionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Mark takes as keepers."""
    opened_ = opened(session)
    kept = [opened_.keep(number, keeper=not drop, stars=stars) for number in takes]
    if as_json:
        shown.print_json([shown.take_row(opened_, take) for take in kept])
    else:
        out.print(shown.takes_table(opened_, kept))


def comment(
    take: Annotated[int, typer.Argument(metavar="TAKE", min=1, help=_("Number of the take."))],
    at: Annotated[str, typer.Argument(metavar="TIME", help=_("Since the take began: 12.5 or 1:05."))],
    text: Annotated[list[str], typer.Argument(metavar="TEXT", help=_("What is to be said of that moment."))],
    *,
    session: SessionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say something about a moment of a take."""
    seconds = seconds_of(at)
    opened_ = opened(session)
    said = opened_.comment(take, seconds, " ".join(text))
    if as_json:
        shown.print_json(shown.take_row(opened_, said))
    else:
        out.print(shown.takes_table(opened_, [said]))


def comp(
    pieces: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TAKE:FROM-TO]…",
            help=_("In seconds of the song, one after the other: 3:0-12.5 5:12.5- takes the rest from take 5."),
        ),
    ] = None,
    *,
    crossfade: Annotated[float, typer.Option("--crossfade", help=_("Seconds at each seam, 0 to 2."))] = 0.02,
    title: Annotated[str, typer.Option("--title", help=_("What it is called."))] = "",
    number: Annotated[int, typer.Option("--number", help=_("Make this comp anew instead of another one."))] = 0,
    session: SessionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a comp of keepers; without pieces, list what there is."""
    if not pieces and (title or number):
        raise typer.BadParameter(_("Say what it is made of, such as `studio vocal comp 3:0-12.5 5:12.5-`."))
    opened_ = opened(session)
    if pieces:
        read = [piece_of(piece, opened_.state) for piece in pieces]
        opened_.comp(read, crossfade=crossfade, title=title, number=number)
    if as_json:
        shown.print_json(list(opened_.state.comps.values()))
    elif opened_.state.comps:
        out.print(shown.comps_table(opened_.state))
    else:
        out.print(_("There is no comp yet; `studio vocal comp 3:0-12.5 5:12.5-` makes one of two keepers."))


def note(
    text: Annotated[list[str], typer.Argument(metavar="TEXT", help=_("Anything that is to be remembered."))],
    *,
    session: SessionOption = None,
) -> None:
    """Remember something of the session."""
    said = opened(session).note(" ".join(text))
    out.print(Text(f"{said.at.astimezone():%Y-%m-%d %H:%M}  {said.text}"), soft_wrap=True)
