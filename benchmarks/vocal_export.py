"""Singing that leaves: how loud it is by FFmpeg's own meter, what it says of itself, and how long that takes."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import mutagen
import numpy as np
from PIL import Image
from tests.vocal.sung import RATE, Held, voice

from studio import media
from studio.catalogue import Catalogue
from studio.vocal import LOUDNESS, PRESETS, VoicePreset
from studio.vocal._chain import mixed, strips

if TYPE_CHECKING:
    import argparse

    from benchmarks.relay_stage import Book
    from numpy.typing import NDArray

    from studio.media import DeliveryForm

FORMS: tuple[DeliveryForm, ...] = ("wav", "flac", "mp3")
NEAR = 0.3
"""LU beside the target."""
CEILING = -1.0
"""dBTP."""
QUICK = 1.0
"""Share of its own length that all three forms of a take may need."""
TAGS = {
    "title": "Żółw i łąka",
    "artist": "Chór Świetlica",
    "album": "Wieczór",
    "date": "2026-11-27",
    "comment": "Take 1",
}
SONG = Path("data/other/song_fishin_vocals.ogg")


def measure(options: argparse.Namespace, book: Book) -> None:
    """Export each material at each loudness in each form, and look at what came out."""
    catalogue = Catalogue()
    worst, highest, spent, length, wrong, count = 0.0, -99.0, 0.0, 0.0, [], 0
    with tempfile.TemporaryDirectory(prefix="vocal-") as name:
        cover = Path(name) / "cover.png"
        Image.new("RGB", (1600, 1600), (30, 80, 160)).save(cover)
        for title, preset_name, sound in _materials(options.seconds):
            preset = catalogue.load(PRESETS, preset_name, VoicePreset)
            tracks = tuple(str(number) for number in range(sound.shape[1]))
            for loudness in LOUDNESS:
                files = {form: Path(name) / f"{title}{loudness:.0f}.{form}" for form in FORMS}
                began = time.process_time()
                mix = mixed(Held(sound, tracks), strips(preset, len(tracks)))
                media.deliver(mix, RATE, files, loudness=loudness, tags=TAGS, cover=cover)
                took = time.process_time() - began
                spent, length = spent + took, length + len(sound) / RATE
                rows = [(path, *ebur128(path)) for path in files.values()]
                worst = max([worst, *(abs(row[1] - loudness) for row in rows)])
                highest = max([highest, *(row[2] for row in rows)])
                wrong += [path.name for path, *_ in rows if _said(path) != (TAGS["title"], TAGS["artist"], True)]
                count += len(rows)
                told = ", ".join(f"{path.suffix[1:]} {lufs:.1f} LUFS {peak:.1f} dBTP" for path, lufs, peak in rows)
                book.tell(
                    f"{title}, {preset_name}, {loudness:.0f}", f"{told}; {took / (len(sound) / RATE):.3f} of its length"
                )
            book.save()
    book.at_most("loudness beside the target, worst", worst, NEAR, "LU", 2)
    book.at_most("true peak, highest", highest, CEILING, "dBTP", 1)
    book.is_so("tags and cover read back", f"{count} of {count}", f"{count - len(wrong)} of {count}", met=not wrong)
    book.at_most("processor time, three forms, share of the take's length", spent / length, QUICK, "", 3)


def _materials(seconds: float) -> list[tuple[str, str, NDArray[np.float32]]]:
    choir = np.stack([voice(seconds, 180 + 40 * number, seed=number, level=0.12) for number in range(6)], axis=1)
    soft = voice(seconds, 300, level=0.03, seed=9)
    found = [
        ("solo", "adult-solo", voice(seconds, level=0.2)[:, None]),
        ("children", "children-choir", choir),
        ("seniors", "seniors", choir[:, :3]),
        ("group", "group", choir[:, :4]),
        ("soft", "plain", soft[:, None]),
    ]
    song = Path(__file__).resolve().parents[2] / "shared" / SONG
    if song.is_file():
        found.append(("song", "adult-solo", media.read_sound(song, RATE, channels=1)[: round(seconds * RATE)]))
    return found


def ebur128(path: Path) -> tuple[float, float]:
    """LUFS and dBTP by the FFmpeg of the system."""
    options = "-hide_banner -nostats -af ebur128=peak=true -f null -"
    done = subprocess.run(
        ["ffmpeg", "-nostdin", "-i", str(path), *options.split()], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)
    lufs, peaks = re.findall(r"I:\s+(\S+) LUFS", done.stderr), re.findall(r"Peak:\s+(\S+) dBFS", done.stderr)
    return float(lufs[-1]), float(peaks[-1])


def _said(path: Path) -> tuple[str, str, bool]:
    read = mutagen.File(path)
    if path.suffix == ".flac":
        return read.tags["title"][0], read.tags["artist"][0], bool(read.pictures)
    return str(read.tags["TIT2"].text[0]), str(read.tags["TPE1"].text[0]), bool(read.tags.getall("APIC"))
