"""Cues on the picture: drawn once by Pillow, blended frame by frame into the few rows where they stand."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from studio.media._planes import pixels
from studio.subtitles import rgba

if TYPE_CHECKING:
    import av

    from studio.spoken import Cue
    from studio.subtitles import Style

logger = logging.getLogger(__name__)

FONTS_MAY_TAKE = 2.0
"""Seconds: fontconfig reads every font anew when its cache is stale, and the air waits for it."""
DEJAVU = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
LETTERS = "ąćęłńóśźżĄĆĘŁŃÓŚŹŻąčęėįšųūžĄČĘĖĮŠŲŪŽ„”–"  # noqa: RUF001 - what Polish and Lithuanian write
_BT709 = 1
"""What FFmpeg calls the colours of high definition."""
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
    """Draws cues in one style on pictures of one size."""

    def __init__(self, style: Style, width: int, height: int) -> None:
        self._style = style
        self._width = width
        self._height = height
        self._drawn: OrderedDict[tuple[tuple[str, ...], bool], Patch] = OrderedDict()

    def prepare(self, cue: Cue, *, hd: bool) -> Patch:
        """Draw `cue`, unless it is drawn already: some milliseconds, best spent before its first frame is due."""
        key = (cue.lines, hd)
        patch = self._drawn.get(key)
        if patch is None:
            patch = self._drawn[key] = _patch(*self._draw(cue.lines), hd=hd)
            while len(self._drawn) > 8:  # noqa: PLR2004 - one on the picture, a few to come
                self._drawn.popitem(last=False)
        return patch

    def burn(self, cue: Cue, frame: av.VideoFrame) -> None:
        """Put `cue` on `frame`, which is yuv420p, of our size, and shared with nobody."""
        for plane, rows_of in zip(self.prepare(cue, hd=is_hd(frame)), pixels(frame), strict=True):
            rows, columns = plane.keep.shape
            region = rows_of[plane.top : plane.top + rows, plane.left : plane.left + columns]
            mixed = region * plane.keep
            mixed += plane.colour
            mixed >>= 8
            region[:] = mixed

    def _draw(self, lines: tuple[str, ...]) -> tuple[Image.Image, int, int]:
        """Return the text on its ground, and where its left upper corner goes: all even, inside the picture."""
        style, height = self._style, self._height
        size = style.size * height * min(1.0, style.max_lines / max(1, len(lines)))
        room = self._width - 2 * style.margin * height
        font = _font(style.font, "".join(lines), max(_SMALLEST, round(size)))
        widest = max((font.getlength(line) for line in lines), default=0.0)
        while widest > room - 2 * style.box_padding * size and size > _SMALLEST:  # hinted widths grow in steps
            size = max(_SMALLEST, size * min(0.95, (room - 2 * style.box_padding * size) / widest))
            font = _font(style.font, "".join(lines), int(size))
            widest = max(font.getlength(line) for line in lines)
        stroke = round(style.outline * size)
        padding = round(style.box_padding * size) if style.box else 0
        around = max(padding, stroke) + 1
        step = style.line_spacing * size
        ascent, descent = font.getmetrics()
        tall = round(step * (len(lines) - 1)) + ascent + descent
        image = Image.new("RGBA", (_even(widest + 2 * around), _even(tall + 2 * around)))
        if style.box:
            image.paste(rgba(style.box), (0, 0, *image.size))
        text = Image.new("RGBA", image.size, (*rgba(style.colour)[:3], 0))
        pen = ImageDraw.Draw(text)
        share = {"left": 0.0, "centre": 0.5, "right": 1.0}[style.align]
        for number, line in enumerate(lines):
            at = (around + share * (widest - font.getlength(line)), around + round(number * step))
            if stroke:
                pen.text(
                    at,
                    line,
                    rgba(style.outline_colour),
                    font,
                    stroke_width=stroke,
                    stroke_fill=rgba(style.outline_colour),
                )
        for number, line in enumerate(lines):  # after every outline: none shall cut into a letter of the line above
            at = (around + share * (widest - font.getlength(line)), around + round(number * step))
            pen.text(at, line, rgba(style.colour), font)
        image.alpha_composite(text)
        image = image.crop((0, 0, min(image.width, self._width & ~1), min(image.height, height & ~1)))
        margin = style.margin * height
        left = margin + share * (self._width - 2 * margin - image.width)
        top = margin if style.position == "top" else height - margin - image.height
        return (
            image,
            int(min(max(0, left), self._width - image.width)) & ~1,
            int(min(max(0, top), height - image.height)) & ~1,
        )


def is_hd(frame: av.VideoFrame) -> bool:
    """Whether the picture's colours are those of high definition."""
    return frame.colorspace == _BT709 or (frame.colorspace not in {5, 6} and frame.height >= _HD)


