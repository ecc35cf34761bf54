from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.wire.midi import Message, decode, encode


def test_a_note_reads_like_the_standard() -> None:
    assert encode(Message("note_on", 1, 60, 127)).hex(" ") == "90 3c 7f"
    assert encode(Message("note_off", 16, 0, 64)).hex(" ") == "8f 00 40"
    assert decode(b"\xb0\x30\x40") == Message("control_change", 1, 48, 64)


def test_a_note_on_without_velocity_is_a_release() -> None:
    assert Message("note_on", 1, 60, 1).pressed
    assert not Message("note_on", 1, 60, 0).pressed
    assert not Message("note_off", 1, 60, 64).pressed


@pytest.mark.parametrize(
    "junk", [b"", b"\x90", b"\x90\x3c", b"\x90\x3c\x80", b"\xf0\x7e\x7f", b"\x3c\x3c\x3c", b"\xe0\0\0\0"]
)
def test_junk_is_nothing(junk: bytes) -> None:
    assert decode(junk) is None


def test_what_is_no_message_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="channel 0"):
        Message("note_on", 0, 60, 127)


@given(st.binary(max_size=5))
def test_any_bytes_are_survived(data: bytes) -> None:
    message = decode(data)
    assert message is None or encode(message) == data
