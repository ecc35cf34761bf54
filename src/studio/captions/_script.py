"""What was said in a show, place by place, and how each place reads now. No clock, no file, no line: pure.

A place is read by the fast pass, perhaps read otherwise by the second look, put right by the glossary, and may be
written by a person. Each of these hands beats those before it, until the place has aired: then it is closed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from studio.errors import CaptionsError
from studio.language import _
from studio.spoken import Hand, ScriptWord, Word
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

CLOSES = Ms(300)
"""So long before it airs a place is closed: the way to the relay and drawing the new lines."""
APART = Ms(1000)
"""A word that the second look found so far from both its neighbours gets a place of its own."""
FAR = Ms(3000)
"""Two readings so far apart are not of one word."""


class Correction(Protocol):
    """What puts names, numbers and swearing right: `subtitles.Corrector`."""

    reach: int

    def correct(self, texts: Sequence[str]) -> list[str]:
        """Return as many texts; what takes the place of several words stands in the first one, the others are empty."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """A place in what was said, with every reading of it that may be needed again."""

    id: int
    heard: str
    """As the fast pass heard it; empty where it heard nothing."""
    read: Word
    """As the ears, or the second look after them, read it; the text is empty where nothing was said after all."""
    text: str
    """As it reads now."""
    by: Hand

    @property
    def word(self) -> Word:
        """With its time, as it reads now."""
        return self.read if self.text == self.read.text else replace(self.read, text=self.text)

    @property
    def corrected(self) -> bool:
        """Whether the second look or a person made it read otherwise than it was heard."""
        return (self.text if self.by == "person" else self.read.text) != self.heard


class Script:
    """Every place of a show, in the order in which it was said."""

    def __init__(self, correction: Correction | None = None) -> None:
        self.correction = correction
        self._places: dict[int, Place] = {}
        self._order: list[int] = []
        self._next = 0
        self._airs: dict[int, Ms] = {}
        self._corrected: set[int] = set()
        self.expected: Callable[[Word], Ms] = lambda word: word.start
        """When a word airs that stands in no cue yet."""

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Place]:
        return (self._places[id_] for id_ in self._order)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._places

    def __getitem__(self, id_: int) -> Place:
        return self._places[id_]

    @property
    def ids(self) -> Sequence[int]:
        """Of all places, in the order in which they were said."""
        return self._order

    @property
    def next_id(self) -> int:
        """What the next place will be called."""
        return self._next

    @property
    def end(self) -> Ms | None:
        """Where the last place ends, `None` before the first."""
        return self._places[self._order[-1]].read.end if self._order else None

    @property
    def corrected(self) -> int:
        """Words that the second look or a person changed."""
        return len(self._corrected)

    def words(self) -> list[Word]:
        """What reads there now, without the places that are empty."""
        return [place.word for place in self if place.text]

    def shown(self, id_: int) -> ScriptWord:
        """The place as the other rooms know it."""
        place = self._places[id_]
        return ScriptWord(id_, place.word, place.heard, place.by, self.airs(id_))

    def airs(self, id_: int) -> Ms:
        """When the place goes on the air, or will."""
        known = self._airs.get(id_)
        return self.expected(self._places[id_].read) if known is None else known

    def is_open(self, id_: int, now: Ms) -> bool:
        """Whether what airs can still be changed; a place that stands in no cue yet is always open."""
        airs = self._airs.get(id_)
        return airs is None or now < airs - CLOSES

    def air(self, ids: Iterable[int], at: Ms) -> list[int]:
        """Note that `ids` stand in a cue that airs `at`; return those of which nobody knew it."""
        moved = [id_ for id_ in ids if self.airs(id_) != at]
        self._airs.update(dict.fromkeys(ids, at))
        return moved

    def following(self, id_: int, step: int = 1) -> int | None:
        """Return the place after `id_`, or the one before it with a `step` of -1."""
        at = self._index(id_) + step
        return self._order[at] if 0 <= at < len(self._order) else None

    # ── changes ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def put(self, place: Place, after: int | None = None, *, first: bool = False) -> None:
        """Take over `place` as it stands in a journal: a known one is replaced, a new one stands after `after`.

        Without `after` it stands before all others where it is the `first`, else behind them.
        """
        if place.id not in self._places:
            at = self._index(after) + 1 if after in self._places and after is not None else len(self._order)
            self._order.insert(0 if first else at, place.id)
            self._next = max(self._next, place.id + 1)
        self._places[place.id] = place
        (self._corrected.add if place.corrected else self._corrected.discard)(place.id)

    def settle(self, words: Iterable[Word]) -> list[int]:
        """Add what the fast pass heard last, as it heard it; return the new places."""
        ids = []
        for word in words:
            ids.append(self.next_id)
            self.put(Place(self.next_id, word.text, word, word.text, "ears"))
        return ids

    def revise(self, ids: Sequence[int], words: Sequence[Word], now: Ms, after: int | None = None) -> list[int]:
        """Let the second look say what `ids`, which stand side by side, really are; return the places it changed.

        Where `ids` are none, `words` were said after the place `after`, or before all others.
        """
        changed: list[int] = []
        before = self.following(ids[0], -1) if ids else after
        found: list[Word] = []
        for old, new in align([self._places[id_].read for id_ in ids], words):
            if old is None:
                if new is not None:
                    found.append(words[new])
                continue
            id_ = ids[old]
            changed += self._read(id_, words[new] if new is not None else None, now)
            changed += self._insert(found, before, id_, now)
            found, before = [], id_
        following = self.following(before) if before is not None else (self._order[0] if self._order else None)
        changed += self._insert(found, before, following, now)
        return list(dict.fromkeys(changed))

    def edit(self, id_: int, text: str | None, now: Ms, most: int) -> list[int]:
        """Write `text` of at most `most` characters, strike the place with an empty one, restore it with `None`.

        Returns what is changed by that. Raises CaptionsError with a sentence where it cannot be.
        """
        place = self._places.get(id_)
        if place is None:
            raise CaptionsError(_("There is no such word in this show; load the page again"))
        if not self.is_open(id_, now):
            raise CaptionsError(_("“{word}” has aired already").format(word=place.text or place.heard))
        if text is None:
            text = place.read.text
            hand: Hand = "ears" if text == place.heard else "second look"
        else:
            text, hand = " ".join("".join(c if c.isprintable() else " " for c in text).split()), "person"
        if len(text) > most and hand == "person":
            raise CaptionsError(
                _("A word can be replaced by at most {count} characters; write less").format(count=most)
            )
        return self._put_all([replace(place, text=text, by=hand)])

    def correct(self, now: Ms) -> list[int]:
        """Put right, by the correction, what has not aired and no person has written; return what that changed."""
        if self.correction is None:
            return []
        begin = len(self._order)
        while begin and self.is_open(self._order[begin - 1], now):
            begin -= 1
        context = max(0, begin - 2 * self.correction.reach)
        changed: list[int] = []
        run: list[Place] = []
        for id_ in self._order[context:]:
            place = self._places[id_]
            if place.by == "person":
                changed += self._correct_run(run, now)
                run = []
            elif place.read.text:
                run.append(place)
        return changed + self._correct_run(run, now)

    def _correct_run(self, run: list[Place], now: Ms) -> list[int]:
        if self.correction is None or not run:
            return []
        closed = sum(not self.is_open(place.id, now) for place in run)
        texts = self.correction.correct([place.read.text for place in run])
        if texts[:closed] != [place.text for place in run[:closed]]:
            # What has aired would read otherwise together with what follows: what follows has to stand alone.
            while closed < len(run) and run[closed].by == "glossary":
                closed += 1
            texts[closed:] = self.correction.correct([place.read.text for place in run[closed:]])
        changed = []
        for place, text in zip(run[closed:], texts[closed:], strict=True):
            hand: Hand = "glossary"
            if text == place.read.text:
                hand = "ears" if text == place.heard else "second look"
            if (text, hand) != (place.text, place.by):
                changed.append(replace(place, text=text, by=hand))
        return self._put_all(changed)

    def _put_all(self, places: list[Place]) -> list[int]:
        changed = [place for place in places if self._places[place.id] != place]
        for place in changed:
            self.put(place)
        return [place.id for place in changed]

    def _read(self, id_: int, word: Word | None, now: Ms) -> list[int]:
        """Give the place its second reading; of a person's word only what restoring it would bring back."""
        place = self._places[id_]
        text = word.text if word is not None else ""
        if text == place.read.text or not self.is_open(id_, now):
            return []
        if word is None or place.by == "person":
            read = replace(place.read, text=text)
        else:
            read = self._between(word, self.following(id_, -1), self.following(id_))
        if place.by == "person":
            return self._put_all([replace(place, read=read)])
        hand: Hand = "ears" if text == place.heard else "second look"
        return self._put_all([replace(place, read=read, text=text, by=hand)])

    def _insert(self, words: list[Word], before: int | None, following: int | None, now: Ms) -> list[int]:
        """Bring in `words` that were said between two places: they cling to one, or get places of their own."""
        changed: list[int] = []
        last = before
        for at, word in enumerate(words):
            left = self._clings(word, last, now)
            right = self._clings(word, following, now)
            if left is not None and last is not None and (right is None or left <= right):
                changed += self._join(last, word, behind=True)
            elif right is not None and following is not None:
                for late in reversed(words[at:]):
                    changed += self._join(following, late, behind=False)
                return changed
            elif any(id_ is not None and self.is_open(id_, now) for id_ in (before, following)) or not self._order:
                last = self._new(word, last, following)
                changed.append(last)
        return changed

    def _clings(self, word: Word, id_: int | None, now: Ms) -> int | None:
        """How far `word` is from a place that it may join; `None` from one that it may not."""
        if id_ is None or not self.is_open(id_, now):
            return None
        place = self._places[id_]
        gap = max(word.start - place.read.end, place.read.start - word.end, 0)
        return gap if place.by != "person" and gap <= APART else None

    def _join(self, id_: int, word: Word, *, behind: bool) -> list[int]:
        place = self._places[id_]
        both = [place.read.text, word.text] if behind else [word.text, place.read.text]
        known = [share for share in (place.read.confidence, word.confidence) if share is not None]
        text = " ".join(filter(None, both))
        start, end = (place.read.start, word.end) if behind else (word.start, place.read.end)
        read = Word(text, start, end, min(known, default=None))
        read = self._between(read, self.following(id_, -1), self.following(id_))
        return self._put_all([replace(place, read=read, text=text, by="second look")])

    def _new(self, word: Word, before: int | None, following: int | None) -> int:
        word = self._between(word, before, following)
        place = Place(self.next_id, "", word, word.text, "second look")
        self.put(place, before, first=before is None)
        return place.id

    def _between(self, word: Word, before: int | None, following: int | None) -> Word:
        """`word`, with times that leave places in order by their start."""
        start, end = word.start, word.end
        if following is not None:
            start = min(start, self._places[following].read.start)
        if before is not None:
            start = max(start, self._places[before].read.start)
        return replace(word, start=start, end=max(start, end))

    def _index(self, id_: int) -> int:
        # Nearly always near the end.
        for at in range(len(self._order) - 1, -1, -1):
            if self._order[at] == id_:
                return at
        raise KeyError(id_)


