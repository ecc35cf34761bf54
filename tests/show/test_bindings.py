"""What controls mean, as files say it; and what hands and reports make of it, with the time handed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.catalogue import Catalogue
from studio.devices import Control, Property, Value
from studio.errors import DrawerError
from studio.show import Action, Board, Desired, Recall, Set, Where, load_bindings
from studio.show._bindings import along, back_along, gather
from studio.venue import read

if TYPE_CHECKING:
    from pathlib import Path

    from studio.show import Ask

PADS = 'name = "pads"\nhardware = "akai-apc-mini"\n'


@dataclass
class Hall:
    """How things stand, said by the test."""

    scene: str | None = "Talk"
    gone: set[str] = field(default_factory=set)
    values: dict[tuple[str, str], Value | None] = field(default_factory=dict)
    snapshots: dict[str, Desired] = field(default_factory=dict)

    @property
    def scenes(self) -> bool:
        return self.scene is not None

    def up(self, device: str) -> bool:
        return device not in self.gone

    def control(self, device: str, name: str) -> Control | None:
        if (device, name) not in self.values:
            return None
        value = self.values[device, name]
        if isinstance(value, bool):
            return Control(name, "switch")
        if isinstance(value, str):
            return Control(name, "text")
        return (
            Control(name, "level", "dB", -90, 10, step=0.1) if "fader" in name else Control(name, "number", "", 0, 100)
        )

    def get(self, device: str, name: str) -> Property | None:
        value = self.values.get((device, name))
        source = "unknown" if value is None else "assumed" if device in self.gone else "reported"
        return Property(value, source, 0, 1)  # type: ignore[arg-type]  # one of the three

    def snapshot(self, name: str) -> Desired | None:
        return self.snapshots.get(name)


@pytest.fixture
def hall() -> Hall:
    return Hall(values={("desk", "ch1.mute"): False, ("desk", "ch1.fader"): -20.0, ("desk", "ch1.name"): "Ona"})


class House:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def said(self, surfaces: str, bind: str = "") -> tuple[Board, list[str]]:
        file = self.folder / "presets/bindings/evening.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(surfaces), "utf-8")
        toml = self.folder / "studio.toml"
        toml.write_text(f'[show]\nbindings = "evening"\n[[devices]]\n{PADS}{bind}', "utf-8")
        found, wrong = gather(read(toml), Catalogue(self.folder))
        return Board(found), [str(each).removeprefix(f"{self.folder}/") for one in wrong for each in one.all()]

    def board(self, surfaces: str, bind: str = "") -> Board:
        board, wrong = self.said(surfaces, bind)
        assert wrong == []
        return board


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def where(control: str) -> Where:
    return Where("pads", control)


def done(asks: list[Ask]) -> list[object]:
    return [deed for ask in asks for deed in ask.deeds]


TAKE = Action("take", {"scene": "Talk"})
MUTE = Set({"desk": {"ch1.mute": True}})


def test_the_short_way_still_works_beside_the_file(house: House, hall: Hall) -> None:
    board = house.board("surfaces: {pads: {pad2: stop, pad3: 'recall:evening'}}", 'bind = { pad1 = "take:Talk" }\n')
    assert done(board.pressed(where("pad1"), 0, hall)) == [TAKE]
    assert done(board.pressed(where("pad2"), 0, hall)) == [Action("stop")]
    assert done(board.pressed(where("pad3"), 0, hall)) == [Recall("evening")]
    assert board.pressed(where("pad9"), 0, hall) == []
    assert board.light(where("pad1"), hall) == "on"
    hall.scene = "Holding"
    assert board.light(where("pad1"), hall) == "ready"
    hall.scene = None
    assert board.light(where("pad1"), hall) == "off"


def test_several_devices_at_once(house: House, hall: Hall) -> None:
    board = house.board("""
        surfaces:
          pads:
            pad1:
              do:
                - take:Talk
                - set: {desk: {ch1.mute: true}}
                - call: {cam1: preset.recall, preset: 3}
                  within: 4
    """)
    take, mute, call = done(board.pressed(where("pad1"), 0, hall))
    assert (take, mute) == (TAKE, MUTE)
    assert (call.device, call.action, call.arguments, call.within) == ("cam1", "preset.recall", {"preset": 3}, 4)  # type: ignore[attr-defined]
    assert board.light(where("pad1"), hall) == "ready"
    hall.values["desk", "ch1.mute"] = True
    assert board.light(where("pad1"), hall) == "on"
    hall.gone = {"cam1"}
    assert board.light(where("pad1"), hall) == "off"


def test_the_first_whose_conditions_hold(house: House, hall: Hall) -> None:
    board = house.board("""
        surfaces:
          pads:
            pad1:
              - {when: {scene: Talk, state: {desk: {ch1.mute: true}}}, do: stop}
              - {when: {not_scene: Talk, online: desk}, do: holding}
              - {when: {scene: Talk}, do: take:Talk}
    """)
    assert done(board.pressed(where("pad1"), 0, hall)) == [TAKE]
    hall.values["desk", "ch1.mute"] = True
    assert done(board.pressed(where("pad1"), 0, hall)) == [Action("stop")]
    hall.scene = "Holding"
    assert done(board.pressed(where("pad1"), 0, hall)) == [Action("take", {"scene": "Holding"})]
    hall.gone = {"desk"}
    assert board.pressed(where("pad1"), 0, hall) == []
    assert board.light(where("pad1"), hall) == "off"


LONG = "surfaces: {pads: {pad1: {do: take:Talk, hold: 0.8, held: stop}}}"


def test_a_long_press_is_decided_when_it_is_long_enough(house: House, hall: Hall) -> None:
    board = house.board(LONG)
    assert board.pressed(where("pad1"), 10.0, hall) == []
    assert board.next_due() == pytest.approx(10.8)
    assert board.due(10.7) == []
    assert done(board.due(10.81)) == [Action("stop")]
    assert board.due(10.9) == []
    assert board.next_due() is None
    assert board.released(where("pad1"), 11.0) == []


def test_a_short_press_is_decided_when_it_ends(house: House, hall: Hall) -> None:
    board = house.board(LONG)
    board.pressed(where("pad1"), 10.0, hall)
    assert done(board.released(where("pad1"), 10.3)) == [TAKE]
    assert board.due(20.0) == []
    board.pressed(where("pad1"), 30.0, hall)  # the loop was busy, and the surface counted itself
    assert done(board.released(where("pad1"), 30.1, 0.9)) == [Action("stop")]
    assert board.released(where("pad1"), 31.0) == []


def test_what_is_held_is_let_go_when_the_surface_is_lost(house: House, hall: Hall) -> None:
    board = house.board("""
        surfaces:
          pads:
            pad1: {do: {call: {cam1: move}}, release: {call: {cam1: stop}}}
            pad2: {do: take:Talk, hold: 1, held: stop}
    """)
    board.pressed(where("pad1"), 0, hall)
    board.pressed(where("pad2"), 0, hall)
    assert [call.action for call in done(board.lost("pads"))] == ["stop"]  # type: ignore[attr-defined]
    assert board.released(where("pad1"), 1) == []
    assert board.due(9) == []
    board.pressed(where("pad1"), 2, hall)
    assert [call.action for call in done(board.released(where("pad1"), 3))] == ["stop"]  # type: ignore[attr-defined]


def test_what_goes_on_only_while_it_is_held_is_asked_for_again(house: House, hall: Hall) -> None:
    board = house.board("""
        surfaces:
          pads:
            pad1: {do: {call: {cam1: move}}, repeat: 0.3, release: {call: {cam1: stop}}}
    """)
    asked = [call.action for call in done(board.pressed(where("pad1"), 0, hall))]  # type: ignore[attr-defined]
    for now in (0.2, 0.31, 0.5, 0.62):
        asked += [call.action for call in done(board.due(now))]  # type: ignore[attr-defined]
    asked += [call.action for call in done(board.released(where("pad1"), 0.7))]  # type: ignore[attr-defined]
    assert asked == ["move", "move", "move", "stop"]
    assert board.due(9) == []


PAGES = """
    surfaces:
      pads:
        shift: {shift: two}
        pad8: {shift: three, latch: true}
        pad1:
          - take:Talk
          - {page: two, do: {set: {desk: {ch1.mute: true}}}}
        pad2: {page: two, do: stop}
