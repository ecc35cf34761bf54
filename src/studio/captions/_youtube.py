"""YouTube's captions: each cue by HTTP POST, at the moment it airs.

By YouTube's "Closed Captions over HTTP for YouTube Live Streams" (support.google.com/youtube/answer/6077032): plain
text in UTF-8, a line of UTC time and a line of text for each caption, `<br>` between lines; `seq` in the address grows
by one with each post of new captions and stays the same when one is repeated; the answer is YouTube's own time. Those
who built on it found that captions more than a minute off that time are not taken, and that `Content-Type` must be
`text/plain` without a charset. No sign of life is asked for between captions, so none is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from studio.captions._sinks import Sink
from studio.errors import CaptionsError, SubtitlesError
from studio.language import _, plural
from studio.subtitles import write_whole
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import httpx

    from studio.events import LinkState
    from studio.spoken import Cue
    from studio.units import Clock

logger = logging.getLogger(__name__)

FILE = "youtube.json"
"""In the show folder. It stays where captions of an earlier show are set aside: `seq` never goes back."""
TICK = 0.1
"""Seconds between two looks at what is due."""
WAITING = 200
"""Cues that may wait: more than a speaker fills in the minute for which YouTube takes them."""
TAKEN_FOR = Ms(55_000)
"""So long after its moment a cue is still sent: YouTube takes a minute, the way there is a part of it."""
TOGETHER = 20
"""Most cues of one post."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
"""Seconds before a post is repeated; each time twice as long."""
PATIENCE = 5.0
"""Seconds that YouTube may take to answer."""
LAST_WORDS = 3.0
"""Seconds for the last post when the show ends."""
CLOCKS_APART = 10
"""Seconds between YouTube's clock and ours that viewers would notice beyond what the picture is late anyway."""

_STAMP = re.compile(r"\s*(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?)")
_ASKED_AGAIN = (408, 425, 429)
"""Answers below 500 that ask for patience, not for another address."""


def youtube_address(variable: str) -> str:
    """Where YouTube takes captions, as the environment's `variable` says.

    Raises CaptionsError, in whose words no key stands.
    """
    address = os.environ.get(variable, "").strip()
    if not address:
        raise CaptionsError(
            _(
                "YouTube needs the address for captions that YouTube Studio shows beside the stream key; put it into "
                "the environment variable {variable}."
            ).format(variable=variable)
        )
    if not re.fullmatch(r"https?://[^/\s]+/\S+", address):
        raise CaptionsError(
            _(
                "What the environment variable {variable} holds is no address for captions; copy it anew from YouTube "
                "Studio, beginning with http."
            ).format(variable=variable)
        )
    return address


class _Kept(msgspec.Struct):
    """What a restart must know."""

    seq: int = 0
    """Of the last post that may have reached YouTube; 0 before the first."""
    arrived: int = 0
    """Number of the last cue that did."""
    tried: int = 0
    """Number of the last cue of that post; more than `arrived` while no answer came."""


class _Failed(Exception):  # noqa: N818 - never leaves this file
    """A post was not taken; `reached`: YouTube may know it all the same."""

    def __init__(self, sentence: str, *, reached: bool, refused: bool = False) -> None:
        super().__init__(sentence)
        self.reached = reached
        self.refused = refused


