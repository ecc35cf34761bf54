"""A count of frames against a clock that is turned by hand."""

from __future__ import annotations

import numpy as np

from studio.media._takes.pace import Dryness, Pace

RATE = 48_000
BLOCK = 1920


def calls(
    seconds: float, *, late: dict[int, float] | None = None, lost: dict[int, int] | None = None, drift: float = 0.0
) -> list[tuple[int, float]]:
    """Return calls of an output as they come: a little late by chance, `late` by seconds, after `lost` frames."""
    chance = np.random.default_rng(4)
    behind = 0
    found, before = [], 0.0
    for number in range(round(seconds * RATE / BLOCK)):
        behind += (lost or {}).get(number, 0)
        due = (number * BLOCK + behind) / RATE / (1 + drift)
        at = max(before, due + float(chance.uniform(0, 0.004)) + (late or {}).get(number, 0.0))
        found.append((number * BLOCK, at))
        before = at
    return found


def dry(seen: list[tuple[int, float]], flags: tuple[int, ...] = ()) -> list[int]:
    dryness = Dryness(RATE, 0.08)
    told = [dryness.note(frames, at, at + 0.1, flagged=number in flags) for number, (frames, at) in enumerate(seen)]
    return [missing for missing in told if missing is not None]


def test_an_output_that_is_only_late_lost_nothing() -> None:
    assert dry(calls(20)) == []
    assert dry(calls(20, late={100: 0.07, 101: 0.06, 200: 0.11})) == []


def test_what_was_missing_is_known_to_a_millisecond() -> None:
    found = dry(calls(20, late={99: 0.2}, lost={100: 6000, 300: 9000}))
    assert len(found) == 2
    assert abs(found[0] - 6000) < RATE // 500
    assert abs(found[1] - 9000) < RATE // 500


def test_a_flag_of_the_sound_server_counts_though_little_is_missing() -> None:
    assert [abs(missing - 150) < 60 for missing in dry(calls(20, lost={100: 150}), flags=(100,))] == [True]
    assert dry(calls(20), flags=(100,)) == [0]


def test_an_output_that_takes_its_time_to_begin_did_not_run_dry() -> None:
    assert dry(calls(5, lost={3: 42_000})) == []
    assert dry(calls(5, lost={3: 42_000, 80: 4800}))[0] - 4800 < RATE // 500


def test_slow_clocks_are_followed_and_are_no_loss() -> None:
    assert dry(calls(120, drift=-0.0003)) == []


def test_two_counts_go_apart_as_their_clocks_do() -> None:
    one, other = Pace(RATE), Pace(RATE)
    assert one.lead is None
    for pace, drift in ((one, 0.0), (other, 50e-6)):
        for frames, at in calls(63, drift=drift):
            pace.note(frames, at)
    assert one.lead is not None
    assert other.lead is not None
    assert abs(other.lead - one.lead - 48 * RATE * 50e-6) < 30
    assert one.steady
    one.clear()
    assert not one.steady
    assert one.lead is None
