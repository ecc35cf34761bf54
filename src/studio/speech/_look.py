"""The second look: what was settled in a hurry is heard again in a wide window, once what follows is known.

The first pass hears a few seconds and must speak within one. The second one decodes up to `Tuning.wide_window` of sound
from the start, as a whole file is decoded, on another core and while the hold keeps the picture. Its words go on the
air; the hall has had the quick ones. Of two passes over the same sound only the words after those that were
looked at before are taken: where these end is found by their text, and by time where the texts differ.
"""

from __future__ import annotations

import bisect
import difflib
import itertools
import logging
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from studio.sound import SPEECH_RATE
from studio.speech._settle import Piece, average, plain
from studio.spoken import Word
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from studio.speech._intake import Block
    from studio.speech._tuning import Tuning
    from studio.speech._whisper import Whisper

logger = logging.getLogger(__name__)

LATE = Ms(130)
"""Whisper's alignment comes so much early, as measured."""
_APART = Ms(3000)
"""A window does not reach back over a longer pause."""
_BEFORE = Ms(2000)
"""So much of what was looked at before is heard again at least, however slow the machine is."""
_AT_LEAST = Ms(500)
"""A look may take so long, however short the hold is."""
_NEAR = 3
"""So many of the last words may read otherwise at the next look and the place is still found by their text."""
_REACH = Ms(800)
"""A word that begins so much after what was looked at before does not belong to it, whatever its letters."""
_ALIKE = 0.6
"""Share of letters from which a word at the border of two looks is the same word, heard twice."""
_SWALLOWED = 4
"""Where a look has less than half of so many words, or more, it has left out what was said."""
_SPELT = 3
"""So many single letters in a row are one word that the model does not know, spelt: "M. A. R. K."."""
_TOLERANCE = Ms(300)
"""A word this far from where anybody spoke was not said."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A word as the second look has it."""

    piece: Piece
    word: Word

    @property
    def middle(self) -> float:
        """On the show clock."""
        return (self.word.start + self.word.end) / 2


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """A window to be decoded."""

    sound: NDArray[np.float32]
    start: Ms
    until: Ms
    """Where the sound ends."""
    ended: bool
    """The utterance ended there: nothing that follows can change its last words."""
    language: str
    voiced: tuple[tuple[Ms, Ms], ...]
    opened: tuple[Ms, ...]
    """Where utterances begin."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a look: revise the settled words [first, upto), then settle `beyond`, which the first pass owes."""

    first: int
    upto: int
    words: tuple[Word, ...]
    beyond: tuple[Seen, ...] = ()
    """The last of `words`, where the first pass has not settled so far."""


