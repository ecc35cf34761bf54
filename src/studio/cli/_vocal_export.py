"""`studio vocal export`: what leaves a session."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from studio.catalogue import Catalogue
from studio.cli import _vocal_shown as shown
from studio.cli._screen import err, out
from studio.cli._venue import VenueOption, read_venue
from studio.cli._vocal_open import JsonOption, SessionOption, opened
from studio.language import _
from studio.vocal import PRESETS, Delivery, Exported, Left, Placed, Session, VoicePreset
from studio.vocal import export as leave
from studio.vocal import film as leave_film


class Form(StrEnum):
    """What a file is."""

    WAV = "wav"
    FLAC = "flac"
    MP3 = "mp3"


class Loudness(StrEnum):
    """LUFS."""

    STREAMING = "-14"
    SPEECH = "-16"
    BROADCAST = "-23"


def export(
    takes: Annotated[
        list[int] | None, typer.Argument(metavar="[TAKE]…", help=_("Numbers of takes; none: all keepers."))
    ] = None,
    *,
    comps: Annotated[
        list[int] | None, typer.Option("--comp", metavar="NUMBER", help=_("A comp; may be repeated."))
    ] = None,
    preset: Annotated[
        str, typer.Option("--preset", help=_("What voices go through: a name of presets/vocal."))
    ] = "plain",
    loudness: Annotated[
        Loudness, typer.Option("--loudness", help=_("LUFS: -14 for streaming, -16 for speech, -23 for broadcasting."))
    ] = Loudness.STREAMING,
    forms: Annotated[list[Form] | None, typer.Option("--form", help=_("May be repeated."))] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="FOLDER", help=_("Else exports/ of the session."))] = None,
    artist: Annotated[str, typer.Option("--artist", help=_("Else the session's name."))] = "",
    album: Annotated[str, typer.Option("--album", help=_("Else the session's name."))] = "",
    cover: Annotated[Path | None, typer.Option("--cover", metavar="PICTURE", help=_("JPEG or PNG."))] = None,
    placed: Annotated[
        list[str] | None,
        typer.Option("--track", metavar="NAME=DB[,PAN]", help=_("A track's level, and its place from -1 (left) to 1.")),
    ] = None,
    camera: Annotated[
        Path | None,
        typer.Option("--camera", metavar="FILM", help=_("Write an MP4 of one take: a camera's picture, this sound.")),
    ] = None,
    venue: VenueOption = None,
    session: SessionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write files that overwrite nothing; nobody's voice leaves without consent."""
    if camera is not None and (forms or cover):
        raise typer.BadParameter(_("A video is an MP4 without a cover; leave --form and --cover away."))
    opened_ = opened(session)
    catalogue = Catalogue(read_venue(venue).folder)
    wanted = Delivery(
        takes=tuple(takes or ()),
        comps=tuple(comps or ()),
        preset=catalogue.load(PRESETS, preset, VoicePreset),
        preset_name=preset,
        loudness=float(loudness.value),
        forms=tuple(dict.fromkeys(form.value for form in forms or [Form.WAV])),
        folder=to,
        artist=artist,
        album=album,
        cover=cover,
        tracks=dict(_placed(each) for each in placed or []),
    )

    missing: list[str] = []
    if camera is not None:
        file, entry = _filmed(opened_, camera, wanted)
        files, entries = [file], [entry]
    else:
        left = _left(opened_, wanted, missing)
        files, entries = [path for one in left for path in one.files], [one.entry for one in left]
    if as_json:
        shown.print_json(entries)
    else:
        for path in files:
            out.print(str(path), markup=False, soft_wrap=True, highlight=False)
    for sentence in missing:
        _say(sentence)
    if missing:
        raise typer.Exit(1)


def _filmed(session: Session, camera: Path, wanted: Delivery) -> tuple[Path, Exported]:
    if len(wanted.takes) != 1 or wanted.comps:
        raise typer.BadParameter(_("A video is made of one take; name it."))
    with err.status(_("Looking for the take in the camera's sound, and writing the video …")):
        return leave_film(session, wanted.takes[0], camera, wanted, say=_say)


def _left(session: Session, wanted: Delivery, missing: list[str]) -> tuple[Left, ...]:
    """Write it, with a bar for each take; what could not be made is added to `missing`, a sentence each."""
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        console=err, transient=True, disable=not err.is_terminal,
    ) as bars:  # fmt: skip
        rows: dict[str, TaskID] = {}

        def told(name: str, share: float) -> None:
            if name not in rows:
                rows[name] = bars.add_task(name, total=1.0)
            bars.update(rows[name], completed=share)

        return leave(session, wanted, progress=told, say=_say, missing=missing.append)


def _say(sentence: str) -> None:
    err.print(sentence, markup=False, soft_wrap=True)


def _placed(text: str) -> tuple[str, Placed]:
    name, is_there, values = text.rpartition("=")
    level, comma, pan = values.partition(",")
    try:
        place = Placed(float(level), float(pan) if comma else None)
    except ValueError:
        is_there = ""
    if not is_there or (place.pan is not None and not -1 <= place.pan <= 1):
        raise typer.BadParameter(_("“{text}” is no place in the mix; write alto=-3 or alto=-3,0.5.").format(text=text))
    return name, place