def align(old: Sequence[Word], new: Sequence[Word]) -> list[tuple[int | None, int | None]]:
    """Return which of `new` stands for which of `old`, in order; one of a pair is `None` where nothing stands there.

    The cheapest way, by letters and by time.
    """
    if [word.text for word in old] == [word.text for word in new]:
        return [(at, at) for at in range(len(old))]
    cost = [[0.0] * (len(new) + 1) for _row in range(len(old) + 1)]
    for i in range(len(old), -1, -1):
        for j in range(len(new), -1, -1):
            if i == len(old) or j == len(new):
                cost[i][j] = float(len(old) - i + len(new) - j)
            else:
                pair = cost[i + 1][j + 1] + _unlike(old[i], new[j])
                cost[i][j] = min(pair, 1 + cost[i + 1][j], 1 + cost[i][j + 1])
    pairs: list[tuple[int | None, int | None]] = []
    i = j = 0
    while i < len(old) or j < len(new):
        if i < len(old) and j < len(new) and cost[i][j] == cost[i + 1][j + 1] + _unlike(old[i], new[j]):
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif i < len(old) and cost[i][j] == 1 + cost[i + 1][j]:
            pairs.append((i, None))
            i += 1
        else:
            pairs.append((None, j))
            j += 1
    return pairs


def _unlike(old: Word, new: Word) -> float:
    """What it costs to take `new` for `old`: below 2, which is leaving one out and finding the other, if it can be."""
    apart = abs(old.start + old.end - new.start - new.end) / 2
    if apart > FAR:
        return 9.0
    before, after = _pairs_of_letters(old.text), _pairs_of_letters(new.text)
    alike = 2 * (before & after).total() / max(1, before.total() + after.total())
    return 1.5 * (1 - alike) + 0.4 * apart / FAR


def _pairs_of_letters(text: str) -> Counter[str]:
    bare = "".join(c for c in text.casefold() if c.isalnum()) or text
    return Counter(a + b for a, b in pairwise(f" {bare} "))
