"""Which remote camera viewers see: the twin of OBS reports it, the drivers hear it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from tests.devices.hall import until
from tests.ports import free_port

from studio.app import _cameras
from studio.app._cameras import OnAir
from studio.app._devices import HouseDevices
from studio.app._evening import Wish, plan_evening
from studio.app._own_obs import kept, own_obs
from studio.app._plug import Plugs
from studio.app._report import Report
from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.cli._devices import _rows
from studio.cli._devices_asked import _anyway, _hinted
from studio.devices import Camera, Hardware, Obs, open_devices
from studio.errors import ShowError
from studio.events import LinkChanged
from studio.rehearsal import CameraTwin, Gate, ObsTwin
from studio.show import State, check
from studio.venue import read
from studio.wire.obs import Collection, Scene, Source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from studio.devices import Outcome
    from studio.venue import Venue


@pytest.fixture
def venue(tmp_path: Path) -> Venue:
    return house(
        tmp_path,
        """
        [[devices]]
        name = "turns"
        hardware = "generic-visca"
        host = "10.0.0.31"

        [[cameras]]
        name = "main"
        url = "rtsp://10.0.0.31/stream1"
        ptz = "turns"
        """,
    )


def house(folder: Path, text: str) -> Venue:
    (folder / "studio.toml").write_text(dedent(text), "utf-8")
    return read(folder / "studio.toml")


@pytest.mark.parametrize("built", [True, False])
async def test_a_camera_is_on_air_while_obs_shows_it(
    venue: Venue,
    tmp_path: Path,
    built: bool,  # noqa: FBT001 - two ways to be named
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sources that were made for it are known whatever they are called; of others, those that are called like it."""
    monkeypatch.setattr(_cameras, "LEAVES", 0.05)
    bus = Bus()
    device = open_devices(venue.devices, Catalogue(), bus, tmp_path)[0]
    assert isinstance(device, Camera)
    made = Source("Film", "media", address="rtsp://10.0.0.31/stream1")
    on_air = OnAir(venue, Collection((Scene("Talk", (made,)),), 640, 360, 15) if built else None, {"turns": device})
    async with ObsTwin() as twin, bus.listen(object) as facts:
        if not built:
            twin.world.inputs["main"] = twin.world.inputs.pop("Film")
            for item in twin.world.scenes["Talk"]:
                item.source = "main" if item.source == "Film" else item.source
        shown = "Film" if built else "main"
        obs = Obs("127.0.0.1", twin.port, "", bus)

        async def follow() -> None:
            async for fact in facts:
                on_air.follow(fact, obs)

        tasks = [asyncio.create_task(obs.run()), asyncio.create_task(follow())]
        try:
            await until(lambda: device.on_air, "it stands in the programme scene")
            twin.hand("scene", "Holding")
            await until(lambda: not device.on_air, "it has left")
            twin.hand("scene", "Talk")
            await until(lambda: device.on_air, "it is back")
            twin.hand(f"item.Talk.{shown}.visible", value=False)
            await until(lambda: not device.on_air, "it is hidden")
            assert device.picture is not None
            assert await device.picture(), "OBS shows how a preset looks"
        finally:
            on_air.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)


