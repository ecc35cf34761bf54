"""Starts and ends of sentences that were heard, against files whose sentences are known to the frame."""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.archive_hear import SHARED, judge

from studio import speech, subtitles
from studio.spoken import Cue, Word
from studio.units import Ms

START = Ms(120)
"""Three frames of 25 a second."""
EARLY, LATE = Ms(40), Ms(480)
"""An end may come one frame early and twelve late."""
NEAR = Ms(1000)
"""A cue that starts, or ends, further from a sentence's was never meant to be its."""


def pairs(words: list[Word], truth: list[Cue], judged: Any) -> list[tuple[Cue, Word | None, Word | None]]:  # noqa: ANN401
    """Each sentence with the words heard for its first and its last one; `None` where they were not heard."""
    said = [(text, number) for number, cue in enumerate(truth) for text in judged.words(cue.text)]
    heard = [(text, word) for word in words for text in judged.words(word.text)]
    first: dict[int, Word] = {}
    last: dict[int, Word] = {}
    ends = {number: at for at, (_text, number) in enumerate(said)}
    begins = {number: at for at, (_text, number) in reversed(list(enumerate(said)))}
    for left, right in judged.align([text for text, _word in heard], [text for text, _number in said]):
        if left is None or right is None:
            continue
        number = said[right][1]
        if right == begins[number]:
            first[number] = heard[left][1]
        if right == ends[number]:
            last[number] = heard[left][1]
    return [(cue, first.get(number), last.get(number)) for number, cue in enumerate(truth)]


def share(found: list[int], low: int, high: int) -> float:
    """Percent that lie in [low, high]."""
    return 100 * sum(low <= one <= high for one in found) / max(1, len(found))


def main(arguments: list[str] | None = None) -> None:
    """Print a row a file."""
    from faster_whisper.audio import decode_audio  # noqa: PLC0415 - a second that `--help` need not wait

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heard", type=Path, help="what `archive_hear.py --keep` left, instead of hearing anew")
    parser.add_argument("--profile", default="polish")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--worst", action="store_true", help="name what misses")
    options = parser.parse_args(arguments)
    kept = json.loads(options.heard.read_text("utf-8"))["ours"] if options.heard else {}
    judged, rules = judge(), subtitles.profile(options.profile, "pl")
    ears = None if kept else speech.Archivist(speech.resolve("base", offline=True), "pl", options.threads)
    total: dict[str, list[int]] = {"word starts": [], "word ends": [], "cue starts": [], "cue ends": []}
    for path in sorted((SHARED / "data" / "pl").glob("nemo_*.flac")):
        if ears is None:
            rows = kept[f"pl/{path.stem}"][0]["words"]
            words = [Word(text, Ms(start), Ms(end), likely) for text, start, end, likely in rows]
        else:
            words = list(ears.transcribe(np.asarray(decode_audio(str(path)), np.float32), Ms(0)).words)
        truth = list(subtitles.read(path.with_suffix(".srt")).cues)
        if options.worst:
            blame(pairs(words, truth, judged))
        own = measured(words, truth, subtitles.compose(words, rules), judged)
        print(f"{path.stem:28s} " + told(own), flush=True)
        for key, found in own.items():
            total[key] += found
    print(f"{'all':28s} " + told(total))


def measured(words: list[Word], truth: list[Cue], cues: list[Cue], judged: Any) -> dict[str, list[int]]:  # noqa: ANN401
    """How far off starts and ends are, in milliseconds: later is more."""
    own: dict[str, list[int]] = {"word starts": [], "word ends": [], "cue starts": [], "cue ends": []}
    for cue, first, last in pairs(words, truth, judged):
        own["word starts"] += [first.start - cue.start] if first else []
        own["word ends"] += [last.end - cue.end] if last else []
        starts = min((one.start - cue.start for one in cues), key=abs)
        ends = min((one.end - cue.end for one in cues), key=lambda off: abs(off - LATE // 2))
        own["cue starts"] += [starts] if abs(starts) <= NEAR else []
        own["cue ends"] += [ends] if -NEAR <= ends <= LATE + NEAR else []
    return own


def blame(found: list[tuple[Cue, Word | None, Word | None]]) -> None:
    """Print what misses."""
    for cue, first, last in found:
        if first and abs(first.start - cue.start) > START:
            print(f"   starts {first.start - cue.start:+5d} at {cue.start:6d} {first.text!r} {cue.text}")
        if last and not -EARLY <= last.end - cue.end <= LATE:
            print(f"   ends   {last.end - cue.end:+5d} at {cue.end:6d} {last.text!r} {cue.text}")


def told(found: dict[str, list[int]]) -> str:
    """Shares within what is asked, how many there are, and the mean error."""
    cells = []
    for key, offs in found.items():
        low, high = (-START, START) if key.endswith("starts") else (-EARLY, LATE)
        error = statistics.mean(map(abs, offs)) if offs else 0
        cells.append(f"{key} {share(offs, low, high):5.1f} % of {len(offs)} ({error:3.0f} ms)")
    return "  ".join(cells)


if __name__ == "__main__":
    main()
