"""The relay is killed at random moments while an encoder streams: what is lost, and how soon it is on the air again."""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from dataclasses import asdict, dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import av
import pysubs2
from benchmarks.relay_house import OnAir, To, arrives, child, on_air, temporary, write_house
from benchmarks.relay_look import Seen, see, stamps
from benchmarks.relay_stage import Arrivals, Book, Encoder, console, free_port, make_programme, until
from tests.faults.servers import KEY, Nginx

from studio.captions import read_kept

if TYPE_CHECKING:
    import argparse

EARS = Path(__file__).with_name("relay_ears.py")
LOST = 0.1
AGAIN = 2.0
MOMENTS = (1.0, 10.0)
"""Seconds from being on the air again to the next kill: also within a hold, and beyond it."""
TAIL = 48
"""Last bytes of a packet by which it is known again, whatever it was wrapped in."""
LENGTH = {"video": 0.04, "audio": 1024 / 48_000}
"""Seconds of a packet."""


@dataclass
class Death:
    """One kill and what followed; seconds."""

    show: float
    """When, on the show clock."""
    lost_picture: float
    """That the encoder had sent and the clean recording does not have."""
    lost_sound: float
    late: float
    """The same of the picture against the wall clock: with its way here, and one frame's length."""
    relay: float = 0.0
    """From the kill: until the new relay answers, …"""
    encoder: float = 0.0
    """… until the encoder is connected again, …"""
    writes: float = 0.0
    """… until the recording grows again, …"""
    server: float = 0.0
    """… until the RTMP server gets bytes again, …"""
    programme: float = 0.0
    """… and until the programme, not the slate, airs."""


def measure(options: argparse.Namespace, book: Book) -> None:
    """Kill, look into the files, and write the figures down."""
    os.environ["LATE"] = "700,2500"
    with temporary() as folder:
        clip = make_programme(folder / "clip.mp4", seconds=60, size=options.size)
        deaths = asyncio.run(_kill(folder, clip, options, book))
        show = folder / "show"
        seen = see(show / "recording.mp4")
        programme_again(deaths, seen, options.hold)
        book.detail["deaths"] = [asdict(death) for death in deaths]
        _figures(deaths, book)
        _files(show, seen, deaths, book)
        _captions(show, book)


async def _kill(folder: Path, clip: Path, options: argparse.Namespace, book: Book) -> list[Death]:
    chance = random.Random(options.seed)  # noqa: S311 - the same moments each time
    deaths: list[Death] = []
    arrivals = Arrivals()
    server = Nginx(folder / "server", record=True)
    server.start()
    listen, sent = f"rtmp://127.0.0.1:{free_port()}/live/studio", folder / "sent.ts"
    to = [To("server", server.address, KEY)]
    toml = write_house(folder / "house", listen=listen, to=to, hold=options.hold, captions=True, encode=options.encode)
    show = folder / "show"
    arrivals.watch("recording", show, "recording.part-*.ts")
    arrivals.watch("server", server.folder, "*.flv")
    async with on_air(toml, show, ears=EARS) as air:
        encoder = Encoder(clip, listen, sent)
        try:
            await arrives(air, encoder)
            await asyncio.sleep(options.hold)
            for _number in range(options.count):
                await asyncio.sleep(chance.uniform(*MOMENTS))
                deaths.append(await _one(air, encoder, arrivals, show, sent))
                console.print(deaths[-1])
                book.detail["deaths"] = [asdict(death) for death in deaths]
                book.save()
            await asyncio.sleep(options.hold + 2)
        finally:
            await asyncio.to_thread(encoder.close)
    server.kill()
    arrivals.close()
    return deaths


async def _one(air: OnAir, encoder: Encoder, arrivals: Arrivals, show: Path, sent: Path) -> Death:
    """Kill the relay now, and wait until all is as before."""
    relay = child(os.getpid(), "relay")
    had, parts = sent.stat().st_size, sorted(show.glob("clean.part-*.ts"))
    at, wall, old = time.monotonic(), time.time(), air.ear.process
    relay.kill()
    death = await asyncio.to_thread(_lost, sent.read_bytes()[:had], parts, (at * 1e9 - air.ear.epoch) / 1e9)
    await until(lambda: air.ear.process != old, 30, "the next relay")
    death.relay = time.monotonic() - at
    await until(lambda: encoder.connected[-1] > at, 30, "the encoder")
    death.encoder = encoder.connected[-1] - at

    def again() -> bool:
        report = air.ear.report
        here = air.ear.reports[-1][1] == air.ear.process != old
        return bool(here and report and report.on_time and not report.slate and report.source == "online")

    await until(again, 60, "the programme on the air")
    for name in ("recording", "server"):
        await until(lambda name=name: arrivals.times[name][-1] > wall + 0.05, 60, f"bytes at the {name}")  # type: ignore[misc]
    death.writes, death.server = (
        min(time_ for time_ in arrivals.times[name] if time_ > wall + 0.05) - wall for name in ("recording", "server")
    )
    return death


def _lost(sent: bytes, parts: list[Path], show: float) -> Death:
    """Compare what was sent with the clean recording, packet by packet."""
    tails = {kind: [tail for tail, _end in each] for kind, each in packets(BytesIO(sent)).items()}
    lost = {}
    end = 0.0
    clean = packets(parts[-1])
    if not clean["video"]:  # it died before the first packet of this life was written
        clean = packets(parts[-2])
    for kind, each in clean.items():
        known = {tail for tail, _end in each[-200:]}
        missing = next((at for at, tail in enumerate(reversed(tails[kind])) if tail in known), len(tails[kind]))
        lost[kind] = missing * LENGTH[kind]
        if kind == "video" and each:
            end = each[-1][1]
    return Death(round(show, 3), lost["video"], lost["audio"], show - end)


