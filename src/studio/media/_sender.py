"""A destination in a child of its own: `ffmpeg -c copy` owns the connection, we feed it through a pipe.

Whatever a server does to whoever sends to it - it is silent, it stops, it takes a byte a minute - it does to the child.
The child says on its standard error how far it came, and on a second pipe how many bytes were taken; by these two it is
judged, and killed when it gets no further. FFmpeg inside our process would hold Python's lock while it connects: the
whole relay stood still for 20 s before a server that did not answer.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import selectors
import shutil
import subprocess
import threading
import time
from collections import deque
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import av

from studio.events import OutputReport, without_stream
from studio.language import _
from studio.media._backlog import Backlog
from studio.media._recording import mux_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from studio.events import Destination, OutputState
    from studio.media._encode import Coded

logger = logging.getLogger(__name__)

BACK_OFF = (0.5, 1.0, 2.0)
"""Seconds from the beginning of one attempt to the next one; the last for ever."""
BREATH = 0.2
"""Seconds between an attempt and the next one at the least, however long it took."""
CALL_PATIENCE = 3.0
"""Seconds for which nobody need answer at all. A call that found no network is sent again after 1 and 3 s only: to call
anew is quicker."""
ANSWER_PATIENCE = 8.0
"""Seconds between two steps of getting acquainted: over TLS and across an ocean there are a dozen."""
STALLED = 2.0
"""Seconds without a byte taken after which a destination counts as stalled."""
HANG_UP = 6.0
"""Seconds without a byte taken after which it is called again."""
RAN_WELL = 10.0
"""Seconds on the air after which the back-off begins anew."""
PROOF = 5.0
"""Seconds on the air until it is said to be back: a line that comes and goes is told of once."""
GRACE = 3.0
"""Seconds that it may take to hand over what is left when the programme is over."""
SLOW = 10.0
"""Seconds for which packets that were left out are spoken of."""
RATE_OVER = 5.0
"""Seconds over which the bitrate is reckoned."""
CHUNK = 1 << 16
"""Bytes handed to the child at once: what a pipe holds."""
SOCKET_BYTES = 512 << 10
"""How much the system may hold for a server that takes nothing, which would look like being taken. Enough for 10 Mb/s
to the other side of the world and back."""
LOOK = ("-probesize", "10000000", "-analyzeduration", "500000", "-fpsprobesize", "0")
"""The child looks at half a second of the programme before it calls: the first sound may come 0.3 s after the picture.
It has it from the last keyframe at once, mostly; measured, it calls 0.06 s after it was started then. MPEG-TS says all
that is needed in its first packets, so that no shape of file needs less."""
PROGRESS_EVERY = "0.25"
LONGEST_SECRET = 900
"""FFmpeg reads lines of a thousand bytes."""
SHORTEST_SECRET = 6
"""Letters of a `streamid` that may hold a password; a shorter one is a word such as any other."""
ENVIRONMENT = frozenset({"HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ"})
"""What the child is given of our environment, which may hold the keys of every destination."""
FORMS = {".mkv": "matroska", ".mp4": "mp4", ".flv": "flv"}
"""What a file is by its ending; MPEG-TS otherwise."""

Reason = Literal[
    "unknown", "nobody", "silent", "lost", "stalled", "certificate", "key", "address", "taken", "words", "passphrase",
    "length", "rejected", "full", "unwritable", "no ffmpeg",
]  # fmt: skip
"""Why an attempt ended."""

REFUSALS: frozenset[Reason] = frozenset(
    {"key", "address", "taken", "words", "passphrase", "length", "rejected", "certificate"}
)
"""Where a person must look: the other side answered, and does not want us."""

_SAID: tuple[tuple[re.Pattern[str], Reason], ...] = (
    (re.compile(r"Failed to resolve hostname"), "unknown"),
    (re.compile(r"Connection refused"), "nobody"),
    (re.compile(r"certificate failed verification|does not match hostname"), "certificate"),
    (re.compile(r"Server error: Already publishing|Listener's backlog exceeded"), "taken"),
    (re.compile(r"Server error: "), "words"),
    (re.compile(r"Incorrect passphrase|BADSECRET|UNSECURE"), "passphrase"),
    (re.compile(r"failed to set option SRTO_PASSPHRASE"), "length"),
    (re.compile(r"REJECT reported"), "rejected"),
    (re.compile(r"No space left on device|Disk quota exceeded"), "full"),
    (re.compile(r"Unrecognized option|Protocol not found|Unknown output format"), "no ffmpeg"),
)
"""What FFmpeg 5.1 and libsrt 1.5 write, as seen against nginx-rtmp and srt-live-transmit. Of two the first counts."""
_SERIOUS = re.compile(r"\[(?:warning|error|fatal|panic)\]|SRT[.:]")


class Sender:
    """One destination: a thread that calls it again for ever. `write` never waits."""

    def __init__(
        self,
        destination: Destination,
        say: Callable[[str], None],
        *,
        after: threading.Thread | None = None,
        backlog: Backlog | None = None,
    ) -> None:
        """Tell `say` in one sentence when it fails, and when it is back.

        `after`: the thread of the one that had this place before; the server must have seen it go.
        """
        self._destination = destination
        self._say = say
        self._after = after
        self._backlog = backlog or Backlog()
        self._state: OutputState = "connecting"
        self._trouble = ""
        self._told: OutputState | None = None
        """What state a person was told of last; `None`: all is well."""
        self._size = 0
        self._restarts = 0
        self._taken: deque[tuple[float, int]] = deque(maxlen=100)
        self._left_out = 0
        self._left_out_at = float("-inf")
        self._over = float("inf")
        """When the child must be gone."""
        self.thread = threading.Thread(target=self._run, name=f"to {destination.name}", daemon=True)
        try:
            self.thread.start()
        except RuntimeError:  # this machine is at its limits
            self._backlog.close()
            raise

    # ── for other threads ─────────────────────────────────────────────────────────────────────────────────────────────

    def write(self, packets: Sequence[Coded]) -> None:
        """Let `packets` wait for the child."""
        self._backlog.put(packets)

    def end(self, grace: float = GRACE, *, at_once: bool = False) -> None:
        """Send what waits, within `grace` seconds, or nothing more; does not wait for it. `thread` ends then."""
        self._over = min(self._over, time.monotonic() + grace)
        self._backlog.end(at_once=at_once)

    def report(self) -> OutputReport:
        """How this destination is doing."""
        detail = self._trouble or self._destination.shown
        if self._state == "on air" and time.monotonic() - self._left_out_at < SLOW:
            detail = _(
                "{name} takes the programme too slowly, so parts of it are left out there; lower `video_bitrate`, or"
                " look at the line to the internet."
            ).format(name=self._destination.name)
        return OutputReport(
            self._destination.name,
            self._state,
            self._masked(detail),
            self._size,
            destination=True,
            bitrate=self._bitrate(),
            dropped=self._backlog.dropped,
            restarts=self._restarts,
        )

    # ── the thread ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        tries = 0
        try:
            if self._after is not None:
                self._after.join(GRACE)
            while self._waited_for_programme():
                began = time.monotonic()
                try:
                    self._backlog.again()
                    attempt = self._tried()
                    if self._backlog.ended:
                        break
                    tries = 0 if attempt is not None and attempt.aired > RAN_WELL else tries + 1
                    self._failed(attempt.reason if attempt else "lost", attempt.words if attempt else "")
                except Exception:  # nor in what is said of it
                    logger.exception("nothing can be said of the destination %s", self._destination.name)
                    self._state = "retrying"
                self._restarts += 1
                rest = began + BACK_OFF[min(max(tries - 1, 0), len(BACK_OFF) - 1)] - time.monotonic()
                self._rest(max(BREATH, rest))
        finally:
            over = self._backlog.ended
            self._state = "done" if over else "failed"
            if over:
                self._trouble = ""
            self._backlog.close()

    def _waited_for_programme(self) -> bool:
        """Wait until there is something to send; return whether there is."""
        while not len(self._backlog) and not self._backlog.ended:
            self._backlog.wait(None)
        return not self._backlog.ended or len(self._backlog) > 0

    def _rest(self, seconds: float) -> None:
        """Wait so long, or until the programme is over."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._backlog.ended:
            self._backlog.wait(left)

    def _tried(self) -> _Attempt | None:
        try:
            return self._attempt()
        except Exception:  # our own mistake shall not end the sending, and nothing else
            logger.exception("the destination %s broke", self._destination.name)
            return None

    def _attempt(self) -> _Attempt:
        attempt = _Attempt(self._destination, self._backlog, self._news, self._masked)
        try:
            attempt.run(lambda: self._over)
        finally:
            attempt.close()
        return attempt

    def _news(self, state: OutputState, taken: int, aired: float) -> None:
        """Hear of the attempt that goes on: `taken` bytes more."""
        now = time.monotonic()
        if taken:
            self._size += taken
            self._taken.append((now, self._size))
        if self._backlog.dropped != self._left_out:
            self._left_out, self._left_out_at = self._backlog.dropped, now
        if state == "connecting":
            return  # an attempt after a failed one: what is known of that is more than "connecting" says
        if state == "stalled":
            self._trouble = self._sentence("stalled")
        elif self._state != "on air":
            logger.info("%s is on the air", self._destination.name)
            self._left_out_at = float("-inf")  # what was left out before is no sign of slowness
        if state == "on air":
            self._trouble = ""
            if self._told and aired > PROOF:
                self._told = None
                self._say(_("{name} is on the air again.").format(name=self._destination.name))
        self._state = state

    def _failed(self, reason: Reason, words: str) -> None:
        state: OutputState = "refused" if reason in REFUSALS else "retrying"
        self._state = state
        self._trouble = self._masked(self._sentence(reason, words))
        logger.info("%s: %s, %s", self._destination.name, state, reason)
        if state != self._told:  # which of the ways not to answer it is just now is not worth another word
            self._told = state
            self._say(self._trouble)

    def _bitrate(self) -> int:
        now = time.monotonic()
        recent = [(at, size) for at, size in list(self._taken) if at > now - RATE_OVER]
        if len(recent) < 2 or self._state != "on air":  # noqa: PLR2004 - from one to another
            return 0
        (first, before), (last, size) = recent[0], recent[-1]
        return round((size - before) * 8 / 1000 / max(last - first, 0.1))

    def _masked(self, text: str) -> str:
        stream = without_stream(self._destination.address)[1] if self._destination.kind == "srt" else ""
        text = masked(text, self._destination.secret)
        return masked(text, stream) if len(stream) >= SHORTEST_SECRET else text

    def _sentence(self, reason: Reason, words: str = "") -> str:
        """Say in one sentence what is wrong, and what to do."""
        place = urlsplit(self._destination.address)
        sentences: dict[Reason, str] = {
            "unknown": _("{name} cannot be found, nobody knows {host}; check its address and the line out."),
            "nobody": _("Nobody listens for {name} at {address}; is the server running?"),
            "silent": _("{name} does not answer at {address}; look at the network, it is called again and again."),
            "lost": _("The line to {name} is lost; look at the network, it is called again and again."),
            "stalled": _("{name} takes nothing any more; look at the network and at the server."),
            "certificate": _("{name} shows a certificate that is not trusted; check its address, {address}."),
            "key": _("{name} refuses the stream key; check the key of this destination."),
            "address": _("{name} is there and refuses {address}; check the address and the key of this destination."),
            "taken": _("Somebody streams to {name} already; end the other stream."),
            "words": _("{name} refuses the programme and says: {words}; check the key of this destination."),
            "passphrase": _("{name} refuses the passphrase; check the passphrase of this destination."),
            "length": _("The passphrase of {name} cannot be used; SRT wants 10 to 79 characters."),
            "rejected": _("{name} is there and rejects the call; check the address and the passphrase."),
            "full": _("The disk of {address} is full, so {name} has stopped; make room."),
            "unwritable": _("{name} has stopped, {address} cannot be written; check the disk and the folder."),
            "no ffmpeg": _("{name} gets nothing, for ffmpeg is missing or cannot send there; install it anew."),
        }  # fmt: skip
        return sentences[reason].format(
            name=self._destination.name, address=self._destination.shown, host=place.hostname, words=words
        )


