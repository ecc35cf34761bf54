"""What burning, muxing, listening and finding shots cost, beside ffmpeg: `benchmarks/archive.py burn`."""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from studio import media
from studio.media import EncodePreset, TextTrack
from studio.spoken import Cue
from studio.subtitles import Style, Track, save
from studio.units import Ms

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "film"
PRESET = EncodePreset(preset="medium", quality=20, video_bitrate=20_000)
"""Nearly `presets/encode/film.yaml`."""
LINES = ("Zażółć gęślą jaźń, łódź i ćma.", "Įlinkdama fechtuotojo špaga, ąčęėįšųūž.")


@dataclass(frozen=True)
class Cost:
    """Of one run, in a process of its own."""

    processor: float
    """Seconds."""
    wall: float
    memory: float
    """Peak, in MB."""


def cues(length: Ms) -> tuple[Cue, ...]:
    """Two lines for 2.6 s of every 3 s, each with other letters."""
    return tuple(
        Cue(number, Ms(at), Ms(at + 2600), (f"{number}. {LINES[0]}", LINES[1]))
        for number, at in enumerate(range(200, length, 3000), 1)
    )


def spent(command: list[str]) -> Cost:
    """Run `command`; return what it took."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    _pid, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return Cost(used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss / 1024)


def one(kind: str, film: Path, out: Path) -> None:
    """Do one thing in this process."""
    facts = media.film(film)
    length = facts.length or Ms(0)
    if kind == "plain":
        media.burn(film, out, (), style=Style(), preset=PRESET, say=print)
    elif kind == "burn":
        media.burn(film, out, cues(length), style=Style(), preset=PRESET, say=print)
    elif kind == "mux":
        media.mux(film, out, [TextTrack(cues(length), "pl", "Polski", default=True)], say=print)
    elif kind == "proxy":
        media.proxy(film, out, say=print)
    elif kind == "shots":
        print(media.shots(film))
    elif kind == "peaks":
        print(len(media.peaks(film)))
    elif kind == "sound":
        print(sum(len(chunk.samples) for chunk in media.film_sound(film, say=print).chunks()))


def same(film: Path, tries: int) -> tuple[int, int]:
    """Read `tries` random stretches of a film; return how many equal the whole, and how many there were."""
    whole = _samples(media.film_sound(film, say=_nobody))
    dice, right = random.Random(3), 0  # noqa: S311 - it only picks stretches
    length = len(whole) // 16
    for _try in range(tries):
        begin = dice.randrange(0, max(1, length - 100))
        until = begin + dice.randrange(50, 40_000)
        part = _samples(media.film_sound(film, begin=Ms(begin), until=Ms(until), say=_nobody))
        right += np.array_equal(part, whole[begin * 16 : until * 16])
    return right, tries


def _samples(sound: media.Sound) -> NDArray[np.float32]:
    return np.concatenate([np.zeros(0, np.float32), *(chunk.samples for chunk in sound.chunks())])


def _nobody(_sentence: str) -> None:
    pass


def main(arguments: list[str]) -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="archive.py burn", description=__doc__)
    parser.add_argument("--film", type=Path, default=SHARED / "bbb_480p_30s.mp4")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--one", nargs=2, metavar=("KIND", "OUT"), help="only do it, for whoever measures")
    asked = parser.parse_args(arguments)
    film, runs = asked.film, asked.runs
    if asked.one:
        one(asked.one[0], film, Path(asked.one[1]))
        return
    length = media.film(film).length or Ms(1)
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "cues.srt"
        save(Track(cues(length)), text)
        x264 = ["-c:v", "libx264", "-preset", PRESET.preset, "-crf", "20", "-g", "48", "-c:a", "copy"]
        ffmpeg = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(film)]
        ours = [sys.executable, str(Path(__file__).with_name("archive.py")), "burn", "--film", str(film), "--one"]
        out = f"{folder}/out.mp4"
        things = {
            "encoded anew, nothing drawn (ours)": [*ours, "plain", out],
            "burned (ours)": [*ours, "burn", out],
            "encoded anew (ffmpeg)": [*ffmpeg, *x264, out],
            "burned (ffmpeg, libass)": [*ffmpeg, "-vf", f"subtitles={text}", *x264, out],
            "muxed (ours)": [*ours, "mux", out],
            "small copy for the page (ours)": [*ours, "proxy", out],
            "sound at 16 kHz (ours)": [*ours, "sound", out],
            "peaks (ours)": [*ours, "peaks", out],
            "shots (ours)": [*ours, "shots", out],
        }
        costs: dict[str, list[Cost]] = {name: [] for name in things}
        for _run in range(runs):  # in turns: what else runs on the machine disturbs all alike
            for name, command in things.items():
                costs[name].append(spent(command))
        start = spent([sys.executable, "-c", "import av, numpy, PIL.Image; from studio import media"]).processor
    print(f"{film.name}, {length / 1000:.1f} s, medians of {runs}; of ours {start:.2f} s is Python's start")
    for name, found in costs.items():
        seconds = statistics.median(cost.processor for cost in found)
        memory = max(cost.memory for cost in found)
        print(
            f"{name:38} processor {seconds:7.2f} s  {seconds * 1000 / length:6.3f} of the film  memory {memory:5.0f} MB"
        )
    plain, burned = (statistics.median(c.processor for c in costs[n]) for n in list(costs)[:2])
    plain_peer, burned_peer = (statistics.median(c.processor for c in costs[n]) for n in list(costs)[2:4])
    print(f"burning costs {burned / plain:.3f} of encoding anew; ffmpeg's {burned_peer / plain_peer:.3f}")
    films = [film, *sorted(SHARED.glob("film_*.mp4"))] if SHARED.is_dir() else [film]
    for each in films:
        right, tries = same(each, 12)
        print(f"{each.name}: {right} of {tries} random stretches equal the whole, sample for sample")
