from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from studio.catalogue import Catalogue
from studio.show import Finding, check
from studio.venue import Venue, read

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Look:
    size: float = 0.05


@dataclass(frozen=True, slots=True)
class Model:
    maker: str
    pads: tuple[str, ...] = ()

    def controls(self) -> tuple[str, ...]:
        return self.pads


KINDS: dict[str, type[Any]] = {
    "subtitles/styles": Look,
    "presets/encode": Look,
    "presets/captions": Look,
    "hardware": Model,
}
"""Simple stand-ins for what the rooms read; their own tests hold the shipped files against the real kinds."""


class Folder:
    """A house on the disk, in which everything is right."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for drawer, name in (
            ("subtitles/styles", "plain"),
            ("presets/encode", "small"),
            ("presets/captions", "quick"),
        ):
            self.write(f"{drawer}/{name}.yaml", "size: 0.1\n")
        self.write("hardware/box.yaml", "maker: Us\npads: [pad1, pad2]\n")
        self.write("scenes/own.yaml", "scenes: [{name: Talk, sources: [{camera: main}]}, {name: Holding}]\n")
        self.toml("")

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), "utf-8")

    def toml(
        self, more: str, show: str = "", cameras: str = '[[cameras]]\nname = "main"\nurl = "rtsp://a/b"\n'
    ) -> None:
        self.write(
            "studio.toml",
            '[captions]\npreset = "quick"\n'
            f'[show]\nstyle = "plain"\nencode = "small"\nscenes = "own"\n{show}\n{cameras}\n{more}',
        )

    def check(self) -> list[Finding]:
        venue = read(self.folder / "studio.toml")
        own = [*KINDS, "scenes"]
        catalogue = Catalogue(self.folder)
        shipped = {str(place.file) for drawer in own for place in Catalogue().files(drawer)}
        found = check(venue, catalogue, KINDS)
        # The shipped files are of the real kinds, not of those of this test.
        unread = {place.shown for drawer in KINDS for place in catalogue.files(drawer) if str(place.file) in shipped}
        return [finding for finding in found if not any(finding.sentence.startswith(name) for name in unread)]

    def told(self) -> list[str]:
        return [str(finding).removeprefix(f"{self.folder}/") for finding in self.check()]


@pytest.fixture
def house(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


DEVICE = '[[devices]]\nname = "pad"\nhardware = "box"\n'


def test_a_house_in_order(house: Folder) -> None:
    house.toml(f'{DEVICE}bind = {{ pad1 = "take:Talk", pad2 = "holding" }}\n')
    assert house.told() == []


def test_what_is_shipped_is_in_order_for_a_house_that_has_nothing() -> None:
    assert [str(found) for found in check(Venue(), Catalogue(), {})] == []


def test_every_file_of_every_drawer_is_read_at_once(house: Folder) -> None:
    house.write("subtitles/styles/big.yaml", "szie: 3\nsize: large\n")
    house.write("presets/encode/bad.yaml", "size: [\n")
    house.write("hardware/none.yaml", "")
    house.write("scenes/two.yaml", "scenes:\n  - name: A\n    sources:\n      - camera: mian\n      - camera: hall\n")
    looks, numbers, broken, *others = house.told()
    assert looks == 'subtitles/styles/big.yaml line 1: "szie" is not known here; did you mean "size"?'
    assert numbers == 'subtitles/styles/big.yaml line 2: "size" must be a number, not "large"'
    assert broken.startswith("presets/encode/bad.yaml line 2: this is not YAML: ")
    assert others == [
        "hardware/none.yaml: the file is empty",
        'scenes/two.yaml line 4: camera "mian" is not in studio.toml; did you mean "main"?',
        'scenes/two.yaml line 5: camera "hall" is not in studio.toml; known here: main',
    ]


def test_names_that_nobody_has(house: Folder) -> None:
    house.write(
        "studio.toml",
        """\
        [show]
        style = "plian"
        encode = "smal"
        scenes = "onw"
        [captions]
        preset = "quikc"
        [[devices]]
        name = "pad"
        hardware = "bxo"
        bind = { anything = "take:Anything" }
        """,
    )
    house.write("scenes/own.yaml", "scenes: [{name: A}]")
    assert house.told() == [
        'studio.toml line 2: there is no "plian" in subtitles/styles; did you mean "plain"?',
        'studio.toml line 3: there is no "smal" in presets/encode; did you mean "small"?',
        'studio.toml line 6: there is no "quikc" in presets/captions; did you mean "quick"?',
        'studio.toml line 9: there is no "bxo" in hardware; did you mean "box"?',
        'studio.toml line 4: there is no "onw" in scenes; did you mean "own"?',
    ]


def test_buttons(house: Folder) -> None:
    house.toml(
        """
