"""Every driver against every fault: one cell each. All rigs are played at the same time, each fault after the other."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from tests.conformance.faults import FAULTS
from tests.conformance.kit import on_stage
from tests.conformance.rigs import RIGS
from tests.devices.jack import jack_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.kit import Rig

Found: TypeAlias = "dict[tuple[str, str], BaseException | str | None]"
"""Cell → None where all was well, the trouble, or why it cannot be."""
CELLS = [(rig.name, fault) for rig in RIGS for fault in FAULTS]


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, log_folder: Path) -> Found:
    """What came of each chosen cell."""
    chosen = {cell for item in request.session.items if (cell := _parameters(item).get("cell"))}
    found: Found = {}
    with pytest.MonkeyPatch.context() as patch:
        for rig in RIGS:
            for constant, value in rig.shortened.items():
                patch.setattr(constant, value)
        asyncio.run(_play(chosen, found, log_folder))
    return found


def _parameters(item: pytest.Item) -> dict[str, Any]:
    callspec = getattr(item, "callspec", None)
    return callspec.params if callspec else {}


@pytest.fixture(scope="module")
def log_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jack")


async def _play(chosen: set[tuple[str, str]], found: Found, folder: Path) -> None:
    escaped: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: escaped.append(f"{context['message']}: {context.get('exception')!r}")
    )
    logging.getLogger("studio").setLevel(logging.INFO)

    async def rig_alone(rig: Rig) -> None:
        for fault in FAULTS:
            if (rig.name, fault) in chosen:
                found[rig.name, fault] = await _cell(rig, fault)

    async with contextlib.AsyncExitStack() as stack:
        if any(rig.needs == "jackd" and _has(rig) for rig in RIGS if {name for name, _fault in chosen} & {rig.name}):
            await stack.enter_async_context(jack_server(folder))
        await asyncio.gather(*(rig_alone(rig()) for rig in RIGS))
    for cell, came in found.items():
        if escaped and came is None:
            found[cell] = AssertionError(f"escaped somewhere: {escaped}")


def _has(rig: type[Rig]) -> bool:
    return not rig.needs or shutil.which(rig.needs) is not None


async def _cell(rig: Rig, fault: str) -> BaseException | str | None:
    if fault in rig.cannot:
        return rig.cannot[fault]
    if not _has(type(rig)):
        return f"{rig.needs} is not installed: this needs the real one (scripts/setup installs it)"
    problem: BaseException | None = None
    for _try in range(rig.tries):
        began = time.monotonic()
        problem = await _scene(rig, fault)
        print(f"{rig.name}: {fault}: {time.monotonic() - began:.2f} s")  # noqa: T201 - shown with -s
        if problem is None:
            break
    return problem


async def _scene(rig: Rig, fault: str) -> BaseException | None:
    try:
        async with on_stage(rig) as stage:
            await rig.scenes.get(fault, FAULTS[fault])(rig, stage)
    except Exception as problem:  # noqa: BLE001 - raised again by the cell's own test
        return problem
    return None


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell[0]}: {cell[1]}")
def test_every_driver_stands(cell: tuple[str, str], played: Found) -> None:
    came = played[cell]
    if isinstance(came, str):
        pytest.skip(came)
    if came is not None:
        raise came
