from __future__ import annotations

import contextlib
import dataclasses
import threading
from typing import TYPE_CHECKING

import av
import psutil
import pytest
from tests.media.relay_bench import Relay, Relays, make_clip, see

from studio.events import AddDestination, Destination, OutputReport, RemoveDestination
from studio.media._ground.clock import RATE, Ticks
from studio.media._ground.coded import Coded
from studio.media._leave.attempt import Attempt
from studio.media._leave.backlog import Backlog
from studio.media._leave.child import command, masked, settings, unused, usable
from studio.media._leave.destination import Destinations

if TYPE_CHECKING:
    from pathlib import Path

    from studio.media._leave.outputs import Sink


def picture(second: float, *, key: bool = False, size: int = 100) -> Coded:
    return Coded("picture", Ticks(round(second * RATE)), key, bytes(size), Ticks(3600))


def sound(second: float) -> Coded:
    return Coded("sound", Ticks(round(second * RATE)), key=True, data=bytes(10), duration=Ticks(1920))


@pytest.fixture
def backlog() -> Backlog:
    return Backlog(seconds=3, size=1000)


def seconds(coded: list[Coded]) -> list[float]:
    return [one.stamp / RATE for one in coded]


def test_a_backlog_begins_with_a_keyframe(backlog: Backlog) -> None:
    backlog.put([sound(0), picture(0.1), sound(0.2)])
    assert not len(backlog)
    backlog.put([picture(1, key=True), sound(1.1), picture(1.2)])
    assert seconds(backlog.take(10_000)) == [1, 1.1, 1.2]
    assert backlog.dropped == 0
    backlog.close()


def test_what_is_too_long_goes_up_to_the_next_keyframe(backlog: Backlog) -> None:
    backlog.put([picture(0, key=True), picture(1), picture(2, key=True), sound(2.1), picture(3)])
    assert backlog.dropped == 0
    backlog.put([picture(3.2)])
    assert backlog.dropped == 2
    assert seconds(backlog.take(10_000)) == [2, 2.1, 3, 3.2]
    backlog.close()


def test_what_is_too_much_waits_for_a_keyframe_where_none_can_be_kept(backlog: Backlog) -> None:
    backlog.put([picture(0, key=True, size=600), picture(0.1, size=600), picture(0.2), sound(0.3)])
    assert backlog.take(10_000) == []
    assert backlog.dropped == 4
    backlog.put([picture(0.4, key=True), picture(0.5)])
    assert seconds(backlog.take(10_000)) == [0.4, 0.5]
    backlog.close()


def test_who_begins_anew_begins_with_the_last_keyframe_even_if_it_was_taken(backlog: Backlog) -> None:
    backlog.put([picture(0, key=True), picture(1, key=True), picture(1.1), sound(1.2)])
    assert seconds(backlog.take(250)) == [0, 1, 1.1]
    backlog.again()
    assert seconds(backlog.take(10_000)) == [1, 1.1, 1.2]
    backlog.put([picture(1.3)])
    assert seconds(backlog.take(10_000)) == [1.3]
    backlog.close()


def test_who_took_the_keyframe_and_waits_too_long_goes_on_with_the_next_one(backlog: Backlog) -> None:
    backlog.put([picture(0, key=True), picture(0.1)])
    assert seconds(backlog.take(1)) == [0]
    backlog.put([picture(1), picture(3.5), sound(3.6)])
    assert backlog.take(1000) == []
    backlog.put([picture(4, key=True)])
    assert seconds(backlog.take(1000)) == [4]
    assert backlog.dropped == 4
    backlog.close()


def test_a_backlog_wakes_whoever_waits_and_gives_its_descriptor_back() -> None:
    before = psutil.Process().num_fds()
    backlog = Backlog()
    waiting = threading.Thread(target=backlog.wait, args=(None,))
    waiting.start()
    backlog.end()
    waiting.join(5)
    assert not waiting.is_alive()
    backlog.put([picture(0, key=True)])
    assert not len(backlog)
    backlog.close()
    backlog.put([picture(0, key=True)])
    backlog.close()
    assert psutil.Process().num_fds() == before


