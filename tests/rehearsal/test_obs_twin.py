"""The twin of OBS against the driver that knows the real one, and against nonsense."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.devices.hall import until
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from studio.bus import Bus
from studio.devices import Metered, Obs
from studio.rehearsal import ObsTwin
from studio.wire.obs import Box, Collection, Scene, Source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PASSWORD = "pod lipami"  # noqa: S105 - of a twin


@contextlib.asynccontextmanager
async def driven(twin: ObsTwin, password: str = PASSWORD) -> AsyncIterator[Obs]:
    obs = Obs("127.0.0.1", twin.port, password, Bus())
    task = asyncio.create_task(obs.run())
    try:
        yield obs
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_driver_finds_scenes_takes_them_and_builds_its_own() -> None:
    slide = Source("Slide", "colour", colour="#102030")
    soon = Source("Soon", "text", box=Box(0, 0.4, 1, 0.2), text="Zaraz zaczynamy")
    collection = Collection((Scene("Talk", (slide,)), Scene("Pause", (slide, soon))))
    async with ObsTwin(PASSWORD) as twin, driven(twin) as obs:
        await until(lambda: obs.link.state == "online", "online")
        assert list(obs.scenes) == ["Talk", "Holding"]
        assert (await obs.take("Holding")).kind == "confirmed"
        assert twin.value("scene") == "Holding"
        assert (await obs.take("Nowhere")).kind == "refused"
        twin.hand("scene", "Talk")
        await until(lambda: obs.scene == "Talk", "a click in OBS is seen")
        await obs.apply(collection)
        assert sorted(obs.scenes) == ["Holding", "Pause", "Talk"]
        orders = [request for request in twin.asked if request.startswith(("Set", "Create"))]
        await obs.apply(collection)
        assert [request for request in twin.asked if request.startswith(("Set", "Create"))] == orders


async def test_what_bears_the_name_of_something_that_is_gone_is_asked_anew() -> None:
    async with ObsTwin(PASSWORD) as twin, driven(twin) as obs:
        await until(lambda: obs.link.state == "online", "online")
        name = next(name for name in obs.controls() if name.startswith("item.Talk.") and name.endswith(".visible"))
        source = name.split(".")[2]
        twin.hand(name, value=False)
        await until(lambda: obs.get(name).value is False, "it is hidden")
        item = twin.world.ask("GetSceneItemId", {"sceneName": "Talk", "sourceName": source})
        twin.world.ask("RemoveSceneItem", {"sceneName": "Talk", **item})
        twin.world.ask("CreateSceneItem", {"sceneName": "Talk", "sourceName": source})
        await until(lambda: obs.get(name).value is True, "the new one is not")
        assert obs.get(name).source == "reported"


@pytest.mark.parametrize("kind", ["stream", "record", "replay", "virtualcam"])
async def test_what_is_confirmed_and_what_is_told_of_an_output_agree(kind: str) -> None:
    """Also where OBS's event of it comes late, or never."""
    async with ObsTwin(PASSWORD) as twin, driven(twin) as obs:
        await until(lambda: obs.link.state == "online", "online")
        tell = twin.world.tell

        def lazy(name: str, data: dict[str, Any]) -> None:
            if not str(data.get("outputState")).endswith(("STARTED", "STOPPED")):
                tell(name, data)

        twin.world.tell = lazy
        for verb, state in (("start", "on"), ("stop", "stopped")):
            assert (await obs.call(f"{kind}.{verb}")).kind == "confirmed"
            known = obs.get(f"{kind}.state")
            assert (known.value, known.source) == (state, "reported")


async def test_levels_come_while_somebody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.devices._ground.known.METER_AGE", 0.3)
    monkeypatch.setattr("studio.devices._ground.known.ATTENDED", 0.3)
    async with ObsTwin(PASSWORD) as twin, driven(twin) as obs:
        await until(lambda: obs.link.state == "online", "online")
        assert obs.peek("input.Mic.peak").source == "unknown"
        async with obs.bus.listen(Metered) as meters:
            async for each in meters:
                if "input.Mic.peak" in each.values:
                    break
            epoch = obs.link.epoch
        await until(lambda: obs.peek("input.Mic.peak").source == "assumed", "nobody listens any more")
        await until(lambda: obs.get("input.Mic.peak").source == "reported", "somebody reads it")
        assert obs.link.epoch == epoch, "the connection stands all the while"


async def test_another_collection_is_asked_for_all_it_holds() -> None:
    async with ObsTwin(PASSWORD) as twin, driven(twin) as obs:
        await until(lambda: obs.link.state == "online", "online")
        mute = next(name for name in obs.controls() if name.endswith(".mute"))
        assert obs.get(mute).value is False
        tell, twin.world.tell = twin.world.tell, lambda *_event: None  # OBS loads sources without a word of them
        twin.hand(mute, value=True)
        twin.world.tell = tell
        tell("CurrentSceneCollectionChanged", {"sceneCollectionName": "Other"})
        await until(lambda: obs.get(mute).value is True, "what the other collection says")
        assert obs.get(mute).source == "reported"
        assert obs.link.state == "online"


async def test_a_wrong_password_is_refused() -> None:
    async with ObsTwin(PASSWORD) as twin, driven(twin, "guessed") as obs:
        await until(lambda: obs.link.state == "refused", "refused")


async def test_it_is_back_with_other_scenes_after_a_reboot() -> None:
    async with ObsTwin(PASSWORD) as twin, driven(twin) as obs:
        await until(lambda: obs.link.state == "online", "online")
        epoch = obs.link.epoch
        twin.reboot({"scene": "Holding"})
        await until(lambda: obs.link.epoch > epoch and obs.link.up, "back")
        assert twin.value("scene") == obs.scene


async def test_what_it_does_not_know_it_says() -> None:
    async with ObsTwin() as twin, connect(f"ws://127.0.0.1:{twin.port}") as socket:
        assert "authentication" not in json.loads(await socket.recv())["d"]
        await socket.send(json.dumps({"op": 1, "d": {"rpcVersion": 1, "eventSubscriptions": 1 << 16}}))
        assert json.loads(await socket.recv())["op"] == 2
        codes = []
        for request, data in (("Fly", {}), ("SetInputMute", {}), ("SetInputMute", {"inputName": 7}), ("GetStats", {})):
            await socket.send(
                json.dumps({"op": 6, "d": {"requestType": request, "requestId": "1", "requestData": data}})
            )
            while (answer := json.loads(await socket.recv()))["op"] != 7:
                assert answer["d"]["eventType"] == "InputVolumeMeters"
            codes.append(answer["d"]["requestStatus"]["code"])
        assert codes == [204, 300, 400, 100]


@pytest.mark.parametrize(("said", "code"), [("nonsense", 4002), ('{"op": 6, "d": {}}', 4007), ('{"op": 1}', 4002)])
async def test_nonsense_is_hung_up_on(said: str, code: int) -> None:
    async with ObsTwin() as twin, connect(f"ws://127.0.0.1:{twin.port}") as socket:
        await socket.recv()
        await socket.send(said)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code
