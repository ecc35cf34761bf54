"""How long a measured latency is believed; time is turned by hand."""

from __future__ import annotations

import pytest

from studio.vocal._clocks import Offset

RATE = 48_000


def test_it_is_known_from_the_first_ping_until_a_stream_stumbles() -> None:
    offset = Offset(RATE)
    assert offset.known(1, None) is None
    offset.measured(-5115.0, 2, None)
    assert offset.known(3, None) == -5115
    assert offset.known(40, 100.0) == -5115
    assert offset.known(50, 180.0) == -5115
    offset.void()
    assert offset.known(51, 180.0) is None


def test_counts_that_seem_to_go_apart_are_asked_again_and_then_believed() -> None:
    offset = Offset(RATE)
    offset.measured(-5115.0, 2, None)
    offset.known(40, 0.0)
    assert offset.known(60, 150.0) is None
    offset.measured(-5115.1, 62, 150.0)  # it was only the sound server's way of telling the time
    assert offset.known(90, -150.0) == -5115.1
    assert offset.known(90, -400.0) is None
    assert offset.known(2000, 150.0) is None
    assert offset.clocks is None


def test_two_clocks_are_measured_again_and_again_and_told() -> None:
    offset = Offset(RATE)
    offset.measured(0.0, 0, 0.0)
    for minute in range(1, 4):
        drift = 60 * minute * RATE * 50e-6
        assert offset.known(60 * minute, drift) is None
        offset.measured(drift, 60 * minute, drift)
    assert offset.clocks == pytest.approx(50)


def test_one_stumble_is_no_clock() -> None:
    offset = Offset(RATE)
    offset.measured(0.0, 0, 0.0)
    offset.measured(200.0, 60, 200.0)
    offset.measured(200.0, 120, 200.0)
    assert offset.clocks is None