def packets(file: Path | BytesIO) -> dict[str, list[tuple[bytes, float]]]:
    """The tail of each packet and where it ends, seconds, by kind; what was cut off at the end is left out."""
    found: dict[str, list[tuple[bytes, float]]] = {"video": [], "audio": []}
    try:
        with av.open(file if isinstance(file, BytesIO) else str(file), "r", "mpegts") as container:
            for packet in container.demux():
                if packet.pts is not None and packet.time_base and packet.stream.type in found:
                    end = float(packet.pts * packet.time_base) + LENGTH[packet.stream.type]
                    found[packet.stream.type].append((bytes(packet)[-TAIL:], end))
    except av.FFmpegError:
        pass
    return found


def programme_again(deaths: list[Death], seen: Seen, hold: float) -> None:
    """Fill in when the programme was on the air again after each death, by the pictures of the recording.

    A picture's own time is the moment at which it airs, less the hold; a new part cannot have begun before it was
    written.
    """
    ends = [death.show for death in deaths[1:]] + [float("inf")]
    for death, end in zip(deaths, ends, strict=True):
        died = death.show - hold
        after = [
            at for at, ours in zip(seen.times, seen.programme, strict=True) if ours and died + 0.1 < at < end - hold
        ]
        # the encoder holds back a picture or two: what was due before the kill is not what is aired again
        hole = next((later for earlier, later in pairwise([died, *after]) if later - earlier > 0.2), None)  # noqa: PLR2004
        found = after[0] if hole is None and after else hole
        death.programme = max(death.writes, (found - died) if found is not None else float("inf"))


def _figures(deaths: list[Death], book: Book) -> None:
    count = len(deaths)
    picture = max(death.lost_picture for death in deaths)
    sound = max(death.lost_sound for death in deaths)
    book.at_most(f"{count} kills: picture the encoder had sent that the clean recording lost, most", picture, LOST)
    book.at_most(f"{count} kills: sound likewise", sound, LOST)
    wall = max(death.late for death in deaths)
    book.tell("the same against the wall clock, which counts the way here, too", f"{wall:.3f} s", wall)
    again = sorted(death.programme - death.encoder for death in deaths)
    book.at_most(
        "the programme on the air again after the encoder's reconnection, last of all", again[-1], AGAIN, digits=2
    )
    book.tell("… half of them", f"{again[len(again) // 2]:.2f} s", again[len(again) // 2])
    at_server = max(death.server - death.encoder for death in deaths)
    book.at_most("bytes at the RTMP server again after the encoder's reconnection", at_server, AGAIN, digits=2)
    for what in ("relay", "encoder", "programme"):
        values = sorted(getattr(death, what) for death in deaths)
        told = {
            "relay": "the new relay answers",
            "encoder": "the encoder is connected",
            "programme": "the programme airs",
        }
        book.tell(
            f"from the kill until {told[what]}: half, all", f"{values[len(values) // 2]:.2f} s, {values[-1]:.2f} s"
        )


def _files(show: Path, seen: Seen, deaths: list[Death], book: Book) -> None:
    left = [path.name for path in show.glob("*.part-*")]
    clean = sorted(show.glob("clean*.mp4"))
    found = [see(path, sound=False) for path in clean]
    whole = not left and len(clean) == 1 and not seen.errors and not any(each.errors for each in found)
    told = f"{len(clean)} clean, {len(left)} parts left, {seen.errors + sum(each.errors for each in found)} errors"
    book.is_so("recordings joined by themselves, all of it decodes", "yes", told, met=whole)
    times = stamps(show / "recording.mp4")["video"]
    back = sum(later <= earlier for earlier, later in pairwise(times))
    book.is_so("stamps of the recording never go back", "0", str(back), met=back == 0)
    holes = [round(later - earlier, 2) for earlier, later in pairwise(times) if later - earlier > 0.2]  # noqa: PLR2004
    book.detail["holes"] = holes
    book.tell("holes in the aired recording: number, longest", f"{len(holes)}, {max(holes, default=0.0):.2f} s")
    book.tell("of which the encoder was away", f"{sum(death.encoder for death in deaths):.1f} s in all")


def _captions(show: Path, book: Book) -> None:
    """Every word of the journal must stand in a cue, in the .srt and in the recording's own track."""
    settled = [
        json.loads(line)["text"]
        for line in (show / "captions.words.jsonl").read_text(encoding="utf-8").splitlines()
        if '"text"' in line and '"settled"' in line
    ]
    kept = read_kept(show)
    cues = {word for cue in kept.cues for word in cue.text.split()}
    srt = {word for event in pysubs2.load(str(show / "captions.srt")) for word in event.plaintext.split()}
    with av.open(str(show / "recording.mp4")) as recording:
        texts = b" ".join(bytes(packet)[2:] for packet in recording.demux(subtitles=0) if packet.size > 2)  # noqa: PLR2004
    track = set(texts.decode(errors="replace").split())
    for name, words in (("cues", cues), ("captions.srt", srt), ("the recording's own track", track)):
        missing = [word for word in settled if word not in words]
        met = not missing if name != "the recording's own track" else None
        told = f"{len(settled) - len(missing)} of {len(settled)}" + (f", not {missing[:4]}" if missing else "")
        if met is None:
            book.tell(f"settled words in {name}", told)
        else:
            book.is_so(f"settled words in {name}", "all", told, met=met)
    numbers = sorted({int(word.strip(".").removeprefix("word")) for word in settled})
    missed = (numbers[-1] - numbers[0] + 1 - len(numbers)) if numbers else 0
    twice = len(settled) - len(numbers)
    book.tell("words nobody heard, for there was no relay; words settled twice", f"{missed}; {twice}")