"""


def test_pages_while_held_and_latched(house: House, hall: Hall) -> None:
    board = house.board(PAGES.replace("- take:Talk", "- {do: take:Talk}"))
    assert board.pressed(where("pad2"), 0, hall) == []
    assert board.light(where("pad2"), hall) == "off"
    board.pressed(where("shift"), 0, hall)
    assert (board.page("pads"), board.light(where("shift"), hall)) == ("two", "on")
    assert done(board.pressed(where("pad1"), 0, hall)) == [MUTE]
    assert board.light(where("pad1"), hall) == "ready"  # what the first page shows does not leak
    board.released(where("shift"), 1)
    assert (board.page("pads"), board.light(where("shift"), hall)) == ("", "ready")
    assert done(board.pressed(where("pad1"), 0, hall)) == [TAKE]
    board.pressed(where("pad8"), 2, hall)
    board.released(where("pad8"), 3)
    assert (board.page("pads"), board.light(where("pad1"), hall)) == ("three", "off")
    board.pressed(where("pad8"), 4, hall)
    assert board.page("pads") == ""


def test_a_light_follows_the_state_and_never_the_press(house: House, hall: Hall) -> None:
    board = house.board("surfaces: {pads: {pad1: {do: {toggle: {desk: ch1.mute}}}}}")
    pad = where("pad1")
    assert board.light(pad, hall) == "ready"
    (ask,) = board.pressed(pad, 0, hall)
    assert board.light(pad, hall) == "ready"
    board.asked(ask.binding)
    board.asked(ask.binding)
    assert board.light(pad, hall) == "asked"
    board.ended(ask.binding, failed=False)
    assert board.light(pad, hall) == "asked"
    board.ended(ask.binding, failed=False)
    assert board.light(pad, hall) == "ready"  # confirmed, and somebody took it back at once
    hall.values["desk", "ch1.mute"] = True
    assert board.light(pad, hall) == "on"
    board.asked(ask.binding)
    board.ended(ask.binding, failed=True)
    hall.values["desk", "ch1.mute"] = False
    assert board.light(pad, hall) == "failed"
    hall.values["desk", "ch1.mute"] = True
    assert board.light(pad, hall) == "on"
    hall.values["desk", "ch1.mute"] = False
    assert board.light(pad, hall) == "ready"
    hall.gone = {"desk"}
    assert board.light(pad, hall) == "off"


def test_a_snapshot_is_on_while_all_of_it_is_so(house: House, hall: Hall) -> None:
    board = house.board("surfaces: {pads: {pad1: 'recall:evening'}}")
    assert board.light(where("pad1"), hall) == "off"
    hall.snapshots["evening"] = {"desk": {"ch1.mute": False, "ch1.fader": -20.05}}
    assert board.light(where("pad1"), hall) == "on"
    hall.values["desk", "ch1.fader"] = 0.0
    assert board.light(where("pad1"), hall) == "ready"
    assert {("desk", "ch1.mute"), ("desk", "ch1.fader"), ("desk", "")} <= board.concerns(hall).keys()


# ── faders and knobs ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_fader_goes_by_the_curve_of_a_desk(house: House, hall: Hall) -> None:
    board = house.board("""
        surfaces:
          pads:
            fader1: {moves: {desk: ch1.fader}}
            fader2: {moves: {desk: ch1.fader}, lowest: -60, highest: 0}
            fader3: {moves: {desk: ch1.fader}, law: linear}
    """)
    assert [(move.device, move.control, move.value) for move in board.moved(where("fader1"), 0.5, hall)] == [
        ("desk", "ch1.fader", -10.0)
    ]
    ends = [board.moved(where("fader2"), position, hall)[0].value for position in (-1.0, 0.0, 1.0, 2.0)]
    assert ends == [-60.0, -60.0, 0.0, 0.0]
    assert board.moved(where("fader3"), 0.5, hall)[0].value == -40.0
    shown = board.position(where("fader1"), hall)
    assert shown is not None
    assert shown.position == pytest.approx(0.375)
    assert shown.text == "Ona"
    hall.gone = {"desk"}
    shown = board.position(where("fader1"), hall)
    assert shown is not None
    assert shown.position is None


def test_a_motor_that_came_to_where_the_value_is_asks_for_nothing(house: House, hall: Hall) -> None:
    board = house.board("surfaces: {pads: {fader1: {moves: {desk: ch1.fader}}}}")
    shown = board.position(where("fader1"), hall)
    assert shown is not None
    assert shown.position is not None
    assert board.moved(where("fader1"), shown.position, hall) == []


def test_a_knob_goes_on_from_where_it_was(house: House, hall: Hall) -> None:
    board = house.board("surfaces: {pads: {knob1: {turns: {desk: ch1.fader}, step: 0.5, highest: 0}}}")
    knob = where("knob1")
    assert [board.turned(knob, 2, now, hall)[0].value for now in (0.0, 0.1, 0.2)] == [-19.0, -18.0, -17.0]
    assert board.turned(knob, -1, 5.0, hall)[0].value == -20.5  # by now the desk has told
    assert board.turned(knob, 1000, 5.1, hall)[0].value == 0.0
    hall.values["desk", "ch1.fader"] = None
    assert board.turned(knob, 1, 9.0, hall) == []


@given(st.floats(0, 1), st.floats(-90, 9), st.floats(0.5, 100), st.booleans())
def test_there_and_back_along_a_fader(position: float, lowest: float, span: float, level: bool) -> None:  # noqa: FBT001
    value = along(position, lowest, lowest + span, level=level)
    assert lowest <= value <= lowest + span
    assert back_along(value, lowest, lowest + span, level=level) == pytest.approx(position, abs=1e-6)


# ── what cannot be ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("pad1: tkae:Talk", 'line 3: "tkae:Talk" is no action; did you mean "take"?'),
        (
            "pad1: {do: [stop, nothing]}",
            'line 3: "nothing" is no action; known here: take, holding, stop, recall, undo',
        ),
        ("pad1: {doo: stop}", 'line 3: "doo" is not known here; did you mean "do"?'),
        ("pad1: {do: stop, wehn: {scene: A}}", 'line 3: "wehn" is not known here; did you mean "when"?'),
        ("pad1: {do: stop, when: {secne: A}}", 'line 3: "secne" is not known here; did you mean "scene"?'),
        ("pad1: {do: stop, hold: 1}", 'line 3: "hold" says after how many seconds'),
        ("pad1: {do: stop, hold: 60, held: stop}", 'line 3: "hold" must be from 0.2 to 10, not "60"'),
        ("pad1: {do: stop, hold: 1, held: stop, release: stop}", 'line 3: "release" cannot go with "hold"'),
        ("pad1: {do: stop, hold: 1, held: stop, repeat: 1}", 'line 3: "repeat" cannot go with "hold"'),
        ("pad1: {do: {call: {cam1: 3}}}", 'line 3: "call" must begin with a device and its action'),
        ("pad1: {do: {set: desk}}", 'line 3: "set" must be lines of the form'),
        ("f: {moves: {desk: a}, lowest: 3, highest: 1}", 'line 3: "lowest" must be below "highest"'),
        ("k: {turns: {desk: a}, step: 0}", 'line 3: "step" must not be 0'),
        ("pad1: {shift: ''}", 'line 3: "shift" must name a page'),
        ("pad7: stop", 'line 3: "pad7" is bound in studio.toml line 6, too; leave out one of them'),
    ],
)
def test_what_cannot_be_is_named_with_its_line(house: House, line: str, sentence: str) -> None:
    _board, wrong = house.said(f"surfaces:\n  pads:\n    {line}\n", 'bind = { pad7 = "stop" }\n')
    assert len(wrong) == 1
    assert wrong[0].startswith(f"presets/bindings/evening.yaml {sentence}")


def test_a_binding_that_means_nothing_stops_the_show_before_it_begins(tmp_path: Path) -> None:
    file = tmp_path / "studio.toml"
    file.write_text(
        f'[show]\nbindings = "none"\n[[devices]]\n{PADS}[devices.bind]\npad1 = "stop"\npad2 = "tkae:Talk"\n'
    )
    with pytest.raises(DrawerError, match=r'line 8: "tkae:Talk" is no action; did you mean "take"\?$') as caught:
        load_bindings(read(file), Catalogue(tmp_path))
    assert 'there is no "none" in presets/bindings' in str(caught.value.all()[1])