class YouTube(Sink):
    """Sends cues to a live stream on YouTube. A cue can be corrected until it airs; what was sent stays."""

    name = "youtube"

    def __init__(  # noqa: PLR0917 - what it is made of, in the order of the way
        self,
        variable: str,
        folder: Path,
        clock: Clock,
        hold: Ms,
        language: str,
        cues: Iterable[Cue] = (),
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Post to the address that the environment's `variable` holds, with a key in it; refused where it holds none.

        Of `cues`, those of an earlier life, some may still be sent.
        """
        super().__init__()
        self._language = "" if language == "auto" else f"&lang={language}"
        self._file = folder / FILE
        self._clock = clock
        self._hold = hold
        self._wall = wall
        self._kept = self._read()
        self._dropped = 0
        self._disk_failed = False
        self.state = "connecting"
        self._address: str | None = None
        try:
            self._address = _without(youtube_address(variable), "seq", "lang")
        except CaptionsError as problem:
            self.state, self.detail = "refused", str(problem)
        known = {cue.number: cue for cue in cues}
        if max(known, default=0) < self._kept.arrived:  # they were numbered anew
            self._kept = _Kept(self._kept.seq)
        first, last = self._kept.arrived, self._kept.tried
        self._again = [cue for number, cue in sorted(known.items()) if first < number <= last and cue.lines]
        """The cues of a post that may have reached YouTube: they go there together, as number `seq`, or never."""
        self._waiting = {
            number: cue for number, cue in sorted(known.items()) if number > max(first, last) and cue.lines
        }

    def show(self, cue: Cue) -> None:
        """Send `cue` when it airs; what comes after that is too late here."""
        if self._address is None or cue.number <= max(self._kept.arrived, self._kept.tried):
            return
        if not cue.lines:
            self._waiting.pop(cue.number, None)
            return
        self._waiting[cue.number] = cue
        while len(self._waiting) > WAITING:
            del self._waiting[min(self._waiting)]
            self._drop(1)

    def change_hold(self, hold: Ms) -> None:
        """Send cues when they air now."""
        self._hold = hold

    def drop(self) -> None:
        """Forget every cue: they were another show's, and those to come are numbered anew."""
        self._waiting.clear()
        self._again.clear()
        self._kept = _Kept(self._kept.seq)

    async def run(self) -> None:
        """Post what airs, until cancelled; then what is left, without waiting for its moment."""
        if self._address is None:
            logger.error("%s", self.detail)
            return
        import httpx  # noqa: PLC0415 - only for those who stream to YouTube

        for name in ("httpx", "httpcore"):  # they write the whole address into the log
            logging.getLogger(name).setLevel(logging.WARNING)
        async with httpx.AsyncClient(timeout=PATIENCE, follow_redirects=False) as client:
            try:
                await self._post_what_airs(client)
            except asyncio.CancelledError:
                with contextlib.suppress(TimeoutError, _Failed):
                    async with asyncio.timeout(LAST_WORDS):
                        while await self._post(client, Ms(self._clock.now() + self._hold)):
                            pass
                raise

    async def _post_what_airs(self, client: httpx.AsyncClient) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await self._post(client, self._clock.now())
            except _Failed as problem:
                self._say("refused" if problem.refused else "degraded", str(problem))
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                pause = FIRST_PAUSE
                await asyncio.sleep(TICK)

    # ── one post ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _post(self, client: httpx.AsyncClient, until: Ms) -> bool:
        """Post once what airs up to `until`, or what may not have arrived; false where there is none of both."""
        self._give_up()
        batch = self._again or [cue for cue in self._sorted() if cue.start + self._hold <= until][:TOGETHER]
        if not batch or batch[-1].start > self._clock.now():  # the clock stands until the relay is there
            return False
        repeated = bool(self._again)
        before = msgspec.structs.replace(self._kept)
        if not repeated:
            self._kept = _Kept(before.seq + 1, before.arrived, batch[-1].number)
        try:
            if not repeated:
                await self._keep()
            answer = await self._send(client, batch)
        except _Failed as problem:
            if problem.reached or repeated:
                self._forget(batch)
                self._again = batch
            else:
                self._kept = before
            raise
        except asyncio.CancelledError:
            self._forget(batch)
            self._again = batch
            raise
        self._again = []
        self._forget(batch)
        self._kept = _Kept(self._kept.seq, batch[-1].number, batch[-1].number)
        await self._keep()
        self.late = Ms(max(0, self._clock.now() - self._hold - batch[-1].start))
        self._arrived(answer)
        return True

    async def _send(self, client: httpx.AsyncClient, batch: list[Cue]) -> str:
        """Return what YouTube answers; raise _Failed where it does not take the captions."""
        import httpx  # noqa: PLC0415 - loaded already

        url = f"{self._address}&seq={self._kept.seq}{self._language}"
        body = "".join(f"{self._moment(cue)}\n{'<br>'.join(_plain(line) for line in cue.lines)}\n" for cue in batch)
        silent = _("YouTube does not answer ({problem}); captions are sent there again until it does")
        try:
            answer = await client.post(url, content=body.encode(), headers={"Content-Type": "text/plain"})
        except (httpx.ConnectError, httpx.ConnectTimeout) as problem:
            raise _Failed(silent.format(problem=type(problem).__name__), reached=False) from None
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            raise _Failed(silent.format(problem=type(problem).__name__), reached=True) from None
        code = answer.status_code
        if answer.is_success:
            return answer.text
        if code >= 500 or code in _ASKED_AGAIN:  # noqa: PLR2004 - HTTP's own
            raise _Failed(silent.format(problem=code), reached=True)
        raise _Failed(
            _(
                "YouTube refuses the captions ({code}); is the address the one of tonight's stream, and are captions "
                "by HTTP switched on there?"
            ).format(code=code),
            reached=False,
            refused=True,
        )

    def _moment(self, cue: Cue) -> str:
        """When `cue` airs, in UTC."""
        seconds = self._wall() + (cue.start + self._hold - self._clock.now()) / 1000
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]

    def _arrived(self, answer: str) -> None:
        apart = 0.0
        if stamp := _STAMP.match(answer):
            with contextlib.suppress(ValueError):
                theirs = datetime.fromisoformat(stamp[1]).replace(tzinfo=UTC)
                apart = abs(theirs.timestamp() - self._wall())
        if apart > CLOCKS_APART:
            sentence = _(
                "The clock of this machine is {seconds} s off YouTube's; set it, or captions are out of step there"
            )
            self._say("degraded", sentence.format(seconds=round(apart)))
        else:
            self._say("online", "")

    # ── what waits ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _sorted(self) -> list[Cue]:
        return [self._waiting[number] for number in sorted(self._waiting)]

    def _forget(self, batch: Iterable[Cue]) -> None:
        for cue in batch:
            self._waiting.pop(cue.number, None)

    def _give_up(self) -> None:
        """Drop what YouTube would not take any more."""
        oldest = self._clock.now() - self._hold - TAKEN_FOR
        if self._again and self._again[-1].start < oldest:
            self._kept = _Kept(self._kept.seq, self._again[-1].number, self._again[-1].number)
            self._drop(len(self._again))
            self._again = []
        late = [cue for cue in self._waiting.values() if cue.start < oldest]
        self._forget(late)
        self._drop(len(late))

    def _drop(self, count: int) -> None:
        if count:
            self._dropped += count
            logger.warning("%d cues did not reach YouTube in time and are left out there", count)

    def _say(self, state: LinkState, sentence: str) -> None:
        """Be in `state`; it is logged once."""
        if self._dropped:
            lost = plural(
                "{count} caption did not reach YouTube in time and is left out there",
                "{count} captions did not reach YouTube in time and are left out there",
                self._dropped,
            ).format(count=self._dropped)
            sentence = f"{sentence}. {lost}" if sentence else lost
        if state != self.state:
            logger.log(logging.INFO if state == "online" else logging.WARNING, "%s: %s", state, sentence)
        self.state = state
        self.detail = sentence

    # ── the disk ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _read(self) -> _Kept:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Kept)
        except FileNotFoundError:
            return _Kept()
        except (OSError, msgspec.MsgspecError):
            logger.warning("%s cannot be read; captions are counted from the clock", self._file)
            return _Kept(seq=int(self._wall()))  # above all that was ever counted

    async def _keep(self) -> None:
        text = msgspec.json.encode(self._kept).decode()
        try:
            await asyncio.to_thread(write_whole, self._file, text)
            self._disk_failed = False
        except SubtitlesError as problem:
            if not self._disk_failed:
                logger.error("%s", problem)  # noqa: TRY400 - a person reads this
            self._disk_failed = True


def _plain(line: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in line).split())


def _without(address: str, *names: str) -> str:
    """Return `address` without these of its parameters, ready for more of them."""
    base, _mark, query = address.partition("#")[0].partition("?")
    kept = [part for part in query.split("&") if part and part.partition("=")[0] not in names]
    return f"{base}?{'&'.join(kept)}"
