"""Films heard by us, by faster-whisper's sequential decoding and by its batched pipeline, in one run.

Each is a process of its own, so that its processor time and its greatest memory are its own. They take turns file by
file, so that whatever else the machine does falls on all of them.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from studio import speech
from studio.sound import SPEECH_RATE
from studio.units import Ms

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARED = Path(__file__).resolve().parents[2] / "shared"
LANGUAGES = ("en", "pl", "lt")
SOUNDS = {".flac", ".mp3", ".ogg", ".wav"}
SILENT_FILMS = ("film/bbb_480p_30s.mp4",)
WAYS = ("ours", "sequential", "batched")
BEAM = 5

Row = dict[str, Any]


def clips(which: str) -> list[Path]:
    """Speech by language (`pl,en`), or `other`: what holds none."""
    data = SHARED / "data"
    found = [path for folder in which.split(",") for path in sorted((data / folder).glob("*")) if path.suffix in SOUNDS]
    if which == "other":
        found += [data / name for name in SILENT_FILMS]
    return found


def judge() -> Any:  # noqa: ANN401 - a module found beside the checkout
    """The judge's own normalisation and counting."""
    found = importlib.util.spec_from_file_location("judge_words", SHARED / "judge" / "words.py")
    if found is None or found.loader is None:
        raise SystemExit("no judge beside the checkout")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def errors(heard: str, reference: str, judged: Any) -> tuple[int, int]:  # noqa: ANN401
    """Wrong words, and words that were said."""
    left, right = judged.words(heard), judged.words(reference)
    wrong = sum(i is None or j is None or left[i] != right[j] for i, j in judged.align(left, right))
    return wrong, len(right)


# ── one process ───────────────────────────────────────────────────────────────────────────────────────────────────────


def child(options: argparse.Namespace) -> None:
    """Hear each file that is named on a line, and say what it cost; at the end, what memory it took at most."""
    from faster_whisper.audio import decode_audio  # noqa: PLC0415 - as a child only

    began = spent()
    ears = Ours(options) if options.child == "ours" else Peer(options)
    told({"loading": round(spent() - began, 2)})
    for line in sys.stdin:
        path = Path(line.rstrip("\n"))
        sound = np.asarray(decode_audio(str(path)), np.float32)
        before = spent()
        row = ears.hear(sound, spoken(path, options.language))
        row |= {"cpu": round(spent() - before, 3), "seconds": len(sound) / SPEECH_RATE}
        told(row)
    told({"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024})


def told(row: Row) -> None:
    """Say it to the parent."""
    print(json.dumps(row, ensure_ascii=False), flush=True)


class Ours:
    """What films are heard with."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._ears = speech.Archivist(options.model, "auto", options.threads)
        speech.survey([np.zeros(SPEECH_RATE, np.float32)])

    def hear(self, sound: NDArray[np.float32], language: str) -> Row:
        """Words, and what else is known of them."""
        ears = self._ears if language == "auto" else self._ears.speaking(language)
        found = ears.transcribe(sound, Ms(0))
        return {
            "text": " ".join(word.text for word in found.words),
            "words": [(word.text, word.start, word.end, word.confidence) for word in found.words],
            "languages": [(one.start, one.end, one.language) for one in found.languages],
            "unsure": len(found.unsure),
            "rejected": len(found.rejected),
        }


class Peer:
    """faster-whisper."""

    def __init__(self, options: argparse.Namespace) -> None:
        from faster_whisper import BatchedInferencePipeline, WhisperModel  # noqa: PLC0415 - as a child only

        model = WhisperModel(str(options.model), device="cpu", compute_type="int8", cpu_threads=options.threads)
        self._told: Row = {"beam_size": options.beam, "word_timestamps": True}
        if options.child == "sequential":
            self._transcribe: Any = model.transcribe
            self._told |= {"vad_filter": True, "condition_on_previous_text": False}
        else:
            self._transcribe = BatchedInferencePipeline(model).transcribe
            self._told |= {"batch_size": 8}

    def hear(self, sound: NDArray[np.float32], language: str) -> Row:
        """Words, with the times that it gives them."""
        segments, _info = self._transcribe(sound, language=None if language == "auto" else language, **self._told)
        heard = list(segments)
        return {
            "text": " ".join(one.text.strip() for one in heard),
            "words": [
                (one.word.strip(), round(one.start * 1000), round(one.end * 1000), one.probability)
                for segment in heard
                for one in segment.words or ()
            ],
        }


def spoken(path: Path, language: str | None) -> str:
    """The language of a clip: its folder, unless one is told."""
    if language:
        return language
    return path.parent.name if path.parent.name in LANGUAGES else "en"


def spent() -> float:
    """Seconds of processor that this process used, in all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


# ── all of them ───────────────────────────────────────────────────────────────────────────────────────────────────────


def hear(options: argparse.Namespace, which: list[Path]) -> tuple[dict[str, list[Row]], dict[str, Row]]:
    """Have a process of each way hear `which`, in turns; what each says of each file, and of itself."""
    processes = {}
    for way in options.ways:
        command = [sys.executable, __file__, "--child", way, "--model", str(options.model)]
        command += ["--threads", str(options.threads), "--beam", str(options.beam)]
        command += ["--language", options.language] if options.language else []
        processes[way] = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **options.quiet}
        )
    own = {way: answer(process) for way, process in processes.items()}
    rows: dict[str, list[Row]] = {way: [] for way in options.ways}
    for path in which:
        for way, process in processes.items():
            rows[way].append({"file": f"{path.parent.name}/{path.stem}", **answer(process, str(path))})
    for way, process in processes.items():
        if process.stdin:
            process.stdin.close()
        own[way] |= answer(process)
        process.wait()
    return rows, own


