"""What is missing of a stream, by its clocks and by its witness; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from studio.media._takes.capture import Capture
from studio.media._takes.continuity import Continuity, Loss, Missing
from studio.media._takes.ring import Block, Ring
from studio.media._takes.witness import CALL, Proof, Witness, is_mix, place_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

RATE = 48_000
BLOCK = 1024


class Card:
    """Brings blocks; each may come late, never early."""

    def __init__(self, *, ppm: float = 0.0, jitter: float = 0.02, says: bool = True) -> None:
        self.pace = 1 + ppm * 1e-6
        self.jitter = jitter
        self.says = says
        self.now = 100.0
        self.chance = np.random.default_rng(5)
        self.continuity = Continuity(RATE)
        self.latency = 0.0

    def lose(self, seconds: float) -> None:
        self.now += seconds

    def bring(self, seconds: float, *, stalled: float = 0.0) -> list[Missing]:
        """Bring what is heard in so many seconds; `stalled`: nothing comes before that is over, then all at once."""
        found, until, held = [], self.now + seconds, self.now + stalled
        while self.now < until:
            heard = self.now
            self.now += BLOCK / RATE / self.pace
            came = max(self.now, held) + self.latency + float(self.chance.uniform(0, self.jitter))
            missing = self.continuity.add(came, heard if self.says else 0.0, BLOCK)
            if missing is not None:
                found.append(missing)
        return found


@pytest.mark.parametrize("ppm", [-150.0, 0.0, 150.0])
@pytest.mark.parametrize("says", [True, False])
def test_a_quarter_of_an_hour_of_a_card_that_is_a_little_slow_or_fast_misses_nothing(ppm: float, says: bool) -> None:  # noqa: FBT001
    assert Card(ppm=ppm, says=says).bring(900) == []


def test_late_is_not_lost() -> None:
    card = Card()
    card.bring(10)
    for stalled in (0.3, 1.0, 3.0):
        assert [one for one in card.bring(8, stalled=stalled) if one.seconds] == []
    assert not card.continuity.in_doubt


@pytest.mark.parametrize("seconds", [0.05, 0.5, 20.0])
def test_what_is_missing_after_a_pause_is_told_within_a_hundredth_of_a_second(seconds: float) -> None:
    card = Card()
    card.bring(10)
    card.lose(seconds + 0.5)  # the pause is long enough to be suspected
    card.continuity.jumped(RATE // 2)
    found = card.bring(5)
    assert [one.seconds for one in found] == [pytest.approx(seconds, abs=0.01)]
    assert card.bring(20) == []


def test_what_is_missing_of_a_stream_that_has_just_begun_is_told() -> None:
    card = Card()
    card.bring(0.7)
    card.lose(1.0)
    card.continuity.jumped(RATE // 2)
    assert [one.seconds for one in card.bring(5)] == [pytest.approx(0.5, abs=0.02)]
    assert card.bring(20) == []


def test_a_hole_without_any_pause_is_found_too() -> None:
    card = Card()
    card.bring(10)
    card.lose(0.2)
    found = card.bring(10)
    assert [one.how for one in found] == ["clock"]
    assert found[0].seconds == pytest.approx(0.2, abs=0.02)


def test_a_server_that_waits_longer_loses_nothing() -> None:
    card = Card()
    card.bring(10)
    card.latency = 0.25
    assert [one for one in card.bring(20) if one.seconds] == []


def test_a_card_at_another_rate_is_told_and_is_no_loss() -> None:
    card = Card()
    card.bring(10)
    card.pace = 44_100 / RATE
    assert card.bring(8) == []
    assert card.continuity.strange_rate == pytest.approx(44_100, rel=0.02)


def mixed(frames: int, channels: int, noise: float = 2.0**12) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """A held tone in all channels, with the noise of each microphone; and what a server mixes of it."""
    chance = np.random.default_rng(3)
    tone = np.sin(2 * np.pi * 220 * np.arange(frames) / RATE)[:, None] * np.linspace(0.2, 1, channels) * 2**28
    wide = (tone + chance.normal(0, noise, (frames, channels))).astype(np.int32)
    return wide, np.rint(wide.astype(np.float64) @ np.full(channels, 1 / channels))


@pytest.mark.parametrize("channels", [1, 18, 32])
def test_a_stretch_is_found_where_it_was_heard_and_nowhere_else(channels: int) -> None:
    wide, narrow = mixed(RATE, channels)
    period = 240_000 // 1100  # the same tone comes round here
    for place in (0, 20_000, RATE - BLOCK):
        assert place_in(narrow, wide[place : place + BLOCK]) == place
    assert is_mix(wide[:BLOCK], narrow[:BLOCK])
    assert not is_mix(wide[:BLOCK], narrow[period : period + BLOCK])
    assert place_in(narrow[:20_000], wide[30_000 : 30_000 + BLOCK]) is None
    assert place_in(np.zeros(9000), np.zeros((BLOCK, channels), np.int32)) is None


def test_a_machine_that_brings_little_at_first_is_waited_for() -> None:
    card = Card()
    card.bring(10)
    stopped = card.now
    came, brought = stopped + 1.0, []
    for number in range(200):  # one block, a third of a second of nothing, then what had waited, and all that follows
        came = max(came + (0.35 if number == 1 else 0.001), stopped + (number + 1) * BLOCK / RATE)
        missing = card.continuity.add(came, 0.0, BLOCK)
        brought += [] if missing is None else [missing.seconds]
    assert brought == [0.0]


class Heard:
    """Four seconds that a witness heard, and blocks of them."""

    def __init__(self) -> None:
        self.wide, narrow = mixed(4 * RATE, 3, 2.0**26)
        self.witness = Witness(RATE)
        for begin in range(0, len(narrow), CALL):
            self.witness._call(narrow[begin : begin + CALL].astype(np.int32).tobytes(), CALL, None, 0)
        assert self.witness.look(self.block(0)) == 0
        assert self.witness.knows

    def block(self, index: int, lost: int = 0) -> Block:
        """Of the stream, where so much was lost before."""
        begin = index + lost
        return Block(self.wide[begin : begin + BLOCK], 0.0, 0.0, 0, 0, index)


def test_a_block_from_before_a_loss_does_not_set_the_witness_back() -> None:
    heard = Heard()
    witness = heard.witness
    asked_late = heard.block(10_000)
    assert witness.judge([heard.block(20_000), heard.block(21_024, 2549)], 0.05) == Proof(1, 1, 2549)
    assert witness.look(asked_late) == 0
    assert witness.look(heard.block(40_000, 2549)) == 0
    assert witness.judge([heard.block(60_000, 2549), heard.block(61_024, 32_549)], 0.6) == Proof(1, 1, 30_000)


@pytest.mark.parametrize("lost", [500, 40_000])
def test_what_the_clock_marked_is_not_found_missing_once_more(lost: int) -> None:
    heard = Heard()
    heard.witness.marked(480)
    assert heard.witness.look(heard.block(60_000, lost)) == lost - 480
    assert heard.witness.look(heard.block(80_000, lost)) == 0
    pieces = [heard.block(100_000, lost), heard.block(101_024, lost + 7), heard.block(102_048, lost + 900)]
    assert heard.witness.judge(pieces, 0.02) == Proof(1, 2, 900)


def test_a_clock_that_errs_by_seconds_does_not_mislead_the_witness() -> None:
    heard = Heard()
    pair = [heard.block(20_000), heard.block(21_024, 1000)]
    assert heard.witness.judge(pair, 2.5) == Proof(1, 1, 1000)


def test_what_waited_after_a_pause_is_kept_and_given_and_the_hole_behind_it_is_marked() -> None:
    wide, narrow = mixed(8 * RATE, 3, 2.0**26)
    heard: list[NDArray[np.int32]] = []
    places: list[int] = []
    kept: list[int] = []

    def hear(block: NDArray[np.int32], first: int) -> None:
        heard.append(block.copy())
        places.append(first)

    def keep(block: NDArray[np.int32]) -> None:
        kept.append(len(block))

    capture = Capture("", RATE, 3, hear, keep=keep)
    capture._ring, capture._continuity = Ring(9 * RATE, 3), Continuity(RATE)
    capture._continuity.suspect = 0.97
    witness = capture._witness = Witness(RATE)
    for begin in range(0, len(narrow), CALL):
        witness._call(narrow[begin : begin + CALL].astype(np.int32).tobytes(), CALL, None, 0)
    stopped, hole, gap = 141 * BLOCK, 197 * BLOCK, 38_000  # it is stopped after 3 s, and the server keeps 1.2 s
    at = 0
    while at + BLOCK < len(wide):
        ends = at + BLOCK
        came = max(ends, hole + gap + at // 1000) if stopped <= at < hole else ends
        capture._ring.put(wide[at:ends].tobytes(), 100 + came / RATE, 0.0)
        at = ends + (gap if ends == hole else 0)
    capture._leaving.set()
    capture._consume()
    assert capture.losses == [Loss(hole, gap, "skip")]
    assert len(kept) > (hole - stopped) / BLOCK
    assert all((wide[place : place + BLOCK] == block).all() for place, block in zip(places, heard, strict=True))
    assert sum(len(block) for block in heard) + gap == at


def blocks(ring: Ring) -> Iterator[NDArray[np.int32]]:
    while (block := ring.take()) is not None:
        yield block.samples.copy()


def test_the_ring_gives_what_was_put_and_counts_what_it_had_no_room_for() -> None:
    ring = Ring(1000, 2)
    put = [np.full((300, 2), number, np.int32) for number in range(9)]
    for one in put[:4]:
        ring.put(one.tobytes(), 1.0, 0.5)
    assert [int(one[0, 0]) for one in blocks(ring)] == [0, 1, 2]
    ring.put(put[5].tobytes(), 2.0, 0.0)
    block = ring.take()
    assert block is not None
    assert (int(block.samples[0, 0]), block.missed, block.index, block.came) == (5, 300, 1200, 2.0)
    for number in range(6, 200):
        ring.put(np.full((1 + number % 7 * 40, 2), number, np.int32).tobytes(), 0.0, 0.0)
        block = ring.take()
        assert block is not None
        assert (block.samples == number).all()
        assert block.missed == 0
