"""The pretend hall: its twins are found where its studio.toml says, and what its script says happens."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from tests.devices.hall import until

from studio.app import HouseDevices, obs_scenes
from studio.bus import Bus
from studio.catalogue import Catalogue
from studio.devices import open_devices
from studio.errors import DrawerError, StudioError
from studio.rehearsal import PretendHall, Rehearsal, Step, play, pretended, read_rehearsal, venue_file
from studio.venue import Venue, read

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", Catalogue().names("presets/rehearsal"))
def test_the_shipped_ones_are_right(name: str) -> None:
    said = read_rehearsal(name, Catalogue())
    assert said.devices or said.faults


async def test_a_house_finds_its_twins_and_is_sent_nowhere(tmp_path: Path) -> None:
    own = tmp_path / "studio.toml"
    own.write_text(
        dedent("""\
        name = "Pod \\"Lipami\\""
        [captions]
        youtube = "STUDIO_YOUTUBE_CAPTIONS"
        [obs]
        use = "start"
        host = "10.0.0.9"
        [[devices]]
        name = "foh"
        hardware = "behringer-x32"
        host = "10.0.0.5"
        [[destinations]]
        name = "YouTube"
        preset = "youtube"
        key_env = "STUDIO_YOUTUBE_KEY"
        """),
        encoding="utf-8",
    )
    async with PretendHall(read(own), Catalogue(tmp_path)).open() as hall:
        file = tmp_path / "rehearsal.toml"
        with venue_file(hall, file):
            venue = read(file)
            with pytest.raises(DrawerError, match="a rehearsal that runs"), venue_file(hall, file):
                pass
        assert not file.exists()
        assert venue.name == 'Pod "Lipami"'
        assert venue.captions.youtube is None
        assert venue.destinations == ()
        assert (venue.obs.use, venue.obs.host) == ("find", "127.0.0.1")
        (desk,) = open_devices(venue.devices, Catalogue(tmp_path), Bus())
        running = asyncio.create_task(desk.run())
        await until(lambda: desk.link.up, "the pretend desk is found")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_changed_file_stays_and_what_a_killed_rehearsal_left_does_not(tmp_path: Path) -> None:
    file = tmp_path / "rehearsal.toml"
    async with PretendHall(pretended(Venue(), Rehearsal()), Catalogue()).open() as hall:
        with venue_file(hall, file):
            left = file.read_text("utf-8")
        file.write_text(left, "utf-8")  # nobody holds it any more
        with venue_file(hall, file):
            assert file.read_text("utf-8") == left
            file.write_text(left + "# mine\n", encoding="utf-8")
        assert file.read_text("utf-8").endswith("# mine\n")
        with pytest.raises(DrawerError, match="not overwritten"), venue_file(hall, file):
            pass


async def test_in_the_shipped_hall_scenes_are_built_and_cameras_guarded(tmp_path: Path) -> None:
    house = pretended(Venue(), read_rehearsal("hall", Catalogue()))
    async with PretendHall(house, Catalogue()).open() as hall:
        file = tmp_path / "rehearsal.toml"
        with venue_file(hall, file):
            venue = read(file)
        planned = await obs_scenes(venue, None, None, do=True, patience=30.0)
        made = {each.scene for each in planned.changes if (each.kind, each.what) == ("make", "scene")}
        assert made == {"Hall", "Both"}, "the twin has the others already"
        assert not (await obs_scenes(venue, None, None, do=False, patience=30.0)).todo
        async with HouseDevices(venue).open(["stage", "hall"]) as opened:
            assert await opened.there(30.0) == {}
            seen = {name: getattr(device, "on_air", None) for name, device in opened.devices.items()}
        assert seen == {"stage": True, "hall": False}


async def test_pads_without_a_twin_stay_in_the_file_for_what_names_them() -> None:
    house = pretended(Venue(), read_rehearsal("hall", Catalogue()))
    async with PretendHall(house, Catalogue()).open() as hall:
        assert 'name = "pads"' in hall.toml(), "there or not: this machine may have MIDI"


async def test_a_script_is_played_and_undone_one_by_one() -> None:
    house = pretended(Venue(), read_rehearsal("hall", Catalogue()))
    async with PretendHall(house, Catalogue()).open() as hall:
        desk = hall.puts["desk"]
        script = (
            Step(0.0, "hand", device="desk", control="main.mute", value=True),
            Step(0.0, "deaf", device="desk", lasts=0.1),
            Step(0.0, "late", device="desk", lasts=0.3, seconds=0.05),
            Step(0.0, "hand", device="desk", control="no.such", value=True),
        )
        playing = asyncio.create_task(play(script, hall.puts))
        await until(lambda: desk.gate and desk.gate.faults == "deaf, late", "both at once")
        await until(lambda: desk.gate and desk.gate.faults == "late", "one of them over")
        await playing
        assert desk.gate
        assert desk.gate.faults == ""
        assert desk.twin.value("main.mute") is True


async def test_a_reboot_and_an_unplugged_cable() -> None:
    house = pretended(Venue(), read_rehearsal("hall", Catalogue()))
    async with PretendHall(house, Catalogue()).open() as hall:
        desk, obs = hall.puts["desk"], hall.puts["obs"]
        desk.twin.hand("main.mute", value=True)
        script = (
            Step(0.0, "reboot", device="desk", lasts=0.0, values={"dca1.mute": True}),
            Step(0.0, "unplugged", device="obs", lasts=0.1),
        )
        playing = asyncio.create_task(play(script, hall.puts))
        await until(lambda: obs.wrong == "unplugged", "unplugged")
        await playing
        assert obs.wrong == ""
        assert (desk.twin.value("main.mute"), desk.twin.value("dca1.mute")) == (False, True)


async def test_a_script_for_nobody_is_named() -> None:
    async with PretendHall(pretended(Venue(), Rehearsal()), Catalogue()).open() as hall:
        with pytest.raises(StudioError, match='did you mean "obs"'):
            hall.check(Rehearsal(faults=(Step(0.0, "deaf", device="abs"),)))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{ at: 3, fault: daef }", 'line 2.*did you mean "deaf"'),
        ("{ at: 3, fault: hand, control: main.mute }", "line 2.*value"),
        ("{ at: 3, fault: loss, pattern: [false] }", "line 2.*true"),
        ("{ at: -1, fault: deaf }", "line 2"),
    ],
)
def test_a_wrong_script_is_named_with_its_line(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "script.yaml"
    file.write_text(f"faults:\n  - {line}\n", encoding="utf-8")
    with pytest.raises(DrawerError, match=says):
        read_rehearsal(str(file), Catalogue())


def test_the_command_comes_up_and_goes_clean(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "studio", "rehearse", "--hall", "hall", "--faults", "rough-evening"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        first = process.stdout.readline()
        assert (tmp_path / "rehearsal.toml").exists()
        process.send_signal(signal.SIGINT)
        told, _nothing = process.communicate(timeout=60)
    assert process.returncode == 0, first + told
    assert not (tmp_path / "rehearsal.toml").exists()
    assert "obs" in told
    assert "Traceback" not in told


def test_a_rehearsal_without_obs() -> None:
    assert pretended(Venue(), dataclasses.replace(Rehearsal(), obs=False)).obs.use == "off"
