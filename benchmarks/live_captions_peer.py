#!/usr/bin/env python3
"""The live captioner beside whisper_streaming with its voice activity controller: same clips, same model, same machine.

    live_captions_peer.py --peer-python PYTHON --peer-repo FOLDER [CLIP.flac …] [--set tune|check|held|pl_en]
                          [--pace real|fast] [--runs N] [--look MS] [--json FILE]

`--peer-repo` is a checkout of ufal/whisper_streaming; `--peer-python` is the Python of a virtual environment with
torch, silero-vad, faster-whisper, librosa and soundfile. The judge's `peer_run.py` plays each clip to it: sound arrives
in real time on a clock that a step moves on by what it really took. Each clip is heard by both, one after the other,
in each run; a row is the median of the runs, a row that begins with ── is over all words of several clips.

    wer       word errors: ours, the peer's, the model's on the whole file
    f50       seconds from a word's end to settled: ours, the peer's, and the ratio; f95 likewise
    s50       seconds until a word was first shown: ours, the peer's
    erased    words wiped from the screen for each that stayed: ours, the peer's
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import live_captions as ours

from studio.sound import SPEECH_RATE
from studio.speech import resolve
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = dict[str, Any]
Scored = tuple[Row, list[Row], Row, str]
"""Row, events, reference, language."""

PATIENCE = 600
"""Seconds that the peer may take for a clip."""
FIGURES = ("final_p50", "final_p95", "shown_p50", "erased")
COLUMNS = (
    ("wer", "wer", "6.3f"),
    ("peer_wer", "peer", "6.3f"),
    ("offline_wer", "file", "6.3f"),
    ("final_p50", "f50", "6.2f"),
    ("peer_final_p50", "peer", "6.2f"),
    ("ratio_final_p50", "ratio", "6.2f"),
    ("final_p95", "f95", "6.2f"),
    ("peer_final_p95", "peer", "6.2f"),
    ("shown_p50", "s50", "6.2f"),
    ("peer_shown_p50", "peer", "6.2f"),
    ("erased", "erased", "6.3f"),
    ("peer_erased", "peer", "6.3f"),
)


def peer(chosen: argparse.Namespace, model: Path, clip: Path, language: str, events: Path) -> list[Row]:
    """Play `clip` to the peer; return its events, which stand in `events` too."""
    with tempfile.TemporaryDirectory() as folder:
        wave = Path(folder) / "clip.wav"
        soundfile.write(wave, ours.load(clip), SPEECH_RATE)
        command = [
            *(chosen.peer_python, ours.SHARED / "judge" / "peer_run.py", "whisper_streaming", wave, events),
            *("--repo", chosen.peer_repo, "--model", model, "--lang", language, "--threads", str(chosen.threads)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode:
        raise SystemExit(f"The peer failed on {clip.name}:\n{done.stderr[-2000:]}")
    return [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines() if line.strip()]


def beside(own: Row, other: Row) -> Row:
    """Put the peer's figures beside ours."""
    row = {**own, **{f"peer_{key}": other.get(key) for key in ("wer", *FIGURES)}}
    for key in FIGURES[:2]:
        row[f"ratio_{key}"] = round(own[key] / other[key], 3) if own[key] and other[key] else None
    return row


def over(judge: ours.Judge, own: Sequence[Scored], other: Sequence[Scored], name: str) -> Row:
    """Sum one run up, over the clips of a language or `all`."""

    def summed(rows: Sequence[Scored]) -> Row:
        chosen = [(row, events, said) for row, events, said, language in rows if name in {language, "all"}]
        return ours.over(judge, chosen)

    return beside(summed(own), summed(other))


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--peer-python", type=Path, required=True)
    parser.add_argument("--peer-repo", type=Path, required=True)
    parser.add_argument("--set", default="tune", choices=[name for name in ours.SETS if name != "noise"])
    parser.add_argument("--pace", default="real", choices=["real", "fast"])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--look", type=int, default=4800, metavar="MS")
    parser.add_argument("--hold", type=int, default=6000, metavar="MS")
    parser.add_argument("--preset", default="live")
    parser.add_argument("--change", action="append", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--model", default="base")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE")
    chosen = parser.parse_args()
    if not (chosen.peer_repo / "whisper_online.py").is_file():
        parser.error(f"{chosen.peer_repo} is no checkout of ufal/whisper_streaming")
    if not chosen.peer_python.is_file():
        parser.error(f"{chosen.peer_python} is no Python")
    if chosen.runs < 1:
        parser.error("--runs is at least 1")
    return chosen


def main() -> None:
    """Run and print the table."""
    chosen = options()
    keep = Path(tempfile.mkdtemp(prefix="events."))
    model, judge = resolve(chosen.model), ours.Judge()
    look = Ms(chosen.look) if chosen.look else None
    tuning = ours.tuned(chosen.preset, chosen.change)
    bench = ours.Bench(model, tuning, chosen.threads, chosen.pace == "real", look, Ms(chosen.hold), judge, keep)
    result: Row = {"options": {key: str(value) for key, value in vars(chosen).items()}, "clips": {}, "over": {}}
    own: list[list[Scored]] = [[] for _ in range(chosen.runs)]
    other: list[list[Scored]] = [[] for _ in range(chosen.runs)]
    print(ours.head(COLUMNS))
    for clip in chosen.clips or ours.clips(chosen.set):
        reference = ours.reference_of(clip)
        if reference is None:
            raise SystemExit(f"{clip} has no words file beside it")
        language, rows = clip.parent.name, []
        for number in range(chosen.runs):
            row, events = bench.run(clip, number + 1)
            own[number].append((row, events, reference, language))
            said = peer(chosen, model, clip, language, keep / f"{clip.stem}.{number + 1}.peer.jsonl")
            theirs = judge.score(said, reference)
            other[number].append((theirs, said, reference, language))
            rows.append(beside(row, theirs))
        result["clips"][clip.stem] = {"median": ours.middle(rows), "runs": rows}
        print(ours.table(clip.stem, ours.middle(rows), COLUMNS), flush=True)
    for name in (*sorted({scored[3] for scored in own[0]}), "all"):
        sums = [over(judge, *both, name) for both in zip(own, other, strict=True)]
        result["over"][name] = {"median": ours.middle(sums), "runs": sums}
        print(ours.table(f"── {name}", ours.middle(sums), COLUMNS))
    print(f"events: {keep}")
    if chosen.json:
        chosen.json.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
