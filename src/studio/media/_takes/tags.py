"""What a file says of itself, and the picture on its sleeve."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mutagen
from mutagen import flac, id3, mp3, wave
from PIL import Image

from studio.errors import MediaError
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LARGEST_COVER = 1400
"""Pixels of its longer side: players on telephones show no more, and some show none that is larger."""
_FRONT = 3
"""What a picture is of, in ID3 and FLAC."""
_FRAMES = {"title": "TIT2", "artist": "TPE1", "album": "TALB", "date": "TDRC"}


@dataclass(frozen=True, slots=True)
class Cover:
    """A picture as players take it."""

    jpeg: bytes
    width: int
    height: int

    @classmethod
    def read(cls, path: Path) -> Cover:
        """Read any picture. Raises MediaError where it is none."""
        try:
            with Image.open(path) as picture:
                small = picture.convert("RGB")
                small.thumbnail((LARGEST_COVER, LARGEST_COVER))
                written = io.BytesIO()
                small.save(written, "JPEG", quality=90)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as problem:
            raise MediaError(
                _("{file} is no picture that can be read; choose a JPEG or PNG as the cover.").format(file=path)
            ) from problem
        return cls(written.getvalue(), small.width, small.height)


def tag(path: Path, form: str, tags: Mapping[str, str], cover: Cover | None) -> None:
    """Write `tags` (title, artist, album, date, comment) and the cover into a finished file. Raises OSError."""
    try:
        if form != "flac":
            _tag_id3(path, form, tags, cover)
        elif cover is not None:  # FFmpeg wrote the words
            _tag_flac(path, cover)
    except mutagen.MutagenError as problem:
        inner = problem.args[0] if problem.args else problem
        raise inner if isinstance(inner, OSError) else OSError(str(problem)) from problem


def _tag_flac(path: Path, cover: Cover) -> None:
    library: Any = flac  # it has no types
    file = library.FLAC(path)
    picture = library.Picture()
    picture.type, picture.mime, picture.data = _FRONT, "image/jpeg", cover.jpeg
    picture.width, picture.height, picture.depth = cover.width, cover.height, 24
    file.add_picture(picture)
    file.save()


def _tag_id3(path: Path, form: str, tags: Mapping[str, str], cover: Cover | None) -> None:
    library: Any = id3  # as above
    kinds: Any = {"mp3": mp3.MP3, "wav": wave.WAVE}
    file = kinds[form](path)
    if file.tags is None:
        file.add_tags()
    for name, frame in _FRAMES.items():
        if tags.get(name):
            file.tags.setall(frame, [getattr(library, frame)(encoding=3, text=[tags[name]])])
    if tags.get("comment"):
        file.tags.setall("COMM", [library.COMM(encoding=3, lang="und", desc="", text=[tags["comment"]])])
    if cover is not None:
        sleeve = library.APIC(encoding=3, mime="image/jpeg", type=_FRONT, desc="", data=cover.jpeg)
        file.tags.setall("APIC", [sleeve])
    file.save()
