#!/usr/bin/env python3
"""What the vocal studio must show, measured: `benchmarks/vocal.py RUN [--json FILE] …`.

record   a counter in each channel of a pretended desk, recorded on an idle machine, with all cores loaded, and with the
         recorder stopped in mid-take: every lost sample against those that are marked, processor time of the recorder
kills    kill -9 of the recorder at random moments and of PulseAudio: what is lost, and whether the session opens
clicks   click out, click in: where takes of a whole recorder lie beside the song, on an idle machine, with all cores
         loaded, with both streams opened anew for each take, and with noise in the room that is as loud as the ping
pitch    voices whose pitch is known, and the singer of a song: cents, octaves; how long after the sound a value comes
export   singing, and the song of ../shared, through every preset at three loudnesses in three forms: loudness and true
         peak by FFmpeg's ebur128, tags and cover read back, processor time against the length

Each prints what was asked, what was measured, and whether it is met, and ends with 1 where something asked is not met.
docs/evidence/vocal.md holds the figures of a release. Use a quiet machine: what else runs on it is measured, too.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.relay_stage import Book

RUNS = ("record", "kills", "clicks", "pitch", "export")
"""Each is `measure(options, book)` of `benchmarks/vocal_RUN.py`."""


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    runs = parser.add_subparsers(dest="run", required=True, metavar="RUN")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", type=Path, metavar="FILE")
    common.add_argument("--seed", type=int, default=7)
    told = {each: runs.add_parser(each, parents=[common]) for each in RUNS}
    told["record"].add_argument("--seconds", type=float, default=600, help="of each take (%(default)s)")
    told["record"].add_argument("--channels", type=int, default=18)
    told["record"].add_argument("--rate", type=int, default=48_000)
    told["record"].add_argument("--form", choices=("wav", "flac"), default="wav")
    told["record"].add_argument("--only", action="append", default=[], choices=("idle", "loaded", "stopped"))
    told["kills"].add_argument("--count", type=int, default=20)
    told["clicks"].add_argument("--takes", type=int, default=20, help="of each run (%(default)s)")
    told["clicks"].add_argument("--only", action="append", default=[], choices=("idle", "loaded", "anew", "noise"))
    told["pitch"].add_argument("--all-ears", action="store_true", help="also YIN, swift-f0's own stream and Praat")
    told["export"].add_argument("--seconds", type=float, default=60, help="of each song (%(default)s)")
    return parser.parse_args()


def main() -> None:
    """Measure, print, save."""
    chosen = options()
    part = importlib.import_module(f"benchmarks.vocal_{chosen.run}")
    sys.exit(Book.of(chosen).filled(part.measure, chosen))


if __name__ == "__main__":
    main()
