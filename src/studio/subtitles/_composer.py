"""Words into cues while they are spoken: each cue is decided once, inside the hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from studio.spoken import Cue, Word
from studio.subtitles._breaks import ends, glue, is_bound
from studio.subtitles._text import Span, Text
from studio.subtitles._times import times
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from studio.subtitles._rules import Rules

MARGIN = Ms(700)
"""So long before its air moment a cue is closed: the way to the relay, drawing it, and a busy machine."""
PATIENCE = Ms(4000)
"""Where the hold is too short for a cue to fill, one closes so long after its first word: late, but not in crumbs."""
REACH = Ms(150)
"""A cue closed now can be on the air so much later."""
HISTORY = Ms(6000)
"""A cue that is later than this, after a crash, keeps its true times for the files: its moment has passed."""
SPEAKER_STOPPED = Ms(1500)
"""After a sentence, so much quiet means that nothing better will be known by waiting."""
AT_LEAST = Ms(200)
"""What follows a settled word that is the last one known: nearly always another word."""
ENOUGH = 0.7
"""A cue of final words only is made where they fill this share of a line."""
A_WORD = Ms(300)
"""Least time for each word of a cue that had to close before the next word was known, when that one comes at once: what
the BBC asks of subtitles (Subtitle Guidelines, *Timing*: 0.3 s a word)."""
CRUMB = Ms(400)
"""Least time of such a cue, ten frames, were it of a single word."""
SENTENCE = 2


class Composer:
    """Takes settled words, gives closed cues: each once, in order, never overlapping, none of their words dropped.

    `settle` hands words in and `due` must be asked several times a second. A cue closes when enough text follows it
    (`settle`), when the speaker paused after a sentence, or when its air moment, start + `hold`, comes near. A cue that
    would still come too late for its air moment is moved to where it can be seen.

    Words that may still be corrected are handed in by `reword`, again and again; their cue closes when it must.
    """

    def __init__(self, rules: Rules, hold: Ms, first_number: int = 1, after: Ms | None = None) -> None:
        """Number cues from `first_number`; none begins before `after`, the end of the last one of an earlier life."""
        self._rules = rules
        self.change_hold(hold)
        self._number = first_number
        self._after = self._before = after
        self._now: Ms | None = None
        self._heard: int | None = None
        self._words: list[Word] = []
        self._sure = 0
        self.taken: dict[int, int] = {}
        """How many words stand in each cue closed since `settle`, by its number; whoever rewords takes it out."""

    def change_hold(self, hold: Ms) -> None:
        """Close cues by another `hold` from now on."""
        self._hold = hold
        self._wait = max(hold - MARGIN, PATIENCE)

    def airs(self, word: Word) -> Ms:
        """When at the latest a cue that begins with `word` goes on the air, as far as the machine keeps up."""
        return Ms(word.start - self._rules.lead + max(self._hold, self._wait + MARGIN))

    @property
    def waiting(self) -> tuple[Word, ...]:
        """Words that stand in no closed cue yet."""
        return tuple(self._words)

    def settle(self, words: Iterable[Word]) -> list[Cue]:
        """Take words that will not change any more; return the cues that are full by now."""
        self.taken.clear()
        self._words += [word for word in words if word.text.strip()]
        self._sure = len(self._words)
        return self._full()

    def reword(self, words: Iterable[Word], sure: int) -> list[Cue]:
        """Take `words`, none of them empty, in place of all that wait; return the cues that are full by now.

        The first `sure` of them are final. A cue with others in it closes only when its air moment comes near.
        """
        self._words = list(words)
        self._sure = sure
        return self._full()

    def _full(self) -> list[Cue]:
        cues: list[Cue] = []
        room = self._rules.lines * self._rules.line_characters
        while True:
            text, known = self._text()
            # With another full cue's worth of text behind it, no later word changes the first cut.
            if known == 0 or text.characters(0, known) < 2 * room:
                return cues
            first = text.cut(open_end=True)[0]
            if _count(text, first.end) > self._sure:
                return cues
            cues.append(self._close(text, first))

    def due(self, now: Ms, quiet_since: Ms | None = None, heard: Ms | None = None) -> list[Cue]:
        """Return the cues that must be closed at `now`, on the show clock.

        `quiet_since` is when the speaker stopped, `None` while somebody speaks; `heard` is how far the sound has been
        listened to, `now` where it is not given.
        """
        self._now = now
        self._heard = None if quiet_since is None else (now if heard is None else heard)
        cues: list[Cue] = []
        while self._words:
            text, known = self._text()
            if known == 0 or not (self._is_near(text, now) or self._is_over(text, known)):
                break
            most = self._worth_waiting_for(text)
            cues.append(self._close(text, text.cut(open_end=True, close_first=True, most=most)[0]))
        return cues

    def grow(self, cue: Cue, words: Iterable[Word], had: int) -> Cue | None:
        """Return `cue`, the last one that was closed, with what fits into it of the words that came since.

        `words` are the `had` that stand in it and those that wait. Its number and its begin stay. Where what follows is
        better left to the next cue, it goes earlier than it was to, if it were to stand on into the next word: that one
        would be late. `None` where it stays as it is. Call `reword` afterwards.
        """
        kept = self._words, self._sure, self._after, self._number
        self._words, self._sure, self._after, self._number = [*words], 0, self._before, cue.number
        text, known = self._text()
        if known and len(cue.text) < ENOUGH * self._rules.line_characters:
            span = text.cut(open_end=True, close_first=True)[0]
            if _count(text, span.end) > had:
                before = self._before
                grown = self._close(text, span, at_least=_hurried(_count(text, span.end), self._rules))
                self._number, self._before = kept[-1], before
                return replace(grown, start=cue.start)
        following = self._words[had].start if had < len(self._words) else None
        last = self._words[had - 1].end if had else cue.end
        self._words, self._sure, self._after, self._number = kept
        if following is None:
            return None
        end = max(self._room(last, following), cue.start + _hurried(had, self._rules))
        if end >= cue.end:
            return None
        self.taken[cue.number] = had
        self._after = Ms(end)
        return replace(cue, end=Ms(end))

    def finish(self) -> list[Cue]:
        """Return everything that is left as cues; nothing follows."""
        text = Text(glue(self._words, self._rules), self._rules)
        self._heard = text.pieces[-1].end + 10 * self._rules.overstay if text.pieces else None
        cues = []
        offset = 0
        spans = text.cut()
        for span in spans:
            rest = Text(text.pieces[offset:], self._rules)
            shifted = Span(0, tuple(at - offset for at in span.breaks), span.end - offset)
            cues.append(self._close(rest, shifted))
            offset = span.end
        return cues

    def _text(self) -> tuple[Text, int]:
        """What waits, and how many of its pieces are whole: a bound word at the end waits for the one after it."""
        pieces = glue(self._words, self._rules)
        known = len(pieces)
        while known and is_bound(pieces[known - 1].text, self._rules):
            known -= 1
        if known < len(pieces):
            silence = pieces[known].start - pieces[known - 1].end if known else 0
        else:
            silence = self._heard - pieces[-1].end if pieces and self._heard is not None else 0
        return Text(pieces[:known], self._rules, max(silence, AT_LEAST)), known

    def _worth_waiting_for(self, text: Text) -> int | None:
        """How many pieces a cue that must close now may have, so that the others are right before they air.

        A cue goes on the air with its first word, and so with its last ones before their time. `None` where so few
        words are final that a cue of them alone would be a crumb.
        """
        final, words = 0, 0
        for piece in text.pieces:
            words += piece.words
            if words > self._sure:
                break
            final += 1
        if final in (0, len(text)) or text.characters(0, final) < ENOUGH * self._rules.line_characters:
            return None
        return final

    def _is_near(self, text: Text, now: Ms) -> bool:
        return text.pieces[0].start - self._rules.lead + self._wait <= now

    def _is_over(self, text: Text, known: int) -> bool:
        """Whether the speaker stopped after a sentence, and enough of the quiet is known to time the last cue."""
        last = text.pieces[-1]
        is_last = sum(piece.words for piece in text.pieces) == len(self._words)
        if (
            self._heard is None
            or not is_last
            or self._sure < len(self._words)
            or ends(last.text, None, self._rules) < SENTENCE
        ):
            return False
        reading = text.characters(0, known) * 1000 / self._rules.characters_per_second
        wanted = min(last.end + self._rules.overstay, text.pieces[0].start + reading) + self._rules.gap
        return self._heard >= min(max(wanted, last.end + self._rules.pause), last.end + SPEAKER_STOPPED)

    def _free_until(self, text: Text, span: Span) -> int:
        """Until when no other cue can want the picture, as far as it is known."""
        last = text.pieces[span.end - 1]
        taken = _count(text, span.end)
        if span.end < len(text):
            return self._room(last.end, text.pieces[span.end].start)
        if taken < len(self._words):  # a bound word that waits for its next one
            return self._room(last.end, self._words[taken].start)
        # Somebody may be in the middle of the next word: quiet is known only up to what has been listened to.
        return max(last.end, self._heard or 0)

    def _room(self, last: int, following: int) -> int:
        """Until when a cue may stand whose last word ends at `last`, where the next one's first word is `following`.

        The next one appears before its first word only as far as that takes nothing from the last one of this.
        """
        return max(following - self._rules.lead - self._rules.gap, min(last, following - self._rules.gap))

    def _close(self, text: Text, span: Span, at_least: Ms | None = None) -> Cue:
        free = self._free_until(text, span)
        start, end = times(text, span, self._after, free, at_least=at_least)
        start, end = self._seen(text, span, start, end)
        cue = Cue(self._number, start, end, text.written(span))
        self._number += 1
        self._before, self._after = self._after, end
        taken = _count(text, span.end)
        del self._words[:taken]
        self._sure = max(0, self._sure - taken)
        self.taken[cue.number] = taken
        return cue

    def _seen(self, text: Text, span: Span, start: Ms, end: Ms) -> tuple[Ms, Ms]:
        """Move a cue that comes too late for its air moment to where it can be seen; let it be read in its time."""
        if self._now is None:
            return start, end
        earliest = self._now + REACH - self._hold
        if not 0 < earliest - start <= HISTORY:
            return start, end
        rules = self._rules
        reading = round(text.characters(span.begin, span.end) * 1000 / rules.characters_per_second)
        return Ms(earliest), Ms(max(end, earliest + min(max(reading, rules.shortest), rules.longest)))


def _count(text: Text, end: int) -> int:
    """How many words stand in the pieces before `end`."""
    return sum(piece.words for piece in text.pieces[:end])


def _hurried(words: int, rules: Rules) -> Ms:
    """Least time of a cue of so many words that had to close before the next one was known."""
    return Ms(min(rules.shortest, max(CRUMB, words * A_WORD)))
