"""An evening as the pages see it: a real state, real HLS, and a house that does as it is told."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.show import State
from studio.web import Limits, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TREE: dict[str, Any] = {
    "show": {
        "title": "Wieczór z Czesławem Miłoszem",
        "phase": "on air",
        "seconds": 4354,
        "language": "pl",
        "folder": "/srv/show",
        "interface": "en",
    },
    "links": {
        "obs": {"state": "online", "detail": ""},
        "relay": {"state": "online", "detail": ""},
        "recogniser": {"state": "degraded", "detail": "It is 3 s behind; close other programs."},
        "source": {"state": "online", "detail": ""},
        "Desk at 10.0.0.2": {"state": "refused", "detail": "Desk at 10.0.0.2 does not answer. Is it switched on?"},
    },
    "programme": {
        "width": 1280,
        "height": 720,
        "fps": 25.0,
        "frames": 108_850,
        "on_time": 0.9996,
        "dropped": 2,
        "hold_ms": 6000,
        "late_p95_ms": 12,
        "peak_db": -14.2,
        "loudness": {"momentary": -21.4, "short_term": -22.6, "integrated": -23.1, "true_peak": -3.2},
    },
    "captions": {
        "on": True,
        "settled": [
            {"number": 1, "start": 0, "end": 2000, "lines": ["Dzień dobry państwu,", "witam w naszym domu kultury."]},
            {"number": 2, "start": 2100, "end": 5000, "lines": ["Zażółć gęślą jaźń."]},
        ],
        "tentative": "a teraz proszę",
        "script": {},
        "translated": [],
        "sinks": {
            "files": {"state": "online", "detail": "", "late_ms": 0},
            "picture": {"state": "online", "detail": "", "late_ms": 0},
            "obs": {"state": "refused", "detail": 'OBS has no text source "Speech".'},
            "hall": {"state": "online", "detail": "", "late_ms": 1240},
        },
        "degraded": "",
        "corrected": 12,
        "words": 8123,
        "cues": 1042,
        "late_p50_ms": 2140,
        "late_p95_ms": 4310,
        "late_cues": 0,
    },
    "destinations": {
        "hls": {"state": "on air", "detail": "", "size": 48_000_000},
        "recording": {"state": "on air", "detail": "", "size": 1_912_000_000},
    },
    "inputs": {},
    "alarms": {},
    "scenes": {"names": ["Talk", "Holding"], "current": "Talk"},
    "notices": [{"id": 1, "level": "warning", "text": "The camera on the balcony is gone; check its cable."}],
}


@dataclass(frozen=True)
class Answer:
    kind: str
    reason: str = ""


@dataclass
class Evening:
    """Knows one command: `take` a scene, where it is not `silent`. To `wait` is a slow one: it ends with `patience`."""

    folder: Path
    instant: Path = Path("nobody answers here")
    state: State = field(default_factory=lambda: State(TREE))
    asked: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    patience: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    silent: set[str] = field(default_factory=set)

    async def command(self, name: str, arguments: dict[str, object]) -> Answer:
        self.asked.append((name, arguments))
        if name == "wait":
            self.waiting.set()
            await self.patience.wait()
            self.done.set()
            return Answer("confirmed")
        if name == "break":
            raise KeyError(name)
        if name.startswith("captions."):
            return self._correct(name, arguments)
        if name in {"hold", "input"} or name.startswith("destinations."):
            return self._ask(name, arguments)
        if name != "take":
            return Answer("refused", f"There is no command {name}.")
        if arguments.get("scene") in self.silent:
            return Answer("refused", "OBS does not answer. Is it running?")
        self.state.set("scenes.current", arguments.get("scene"))
        return Answer("confirmed")

    def _correct(self, name: str, arguments: dict[str, object]) -> Answer:
        """As the recogniser would; the word "closed" has gone on the air."""
        if arguments.get("text") == "closed":
            return Answer("refused", "This word has aired.")
        if arguments.get("text") == "lost":
            return Answer("unconfirmed", "The speech recogniser did not answer.")
        place = ("captions", "script", str(arguments["id"]))
        word: Any = self.state.snapshot()
        for key in place:
            word = word[key]
        text = {"captions.strike": "", "captions.restore": word["heard"]}.get(name, arguments.get("text"))
        by = "ears" if name == "captions.restore" else "person"
        self.state.set(place, {**word, "text": text, "by": by})
        return Answer("confirmed")

    def _ask(self, name: str, arguments: dict[str, object]) -> Answer:
        if name == "input":
            self.encoders(str(arguments["name"]))
            return Answer("confirmed")
        return self._wait(arguments["seconds"]) if name == "hold" else self._send(name, str(arguments["name"]))

    def encoders(self, chosen: str) -> None:
        """Have two encoders that stream, of which one is `chosen`: `main`, `backup` or `auto`."""
        airs = "backup" if chosen == "backup" else "main"
        each: dict[str, Any] = {
            name: {"state": "online", "detail": "", "airs": name == airs} for name in ("main", "backup")
        }
        self.state.set("inputs", {**each, "chosen": chosen})

    def _wait(self, seconds: object) -> Answer:
        if not isinstance(seconds, int | float) or not 0 <= seconds <= 30:
            return Answer("refused", "Choose between 0 and 30 s.")
        self.state.set("programme.hold_ms", round(seconds * 1000))
        return Answer("confirmed")

    def _send(self, name: str, to: str) -> Answer:
        """As the relay would; the destination "Lost" is never reported, and a key is missing for "Keyless"."""
        if to == "Lost":
            return Answer("unconfirmed", "The relay did not report it in time.")
        if to == "Keyless":
            return Answer("refused", "The environment variable KEY is empty.")
        state = "connecting" if name == "destinations.add" else "off"
        self.state.set(("destinations", to), {"state": state, "detail": "", "size": 0, "destination": True})
        return Answer("confirmed")

    def speak(self, text: str, *, hold: int = 6000, pace: int = 350, ago: int = 0) -> None:
        """Have `text` said word by word, the last of them `ago` ms before now; the show began a minute before that."""
        words = text.split()
        clock = time.monotonic_ns() // 1_000_000
        epoch = clock - ago - 60_000 - len(words) * pace
        script = {}
        for id_, word in enumerate(words):
            start = 60_000 + id_ * pace
            script[str(id_)] = {
                "text": word,
                "heard": word,
                "by": "ears",
                "start": start,
                "end": start + pace - 50,
                "airs": start + hold,
            }
        self.state.merge(
            {
                "show": {"epoch_ms": epoch},
                "programme": {"hold_ms": hold},
                "captions": {"script": script, "tentative": ""},
            }
        )


@contextlib.asynccontextmanager
async def opened(
    house: Evening, port: int = 0, *, host: str = "127.0.0.1", limits: Limits | None = None
) -> AsyncIterator[int]:
    """Serve `house` until the block ends; gives the port."""
    told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(house, host, port, opened=told.set_result, limits=limits))
    waiting: set[asyncio.Future[Any]] = {serving, told}
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        await serving
    try:
        yield told.result()
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving


MASTER = """\
#EXTM3U
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="Polski",LANGUAGE="pl",DEFAULT=YES,AUTOSELECT=YES,URI="captions.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=80000,RESOLUTION=320x180,CODECS="avc1.42c00c,mp4a.40.2",SUBTITLES="captions"
video.m3u8
"""
CAPTIONS = """\
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:12
#EXT-X-MEDIA-SEQUENCE:0
#EXTINF:12.000,
captions-000.vtt
#EXT-X-ENDLIST
"""
# ffmpeg's TS begins at 126000 ticks.
CUES = """\
WEBVTT
X-TIMESTAMP-MAP=MPEGTS:126000,LOCAL:00:00:00.000

00:00:00.500 --> 00:00:03.000
Dzień dobry państwu.

00:00:03.200 --> 00:00:11.000
Zażółć gęślą jaźń.
"""
