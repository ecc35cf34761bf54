"""The drawer `hardware/` and the table of drivers."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.devices import DRIVERS, Hardware, MidiSurface, OscDesk, open_devices
from studio.errors import DrawerError, NotSupported
from studio.venue import DeviceSettings

if TYPE_CHECKING:
    from pathlib import Path

ALSO = "  pause: 0\n"
NAMES = Catalogue().names("hardware")


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_file_is_read_and_says_how_it_was_checked(name: str) -> None:
    hardware = Catalogue().load("hardware", name, Hardware)
    assert hardware.controls() or hardware.driver in ("visca", "obsbot")  # a camera's depend on what it answers
    assert hardware.driver in DRIVERS
    assert hardware.checked_note


def test_the_drivers_are_chosen_by_the_file() -> None:
    settings = [DeviceSettings("pads", "korg-nanopad2"), DeviceSettings("foh", "behringer-x32", host="10.0.0.5")]
    pads, desk = open_devices(settings, Catalogue(), Bus())
    assert isinstance(pads, MidiSurface)
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


CH = '- { name: "ch{n}.fader", address: "/ch/{n}", value: level, channels: 4 }'


@pytest.mark.parametrize(
    ("controls", "line", "text"),
    [
        ('- { name: "ch{n}.fader", address: "/ch/1", value: level, channels: 2 }', 9, '"address" needs {n}'),
        ('- { name: "ch{n}.{m}", address: "/ch/{n}", value: level, channels: 2, sends: 2 }', 9, '"address" needs {m}'),
        (
            f"{CH}\n    - {{ name: x, address: /x, value: text }}\n    - {{ name: b, address: /ch/3, value: text }}",
            11,
            "/ch/3",
        ),
        (f"{CH}\n    - {{ name: ch2.fader, address: /x, value: level }}", 10, "ch2.fader a second time"),
        ("- { name: a, address: a, value: level }", 9, "slash"),
        (
            (
                '- { name: "a{n}", address: /a, before: ["{n}"], value: level, channels: 2 }\n'
                "    - { name: b, address: /a, value: level }"
            ),
            10,
            '"before"',
        ),
        ("- { name: a, adress: /a, value: level }", 9, '"address"'),
        ("- { name: a, address: /a, value: fader }", 9, "fader"),
        ("- { name: a, address: /a, value: level, law: none }", 9, '"laws"'),
        ("- { name: a, address: /a, value: number, lowest: 5, highest: 5 }", 9, "below"),
        ("- { name: a, address: /a, value: level, highest: 5 }", 9, "level"),
        ("- { name: a, address: /a, value: text, inverted: true }", 9, '"inverted" means nothing'),
        ("- { name: a, address: /a, value: choice, choices: [one, one] }", 9, "each once"),
        ('- { name: "a{n}", address: "/a{n}", value: text, channels: inputs }', 9, '"counts"'),
        ('- { name: "a{n}", address: "/a{n}", value: text, channels: 1000 }', 9, "512"),
    ],
)
def test_mistakes_of_a_desk_are_named_with_their_line(tmp_path: Path, controls: str, line: int, text: str) -> None:
    wrong = mine(tmp_path, f"  law: {{ points: [[0, -60], [1, 0]] }}\n  controls:\n    {controls}\n")
    assert wrong.line == line
    assert text in str(wrong)


@pytest.mark.parametrize(
    ("says", "line", "text"),
    [
        ("law: { points: [[0, -60], [1, -70]] }", 7, "ascending"),
        ("laws: { a: { points: [[0, 0], [1, 20000]], shape: log } }", 7, "above 0"),
        ("laws: { a: { points: [[-1, 0], [1, 20]], shape: amplitude } }", 7, "below 0"),
        ("laws: { a: { points: [[0, 0], [1, 1]], steps: 1 } }", 7, "2 or more"),
        ("probe: info", 7, "slash"),
        ("asks: false", 7, "reports"),
        ("actions: [{ name: go, address: /go, confirms: x, by: y }]", 7, '"by"'),
        ("actions: [{ name: go, address: /go, arguments: [{ name: n }], confirms: x, by: n }]", 7, "confirmed by no"),
        ("actions: [{ name: go, address: /go, arguments: [{ kind: text }] }]", 7, '"value"'),
        ("meters: [{ address: /m, form: float64, parts: [] }]", 7, "float64"),
        ('meters: [{ address: /m, form: int16, parts: [{ name: "m{n}", count: 1 }] }]', 7, "more than one"),
        ("meters: [{ address: /m, form: int16, parts: [{ name: a, count: 1 }] }]", 7, "a second time"),
    ],
)
def test_mistakes_around_the_controls_are_named_with_their_line(
    tmp_path: Path, says: str, line: int, text: str
) -> None:
    wrong = mine(tmp_path, f"  {says}\n  controls: [{{ name: a, address: /a, value: text }}]\n")
    assert wrong.line == line
    assert text in str(wrong)


@pytest.mark.parametrize(
    ("says", "line", "text"),
    [
        ("visca: { framing: sony, port: 52381, transport: tcp }", 4, "UDP only"),
        ("visca: { framing: raw, port: 0 }", 4, "port"),
        ("visca: { framing: serial, port: 1259 }", 4, "serial"),
        ("visca: { framing: raw, prot: 1259 }", 4, "port"),
        ("visca: { framing: raw, port: 1259, reply_port: 1259, transport: tcp }", 4, "UDP only"),
        ('visca: { framing: raw, port: 1259, pan: { wire: [0, 9], shown: [0, 9], unit: "°" } }', 4, "go together"),
        (
            'visca: { framing: raw, port: 1259, zoom: { wire: [9, 0], shown: [0, 100], unit: "%" } }',
            4,
            "lower one first",
        ),
        ('visca: { framing: raw, port: 1259, zoom: { wire: [0, 9], shown: [7, 7], unit: "%" } }', 4, "different"),
        ("visca: { framing: raw, port: 1259, speeds: { pan: [24, 1] } }", 4, '"pan"'),
        ("visca: { framing: raw, port: 1259, speeds: { pan: [1, 128] } }", 4, "127"),
        (
            "visca: { framing: raw, port: 1259, presets: { count: 10, speed: all, speeds: [24, 1] } }",
            4,
            "slower one first",
        ),
        ("visca: { framing: raw, port: 1259, presets: { count: 200, first: 100 } }", 4, "254"),
        ("visca: { framing: raw, port: 1259, exposure: { auto: 0, manual: 0 } }", 4, "two names"),
        ("visca: { framing: raw, port: 1259, tally: red }", 4, "red"),
        ("obsbot: { port: 16284, presets: TriggerPreset }", 4, "slash"),
        ("obsbot: { port: 16284, presets: /p, pan: -20 }", 4, "pan"),
        ("obsbot: { port: 16284, presets: /p, device: 8 }", 4, "7"),
        ("obsbot: { port: 16284, presets: /p, full_speed: 0 }", 4, "20"),
        ("obsbot: { port: 16284, presets: /p, ful_speed: 60 }", 4, "full_speed"),
        ("obsbot: { port: 16284, presets: /p }\nvisca: { framing: raw, port: 1259 }", 2, "one of"),
    ],
)
def test_mistakes_of_a_camera_are_named_with_their_line(tmp_path: Path, says: str, line: int, text: str) -> None:
    (tmp_path / "hardware").mkdir()
    file = tmp_path / "hardware" / "mine.yaml"
    file.write_text(f"maker: Me\nmodel: Mine\nchecked: rehearsal\n{says}\n")
    with pytest.raises(DrawerError) as problem:
        Catalogue(tmp_path).load("hardware", "mine", Hardware)
    assert (problem.value.file, problem.value.line) == (file, line)
    assert text in str(problem.value)


def mine(folder: Path, says: str) -> DrawerError:
    """What is wrong with a desk's file that says this of OSC."""
    (folder / "hardware").mkdir()
    probe = "" if "probe" in says else "  answer: /alive\n"
    (folder / "hardware" / "mine.yaml").write_text(
        f"maker: Me\nmodel: Mine\nchecked: rehearsal\nosc:\n  port: 9000\n{probe or ALSO}{says}"
    )
    with pytest.raises(DrawerError) as problem:
        Catalogue(folder).load("hardware", "mine", Hardware)
    return problem.value
