"""Destinations of an evening: what the relay is told, on paper and on the air, and what people see of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from typing import TYPE_CHECKING, Any

import msgspec
import psutil
import pytest
from tests.app.conftest import ffmpeg

from studio import media
from studio.app import House, Sent, Wish, plan_evening
from studio.app._destinations import Destinations
from studio.app._report import Report
from studio.app._summary import sum_up
from studio.bridge import Line, answer
from studio.catalogue import Catalogue
from studio.errors import SecretError, ShowError
from studio.events import (
    AddDestination,
    AnyMessage,
    Destination,
    OutputReport,
    OutputState,
    RelayReport,
    RemoveDestination,
    Subscribe,
    Welcome,
)
from studio.keys import KeySource
from studio.media._leave import destination as media_destinations
from studio.show import Outlet, State
from studio.units import Ms, ShowClock
from studio.venue import DestinationSettings, ShowSettings, Venue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.app.technician import Studio

SECRET = "abcd-efgh-hunter2"  # noqa: S105 - it opens nothing
VENUE = Venue(
    destinations=(
        DestinationSettings("YouTube", "youtube", key_env="TEST_YOUTUBE_KEY"),
        DestinationSettings("Next door", address="srt://127.0.0.1:9", on=False),
        DestinationSettings("Disk", "file", "{show}.ts", on=False),
    )
)
YOUTUBE = Destination("YouTube", "rtmp", "rtmps://a.rtmps.youtube.com:443/live2", SECRET)
NEXT_DOOR = Destination("Next door", "srt", "srt://127.0.0.1:9")


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_YOUTUBE_KEY", SECRET)


def reported(*outputs: OutputReport, phase: Any = "on air") -> RelayReport:  # noqa: ANN401 - one of its own words
    return RelayReport("online", "", 640, 360, 25.0, 10, 10, 0, None, None, 0, 0, 0, outputs, phase)


def output(name: str, state: OutputState = "on air", detail: str = "", *, destination: bool = True) -> OutputReport:
    return OutputReport(name, state, detail, 1_000_000, destination, 2900, 4, 2)


# ── before the show ───────────────────────────────────────────────────────────────────────────────────────────────────


def planned(tmp_path: Path, *to: str) -> tuple[Destination, ...]:
    wish = Wish(input="listen", out=tmp_path / "evening", captions=False, to=to)
    return plan_evening(VENUE, Catalogue(None), wish).relay.destinations


def test_those_that_are_on_stand_in_the_plan(tmp_path: Path) -> None:
    assert planned(tmp_path) == (YOUTUBE,)


def test_the_command_line_chooses_others(tmp_path: Path) -> None:
    next_door, disk = planned(tmp_path, "Disk", "Next door")
    assert next_door == NEXT_DOOR
    assert (disk.kind, disk.address.rpartition("/")[2]) == ("file", "evening.ts")
    assert planned(tmp_path, "none") == ()


def test_an_unknown_destination_or_a_missing_key_leaves_no_folder_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ShowError, match='did you mean "YouTube"'):
        planned(tmp_path, "yotube")
    monkeypatch.delenv("TEST_YOUTUBE_KEY")
    with pytest.raises(SecretError, match="TEST_YOUTUBE_KEY is empty"):
        planned(tmp_path)
    assert list(tmp_path.iterdir()) == []


# ── wishes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def outlet(name: str, key: KeySource | None = None) -> Outlet:
    return Outlet(name, "rtmp", f"rtmp://127.0.0.1/{name}", key or KeySource(), on=True, look_at="", preset="")


class Desk:
    """Destinations, and a relay that takes every message and reports when it is told to."""

    def __init__(self, *outlets: Outlet, wished: tuple[Destination, ...] = ()) -> None:
        self.sent: list[AnyMessage] = []
        self.connected = True
        self.answers = True
        self.there = {destination.name for destination in wished}
        self.destinations = Destinations(outlets, wished, self.send)

    def send(self, message: AnyMessage) -> bool:
        if not self.connected:
            return False
        self.sent.append(message)
        if isinstance(message, AddDestination):
            self.there.add(message.destination.name)
        elif isinstance(message, RemoveDestination):
            self.there.discard(message.name)
        if self.answers:
            asyncio.get_running_loop().call_soon(self.report)
        return True

    def report(self) -> None:
        self.destinations.told(reported(output("hls", destination=False), *map(output, sorted(self.there))))

    async def do(self, what: str, name: object) -> tuple[str, str]:
        outcome = await self.destinations.command(f"destinations.{what}", {"name": name})
        return outcome.kind, outcome.reason


async def test_a_destination_is_added_and_removed_on_the_air() -> None:
    desk = Desk(outlet("a"), outlet("b"))
    assert await desk.do("add", "a") == ("confirmed", "")
    assert await desk.do("add", "b") == ("confirmed", "")
    assert await desk.do("remove", "a") == ("confirmed", "")
    assert desk.sent == [
        AddDestination(outlet("a").destination()),
        AddDestination(outlet("b").destination()),
        RemoveDestination("a"),
    ]
    assert [destination.name for destination in desk.destinations.plan()] == ["b"]


async def test_its_key_is_read_when_it_is_added(tmp_path: Path) -> None:
    file = tmp_path / "key"
    desk = Desk(outlet("a", KeySource(file=file)))
    kind, reason = await desk.do("add", "a")
    assert (kind, "no such file" in reason, desk.sent) == ("refused", True, [])
    for key in ("first", "second"):
        file.write_text(key)
        file.chmod(0o600)
        assert await desk.do("add", "a") == ("confirmed", "")
    assert [message.destination.secret for message in desk.sent if isinstance(message, AddDestination)] == [
        "first",
        "second",
    ]


@pytest.mark.parametrize("name", [None, 3, "", "nobody", "A"])
@pytest.mark.parametrize("what", ["add", "remove"])
async def test_what_nobody_knows_is_refused(what: str, name: object) -> None:
    desk = Desk(outlet("a"))
    kind, reason = await desk.do(what, name)
    assert (kind, desk.sent) == ("refused", [])
    assert "studio.toml" in reason


async def test_what_only_the_relay_knows_can_be_removed() -> None:
    desk = Desk(outlet("a"))
    desk.there = {"old"}
    desk.report()
    assert await desk.do("remove", "old") == ("confirmed", "")


async def test_without_a_report_nothing_is_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.app._wishes.DEADLINE", 0.01)
    desk = Desk(outlet("a"))
    desk.answers = False
    kind, reason = await desk.do("add", "a")
    assert (kind, reason) == ("unconfirmed", "The relay did not report it in time; look whether it happened.")
    desk.report()  # to nobody


async def test_a_relay_that_comes_back_is_told_what_it_missed() -> None:
    a, b, c = (outlet(name) for name in "abc")
    desk = Desk(a, b, c, wished=(a.destination(), b.destination()))
    assert desk.destinations.plan() == (a.destination(), b.destination())
    desk.connected = False
    assert (await desk.do("add", "c"))[0] == "unconfirmed"
    assert (await desk.do("remove", "a"))[0] == "unconfirmed"
    desk.connected = True
    desk.destinations.connected()
    assert desk.sent == [RemoveDestination("a"), AddDestination(c.destination())]
    desk.destinations.connected()  # the same relay on another line: it knows
    assert len(desk.sent) == 2
    assert desk.destinations.plan() == (b.destination(), c.destination())
    desk.destinations.connected()
    assert len(desk.sent) == 2


def test_a_relay_that_waits_for_the_programme_says_what_is_wanted() -> None:
    waiting = media_destinations.Destinations([YOUTUBE, NEXT_DOOR], lambda _sentence: None)
    waiting.remove("YouTube")
    assert waiting.reports() == [OutputReport("Next door", "starting", NEXT_DOOR.address, 0, destination=True)]


async def test_a_relay_of_somebody_else_is_taken_as_it_is() -> None:
    a, b, c = (outlet(name) for name in "abc")
    desk = Desk(a, b, c, wished=(a.destination(), b.destination()))
    desk.destinations.connected()
    desk.destinations.adopt(reported(output("hls", destination=False), output("b"), output("c"), output("unknown")))
    assert desk.sent == []
    assert desk.destinations.plan() == (b.destination(), c.destination())


async def test_who_waited_for_the_keyring_does_not_undo_what_was_asked_later(tmp_path: Path) -> None:
    file = tmp_path / "key"
    os.mkfifo(file, 0o600)  # whoever reads it waits
    desk = Desk(Slow("a", "rtmp", "rtmp://127.0.0.1/a", KeySource(file=file), on=True, look_at="", preset=""))
    adding = asyncio.create_task(desk.do("add", "a"))
    await until(lambda: desk.destinations._reading["a"])
    assert (await desk.do("remove", "a"))[0] == "confirmed"
    await asyncio.to_thread(file.write_text, "key")
    assert (await adding)[0] == "refused"
    assert desk.sent == [RemoveDestination("a")]
    assert desk.destinations.plan() == ()


class Slow(Outlet):
    """Its key comes when it is written."""

    def destination(self) -> Destination:
        assert self.key.file is not None
        return Destination(self.name, self.kind, self.address, self.key.file.read_text())


async def test_what_was_just_asked_for_stays_when_a_relay_of_somebody_else_is_met() -> None:
    a, b = outlet("a"), outlet("b")
    desk = Desk(a, b, wished=(b.destination(),))
    desk.answers = False
    asking = [asyncio.create_task(desk.do("add", "a")), asyncio.create_task(desk.do("remove", "b"))]
    await until(lambda: len([*desk.destinations._waiting]) == 2)
    desk.destinations.adopt(reported(output("b")))
    assert desk.destinations.plan() == (a.destination(),)
    desk.report()
    assert [kind for kind, _reason in await asyncio.gather(*asking)] == ["confirmed"] * 2


# ── the whole core, and a relay that does as it is told ───────────────────────────────────────────────────────────────


class Relay:
    """A relay that says what it sends where, and sends as it is told."""

    def __init__(self, *names: str) -> None:
        self.clock = ShowClock.starting_now()
        self.there = {name: output(name) for name in names}
        self.asked: list[AnyMessage] = []
        self.lines: list[Line] = []

    async def talk(self, line: Line) -> None:
        line.send(Welcome(self.clock.epoch, Ms(6000), 1))
        self.lines.append(line)
        async for message in line:
            match message:
                case AddDestination(destination=destination):
                    self.there[destination.name] = output(destination.name, "connecting")
                case RemoveDestination(name=name):
                    self.there.pop(name, None)
                case Subscribe():
                    pass
                case _:
                    raise AssertionError(message)
            if not isinstance(message, Subscribe):
                self.asked.append(message)
            self.report()

    def report(self) -> None:
        for line in self.lines:
            line.send(reported(output("hls", destination=False), *self.there.values()))


async def until(so: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not so():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.01)


def shown(house: House) -> Any:  # noqa: ANN401 - JSON
    return house.state.snapshot()["destinations"]


@pytest.fixture
async def evening(tmp_path: Path) -> AsyncIterator[tuple[House, Relay]]:
    """A core that took up the show of a relay."""
    plan = plan_evening(VENUE, Catalogue(None), Wish(input="listen", out=tmp_path / "show", captions=False))
    relay = Relay("YouTube")
    server = await answer(plan.relay.socket, relay.talk)
    house = House(VENUE, Catalogue(None), plan)
    running = asyncio.create_task(house.run())
    try:
        await until(lambda: "hls" in shown(house))
        yield house, relay
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        server.close()


async def test_what_the_state_says_of_destinations(evening: tuple[House, Relay]) -> None:
    house, relay = evening
    off = {"state": "off", "detail": "srt://127.0.0.1:9", "size": 0, "destination": True}
    on = {"state": "on air", "detail": "", "size": 1_000_000, "destination": True, "kbps": 2900, "dropped": 4}
    assert shown(house)["YouTube"] == on | {"restarts": 2}
    assert shown(house)["Next door"] == off
    assert shown(house)["hls"] == {"state": "on air", "detail": "", "size": 1_000_000}
    assert (await house.command("destinations.add", {"name": "Next door"})).kind == "confirmed"
    await until(lambda: shown(house)["Next door"]["state"] == "connecting")
    assert (await house.command("destinations.remove", {"name": "YouTube"})).kind == "confirmed"
    await until(lambda: shown(house)["YouTube"]["state"] == "off")
    assert "kbps" not in shown(house)["YouTube"]
    assert relay.asked == [AddDestination(NEXT_DOOR), RemoveDestination("YouTube")]
    assert SECRET not in repr(house.state.snapshot())


async def test_a_relay_that_is_started_again_gets_what_is_wished_for_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child that writes down each plan it is given, and ends."""
    script = (
        "import os, sys; open(sys.argv[1] + '/plan-%d' % os.getpid(), 'wb').write(sys.stdin.buffer.read()); exit(1)"
    )
    monkeypatch.setattr(media, "command", lambda: [sys.executable, "-c", script, str(tmp_path)])
    plan = plan_evening(VENUE, Catalogue(None), Wish(input="listen", out=tmp_path / "show", captions=False))
    house = House(VENUE, Catalogue(None), plan)
    running = asyncio.create_task(house.run())

    def plans() -> list[tuple[Destination, ...]]:
        files = sorted(tmp_path.glob("plan-*"), key=lambda path: path.stat().st_mtime_ns)
        read = [path.read_bytes() for path in files]
        return [media.RelayPlan.from_json(each).destinations for each in read if each]

    try:
        await until(plans)
        assert plans()[0] == (YOUTUBE,)
        assert (await house.command("destinations.remove", {"name": "YouTube"})).kind == "unconfirmed"
        assert (await house.command("destinations.add", {"name": "Next door"})).kind == "unconfirmed"
        await until(lambda: plans()[-1] == (NEXT_DOOR,))
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    logged = b"".join(path.read_bytes() for path in (tmp_path / "show" / "run").glob("*.log"))
    assert SECRET.encode() not in logged


