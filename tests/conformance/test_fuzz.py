"""A short of `benchmarks/devices.py fuzz` and `stall`: the million is run by hand."""

from __future__ import annotations

from benchmarks.devices import stall
from benchmarks.devices_fuzz import codecs, intake, live


def test_no_codec_raises() -> None:
    assert [row.measured for row in codecs(3000, seed=1) if not row.met] == []


async def test_nothing_that_obs_might_say_raises() -> None:
    assert [row.measured for row in await intake(3000, seed=1) if not row.met] == []


async def test_junk_between_twin_and_driver_changes_nothing() -> None:
    assert [(row.what, row.measured) for row in await live(500, seed=2) if not row.met] == []


async def test_a_stalled_obs_gives_no_wrong_answer() -> None:
    assert [(row.what, row.measured) for row in await stall() if not row.met] == []
