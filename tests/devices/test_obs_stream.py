"""Whose stream it is that OBS sends, and when it may be stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from studio.devices._obs.process import _displays
from studio.devices._obs.stream import Stream
from studio.errors import DeviceError

if TYPE_CHECKING:
    from pathlib import Path


class StreamingObs:
    """The twin of an OBS as far as its one stream goes."""

    def __init__(self, server: str = "", key: str = "", *, active: bool = False) -> None:
        self.settings: Any = {"server": server, "key": key}
        self.active = active

    async def ask(self, kind: str, /, **data: object) -> dict[str, Any]:
        match kind:
            case "GetStreamServiceSettings":
                return {"streamServiceSettings": self.settings}
            case "SetStreamServiceSettings":
                self.settings = data["streamServiceSettings"]
            case "StartStream":
                self.active = True
            case "StopStream":
                self.active = False
        return {}

    def status(self) -> dict[str, bool]:
        return {"outputActive": self.active, "outputReconnecting": False}


async def kept(stream: Stream, obs: StreamingObs) -> None:
    """As the driver does each second."""
    stream.on_status(obs.status())
    if stream.output == "stopping" and not obs.active:
        stream.on_event({"outputState": "OBS_WEBSOCKET_OUTPUT_STOPPED"})
    await stream.keep(obs.ask)


async def test_a_stream_to_a_server_of_somebody_else_on_this_machine_goes_on() -> None:
    obs = StreamingObs("rtmp://127.0.0.1:1936/live", "hall", active=True)
    stream = Stream()
    stream.aim_at("rtmp://127.0.0.1:1935/live", "studio")
    with pytest.raises(DeviceError, match=r"already streaming to 127\.0\.0\.1"):
        await kept(stream, obs)
    assert obs.active
    assert obs.settings["key"] == "hall"
    obs.active = False  # they end it
    await kept(stream, obs)
    assert obs.active
    assert obs.settings["key"] == "studio"


async def test_a_stream_that_was_our_own_wish_before_is_led_to_the_new_one() -> None:
    obs = StreamingObs()
    stream = Stream()
    stream.aim_at("rtmp://127.0.0.1:1935/live", "studio")
    await kept(stream, obs)
    assert obs.active
    stream.aim_at("rtmp://127.0.0.1:1940/live", "studio")
    await kept(stream, obs)
    assert not obs.active
    await kept(stream, obs)
    assert obs.active
    assert obs.settings["server"] == "rtmp://127.0.0.1:1940/live"


def test_half_a_line_of_xvfb_is_no_display_and_an_earlier_life_does_not_count(tmp_path: Path) -> None:
    log = tmp_path / "xvfb.log"
    log.write_bytes(b"_XSERVTransmkdir: warning\n1")
    assert _displays(log, 0) == []
    log.write_bytes(b"_XSERVTransmkdir: warning\n12\n")
    assert _displays(log, 0) == [12]
    assert _displays(log, log.stat().st_size) == []
