#!/usr/bin/env python3
"""What it brings to tell Whisper beforehand which names will be said, and what it costs to tell it the wrong ones.

    live_names.py [--set pl_en] [--model base] [--runs N] [--json FILE]

The clips of ../shared/data in which a name is said, and as many names as a technician would put into the glossary of
that evening. Each clip is heard without hints (`none`), with the names of its language (`names`), and with as many that
nobody says there (`others`: those that the shipped Polish glossary hints at, and a few English ones), by the live
captioner with its second look, at the pace of `live_captions.py --pace fast`, and by what hears films:

    said      names that were said in the clips
    got       of these, as they are written, in what airs (`live`), or in what stands in the subtitles (`film`)
    right     the same after the correction by a glossary of these names, which knows nothing else of them
    made up   names of the list in the text that nobody said there
    wer       word errors of all of it, before the correction

Only words that stand whole in the text count as got: another case of a name is an error, as for the judge.
"""

from __future__ import annotations

# Before numpy is loaded, as in every process of the house: it sets how numpy's threads wait
import studio  # noqa: F401  # isort: skip

import argparse
import json
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import live_captions as bench

from studio.catalogue import Catalogue
from studio.sound import SPEECH_RATE
from studio.speech import Archivist, resolve
from studio.subtitles import Corrections, Corrector, Entry, corrections_for
from studio.units import Ms, ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

SAID = {
    "pl": (
        Entry("Malbork", forms={"Malborku": (), "Malborka": ()}),
        Entry("Dziunia"),
        Entry("Janek"),
        Entry("Sziwa"),
        Entry("Żołwica"),
        Entry("Ród smoka"),
        Entry("chorał gregoriański"),
    ),
    "en": (
        Entry("John Dashwood"),
        Entry("Johnny"),
        Entry("Judy"),
        Entry("Helen Cooper"),
        Entry("Cooper"),
        Entry("Harry"),
        Entry("Tom"),
    ),
}
"""What a technician would write down for an evening on which these clips are shown."""
OTHERS = ("Eleanor Rigby", "Winnipeg", "Ravensbourne", "Lutosławski", "Margery Allingham", "Kaunas", "Ignatius")
"""Nobody says them in the English clips."""
WAYS = ("none", "names", "others")

Row = dict[str, Any]


def hints(language: str, way: str) -> tuple[str, ...]:
    """Names that Whisper is told of."""
    if way == "none":
        return ()
    if way == "names":
        return tuple(entry.write for entry in SAID[language])
    return corrections_for(Catalogue(), "pl", ["dom-kultury"]).hotwords() if language == "pl" else OTHERS


def corrector(language: str) -> Corrector:
    """The glossary of the evening."""
    return Corrections(tuple(term for entry in SAID[language] for term in entry.terms())).corrector()


class Count:
    """Counts names in texts, in the judge's words."""

    def __init__(self, judge: bench.Judge) -> None:
        """Count with the judge's own words."""
        self._words = judge._words  # noqa: SLF001 - nobody else needs it

    def names(self, text: str, language: str) -> Counter[str]:
        """How often each name stands in `text`; of two that overlap, the longer one counts."""
        words = self._words.words(text)
        forms = [self._words.words(term.write) for entry in SAID[language] for term in entry.terms()]
        found: Counter[str] = Counter()
        at = 0
        while at < len(words):
            fitting = [form for form in forms if words[at : at + len(form)] == form]
            longest: list[str] = max(fitting, key=len, default=[])
            if longest:
                found[" ".join(longest)] += 1
            at += max(1, len(longest))
        return found

    def row(self, text: str, reference: Row, language: str, judge: bench.Judge) -> Row:
        """Return the figures of one clip."""
        said = self.names(" ".join(reference["words"]), language)
        got = self.names(text, language)
        right = self.names(" ".join(filter(None, corrector(language).correct(text.split()))), language)
        return {
            "said": said.total(),
            "got": (got & said).total(),
            "right": (right & said).total(),
            "made_up": (got - said).total(),
            "made_up_right": (right - said).total(),
            "words": len(reference["words"]),
            "wer": judge.errors(text, reference),
            "text": text,
        }


def live(ears: bench.Bench, sound: NDArray[np.float32], language: str) -> str:
    """What viewers read."""
    heard, _costs = ears.listen(sound, language)
    air = bench.OnAir(bench.rules_of(language), ears.hold, look=True)
    return air.play(heard.hearings, ms(len(sound) / SPEECH_RATE)).text


def film(model: Path, names: Sequence[str], sound: NDArray[np.float32], language: str) -> str:
    """What stands in the subtitles of a film."""
    found = Archivist(model, language, 1, hotwords=names).transcribe(sound, Ms(0))
    return " ".join(word.text for word in found.words)


def over(rows: Sequence[Row]) -> Row:
    """Sum clips up."""
    words = sum(row["words"] for row in rows)
    sums = {key: sum(row[key] for row in rows) for key in ("said", "got", "right", "made_up", "made_up_right")}
    return {**sums, "wer": round(sum(row["wer"] * row["words"] for row in rows) / words, 4)}


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", default="pl_en", choices=bench.SETS[:4])
    parser.add_argument("--model", default="base")
    parser.add_argument("--runs", type=int, default=1, help="of the live captioner; a film sounds the same each time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure and every text here")
    chosen = parser.parse_args()
    judge, model = bench.Judge(), resolve(chosen.model)
    count, keep = Count(judge), Path(tempfile.mkdtemp(prefix="names."))
    found: dict[str, dict[str, list[list[Row]]]] = {}
    for clip in bench.clips(chosen.set):
        language, reference = clip.parent.name, bench.reference_of(clip)
        if reference is None or not count.names(" ".join(reference["words"]), language):
            continue
        sound = bench.load(clip)
        for way in WAYS:
            names = hints(language, way)
            ears = bench.Bench(
                model, bench.tuned("live", []), 1, real=False, look=Ms(4800), hold=Ms(6000), judge=judge, keep=keep,
                hotwords=names,
            )  # fmt: skip
            texts = {"live": [live(ears, sound, language) for _ in range(chosen.runs)]}
            texts["film"] = [film(model, names, sound, language)]
            for kind, several in texts.items():
                rows = [{**count.row(text, reference, language, judge), "clip": clip.stem} for text in several]
                found.setdefault(f"{kind} {language}", {}).setdefault(way, []).append(rows)
                print(f"{kind} {way:7} {clip.stem[:40]:40} {rows[0]['got']} of {rows[0]['said']}", flush=True)
    result: Row = {}
    print(f"{'':24} {'said':>5} {'got':>5} {'right':>6} {'made up':>8} {'after':>6} {'wer':>7}")
    for name, ways in found.items():
        for way, clips in ways.items():
            runs = [over([rows[number] for rows in clips]) for number in range(len(clips[0]))]
            row = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
            result.setdefault(name, {})[way] = {"median": row, "runs": runs, "clips": clips}
            print(
                f"{name + ' ' + way:24} {row['said']:5.0f} {row['got']:5.0f} {row['right']:6.0f} {row['made_up']:8.0f} "
                f"{row['made_up_right']:6.0f} {row['wer']:7.4f}"
            )
    if chosen.json:
        chosen.json.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
