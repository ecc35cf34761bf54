"""What leaves a session: takes and comps, mixed, as loud as they shall be, and only with everybody's consent."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from studio import media
from studio.catalogue import instead
from studio.errors import StudioError, VocalError, why
from studio.language import _, decimal
from studio.vocal._chain import Strip, mixed, strips
from studio.vocal._comp import Comp, Piece
from studio.vocal._entries import Comp as CompEntry
from studio.vocal._entries import Exported, Singer
from studio.vocal._keep import SLACK
from studio.vocal._mend import file_of, recorded_now
from studio.vocal._names import slug
from studio.vocal._preset import VoicePreset
from studio.vocal._state import Take

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from studio.vocal._material import Material
    from studio.vocal._session import Session
    from studio.vocal._state import SessionState

LOUDNESS = (-14.0, -16.0, -23.0)
"""LUFS: streaming services, speech and podcasts, broadcasting (EBU R128)."""
NEAR = 0.3
"""LU beside the wanted loudness of which nobody need be told."""
EXPORTS = "exports"


@dataclass(frozen=True, slots=True)
class Placed:
    """How one track stands in the mix, where it is not as the preset has it."""

    level: float = 0.0
    """Decibels."""
    pan: float | None = None
    """From -1, left, to 1, right; `None` leaves it where the preset puts it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is asked for."""

    takes: tuple[int, ...] = ()
    comps: tuple[int, ...] = ()
    """Without takes and comps, all keepers are meant."""
    preset: VoicePreset = field(default_factory=VoicePreset)
    preset_name: str = "plain"
    loudness: float = LOUDNESS[0]
    """LUFS."""
    forms: tuple[media.DeliveryForm, ...] = ("wav",)
    folder: Path | None = None
    """`None`: `exports` of the session."""
    artist: str = ""
    """Empty: the session's name, as for `album`."""
    album: str = ""
    cover: Path | None = None
    tracks: Mapping[str, Placed] = field(default_factory=dict)
    """By their names."""


@dataclass(frozen=True, slots=True)
class Left:
    """One take or comp that left."""

    name: str
    """For people: "Take 3", "Comp 1"."""
    files: tuple[Path, ...]
    loudness: float | None
    """LUFS; `None` where it is silent."""
    true_peak: float
    entry: Exported
    """The line of the session."""


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    stem: str
    title: str
    takes: tuple[Take, ...]
    day: date
    comp: CompEntry | None = None


def export(
    session: Session,
    wanted: Delivery,
    *,
    progress: Callable[[str, float], None] | None = None,
    say: Callable[[str], None],
    missing: Callable[[str], None] | None = None,
    today: date | None = None,
) -> tuple[Left, ...]:
    """Write what is wanted as files that overwrite nothing, and note each in the session.

    `progress` is told the name of what is made and which share of it is done; what it raises ends the work. What cannot
    be made is said to `missing` (`None`: to `say`) and left out, where anything else can be. Raises VocalError: a take
    is still recorded; a track of `wanted` is in none of it; somebody who sings in any of it has not given consent, or
    no longer gives it on the day `today` (nothing leaves then); there is nothing to export; nothing could be made. Who
    sings in a track without singers nobody knows: all singers of the session are asked for it.
    """
    state = session.state
    parts = [*_takes(state, wanted), *_comps(state, wanted)]
    if not parts:
        raise VocalError(_("No take is a keeper; mark one with `studio vocal keep`, or name the takes to export."))
    takes = [take for part in parts for take in part.takes]
    _must_be_over(session, takes)
    _must_know(takes, wanted)
    must_permit(state, takes, today or date.today())  # noqa: DTZ011 - forms have local days
    folder = _folder(session, wanted)
    _say_unasked(state, takes, say)
    left: list[Left] = []
    problems: list[StudioError] = []
    for part in parts:
        try:
            left.append(_exported(session, part, wanted, folder, progress))
        except StudioError as problem:
            problems.append(problem)
    if not left:
        raise problems[0]
    for failed in problems:
        (missing or say)(str(failed))
    for one in left:
        if one.loudness is not None and abs(one.loudness - wanted.loudness) > NEAR:
            say(
                _(
                    "{name} came to {loudness} LUFS, for its peaks stand far above the rest; take a firmer preset."
                ).format(name=one.name, loudness=decimal(one.loudness, ".1f"))
            )
    return tuple(left)


