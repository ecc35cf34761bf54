"""What hands on a surface mean, and what it is told to show: the pure half, by the clock of the test."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.catalogue import Catalogue
from studio.devices import Hardware, Light, MidiModel
from studio.devices._midi.model import Encoder, Fader, Pads, Pages, Turns
from studio.devices._midi.panel import DRIVE, SETTLE, Panel
from studio.events import EncoderTurned, FaderMoved, FaderTouched, PadPressed, PadReleased
from studio.wire.midi import Message, Reader, decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable


def shipped(name: str) -> MidiModel:
    model = Catalogue().load("hardware", name, Hardware).midi
    assert model
    return model


X_TOUCH = shipped("behringer-x-touch")
NANO = shipped("korg-nanokontrol2")
FADER = MidiModel("one", faders=(Fader("fader", controller=7),))


class Bench:
    """A panel, and hands that speak in bytes."""

    def __init__(self, model: MidiModel) -> None:
        self.now = 100.0
        self.panel = Panel("desk", model)
        self.flush()

    def hears(self, *said: str) -> list[object]:
        found: list[object] = []
        for each in said:
            message = decode(bytes.fromhex(each))
            assert message
            found += self.panel.hear(message, self.now)
        return found

    def flush(self, after: float = 0.0) -> list[str]:
        self.now += after
        return [encode(message).hex(" ") for message in self.panel.flush(self.now)[0]]


class TestPads:
    def test_pressed_and_released_with_the_seconds_between(self) -> None:
        bench = Bench(X_TOUCH)
        assert bench.hears("90 18 7f") == [PadPressed("desk", "select1")]
        bench.now += 1.5
        assert bench.hears("90 18 00") == [PadReleased("desk", "select1", 1.5)]
        assert bench.hears("80 18 40") == []  # was not held

    def test_buttons_that_send_controllers(self) -> None:
        bench = Bench(NANO)
        assert bench.hears("b0 20 7f", "b0 27 7f", "b0 20 00") == [
            *(PadPressed("desk", "solo1"), PadPressed("desk", "solo8"), PadReleased("desk", "solo1", 0.0)),
        ]

    @pytest.mark.parametrize(
        ("name", "control", "lit"),
        [
            ("akai-apc-mini", "pad1", ["90 38 00", "90 38 01", "90 38 03", "90 38 06", "90 38 04"]),
            ("akai-apc-mini-mk2", "pad1", ["96 38 00", "93 38 15", "96 38 05", "9d 38 0d", "9d 38 05"]),
            ("behringer-x-touch", "play", ["90 5e 00", "90 5e 00", "90 5e 7f", "90 5e 01", "90 5e 01"]),
            ("korg-nanokontrol2", "mute8", ["b0 37 00", "b0 37 00", "b0 37 7f", "b0 37 7f", "b0 37 00"]),
        ],
    )
    def test_lights(self, name: str, control: str, lit: list[str]) -> None:
        panel = Panel("pads", shipped(name))
        shown: list[str] = []
        for state in ("off", "ready", "on", "asked", "failed"):
            panel.light(control, state)
            panel.unplugged(0.0)
            number = lit[0][3:5]
            shown += [
                text
                for message in panel.flush(0.0)[0]
                if (text := encode(message).hex(" "))[0] in "9b" and text[3:5] == number
            ]
        assert shown == lit

    def test_a_light_is_sent_once(self) -> None:
        bench = Bench(X_TOUCH)
        bench.panel.light("play", "on")
        assert bench.flush() == ["90 5e 7f"]
        bench.panel.light("play", "on")
        assert bench.flush() == []

    def test_what_was_held_is_let_go_when_it_is_unplugged(self) -> None:
        bench = Bench(X_TOUCH)
        bench.hears("90 18 7f", "90 68 7f")
        assert bench.panel.unplugged(102.0) == [
            PadReleased("desk", "select1", 2.0),
            FaderTouched("desk", "fader1", touched=False),
        ]
        assert bench.panel.unplugged(103.0) == []

    def test_no_such_control(self) -> None:
        panel = Panel("pads", shipped("korg-nanopad2"))
        for wrong in ("pad17", "page2.pad1"):
            with pytest.raises(ValueError, match=wrong):
                panel.light(wrong, "on")
        with pytest.raises(ValueError, match=r"1\.1"):
            Panel("faders", FADER).show("fader", 1.1, "")


class TestMotors:
    def test_a_motor_goes_where_it_is_shown(self) -> None:
        bench = Bench(X_TOUCH)
        bench.panel.show("fader1", 1.0, "")
        bench.panel.show("main", 0.5, "")
        assert bench.flush() == ["e0 7f 7f", "e8 00 40"]

    def test_feedback_waits_while_a_hand_is_on_it(self) -> None:
        bench = Bench(X_TOUCH)
        bench.panel.show("fader1", 0.2, "")
        bench.flush()
        bench.now += DRIVE
        assert bench.hears("90 68 7f", "e0 00 40") == [
            FaderTouched("desk", "fader1", touched=True),
            FaderMoved("desk", "fader1", 8192 / 16383),
        ]
        bench.panel.show("fader1", 0.3, "")  # late news of where it was on its way
        assert bench.flush(10.0) == []
        assert bench.hears("90 68 00") == [FaderTouched("desk", "fader1", touched=False)]
        assert bench.flush() == ["e0 00 40"]  # stay where the hand left it
        bench.panel.show("fader1", 0.5, "")  # the desk's own word, in the desk's own steps
        assert bench.flush(SETTLE) == []

    def test_what_the_desk_refused_brings_the_fader_back(self) -> None:
        bench = Bench(X_TOUCH)
        bench.panel.show("fader1", 0.25, "")
        bench.flush()
        bench.now += DRIVE
        bench.hears("90 68 7f", "e0 00 40", "90 68 00")
        messages, due = bench.panel.flush(bench.now)
        assert [encode(message).hex(" ") for message in messages] == ["e0 00 40"]
        assert due == bench.now + SETTLE
        assert bench.flush(SETTLE) == ["e0 00 20"]

    def test_a_hand_that_only_rests_on_it_moves_nothing(self) -> None:
        bench = Bench(X_TOUCH)
        bench.panel.show("fader1", 0.75, "")
        place = bench.flush()
        assert bench.hears("90 68 7f", "90 68 00")[1:] == [FaderTouched("desk", "fader1", touched=False)]
        assert bench.flush() == place

    def test_its_own_way_is_no_hand(self) -> None:
        bench = Bench(MidiModel("bcf", faders=(Fader("fader", controller=81, motor=True),)))
        bench.panel.show("fader", 0.0, "")
        bench.panel.show("fader", 1.0, "")
        assert bench.flush() == ["b0 51 7f"]
        assert bench.hears("b0 51 20", "b0 51 60", "b0 51 7f") == []
        bench.now += DRIVE
        assert bench.hears("b0 51 40") == [FaderMoved("desk", "fader", 64 / 127)]

    def test_one_step_of_the_surface_is_nothing(self) -> None:
        bench = Bench(X_TOUCH)
        bench.panel.show("fader1", 0.5, "")
        bench.flush()
        bench.panel.show("fader1", 0.5 + 0.9 / 1023, "")
        assert bench.flush() == []
        bench.panel.show("fader1", 0.5 + 2 / 1023, "")
        assert len(bench.flush()) == 1

    def test_what_moves_nothing_lies_down(self) -> None:
        bench = Bench(X_TOUCH)
        bench.panel.show("fader1", 0.5, "")
        bench.flush()
        bench.panel.show("fader1", None, "")
        assert bench.flush() == ["e0 00 00"]
        bench.now += DRIVE
        assert bench.hears("90 68 7f", "e0 00 40") == [FaderTouched("desk", "fader1", touched=True)]


class TestTakeOver:
    def test_a_fader_is_picked_up_where_it_has_to_be(self) -> None:
        bench = Bench(FADER)
        bench.panel.show("fader", 0.5, "")
        assert bench.hears("b0 07 00", "b0 07 20", "b0 07 3c") == []
        assert bench.hears("b0 07 44") == [FaderMoved("desk", "fader", 68 / 127)]  # past it
        assert bench.hears("b0 07 50") == [FaderMoved("desk", "fader", 80 / 127)]

    def test_it_is_there_already(self) -> None:
        bench = Bench(FADER)
        bench.panel.show("fader", 64 / 127, "")
        assert bench.hears("b0 07 41") == [FaderMoved("desk", "fader", 65 / 127)]

    def test_late_news_does_not_take_it_out_of_the_hand(self) -> None:
        bench = Bench(FADER)
        bench.panel.show("fader", 0.0, "")
        bench.hears("b0 07 00")
        for value in range(1, 100):
            bench.now += 0.01
            assert len(bench.hears(f"b0 07 {value:02x}")) == 1
            bench.panel.show("fader", max(0, value - 20) / 127, "")

    def test_who_moved_it_meanwhile_has_it(self) -> None:
        bench = Bench(FADER)
        bench.panel.show("fader", 0.0, "")
        bench.hears("b0 07 00", "b0 07 10")
        bench.panel.show("fader", 16 / 127, "")
        bench.now += 2 * SETTLE
        bench.panel.show("fader", 0.9, "")  # a hand on the desk
        assert bench.hears("b0 07 12") == []
        assert bench.hears("b0 07 74") == [FaderMoved("desk", "fader", 116 / 127)]

    def test_relative_meets_at_the_ends(self) -> None:
        bench = Bench(replace(FADER, faders=(replace(FADER.faders[0], takeover="relative"),)))
        bench.panel.show("fader", 0.8, "")
        assert bench.hears("b0 07 00") == []  # now it is known where it stands
        (moved,) = bench.hears("b0 07 40")
        assert isinstance(moved, FaderMoved)
        assert moved.position == pytest.approx(0.8 + 0.2 * 64 / 127)
        for said, end in (("b0 07 7f", 1.0), ("b0 07 00", 0.0)):
            (moved,) = bench.hears(said)
            assert isinstance(moved, FaderMoved)
            assert moved.position == pytest.approx(end)

    def test_jump_goes_at_once(self) -> None:
        bench = Bench(replace(FADER, faders=(replace(FADER.faders[0], takeover="jump"),)))
        assert bench.hears("b0 07 7f") == [FaderMoved("desk", "fader", 1.0)]

    @pytest.mark.parametrize("takeover", ["pickup", "relative"])
    def test_nobody_said_where_it_stands(self, takeover: str) -> None:
        bench = Bench(replace(FADER, faders=(replace(FADER.faders[0], takeover=takeover),)))  # type: ignore[arg-type]
        assert bench.hears("b0 07 7f", "b0 07 00", "b0 07 7f") == []

    def test_fourteen_bits_in_two_controllers(self) -> None:
        bench = Bench(MidiModel("fine", faders=(Fader("fader", controller=1, fine=33, takeover="jump"),)))
        assert bench.hears("b0 01 40", "b0 21 01") == [FaderMoved("desk", "fader", 8193 / 16383)]


@pytest.mark.parametrize(
    ("turns", "said", "steps"),
    [
        *(("sign", "01", 1), ("sign", "41", -1), ("sign", "43", -3), ("sign", "40", None), ("sign", "00", None)),
        *(("twos_complement", "01", 1), ("twos_complement", "7f", -1), ("twos_complement", "7d", -3)),
        *(("offset", "41", 1), ("offset", "3f", -1), ("offset", "40", None)),
    ],
)
def test_encoders(turns: Turns, said: str, steps: int | None) -> None:
    bench = Bench(MidiModel("one", encoders=(Encoder("jog", controller=60, turns=turns),)))
    assert bench.hears(f"b0 3c {said}") == ([] if steps is None else [EncoderTurned("desk", "jog", steps)])


def test_rings_and_letters() -> None:
    bench = Bench(X_TOUCH)
    bench.panel.show("vpot3", 0.5, "Pan")
    bench.panel.show("fader2", 0.0, "Žydrūnas")
    assert bench.flush() == [
        "b0 32 06",
        "f0 00 00 66 14 12 46 50 61 6e 20 20 20 20 f7",
        "f0 00 00 66 14 12 07 5a 79 64 72 75 6e 20 f7",
    ]
    bench.panel.show("vpot3", None, "")
    assert bench.flush() == ["b0 32 00", "f0 00 00 66 14 12 46 20 20 20 20 20 20 20 f7"]


class TestPages:
    def test_the_hidden_page_never_leaks(self) -> None:
        bench = Bench(X_TOUCH)
        bench.panel.light("page2.select1", "on")
        bench.panel.show("page2.fader1", 1.0, "Hidden")
        bench.panel.show("page2.vpot1", 1.0, "Hidden")
        assert bench.flush() == []
        assert bench.hears("90 2f 7f", "90 2f 00") == []
        assert bench.panel.page == 2
        assert sorted(bench.flush()) == sorted(
            [
                *("90 18 7f", "e0 7f 7f", "b0 30 0b", "f0 00 00 66 14 12 00 48 69 64 64 65 6e 20 f7"),
                "f0 00 00 66 14 12 38 48 69 64 64 65 6e 20 f7",
            ]
        )
        bench.panel.light("select1", "on")  # the first page's, which is hidden now
        bench.panel.show("fader1", 0.5, "No")
        assert bench.flush() == []
        assert bench.hears("90 18 7f") == [PadPressed("desk", "page2.select1")]
        bench.hears("90 2e 7f")
        assert bench.hears("90 18 00") == [PadReleased("desk", "page2.select1", 0.0)]  # as it was called when pressed
        assert "e0 00 40" in bench.flush(DRIVE)

    def test_it_has_a_first_and_a_last(self) -> None:
        bench = Bench(X_TOUCH)
        for pad, pages in (("2e", [1, 1]), ("2f", [2, 3, 4, 4]), ("2e", [3])):
            for page in pages:
                bench.hears(f"90 {pad} 7f", f"90 {pad} 00")
                assert bench.panel.page == page

    def test_a_page_turned_under_a_hand_gives_its_fader_to_nobody(self) -> None:
        bench = Bench(X_TOUCH)
        bench.panel.show("fader1", 0.5, "")
        bench.panel.show("page2.fader1", 0.5, "")
        bench.flush()
        bench.now += DRIVE
        bench.hears("90 68 7f")
        assert bench.hears("90 2f 7f") == [FaderTouched("desk", "fader1", touched=False)]
        assert bench.hears("e0 00 10", "e0 00 00") == []
        assert bench.hears("90 68 00") == []
        assert bench.flush(SETTLE)[-1:] == ["e0 00 40"]
        bench.now += DRIVE
        assert bench.hears("90 68 7f", "e0 00 10") == [
            FaderTouched("desk", "page2.fader1", touched=True),
            FaderMoved("desk", "page2.fader1", 2048 / 16383),
        ]

    def test_what_is_on_every_page_stays(self) -> None:
        bench = Bench(X_TOUCH)
        bench.hears("90 2f 7f")
        assert bench.hears("90 5e 7f") == [PadPressed("desk", "play")]

    def test_a_shift_key_and_pads_that_choose(self) -> None:
        pads = Pads(
            notes={"shift": 0, "more": 1, "one": 2, "two": 3, "pad": 4},
            lights={"off": 0, "ready": 1, "on": 2, "asked": 3, "failed": 4},
        )
        pages = Pages(3, ("pad",), select={"one": 1, "two": 2}, hold={"shift": 3, "more": 2})
        bench = Bench(MidiModel("p", pads=(pads,), pages=pages))
        assert bench.panel.names == dict.fromkeys(("pad", "page2.pad", "page3.pad"), "pad")
        bench.hears("90 00 7f")
        assert bench.flush() == ["90 00 02", "90 02 01"]
        assert bench.hears("90 04 7f") == [PadPressed("desk", "page3.pad")]
        bench.hears("90 01 7f", "90 00 00")
        assert bench.panel.page == 2
        bench.hears("90 01 00")
        assert bench.panel.page == 1
        bench.hears("90 03 7f")
        assert bench.panel.page == 2
        assert "90 03 02" in bench.flush()
        bench.hears("90 00 7f")
        bench.panel.unplugged(bench.now)
        assert bench.panel.page == 2


names = st.sampled_from(sorted(X_TOUCH.names()))
names = st.sampled_from(sorted(X_TOUCH.names()))
lights = st.sampled_from(list(get_args(Light)))
steps = st.one_of(
    st.builds(lambda data: lambda story: story.hear(data), st.binary(max_size=4)),
    st.builds(
        lambda name, place, text: lambda story: story.panel.show(name, place, text),
        *(names, st.none() | st.floats(0, 1), st.text(max_size=9)),
    ),
    st.builds(lambda name, state: lambda story: story.panel.light(name, state), names, lights),
    st.builds(lambda seconds: lambda story: story.wait(seconds), st.floats(0, 1)),
    st.just(lambda story: story.unplug()),
)


class Story:
    """A surface, and what it shows after all that it was sent."""

    def __init__(self) -> None:
        self.panel, self.reader, self.now = Panel("desk", X_TOUCH), Reader(), 0.0
        self.seen: dict[tuple[object, ...], Message] = {}

    def hear(self, data: bytes) -> None:
        for message in self.reader.feed(data):
            self.panel.hear(message, self.now)

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def unplug(self) -> None:
        self.panel.unplugged(self.now)
        self.seen.clear()

    def look(self) -> None:
        for message in self.panel.flush(self.now)[0]:
            self.seen[message.kind, message.channel, message.number, message.data[:6]] = message


@given(st.lists(steps, max_size=40))
def test_whatever_happens_it_shows_in_the_end_what_it_shall(happens: list[Callable[[Story], None]]) -> None:
    """Any bytes and any wishes in any order; then all hands off, and a fresh surface is told the same."""
    story = Story()
    story.look()
    for step in happens:
        step(story)
        story.look()
    for fader in X_TOUCH.single_faders():
        story.panel.hear(Message("note_on", 1, fader.touch or 0, 0), story.now)
    for _round in range(3):
        story.wait(DRIVE + SETTLE)
        story.look()
    before = dict(story.seen)
    story.unplug()
    story.look()
    assert story.seen.keys() == before.keys()
    for key, message in story.seen.items():
        step_of_it = 17 if message.kind == "pitch_bend" else 0
        assert abs(message.value - before[key].value) <= step_of_it
        assert message.data == before[key].data


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (lambda: MidiModel("p"), "needs either"),
        (lambda: MidiModel("p", timecode=True, faders=(Fader("f", controller=1),)), "needs either"),
        (lambda: MidiModel("p", pads=(Pads({"a": 1}, {"a": 2}),)), "a twice"),
        (lambda: MidiModel("p", faders=(Fader("f", controller=1), Fader("g", controller=1))), "controller 1 twice"),
        (lambda: MidiModel("p", faders=(Fader("f", pitch_bend=1), Fader("g", pitch_bend=1))), "channel 1 twice"),
        (lambda: MidiModel("p", pads=(Pads({"a": 5}),), faders=(Fader("f", pitch_bend=1, touch=5),)), "5 twice"),
        (lambda: MidiModel("p", faders=(Fader("f{n}", channels=17, pitch_bend=1),)), "f17 beyond"),
        (lambda: MidiModel("p", encoders=(Encoder("e{n}", controller=120, channels=9),)), "e9 beyond"),
        (lambda: MidiModel("p", pads=(Pads({"a{n}": 120}, channels=9),)), "a9 beyond"),
        (lambda: Fader("f", controller=1, channels=2), "needs {n}"),
        (lambda: Pads({"a{n}": 1}), "needs {n}"),
        (lambda: Fader("f"), "pitch_bend"),
        (lambda: Fader("f", pitch_bend=1, fine=2), "upper seven"),
        (lambda: Fader("f", controller=1, fine=2, motor=True), "not with"),
        (lambda: Fader("f", controller=1, takeover="motor"), "has none"),
        (lambda: Pages(2, ("a",)), "no hand turns"),
        (lambda: Pages(2, ("a",), select={"b": 3}), "page 3 of 2"),
        (lambda: replace(X_TOUCH, pages=Pages(2, ("fader{n}",), next="flop")), "no pad of it"),
        (lambda: replace(X_TOUCH, pages=Pages(2, ("play",), next="play")), "layered itself"),
        (lambda: replace(X_TOUCH, pages=Pages(2, ("fadder{n}",), next="play")), "which it has not"),
    ],
)
def test_mistakes_in_a_file(model: object, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        model()  # type: ignore[operator]
