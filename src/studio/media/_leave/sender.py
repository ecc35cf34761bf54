"""A destination in a child of its own: `ffmpeg -c copy` owns the connection, we feed it through a pipe.

Whatever a server does to whoever sends to it - it is silent, it stops, it takes a byte a minute - it does to the child.
The child says on its standard error how far it came, and on a second pipe how many bytes were taken; by these two it is
judged, and killed when it gets no further. FFmpeg inside our process would hold Python's lock while it connects: the
whole relay stood still for 20 s before a server that did not answer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from studio.events import OutputReport, without_stream
from studio.language import _
from studio.media._leave.attempt import REFUSALS, Attempt, Reason
from studio.media._leave.backlog import Backlog
from studio.media._leave.child import masked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from studio.events import Destination, OutputState
    from studio.media._ground.coded import Coded

logger = logging.getLogger(__name__)

BACK_OFF = (0.5, 1.0, 2.0)
"""Seconds from the beginning of one attempt to the next one; the last for ever."""
BREATH = 0.2
"""Seconds between an attempt and the next one at the least, however long it took."""
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
SHORTEST_SECRET = 6
"""Letters of a `streamid` that may hold a password; a shorter one is a word such as any other."""


class Sender:
    """One destination: a thread that calls it again for ever. `write` never waits."""

    small = False
    """Other programs take one picture."""

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

    def _tried(self) -> Attempt | None:
        try:
            return self._attempt()
        except Exception:  # our own mistake shall not end the sending, and nothing else
            logger.exception("the destination %s broke", self._destination.name)
            return None

    def _attempt(self) -> Attempt:
        attempt = Attempt(self._destination, self._backlog, self._news, self._masked)
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
