"""Subtitle files through every form and through other programs' readers: what arrives, how late, how soon.

    python benchmarks/archive_formats.py [FOLDER…]

takes every `.srt` below the folders (`../shared/data` without any) and an hour of made cues.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pysubs2
from ttconv import model
from ttconv.imsc import reader as ttconv_imsc
from ttconv.stl import reader as ttconv_stl

from studio.subtitles import FORMATS, Cue, Track, read, written
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable

Found = list[tuple[int, int, str]]

HOUR = Track(
    tuple(
        Cue(n, Ms(n * 3000 - 2993), Ms(n * 3000 - 93), ("Zażółć gęślą jaźń, ąžuolai", f"čia {n} žodžių, łódź i ćma"))
        for n in range(1, 1201)
    ),
    "pl",
)


@dataclass
class Tally:
    """What came of one form in one reader."""

    cues: int = 0
    lost: int = 0
    letters: int = 0
    changed: int = 0
    late: int = 0
    files: int = 0
    failed: list[str] = field(default_factory=list)


def ours(path: Path) -> Found:
    """Our own reading."""
    return [(cue.start, cue.end, "\n".join(cue.lines)) for cue in read(path).cues]


def by_ttconv(path: Path) -> Found:
    """What ttconv's readers find, which know nothing of our writers."""
    raw = path.read_bytes()
    document = (
        ttconv_stl.to_model(io.BytesIO(raw))
        if path.suffix == ".stl"
        else ttconv_imsc.to_model(ET.ElementTree(ET.fromstring(raw)))  # noqa: S314 - our own
    )
    paragraphs = [p for division in document.get_body() for p in division if p.get_end() is not None]
    return [(round((p.get_begin() or 0) * 1000), round(p.get_end() * 1000), words(p)) for p in paragraphs]


def words(element: Any) -> str:  # noqa: ANN401 - ttconv ships no types
    """Text below an element of ttconv's model."""
    if isinstance(element, model.Text):
        return str(element.get_text())
    return "\n" if isinstance(element, model.Br) else "".join(words(child) for child in element)


def by_pysubs2(path: Path) -> Found:
    """What pysubs2 reads."""
    return [(event.start, event.end, event.plaintext) for event in pysubs2.load(str(path))]


def by_ffmpeg(path: Path) -> Found:
    """What the demuxer of ffmpeg and its decoder make of it, as ASS."""
    made = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-f", "ass", "-"], capture_output=True, check=True, text=True
    )
    return [(event.start, event.end, event.plaintext) for event in pysubs2.SSAFile.from_string(made.stdout)]


READERS: dict[str, tuple[Callable[[Path], Found], tuple[str, ...]]] = {
    "studio": (ours, tuple(FORMATS)),
    "ttconv": (by_ttconv, ("ttml", "ebu-tt-d", "stl")),
    "pysubs2": (by_pysubs2, ("srt", "vtt", "ass", "ttml")),
    "ffmpeg": (by_ffmpeg, ("srt", "vtt", "ass", "ttml", "ebu-tt-d", "stl")),
}


def compare(track: Track, found: Found, tally: Tally) -> None:
    """Count what differs."""
    tally.files += 1
    tally.cues += len(track.cues)
    tally.lost += abs(len(track.cues) - len(found))
    for cue, (begin, end, text) in zip(track.cues, found, strict=False):
        wanted = "\n".join(cue.lines)
        tally.letters += len(wanted)
        tally.changed += sum(a != b for a, b in zip(wanted, text, strict=False)) + abs(len(wanted) - len(text))
        tally.late = max(tally.late, abs(begin - cue.start), abs(end - cue.end))


def main(folders: list[Path]) -> None:
    """Print a line for each form and reader, then what an hour takes."""
    sources = sorted(path for folder in folders for path in folder.rglob("*.srt"))
    tracks = [*(read(path) for path in sources), HOUR, Track((), "lt")]
    print(f"{len(sources)} files, an hour of made cues and a film without speech")
    with tempfile.TemporaryDirectory() as folder:
        for kind, form in FORMATS.items():
            for name, (reader, kinds) in READERS.items():
                if kind not in kinds:
                    continue
                tally = Tally()
                for track in tracks:
                    path = Path(folder) / f"film{form.ending}"
                    path.write_bytes(written(track, kind).content)
                    try:
                        compare(track, reader(path), tally)
                    except Exception as problem:  # noqa: BLE001 - that a reader fails is a result
                        said = getattr(problem, "stderr", None) or str(problem)
                        tally.failed.append(str(said).strip().splitlines()[-1] if said else type(problem).__name__)
                print(
                    f"{kind:9} {name:8} {tally.files:3} files, {tally.cues:5} cues: {tally.lost} lost, "
                    f"{tally.changed} of {tally.letters} letters other, times {tally.late} ms off at most"
                    + (f"; failed on {len(tally.failed)}: {tally.failed[0]}" if tally.failed else "")
                )
        for kind, form in FORMATS.items():
            begun = time.process_time()
            content = written(HOUR, kind).content
            made = time.process_time() - begun
            path = Path(folder) / f"hour{form.ending}"
            path.write_bytes(content)
            begun = time.process_time()
            read(path)
            back = time.process_time() - begun
            print(f"hour as {kind:9} {len(content):7} bytes, {made:.3f} s to write, {back:.3f} s to read")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]] or [Path(__file__).resolve().parents[2] / "shared" / "data"])
