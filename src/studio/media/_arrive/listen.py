"""An encoder that streams to us: a child `ffmpeg` speaks with it, we read what it passes on.

A child can be killed at any moment, which frees the port and ends every wait; FFmpeg inside our process could be
interrupted only where it asks. And what a stranger sends to the open port may crash the child, but not the relay.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import re
import secrets
import shutil
import socket
import subprocess
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import av
import ffmpeg

from studio.errors import MediaError, why
from studio.language import _
from studio.media._arrive.door import Door
from studio.media._leave.child import environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from av.container import InputContainer

    from studio.events import LinkState
    from studio.media._arrive.stay import Stay

logger = logging.getLogger(__name__)

PORTS = {"rtmp": 1935, "srt": 9000}
"""Schemes we listen for, and the port each is used to."""
AGAIN_AFTER = 0.2
"""Seconds until the listener is started anew."""
LOOK = {"analyzeduration": "1000000", "probesize": "500000", "fpsprobesize": "0"}
"""The listener looks at a stream for a second at most: measured, the first packet is passed on 0.35 s after it came by
RTMP, 1.0 s by SRT. Without `fpsprobesize` RTMP takes 0.95 s; with `fflags nobuffer` what was looked at is thrown away,
and the programme begins a keyframe later (2.3 s)."""
LOOK_LONGER = {"analyzeduration": "3000000"}
"""… or for so long, once a look did not tell the size of the pictures (one a second comes) or what the sound is (it was
promised, and did not come): nothing can be passed on then, and the encoder must call again."""
PASS = {
    "format": "nut",
    "c": "copy",
    "flush_packets": 1,
    "max_interleave_delta": 1,
    "syncpoints": "none",
    "strict": "experimental",
}
"""A picture waits for the next packet, not for sound: where that stops FFmpeg would hold pictures back for 10 s.
Without syncpoints NUT carries what RTMP says when the size of the pictures changes; with them it is lost."""
ANY_TIME = ("-dts_error_threshold", "1000000000")
"""FFmpeg throws away what jumps by 30 hours; but OBS and FFmpeg itself begin at 0 again after 2^31 ms of RTMP, and then
nothing more would come. Where a jump leads to is the anchor's to say."""
BACK = 10
"""Packets in a second that FFmpeg has to date anew: the clock of an RTMP encoder went back, and until it comes to where
it was all its packets would have one time. It calls again, and is anchored anew."""
MOST_WORDS = 200
"""Lines of a listener that are logged; there may be one for each packet."""
PATIENCE = 2.0
"""Seconds we try to get a port that a killed relay may still leave behind."""
GONE = 8.0
"""Seconds without a packet after which an encoder is hung up on: whoever lost its cable never says goodbye, and while
its line stands no other encoder, nor it itself, can come."""
_UNKNOWN = re.compile(r"Video codec \(.*\) is not implemented")
"""Of FFmpeg 5.1, which knows no HEVC by RTMP."""
_UNDATED = "Non-monotonous DTS"
_ELSEWHERE = "App field don't match up"
_CALLED = re.compile(r"Unexpected stream (.*), expecting ([0-9a-f]+)$")
"""What FFmpeg says of each that calls, for the name that it expects is one that nobody knows."""
KEY_SAID = 2.0
"""Seconds that its words may come after its first packets."""


class Host(Protocol):
    """Whom a listener works for."""

    stopping: threading.Event
    """Take no more encoders."""
    say: Callable[[str], None]
    """Tell a person something, once; from any thread."""
    last_arrival: float
    """When something came last, on the monotonic clock."""

    def link(self, state: LinkState, detail: str) -> None:
        """Say how the link to the encoder is; `detail` is one sentence."""
        ...

    def opened(self, container: InputContainer) -> AbstractContextManager[Stay]:
        """Take an encoder in, for as long as it stays."""
        ...


