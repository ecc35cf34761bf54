"""What a show keeps of its captions: a journal of words, a journal of cues, and two subtitle files made of it.

`captions.words.jsonl` holds a line for each settled word, `{"text", "start", "end", "confidence", "settled"}`; for each
stretch of sound that nobody heard, `{"gap_start", "gap_end"}`; now and then `{"heard"}`: up to here all was listened
to; and `{"epoch"}`, which says to what show clock all of it belongs. `captions.jsonl` holds a line for each cue,
`{"number", "start", "end", "lines", "words"}`, with the number of words of the other journal that stand in it; of two
lines with one number the later is right. Times are milliseconds on the show clock.
"""

from __future__ import annotations

import contextlib
import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from studio.captions._journal import Journal, cut_torn_line, read_lines, refusal
from studio.errors import CaptionsError, SubtitlesError
from studio.language import _
from studio.spoken import Cue, Word
from studio.subtitles import VTT_HEAD, srt, vtt, write_whole
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from studio.units import Clock

logger = logging.getLogger(__name__)

WORDS_ENDING, OTHER_ENDINGS = ".words.jsonl", (".jsonl", ".srt", ".vtt")
WORDS, CUES, SRT, VTT = (f"captions{ending}" for ending in (WORDS_ENDING, *OTHER_ENDINGS))

MARK_EVERY = Ms(5000)
"""In silence, so often is written down how far the sound was listened to."""


@dataclass(slots=True)
class Kept:
    """What the files of a show say."""

    words: list[Word] = field(default_factory=list)
    """Every settled word, in order."""
    settled_at: list[Ms] = field(default_factory=list)
    """When each of them was settled."""
    cues: list[Cue] = field(default_factory=list)
    """Every cue, in the order of their numbers."""
    words_in_cues: int = 0
    """So many of the words, from the first on, stand in cues."""
    heard: Ms = Ms(0)
    """Up to here nothing is left to listen to: the last word's end, or a later silence."""
    gaps: list[tuple[Ms, Ms]] = field(default_factory=list)
    """Sound that nobody heard."""
    epoch: int = 0
    """Zero of the show clock all this was said by; 0 where that was never known."""


def read_kept(folder: Path) -> Kept:
    """Read what the show in `folder` has kept so far. Raises CaptionsError where it cannot be read."""
    kept = Kept()
    try:
        for entry in read_lines(folder / WORDS):
            _take_word_line(kept, entry)
        numbered: dict[int, tuple[Cue, int]] = {}
        for entry in read_lines(folder / CUES):
            cue = Cue(int(entry["number"]), Ms(int(entry["start"])), Ms(int(entry["end"])), tuple(entry["lines"]))
            numbered[cue.number] = (cue, int(entry["words"]))
    except (OSError, KeyError, TypeError, ValueError) as problem:
        raise _cannot_continue(folder, problem) from problem
    for number in sorted(numbered):
        cue, words = numbered[number]
        kept.cues.append(cue)
        kept.words_in_cues += words
    return kept


def _cannot_continue(folder: Path, problem: Exception) -> CaptionsError:
    return CaptionsError(
        _("The captions in {folder} cannot be continued ({problem}); name another folder by --out").format(
            folder=folder, problem=problem
        )
    )


def _take_word_line(kept: Kept, entry: Mapping[str, Any]) -> None:
    if "text" in entry:
        word = Word(str(entry["text"]), Ms(int(entry["start"])), Ms(int(entry["end"])), entry.get("confidence"))
        kept.words.append(word)
        kept.settled_at.append(Ms(int(entry.get("settled", word.end))))
        kept.heard = max(kept.heard, word.end)
    elif "gap_start" in entry:
        kept.gaps.append((Ms(int(entry["gap_start"])), Ms(int(entry["gap_end"]))))
    elif "heard" in entry:
        kept.heard = max(kept.heard, Ms(int(entry["heard"])))
    elif "epoch" in entry:
        kept.epoch = int(entry["epoch"])


