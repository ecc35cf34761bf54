"""The driver of OBS: what OBS shall hold, where it shall stream to, and which scene it shows."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from studio.devices._ground.device import Device, Outcome
from studio.devices._ground.known import ATTEND
from studio.devices._obs.board import Board
from studio.devices._obs.build import Memory, build, prepare, said
from studio.devices._obs.errors import NO_SUCH_THING, ObsDeniedError, ObsLostError, ObsRefusedError, absent
from studio.devices._obs.rows import PEAK
from studio.devices._obs.stream import Stream
from studio.devices._obs.text import Text
from studio.errors import DeviceError
from studio.events import SceneTaken
from studio.language import _
from studio.wire.obs_plan import path

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from collections.abc import Collection as Some

    from studio.bus import Bus
    from studio.devices._ground.device import Property
    from studio.devices._ground.values import Action, Control, Value
    from studio.devices._obs.session import Session
    from studio.wire.obs import Collection
    from studio.wire.obs_plan import Plan

logger = logging.getLogger(__name__)

RETRY = 0.5
"""Seconds between two calls at an OBS that is not there; each costs one refused connection."""
RETRY_REFUSED = 5.0
"""Seconds between two tries of a password that was refused: it may be mended in OBS meanwhile."""
PROBE = 1.0
"""Seconds between two probes."""
TAKE_DEADLINE = 2.0
"""Seconds in which OBS has to report the scene it was asked for; it takes 5 ms, under load 200."""
FADE = 20.0
"""Seconds that a transition may take, as long as OBS lets one; the end of one that is broken off is not told."""
LOOK_PAUSE = 0.1
"""Seconds between two looks at least: a source that is dragged in OBS tells it sixty times a second."""
LOOK_AGAIN = 0.25
"""Seconds after which a take that OBS did not report is looked up."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was brought to OBS, but for what somebody changed by hand in it since the last time."""

    name: str
    """The device's."""
    sentences: tuple[str, ...]
    """For the user, each of one thing."""


