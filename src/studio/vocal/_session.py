"""A session: a folder in which a group's songs, singers and takes stay, whatever happens.

Nothing in it is ever overwritten or deleted. Several processes may have it open at once.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from studio import media
from studio.errors import VocalError, why
from studio.language import _, decimal
from studio.vocal import _keep, _mend, _names
from studio.vocal._entries import (
    VERSION,
    AnyEntry,
    Armed,
    Begun,
    Comment,
    Comp,
    Consent,
    Device,
    Exported,
    Kept,
    Latency,
    Level,
    Note,
    Piece,
    Singer,
    Song,
    Span,
    TakeBegun,
    Taken,
    TakeRuns,
    Until,
)
from studio.vocal._lines import Lines
from studio.vocal._melody import midi_parts
from studio.vocal._state import MOST_STARS, SessionState, Take

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from studio.events import TakeEnded, TakeStarted

FILE = "session.jsonl"
TAKES, BACKING, EXPORTS = "takes", "backing", "exports"
RATES = (44_100, 96_000)
"""From the lowest to the highest."""
MOST_CHANNELS = 32

Made = TypeVar("Made", bound=AnyEntry)
Thing = TypeVar("Thing", Singer, Song)


class Session:
    """One folder, open. All methods block for a disk; any thread may call them.

    Methods that change something return what it became, when it is safe on the disk; they raise VocalError where the
    disk refuses, or where there is no such thing, and then nothing has changed.
    """

    def __init__(self, folder: Path) -> None:
        """Use `new` or `open`."""
        self.folder = folder
        self._lines = Lines(folder / FILE)

    @classmethod
    def new(cls, folder: Path, name: str = "", rate: int = 48_000) -> Session:
        """Make a session; `name` is that of the folder where there is none. VocalError where one is there already."""
        if not RATES[0] <= rate <= RATES[1]:
            raise VocalError(
                _("A session has {lowest} to {highest} samples a second, not {rate}.").format(
                    lowest=RATES[0], highest=RATES[1], rate=rate
                )
            )
        if not _is_text(f"{folder}{name}"):
            raise VocalError(_("The name of that folder has bytes that are no letters; choose another name."))
        try:
            for part in (TAKES, BACKING, EXPORTS):
                (folder / part).mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise VocalError(
                _("No session can be made in {folder} ({reason}); name another folder.").format(
                    folder=folder, reason=why(problem)
                )
            ) from problem
        session = cls(folder)
        session._lines.begin(Begun(name=name.strip() or folder.absolute().name, rate=rate, version=VERSION))
        session.refresh()
        return session

    @classmethod
    def open(cls, folder: Path) -> Session:
        """Open one, and close the takes of a recorder that died; `said` tells which, and what else is wrong."""
        session = cls(folder)
        session.refresh()
        session._lines.said += _mend.mended(folder, session._lines)
        return session

    @property
    def state(self) -> SessionState:
        """As last read; what others write meanwhile comes with `refresh` and with each change."""
        return self._lines.state

    @property
    def said(self) -> tuple[str, ...]:
        """What a person should know of how it was opened, a sentence each."""
        return tuple(self._lines.said)

    def refresh(self) -> SessionState:
        """Read what others wrote since."""
        return self._lines.refresh()

    # ── who and what ──────────────────────────────────────────────────────────────────────────────────────────────────

    def singer(self, name: str, *, child: bool | None = None, consent: Consent | Until | None = None) -> Singer:
        """Note somebody, or more of somebody who is known by that name or `id`; `None` leaves what stands.

        VocalError, too, where the name is how that of one who is known begins: it may be the same person.
        """
        named = _must_say(name)

        def make(state: SessionState) -> Singer:
            known = _named(named, state.singers)
            near = None if known else _names.meant(named, (one.name for one in state.singers.values()))
            if near:
                raise VocalError(
                    _("{name} may be {known}, who is noted: write that whole name, or more of this one's.").format(
                        name=named, known=near
                    )
                )
            return Singer(
                id=known.id if known else _names.new_id(named, state.singers),
                name=known.name if known else named,
                child=(known.child if known else False) if child is None else child,
                consent=(known.consent if known else None) if consent is None else consent,
            )

        return self._one(make)

    def song(
        self,
        title: str,
        *,
        tempo: float | None = None,
        beats: int | None = None,
        melody: Path | None = None,
        backing: Path | None = None,
    ) -> Song:
        """Note a song, or more of one that is known; it is sung from now on. Files are copied into the session.

        Raises MediaError, too, for a backing that cannot be read.
        """
        named = _must_say(title)
        if tempo is not None and not 20 <= tempo <= 400:  # noqa: PLR2004 - what a metronome has
            raise VocalError(_("A tempo is 20 to 400 beats a minute, not {tempo:g}.").format(tempo=tempo))
        if backing and media.probe(backing).sound is None:
            raise VocalError(_("{file} has no sound to sing to; choose another file.").format(file=backing))
        if melody:
            midi_parts(melody)
        played = _keep.keep(backing, self.folder / BACKING, self.folder) if backing else None
        notes = _keep.keep(melody, self.folder / BACKING, self.folder) if melody else None

        def make(state: SessionState) -> Song:
            known = _named(named, state.songs) or Song(id=_names.new_id(named, state.songs), title=named)
            return Song(
                id=known.id,
                title=known.title,
                tempo=tempo or known.tempo,
                beats=beats or known.beats,
                melody=notes or known.melody,
                backing=played or known.backing,
            )

        return self._one(make)

    def find_singer(self, word: str) -> Singer | None:
        """Return the singer of that name or id."""
        return _named(word, self.state.singers)

    def must_find_singer(self, word: str) -> Singer:
        """Return the singer whose name begins like that. VocalError where it is none, or more than one."""
        named = {key: one.name for key, one in self.state.singers.items()}
        return _names.found(
            word, self.state.singers, named, _("No singer is called {name} here (`studio vocal singer` lists them)."),
            _("`studio vocal singer NAME` notes one."),
        )  # fmt: skip

    def must_find_song(self, word: str) -> Song:
        """Return the song whose title begins like that. VocalError where it is none, or more than one."""
        titled = {key: one.title for key, one in self.state.songs.items()}
        return _names.found(
            word, self.state.songs, titled, _("No song is called {name} here (`studio vocal song` lists them)."),
            _("`studio vocal song TITLE` notes one."),
        )  # fmt: skip

    def arm(self, channel: int, track: str, singers: Sequence[str] = ()) -> Armed:
        """Record that channel of the input from now on, as `track`, sung by `singers` (ids)."""
        if not 1 <= channel <= MOST_CHANNELS:
            raise VocalError(
                _("Channels are counted from 1 to {most}, not {channel}.").format(most=MOST_CHANNELS, channel=channel)
            )
        named = _must_say(track)

        def make(state: SessionState) -> Armed:
            if stranger := next((singer for singer in singers if singer not in state.singers), None):
                raise VocalError(_("No singer is called {name} here.").format(name=stranger))
            twin = next((other for other in state.tracks.values() if slug_equal(other.name, named)), None)
            if twin and twin.channel != channel:
                raise VocalError(
                    _("Channel {channel} is called {track} already; give this one another name.").format(
                        channel=twin.channel, track=twin.name
                    )
                )
            return Armed(channel=channel, track=named, singers=tuple(singers))

        return self._one(make)

    def disarm(self, channel: int) -> Armed:
        """Record that channel no more."""
        return self._one(lambda _state: Armed(channel=channel))

    def device(self, input_: str = "", channels: int = 0, output: str | None = None) -> Device:
        """Remember what is recorded from and played to."""
        return self._one(lambda _state: Device(input=input_, channels=channels, output=output))

    def note(self, text: str) -> Note:
        """Remember something of the session."""
        return self._one(lambda _state: Note(text=_must_say(text)))

    # ── takes ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, *, song: str = "", punch: Span | None = None, loop: Span | None = None, backing: str = "") -> Take:
        """Give a take its number, with what is armed now. VocalError where nothing is.

        Only whoever has the recorder of this session may ask, for the passes of a loop are numbered by that.
        """

        def make(state: SessionState) -> TakeBegun:
            if not state.tracks:
                raise VocalError(
                    _("No track is armed; `studio vocal arm 1=NAME` says which input is recorded, and as what.")
                )
            return TakeBegun(
                number=max([0, *state.takes, *numbers_in(self.folder)]) + 1,
                song=song,
                tracks=tuple(state.tracks.values()),
                rate=state.rate,
                punch=punch,
                loop=loop,
                backing=backing,
            )

        number = self._one(make).number
        return self.state.takes[number]

    def started(self, told: TakeStarted, like: Take) -> Take:
        """Note that the first sample of a take is written; `like` is the one that `begin` gave, of a loop the first."""

        def make(state: SessionState) -> list[AnyEntry]:
            written = tuple(track.channel for track in told.tracks)
            runs = TakeRuns(
                at=datetime.fromisoformat(told.at),
                number=told.number,
                file=told.path,
                first_frame=told.first_frame,
                offset=told.backing_offset,
                channels=() if len(written) == len(like.tracks) else written,
            )
            if told.number in state.takes:
                return [runs]
            begun = TakeBegun(
                number=told.number,
                song=like.song,
                tracks=like.tracks,
                rate=told.rate,
                punch=like.punch,
                loop=like.loop,
                turn=told.number - like.number + 1,
                backing=like.backing,
            )
            return [begun, runs]

        return self._lines.append(make).takes[told.number]

    def ended(self, told: TakeEnded) -> Take | None:
        """Note that a take is over; one that is over already stays as it is. `None`: there is no such take."""

        def make(state: SessionState) -> list[AnyEntry]:
            take = state.takes.get(told.number)
            if take is None or take.ended is not None:
                return []
            return [Taken(number=told.number, frames=told.frames, ended=told.ended, lost=told.lost)]

        return self._lines.append(make).takes.get(told.number)

    def mend(self) -> tuple[str, ...]:
        """Close takes whose recorder died, as `open` does; say which."""
        self.refresh()
        said = _mend.mended(self.folder, self._lines)
        self._lines.said += said
        return tuple(said)

    def keep(self, number: int, *, keeper: bool = True, stars: int | None = None) -> Take:
        """Say what a take is worth; `stars` 0 to 5, `None` leaves them."""
        if stars is not None and not 0 <= stars <= MOST_STARS:
            raise VocalError(_("A take has 0 to {most} stars, not {stars}.").format(most=MOST_STARS, stars=stars))

        def make(state: SessionState) -> Kept:
            take = _take(state, number)
            if keeper and take.ended is not None and not take.frames:
                raise VocalError(_("Take {number} holds no sound; keep another one.").format(number=number))
            return Kept(number=number, keeper=keeper, stars=stars)

        self._one(make)
        return self.state.takes[number]

    def comment(self, number: int, seconds: float, text: str) -> Take:
        """Say something about a moment of a take, in seconds since its first sample."""
        said = _must_say(text)

        def make(state: SessionState) -> Comment:
            take = _take(state, number)
            if not seconds >= 0 or not math.isfinite(seconds) or (take.ended is not None and seconds > take.seconds):
                raise VocalError(
                    _("Take {number} is {seconds} s long; choose a moment in it.").format(
                        number=number, seconds=decimal(take.seconds, ".1f")
                    )
                )
            return Comment(number=number, seconds=round(seconds, 3), text=said)

        self._one(make)
        return self.state.takes[number]

    def comp(self, pieces: Sequence[Piece], *, crossfade: float = 0.02, title: str = "", number: int = 0) -> Comp:
        """Make one of keepers, or another one in the place of comp `number`."""

        def make(state: SessionState) -> Comp:
            if number and number not in state.comps:
                raise VocalError(_("There is no comp {number}.").format(number=number))
            song = _keep.song_of(state, pieces, crossfade)
            return Comp(
                number=number or max(state.comps, default=0) + 1,
                song=song,
                pieces=tuple(pieces),
                crossfade=crossfade,
                title=title.strip(),
            )

        return self._one(make)

    # ── what was found, and what left ─────────────────────────────────────────────────────────────────────────────────

    def measured(self, frames: float, spread: float = 0.0) -> Latency:
        """Note how long it takes from output to input."""
        return self._one(lambda _state: Latency(frames=frames, spread=spread))

    def level(self, channel: int, verdict: str, detail: str = "") -> Level:
        """Note what the level assistant found."""
        return self._one(lambda _state: Level(channel=channel, verdict=verdict, detail=detail))

    def exported(self, entry: Exported) -> Exported:
        """Note what left."""
        return self._one(lambda _state: entry)

    def _one(self, make: Callable[[SessionState], Made]) -> Made:
        made: list[Made] = []

        def lines(state: SessionState) -> list[AnyEntry]:
            made[:] = [make(state)]
            return [*made]

        self._lines.append(lines)
        return made[0]


def in_folder(folder: Path) -> bool:
    """Whether there is a session in `folder`."""
    return (folder / FILE).is_file()


def numbers_in(folder: Path) -> list[int]:
    """Return the numbers of the takes that have a file."""
    try:
        names = [path.name for path in (folder / TAKES).iterdir()]
    except OSError:
        return []
    return sorted({int(named[1]) for name in names if (named := re.match(r"(\d+)\.(?:wav|flac|marks)", name))})


def slug_equal(one: str, other: str) -> bool:
    """Whether two names are the same to people."""
    return _names.slug(one) == _names.slug(other)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # what a disk from elsewhere brings: bytes that are no UTF-8
        return False
    return True


def _named(word: str, things: Mapping[str, Thing]) -> Thing | None:
    if word in things:
        return things[word]
    return next((thing for thing in things.values() if slug_equal(_title(thing), word)), None)


def _title(thing: Singer | Song) -> str:
    return thing.title if isinstance(thing, Song) else thing.name


def _take(state: SessionState, number: int) -> Take:
    if number not in state.takes:
        raise VocalError(_("There is no take {number} in this session.").format(number=number))
    return state.takes[number]


def _must_say(text: str) -> str:
    if not text.strip():
        raise VocalError(_("A name, a title or a word is missing."))
    return " ".join(text.split())
