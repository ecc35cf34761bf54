"""Opening a film, here or across the network, and where its clock begins."""

from __future__ import annotations

import base64
import urllib.request
from fractions import Fraction
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote, urlsplit

import av

from studio.errors import MediaError
from studio.language import _
from studio.media._arrive.probe import open_file

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

Source: TypeAlias = "Path | str"
"""A file; or the address of one, `http://…` or `https://…`, on a server that answers to byte ranges."""
PATIENCE = (20.0, 30.0)
"""Seconds to connect to a server, and for each answer of it."""
_PRIMING = Fraction(-1, 10)
"""What begins so little before 0 is what an audio encoder puts before the sound, which nobody hears."""
_AGAIN = {"reconnect": "1", "reconnect_streamed": "1", "reconnect_delay_max": "5"}
"""A server that hangs up in the middle of a film is asked for the rest."""


def is_address(source: Source) -> bool:
    """Whether `source` is on a server."""
    return isinstance(source, str) and source.startswith(("http://", "https://"))


def name_of(source: Source) -> str:
    """Return what people call it; never a key that an address carries."""
    if not is_address(source):
        return Path(source).name
    return Path(unquote(urlsplit(str(source)).path)).name or urlsplit(str(source)).netloc.rpartition("@")[2]


def open_film(source: Source) -> InputContainer:
    """Open a film for reading. Raises MediaError with what to do."""
    if is_address(source):
        try:
            ranged = _answers_to_ranges(str(source))
        except (OSError, ValueError, HTTPException) as problem:
            raise _unread(source) from problem
        if not ranged:
            raise MediaError(
                _("The server of {file} does not answer to byte ranges; serve it by nginx, Apache or Caddy.").format(
                    file=name_of(source)
                )
            )
        try:
            return av.open(str(source), "r", metadata_errors="replace", timeout=PATIENCE, options=dict(_AGAIN))
        except (OSError, av.FFmpegError) as problem:
            raise _unread(source) from problem
    path = Path(source).expanduser().absolute()
    if path.is_file() and not path.stat().st_size:
        raise MediaError(_("{file} is empty; was it copied whole?").format(file=path))
    try:
        return open_file(path)
    except MediaError as problem:
        if _lost_its_index(path):
            raise MediaError(
                _("{file} was cut off: the index at its end is missing; copy or export it again.").format(file=path)
            ) from problem
        raise


def _unread(source: Source) -> MediaError:
    return MediaError(
        _("{file} cannot be read from its server; is the address right, and may this machine read there?").format(
            file=name_of(source)
        )
    )


def _answers_to_ranges(address: str) -> bool:
    """Whether a server gives parts of a film (RFC 9110, section 14). Raises OSError, ValueError or HTTPException.

    From one that does not, FFmpeg reads the beginning where it asked for the middle: sound that is silent or wrong, or
    the end of the process.
    """
    parts = urlsplit(address)
    login, at, place = parts.netloc.rpartition("@")
    headers = {"Range": "bytes=0-0", "User-Agent": "studio"}
    if at:
        headers["Authorization"] = f"Basic {base64.b64encode(unquote(login).encode()).decode()}"
    request = urllib.request.Request(parts._replace(netloc=place).geturl(), headers=headers)  # noqa: S310 - is_address
    with urllib.request.urlopen(request, timeout=PATIENCE[0]) as answer:  # noqa: S310 - as above
        return bool(answer.status == HTTPStatus.PARTIAL_CONTENT)


def zero_of(container: InputContainer) -> Fraction:
    """Return where the film's clock begins, in seconds of its time stamps: where players begin to play it."""
    start = Fraction(container.start_time or 0, 1_000_000)
    return Fraction(0) if _PRIMING < start < 0 else start


def seconds(stamp: int | None, stream: Stream, zero: Fraction) -> Fraction | None:
    """Return a time stamp of `stream` on the film's clock; `None` where there is none."""
    return None if stamp is None or stream.time_base is None else stamp * stream.time_base - zero


def _lost_its_index(path: Path) -> bool:
    """Whether this is an MP4 or QuickTime film without its `moov`, which mostly comes last (ISO 14496-12, 4.2)."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            at, known = 0, False
            while at + 16 <= size:
                file.seek(at)
                length, kind, large = int.from_bytes(file.read(4)), file.read(4), int.from_bytes(file.read(8))
                if kind == b"moov" or (not known and kind not in {b"ftyp", b"mdat", b"wide", b"free", b"skip"}):
                    return False
                known = True
                length = large if length == 1 else length
                if length < 8:  # noqa: PLR2004 - up to the end, or no box at all
                    break
                at += length
    except OSError:
        return False
    return known
