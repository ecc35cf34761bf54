"""A show that was captioned live becomes a film of the library: its words, what people put right, cues composed anew.

What the recogniser of a show keeps is plain JSON lines (docs/architecture.md, *The show folder*); only what is needed
here is read, and a line that a crash tore is passed over. Words stand on the show clock: the clean recording has them
at their own times, the aired one where they aired.
"""

from __future__ import annotations

import json
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from studio import media
from studio.archive._again import merge_recognised
from studio.archive._document import Document, FilmCue, Maker
from studio.errors import ArchiveError, SubtitlesError, why
from studio.language import _
from studio.spoken import Cue, Word
from studio.subtitles import composed, profile, profile_of, read
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from studio.archive._facts import Film
    from studio.archive._library import Library
    from studio.catalogue import Catalogue

WORDS, CUES, SRT = "captions{track}.words.jsonl", "captions{track}.jsonl", "captions{track}.srt"
CLEAN = ("clean.mp4", "clean.mkv")
TRANSLATIONS = ("en",)
SKIPPED = "[…]"
"""Stands in a journal where somebody spoke and nobody could hear it."""
BY = "studio"
"""Who brings in what people and the recogniser made in a show."""


class Said(Struct, frozen=True):
    """A word of a show, as it reads in the end."""

    word: Word
    person: bool
    """A person wrote it."""


def is_show(folder: Path) -> bool:
    """Whether a show was captioned in this folder."""
    return (folder / WORDS.format(track="")).is_file()


def add_show(
    library: Library, folder: Path, catalogue: Catalogue, *, language: str = "", title: str = "", profile_name: str = ""
) -> Film:
    """Take in the recording in `folder`, and its subtitles in each language, and return it.

    `language` is what was spoken, where it is known; else the recording's own subtitle track says it. Without
    `profile_name` each language gets its own. What stands in the library of this recording already is kept: cues that
    a person has worked on there stay. Raises ArchiveError where there is no whole recording, or no captions.
    """
    recording = recording_of(folder)
    facts = media.film(recording)
    spoken = language or next((text.language for text in facts.texts if text.language not in TRANSLATIONS), "")
    if not spoken:
        raise ArchiveError(_("{file} does not say which language is spoken; add --lang.").format(file=recording))
    film = library.add(recording, length=facts.length, title=title or folder.name, language=spoken)
    for track in ("", *TRANSLATIONS):
        if not (folder / WORDS.format(track=f".{track}" if track else "")).is_file():
            continue
        code = track or spoken
        read = read_show(folder, recording, catalogue, track=track, language=code, profile_name=profile_name)
        library.texts.recognised(film.id, read, BY)
    library.set_state(film.id, "done")
    return library.film(film.id)


def recording_of(folder: Path) -> Path:
    """Return the recording that subtitles are made for: the clean one where there is one. Raises ArchiveError."""
    clean = next((folder / name for name in CLEAN if (folder / name).is_file()), None)
    found = clean or media.whole_recording(folder)
    if found is None:
        raise ArchiveError(
            _("There is no whole recording in {folder}; `studio recover` joins the parts of one.").format(folder=folder)
        )
    return found


def read_show(
    folder: Path, recording: Path, catalogue: Catalogue, *, track: str, language: str, profile_name: str = ""
) -> Document:
    """Return the subtitles of a show, composed for readers who have the time, on the clock of `recording`.

    `track` is empty for what was spoken, else the language of a translation. Words that did not air are not in an aired
    recording. A cue with a person's word is a person's, and so is one that was changed in the subtitle file afterwards.
    """
    name = profile_name or profile_of(language)
    suffix = f".{track}" if track else ""
    air = media.air_time(recording)

    def aired(start: Ms, end: Ms) -> tuple[Ms, Ms] | None:
        begins, ends = air.air(start), air.air(end)
        return (begins, ends) if ends > begins or (start == end and air.show(begins) == start) else None

    try:
        said = [
            Said(Word(each.word.text, *times, each.word.confidence), each.person)
            for each in words_of(_lines(folder / WORDS.format(track=suffix)))
            if (times := aired(each.word.start, each.word.end)) is not None
        ]
        before = list(_cues(_lines(folder / CUES.format(track=suffix))))
    except (OSError, KeyError, TypeError, ValueError) as problem:
        raise ArchiveError(
            _("The captions in {folder} cannot be read ({problem}).").format(
                folder=folder, problem=why(problem) if isinstance(problem, OSError) else problem
            )
        ) from problem
    heard = _composed(said, Document(language, name), catalogue)
    changed, struck = _by_hand(folder / SRT.format(track=suffix), before)
    hand = tuple(
        FilmCue(number, *times, cue.lines, (), "person")
        for number, cue in enumerate(changed, 1)
        if (times := aired(cue.start, cue.end)) is not None
    )
    if not hand and not struck:
        return heard
    gone = [times for cue in struck if (times := aired(cue.start, cue.end)) is not None]
    return merge_recognised(Document(language, name, hand), heard, len(hand) + 1, gone)


