"""The drawer `hardware/` and the table of drivers."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.devices import DRIVERS, Hardware, MidiPad, OscDesk, open_devices
from studio.errors import DrawerError, NotSupported
from studio.venue import DeviceSettings

if TYPE_CHECKING:
    from pathlib import Path

NAMES = Catalogue().names("hardware")


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_file_is_read_and_says_how_it_was_checked(name: str) -> None:
    hardware = Catalogue().load("hardware", name, Hardware)
    assert hardware.controls()
    assert hardware.driver in DRIVERS
    assert hardware.checked_note


def test_the_drivers_are_chosen_by_the_file() -> None:
    settings = [DeviceSettings("pads", "korg-nanopad2"), DeviceSettings("foh", "behringer-x32", host="10.0.0.5")]
    pads, desk = open_devices(settings, Catalogue(), Bus())
    assert isinstance(pads, MidiPad)
    assert isinstance(desk, OscDesk)
    assert (pads.link.state, desk.link.state) == ("off", "off")


async def test_what_a_model_cannot_do_it_says() -> None:
    pads, desk = open_devices(
        [DeviceSettings("pads", "korg-nanopad2"), DeviceSettings("foh", "behringer-x32")], Catalogue(), Bus()
    )
    with pytest.raises(NotSupported, match="foh has no lights"):
        desk.light("ch1.mute", "on")
    with pytest.raises(NotSupported, match="pads has no values"):
        await pads.set("pad1", 1.0)
    pads.light("pad1", "on")  # a pad without a light: nobody shows it


@pytest.mark.parametrize(
    ("says", "line", "text"),
    [
        ("pads: [{ notes: { pad1: 128 } }]", 6, "127"),
        ("pads: [{ notes: { pad1: 1, pad2: 1 } }]", 6, "twice"),
        ("pads: [{ notes: { pad1: 1 }, lights: { off: 0, on: 1 } }]", 6, "leaves out"),
        ("pads: [{ notes: { pad1: 1 }, lihgts: {} }]", 6, "lights"),
        ("chanel: 3", 6, "channel"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path: Path, says: str, line: int, text: str) -> None:
    (tmp_path / "hardware").mkdir()
    file = tmp_path / "hardware" / "mine.yaml"
    file.write_text(
        dedent("""\
            maker: Me
            model: Mine
            checked: rehearsal
            midi:
              port: MINE
              SAYS
        """).replace("SAYS", says)
    )
    with pytest.raises(DrawerError, match=text) as problem:
        Catalogue(tmp_path).load("hardware", "mine", Hardware)
    assert problem.value.file == file
    assert problem.value.line == line


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ('- { name: "ch{n}.fader", address: "/ch/1", value: level, channels: 2 }', "needs"),
        ('- { name: "a", address: "/a", value: level }\n    - { name: "b", address: "/a", value: level }', "twice"),
        ('- { name: "a", address: "/a", value: level }\n    - { name: "a", address: "/b", value: level }', "one name"),
        ('- { name: "a", address: "a", value: level }', "slash"),
    ],
)
def test_a_desk_has_each_address_once(tmp_path: Path, change: str, text: str) -> None:
    (tmp_path / "hardware").mkdir()
    (tmp_path / "hardware" / "mine.yaml").write_text(
        "maker: Me\nmodel: Mine\nchecked: rehearsal\nosc:\n  port: 9000\n  probe: /info\n"
        f"  law:\n    points: [[0, -60], [1, 0]]\n  controls:\n    {change}\n"
    )
    with pytest.raises(DrawerError, match=text):
        Catalogue(tmp_path).load("hardware", "mine", Hardware)