class SecondLook:
    """Keeps the sound of the last half minute and what was settled in it.

    All but the decoding is done by the caller's thread.
    """

    def __init__(
        self, whisper: Whisper, tuning: Tuning, look: Ms, hotwords: Sequence[str], pool: Executor | None
    ) -> None:
        """Look at each word before `look` has passed since it was said; decode in the thread of `pool`, or at once."""
        self._whisper = whisper
        self._tuning = tuning
        self.deadline = look
        """So long after a word was said what was found of it is still of use."""
        self._hint = " ".join(hotwords)
        self._pool = pool
        self._tape: deque[Block] = deque()
        self._opened: deque[tuple[Ms, str]] = deque(maxlen=200)
        self._voiced: Sequence[tuple[Ms, Ms]] = ()
        self._waiting: list[Word] = []
        self._first = 0
        self._done: list[Word] = []
        self._until = Ms(-(1 << 62))
        self._tried = Ms(-(1 << 62))
        self._running: Future[list[Seen] | None] | None = None
        self._task: _Task | None = None
        self._broken = 0
        self._width = tuning.wide_window
        self._took = 0.0
        self.cost = 0.0
        """Seconds that all looks took."""

    # ── what the first pass tells ─────────────────────────────────────────────────────────────────────────────────────

    def hear(self, block: Block) -> None:
        """Keep what was heard."""
        if block.after_gap:
            self.break_off()
        self._tape.append(block)
        while block.end - self._tape[0].start > self._tuning.wide_window + self.deadline + 2000:
            self._tape.popleft()

    def open(self, start: Ms, language: str) -> None:
        """An utterance begins."""
        self._opened.append((start, language))

    def speak(self, language: str) -> None:
        """The utterance that began last is in `language`."""
        if self._opened:
            self._opened[-1] = self._opened[-1][0], language

    def settle(self, words: Sequence[Word]) -> None:
        """These are settled now."""
        self._waiting += words

    def break_off(self) -> None:
        """Sound is missing: what is settled stays as it is."""
        self._tape.clear()
        self._opened.clear()
        self._task = None
        self._broken = len(self._waiting)

    def want(self, until: Ms, language: str, voiced: Sequence[tuple[Ms, Ms]], *, quiet: bool) -> None:
        """Look at what was said up to `until`, if it is time to and no look is under way.

        `quiet`: nobody speaks there, and nothing that follows can change the last words.
        """
        self._voiced = voiced
        oldest = self._oldest()
        if self._running is not None or self._broken or oldest is None:
            return
        if not self._waiting and until - self._tried < self._tuning.look_step:
            return  # music that was taken for speech is no reason to look again and again
        age = until - oldest
        if age >= (self._tuning.look_step if quiet else self._tuning.look_step + self._tuning.ahead):
            self._begin(until, language, ended=quiet)

    def _oldest(self) -> Ms | None:
        """Begin of what was said and not looked at."""
        said = next((start for start, _language in self._opened if start >= self._until), None)
        if self._waiting:
            return min(self._waiting[0].start, said) if said is not None else self._waiting[0].start
        return said

    # ── looking ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, until: Ms, language: str, *, ended: bool) -> None:
        start = self._start(until, language)
        sound = [block.sound for block in self._tape if block.end > start and block.start < until]
        if not sound:
            return
        first = next(block.start for block in self._tape if block.end > start)
        opened = tuple(begin for begin, _language in self._opened)
        task = _Task(np.concatenate(sound), first, until, ended, language, tuple(self._voiced), opened)
        self._task = task
        self._tried = until
        if self._pool is None:
            self._running = Future()
            self._running.set_result(self._decode(task))
        else:
            self._running = self._pool.submit(self._decode, task)

    def _start(self, until: Ms, language: str) -> Ms:
        """Where the window begins: with an utterance if possible, not across a long pause or another language."""
        earliest = Ms(until - self._width)
        starts: list[Ms] = []
        for start, spoken in reversed(self._opened):
            quiet = next((end for _begin, end in reversed(self._voiced) if end <= start), None)
            if start < earliest or spoken != language:
                break
            starts.append(start)
            if quiet is None or start - quiet > _APART:
                break
        if starts:
            return starts[-1]
        return max(earliest, Ms(self._until - self._tuning.context))

    def _decode(self, task: _Task) -> list[Seen] | None:
        began = time.perf_counter()
        try:
            sound = self._whisper.encode(task.sound, self._tuning.padding)
            guess = self._whisper.follow(sound, task.language, (), self._tuning.beam, hint=self._hint)
            if guess.silence > self._tuning.most_silence and guess.logprob < self._tuning.least_logprob:
                return []
            timings = self._whisper.align(sound, task.language, guess.words)
        except Exception:
            logger.exception("the second look failed")
            return None
        finally:
            self._took = time.perf_counter() - began
            self.cost += self._took
        seen = []
        for piece, timing in zip(guess.words, timings, strict=True):
            begin, end = (
                Ms(task.start + LATE + round(sample * 1000 / SPEECH_RATE)) for sample in (timing.start, timing.end)
            )
            if piece.said:
                seen.append(Seen(piece, Word(piece.text, begin, max(begin, end), timing.confidence)))
        spoken = [one for one in seen if _was_spoken(one.word, task.voiced)]
        return _without_copies(_without_noise(spoken, task.opened, self._tuning.least_confidence))

    # ── findings ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def collect(self, now: Ms) -> list[Finding]:
        """What is known by now; `now` is how far the sound has been heard."""
        findings = []
        if self._running is not None and self._running.done():
            seen, task = self._running.result(), self._task
            self._running = None
            if task is not None:
                self._suit(task)
            if seen is not None and task is not None:
                unheard = sum(1 for word in self._waiting if (word.start + word.end) / 2 < task.start)
                if unheard:  # of another language, or of an utterance that began too long ago
                    findings.append(self._keep(unheard))
                finding = self._compare(seen, task)
                if finding is not None:
                    findings.append(finding)
            elif task is not None:  # it failed: what it should have heard stays as it is
                self._until = max(self._until, task.until)
                self._broken = len(self._waiting)
        return [*findings, *self._give_up(now)]

    def _suit(self, task: _Task) -> None:
        """Make windows as wide as this machine hears in time: what is found after a word has aired is of no use."""
        tuning = self._tuning
        needed = tuning.look_step + tuning.ahead
        in_time = max(_AT_LEAST, self.deadline - needed)
        heard = task.until - task.start + tuning.padding
        fitting = round(in_time * heard / max(1.0, self._took * 1000)) - tuning.padding
        narrowest = min(tuning.wide_window, Ms(needed + _BEFORE))
        self._width = max(narrowest, min(tuning.wide_window, Ms((self._width + fitting) // 2)))

    @property
    def busy(self) -> bool:
        """Whether a look is under way."""
        return self._running is not None

    def finish(self, voiced: Sequence[tuple[Ms, Ms]]) -> list[Finding]:
        """What is known in the end: waits for the look that runs, looks at what is left; somebody spoke in `voiced`."""
        self._voiced = voiced
        findings: list[Finding] = []
        while self._running is not None:
            self._running.result()
            findings += self.collect(Ms(-(1 << 62)))
        if self._waiting and self._tape and self._opened:
            end = self._tape[-1].end
            self._begin(end, self._opened[-1][1], ended=True)
            while self._running is not None:
                self._running.result()
                findings += self.collect(Ms(-(1 << 62)))
        findings += self._give_up(Ms(1 << 62))
        return findings

    def _compare(self, seen: list[Seen], task: _Task) -> Finding | None:
        fresh = seen[_follow(self._done, seen, self._until) :]
        fresh = [one for one in fresh if one.word.end > self._until]
        if not task.ended:
            known = Ms(task.until - self._tuning.ahead)
            while fresh and fresh[-1].word.end > known:
                fresh.pop()
            if not fresh:
                return None
        limit = task.until if task.ended else fresh[-1].word.end
        upto = next(
            (at for at, word in enumerate(self._waiting) if (word.start + word.end) / 2 > limit), len(self._waiting)
        )
        rest = seen[seen.index(fresh[-1]) + 1 :] if fresh else []
        upto = self._snap(upto, fresh, rest)
        fresh = _unspelt(fresh, self._waiting[:upto])
        if task.ended and not upto and average([one.word.confidence or 0.0 for one in fresh]) < self._tuning.sure:
            fresh = []  # the first pass, which heard it too, found nobody speaking there
        if self._has_swallowed(upto, fresh):
            return self._keep(upto) if task.ended else None
        beyond: tuple[Seen, ...] = ()
        if not task.ended and upto == len(self._waiting):
            said = self._waiting[-1].end if self._waiting else self._until
            # settled words that the look reads alike are not owed again
            known_words = self._waiting[:upto] if self._waiting else self._done[-8:]
            beyond = tuple(fresh[_follow(known_words, fresh, said) :])
        finding = Finding(self._first, self._first + upto, tuple(one.word for one in fresh), beyond)
        self._take(upto, [one.word for one in fresh], limit)
        return finding

    def _snap(self, upto: int, fresh: list[Seen], rest: list[Seen]) -> int:
        """A settled word at the border belongs where its text stands: times of two passes differ a little."""
        if not fresh:
            return upto
        last, words = fresh[-1].piece.plain, [plain(word.text) for word in self._waiting]
        if upto < len(words) and words[upto] == last and (upto == 0 or words[upto - 1] != last):
            return upto + 1
        if upto and rest and words[upto - 1] == rest[0].piece.plain and words[upto - 1] != last:
            return upto - 1
        return upto

    def _has_swallowed(self, upto: int, fresh: list[Seen]) -> bool:
        """Whether the look has left out a sentence that the first pass has heard well, as Whisper does now and then."""
        words = self._waiting[:upto]
        if upto < _SWALLOWED or 2 * len(_as_words(fresh)) >= upto:
            return False
        return sum(word.confidence or 0.0 for word in words) / upto >= self._tuning.sure

    def _give_up(self, now: Ms) -> list[Finding]:
        """Words that can wait no longer stay as they are."""
        count = sum(1 for word in self._waiting if word.end + self.deadline <= now)
        count, self._broken = min(max(count, self._broken), len(self._waiting)), 0
        return [self._keep(count)] if count else []

    def _keep(self, count: int) -> Finding:
        """Let the first `count` of the words that wait stay as they are."""
        words = self._waiting[:count]
        finding = Finding(self._first, self._first + count, tuple(words))
        self._take(count, words, words[-1].end)
        return finding

    def _take(self, count: int, words: Sequence[Word], limit: Ms) -> None:
        self._first += count
        del self._waiting[:count]
        self._done = [*self._done[-40:], *words]
        self._until = max(self._until, limit)

    def adopted(self, count: int) -> None:
        """The first pass has settled so many words that a finding gave it, and which need no look any more."""
        self._first += count


def _follow(done: Sequence[Word], seen: Sequence[Seen], until: Ms) -> int:
    """Index in `seen` of the first word that comes after `done`, whose last word ended `until`."""
    begin = seen[0].word.start if seen else until
    old = [plain(word.text) for word in done if word.end > begin - 500]
    new = [one.piece.plain for one in seen]
    at = 0
    match = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for block in reversed(match.get_matching_blocks()):
        last = block.b + block.size - 1
        if block.size and block.a + block.size >= len(old) - _NEAR and seen[last].word.start < until + _REACH:
            at = last + 1
            break
    while at < len(seen) and seen[at].middle < until:
        at += 1
    if old and at < len(seen) and seen[at].word.start < until + _TOLERANCE and _alike(old[-1], new[at]):
        at += 1
    return at


def _as_words(seen: Sequence[Seen]) -> list[list[Seen]]:
    """`seen` in words: letters that are spelt are one, others stand alone."""
    found: list[list[Seen]] = []
    for letter, some in itertools.groupby(seen, lambda one: len(one.piece.plain) == 1 and one.piece.plain.isalpha()):
        row = list(some)
        found += [row] if letter and len(row) >= _SPELT else [[one] for one in row]
    return found


def _unspelt(fresh: Sequence[Seen], before: Sequence[Word]) -> list[Seen]:
    """`fresh`, but with the first pass's words wherever the look spelt one that these are no less sure of.

    A word that is spelt is weighed as one; words that the first pass spelt as well are no better guess.
    """
    found: list[Seen] = []
    for row in _as_words(fresh):
        begin, end = row[0].word.start, row[-1].word.end
        guess = [word for word in before if begin <= (word.start + word.end) / 2 < end] if len(row) > 1 else []
        better = guess and not all(len(plain(word.text)) <= 1 for word in guess)
        if better and average([word.confidence or 0.0 for word in guess]) >= average(
            [one.word.confidence or 0.0 for one in row]
        ):
            found += [Seen(Piece(word.text, ()), word) for word in guess]
        else:
            found += row
    return found


def _alike(one: str, other: str) -> bool:
    """Whether two passes may have meant the same word: `zigolak`, `żigolak`. A short word must be the same."""
    if min(len(one), len(other)) < _SWALLOWED:
        return False
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio() >= _ALIKE


def _was_spoken(word: Word, voiced: Sequence[tuple[Ms, Ms]]) -> bool:
    return not voiced or any(begin - _TOLERANCE < word.end and word.start < end + _TOLERANCE for begin, end in voiced)


def _without_noise(seen: list[Seen], opened: Sequence[Ms], least: float) -> list[Seen]:
    """Drop utterances, which begin at `opened`, whose words are less likely than `least` on average."""
    parts = itertools.groupby(seen, lambda one: bisect.bisect(opened, one.middle))
    utterances = [list(words) for _number, words in parts]
    return [
        one for words in utterances if average([one.word.confidence or 0.0 for one in words]) >= least for one in words
    ]


def _without_copies(seen: list[Seen]) -> list[Seen]:
    """Drop what the decoder said twice in a row though there is sound for it only once."""
    words = [one.piece.plain for one in seen]
    for size in range(min(12, len(words) // 2), 1, -1):
        for at in range(len(words) - 2 * size + 1):
            middle, end = at + size, at + 2 * size
            if words[at:middle] != words[middle:end]:
                continue
            lengths = [part[-1].word.end - part[0].word.start for part in (seen[at:middle], seen[middle:end])]
            if min(lengths) < 0.5 * max(lengths):
                keep = seen[:at] + seen[middle:] if lengths[0] < lengths[1] else seen[:middle] + seen[end:]
                return _without_copies(keep)
    return seen
