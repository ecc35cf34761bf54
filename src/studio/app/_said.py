"""What was said in the last seconds, as pages show it, and the commands that correct it before it airs."""

from __future__ import annotations

import asyncio
import itertools
import time
import unicodedata
from typing import TYPE_CHECKING, TypedDict

from studio.devices import Outcome
from studio.events import AnyMessage, Edited, EditWord
from studio.language import _
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from studio.events import Heard, WordsChanged
    from studio.spoken import Hand, ScriptWord, Word

KEPT = Ms(40_000)
"""Words that began longer ago leave the pages; a longer hold keeps them until they have aired for a while."""
AFTERWARDS = Ms(15_000)
"""How long an aired word stays in sight at least."""
MOST = 200
"""Words in sight; who speaks fastest says five a second."""
LONGEST = 200
"""Letters that one place may be given: a person types a few words in a few seconds."""
DEADLINE = 2.0
"""Seconds in which the recogniser has to answer; it journals first, which takes milliseconds."""
COMMANDS = frozenset({"captions.edit", "captions.strike", "captions.restore"})


class Shown(TypedDict):
    """A word as pages read it."""

    text: str
    """As it reads now; empty where it was struck."""
    heard: str
    """As the fast pass heard it."""
    by: Hand
    start: Ms
    """On the show clock."""
    end: Ms
    airs: Ms
    """When it goes on the air, on the show clock."""


class Script:
    """The words of the last seconds by their numbers."""

    def __init__(self, hold: Ms) -> None:
        """`hold` is how long the programme waits: until then a word may be corrected."""
        self._hold = hold
        self._kept = max(KEPT, Ms(hold + AFTERWARDS))
        self._words: dict[int, Shown] = {}

    def heard(self, heard: Heard) -> None:
        """Take in what the fast pass settled."""
        for id_, word in zip(heard.ids, heard.settled, strict=False):
            known = self._words.get(id_)
            if known is None or known["start"] != word.start:  # else it was sent again, perhaps after a correction
                self._words[id_] = _shown(word, word.text, "ears", Ms(word.start + self._hold))

    def changed(self, changed: WordsChanged) -> None:
        """Take in corrections, and words that were found between others."""
        for place in changed.words:
            self._change(place)

    def _change(self, place: ScriptWord) -> None:
        if place.heard or place.word.text:
            self._words[place.id] = _shown(place.word, place.heard, place.by, place.airs)
        else:  # nobody heard anything, and nobody says so any more
            self._words.pop(place.id, None)

    def wait(self, hold: Ms, now: Ms) -> bool:
        """The programme waits so long from `now` on, and so do words that have not aired; whether there are any."""
        if hold == self._hold:
            return False
        self._hold = hold
        self._kept = max(KEPT, Ms(hold + AFTERWARDS))
        for id_, word in self._words.items():
            if word["airs"] > now:
                self._words[id_] = {**word, "airs": Ms(word["start"] + hold)}
        return bool(self._words)

    def prune(self, now: Ms) -> bool:
        """Let go of what is over; whether there was any."""
        before = len(self._words)
        kept = [(id_, word) for id_, word in self._words.items() if word["start"] > now - self._kept]
        if len(kept) > MOST:
            kept = sorted(kept, key=lambda each: (each[1]["start"], each[0]))[-MOST:]
        self._words = dict(kept)
        return len(self._words) < before

    def shown(self) -> dict[str, Shown]:
        """For the state: by number, as text, for JSON has no other keys."""
        return {str(id_): word for id_, word in self._words.items()}


def _shown(word: Word, heard: str, by: Hand, airs: Ms) -> Shown:
    return Shown(text=word.text, heard=heard, by=by, start=word.start, end=word.end, airs=airs)


