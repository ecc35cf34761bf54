"""The driver against the real OBS; one OBS for all tests, each of which finds it well and leaves it well."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from tests.devices.hall import Hall, Ingest, frozen, needs, until
from tests.ports import free_port

from studio.app import obs_scenes
from studio.bus import Bus
from studio.devices import Kept, Obs, said
from studio.devices._obs.build import build
from studio.devices._obs.session import Session
from studio.errors import DeviceError
from studio.events import LinkChanged, SceneTaken
from studio.venue import read
from studio.wire.obs import Box, Collection, Scene, Source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    needs("obs", "Xvfb", "ffmpeg")
    async with Hall(tmp_path_factory.mktemp("hall")).open() as hall:
        yield hall


@contextlib.asynccontextmanager
async def running(work: Obs | Ingest) -> AsyncIterator[None]:
    task = asyncio.create_task(work.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_scenes_are_built_once_and_found_the_second_time(hall: Hall) -> None:
    await hall.obs.apply(hall.collection)
    assert hall.obs.scenes == ("Talk", "Holding")
    session = await Session.open(hall.obs.host, hall.obs.port, hall.process.password)
    try:
        assert (await build(session.request, hall.collection)).changes == ()
        items = await session.request("GetSceneItemList", sceneName="Talk")
        assert [item["sourceName"] for item in items["sceneItems"]] == ["Film", "Name"]
    finally:
        await session.close()


async def test_what_others_made_stays_and_a_changed_text_is_set(hall: Hall) -> None:
    session = await Session.open(hall.obs.host, hall.obs.port, hall.process.password)
    try:
        await session.request("CreateScene", sceneName="By hand")
        other = Source("Name", "text", box=Box(0.05, 0.75, 0.9, 0.1), text="Jonas Žemaitis", align="left")
        film, _name = hall.collection.scenes[0].sources
        changed = Collection((Scene("Talk", (film, other)), hall.collection.scenes[1]), 640, 360, 15)
        await hall.obs.apply(changed)
        await until(lambda: "By hand" in hall.obs.scenes, "the scene made by hand is seen")
        reported = await session.request("GetInputSettings", inputName="Name")
        assert reported["inputSettings"]["text"] == "Jonas Žemaitis"
    finally:
        await hall.obs.apply(hall.collection)
        await session.request("RemoveScene", sceneName="By hand")
        await session.close()


async def sources(session: Session, scene: str) -> list[str]:
    items = await session.request("GetSceneItemList", sceneName=scene)
    return [item["sourceName"] for item in items["sceneItems"]]


async def test_a_source_that_a_hand_removed_stays_away_until_it_is_taken_back(hall: Hall) -> None:
    await hall.obs.apply(hall.collection)
    session = await Session.open(hall.obs.host, hall.obs.port, hall.process.password)
    try:
        await hall.obs.take("Talk")  # OBS lets go of a removed source when it draws its scene
        await session.request("RemoveInput", inputName="Film")
        async with asyncio.timeout(60):  # OBS answers before it has taken the source out of its scene
            while "Film" in await sources(session, "Talk"):  # noqa: ASYNC110 - it tells nobody when
                await asyncio.sleep(0.02)
        async with hall.bus.listen(Kept) as kept:
            await hall.obs.apply(hall.collection)
            assert '"Film" was taken out of the scene "Talk" by hand' in (await anext(kept)).sentences[0]
        assert await sources(session, "Talk") == ["Name"]
        await hall.obs.apply(hall.collection, take_back={"Film"})
        assert await sources(session, "Talk") == ["Film", "Name"]
    finally:
        await session.close()


async def test_what_a_hand_changed_is_planned_kept_and_taken_back(hall: Hall) -> None:
    await hall.obs.apply(hall.collection)
    session = await Session.open(hall.obs.host, hall.obs.port, hall.process.password)
    try:
        await session.request("SetInputSettings", inputName="Soon", inputSettings={"text": "by hand"})
        items = await session.request("GetSceneItemId", sceneName="Holding", sourceName="Soon")
        place = {"sceneName": "Holding", "sceneItemId": items["sceneItemId"]}
        await session.request("SetSceneItemTransform", **place, sceneItemTransform={"positionY": 7})
        changed = replace(hall.collection, scenes=(hall.collection.scenes[0], Scene("Other")))
        for _again in range(2):  # a plan does nothing
            planned = await hall.obs.plan(changed)
            assert [(each.kind, each.what, each.scene, each.why) for each in planned.changes] == [
                ("make", "scene", "Other", ""),
                ("kept", "scene", "Holding", "left"),
            ]
        kept = await hall.obs.apply(hall.collection)
        assert kept is not None
        assert kept.todo == ()
        assert [(each.what, each.source, *each.values) for each in kept.kept] == [
            ("source", "Soon", "text"),
            ("item", "Soon", "positionY"),
        ]
        # Another connection, as of the command line or of tomorrow's show, knows it from OBS itself.
        assert (await build(session.request, hall.collection)).kept == kept.kept
        assert (await hall.obs.set("input.Soon.text", "again")).kind == "confirmed"
        back = await hall.obs.apply(hall.collection, take_back={"Holding", "Soon"})
        assert back is not None
        assert back.kept == ()
        assert (await build(session.request, hall.collection)).changes == ()
        text = (await session.request("GetInputSettings", inputName="Soon"))["inputSettings"]["text"]
        assert text == "Zaraz zaczynamy"
        smaller = replace(hall.collection, scenes=hall.collection.scenes[:1])
        await hall.obs.take("Holding")
        on_air = await hall.obs.apply(smaller)
        assert on_air is not None
        assert [(each.what, each.scene, each.why) for each in on_air.kept] == [("scene", "Holding", "on air")]
        await hall.obs.take("Talk")
        await hall.obs.apply(smaller)
        assert hall.obs.scenes == ("Talk",)
    finally:
        await hall.obs.apply(hall.collection)
        await session.close()


async def test_the_command_line_plans_applies_and_takes_back(
    hall: Hall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_OBS_PASSWORD", hall.process.password)
    file = tmp_path / "studio.toml"
    file.write_text(f'[show]\nscenes = "two"\n[obs]\nhost = "{hall.obs.host}"\nport = {hall.obs.port}\n')
    (tmp_path / "scenes").mkdir()
    scenes = tmp_path / "scenes" / "two.yaml"
    scenes.write_text('scenes:\n  - name: Pause\n    sources:\n      - {fill: "#102030", name: Ground}\n')
    venue = read(file)
    command = [sys.executable, "-m", "studio", "obs", "plan", "--venue", str(file)]
    process = await asyncio.create_subprocess_exec(*command, "--json", stdout=asyncio.subprocess.PIPE)
    told = json.loads((await process.communicate())[0])
    assert process.returncode == 0
    assert [(each["kind"], each["what"]) for each in told["changes"]] == [
        ("make", "scene"),
        ("make", "source"),
        ("make", "item"),
    ]
    assert (await obs_scenes(venue, None, None, do=True)).kept == ()
    await until(lambda: "input.Ground.settings.color" in hall.obs.controls(), "the source is known")
    assert (await hall.obs.set("input.Ground.settings.color", 0xFF0000FF)).kind == "confirmed"
    kept = (await obs_scenes(venue, None, None, do=True)).kept
    assert [said(each) for each in kept] == ['"Ground" was changed by hand in OBS (color); it stays so.']
    assert (await obs_scenes(venue, None, None, do=True, take_back=["Ground"])).kept == ()
    with pytest.raises(DeviceError, match='neither a scene nor a source "Nothing"'):
        await obs_scenes(venue, None, None, do=True, take_back=["Nothing"])
    scenes.write_text("scenes:\n  - name: Talk\n")
    assert [(each.kind, each.what) for each in (await obs_scenes(venue, None, None, do=True)).todo] == [
        ("remove", "scene")
    ]


async def test_a_source_of_another_kind_under_our_name_is_not_touched(hall: Hall) -> None:
    clash = Collection((Scene("Talk", (Source("Name", "colour"),)),), 640, 360, 15)
    with pytest.raises(DeviceError, match="another kind"):
        await hall.obs.apply(clash)
    await hall.obs.apply(hall.collection)


async def test_a_take_is_confirmed_by_obs_alone(hall: Hall) -> None:
    await hall.obs.apply(hall.collection)
    async with hall.bus.listen(SceneTaken) as taken:
        assert (await hall.obs.take("Holding")).kind == "confirmed"
        assert (await anext(taken)).scene == "Holding"
        assert (await hall.obs.take("Talk")).kind == "confirmed"
    refused = await hall.obs.take("Nowhere")
    assert refused.kind == "refused"
    assert "Nowhere" in refused.reason
    first, second = await asyncio.gather(hall.obs.take("Holding"), hall.obs.take("Talk"))
    assert second.kind == "confirmed"
    assert first.kind in ("confirmed", "superseded")
    assert hall.obs.scene == "Talk"


async def test_a_click_in_obs_takes_the_same_road(hall: Hall) -> None:
    await hall.obs.apply(hall.collection)
    await hall.obs.take("Talk")
    session = await Session.open(hall.obs.host, hall.obs.port, hall.process.password)
    try:
        async with hall.bus.listen(SceneTaken) as taken:
            await session.request("SetCurrentProgramScene", sceneName="Holding")
            assert (await anext(taken)).scene == "Holding"
        assert hall.obs.scene == "Holding"
    finally:
        await session.close()


async def test_killed_obs_is_back_with_scenes_scene_and_stream(hall: Hall, tmp_path: Path) -> None:
    await hall.obs.apply(hall.collection)
    await hall.obs.take("Holding")
    ingest = Ingest(tmp_path)
    await hall.obs.stream_to(ingest.server, "studio")  # before anybody listens there
    async with running(ingest), hall.bus.listen(LinkChanged) as changes:
        await until(lambda: hall.obs.streaming, "streaming")
        await until(lambda: ingest.size > 10_000, "bytes arrive")
        assert hall.process.pid is not None
        os.kill(hall.process.pid, signal.SIGKILL)
        lost, back = await anext(changes), await anext(changes)
        assert (lost.state, back.state) == ("connecting", "online")
        assert "Is it running" in lost.detail
        await until(lambda: hall.obs.streaming, "streaming again")
        await until(lambda: ingest.size > 10_000, "bytes arrive again")
        assert hall.obs.scene == "Holding"
        assert ingest.process is not None
        ingest.process.kill()
        await until(lambda: not hall.obs.streaming, "the lost server is noticed")
        await until(lambda: hall.obs.streaming, "streaming to the server that came back")
        await hall.obs.stop_streaming()
        await until(lambda: not hall.obs.streaming, "not streaming")


async def test_a_stopped_obs_is_not_online_and_nothing_counts_as_done(hall: Hall) -> None:
    await hall.obs.apply(hall.collection)
    await hall.obs.take("Talk")
    async with hall.bus.listen(LinkChanged) as changes:
        async with frozen(hall.process.pid):
            outcomes = await asyncio.gather(*(hall.obs.take("Holding") for _ in range(20)))
            assert {outcome.kind for outcome in outcomes} <= {"unconfirmed", "refused", "superseded"}
            assert (await anext(changes)).state == "connecting"
            assert (await hall.obs.take("Holding")).kind == "refused"
        assert (await anext(changes)).state == "online"
    await hall.obs.take("Talk")
    assert hall.obs.scene == "Talk"


async def test_without_its_screen_obs_comes_back_on_a_new_one(hall: Hall) -> None:
    if hall.process.screen_pid is None:
        pytest.skip("this machine has a screen of its own, which no test takes away")
    async with hall.bus.listen(LinkChanged) as changes:
        os.kill(hall.process.screen_pid, signal.SIGKILL)
        assert (await anext(changes)).state == "connecting"
        assert (await anext(changes)).state == "online"


async def test_a_wrong_password_is_refused_and_never_told(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    obs = Obs(hall.obs.host, hall.obs.port, "not-the-password", Bus(), "second")
    async with running(obs):
        await until(lambda: obs.link.state == "refused", "refused")
        assert "password_env" in obs.link.detail
        assert (await obs.take("Talk")).reason == obs.link.detail
    assert obs.link.state == "off"
    assert "not-the-password" not in caplog.text + repr(obs) + repr(obs.link)
    assert hall.process.password not in caplog.text + repr(hall.process) + " ".join(hall.process._obs.child.command)
    for file in hall.process._folder.rglob("*"):
        if file.is_file() and hall.process.password.encode() in file.read_bytes():
            assert (hall.process._folder / "config").stat().st_mode & 0o077 == 0
            assert hall.process._folder / "config" in file.parents


async def test_an_absent_obs_is_said_once() -> None:
    calls = 0

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        writer.close()
        await writer.wait_closed()

    obs = Obs("127.0.0.1", free_port(), "", bus := Bus())
    async with bus.listen(LinkChanged) as changes, running(obs):
        assert (await anext(changes)).detail == ""
        said = await anext(changes)
        assert said.state == "connecting"
        assert "WebSocket server" in said.detail
        assert (await obs.take("Talk")).kind == "refused"
        async with await asyncio.start_server(hang_up, obs.host, obs.port):
            await until(lambda: calls >= 3, "called again, and again in vain")
        assert not changes._waiting


@pytest.mark.parametrize("junk", [b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
async def test_somebody_else_at_the_port_is_no_obs(junk: bytes, recwarn: pytest.WarningsRecorder) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(junk)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        obs = Obs("127.0.0.1", server.sockets[0].getsockname()[1], "x", Bus())
        async with running(obs):
            await until(lambda: "does not answer" in obs.link.detail, "said")
    assert not recwarn.list


async def test_a_text_source_follows_what_is_said(hall: Hall) -> None:
    await hall.obs.apply(hall.collection)
    session = await Session.open(hall.obs.host, hall.obs.port, hall.process.password)
    told: list[str] = []

    async def shown() -> str:
        reported = await session.request("GetInputSettings", inputName="Name")
        text: str = reported["inputSettings"]["text"]
        return text

    try:
        for number in range(100):  # faster than anybody reads: only the newest has to come
            hall.obs.set_text("Name", f"line {number}\nZażółć gęślą jaźń", told.append)
        await until(lambda: told, "told")
        for _look in range(1000):
            if await shown() == "line 99\nZażółć gęślą jaźń":
                break
            await asyncio.sleep(0.05)
        assert await shown() == "line 99\nZażółć gęślą jaźń"
        assert len(told) < 10
        assert set(told) == {""}
        assert (await hall.obs.take("Talk")).kind == "confirmed"
        hall.obs.set_text("Nowhere", "a", told.append)
        await until(lambda: 'no text source "Nowhere"' in told[-1], "refused")
        hall.obs.set_text("Film", "a", told.append)
        await until(lambda: "shows no text" in told[-1], "a film is no text")
        assert hall.obs.link.up
    finally:
        await session.close()
        hall.obs.set_text("Name", "", told.append)
        await until(lambda: told[-1] == "", "empty again")


async def test_a_text_waits_for_an_obs_that_was_killed(hall: Hall) -> None:
    told: list[str] = []
    async with hall.bus.listen(LinkChanged) as changes:
        assert hall.process.pid is not None
        os.kill(hall.process.pid, signal.SIGKILL)
        assert (await anext(changes)).state == "connecting"
        hall.obs.set_text("Name", "said while it was away", told.append)
        assert (await anext(changes)).state == "online"
    await until(lambda: told == [""], "shown once it is back")
