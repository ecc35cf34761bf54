"""A film as strips of ten minutes: where somebody speaks, where cues stand, and what is wrong with them. SVG."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from studio.language import _
from studio.units import Ms, timecode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from studio.archive._account import Account
    from studio.archive._document import Document
    from studio.subtitles import Report

STRIP = Ms(600_000)
WIDTH = 2000
"""Units that a strip is wide; a cue of a second is more than three."""
HEIGHT = 36
VOICE, CUE, MARK = (2, 5), (9, 16), (26, 9)
"""Where rows begin and how high they are."""
NARROWEST = 1.0


def timeline(account: Account, document: Document, found: Report) -> str:
    """Return the strips with their legend, as HTML."""
    ends = [cue.end for cue in document.cues] + [end for _start, end in account.voiced]
    length = account.length or max(ends, default=Ms(0))
    if not length:
        return ""
    strip = Ms(min(STRIP, length))
    starts = range(0, length, strip)
    hard = {each.cue for each in found.findings if each.hard}
    broken = {each.cue for each in found.findings if each.kind != "flicker"}
    rows: list[tuple[str, tuple[int, int], list[tuple[Ms, Ms, str]]]] = [
        ("v", VOICE, [(start, end, "") for start, end in account.voiced]),
        ("c", CUE, [(c.start, c.end, " / ".join(c.lines)) for c in document.cues if c.by != "person"]),
        ("p", CUE, [(c.start, c.end, " / ".join(c.lines)) for c in document.cues if c.by == "person"]),
        ("f", MARK, [(c.start, c.end, "") for n, c in enumerate(document.cues, 1) if n in broken - hard]),
        ("h", MARK, [(c.start, c.end, "") for n, c in enumerate(document.cues, 1) if n in hard]),
        ("a", (VOICE[0], 3), [(start, end, "") for start, end in account.again]),
        ("r", (VOICE[0], VOICE[1]), [(start, end, "") for start, end in account.rejected]),
    ]
    strips = "".join(
        f'<div class="strip"><span>{timecode(Ms(at))[:-4]}</span>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img">'
        + "".join(_rects(kind, row, spans, at, strip) for kind, row, spans in rows)
        + "</svg></div>"
        for at in starts
    )
    return f'<div class="strips">{strips}</div><p class="legend">{_legend(rows)}</p>'


def _rects(kind: str, row: tuple[int, int], spans: Iterable[tuple[Ms, Ms, str]], at: int, strip: Ms) -> str:
    return "".join(_within(kind, row, spans, at, strip))


def _within(kind: str, row: tuple[int, int], spans: Iterable[tuple[Ms, Ms, str]], at: int, strip: Ms) -> Iterator[str]:
    for start, end, text in spans:
        first, last = max(start, at), min(end, at + strip)
        if last <= first and not (first == last == start):
            continue
        x, wide = (first - at) * WIDTH / strip, max(NARROWEST, (last - first) * WIDTH / strip)
        title = f"<title>{timecode(start)} {html.escape(text)}</title>" if text else ""
        yield f'<rect class="{kind}" x="{x:.1f}" y="{row[0]}" width="{wide:.1f}" height="{row[1]}">{title}</rect>'


def _legend(rows: Iterable[tuple[str, tuple[int, int], list[tuple[Ms, Ms, str]]]]) -> str:
    names = {
        "v": _("speech"),
        "c": _("cues"),
        "p": _("cues by a person"),
        "f": _("break the profile"),
        "h": _("break it and can be mended"),
        "a": _("decoded again"),
        "r": _("quiet, without subtitles"),
    }
    there = [kind for kind, _row, spans in rows if spans]
    return "".join(f'<span><i class="{kind}"></i>{html.escape(names[kind])}</span>' for kind in there)
