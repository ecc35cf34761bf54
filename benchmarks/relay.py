#!/usr/bin/env python3
"""What the relay must show, measured: `benchmarks/relay.py RUN [--json FILE] …`.

faults   each of six faults on one destination of four, against real nginx-rtmp and srt-live-transmit on loopback: the
         largest gap between bytes at the others, how soon the core answers, and how soon it is back
kills    kill -9 of the relay at random moments while an encoder streams: what the clean recording lost, how soon it is
         on the air again, whether every settled word is in the files
hold     words that come up to 5 s late in a hold of 6 s; memory of the hold; 2 -> 10 -> 0 s on the air
inputs   the main encoder dies while a backup stands by, in holds of 6, 1 and 0 s: pictures and sound missing
cost     processor time of burning and of the relay, beside ffmpeg's own
browser  Chromium with hls.js: captions against the picture, and how late the picture is
soak     real time on the air with everything, and a fault a minute; its JSON grows as it goes

Each prints what was asked, what was measured, and whether it is met, and ends with 1 where something asked is not met.
docs/evidence/relay.md holds the figures of a release. Use a quiet machine: what else runs on it is measured, too.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.relay_stage import Book

RUNS = ("faults", "kills", "hold", "inputs", "cost", "browser", "soak")


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    runs = parser.add_subparsers(dest="run", required=True, metavar="RUN")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", type=Path, metavar="FILE")
    common.add_argument("--size", default="1280x720", help="of the programme's picture (%(default)s)")
    common.add_argument("--hold", type=float, default=6.0, help="seconds (%(default)s)")
    common.add_argument("--encode", default="", metavar="LINE", help="a line for the encode preset, as `preset: fast`")
    common.add_argument("--seed", type=int, default=4)
    told = {
        each: runs.add_parser(each, parents=[common], formatter_class=argparse.RawDescriptionHelpFormatter)
        for each in RUNS
    }
    told["faults"].add_argument("--runs", type=int, default=1)
    told["faults"].add_argument("--only", action="append", default=[], metavar="FAULT")
    told["inputs"].add_argument("--runs", type=int, default=1)
    told["kills"].add_argument("--count", type=int, default=20)
    told["hold"].add_argument("--only", action="append", default=[], choices=("captions", "changes", "memory"))
    told["hold"].add_argument("--seconds", type=float, default=120, help="of speech (%(default)s)")
    told["cost"].add_argument("--sizes", action="append", choices=("1280x720", "1920x1080"), help="both, unless told")
    told["browser"].add_argument("--seconds", type=float, default=60, help="that are watched, of each (%(default)s)")
    told["soak"].add_argument("--minutes", type=float, default=30)
    told["soak"].add_argument("--every", type=float, default=60, help="seconds that a minute has (%(default)s)")
    told["soak"].add_argument("--only", action="append", default=[], metavar="FAULT", help="as `encoder_killed`")
    told["soak"].add_argument("--keep", type=Path, metavar="FOLDER", help="leave the show there")
    return parser.parse_args()


def main() -> None:
    """Measure, print, save."""
    chosen = options()
    # asked to leave, it takes its studios, servers and encoders along, as with Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job has it ignored
    signal.signal(signal.SIGTERM, lambda _number, _frame: signal.raise_signal(signal.SIGINT))
    part = importlib.import_module(f"benchmarks.relay_{chosen.run}")
    sys.exit(Book.of(chosen).filled(part.measure, chosen))


if __name__ == "__main__":
    main()
