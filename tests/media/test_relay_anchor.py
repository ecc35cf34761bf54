from __future__ import annotations

from studio.media._arrive.anchor import Anchor
from studio.media._ground.clock import Ticks, ticks

FRAME = ticks(0.04)


def run(anchor: Anchor, stamps: list[float], lag: list[float] | float = 0.0) -> list[float]:
    """Place stamps that arrive `lag` seconds after their time; return show seconds."""
    lags = lag if isinstance(lag, list) else [lag] * len(stamps)
    return [
        anchor.place(0, ticks(stamp), ticks(stamp + late)) / 90_000 for stamp, late in zip(stamps, lags, strict=True)
    ]


def new(offset: float = 0, patience: float = 3) -> Anchor:
    return Anchor(ticks(offset), ticks(patience), Ticks(0))


def test_a_source_that_stalls_and_catches_up_keeps_its_place() -> None:
    stamps = [n * 0.5 for n in range(20)]
    late = [0.0] * 5 + [4.0, 3.5, 3.0, 2.5, 2.0] + [0.0] * 10
    anchor = new()
    assert run(anchor, stamps, late) == stamps
    assert anchor.jumps == 0


def test_a_source_that_lags_for_good_is_anchored_anew_and_never_goes_back() -> None:
    anchor = new(patience=1)
    placed = run(anchor, [n * 0.5 for n in range(40)], 2.0)
    assert anchor.jumps == 1
    assert placed == sorted(placed)
    assert placed[-1] == 19.5 + 2.0


def test_stamps_that_jump_ahead_or_back_are_placed_at_their_arrival() -> None:
    anchor = new()
    run(anchor, [0.0, 0.5, 1.0])
    assert anchor.place(0, ticks(500), ticks(1.5)) == ticks(1.5)
    assert anchor.place(0, ticks(500.5), ticks(2.0)) == ticks(2.0)
    assert anchor.place(0, ticks(3.0), ticks(2.5)) == ticks(2.5)
    assert anchor.jumps == 2


def test_picture_and_sound_jump_together() -> None:
    anchor = new()
    for stamp in (0.0, 0.5, 1.0):
        anchor.place(0, ticks(stamp), ticks(stamp))
        anchor.place(1, ticks(stamp), ticks(stamp))
    anchor.place(0, ticks(100.0), ticks(1.5))
    assert anchor.place(1, ticks(100.02), ticks(1.52)) == ticks(1.52)
    assert anchor.jumps == 1


def test_a_source_that_catches_up_after_it_was_anchored_anew_goes_on_at_its_pace() -> None:
    # Pictures and sound, seven seconds late for a while on a bad line: more than is believed to be caught up.
    anchor = new()
    placed: list[tuple[float, float]] = []
    for number in range(60 * 25):
        stamp = number * 0.04
        late = 7.0 if 10 < stamp < 15 else 0.0
        placed += [(stamp, anchor.place(n, ticks(stamp), ticks(stamp + late)) / 90_000) for n in (0, 1)]
    assert anchor.jumps == 1
    (before, first), (stamp, last) = placed[20 * 2 * 25], placed[-1]
    assert abs((last - first) - (stamp - before)) < 0.001
    assert last - stamp < 7.1


def test_a_clock_that_is_quick_is_followed() -> None:
    anchor = new()
    placed = [anchor.place(n % 2, ticks(n * 0.52), ticks(n * 0.5)) / 90_000 for n in range(1000)]
    assert anchor.jumps == 0
    assert placed[-1] == 999 * 0.52
