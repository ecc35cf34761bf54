"""The slate: what airs in place of a programme that does not come. A scene that stands still, drawn once by Pillow."""

from __future__ import annotations

import logging
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import av
import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont, ImageOps

from studio.media._air.burn import Burner
from studio.media._air.fonts import find_font
from studio.media._air.picture import aired_size, card

if TYPE_CHECKING:
    from pathlib import Path

    from studio.media._plan import EncodePreset, RelayPlan
    from studio.wire.obs import Box, Collection, Source

logger = logging.getLogger(__name__)

RATE_OF_A_CARD = 25
"""Pictures a second of a broadcast that begins with a slate which nobody described."""
HD = 720
"""Rows from which a slate has the colours of high definition."""
_SMALLEST = 6
"""Pixels: what is smaller is no writing."""
_SHADOW = 0.05
"""Of a letter's height."""


def size_of(slate: Collection | None, preset: EncodePreset) -> tuple[int, int, float]:
    """Return width, height and rate of a broadcast that begins with `slate`; `None`: the card is the slate."""
    width, height, fps = (slate.width, slate.height, slate.fps) if slate else (1280, 720, RATE_OF_A_CARD)
    return *aired_size(width, height, Fraction(1), preset), float(fps)


def draw(plan: RelayPlan, width: int, height: int, *, hd: bool) -> av.VideoFrame:
    """Return the plan's slate in this size and in the colours of high definition or not.

    What cannot be drawn, a picture that is gone or a font that breaks, is left out: no slate may end the air.
    """
    image = Image.new("RGB", (width, height))
    if plan.slate is None:
        image.paste(_inside(card(plan.title, plan.encode), width, height))
    else:
        for source in plan.slate.scenes[0].sources:
            try:
                _put(image, source)
            except Exception:  # whatever files and fonts can do to Pillow and FreeType
                logger.exception("%s cannot be drawn on the slate", source.name)
    frame: av.VideoFrame = av.VideoFrame.from_ndarray(np.asarray(image), "rgb24")
    return frame.reformat(format="yuv420p", dst_colorspace="ITU709" if hd else "ITU601")


def warm_up(plan: RelayPlan) -> None:
    """Read what slate and captions are drawn with: the air, which draws them later, must not wait for a disk."""
    draw(plan, 64, 36, hd=False)
    try:
        Burner(plan.style, 640, 360).prepare(("Ąž",), hd=False)
    except Exception:  # as in `draw`; it is said when a caption is to be drawn
        logger.exception("a caption cannot be drawn")


@lru_cache(maxsize=4)
def _picture(file: Path) -> Image.Image:
    with Image.open(file) as opened:
        return opened.convert("RGBA")


def _put(image: Image.Image, source: Source) -> None:
    left, top, width, height = _pixels(source.box, *image.size)
    if source.kind == "colour":
        ground = Image.new("RGBA", (width, height), ImageColor.getrgb(source.colour))
        image.paste(ground, (left, top), ground)
    elif source.kind == "image" and source.file is not None:
        picture = _fitted(_picture(source.file), width, height, source)
        image.paste(picture, (left + (width - picture.width) // 2, top + (height - picture.height) // 2), picture)
    elif source.kind == "text":
        _write(image, source, (left, top, width, height))


def _pixels(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    return (
        round(box.left * width),
        round(box.top * height),
        max(1, round(box.width * width)),
        max(1, round(box.height * height)),
    )


def _fitted(picture: Image.Image, width: int, height: int, source: Source) -> Image.Image:
    if source.fit == "stretch":
        return picture.resize((width, height))
    if source.fit == "cover":
        return ImageOps.fit(picture, (width, height))
    return ImageOps.contain(picture, (width, height))


def _inside(picture: av.VideoFrame, width: int, height: int) -> Image.Image:
    return ImageOps.pad(Image.fromarray(picture.to_ndarray(format="rgb24")), (width, height))


def _write(image: Image.Image, source: Source, place: tuple[int, int, int, int]) -> None:
    """Write all lines into the middle of their box; smaller where they are wider or higher than it."""
    left, top, width, height = place
    lines = source.text.split("\n")
    file, index = find_font(source.font + (":bold" if source.bold else ""))
    size = min(source.size * image.height, height / len(lines))
    widest = max(ImageFont.truetype(file, 100, index).getlength(line) for line in lines) / 100
    font = ImageFont.truetype(file, max(_SMALLEST, int(min(size, width / widest if widest else size))), index)
    pen = ImageDraw.Draw(image, "RGBA")  # which blends what is not opaque
    anchor, share = {"left": ("lm", 0.0), "centre": ("mm", 0.5), "right": ("rm", 1.0)}[source.align]
    for number, line in enumerate(lines):
        at = (left + share * width, top + height / 2 + (number - (len(lines) - 1) / 2) * font.size * 1.2)
        if source.shadow:
            off = max(1.0, font.size * _SHADOW)
            pen.text((at[0] + off, at[1] + off), line, "#000000C0", font, anchor=anchor)
        pen.text(at, line, source.colour, font, anchor=anchor)
