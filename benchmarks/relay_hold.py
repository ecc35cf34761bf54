"""The hold: captions that meet their words, what it takes of memory, and its length changed on the air."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.relay_ears import word
from benchmarks.relay_house import OnAir, arrives, child, on_air, temporary, write_house
from benchmarks.relay_look import see, stamps, steps
from benchmarks.relay_stage import FPS, Arrivals, Book, Encoder, console, free_port, make_programme

from studio.captions import read_kept
from studio.media import air_time

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    import psutil
    from benchmarks.relay_look import Seen

    from studio.spoken import Cue

EARS = Path(__file__).with_name("relay_ears.py")
LATE = "1000,5000"
"""Milliseconds after its end that each word is known, evenly between the two."""
CARRY = 0.99
RING = 1.5
FRAME = 1000 / FPS
HEAVY = 12_000
"""Kilobits a second of the programme whose hold is weighed: what is held shall weigh more than chance does."""
SHORT, LONG = 1.0, 25.0
SETTLES = 12.0
"""Seconds until memory has come to rest."""


def measure(options: argparse.Namespace, book: Book) -> None:
    """Measure all three."""
    with temporary() as folder:
        clip = make_programme(folder / "clip.mp4", seconds=60, size=options.size)
        for name, part in (("captions", _captions), ("changes", _changes), ("memory", _memory)):
            if options.only and name not in options.only:
                continue
            (folder / name).mkdir()
            part(folder / name, clip, options, book)
            book.save()


# ── captions ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _captions(folder: Path, clip: Path, options: argparse.Namespace, book: Book) -> None:
    """Air words that come late, and find them in the pictures."""
    for how in ("some words at a time", "each word for itself"):
        os.environ["LATE"] = LATE
        os.environ.pop("SINGLY", None)
        if how.startswith("each"):
            os.environ["SINGLY"] = "1"
        console.print(f"captions, {how}: {options.seconds:g} s")
        place = folder / how.replace(" ", "-")
        place.mkdir()
        air = asyncio.run(_speak(place, clip, options))
        cues = read_kept(place / "show").cues
        seen = see(place / "show" / "recording.mp4", cues=cues, style=air.plan.style, sound=False)
        carried(how, seen, cues, book)
        onsets(how, seen, cues, book)
        book.save()
    os.environ.pop("SINGLY", None)


async def _speak(folder: Path, clip: Path, options: argparse.Namespace) -> OnAir:
    listen = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    toml = write_house(folder / "house", listen=listen, hold=options.hold, captions=True, encode=options.encode)
    async with on_air(toml, folder / "show", ears=EARS) as air:
        encoder = Encoder(clip, listen)
        try:
            await arrives(air, encoder)
            await asyncio.sleep(options.seconds)
            air.house.stop()
            await asyncio.sleep(options.hold + 2)
        finally:
            await asyncio.to_thread(encoder.close)
        return air


def carried(how: str, seen: Seen, cues: Sequence[Cue], book: Book) -> None:
    """Count the pictures, of those on which a word is being spoken, that carry the cue it stands in."""
    cue_of = {text: cue.number for cue in cues for text in cue.text.split()}
    last = max((cue.end for cue in cues), default=0)
    spoken = right = 0
    missing: dict[str, int] = {}
    for at, shown in zip(seen.times, seen.shows, strict=True):
        moment = at * 1000
        number = int((moment - word(0).start) // (word(1).start - word(0).start))
        if number < 0 or not word(number).start <= moment < word(number).end or moment > last:
            continue
        spoken += 1
        text = word(number).text
        if cue_of.get(text) in shown:
            right += 1
        else:
            missing[text] = missing.get(text, 0) + 1
    book.detail[f"pictures without the cue of their word, {how}"] = missing
    share = right / spoken if spoken else None
    book.at_least(f"pictures that carry the cue of the word being spoken; late: {how}", share, CARRY, digits=4)
    book.tell("… of so many; words; cues", f"{spoken}; {len(cue_of)}; {len(cues)}")
    sizes = [len(cue.text.split()) for cue in cues]
    book.tell("words in a cue: mean, least, most", f"{statistics.mean(sizes):.1f}, {min(sizes)}, {max(sizes)}")


def onsets(how: str, seen: Seen, cues: Sequence[Cue], book: Book) -> None:
    """Compare the first picture that shows a cue with the cue's own begin."""
    late: list[float] = []
    never: list[int] = []
    for cue in cues:
        first = next((at * 1000 for at, on in zip(seen.times, seen.shows, strict=True) if cue.number in on), None)
        if first is None:
            never.append(cue.number)
        else:
            late.append(first - cue.start)
    worst = max((abs(each) for each in late), default=None)
    book.detail[f"onsets, {how}"] = {"late": [round(each, 1) for each in late], "never": never}
    book.at_most("begin of a cue on the picture, from its time: most", worst, FRAME, "ms", digits=1)
    book.is_so("cues that never were on the picture", "0", f"{len(never)} of {len(cues)}", met=not never)


