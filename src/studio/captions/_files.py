"""What a show keeps of its captions: a journal of words, a journal of cues, and two subtitle files made of it.

`captions.words.jsonl` holds a line for each word that the fast pass settled, as it heard it, `{"id", "text", "start",
"end", "confidence", "settled"}`; for what reads otherwise since, `{"revised": [...], "at"}` with a place in each item,
`{"id", "text", "by", "read", "start", "end", "confidence"}` (`text` is what airs, `read` what the ears or the second
look made of it before the glossary and people; a new place has `after` too, the place before it or null); where a
person wanted that, `"edit": {"id", "text", "by"}` stands in the same line, with a `text` of null to restore. For each
stretch of sound that nobody heard there is `{"gap_start", "gap_end"}`; now and then `{"heard"}`: up to here all was
listened to; and `{"epoch", "language"}`, which says to what show all of it belongs, by the first zero of its clock.
What `captions repair` has filled in is marked by `{"filled_start", "filled_end"}`: such captions are continued by
nobody.

`captions.jsonl` holds a line for each cue, `{"number", "start", "end", "lines", "words", "ids"}`, with the places of
the other journal that stand in it and how many of them are not empty; of two lines with one number the later is right.
A cue without lines was taken back. Times are milliseconds on the show clock.

A translation has files of the same kind, `captions.en.…`.
"""

from __future__ import annotations

import contextlib
import logging
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from studio.captions._journal import Journal, cut_torn_line, line, read_lines, refusal
from studio.captions._script import Place, Script
from studio.captions._sinks import Sink
from studio.errors import CaptionsError, SubtitlesError
from studio.language import _
from studio.spoken import Cue, Word
from studio.subtitles import VTT_HEAD, srt, vtt, write_whole
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from studio.events import Language
    from studio.units import Clock

logger = logging.getLogger(__name__)

WORDS_ENDING, CUES_ENDING, SRT_ENDING, VTT_ENDING = ".words.jsonl", ".jsonl", ".srt", ".vtt"
OTHER_ENDINGS = (CUES_ENDING, SRT_ENDING, VTT_ENDING)

MARK_EVERY = Ms(5000)
"""In silence, so often is written down how far the sound was listened to."""


@dataclass(slots=True)
class Kept:
    """What the files of a show say."""

    script: Script = field(default_factory=Script)
    """Every place where a word was settled, as it reads now."""
    settled_at: list[Ms] = field(default_factory=list)
    """When each word that the fast pass heard was settled, in the order in which that happened."""
    lateness: list[Ms] = field(default_factory=list)
    """How long after its end each of them was settled."""
    cues: list[Cue] = field(default_factory=list)
    """Every cue, in the order of their numbers."""
    places: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """Which places of the script stand in each cue, by its number."""
    heard: Ms = Ms(0)
    """Up to here nothing is left to listen to: the last word's end, or a later silence."""
    gaps: list[tuple[Ms, Ms]] = field(default_factory=list)
    """Sound that nobody heard."""
    epoch: int = 0
    """First zero of the show clock all this was said by; 0 where that was never known."""
    language: str = ""
    """What is spoken in it, `auto` or a code; empty where nobody said."""
    repaired: bool = False
    """Something was filled in after the show: cues no longer follow the order in which words were settled."""

    @property
    def words(self) -> list[Word]:
        """Every word as it reads now, in the order in which they were said; what was struck is not among them."""
        return self.script.words()

    @property
    def words_in_cues(self) -> int:
        """How many of the words stand in cues."""
        return sum(bool(self.script[id_].text) for ids in self.places.values() for id_ in ids)


def read_kept(folder: Path, track: Language = "") -> Kept:
    """Read what the show in `folder` has kept so far. Raises CaptionsError where it cannot be read."""
    kept = Kept()
    stem = _stem(track)
    try:
        for entry in read_lines(folder / f"{stem}{WORDS_ENDING}"):
            _take_word_line(kept, entry)
        numbered: dict[int, tuple[Cue, int, Sequence[int] | None]] = {}
        for entry in read_lines(folder / f"{stem}{CUES_ENDING}"):
            cue = Cue(int(entry["number"]), Ms(int(entry["start"])), Ms(int(entry["end"])), tuple(entry["lines"]))
            numbered[cue.number] = (cue, int(entry["words"]), entry.get("ids"))
        _fill_cues(kept, numbered)
    except (OSError, KeyError, TypeError, ValueError) as problem:
        raise _cannot_continue(folder, problem) from problem
    return kept


