"""One supervisor for each child process: it starts it, starts it again when it dies, and ends it in the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

logger = logging.getLogger(__name__)

BACK_OFF = (0.1, 0.5, 1.0, 2.0)
"""Seconds before each new try; the last one for ever. The first is short: a child that ran well is back at once."""
RAN_WELL = 10.0
"""Seconds after which a child's next death starts the back-off from its beginning."""


@dataclass(slots=True)
class Child:
    """What to run, and how to know it."""

    name: str
    command: list[str]
    """The program and its arguments; no secrets, for anyone on the machine may read them."""
    stdin: bytes | Callable[[], bytes] = field(default=b"", repr=False)
    """Handed over on standard input at each start: the place for what must not stand in `command`. What may change
    from one start to the next is asked for each time."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to our own environment."""
    log: Path | None = None
    """Where its output is appended, or `None` for nowhere."""
    note: Path | None = None
    """Where its process is written down, so that whoever supervises it after a crash of ours can end an orphan of that
    name first; `None`: nowhere."""
    stop_signal: signal.Signals = signal.SIGTERM
    """What asks it to leave."""
    grace: float = 10.0
    """Seconds it may take to leave before it is killed."""
    final: Callable[[int], bool] = lambda code: code == 0
    """Whether an exit code means that it is done and shall not be started again."""


class Supervisor:
    """Keeps one child alive; `run()` it in a task group.

    A child leads a process group. Whatever of that group is still there when the child has ended is killed: the next
    life of the child shall not find its port taken by an orphan of the last one.
    """

    def __init__(self, child: Child, changed: Callable[[str, int | None], None] | None = None) -> None:
        """Tell `changed` of "running" (with the process number) and of "lost" or "done" (with the exit code)."""
        self.child = child
        self._changed = changed or (lambda _state, _number: None)
        self._process: asyncio.subprocess.Process | None = None
        self._leaving = asyncio.Event()
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """The child's process number, or `None` while it does not run."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def run(self) -> int:
        """Run the child until it is done or `stop`ped; return its last exit code. Cancelling ends the child too."""
        loop = asyncio.get_running_loop()
        if self.child.note:
            await _end_orphan(self.child.note, self.child.stop_signal, self.child.grace)
        tries = 0
        code = 0
        while not self._leaving.is_set():
            began = loop.time()
            try:
                code = await self._run_once()
            except OSError as problem:  # the program is not there, or not ours to run
                logger.warning("%s cannot be started: %s", self.child.name, problem)
                code = 127
            if self._leaving.is_set() or self.child.final(code):
                break
            tries = 0 if loop.time() - began > RAN_WELL else tries + 1
            self.restarts += 1
            logger.warning("%s ended with %s; starting it again", self.child.name, code)
            self._changed("lost", code)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), BACK_OFF[min(tries, len(BACK_OFF) - 1)])
        self._changed("done", code)
        return code

    async def stop(self) -> None:
        """Ask the child to leave, kill it after its grace; `run` then returns. Idempotent."""
        self._leaving.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(self.child.stop_signal)
        try:
            await asyncio.wait_for(process.wait(), self.child.grace)
        except TimeoutError:
            logger.warning("%s did not leave within %s s and was killed", self.child.name, self.child.grace)
            _kill_group(process.pid)
            await process.wait()

    async def _run_once(self) -> int:
        child = self.child
        given = child.stdin() if callable(child.stdin) else child.stdin
        log = child.log.open("ab") if child.log else None
        try:
            self._process = await asyncio.create_subprocess_exec(
                *child.command,
                stdin=asyncio.subprocess.PIPE if given else asyncio.subprocess.DEVNULL,
                stdout=log or asyncio.subprocess.DEVNULL,
                stderr=log or asyncio.subprocess.DEVNULL,
                env={**os.environ, **child.env},
                start_new_session=True,  # Ctrl-C in the terminal is for us; we end our children in order
            )
        finally:
            if log:
                log.close()
        process = self._process
        if child.note:
            child.note.write_text(f"{process.pid} {_born(process.pid)}")
        self._changed("running", process.pid)
        try:
            if self._leaving.is_set():  # asked to stop while it was being started: it has nothing to put in order
                _kill_group(process.pid)
            if given and process.stdin:
                with contextlib.suppress(OSError):
                    process.stdin.write(given)
                    await process.stdin.drain()
                    process.stdin.close()
            return await process.wait()
        finally:
            _kill_group(process.pid)
            await process.wait()


def _born(process: int) -> str:
    """When `process` began, as proc(5) counts it; empty where it is gone.

    A process number alone may be somebody else's by now.
    """
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


async def _end_orphan(note: Path, stop_signal: signal.Signals, grace: float) -> None:
    """End the child that a supervisor which died left behind, in order if it will."""
    try:
        number, born = note.read_text().split()
        orphan = int(number)
    except (OSError, ValueError):
        return
    if _born(orphan) != born:
        return
    logger.warning("process %s was left behind by a studio that died; it is asked to leave", orphan)
    with contextlib.suppress(ProcessLookupError):
        os.kill(orphan, stop_signal)
        deadline = asyncio.get_running_loop().time() + grace
        while _born(orphan) == born and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - not our child
            await asyncio.sleep(0.05)
        _kill_group(orphan)


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
