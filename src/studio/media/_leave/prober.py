"""Whether a destination that takes the programme also plays it: its playlist is fetched, as a viewer would."""

from __future__ import annotations

import http
import logging
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING

from studio.language import _
from studio.media._ground.alarms import Says, Sign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from studio.events import Alarm, Destination
    from studio.media._ground.clock import Ticks

logger = logging.getLogger(__name__)

EVERY = 5.0
"""Seconds between two looks, about a segment of what large platforms serve."""
DEADLINE = 8.0
"""Seconds that a look may take, whatever the server does."""
FIRST_AFTER = 90.0
"""Seconds on the air until viewers must see something: platforms say 30 to 60 at most."""
STILL_AFTER = 45.0
"""Seconds in which the playlist must have moved: three segments of the longest that platforms serve, 15 s."""
_MOST = 16 << 20
"""Bytes of a playlist; one of twelve hours, its addresses full of tokens, has less."""
_PIECE = 1 << 14


class NotPlayingError(Exception):
    """What came is not what a viewer needs; the text is for the log."""


class NoPlaylistError(NotPlayingError):
    """There is something, such as the page on which people watch."""


class Prober:
    """Looks at the playlist of one destination, in a thread of its own."""

    def __init__(
        self,
        destination: Destination,
        now: Callable[[], Ticks],
        *,
        every: float = EVERY,
        deadline: float = DEADLINE,
        first_after: float = FIRST_AFTER,
        still_after: float = STILL_AFTER,
    ) -> None:
        """`now` is the show clock; the last three in seconds."""
        self.destination = destination
        self._now = now
        self._every = every
        self._deadline = deadline
        self._first_after = first_after
        self._still_after = still_after
        self._sign = Sign(f"unseen:{destination.name}", 0, self._says, back=0)
        self._on_air_since: float | None = None
        self._moved: float | None = None
        self._last: tuple[str, ...] = ()
        self._no_playlist = False
        self._blind = False
        """The last look told nothing: it is our line that is gone, or they are asked too often."""
        self._seeing_since = float("-inf")
        self._looking: float | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._run, name=f"prober {destination.name}", daemon=True).start()

    def on_air(self, *, so: bool) -> None:
        """Say whether the destination takes the programme; while it does not, that is told elsewhere."""
        if not so:
            self._on_air_since = self._moved = None
            self._last = ()
        elif self._on_air_since is None:
            self._on_air_since = time.monotonic()

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()

    def alarms(self) -> tuple[Alarm, ...]:
        """That nobody can watch it, while that is so."""
        self._judge()
        return tuple(self._sign.told())

    def _run(self) -> None:
        while not self._ended.wait(self._every):
            if self._on_air_since is None:
                continue
            self._looking = time.monotonic()
            try:
                seen = segments(self.destination.look_at, self._looking + self._deadline)
            except NoPlaylistError:
                self._no_playlist = True
                self._answered()
            except Exception as problem:  # noqa: BLE001 - the next look may tell more
                logger.info("%s is not seen to play: %s", self.destination.name, problem)
                if _tells(problem):
                    self._answered()
                else:
                    self._blind = True
            else:
                if self._last and seen != self._last:
                    self._moved = time.monotonic()
                self._last = seen
                self._no_playlist = False
                self._answered()
            self._looking = None

    def _answered(self) -> None:
        """Count from now on, where nobody could tell before."""
        if self._blind:
            self._seeing_since = time.monotonic()
            self._blind = False

    def _judge(self) -> None:
        """By the clock, for a server may keep the thread beyond every deadline: that tells nothing, either."""
        now, since, moved, looking = time.monotonic(), self._on_air_since, self._moved, self._looking
        if since is None or self._blind or (looking is not None and now - looking > self._deadline):
            return
        since = max(since, self._seeing_since)
        if moved is None:
            self._sign.note(True if now - since > self._first_after else None, 0, self._now())
        else:
            self._sign.note(now - max(moved, since) > self._still_after, 0, self._now())

    def _says(self) -> Says:
        name, address = self.destination.name, self.destination.look_at.partition("?")[0]  # what follows may be secret
        if self._no_playlist:
            return Says(
                _(
                    "Nobody can tell whether {name} plays the programme, for {address} is no HLS playlist; write one"
                    " that ends in .m3u8 as its look_at, or none."
                ).format(name=name, address=address),
                _("{name} plays the programme.").format(name=name),
            )
        return Says(
            _(
                "{name} takes the programme, but {address} does not play it; see on the page of {name} whether the"
                " broadcast has to be started."
            ).format(name=name, address=address),
            _("{name} plays the programme.").format(name=name),
        )


