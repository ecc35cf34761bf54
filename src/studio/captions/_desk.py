"""From places of the script to cues, and which cue follows when a place reads otherwise. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from studio.errors import CaptionsError
from studio.language import _
from studio.subtitles import Composer, reline
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from studio.captions._files import Kept
    from studio.spoken import Cue
    from studio.subtitles import Rules

_EVER = Ms(-(1 << 62))
"""Before everything: at that time nothing has aired."""
JOINS = Ms(250)
"""So long before its air moment a cue may still grow: the way to the relay."""
MOST_LINES = 3
"""More do not fit onto a picture."""


class Desk:
    """Hands the words of a script to the composer, knows which stand in which cue, and re-lines those that change.

    While nobody looks a second time, words are final as soon as they are settled, and cues close when they are full.
    Otherwise a cue closes early only if all its words were looked at; when its air moment comes near it closes in any
    case. Either way its words may be corrected until it airs.
    """

    def __init__(self, kept: Kept, rules: Rules, hold: Ms, *, look: bool) -> None:
        """Go on from what was `kept`."""
        last = kept.cues[-1] if kept.cues else None
        self._script = kept.script
        self._rules = rules
        self._hold = hold
        self._look = look
        self._composer = Composer(rules, hold, last.number + 1 if last else 1, last.end if last else None)
        self._script.expected = self._composer.airs
        self._cues = {cue.number: cue for cue in kept.cues}
        self._ids = {number: list(ids) for number, ids in kept.places.items()}
        self._cue_of = {id_: number for number, ids in self._ids.items() for id_ in ids}
        for number, ids in self._ids.items():
            self._script.air(ids, Ms(self._cues[number].start + hold))
        homeless = [id_ for id_ in self._script.ids if id_ not in self._cue_of]
        last_in_cue = max((at for at, id_ in enumerate(self._script.ids) if id_ in self._cue_of), default=-1)
        late = set(self._script.ids[: last_in_cue + 1]).intersection(homeless)
        self._waiting = [id_ for id_ in homeless if id_ not in late]
        self._final = set(self._waiting)
        """Of those that wait."""
        self._hurried: int | None = None
        """The last cue, if its air moment came near before it was full."""
        self.adopt([id_ for id_ in homeless if id_ in late], _EVER)  # the crash came before their cue was kept

    def open(self, now: Ms) -> list[int]:
        """Places that can still be corrected."""
        ids: list[int] = []
        for cue in reversed(self._cues.values()):
            if cue.start + self._hold <= now:
                break
            ids = self._ids[cue.number] + ids
        return ids + self._waiting

    def change_hold(self, hold: Ms, now: Ms) -> list[int]:
        """Air by another `hold` from `now` on; return the places that air at another moment than was thought."""
        moved: list[int] = []
        for number, cue in self._cues.items():
            if cue.start + self._hold > now:
                moved += self._script.air(self._ids[number], Ms(cue.start + hold))
        self._hold = hold
        self._composer.change_hold(hold)
        return [*moved, *self._waiting]

    def ids(self, cue: Cue) -> list[int]:
        """Which places stand in `cue`."""
        return self._ids[cue.number]

    # ── in ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def add(self, ids: Iterable[int]) -> None:
        """Take places that are new at the end."""
        ids = list(ids)
        self._waiting += ids
        if not self._look:
            self._final.update(ids)

    def looked_at(self, ids: Iterable[int]) -> None:
        """Nobody will look at these again."""
        self._final.update(set(ids).intersection(self._waiting))

    def adopt(self, ids: Iterable[int], now: Ms) -> None:
        """Take places that are new between others: into the cue they were said in, or among those that wait."""
        for id_ in ids:
            number = self._home(id_, now)
            if number is not None:
                self._ids[number] = sorted([*self._ids[number], id_], key=self._script.ids.index)
                self._cue_of[id_] = number
                self._script.air([id_], Ms(self._cues[number].start + self._hold))
                continue
            step = -1
            while (before := self._script.following(id_, step)) is not None and before not in self._cue_of:
                if before in self._waiting:
                    break
                step -= 1  # over what was struck and is in neither
            self._waiting.insert(self._waiting.index(before) + 1 if before in self._waiting else 0, id_)
            self._final.add(id_)

    def _home(self, id_: int, now: Ms) -> int | None:
        """The cue that the new place `id_` belongs into, or `None` where it waits for one."""
        read = self._script[id_].read
        before, after = self._script.following(id_, -1), self._script.following(id_)
        gaps: list[tuple[int, int | None]] = []
        if before is not None and before in self._cue_of and self._script.is_open(before, now):
            gaps.append((read.start - self._script[before].read.end, self._cue_of[before]))
        if after is None or after not in self._cue_of:
            gaps.append((0 if after is None else self._script[after].read.start - read.end, None))
        elif self._script.is_open(after, now):
            gaps.append((self._script[after].read.start - read.end, self._cue_of[after]))
        return min(gaps, key=lambda gap: gap[0], default=(0, None))[1]

    # ── out ───────────────────────────────────────────────────────────────────────────────────────────────────────────

    def compose(self) -> list[Cue]:
        """Return the cues that are full, with the words as they read now. Call it after every change."""
        ids = [id_ for id_ in self._waiting if self._script[id_].text]
        sure = next((at for at, id_ in enumerate(ids) if id_ not in self._final), len(ids))
        cues = self._register(self._composer.reword([self._script[id_].word for id_ in ids], sure))
        self._hurried = None if cues else self._hurried
        return cues

    def join(self, now: Ms) -> list[Cue]:
        """Return the cue that was closed last with what was settled since, where it was short and has not aired.

        A cue of a word or two stands for as long as it takes to read, and the words that came too late for it would be
        over before the next one. Call `compose` after it.
        """
        cue = None if self._hurried is None else self._cues[self._hurried]
        if cue is None or not self._waiting or now >= cue.start + self._hold - JOINS:
            return []
        words = [self._script[id_].word for id_ in (*self._ids[cue.number], *self._waiting) if self._script[id_].text]
        had = sum(bool(self._script[id_].text) for id_ in self._ids[cue.number])
        grown = self._composer.grow(cue, words, had)
        if grown is None:
            return []
        taken = self._composer.taken.pop(grown.number) - had
        self._stand(grown, self._ids[grown.number] + self._take(taken))
        return [grown]

    def due(self, now: Ms, quiet_since: Ms | None, heard: Ms | None) -> list[Cue]:
        """Return the cues that must be closed `now`; see `Composer.due`."""
        cues = self._register(self._composer.due(now, quiet_since, heard))
        self._hurried = cues[-1].number if cues else self._hurried
        while self._waiting and not self._script[self._waiting[0]].text and self._script.airs(self._waiting[0]) <= now:
            struck = self._waiting.pop(0)  # with all its neighbours: no cue will take it along
            self._final.discard(struck)
            self._script.air([struck], self._script.airs(struck))
        return cues

    def finish(self) -> list[Cue]:
        """Return what is left; nothing follows."""
        return self._register(self._composer.finish())

    def follow(self, ids: Iterable[int]) -> list[Cue]:
        """Return the cues that stand otherwise because these places read otherwise: same numbers, same times."""
        changed = []
        for number in sorted({self._cue_of[id_] for id_ in ids if id_ in self._cue_of}):
            cue = self._cues[number]
            lines = self._lines(self._ids[number])
            if lines != cue.lines:
                self._cues[number] = replace(cue, lines=lines)
                changed.append(self._cues[number])
        return changed

    def outdated(self) -> list[Cue]:
        """Return the cues that do not say what their places say: a crash came between."""
        ids = []
        for number, cue in self._cues.items():
            places = [self._script[id_] for id_ in self._ids[number]]
            said = " ".join(place.text for place in places).split()
            if said != cue.text.split() and any(place.text != place.heard for place in places):
                ids += self._ids[number][:1]
        return self.follow(ids)

    def check(self, id_: int, text: str) -> None:
        """Raise CaptionsError where the cue of the place has no room for `text`."""
        number = self._cue_of.get(id_)
        if number is None:
            return
        words = [
            replace(self._script[other].read, text=text if other == id_ else self._script[other].text)
            for other in self._ids[number]
        ]
        if len(reline(words, self._rules)) > max(MOST_LINES, self._rules.lines):
            raise CaptionsError(_("There is no room for this in the caption it stands in; write less"))

    def _lines(self, ids: Sequence[int]) -> tuple[str, ...]:
        return reline([self._script[id_].word for id_ in ids if self._script[id_].text], self._rules)

    def _register(self, cues: Sequence[Cue]) -> list[Cue]:
        for cue in cues:
            self._stand(cue, self._take(self._composer.taken.pop(cue.number)))
        return list(cues)

    def _take(self, words: int) -> list[int]:
        """Return the first places that wait, with so many words in them; they wait no more."""
        count = 0
        while words:
            words -= bool(self._script[self._waiting[count]].text)
            count += 1
        ids = self._waiting[:count]
        del self._waiting[:count]
        self._final.difference_update(ids)
        return ids

    def _stand(self, cue: Cue, ids: list[int]) -> None:
        """Let these places stand in `cue`."""
        self._cues[cue.number], self._ids[cue.number] = cue, ids
        self._cue_of.update(dict.fromkeys(ids, cue.number))

    def air(self, cue: Cue) -> list[int]:
        """Note when `cue` airs; return the places that will air at another moment than was thought."""
        return self._script.air(self._ids[cue.number], Ms(cue.start + self._hold))