class Corrections:
    """Wishes for words to read otherwise, from the moment they are sent until the recogniser answers."""

    def __init__(self, send: Callable[[AnyMessage], bool]) -> None:
        """`send` brings a message to the recogniser, or returns False where it cannot."""
        self._send = send
        self._waiting: dict[int, asyncio.Future[str]] = {}
        # Not from 1: an answer meant for a core that died must not be taken for one to us.
        self._numbers = itertools.count(time.monotonic_ns() // 1_000_000)

    async def command(self, name: str, arguments: Mapping[str, object]) -> Outcome:
        """`captions.edit` {id, text}, `captions.strike` {id} or `captions.restore` {id}; `by` may say who wants it."""
        id_, by = arguments.get("id"), arguments.get("by", "")
        if not isinstance(id_, int) or isinstance(id_, bool) or id_ < 0:
            return Outcome("refused", _("Which word? A correction needs the number of one."))
        if not isinstance(by, str):
            by = ""
        text: str | None = None
        if name == "captions.strike":
            text = ""
        elif name == "captions.edit":
            written = arguments.get("text")
            if not isinstance(written, str):
                return Outcome("refused", _("A correction needs the text that shall stand there."))
            text = tidy(written)
            if len(text) > LONGEST:
                return Outcome("refused", _("That is too long for a caption; write a few words."))
        return await self._ask(EditWord(next(self._numbers), id_, text, tidy(by)[:LONGEST]))

    async def _ask(self, wish: EditWord) -> Outcome:
        answer = self._waiting[wish.request] = asyncio.get_running_loop().create_future()
        try:
            if not self._send(wish):
                return Outcome("refused", _("The speech recogniser is not connected; nothing was changed."))
            async with asyncio.timeout(DEADLINE):
                refused = await answer
        except TimeoutError:
            return Outcome("unconfirmed", _("The speech recogniser did not answer; look whether the word changed."))
        finally:
            del self._waiting[wish.request]
        return Outcome("refused", refused) if refused else Outcome("confirmed")

    def answered(self, edited: Edited) -> None:
        """Take in an answer; one that nobody waits for any more, or that is another's, means nothing."""
        answer = self._waiting.get(edited.request)
        if answer and not answer.done():
            answer.set_result(edited.refused)


def tidy(text: str) -> str:
    """`text` on one line, with single spaces and nothing that cannot be seen."""
    return " ".join("".join(sign if unicodedata.category(sign)[0] != "C" else " " for sign in text).split())


class Rolling:
    """The last lines of what is being said, for a sink without the hold that only knows how to show a text.

    A line that stands is not broken anew when words follow it; only a correction within it may do so.
    """

    def __init__(self, width: int = 42, lines: int = 2, quiet: Ms = Ms(8_000)) -> None:
        """At most `lines` of `width` letters; nothing after `quiet` without a word."""
        self._width = width
        self._lines = lines
        self._quiet = quiet
        self._words: dict[int, str] = {}
        self._tentative = ""
        self._new = itertools.count(-1, -1)
        self._last: Ms | None = None
        self.spoken: Ms | None = None
        """Where the last settled word of the text ends; `None` before the first."""

    def heard(self, heard: Heard, now: Ms) -> str:
        """Take in what was heard; return the text as it reads now."""
        ids: Iterable[int] = heard.ids or itertools.islice(self._new, len(heard.settled))
        for id_, word in zip(ids, heard.settled, strict=False):
            self._words.setdefault(id_, word.text)
            self.spoken = word.end
        if heard.settled or heard.tentative != self._tentative:
            self._last = now
        self._tentative = heard.tentative
        return self.text(now)

    def changed(self, changed: WordsChanged, now: Ms) -> str:
        """Take in corrections of words that still stand; return the text as it reads now."""
        for place in changed.words:
            if place.id in self._words:
                self._words[place.id] = place.word.text
        return self.text(now)

    def text(self, now: Ms) -> str:
        """The lines, parted by line feeds; empty when nothing was said for a while."""
        if self._last is None or now - self._last > self._quiet:
            self._words.clear()
            self._tentative = ""
            return ""
        settled = self._broken(self._words.items())
        standing = {id_ for line in settled[-self._lines - 1 :] for id_, _text in line}
        for id_ in self._words.keys() - standing:  # out of sight, whatever follows
            del self._words[id_]
        lines = self._broken([*self._words.items(), (0, self._tentative)])
        return "\n".join(" ".join(text for _id, text in line if text) for line in lines[-self._lines :]).strip()

    def _broken(self, words: Iterable[tuple[int, str]]) -> list[list[tuple[int, str]]]:
        """`words` in lines of at most `_width` letters; a longer word has a line of its own."""
        lines: list[list[tuple[int, str]]] = [[]]
        used = 0
        for id_, text in words:
            for part in text.split() or [""]:
                if used and part and used + 1 + len(part) > self._width:
                    lines.append([])
                    used = 0
                lines[-1].append((id_, part))
                used += len(part) + bool(used and part)
        return [line for line in lines if line]