def _tells(problem: Exception) -> bool:
    """Whether viewers see no more than we do."""
    if isinstance(problem, urllib.error.HTTPError):
        return problem.code >= http.HTTPStatus.BAD_REQUEST and problem.code != http.HTTPStatus.TOO_MANY_REQUESTS
    return isinstance(problem, NotPlayingError)


class Probers:
    """One for each destination that says where its viewers look."""

    def __init__(self, now: Callable[[], Ticks]) -> None:
        self._now = now
        self._probers: dict[str, Prober] = {}

    def follow(self, destinations: Iterable[Destination], on_air: Iterable[str]) -> tuple[Alarm, ...]:
        """Return what is wrong; `on_air` are the names of those that take the programme now."""
        wanted = {one.name: one for one in destinations if one.look_at}
        for name, prober in list(self._probers.items()):
            if wanted.get(name) != prober.destination:
                prober.stop()
                del self._probers[name]
        taking = set(on_air)
        for name, destination in wanted.items():
            if name not in self._probers:
                try:
                    self._probers[name] = Prober(destination, self._now)
                except RuntimeError as problem:  # no thread is left for it; the next report asks again
                    logger.warning("%s cannot be looked at: %s", name, problem)
                    continue
            self._probers[name].on_air(so=name in taking)
        return tuple(alarm for prober in self._probers.values() for alarm in prober.alarms())

    def stop(self) -> None:
        """Look no more."""
        self.follow((), ())


def segments(address: str, until: float) -> tuple[str, ...]:
    """Return what moves in the playlist at `address`: its sequence number and its last segments.

    Of a master playlist, its first variant is taken. `until` is a reading of the monotonic clock. Raises
    NotPlayingError, OSError, ValueError or HTTPException.
    """
    text, address = _fetch(address, until)
    if "#EXT-X-STREAM-INF" in text:
        variant = re.search(r"^#EXT-X-STREAM-INF[^\n]*\n(?:#[^\n]*\n|\s*\n)*([^#\s][^\n]*)", text, re.MULTILINE)
        if variant is None:
            raise NotPlayingError("a master playlist without a variant")
        text, address = _fetch(urllib.parse.urljoin(address, variant.group(1).strip()), until)
    if "#EXTINF" not in text:
        raise NotPlayingError("a playlist without a segment")
    if "#EXT-X-ENDLIST" in text:
        raise NotPlayingError("the broadcast is over there")
    sequence = re.search(r"^#EXT-X-MEDIA-SEQUENCE:\s*(\d+)", text, re.MULTILINE)
    listed = [line.split("?")[0].strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return (sequence.group(1) if sequence else "", str(len(listed)), listed[-1] if listed else "")


def _fetch(address: str, until: float) -> tuple[str, str]:
    """Return a playlist and where it came from in the end."""
    if not address.startswith(("http://", "https://")):
        raise NotPlayingError("not an address of the web")
    request = urllib.request.Request(address, headers={"Cache-Control": "no-cache", "User-Agent": "studio"})  # noqa: S310 - looked at above
    with urllib.request.urlopen(request, timeout=max(0.1, until - time.monotonic())) as answer:  # noqa: S310
        data = b""
        while piece := answer.read1(_PIECE):
            data += piece
            if len(data) > _MOST:
                raise NotPlayingError("no playlist is as long as that")
            if time.monotonic() > until:
                raise TimeoutError("it came too slowly")
        text = data.decode("utf-8", "replace")
        if not text.lstrip("\ufeff").startswith("#EXTM3U"):
            raise NoPlaylistError
        return text, answer.url
