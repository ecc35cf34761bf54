"""Sound that comes at its own pace: a microphone, or an address that a child `ffmpeg` reads.

FFmpeg inside our process would hold up every thread of it while a server does not answer; a child can be ended.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import re
import select
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import ffmpeg
import numpy as np

from studio.errors import MediaError
from studio.language import _
from studio.media._arrive.intake import Intake
from studio.media._arrive.listen import LOOK
from studio.media._arrive.sound import CHUNK, Chunks, FileSound
from studio.media._ground.clock import Ticks, Zero
from studio.media._ground.hold import Hold
from studio.media._ground.tape import Tape
from studio.media._leave.child import environment
from studio.sound import SPEECH_RATE, AudioChunk
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from studio.events import LinkState
    from studio.media._arrive.source import Sound

logger = logging.getLogger(__name__)

SCHEMES = ("http", "https", "rtmp", "rtmps", "rtsp", "srt")
"""Of addresses; a playlist of HLS is an address of http."""
FIRST_ANSWER, SILENT = 20.0, 12.0
"""Seconds without a byte, before the first and after it, until an address is called again."""
BACK_OFF = (1.0, 1.5, 2.5, 4.0, 6.0, 10.0)
"""Seconds between two calls; the last one for ever."""
BURST = Ms(300)
"""So far may what comes lie behind the clock before its place is moved on: networks bring sound in gusts."""
STALL, SETTLE, WINDOW = 1.0, 0.5, 3.0
"""Seconds: without sound after which its place is looked at anew; over which is watched whether what was held up comes
after all; over which sound must be late all the while, without a stall, before we believe that some was lost."""
AHEAD, AHEAD_OF_FILE = Ms(2000), Ms(40)
"""So far may a server be ahead of the clock: what plays live comes in bursts, a file as fast as the network can."""
_MOST_WAITING = 3000
_DURATION = re.compile(r"Duration: (\d+):(\d\d):(\d\d)")
_DROPPED = re.compile(r"ends prematurely|Error in the pull function|Connection (reset|timed out)|Input/output error")


class _FreeZero(Zero):
    """A clock that belongs to no show folder."""

    def __init__(self) -> None:
        super().__init__(Path("/nonexistent"), lambda _epoch: None)

    def _keep(self, _kept: object, _patience: float = 0) -> None:
        """Nowhere."""


class _MicrophoneIntake(Intake):
    """Says once when the microphone is lost, and once when it is back."""

    def __init__(
        self, heard: Callable[[Ms, bytes], None], ended: Callable[[bool], None], tell: Callable[[str], None]
    ) -> None:
        super().__init__(
            _FreeZero(), Hold(1), Tape(1.0), Ticks(0),
            heard=heard, sound_ended=ended, say=lambda _sentence: None, seconds=None,
        )  # fmt: skip
        self._tell = tell
        self._lost = False

    def link(self, state: LinkState, detail: str) -> None:
        if state == "degraded" and not self._lost:
            self._lost = True
            self._tell(detail)
        elif state == "online" and self._lost:
            self._lost = False
            self._tell(_("The microphone is back."))
        super().link(state, detail)


class MicrophoneSound:
    """A microphone, for ever: one that vanishes is waited for."""

    live = True
    length: Ms | None = None

    def __init__(self, wanted: str, say: Callable[[str], None]) -> None:
        """Find the input; MediaError lists those there are."""
        from studio.media._arrive.microphone import Microphone  # noqa: PLC0415 - loads PortAudio

        self._waiting: queue.Queue[AudioChunk | None] = queue.Queue(_MOST_WAITING)
        self._intake = _MicrophoneIntake(self._heard, self._ended, say)
        self._microphone = Microphone(self._intake, wanted)

    def chunks(self) -> Iterator[AudioChunk]:
        """Listen until told to stop."""
        threading.Thread(target=self._microphone.run, name="microphone", daemon=True).start()
        zero: Ms | None = None
        while (chunk := self._waiting.get()) is not None:
            zero = chunk.start if zero is None else zero
            yield AudioChunk(chunk.rate, Ms(chunk.start - zero), chunk.samples)

    def stop(self) -> None:
        """Listen no more."""
        self._intake.stopping.set()

    def _heard(self, start: Ms, data: bytes) -> None:
        samples = _as_float(data)
        with contextlib.suppress(queue.Full):  # the hole is found by the times of what follows
            self._waiting.put_nowait(AudioChunk(SPEECH_RATE, start, samples))

    def _ended(self, _silent: bool) -> None:  # noqa: FBT001 - as the intake says it
        self._waiting.put(None)


class Arrivals:
    """Finds how much of a live sound was lost on the way, by when the rest of it came.

    By its arrival and not by its stamps: those jump when a programme changes, and then nothing was lost.
    """

    def __init__(self) -> None:
        self._began: float | None = None
        self._length = 0.0
        self._last = 0.0
        self._held: list[NDArray[np.float32]] = []
        self._since: float | None = None
        self._least = 0.0
        self._window: float | None = None
        self._anew = False

    @property
    def begun(self) -> bool:
        """Whether any sound came."""
        return self._began is not None

    def call(self) -> None:
        """The line was called again: what comes now has its place where it comes.

        A server that begins each call with a burst of what was before did so the first time too.
        """
        self._anew = True

    def take(self, samples: NDArray[np.float32], now: float) -> tuple[NDArray[np.float32], Ms]:
        """Take what came at the second `now`; return what can be placed now, and how much was lost before it."""
        span = len(samples) / SPEECH_RATE
        if self._began is None:
            self._began = now - span
        elif self._anew:
            self._since = self._window = None
        elif self._since is None and now - self._last - span > STALL:
            self._since, self._window, self._least = now, None, float("inf")
        self._last = now
        self._held.append(samples)
        self._length += span
        late = now - self._began - self._length
        if self._anew:
            self._anew = False
            return self._give(late)
        self._least = late if self._since is None and self._window is None else min(self._least, late)
        if self._since is not None:
            if self._least > BURST / 1000 and now - self._since < SETTLE:
                return samples[:0], Ms(0)
            return self._give(self._least)
        if late <= BURST / 1000:
            self._window = None
        elif self._window is None:
            self._window = now
        elif now - self._window >= WINDOW:
            return self._give(self._least)
        return self._give(0.0)

    def rest(self) -> tuple[NDArray[np.float32], Ms]:
        """Return what was still watched when the line dropped."""
        return self._give(self._least if self._since is not None else 0.0)

    def _give(self, lost: float) -> tuple[NDArray[np.float32], Ms]:
        given = np.concatenate(self._held) if self._held else np.zeros(0, np.float32)
        self._held = []
        if lost <= BURST / 1000:
            lost = 0.0
        if lost or self._since is not None:
            self._window = None
        self._since = None
        self._length += lost
        return given, Ms(round(lost * 1000))


class UrlSound:
    """An address: a stream that goes on for ever, or a file that ends."""

    live = True

    def __init__(self, url: str, say: Callable[[str], None]) -> None:
        """MediaError for an address of a kind that cannot be read; nothing is called yet."""
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES or not parts.hostname:
            raise MediaError(
                _('"{url}" is no address to listen to; it must be like {known}.').format(
                    url=_without_secrets(url), known="https://HOST/NAME.m3u8, rtmp://HOST/live/NAME, srt://HOST:9000"
                )
            )
        self._url = url
        self._scheme = parts.scheme
        self._say = say
        self._stopping = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._last_words: list[str] = []
        self._dropped = False
        self.length: Ms | None = None

    @property
    def address(self) -> str:
        """The address without user, password, key or query."""
        return _without_secrets(self._url)

    def chunks(self) -> Iterator[AudioChunk]:
        """Listen to the end, or until told to stop; a line that drops is called again."""
        cut = Chunks(lambda: None)
        arrivals = Arrivals()
        tries = 0
        lost = False
        while not self._stopping.is_set():
            called: tuple[float, Ms] | None = None
            for samples in self._one_call(cut.end, SILENT if arrivals.begun else FIRST_ANSWER):
                now = time.monotonic()
                if lost:
                    lost = False
                    self._say(_("{address} is back.").format(address=self.address))
                tries = 0
                yield from self._place(cut, *arrivals.take(samples, now))
                called = called or (now, cut.end)
                self._not_ahead(Ms(cut.end - called[1]), called[0])
            yield from self._place(cut, *arrivals.rest())
            if self._stopping.is_set():
                break
            if not arrivals.begun:
                raise MediaError(self._refusal())
            if self._is_over(cut.end):
                break
            if not lost:
                lost = True
                yield from cut.flush()
                self._say(_("{address} gives no sound any more; it is called again.").format(address=self.address))
            arrivals.call()
            self._stopping.wait(BACK_OFF[min(tries, len(BACK_OFF) - 1)])
            tries += 1
        yield from cut.flush()

    def _place(self, cut: Chunks, samples: NDArray[np.float32], lost: Ms) -> Iterator[AudioChunk]:
        """Of a file nothing is lost: it is asked for from where it broke off."""
        if len(samples):
            yield from cut.take(samples, Ms(cut.end + lost) if lost and self.length is None else None)

    def _not_ahead(self, heard: Ms, since: float) -> None:
        """Wait, where a server sends more than is spoken. Not FFmpeg: it goes by stamps, and waits where they jump."""
        if self._scheme.startswith("http"):
            early = heard - (time.monotonic() - since) * 1000 - (AHEAD if self.length is None else AHEAD_OF_FILE)
            if early > 0:
                self._stopping.wait(early / 1000)

    def stop(self) -> None:
        """Hang up."""
        self._stopping.set()
        self._hang_up()

    def _hang_up(self) -> None:
        child = self._child
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()

    def _is_over(self, heard: Ms) -> bool:
        """Whether this was the end of a file and no line that dropped."""
        if self._child is None or not self._scheme.startswith("http"):
            return False
        if self.length is not None:
            return heard >= self.length - Ms(2000) or (self._child.returncode == 0 and not self._dropped)
        return self._child.returncode == 0 and not self._dropped

    def _one_call(self, heard: Ms, patience: float) -> Iterator[NDArray[np.float32]]:
        self._last_words.clear()
        self._dropped = False
        child = self._child = subprocess.Popen(
            self._command(heard),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment("http_proxy", "no_proxy"),  # servers of others talk to it: it knows no key of ours
        )
        words = threading.Thread(target=self._drain, args=(child,), name="what ffmpeg says", daemon=True)
        words.start()
        rest = b""
        pipe = child.stdout
        try:
            while pipe is not None and not self._stopping.is_set():
                if not select.select([pipe], [], [], patience)[0]:
                    self._dropped = True
                    break
                data = pipe.read(CHUNK * 2)
                if not data:
                    break
                patience = SILENT
                rest += data
                whole = len(rest) // 2 * 2
                yield _as_float(rest[:whole])
                rest = rest[whole:]
        finally:
            if self._dropped or self._stopping.is_set():
                self._hang_up()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(2.0)
            self._hang_up()
            child.wait()
            words.join(1.0)
            if pipe is not None:
                pipe.close()

    def _command(self, heard: Ms) -> list[str]:
        asked: dict[str, object] = {**LOOK}
        if self._scheme.startswith("http"):
            asked["rw_timeout"] = round(SILENT * 1e6)
            if heard and self.length is not None:
                asked["ss"] = heard / 1000
        source = ffmpeg.input(self._url, **asked)
        heard_as = ffmpeg.output(source["a:0"], "pipe:1", format="s16le", ac=1, ar=SPEECH_RATE, flush_packets=1)
        command = heard_as.global_args("-hide_banner", "-nostdin", "-nostats", "-loglevel", "info").compile()
        tie = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        return [*tie, *(str(word) for word in command)]

    def _drain(self, child: subprocess.Popen[bytes]) -> None:
        if child.stderr is None:
            return
        with child.stderr:
            for raw in child.stderr:
                line = self._said(raw.decode(errors="replace").strip())
                logger.info("ffmpeg: %s", line)
                if (found := _DURATION.search(line)) and self.length is None and not line.endswith("N/A"):
                    hours, minutes, seconds = map(int, found.groups())
                    self.length = Ms(((hours * 60 + minutes) * 60 + seconds) * 1000) or None
                if _DROPPED.search(line):
                    self._dropped = True
                self._last_words = [*self._last_words[-20:], line]

    def _said(self, line: str) -> str:
        """What FFmpeg says, without the secrets of addresses: it names those of variants and segments, too."""
        return re.sub(rf"{re.escape(self._url)}|\w+://[^\s'\"]+", lambda found: _as_said(found[0]), line)

    def _refusal(self) -> str:
        said = " ".join(self._last_words)
        if "matches no streams" in said or "does not contain any stream" in said:
            return _("{address} has no sound, so there is nothing to caption.").format(address=self.address)
        reason = next((line for line in reversed(self._last_words) if line), _("it does not answer"))
        return _("{address} gives no sound ({reason}); is the address right, and is it on the air?").format(
            address=self.address, reason=reason.rpartition(": ")[2] or reason
        )


def _as_float(data: bytes) -> NDArray[np.float32]:
    return np.asarray(np.frombuffer(data, "<i2") / np.float32(32768), np.float32)


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    except ValueError:
        host, port = parts.hostname or "", ""
    path = parts.path.rpartition("/")[0] if parts.scheme.startswith("rtmp") else parts.path
    return f"{parts.scheme}://{host}{port}{path}"


def _as_said(address: str) -> str:
    """An address without its secrets, whatever stands in it."""
    try:
        return _without_secrets(address)
    except ValueError:  # half of one
        return f"{address.partition('://')[0]}://…"


def open_sound(source: str, say: Callable[[str], None]) -> Sound:
    """Open a file, `mic[:DEVICE]` or an address; see `studio.media.open_sound`."""
    if source == "mic" or source.startswith("mic:"):
        return MicrophoneSound(source.partition(":")[2], say)
    if "://" in source:
        if urlsplit(source).scheme == "file":
            return FileSound(Path(urlsplit(source).path), say)
        return UrlSound(source, say)
    if not source:
        raise MediaError(_("Name a file, mic, mic:DEVICE or an address to listen to."))
    return FileSound(Path(source), say)
