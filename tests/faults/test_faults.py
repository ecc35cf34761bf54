"""One destination of four is bad in every way we know; the three others, the recording and the air do not feel it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import pytest
from tests.faults.conftest import House
from tests.faults.servers import (
    KEY,
    PASSPHRASE,
    Air,
    Arrivals,
    Growth,
    Hole,
    Narrow,
    Nginx,
    Pulse,
    largest_gap,
    until,
)

from studio.events import Destination, OutputReport
from studio.media._leave.destination import Destinations
from studio.media._leave.outputs import Output
from studio.media._leave.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from studio.media._ground.coded import Coded

pytestmark = pytest.mark.usefixtures("nothing_left")


@dataclass
class Fault:
    """What is wrong with one destination."""

    address: str
    key: str
    begin: Callable[[], object]
    end: Callable[[], object]
    from_start: bool = False
    states: tuple[str, ...] = ("stalled", "retrying")
    """In which the destination is seen meanwhile."""
    seen_after: float = 60.0


def killed(house: House, _stack: contextlib.ExitStack) -> tuple[Nginx, Fault]:
    server = house.nginx("bad")
    return server, Fault(server.address, KEY, server.kill, server.start)


def refused(house: House, _stack: contextlib.ExitStack) -> tuple[Nginx, Fault]:
    server = house.nginx("bad", run=False)
    return server, Fault(server.address, KEY, lambda: None, server.start, from_start=True)


def frozen(house: House, _stack: contextlib.ExitStack) -> tuple[Nginx, Fault]:
    server = house.nginx("bad")
    # Long enough to be hung up on and called again, which a stopped server does not hear either.
    return server, Fault(server.address, KEY, server.freeze, server.thaw, states=("retrying",))


def black_hole(house: House, stack: contextlib.ExitStack) -> tuple[Nginx, Fault]:
    server = house.nginx("bad", run=False)
    hole = Hole(server.port)
    stack.callback(hole.close)

    def end() -> None:
        hole.close()
        server.start()

    return server, Fault(server.address, KEY, lambda: None, end, from_start=True)


def wrong_key(house: House, _stack: contextlib.ExitStack) -> tuple[Nginx, Fault]:
    server = house.nginx("bad", key="inny-klucz")

    def end() -> None:
        server.kill()
        server.take(KEY)
        server.start()

    return server, Fault(server.address, KEY, lambda: None, end, from_start=True, states=("refused",))


def slow(house: House, stack: contextlib.ExitStack) -> tuple[Nginx, Fault]:
    server = house.nginx("bad")
    line = Narrow(server.port, None)
    stack.callback(line.close)

    def begin() -> None:
        line.rate = 25_000

    def end() -> None:
        line.rate = None

    return server, Fault(f"rtmp://127.0.0.1:{line.port}/live", KEY, begin, end, states=("on air", "stalled"))


def name_of(fault: object) -> str:
    return getattr(fault, "__name__", str(fault))


Wrong: TypeAlias = Callable[[House, contextlib.ExitStack], tuple[Nginx, Fault]]


@pytest.mark.parametrize(
    "faults",
    [(killed, refused, wrong_key), (frozen, black_hole, slow)],
    ids=lambda faults: "-".join(map(name_of, faults)),
)
@pytest.mark.usefixtures("house")
def test_one_bad_destination_of_four_hurts_nobody(
    programme: list[Coded], faults: tuple[Wrong, ...], tmp_path: Path
) -> None:
    """Three evenings at a time, each with its own servers: nearly all of it is waiting."""
    with ThreadPoolExecutor() as evenings:
        for evening in [evenings.submit(an_evening, fault, programme, tmp_path / name_of(fault)) for fault in faults]:
            evening.result()


def an_evening(fault: Wrong, programme: list[Coded], folder: Path) -> None:
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        one_is_bad(fault, House(folder, stack), stack, programme, folder)


def one_is_bad(fault: Wrong, house: House, stack: contextlib.ExitStack, programme: list[Coded], tmp_path: Path) -> None:
    bad_server, wrong = fault(house, stack)
    good = house.nginx("good")
    far, by_srt = house.srt("srt")
    folder = tmp_path / "show"
    folder.mkdir()
    said: list[str] = []
    destinations = Destinations(
        [
            Destination("bad", "rtmp", wrong.address, wrong.key),
            Destination("good", "rtmp", good.address, KEY),
            Destination("far", "srt", far.address, PASSPHRASE),
            Destination("disk", "file", str(tmp_path / "disk.ts")),
        ],
        said.append,
    )
    destinations.open(lambda _folder: pytest.fail("nothing is sent as HLS here"))
    recording = Output("recording", folder, lambda: Recording(folder), said.append)
    stack.callback(recording.close)
    stack.callback(destinations.close)
    air = stack.enter_context(contextlib.closing(Air(programme, recording, destinations)))
    grown = stack.enter_context(watched(tmp_path / "disk.ts", folder / "recording.part-001.ts"))
    pulse = stack.enter_context(contextlib.closing(Pulse()))

    def report(name: str) -> OutputReport:
        return next(report for report in destinations.reports() if report.name == name)

    others = ("good", "far", "disk") if wrong.from_start else ("bad", "good", "far", "disk")
    until(lambda: all(report(name).state == "on air" for name in others))
    by_rtmp = house.viewer(good)
    until(lambda: by_srt.times and by_rtmp.times)
    if not wrong.from_start:
        until(lambda: bad_server.received() > 100_000)

    air.longest = 0.0
    began = time.monotonic()
    wrong.begin()
    if fault is slow:
        until(lambda: report("bad").dropped > 0)
        assert report("bad").state in wrong.states
        until(lambda: report("bad").detail.startswith(("bad takes the programme too slowly", "bad takes nothing")))
    else:
        until(lambda: report("bad").state in wrong.states, within=wrong.seen_after)
    until(lambda: time.monotonic() - began > 6)
    received = good.received()
    now = time.monotonic()
    gaps = {
        "recording": largest_gap(grown[1].times, began, now),
        "disk": largest_gap(grown[0].times, began, now),
        "srt": largest_gap(by_srt.times, began, now),
        "rtmp": largest_gap(by_rtmp.times, began, now),
    }
    missed = largest_gap(pulse.times, began, now)
    assert max(gaps.values()) < 2 + missed, gaps
    assert air.longest < 1 + missed
    assert received > 500_000

    wrong.end()
    came_back = until(lambda: report("bad").state == "on air")
    until(lambda: bad_server.received() > 100_000)
    assert report("good").restarts == report("far").restarts == report("disk").restarts == 0
    assert report("good").dropped == report("far").dropped == report("disk").dropped == 0
    assert all(KEY not in sentence and PASSPHRASE not in sentence for sentence in said)
    if wrong.states == ("refused",):
        assert said[0].startswith("bad refuses the stream key")
    print(  # noqa: T201 - `-rP` shows what was measured
        f"{name_of(fault)}: gaps {gaps}, air {air.longest:.3f} s, back after {came_back:.2f} s, {report('bad')}"
    )


@contextlib.contextmanager
def watched(*paths: Path) -> Iterator[list[Arrivals]]:
    found: list[Arrivals] = [Growth(path) for path in paths]
    yield found
    for one in found:
        one.close()
