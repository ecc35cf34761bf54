"""How text looks: what a file of `subtitles/styles` may say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from studio.language import _

_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}(?:[0-9A-Fa-f]{2})?")

SAFE = {"title": 0.05, "action": 0.035, "none": 0.0}
"""Share of width and height that stays free at each edge (EBU R 95; SMPTE ST 2046-1 gives titles the same 90 %)."""


def within(name: str, value: float, least: float, most: float) -> None:
    """Raise ValueError where `value` of the key `name` is not in [least..most]."""
    if not least <= value <= most:
        raise ValueError(
            _("{name} is {value}; it must lie between {least} and {most}").format(
                name=name, value=value, least=least, most=most
            )
        )


def rgba(colour: str) -> tuple[int, int, int, int]:
    """Red, green, blue and opacity in [0..255] of `#RRGGBB` or `#RRGGBBAA`; ValueError for anything else."""
    if not _COLOUR.fullmatch(colour):
        raise ValueError(
            _('"{colour}" is no colour; write it as #RRGGBB, or as #RRGGBBAA with its opacity').format(colour=colour)
        )
    red, green, blue, *opacity = bytes.fromhex(colour[1:])
    return red, green, blue, opacity[0] if opacity else 255


@dataclass(frozen=True, slots=True)
class Style:
    """How captions look on the picture: a file of the drawer `subtitles/styles`."""

    font: str = "DejaVu Sans"
    """Family, as the system's fonts are named."""
    size: float = 0.055
    """Height of the letters' body, as a share of the picture's height."""
    colour: str = "#FFFFFF"
    """Of the letters, `#RRGGBB` or `#RRGGBBAA`."""
    outline_colour: str = "#000000"
    """Of the line around each letter."""
    outline: float = 0.07
    """Width of that line as a share of `size`; 0 for none."""
    box: str | None = "#000000B0"
    """Colour of the ground behind the text, or `None` for no ground."""
    box_padding: float = 0.25
    """How far the ground reaches beyond the text, as a share of `size`."""
    position: Literal["bottom", "top"] = "bottom"
    """Edge of the picture that the text stands at."""
    margin: float = 0.06
    """Between the text and that edge, and at the sides, as a share of the picture's height."""
    safe_area: Literal["title", "action", "none"] = "title"
    """What of the picture every screen is sure to show (EBU R 95): a smaller `margin` is made so large. `title`: 5 % of
    width and height stay free at each edge; `action`: 3.5 %; `none`: the margin is enough."""
    align: Literal["left", "centre", "right"] = "centre"
    """How lines stand to each other and in the picture."""
    line_spacing: float = 1.2
    """From one line's foot to the next one's, as a multiple of `size`."""
    max_lines: int = 2
    """How many lines this look has room for; a cue with more of them is drawn smaller, never cut."""
    mode: Literal["pop-on", "roll-up"] = "pop-on"
    """`pop-on`: each cue stands alone, for its time. `roll-up`: it comes in below the one before, whose lines move up;
    `max_lines` stay for as long as speech goes on."""
    clear_after: float = 3.0
    """Seconds after the end of a cue that no other one follows, until what has rolled up goes."""

    def __post_init__(self) -> None:
        for colour in (self.colour, self.outline_colour, *([self.box] if self.box else [])):
            rgba(colour)
        if not self.font.strip():
            raise ValueError(_("font is empty; name a family, such as DejaVu Sans"))
        within("size", self.size, 0.01, 0.3)
        within("outline", self.outline, 0, 0.5)
        within("box_padding", self.box_padding, 0, 2)
        within("margin", self.margin, 0, 0.4)
        within("line_spacing", self.line_spacing, 0.8, 3)
        within("max_lines", self.max_lines, 1, 4)
        within("clear_after", self.clear_after, 0.5, 30)
