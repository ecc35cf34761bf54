"""Everything the driver can set and do, each against the real OBS, and whether what it reports is what OBS holds."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import ffmpeg
import pytest
import pytest_asyncio
from tests.devices.hall import Hall, Ingest, frozen, needs, until

from studio.devices import Metered, PropertyChanged
from studio.devices._obs.errors import ObsLostError
from studio.devices._obs.session import Session
from studio.errors import DeviceError
from studio.events import LinkChanged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from studio.devices import Obs, Outcome, Value

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    needs("obs", "Xvfb", "ffmpeg")
    async with Hall(tmp_path_factory.mktemp("controls")).open() as hall:
        await hall.obs.apply(hall.collection)
        yield hall


@contextlib.asynccontextmanager
async def hand(hall: Hall) -> AsyncIterator[Session]:
    """Somebody else at this OBS."""
    session = await Session.open(hall.obs.host, hall.obs.port, hall.process.password)
    try:
        yield session
    finally:
        await session.close()


def done(outcome: Outcome) -> None:
    assert outcome.kind == "confirmed", outcome.reason


def number(obs: Obs, control: str) -> float:
    """What OBS said of it, or far below everything."""
    value = obs.get(control).value
    return value if isinstance(value, float) else -1000.0


SETS: list[tuple[str, Value, Value]] = [
    ("scene", "Holding", "Talk"),
    ("transition", "Fade", "Cut"),
    ("input.Film.mute", True, False),
    ("input.Film.volume", -12.5, 0.0),
    ("input.Film.volume", -100.0, 0.0),
    ("input.Film.balance", 0.25, 0.5),
    ("input.Film.sync", 120.0, 0.0),
    ("input.Film.monitor", "monitor only", "off"),
    ("input.Film.track2", False, True),
    ("input.Film.settings.speed_percent", 90.0, 100.0),
    ("input.Name.text", "Zażółć gęślą jaźń", "Ona Žukauskaitė"),
    ("item.Talk.Name.visible", False, True),
    ("item.Talk.Name.locked", True, False),
    ("item.Talk.Name.order", 0.0, 1.0),
    ("item.Talk.Name.x", 50.5, 32.0),
    ("item.Talk.Name.y", 12.0, 270.0),
    ("item.Talk.Name.scale.x", 1.5, 1.0),
    ("item.Talk.Name.scale.y", 0.5, 1.0),
    ("item.Talk.Name.rotation", 10.0, 0.0),
    ("item.Talk.Name.crop.left", 3.0, 0.0),
]


async def test_every_value_is_set_reported_and_published_once(hall: Hall) -> None:
    obs = hall.obs
    async with hand(hall) as session, hall.bus.listen(PropertyChanged) as changes:
        for control, there, back in SETS:
            for value in (there, back):
                if value == obs.get(control).value:
                    continue
                done(await obs.set(control, value))
                now = obs.get(control)
                assert (now.source, now.origin) == ("reported", "us"), control
                assert obs.controls()[control].same(now.value, value), control
                told = [each for each in changes._waiting if each.control == control]
                changes._waiting.clear()
                assert [each.property.value for each in told] == [now.value], control
        assert (await session.request("GetInputVolume", inputName="Film"))["inputVolumeDb"] == 0
        assert (await session.request("GetSceneItemTransform", sceneName="Talk", sceneItemId=2))["sceneItemTransform"][
            "positionX"
        ] == 32


async def test_what_a_hand_changes_in_obs_is_known(hall: Hall) -> None:
    obs = hall.obs
    async with hand(hall) as session:
        await session.request("SetInputVolume", inputName="Film", inputVolumeDb=-6)
        await session.request(
            "SetSceneItemTransform", sceneName="Talk", sceneItemId=2, sceneItemTransform={"cropTop": 2}
        )
        await session.request("SetInputSettings", inputName="Name", inputSettings={"text": "by hand"})  # no event of it
        await until(lambda: obs.get("input.Film.volume").value == -6, "the fader")
        await until(lambda: obs.get("item.Talk.Name.crop.top").value == 2, "the crop")
        await until(lambda: obs.get("input.Name.text").value == "by hand", "the text, looked up")
        assert obs.get("input.Name.text").origin == "device"
        await session.request("CreateScene", sceneName="By hand")
        await until(lambda: "By hand" in obs.controls()["scene"].choices, "the scene")
        await session.request("SetSceneName", sceneName="By hand", newSceneName="Renamed")
        await until(lambda: "Renamed" in obs.controls()["scene"].choices, "its new name")
        await session.request("RemoveScene", sceneName="Renamed")
        await until(lambda: "Renamed" not in obs.controls()["scene"].choices, "that it is gone")
    done(await obs.set("input.Film.volume", 0.0))
    done(await obs.set("item.Talk.Name.crop.top", 0))


async def test_sources_filters_and_scenes_come_and_go(hall: Hall) -> None:
    obs = hall.obs
    blue = json.dumps({"color": 0xFF800000, "width": 64, "height": 64})
    done(await obs.call("scene.create", {"scene": "More"}))
    done(
        await obs.call("input.create", {"scene": "More", "input": "B. v1", "kind": "color_source_v3", "settings": blue})
    )
    assert obs.get("input.B. v1.settings.width").value == 64
    done(await obs.call("input.settings", {"input": "B. v1", "settings": '{"width": 32}'}))
    assert obs.get("input.B. v1.settings.width").value == 32
    done(await obs.call("item.create", {"scene": "More", "input": "Film"}))
    done(await obs.call("item.create", {"scene": "More", "input": "Film"}))
    done(await obs.set("item.More.Film 2.visible", value=False))
    assert obs.get("item.More.Film.visible").value is True
    done(await obs.call("item.remove", {"scene": "More", "input": "Film"}))
    assert "item.More.Film 2.visible" not in obs.controls()
    bright = '{"brightness": 0.25}'
    done(
        await obs.call(
            "filter.create", {"source": "Film", "filter": "C", "kind": "color_filter_v2", "settings": bright}
        )
    )
    assert obs.get("filter.Film.C.settings.brightness").value == 0.25
    assert obs.get("filter.Film.C.settings.opacity").value == 1.0
    done(await obs.set("filter.Film.C.enabled", value=False))
    done(await obs.set("filter.Film.C.settings.brightness", 0.5))
    done(await obs.call("filter.settings", {"source": "Film", "filter": "C", "settings": '{"contrast": 1}'}))
    done(await obs.call("filter.create", {"source": "Film", "filter": "G", "kind": "color_filter_v2"}))
    done(await obs.set("filter.Film.G.order", 0))
    done(await obs.call("filter.remove", {"source": "Film", "filter": "G"}))
    done(await obs.call("filter.remove", {"source": "Film", "filter": "C"}))
    assert not [name for name in obs.controls() if name.startswith("filter.")]
    # A scene makes no sound: OBS says yes to this filter and makes none.
    lie = await obs.call("filter.create", {"source": "Talk", "filter": "G", "kind": "gain_filter"})
    assert lie.kind == "unconfirmed"
    done(await obs.call("input.remove", {"input": "B. v1"}))
    done(await obs.call("scene.remove", {"scene": "More"}))
    assert not [name for name in obs.controls() if ".More." in name or ".B. v1." in name]


async def test_a_no_of_obs_is_one_sentence(hall: Hall) -> None:
    obs = hall.obs
    for action, arguments in (
        ("scene.remove", {"scene": "Nowhere"}),
        ("scene.create", {"scene": "Talk"}),
        ("input.create", {"scene": "Talk", "input": "X", "kind": "no_such_kind"}),
        ("filter.remove", {"source": "Film", "filter": "Nothing"}),
        ("transition.go", {}),
        ("record.stop", {}),
        ("replay.save", {}),
        ("virtualcam.start", {}),  # Debian's build has none
        ("record.split", {}),  # OBS 30.2
    ):
        outcome = await obs.call(action, arguments)
        assert outcome.kind == "refused", action
        assert outcome.reason.endswith("."), action
        assert "  " not in outcome.reason, outcome.reason
    assert "virtualcam.state" not in obs.controls()
    assert "record.split" not in obs.actions()
    film: dict[str, Value] = {"input": "Film"}
    for wrong in (film, {**film, "time": "x"}, {**film, "time": 1, "more": 1}):
        with pytest.raises(ValueError, match=r"time|more"):
            await obs.call("media.seek", wrong)
    with pytest.raises(ValueError, match="JSON"):
        await obs.call("input.settings", {"input": "Film", "settings": "[1]"})
    with pytest.raises(ValueError, match="goes from"):
        await obs.set("input.Film.volume", 27.0)
    with pytest.raises(ValueError, match="is one of"):
        await obs.set("transition", "Nothing")
    with pytest.raises(ValueError, match="only be read"):
        await obs.set("stats.fps", 1.0)


async def test_studio_mode_transitions_and_the_t_bar(hall: Hall) -> None:
    obs = hall.obs
    done(await obs.set("studio_mode", value=True))
    await until(lambda: "preview" in obs.controls(), "the preview")
    done(await obs.set("preview", "Holding"))
    done(await obs.call("transition.go"))
    await until(lambda: obs.get("scene").value == "Holding", "the programme")
    assert (await obs.set("tbar", 0.5)).kind == "refused"  # a cut has no length
    done(await obs.set("transition", "Fade"))
    await until(lambda: obs.get("transition.duration").source == "reported", "its length")
    done(await obs.set("transition.duration", 100))
    done(await obs.set("preview", "Talk"))
    for _push in range(5):  # an OBS that has no time for a picture lets a push slip; a hand pushes again
        done(await obs.set("tbar", 0.5))
        done(await obs.set("tbar", 1))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                while obs.get("scene").value != "Talk":  # noqa: ASYNC110 - a value has no event of its own here
                    await asyncio.sleep(0.01)
            break
    assert obs.get("scene").value == "Talk", "the T-bar is through"
    assert obs.get("preview").value == "Holding"
    done(await obs.set("transition", "Cut"))
    done(await obs.set("studio_mode", value=False))
    await until(lambda: "preview" not in obs.controls(), "no preview")


async def film(hall: Hall, folder: Path) -> None:
    """A film is cued, played and stopped."""
    obs = hall.obs
    film = folder / "film.mp4"
    picture = ffmpeg.input("testsrc2=size=160x90:rate=15", f="lavfi", t=20)
    sound = ffmpeg.input("sine=440", f="lavfi", t=20)
    ffmpeg.output(
        picture, sound, str(film), vcodec="libx264", preset="ultrafast", g=5, acodec="aac", loglevel="error"
    ).global_args("-nostdin").run()
    settings = json.dumps({"local_file": str(film), "restart_on_activate": False})
    new = {"scene": "Talk", "input": "Clip", "kind": "ffmpeg_source", "settings": settings}
    done(await obs.call("input.create", new))
    clip = {"input": "Clip"}
    await until(lambda: obs.get("input.Clip.media.state").value == "playing", "playing")
    done(await obs.call("media.pause", clip))
    assert obs.get("input.Clip.media.state").value == "paused"
    done(await obs.call("media.play", clip))
    done(await obs.call("media.seek", {**clip, "time": 8.0}))
    done(await obs.call("media.cue", {**clip, "time": 4.0}))
    length, now, rest = (obs.get(f"input.Clip.media.{what}").value for what in ("length", "time", "remaining"))
    assert isinstance(length, float)
    assert isinstance(now, float)
    assert isinstance(rest, float)
    assert length == pytest.approx(20, abs=0.2)
    assert now == pytest.approx(4, abs=0.7)
    assert rest == pytest.approx(length - now, abs=0.01)
    done(await obs.call("media.restart", clip))
    assert (await obs.call("media.next", clip)).kind == "unconfirmed"  # one file has no next
    done(await obs.call("media.stop", clip))
    assert obs.get("input.Clip.media.time").source != "reported"
    refused = await obs.call("media.seek", {**clip, "time": 1})
    assert refused.kind == "refused"
    done(await obs.call("input.remove", clip))
    slides = {"scene": "Talk", "input": "Slides", "kind": "slideshow"}
    done(await obs.call("input.create", slides))
    done(await obs.call("media.next", {"input": "Slides"}))
    done(await obs.call("media.previous", {"input": "Slides"}))
    done(await obs.call("input.remove", {"input": "Slides"}))


async def test_meters_and_stats_come_as_metered(hall: Hall) -> None:
    obs = hall.obs
    done(await obs.call("media.restart", {"input": "Film"}))
    metered: set[str] = set()
    async with hall.bus.listen(Metered) as meters:
        await until(lambda: number(obs, "input.Film.peak") > -60, "the film is heard")
        await until(lambda: obs.get("stats.fps").source == "reported", "statistics")
        async for each in meters:
            metered |= each.values.keys()
            if {"input.Film.peak", "stats.cpu", "stream.dropped"} <= metered:
                break
    assert number(obs, "stats.fps") > 1
    assert {"stats.memory", "stats.disk", "stats.missed", "stats.skipped"} <= metered


async def test_a_picture_for_a_thumbnail(hall: Hall) -> None:
    assert (await hall.obs.screenshot(width=160)).startswith(b"\xff\xd8\xff")
    assert (await hall.obs.screenshot("Slide", kind="png")).startswith(b"\x89PNG")
    with pytest.raises(DeviceError, match="Nothing"):
        await hall.obs.screenshot("Nothing")


async def recording(hall: Hall) -> None:
    """A recording, a replay, and a pause that OBS only says it makes."""
    obs = hall.obs
    done(await obs.call("record.start"))
    assert obs.get("record.state").value == "on"
    await until(lambda: obs.get("record.path").value, "its path")
    assert (await obs.call("record.start")).kind == "refused"
    pause = await obs.call("record.pause")  # of the stream's own quality: OBS says yes, and goes on
    assert pause.kind == "unconfirmed"
    assert "quality" in pause.reason
    done(await obs.call("record.stop"))
    done(await obs.call("replay.start"))
    done(await obs.call("replay.save"))
    replay = obs.get("replay.path").value
    assert isinstance(replay, str)
    done(await obs.call("replay.stop"))
    path = obs.get("record.path").value
    assert isinstance(path, str)
    assert Path(path).stat().st_size > 0 < Path(replay).stat().st_size
    async with hand(hall) as session:
        quality = {"parameterCategory": "SimpleOutput", "parameterName": "RecQuality"}
        await session.request("SetProfileParameter", **quality, parameterValue="Small")
        done(await obs.call("record.start"))
        done(await obs.call("record.pause"))
        await until(lambda: obs.get("record.state").value == "paused", "paused")
        done(await obs.call("record.resume"))
        done(await obs.call("record.stop"))
        await session.request("SetProfileParameter", **quality, parameterValue="Stream")


async def test_a_film_beside_a_recording(hall: Hall, tmp_path: Path) -> None:
    await asyncio.gather(film(hall, tmp_path), recording(hall))


async def test_a_stream_of_its_own_and_one_of_the_show(hall: Hall, tmp_path: Path) -> None:
    obs = hall.obs
    ingest = Ingest(tmp_path)
    task = asyncio.create_task(ingest.run())
    try:
        async with hand(hall) as session:
            await session.request(
                "SetStreamServiceSettings",
                streamServiceType="rtmp_custom",
                streamServiceSettings={"server": ingest.server, "key": "studio", "use_auth": False},
            )
        start = await obs.call("stream.start")  # nobody may listen yet: then OBS gives up at once
        while start.kind == "refused":
            assert "gave it up" in start.reason
            start = await obs.call("stream.start")
        done(start)
        assert obs.get("stream.state").value == "on"
        await until(lambda: ingest.size > 1000, "bytes arrive")
        done(await obs.call("stream.stop"))
        await until(lambda: not obs.streaming, "ended")
        await obs.stream_to(ingest.server, "studio")
        await until(lambda: obs.streaming, "the show's own")
        assert (await obs.call("stream.stop")).kind == "refused"
        await obs.stop_streaming()
        await until(lambda: obs.get("stream.state").value == "stopped", "ended")
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_two_hundred_commands_under_a_stalled_socket(hall: Hall) -> None:
    """The fault of obsws-python: after a timeout each reply goes to the next request."""
    obs = hall.obs
    done(await obs.set("input.Film.volume", -3.0))
    async with hall.bus.listen(LinkChanged) as links:
        async with frozen(hall.process.pid):
            sets = [obs.set("input.Film.volume", -float(number % 60)) for number in range(60)]
            sets += [obs.set(f"input.Film.track{number % 6 + 1}", value=False) for number in range(60)]
            sets += [obs.call("scene.create", {"scene": f"Never {number}"}) for number in range(40)]
            sets += [obs.call("record.start") for _number in range(40)]
            outcomes = await asyncio.gather(*sets)
            assert len(outcomes) == 200
            assert {outcome.kind for outcome in outcomes} <= {"unconfirmed", "refused", "superseded"}
            await until(lambda: not obs.link.up, "the loss is noticed")
            assert obs.get("input.Film.volume").source == "assumed"
            assert (await obs.set("input.Film.mute", value=True)).kind == "refused"
        states = [(await anext(links)).state, (await anext(links)).state]
    assert states == ["connecting", "online"]
    # What OBS then took out of the socket it may have done; what it did is what is told.
    async with hand(hall) as session:
        told = await session.request("GetInputVolume", inputName="Film")
        assert obs.get("input.Film.volume").source == "reported"
        await until(lambda: obs.get("input.Film.volume").value == told["inputVolumeDb"], "what OBS holds")
        tracks = (await session.request("GetInputAudioTracks", inputName="Film"))["inputAudioTracks"]
        assert {number: obs.get(f"input.Film.track{number}").value for number in tracks} == tracks
    if obs.get("record.state").value != "stopped":
        await obs.call("record.stop")
    for number in range(1, 7):
        done(await obs.set(f"input.Film.track{number}", value=True))


async def test_whoever_gave_up_waiting_leaves_no_answer_to_the_next(hall: Hall) -> None:
    async with hand(hall) as session:
        assert session._requests is not None
        session._requests.base_client.ws.settimeout(0.4)  # the library's own patience
        async with frozen(hall.process.pid):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await session.request("GetInputVolume", inputName="Film")
            late = asyncio.create_task(session.request("GetInputVolume", inputName="Nowhere"))
            await asyncio.wait((late,), timeout=60)  # past that patience, of which nobody hears any more
            assert late.done()
        with pytest.raises(ObsLostError):
            await late
        with pytest.raises(ObsLostError):
            await session.request("GetInputVolume", inputName="Nowhere")
    await until(lambda: hall.obs.link.up, "back")


async def test_killed_and_back_in_a_new_epoch(hall: Hall) -> None:
    obs = hall.obs
    epoch = obs.link.epoch
    assert hall.process.pid is not None
    async with hall.bus.listen(LinkChanged) as links:
        os.kill(hall.process.pid, signal.SIGKILL)
        assert (await anext(links)).state == "connecting"
        assert obs.get("input.Film.mute").source == "assumed"
        assert (await obs.call("record.start")).kind == "refused"
        with pytest.raises(DeviceError):
            await obs.screenshot()
        assert (await anext(links)).state == "online"
    assert obs.link.epoch > epoch
    assert {obs.get(name).source for name in obs.controls() if name.startswith("item.")} == {"reported"}
