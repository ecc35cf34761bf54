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
from studio.app._vocal_assist import VocalAssist
from studio.app._vocal_leaving import VocalLeaving
from studio.app._vocal_trace import VocalTrace
from studio.catalogue import Catalogue
from studio.errors import StudioError, VocalError
from studio.events import Dropout, Levels, RecorderState, TakeEnded, TakeStarted
from studio.language import _, spoken
from studio.vocal import VOICES, Delivery, Ear, Span, Until, file_of, verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from studio.app._vocal_desk import VocalDesk
    from studio.events import AnyMessage
    from studio.media import DeliveryForm
    from studio.units import Decibels
    from studio.vocal import Device, Session, Singer, Take, TakeForm

SILENT = 3.0
"""Seconds without a word after which the recorder counts as gone: it says how it is each second."""
UNSEEN = 5.0
"""Seconds after which nobody looks any more."""
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

    def __init__(
        self,
        session: Session,
        *,
        device: Device | None = None,
        form: TakeForm = "wav",
        desk: VocalDesk | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        """`device`, by default that of the session, is recorded from; `desk` is the one that the singers hear.

        `catalogue` has the presets of exports, by default those that came with the program.
        """
        self._session = session
        self._room = VocalRoom(session, self._say, device=device, form=form)
        self._assist = VocalAssist(session, self._room.recorder, desk)
        self._trace = VocalTrace(session, self._room.recorder)
        self._leaving = VocalLeaving(session, catalogue or Catalogue())
        self._has_desk = desk is not None
        self._buses: dict[int, str] = {}
        self._looked_at = 0.0
        self._said: list[str] = list(session.said)
        self._dropouts: list[dict[str, Any]] = []
        self._levels: Levels | None = None
        self._ear: Ear | None = None
        self._verdicts: dict[int, dict[str, str]] = {}
        self._heard_at = time.monotonic()
        self._asking = False
        self._seen = session.state
        self._version = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._peaks: dict[tuple[int, int], list[float]] = {}

    async def __aenter__(self) -> Self:
        """Start the recorder. Raises VocalError where there is no input, and says why."""
        self._buses = await self._assist.buses()
        await self._room.__aenter__()
        self._tasks = [asyncio.create_task(self._hear()), asyncio.create_task(self._look_again())]
        return self

    async def __aexit__(self, *_problem: object) -> None:
        """Close the take and let the recorder go."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._trace.close()
        await self._leaving.close()
        await self._room.__aexit__(None, None, None)

    @property
    def interface(self) -> str:
        """The language that the page speaks until somebody chooses."""
        return spoken()

    # ── what is so ────────────────────────────────────────────────────────────────────────────────────────────────────

    def now(self) -> dict[str, Any]:
        """What the recorder says at this moment; `version` changes whenever `session` does."""
        self._count()
        self._looked_at = time.monotonic()
        state = self._room.recorder.state
        there = state is not None and time.monotonic() - self._heard_at < SILENT
        levels = self._levels if there else None
        return {
            "recorder": state if there else None,
            "asking": self._asking,
            "listening": self._assist.listening,
            "gains": self._assist.proposals,
            "pitch": self._trace.now() if there else None,
            "export": self._leaving.now(),
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
            "folder": str(self._session.folder),
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
            "comps": [
                {"number": comp.number, "title": comp.title, "song": self._title(comp.song)}
                for comp in state.comps.values()
            ],
            "presets": self._leaving.presets,
            "voices": list(VOICES),
            "desk": self._has_desk,
            "buses": self._buses,
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

    async def press(
        self,
        *,
        backing: bool = True,
        click: bool = False,
        count_in: int = 0,
        punch: tuple[float, float] | None = None,
        loop: tuple[float, float] | None = None,
    ) -> None:
        """The big button: begin a take, or end the one that runs or is about to. Raises VocalError."""
        if self._recording:
            await self.stop()
        else:
            await self.record(backing=backing, click=click, count_in=count_in, punch=punch, loop=loop)

    async def record(
        self,
        *,
        backing: bool = True,
        click: bool = False,
        count_in: int = 0,
        punch: tuple[float, float] | None = None,
        loop: tuple[float, float] | None = None,
    ) -> None:
        """Begin a take of the song that is sung now; return when its first sample is written. Raises VocalError.

        `punch`: only from that second of the song to that one; `loop`: the same over and over.
        """
        if self._asking:
            raise VocalError(_("A take is about to begin; wait for it, or stop it."))
        wish = TakeWish(backing=backing, click=click, count_in=count_in, punch=_span(punch), loop=_span(loop))
        self._asking = True
        try:
            await asyncio.to_thread(self._session.refresh)
            await self._room.record(wish)
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
        await self._assist.level()

    async def set_gains(self) -> None:
        """Have the desk do what the level assistant proposed, while the group sings. Raises VocalError."""
        await self._assist.set_gains()

    async def sends(self, bus: int) -> dict[str, Decibels | None]:
        """What the desk reports of a singer's mix. Raises VocalError."""
        return await self._assist.sends(bus)

    async def send(self, bus: int, source: str, level: Decibels | None) -> None:
        """Send a source so loud to a singer's mix; `None`: not at all. Raises VocalError."""
        await self._assist.send(bus, source, level)

    async def follow(self, channel: int | None, voice: str = "") -> None:
        """Trace the pitch of that channel; `None`: of none. Raises VocalError."""
        self._trace.follow(channel, voice)

    async def export(
        self,
        *,
        takes: tuple[int, ...] = (),
        comps: tuple[int, ...] = (),
        preset: str = "plain",
        loudness: float = -14.0,
        forms: tuple[DeliveryForm, ...] = ("wav",),
    ) -> None:
        """Begin to write takes and comps, without any the keepers, into `exports` of the session; `now` tells the rest.

        Raises StudioError: a take is being recorded, another export runs, somebody has not given consent.
        """
        if self._recording:
            raise VocalError(_("A take is being recorded; export when it is over."))
        await asyncio.to_thread(self._session.refresh)
        await self._leaving.begin(
            Delivery(takes=takes, comps=comps, preset_name=preset, loudness=loudness, forms=tuple(dict.fromkeys(forms)))
        )

    def exported(self, file: str) -> Path:
        """Where a file is that was exported, by its name in the session. Raises VocalError where it is gone."""
        return self._leaving.file(file)

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _recording(self) -> bool:
        state = self._room.recorder.state
        return self._asking or (state is not None and state.take is not None)

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
        self._trace.take_in(message)
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
            self._trace.look(seen=time.monotonic() - self._looked_at < UNSEEN)
            await asyncio.sleep(1)

    def _singers(self, singers: tuple[str, ...]) -> list[dict[str, Any]]:
        known = self._session.state.singers
        return [{"name": known[one].name, "consent": _consent(known[one])} for one in singers if one in known]

    def _title(self, song: str) -> str:
        known = self._session.state.songs.get(song)
        return known.title if known else song

    def _take(self, take: Take) -> dict[str, Any]:
        return {
            "number": take.number,
            "song": self._title(take.song),
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


def _span(part: tuple[float, float] | None) -> Span | None:
    """Raises VocalError for a part that ends before it begins."""
    if part is None:
        return None
    if not part[0] < part[1]:
        raise VocalError(_("A part of a song has to end after it begins."))
    return Span(*part)


def _consent(singer: Singer) -> str:
    if isinstance(singer.consent, Until):
        return singer.consent.until.isoformat()
    return singer.consent or ("missing" if singer.child else "")


def _head(frames: int, rate: int) -> bytes:
    """RIFF WAVE, mono, 16 bits: Multimedia Programming Interface and Data Specifications 1.0, chapter 3."""
    size = min(2 * frames, 0xFFFFFFFF - HEAD)
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    return b"RIFF" + struct.pack("<I", size + HEAD - 8) + b"WAVEfmt " + form + b"data" + struct.pack("<I", size)
