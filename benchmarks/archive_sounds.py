"""What labels are suggested for recordings, and what listening for them costs.

    python benchmarks/archive_sounds.py TAGGER [FOLDER…]

TAGGER is the folder of YAMNet; without a folder, the recordings below `../shared/data` are heard.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from studio.archive import Document, listen_for_sounds, suggest
from studio.subtitles import sound_labels

SOUND = {".flac", ".mp3", ".ogg", ".mp4", ".mkv"}


class Reached:
    """Keeps how far a film was heard, in milliseconds."""

    def __init__(self, places: list[int]) -> None:
        self._places = places

    def __call__(self, done: int, _all: int) -> None:
        """So far."""
        self._places.append(done)


def main(tagger: Path, folders: list[Path]) -> None:
    """Print the labels of each file that has any, then sums."""
    labels = sound_labels("en")
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in SOUND)
    length, cost, silent = 0, 0.0, 0
    for path in files:
        reached = [0]
        begun = time.process_time()
        try:
            heard = listen_for_sounds(path, labels, print, Reached(reached), tagger)
        except Exception as problem:  # noqa: BLE001 - a film without sound is one of them
            print(f"{path.name}: {problem}")
            continue
        cost += time.process_time() - begun
        length += max(reached)
        found = suggest(Document("en", "sdh"), heard, labels)
        silent += not found
        if found:
            print(
                f"{path.name}: "
                + ", ".join(f"{one.label} at {one.start / 1000:.1f} s ({one.share:.2f})" for one in found)
            )
    print(f"{len(files)} files, {silent} without a label; {length / 1000:.0f} s of sound, {cost:.1f} s of processor")


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        [Path(name) for name in sys.argv[2:]] or [Path(__file__).resolve().parents[2] / "shared" / "data"],
    )
