"""`studio check` names each mistake in devices, bindings and snapshots with file and line; docs/evidence shows them."""

from __future__ import annotations

import contextlib
import re
import socket
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from tests.app.desk import small_desk

from studio.app import check_everything
from studio.app._devices import check_devices
from studio.app._here import check_here, resolve
from studio.catalogue import Catalogue
from studio.venue import read

if TYPE_CHECKING:
    from pathlib import Path

    from studio.show import Finding

VENUE = """
[obs]
use = "off"
[show]
scenes = "talk"
bindings = "own"
[[devices]]
name = "desk"
hardware = "small"
[[devices]]
name = "pads"
hardware = "akai-apc-mini"
"""
SCENES = "scenes: [{name: Talk}, {name: Holding}]\n"


class House:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        small_desk(folder)
        self.write("scenes/talk.yaml", SCENES)
        self.write("presets/bindings/own.yaml", "surfaces: {}\n")
        self.write("presets/snapshots/evening.yaml", "set: {desk: {ch1.fader: -10}}\n")
        self.toml(VENUE)

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), "utf-8")

    def toml(self, text: str) -> None:
        self.write("studio.toml", text.lstrip())

    def told(self) -> list[str]:
        """Of all that `studio check` looks at."""
        return self._shown(check_everything(self.folder / "studio.toml"))

    def asked(self) -> list[str]:
        """Of what bindings and snapshots ask for."""
        return self._shown(check_devices(read(self.folder / "studio.toml"), Catalogue(self.folder)))

    def _shown(self, found: list[Finding]) -> list[str]:
        return [str(one).removeprefix(f"{self.folder}/") for one in found]

    def here(self) -> list[str]:
        """Of names and ports."""
        return self._shown(check_here(read(self.folder / "studio.toml"), Catalogue(self.folder)))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_house_in_order(house: House) -> None:
    house.write(
        "presets/bindings/own.yaml",
        """
        surfaces:
          pads:
            pad1: {do: [take:Talk, {set: {desk: {ch1.mute: true}}}], when: {online: desk, scene: Holding}}
            pad2: {do: {toggle: {desk: ch1.mute}}, hold: 1, held: recall:evening}
            pad63: {shift: two}
            pad3: {page: two, do: undo}
        """,
    )
    assert house.told() == []


WRONG = {
    "pda1: stop": '"pads" has no control "pda1"; did you mean "pad1"?',
    "pad1: take:Takl": 'the scene "Takl" is not in scenes/talk.yaml; did you mean "Talk"?',
    "pad1: recall:evning": 'there is no "evning" in presets/snapshots; did you mean "evening"?',
    "pad1: {do: {set: {dsek: {ch1.mute: true}}}}": 'There is no device "dsek" in studio.toml; did you mean "desk"?',
    "pad1: {do: {set: {desk: {ch9.mute: true}}}}": 'desk has no control "ch9.mute"; did you mean "ch2.mute"?',
    "pad1: {do: {set: {desk: {ch1.fader: 11}}}}": "ch1.fader goes from -90 to 10 dB.",
    "pad1: {do: {set: {desk: {ch1.mute: 1}}}}": "ch1.mute is a switch, which 1.0 is not.",
    "pad1: {do: {toggle: {desk: ch1.fader}}}": "ch1.fader is a level, which True is not.",
    "pad1: {do: {call: {desk: fly}}}": 'desk has no action "fly"',
    "pad1: {do: {call: {cam: stop}}}": 'There is no device "cam" in studio.toml; known here: desk, pads',
    "pad1: {do: {call: {obs: stop}}}": 'there is no "obs" in this house: [obs] says use = "off"',
    "pad1: {do: stop, when: {scene: Tlk}}": 'the scene "Tlk" is not in scenes/talk.yaml; did you mean "Talk"?',
    "pad1: {do: stop, when: {online: dsek}}": 'There is no device "dsek" in studio.toml; did you mean "desk"?',
    "pad1: {do: stop, when: {state: {desk: {ch1: 1}}}}": 'desk has no control "ch1"; known here: ch1.fader, ',
    "pad1: {do: stop, page: two}": 'no "shift" of pads leads to the page "two"',
    "pad1: {moves: {desk: ch1.fader}}": '"pad1" of pads is a pad, which cannot do this',
    "fader1: stop": '"fader1" of pads is a fader, which cannot do this',
    "fader1: {moves: {desk: ch1.mute}}": "ch1.mute of desk is no number that can be set",
    "fader1: {moves: {desk: ch1.fader}, lowest: -99}": "ch1.fader goes from -90 to 10 dB.",
}
"""A line of `presets/bindings/`, and what is said of it; together they are one file, each control once."""


def test_bindings_that_cannot_be(house: House) -> None:
    lines = [line.replace("pad1:", f"pad{number}:", 1) for number, line in enumerate(WRONG, 2)]
    lines = [line.replace("fader1:", f"fader{number % 9 + 1}:", 1) for number, line in enumerate(lines)]
    house.write("presets/bindings/own.yaml", "surfaces:\n  pads:\n" + "".join(f"    {line}\n" for line in lines))
    told = {int(line.split()[2].strip(":")): line for line in house.asked()}
    assert set(told) == set(range(3, 3 + len(lines)))
    for at, sentence in enumerate(WRONG.values(), 3):
        said = re.sub(r'"(pad|fader)\d+"', r'"\g<1>1"', told[at])
        assert said.startswith(f"presets/bindings/own.yaml line {at}: {sentence}")


