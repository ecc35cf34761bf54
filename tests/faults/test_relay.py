"""The relay itself, with everything wrong at once that may be wrong with destinations."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING

import psutil
import pytest
from tests.faults.servers import KEY, PASSPHRASE, Hole, Narrow
from tests.media.relay_bench import Relay, Relays, make_clip, see
from tests.ports import free_port

from studio.events import Destination, OutputReport, RelayReport

if TYPE_CHECKING:
    import contextlib
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.faults.conftest import House


@pytest.fixture
async def relays(tmp_path: Path) -> AsyncIterator[Relays]:
    found = Relays(tmp_path)
    yield found
    await found.close()


def report_of(relay: Relay, name: str) -> OutputReport | None:
    return next((report for report in relay.report.outputs if report.name == name), None) if relay.reported else None


def state(relay: Relay, name: str) -> str:
    report = report_of(relay, name)
    return report.state if report else ""


async def test_all_that_can_be_wrong_at_once(
    house: House, stack: contextlib.ExitStack, relays: Relays, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=60)  # it ends when everything was seen
    good, flapping, (far, by_srt) = house.nginx("good"), house.nginx("flapping"), house.srt("srt")
    hole = Hole(free_port())
    stack.callback(hole.close)
    narrow = Narrow(house.nginx("slow").port, 2000)
    stack.callback(narrow.close)
    relay = await relays.start(
        f"file:{clip}",
        destinations=(
            Destination("good", "rtmp", good.address, KEY),
            Destination("far", "srt", far.address, PASSPHRASE),
            Destination("flapping", "rtmp", flapping.address, KEY),
            Destination("wrong", "rtmp", good.address, "zly-klucz-0123"),
            Destination("hole", "rtmp", f"rtmp://127.0.0.1:{hole.port}/live", "abc"),
            Destination("slow", "rtmp", f"rtmp://127.0.0.1:{narrow.port}/live", KEY),
            Destination("nobody", "rtmp", "rtmp://127.0.0.1:9/live", "abc"),
        ),
    )
    await relay.until(lambda: all(state(relay, name) == "on air" for name in ("good", "far", "flapping")))
    heard: list[float] = []

    async def listen() -> None:
        seen = 0
        while True:
            reports = [said for said in relay.said if isinstance(said, RelayReport)]
            heard.extend(time.monotonic() for _report in reports[seen:])
            seen = len(reports)
            await asyncio.sleep(0.02)

    listening = asyncio.create_task(listen())
    for _turn in range(2):
        flapping.kill()
        await relay.until(lambda: state(relay, "flapping") == "retrying")
        flapping.start()
        await relay.until(lambda: state(relay, "flapping") == "on air")
    await relay.until(lambda: state(relay, "wrong") == "refused" and state(relay, "nobody") == "retrying")
    await relay.until(lambda: state(relay, "hole") == "retrying")
    for name in ("good", "far"):
        report = report_of(relay, name)
        assert report is not None
        assert (report.restarts, report.dropped) == (0, 0)
    relay.finish()
    assert await relay.ended() == 0
    listening.cancel()
    last = relay.report
    print(  # noqa: T201 - `-rP` shows what was measured
        f"{last.on_time} of {last.frames} frames on time, {last.dropped} dropped; longest wait for a report"
        f" {max(later - earlier for earlier, later in itertools.pairwise(heard)):.2f} s; {len(by_srt.times)} by SRT"
    )
    seen = see(relay.plan.folder / "recording.mp4")
    assert seen.times[-1] * 25 == pytest.approx(last.frames + last.dropped, abs=5)  # the air itself missed none
    due = [float(at) for at in range(1, 60, 2) if at < seen.times[-1] - 0.2]
    assert seen.beeps[: len(due)] == pytest.approx(due, abs=0.05)
    assert seen.flashes[: len(due)] == pytest.approx(due, abs=0.05) or last.dropped
    assert {report.state for report in last.outputs} == {"done"}
    assert not [child for child in psutil.Process().children() if child.pid == relay.process.pid]
    for secret in (KEY, PASSPHRASE, "zly-klucz-0123"):
        assert secret not in relays.log
        assert not any(secret in repr(message) for message in relay.said)
