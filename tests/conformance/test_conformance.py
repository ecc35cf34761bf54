"""Every driver against every fault: one cell each. All rigs are played at the same time, each fault after the other."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.conformance.faults import FAULTS
from tests.conformance.kit import on_stage
from tests.conformance.rigs import RIGS

if TYPE_CHECKING:
    from tests.conformance.kit import Rig

CELLS = [(rig.name, fault) for rig in RIGS for fault in FAULTS]


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest) -> dict[tuple[str, str], BaseException | str | None]:
    """What came of each chosen cell: None where all was well, the trouble, or why it cannot be."""
    chosen = {cell for item in request.session.items if (cell := _parameters(item).get("cell"))}
    found: dict[tuple[str, str], BaseException | str | None] = {}
    with pytest.MonkeyPatch.context() as patch:
        for rig in RIGS:
            for constant, value in rig.shortened.items():
                patch.setattr(constant, value)
        asyncio.run(_play(chosen, found))
    return found


def _parameters(item: pytest.Item) -> dict[str, Any]:
    callspec = getattr(item, "callspec", None)
    return callspec.params if callspec else {}


async def _play(chosen: set[tuple[str, str]], found: dict[tuple[str, str], BaseException | str | None]) -> None:
    escaped: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: escaped.append(f"{context['message']}: {context.get('exception')!r}")
    )
    logging.getLogger("studio").setLevel(logging.INFO)

    async def rig_alone(rig: Rig) -> None:
        for fault in FAULTS:
            if (rig.name, fault) in chosen:
                found[rig.name, fault] = await _cell(rig, fault)

    await asyncio.gather(*(rig_alone(rig()) for rig in RIGS))
    for cell, came in found.items():
        if escaped and came is None:
            found[cell] = AssertionError(f"escaped somewhere: {escaped}")


async def _cell(rig: Rig, fault: str) -> BaseException | str | None:
    if fault in rig.cannot:
        return rig.cannot[fault]
    began = time.monotonic()
    try:
        async with on_stage(rig) as stage:
            await FAULTS[fault](rig, stage)
    except Exception as problem:  # noqa: BLE001 - raised again by the cell's own test
        return problem
    finally:
        print(f"{rig.name}: {fault}: {time.monotonic() - began:.2f} s")  # noqa: T201 - shown with -s
    return None


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell[0]}: {cell[1]}")
def test_every_driver_stands(cell: tuple[str, str], played: dict[tuple[str, str], BaseException | str | None]) -> None:
    came = played[cell]
    if isinstance(came, str):
        pytest.skip(came)
    if came is not None:
        raise came
