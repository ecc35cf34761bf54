"""One attempt to reach a destination: a child's life, and what its words and its bytes say of it."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import selectors
import subprocess
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from studio.events import without_stream
from studio.media._leave.child import Ts, command, environment, settings, unused, usable

if TYPE_CHECKING:
    from collections.abc import Callable

    from studio.events import Destination, OutputState
    from studio.media._leave.backlog import Backlog

logger = logging.getLogger(__name__)

CALL_PATIENCE = 3.0
"""Seconds for which nobody need answer at all. A call that found no network is sent again after 1 and 3 s only: to call
anew is quicker."""
ANSWER_PATIENCE = 8.0
"""Seconds between two steps of getting acquainted: over TLS and across an ocean there are a dozen."""
STALLED = 2.0
"""Seconds without a byte taken after which a destination counts as stalled."""
HANG_UP = 6.0
"""Seconds without a byte taken after which it is called again."""
CHUNK = 1 << 16
"""Bytes handed to the child at once: what a pipe holds."""

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


class Attempt:
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
        self._ts = Ts()
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
