"""Cues on the picture: drawn once by Pillow, blended frame by frame into the few rows where they stand."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from studio.media._air.fonts import font_for
from studio.media._ground.planes import pixels
from studio.subtitles import SAFE, rgba

if TYPE_CHECKING:
    import av

    from studio.subtitles import Style

BT709, BT601 = 1, 5
"""What FFmpeg calls the colours of high definition, and of European television before it."""
_NTSC = 6
"""The same colours in America."""
_HD = 720
"""Rows from which an unmarked picture is taken as high definition."""
_SMALLEST = 5
"""Pixels: what is smaller is no writing."""
_WHOLE = 256
"""Full opacity in a patch: a shift instead of a division."""


@dataclass(frozen=True, slots=True)
class _Plane:
    """What one plane of the picture gets: old * keep / 256 + colour / 256."""

    top: int
    left: int
    keep: NDArray[np.uint16]
    colour: NDArray[np.uint16]


Patch = tuple[_Plane, ...]
Values = NDArray[np.floating[Any]]


class Burner:
    """Draws captions in one style on pictures of one size."""

    def __init__(self, style: Style, width: int, height: int) -> None:
        self._style = style
        self._width = width
        self._height = height
        self._drawn: OrderedDict[tuple[tuple[str, ...], bool], Patch] = OrderedDict()

    def prepare(self, lines: tuple[str, ...], *, hd: bool) -> Patch:
        """Draw `lines`, unless they are drawn already: some milliseconds, best spent before they are due."""
        key = (lines, hd)
        patch = self._drawn.get(key)
        if patch is None:
            patch = self._drawn[key] = _patch(*self._draw(lines), hd=hd)
            while len(self._drawn) > 8:  # noqa: PLR2004 - one on the picture, a few to come
                self._drawn.popitem(last=False)
        return patch

    def burn(self, lines: tuple[str, ...], frame: av.VideoFrame) -> None:
        """Put `lines` on `frame`, which is yuv420p, of our size, and shared with nobody."""
        for plane, rows_of in zip(self.prepare(lines, hd=is_hd(frame)), pixels(frame), strict=True):
            rows, columns = plane.keep.shape
            region = rows_of[plane.top : plane.top + rows, plane.left : plane.left + columns]
            mixed = region * plane.keep
            mixed += plane.colour
            mixed >>= 8
            region[:] = mixed

    def _draw(self, lines: tuple[str, ...]) -> tuple[Image.Image, int, int]:
        """Return the text on its ground, and where its left upper corner goes: all even, inside the picture."""
        style, height = self._style, self._height
        edge, side = self._margins()
        size = style.size * height * min(1.0, style.max_lines / max(1, len(lines)))
        room = self._width - 2 * side
        font = font_for(style.font, "".join(lines), max(_SMALLEST, round(size)))
        widths = [font.getlength(line) for line in lines]
        while (widest := max(widths, default=0.0)) > room - 2 * style.box_padding * size and size > _SMALLEST:
            # in steps, for hinted widths grow in steps
            size = max(_SMALLEST, size * min(0.95, (room - 2 * style.box_padding * size) / widest))
            font = font_for(style.font, "".join(lines), int(size))
            widths = [font.getlength(line) for line in lines]
        stroke = round(style.outline * size)
        padding = round(style.box_padding * size) if style.box else 0
        around = max(padding, stroke) + 1
        step = style.line_spacing * size
        ascent, descent = font.getmetrics()
        tall = round(step * (len(lines) - 1)) + ascent + descent
        image = Image.new("RGBA", (_even(widest + 2 * around), _even(tall + 2 * around)))
        share = {"left": 0.0, "centre": 0.5, "right": 1.0}[style.align]
        places = [
            (around + share * (widest - wide), around + round(number * step)) for number, wide in enumerate(widths)
        ]
        if style.box and style.mode == "roll-up":  # each line on a ground of its own, which moves up with it
            for (x, y), wide in zip(places, widths, strict=True):
                bottom = image.height if y == places[-1][1] else y + padding + round(step)
                image.paste(rgba(style.box), (int(x - padding), y - padding, int(x + wide + padding) + 1, bottom))
        elif style.box:
            image.paste(rgba(style.box), (0, 0, *image.size))
        text = Image.new("RGBA", image.size, (*rgba(style.colour)[:3], 0))
        pen = ImageDraw.Draw(text)
        if stroke:
            line_round = rgba(style.outline_colour)
            for at, line in zip(places, lines, strict=True):
                pen.text(at, line, line_round, font, stroke_width=stroke, stroke_fill=line_round)
        for at, line in zip(places, lines, strict=True):  # after every outline: none shall cut into a letter above
            pen.text(at, line, rgba(style.colour), font)
        image.alpha_composite(text)
        image = image.crop((0, 0, min(image.width, self._width & ~1), min(image.height, height & ~1)))
        left = side + share * (room - image.width)
        top = edge if style.position == "top" else height - edge - image.height
        return (
            image,
            int(min(max(0, left), self._width - image.width)) & ~1,
            int(min(max(0, top), height - image.height)) & ~1,
        )

    def _margins(self) -> tuple[float, float]:
        """Pixels to keep free above and below, and at the sides."""
        margin, safe = self._style.margin * self._height, SAFE[self._style.safe_area]
        return max(margin, safe * self._height), max(margin, safe * self._width)


def is_hd(frame: av.VideoFrame) -> bool:
    """Whether the picture's colours are those of high definition."""
    return frame.colorspace == BT709 or (frame.colorspace not in {BT601, _NTSC} and frame.height >= _HD)


def _even(length: float) -> int:
    return int(length + 1.999) & ~1


def _patch(image: Image.Image, left: int, top: int, *, hd: bool) -> Patch:
    """Turn a drawing into what the three planes of a yuv420p picture get."""
    red, green, blue, opacity = (np.asarray(band, np.float32) for band in image.split())
    opacity *= np.float32(1 / 255)
    of_red, of_blue = (0.2126, 0.0722) if hd else (0.299, 0.114)
    light = np.float32(of_red) * red + np.float32(1 - of_red - of_blue) * green + np.float32(of_blue) * blue
    planes = [_plane(top, left, np.float32(16) + light * np.float32(219 / 255), opacity)]
    opacity_there = _quarter(opacity)
    for other, weight in ((blue, of_blue), (red, of_red)):
        tint = np.float32(128) + (other - light) * np.float32(112 / 255 / (1 - weight))
        mean = _quarter(tint * opacity) / np.maximum(opacity_there, np.float32(1e-6))
        planes.append(_plane(top // 2, left // 2, mean, opacity_there))
    return tuple(planes)


def _quarter(values: Values) -> Values:
    """Return the mean of each two by two; written out, for numpy's own mean over two axes takes ten times as long."""
    rows = values[0::2] + values[1::2]
    mean: Values = (rows[:, 0::2] + rows[:, 1::2]) * np.float32(0.25)
    return mean


def _plane(top: int, left: int, values: Values, opacity: Values) -> _Plane:
    cover = np.rint(opacity * np.float32(_WHOLE))
    return _Plane(top, left, (np.float32(_WHOLE) - cover).astype(np.uint16), np.rint(values * cover).astype(np.uint16))
