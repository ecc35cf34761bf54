"""The vocal room: a session and its recorder, open together; what the recorder tells is noted in the session."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from studio.errors import StudioError, VocalError
from studio.events import ArmedTrack, Backing, Click, RecorderState, StartTake, Stretch, TakeEnded, TakeStarted, Trouble
from studio.language import _, spoken
from studio.vocal import Device, Recorder, RecorderPlan, Span, socket_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from studio.events import AnyMessage
    from studio.vocal import Session, Song, Take, TakeForm

WHOLE = "whole"
"""How each pass of a loop ends that another one follows."""


@dataclass(frozen=True, slots=True)
class TakeWish:
    """A take as somebody asks for it."""

    song: str = ""
    """Its `id`; empty: the one that is sung now."""
    seconds: float | None = None
    """`None`: until it is stopped."""
    punch: Span | None = None
    loop: Span | None = None
    lead: float = 4.0
    """Seconds that are heard before `punch` or `loop`."""
    backing: bool = True
    """Whether the song's backing is played, where it has one."""
    click: bool = False
    """Whether the metronome goes on while they sing."""
    count_in: int = 0
    """Bars before the take."""

    def plays(self, song: Song | None) -> bool:
        """Whether anything is to be heard with it."""
        return bool((song and song.backing and self.backing) or self.click or self.count_in)


class VocalRoom:
    """Use `async with`: the recorder runs from then on, and its meters are heard. One take at a time."""

    def __init__(
        self,
        session: Session,
        say: Callable[[str], None],
        *,
        device: Device | None = None,
        form: TakeForm = "wav",
    ) -> None:
        """`device`, by default that of the session, is recorded from; `say` is told what went wrong, in sentences."""
        self.session = session
        chosen = device or session.state.device or Device()
        self.recorder = Recorder(
            RecorderPlan(
                folder=session.folder,
                socket=socket_of(session.folder),
                device=chosen.input,
                rate=session.state.rate,
                channels=chosen.channels,
                form=form,
                output=chosen.output,
                session=session.state.name,
                interface=spoken(),
            )
        )
        self._say = say
        self._like: Take | None = None
        self._refused = ""
        self._over = asyncio.Event()
        self._over.set()

    async def __aenter__(self) -> Self:
        """Start the recorder, or join the one that runs. Raises VocalError where there is no input, and says why."""
        await self.recorder.__aenter__()
        listening = asyncio.Event()
        self._task = asyncio.create_task(self._note_all(listening))
        await listening.wait()
        return self

    async def __aexit__(self, *_problem: object) -> None:
        """Close the take, note it, and let the recorder go."""
        await self.recorder.__aexit__(None, None, None)
        await self._task
        if self._like is not None:
            with contextlib.suppress(StudioError):
                await asyncio.to_thread(self.session.mend)

    @contextlib.asynccontextmanager
    async def messages(self) -> AsyncIterator[AsyncIterator[AnyMessage]]:
        """Hear all that the recorder says."""
        async with self.recorder.messages() as messages:
            yield messages

    async def record(self, wish: TakeWish) -> Take:
        """Record; return when the first sample is written. Raises VocalError where that cannot be, and says why."""
        state = self.recorder.state
        if (running := self.recorder.take or (state.take if state else None)) is not None:
            raise VocalError(_("Take {number} is being recorded; `studio vocal stop` ends it.").format(number=running))
        song = self._song(wish)
        backing = song.backing if song and wish.backing else ""
        take = await asyncio.to_thread(
            self.session.begin, song=song.id if song else "", punch=wish.punch, loop=wish.loop, backing=backing
        )
        self._like = take
        self._over.clear()
        try:
            await self.recorder.start_take(self._asked(take, song, wish))
        except StudioError as problem:
            await asyncio.to_thread(self.session.ended, TakeEnded(take.number, 0, str(problem)))
            self._over.set()
            raise
        return take

    async def stop(self) -> list[Take]:
        """End the take, whoever began it; return it, and all passes of a loop that was begun here."""
        state = self.recorder.state
        if self.recorder.take is None and state is not None:
            self.recorder.take = state.take
        ended = await self.recorder.stop()
        if ended is None:
            return []
        take = await asyncio.to_thread(self.session.ended, ended)
        return await self.over() or ([take] if take else [])

    async def over(self) -> list[Take]:
        """Wait until the take that was asked for last has ended and is noted; return it, and all passes of a loop."""
        await self._over.wait()
        first = self._like.number if self._like else 0
        return [take for take in self.session.state.takes.values() if first and take.number >= first]

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _song(self, wish: TakeWish) -> Song | None:
        state = self.session.state
        song = state.songs.get(wish.song or state.song)
        if (wish.click or wish.count_in) and not (song and song.tempo):
            raise VocalError(_("The song has no tempo for a click; `studio vocal song TITLE --tempo 96` gives it one."))
        if (wish.punch or wish.loop) and not wish.plays(song):
            raise VocalError(
                _("Nothing is heard that tells where in the song that is; give the song a backing, or a click.")
            )
        return song

    def _asked(self, take: Take, song: Song | None, wish: TakeWish) -> StartTake:
        singers = self.session.state.singers
        click = wish.click or wish.count_in
        return StartTake(
            number=take.number,
            tracks=tuple(
                ArmedTrack(track.channel, track.name, ", ".join(singers[one].name for one in track.singers))
                for track in take.tracks
            ),
            song=song.title if song else "",
            backing=Backing(str(self.session.folder / take.backing)) if take.backing else None,
            click=Click(song.tempo, song.beats, wish.count_in, through=wish.click)
            if click and song and song.tempo
            else None,
            punch=_stretch(wish.punch),
            loop=_stretch(wish.loop),
            lead=wish.lead,
            seconds=wish.seconds,
        )

    async def _note_all(self, listening: asyncio.Event) -> None:
        async with self.recorder.messages() as messages:
            listening.set()
            async for message in messages:
                try:
                    await self._note(message)
                except StudioError as problem:  # the take goes on, and is noted when the session is opened again
                    self._say(str(problem))
        self._over.set()

    async def _note(self, message: AnyMessage) -> None:
        session = self.session
        match message:
            case TakeStarted() if self._like is not None:
                await asyncio.to_thread(session.started, message, self._like)
            case TakeEnded():
                self._refused = "" if message.frames else message.ended
                try:
                    await asyncio.to_thread(session.ended, message)
                finally:
                    like = self._like
                    if like and message.number >= like.number and (like.loop is None or message.ended != WHOLE):
                        self._over.set()
            case RecorderState(latency=float() as frames):
                known = session.state.latency
                if known is None or known.frames != frames:
                    await asyncio.to_thread(session.measured, frames, message.spread or 0.0)
            case Trouble() if message.sentence != self._refused:  # that one is raised
                self._say(message.sentence)


def _stretch(span: Span | None) -> Stretch | None:
    return Stretch(span.start, span.end) if span else None
