"""VISCA: every packet as the makers print it, and nothing but sense out of junk."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.wire import visca as wire

PRINTED = [
    ("81 01 04 00 02 FF", "power", {"value": wire.ON}),
    ("81 01 04 07 00 FF", "zoom.drive", {"way": wire.STOP, "speed": 0}),
    ("81 01 04 07 27 FF", "zoom.drive", {"way": wire.FORTH, "speed": 7}),
    ("81 01 04 07 30 FF", "zoom.drive", {"way": wire.BACK, "speed": 0}),
    ("81 01 04 47 04 00 00 00 FF", "zoom.to", {"value": 0x4000}),
    ("81 01 04 08 33 FF", "focus.drive", {"way": wire.BACK, "speed": 3}),
    ("81 01 04 48 01 02 03 04 FF", "focus.to", {"value": 0x1234}),
    ("81 01 04 38 03 FF", "focus.mode", {"value": wire.OFF}),
    ("81 01 04 35 20 FF", "white_balance.mode", {"value": 0x20}),
    ("81 01 04 10 05 FF", "white_balance.trigger", {}),
    ("81 01 04 43 00 00 08 00 FF", "white_balance.red", {"value": 0x80}),
    ("81 01 04 44 00 00 0F 0F FF", "white_balance.blue", {"value": 255}),
    ("81 01 04 39 0B FF", "exposure.mode", {"value": 11}),
    ("81 01 04 4B 00 00 01 09 FF", "exposure.iris", {"value": 0x19}),
    ("81 01 04 4A 00 00 01 01 FF", "exposure.shutter", {"value": 0x11}),
    ("81 01 04 4C 00 00 00 0D FF", "exposure.gain", {"value": 0x0D}),
    ("81 01 04 3E 02 FF", "exposure.compensate", {"value": wire.ON}),
    ("81 01 04 4E 00 00 00 0E FF", "exposure.compensation", {"value": 14}),
    ("81 01 04 3F 02 01 FF", "preset", {"what": wire.RECALL, "number": 1}),
    ("81 01 7E 01 0B 63 19 FF", "preset.speed", {"number": 99, "speed": 25}),
    ("81 01 06 01 18 FF", "preset.speeds", {"speed": 24}),
    ("81 01 06 01 18 14 01 03 FF", "pan_tilt.drive", {"pan_speed": 24, "tilt_speed": 20, "pan": 1, "tilt": 3}),
    ("81 01 06 01 01 01 03 03 FF", "pan_tilt.drive", {"pan_speed": 1, "tilt_speed": 1, "pan": 3, "tilt": 3}),
    (
        "81 01 06 02 18 00 0D 0E 00 00 01 02 00 00 FF",
        "pan_tilt.to",
        {"pan_speed": 24, "tilt_speed": 0, "pan": -0x2200, "tilt": 0x1200},
    ),
    (
        "81 01 06 02 18 18 0F 06 03 05 09 0F 06 0C 09 FF",
        "pan_tilt.to.wide",
        {"pan_speed": 24, "tilt_speed": 24, "pan": -40103, "tilt": -0x937},
    ),
    ("81 01 06 04 FF", "pan_tilt.home", {}),
    ("81 01 7E 01 0A 00 02 FF", "tally.sony", {"value": wire.ON}),
    ("81 0A 02 02 03 FF", "tally.ptzoptics", {"value": wire.OFF}),
    ("81 21 FF", "cancel", {"socket": 1}),
]


@pytest.mark.parametrize(("printed", "name", "values"), PRINTED)
def test_commands_are_those_on_paper(printed: str, name: str, values: dict[str, int]) -> None:
    packet = bytes.fromhex(printed)
    assert wire.command(name, **values) == packet
    assert wire.order(packet) == wire.Order("command", name, values)


def test_every_command_is_on_paper_here() -> None:
    assert {name for _printed, name, _values in PRINTED} == wire.COMMANDS.keys()


@pytest.mark.parametrize(
    ("name", "asked", "answered", "values"),
    [
        ("power", "81 09 04 00 FF", "90 50 03 FF", {"value": wire.OFF}),
        ("zoom", "81 09 04 47 FF", "90 50 02 0F 0B 00 FF", {"value": 0x2FB0}),
        ("pan_tilt", "81 09 06 12 FF", "90 50 0F 06 07 00 00 05 01 00 FF", {"pan": -2448, "tilt": 1296}),
        ("pan_tilt", "81 09 06 12 FF", "90 50 00 05 02 0E 0F 0F 06 0C 09 FF", {"pan": 21231, "tilt": -2359}),
        ("exposure.shutter", "81 09 04 4A FF", "90 50 00 00 01 01 FF", {"value": 0x11}),
        ("tally.sony", "81 09 7E 01 0A FF", "90 50 02 FF", {"value": wire.ON}),
    ],
)
def test_questions_and_answers_are_those_on_paper(name: str, asked: str, answered: str, values: dict[str, int]) -> None:
    assert wire.question(name) == bytes.fromhex(asked)
    assert wire.order(bytes.fromhex(asked)) == wire.Order("question", name, {})
    reply = wire.reply(bytes.fromhex(answered))
    assert reply is not None
    assert reply.kind == "answer"
    assert wire.answer(name, reply.data) == values


def test_the_version_names_maker_and_model() -> None:
    reply = wire.reply(bytes.fromhex("90 50 00 01 05 1C 02 10 02 FF"))
    assert reply
    assert wire.answer("version", reply.data) == {"maker": 1, "model": 0x51C, "rom": 0x210, "sockets": 2}


@pytest.mark.parametrize(
    ("packet", "reply"),
    [
        ("90 41 FF", wire.Reply("ack", 1)),
        ("90 52 FF", wire.Reply("done", 2)),
        ("90 50 FF", wire.Reply("done", 0)),
        ("90 60 01 FF", wire.Reply("error", problem="length")),
        ("90 60 02 FF", wire.Reply("error", problem="syntax")),
        ("90 60 03 FF", wire.Reply("error", problem="buffer full")),
        ("90 61 04 FF", wire.Reply("error", 1, problem="cancelled")),
        ("90 62 05 FF", wire.Reply("error", 2, problem="no socket")),
        ("90 61 41 FF", wire.Reply("error", 1, problem="not executable")),
        ("90 60 77 FF", wire.Reply("error", problem="unknown")),
        ("90 07 7D 01 06 01 FF", wire.Reply("notice")),
        ("90 38 FF", wire.Reply("notice")),
    ],
)
def test_replies_are_those_on_paper(packet: str, reply: wire.Reply) -> None:
    found = wire.reply(bytes.fromhex(packet))
    assert found is not None
    if reply.kind == "notice":
        assert found.kind == "notice"
        return
    assert found == reply
    if reply.problem != "unknown":
        assert wire.write_reply(found) == bytes.fromhex(packet)


@pytest.mark.parametrize(
    "junk", ["", "FF", "90 FF", "81 41 FF", "90 41", "10 41 FF", "90 41 FF FF", "91 50 FF", "90 42 00 FF", "90 60 FF"]
)
def test_what_no_camera_says_is_nothing(junk: str) -> None:
    assert wire.reply(bytes.fromhex(junk)) is None


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("pan_tilt.to", {"pan_speed": 1, "tilt_speed": 1, "pan": 0x8000, "tilt": 0}),
        ("preset", {"what": 1, "number": 255}),
        ("zoom.to", {"value": -1}),
        ("power", {}),
        ("power", {"value": 2, "more": 1}),
    ],
)
def test_what_cannot_be_said_is_refused(name: str, values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="FF ends a packet" if name == "preset" else "goes from|takes"):
        wire.command(name, **values)


def test_a_stream_is_cut_into_packets_wherever_it_was_torn() -> None:
    packets = [wire.question("zoom"), wire.command("pan_tilt.home"), b"\x90\x41\xff"]
    stream = b"".join(packets)
    for cut in range(len(stream)):
        first, rest = wire.split(stream[:cut])
        second, left = wire.split(rest + stream[cut:])
        assert (first + second, left) == (packets, b"")


def test_what_never_ends_is_not_kept() -> None:
    assert wire.split(b"\x90" * 100) == ([], b"")
    assert wire.split(b"\x90" * 100 + b"\xff\x90\x41\xff") == ([b"\x90\x41\xff"], b"")


@pytest.mark.parametrize(
    ("datagram", "frame"),
    [
        ("01 00 00 06 00 00 00 07 81 01 04 00 02 FF", wire.Frame("command", 7, bytes.fromhex("81 01 04 00 02 FF"))),
        ("01 10 00 05 FF FF FF FF 81 09 04 47 FF", wire.Frame("question", 0xFFFFFFFF, wire.question("zoom"))),
        ("01 11 00 03 00 00 00 07 90 41 FF", wire.Frame("reply", 7, bytes.fromhex("90 41 FF"))),
        ("02 00 00 01 00 00 00 00 01", wire.Frame("control", 0, wire.RESET)),
        ("02 01 00 02 00 00 00 09 0F 01", wire.Frame("control reply", 9, wire.OUT_OF_STEP)),
    ],
)
def test_frames_are_those_of_visca_over_ip(datagram: str, frame: wire.Frame) -> None:
    data = bytes.fromhex(datagram)
    assert wire.write_frame(frame) == data
    assert wire.read_frame(data) == frame
    assert wire.read_frame(data + b"\0\0") == frame
    assert wire.read_frame(data[:-1]) is None
    assert wire.read_frame(b"\x05" + data[1:]) is None


@given(st.binary(max_size=64))
def test_any_bytes_at_all_are_survived(data: bytes) -> None:
    wire.reply(data)
    wire.order(data)
    wire.read_frame(data)
    packets, rest = wire.split(data)
    assert len(rest) < wire.LONGEST
    for packet in packets:
        wire.reply(packet)
    for name in wire.QUESTIONS:
        wire.answer(name, data)


def test_near_misses_are_survived() -> None:
    """Packets of the tables with bits turned over, which random bytes seldom come near."""
    chance = random.Random(7)  # noqa: S311 - junk that comes again
    packets = [bytes.fromhex(printed) for printed, _name, _values in PRINTED]
    for packet, _time in itertools.product(packets, range(200)):
        data = bytearray(packet)
        for _bit in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        if order := wire.order(bytes(data)):
            table = wire.COMMANDS[order.name] if order.kind == "command" else wire.QUESTIONS[order.name][0]
            assert table.write(order.values) == bytes(data[1:-1])
        wire.reply(bytes(data))
        wire.read_frame(b"\x01\x11" + bytes(data))
