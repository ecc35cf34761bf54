"""Sets head amplifiers while the group sings its loudest part, a step at a time, and looks at what each step did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from studio.language import _, decimal
from studio.units import Decibels
from studio.vocal._levels import Kind, Verdict, verdicts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from studio.vocal._levels import Heard

    Listen = Callable[[float], Awaitable[Sequence[Heard]]]
    """Listens so many seconds from now on, to all channels of the recording."""

LISTEN = 10.0
"""Seconds that the group sings for a proposal: a verse's loudest line, sung once."""
AGAIN = 5.0
"""Seconds that it sings after each step."""
STEP_UP, STEP_DOWN = 6.0, 12.0
"""Decibels that one step changes at most: up carefully, for it may feed back; down is always safe."""
STEPS = 6
"""Steps at most: from 30 dB too low it takes five, and one more to correct."""
FOLLOWS = 1 / 3
"""Of a step, at least so much must be heard: singing differs by two or three decibels from time to time."""
_SAME = 0.6
"""Decibels between what was set and what the desk reports for the same: the X32's steps are 0.5."""
LOOKED_AT = 4.0
"""Decibels from which a step tells whether the microphone follows it at all."""


@dataclass(frozen=True, slots=True)
class Preamp:
    """The head amplifier that a channel hears, as the desk reports it."""

    socket: str
    """What the desk calls it; two channels may hear the same. Empty: there is none, or it is not known."""
    gain: Decibels | None
    """`None`: the desk did not report it."""
    lowest: Decibels = Decibels(-12.0)
    highest: Decibels = Decibels(60.0)
    reason: str = ""
    """One sentence where `gain` is `None`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of something asked of the desk."""

    done: bool
    """Only by the desk's own report."""
    reason: str = ""
    """One sentence where it is not done."""


