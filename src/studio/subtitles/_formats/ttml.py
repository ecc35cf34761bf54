"""Timed Text: IMSC 1.1 Text Profile (W3C) written and every TTML that ttconv knows read, EBU-TT-D among them."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from studio.errors import SubtitlesError
from studio.language import _
from studio.subtitles._formats.track import Programme, Track, Written, cues, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
"""What XML 1.0 has no way to write, and nobody sees."""

ENDLESS = 3000
"""Milliseconds that the last paragraph shows if it never ends; others show until the next begins."""

_DFXP = re.compile(rb"http://www\.w3\.org/2006/(?:04|10)/ttaf1")
"""Names of TTML before it was a standard; the elements that we read meant the same."""


def write(track: Track, _programme: Programme) -> Written:
    """Lines at the bottom of the middle 80 % of the picture, white on black, times in milliseconds."""
    from ttconv import model  # noqa: PLC0415 - an XML library for one command in twenty
    from ttconv import style_properties as style  # noqa: PLC0415
    from ttconv.imsc import config, writer  # noqa: PLC0415
    from ttconv.imsc.designators import IMSC_11_TEXT_PROFILE_DESIGNATOR  # noqa: PLC0415

    def share(value: float) -> Any:  # noqa: ANN401 - ttconv ships no types
        return style.LengthType(value, style.LengthType.Units.pct)

    document = model.ContentDocument()
    document.set_content_profiles({IMSC_11_TEXT_PROFILE_DESIGNATOR})
    document.set_lang(track.language)
    bottom = model.Region("bottom", document)
    bottom.set_style(style.StyleProperties.Origin, style.CoordinateType(share(10), share(10)))
    bottom.set_style(style.StyleProperties.Extent, style.ExtentType(share(80), share(80)))
    bottom.set_style(style.StyleProperties.DisplayAlign, style.DisplayAlignType.after)
    bottom.set_style(style.StyleProperties.ShowBackground, style.ShowBackgroundType.whenActive)
    document.put_region(bottom)
    body = model.Body(document)
    body.set_style(style.StyleProperties.TextAlign, style.TextAlignType.center)
    body.set_style(style.StyleProperties.FontFamily, (style.GenericFontFamilyType.proportionalSansSerif,))
    body.set_style(style.StyleProperties.LinePadding, style.LengthType(0.5, style.LengthType.Units.c))
    document.set_body(body)
    division = model.Div(document)
    body.push_child(division)
    for cue in track.cues:
        paragraph = model.P(document)
        paragraph.set_id(f"cue{cue.number}")
        paragraph.set_begin(Fraction(cue.start, 1000))
        paragraph.set_end(Fraction(cue.end, 1000))
        paragraph.set_region(bottom)
        for number, line in enumerate(shown(cue.lines)):
            if number:
                paragraph.push_child(model.Br(document))
            span = model.Span(document)
            span.set_style(style.StyleProperties.Color, style.NamedColors.white.value)
            span.set_style(style.StyleProperties.BackgroundColor, style.NamedColors.black.value)
            span.push_child(model.Text(document, CONTROLS.sub("", line)))
            paragraph.push_child(span)
        division.push_child(paragraph)
    tree = writer.from_model(
        document, config.IMSCWriterConfiguration(profile_signaling=config.ContentProfilesSignaling.CONTENT_PROFILES)
    )
    file = io.BytesIO()
    tree.write(file, encoding="utf-8", xml_declaration=True)
    return Written(file.getvalue() + b"\n")


def read(raw: bytes, name: str) -> Track:
    """Cues of a file called `name`. Raises SubtitlesError that names the place."""
    from ttconv.imsc import reader  # noqa: PLC0415 - as above

    try:
        root = ET.fromstring(_DFXP.sub(b"http://www.w3.org/ns/ttml", raw))  # noqa: S314 - expat bounds what entities grow to
    except ET.ParseError as problem:
        line, column = problem.position
        raise SubtitlesError(
            _(
                "{file} line {line}, column {column}: this is no whole XML; is the file cut off or damaged there?"
            ).format(file=name, line=line, column=column + 1)
        ) from problem
    except (LookupError, ValueError) as problem:  # it says that its letters are in a code that nobody knows
        raise SubtitlesError(
            _("{file} is no Timed Text that can be read ({problem}).").format(file=name, problem=problem)
        ) from problem
    if root.tag != "{http://www.w3.org/ns/ttml}tt":
        raise SubtitlesError(_("{file} is XML, but no Timed Text: there is no <tt> at its top.").format(file=name))
    try:
        document = reader.to_model(ET.ElementTree(root))
    except Exception as problem:  # ttconv lets through whatever its parts raise
        raise SubtitlesError(
            _("{file} is no Timed Text that can be read ({problem}).").format(file=name, problem=problem)
        ) from problem
    body = document.get_body()
    found = sorted(_paragraphs(body, Fraction(0), None), key=lambda one: one[0]) if body is not None else []
    begins = [*(begin for begin, _end, _lines in found[1:]), None]
    ended = (
        (begin, (following or begin + ENDLESS) if end is None else end, lines)
        for (begin, end, lines), following in zip(found, begins, strict=False)
    )
    return Track(cues(ended), document.get_lang() or "")


def _paragraphs(element: Any, origin: Fraction, until: Fraction | None) -> Iterator[tuple[int, int | None, list[str]]]:  # noqa: ANN401 - ttconv ships no types
    """Every paragraph below `element` that shows text, with its times in milliseconds.

    What an element says of its own end holds, even past that of what it stands in: where a container says none,
    ttconv reckons one for it, and reckons it too early where the container begins after 0.
    """
    from ttconv import model  # noqa: PLC0415 - as above

    begin = origin + (element.get_begin() or 0)
    end = until if element.get_end() is None else origin + element.get_end()
    if not isinstance(element, model.P):
        for child in element:
            yield from _paragraphs(child, begin, end)
        return
    pieces = list(_pieces(element, begin, end))
    marked = [(at, to) for at, to, text in pieces if text.strip()]
    if marked:
        ends = [to for _at, to in marked if to is not None]
        lines = "".join(text for _at, _to, text in pieces).split("\n")
        yield round(min(at for at, _to in marked) * 1000), round(max(ends) * 1000) if ends else None, lines


def _pieces(element: Any, begin: Fraction, end: Fraction | None) -> Iterator[tuple[Fraction, Fraction | None, str]]:  # noqa: ANN401 - ttconv ships no types
    from ttconv import model  # noqa: PLC0415 - as above

    for child in element:
        if isinstance(child, model.Text):
            # A line of the file is no line of the picture: only <br/> is.
            yield begin, end, re.sub(r"[ \t\n\r]+", " ", child.get_text())
        elif isinstance(child, model.Br):
            yield begin, end, "\n"
        else:
            at = begin + (child.get_begin() or 0)
            to = end if child.get_end() is None else begin + child.get_end()
            yield from _pieces(child, at, to)