class _Attempt:
    """One life of the child."""

    def __init__(
        self,
        destination: Destination,
        backlog: Backlog,
        news: Callable[[OutputState, int, float], None],
        mask: Callable[[str], str],
    ) -> None:
        """Tell `news` of the state, of the bytes taken since it was told last, and for how long it is on the air."""
        self._kind = destination.kind
        self._backlog = backlog
        self._news = news
        self._mask = mask
        self._name = destination.name
        self._usable = usable(destination.secret) and (
            destination.kind != "srt" or usable(without_stream(destination.address)[1])
        )
        self.reason: Reason = "lost"
        """Why it ended."""
        self.words = ""
        """What the server said to that."""
        self._on_air: float | None = None
        self._last_taken = self._step = time.monotonic()
        self._fed = 0.0
        """When the child was handed something last."""
        self._calling = self._called = self._acquainted = self._published = False
        self._total = -1
        self._pending = memoryview(b"")
        self._deaf = False
        """The child takes no more."""
        self._ts = _Ts()
        self._process: subprocess.Popen[bytes] | None = None
        self._progress: IO[bytes] | None = None
        self._unread = {"words": b"", "progress": b""}
        self._destination = destination
        self._file: Path | None = None
        """What the child writes, where that is a file."""

    @property
    def aired(self) -> float:
        """Seconds since the first bytes were taken; 0 if none were."""
        return 0.0 if self._on_air is None else time.monotonic() - self._on_air

    def run(self, over: Callable[[], float]) -> None:
        """Start the child and feed it until it ends, or must; `over` says when it must at the latest."""
        if not self._usable:
            self.reason = "length" if self._kind == "srt" else "key"
            return
        try:
            process = self._process = self._start()
        except OSError as problem:
            logger.warning("the child for %s cannot be started: %s", self._name, problem)
            self.reason = "no ffmpeg" if isinstance(problem, FileNotFoundError) else "unwritable"
            return
        if process.stdin is None or process.stderr is None or self._progress is None:
            return
        with selectors.DefaultSelector() as wait:
            wait.register(self._backlog, selectors.EVENT_READ)
            wait.register(process.stderr, selectors.EVENT_READ)
            wait.register(self._progress, selectors.EVENT_READ)
            self._talk(process, wait, over)
        self._explain(process)

    def close(self) -> None:
        """Leave neither a process nor a descriptor behind."""
        self._ts.close()
        process = self._process
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stderr):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        if self._progress is not None:
            self._progress.close()
        if self._file is not None:
            with contextlib.suppress(OSError):  # a full disk has room for names: it would be one more each time
                if not self._file.stat().st_size:
                    self._file.unlink()

    def _start(self) -> subprocess.Popen[bytes]:
        """Start the child; secrets go through a pipe that is empty and closed when it has read them."""
        if self._kind == "file":
            wanted = Path(self._destination.address)
            wanted.parent.mkdir(parents=True, exist_ok=True)
            self._file = unused(wanted)
        reading = writing = progress = told = -1
        try:
            reading, writing = os.pipe()
            progress, told = os.pipe()
            os.write(writing, settings(self._destination).encode())
            os.close(writing)
            writing = -1
            process = subprocess.Popen(
                command(self._destination, self._file, settings_at=reading, progress_at=told),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(reading, told),
                env=environment(),
                bufsize=0,
            )
        except BaseException:
            if progress >= 0:
                os.close(progress)
            raise
        finally:
            for descriptor in (reading, writing, told):
                if descriptor >= 0:
                    os.close(descriptor)
        self._progress = os.fdopen(progress, "rb", buffering=0)
        for pipe in (process.stdin, process.stderr, self._progress):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
        return process

    def _talk(
        self, process: subprocess.Popen[bytes], wait: selectors.DefaultSelector, over: Callable[[], float]
    ) -> None:
        """Feed the child and listen to it, until it has closed both pipes that it talks through."""
        open_ends = 2
        while open_ends:
            self._fill(process, wait)
            now = time.monotonic()
            if now > over() or not self._judge(now):
                return
            for key, _events in wait.select(0.25):
                if key.fileobj is self._backlog:
                    self._backlog.heard()
                elif key.fileobj is process.stdin:
                    self._feed(key.fd)
                elif not self._listen(key.fileobj is process.stderr, key.fd):
                    wait.unregister(key.fileobj)
                    open_ends -= 1
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)

    def _fill(self, process: subprocess.Popen[bytes], wait: selectors.DefaultSelector) -> None:
        """Have something ready for the child's pipe, and watch the pipe while there is; close it after the last."""
        pipe = process.stdin
        if pipe is None or pipe.closed:
            return
        if not self._pending and (packets := self._backlog.take(CHUNK)):
            self._pending = memoryview(self._ts.mux(packets))
        watched = pipe in wait.get_map()
        wanted = bool(self._pending) and not self._deaf
        if watched and not wanted:
            wait.unregister(pipe)
        elif wanted and not watched:
            wait.register(pipe, selectors.EVENT_WRITE)
        over = not self._pending and self._backlog.ended and not len(self._backlog)
        if over or self._deaf:
            with contextlib.suppress(OSError):
                pipe.close()  # the child writes what is left, says goodbye to the server and ends

    def _feed(self, descriptor: int) -> None:
        try:
            written = os.write(descriptor, self._pending)
        except BlockingIOError:
            return
        except OSError:  # it has ended, and says why on its other pipes
            self._deaf = True
            return
        self._pending = self._pending[written:]
        self._fed = time.monotonic()

    def _listen(self, words: bool, descriptor: int) -> bool:  # noqa: FBT001 - of the two pipes it is this one
        """Read what the child says; return whether it may say more."""
        try:
            data = os.read(descriptor, CHUNK)
        except BlockingIOError:
            return True
        if not data:
            return False
        which = "words" if words else "progress"
        *lines, self._unread[which] = (self._unread[which] + data).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace").strip()
            if words:
                self._hear(text)
            elif text.startswith("total_size="):
                self._count(text.removeprefix("total_size="))
        return True

    def _hear(self, line: str) -> None:
        """Follow how far the child came; each step is news."""
        if _SERIOUS.search(line):
            logger.info("to %s: %s", self._name, self._mask(line))
            for pattern, reason in _SAID:
                if self.reason == "lost" and (found := pattern.search(line)):
                    self.reason, self.words = reason, line[found.end() :].strip(" .")
                    break
        if self._on_air is not None:
            return
        self._step = time.monotonic()
        if "Opening an output file" in line:
            self._calling = True
        elif "Successfully connected to" in line:
            self._called = True
        elif "] Proto = " in line:
            self._acquainted = True
        elif "Sending publish command" in line:
            self._published = True

    def _count(self, text: str) -> None:
        """Take note of the bytes that were taken in all: more than the first time it was asked is the programme."""
        if not text.isdigit():
            return
        before, self._total = self._total, max(self._total, int(text))
        now = time.monotonic()
        if before < 0:
            self._step = now
            self._called = True
            return
        if self._total > before:
            self._last_taken = now
            if self._on_air is None:
                self._on_air = now
            self._news("on air", self._total - before, self.aired)

    def _judge(self, now: float) -> bool:
        """Say how it goes; return whether there is hope."""
        if self._on_air is None:
            self._news("connecting", 0, 0.0)
            alone = self._calling and not self._called and self._kind == "rtmp"
            patience = CALL_PATIENCE if alone else ANSWER_PATIENCE
            if now - self._step > patience:
                self.reason = "silent"
                return False
            return True
        waits = bool(self._pending) or self._fed > self._last_taken + 0.5
        quiet = now - self._last_taken
        if not waits or quiet < STALLED:
            return True
        self._news("stalled", 0, self.aired)
        if quiet < HANG_UP:
            return True
        self.reason = "stalled"
        return False

    def _explain(self, process: subprocess.Popen[bytes]) -> None:
        """Find out why the child ended, where it did not say it in so many words."""
        if self.reason == "lost" and self._kind == "file":
            self.reason = "unwritable"
        if self.reason != "lost" or process.poll() is None or self._on_air is not None:
            return
        if self._published:
            self.reason = "key"  # hung up on when it said the key: all that nginx-rtmp does on `on_publish`
        elif self._acquainted:
            self.reason = "address"
        elif not self._called:
            self.reason = "silent"