# ── the whole core, and the real relay ────────────────────────────────────────────────────────────────────────────────


def shown_to_anyone() -> str:
    """The command lines of all processes of this machine, as `ps` shows them."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            found.append(" ".join(process.cmdline()))
    return "\n".join(found)


async def test_a_show_with_a_dead_server_whose_key_nobody_sees_and_a_file_that_comes_and_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = tmp_path / "film.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=90", "-pix_fmt", "yuv420p", "-g", "25", film)
    monkeypatch.setenv("TEST_KEY", SECRET)
    with socket.socket() as nobody:  # bound and not listening: whoever calls is refused
        nobody.bind(("127.0.0.1", 0))
        venue = Venue(
            destinations=(
                DestinationSettings(
                    "Dead", address=f"rtmp://127.0.0.1:{nobody.getsockname()[1]}/live", key_env="TEST_KEY"
                ),
                DestinationSettings("Disk", "file", str(tmp_path / "{show}.ts"), on=False),
            )
        )
        wish = Wish(input=str(film), out=tmp_path / "evening", captions=False, hold=0.5)
        plan = plan_evening(venue, Catalogue(None), wish)
        house = House(venue, Catalogue(None), plan)
        running = asyncio.create_task(house.run())
        try:
            await until(lambda: shown(house)["Dead"]["state"] == "retrying" or running.done())
            assert SECRET not in shown_to_anyone()
            assert shown(house)["Disk"]["state"] == "off"
            assert (await house.command("destinations.add", {"name": "Disk"})).kind == "confirmed"
            await until(lambda: shown(house)["Disk"]["state"] == "on air" or running.done())
            assert (await house.command("destinations.remove", {"name": "Disk"})).kind == "confirmed"
            assert shown(house)["Disk"]["state"] == "off"
            assert (await house.command("destinations.remove", {"name": "Dead"})).kind == "confirmed"
            house.stop()
            await running
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
    assert (media.probe(tmp_path / "evening.ts").duration or 0) > 0
    left = [
        path for path in (tmp_path / "evening").rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()
    ]
    assert left == []
    assert SECRET not in repr(house.state.snapshot())


# ── what people see ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def report(tmp_path: Path) -> Report:
    report = Report(State())
    report.begin(title="", language="pl", folder=tmp_path, interface="en", hold=Ms(6000), captions=False)
    return report


def test_without_a_relay_nothing_is_on_the_air(report: Report) -> None:
    report.outputs.house({"YouTube": "rtmps://a/live2", "Disk": "/a.ts"})
    report.relay(reported(output("hls", destination=False), output("YouTube")), 1)
    report.outputs.lost()
    tree: Any = report._state.snapshot()["destinations"]
    assert {name: each["state"] for name, each in tree.items()} == {
        "hls": "starting",
        "YouTube": "starting",
        "Disk": "off",
    }


def test_what_was_sent_is_counted_over_restarts(report: Report, tmp_path: Path) -> None:
    first = msgspec.structs.replace(output("YouTube"), size=5_000_000)
    for each in (
        output("YouTube"),
        first,
        msgspec.structs.replace(first, size=0, dropped=0, restarts=0),  # another relay
        msgspec.structs.replace(first, size=1_000_000, dropped=1, restarts=0),
    ):
        report.relay(reported(each), 1)
    report.outputs.lost()
    report.relay(reported(), 2)  # it was removed
    assert sum_up(report, tmp_path, None).sent == (Sent("YouTube", 6_000_000, 5, 2),)


# ── the command line ──────────────────────────────────────────────────────────────────────────────────────────────────

TOML = """\
[[destinations]]
name = "YouTube"
preset = "youtube"
key_env = "TEST_YOUTUBE_KEY"
[[destinations]]
name = "Next door"
address = "srt://127.0.0.1:9"
key_file = "srt.key"
on = false
"""


def test_destinations_are_listed_without_their_keys(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "studio.toml").write_text(TOML)
    ended = studio("destinations", "--json")
    assert SECRET not in ended.said
    youtube, next_door = msgspec.json.decode(ended.said)
    assert youtube == {
        "name": "YouTube",
        "kind": "rtmp",
        "address": "rtmps://a.rtmps.youtube.com:443/live2",
        "preset": "youtube",
        "on": True,
        "key": "environment variable TEST_YOUTUBE_KEY",
        "ready": True,
        "problem": "",
    }
    assert (next_door["on"], next_door["ready"]) == (False, False)
    assert "no such file" in next_door["problem"]
    ended = studio("destinations")
    assert (ended.code, SECRET in ended.said) == (0, False)
    for word in ("YouTube", "a.rtmps.youtube.com", "TEST_YOUTUBE_KEY", "Next door", "no such file"):
        assert word in ended.said


def test_a_house_without_destinations_says_how_to_get_some(studio: Studio) -> None:
    ended = studio("destinations")
    assert (ended.code, "[[destinations]]" in ended.said) == (0, True)
    assert studio("destinations", "--json").said.strip() == "[]"


def test_a_show_for_nobody_is_refused_in_one_sentence(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "studio.toml").write_text(TOML)
    ended = studio("live", "--input", "listen", "--to", "Youtub", "--no-captions")
    assert ended.code == 1
    assert ended.said.strip() == 'There is no destination "Youtub" in studio.toml; did you mean "YouTube"?'
    ended = studio("live", "--input", "listen", "--to", "Next door", "--no-captions")
    assert (ended.code, "srt.key" in ended.said, "Traceback" in ended.said) == (2, True, False)


def test_a_show_goes_to_its_destinations_too(studio: Studio, tmp_path: Path, mute_film: Path) -> None:
    (tmp_path / "studio.toml").write_text(
        '[[destinations]]\nname = "Disk"\npreset = "file"\naddress = "disk/{show}.ts"\n'
        '[[destinations]]\nname = "Other"\npreset = "file"\naddress = "disk/other.ts"\non = false\n'
    )
    (tmp_path / "disk").mkdir()
    ended = studio(
        *("live", "--input", mute_film, "--out", tmp_path / "evening", "--hold", 1, "--no-captions", "--no-web")
    )
    assert ended.code == 0, ended.said
    assert "Disk: " in ended.said
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["evening.ts"]
    sent, recorded = (media.probe(tmp_path / name) for name in ("disk/evening.ts", "evening/recording.mp4"))
    assert sent.duration == pytest.approx(recorded.duration, abs=300)


def test_nothing_is_changed_of_a_show_without_destinations(tmp_path: Path) -> None:
    plan = plan_evening(
        Venue(show=ShowSettings(title="x")), Catalogue(None), Wish(input="listen", out=tmp_path / "a", captions=False)
    )
    assert (plan.relay.destinations, plan.outlets) == ((), ())
