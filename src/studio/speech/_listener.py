"""From sound to words while it is spoken.

Each pass encodes the running utterance (and a little of what was said before), gives Whisper the settled words and lets
it guess what follows. What two passes in a row guess alike is settled. At a pause the rest is decoded once more with
care, and all of it is settled. What is settled stays; the second look (`_look`) says how it shall read on the air.
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studio.errors import SpeechError
from studio.language import _
from studio.sound import SPEECH_RATE
from studio.speech._intake import Block, Intake
from studio.speech._look import LATE, SecondLook, Seen
from studio.speech._settle import Piece, agreed, average, continues, cut_copy, shown
from studio.speech._translate import Translator
from studio.speech._vad import BLOCK, EndPointer, blocks
from studio.speech._whisper import Encoded, Guess, Timing, Whisper
from studio.speech._window import View, Window
from studio.spoken import Word
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from studio.sound import AudioChunk
    from studio.speech._tuning import Tuning

SKIPPED = "[…]"
"""Stands for sound that nobody had time to listen to."""

_LEFT = Ms(700)
"""After skipping, so much sound waits."""
_TOO_SLOW = 0.6
"""Seconds that a second of speech costs, from which what waits will not be caught up with in a few seconds."""
_LONGEST = Ms(10_000)
"""An utterance in which nothing could be settled for so long is ended: with its context and padding it
must fit into the 30 s that Whisper hears."""
_FORGOTTEN = 0.8
"""What is left, after each pass that was short of time, of the time that one with care is believed to take."""
_SURE = 0.7
"""Share from which another language than the last utterance's is believed."""


