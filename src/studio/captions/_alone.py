"""Captions without a show: sound from anywhere, words into files, no relay, no picture.

A thread reads the sound and hands it to the ears; the caller's thread listens. What a viewer could see is told as
`View`s, the same that the events file holds.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from studio.captions._paper import View
from studio.subtitles import Composer
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from studio.captions._paper import Paper
    from studio.captions._worker import Ears
    from studio.media import Sound
    from studio.sound import AudioChunk
    from studio.speech import Hearing
    from studio.spoken import Cue, Word
    from studio.subtitles import Corrector, Rules

UNHURRIED = Ms(60_000)
"""Nothing airs: a cue closes when what follows is known, not when its moment comes."""
LOOK = 0.02
"""Seconds between two looks for new sound, when all that came has been listened to."""


@dataclass(frozen=True, slots=True)
class Heeded:
    """What came of it."""

    words: int
    cues: int
    heard: Ms
    """Length of the sound."""


class _RealClock:
    """Begins when it is first asked to."""

    def __init__(self) -> None:
        self._began: float | None = None

    def begin(self, before: float = 0.0) -> None:
        """Begin, `before` seconds ago, unless it has."""
        if self._began is None:
            self._began = time.perf_counter() - before

    @property
    def now(self) -> float:
        """Seconds since it began."""
        return 0.0 if self._began is None else time.perf_counter() - self._began


class Alone:
    """One run. `run` it in the thread that may compute; `stop` it from any thread or a signal's handler."""

    def __init__(
        self,
        sound: Sound,
        ears: Ears,
        paper: Paper,
        rules: Rules,
        see: Callable[[View], None],
        *,
        fast: bool = False,
        seconds: float | None = None,
        looks: bool = False,
        corrector: Corrector | None = None,
        mask: Corrector | None = None,
    ) -> None:
        """Listen to `sound` with `ears`; `see` is shown every view after it was written.

        With `fast` a file is heard as quickly as the ears can, and the clock is that of a machine on which each step
        lasts as long as it really took. `seconds` is where the sound ends at the latest. `looks`: the ears look at what
        they settled a second time, and subtitles wait for that. `corrector` puts names right before they stand in cues.
        `mask` changes single words before anybody sees them, in views too.
        """
        self._sound = sound
        self._ears = ears
        self._paper = paper
        self._see = see
        self._fast = fast and not sound.live
        self._limit = None if seconds is None else Ms(round(seconds * 1000))
        self._looks = looks
        self._corrector = corrector
        self._mask = mask
        self._uncorrected: list[Word] = []
        self._composer = Composer(rules, UNHURRIED)
        self._stopping = threading.Event()
        self._came = threading.Event()
        self._ended = False
        self._failed: Exception | None = None
        self._clock = _RealClock()
        self._position = Ms(0)
        self._words = 0
        self._cues = 0
        self._waiting: list[Word] = []

    def stop(self) -> None:
        """Hear no more; settle what was heard."""
        self._stopping.set()
        self._sound.stop()
        # and no `_came.set()`: the thread that a signal interrupts may hold its lock; it looks again by itself

    def run(self) -> Heeded:
        """Listen to the end. Raises StudioError where the sound could not be had; the files are whole even then."""
        try:
            if self._fast:
                self._run_fast()
            else:
                self._run_real()
        finally:
            self._stopping.set()
            self._sound.stop()
            try:
                if (
                    self._waiting
                ):  # a second Ctrl-C cut the last look short: what is in the journal stands in the files, too
                    left, self._waiting = self._waiting, []
                    self._show(self._composer.settle(self._correct(left, pause=True)))
                self._show(self._composer.finish())
            finally:
                self._paper.finish(heard=self._position > 0)
        if self._failed is not None:
            raise self._failed
        return Heeded(self._words, self._cues, self._position)

    def _chunks(self) -> Iterator[AudioChunk]:
        for chunk in self._sound.chunks():
            if self._stopping.is_set() or (self._limit is not None and chunk.start >= self._limit):
                break
            yield chunk

    # ── on the real clock ─────────────────────────────────────────────────────────────────────────────────────────────

    def _run_real(self) -> None:
        reader = threading.Thread(target=self._read, name="sound", daemon=True)
        reader.start()
        while not self._ended and not self._stopping.is_set():
            if not self._step():
                self._came.wait(LOOK)
                self._came.clear()
        self._take(self._ears.finish(), self._clock.now, last=True)

    def _read(self) -> None:
        """Hand the sound to the ears when it was spoken."""
        try:
            for chunk in self._chunks():
                self._clock.begin((chunk.end - chunk.start) / 1000 if self._sound.live else 0.0)
                while not self._sound.live and (early := chunk.end / 1000 - self._clock.now) > 0:
                    if self._stopping.wait(early):
                        return
                self._ears.hear(chunk)
                self._position = chunk.end
                self._came.set()
        except Exception as problem:  # noqa: BLE001 - the thread that listens raises it
            self._failed = problem
        finally:
            self._sound.stop()
            self._ended = True
            self._came.set()

    def _step(self) -> bool:
        hearing = self._ears.step()
        if hearing is None:
            return False
        self._take(hearing, self._clock.now)
        return True

    # ── as fast as it goes ────────────────────────────────────────────────────────────────────────────────────────────

    def _run_fast(self) -> None:
        now = 0.0
        coming = iter(self._chunks())
        following = next(coming, None)
        while following is not None and not self._stopping.is_set():
            while following is not None and following.end / 1000 <= now + 1e-6:
                self._ears.hear(following)
                self._position = following.end
                following = next(coming, None)
            began = time.perf_counter()
            hearing = self._ears.step() if following is not None else None
            now += time.perf_counter() - began
            if hearing is not None:
                self._take(hearing, now)
            elif following is not None:
                now = max(now, following.end / 1000)
        began = time.perf_counter()
        hearing = self._ears.finish()
        self._take(hearing, now + time.perf_counter() - began, last=True)

    # ── what was heard ────────────────────────────────────────────────────────────────────────────────────────────────

    def _take(self, hearing: Hearing, at: float, *, last: bool = False) -> None:
        quiet = hearing.quiet_since is not None
        settled = tuple(replace(word, text=self._masked(word.text)) for word in hearing.settled)
        tentative = " ".join(map(self._masked, hearing.tentative.split()))
        view = View(at, settled, tentative, hearing.behind, quiet or last, self._position)
        self._words += len(hearing.settled)
        self._paper.see(view)
        self._see(view)
        self._show(self._composer.settle(self._correct(self._final(hearing, last=last), pause=quiet or last)))
        if quiet and not hearing.tentative and not self._waiting:
            heard = Ms(self._position - hearing.behind - 1000)
            self._show(self._composer.due(heard, hearing.quiet_since, heard))

    def _masked(self, text: str) -> str:
        return text if self._mask is None else self._mask.correct([text])[0] or text

    def _final(self, hearing: Hearing, *, last: bool) -> list[Word]:
        """Words as the subtitles shall have them, as far as they are known."""
        if not self._looks:
            return list(hearing.settled)
        self._waiting += hearing.settled
        final: list[Word] = []
        for revision in hearing.revisions:
            replaced = revision.upto - revision.first
            if list(revision.words) != self._waiting[:replaced]:
                masked = [replace(word, text=self._masked(word.text)) for word in revision.words]
                self._paper.revise(revision.first, revision.upto, masked)
            del self._waiting[:replaced]
            final += revision.words
        if last:
            final += self._waiting
            self._waiting = []
        return final

    def _correct(self, words: list[Word], *, pause: bool) -> list[Word]:
        """Put words right, as soon as all are known that may change what one becomes."""
        if self._corrector is None:
            return words
        self._uncorrected += words
        texts = self._corrector.correct([word.text for word in self._uncorrected])
        ready = len(texts) if pause else max(0, len(texts) - self._corrector.reach)
        while 0 < ready < len(texts) and not texts[ready]:  # a name of several words stands in the first one's place
            ready += 1
        given = [replace(word, text=text) for word, text in zip(self._uncorrected[:ready], texts, strict=False)]
        del self._uncorrected[:ready]
        return [word for word in given if word.text]

    def _show(self, cues: Sequence[Cue]) -> None:
        for cue in cues:
            self._cues += 1
            self._paper.show(cue)
