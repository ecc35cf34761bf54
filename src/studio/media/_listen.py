"""An encoder that streams to us: a child `ffmpeg` owns the socket, we read what it passes on.

A child can be killed at any moment, which frees the port and ends every wait; FFmpeg inside our process could be
interrupted only where it asks. And what a stranger sends to the open port may crash the child, but not the relay.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import re
import shutil
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import av
import ffmpeg

from studio.errors import MediaError
from studio.language import _
from studio.media._anchor import SETTLE, Anchor
from studio.media._clock import RATE, Ticks
from studio.media._intake import Session

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

    from studio.media._intake import Intake

logger = logging.getLogger(__name__)

PORTS = {"rtmp": 1935, "srt": 9000}
"""Schemes we listen for, and the port each is used to."""
AGAIN_AFTER = 0.2
"""Seconds until the listener is started anew."""
LOOK = {"analyzeduration": "1000000", "probesize": "500000", "fpsprobesize": "0"}
"""The listener looks at a stream for a second at most: measured, the first packet is passed on 0.35 s after it came by
RTMP, 1.0 s by SRT. Without `fpsprobesize` RTMP takes 0.95 s; with `fflags nobuffer` what was looked at is thrown away,
and the programme begins a keyframe later (2.3 s)."""
PATIENCE = 2.0
"""Seconds we try to get a port that a killed relay may still leave behind."""
GONE = 8.0
"""Seconds without a packet after which an encoder is hung up on: whoever lost its cable never says goodbye, and while
its line stands no other encoder, nor it itself, can come."""
_TIME = 1_000_000_000


class Listener:
    """Waits for encoders, one after the other; each is anchored at the show time of its arrival."""

    has_picture = True

    def __init__(self, intake: Intake, url: str) -> None:
        """Raises MediaError where nobody can listen at `url`."""
        self._intake = intake
        self._url = urlsplit(url)
        if self._url.scheme not in PORTS:
            raise MediaError(
                _("{url} is not an address to listen at; write rtmp://HOST:PORT/live/KEY or srt://HOST:PORT.").format(
                    url=url
                )
            )
        self._port = self._url.port or PORTS[self._url.scheme]
        self._child: subprocess.Popen[bytes] | None = None
        self._silent_said = False
        self._claim(PATIENCE)

    @property
    def address(self) -> str:
        """Where we listen, without the stream's key."""
        host = f"{self._url.scheme}://{self._url.hostname}:{self._port}"
        return host + self._url.path.rpartition("/")[0] if self._url.scheme == "rtmp" else host

    def run(self) -> None:
        """Take whoever streams to us until the relay takes no more."""
        intake = self._intake
        while not intake.stopping.is_set():
            intake.link("connecting", _("Waiting for an encoder to stream to {address}.").format(address=self.address))
            try:
                self._one_encoder()
            finally:
                self.stop()
            intake.stopping.wait(AGAIN_AFTER)
        intake.link("off", "")
        intake.sound_ended(False)  # noqa: FBT003 - `silent`, in the words of events.SoundEnded

    def stop(self) -> None:
        """End the child, from any thread; `run` then sees the end of the stream."""
        child = self._child
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            child.wait()

    def _one_encoder(self) -> None:
        child = self._child = subprocess.Popen(
            self._command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        if child.stdout is None or self._intake.stopping.is_set():
            return
        threading.Thread(target=self._drain, args=(child,), name="listener's words", daemon=True).start()
        # The NUT header says all; to look at the stream a second time would only cost time.
        options = {"probesize": "32", "analyzeduration": "1", "fpsprobesize": "0"}
        try:
            container = av.open(f"pipe:{child.stdout.fileno()}", "r", "nut", options=options)
        except (OSError, av.FFmpegError) as problem:
            logger.info("nothing that can be read came to %s: %s", self.address, problem)
            return
        self._intake.link("online", "")
        left = threading.Event()
        threading.Thread(target=self._watch, args=(child, left), name="watch", daemon=True).start()
        try:
            with container:
                self._take(container)
        finally:
            left.set()
        child.stdout.close()

    def _watch(self, child: subprocess.Popen[bytes], left: threading.Event) -> None:
        """Hang up on an encoder that is gone without a word; until it has `left`."""
        while (rest := self._intake.last_arrival + GONE - time.monotonic()) > 0:
            if left.wait(rest):
                return
        logger.warning("nothing came to %s for %g s; the next encoder may call", self.address, GONE)
        child.kill()

    def _take(self, container: InputContainer) -> None:
        intake = self._intake
        session: Session | None = None
        anchor: Anchor | None = None
        waiting: list[tuple[av.Packet[Stream], Ticks, int]] = []
        probing = Session(intake, container, Ticks(0))
        probing.copy = intake.clean.begin(probing.streams) if intake.clean is not None else None
        probing.passing = intake.instant.begin(probing.streams) if intake.instant is not None else None
        logger.info("an encoder streams to %s: %s", self.address, ", ".join(str(stream) for stream in probing.streams))
        if probing.audio is None and not self._silent_said:
            self._silent_said = True
            intake.say(_("The encoder sends no sound, so there is nothing to caption; switch its sound on."))
        with contextlib.suppress(OSError, av.FFmpegError):  # the encoder left in the middle of a packet
            for packet in container.demux(probing.streams):
                stamp = Session.stamp(packet)
                if stamp is None:
                    continue
                now = time.monotonic_ns()
                if anchor is None or session is None:
                    waiting.append((packet, stamp, now))
                    if now - waiting[0][2] < SETTLE * _TIME // RATE:
                        continue
                    anchor, session = self._anchor(waiting), probing
                    for held, at, _arrived in waiting:
                        anchor.place(held.stream_index, at, intake.zero.now())
                        session.put(held, anchor.offset)
                    waiting.clear()
                    continue
                anchor.be_patient(Ticks(intake.delay // 2))  # the hold may have been changed
                anchor.place(packet.stream_index, stamp, intake.zero.now())
                session.put(packet, anchor.offset)
        if session is not None:
            session.close()

    def _anchor(self, waiting: list[tuple[av.Packet[Stream], Ticks, int]]) -> Anchor:
        """Place the first packets: the one that waited least shows when all of them really came."""
        intake = self._intake
        came = min(arrived - stamp * _TIME // RATE for _packet, stamp, arrived in waiting)
        first = min(stamp for _packet, stamp, _arrived in waiting)
        # No further back than the hold can bear: what is overdue when it is placed would never air.
        bearable = max(0, intake.delay - 2 * SETTLE) * _TIME // RATE
        came = max(came, waiting[0][2] - bearable - first * _TIME // RATE)
        if intake.zero.epoch is None:
            intake.zero.begin(came + first * _TIME // RATE)
            offset = Ticks(-first)
        else:
            offset = Ticks((came - intake.zero.epoch) * RATE // _TIME)
        offset = Ticks(max(offset, intake.latest - first))
        return Anchor(offset, Ticks(intake.delay // 2), intake.latest)

    def _command(self) -> list[str]:
        """Return how to start the listener: it passes packets on as they are and understands nothing."""
        url = self._url
        if url.scheme == "rtmp":
            asked = {"listen": 1}
            address = f"rtmp://{url.hostname}:{self._port}{url.path}"
        else:
            asked = {}
            address = f"srt://{url.hostname}:{self._port}?mode=listener" + (f"&{url.query}" if url.query else "")
        source = ffmpeg.input(address, **asked, **LOOK)
        passed = ffmpeg.output(source["v:0?"], source["a:0?"], "pipe:1", format="nut", c="copy", flush_packets=1)
        command = passed.global_args("-hide_banner", "-nostdin", "-loglevel", "warning").compile()
        # A relay that is killed takes its listener with it, or the port would stay taken.
        tie = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        return [*tie, *(str(word) for word in command)]

    def _drain(self, child: subprocess.Popen[bytes]) -> None:
        """Read what the listener has to say, or it would block."""
        if child.stderr is None:
            return
        with child.stderr:
            for line in child.stderr:
                logger.info("listener: %s", re.sub(r"(rtmp://\S+/)\S+", r"\1…", line.decode(errors="replace").rstrip()))

    def _claim(self, patience: float) -> None:
        """Make sure that the port is free. Raises MediaError where it stays taken."""
        kind = socket.SOCK_STREAM if self._url.scheme == "rtmp" else socket.SOCK_DGRAM
        until = time.monotonic() + patience
        while True:
            try:
                family = socket.AF_INET6 if ":" in (self._url.hostname or "") else socket.AF_INET
                with socket.socket(family, kind) as trial:
                    if kind == socket.SOCK_STREAM:
                        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    trial.bind((self._url.hostname, self._port))
                    if kind == socket.SOCK_STREAM:
                        trial.listen()
            except OSError as problem:
                if problem.errno == errno.EADDRINUSE and time.monotonic() < until:
                    time.sleep(0.1)
                    continue
                raise MediaError(self._refused(problem)) from problem
            else:
                return

    def _refused(self, problem: OSError) -> str:
        if problem.errno == errno.EADDRINUSE:
            return _(
                "Port {port} is in use by another program; close it, or set another port as `listen` in studio.toml."
            ).format(port=self._port)
        return _("Nobody can listen at {address} ({problem}); is the address one of this machine's?").format(
            address=self.address, problem=problem.strerror
        )
