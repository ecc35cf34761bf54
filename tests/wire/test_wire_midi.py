"""Bytes of MIDI, as the standard prints them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.wire import mackie, timecode
from studio.wire.midi import (
    IDENTITY_REQUEST,
    LARGEST,
    SPECS,
    WIDE,
    Message,
    Reader,
    ask_tally,
    decode,
    encode,
    identity,
    locate,
    machine,
    tally,
)
from studio.wire.timecode import RATES, Timecode, TimecodeReader


@pytest.mark.parametrize(
    ("message", "written"),
    [
        (Message("note_on", 1, 60, 127), "90 3c 7f"),
        (Message("note_off", 16, 0, 64), "8f 00 40"),
        (Message("key_pressure", 2, 60, 1), "a1 3c 01"),
        (Message("control_change", 1, 48, 64), "b0 30 40"),
        (Message("program_change", 10, value=5), "c9 05"),
        (Message("channel_pressure", 1, value=0x7C), "d0 7c"),
        (Message("pitch_bend", 9, value=WIDE), "e8 7f 7f"),
        (Message("pitch_bend", 1, value=8192), "e0 00 40"),
        (Message("quarter_frame", value=0x71), "f1 71"),
        (Message("song_position", value=300), "f2 2c 02"),
        (Message("song_select", value=3), "f3 03"),
        (Message("tune_request"), "f6"),
        (Message("clock"), "f8"),
        (Message("start"), "fa"),
        (Message("continue"), "fb"),
        (Message("stop"), "fc"),
        (Message("sensing"), "fe"),
        (Message("reset"), "ff"),
        (IDENTITY_REQUEST, "f0 7e 7f 06 01 f7"),
        (machine("play"), "f0 7f 7f 06 02 f7"),
        (machine("stop", 3), "f0 7f 03 06 01 f7"),
        (locate((0x21, 2, 3, 4)), "f0 7f 7f 06 44 06 01 21 02 03 04 00 f7"),
        (ask_tally(), "f0 7f 7f 06 42 01 48 f7"),
        (mackie.write(mackie.QUERY), "f0 00 00 66 14 00 f7"),
        (mackie.lcd(1, 7, mackie.letters("Žuk", 7)), "f0 00 00 66 14 12 3f 5a 75 6b 20 20 20 20 f7"),
        (timecode.full_frame(Timecode(1, 2, 3, 4)), "f0 7f 7f 01 01 21 02 03 04 f7"),
    ],
)
def test_messages_read_like_the_standard(message: Message, written: str) -> None:
    assert encode(message).hex(" ") == written
    assert decode(encode(message)) == message
    assert list(Reader().feed(encode(message))) == [message]


def test_a_note_on_without_velocity_is_a_release() -> None:
    assert Message("note_on", 1, 60, 1).pressed
    assert not Message("note_on", 1, 60, 0).pressed
    assert not Message("note_off", 1, 60, 64).pressed
    assert Message("note_on", 1, 60, 0).released
    assert Message("note_off", 1, 60, 64).released


@pytest.mark.parametrize(
    "junk",
    [
        *(
            b"",
            b"\x90",
            b"\x90\x3c",
            b"\x90\x3c\x80",
            b"\xf0\x7e\x7f",
            b"\x3c\x3c\x3c",
            b"\xe0\0\0\0",
            b"\xf0",
            b"\xf7",
        ),
        *(b"\xf4", b"\xf5\0", b"\xf9", b"\xfd", b"\xf8\0", b"\xf0\x90\xf7", b"\xf1\x80"),
    ],
)
def test_junk_is_nothing(junk: bytes) -> None:
    assert decode(junk) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "note_on", "channel": 0, "number": 60},
        {"kind": "note_on", "channel": 17, "number": 60},
        {"kind": "note_on", "channel": 1, "number": 128},
        {"kind": "control_change", "channel": 1, "value": 128},
        {"kind": "pitch_bend", "channel": 1, "value": 16384},
        {"kind": "pitch_bend", "channel": 1, "number": 1},
        {"kind": "clock", "channel": 1},
        {"kind": "clock", "value": 1},
        {"kind": "sysex", "data": b"\x80"},
        {"kind": "note_on", "channel": 1, "data": b"\x01"},
    ],
)
def test_what_is_no_message_cannot_be_made(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no MIDI message"):
        Message(**wrong)  # type: ignore[arg-type]


class TestReader:
    def test_running_status(self) -> None:
        got = list(Reader().feed(bytes.fromhex("90 3c 7f 3d 7f 3c 00")))
        assert got == [Message("note_on", 1, 60, 127), Message("note_on", 1, 61, 127), Message("note_on", 1, 60, 0)]

    def test_any_pieces(self) -> None:
        reader = Reader()
        assert [list(reader.feed(bytes((byte,)))) for byte in bytes.fromhex("e0 00 40")] == [
            [],
            [],
            [Message("pitch_bend", 1, value=8192)],
        ]

    def test_realtime_stands_in_the_middle_of_others(self) -> None:
        got = list(Reader().feed(bytes.fromhex("90 f8 3c fe 7f f0 01 fa 02 f7")))
        assert got == [
            *(Message("clock"), Message("sensing"), Message("note_on", 1, 60, 127), Message("start")),
            Message("sysex", data=b"\x01\x02"),
        ]

    def test_a_status_ends_what_was_not_whole(self) -> None:
        assert list(Reader().feed(bytes.fromhex("90 3c f0 01 02 b0 07 40 07"))) == [Message("control_change", 1, 7, 64)]

    def test_system_messages_have_no_running_status(self) -> None:
        assert list(Reader().feed(bytes.fromhex("f1 01 02 03"))) == [Message("quarter_frame", value=1)]

    def test_an_endless_sysex_takes_no_memory(self) -> None:
        reader = Reader()
        assert list(reader.feed(b"\xf0" + bytes(LARGEST * 3) + b"\xf7")) == []
        assert len(reader._data) <= LARGEST
        assert list(reader.feed(b"\xf6")) == [Message("tune_request")]


class TestAnswers:
    def test_identity(self) -> None:
        said = decode(bytes.fromhex("f0 7e 00 06 02 42 13 01 00 00 01 00 01 00 f7"))
        assert said
        assert identity(said) == bytes.fromhex("42 13 01 00 00 01 00 01 00")
        assert identity(IDENTITY_REQUEST) is None
        assert identity(Message("clock")) is None

    def test_tally(self) -> None:
        playing = decode(bytes.fromhex("f0 7f 01 07 48 03 02 02 11 f7"))
        assert playing
        assert tally(playing) == 2
        assert tally(ask_tally()) is None
        assert tally(Message("sysex", data=b"\x7f\x01\x07\x48\x03")) is None


class TestMackie:
    def test_orders(self) -> None:
        said = decode(bytes.fromhex("f0 00 00 66 14 01 31 32 33 34 35 36 37 01 02 03 04 f7"))
        assert said
        assert mackie.read(said) == mackie.Order(0x14, mackie.ANSWER, b"1234567\x01\x02\x03\x04")
        assert mackie.read(IDENTITY_REQUEST) is None
        assert mackie.read(Message("sysex", data=b"\x00\x00\x66\x14")) is None

    def test_letters_that_it_has_not(self) -> None:
        assert mackie.letters("Łódź ąęėįšųūž", 20) == b"Lodz aeeisuuz       "
        assert mackie.letters("Mikrofon 1", 7) == b"Mikrofo"
        assert mackie.letters("→\n", 3) == b"?? "

    def test_the_display_has_an_end(self) -> None:
        with pytest.raises(ValueError, match="column 50"):
            mackie.lcd(0, 50, b"1234567")

    @pytest.mark.parametrize(
        ("position", "style", "value"),
        [
            (None, "dot", 0x00),
            *((0.0, "dot", 0x01), (0.5, "dot", 0x06), (1.0, "dot", 0x0B)),
            *((0.5, "pan", 0x16), (0.0, "pan", 0x11), (0.0, "fill", 0x20), (1.0, "fill", 0x2B)),
            *((0.0, "spread", 0x31), (1.0, "spread", 0x36), (2.0, "dot", 0x0B)),
        ],
    )
    def test_rings(self, position: float | None, style: mackie.Style, value: int) -> None:
        assert mackie.ring(position, style) == value


def times() -> st.SearchStrategy[Timecode]:
    return st.builds(
        Timecode,
        *(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(2, 23)),
        rate=st.sampled_from(RATES),
    )


class TestTimecode:
    def test_quarter_frames(self) -> None:
        code = Timecode(1, 2, 3, 4, "25")
        pieces = [encode(message).hex(" ") for message in timecode.quarter_frames(code)]
        assert pieces == ["f1 04", "f1 10", "f1 23", "f1 30", "f1 42", "f1 50", "f1 61", "f1 72"]

    @given(times())
    def test_what_is_said_was_so_two_frames_ago(self, code: Timecode) -> None:
        reader = TimecodeReader()
        told = [reader.take(message) for message in timecode.quarter_frames(code)]
        assert told == [None] * 7 + [code.later(2)]
        assert reader.take(timecode.full_frame(code)) == code

    @pytest.mark.parametrize(
        ("before", "frames", "after"),
        [
            (Timecode(23, 59, 59, 24, "25"), 1, "00:00:00:00"),
            (Timecode(0, 0, 59, 29, "29.97 drop"), 1, "00:01:00:02"),
            (Timecode(0, 9, 59, 29, "29.97 drop"), 1, "00:10:00:00"),
            (Timecode(23, 59, 59, 29, "29.97 drop"), 2, "00:00:00:01"),
            (Timecode(0, 0, 59, 29, "30"), 1, "00:01:00:00"),
        ],
    )
    def test_frames_later(self, before: Timecode, frames: int, after: str) -> None:
        assert str(before.later(frames)) == after

    def test_who_comes_in_the_middle_waits_for_the_next(self) -> None:
        reader, code = TimecodeReader(), Timecode(1, 2, 3, 4)
        pieces = timecode.quarter_frames(code)
        told = [reader.take(message) for message in (*pieces[3:], *pieces[:4], *pieces[5:], *pieces)]
        assert [each for each in told if each] == [code.later(2)]

    @pytest.mark.parametrize("text", ["", "1:2:3", "25:00:00:00", "0:0:0:25", "a:b:c:d", "1:2:3:4:5"])
    def test_what_is_no_time(self, text: str) -> None:
        with pytest.raises(ValueError, match=r".+"):
            Timecode.read(text)
        assert Timecode.read("01:02:03;04") == Timecode(1, 2, 3, 4)

    def test_a_frame_that_drop_frame_has_not(self) -> None:
        with pytest.raises(ValueError, match="no timecode"):
            Timecode(0, 1, 0, 0, "29.97 drop")


messages = st.one_of(
    [
        st.builds(
            Message,
            st.just(spec.kind),
            channel=st.integers(1, 16) if spec.status < 0xF0 else st.just(0),
            number=st.integers(0, 127) if "number" in spec.fields else st.just(0),
            value=st.integers(0, WIDE if "low" in spec.fields else 127) if len(spec.fields) else st.just(0),
            data=st.just(b""),
        )
        for spec in SPECS
        if spec.kind != "sysex"
    ]
    + [st.builds(Message, st.just("sysex"), data=st.lists(st.integers(0, 127)).map(bytes))]
)


@given(st.lists(messages))
def test_all_messages_survive_the_cable(several: list[Message]) -> None:
    assert list(Reader().feed(b"".join(map(encode, several)))) == several


@given(st.binary(max_size=6))
def test_any_bytes_are_survived(data: bytes) -> None:
    message = decode(data)
    assert message is None or encode(message) == data


@given(st.lists(st.binary(max_size=64)))
def test_any_stream_is_survived_and_read_on_after(pieces: list[bytes]) -> None:
    reader, clock = Reader(), TimecodeReader()
    for piece in pieces:
        for message in reader.feed(piece):
            assert decode(encode(message)) == message
            mackie.read(message)
            identity(message)
            tally(message)
            clock.take(message)
    assert list(reader.feed(b"\x90\x3c\x7f"))[-1:] == [Message("note_on", 1, 60, 127)]
