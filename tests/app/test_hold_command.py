"""Another hold while a show is on the air, as a person asks for it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from tests.app.conftest import ffmpeg

from studio.app import House, Wish, plan_evening
from studio.app._waiting import Waiting
from studio.catalogue import Catalogue
from studio.events import AnyMessage, SetHold
from studio.units import Ms
from studio.venue import Venue

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("seconds", [None, "8", True, -0.1, 30.1, float("nan"), float("inf"), [8]])
async def test_what_is_no_hold_is_refused(seconds: object) -> None:
    sent: list[AnyMessage] = []

    def send(message: AnyMessage) -> bool:
        sent.append(message)
        return True

    outcome = await Waiting(Ms(6000), send).command({"seconds": seconds})
    assert (outcome.kind, sent) == ("refused", [])
    assert outcome.reason.endswith(".")


async def test_the_relay_has_to_say_that_it_waits_so_long() -> None:
    sent: list[AnyMessage] = []

    def send(message: AnyMessage) -> bool:
        sent.append(message)
        waiting.told(Ms(6000))
        asyncio.get_running_loop().call_soon(waiting.told, Ms(8500))
        return True

    waiting = Waiting(Ms(6000), send)
    assert (await waiting.command({"seconds": 8.5})).kind == "confirmed"
    assert (sent, waiting.hold) == ([SetHold(Ms(8500))], 8500)


async def test_without_a_relay_or_its_word_nothing_is_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.app._wishes.DEADLINE", 0.01)
    assert (await Waiting(Ms(6000), lambda _message: False).command({"seconds": 8})).kind == "refused"
    assert (await Waiting(Ms(6000), lambda _message: True).command({"seconds": 8})).kind == "unconfirmed"


async def until(so: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not so():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.01)


async def test_the_hold_of_a_real_show_is_changed(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=60", "-pix_fmt", "yuv420p", "-g", "25", film)
    plan = plan_evening(
        Venue(), Catalogue(None), Wish(input=str(film), out=tmp_path / "evening", captions=False, hold=1)
    )
    house = House(Venue(), Catalogue(None), plan)
    running = asyncio.create_task(house.run())

    def state() -> Any:  # noqa: ANN401 - JSON
        return house.state.snapshot()

    try:
        await until(lambda: state()["show"]["phase"] == "on air" or running.done())
        assert state()["programme"]["hold_ms"] == 1000
        for seconds in (2.5, 0):
            assert (await house.command("hold", {"seconds": seconds})).kind == "confirmed"
            assert state()["programme"]["hold_ms"] == 1000 * seconds
        house.stop()
        await running
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