async def test_a_camera_stays_on_air_until_the_fade_is_over(
    venue: Venue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it takes, but for one whose end OBS never reports."""
    monkeypatch.setattr(_cameras, "LEAVES", 0.05)
    monkeypatch.setattr(_cameras, "AGAIN", 0.02)
    bus = Bus()
    device = open_devices(venue.devices, Catalogue(), bus, tmp_path)[0]
    assert isinstance(device, Camera)
    made = Source("Film", "media", address="rtsp://10.0.0.31/stream1")
    on_air = OnAir(venue, Collection((Scene("Talk", (made,)),), 640, 360, 15), {"turns": device})
    async with ObsTwin() as twin, bus.listen(object) as facts:
        obs = Obs("127.0.0.1", twin.port, "", bus)

        async def follow() -> None:
            async for fact in facts:
                on_air.follow(fact, obs)

        tasks = [asyncio.create_task(obs.run()), asyncio.create_task(follow())]
        try:
            await until(lambda: device.on_air, "it stands in the programme scene")
            twin.world.duration = 20_000
            twin.hand("scene", "Holding")
            await until(lambda: obs.scene == "Holding", "another is taken")
            await asyncio.sleep(0.2)  # LEAVES, four times
            assert device.on_air, "viewers still see it"
            twin.world.tell("SceneTransitionEnded", {"transitionName": "Fade"})
            await until(lambda: not device.on_air, "it is over")
            twin.hand("scene", "Talk")
            await until(lambda: device.on_air, "it is back")
            monkeypatch.setattr("studio.devices._obs.driver.FADE", 0.3)
            twin.hand("scene", "Holding")
            await until(lambda: not device.on_air, "nobody waits for ever for an end that is not told")
        finally:
            on_air.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def test_in_a_show_a_camera_is_guarded_until_obs_says_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while OBS is lost; but not where nobody listens."""
    monkeypatch.setattr(_cameras, "LEAVES", 0.05)
    model = Catalogue().load("hardware", "generic-visca", Hardware).visca
    assert model is not None
    async with ObsTwin() as twin, Gate("tcp", twin.port) as gate, CameraTwin(model) as camera:
        gate.deaf()
        venue = house(
            tmp_path,
            f"""
            obs = {{ port = {gate.port} }}
            devices = [{{ name = "turns", hardware = "generic-visca", port = {camera.port} }}]
            cameras = [{{ name = "Film", device = "/dev/video0", ptz = "turns" }}]
            """,
        )
        evening = plan_evening(venue, Catalogue(), Wish(input="listen", out=tmp_path / "show", captions=False))
        report = Report(state := State({}))
        report.begin(title="", language="pl", folder=tmp_path, interface="en", hold=evening.relay.hold, captions=False)
        plugs = Plugs(venue, Catalogue(), evening, report, not_a_house)
        device = plugs._devices["turns"]
        assert isinstance(device, Camera)

        def link(name: str) -> object:
            tree: Any = state.snapshot()
            return tree["links"].get(name, {}).get("state")

        async def recall() -> str:
            outcome = await plugs.command("device.call", RECALL)
            return outcome.kind if outcome.kind == "confirmed" else outcome.reason

        running = asyncio.create_task(plugs.run())
        try:
            await until(lambda: link("turns") == "online", "the camera is there")
            for _show in ("OBS was never heard", "OBS is lost"):
                assert "Nobody can tell now" in await recall()
                assert await recall() == "confirmed", "asked twice"
                gate.well()
                await until(lambda: link("obs") == "online", "OBS reports")
                twin.hand("scene", "Talk")
                await until(lambda: device.on_air, "it stands in the programme scene")
                assert "turns is on air" in await recall()
                twin.hand("scene", "Holding")
                await until(lambda: not device.guarded, "it has left")
                assert await recall() == "confirmed"
                gate.half_open()
                await until(lambda: device.guarded, "OBS is lost")
            await gate.unplug()
            await until(lambda: not device.guarded, "nobody listens")
            assert await recall() == "confirmed"
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await plugs.close()


RECALL = {"device": "turns", "action": "preset.recall", "arguments": {"preset": "1"}}


async def not_a_house(name: str, _arguments: Mapping[str, object]) -> Outcome:
    raise AssertionError(name)


@pytest.mark.parametrize("password", ["", "lipa"])
async def test_the_command_line_meets_the_guard_too(tmp_path: Path, password: str) -> None:
    """Also in a terminal where nobody has typed OBS's password."""
    model = Catalogue().load("hardware", "generic-visca", Hardware).visca
    assert model is not None
    async with ObsTwin(password) as twin, CameraTwin(model) as camera:
        venue = house(
            tmp_path,
            f"""
            [obs]
            port = {twin.port}

            [[devices]]
            name = "turns"
            hardware = "generic-visca"
            port = {camera.port}

            [[cameras]]
            name = "Film"
            device = "/dev/video0"
            ptz = "turns"
            """,
        )
        async with HouseDevices(venue).open(["turns"]) as opened:
            assert await opened.there(30.0) == {}
            assert opened.devices.keys() == {"turns"}
            assert _rows(LinkChanged("obs", "online", ""), opened, meters=False) == [], (
                "OBS runs for the guard, unwatched"
            )
            assert _rows(LinkChanged("turns", "online", ""), opened, meters=False)
            outcome = await opened.orders.call("turns", "preset.recall", {"preset": "1"}, dry_run=False, deadline=9)
            assert (outcome.kind, "on air" in outcome.reason) == ("refused", True)
            outcome = await opened.orders.call(
                "turns", "preset.recall", {"preset": "1", "anyway": True}, dry_run=False, deadline=9
            )
            assert outcome.kind == "confirmed"
            # a switch that is set meets it as well, and a second command is no second asking
            for anyway, became in ((False, "refused"), (True, "confirmed")):
                steps = await opened.orders.planned({"turns": {"power": False}})
                (done,) = await opened.orders.do(steps, by="set", anyway=anyway)
                (told,) = _hinted([done], opened)
                assert (done.outcome.kind, "--anyway" in told.outcome.reason) == (became, not anyway)


def test_anyway_is_said_as_of_a_call_or_as_an_option() -> None:
    assert _anyway(["power", "off", "anyway=true"], anyway=False) == (True, ["power", "off"])
    assert _anyway(["power=off", "anyway=no"], anyway=True) == (False, ["power=off"])
    assert _anyway(["name", "anyway"], anyway=False) == (False, ["name", "anyway"]), "a value may be any word"
    with pytest.raises(ShowError, match="anyway is on or off"):
        _anyway(["power=off", "anyway=perhaps"], anyway=False)


HOLDS = """
import sys, time
from pathlib import Path
from studio.app._own_obs import kept
from studio.venue import read
with kept(read(Path(sys.argv[1])), "127.0.0.1", int(sys.argv[2]), "lipa"):
    print("kept", flush=True)
    time.sleep(600)
"""
"""A show, as far as its own OBS is concerned."""


@contextlib.asynccontextmanager
async def show_with_its_own_obs(venue: Venue, port: int) -> AsyncIterator[None]:
    """It is killed in the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLDS, str(venue.file), str(port)), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    assert await process.stdout.readline() == b"kept\n"
    try:
        yield
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("answers", [True, False])
async def test_the_obs_that_a_show_started_for_itself_guards_the_command_line(
    tmp_path: Path,
    answers: bool,  # noqa: FBT001 - it is starting, or up
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its password is in no studio.toml and no environment. Where it does not answer, any camera may be on air."""
    monkeypatch.setenv("STUDIO_STATE", str(tmp_path / "state"))
    if answers:
        monkeypatch.setattr("studio.app._devices.OBS_PATIENCE", 30.0)
    model = Catalogue().load("hardware", "generic-visca", Hardware).visca
    assert model is not None
    async with ObsTwin("lipa") as twin, CameraTwin(model) as camera:
        text = f"""
            obs = {{ use = "start", port = {free_port()} }}
            web = {{ port = {free_port()} }}
            devices = [{{ name = "turns", hardware = "generic-visca", port = {camera.port} }}]
            cameras = [{{ name = "Film", device = "/dev/video0", ptz = "turns" }}]
            """
        venue = house(tmp_path, text)

        async def recalls(**more: bool) -> Outcome:
            async with HouseDevices(venue).open(["turns"]) as opened:
                assert await opened.there(30.0) == {}
                return await opened.orders.call("turns", "preset.recall", {"preset": "1", **more}, deadline=9)

        async with show_with_its_own_obs(venue, twin.port if answers else free_port()):
            (file,) = (tmp_path / "state").glob("obs-*.json")
            assert file.stat().st_mode & 0o777 == 0o600
            outcome = await recalls()
            assert outcome.kind == "refused"
            assert ("on air; ask" if answers else "Nobody can tell") in outcome.reason
            assert (await recalls(anyway=True)).kind == "confirmed"
            if answers:
                twin.hand("scene", "Holding")
                outcome = await recalls()
                assert outcome.kind == "confirmed", f"OBS says that nobody sees it: {outcome.reason}"
                twin.hand("scene", "Talk")
        known = own_obs(venue)
        assert known is not None
        assert (known.running, "lipa" in repr(known)) == (False, False)
        # Of a show that was killed its OBS may live on.
        assert (await recalls()).kind == ("refused" if answers else "confirmed")
        with kept(venue, "127.0.0.1", 1, ""):
            pass
        assert own_obs(venue) is None


async def test_a_silent_obs_and_a_show_that_says_nothing_of_its_own_leave_the_guard_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_STATE", str(tmp_path / "state"))
    model = Catalogue().load("hardware", "generic-visca", Hardware).visca
    assert model is not None
    with socket.create_server(("127.0.0.1", 0)) as mute:
        taken = mute.getsockname()[1]
        async with CameraTwin(model) as camera:
            for obs, web in (
                (f'use = "find", port = {taken}', free_port()),
                (f'use = "start", port = {free_port()}', taken),
            ):
                venue = house(
                    tmp_path,
                    f"""
                    obs = {{ {obs} }}
                    web = {{ port = {web} }}
                    devices = [{{ name = "turns", hardware = "generic-visca", port = {camera.port} }}]
                    cameras = [{{ name = "Film", device = "/dev/video0", ptz = "turns" }}]
                    """,
                )
                async with HouseDevices(venue).open(["turns"]) as opened:
                    assert await opened.there(30.0) == {}
                    outcome = await opened.orders.call("turns", "home", {}, deadline=9)
                    assert (outcome.kind, "Nobody can tell" in outcome.reason) == ("refused", True)


def test_what_turns_a_camera_is_a_device_that_can_and_turns_no_other(tmp_path: Path) -> None:
    venue = house(
        tmp_path,
        """
        devices = [
            { name = "turns", hardware = "ptzoptics-g2" },
            { name = "pads", hardware = "akai-apc-mini" },
        ]
        cameras = [
            { name = "main", device = "/dev/video0", ptz = "turns" },
            { name = "left", device = "/dev/video1", ptz = "turn" },
            { name = "right", device = "/dev/video2", ptz = "pads" },
            { name = "hall", device = "/dev/video3", ptz = "turns" },
        ]
        """,
    )
    found = [str(finding) for finding in check(venue, Catalogue(tmp_path), {"hardware": Hardware})]
    assert [each.partition("line 6: ")[2] for each in found if "turn" in each] == [
        'there is no device "turn"; did you mean "turns"?',
        '"pads" turns no camera; its hardware file must say "visca" or "obsbot"',
        '"main" is turned by "turns", too',
    ]
