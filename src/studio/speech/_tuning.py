"""How the listener is set: the fields of `presets/captions/*.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from studio.language import _
from studio.units import Ms

_WIDEST = 16_000
_NARROWEST, _BROADEST = 4000, 24_000


@dataclass(frozen=True, slots=True)
class Tuning:
    """What lateness, calm and quality are traded with. Times are milliseconds of sound."""

    compute: str = "int8"
    """CTranslate2's compute type: `int8` is the quickest on a CPU."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the model computes; *auto*: on a graphics card where there is one that knows the compute type."""
    beam: int = 5
    """Hypotheses kept while decoding at a pause; 1 to 10. Matters most for the last words."""
    quick_beam: int = 5
    """The same while somebody speaks."""

    step: Ms = Ms(220)
    """Listen again once so much is new, if a pass takes no more than `ease` of that."""
    ease: float = 0.75
    """Share in (0..1] of the time that listening shall take: the step is lengthened for that up to `easy_step` …"""
    easy_step: Ms = Ms(420)
    """… but no further."""
    first: Ms = Ms(500)
    """Listen for the first time once an utterance has lasted so long."""
    longest_step: Ms = Ms(2000)
    """No more than this is taken up at once, also when much is waiting."""
    load: float = 0.85
    """Share in (0..1] of the time that listening may take: the step is lengthened without end to keep it so."""

    opens: float = 0.5
    """Probability of speech in [0..1] from which an utterance begins."""
    closes: float = 0.35
    """Probability of speech in [0..1] under which there is a pause."""
    pause: Ms = Ms(400)
    """A pause that ends an utterance."""
    breath: Ms = Ms(200)
    """A pause after which nothing new can be heard but the end of the utterance."""
    lead: Ms = Ms(350)
    """Sound kept from before speech was noticed."""
    least: Ms = Ms(130)
    """An utterance with less speech than this is a click or a cough."""

    padding: Ms = Ms(2000)
    """Silence after the window: with less, Whisper loops on a word that is cut."""
    margin: Ms = Ms(100)
    """What two passes agree on is believed if the earlier one had heard so much after it: a word may grow, `do` become
    `dopełniacz`."""
    context: Ms = Ms(6000)
    """So much of what was heard before is heard again with what is not settled yet; 0 for none."""
    wide: Ms = Ms(12_000)
    """The same at a pause: at least `context`, at most 16 s."""
    care: Ms = Ms(1000)
    """Listening at a pause shall take no longer: a slow machine hears less than `wide` again, down to `context`."""
    longest_pause: Ms = Ms(3000)
    """After a pause longer than this the earlier words are no context any more."""
    force: int = 2
    """So many settled words are given to Whisper as the begin of what it is to decode."""
    back: int = 3
    """At a pause, so many settled words are decoded again: when they come out the same, what follows is believed."""

    behind: Ms = Ms(1500)
    """When more than this is waiting, listen coarsely: without context, without beam, at pauses only."""
    hopeless: Ms = Ms(2800)
    """When more than this is waiting and listening is slower than speaking, sound is skipped: `[…]` stands for it."""

    shows: float = 0.65
    """A word that only one pass has heard is shown as tentative from this confidence on …"""
    shows_agreed: float = 0.5
    """… and one that two passes have heard alike from this; what follows a hidden word is hidden too."""
    unsaid: Ms = Ms(800)
    """Speech after the last word of an utterance that is longer than this is listened to once more."""
    wide_window: Ms = Ms(14_000)
    """What the second look hears at once, at most; at most 24 s."""
    look_step: Ms = Ms(2000)
    """While somebody goes on speaking, the second look comes so often."""
    ahead: Ms = Ms(1500)
    """The second look decides on a word once so much is known of what follows it."""
    sure: float = 0.5
    """A word of less confidence, a share in [0..1], is settled later …"""
    doubt: Ms = Ms(3000)
    """… namely when so much is known of what follows it, or the utterance ends."""

    least_logprob: float = -1.3
    """An utterance is dropped when its average log probability is below this and `most_silence` is passed too."""
    most_silence: float = 0.5
    """Whisper's own probability in [0..1] that nothing was said."""
    least_confidence: float = 0.25
    """An utterance whose words are less likely than this on (geometric) average was laughter, or noise."""

    languages: tuple[str, ...] = ("pl", "lt", "en")
    """What `auto` chooses from, by ISO 639-1 code."""

    def step_at(self, seconds: float) -> Ms:
        """How much sound shall be new before listening again, where a pass takes `seconds`."""
        easy = min(float(self.easy_step), seconds * 1000 / self.ease)
        return Ms(round(max(self.step, easy, seconds * 1000 / self.load)))

    def __post_init__(self) -> None:
        """Refuse what cannot work, with a sentence."""
        wrong = next((said for said, right in self._rules() if not right), None)
        if wrong is not None:
            raise ValueError(wrong)

    def _rules(self) -> tuple[tuple[str, bool], ...]:
        widths = self.step, self.first, self.longest_step
        amounts = self.padding, self.margin, self.lead, self.least, self.force, self.back
        shares = self.sure, self.shows, self.shows_agreed, self.least_confidence
        waits = self.look_step, self.ahead, self.doubt, self.unsaid, self.care
        return (
            (_("beam is between 1 and 10"), self.beam in range(1, 11)),
            (_("quick_beam is between 1 and 10"), self.quick_beam in range(1, 11)),
            (_("step, first and longest_step are more than 0"), min(widths) > 0),
            (_("ease is above 0, not above load, and load is at most 1"), 0 < self.ease <= self.load <= 1),
            (_("closes is not above opens, and both are between 0 and 1"), 0 <= self.closes <= self.opens <= 1),
            (_("breath is above 0 and not longer than pause"), 0 < self.breath <= self.pause),
            (_("context is between 0 and wide, and wide is at most 16000"), 0 <= self.context <= self.wide <= _WIDEST),
            (_("padding, margin, lead, least, force and back are not below 0"), min(amounts) >= 0),
            (_("padding is at most 4000"), self.padding <= 4000),  # noqa: PLR2004 - the sentence says it
            (_("hopeless is longer than behind"), 0 < self.behind < self.hopeless),
            (
                _("sure, shows, shows_agreed and least_confidence are between 0 and 1"),
                all(0 <= share <= 1 for share in shares),
            ),
            (_("wide_window is between 4000 and 24000"), _NARROWEST <= self.wide_window <= _BROADEST),
            (_("look_step, ahead, doubt, unsaid and care are more than 0"), min(waits) > 0),
            (_("languages names at least one language"), bool(self.languages)),
        )