def test_a_surface_and_a_file_that_are_not_there(house: House) -> None:
    house.write("presets/bindings/own.yaml", "surfaces:\n  pasd:\n    pad1: stop\n")
    assert house.asked() == [
        'presets/bindings/own.yaml line 3: There is no device "pasd" in studio.toml; did you mean "pads"?'
    ]
    house.toml(VENUE.replace('"own"', '"onw"'))
    assert house.asked() == ['studio.toml line 5: there is no "onw" in presets/bindings; did you mean "own"?']


def test_snapshots_that_cannot_be(house: House) -> None:
    house.write(
        "presets/snapshots/evening.yaml", "set:\n  desk:\n    ch1.fader: 30\n    ch7.fader: 0\n  cam: {zoom: 1}\n"
    )
    assert house.asked() == [
        "presets/snapshots/evening.yaml line 3: ch1.fader goes from -90 to 10 dB.",
        'presets/snapshots/evening.yaml line 4: desk has no control "ch7.fader"; did you mean "ch2.fader"?',
        'presets/snapshots/evening.yaml line 5: There is no device "cam" in studio.toml; known here: desk, pads',
    ]
    house.write("presets/snapshots/evening.yaml", "ste: {desk: {}}\n")
    assert house.told() == [
        'presets/snapshots/evening.yaml line 1: "ste" is not known here; did you mean "set"?',
        'presets/snapshots/evening.yaml: "set" is missing',
    ]


DESK = """
maker: Us
model: own
checked: manual only
osc:
  port: 9000
  probe: /info
  law: {points: [[0.0, -90.0], [1.0, 10.0]]}
  controls:
"""


def test_profiles_that_cannot_be(house: House) -> None:
    wrong = {
        "- {name: a, address: /a, value: level, rnage: 3}": '"rnage" is not known here',
        "- {name: a, address: a, value: level}": '"address" must begin with a slash',
        "- {name: a, address: /a, value: levle}": '"value" cannot be "levle"; did you mean "level"?',
        "- {name: a, address: /a, value: level, channels: 2}": "if and only if",
        "- {name: a, address: /a, value: number, lowest: 3, highest: 1}": '"lowest" must be below "highest"',
        "- {name: a, address: /a, value: level}\n    - {name: b, address: /a, value: level}": "/a",
        "- {name: a, address: /a, value: level}\n    - {name: a, address: /b, value: level}": "second time",
    }
    for number, line in enumerate(wrong):
        house.write(f"hardware/own{number}.yaml", f"{DESK.lstrip()}    {line}\n")
    told = house.told()
    assert len(told) == len(wrong)
    for number, (said, sentence) in enumerate(zip(told, wrong.values(), strict=True)):
        assert re.match(rf"hardware/own{number}\.yaml line \d+: ", said)
        assert sentence in said


# ── names and ports ───────────────────────────────────────────────────────────────────────────────────────────────────

TWO = """
[obs]
use = "off"
[web]
port = {web}
[show]
input = "mic"
[[devices]]
name = "one"
hardware = "small"
host = "{one}"
[[devices]]
name = "two"
hardware = "small"
host = "{two}"
port = {port}
"""


def test_two_devices_at_one_address(house: House) -> None:
    house.toml(TWO.format(web=1, one="localhost", two="127.0.0.1", port=10023))
    assert [line for line in house.here() if "line 4" not in line] == [
        'studio.toml line 14: "one" has the same address and port (127.0.0.1:10023)'
    ]
    house.toml(TWO.format(web=1, one="localhost", two="127.0.0.1", port=10024))
    assert [line for line in house.here() if "line 4" not in line] == []


def test_a_name_that_no_host_has(house: House) -> None:
    house.toml(TWO.format(web=1, one="127.0.0.1", two="no..such", port=10023))
    assert 'studio.toml line 14: there is no host "no..such" on this network; write its address, such as 10.0.0.31' in (
        house.here()
    )


def test_a_name_that_leads_to_several(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.app._here._look_up", lambda _name: ("10.0.0.1", "10.0.0.2"))
    house.toml(TWO.format(web=1, one="127.0.0.1", two="desk.hall", port=10023))
    expected = '"desk.hall" leads to several addresses (10.0.0.1, 10.0.0.2); write the one that is meant'
    assert f"studio.toml line 14: {expected}" in house.here()


def test_a_name_server_that_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def hang(_name: str) -> tuple[str, ...]:
            with contextlib.suppress(OSError), socket.create_connection(silent.getsockname()) as line:
                line.recv(1)
            return ()

        monkeypatch.setattr("studio.app._here._look_up", hang)
        assert resolve(["hall.example", "10.0.0.1", "localhost"], 0.2) == {
            "hall.example": None,
            "10.0.0.1": ("10.0.0.1",),
            "localhost": ("127.0.0.1", "::1"),
        }


def test_a_port_that_is_taken(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        house.toml(TWO.format(web=port, one="127.0.0.1", two="127.0.0.2", port=10023))
        told = house.here()
    assert len(told) == 1
    assert told[0].endswith(f"studio.toml line 4: port {port} is in use by another program now; is a show running?")


def test_two_devices_of_one_name(house: House) -> None:
    house.toml(VENUE.replace('"pads"', '"desk"'))
    assert house.told()[0] == 'studio.toml line 10: the name "desk" is taken already, on line 7'
