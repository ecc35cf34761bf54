"""Destinations as people have them: with keys and passphrases, by TLS, added and removed on the air."""

from __future__ import annotations

import contextlib
import logging
import shutil
import signal
from typing import TYPE_CHECKING

import av
import psutil
import pytest
from tests.faults.servers import KEY, PASSPHRASE, Air, Pulse, Tls, until

from studio.events import Destination, OutputReport
from studio.media._leave.destination import Destinations
from studio.media._leave.sender import Sender

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.conftest import House

    from studio.media._ground.coded import Coded

pytestmark = pytest.mark.usefixtures("nothing_left")


class Sending:
    """Destinations on the air, until the test ends."""

    def __init__(self, stack: contextlib.ExitStack, programme: list[Coded], *wanted: Destination) -> None:
        self.said: list[str] = []
        self.destinations = Destinations(wanted, self.said.append)
        self.destinations.open(lambda _folder: pytest.fail("nothing is sent as HLS here"))
        stack.callback(self.destinations.close)
        stack.enter_context(contextlib.closing(Air(programme, self.destinations)))

    def report(self, name: str) -> OutputReport:
        return next(report for report in self.destinations.reports() if report.name == name)

    def is_on_air(self, name: str) -> bool:
        return any(report.name == name and report.state == "on air" for report in self.destinations.reports())


def children() -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):  # it ends while we look
            if child.name() == "ffmpeg":
                found.append(child)
    return found


