"""The twin of an OBSBOT camera: its OSC table on a real UDP socket, turning in time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from studio.errors import NotSupported
from studio.language import _
from studio.wire import osc as wire

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from studio.devices import ObsbotModel, Value

GENERAL = "/OBSBOT/WebCam/General/"
FULL = 120.0
"""Degrees, and per cent of its zoom, a second at full speed."""
PRESETS = ({"pan": -40.0, "tilt": 10.0, "zoom": 0.0}, {"pan": 0.0, "tilt": 0.0, "zoom": 50.0}, {"pan": 40.0})
"""What it remembers: presets are made in OBSBOT Center only."""
_STEP = 0.02


class ObsbotTwin(asyncio.DatagramProtocol):
    """`async with ObsbotTwin(model) as camera`: a camera on 127.0.0.1, port `camera.port`."""

    def __init__(self, model: ObsbotModel, port: int = 0) -> None:
        """Power up awake, looking straight on."""
        self.model = model
        self.port = port
        self.deaf = False
        """Takes nothing in and says nothing, as with a pulled plug."""
        self.lost_stops = 0
        """So many more stops of the gimbal never reach it."""
        self.heard: list[wire.Message] = []
        """All that reached it."""
        self._late = 0.0
        self._transport: asyncio.DatagramTransport | None = None
        self._turning: asyncio.Task[None] | None = None
        self._limits = {"pan": (-model.pan, model.pan), "tilt": (-model.tilt, model.tilt), "zoom": (0.0, 100.0)}
        self.reboot()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _protocol = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", self.port))
        self.port = self._transport.get_extra_info("sockname")[1]
        self._turning = asyncio.create_task(self._turn())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._turning:
            self._turning.cancel()
        if self._transport:
            self._transport.close()

    # ── what happens to it ────────────────────────────────────────────────────────────────────────────────────────────

    def reboot(self, values: Mapping[str, Value] | None = None) -> None:
        """Off and on again at once, with `values`: it has to be greeted anew before it answers."""
        self._at = {"pan": 0.0, "tilt": 0.0, "zoom": 0.0}
        self._speed = {"pan": 0.0, "tilt": 0.0}
        self._target: dict[str, tuple[float, float]] = {}
        self._awake = self._greeted = True
        if values is not None:
            self._greeted = False
        for control, value in (values or {}).items():
            self.hand(control, value)

    def hand(self, control: str, value: Value) -> None:
        """Somebody at OBSBOT Center puts `control` there at once."""
        if control == "power":
            self._awake = value is True
        else:
            self._target.pop(control, None)
            self._at[control] = float(value)

    def refuse(self, *controls: str) -> None:
        """Its table has no word for no."""
        raise NotSupported(_("{name} cannot do that: {action}.").format(name="OBSBOT", action=", ".join(controls)))

    def slow(self, seconds: float) -> None:
        """Say how it stands only so much later; 0: at once."""
        self._late = seconds

    def full(self, seconds: float) -> None:
        """It has no buffer."""
        raise NotSupported(_("{name} cannot do that: {action}.").format(name="OBSBOT", action=f"full {seconds:g}"))

    def value(self, control: str) -> Value:
        """Where `control` really stands."""
        return self._awake if control == "power" else float(round(self._at[control]))

    @property
    def moves(self) -> bool:
        """Whether any axis turns."""
        sent = any(at != self._at[axis] for axis, (at, _fast) in self._target.items())
        return sent or any(self._speed.values())

    @property
    def last(self) -> str:
        """What it was told last, readable; empty before that."""
        return f"{self.heard[-1].address} {self.heard[-1].arguments}" if self.heard else ""

    # ── the socket ────────────────────────────────────────────────────────────────────────────────────────────────────

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ANN401 - asyncio's
        if self.deaf:
            return
        if self.model.reply_port:
            addr = (addr[0], self.model.reply_port)
        for message in wire.decode(data):
            self._take_in(message, addr)

    def _take_in(self, message: wire.Message, sender: Any) -> None:  # noqa: ANN401 - an address
        name, numbers = message.address.removeprefix(GENERAL), [int(each) for each in message.arguments]
        if name == "Connected":
            self._greeted = True
            self._say("ConnectedResp", (1,), sender)
            return
        if self.model.device is not None and (not numbers or numbers.pop(0) != self.model.device):
            return
        stop = name.startswith("SetGimbal") and numbers == [0]
        if stop and self.lost_stops > 0:
            self.lost_stops -= 1
            return
        self.heard.append(message)
        del self.heard[:-1000]
        if message.address == self.model.presets and 0 <= numbers[0] < len(PRESETS):
            self._target = {axis: (at, 1.0) for axis, at in PRESETS[numbers[0]].items()}
        elif name.startswith("Get") and self._greeted:
            self._tell(name, sender)
        else:
            self._do(name, numbers)

    def _tell(self, name: str, sender: Any) -> None:  # noqa: ANN401 - an address
        at = {axis: round(where) for axis, where in self._at.items()}
        if name == "GetZoomInfo":
            self._say("ZoomInfo", (at["zoom"], 0), sender)
        elif name == "GetGimbalPosInfo":
            self._say("GetGimbalPosInfoResp", (0, at["tilt"], at["pan"]), sender)
        elif name == "GetDeviceInfo":
            others = (0, "", 0, "", 0, "")
            self._say("DeviceInfo", (1, "Tiny 2", *others, 0, int(self._awake), 0), sender)

    def _do(self, name: str, numbers: list[int]) -> None:
        ways = {"Left": ("pan", -1), "Right": ("pan", 1), "Up": ("tilt", 1), "Down": ("tilt", -1)}
        if name == "WakeSleep":
            self._awake = numbers == [1]
        elif not self._awake:
            return
        elif name.startswith("SetGimbal") and name[9:] in ways:
            axis, way = ways[name[9:]]
            self._target.pop(axis, None)
            self._speed[axis] = way * numbers[0] / 100
        elif name == "SetGimMotorDegree":
            fast = numbers[0] / 90
            self._target |= {"pan": (float(numbers[1]), fast), "tilt": (float(numbers[2]), fast)}
        elif name in ("SetZoom", "SetZoomSpeed"):
            fast = numbers[1] / 11 if len(numbers) > 1 else 1.0
            self._target["zoom"] = (float(numbers[0]), fast)
        elif name == "ResetGimbal":
            self._target |= {"pan": (0.0, 1.0), "tilt": (0.0, 1.0)}

    def _say(self, name: str, arguments: tuple[Any, ...], to: Any) -> None:  # noqa: ANN401 - an address
        asyncio.get_running_loop().call_later(self._late, self._send, wire.Message(GENERAL + name, arguments), to)

    def _send(self, message: wire.Message, to: Any) -> None:  # noqa: ANN401 - an address
        if self._transport and not self._transport.is_closing() and not self.deaf:
            self._transport.sendto(wire.encode(message), to)

    async def _turn(self) -> None:
        clock = asyncio.get_running_loop().time
        before = clock()
        while True:
            await asyncio.sleep(_STEP)
            step, before = clock() - before, clock()  # on a busy machine it turns as fast, in longer steps
            for axis, at in self._at.items():
                low, high = self._limits[axis]
                if axis in self._target:
                    target, fast = self._target[axis]
                    most = FULL * max(fast, 0.05) * step
                    self._at[axis] = at + min(max(target - at, -most), most)
                    if self._at[axis] == target:
                        del self._target[axis]
                else:
                    self._at[axis] = min(max(at + self._speed.get(axis, 0.0) * FULL * step, low), high)
