from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from studio.supervise import Child, Supervisor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def python(*lines: str) -> list[str]:
    return [sys.executable, "-c", "\n".join(lines)]


SLEEPER = python("import time", "time.sleep(600)")
DEAF = python(
    "import signal, time, sys",
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "sys.stdout.write('ready\\n'); sys.stdout.flush()",
    "time.sleep(600)",
)


class Watch:
    """What a supervisor told, and a way to wait for more."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int | None]] = []
        self._news = asyncio.Event()

    def __call__(self, state: str, number: int | None) -> None:
        self.told.append((state, number))
        self._news.set()

    async def until(self, state: str, times: int = 1) -> int:
        """Wait for the `times`-th report of `state`; return its number."""
        async with asyncio.timeout(60):
            while True:
                numbers = [number for told, number in self.told if told == state]
                if len(numbers) >= times:
                    number = numbers[times - 1]
                    assert number is not None
                    return number
                self._news.clear()
                await self._news.wait()


@contextlib.asynccontextmanager
async def kept(child: Child) -> AsyncIterator[tuple[Supervisor, Watch, asyncio.Task[int]]]:
    watch = Watch()
    supervisor = Supervisor(child, watch)
    running = asyncio.create_task(supervisor.run())
    try:
        yield supervisor, watch, running
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def written(file: Path, text: str) -> None:
    """Wait until `text` stands in `file`."""
    async with asyncio.timeout(60):
        while not (file.exists() and text in file.read_text()):  # noqa: ASYNC110 - a file wakes nobody
            await asyncio.sleep(0.01)


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def gone(process: int) -> None:
    """Wait until nobody runs under this number: an orphan is buried by whoever adopts it."""
    async with asyncio.timeout(60):
        while alive(process):  # noqa: ASYNC110 - it is not our child: nobody tells us
            await asyncio.sleep(0.01)


async def test_a_child_that_is_done_is_not_started_again() -> None:
    async with kept(Child("short", python("pass"))) as (supervisor, watch, running):
        assert await running == 0
        assert [state for state, _ in watch.told] == ["running", "done"]
        assert supervisor.restarts == 0
        assert supervisor.pid is None


async def test_a_child_that_dies_is_back() -> None:
    async with kept(Child("long", SLEEPER)) as (supervisor, watch, _running):
        first = await watch.until("running")
        assert supervisor.pid == first
        os.kill(first, signal.SIGKILL)
        assert await watch.until("lost") == -signal.SIGKILL
        second = await watch.until("running", 2)
        assert second != first
        assert supervisor.pid == second
        assert supervisor.restarts == 1


async def test_a_child_says_by_its_exit_code_that_it_is_done() -> None:
    child = Child("refuses", python("raise SystemExit(3)"), final=lambda code: code in (0, 3))
    async with kept(child) as (_supervisor, _watch, running):
        assert await running == 3


async def test_stop_asks_and_the_child_puts_things_in_order(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = Child(
        "orderly",
        python(
            "import signal, time",
            "def leave(*_): print('closing', flush=True); raise SystemExit(0)",
            "signal.signal(signal.SIGINT, leave)",
            "print('ready', flush=True)",
            "time.sleep(600)",
        ),
        log=log,
        stop_signal=signal.SIGINT,
    )
    async with kept(child) as (supervisor, watch, running):
        await written(log, "ready")
        await supervisor.stop()
        assert await running == 0
        assert "closing" in log.read_text()
        assert watch.told[-1] == ("done", 0)


async def test_who_does_not_leave_in_time_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with kept(Child("deaf", DEAF, log=log, grace=0.05)) as (supervisor, watch, running):
        await written(log, "ready")
        await supervisor.stop()
        assert await running == -signal.SIGKILL
        assert watch.told[-1] == ("done", -signal.SIGKILL)


async def test_stop_may_be_said_twice_and_before_the_start() -> None:
    watch = Watch()
    supervisor = Supervisor(Child("never", SLEEPER), watch)
    await supervisor.stop()
    await supervisor.stop()
    async with asyncio.timeout(60):
        await supervisor.run()
    assert [state for state, _ in watch.told] == ["done"]


async def test_stop_while_it_is_being_started_leaves_nobody_behind() -> None:
    async with kept(Child("hasty", SLEEPER)) as (supervisor, _watch, running):
        await asyncio.sleep(0)
        await supervisor.stop()
        async with asyncio.timeout(60):
            await running
        assert supervisor.pid is None


async def test_stop_between_two_lives_is_the_end() -> None:
    async with kept(Child("dies", python("raise SystemExit(1)"))) as (supervisor, watch, running):
        await watch.until("lost")
        await supervisor.stop()
        async with asyncio.timeout(60):
            assert await running == 1
        assert [state for state, _ in watch.told] == ["running", "lost", "done"]


async def test_a_program_that_is_not_there_is_tried_again_until_it_is(tmp_path: Path) -> None:
    program = tmp_path / "program"
    async with kept(Child("missing", [str(program)])) as (_supervisor, watch, running):
        assert await watch.until("lost") == 127
        program.write_text("#!/bin/sh\nexit 0\n")
        program.chmod(0o755)
        async with asyncio.timeout(60):
            assert await running == 0


async def test_cancelling_ends_the_child() -> None:
    async with kept(Child("long", SLEEPER)) as (supervisor, watch, _running):
        process = await watch.until("running")
    await gone(process)
    assert supervisor.pid is None


@pytest.mark.parametrize("how", ["kill", "cancel"])
async def test_children_of_the_child_do_not_outlive_it(tmp_path: Path, how: str) -> None:
    log = tmp_path / "log"
    parent = python(
        "import subprocess, sys, time",
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])",
        "print('child', child.pid, flush=True)",
        "time.sleep(600)",
    )
    async with kept(Child("parent", parent, log=log)) as (_supervisor, watch, running):
        process = await watch.until("running")
        await written(log, "child")
        orphan = int(log.read_text().split()[1])
        if how == "kill":
            os.kill(process, signal.SIGKILL)
        else:
            running.cancel()
        await gone(orphan)


async def test_the_plan_comes_on_standard_input_at_each_start(tmp_path: Path) -> None:
    plan = b"x" * 300_000  # more than a pipe holds
    log = tmp_path / "log"
    child = Child(
        "reader", python("import sys", "print(len(sys.stdin.buffer.read()))", "sys.exit(1)"), stdin=plan, log=log
    )
    async with kept(child) as (_supervisor, watch, _running):
        await watch.until("lost", 2)
        assert log.read_text().split() == ["300000", "300000"]


async def test_a_child_that_does_not_want_its_plan_is_no_trouble() -> None:
    child = Child("rude", python("import os", "os.close(0)"), stdin=b"x" * 300_000)
    async with kept(child) as (_supervisor, _watch, running):
        assert await running == 0


async def test_environment(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = Child(
        "nice",
        python("import os, time", "print(os.environ['HALL'], 'PATH' in os.environ, flush=True)", "time.sleep(600)"),
        env={"HALL": "large"},
        log=log,
    )
    async with kept(child) as (_supervisor, watch, _running):
        await watch.until("running")
        await written(log, "large True")