@dataclass(frozen=True, slots=True)
class Revision:
    """What the second look, which has heard what follows, makes of words that were settled in a hurry."""

    first: int
    """The words settled by this listener from this one on, counting from 0 …"""
    upto: int
    """… up to but without this one; the same as `first` where something was said between two words."""
    words: tuple[Word, ...]
    """What they are, or stay."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """What one step brought."""

    settled: tuple[Word, ...]
    """Words that will not change any more, in order, each given once; times are on the show clock."""
    tentative: str
    """What is likely to follow; replaced by the next hearing."""
    behind: Ms
    """Sound that was heard and not listened to yet."""
    quiet_since: Ms | None
    """When the speaker fell silent; `None` while somebody speaks, or before anybody did."""
    speaking: bool = False
    """Somebody speaks, or seems to: of the newest sound something may still be settled."""
    revisions: tuple[Revision, ...] = ()
    """What the second look says, in order and without holes: each settled word is looked at once."""
    translated: tuple[Word, ...] = ()
    """What was said, in English, where that is asked for and there is time; times are rough."""
    skipped: Ms = Ms(0)
    """Sound that nobody had time for so far."""
    hurried: bool = False
    """This step listened with less context and care than it would have with more time."""


@dataclass(frozen=True, slots=True, eq=False)
class _Decoded:
    """What a pass was given, as the encoder saw it."""

    view: View
    sound: Encoded
    known: int
    """How many words of the utterance were settled before."""
    until: Ms
    """Where its sound ends on the show clock."""


class Listener:
    """Hears sound, gives words. `hear` may be called from another thread than `step` and `finish`."""

    def __init__(
        self,
        model: Path,
        language: str,
        tuning: Tuning,
        threads: int = 1,
        *,
        look: Ms | None = None,
        translate: bool = False,
        hotwords: Sequence[str] = (),
        aside: bool = True,
        meter: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Load the model in the folder `model`, which takes about a second; SpeechError where it cannot be.

        `language` is a code Whisper knows, or `auto`: then each utterance is in one of `tuning.languages`. With `look`,
        each settled word is looked at once more before so much time has passed since it was said; `None`: never.
        `translate`: into English too, when there is time. `hotwords` are names that the second look shall know.
        `threads` is what one pass may use; the second look and the translation use as many again, in a thread of their
        own unless `aside` is false. `meter` reads seconds; it measures what a step costs, and with a clock that stands
        still, and nothing done aside, a run can be repeated exactly.
        """
        self._tuning = tuning
        self._meter = meter
        workers = 1 if look is None and not translate else 2
        self._whisper = Whisper(model, threads=threads, compute=tuning.compute, device=tuning.device, workers=workers)
        self._pool = ThreadPoolExecutor(1, "aside") if aside and workers > 1 else None
        self._look = None if look is None else SecondLook(self._whisper, tuning, look, hotwords, self._pool)
        self._translator = Translator(self._whisper, tuning, self._pool) if translate else None
        self._auto = language == "auto"
        for code in tuning.languages if self._auto else (language,):
            if not self._whisper.speaks(code):
                raise SpeechError(
                    _(
                        "The speech model does not know the language {code}; take another one: studio models list"
                    ).format(code=code)
                )
        self._language = tuning.languages[0] if self._auto else language
        self._intake = Intake()
        self._pointer = EndPointer(tuning)
        self._window = Window()
        self._lead: deque[Block] = deque(maxlen=blocks(tuning.lead))
        self._voiced: deque[tuple[Ms, Ms]] = deque(maxlen=200)
        self._guess: list[Piece] | None = None
        self._draft: tuple[_Decoded, list[Piece]] | None = None
        self._tentative = ""
        self._fresh = 0
        self._passed = Ms(0)
        self._step = tuning.step
        self._cost = 0.0
        self._wide = tuning.wide
        self._careful = 0.0
        self._quiet_since: Ms | None = None
        self._spoken_until = Ms(-(1 << 62))
        self._heard = Ms(-(1 << 62))
        self._skipped = Ms(0)
        # The first pass of a loaded model takes longer than those after it.
        self._whisper.follow(self._whisper.encode(np.zeros(SPEECH_RATE, np.float32), Ms(0)), self._language, (), 1)

    def look_within(self, look: Ms) -> None:
        """From now on look again before `look` has passed since a word was said, if the second look is on at all."""
        if self._look is not None:
            self._look.deadline = look

    def hear(self, chunk: AudioChunk) -> None:
        """Take in `chunk` without listening to it yet; never blocks.

        A jump on the show clock ends the utterance. What is not a number is silence. Any rate of a sound card is
        brought to 16 kHz; SpeechError for another one, or for sound that is not mono.
        """
        self._intake.hear(chunk)

    def step(self) -> Hearing | None:
        """Listen once, if there is something to listen to; `None` if not. Costs CPU: call it in a thread."""
        began = self._meter()
        coarse = self._intake.waiting() > self._tuning.behind
        hurried = coarse or self._intake.waiting() + self._careful * 1000 > self._tuning.hopeless
        skipped = self._skip()
        ended = self._take_up()
        hurried = hurried and (ended or coarse or self._breathes())
        listened, listened_to = self._fresh, False
        if ended:
            words = self._close(hurried=hurried)
        elif listened_to := self._is_due(coarse=coarse):
            words = self._listen(coarse=coarse, hurried=hurried)
        else:
            words = []
        if ended or listened_to:
            self._measure(self._meter() - began, listened)
        if self._translator and listened_to and words and not hurried:
            self._translator.follow(self._window, self._heard, self._language, ended=False)
        self._look_again(coarse=coarse)
        revisions = self._revise(words)
        translated = self._translator.step(free=self._look is None or not self._look.busy) if self._translator else []
        if not (ended or listened_to or skipped or revisions or translated):
            return None
        hurried = hurried and (ended or listened_to)
        return self._hearing([*skipped, *words], revisions, translated, hurried=hurried)

    def finish(self) -> Hearing:
        """Settle all that was heard."""
        words: list[Word] = []
        self._intake.flush()
        while self._intake.peek() is not None:
            if self._take_up():
                words += self._close(hurried=False)
            elif self._pointer.speaking:
                words += self._listen(coarse=False, hurried=False)
        if self._pointer.speaking:
            self._pointer.stop()
            words += self._close(hurried=False)
        revisions = self._revise(words)
        if self._look is not None:
            revisions += [Revision(each.first, each.upto, each.words) for each in self._look.finish(self._voiced)]
        translated = self._translator.finish() if self._translator else []
        if self._pool is not None:
            self._pool.shutdown(wait=False)
        return self._hearing(words, revisions, translated)

    # ── the second look ───────────────────────────────────────────────────────────────────────────────────────────────

    def _look_again(self, *, coarse: bool) -> None:
        """Begin a second look, unless there is enough to do already."""
        if self._look is not None and not coarse:
            self._look.want(self._heard, self._language, self._voiced, quiet=not self._pointer.speaking)

    def _revise(self, words: list[Word]) -> list[Revision]:
        """What the second look has found; `words` are given what it heard and the first pass could not decide on."""
        if self._look is None:
            return []
        revisions = []
        for finding in self._look.collect(self._heard):
            adopted = self._adopt(finding.beyond)
            words += adopted
            self._look.adopted(len(adopted))
            revisions.append(Revision(finding.first, finding.upto + len(adopted), finding.words))
        return revisions

    def _adopt(self, beyond: Sequence[Seen]) -> list[Word]:
        """Settle what the second look has heard beyond the settled words of the running utterance."""
        beyond = [seen for seen in beyond if seen.middle > self._spoken_until]
        if not beyond or not self._pointer.speaking or self._window.at(0) > beyond[0].word.start:
            return []
        self._window.settle(
            [seen.piece for seen in beyond], [self._window.sample(Ms(seen.word.end - LATE)) for seen in beyond]
        )
        last = beyond[-1].piece.plain
        guess = self._guess or []
        at = next((at for at, piece in enumerate(guess) if piece.plain == last), None)
        self._guess = None if at is None else guess[at + 1 :]
        self._draft = None
        self._tentative = shown(self._guess or ())
        return [self._place(seen.piece, seen.word.start, seen.word.end, seen.word.confidence or 0.0) for seen in beyond]

    # ── sound ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _take_up(self) -> bool:
        """Move waiting sound into the window; return whether an utterance ended."""
        most = self._tuning.longest_step * SPEECH_RATE // 1000
        while self._fresh < most and (block := self._intake.peek()) is not None:
            too_long = self._window.unsettled(self._tuning.back) > _LONGEST
            if self._pointer.speaking and (block.after_gap or too_long):
                self._pointer.stop()
                return True
            self._intake.take()
            self._heard = block.end
            if self._look is not None:
                self._look.hear(block)
            if block.after_gap:
                self._lead.clear()
                self._voiced.clear()
                self._window = Window()
            verdict = self._pointer.follow(block.likely)
            if verdict == "quiet":
                self._lead.append(block)
                continue
            if block.likely >= self._tuning.closes:
                self._draft = None
                self._mark_voiced(block)
            if verdict == "opens":
                self._open(block)
            else:
                self._window.grow(block.sound)
            self._fresh += BLOCK
            if verdict == "ends":
                return True
        return False

    def _open(self, block: Block) -> None:
        sound = [*self._lead, block]
        self._lead.clear()
        quiet = self._quiet_since
        if quiet is None or block.start - quiet > self._tuning.longest_pause:
            self._window = Window()
        self._window.open(np.concatenate([part.sound for part in sound]), sound[0].start)
        self._window.forget(self._tuning.wide, 0)
        self._guess = self._draft = None
        self._quiet_since = None
        self._fresh = 0
        if self._look is not None:
            self._look.open(sound[0].start, self._language)

    def _mark_voiced(self, block: Block) -> None:
        if self._voiced and self._voiced[-1][1] >= block.start - 1:
            self._voiced[-1] = (self._voiced[-1][0], block.end)
        else:
            self._voiced.append((block.start, block.end))

    def _skip(self) -> list[Word]:
        if self._intake.waiting() <= self._tuning.hopeless or self._cost < _TOO_SLOW:
            return []
        skipped = self._intake.skip(_LEFT)
        if skipped is None:
            return []
        # What was taken up and could not be decided on is lost with the window.
        unsettled = self._window.unsettled(0) if self._pointer.speaking else 0
        self._cost = 0.0
        self._pointer.stop()
        self._window = Window()
        self._rest()
        start, end = max(Ms(skipped[0] - unsettled), self._spoken_until), skipped[1]
        self._spoken_until = max(start, end)
        self._skipped = Ms(self._skipped + max(0, end - start))
        gap = Word(SKIPPED, start, self._spoken_until)
        if self._look is not None:
            self._look.settle([gap])
            self._look.break_off()
        return [gap]

    # ── passes ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _is_due(self, *, coarse: bool) -> bool:
        if not self._pointer.speaking or self._draft is not None:
            return False
        if coarse:
            return self._fresh * 1000 // SPEECH_RATE >= self._tuning.longest_step
        if self._breathes():
            return True
        wanted = self._tuning.first if self._guess is None else self._step
        return self._fresh * 1000 // SPEECH_RATE >= wanted

    def _breathes(self) -> bool:
        """Whether the speaker draws breath: a pass then is one with care."""
        return self._pointer.silent >= blocks(self._tuning.breath)

    def _listen(self, *, coarse: bool, hurried: bool) -> list[Word]:
        """Make one pass over the running utterance and settle what it agrees on with the one before.

        `hurried`: there is no time for a careful pass.
        """
        self._fresh = 0
        if self._breathes():
            return self._rehearse(hurried=hurried)
        decoded = self._encode(Ms(0) if coarse else self._tuning.context, self._tuning.force)
        said = decoded.view.said
        guess = self._whisper.follow(decoded.sound, self._language, said, 1 if coarse else self._tuning.quick_beam)
        words = cut_copy(said, guess.words)
        return self._agree(decoded, words, sure=not guess.ran_away and len(words) == len(guess.words))

    def _agree(self, decoded: _Decoded, words: list[Piece], *, sure: bool) -> list[Word]:
        """Settle what this pass and the one before heard alike, as far as it may be believed; show what may follow."""
        # What the first pass over half a second guesses is seldom what is said.
        sure = sure and self._guess is not None
        alike = agreed(self._guess or (), words)
        timings = self._align(decoded, words)
        count = 0
        while count < alike and self._is_believed(decoded, timings[count]):
            count += 1
        settled = self._believe(decoded, words[:count], timings[:count])
        self._guess = words[len(self._window.words) - decoded.known :]
        self._passed = decoded.until
        self._tentative = ""
        if sure:
            likely = [timing.confidence for timing in timings]
            calm = count
            while calm < len(words) - 1 and likely[calm] >= (
                self._tuning.shows_agreed if calm < alike else self._tuning.shows
            ):
                calm += 1
            self._tentative = " ".join(word.text for word in words[count:calm] if word.said)
        return settled

    def _is_believed(self, decoded: _Decoded, timing: Timing) -> bool:
        end = self._window.at(decoded.view.begin + decoded.view.skip + timing.end)
        if end > self._passed - LATE - self._tuning.margin:
            return False
        return timing.confidence >= self._tuning.sure or end <= decoded.until - LATE - self._tuning.doubt

    def _rehearse(self, *, hurried: bool) -> list[Word]:
        """The speaker draws breath: decode with care already, so that nothing is left to do if the utterance ends."""
        decoded, words = self._decode_carefully(hurried=hurried)
        settled = self._agree(decoded, words, sure=True)
        self._draft = decoded, self._guess or []
        return settled

    def _close(self, *, hurried: bool) -> list[Word]:
        """Settle all of the utterance that ended."""
        settled: list[Word] = []
        settled_any = began = bool(self._window.words)
        if began or self._pointer.voiced >= blocks(self._tuning.least):
            decoded, words = self._draft or self._decode_carefully(hurried=hurried)
            timings = self._align(decoded, words)
            if began or average([timing.confidence for timing in timings]) >= self._tuning.least_confidence:
                settled = self._believe(decoded, words, timings)
            settled_any = began or bool(settled)
        self._quiet_since = self._voiced[-1][1] if self._voiced else None
        if self._translator and settled_any and not hurried:
            self._translator.follow(self._window, self._heard, self._language, ended=True)
        self._rest()
        return settled

    def _rest(self) -> None:
        self._guess = self._draft = None
        self._tentative = ""
        self._fresh = 0

    def _decode_carefully(self, *, hurried: bool) -> tuple[_Decoded, list[Piece]]:
        """Guess the rest of the utterance."""
        began = self._meter()
        beam = min(2, self._tuning.beam) if hurried else self._tuning.beam
        decoded = self._encode(Ms(0) if hurried else self._wide, self._tuning.back)
        said = decoded.view.said
        guess = self._whisper.follow(decoded.sound, self._language, (), beam)
        rest = continues(said, guess.words)
        if rest is None:
            guess = self._whisper.follow(decoded.sound, self._language, said, beam)
            rest = guess.words
        if not self._window.words and self._is_silence(guess):
            rest = []
        rest = cut_copy(said, rest)
        if hurried:
            self._careful *= _FORGOTTEN  # or one stall would keep every pass after it short
        else:
            rest += self._left_unsaid(decoded, rest)
            self._suit(decoded.view, self._meter() - began)
        return decoded, rest

    def _suit(self, view: View, seconds: float) -> None:
        """Let the next careful pass hear as much again as this machine hears in time.

        A short pass makes a slow machine look slower than it is, for what does not grow with the sound is most of it:
        that errs on the side of haste, and a quick machine is far from where it would matter.
        """
        own = Ms((len(view.sound) - view.skip) * 1000 // SPEECH_RATE + self._tuning.padding)
        heard = own + view.skip * 1000 // SPEECH_RATE
        fitting = round(self._tuning.care * heard / max(1.0, seconds * 1000)) - own
        self._wide = Ms(min(self._tuning.wide, max(self._tuning.context, (self._wide + fitting) // 2)))
        self._careful = (self._careful + seconds) / 2

    def _left_unsaid(self, decoded: _Decoded, rest: list[Piece]) -> list[Piece]:
        """What follows the guess where it stops long before the speaker, as Whisper does before a change of voice."""
        if not self._voiced:
            return []
        timings = self._align(decoded, rest)
        said = decoded.view.begin + decoded.view.skip + (timings[-1].end if timings else 0)
        if self._voiced[-1][1] - self._window.at(said) < self._tuning.unsaid:
            return []
        view = self._window.view_after(self._wide, said)
        sound = self._whisper.encode(view.sound, self._tuning.padding, view.skip)
        guess = self._whisper.follow(sound, self._language, (), self._tuning.beam)
        if self._is_silence(guess) or guess.ran_away:
            return []
        return cut_copy(rest, guess.words)

    def _is_silence(self, guess: Guess) -> bool:
        return guess.silence > self._tuning.most_silence and guess.logprob < self._tuning.least_logprob

    def _encode(self, context: Ms, back: int) -> _Decoded:
        # Not earlier: until now what was decoded last may still have to find its place in the window.
        self._window.forget(self._tuning.wide, max(self._tuning.back, self._tuning.force))
        view = self._window.view(context, back)
        sound = self._whisper.encode(view.sound, self._tuning.padding, view.skip)
        until = self._window.at(len(self._window.sound))
        decoded = _Decoded(view, sound, len(self._window.words), until)
        if self._auto and not self._window.words:
            language, share = self._whisper.language(decoded.sound, self._tuning.languages)
            if share >= _SURE:
                self._language = language
                if self._look is not None:
                    self._look.speak(language)
        return decoded

    # ── words ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _align(self, decoded: _Decoded, words: Sequence[Piece]) -> list[Timing]:
        """Say where `words`, which follow what is settled, stand in the sound that was decoded."""
        if not words:
            return []
        before = [*decoded.view.said, *self._window.words[decoded.known :]]
        return self._whisper.align(decoded.sound, self._language, [*before, *words])[len(before) :]

    def _believe(self, decoded: _Decoded, words: Sequence[Piece], timings: Sequence[Timing]) -> list[Word]:
        """Settle `words`; return those that are said aloud."""
        offset = decoded.view.begin + decoded.view.skip
        given = []
        for word, timing in zip(words, timings, strict=True):
            if word.said:
                start, end = self._window.at(offset + timing.start), self._window.at(offset + timing.end)
                given.append(self._place(word, Ms(start + LATE), Ms(end + LATE), timing.confidence))
        self._window.settle(words, [offset + timing.end for timing in timings])
        if self._look is not None:
            self._look.settle(given)
        return given

    def _place(self, word: Piece, start: Ms, end: Ms, confidence: float) -> Word:
        """Bring a word out of the silence before and after it, and behind the word before."""
        first = next((voiced for voiced in self._voiced if voiced[1] > start), None)
        start = max(start, first[0]) if first else start
        last = next((voiced for voiced in reversed(self._voiced) if voiced[0] < end), None)
        end = min(end, last[1]) if last else end
        start = max(start, self._spoken_until)
        self._spoken_until = max(start, end)
        return Word(word.text, start, self._spoken_until, round(confidence, 3))

    def _measure(self, seconds: float, samples: int) -> None:
        """Lengthen the step where a pass costs more than it may."""
        self._step = Ms((self._step + self._tuning.step_at(seconds)) // 2)
        if samples:
            self._cost = (self._cost + seconds * SPEECH_RATE / samples) / 2

    def _hearing(
        self,
        words: Sequence[Word],
        revisions: Sequence[Revision],
        translated: Sequence[Word],
        *,
        hurried: bool = False,
    ) -> Hearing:
        return Hearing(
            tuple(words),
            self._tentative,
            Ms(self._intake.waiting() + self._fresh * 1000 // SPEECH_RATE),
            self._quiet_since,
            self._pointer.speaking,
            tuple(revisions),
            tuple(translated),
            self._skipped,
            hurried,
        )
