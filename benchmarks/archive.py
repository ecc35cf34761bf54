#!/usr/bin/env python3
"""What the archive must show, measured: `benchmarks/archive.py RUN`.

burn      burning, muxing, listening and finding shots: processor time and memory, beside ffmpeg
library   2000 films of 90 minutes in one library: opening, listing, searching, saving
cues      cues of real speech under every reading profile, by the judge
hear      recognition beside faster-whisper, sequential and batched: processor time, errors, memory
timing    starts and ends of sentences against files whose sentences are known to the frame
speed     an hour of words composed and written in every form
cluster   8 films by workers, with a worker, the scheduler and the command killed, against the same films in peace
review    the page of films in a real Chromium: 2000 films in the list, 3000 cues in one

Each prints what was measured and whether what is asked is met, and ends with 1 where it is not.
docs/evidence/archive.md holds the figures of a release.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

OWN = ("burn", "cues", "hear", "speed", "timing")
"""Runs that read their arguments themselves."""


def _library(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--films", type=int, default=2000)
    parser.add_argument("--minutes", type=int, default=90)
    parser.add_argument("--at", type=Path, help="keep the library here, and take the one that is there")
    parser.add_argument("--json", type=Path, help="write the figures here, too")


def _cluster(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=12, help="length of each film")
    parser.add_argument("--only", default="peace,killed,command,one", help="which runs, with commas")
    parser.add_argument("--json", type=Path, help="write the figures here, too")


def main() -> int:
    """Run what is asked for."""
    if sys.argv[1:2] and sys.argv[1] in OWN:
        importlib.import_module(f"benchmarks.archive_{sys.argv[1]}").main(sys.argv[2:])
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    runs = parser.add_subparsers(dest="run", required=True)
    _library(runs.add_parser("library"))
    _cluster(runs.add_parser("cluster"))
    review = runs.add_parser("review")
    review.add_argument("--films", type=int, default=2000)
    review.add_argument("--json", type=Path, help="write the figures here, too")
    asked = parser.parse_args()
    if asked.run == "library":
        from benchmarks import archive_library  # noqa: PLC0415 - each run loads what it needs

        return 0 if archive_library.run(asked.films, asked.minutes, asked.at, asked.json) else 1
    if asked.run == "cluster":
        from benchmarks import archive_cluster  # noqa: PLC0415 - as above

        return 0 if archive_cluster.run(asked.seconds, asked.only.split(","), asked.json) else 1
    if asked.run == "review":
        from benchmarks import archive_review  # noqa: PLC0415

        return 0 if archive_review.run(asked.films, asked.json) else 1
    return 2


if __name__ == "__main__":
    sys.exit(main())