class _Ts:
    """The programme as MPEG-TS: pictures and sound say themselves what they are."""

    def __init__(self) -> None:
        self._out = _Bytes()
        self._file = av.open(self._out, "w", "mpegts", options={"flush_packets": "1"})
        self._streams = mux_streams(self._file)

    def mux(self, packets: Sequence[Coded]) -> bytes:
        for coded in packets:
            packet = coded.packet()
            packet.stream = self._streams[coded.kind]
            try:
                self._file.mux(packet)
            except av.FFmpegError as problem:  # a stamp that does not follow the one before it
                logger.warning("a packet cannot be sent: %s", problem)
        return self._out.pour()

    def close(self) -> None:
        with contextlib.suppress(OSError, av.FFmpegError):
            self._file.close()


class _Bytes:
    """A file that is poured out from time to time."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def pour(self) -> bytes:
        data = bytes(self._data)
        self._data.clear()
        return data


# ── how the child is told ─────────────────────────────────────────────────────────────────────────────────────────────


def masked(text: str, secret: str) -> str:
    """Return `text` without `secret`."""
    return text.replace(secret, "…") if secret else text


def environment() -> dict[str, str]:
    """Return what the child may know of ours: no key, and not to write all it knows into a report of its own."""
    return {name: value for name, value in os.environ.items() if name in ENVIRONMENT}


def usable(secret: str) -> bool:
    """Whether `secret` can be written on one line of FFmpeg's settings."""
    return len(secret.encode()) < LONGEST_SECRET and not any(ord(letter) < ord(" ") for letter in secret)


