#!/usr/bin/env python3
"""What the first show must show, measured: `benchmarks/first_show.py film|obs|kill [--out FOLDER]`.

film   `studio live` on a film paced as live: length, sound against picture, caption pixels against the .srt, frames
       on time.
obs    `studio demo`: real OBS at 640x360, 15 fps: first frame on the air, frames on time, captions.
kill   the demo again, with kill -9 of OBS, recogniser and relay in turn: who is back when, and what was lost.

Figures go to standard output as JSON, one object a line; docs/evidence/first-show.md holds those of a release.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import av
import numpy as np
import psutil
import pysubs2

from studio.app import House, Wish, demo_venue, plan_evening
from studio.catalogue import Catalogue
from studio.rehearsal import make_talk
from studio.units import ShowClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
FILM = ROOT.parent / "shared" / "data" / "film" / "film_pl_dialogue.mp4"
CHANGED = 60
"""Steps of luma (of 255) that tell a letter or its box from what an encoder does to a picture."""
COVERED = 0.002
"""Share of the lower half's pixels that a caption changes at least: two letters do."""
EDGE = 2
"""Milliseconds around a cue's border that the two clocks' rounding may take."""
WARM = 10
"""Words that show that everything runs."""
BACK = 60.0
"""Seconds after which nobody is waited for any more."""


def frames(path: Path) -> Iterator[tuple[int, NDArray[np.int16]]]:
    """Yield time in milliseconds and luma of each frame."""
    with av.open(str(path)) as film:
        for frame in film.decode(video=0):
            luma = frame.reformat(format="gray").to_ndarray().astype(np.int16)
            yield round((frame.time or 0.0) * 1000), luma