# ── on the air ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _changes(folder: Path, clip: Path, options: argparse.Namespace, book: Book) -> None:
    """Change the hold from 2 to 10 to 0 s on the air."""
    console.print("changes: about a minute")
    gaps = asyncio.run(_change(folder, clip, options))
    show = folder / "show"
    for name, times in (("the recording", stamps(show / "recording.mp4")), ("HLS", _hls(show / "hls"))):
        for kind, most in (("video", 1.5 / FPS), ("audio", 1.5 * 1024 / 48_000)):
            least, largest = steps(sorted(times[kind]) if name == "HLS" else times[kind])
            book.at_most(f"2 → 10 → 0 s, {name}: largest step of {kind} stamps", largest, most)
            if least <= 0:
                book.is_so(f"2 → 10 → 0 s, {name}: {kind} stamps never go back", "yes", f"{least:.3f} s", met=False)
    turns = len(air_time(show / "recording.mp4").turns)
    book.tell(
        "2 → 10 → 0 s: longest pause of what is written meanwhile", f"{max(gaps):.2f} s; {turns} turns", max(gaps)
    )


async def _change(folder: Path, clip: Path, options: argparse.Namespace) -> list[float]:
    listen = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    toml = write_house(folder / "house", listen=listen, hold=2, encode=f"playlist_segments: 0\n{options.encode}")
    arrivals = Arrivals()
    arrivals.watch("recording", folder / "show", "recording.part-*.ts")
    async with on_air(toml, folder / "show") as air:
        encoder = Encoder(clip, listen)
        try:
            await arrives(air, encoder)
            await asyncio.sleep(6)
            gaps = []
            for hold, rest in ((10.0, 16.0), (0.0, 8.0)):
                began = time.time()
                await air.hold(hold)
                await asyncio.sleep(rest)
                gaps.append(arrivals.gap("recording", began, time.time()))
        finally:
            await asyncio.to_thread(encoder.close)
    arrivals.close()
    return gaps


def _hls(folder: Path) -> dict[str, list[float]]:
    """All stamps of the segments, one after the other."""
    found: dict[str, list[float]] = {"video": [], "audio": []}
    for segment in sorted(folder.glob("seg-*.ts")):
        for kind, times in stamps(segment).items():
            found[kind] += times
    return found


# ── memory ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _memory(folder: Path, _clip: Path, options: argparse.Namespace, book: Book) -> None:
    """Weigh the relay with a short and with a long hold."""
    clip = make_heavy(folder / "heavy.mp4", options.size)
    console.print("memory: about a minute and a half")
    (few, light), (many, heavy) = asyncio.run(_weigh(folder, clip, options))
    held, took = many - few, heavy - light
    book.at_most(
        "memory for each byte held (own pages of the relay)", took / held if held else None, RING, "", digits=2
    )
    book.tell(
        f"hold {SHORT:g} → {LONG:g} s at {HEAVY / 1000:g} Mb/s", f"{held / 1e6:.1f} MB held, {took / 1e6:.1f} taken"
    )


def make_heavy(path: Path, size: str) -> Path:
    """Write a clip that takes `HEAVY` kilobits each second."""
    rate = f"{HEAVY}k"
    subprocess.run(
        [
            *("ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", f"testsrc2=s={size}:r={FPS}"),
            *("-f", "lavfi", "-i", "sine=r=48000", "-t", "20", "-c:v", "libx264", "-preset", "ultrafast"),
            *("-pix_fmt", "yuv420p", "-g", "50", "-bf", "0", "-b:v", rate, "-minrate", rate, "-maxrate", rate),
            *("-bufsize", rate, "-x264-params", "nal-hrd=cbr", "-c:a", "aac", "-shortest", str(path)),
        ],
        check=True,
    )
    return path


async def _weigh(folder: Path, clip: Path, options: argparse.Namespace) -> list[tuple[float, float]]:
    listen = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    toml = write_house(folder / "house", listen=listen, hold=SHORT, encode=options.encode)
    weighed = []
    async with on_air(toml, folder / "show") as air:
        encoder = Encoder(clip, listen)
        try:
            await arrives(air, encoder)
            relay = child(os.getpid(), "relay")
            for hold in (SHORT, LONG):
                await air.hold(hold)
                await asyncio.sleep(hold + SETTLES)
                weighed.append(await _weight(air, relay))
            air.house.stop()
            air.house.stop()
        finally:
            await asyncio.to_thread(encoder.close)
    return weighed


async def _weight(air: OnAir, relay: psutil.Process) -> tuple[float, float]:
    """Return the bytes held and the bytes that the relay has for itself, middle of some seconds."""
    found = []
    for _look in range(10):
        await asyncio.sleep(0.5)
        report = air.ear.report
        found.append((report.held if report else 0, relay.memory_full_info().uss))
    return statistics.median(held for held, _uss in found), statistics.median(uss for _held, uss in found)