def answer(process: subprocess.Popen[str], question: str = "") -> Row:
    """Ask a child, and return what it says."""
    if process.stdin is None or process.stdout is None:
        raise SystemExit("a child without ears")
    if question:
        process.stdin.write(question + "\n")
        process.stdin.flush()
    row: Row = json.loads(process.stdout.readline())
    return row


def speech_table(options: argparse.Namespace) -> Row:
    """Processor time and errors over all files with speech."""
    judged = judge()
    which = options.paths or clips(options.set)
    references = {f"{path.parent.name}/{path.stem}": path.with_suffix(".txt").read_text("utf-8") for path in which}
    seen: dict[str, dict[str, list[Row]]] = {way: {} for way in options.ways}
    selves: dict[str, list[Row]] = {way: [] for way in options.ways}
    for _run in range(options.runs):
        heard, own = hear(options, which)
        for way, rows in heard.items():
            selves[way].append(own[way])
            for row in rows:
                row["wrong"], row["said"] = errors(row["text"], references[row["file"]], judged)
                seen[way].setdefault(row["file"], []).append(row)
    print(f"{'file':46s} {'words':>5s} " + " ".join(f"{way:>17s}" for way in options.ways) + "   ratio")
    for name in references:
        cells = []
        for way in options.ways:
            rows = seen[way][name]
            cells.append(f"{middle(rows, 'cpu'):6.2f} s {100 * rows[0]['wrong'] / rows[0]['said']:6.1f} %")
        said = seen[options.ways[0]][name][0]["said"]
        line = "  ".join(f"{cell:>16s}" for cell in cells)
        print(f"{name[:46]:46s} {said:5d} {line}   {ratio(seen, options.ways, [name])}", flush=True)
    sums: Row = {}
    groups = {"en": "en/", "pl": "pl/", "lt": "lt/", "people (no espeak)": "", "all": ""}
    for group, begin in groups.items():
        names = [n for n in references if n.startswith(begin) and not (group.startswith("people") and "espeak" in n)]
        if not names:
            continue
        sums[group] = {
            way: {
                "cpu": round(sum(middle(seen[way][name], "cpu") for name in names), 2),
                "errors": round(
                    100
                    * sum(seen[way][name][0]["wrong"] for name in names)
                    / sum(seen[way][name][0]["said"] for name in names),
                    2,
                ),
            }
            for way in options.ways
        }
        line = "   ".join(f"{way} {f['cpu']:.1f} s, {f['errors']:.2f} %" for way, f in sums[group].items())
        print(f"{group:20s} {line}   {ratio(seen, options.ways, names)}")
    for way in options.ways:
        peak = max(own["peak"] for own in selves[way]) / 1e6
        sums[way] = {"peak_mb": round(peak), "loading": selves[way][0]["loading"]}
        print(f"{way}: {peak:.0f} MB at most, {selves[way][0]['loading']:.1f} s of processor until the model was there")
    minutes = sum(seen[options.ways[0]][name][0]["seconds"] for name in references) / 60
    sums["minutes"] = minutes
    if options.keep:
        options.keep.write_text(json.dumps(seen, ensure_ascii=False), "utf-8")
    return sums


