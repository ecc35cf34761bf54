"""The thirteen faults on a surface over MIDI: it has no values, but lights that have to show what was asked of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.conformance.kit import owed, until

from studio.devices import MidiSurface
from studio.events import FaderMoved, PadPressed, PadReleased
from studio.rehearsal import SurfaceTwin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.conformance.kit import Rig, Stage

    from studio.devices import Light

PRESSES = 80
SHINES: dict[Light, int] = {"off": 0, "on": 127, "asked": 1}
"""Of a Mackie Control: light → velocity."""
JUNK = ("f4", "f5", "00 12 7f", "f0 00 00 66 14 12", "90", "f7", "b0 07", "7f 7f 7f")
"""What is no message, or not to its end."""


def _both(on: Stage) -> tuple[MidiSurface, SurfaceTwin]:
    assert isinstance(on.device, MidiSurface)
    assert isinstance(on.twin, SurfaceTwin)
    return on.device, on.twin


async def _shown(on: Stage, **lights: Light) -> None:
    """Ask for lights, and wait until the surface shows them."""
    surface, twin = _both(on)
    for pad, light in lights.items():
        surface.light(pad, light)
    if surface.link.up:
        await until(lambda: _shines(twin, lights), f"{lights} are lit")


def _shines(twin: SurfaceTwin, lights: dict[str, Light]) -> bool:
    return all((twin.lamp(pad) or (0, -1))[1] == SHINES[light] for pad, light in lights.items())


async def _lost_and_back(on: Stage, fault: Callable[[], Awaitable[None]], over: Callable[[], Awaitable[None]]) -> None:
    surface, twin = _both(on)
    await _shown(on, select1="on", mute2="asked", solo3="on")
    epoch = surface.link.epoch
    twin.press("play")
    await until(lambda: _events(on, PadPressed), "the press")
    await fault()
    await on.lost()
    await until(lambda: _events(on, PadReleased), "a pad that was held when the cable went is let go")
    surface.light("solo3", "off")
    await over()
    await on.back(epoch)
    lights: dict[str, Light] = {"select1": "on", "mute2": "asked", "solo3": "off"}
    await until(lambda: _shines(twin, lights), "all is shown again")
    on.logged(losses=1)


def _events(on: Stage, kind: type) -> int:
    return sum(isinstance(event, kind) for event in on.others)


async def deaf(_rig: Rig, on: Stage) -> None:
    async def well() -> None:
        on.gate.well()

    async def fault() -> None:
        on.gate.deaf()

    await _lost_and_back(on, fault, well)


async def half_open(_rig: Rig, on: Stage) -> None:
    async def well() -> None:
        on.gate.well()

    async def fault() -> None:
        on.gate.half_open()

    await _lost_and_back(on, fault, well)


async def rebooted(_rig: Rig, on: Stage) -> None:
    """Off and on again: dark, and its faders elsewhere."""

    async def over() -> None:
        on.twin.reboot({"fader1": 0.3})

    await _lost_and_back(on, on.gate.unplug, over)


async def unplugged(_rig: Rig, on: Stage) -> None:
    await _lost_and_back(on, on.gate.unplug, on.gate.plug)


async def junk(_rig: Rig, on: Stage) -> None:
    """Torn and unknown bytes press nothing and put no light out; what is said after them is heard."""
    _surface, twin = _both(on)
    await _shown(on, select1="on")
    for data in JUNK * 5:
        on.gate.junk(bytes.fromhex(data))
    await asyncio.sleep(0.1)
    owed(not _events(on, PadPressed), "junk pressed a pad")
    twin.hit("play")
    await until(lambda: _events(on, PadReleased), "a press after junk")
    owed(_shines(twin, {"select1": "on"}), "junk put a light out")
    on.logged(losses=0)


async def loss(_rig: Rig, on: Stage) -> None:
    """JACK loses nothing as long as its cycle is met: press after press, four at a time, all of them come."""
    _surface, twin = _both(on)
    for press in range(4, PRESSES + 1, 4):
        twin.hit("play", "stop", "record", "rewind")
        await until(lambda count=press: _events(on, PadReleased) >= count, f"press {press}")  # type: ignore[misc]
    owed(_events(on, PadPressed) == PRESSES, f"{_events(on, PadPressed)} of {PRESSES} presses")


async def duplicate(_rig: Rig, on: Stage) -> None:
    """Pressed twice without being let go, let go twice without being pressed: let go once."""
    _surface, twin = _both(on)
    twin.press("play")
    twin.press("play")
    twin.release("play")
    twin.release("play")
    twin.hit("stop")
    await until(lambda: any(isinstance(event, PadReleased) and event.control == "stop" for event in on.others), "stop")
    released = sum(isinstance(event, PadReleased) and event.control == "play" for event in on.others)
    owed(released == 1, f"let go {released} times")


async def reorder(_rig: Rig, on: Stage) -> None:
    """Let go before it is pressed, moved before it is touched: nothing breaks, and the next press is heard."""
    _surface, twin = _both(on)
    twin.release("play")
    twin.move("fader1", 0.4)
    twin.touch("fader1")
    twin.press("play")
    twin.let_go("fader1")
    twin.hit("stop")
    await until(lambda: any(isinstance(event, PadReleased) and event.control == "stop" for event in on.others), "stop")
    await _shown(on, select1="on")
    on.logged(losses=0)


async def hand(_rig: Rig, on: Stage) -> None:
    """A pad that is pressed, and a fader that is moved by hand, come up; the light does not follow by itself."""
    surface, twin = _both(on)
    await _shown(on, select1="off")
    surface.show("fader1", 0.5)
    await until(lambda: abs(float(twin.value("fader1")) - 0.5) < 0.01, "its motor")
    twin.hit("select1")
    twin.touch("fader1")
    twin.move("fader1", 0.75)
    twin.let_go("fader1")
    await until(lambda: _events(on, PadPressed) and _events(on, FaderMoved), "hands")
    moved = next(event for event in on.others if isinstance(event, FaderMoved))
    owed(abs(moved.position - 0.75) < 0.01, f"moved to {moved.position}")
    owed(_shines(twin, {"select1": "off"}), "a light followed the press, not the state")


SCENES: dict[str, Callable[[Rig, Stage], Awaitable[None]]] = {
    "deaf": deaf,
    "half-open": half_open,
    "rebooted with other state": rebooted,
    "junk bytes": junk,
    "UDP loss": loss,
    "duplicate": duplicate,
    "reorder": reorder,
    "hand on the front panel": hand,
    "unplugged and back": unplugged,
}
CANNOT = {
    "late": "nothing stands between a MIDI port and us that could hold back bytes; JACK hands over in its next cycle",
    "slow acknowledgement": "MIDI acknowledges nothing: a surface does not say that it has lit a light",
    "NAK": "MIDI has no word for no",
    "buffer full": "MIDI has no word for a full buffer",
}
