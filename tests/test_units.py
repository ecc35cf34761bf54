from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.units import HandClock, Ms, ShowClock, ms, parse_timecode, timecode

moments = st.integers(0, 400 * 3_600_000).map(Ms)


def test_a_timecode_shows_hours_minutes_seconds_and_milliseconds() -> None:
    assert timecode(Ms(0)) == "00:00:00.000"
    assert timecode(Ms(3_723_045)) == "01:02:03.045"
    assert timecode(Ms(3_723_045), ",") == "01:02:03,045"
    assert timecode(Ms(100 * 3_600_000)) == "100:00:00.000"


def test_before_the_show_is_written_as_its_beginning() -> None:
    assert timecode(Ms(-1)) == "00:00:00.000"


@given(moments, st.sampled_from(".,"))
def test_what_is_written_is_read_back(at: Ms, separator: str) -> None:
    assert parse_timecode(timecode(at, separator)) == at


@given(moments, moments)
def test_timecodes_of_one_length_sort_like_the_times(one: Ms, other: Ms) -> None:
    first, second = timecode(one), timecode(other)
    if len(first) == len(second):
        assert (first < second) == (one < other)


@pytest.mark.parametrize(
    ("text", "at"), [("1:02", 62_000), ("00:01.5", 1_500), (" 1:00:00,25 ", 3_600_250), ("59:59.999", 3_599_999)]
)
def test_short_timecodes(text: str, at: int) -> None:
    assert parse_timecode(text) == at


@pytest.mark.parametrize("text", ["", "12", "1:60", "60:00", "-1:00", "1:00:00:00", "1:00.0000", "1:00;5", "a:bc"])
def test_what_is_no_timecode(text: str) -> None:
    with pytest.raises(ValueError, match=text or "^$"):
        parse_timecode(text)


@given(st.text(max_size=15))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert parse_timecode(text) >= 0
    except ValueError as problem:
        assert problem.args == (text,)  # noqa: PT017 - a text that is read is as good


def test_seconds_become_the_nearest_millisecond() -> None:
    assert ms(1.2345) == 1234
    assert ms(0.0006) == 1
    assert ms(-2) == -2000


@given(st.floats(-1e9, 1e9))
def test_no_conversion_is_off_by_more_than_half_a_millisecond(seconds: float) -> None:
    assert abs(ms(seconds) - seconds * 1000) <= 0.5


def test_two_clocks_of_one_epoch_agree() -> None:
    one = ShowClock.starting_now()
    other = ShowClock(one.epoch)
    first, second, third = one.now(), other.now(), one.now()
    assert 0 <= first <= second <= third


def test_a_clock_reads_negative_before_its_epoch() -> None:
    assert ShowClock(time.monotonic_ns() + 3_600_000_000_000).now() < 0


def test_a_clock_turned_by_hand() -> None:
    clock = HandClock(1000)
    clock.turn(40)
    assert clock.now() == 1040
    clock.turn(-2000)
    assert clock.now() == -960
