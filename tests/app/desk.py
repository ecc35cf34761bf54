"""A small desk of our own for the tests of what is asked of devices: its file of `hardware/` and its twin."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

from studio.catalogue import Catalogue
from studio.devices import Hardware
from studio.rehearsal import DeskTwin

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
    maker: Behringer
    model: small
    checked: rehearsal
    osc:
      port: 10023
      probe: /xinfo
      keep_alive: /xremote
      law:
        points: [[0.0, -90.0], [0.0625, -60.0], [0.25, -30.0], [0.5, -10.0], [1.0, 10.0]]
        steps: 1024
      controls:
        - { name: "ch{n}.fader", address: "/ch/{nn}/mix/fader", value: level, channels: 2 }
        - { name: "ch{n}.mute", address: "/ch/{nn}/mix/on", value: switch, inverted: true, channels: 2 }
        - { name: ch1.name, address: /ch/01/config/name, value: text }
        - { name: ch1.polarity, address: /ch/01/preamp/invert, value: switch, lazy: true }
"""


def small_desk(folder: Path) -> DeskTwin:
    """Write `hardware/small.yaml` into the house in `folder`; return its twin, which is not switched on yet."""
    file = folder / "hardware" / "small.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(dedent(FILE), "utf-8")
    model = Catalogue(folder).load("hardware", "small", Hardware).osc
    assert model is not None
    return DeskTwin(model)


def house_with(folder: Path, twin: DeskTwin, more: str = "") -> Path:
    """Write the `studio.toml` of a house that has the desk; return it."""
    toml = folder / "studio.toml"
    toml.write_text(
        f'[obs]\nuse = "off"\n[[devices]]\nname = "desk"\nhardware = "small"\nport = {twin.port}\n{more}', "utf-8"
    )
    return toml