def test_no_key_is_seen_by_others(
    house: House,
    stack: contextlib.ExitStack,
    programme: list[Coded],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("STAGE_KEY", KEY)  # where the house keeps it
    monkeypatch.setenv("FFREPORT", f"file={house.folder}/report.log:level=48")
    server, (srt, _arrivals) = house.nginx("rtmp", record=True), house.srt("srt")
    wanted = (
        Destination("stage", "rtmp", server.address, KEY),
        Destination("wrong", "rtmp", server.address, "zly-klucz-0123"),
        Destination("far", "srt", srt.address, PASSPHRASE),
    )
    sending = Sending(stack, programme, *wanted)
    until(lambda: sending.is_on_air("stage") and sending.is_on_air("far"))
    until(lambda: sending.report("wrong").state == "refused")
    seen = []
    for child in children():
        with contextlib.suppress(psutil.NoSuchProcess):
            seen += [" ".join(child.cmdline()), " ".join(child.environ().values())]
    assert len(seen) >= 4
    seen += [caplog.text, *sending.said, *map(repr, wanted), *map(repr, sending.destinations.reports())]
    for secret in (KEY, PASSPHRASE, "zly-klucz-0123"):
        assert not any(secret in text for text in seen)
    assert not (house.folder / "report.log").exists()
    until(lambda: server.received() > 500_000)
    sending.destinations.close()
    until(lambda: not server.received())
    (record,) = server.folder.glob("*.flv")
    with av.open(str(record)) as container:
        kinds = {packet.stream.type for packet in container.demux() if packet.size}
        assert kinds == {"video", "audio"}


def test_a_wrong_passphrase_is_told_from_a_dead_network(
    house: House, stack: contextlib.ExitStack, programme: list[Coded]
) -> None:
    server, _arrivals = house.srt("srt")
    sending = Sending(
        stack,
        programme,
        Destination("wrong", "srt", server.address, "calkiem-inne-haslo"),
        Destination("short", "srt", server.address, "krotkie"),
        Destination("nobody", "srt", "srt://127.0.0.1:9", PASSPHRASE),
        Destination("lines", "rtmp", "rtmp://127.0.0.1/live", "a\nb"),
    )
    until(lambda: sending.report("wrong").state == "refused")
    assert sending.report("wrong").detail.startswith("wrong refuses the passphrase")
    until(lambda: sending.report("short").state == "refused")
    assert "10 to 79" in sending.report("short").detail
    until(lambda: sending.report("lines").state == "refused")
    until(lambda: sending.report("nobody").state == "retrying")
    assert sending.report("nobody").detail.startswith("nobody does not answer at srt://127.0.0.1:9")


def test_what_is_wrong_is_named(house: House, stack: contextlib.ExitStack, programme: list[Coded]) -> None:
    server = house.nginx("rtmp")
    sending = Sending(
        stack,
        programme,
        Destination("first", "rtmp", server.address, KEY),
        Destination("elsewhere", "rtmp", "rtmp://no-such-name.invalid/live", KEY),
        Destination("closed", "rtmp", "rtmp://127.0.0.1:9/live", KEY),
        Destination("misled", "rtmp", server.address.replace("live", "stage"), KEY),
    )
    until(lambda: sending.is_on_air("first"))
    sending.destinations.add(Destination("second", "rtmp", server.address, KEY))
    until(lambda: sending.report("second").state == "refused")
    assert sending.report("second").detail.startswith("Somebody streams to second already")
    for name, beginning in (
        ("elsewhere", "elsewhere cannot be found, nobody knows no-such-name.invalid"),
        ("closed", "Nobody listens for closed at rtmp://127.0.0.1:9/live"),
        ("misled", "misled is there and refuses"),
    ):
        until(lambda name=name: sending.report(name).restarts > 1)  # type: ignore[misc]
        assert sending.report(name).detail.startswith(beginning)
    assert len(sending.said) == len({sentence.split()[0] for sentence in sending.said})  # once each


def test_srt_that_is_killed_is_called_again(house: House, stack: contextlib.ExitStack, programme: list[Coded]) -> None:
    server, arrivals = house.srt("srt")
    sending = Sending(stack, programme, Destination("far", "srt", server.address, PASSPHRASE))
    until(lambda: sending.is_on_air("far"))
    server.kill()
    until(lambda: sending.report("far").state == "retrying")  # libsrt gives up after five seconds
    came = len(arrivals.times)
    server.start()
    back = until(lambda: len(arrivals.times) > came + 50)
    print(f"SRT is back after {back:.2f} s")  # noqa: T201


def test_rtmps_trusts_who_is_to_be_trusted(
    house: House, stack: contextlib.ExitStack, programme: list[Coded], monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here: TLS is tried with a certificate of our own")
    server = house.nginx("rtmp")
    line = Tls(server.port, house.folder / "tls")
    stack.callback(line.close)
    stage = Destination("stage", "rtmp", f"rtmps://localhost:{line.port}/live", KEY)
    sending = Sending(stack, programme, stage)
    until(lambda: sending.report("stage").state == "refused")
    assert "certificate" in sending.report("stage").detail
    assert not server.received()
    monkeypatch.setenv("SSL_CERT_FILE", str(line.certificate))
    until(lambda: sending.is_on_air("stage"))
    until(lambda: server.received() > 100_000)


def test_they_come_and_go_on_the_air(house: House, stack: contextlib.ExitStack, programme: list[Coded]) -> None:
    first, second = house.nginx("first"), house.nginx("second")
    stage = Destination("stage", "rtmp", first.address, KEY)
    sending = Sending(stack, programme, stage)
    until(lambda: first.received() > 100_000)
    sending.destinations.add(Destination("other", "rtmp", second.address, KEY))
    until(lambda: second.received() > 100_000)
    sending.destinations.add(stage)  # once more: the one before leaves first
    until(lambda: sending.is_on_air("stage"))
    assert sending.report("stage").restarts <= 1
    sending.destinations.add(Destination("stage", "rtmp", first.address, "zly-klucz"))
    until(lambda: sending.report("stage").state == "refused" and not first.received())
    sending.destinations.remove("other")
    assert [report.name for report in sending.destinations.reports()] == ["stage"]
    until(lambda: not second.received())
    sending.destinations.remove("stage")
    sending.destinations.remove("never there")
    until(lambda: not children())


def test_a_child_that_stands_still_fills_its_own_queue_and_is_replaced(
    stack: contextlib.ExitStack, programme: list[Coded], tmp_path: Path
) -> None:
    sender = Sender(Destination("disk", "file", str(tmp_path / "disk.mkv")), print)
    stack.callback(lambda: sender.thread.join(10))
    stack.callback(sender.end)
    air = stack.enter_context(contextlib.closing(Air(programme, sender)))
    pulse = stack.enter_context(contextlib.closing(Pulse()))
    until(lambda: sender.report().state == "on air")
    (child,) = children()
    child.send_signal(signal.SIGSTOP)
    until(lambda: sender.report().state == "stalled")
    until(lambda: sender.report().restarts == 1 and sender.report().state == "on air")
    assert not child.is_running()
    assert air.longest < 1 + pulse.longest
    until(lambda: (tmp_path / "disk-2.mkv").stat().st_size > 300_000)
    for path in (tmp_path / "disk.mkv", tmp_path / "disk-2.mkv"):
        with av.open(str(path)) as container:
            assert next(container.decode(video=0)).key_frame
