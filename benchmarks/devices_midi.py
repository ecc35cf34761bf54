#!/usr/bin/env python3
"""What MIDI must show, measured: `benchmarks/devices_midi.py [--json FILE]`.

A jackd without a sound card (dummy driver, synchronous, 256 frames of 48 kHz: 5.3 ms a cycle), real mido ports at both
ends, the twin of an APC mini at the one and the driver at the other.

cable   2,000 messages from the surface to the house and 2,000 back, at 1,000 a second and all at once
press   a pad is pressed, and ten sound desks (twins on UDP, the real driver) are told: from the moment that the MIDI
        library calls with the pad's bytes to the tenth desk's order at `sendto`

Prints what was asked, what was measured, and whether it is met, and ends with 1 where something asked is not met.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import statistics
import sys
import tempfile
import time
from asyncio import selector_events
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.relay_stage import Book
from tests.devices.jack import BACKEND, jack_server, running

from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.devices import Hardware, MidiModel, MidiSurface, OscDesk, OscModel
from studio.events import PadPressed, PadReleased
from studio.rehearsal import DeskTwin, SurfaceTwin
from studio.wire import osc

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGES = 2_000
DESKS = 10
ALLOWED = 5.0
"""Milliseconds from the pad's bytes to the last order."""
DESK, CONTROL = "behringer-x32", "ch1.mute"
PADS = [f"pad{number}" for number in range(1, 65)]


async def until(so: Callable[[], object], seconds: float = 20.0) -> bool:
    """Wait until `so`, no longer than `seconds`."""
    end = time.monotonic() + seconds
    while not so() and time.monotonic() < end:  # noqa: ASYNC110 - what is waited for has no event of its own
        await asyncio.sleep(0.002)
    return bool(so())