def _stem(track: Language) -> str:
    return f"captions.{track}" if track else "captions"


def _translated(folder: Path) -> list[str]:
    """What the files of the other tracks in `folder` begin with."""
    names = (path.name.removesuffix(WORDS_ENDING) for path in folder.glob(f"captions.*{WORDS_ENDING}"))
    return [name for name in names if re.fullmatch(r"captions\.[a-z]{2}", name)]


def _fill_cues(kept: Kept, numbered: Mapping[int, tuple[Cue, int, Sequence[int] | None]]) -> None:
    at = 0
    for number in sorted(numbered):
        cue, count, ids = numbered[number]
        if ids is None:  # written by a studio whose words never changed
            ids = kept.script.ids[at : at + count]
        at += len(ids)
        kept.cues.append(cue)
        kept.places[number] = tuple(id_ for id_ in ids if id_ in kept.script)  # a full disk may have kept less


def _cannot_continue(folder: Path, problem: Exception) -> CaptionsError:
    return CaptionsError(
        _("The captions in {folder} cannot be continued ({problem}); name another folder by --out").format(
            folder=folder, problem=problem
        )
    )


def _take_word_line(kept: Kept, entry: Mapping[str, Any]) -> None:
    if "text" in entry:
        word = _word(entry, "text")
        kept.script.put(Place(int(entry.get("id", kept.script.next_id)), word.text, word, word.text, "ears"))
        kept.settled_at.append(Ms(int(entry.get("settled", word.end))))
        kept.lateness.append(Ms(kept.settled_at[-1] - word.end))
        kept.heard = max(kept.heard, word.end)
    elif "revised" in entry:
        for item in entry["revised"]:
            id_ = int(item["id"])
            heard = kept.script[id_].heard if id_ in kept.script else ""
            place = Place(id_, heard, _word(item, "read"), str(item["text"]), item["by"])
            kept.script.put(place, item.get("after"), first=item.get("after", 0) is None)
    elif "gap_start" in entry:
        kept.gaps.append((Ms(int(entry["gap_start"])), Ms(int(entry["gap_end"]))))
    elif "heard" in entry:
        kept.heard = max(kept.heard, Ms(int(entry["heard"])))
    elif "epoch" in entry:
        kept.epoch = int(entry["epoch"])
        kept.language = str(entry.get("language", ""))
    elif "filled_start" in entry:
        kept.repaired = True


def _word(entry: Mapping[str, Any], text: str) -> Word:
    return Word(str(entry[text]), Ms(int(entry["start"])), Ms(int(entry["end"])), entry.get("confidence"))


class _CueFile:
    """A subtitle file that is made of the journal of cues: grows, and is written anew from a corrected cue on."""

    def __init__(
        self, path: Path, head: str, block: Callable[[Cue], str], trouble: Callable[[Path, str | None], None]
    ) -> None:
        self.journal = Journal(path, trouble)
        self._head = head
        self._block = block
        self._starts: list[int] = []
        self._end = 0
        self.stale = True
        """It does not say what the journal says, and is to be written as a whole."""

    def repair(self, cues: Sequence[Cue]) -> None:
        """Write it as a whole, if it does not say just that. Raises OSError or SubtitlesError."""
        self._starts, self._end = [], len(self._head.encode())
        whole = self._head + "".join(self._blocks(cues))
        path = self.journal.path
        said = path.read_bytes() if path.exists() else None
        if said != whole.encode():
            write_whole(path, whole)
        self.stale = False

    def append(self, cue: Cue) -> None:
        if not self.stale:
            self.journal.append("".join(self._blocks([cue])))

    def rewrite(self, cues: Sequence[Cue], index: int) -> None:
        """Follow a change of the cue at `index`."""
        if self.stale:
            return
        begin = self._end = self._starts[index]
        del self._starts[index:]
        self.stale = not self.journal.rewrite(begin, "".join(self._blocks(cues[index:])))

    def _blocks(self, cues: Sequence[Cue]) -> list[str]:
        blocks = [self._block(cue) if cue.lines else "" for cue in cues]
        for block in blocks:
            self._starts.append(self._end)
            self._end += len(block.encode())
        return blocks