STAGE = Destination("stage", "rtmp", "rtmps://live.example.org:443/live2/", "ab-cd?x=1&y=2")
FAR = Destination("far", "srt", "srt://far.example.org:9000?latency=500", "dobre haslo")


@pytest.mark.parametrize("destination", [STAGE, FAR])
def test_secrets_stand_in_the_settings_alone(destination: Destination) -> None:
    words = command(destination, settings_at=7, progress_at=8)
    assert destination.address in words
    assert not any(destination.secret in word for word in words)
    assert words[words.index("-fpre") + 1] == "/dev/fd/7"
    assert destination.secret not in repr(destination)
    assert masked(f"publish for '{destination.secret}'", destination.secret) == "publish for '…'"
    assert masked("all is well", "") == "all is well"


def test_settings_are_what_the_protocol_calls_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    assert settings(STAGE).splitlines() == [
        "send_buffer_size=524288",
        "rtmp_app=live2",
        "rtmp_playpath=ab-cd?x=1&y=2",
        "tls_verify=1",
    ]
    assert settings(FAR) == "passphrase=dobre haslo\n"
    assert settings(Destination("disk", "file", "/tmp/x.ts")) == ""  # noqa: S108
    assert usable("żółw")
    assert not usable("a\nb=c")
    assert not usable("x" * 2000)


def test_a_stream_of_srt_is_a_secret() -> None:
    far = Destination("far", "srt", "srt://127.0.0.1:9?streamid=publish:hall:me:hunt%2B2&latency=500", "dobre haslo")
    assert settings(far) == "streamid=publish:hall:me:hunt+2\npassphrase=dobre haslo\n"
    assert command(far, settings_at=7, progress_at=8)[-1] == "srt://127.0.0.1:9?latency=500"
    assert far.shown == "srt://127.0.0.1:9?latency=500&streamid=…"
    assert "hunt" not in repr(far)
    assert FAR.shown == FAR.address


def test_a_file_that_nothing_came_into_goes_again(tmp_path: Path) -> None:
    path = tmp_path / "evening.ts"
    attempt = Attempt(Destination("disk", "file", str(path)), Backlog(), lambda *_news: None, str)
    attempt._file = path
    path.touch()
    attempt.close()
    assert not path.exists()


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "evening.mkv"
    assert unused(path) == path
    path.touch()
    assert unused(path) == tmp_path / "evening-2.mkv"


def report_of(relay: Relay, name: str) -> OutputReport | None:
    return next((report for report in relay.report.outputs if report.name == name), None) if relay.reported else None


def on_air(relay: Relay, name: str) -> bool:
    report = report_of(relay, name)
    return report is not None and report.state == "on air" and report.destination


async def test_the_relay_sends_where_it_is_told_and_where_it_is_told_later(relays: Relays, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=14)
    disk, hall = tmp_path / "away" / "disk.mp4", tmp_path / "hall"
    wanted = (
        Destination("disk", "file", str(disk)),
        Destination("hall", "hls", str(hall)),
        Destination("dead", "rtmp", "rtmp://127.0.0.1:9/live", "tajny-klucz"),
    )
    relay = await relays.start(f"file:{clip}", destinations=wanted)
    await relay.until(lambda: on_air(relay, "disk") and on_air(relay, "hall"))
    await relay.until(lambda: (dead := report_of(relay, "dead")) and dead.state == "retrying")
    relay.line.send(AddDestination(Destination("later", "file", str(tmp_path / "later.ts"))))
    await relay.until(lambda: on_air(relay, "later"))
    relay.line.send(RemoveDestination("dead"))
    await relay.until(lambda: report_of(relay, "dead") is None)
    assert await relay.ended() == 0
    assert {report.name: report.state for report in relay.report.outputs if report.destination} == {
        "disk": "done",
        "hall": "done",
        "later": "done",
    }
    assert len([trouble for trouble in relay.troubles() if "dead" in trouble.sentence]) == 1
    assert "tajny-klucz" not in relays.log
    assert not any("tajny-klucz" in repr(message) for message in relay.said)

    whole, late = see(disk), see(tmp_path / "later.ts")
    assert whole.end - whole.times[0] == pytest.approx(14, abs=0.5)
    assert len(whole.beeps) == 7
    assert len(whole.flashes) == 7 or relay.report.dropped
    assert late.end - late.times[0] > 1
    assert "#EXT-X-ENDLIST" in (hall / "index.m3u8").read_text()
    assert (hall / "captions.m3u8").exists()
    assert (hall / "master.m3u8").exists()
    with av.open(str(hall / "index.m3u8")) as container:
        assert sum(1 for _frame in container.decode(video=0)) == pytest.approx(14 * 25, abs=15 + relay.report.dropped)