def _even(length: float) -> int:
    return int(length + 1.999) & ~1


def _patch(image: Image.Image, left: int, top: int, *, hd: bool) -> Patch:
    """Turn a drawing into what the three planes of a yuv420p picture get."""
    colours = np.asarray(image, np.float32)
    red, green, blue = (colours[..., channel] for channel in range(3))
    opacity = colours[..., 3] / np.float32(255)
    of_red, of_blue = (0.2126, 0.0722) if hd else (0.299, 0.114)
    light = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
    planes = [_plane(top, left, 16 + light * (219 / 255), opacity)]
    opacity_there = _quarter(opacity)
    for other, weight in ((blue, of_blue), (red, of_red)):
        tint = 128 + (other - light) * (112 / 255 / (1 - weight))
        mean = _quarter(tint * opacity) / np.maximum(opacity_there, np.float32(1e-6))
        planes.append(_plane(top // 2, left // 2, mean, opacity_there))
    return tuple(planes)


def _quarter(values: Values) -> Values:
    rows, columns = values.shape
    mean: Values = values.reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3))
    return mean


def _plane(top: int, left: int, values: Values, opacity: Values) -> _Plane:
    cover = np.rint(opacity * _WHOLE)
    return _Plane(top, left, (_WHOLE - cover).astype(np.uint16), np.rint(values * cover).astype(np.uint16))


# ── fonts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _font(family: str, text: str, size: int) -> ImageFont.FreeTypeFont:
    """Return the family's font at `size` pixels, or another that has every letter of `text`."""
    for file, index in (find_font(family), find_font("DejaVu Sans"), find_font(_wanting(text))):
        if not missing(file, text):
            return ImageFont.truetype(file, size, index, layout_engine=ImageFont.Layout.BASIC)
    file, index = find_font(family)
    logger.warning("no font has all of %r", text)
    return ImageFont.truetype(file, size, index, layout_engine=ImageFont.Layout.BASIC)


def _wanting(text: str) -> str:
    return ":charset=" + " ".join(sorted({f"{ord(letter):x}" for letter in text if not letter.isspace()}))


@lru_cache(maxsize=64)
def find_font(pattern: str) -> tuple[str, int]:
    """Return file and number of the font that fontconfig finds for `pattern`; DejaVu Sans where it finds none."""
    if shutil.which("fc-match"):
        asked = ["fc-match", "-f", "%{file}\n%{index}", pattern]
        found = _ask(asked).split("\n")
        if len(found) == 2 and found[0]:  # noqa: PLR2004 - file and index
            return found[0], int(found[1]) & 0xFFFF  # the upper half numbers a variable font's instances
    return DEJAVU, 0


def _ask(command: list[str]) -> str:
    """Return what fontconfig says; nothing where it does not answer in time."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=FONTS_MAY_TAKE)
    except (OSError, subprocess.TimeoutExpired) as problem:
        logger.warning("fontconfig gives no answer: %s", problem)
        return ""
    return done.stdout


def missing(file: str, text: str) -> str:
    """Return the letters of `text` that the font in `file` cannot draw."""
    has = _letters(file)
    return "".join(
        letter
        for letter in text
        if has and not letter.isspace() and not any(first <= ord(letter) <= last for first, last in has)
    )


@lru_cache(maxsize=64)
def _letters(file: str) -> tuple[tuple[int, int], ...]:
    """Ranges of the letters that a font has; empty where fontconfig is not there to tell."""
    if not shutil.which("fc-query"):
        return ()
    asked = ["fc-query", "-f", "%{charset}\n", file]
    said = _ask(asked).split("\n")[0]
    found = re.findall(r"([0-9a-f]+)(?:-([0-9a-f]+))?", said)
    return tuple((int(first, 16), int(last or first, 16)) for first, last in found)
