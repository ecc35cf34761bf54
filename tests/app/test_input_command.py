"""Another encoder on the air, as a person asks for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest

from studio.app._inputs import Inputs
from studio.events import AnyMessage, ChooseInput, InputReport, RelayReport

if TYPE_CHECKING:
    from studio.events import InputName, LinkState

ALONE = RelayReport(*("online", "", 640, 360, 25.0, 10, 10, 0, None, None, 0, 0, 0, (), "on air"))


def told(airs: InputName, chosen: InputName | None = None, backup: LinkState = "online") -> RelayReport:
    inputs = (InputReport("main", "online", "", airs == "main"), InputReport("backup", backup, "", airs == "backup"))
    return msgspec.structs.replace(ALONE, inputs=inputs, chosen=chosen)


async def test_the_relay_has_to_say_that_the_other_one_airs() -> None:
    sent: list[AnyMessage] = []

    def send(message: AnyMessage) -> bool:
        sent.append(message)
        inputs.told(told("main", "backup"))
        asyncio.get_running_loop().call_soon(inputs.told, told("backup", "backup"))
        return True

    inputs = Inputs(send)
    inputs.told(told("main"))
    assert (await inputs.command({"name": "backup"})).kind == "confirmed"
    assert sent == [ChooseInput("backup")]


@pytest.mark.parametrize("name", [None, "", "Main", 1, ["main"], {}])
async def test_what_is_no_encoder_is_refused(name: object) -> None:
    assert (await Inputs(lambda _message: True).command({"name": name})).reason.startswith("Which encoder?")


async def test_one_that_sends_nothing_is_not_put_on_the_air() -> None:
    inputs = Inputs(lambda _message: False)
    inputs.told(told("main", backup="connecting"))
    assert "sends nothing" in (await inputs.command({"name": "backup"})).reason
    assert "not connected" in (await inputs.command({"name": "auto"})).reason
    inputs.told(ALONE)
    assert "no second input" in (await inputs.command({"name": "auto"})).reason
