"""What the tests of the relay may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.media.relay_bench import Encoder, Relays, make_clip

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.fixture
async def relays(tmp_path: Path) -> AsyncIterator[Relays]:
    found = Relays(tmp_path)
    try:
        yield found
    finally:
        await found.close()


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
