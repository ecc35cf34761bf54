from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.wire.osc import SILENCE, Law, Message, MeterForm, decode, encode, meter_blob, meters

X32 = Law(((0.0, -90.0), (0.0625, -60.0), (0.25, -30.0), (0.5, -10.0), (1.0, 10.0)))

scalars = st.one_of(
    st.integers(-(2**31), 2**31 - 1),
    st.floats(width=32, allow_nan=False),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    st.binary(min_size=1),
    st.booleans(),
    st.none(),
)


def test_a_message_reads_like_the_standard() -> None:
    message = Message("/ch/01/mix/fader", (0.75,))
    assert encode(message) == b"/ch/01/mix/fader\0\0\0\0,f\0\0\x3f\x40\0\0"
    assert decode(encode(message)) == (message,)


def test_a_question_has_no_arguments() -> None:
    assert decode(b"/xinfo\0\0") == (Message("/xinfo"),)
    assert decode(encode(Message("/xinfo"))) == (Message("/xinfo"),)


def bundle(*elements: bytes) -> bytes:
    return b"#bundle\0" + bytes(8) + b"".join(struct.pack(">i", len(each)) + each for each in elements)


def test_a_bundle_is_its_messages_in_order() -> None:
    one, two, three = (encode(Message(f"/{name}", (name,))) for name in ("one", "two", "three"))
    found = decode(bundle(one, bundle(two), three))
    assert [message.address for message in found] == ["/one", "/two", "/three"]


def test_bundles_in_bundles_without_end_are_read_without_end_of_stack() -> None:
    nested = encode(Message("/deep"))
    for _depth in range(400):
        nested = bundle(nested)
    assert decode(nested) == (Message("/deep"),)


def test_of_a_torn_bundle_what_is_whole_is_read() -> None:
    torn = bundle(encode(Message("/whole")), encode(Message("/torn", ("much text",))))[:-8]
    assert decode(torn) == (Message("/whole"),)


def test_an_x32_answers_node_without_its_slash() -> None:
    assert decode(b"node\0\0\0\0,s\0\0/ch/01 ON\0\0\0") == (Message("/node", ("/ch/01 ON",)),)


@given(st.lists(st.floats(-119, 120), max_size=40), st.sampled_from(["float32", "int16"]))
def test_meters_go_there_and_back(values: list[float], form: MeterForm) -> None:
    told = meters(meter_blob(tuple(values), form), form)
    wanted = values if form == "float32" else [min(max(value, -128), 127) for value in values]
    assert told == pytest.approx(wanted, abs=0.01)


@given(st.binary(max_size=200), st.sampled_from(["float32", "int16"]))
def test_any_blob_is_survived(blob: bytes, form: MeterForm) -> None:
    assert all(value >= SILENCE for value in meters(blob, form))


def test_meters_of_both_families() -> None:
    assert meters(bytes.fromhex("02000000 0000803f 0000003f"), "float32") == pytest.approx((0, -6.02), abs=0.01)
    assert meters(bytes.fromhex("02000000 00fa 0080"), "int16") == (-6, -120)


@pytest.mark.parametrize(
    "junk",
    [b"", b"\0", b"/no end", b"no slash\0\0\0\0", b"/a\0\0,Q\0\0", b"/a\0\0,i\0\0", b"/a\0\0,[\0\0", b"#bundle\0"],
)
def test_junk_is_nothing(junk: bytes, caplog: pytest.LogCaptureFixture) -> None:
    assert decode(junk) == ()
    assert not caplog.text


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(data: bytes) -> None:
    for message in (*decode(data), *decode(b"/a\0\0" + data), *decode(b"/a\0\0,ifsb\0\0\0" + data)):
        assert message.address.startswith("/")


@given(st.binary(min_size=1, max_size=40), st.data())
def test_any_broken_bundle_is_survived(data: bytes, draw: st.DataObject) -> None:
    whole = bundle(encode(Message("/a", (1, 2.5, "x"))), data)
    at = draw.draw(st.integers(0, len(whole) - 1))
    decode(whole[:at] + data + whole[at:])


@given(st.lists(scalars, max_size=6))
def test_what_is_said_is_heard(arguments: list[object]) -> None:
    message = Message("/every/kind", tuple(arguments))
    assert decode(encode(message)) == (message,)


@given(st.text(), st.lists(st.one_of(scalars, st.integers(), st.text()), max_size=3))
def test_what_cannot_be_said_is_a_value_error(address: str, arguments: list[object]) -> None:
    try:
        encode(Message(address, tuple(arguments)))
    except ValueError as problem:
        assert "cannot be said" in str(problem)  # noqa: PT017 - most of what is drawn can be said


@pytest.mark.parametrize(
    ("position", "decibels"), [(0, -90), (0.0625, -60), (0.25, -30), (0.375, -20), (0.5, -10), (0.75, 0), (1, 10)]
)
def test_the_fader_of_an_x32(position: float, decibels: float) -> None:
    assert X32.value(position) == pytest.approx(decibels)
    assert X32.position(decibels) == pytest.approx(position)


@given(st.floats(-1, 2))
def test_a_law_goes_there_and_back(position: float) -> None:
    assert X32.position(X32.value(position)) == pytest.approx(min(max(position, 0), 1))


@pytest.mark.parametrize(
    ("law", "position", "value"),
    [
        (Law(((0, 20), (1, 20000)), "log", 201), 0.5, 632.46),
        (Law(((0, -90), (4, 12.04)), "amplitude", 0), 1.0, 0.0),
        (Law(((0, -90), (4, 12.04)), "amplitude", 0), 0.0, -90.0),
        (Law(((-193, -193), (6, 6)), "line", 0), -7.5, -7.5),
    ],
)
def test_laws_of_other_shapes(law: Law, position: float, value: float) -> None:
    assert law.value(position) == pytest.approx(value, abs=0.01)
    assert law.position(value) == pytest.approx(position, abs=0.001)
    assert law.apart(value, value) == 0


def test_a_law_knows_its_steps() -> None:
    law = Law(((0, -100), (1, 100)), steps=101)
    assert law.stepped(0.123) == pytest.approx(0.12)
    assert law.apart(0, 3) == pytest.approx(1.5)


def test_a_law_rises() -> None:
    with pytest.raises(ValueError, match="ascending"):
        Law(((0, 0), (1, -10)))