def _composed(said: Sequence[Said], empty: Document, catalogue: Catalogue) -> Document:
    cues: list[FilmCue] = []
    at = 0
    for one in composed([each.word for each in said], profile(empty.profile, empty.language, catalogue)):
        until = at + len(one.words)
        by: Maker = "person" if any(each.person for each in said[at:until]) else "live"
        cues.append(FilmCue(one.cue.number, one.cue.start, one.cue.end, one.cue.lines, one.words, by))
        at = until
    return Document(empty.language, empty.profile, tuple(cues))


# ── what a show keeps ─────────────────────────────────────────────────────────────────────────────────────────────────


def words_of(lines: Iterator[Mapping[str, Any]]) -> list[Said]:
    """Return every word of a journal of words as it reads in the end, in the order of time.

    Raises KeyError, TypeError or ValueError for a journal that says something else than journals say.
    """
    places: dict[int, tuple[str, Word, bool]] = {}
    order: list[int] = []
    for entry in lines:
        if "text" in entry:
            id_ = int(entry["id"]) if "id" in entry else max(places, default=-1) + 1
            _put(places, order, id_, (str(entry["text"]), _word(entry, "text"), False))
        for item in entry.get("revised", ()):
            id_ = int(item["id"])
            if id_ not in places and "after" in item:
                after = item["after"]
                order.insert(0 if after is None else order.index(after) + 1 if after in places else len(order), id_)
                places[id_] = ("", _word(item, "read"), False)
            _put(places, order, id_, (str(item["text"]), _word(item, "read"), item["by"] == "person"))
    found = [each for id_ in order for each in _parted(*places[id_])]
    return sorted(found, key=lambda each: each.word.start)  # what a repair found stands at the end


def _put(places: dict[int, tuple[str, Word, bool]], order: list[int], id_: int, place: tuple[str, Word, bool]) -> None:
    if id_ not in places:
        order.append(id_)
    places[id_] = place


def _word(entry: Mapping[str, Any], text: str) -> Word:
    confidence = entry.get("confidence")
    start, end = int(entry["start"]), int(entry["end"])
    return Word(str(entry[text]), Ms(start), Ms(max(start, end)), None if confidence is None else float(confidence))


def _parted(text: str, read: Word, person: bool) -> Iterator[Said]:  # noqa: FBT001 - a place as it is kept
    """The words of a place, which a person may have filled with several; each has its share of the time."""
    words = text.split()
    if text == SKIPPED or not words:
        return
    ends = [0, *accumulate(len(word) for word in words)]
    at = [Ms(read.start + (read.end - read.start) * end // ends[-1]) for end in ends]
    for word, start, end in zip(words, at, at[1:], strict=False):
        yield Said(Word(word, start, end, None if person else read.confidence), person)


def _cues(lines: Iterator[Mapping[str, Any]]) -> Iterator[tuple[Ms, Ms, tuple[str, ...]]]:
    """Every cue of a journal of cues as it was shown in the end."""
    last = {int(entry["number"]): entry for entry in lines}
    for _number, entry in sorted(last.items()):
        if entry["lines"]:
            yield (
                Ms(int(entry["start"])),
                Ms(int(entry["end"])),
                tuple(" ".join(line.split()) for line in entry["lines"]),
            )


def _by_hand(path: Path, before: Sequence[tuple[Ms, Ms, tuple[str, ...]]]) -> tuple[list[Cue], list[Cue]]:
    """What a person changed in the subtitle file after the show, and what they took out of it."""
    if not before or not path.is_file():
        return [], []
    try:
        now = read(path).cues
    except SubtitlesError:
        return [], []  # nobody can tell what was changed; the journal has everything
    shown = set(before)
    changed = [cue for cue in now if (cue.start, cue.end, cue.lines) not in shown]
    left = {(cue.start, cue.end, cue.lines) for cue in now}
    gone = [Cue(0, *each) for each in before if each not in left]
    return changed, gone


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    """Whole lines of a file that only grew."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    for raw in data[: data.rfind(b"\n") + 1].splitlines():
        try:
            entry = json.loads(raw)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry
