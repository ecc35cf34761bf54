"""Whether everything that a session speaks of is on the disk, whole, and may leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from studio import media
from studio.errors import MediaError
from studio.language import _, decimal, plural
from studio.vocal._entries import Singer, Song
from studio.vocal._marks import marks_of
from studio.vocal._mend import file_of, recorded_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date
    from pathlib import Path

    from studio.vocal._session import Session
    from studio.vocal._state import SessionState, Take

What = Literal["session", "missing", "unreadable", "length", "dropout", "ended", "consent", "singer", "open", "empty"]
NOTES = frozenset({"singer", "open", "empty"})
"""What somebody should know, and yet nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that somebody should know."""

    what: What
    sentence: str
    take: int | None = None
    """`None`: the session as a whole is meant."""

    @property
    def wrong(self) -> bool:
        """Whether it is more than a note."""
        return self.what not in NOTES


def check(session: Session, day: date, progress: Callable[[int, int], None] | None = None) -> list[Finding]:
    """Read every file of a session to its end; consent is asked for on `day`.

    `progress` is told how many takes are done, of how many.
    """
    state = session.refresh()
    found = [Finding("session", sentence) for sentence in session.said]
    found += _files(session.folder, state)
    busy = recorded_now(session.folder)
    for done, take in enumerate(state.takes.values()):
        if progress:
            progress(done, len(state.takes))
        if take.ended is None:
            found += [Finding("open", _open(take, busy=busy), take.number)]
        else:
            found += _of_take(session.folder, take)
    return found + list(_consents(state, day))


def _open(take: Take, *, busy: bool) -> str:
    sentence = _("Take {number} is being recorded.") if busy else _("Take {number} is not closed; open the session.")
    return sentence.format(number=take.number)


def _files(folder: Path, state: SessionState) -> Iterator[Finding]:
    for song in state.songs.values():
        for file in _named_by(song):
            if not (folder / file).is_file():
                yield Finding(
                    "missing", _("{file} of “{song}” is not there; was it moved?").format(file=file, song=song.title)
                )


def _named_by(song: Song) -> list[str]:
    return [file for file in (song.backing, song.melody) if file]


def _of_take(folder: Path, take: Take) -> Iterator[Finding]:
    if take.absent:
        names = ", ".join(track.name for track in take.absent)
        sentence = _("Take {number} lacks {tracks}: the input had no such channel.")
        yield Finding("missing", sentence.format(number=take.number, tracks=names), take.number)
    path = file_of(folder, take)
    if path is None:
        if take.frames or take.file:
            yield Finding(
                "missing", _("The file of take {number} is not there.").format(number=take.number), take.number
            )
        else:
            yield Finding("empty", _("Take {number} holds no sound.").format(number=take.number), take.number)
        return
    try:
        facts = media.take_facts(path, through=True)
    except MediaError as problem:
        yield Finding("unreadable", str(problem), take.number)
        return
    if facts.frames != take.frames:
        yield Finding("length", _length(take, facts.frames), take.number)
    if (facts.rate, facts.channels) != (take.rate, len(take.tracks)):
        sentence = _("Take {number} has {channels} channels at {rate} Hz in its file, which is not what was armed.")
        yield Finding(
            "length", sentence.format(number=take.number, channels=facts.channels, rate=facts.rate), take.number
        )
    yield from _marked(path, take)


def _length(take: Take, frames: int) -> str:
    return _("The file of take {number} is {found} s long, but {noted} s were recorded.").format(
        number=take.number, found=decimal(frames / take.rate, ".2f"), noted=decimal(take.frames / take.rate, ".2f")
    )


def _marked(path: Path, take: Take) -> Iterator[Finding]:
    marks = marks_of(path)
    for lost in marks.lost:
        sentence = _("Take {number} lacks {ms:.0f} ms at {at} s; they are silent.").format(
            number=take.number, ms=lost.frames / take.rate * 1000, at=decimal(lost.frame / take.rate, ".2f")
        )
        yield Finding("dropout", sentence, take.number)
    if marks.frames > take.frames:
        yield Finding("length", _length(take, marks.frames), take.number)
    if not take.well:
        reason = (take.ended or "").rstrip(".")
        yield Finding(
            "ended", _("Take {number} was cut off: {reason}.").format(number=take.number, reason=reason), take.number
        )


def _consents(state: SessionState, day: date) -> Iterator[Finding]:
    sung: dict[str, list[int]] = {}
    nameless: dict[tuple[str, ...], list[int]] = {}
    for take in state.takes.values():
        if not take.frames:
            continue
        for singer in take.singers:
            sung.setdefault(singer, []).append(take.number)
        if names := tuple(track.name for track in take.tracks if not track.singers):
            nameless.setdefault(names, []).append(take.number)
    for names, takes in nameless.items():
        sentence = plural(
            "Nobody is named for {tracks} in take {takes}, so no consent can be asked for.",
            "Nobody is named for {tracks} in the takes {takes}, so no consent can be asked for.",
            len(takes),
        )
        told = sentence.format(tracks=", ".join(names), takes=", ".join(map(str, takes)))
        yield Finding("singer", told)
    for singer, takes in sung.items():
        who = state.singers.get(singer) or Singer(id=singer, name=singer, child=True)
        if not who.permits(day):
            sentence = plural(
                "{name} sings in take {takes}, and no consent for that day is noted; it may not leave.",
                "{name} sings in the takes {takes}, and no consent for that day is noted; they may not leave.",
                len(takes),
            )
            yield Finding("consent", sentence.format(name=who.name, takes=", ".join(map(str, takes))))