def settings(destination: Destination) -> str:
    """Return the lines of FFmpeg's `-fpre` file: the place for what must not stand among the arguments."""
    url = urlsplit(destination.address)
    lines: dict[str, str] = {}
    if destination.kind == "rtmp":
        lines["send_buffer_size"] = str(SOCKET_BYTES)
        if destination.secret:
            lines["rtmp_app"] = url.path.strip("/") + (f"?{url.query}" if url.query else "")
            lines["rtmp_playpath"] = destination.secret
        if url.scheme == "rtmps":
            lines["tls_verify"] = "1"
            if trusted := os.environ.get("SSL_CERT_FILE"):
                lines["ca_file"] = trusted
    elif destination.kind == "srt":
        if stream := without_stream(destination.address)[1]:
            lines["streamid"] = stream
        if destination.secret:
            lines["passphrase"] = destination.secret
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def command(destination: Destination, file: Path | None = None, *, settings_at: int, progress_at: int) -> list[str]:
    """Return how to start the child, which reads settings from one descriptor and reports to another.

    `file` is what it writes, where the destination is one and that is taken.
    """
    # Its own words about each step are the only way to tell a wrong key from a dead network.
    words = ["ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+debug"]
    words += ["-progress", f"pipe:{progress_at}", "-stats_period", PROGRESS_EVERY]
    words += [*LOOK, "-f", "mpegts", "-i", "pipe:0", "-map", "0:v", "-map", "0:a?", "-c", "copy", "-flush_packets", "1"]
    words += ["-fpre", f"/dev/fd/{settings_at}"]
    if destination.kind == "rtmp":
        words += ["-bsf:a", "aac_adtstoasc", "-f", "flv", "-flvflags", "no_duration_filesize", destination.address]
    elif destination.kind == "srt":
        words += ["-f", "mpegts", without_stream(destination.address)[0]]
    else:
        form = FORMS.get(Path(destination.address).suffix.lower(), "mpegts")
        if form != "mpegts":  # these keep what the sound is in their head, not before each piece of it
            words += ["-bsf:a", "aac_adtstoasc"]
        # In pieces of half a second: whatever ends it, what was written can be played; and we see that it is written.
        if form == "mp4":
            words += ["-movflags", "empty_moov+default_base_moof", "-frag_duration", "500000"]
        elif form == "matroska":
            words += ["-cluster_time_limit", "500"]
        words += ["-n", "-f", form, f"file:{file or destination.address}"]
    # A relay that is killed takes its children with it, or two would send at once after its restart.
    tie = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
    return [*tie, *words]


def unused(path: Path) -> Path:
    """Return `path`, or the first of `NAME-2`, `NAME-3` … beside it that is not there: nothing is ever overwritten."""
    found, number = path, 1
    while found.exists():
        number += 1
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return found
