"""What keeps viewers from seeing a jerk, and what the house calls its presets."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING

import pytest
from tests.devices.cameras import QUICK, connected, model, told
from tests.devices.hall import played, until

from studio.devices._camera.album import Album
from studio.devices._camera.guard import ASK_TWICE, GESTURE, Guard
from studio.errors import DeviceError
from studio.rehearsal import CameraTwin

if TYPE_CHECKING:
    from pathlib import Path

    from studio.devices import Value, ViscaModel

JPEG = b"\xff\xd8\xff\xe0 a very small picture \xff\xd9"


@pytest.fixture(scope="module", name="raw")
def raw_model() -> ViscaModel:
    return dataclasses.replace(
        model("generic-visca"), white_balance={"auto": 0, "one push": 3}, exposure={}, focus=None
    )


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for constant, seconds in QUICK.items():
        monkeypatch.setattr(constant, seconds)


# ── the guard itself: time is handed in ───────────────────────────────────────────────────────────────────────────────


def test_off_air_nothing_is_refused() -> None:
    guard = Guard()
    assert not guard.refuses("preset 1", 0.0)


def test_on_air_the_same_call_again_is_meant() -> None:
    guard = Guard()
    guard.on_air = True
    assert guard.refuses("preset 1", 0.0)
    assert not guard.refuses("preset 1", 0.1)
    assert guard.refuses("preset 1", 0.2), "each time anew"
    assert guard.refuses("preset 2", 0.3), "another call is another call"
    assert guard.refuses("preset 1", 0.4)
    assert guard.refuses("preset 1", 0.5 + ASK_TWICE), "too late"
    assert not guard.refuses("preset 9", 9.0, anyway=True)


def test_a_held_stick_is_no_second_asking() -> None:
    guard = Guard()
    guard.on_air = True
    for step in range(50):
        assert guard.refuses("move", step * 0.2, held=True)
    again = 49 * 0.2 + GESTURE + 0.1
    assert not guard.refuses("move", again, held=True), "let go and taken again"
    for step in range(50):
        assert not guard.refuses("move", again + step * 0.2, held=True)
    assert guard.refuses("move", again + 49 * 0.2 + GESTURE + 0.1, held=True), "and once more, later"


def test_who_comes_on_air_anew_is_asked_anew() -> None:
    guard = Guard()
    guard.on_air = True
    assert guard.refuses("home", 0.0)
    guard.on_air = False
    guard.on_air = True
    assert guard.refuses("home", 0.1)


# ── in the driver, so that every way meets it ─────────────────────────────────────────────────────────────────────────


JERKS: tuple[tuple[str, dict[str, Value], str], ...] = (
    ("preset.recall", {"preset": 1}, "preset"),
    ("move", {"pan": 0.9, "tilt": 0}, "pan_tilt.drive"),
    ("zoom", {"speed": -1}, "zoom.drive"),
    ("home", {}, "pan_tilt.home"),
    ("position", {"pan": 5}, "pan_tilt.to"),
    ("set pan", {"value": 5.0}, "pan_tilt.to"),
    ("set power", {"value": False}, "power"),
)


async def test_a_jerk_on_air_is_asked_twice(raw: ViscaModel) -> None:
    async def scene(action: str, arguments: dict[str, Value], command: str) -> None:
        async with CameraTwin(raw) as twin, connected(twin) as camera:
            camera.on_air = True

            async def ask() -> str:
                if action.startswith("set "):
                    return (await camera.set(action.removeprefix("set "), arguments["value"])).kind
                return (await camera.call(action, arguments)).kind

            assert await ask() == "refused"
            assert not told(twin, command)
            await asyncio.sleep(GESTURE)
            assert await ask() == "confirmed"
            assert told(twin, command)

    await played(scene, *JERKS)


async def test_what_may_be_seen_is_done_at_once(raw: ViscaModel) -> None:
    async with CameraTwin(raw) as twin, connected(twin) as camera:
        camera.on_air = True
        assert (await camera.call("move", {"pan": 0.2, "tilt": 0.1})).kind == "confirmed"
        assert (await camera.call("stop")).kind == "confirmed"
        assert (await camera.call("preset.recall", {"preset": 1, "anyway": True})).kind == "confirmed"
        refused = await camera.call("home")
        assert refused.kind == "refused"
        assert "on air" in refused.reason
        camera.on_air = False
        assert (await camera.call("home")).kind == "confirmed"


# ── names and pictures ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_preset_has_a_name_and_a_picture(raw: ViscaModel, tmp_path: Path) -> None:
    async def picture() -> bytes:
        return JPEG

    async with CameraTwin(raw) as twin, connected(twin, folder=tmp_path) as camera:
        camera.picture = picture
        assert (await camera.call("preset.save", {"preset": 1, "name": "Scena"})).kind == "confirmed"
        kept = camera.preset_picture(1)
        assert kept
        assert kept.read_bytes() == JPEG
        assert kept.parent == tmp_path / "presets" / "cameras"
        assert (await camera.set("preset1.name", "Žiūrovai")).kind == "confirmed"
        assert Album(tmp_path, "stage").names == {1: "Žiūrovai"}
        assert (await camera.call("preset.clear", {"preset": "žiūrovai"})).kind == "confirmed"
        assert camera.preset_picture(1) is None
        assert not Album(tmp_path, "stage").names


async def test_a_picture_that_does_not_come_costs_no_preset(
    raw: ViscaModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.devices._camera.camera.PICTURE_DEADLINE", 0.2)

    async def scene(trouble: str) -> None:
        async def picture() -> bytes | None:
            if trouble == "late":
                await asyncio.sleep(60)
            if trouble == "broken":
                raise DeviceError("OBS is not there.")
            return b"no JPEG" if trouble == "junk" else None

        async with CameraTwin(raw) as twin, connected(twin, folder=tmp_path / trouble) as camera:
            camera.picture = picture
            assert (await camera.call("preset.save", {"preset": 3})).kind == "confirmed"
            assert camera.preset_picture(3) is None
            assert (await camera.call("preset.picture", {"preset": 3})).kind == "refused"

    await played(scene, ("none",), ("junk",), ("late",), ("broken",))


def test_a_spoilt_album_is_set_aside(tmp_path: Path) -> None:
    Album(tmp_path, "left").call(1, "Lectern")
    file = tmp_path / "presets" / "cameras" / "left.json"
    file.write_text("{")
    assert not Album(tmp_path, "left").names
    assert file.with_suffix(".broken").read_text() == "{"


def test_two_cameras_alike_keep_apart(tmp_path: Path) -> None:
    for name in ("cam 1", "cam/1", "cam-1", "../cam"):
        Album(tmp_path, name).call(1, name)
    assert [Album(tmp_path, name).names[1] for name in ("cam 1", "cam/1", "cam-1", "../cam")] == [
        "cam 1",
        "cam/1",
        "cam-1",
        "../cam",
    ]
    assert len(list((tmp_path / "presets" / "cameras").iterdir())) == 4


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "presets").write_text("in the way")
    with pytest.raises(DeviceError, match="cannot be written"):
        Album(tmp_path, "left").call(1, "Lectern")


async def test_one_push_white_balance_is_confirmed(raw: ViscaModel) -> None:
    async with CameraTwin(raw) as twin, connected(twin) as camera:
        assert (await camera.call("white_balance.trigger")).kind == "confirmed"
        await until(lambda: told(twin, "white_balance.trigger"), "it was told")