def sound(path: Path) -> NDArray[np.float64]:
    """Return the first sound track as 8 kHz mono from time 0 on, silence where it starts late."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=8000)
    heard: list[NDArray[np.float64]] = []
    with av.open(str(path)) as film:
        start = 0.0
        for number, frame in enumerate(film.decode(audio=0)):
            if number == 0:
                start = max(0.0, frame.time or 0.0)
            heard += [part.to_ndarray().ravel().astype(np.float64) for part in resampler.resample(frame)]
    return np.concatenate([np.zeros(round(start * 8000)), *heard])


def sound_offset(source: Path, recording: Path) -> float:
    """Milliseconds by which the recording's sound is later than the source's (cross-correlation)."""
    before, after = sound(source), sound(recording)
    size = 1 << (max(len(before), len(after)) * 2 - 1).bit_length()
    both = np.fft.irfft(np.fft.rfft(after, size) * np.conj(np.fft.rfft(before, size)), size)
    lag = int(np.argmax(both))
    return (lag - size if lag > size // 2 else lag) / 8


def picture_offset(
    source: list[tuple[int, NDArray[np.int16]]], recording: list[tuple[int, NDArray[np.int16]]]
) -> float:
    """Milliseconds by which the recording's picture is later: median over moving frames of their best match."""
    lags = []
    for number in range(20, min(len(source), len(recording)) - 20, 7):
        at, upper = recording[number][0], recording[number][1]
        upper = upper[: upper.shape[0] // 2]
        around = source[number - 4 : number + 5]
        errors = [float(np.mean(np.abs(luma[: luma.shape[0] // 2] - upper))) for _at, luma in around]
        if max(errors) > 3 * min(errors) + 1:  # a picture that moves; a still one matches everywhere
            lags.append(at - around[int(np.argmin(errors))][0])
    return statistics.median(lags)


def caption_mismatches(
    source: list[tuple[int, NDArray[np.int16]]], recording: list[tuple[int, NDArray[np.int16]]], srt: Path
) -> dict[str, int]:
    """Count frames whose caption pixels and whose .srt disagree."""
    cues = [(event.start, event.end) for event in pysubs2.load(str(srt))]
    times = np.array([at for at, _luma in source])
    missing = stray = shown = 0
    for at, luma in recording:
        if any(abs(at - border) <= EDGE for cue in cues for border in cue):
            continue
        plain = source[int(np.argmin(np.abs(times - at)))][1]
        half = luma.shape[0] // 2
        pixels = bool(np.mean(np.abs(luma[half:] - plain[half:]) > CHANGED) > COVERED)
        active = any(start <= at < end for start, end in cues)
        shown += active
        missing += active and not pixels
        stray += pixels and not active
    return {
        "cues": len(cues),
        "frames_with_cue": shown,
        "frames_missing_their_cue": missing,
        "frames_with_stray_pixels": stray,
    }


def length(path: Path) -> float:
    """Seconds to the end of the longest track."""
    with av.open(str(path)) as film:
        return max(float((stream.duration or 0) * (stream.time_base or 0)) for stream in film.streams)


def plays_to(path: Path, aired: float) -> float:
    """Seconds on the show clock of the end of the last frame that the recording has of what `aired` until then."""
    with av.open(str(path)) as film:
        length_of_one = 1 / float(film.streams.video[0].average_rate or 25)
        times = [frame.time or 0.0 for frame in film.decode(video=0)]
    return max(at for at in times if at <= aired) + length_of_one


def studio(*arguments: str) -> tuple[int, float]:
    """Run the command line; return exit code and CPU seconds of all its processes."""
    before = os.times()
    code = subprocess.run([sys.executable, "-m", "studio", *arguments], check=False).returncode
    after = os.times()
    return code, after.children_user + after.children_system - before.children_user - before.children_system


def film(out: Path, source: Path) -> dict[str, Any]:
    """Run a film as live and hold the recording against it."""
    code, cpu = studio("live", "--input", str(source), "--lang", "pl", "--out", str(out), "--no-web")
    recording = out / "recording.mp4"
    original, recorded = list(frames(source)), list(frames(recording))
    hears, sees = sound_offset(source, recording), picture_offset(original, recorded)
    return {
        "run": "film",
        "exit": code,
        "seconds": round(length(source), 3),
        "recorded_seconds": round(length(recording), 3),
        "frames": [len(original), len(recorded)],
        "sound_late_ms": hears,
        "picture_late_ms": sees,
        "sound_against_picture_ms": hears - sees,
        **caption_mismatches(original, recorded, out / "captions.srt"),
        "core_seconds_per_second": round(cpu / length(source), 2),
        **json.loads((out / "summary.json").read_text()),
    }


def obs(out: Path, seconds: int) -> dict[str, Any]:
    """Run the demo with real OBS."""
    code, cpu = studio("demo", "--out", str(out), "--seconds", str(seconds), "--no-web")
    return {
        "run": "obs",
        "exit": code,
        "recorded_seconds": round(length(out / "recording.mp4"), 3),
        "core_seconds_per_second": round(cpu / seconds, 2),
        **json.loads((out / "summary.json").read_text()),
    }


def process(name: str) -> psutil.Process:
    """Return the child of ours that is OBS, the relay or the recogniser."""
    words = {"obs": "/obs", "relay": "studio.media", "recogniser": "studio.captions"}[name]
    for child in psutil.Process().children(recursive=True):
        line = " ".join(child.cmdline())
        if (words == "/obs" and child.name() == "obs") or (words != "/obs" and words in line):
            return child
    raise LookupError(name)


async def until(house: House, holds: Callable[[dict[str, Any]], bool], limit: float = BACK) -> float:
    """Wait until the state is so; return the seconds it took."""
    began = time.monotonic()
    while not holds(cast("dict[str, Any]", house.state.snapshot())):
        if time.monotonic() - began > limit:
            raise TimeoutError
        await asyncio.sleep(0.05)
    return time.monotonic() - began


async def kill_in_turn(out: Path) -> list[dict[str, Any]]:
    """Kill each part of a running show in turn."""
    venue = demo_venue()
    catalogue = Catalogue(None)
    evening = plan_evening(venue, catalogue, Wish(out=out, talk=make_talk()))
    house = House(venue, catalogue, evening)
    show = asyncio.create_task(house.run())
    rows: list[dict[str, Any]] = []
    aired = 0.0
    await until(house, lambda state: state["captions"]["words"] > WARM)
    for name in ("obs", "recogniser", "relay"):
        words = house.state.snapshot()["captions"]["words"]  # type: ignore[index, call-overload]  # a plain tree
        victim = process(name)
        others = {other: process(other).pid for other in ("obs", "recogniser", "relay") if other != name}
        clock = ShowClock(json.loads((out / "clock.json").read_text())["epoch"])
        at = time.monotonic()
        aired = (clock.now() - evening.relay.hold) / 1000
        victim.send_signal(signal.SIGKILL)
        link = "source" if name == "obs" else name
        await until(house, lambda state, link=link: state["links"][link]["state"] != "online")  # type: ignore[misc]
        await until(house, lambda state, name=name: state["links"][name]["state"] == "online")  # type: ignore[misc]
        back = time.monotonic() - at
        await until(house, lambda state: state["links"]["source"]["state"] == "online")
        source = time.monotonic() - at
        await until(house, lambda state, words=words: state["captions"]["words"] > words + 5)  # type: ignore[misc]
        rows.append(
            {
                "run": "kill",
                "killed": name,
                "back_after_s": round(back, 2),
                "programme_arrives_again_after_s": round(source, 2),
                "words_again_after_s": round(time.monotonic() - at, 2),
                "others_untouched": all(psutil.pid_exists(pid) for pid in others.values()),
            }
        )
        await asyncio.sleep(5)
    house.stop()
    summary = await show
    rows[-1]["recording_lost_s"] = round(aired - plays_to(out / "recording.mp4", aired), 2)
    journal = [
        json.loads(line)["text"] for line in (out / "captions.words.jsonl").read_text().splitlines() if '"text"' in line
    ]
    written = " ".join(event.plaintext for event in pysubs2.load(str(out / "captions.srt"))).split()
    rows.append(
        {
            "run": "kill",
            "recording_s": round(length(out / "recording.mp4"), 2),
            "words_settled": summary.words,
            "words_in_journal": len(" ".join(journal).split()),
            "words_in_srt": len(written),
        }
    )
    return rows


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", choices=("film", "obs", "kill"))
    parser.add_argument("--out", type=Path, help="the show folder, which must be new")
    parser.add_argument("--film", type=Path, default=FILM)
    parser.add_argument("--seconds", type=int, default=90)
    options = parser.parse_args()
    out = options.out or Path(tempfile.mkdtemp(prefix="first-show-")) / "show"
    rows: list[dict[str, Any]]
    if options.run == "film":
        rows = [film(out, options.film)]
    elif options.run == "obs":
        rows = [obs(out, options.seconds)]
    else:
        rows = asyncio.run(kill_in_turn(out))
    for row in rows:
        print(json.dumps(row, ensure_ascii=False, default=str))


if __name__ == "__main__":
    main()