async def to_house(twin: SurfaceTwin, surface: MidiSurface, bus: Bus, *, pause: float) -> tuple[int, bool]:
    """Press and let go a thousand pads; how many messages came, and whether in their order."""
    presses = [PADS[number % len(PADS)] for number in range(MESSAGES // 2)]
    async with bus.listen(object, limit=2 * MESSAGES) as events:
        for number, name in enumerate(presses):
            twin.hit(name)
            if pause and number % 10 == 9:  # noqa: PLR2004 - twenty messages
                await asyncio.sleep(20 * pause)
        await until(lambda: len(events._waiting) >= MESSAGES, 10)  # noqa: SLF001 - counted, not consumed
        told = [each for each in events._waiting if isinstance(each, PadPressed | PadReleased)]  # noqa: SLF001
    wanted = [(kind, name) for name in presses for kind in (PadPressed, PadReleased)]
    return len(told), [(type(each), each.control) for each in told] == wanted and not surface.lost


async def to_surface(twin: SurfaceTwin, surface: MidiSurface, *, pause: float) -> tuple[int, bool]:
    """Change two thousand lights; how many messages came, and whether in their order."""
    for name in PADS:
        surface.light(name, "off")
    await asyncio.sleep(0.3)
    twin.heard.clear()
    wanted: list[tuple[str, int]] = []
    for round_ in range(MESSAGES // 50):
        state, velocity = (("on", 3), ("ready", 1))[round_ % 2]
        for name in PADS[:50]:
            surface.light(name, state)  # type: ignore[arg-type] # one of them
            wanted.append((name, velocity))
        if pause:
            await asyncio.sleep(50 * pause)
        # All at once means: as quickly as the driver takes them; a light that changes twice before that is sent once.
        await until(lambda: len(twin.heard) >= len(wanted), 1)
    model = {pad.number: pad.name for pad in twin.model.single_pads()}
    heard = [(model.get(message.number, ""), message.value) for message in twin.heard]
    return len(heard), heard == wanted


class Orders:
    """Whatever leaves a UDP socket of this process, stamped at `sendto`."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, int, bytes]] = []
        self._kind: Any = vars(selector_events)["_SelectorDatagramTransport"]  # where it leaves asyncio
        self._real = self._kind.sendto

    def __enter__(self) -> Self:
        real, sent = self._real, self.sent

        def sendto(transport: Any, data: bytes, addr: Any = None) -> None:  # noqa: ANN401 - asyncio's
            sent.append((time.monotonic(), id(transport), bytes(data)))
            real(transport, data, addr)

        self._kind.sendto = sendto
        return self

    def __exit__(self, *_problem: object) -> None:
        self._kind.sendto = self._real

    def of(self, address: str) -> dict[int, float]:
        """When each socket first sent an order (not a question) to `address`."""
        first: dict[int, float] = {}
        for when, transport, data in self.sent:
            if any(message.address == address and message.arguments for message in osc.decode(data)):
                first.setdefault(transport, when)
        return first


async def _pretend(ports: Any) -> None:  # noqa: ANN401 - a pipe
    found = Catalogue().load("hardware", DESK, Hardware).osc
    assert isinstance(found, OscModel)  # noqa: S101 - the shipped file
    async with contextlib.AsyncExitStack() as stack:
        twins = [await stack.enter_async_context(DeskTwin(found)) for _each in range(DESKS)]
        ports.send([twin.port for twin in twins])
        await asyncio.to_thread(ports.recv)


def pretend(ports: Any) -> None:  # noqa: ANN401 - a pipe
    """Be ten desks in a process of their own, until somebody says anything."""
    asyncio.run(_pretend(ports))


async def presses(
    twin: SurfaceTwin, surface: MidiSurface, bus: Bus, count: int
) -> tuple[list[float], list[float], int]:
    """Milliseconds from the pad's bytes, and from the finger, to the tenth order; and how many sets were confirmed."""
    found = Catalogue().load("hardware", DESK, Hardware).osc
    assert isinstance(found, OscModel)  # noqa: S101 - the shipped file
    address = found.expanded()[CONTROL].address
    inside: list[float] = []
    whole: list[float] = []
    confirmed = 0
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=pretend, args=(there,))
    child.start()
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(child.join)
        stack.callback(here.send, "enough")
        ports = await asyncio.to_thread(here.recv)
        desks = [OscDesk(f"desk{port}", found, bus, "127.0.0.1", port) for port in ports]
        for desk in desks:
            await stack.enter_async_context(running(desk))
        if not await until(lambda: all(desk.link.up for desk in desks), 60):
            raise SystemExit("the twins of the desks do not come up")
        orders = stack.enter_context(Orders())
        events = await stack.enter_async_context(bus.listen(PadPressed))
        mute = False
        for _each in range(count):
            mute = not mute
            orders.sent.clear()
            finger = time.monotonic()
            twin.press("pad1")
            await anext(events)
            bytes_at = surface.arrived
            done = await asyncio.gather(*(desk.set(CONTROL, mute) for desk in desks))
            confirmed += sum(outcome.kind == "confirmed" for outcome in done)
            last = max(orders.of(address).values())
            if len(orders.of(address)) < DESKS:
                raise SystemExit("not every desk was told")
            inside.append(1000 * (last - bytes_at))
            whole.append(1000 * (last - finger))
            twin.release("pad1")
            await asyncio.sleep(0.02)
    return inside, whole, confirmed


def spread(values: list[float]) -> str:
    """Median, 99 % and the longest."""
    return f"median {statistics.median(values):.2f}, p99 {p99(values):.2f}, longest {max(values):.2f} ms"


def p99(values: list[float]) -> float:
    """What 99 of 100 stay within."""
    return sorted(values)[max(0, round(len(values) * 0.99) - 1)]


async def measure(book: Book, count: int) -> None:
    """Run all of it."""
    model = Catalogue().load("hardware", "akai-apc-mini", Hardware).midi
    assert isinstance(model, MidiModel)  # noqa: S101 - the shipped file
    bus = Bus()
    surface = MidiSurface("pads", model, bus, backend=BACKEND)
    with tempfile.TemporaryDirectory() as folder:
        async with jack_server(Path(folder)), SurfaceTwin(model) as twin, running(surface):
            await until(lambda: surface.link.up)
            await asyncio.sleep(0.5)
            for pause, how in ((0.001, "1,000 a second"), (0.0, "all at once")):
                came, whole = await to_house(twin, surface, bus, pause=pause)
                book.is_so(
                    f"surface → house, {how}", f"{MESSAGES} of {MESSAGES}", f"{came}, in order: {whole}", met=whole
                )
                came, whole = await to_surface(twin, surface, pause=pause)
                book.is_so(
                    f"house → surface, {how}", f"{MESSAGES} of {MESSAGES}", f"{came}, in order: {whole}", met=whole
                )
            inside, finger, confirmed = await presses(twin, surface, bus, count)
    book.at_most(f"pad's bytes → order to the tenth desk, p99 of {count}", p99(inside), ALLOWED, "ms", 2)
    book.tell("pad's bytes → order to the tenth desk", spread(inside))
    book.tell("the twin's press → order to the tenth desk, with JACK's cycles", spread(finger))
    book.is_so("sets confirmed by the desks", f"{count * DESKS}", f"{confirmed}", met=confirmed == count * DESKS)
    book.detail |= {"milliseconds": inside, "milliseconds_from_press": finger}


def main() -> int:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--presses", type=int, default=500)
    told = parser.parse_args()
    book = Book("devices_midi", told.json, {"presses": told.presses, "desks": DESKS})
    asyncio.run(measure(book, told.presses))
    book.save()
    book.show()
    return int(any(figure.met is False for figure in book.figures))


if __name__ == "__main__":
    sys.exit(main())
