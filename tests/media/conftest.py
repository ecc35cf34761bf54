"""What the tests of the relay may ask for."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

import pytest
from tests.media.relay_bench import Encoder, Relays, Stage, make_clip

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
    from pathlib import Path


@pytest.fixture
async def relays(tmp_path: Path) -> AsyncIterator[Relays]:
    found = Relays(tmp_path)
    try:
        yield found
    finally:
        await found.close()


@pytest.fixture
async def relays_of(tmp_path: Path) -> AsyncIterator[Callable[[str], Relays]]:
    """Relays of several shows at a time, each in a folder of its own: nearly all that a real-time test does is wait."""
    found: list[Relays] = []

    def make(name: str) -> Relays:
        folder = tmp_path / name
        folder.mkdir()
        found.append(Relays(folder))
        return found[-1]

    try:
        yield make
    finally:
        for one in found:
            await one.close()


@pytest.fixture
def together(relays_of: Callable[[str], Relays]) -> Callable[..., Awaitable[None]]:
    """Run several shows at a time, each on a stage of its own."""

    async def run(*shows: Callable[[Stage], Coroutine[Any, Any, None]]) -> None:
        over = asyncio.Barrier(len(shows))
        stages = [Stage(relays_of(str(number)), over) for number in range(len(shows))]
        try:
            async with asyncio.TaskGroup() as group:
                for show, stage in zip(shows, stages, strict=True):
                    group.create_task(show(stage))
        finally:
            for encoder in itertools.chain.from_iterable(stage.encoders for stage in stages):
                encoder.stop()

    return run


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds with B-frames and AAC."""
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=6)


@pytest.fixture
def encoders() -> Iterator[list[Encoder]]:
    running: list[Encoder] = []
    yield running
    for encoder in running:
        encoder.stop()
