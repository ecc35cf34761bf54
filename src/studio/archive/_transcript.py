"""What is said in a film as a text to read, with times: plain, as a page, for Word and for LibreOffice."""

from __future__ import annotations

import html
import io
from typing import TYPE_CHECKING

from msgspec import Struct

from studio.errors import ArchiveError
from studio.language import _
from studio.subtitles import write_whole
from studio.units import Ms, timecode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from studio.archive._document import Document

PAUSE = Ms(2000)
"""A pause of so long begins a paragraph …"""
LONG = 600
"""… and so does the first sentence after so many letters …"""
LONGEST = 1200
"""… and the next cue after so many."""
_ENDS = (".", "!", "?", "…", ".”", "!”", "?”", '."', '!"', '?"')


class Paragraph(Struct, frozen=True):
    """What somebody says in one breath."""

    start: Ms
    end: Ms
    speaker: str | None
    """`None`: nobody told who speaks, or the one before goes on."""
    text: str
    heading: str = ""
    """Of the chapter that begins with it; empty: none does."""


class Transcript(Struct, frozen=True):
    """A film to read."""

    title: str
    language: str
    paragraphs: tuple[Paragraph, ...]


def transcript(title: str, document: Document, chapters: Iterable[tuple[Ms, str]] = ()) -> Transcript:
    """Return what is said, in paragraphs: a new one after a pause, for another speaker, and where one gets long.

    Before the first cue of each of the film's own `chapters`, where they begin and their titles, stands its title.
    """
    left = sorted(chapters)
    paragraphs: list[Paragraph] = []
    speaker: str | None = None
    for cue in document.cues:
        text = " ".join("".join(letter if letter.isprintable() else " " for letter in " ".join(cue.lines)).split())
        if not text:
            continue
        heading = ""
        while left and left[0][0] < cue.end:
            heading = " ".join(left.pop(0)[1].split())
        last = paragraphs[-1] if paragraphs else None
        new = (
            last is None
            or heading
            or cue.speaker != speaker
            or cue.start - last.end >= PAUSE
            or len(last.text) >= LONGEST
            or (len(last.text) >= LONG and last.text.endswith(_ENDS))
        )
        if last is None or new:
            who = cue.speaker if cue.speaker != speaker or heading else None
            paragraphs.append(Paragraph(cue.start, cue.end, who, text, heading))
        else:
            paragraphs[-1] = Paragraph(last.start, cue.end, last.speaker, f"{last.text} {text}", last.heading)
        speaker = cue.speaker
    return Transcript(" ".join(title.split()), document.language, tuple(paragraphs))


def save_transcript(what: Transcript, path: Path) -> None:
    """Write it in the form that `path` ends in, one of `TRANSCRIPTS`, aside first. Raises StudioError."""
    form = TRANSCRIPTS.get(path.suffix.lower())
    if form is None:
        raise ArchiveError(
            _("{file} has an ending that is not known; use one of {endings}").format(
                file=path, endings=", ".join(TRANSCRIPTS)
            )
        )
    write_whole(path, form(what))


def _time(at: Ms) -> str:
    return timecode(at)[:-4]


def _plain(what: Transcript) -> bytes:
    blocks = [what.title, "=" * len(what.title), ""]
    for each in what.paragraphs:
        if each.heading:
            blocks += [each.heading, "-" * len(each.heading), ""]
        blocks += [f"[{_time(each.start)}] " + (f"{each.speaker}: " if each.speaker else "") + each.text, ""]
    return "\n".join(blocks).encode()


_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 1.05rem/1.6 Georgia, serif; max-width: 42rem; margin: 2rem auto; padding: 0 1rem }}
p {{ margin: 0 0 1rem; padding-left: 5.5rem; position: relative }}
time {{ position: absolute; left: 0; color: #666; font: .85rem/1.9 monospace }}
@media (prefers-color-scheme: dark) {{ body {{ background: #111; color: #eee }} time {{ color: #aaa }} }}
</style>
<h1>{title}</h1>
{body}
</html>
"""


def _page(what: Transcript) -> bytes:
    lines = []
    for each in what.paragraphs:
        if each.heading:
            lines.append(f"<h2>{html.escape(each.heading)}</h2>")
        speaker = f"<b>{html.escape(each.speaker)}:</b> " if each.speaker else ""
        time = _time(each.start)
        lines.append(f'<p id="t{each.start}"><time>{time}</time>{speaker}{html.escape(each.text)}</p>')
    language, title = html.escape(what.language), html.escape(what.title)
    return _PAGE.format(language=language, title=title, body="\n".join(lines)).encode()


def _word(what: Transcript) -> bytes:
    import docx  # noqa: PLC0415 - loads for a third of a second
    from docx.shared import RGBColor  # noqa: PLC0415

    file = docx.Document()
    file.core_properties.title = what.title
    file.core_properties.language = what.language
    file.core_properties.author = ""
    file.core_properties.comments = ""
    file.add_heading(what.title, 1)
    for each in what.paragraphs:
        if each.heading:
            file.add_heading(each.heading, 2)
        paragraph = file.add_paragraph()
        paragraph.add_run(f"{_time(each.start)}\t").font.color.rgb = RGBColor(0x66, 0x66, 0x66)
        if each.speaker:
            paragraph.add_run(f"{each.speaker}: ").bold = True
        paragraph.add_run(each.text)
    made = io.BytesIO()
    file.save(made)
    return made.getvalue()


def _open_document(what: Transcript) -> bytes:
    from odfdo import Document as OpenDocument  # noqa: PLC0415 - loads for a third of a second
    from odfdo import Header, Span, Style, Tab  # noqa: PLC0415
    from odfdo import Paragraph as Block  # noqa: PLC0415

    file = OpenDocument("text")
    file.meta.title = what.title
    if what.language:
        file.set_language(what.language)
    file.insert_style(Style("text", name="time", color="#666666"), automatic=True)
    file.insert_style(Style("text", name="speaker", bold=True), automatic=True)
    body = file.body
    body.clear()
    body.append(Header(1, what.title))
    for each in what.paragraphs:
        if each.heading:
            body.append(Header(2, each.heading))
        block = Block("")
        block.append(Span(_time(each.start), style="time"))
        block.append(Tab())
        if each.speaker:
            block.append(Span(f"{each.speaker}:", style="speaker"))
            block.append_plain_text(" ")
        block.append_plain_text(each.text)
        body.append(block)
    made = io.BytesIO()
    file.save(made)
    return made.getvalue()


TRANSCRIPTS: dict[str, Callable[[Transcript], bytes]] = {
    ".txt": _plain,
    ".html": _page,
    ".docx": _word,
    ".odt": _open_document,
}
"""What `save_transcript` writes, by ending."""