class ShowFiles(Sink):
    """The sink of a show's own files. Raises CaptionsError where `folder` holds captions that cannot be read."""

    name = "files"

    def __init__(self, folder: Path, clock: Clock, trouble: Callable[[str | None], None], track: Language = "") -> None:
        """Continue what is in `folder`; `trouble` is told a sentence when the disk refuses, `None` once it does not."""
        super().__init__()
        self._clock = clock
        self._trouble = trouble
        self._failing: set[Path] = set()
        self._track = track
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for ending in (WORDS_ENDING, CUES_ENDING):
                cut_torn_line(folder / f"{_stem(track)}{ending}")
        except OSError as problem:
            logger.warning("%s", refusal(folder, problem))  # whoever writes there next says it to the user
        self._folder = folder
        self._open()

    def _open(self) -> None:
        self.kept = read_kept(self._folder, self._track)
        words, cues, srts, vtts = (
            self._folder / f"{_stem(self._track)}{ending}" for ending in (WORDS_ENDING, *OTHER_ENDINGS)
        )
        self._words, self._cues = Journal(words, self._file_trouble), Journal(cues, self._file_trouble)
        self._made = (
            _CueFile(srts, "", srt, self._file_trouble),
            _CueFile(vtts, VTT_HEAD, vtt, self._file_trouble),
        )
        self._repair()
        self._marked = self.kept.heard
        in_cues = {id_ for ids in self.kept.places.values() for id_ in ids}
        self._unused = [id_ for id_ in self.kept.script.ids if id_ not in in_cues]

    @property
    def homeless(self) -> list[Word]:
        """Words that stand in no cue yet, in their order."""
        return [self.kept.script[id_].word for id_ in self._unused]

    def belongs_to(self, epoch: int) -> bool:
        """Whether the show whose clock counted from `epoch` at first may go on with these; nothing yet is anybody's."""
        return self.kept.epoch in (0, epoch) and not self.kept.repaired

    def keep_epoch(self, epoch: int, language: str = "") -> None:
        """Keep to which show clock all this belongs, and in which language people speak."""
        if (self.kept.epoch, self.kept.language) != (epoch, language):
            self.kept.epoch, self.kept.language = epoch, language
            self._words.append(line(epoch=epoch, language=language))

    def set_aside(self, name: str | None = None) -> str:
        """Give the files of an earlier show another name and begin anew; return that name, `captions-1`.

        What was translated goes along, also where nobody translates now. `name` is what the files of another track of
        that show are called now. Raises CaptionsError where the disk will not have it.
        """
        self.close()
        number = 1
        while name is None and (self._folder / f"captions-{number}{WORDS_ENDING}").exists():
            number += 1
        name = name or f"captions-{number}"
        stems = [_stem(self._track)] if self._track else [*_translated(self._folder), _stem(self._track)]
        try:
            for stem in stems:
                for ending in (*OTHER_ENDINGS, WORDS_ENDING):  # the words last: a crash in between begins this again
                    aside = f"{name}{stem.removeprefix('captions')}{ending}"
                    with contextlib.suppress(FileNotFoundError):
                        (self._folder / f"{stem}{ending}").replace(self._folder / aside)
        except OSError as problem:
            raise _cannot_continue(self._folder, problem) from problem
        if self._failing:  # what waits for room was of that show; this one's own files say their own trouble
            self._failing.clear()
            self._trouble(None)
        self._open()
        return name

    def settle(self, words: Iterable[Word], at: Ms) -> list[int]:
        """Keep `words`, settled `at`, and return their places.

        When this returns, nothing but a power cut loses them; on a full disk, the end of the process, too.
        """
        words = list(words)
        ids = self.kept.script.settle(words)
        for id_, word in zip(ids, words, strict=True):
            self._words.append(
                line(
                    id=id_,
                    text=word.text,
                    start=word.start,
                    end=word.end,
                    confidence=word.confidence,
                    settled=at,
                )
            )
            self.kept.settled_at.append(at)
            self.kept.lateness.append(Ms(at - word.end))
            self.kept.heard = max(self.kept.heard, word.end)
        self._unused += ids
        return ids

    def revise(self, ids: Sequence[int], at: Ms, edit: Mapping[str, object] | None = None) -> None:
        """Keep how these places of the script read now, and what a person wanted, if it was one; as `settle` does."""
        if not ids and edit is None:
            return
        items = []
        for place in map(self.kept.script.__getitem__, ids):
            read = place.read
            item: dict[str, object] = {
                "id": place.id,
                "text": place.text,
                "by": place.by,
                "read": read.text,
                "start": read.start,
                "end": read.end,
                "confidence": read.confidence,
            }
            if not place.heard:
                item["after"] = self.kept.script.following(place.id, -1)
            items.append(item)
        wish = {} if edit is None else {"edit": edit}
        self._words.append(line(**wish, revised=items, at=at))

    def mark_gap(self, start: Ms, end: Ms) -> None:
        """Keep that nobody heard the sound in [start, end)."""
        self.kept.gaps.append((start, end))
        self._words.append(line(gap_start=start, gap_end=end))

    def mark_heard(self, until: Ms) -> None:
        """Keep, now and then, that up to `until` nothing is left to listen to."""
        self.kept.heard = max(self.kept.heard, until)
        if self.kept.heard - max(self._marked, self.kept.script.end or 0) >= MARK_EVERY:
            self._marked = self.kept.heard
            self._words.append(line(heard=self._marked))

    def show(self, cue: Cue, ids: Sequence[int] | None = None) -> None:
        """Keep `cue`: in the journal first, then in the subtitle files.

        `ids` are the places that stand in it; where they are not given, the next ones that stand in none.
        """
        index = next(
            (at for at in range(len(self.kept.cues) - 1, -1, -1) if self.kept.cues[at].number == cue.number), None
        )
        if ids is None:
            ids = self._use(cue) if index is None else self.kept.places[cue.number]
        else:
            self._unused = [id_ for id_ in self._unused if id_ not in ids]
        words = sum(bool(self.kept.script[id_].text) for id_ in ids)
        self._cues.append(
            line(number=cue.number, start=cue.start, end=cue.end, lines=cue.lines, words=words, ids=list(ids))
        )
        self.kept.places[cue.number] = tuple(ids)
        if index is not None:
            self.kept.cues[index] = cue
            for file in self._made:
                file.rewrite(self.kept.cues, index)
            return
        self.kept.cues.append(cue)
        for file in self._made:
            file.append(cue)
        self.late = Ms(max(0, self._clock.now() - cue.end))

    def retry(self) -> None:
        """Write what the disk refused before, if it takes it now."""
        self._repair()
        for journal in self._all():
            if journal.waiting:
                journal.retry()

    def sync(self) -> None:
        """Put everything onto the disk; may be called from another thread."""
        for journal in self._all():
            journal.sync()

    def close(self) -> None:
        """Let go of the files."""
        for journal in self._all():
            journal.close()

    def _all(self) -> tuple[Journal, ...]:
        return self._words, self._cues, *(file.journal for file in self._made)

    def _use(self, cue: Cue) -> list[int]:
        """Which of the words that stood in no cue yet stand in this one."""
        left = len(cue.text.split())
        count = 0
        while left > 0 and count < len(self._unused):
            left -= len(self.kept.script[self._unused[count]].text.split())
            count += 1
        used = self._unused[:count]
        del self._unused[:count]
        return used

    def _repair(self) -> None:
        """Make the subtitle files say what the journal says, if a crash or a full disk came between."""
        for file in self._made:
            if not file.stale:
                continue
            path = file.journal.path
            try:
                file.repair(self.kept.cues)
            except (OSError, SubtitlesError) as problem:
                self._file_trouble(path, str(problem))
            else:
                self._file_trouble(path, None)

    def _file_trouble(self, path: Path, sentence: str | None) -> None:
        """Say the first file's trouble, and that all of it is over: a full disk is one trouble, not four."""
        before = bool(self._failing)
        if sentence is None:
            self._failing.discard(path)
        else:
            self._failing.add(path)
        if bool(self._failing) != before:
            self.state, self.detail = ("degraded", sentence) if sentence is not None else ("online", "")
            self._trouble(sentence)
