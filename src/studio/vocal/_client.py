"""The recorder as those see it who tell it what to do: a child process that is kept alive, and what it says."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from studio import bridge
from studio.errors import VocalError
from studio.events import (
    AnyMessage,
    Finish,
    FollowPitch,
    RecorderState,
    StartTake,
    StopTake,
    TakeEnded,
    TakeStarted,
)
from studio.language import _
from studio.supervise import Child, Supervisor
from studio.vocal._mend import recorded_now
from studio.vocal._plan import REFUSED, RecorderPlan, command

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

LONGEST_SOCKET = 107
"""Bytes that the path of a Unix socket may have; the kernel's limit is 108 (unix(7), `sun_path`)."""
PATIENCE = 20.0
"""Seconds in which a recorder has to answer after it was started."""
CALL = 0.05
"""Seconds between two calls."""
OTHERS = 10.0
"""Seconds in which whoever runs a recorder that is gone may start it again."""
FIRST = 2.0
"""Seconds in which somebody else's recorder, which has the session, has to answer."""
GRACE = 15.0
"""Seconds that a recorder may take to close a take and leave."""
ALONE = {"OPENBLAS_NUM_THREADS": "1"}
"""The thread that hears solves small systems; threads that help it would make it wait on a busy machine."""
_MOST_WAITING = 5000


def socket_of(session: Path) -> Path:
    """Return where the recorder of a session answers; a path that is too long is made in the temporary folder."""
    line = session / "recorder.sock"
    if len(bytes(line)) <= LONGEST_SOCKET:
        return line
    name = hashlib.sha256(bytes(session.absolute())).hexdigest()[:16]
    elsewhere = Path(tempfile.gettempdir()) / f"studio-{os.getuid()}-{name}"
    elsewhere.mkdir(mode=0o700, exist_ok=True)
    if elsewhere.stat().st_uid != os.getuid():
        raise VocalError(_("{folder} belongs to somebody else; choose a shorter path.").format(folder=elsewhere))
    return elsewhere / "recorder.sock"


