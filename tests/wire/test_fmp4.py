from __future__ import annotations

import pytest

from studio.wire import fmp4

SPS, PPS = bytes.fromhex("6742c00cda0507e8"), bytes.fromhex("68ce3c80")


def test_a_fragment_is_what_the_standard_draws() -> None:
    whole = fmp4.fragment(7, fmp4.PICTURE, 90_000, 3600, b"\x00\x00\x00\x02\x65\x88", shown=-1800)
    assert whole[:112].hex(" ") == (
        "00 00 00 68 6d 6f 6f 66 "
        "00 00 00 10 6d 66 68 64 00 00 00 00 00 00 00 07 "
        "00 00 00 50 74 72 61 66 "
        "00 00 00 10 74 66 68 64 00 02 00 00 00 00 00 01 "
        "00 00 00 14 74 66 64 74 01 00 00 00 00 00 00 00 00 01 5f 90 "
        "00 00 00 24 74 72 75 6e 01 00 0f 01 00 00 00 01 00 00 00 70 "
        "00 00 0e 10 00 00 00 06 02 00 00 00 ff ff f8 f8 "
        "00 00 00 0e 6d 64 61 74"
    )
    assert whole[112:] == b"\x00\x00\x00\x02\x65\x88"


def test_annex_b_becomes_lengths_and_a_setup() -> None:
    said = b"\x00\x00\x00\x01" + SPS + b"\x00\x00\x01" + PPS + b"\x00\x00\x00\x01\x65\x88\x84"
    assert fmp4.with_lengths(said) == b"".join(
        len(unit).to_bytes(4, "big") + unit for unit in (SPS, PPS, b"\x65\x88\x84")
    )
    assert fmp4.with_lengths(fmp4.with_lengths(said)) == fmp4.with_lengths(said)
    setup = fmp4.avc_setup(said)
    assert setup == bytes.fromhex("0142c00cffe10008") + SPS + bytes.fromhex("010004") + PPS
    assert fmp4.avc_setup(setup) == setup
    assert fmp4.Picture(320, 180, setup).codec == "avc1.42c00c"


@pytest.mark.parametrize("said", [b"", b"\x01", b"\x00\x00\x01", b"\x00\x00\x01\x65\x88", b"\x00\x00\x01" + SPS])
def test_what_says_too_little_is_no_setup(said: bytes) -> None:
    assert fmp4.avc_setup(said) is None


def test_a_unit_as_long_as_a_start_code_looks_is_left_alone() -> None:
    measured = (256 + 1).to_bytes(4, "big") + bytes(257)
    assert measured.startswith(b"\x00\x00\x01")
    assert fmp4.with_lengths(measured) == measured


def test_aac_loses_its_header_and_keeps_what_it_said() -> None:
    assert fmp4.without_header(bytes.fromhex("fff14c8001fffc") + b"sound") == b"sound"
    assert fmp4.without_header(bytes.fromhex("fff04c8001fffc0000") + b"sound") == b"sound"
    assert fmp4.without_header(b"sound") == b"sound"
    assert fmp4.aac_setup(b"", 48_000, 2).hex() == "1190"
    assert fmp4.aac_setup(b"\x12\x10", 48_000, 2).hex() == "1210"
    assert fmp4.Sound(48_000, 2, b"\x11\x90").codec == "mp4a.40.2"


def test_a_piece_says_when_its_first_picture_is_decoded() -> None:
    at = 1 << 33  # beyond what a transport stream counts to
    pictures = [fmp4.Sample(at, b"first"), fmp4.Sample(at + 3600, b"second", key=False)]
    piece = fmp4.piece(3, pictures, [fmp4.Sample(5, b"sound")], at + 7200, 1029)
    assert fmp4.first_picture(piece) == at
    assert piece.endswith(b"\x00\x00\x00\x18mdatfirstsecondsound")
    run = piece.index(b"trun")
    assert (
        piece[run + 4 : run + 40].hex(" ", 4)
        == "01000f01 00000002 000000d0 00000e10 00000005 02000000 00000000 00000e10 00000006"
    )
    assert int.from_bytes(piece[run + 12 : run + 16], "big") == piece.index(b"first") - piece.index(b"moof") + 4
    assert fmp4.first_picture(fmp4.piece(1, [], [fmp4.Sample(5, b"sound")], 0, 1029)) is None