def ratio(seen: dict[str, dict[str, list[Row]]], ways: list[str], names: list[str]) -> str:
    """Median over the runs of our processor time by each peer's."""
    if ways[0] != "ours" or len(ways) == 1:
        return ""
    said = []
    for way in ways[1:]:
        runs = range(len(seen[way][names[0]]))
        each = [
            sum(seen["ours"][name][run]["cpu"] for name in names) / sum(seen[way][name][run]["cpu"] for name in names)
            for run in runs
        ]
        said.append(f"{statistics.median(each):.2f}")
    return " / ".join(said)


def middle(rows: list[Row], key: str) -> float:
    """Median of `key`."""
    return float(statistics.median(row[key] for row in rows))


def silence_table(options: argparse.Namespace, speech_minute: dict[str, float]) -> None:
    """What minutes without speech cost, and what was invented in them."""
    which = clips("other")
    print(f"\n{'without speech':32s} " + " ".join(f"{way:>26s}" for way in options.ways))
    heard, _own = hear(options, which)
    seen = {way: {row["file"]: row for row in rows} for way, rows in heard.items()}
    for name in seen[options.ways[0]]:
        cells = [
            f"{60 * row['cpu'] / row['seconds']:5.2f} s/min {len(row['text']):5d} letters"
            for row in (seen[way][name] for way in options.ways)
        ]
        print(f"{name[:32]:32s} " + " ".join(f"{cell:>26s}" for cell in cells))
    for way in options.ways:
        rows = [row for name, row in seen[way].items() if "song" not in name]
        minute = 60 * sum(row["cpu"] for row in rows) / sum(row["seconds"] for row in rows)
        letters = sum(len(row["text"]) for row in rows)
        share = f", {100 * minute / speech_minute[way]:.1f} % of a minute with speech" if way in speech_minute else ""
        print(f"{way}: {minute:.3f} s/min without the song{share}; {letters} letters")


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line, and find the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--set", default="en,pl,lt", help="folders of the shared data")
    parser.add_argument("--ways", default=",".join(WAYS), type=lambda said: said.split(","))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--beam", type=int, default=BEAM, help="of the peers")
    parser.add_argument("--language", help="for all files, or auto; else by folder")
    parser.add_argument("--silence", action="store_true", help="also what holds no speech")
    parser.add_argument("--keep", type=Path, help="where to leave all that was heard")
    parser.add_argument("--child", choices=WAYS)
    options = parser.parse_args(arguments)
    options.model = options.model or speech.resolve("base", offline=True)
    # numpy's BLAS spins for a core's worth while it waits; the product's workers say the same.
    options.quiet = {"OPENBLAS_NUM_THREADS": "1"}
    return options


def main(arguments: list[str] | None = None) -> None:
    """Print the tables."""
    options = options_of(arguments)
    if options.child:
        child(options)
        return
    sums = speech_table(options)
    if options.silence:
        silence_table(options, {way: sums["all"][way]["cpu"] / sums["minutes"] for way in options.ways})


if __name__ == "__main__":
    main()
