"""The vocal studio for its page: what the recorder says, what the session holds, and what somebody asks for."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from studio import media
from studio.app._vocal import TakeWish, VocalRoom
from studio.errors import StudioError, VocalError
from studio.events import Dropout, Levels, RecorderState, TakeEnded, TakeStarted
from studio.language import _, spoken
from studio.vocal import Ear, Until, file_of, verdicts
from studio.vocal import levels as listen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from studio.events import AnyMessage
    from studio.vocal import Device, Session, Singer, Take, TakeForm

SILENT = 3.0
"""Seconds without a word after which the recorder counts as gone: it says how it is each second."""
LISTENED = 10.0
"""Seconds that the level assistant listens."""
COLUMNS = 160
"""Of the wave of a take."""
SENTENCES = 6
"""Of the last ones that are shown."""
HEAD = 44
"""Bytes before the samples of a RIFF WAVE file with 16 bits of PCM."""
PIECE = 1 << 16
"""Frames of a take that are read at once."""


class VocalStudio:
    """A session with its recorder, as its page sees them. Use `async with`, in the loop that serves the page.

    Whatever is told of recording comes from the recorder; of takes, from the session on the disk.
    """

    def __init__(self, session: Session, *, device: Device | None = None, form: TakeForm = "wav") -> None:
        """`device`, by default that of the session, is recorded from."""
        self._session = session
        self._room = VocalRoom(session, self._say, device=device, form=form)
        self._said: list[str] = list(session.said)
        self._dropouts: list[dict[str, Any]] = []
        self._levels: Levels | None = None
        self._ear: Ear | None = None
        self._verdicts: dict[int, dict[str, str]] = {}
        self._heard_at = time.monotonic()
        self._asking = False
        self._listening = False
        self._seen = session.state
        self._version = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._peaks: dict[tuple[int, int], list[float]] = {}

    async def __aenter__(self) -> Self:
        """Start the recorder. Raises VocalError where there is no input, and says why."""
        await self._room.__aenter__()
        self._tasks = [asyncio.create_task(self._hear()), asyncio.create_task(self._look_again())]
        return self

    async def __aexit__(self, *_problem: object) -> None:
        """Close the take and let the recorder go."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._room.__aexit__(None, None, None)

    @property
    def interface(self) -> str:
        """The language that the page speaks until somebody chooses."""
        return spoken()

    # ── what is so ────────────────────────────────────────────────────────────────────────────────────────────────────

    def now(self) -> dict[str, Any]:
        """What the recorder says at this moment; `version` changes whenever `session` does."""
        self._count()
        state = self._room.recorder.state
        there = state is not None and time.monotonic() - self._heard_at < SILENT
        levels = self._levels if there else None
        return {
            "recorder": state if there else None,
            "asking": self._asking,
            "listening": self._listening,
            "peak": levels.peak if levels else (),
            "rms": levels.rms if levels else (),
            "verdicts": self._verdicts if there else {},
            "dropouts": self._dropouts[-SENTENCES:],
            "said": self._said[-SENTENCES:],
            "version": self._version,
        }

    def session(self) -> dict[str, Any]:
        """What is on the disk: songs, tracks, singers and takes, the newest first."""
        state = self._session.state
        takes = [self._take(take) for take in reversed([*state.takes.values()])]
        return {
            "version": self._version,
            "name": state.name,
            "rate": state.rate,
            "song": state.song,
            "songs": [
                {"id": song.id, "title": song.title, "tempo": song.tempo, "backing": song.backing.rpartition("/")[2]}
                for song in state.songs.values()
            ],
            "tracks": [
                {"channel": track.channel, "name": track.name, "singers": self._singers(track.singers)}
                for track in state.tracks.values()
            ],
            "levels": {channel: level.detail for channel, level in state.levels.items()},
            "takes": takes,
        }

    def wave(self, number: int) -> list[float]:
        """How loud a take is along its length, [0..1]. Blocks. Raises StudioError where it cannot be read."""
        take, path = self._file(number)
        key = (number, take.frames)
        if key not in self._peaks:
            self._peaks[key] = [round(float(peak), 3) for peak in media.take_peaks(path, COLUMNS)]
        return self._peaks[key]

    def sound_size(self, number: int) -> int:
        """Bytes of a take, its tracks mixed down, as a WAVE file of 16 bits. Blocks. Raises StudioError."""
        with media.open_take(self._file(number)[1]) as sound:
            return HEAD + 2 * sound.frames

    def sound(self, number: int, first: int, last: int) -> Iterator[bytes]:
        """Bytes [first, last] of that file, read as they are asked for. Raises StudioError."""
        with media.open_take(self._file(number)[1]) as sound:
            head = _head(sound.frames, sound.rate)[first : last + 1]
            if head:
                yield head
            at, end = max(0, first - HEAD), last + 1 - HEAD
            while at < end:
                begin = at // 2
                stop = min(begin + PIECE, sound.frames, -(-end // 2))
                mixed = sound.read(begin, stop).mean(axis=1)
                piece = (np.clip(mixed, -1, 1) * 32767).astype("<i2").tobytes()[at - 2 * begin : end - 2 * begin]
                yield piece
                at += len(piece)

    # ── what is asked for ─────────────────────────────────────────────────────────────────────────────────────────────

    async def press(self, *, backing: bool = True, click: bool = False, count_in: int = 0) -> None:
        """The big button: begin a take, or end the one that runs or is about to. Raises VocalError."""
        state = self._room.recorder.state
        if self._asking or (state is not None and state.take is not None):
            await self.stop()
        else:
            await self.record(backing=backing, click=click, count_in=count_in)

    async def record(self, *, backing: bool = True, click: bool = False, count_in: int = 0) -> None:
        """Begin a take of the song that is sung now; return when its first sample is written. Raises VocalError."""
        if self._asking:
            raise VocalError(_("A take is about to begin; wait for it, or stop it."))
        self._asking = True
        try:
            await asyncio.to_thread(self._session.refresh)
            await self._room.record(TakeWish(backing=backing, click=click, count_in=count_in))
        finally:
            self._asking = False

    async def stop(self) -> None:
        """End the take; nothing where there is none. Raises VocalError."""
        await self._room.stop()

    async def sing(self, song: str) -> None:
        """Have that song, by its id or its title, sung from now on. Raises VocalError."""
        await asyncio.to_thread(self._session.song, song)

    async def keep(self, number: int, *, keeper: bool, stars: int | None = None) -> None:
        """Say what a take is worth. Raises VocalError."""
        await asyncio.to_thread(lambda: self._session.keep(number, keeper=keeper, stars=stars))

    async def comment(self, number: int, seconds: float, text: str) -> None:
        """Say something about a moment of a take. Raises VocalError."""
        await asyncio.to_thread(self._session.comment, number, seconds, text)

    async def level(self) -> None:
        """Listen while the group sings its loudest part; what is to be done is noted. Raises VocalError."""
        if self._listening:
            raise VocalError(_("The level assistant is listening already."))
        self._listening = True
        try:
            heard = await listen(self._room.recorder, LISTENED)
        finally:
            self._listening = False
        armed = [channel for channel in self._session.state.tracks if channel <= len(heard)]
        if not armed:
            raise VocalError(_("The input gives no sound; is it plugged in?"))
        found = verdicts([heard[channel - 1] for channel in armed])
        for channel, verdict in zip(armed, found, strict=True):
            await asyncio.to_thread(self._session.level, channel, verdict.kind.value, verdict.words)

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _say(self, sentence: str) -> None:
        if sentence not in self._said[-SENTENCES:]:
            self._said.append(sentence)

    def _count(self) -> None:
        if self._session.state is not self._seen:
            self._seen = self._session.state
            self._version += 1

    async def _hear(self) -> None:
        async with self._room.messages() as messages:
            async for message in messages:
                self._heard_at = time.monotonic()
                self._take_in(message)

    def _take_in(self, message: AnyMessage) -> None:
        match message:
            case Levels():
                if self._ear is None or self._levels is None or len(message.peak) != len(self._levels.peak):
                    self._ear = Ear(len(message.peak))
                self._levels = message
                self._ear.take(message)
            case Dropout():
                state = self._room.recorder.state
                rate = state.rate if state else self._session.state.rate
                self._dropouts.append(
                    {"number": message.number, "seconds": message.frame / rate, "lost": message.frames / rate}
                )
            case TakeStarted():
                self._dropouts.clear()
                self._said.clear()
            case TakeEnded(ended=ended) if ended not in ("stopped", "whole"):
                self._say(ended)
            case RecorderState(detail=detail) if detail:
                self._say(detail)

    async def _look_again(self) -> None:
        """Once a second: what others wrote into the session, and what the meters mean."""
        while True:
            with contextlib.suppress(StudioError):
                await asyncio.to_thread(self._session.refresh)
            if self._ear is not None:
                heard = await asyncio.to_thread(self._ear.heard)
                armed = [channel for channel in self._session.state.tracks if channel <= len(heard)]
                found = verdicts([heard[channel - 1] for channel in armed])
                self._verdicts = {
                    channel: {"kind": one.kind.value, "words": one.words}
                    for channel, one in zip(armed, found, strict=True)
                }
            await asyncio.sleep(1)

    def _singers(self, singers: tuple[str, ...]) -> list[dict[str, Any]]:
        known = self._session.state.singers
        return [{"name": known[one].name, "consent": _consent(known[one])} for one in singers if one in known]

    def _take(self, take: Take) -> dict[str, Any]:
        song = self._session.state.songs.get(take.song)
        return {
            "number": take.number,
            "song": song.title if song else take.song,
            "seconds": take.seconds,
            "keeper": take.keeper,
            "stars": take.stars,
            "ended": None if take.ended is None else "" if take.well else take.ended,
            "lost": take.lost / take.rate,
            "absent": [track.name for track in take.absent],
            "tracks": [track.name for track in take.tracks],
            "comments": [{"seconds": one.seconds, "text": one.text} for one in take.comments],
        }

    def _file(self, number: int) -> tuple[Take, Path]:
        take = self._session.state.takes.get(number)
        path = file_of(self._session.folder, take) if take else None
        if take is None or path is None or take.ended is None:
            raise VocalError(_("Take {number} has no sound to be heard yet.").format(number=number))
        return take, path


def _consent(singer: Singer) -> str:
    if isinstance(singer.consent, Until):
        return singer.consent.until.isoformat()
    return singer.consent or ("missing" if singer.child else "")


def _head(frames: int, rate: int) -> bytes:
    """RIFF WAVE, mono, 16 bits: Multimedia Programming Interface and Data Specifications 1.0, chapter 3."""
    size = min(2 * frames, 0xFFFFFFFF - HEAD)
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    return b"RIFF" + struct.pack("<I", size + HEAD - 8) + b"WAVEfmt " + form + b"data" + struct.pack("<I", size)