def _must_be_over(session: Session, takes: Iterable[Take]) -> None:
    """Raise VocalError for a take that still grows; where nobody records, its recorder died and left what there is."""
    running = next((take for take in takes if take.ended is None), None)
    if running is not None and recorded_now(session.folder):
        raise VocalError(
            _("Take {number} is being recorded; `studio vocal stop` ends it.").format(number=running.number)
        )


def _must_know(takes: Sequence[Take], wanted: Delivery) -> None:
    """Raise VocalError for a track of the mix that is in none of `takes`."""
    named = dict.fromkeys(track.name for take in takes for track in take.tracks)
    if stranger := next((name for name in wanted.tracks if name not in named), None):
        sentence = _("No track of it is called {name}").format(name=stranger) + instead(stranger, named)
        raise VocalError(sentence if sentence.endswith("?") else sentence + ".")


def _say_unasked(state: SessionState, takes: Iterable[Take], say: Callable[[str], None]) -> None:
    """Say where nobody was asked, for nobody is noted who could be."""
    if not state.singers and any(not track.singers for take in takes for track in take.tracks):
        say(
            _(
                "No singer is noted in this session, so nobody was asked for consent; note each with "
                "`studio vocal singer NAME`, children with --child."
            )
        )


def must_permit(state: SessionState, takes: Iterable[Take], day: date) -> None:
    """Raise VocalError, naming who, where somebody who sings in `takes` does not permit that they leave on `day`."""
    asked: dict[str, Singer] = {}
    for take in takes:
        nameless = any(not track.singers for track in take.tracks)
        for singer in state.singers if nameless else take.singers:
            # Whose line was damaged and passed over may be a child: nobody knows what their form said.
            asked[singer] = state.singers.get(singer) or Singer(id=singer, name=singer, child=True)
    refused = [singer.name for singer in asked.values() if not singer.permits(day)]
    if refused:
        raise VocalError(
            _(
                "Nothing leaves without the consent of {names}; note it with `studio vocal singer` once it is there."
            ).format(names=", ".join(refused))
        )


def film(
    session: Session,
    number: int,
    camera: Path,
    wanted: Delivery,
    *,
    say: Callable[[str], None],
    today: date | None = None,
) -> tuple[Path, Exported]:
    """Write the video of a take: what a camera saw, with the mix instead of what it heard; note it in the session.

    Of `wanted` the preset, loudness, folder, artist, album and tracks count. Raises VocalError as `export` does, and
    MediaError for a camera file without picture or sound, or in which nothing sounds like the take.
    """
    state = session.state
    (part,) = _takes(state, Delivery(takes=(number,)))
    _must_be_over(session, part.takes)
    _must_know(part.takes, wanted)
    must_permit(state, part.takes, today or date.today())  # noqa: DTZ011 - as above
    folder = _folder(session, wanted)
    _say_unasked(state, part.takes, say)
    with contextlib.ExitStack() as opened:
        material = _material(session, part, opened)
        made = media.film_take(
            mixed(material, _strips(wanted, material.tracks)),
            material.rate,
            camera,
            _free(folder, part.stem, ("mp4",))[0],
            loudness=wanted.loudness,
            tags=_tags(session, part, wanted),
            say=say,
        )
    return made.file, _noted(session, part, wanted, (made.file,), made.loudness)


def _takes(state: SessionState, wanted: Delivery) -> Iterator[_Part]:
    keepers = [] if wanted.takes or wanted.comps else [take.number for take in state.takes.values() if take.keeper]
    for number in dict.fromkeys((*wanted.takes, *keepers)):
        take = _known(state, number)
        title = _title(state, take.song)
        yield _Part(
            _("Take {number}").format(number=number),
            f"{slug(title) if title else 'take'}-{number:03}",
            title or _("Take {number}").format(number=number),
            (take,),
            take.at.astimezone().date(),
        )


def _comps(state: SessionState, wanted: Delivery) -> Iterator[_Part]:
    for number in dict.fromkeys(wanted.comps):
        comp = state.comps.get(number)
        if comp is None:
            raise VocalError(_("There is no comp {number}.").format(number=number))
        takes = tuple(_known(state, take) for take in dict.fromkeys(piece.take for piece in comp.pieces))
        title = comp.title or _title(state, comp.song)
        name = _("Comp {number}").format(number=number)
        yield _Part(
            name, f"{slug(title or 'comp')}-comp-{number}", title or name, takes, comp.at.astimezone().date(), comp
        )