class Recorder:
    """The recorder of one session; open it with `async with Recorder(plan) as recorder`.

    A recorder that already runs for the session is talked to. One that dies is started again; the take that it was
    recording then ends with what is on the disk, and `messages` tells it.
    """

    def __init__(self, plan: RecorderPlan, *, log: Path | None = None, env: Mapping[str, str] | None = None) -> None:
        """`log`: where the process writes, by default `recorder.log` in the session's folder."""
        self.plan = plan
        self.state: RecorderState | None = None
        """As it was told last; `None` while nobody answers."""
        self.take: int | None = None
        """Number of the take that is being recorded."""
        self._asked: int | None = None
        """Number of the take that was asked for and has not begun."""
        self._log = log or plan.folder / "recorder.log"
        self._env = dict(env or {})
        self._line: bridge.Line | None = None
        self._boxes: set[bridge.Mailbox[AnyMessage | None]] = set()
        self._supervisor: Supervisor | None = None
        self._followed: FollowPitch | None = None
        """Which microphone was chosen last; a recorder that is started again is told."""
        self._new = False
        """Whether nothing was heard yet of the one that answers."""
        self._there = asyncio.Event()
        self._why = ""

    async def __aenter__(self) -> Self:
        """Start it and wait until it answers. Raises VocalError where it refuses, and says why."""
        self._task = asyncio.create_task(self._keep())
        ready = asyncio.create_task(self._there.wait())
        try:
            await asyncio.wait({ready, self._task}, timeout=PATIENCE, return_when="FIRST_COMPLETED")
        finally:
            ready.cancel()
        if not self._there.is_set():
            await self._stop()
            raise VocalError(self._why or _("The recorder does not answer; its log is {log}.").format(log=self._log))
        return self

    async def __aexit__(self, *_problem: object) -> None:
        """Let it close the take and leave; one that somebody else started stays."""
        await self._stop()

    @property
    def pid(self) -> int | None:
        """The process; `None` while it does not run, or where it was started by somebody else."""
        return self._supervisor.pid if self._supervisor else None

    def send(self, message: AnyMessage) -> None:
        """Say something to it. Raises VocalError while nobody answers."""
        if self._line is None:
            raise VocalError(self._why or _("The recorder is being started again; try in a moment."))
        self._line.send(message)
        if isinstance(message, FollowPitch):
            self._followed = message

    async def start_take(self, wish: StartTake) -> TakeStarted:
        """Record; return when the first sample is written. Raises VocalError where it is refused, and says why.

        Cancelling it stops the take.
        """
        async with self.messages() as messages:
            try:
                await self._back_on_line()
                self.send(wish)
                self._asked = wish.number
                async for message in messages:
                    if isinstance(message, TakeStarted) and message.number == wish.number:
                        return message
                    if isinstance(message, TakeEnded) and message.number == wish.number:
                        raise VocalError(message.ended)
            except asyncio.CancelledError:
                with contextlib.suppress(VocalError):
                    self.send(StopTake())
                raise
        raise VocalError(self._why or _("The recorder has ended; its log is {log}.").format(log=self._log))

    async def _back_on_line(self) -> None:
        """Wait for a recorder that is being started again."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self._line is None and not self._task.done():  # noqa: ASYNC110 - a line has no event of its own
                    await asyncio.sleep(CALL)

    async def stop(self) -> TakeEnded | None:
        """End the take, and return what came of it; `None` where there is none."""
        if self.take is None and self._asked is None:
            return None
        async with self.messages() as messages:
            with contextlib.suppress(VocalError):  # whoever died tells of the take when it is back
                self.send(StopTake())
            async for message in messages:
                if isinstance(message, TakeEnded) and (message.ended != "whole" or self.take is None):
                    return message
        return None

    @contextlib.asynccontextmanager
    async def messages(self) -> AsyncIterator[AsyncIterator[AnyMessage]]:
        """Hear all that it says from now on, until it is gone for good."""
        box: bridge.Mailbox[AnyMessage | None] = bridge.Mailbox(_MOST_WAITING)

        async def each() -> AsyncIterator[AnyMessage]:
            while (message := await box.get()) is not None:
                yield message

        self._boxes.add(box)
        if self._task.done():
            box.put(None)
        try:
            yield each()
        finally:
            self._boxes.discard(box)

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _keep(self) -> None:
        """Listen to the recorder that runs, or to one of our own that we keep alive, until it is done."""
        try:
            while True:
                while await self._call():  # somebody else's; whoever runs it starts it again, or nobody does
                    await self._somebody(OTHERS)
                refused = await self._run_own() == REFUSED
                if not (refused and recorded_now(self.plan.folder) and await self._somebody(FIRST)):
                    return
        finally:
            for box in self._boxes:
                box.put(None)

    async def _somebody(self, within: float) -> bool:
        """Wait until a recorder is there to be called."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while True:
                    try:
                        line = await bridge.Line.call(self.plan.socket)
                    except OSError:
                        await asyncio.sleep(CALL)
                    else:
                        await line.close()
                        return True
        return False

    async def _run_own(self) -> int:
        supervisor = self._supervisor = Supervisor(self._child())
        child = asyncio.create_task(supervisor.run())
        try:
            await self._listen_to(child)
        finally:
            await supervisor.stop()
            code = await child
            self._supervisor = None
        return code

    def _child(self) -> Child:
        return Child(
            "recorder", command(), stdin=self.plan.to_json, env={**ALONE, **self._env}, log=self._log,
            grace=GRACE, final=lambda code: code in (0, REFUSED),
        )  # fmt: skip

    async def _listen_to(self, child: asyncio.Task[int]) -> None:
        while not child.done():
            await self._call()
            await asyncio.wait({child}, timeout=CALL)
        if child.result() == REFUSED:
            self._why = _last_line(self._log)

    async def _call(self) -> bool:
        """Call, and take what is said until the line drops; return whether anybody answered."""
        try:
            line = await bridge.Line.call(self.plan.socket)
        except OSError:
            return False
        self._line, self._new = line, True
        if self._followed is not None:
            line.send(self._followed)
        try:
            async for message in line:
                self._take_in(message)
        finally:
            self._line, self.state = None, None
            await line.close()
        return True

    def _take_in(self, message: AnyMessage) -> None:
        match message:
            case RecorderState():
                self.state = message
                self.take = message.take if self.take is None and self._asked is None else self.take
            case TakeStarted(number=number):
                self.take, self._asked = number, None
            case TakeEnded(number=number):
                self.take = None if number == self.take else self.take
                self._asked = None if number == self._asked else self._asked
        self._tell(message)
        if not isinstance(message, RecorderState):
            return
        self._there.set()
        lost = self.take if self.take is not None else self._asked
        if self._new and lost is not None and message.take != lost:  # it died before there was a file
            self.take = self._asked = None
            self._tell(TakeEnded(lost, 0, _("The recorder ended before the take began; start it again.")))
        self._new = False

    def _tell(self, message: AnyMessage) -> None:
        for box in self._boxes:
            box.put(message)

    async def _stop(self) -> None:
        supervisor = self._supervisor
        if supervisor is not None:  # somebody else's goes on
            if self._line is not None:
                self._line.send(Finish())
                await asyncio.wait({self._task}, timeout=GRACE)
            await supervisor.stop()
        self._task.cancel()
        await asyncio.wait({self._task})


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""
