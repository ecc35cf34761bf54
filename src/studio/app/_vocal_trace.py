"""The pitch of one chosen microphone while it is sung, against the melody of the song."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from studio.app._behind import behind
from studio.errors import StudioError, VocalError
from studio.events import FollowPitch, PitchHeard, TakeEnded, TakeStarted
from studio.language import _
from studio.vocal import VOICES, melody_of, note_of, semitone_cents

if TYPE_CHECKING:
    from studio.events import AnyMessage
    from studio.vocal import Melody, Recorder, Session

KEPT = 40
"""Values that pages are told at a time: 0.6 s, so that one that comes late misses none."""
UNHEARD = 2.0
"""Seconds without a value after which the recorder is told again: it may be a new one."""


class VocalTrace:
    """Follows at most one microphone; where nobody looks it rests, for it costs a third of a core."""

    def __init__(self, session: Session, recorder: Recorder) -> None:
        """Call `take_in` with all that `recorder` says, and `look` once a second."""
        self._session = session
        self._recorder = recorder
        self._channel: int | None = None
        self._voice = ""
        self._asked: FollowPitch | None = None
        self._heard_at = 0.0
        self._values: deque[tuple[int, float | None, float | None]] = deque(maxlen=KEPT)
        self._song = ""
        self._key: tuple[object, ...] | None = None
        self._melody: Melody | None = None
        self._trouble = ""
        self._reading: asyncio.Task[None] | None = None
        self._runs: TakeStarted | None = None

    def follow(self, channel: int | None, voice: str = "") -> None:
        """Follow that armed channel, in which a voice of that kind sings; `None`: none. Raises VocalError."""
        if channel is not None and channel not in self._session.state.tracks:
            raise VocalError(_("Channel {channel} is not armed; choose one that is.").format(channel=channel))
        self._channel, self._voice = channel, voice
        self._values.clear()
        self.look(seen=True)

    def look(self, *, seen: bool) -> None:
        """Tell the recorder what to follow, and read the song's melody; `seen`: somebody has the page open."""
        wish = FollowPitch(None)
        if seen and self._channel is not None:
            wish = FollowPitch(self._channel, *VOICES.get(self._voice, ()))
            self._read()
        mute = wish.channel is not None and time.monotonic() - self._heard_at > UNHEARD
        if wish != (self._asked or FollowPitch(None)) or mute:
            with contextlib.suppress(StudioError):  # it is being started again, and told then
                self._recorder.send(wish)
                self._asked = wish

    def take_in(self, message: AnyMessage) -> None:
        """What the recorder says."""
        match message:
            case PitchHeard() if message.channel == self._channel:
                self._heard_at = time.monotonic()
                self._values.append(self._value(message))
            case TakeStarted():
                self._runs = message
            case TakeEnded():
                self._runs = None

    def now(self) -> dict[str, Any] | None:
        """The last values: frame, MIDI note, and cents above what is to be sung; `None` while none is followed."""
        if self._channel is None:
            return None
        melody = self._melody
        return {
            "channel": self._channel,
            "voice": self._voice,
            "melody": melody.name if melody else "",
            "against": melody is not None and self._second(0) is not None,
            "reading": self._reading is not None and not self._reading.done(),
            "trouble": self._trouble,
            "values": list(self._values),
        }

    async def close(self) -> None:
        """Read no more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _value(self, heard: PitchHeard) -> tuple[int, float | None, float | None]:
        if heard.hertz is None:
            return heard.frame, None, None
        second = self._second(heard.frame)
        if self._melody is None or second is None:
            cents: float | None = semitone_cents(heard.hertz)
        else:
            cents = self._melody.cents(heard.hertz, second)
        return heard.frame, round(note_of(heard.hertz), 2), None if cents is None else round(cents, 1)

    def _second(self, frame: int) -> float | None:
        """Of the song; `None` where nothing is played, so that nobody knows."""
        runs = self._runs
        if runs is None or runs.backing_offset is None:
            return None
        return runs.backing_offset + (frame - runs.first_frame) / runs.rate

    def _read(self) -> None:
        """Have the melody of the song read, where it is another one than before."""
        state, channel = self._session.state, self._channel
        song = state.songs.get(state.song)
        keepers = tuple(
            take.number for take in state.takes.values() if take.keeper and take.song == state.song and take.frames
        )
        track = state.tracks[channel].name if channel is not None and channel in state.tracks else ""
        key = (state.song, song.melody) if song and song.melody else (state.song, keepers[:1], track)
        if key == self._key or (self._reading is not None and not self._reading.done()):
            return
        self._key, self._melody, self._trouble = key, None, ""
        self._reading = asyncio.create_task(self._read_melody(state.song, track))

    async def _read_melody(self, song: str, track: str) -> None:
        try:
            self._melody = await behind("vocal: melody", lambda: melody_of(self._session, song, track))
        except StudioError as problem:
            self._trouble = str(problem)