async def test_a_relay_that_is_killed_leaves_no_child(relays: Relays, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=20)
    relay = await relays.start(
        f"file:{clip}", destinations=(Destination("disk", "file", str(tmp_path / "disk.ts")),), seconds=20.0
    )
    await relay.until(lambda: on_air(relay, "disk"))
    (child,) = [
        found for found in psutil.Process(relay.process.pid).children(recursive=True) if found.name() == "ffmpeg"
    ]
    with contextlib.suppress(psutil.NoSuchProcess):
        assert "disk.ts" in " ".join(child.cmdline())
    await relay.kill()
    await relay.until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


class Stuck:
    """A disk that does not answer until it is let go."""

    detail = "stuck"

    def __init__(self, let_go: threading.Event) -> None:
        self._let_go = let_go

    def write(self, _coded: Coded) -> None:
        self._let_go.wait(30)

    def close(self) -> None:
        self._let_go.wait(30)


def test_a_folder_on_a_disk_that_does_not_answer_keeps_nobody_waiting(tmp_path: Path) -> None:
    let_go = threading.Event()

    def make(_folder: Path) -> Sink:
        return Stuck(let_go)

    destinations = Destinations([Destination("hall", "hls", str(tmp_path / "hall"))], print)
    destinations.open(make)
    key = picture(0, key=True)
    for number in range(2000):
        destinations.write([dataclasses.replace(key, stamp=Ticks(number * RATE // 25))])
    stalled = threading.Event()
    for _turn in range(600):
        (report,) = destinations.reports()
        if report.state == "stalled":
            break
        stalled.wait(0.1)
    assert report.state == "stalled"
    assert report.dropped > 1000
    let_go.set()
    destinations.close()
    assert destinations.reports()[0].state == "done"


class Broken:
    """A folder in which our own mistake comes up once."""

    detail = "hall"

    def __init__(self, faults: list[Exception]) -> None:
        self._faults = faults

    def write(self, _coded: Coded) -> None:
        if self._faults:
            raise self._faults.pop()

    def close(self) -> None:
        pass


def test_a_folder_that_broke_says_so_and_begins_again(tmp_path: Path) -> None:
    said: list[str] = []
    faults: list[Exception] = [ValueError("seg-x")]
    destinations = Destinations([Destination("hall", "hls", str(tmp_path / "hall"))], said.append)
    destinations.open(lambda _folder: Broken(faults))
    destinations.write([picture(0, key=True)])
    moment = threading.Event()
    seen: list[str] = []
    while not seen or seen[-1] != "on air":
        (report,) = destinations.reports()
        seen.append(report.state)
        moment.wait(0.01)
    assert "failed" in seen
    assert len(said) == 1
    assert said[0].startswith("hall has stopped")
    destinations.close()
    assert destinations.reports()[0].state == "done"


def test_who_asks_twice_does_not_interrupt(tmp_path: Path) -> None:
    wanted = Destination("hall", "hls", str(tmp_path / "hall"))
    destinations = Destinations([wanted], print)
    destinations.open(lambda _folder: Broken([]))
    destinations.write([picture(0, key=True)])
    moment = threading.Event()
    while destinations.reports()[0].state != "on air":
        moment.wait(0.01)
    way = destinations._ways["hall"]
    destinations.add(Destination("hall", "hls", str(tmp_path / "hall")))
    assert destinations._ways["hall"] is way
    destinations.add(Destination("hall", "hls", str(tmp_path / "other")))
    assert destinations._ways["hall"] is not way
    destinations.close()