def _known(state: SessionState, number: int) -> Take:
    if number not in state.takes:
        raise VocalError(_("There is no take {number} in this session.").format(number=number))
    return state.takes[number]


def _title(state: SessionState, song: str) -> str:
    return state.songs[song].title if song in state.songs else ""


def _folder(session: Session, wanted: Delivery) -> Path:
    folder = wanted.folder or session.folder / EXPORTS
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tried = folder / ".try"
        tried.touch()
        tried.unlink()
    except OSError as problem:
        raise VocalError(
            _("Nothing can be written in {folder} ({reason}); name another folder.").format(
                folder=folder, reason=why(problem)
            )
        ) from problem
    return folder


def _exported(
    session: Session,
    part: _Part,
    wanted: Delivery,
    folder: Path,
    progress: Callable[[str, float], None] | None,
) -> Left:
    with contextlib.ExitStack() as opened:
        material = _material(session, part, opened)
        made = media.deliver(
            mixed(material, _strips(wanted, material.tracks)),
            material.rate,
            dict(zip(wanted.forms, _free(folder, part.stem, wanted.forms), strict=True)),
            loudness=wanted.loudness,
            tags=_tags(session, part, wanted),
            cover=wanted.cover,
            progress=None if progress is None else lambda share: progress(part.name, share),
        )
    entry = _noted(session, part, wanted, made.files, made.loudness)
    return Left(part.name, made.files, made.loudness, made.true_peak, entry)


def _tags(session: Session, part: _Part, wanted: Delivery) -> dict[str, str]:
    return {
        "title": part.title,
        "artist": wanted.artist or session.state.name,
        "album": wanted.album or session.state.name,
        "date": part.day.isoformat(),
        "comment": part.name,
    }


def _noted(session: Session, part: _Part, wanted: Delivery, files: Sequence[Path], loudness: float | None) -> Exported:
    return session.exported(
        Exported(
            files=tuple(_shown(session.folder, file) for file in files),
            takes=tuple(take.number for take in part.takes),
            comp=part.comp.number if part.comp else None,
            preset=wanted.preset_name,
            loudness=None if loudness is None else round(loudness, 1),
        )
    )


def _strips(wanted: Delivery, tracks: Sequence[str]) -> list[Strip]:
    placed = [wanted.tracks.get(name, Placed()) for name in tracks]
    return [
        Strip(wanted.preset, how.level, strip.pan if how.pan is None else how.pan)
        for strip, how in zip(strips(wanted.preset, len(tracks)), placed, strict=True)
    ]


def _free(folder: Path, stem: str, forms: Sequence[str]) -> list[Path]:
    """Names that nothing has, alike but for their endings."""
    number = 1
    while True:
        paths = [folder / f"{stem}{'' if number == 1 else f'-{number}'}.{form}" for form in forms]
        if not any(path.exists() or path.is_symlink() for path in paths):
            return paths
        number += 1


def _shown(folder: Path, file: Path) -> str:
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file.absolute())


def _open(session: Session, take: Take, opened: contextlib.ExitStack) -> Material:
    path = file_of(session.folder, take)
    if path is None:
        raise VocalError(_("Take {number} has no file any more; was it moved?").format(number=take.number))
    sound: Material = opened.enter_context(media.open_take(path, [track.name for track in take.tracks]))
    return sound


def _material(session: Session, part: _Part, opened: contextlib.ExitStack) -> Material:
    sounds = {take.number: _open(session, take, opened) for take in part.takes}
    if part.comp is None:
        return sounds[part.takes[0].number]
    takes = {take.number: take for take in part.takes}
    pieces = []
    for piece in part.comp.pieces:
        sound = sounds[piece.take]
        offset = round((takes[piece.take].offset or 0.0) * sound.rate)
        slack = round(SLACK * sound.rate)
        begin, end = round(piece.start * sound.rate), round(piece.end * sound.rate)
        if offset - slack <= begin < offset:
            begin = offset
        if offset + sound.frames < end <= offset + sound.frames + slack:
            end = offset + sound.frames
        pieces.append(Piece(piece.take, sound, begin, end, offset))
    return Comp(pieces, round(part.comp.crossfade * pieces[0].sound.rate))