class ShowFiles:
    """The sink of a show's own files. Raises CaptionsError where `folder` holds captions that cannot be read."""

    name = "files"

    def __init__(self, folder: Path, clock: Clock, trouble: Callable[[str | None], None]) -> None:
        """Continue what is in `folder`; `trouble` is told a sentence when the disk refuses, `None` once it does not."""
        self._clock = clock
        self._trouble = trouble
        self._failing: set[Path] = set()
        self.late: Ms | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name in (WORDS, CUES):
                cut_torn_line(folder / name)
        except OSError as problem:
            logger.warning("%s", refusal(folder, problem))  # whoever writes there next says it to the user
        self._folder = folder
        self._open()

    def _open(self) -> None:
        self.kept = read_kept(self._folder)
        self._words, self._cues, self._srt, self._vtt = (
            Journal(self._folder / name, self._file_trouble) for name in (WORDS, CUES, SRT, VTT)
        )
        self._stale = {self._srt, self._vtt}
        self._repair()
        self._marked = self.kept.heard
        self._unused = self.kept.words[self.kept.words_in_cues :]

    def belongs_to(self, epoch: int) -> bool:
        """Whether these are captions of the show whose clock counts from `epoch`; nothing yet is anybody's."""
        return self.kept.epoch in (0, epoch)

    def keep_epoch(self, epoch: int) -> None:
        """Keep to which show clock all this belongs."""
        if self.kept.epoch != epoch:
            self.kept.epoch = epoch
            self._words.append(_line(epoch=epoch))

    def set_aside(self) -> str:
        """Give the files of an earlier show another name and begin anew; return that name, `captions-1`.

        Raises CaptionsError where the disk will not have it.
        """
        self.close()
        number = 1
        while (self._folder / f"captions-{number}{WORDS_ENDING}").exists():
            number += 1
        try:
            for ending in (*OTHER_ENDINGS, WORDS_ENDING):  # the words last: a crash in between begins this again
                with contextlib.suppress(FileNotFoundError):
                    (self._folder / f"captions{ending}").replace(self._folder / f"captions-{number}{ending}")
        except OSError as problem:
            raise _cannot_continue(self._folder, problem) from problem
        if self._failing:  # what waits for room was of that show; this one's own files say their own trouble
            self._failing.clear()
            self._trouble(None)
        self._open()
        return f"captions-{number}"

    def settle(self, words: Iterable[Word], at: Ms) -> None:
        """Keep `words`, settled `at`; when this returns, nothing but a power cut loses them."""
        for word in words:
            self._words.append(
                _line(text=word.text, start=word.start, end=word.end, confidence=word.confidence, settled=at)
            )
            self.kept.words.append(word)
            self.kept.settled_at.append(at)
            self.kept.heard = max(self.kept.heard, word.end)
            self._unused.append(word)

    def mark_gap(self, start: Ms, end: Ms) -> None:
        """Keep that nobody heard the sound in [start, end)."""
        self.kept.gaps.append((start, end))
        self._words.append(_line(gap_start=start, gap_end=end))

    def mark_heard(self, until: Ms) -> None:
        """Keep, now and then, that up to `until` nothing is left to listen to."""
        self.kept.heard = max(self.kept.heard, until)
        if self.kept.heard - max(self._marked, self.kept.words[-1].end if self.kept.words else 0) >= MARK_EVERY:
            self._marked = self.kept.heard
            self._words.append(_line(heard=self._marked))

    def show(self, cue: Cue) -> None:
        """Keep `cue`: in the journal first, then in the subtitle files."""
        words = self._use(cue)
        self._cues.append(_line(number=cue.number, start=cue.start, end=cue.end, lines=cue.lines, words=words))
        self.kept.cues.append(cue)
        self.kept.words_in_cues += words
        for journal, block in ((self._srt, srt(cue)), (self._vtt, vtt(cue))):
            if journal not in self._stale:
                journal.append(block)
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
        return self._words, self._cues, self._srt, self._vtt

    def _use(self, cue: Cue) -> int:
        """How many of the words that stood in no cue yet stand in this one."""
        left = len(cue.text.split())
        count = 0
        while left > 0 and count < len(self._unused):
            left -= len(self._unused[count].text.split())
            count += 1
        del self._unused[:count]
        return count

    def _repair(self) -> None:
        """Make the subtitle files say what the journal says, if a crash or a full disk came between."""
        if not self._stale:
            return
        wholes = {self._srt: "".join(map(srt, self.kept.cues)), self._vtt: VTT_HEAD + "".join(map(vtt, self.kept.cues))}
        for journal in list(self._stale):
            try:
                said = journal.path.read_bytes() if journal.path.exists() else None
                if said != wholes[journal].encode():
                    write_whole(journal.path, wholes[journal])
            except (OSError, SubtitlesError) as problem:
                self._file_trouble(journal.path, str(problem))
            else:
                self._stale.discard(journal)
                self._file_trouble(journal.path, None)

    def _file_trouble(self, path: Path, sentence: str | None) -> None:
        """Say the first file's trouble, and that all of it is over: a full disk is one trouble, not four."""
        before = bool(self._failing)
        if sentence is None:
            self._failing.discard(path)
        else:
            self._failing.add(path)
        if bool(self._failing) != before:
            self._trouble(sentence)


def _line(**entry: object) -> str:
    return json.dumps(entry, ensure_ascii=False) + "\n"
