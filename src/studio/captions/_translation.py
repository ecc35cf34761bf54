"""The English translation: words, cues and files of its own, beside those of what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.captions._files import ShowFiles
from studio.subtitles import Composer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from studio.captions._plan import CaptionsPlan
    from studio.spoken import Cue, Word
    from studio.units import Clock, Ms


def is_of_earlier_life(word: Word, earlier: Ms | None) -> bool:
    """Whether a word was settled before a crash and is heard again, its end cut a little differently."""
    return earlier is not None and (word.start + word.end) / 2 < earlier


class Translation:
    """Every method returns cues that are in the files already and are to be shown."""

    def __init__(self, plan: CaptionsPlan, clock: Clock, trouble: Callable[[str | None], None]) -> None:
        """Continue in the plan's folder; `trouble` is told what a disk says, as `ShowFiles` does."""
        self._rules = plan.translation_rules
        self.files = ShowFiles(plan.folder, clock, trouble, "en")
        self.go_on(plan.hold)

    def go_on(self, hold: Ms) -> None:
        """Go on from what the files hold; what a crash left in no cue waits for its own, or has it at once."""
        kept = self.files.kept
        last = kept.cues[-1] if kept.cues else None
        first = last.number + 1 if last else 1
        self._composer = Composer(self._rules, hold, first, last.end if last else None)
        self._until = kept.script.end
        self._kept(self._composer.settle(self.files.homeless))

    def change_hold(self, hold: Ms) -> None:
        """The programme waits for `hold` from now on."""
        self._composer.change_hold(hold)

    def settle(self, words: Iterable[Word], now: Ms) -> list[Cue]:
        """Take words that were settled `now`."""
        new = [word for word in words if not is_of_earlier_life(word, self._until)]
        self.files.settle(new, now)
        return self._kept(self._composer.settle(new))

    def due(self, now: Ms, quiet_since: Ms | None, quiet_until: Ms | None) -> list[Cue]:
        """Close what cannot wait; see `Composer.due`."""
        return self._kept(self._composer.due(now, quiet_since, quiet_until))

    def finish(self) -> list[Cue]:
        """Close what is left."""
        return self._kept(self._composer.finish())

    def _kept(self, cues: Iterable[Cue]) -> list[Cue]:
        cues = list(cues)
        for cue in cues:
            self.files.show(cue)
        return cues
