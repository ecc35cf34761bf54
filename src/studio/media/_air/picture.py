"""Pictures of one size, whatever arrives; and the card of a programme without any."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from studio.media._air.burn import BT601, BT709, is_hd
from studio.media._air.fonts import find_font
from studio.media._ground.planes import pixels

if TYPE_CHECKING:
    from studio.media._plan import EncodePreset

CARD = (1280, 720)
"""Size of the card, before the preset makes it smaller."""
_UNKNOWN = 2
"""Colours that nothing is said of, as FFmpeg counts them."""
GROUND = (24, 32, 44)
INK = (226, 230, 236)


def aired_size(width: int, height: int, shape: Fraction, preset: EncodePreset) -> tuple[int, int]:
    """Return the size on the air: square pixels, even, no larger than the source or the preset's."""
    wide = float(width * shape)
    share = min(1.0, preset.width / wide if preset.width else 1.0, preset.height / height if preset.height else 1.0)
    return max(2, round(wide * share / 2) * 2), max(2, round(height * share / 2) * 2)


class Fitter:
    """Brings every picture to one size; another shape gets black bars."""

    def __init__(self, width: int, height: int, interpolation: str = "BILINEAR") -> None:
        self.width = width
        self.height = height
        self._interpolation = interpolation

    def fit(self, frame: av.VideoFrame, shape: Fraction) -> av.VideoFrame:
        """Return `frame` as yuv420p in our size, its pixels may be shared with the decoder; and with its colours named.

        Where the source says nothing of them, viewers go by the size of what they see, which may be another.
        """
        if frame.colorspace == _UNKNOWN:
            frame.colorspace = BT709 if is_hd(frame) else BT601
        wide = float(frame.width * shape)
        share = min(self.width / wide, self.height / frame.height)
        inner = (_even(wide * share, self.width), _even(frame.height * share, self.height))
        if (frame.width, frame.height) == inner and frame.format.name == "yuv420p":
            fitted = frame
        else:
            fitted = frame.reformat(*inner, format="yuv420p", interpolation=self._interpolation)
        return fitted if inner == (self.width, self.height) else self._barred(fitted)

    def _barred(self, frame: av.VideoFrame) -> av.VideoFrame:
        whole = black(self.width, self.height)
        left, top = (self.width - frame.width) // 4 * 2, (self.height - frame.height) // 4 * 2
        for half, (to, given), plane in zip(
            (1, 2, 2), zip(pixels(whole), pixels(frame), strict=True), frame.planes, strict=True
        ):
            y, x = top // half, left // half
            to[y : y + plane.height, x : x + plane.width] = given[: plane.height, : plane.width]
        whole.colorspace = frame.colorspace
        return whole


def black(width: int, height: int) -> av.VideoFrame:
    """Return a black picture."""
    frame = av.VideoFrame(width, height, "yuv420p")
    for value, plane in zip((16, 128, 128), pixels(frame), strict=True):
        plane[:] = value
    return frame


def copy(frame: av.VideoFrame, onto: av.VideoFrame | None = None) -> av.VideoFrame:
    """Return a picture that shares nothing with `frame`, which is yuv420p; `onto`: one of its size to be used again."""
    same = onto or av.VideoFrame(frame.width, frame.height, "yuv420p")
    for to, given, plane in zip(pixels(same), pixels(frame), same.planes, strict=True):
        to[: plane.height, : plane.width] = given[: plane.height, : plane.width]
    same.colorspace = frame.colorspace
    return same


def card(title: str, preset: EncodePreset) -> av.VideoFrame:
    """Return the calm picture of a programme without one: its title, and nothing that moves."""
    width, height = aired_size(*CARD, Fraction(1), preset)
    image = Image.new("RGB", (width, height), GROUND)
    pen = ImageDraw.Draw(image)
    size = height / 11
    file, index = find_font("DejaVu Sans")
    font = ImageFont.truetype(file, round(size), index)
    room = width * 0.86
    if font.getlength(title) > room:
        font = ImageFont.truetype(file, max(8, int(size * room / font.getlength(title))), index)
    pen.text((width / 2, height * 0.42), title, INK, font, anchor="mm")
    line = height * 0.52
    pen.line((width * 0.42, line, width * 0.58, line), INK, max(1, height // 240))
    drawn: av.VideoFrame = av.VideoFrame.from_ndarray(np.asarray(image), "rgb24")
    return drawn.reformat(format="yuv420p", dst_colorspace="ITU601")


def _even(length: float, most: int) -> int:
    return most if abs(length - most) < 2 else max(2, round(length / 2) * 2)  # noqa: PLR2004 - a bar of one pixel is none
