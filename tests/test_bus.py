from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from studio.bus import Bus


@dataclass(frozen=True)
class Fact:
    number: int


@dataclass(frozen=True)
class FinerFact(Fact):
    """A kind of fact."""


@dataclass(frozen=True)
class Rumour:
    number: int


async def fall_over() -> None:
    raise LookupError


async def test_facts_come_in_order_to_everyone_who_listens() -> None:
    bus = Bus()
    async with bus.listen(Fact) as one, bus.listen(Fact) as other:
        for number in range(3):
            bus.publish(Fact(number))
        assert [(await anext(one)).number for _ in range(3)] == [0, 1, 2]
        assert [(await anext(other)).number for _ in range(3)] == [0, 1, 2]


async def test_only_the_kind_that_was_asked_for_and_what_it_includes() -> None:
    bus = Bus()
    async with bus.listen(Fact) as facts, bus.listen(FinerFact) as finer, bus.listen(object) as everything:
        bus.publish(Fact(1))
        bus.publish(Rumour(2))
        bus.publish(FinerFact(3))
        assert [await anext(facts), await anext(facts)] == [Fact(1), FinerFact(3)]
        assert await anext(finer) == FinerFact(3)
        assert [await anext(everything) for _ in range(3)] == [Fact(1), Rumour(2), FinerFact(3)]


async def test_a_listener_waits_for_what_is_not_there_yet() -> None:
    bus = Bus()
    async with bus.listen(Fact) as facts:
        waiting = asyncio.ensure_future(anext(facts))
        await asyncio.sleep(0)
        assert not waiting.done()
        bus.publish(Fact(1))
        assert await waiting == Fact(1)


async def test_nothing_that_was_published_before() -> None:
    bus = Bus()
    bus.publish(Fact(1))
    async with bus.listen(Fact) as facts:
        bus.publish(Fact(2))
        assert await anext(facts) == Fact(2)


async def test_a_slow_listener_misses_the_oldest_and_knows_how_many() -> None:
    bus = Bus()
    async with bus.listen(Fact, limit=3) as slow, bus.listen(Fact) as quick:
        for number in range(10):
            bus.publish(Fact(number))
        assert slow.missed == 7
        assert [(await anext(slow)).number for _ in range(3)] == [7, 8, 9]
        assert quick.missed == 0
        assert (await anext(quick)).number == 0


async def test_listening_ends_with_the_block_even_when_it_ends_badly() -> None:
    bus = Bus()
    with pytest.raises(ExceptionGroup):
        async with bus.listen(Fact) as facts, asyncio.TaskGroup() as rooms:
            rooms.create_task(fall_over())
    bus.publish(Fact(1))
    waiting = asyncio.ensure_future(anext(facts))
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()


async def test_a_listener_that_was_cancelled_loses_nothing() -> None:
    bus = Bus()
    async with bus.listen(Fact) as facts:
        waiting = asyncio.ensure_future(anext(facts))
        await asyncio.sleep(0)
        bus.publish(Fact(1))
        waiting.cancel()
        await asyncio.wait({waiting})
        assert await anext(facts) == Fact(1)