class Listener:
    """Waits for encoders, one after the other."""

    def __init__(self, host: Host, url: str) -> None:
        """Raises MediaError where nobody can listen at `url`."""
        self._host = host
        self._url = urlsplit(url)
        if self._url.scheme not in PORTS:
            raise MediaError(
                _("{url} is not an address to listen at; write rtmp://HOST:PORT/live/KEY or srt://HOST:PORT.").format(
                    url=url
                )
            )
        self._port = self._url.port or PORTS[self._url.scheme]
        self._path, _slash, self._key = self._url.path.rpartition("/")
        if not self._path:  # there is but an application
            self._path, self._key = self._url.path, ""
        self._child: subprocess.Popen[bytes] | None = None
        self._known = threading.Event()
        """Who was let in has the right key."""
        self._silent_said = self._wrong_said = False
        self._unknown_said = False
        self._unclear = False
        """A look at an encoder did not tell what it sends."""
        claimed = self._claim(PATIENCE)
        self._door = Door(claimed, self.address, host.say) if self._url.scheme == "rtmp" else None
        if self._door is None:
            claimed.close()

    @property
    def address(self) -> str:
        """Where we listen, without the stream's key."""
        host = f"{self._url.scheme}://{self._url.hostname}:{self._port}"
        return host + self._path if self._url.scheme == "rtmp" else host

    def run(self) -> None:
        """Take whoever streams to us until the relay takes no more."""
        host = self._host
        if self._door is not None:
            self._door.open()
        while not host.stopping.is_set():
            host.link("connecting", _("Waiting for an encoder to stream to {address}.").format(address=self.address))
            try:
                self._one_encoder()
            finally:
                self.stop()
            host.stopping.wait(AGAIN_AFTER)
        if self._door is not None:
            self._door.close()
        host.link("off", "")

    def stop(self) -> None:
        """End the child, from any thread; `run` then sees the end of the stream."""
        child = self._child
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            child.wait()

    def _one_encoder(self) -> None:
        inner = 0
        self._known.clear()
        if self._door is not None:
            inner = self._door.inner = _free_port()
        child = self._child = subprocess.Popen(
            self._command(inner),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment(),  # strangers talk to it: it knows no key of ours
        )
        if child.stdout is None or self._host.stopping.is_set():
            return
        threading.Thread(target=self._drain, args=(child,), name="listener's words", daemon=True).start()
        # The NUT header says all; to look at the stream a second time would only cost time.
        options = {"probesize": "32", "analyzeduration": "1", "fpsprobesize": "0"}
        try:
            container = av.open(f"pipe:{child.stdout.fileno()}", "r", "nut", options=options)
        except (OSError, av.FFmpegError) as problem:
            logger.info("nothing that can be read came to %s: %s", self.address, problem)
            return
        if self._door is not None:
            if self._key and not self._known.wait(KEY_SAID):
                self._wrong()
                return
            self._door.taken = True
        self._host.link("online", "")
        left = threading.Event()
        threading.Thread(target=self._watch, args=(child, left), name="watch", daemon=True).start()
        try:
            with container:
                self._take(container)
        finally:
            left.set()
            if self._door is not None:
                self._door.taken = False
        child.stdout.close()

    def _watch(self, child: subprocess.Popen[bytes], left: threading.Event) -> None:
        """Hang up on an encoder that is gone without a word; until it has `left`."""
        while (rest := self._host.last_arrival + GONE - time.monotonic()) > 0:
            if left.wait(rest):
                return
        logger.warning("nothing came to %s for %g s; the next encoder may call", self.address, GONE)
        child.kill()

    def _take(self, container: InputContainer) -> None:
        with self._host.opened(container) as stay, contextlib.suppress(OSError, av.FFmpegError):
            logger.info("an encoder streams to %s: %s", self.address, ", ".join(str(each) for each in stay.streams))
            if stay.audio is None and not self._silent_said:
                self._silent_said = True
                self._host.say(
                    _(
                        "The encoder sends no sound, so there is nothing to caption; switch its sound on, and let it"
                        " stream anew."
                    )
                )
            for packet in container.demux(stay.streams):  # until the encoder leaves, in the middle of a packet or not
                stay.arrived(packet)

    def _command(self, inner: int) -> list[str]:
        """Return how to start the listener: it passes packets on as they are and understands nothing.

        RTMP comes to it by the door, at the port `inner`.
        """
        url = self._url
        if url.scheme == "rtmp":
            asked = {"listen": 1}
            # All may read a process's arguments, so the key is not among them: FFmpeg says which one came.
            address = f"rtmp://127.0.0.1:{inner}{self._path}" + (f"/{secrets.token_hex(8)}" if self._key else "")
        else:
            asked = {}
            # Who has called and says nothing is hung up on: until then nobody else is heard.
            address = f"srt://{url.hostname}:{self._port}?mode=listener&timeout={round(GONE * 1_000_000)}"
            address += f"&{url.query}" if url.query else ""
        source = ffmpeg.input(address, **asked, **(LOOK | LOOK_LONGER if self._unclear else LOOK))
        sound = source["a:u?" if self._unclear else "a:0?"]  # u: as far as it is known what it is
        passed = ffmpeg.output(source["v:0?"], sound, "pipe:1", **PASS)
        command = passed.global_args("-hide_banner", "-nostdin", "-loglevel", "warning", *ANY_TIME).compile()
        # A relay that is killed takes its listener with it, or the port would stay taken.
        tie = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        return [*tie, *(str(word) for word in command)]

    def _drain(self, child: subprocess.Popen[bytes]) -> None:
        """Read what the listener has to say, or it would block."""
        if child.stderr is None:
            return
        back: deque[float] = deque(maxlen=BACK)
        with child.stderr:
            for number, raw in enumerate(child.stderr):
                line = raw.decode(errors="replace").rstrip()
                called = _CALLED.search(line)
                if _ELSEWHERE in line or (called and called[1] != self._key):  # FFmpeg takes it all the same
                    child.kill()
                    self._wrong()
                    continue
                if called:
                    self._known.set()
                    continue
                self._unclear = self._unclear or " not set" in line  # "dimensions", "sample rate": NUT's words
                if _UNKNOWN.search(line):
                    self._unknown()
                elif _UNDATED in line:
                    back.append(time.monotonic())
                    if len(back) == BACK and back[-1] - back[0] < 1:
                        logger.warning("the clock of the encoder at %s went back; it is hung up on", self.address)
                        back.clear()
                        child.kill()
                if number < MOST_WORDS:
                    logger.info("listener: %s", re.sub(r"(rtmp://\S+/)\S+", r"\1…", line))

    def _unknown(self) -> None:
        if not self._unknown_said:
            self._unknown_said = True
            self._host.say(
                _(
                    "The encoder sends pictures that cannot be taken by RTMP here; set it to H.264, or let it stream by"
                    " SRT."
                )
            )

    def _wrong(self) -> None:
        logger.warning("an encoder called at %s with another path or key", self.address)
        if not self._wrong_said:
            self._wrong_said = True
            self._host.say(
                _(
                    "An encoder calls at {address} with another path or stream key and is turned away; give it those"
                    " of `listen` or `backup` in studio.toml; where that says nothing, the stream key is studio."
                ).format(address=self.address)
            )

    def _claim(self, patience: float) -> socket.socket:
        """Return the port, bound, and listening where it is TCP. Raises MediaError where it stays taken."""
        kind = socket.SOCK_STREAM if self._url.scheme == "rtmp" else socket.SOCK_DGRAM
        until = time.monotonic() + patience
        while True:
            family = socket.AF_INET6 if ":" in (self._url.hostname or "") else socket.AF_INET
            trial = socket.socket(family, kind)
            try:
                if kind == socket.SOCK_STREAM:
                    trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind((self._url.hostname, self._port))
                if kind == socket.SOCK_STREAM:
                    trial.listen()
            except OSError as problem:
                trial.close()
                if problem.errno == errno.EADDRINUSE and time.monotonic() < until:
                    time.sleep(0.1)
                    continue
                raise MediaError(self._refused(problem)) from problem
            else:
                return trial

    def _refused(self, problem: OSError) -> str:
        if problem.errno == errno.EADDRINUSE:
            return _(
                "Port {port} is in use by another program; close it, or set another port as `listen` in studio.toml."
            ).format(port=self._port)
        return _("Nobody can listen at {address} ({problem}); is the address one of this machine's?").format(
            address=self.address, problem=why(problem)
        )


def _free_port() -> int:
    """Return a port of this machine that is free now."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port
