"""What the tests of the vocal studio may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.vocal.booth import Booth

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def booth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booth]:
    """Pretended sound cards, which this process hears and plays to."""
    room = Booth(tmp_path_factory.mktemp("booth"))
    with pytest.MonkeyPatch.context() as patch:
        room.enter(patch)
        room.switch_on()
        yield room
        room.switch_off()