[[devices]]
name = "pad"
hardware = "box"
[devices.bind]
pad1 = "take:Tlak"
pda2 = "holding"
pad2 = "dance"
"""
    )
    assert [line.split(": ", 1)[1] for line in house.told()] == [
        'the scene "Tlak" is not in scenes/own.yaml; did you mean "Talk"?',
        'box has no control "pda2"; did you mean "pad2"?',
        '"dance" is no action; known here: take, holding, stop, recall, undo',
    ]


def test_two_of_one_name_and_names_of_the_house(house: Folder) -> None:
    house.toml(
        '[[cameras]]\nname = "main"\nurl = "rtsp://a/c"\n'
        f'{DEVICE}port = 9000\n{DEVICE}[[devices]]\nname = "relay"\nhardware = "box"\nport = 9000\n'
    )
    assert house.told() == [
        'studio.toml line 13: the name "main" is taken already, on line 9',
        'studio.toml line 20: the name "pad" is taken already, on line 16',
        'studio.toml line 23: a device cannot be called "relay"; the house itself has a part of that name',
        'studio.toml line 25: "pad" has the same host and port',
    ]


@pytest.mark.parametrize(
    ("more", "show", "told"),
    [
        ("[web]\nport = 4455", "", ["port 4455 is also that of [web]; choose another for one of them"]),
        ("[web]\nport = 1935", "", ["port 1935 is also that of [web]; choose another for one of them"]),
        ("[obs]\nport = 1935", "", ["port 1935 is also that of [obs]; choose another for one of them"]),
        ('[web]\nport = 4455\n[obs]\nuse = "off"', "", []),
        ("[web]\nport = 1935", 'input = "mic"', []),
        ("[web]\nport = 1935", 'listen = "srt://127.0.0.1:1935"', []),
    ],
)
def test_one_port_for_two(house: Folder, more: str, show: str, told: list[str]) -> None:
    house.toml(more, show)
    assert [line.split(": ", 1)[1] for line in house.told()] == told


def test_an_input_that_is_not_there(house: Folder) -> None:
    house.toml("", 'input = "talk.mp4"')
    assert house.told() == [
        f'studio.toml line 7: there is no file {house.folder}/talk.mp4; name one, or say "listen" or "mic"'
    ]
    (house.folder / "talk.mp4").touch()
    assert house.told() == []


def test_an_open_door_is_told_but_may_be_meant(house: Folder) -> None:
    house.toml('[web]\nhost = "0.0.0.0"', 'listen = "rtmp://0.0.0.0:1935/live/x"')
    assert [(finding.serious, str(finding).split(": ", 1)[1]) for finding in house.check()] == [
        (False, "the page will be open to everyone on the network, who may then run the show"),
        (False, "anyone on the network may stream to 0.0.0.0 and so be on the air"),
    ]


def test_files_that_nobody_reads(house: Folder) -> None:
    house.write("scenes/late.yml", "scenes: []")
    house.write("presets/encod/x.yaml", "size: 1")
    house.write("presets/notes/x.yaml", "size: 1")
    assert house.told() == [
        'presets/encod: nobody reads this folder; did you mean "encode"?',
        "scenes/late.yml: files of a drawer end in .yaml; rename it to late.yaml",
    ]


def test_the_same_thing_is_told_once(house: Folder) -> None:
    house.write("scenes/own.yaml", "scenes: [{name: Talk, sources: [{camera: mian}]}]")
    assert house.told() == ['scenes/own.yaml line 1: camera "mian" is not in studio.toml; did you mean "main"?']


def test_the_slate_is_looked_at(house: Folder) -> None:
    house.toml("", show='slate = "slaet"')
    assert house.told() == ['studio.toml line 7: there is no "slaet" in scenes; did you mean "slate"?']