class Desk(Protocol):
    """What the vocal studio asks of a sound desk. Channels are those of the recording, counted from 1."""

    async def preamp(self, channel: int) -> Preamp:
        """Which head amplifier `channel` hears and where it stands, asked of the desk now."""
        ...

    async def set_gain(self, socket: str, gain: Decibels) -> Answer:
        """Set a head amplifier; done when the desk reports that it stands there."""
        ...

    async def set_send(self, source: int | str, bus: int, level: Decibels | None) -> Answer:
        """Send `source` (a channel, or what else the desk has: `aux1`) so loud to mix bus `bus`; `None`: not at all."""
        ...


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the assistant would do with one channel."""

    channel: int
    """Counted from 1."""
    verdict: Verdict
    socket: str = ""
    now: Decibels | None = None
    """Where its head amplifier stands; `None`: not known."""
    to: Decibels | None = None
    """Where it should stand in the end; `None`: leave it, or nobody but a hand on the desk can."""
    words: str = ""
    """One or two sentences for the user."""


async def propose(desk: Desk | None, channels: Sequence[int], heard: Sequence[Heard]) -> tuple[Proposal, ...]:
    """Say what to do with each of `channels`; `heard` is of all channels of the recording.

    Without a desk, or where it did not report, there is no `to`, and the words are for a hand on the desk.
    """
    judged = verdicts([heard[channel - 1] for channel in channels])
    found = [await _proposal(desk, channel, verdict) for channel, verdict in zip(channels, judged, strict=True)]
    return tuple(_shared(each, found) for each in found)


async def _proposal(desk: Desk | None, channel: int, verdict: Verdict) -> Proposal:
    if desk is None or verdict.kind in (Kind.DEAD, Kind.WAITING):
        return Proposal(channel, verdict, words=verdict.words)
    preamp = await desk.preamp(channel)
    if preamp.gain is None:
        reason = f"{preamp.reason} " if preamp.reason and verdict.gain else ""
        return Proposal(channel, verdict, preamp.socket, words=reason + verdict.words)
    if not verdict.gain:
        return Proposal(channel, verdict, preamp.socket, preamp.gain, words=verdict.words)
    to = Decibels(min(preamp.highest, max(preamp.lowest, preamp.gain + verdict.gain)))
    if to == preamp.gain:
        words = _("The head amplifier stands at its end. Change the distance to the microphone, or use its pad switch.")
        return Proposal(channel, verdict, preamp.socket, preamp.gain, words=words)
    words = _("Gain from {now} to {to} dB.").format(now=decimal(preamp.gain), to=decimal(to))
    return Proposal(channel, verdict, preamp.socket, preamp.gain, to, words)


def _shared(mine: Proposal, all_of_them: Sequence[Proposal]) -> Proposal:
    """Of channels that hear one head amplifier only the loudest has it changed."""
    others = [each for each in all_of_them if each.socket == mine.socket and each.channel != mine.channel]
    wanted = [(each.to if each.to is not None else each.now, each.channel) for each in others if each.now is not None]
    if not mine.socket or mine.to is None or not wanted:
        return mine
    lowest, channel = min(wanted, key=lambda each: each[0] or 0.0)
    if (mine.to, mine.channel) < (lowest, channel):
        return mine
    words = _("It hears the same head amplifier as channel {channel}, which decides.").format(channel=channel)
    return Proposal(mine.channel, mine.verdict, mine.socket, mine.now, words=words)


# ── setting ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Settled:
    """How one channel was left."""

    channel: int
    verdict: Verdict
    """Of the last listening."""
    began: Decibels | None
    """Where its head amplifier stood; `None`: not known."""
    ended: Decibels | None
    """Where it stands, as the desk reported it last."""
    words: str
    """One or two sentences for the user."""


class GainAssistant:
    """Listens, proposes and, where it may, sets. One at a time for a desk, and never while a take is recorded."""

    def __init__(self, desk: Desk | None, channels: Sequence[int], listen: Listen, say: Callable[[str], None]) -> None:
        """`channels` are those that are sung into; `say` shows the group and the technician one sentence."""
        self._desk = desk
        self._channels = tuple(channels)
        self._listen = listen
        self._say = say
        self._heard: Sequence[Heard] = ()

    async def propose(self, seconds: float = LISTEN) -> tuple[Proposal, ...]:
        """Ask the group to sing, and say what should be done; nothing is changed."""
        self._say(_("Sing the loudest part of the song now, all together, until the next word."))
        self._heard = await self._listen(seconds)
        return await propose(self._desk, self._channels, self._heard)

    async def set(self, proposals: Sequence[Proposal]) -> tuple[Settled, ...]:
        """Bring each channel there in steps, listening after each; what does not do as told is left alone."""
        began = {each.channel: each.now for each in proposals}
        left: dict[int, str] = {}
        for _step in range(STEPS):
            moved = await self._step(proposals, left)
            if not moved:
                break
            before = self._heard
            proposals = await self.propose(AGAIN)
            for each in proposals:
                if step := moved.get(each.channel):
                    await self._look(each, step, before[each.channel - 1], left)
        return tuple([await self._settled(each, began[each.channel], left.get(each.channel)) for each in proposals])

    async def _settled(self, last: Proposal, began: Decibels | None, why: str | None) -> Settled:
        stands = last.now if why is None or self._desk is None else (await self._desk.preamp(last.channel)).gain
        return Settled(last.channel, last.verdict, began, stands, last.words if why is None else why)

    async def _step(self, proposals: Sequence[Proposal], left: dict[int, str]) -> Mapping[int, _Step]:
        """Change each that is to be changed by one step; what the desk did not confirm goes into `left`."""
        moved = {}
        for each in proposals:
            if self._desk is None or each.to is None or each.now is None or each.channel in left:
                continue
            step = max(-STEP_DOWN, min(STEP_UP, each.to - each.now))
            answer = await self._desk.set_gain(each.socket, Decibels(each.now + step))
            if answer.done:
                moved[each.channel] = _Step(each.socket, each.now, step)
            else:
                left[each.channel] = answer.reason
        return moved

    async def _look(self, now: Proposal, step: _Step, before: Heard, left: dict[int, str]) -> None:
        """Leave a channel alone that somebody else moves; take back a step that its microphone did not follow."""
        if now.socket != step.socket or now.now is None or abs(now.now - step.stood - step.by) > _SAME:
            left[now.channel] = _("Somebody moved this gain or its routing on the desk meanwhile; it is left as it is.")
        elif not _followed(before, self._heard[now.channel - 1], step.by) and self._desk is not None:
            answer = await self._desk.set_gain(step.socket, step.stood)
            words = _("The desk changed the gain by {gain} dB, and the channel did not follow. Look at its routing.")
            left[now.channel] = " ".join(filter(None, (words.format(gain=decimal(step.by, "+g")), answer.reason)))


@dataclass(frozen=True, slots=True)
class _Step:
    socket: str
    stood: Decibels
    by: float


def _followed(before: Heard, after: Heard, by: float) -> bool:
    """Whether the microphone went the way of its gain; what was overdriven, or not sung into, cannot tell."""
    if abs(by) < LOOKED_AT or before.clipped or before.average is None or after.average is None:
        return True
    return (after.average - before.average) / by >= FOLLOWS


async def monitor(desk: Desk, bus: int, mix: Mapping[int | str, Decibels | None]) -> dict[int | str, Answer]:
    """Send a singer's mix to the mix bus of the headphones; say of each source what became of it."""
    return {source: await desk.set_send(source, bus, level) for source, level in mix.items()}
