from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from studio.media._air.burn import Burner
from studio.media._air.fonts import LETTERS, find_font, is_here, missing
from studio.media._air.picture import Fitter, aired_size, black
from studio.media._plan import EncodePreset
from studio.subtitles import Style


def burn(
    style: Style, lines: tuple[str, ...], width: int = 640, height: int = 360
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    frame = black(width, height)
    Burner(style, width, height).burn(lines, frame)
    return frame.to_ndarray(format="rgb24").astype(np.uint8)


def test_the_default_font_has_every_polish_and_lithuanian_letter() -> None:
    assert missing(find_font(Style().font)[0], LETTERS) == ""


def test_a_font_is_here_or_not() -> None:
    assert is_here("DejaVu Sans")
    assert is_here("dejavu sans mono")
    assert not is_here("No Such Family")


def test_every_letter_is_drawn_and_no_two_alike() -> None:
    seen = {letter: burn(Style(box=None), (letter,)).tobytes() for letter in "ąćęłńóśźżčėįšųūĄĆĘŁŃÓŚŹŻČĖĮŠŲŪŽaceln"}
    assert len(set(seen.values())) == len(seen)


@pytest.mark.parametrize(("position", "align"), [("bottom", "centre"), ("top", "left"), ("bottom", "right")])
def test_a_caption_stands_where_its_style_says(position: str, align: str) -> None:
    style = Style(position=position, align=align, box="#FF0000")  # type: ignore[arg-type] # the parameters are the style's words
    drawn = burn(style, ("Krótko",))
    rows, columns = np.nonzero(drawn[..., 0] > 60)
    margin = 0.06 * 360
    edge = rows.min() if position == "top" else 360 - 1 - rows.max()
    assert edge == pytest.approx(margin, abs=3)
    margin = 0.05 * 640  # as every screen is sure to show
    left, right = columns.min(), 640 - 1 - columns.max()
    assert {"left": left, "right": right, "centre": margin + abs(left - right)}[align] == pytest.approx(margin, abs=3)


def test_colours_are_those_of_the_style() -> None:
    drawn = burn(Style(colour="#FFFF00", box="#0000FF", outline=0, size=0.2), ("██",))
    brightest = drawn[(drawn[..., 0] > 200) & (drawn[..., 2] < 60)]
    assert len(brightest) > 500
    assert drawn[(drawn[..., 2] > 200) & (drawn[..., 0] < 60)].size > 500


def test_half_a_box_shows_half_the_picture() -> None:
    frame = black(640, 360)
    for plane in frame.planes[:1]:
        np.frombuffer(memoryview(plane), np.uint8)[:] = 216
    Burner(Style(box="#00000080", colour="#00000000", outline=0), 640, 360).burn(("X",), frame)
    light = frame.to_ndarray(format="yuv420p")[:360]
    assert light.min() == pytest.approx((216 + 16) / 2, abs=2)


@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (960, 720)])
@pytest.mark.parametrize("mode", ["pop-on", "roll-up"])
def test_text_stays_inside_what_every_screen_shows(size: tuple[int, int], mode: str) -> None:
    style = Style(margin=0, box="#FF0000", mode=mode, align="left")  # type: ignore[arg-type] # the parameter is one
    for edge in ("top", "bottom"):
        drawn = burn(replace(style, position=edge), ("W" * 60, "Zażółć gęślą jaźń"), *size)
        rows, columns = np.nonzero(drawn[..., 0] > 60)
        inside = 0.05 * np.array(size) - 2
        assert min(columns.min(), size[0] - 1 - columns.max()) >= inside[0]
        assert min(rows.min(), size[1] - 1 - rows.max()) >= inside[1]
    reaches = burn(replace(style, safe_area="none"), ("W" * 60,), *size)
    assert np.nonzero(reaches[..., 0] > 60)[0].max() == size[1] - 1


def test_lines_that_roll_up_have_grounds_of_their_own() -> None:
    style = Style(mode="roll-up", align="left", box="#FF000080", outline=0, colour="#00000000")
    drawn = burn(style, ("A much longer line", "short"))[..., 0]
    rows, columns = np.nonzero(drawn > 60)
    wide = (drawn > 60).sum(axis=1)[rows.min() : rows.max() + 1]
    assert wide[2] == columns.max() - columns.min() + 1
    assert wide[-3] < wide[2] * 0.5


def test_long_and_many_lines_stay_inside_the_picture() -> None:
    for lines in (("W" * 50,), ("jeden", "dwa", "trzy", "cztery"), ("x" * 60, "y" * 70)):
        drawn = burn(Style(size=0.1), lines, 320, 180)
        rows, columns = np.nonzero(drawn[..., 0] > 100)
        assert rows.max() < 179
        assert columns.max() < 319


def test_letters_that_the_font_lacks_come_from_another() -> None:
    assert burn(Style(font="DejaVu Sans Mono"), ("Ž",)).max() > 200
    assert burn(Style(font="No Such Family"), ("Zażółć",)).max() > 200


def test_the_aired_size_is_even_square_and_never_larger() -> None:
    hall = EncodePreset(width=1280, height=720)
    assert aired_size(1440, 1074, Fraction(1), hall) == (966, 720)
    assert aired_size(720, 576, Fraction(16, 11), hall) == (1048, 576)
    assert aired_size(479, 357, Fraction(1), hall) == (480, 356)
    assert aired_size(3840, 2160, Fraction(1), EncodePreset()) == (3840, 2160)


def test_another_shape_gets_bars() -> None:
    frame = av.VideoFrame(400, 400, "rgb24")
    np.frombuffer(memoryview(frame.planes[0]), np.uint8)[:] = 255
    fitted = Fitter(640, 360).fit(frame, Fraction(1)).to_ndarray(format="gray")
    assert fitted.shape == (360, 640)
    assert np.flatnonzero(fitted[180] > 128).tolist() == list(range(140, 500))
