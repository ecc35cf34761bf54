"""Picture and sound of a film for a page: whether a browser can show it, how loud it is, and its sound by itself."""

from __future__ import annotations

import contextlib
import struct
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studio import media
from studio.app._film_copy import Copies
from studio.app._film_kept import Kept
from studio.errors import StudioError, why
from studio.language import _
from studio.sound import SPEECH_RATE
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAYED = frozenset({"h264", "vp8", "vp9", "av1"})
"""Pictures that every browser shows; others some do, on some machines."""
UNKNOWN_RATE = 25.0
PEAKS = 100
"""A second: two of them are a frame's length and a half."""
UNKEPT = 20
"""Waves that are remembered where they cannot be written."""
MOST_WAVES = 256 << 20
"""Bytes: the waves of 700 hours. A film's are measured again in seconds."""
WAVE_HEAD = 44
"""Bytes before the samples of a RIFF WAVE file with 16 bits of PCM."""
SAMPLE = 2
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a page can do with a film."""

    playable: bool
    """A browser shows its picture."""
    sound: bool
    """There is sound to be heard."""
    copied: bool
    """There is a picture of which a small copy can be made."""
    frame: float
    """Milliseconds of a frame."""
    why: str
    """What is to be said of it; empty: nothing."""


class FilmMedia:
    """Looks at films when somebody asks, and remembers; waves and small copies are kept in folders of `folder`."""

    def __init__(self, folder: Path) -> None:
        self._waves = Kept(folder / "waves", ".peaks", MOST_WAVES)
        self.copies = Copies(folder / "copies")
        self._pictures: dict[tuple[Path, int, int], Picture] = {}
        self._making: set[Path] = set()
        self._unkept: dict[Path, bytes] = {}
        self._lock = threading.Lock()
        self._one_at_a_time = threading.Lock()
        self._closing = threading.Event()

    def close(self) -> None:
        """Measure and copy no more."""
        self._closing.set()
        self.copies.close()

    def picture(self, path: Path) -> Picture:
        """Say what a page can do with the film; never raises."""
        try:
            seen = path.stat()
        except OSError as problem:
            sentence = _("{file} cannot be read ({problem}); its subtitles can be edited all the same.")
            return Picture(
                playable=False,
                sound=False,
                copied=False,
                frame=1000 / UNKNOWN_RATE,
                why=sentence.format(file=path, problem=why(problem)),
            )
        key = (path, seen.st_mtime_ns, seen.st_size)
        if key not in self._pictures:
            self._pictures[key] = _look(path)
        return self._pictures[key]

    def peaks(self, path: Path) -> bytes | None:
        """Return how loud the film is, `PEAKS` times a second in [0..127]; `None` while that is being found out.

        Empty where it has no sound.
        """
        kept = self._waves.file(path)
        if self._waves.asked(kept):
            with contextlib.suppress(FileNotFoundError):
                return kept.read_bytes()
        with self._lock:
            if kept in self._unkept:
                return self._unkept[kept]
            if kept not in self._making:
                self._making.add(kept)
                threading.Thread(target=self._make, args=(path, kept), daemon=True, name="peaks").start()
        return None

    def _make(self, path: Path, kept: Path) -> None:
        try:
            with self._one_at_a_time:
                peaks = self._measured(path)
            if not self._closing.is_set():
                self._keep(kept, peaks)
        finally:
            with self._lock:
                self._making.discard(kept)

    def _measured(self, path: Path) -> bytes:
        """Peaks of the sound; nothing where there is none that can be read."""
        try:
            both = media.peaks(path, per_second=PEAKS, stopped=self._closing.is_set)
        except StudioError:
            return b""
        return bytes(np.abs(both).max(axis=1, initial=0).astype(np.uint8))

    def _keep(self, kept: Path, peaks: bytes) -> None:
        try:
            self._waves.put(kept, peaks)
        except OSError:
            with self._lock:  # else the film would be read again whenever the page asks
                self._unkept[kept] = peaks
                if len(self._unkept) > UNKEPT:
                    del self._unkept[next(iter(self._unkept))]

    def sound_size(self, path: Path) -> int:
        """Bytes of the film's sound as a WAVE file. Raises MediaError where it has none."""
        length = media.film_sound(path, say=_nobody).length or Ms(0)
        return WAVE_HEAD + length * SPEECH_RATE // 1000 * SAMPLE

    def sound(self, path: Path, first: int, last: int, size: int) -> Iterator[bytes]:
        """Bytes [first, last] of that file, made as they are asked for: no film is decoded whole for a page."""
        left = last + 1 - first
        head = _wave_head(size - WAVE_HEAD)[first : last + 1]
        if head:
            yield head
            left -= len(head)
        offset = max(0, first - WAVE_HEAD)
        per_ms = SPEECH_RATE * SAMPLE // 1000
        begin = offset // per_ms
        skip = offset - begin * per_ms
        until = Ms(begin + -(-(skip + left) // per_ms))
        if left <= 0:
            return
        sound = media.film_sound(path, begin=Ms(begin), until=until, say=_nobody)
        try:
            for chunk in sound.chunks():
                piece = (np.clip(chunk.samples, -1, 1) * 32767).astype("<i2").tobytes()[skip:][:left]
                skip = max(0, skip - len(chunk.samples) * SAMPLE)
                left -= len(piece)
                if piece:
                    yield piece
                if left <= 0:
                    return
        finally:
            sound.stop()
        while left > 0:  # a promised length must hold
            piece = bytes(min(left, 1 << 16))
            left -= len(piece)
            yield piece


def _nobody(_sentence: str) -> None:
    """Damage of a film is told when it is heard, not while somebody works at it."""


def _look(path: Path) -> Picture:
    try:
        film = media.film(path)
    except StudioError as problem:
        return Picture(playable=False, sound=False, copied=False, frame=1000 / UNKNOWN_RATE, why=str(problem))
    sound = any(track.can_be_heard for track in film.sounds)
    if film.picture is None:
        why_blind = _("This film has sound only.")
        return Picture(playable=False, sound=sound, copied=False, frame=1000 / UNKNOWN_RATE, why=why_blind)
    rate = film.picture.rate or UNKNOWN_RATE
    playable = film.picture.codec in PLAYED and film.picture.bits == 8  # noqa: PLR2004 - what browsers decode
    said = ""
    if playable and sound and (plays := media.playable(path)).picture and not plays.sound:
        # A picture without its sound is of no use to whoever works at words.
        return Picture(playable=False, sound=True, copied=True, frame=1000 / rate, why=plays.why)
    if not playable and sound:
        said = _("A browser cannot show this picture ({codec}); you hear its sound.")
    elif not playable:
        said = _("A browser cannot show this picture ({codec}), and there is no sound.")
    why_so = said.format(codec=film.picture.codec)
    return Picture(playable=playable, sound=sound, copied=True, frame=1000 / rate, why=why_so)


def _wave_head(size: int) -> bytes:
    """RIFF WAVE, mono, 16 bits: Multimedia Programming Interface and Data Specifications 1.0, chapter 3."""
    size = min(size, 0xFFFFFFFF - WAVE_HEAD)
    form = struct.pack("<IHHIIHH", 16, 1, 1, SPEECH_RATE, SPEECH_RATE * SAMPLE, SAMPLE, 8 * SAMPLE)
    return b"RIFF" + struct.pack("<I", size + WAVE_HEAD - 8) + b"WAVEfmt " + form + b"data" + struct.pack("<I", size)