class Obs(Device):
    """One OBS, found by its WebSocket (protocol 5, OBS 28 and later).

    What is wished for (`apply`, `stream_to`, the scene last seen) is remembered: whenever OBS comes back it is asked
    everything anew and brought to it again. All methods belong to the loop's thread.
    """

    def __init__(self, host: str, port: int, password: str, bus: Bus, name: str = "obs") -> None:
        """Connect to nobody yet; `run` does. An empty `password` is none."""
        super().__init__(name, bus)
        self.host = host
        self.port = port
        self.scenes: tuple[str, ...] = ()
        """All scenes of OBS, in its own order; those last known while the link is down."""
        self.scene: str | None = None
        """The programme scene as OBS last reported it."""
        self.missing = False
        """Whether its machine said, when OBS was called last, that nobody listens there."""
        self.fps: float | None = None
        """Frames a second OBS makes, as it last reported."""
        self._password = password
        self._session: Session | None = None
        self._collection: Collection | None = None
        self._memory = Memory()
        self._kept: tuple[str, ...] = ()
        self._building = asyncio.Lock()
        self._stream = Stream()
        self._text = Text()
        self._board = Board(name, self.link, bus)
        self._wake = asyncio.Event()
        self._stale = False
        self._built = ""
        self._takes = 0
        self._fades_since: float | None = None
        self._frames = 0

    def __repr__(self) -> str:
        return f"<Obs {self.host}:{self.port} {self.link.state}>"

    @property
    def streaming(self) -> bool:
        """Whether OBS reports that its stream reaches a server."""
        return self.link.up and self._stream.output == "started"

    @property
    def fading(self) -> bool:
        """Whether viewers may see the scene before, too: a transition began and OBS did not report its end."""
        since = self._fades_since
        return since is not None and asyncio.get_running_loop().time() - since < FADE

    async def plan(self, collection: Collection, take_back: Some[str] = ()) -> Plan:
        """Return what `apply` would do and keep. DeviceError while OBS is not there."""
        if (session := self._session) is None:
            raise DeviceError(self.link.detail or _("OBS is not connected yet."))
        try:
            return await prepare(session.request, collection, self._memory, take_back=take_back, ours=self._ours())
        except ObsLostError as lost:
            raise DeviceError(absent(self.host, self.port)) from lost

    async def apply(self, collection: Collection, take_back: Some[str] = ()) -> Plan | None:
        """Make OBS hold `collection`, now and whenever it comes back; return what was done, and kept.

        What others made stays untouched, and so does what somebody changed by hand since it was applied last, which is
        published as `Kept`; but for the scenes and sources in `take_back`. `None` at once while OBS is not there.
        Raises DeviceError where OBS will not have it.
        """
        self._collection = collection
        done = None
        if session := self._session:
            with contextlib.suppress(ObsLostError):  # the next epoch builds it
                done = await self._build(session, take_back)
                self._built = ""
                await self._learn_scenes(session)
                await self._board.relist(session.request)
        return done

    async def stream_to(self, server: str, key: str) -> None:
        """Have OBS stream to `server` (`rtmp://…`, without the key), now and whenever it comes back or stops unasked.

        Returns once OBS was told; see `streaming`. Raises DeviceError where OBS is on the air to where nobody here
        told it to go: that is somebody's broadcast.
        """
        self._stream.aim_at(server, key)
        if session := self._session:
            with contextlib.suppress(ObsLostError):  # the next epoch starts it
                await self._stream.keep(session.request)

    async def stop_streaming(self) -> None:
        """Have OBS end the stream that `stream_to` asked for; a stream to elsewhere goes on."""
        if session := self._session:
            with contextlib.suppress(ObsLostError):
                await self._stream.end(session.request)
        self._stream.destination = None

    def set_text(self, source: str, text: str, done: Callable[[str], None]) -> None:
        """Have the text source `source` show `text` soon, and again whenever OBS comes back; never waits.

        What is wished meanwhile replaces what OBS was not told yet. `done` hears that OBS took it (an empty string) or
        why it would not (a sentence), and nothing while OBS is not there.
        """
        self._text.wish(source, text, done)

    async def take(self, scene: str) -> Outcome:
        """Put `scene` on the programme; confirmed only by OBS's own report of it."""
        session = self._session
        if session is None:
            return Outcome("refused", self.link.detail or _("OBS is not connected yet."))
        self._takes += 1
        mine = self._takes
        try:
            async with asyncio.timeout(TAKE_DEADLINE):
                await session.request("SetCurrentProgramScene", sceneName=scene)
                while mine == self._takes and self.scene != scene:
                    if not await self._board.known.news(LOOK_AGAIN):
                        answer = await session.request("GetCurrentProgramScene")
                        await self._on_scene(answer["currentProgramSceneName"])
        except ObsDeniedError as no:
            if no.code == NO_SUCH_THING:
                return Outcome("refused", _('OBS has no scene "{scene}".').format(scene=scene))
            return Outcome("refused", str(no))
        except (ObsLostError, TimeoutError):
            return Outcome("unconfirmed", _('OBS was asked for "{scene}" and did not report it.').format(scene=scene))
        if self.scene == scene:
            self._board.ours("scene", scene)
            return Outcome("confirmed")
        return Outcome("superseded", _('Another scene was asked for before "{scene}" was on.').format(scene=scene))

    # ── values and actions ────────────────────────────────────────────────────────────────────────────────────────────

    def controls(self) -> Mapping[str, Control]:
        """All that has a value: `scene`, `input.Mic.volume`, `item.Talk.Slides.visible`, `filter.Mic.Gate.enabled`."""
        return self._board.known.controls

    def actions(self) -> Mapping[str, Action]:
        """All that this OBS can do; while none was met, all that any can."""
        return self._board.actions()

    def get(self, control: str) -> Property:
        """What OBS said of `control`, by an event or when it was asked. ValueError for no such control.

        The levels of sound come while somebody reads them.
        """
        if control.endswith(f".{PEAK}"):
            self._board.known.attend()
        return self.peek(control)

    def peek(self, control: str) -> Property:
        """As `get`; levels of sound stay unasked."""
        return self._board.known.get(control)

    async def set(self, control: str, value: Value) -> Outcome:
        """Set `control`, confirmed by OBS's own word that it is so, within 2 s.

        ValueError for no such control, and for a value that it cannot take.
        """
        wanted = self._board.known.control(control).fit(value)
        if control == "scene":
            return await self.take(str(wanted))
        if (session := self._session) is None:
            return Outcome("refused", self.link.detail or _("OBS is not connected yet."))
        return await self._board.set(session.request, control, wanted)

    async def call(self, action: str, arguments: Mapping[str, Value] | None = None) -> Outcome:
        """Do `action`; confirmed by what OBS reports afterwards. ValueError for no such action, or wrong arguments."""
        if (session := self._session) is None:
            self._board.check(action, arguments)
            return Outcome("refused", self.link.detail or _("OBS is not connected yet."))
        if self._stream.destination and action == "stream.stop":
            return Outcome("refused", _("OBS streams to this show, which needs it until it ends."))
        return await self._board.call(session.request, action, arguments)

    async def screenshot(self, source: str = "", width: int = 320, kind: Literal["jpg", "png"] = "jpg") -> bytes:
        """Return a picture of a source or scene (empty: the programme) as OBS draws it now, `width` pixels wide.

        DeviceError with a sentence where there is none: no such source, nothing in it yet, or no OBS.
        """
        if (session := self._session) is None:
            raise DeviceError(self.link.detail or _("OBS is not connected yet."))
        try:
            answer = await session.request(
                "GetSourceScreenshot",
                sourceName=source or self.scene or "",
                imageFormat=kind,
                imageWidth=width,
                imageCompressionQuality=75 if kind == "jpg" else -1,
            )
        except ObsLostError as lost:
            raise DeviceError(absent(self.host, self.port)) from lost
        return base64.b64decode(answer["imageData"].partition(",")[2])

    # ── the link ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _serve(self) -> None:
        from studio.devices._obs.session import Session  # noqa: PLC0415 - loads obsws_python, only where there is an OBS

        self.link.to("connecting")
        while True:
            pause = RETRY
            try:
                await self._live(await Session.open(self.host, self.port, self._password))
            except ObsRefusedError as no:
                self.missing = False
                self.link.to("refused", str(no))
                pause = RETRY_REFUSED
            except ObsLostError as lost:
                self.missing = isinstance(lost.__cause__, ConnectionRefusedError)
                self.link.to("connecting", absent(self.host, self.port))
            except ObsDeniedError as no:  # of what every OBS can tell: it is just starting, or leaving
                self.link.to("connecting", str(no))
            await asyncio.sleep(pause)

    async def _live(self, session: Session) -> None:
        """One epoch: learn everything, say so, and watch until it ends with ObsLostError or ObsDeniedError."""
        self.link.new_epoch()
        self.missing = False
        ended: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear(session))
                tasks.create_task(self._meter(session))
                tasks.create_task(self._attend(session))
                await session.probe()
                await self._sync(session)
                tasks.create_task(self._text.keep(session.request))
                tasks.create_task(self._look(session))
                await self._watch(session)
        except* (ObsLostError, ObsDeniedError) as several:
            ended = several.exceptions[0]
        finally:
            self._session = self._fades_since = None
            self._stream.forget()
            await session.close()
        if ended:
            raise ended

    async def _sync(self, session: Session) -> None:
        """Learn all, bring OBS to what is wished, and say whether it would."""
        self._stale = False
        restarted = (await session.request("GetStats"))["renderTotalFrames"] < self._frames
        before = self.scene
        await self._measure(session)
        building = await _trouble(self._build(session, lost=restarted))
        scenes = (await session.request("GetSceneList"))["scenes"]
        if restarted and before in {scene["sceneName"] for scene in scenes}:
            # OBS remembers the scene of its last tidy end; the evening remembers the one that was on.
            await session.request("SetCurrentProgramScene", sceneName=before)
        await self._learn_scenes(session)
        streaming = await _trouble(self._stream.keep(session.request))
        await self._board.learn(session.request)
        self._session = session
        self._tell(building, streaming)

    async def _watch(self, session: Session) -> None:
        """Probe, measure and keep the stream, each second and whenever OBS tells something of weight."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PROBE):
                    await self._wake.wait()
            self._wake.clear()
            await session.probe()
            await self._measure(session)
            if self._stale:
                self._board.forget()  # another collection has sources of the same names
                await self._sync(session)
            self._tell(self._built, await _trouble(self._stream.keep(session.request)))

    def _tell(self, building: str, streaming: str) -> None:
        self._built = building
        trouble = building or streaming
        self.link.to("degraded" if trouble else "online", trouble)

    async def _hear(self, session: Session) -> None:
        while True:
            await self.take_in(*await session.next_event())

    async def take_in(self, name: str, data: Mapping[str, Any]) -> None:
        """Hear an event of OBS; one that means nothing changes nothing."""
        with _nonsense(name):
            await self._on_event(name, data)

    async def _on_event(self, name: str, data: Mapping[str, Any]) -> None:
        match name:
            case "CurrentProgramSceneChanged" if isinstance(data["sceneName"], str):
                await self._on_scene(data["sceneName"])
            case "SceneListChanged":
                self.scenes = tuple(scene["sceneName"] for scene in reversed(data["scenes"]))
            case "CurrentSceneCollectionChanged":
                self._stale = True
                self._wake.set()
            case "SceneTransitionStarted":
                self._fades_since = asyncio.get_running_loop().time()
            case "SceneTransitionEnded":
                self._fades_since = None
            case "StreamStateChanged":
                self._stream.on_event(data)
                self._wake.set()
        await self._board.on_event(name, data)

    async def _look(self, session: Session) -> None:
        """Keep up with what OBS only tells when it is asked, each second and whenever an event made it doubtful."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PROBE):
                    await self._board.doubt.wait()
            await self._board.refresh(session.request)
            await asyncio.sleep(LOOK_PAUSE)

    async def _meter(self, session: Session) -> None:
        while True:
            data = await session.meters.get()
            with _nonsense("InputVolumeMeters"):
                self._board.meters(data)

    async def _attend(self, session: Session) -> None:
        """Have OBS tell its meters, twenty times a second, while somebody wants them."""
        metering = False
        while True:
            if metering != self._board.known.attended:
                metering = not metering
                await session.meter(on=metering)
            await asyncio.sleep(ATTEND)

    async def _measure(self, session: Session) -> None:
        stats = await session.request("GetStats")
        self.fps = stats["activeFps"]
        self._frames = stats["renderTotalFrames"]
        self._stream.on_status(await session.request("GetStreamStatus"))

    async def _build(self, session: Session, take_back: Some[str] = (), *, lost: bool = False) -> Plan | None:
        async with self._building:
            if self._collection is None:
                return None
            done = await build(
                *(session.request, self._collection, self._memory), lost=lost, take_back=take_back, ours=self._ours()
            )
            logger.info("%s holds the scenes; %d things were made or set", self.name, len(done.todo))
            kept = tuple(dict.fromkeys(said(change) for change in done.kept))
            if kept and kept != self._kept:
                self.bus.publish(Kept(self.name, kept))
            self._kept = kept
            return done

    def _ours(self) -> tuple[tuple[str, str], ...]:
        """The text that follows what is said is changed by us, not by a hand."""
        return ((path("source", self._text.source), "text"),) if self._text.source else ()

    async def _learn_scenes(self, session: Session) -> None:
        answer = await session.request("GetSceneList")
        self.scenes = tuple(scene["sceneName"] for scene in reversed(answer["scenes"]))
        await self._on_scene(answer["currentProgramSceneName"])

    async def _on_scene(self, scene: str) -> None:
        if scene == self.scene:
            return
        self.scene = scene
        self.bus.publish(SceneTaken(scene))
        await self._board.known.told()


async def _trouble(work: Awaitable[object]) -> str:
    """Why OBS would not do `work`, or nothing where it did. A lost link is not OBS's word and goes through."""
    try:
        await work
    except ObsLostError:
        raise
    except DeviceError as no:
        return str(no)
    return ""


@contextlib.contextmanager
def _nonsense(event: str) -> Iterator[None]:
    """An event that OBS would not send, or of a version with other fields, changes nothing and ends nothing."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as problem:
        logger.debug("OBS told a %s that means nothing here: %r", event, problem)
