#!/usr/bin/env python3
"""How late, how calm and how right the live captioner is, on clips of which we know what was said.

    live_captions.py [CLIP.flac …] [--set pl_en|tune|check|noise] [--pace real|fast] [--preset live] [--events FOLDER]

Clips come from ../shared/data, where each has its text and the times of its words beside it; they are scored by the
judge in ../shared/judge. `--pace real` hears the sound on the real clock. `--pace fast` is for tuning: sound arrives as
fast as it is taken, and the clock is that of a machine on which each step lasts as long as it really took.

`tune` is the third of the clips that settings may be chosen on; `check` are the others. `noise` clips have no words:
each word counted there was invented.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
import time
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile

from studio.sound import SPEECH_RATE, AudioChunk
from studio.speech import Listener, Tuning, resolve
from studio.spoken import Word
from studio.units import ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
HEAD = f"{'clip':40} {'wer':>6} {'file':>6} {'f50':>6} {'f95':>6} {'s50':>6} {'erased':>6} rev   cpu behind"
ARRIVES = 0.04
"""Seconds of sound that arrive at once."""

TUNE = (
    "en/austen_sense_sensibility.flac",
    "en/ljspeech_mix.flac",
    "en/notld_31s_hes_wrong_you_know.flac",
    "pl/nemo_dialogue1_emotional.flac",
    "pl/nemo_kd0_neutral.flac",
)


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one clip."""

    clip: Path
    events: list[dict[str, Any]]
    words: list[Word]
    cpu: float
    """Core-seconds for a second of sound."""
    most_behind: float
    """Seconds."""


def clips(which: str) -> list[Path]:
    """Return the clips of a set, by name."""
    data = SHARED / "data"
    if which == "noise":
        return sorted(path for path in (data / "other").iterdir() if path.suffix in {".flac", ".mp3", ".ogg"})
    every = [
        *sorted((data / "en").glob("*.flac")),
        *sorted((data / "en").glob("*.mp3")),
        *sorted(data.glob("pl/nemo_*.flac")),
    ]
    tune = [data / name for name in TUNE]
    return {"tune": tune, "check": [path for path in every if path not in tune], "pl_en": every}[which]


def load(clip: Path) -> NDArray[np.float32]:
    """Return the clip as 16 kHz mono, as far as its rate is 16 kHz."""
    sound, rate = soundfile.read(clip, dtype="float32", always_2d=True)
    mono = sound.mean(axis=1)
    if rate != SPEECH_RATE:
        count = round(len(mono) * SPEECH_RATE / rate)
        mono = np.interp(np.arange(count) * rate / SPEECH_RATE, np.arange(len(mono)), mono)
    return np.asarray(mono, np.float32)


class VirtualClock:
    """Sound arrives when this clock says so; a step moves it on by what the step really took."""

    def __init__(self) -> None:
        self.now = 0.0

    def wait_until(self, moment: float) -> None:
        """Jump."""
        self.now = max(self.now, moment)

    def spend(self, seconds: float) -> None:
        """Count what was computed."""
        self.now += seconds


class RealClock:
    """Sound arrives as it would from a microphone."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    @property
    def now(self) -> float:
        """Seconds since the first sample."""
        return time.perf_counter() - self._began

    def wait_until(self, moment: float) -> None:
        """Sleep."""
        time.sleep(max(0.0, moment - self.now))

    def spend(self, seconds: float) -> None:
        """Nothing to do: the time has passed by itself."""


def hear(listener: Listener, clip: Path, clock: VirtualClock | RealClock, origin: int) -> Run:
    """Play `clip` to the listener; the show clock reads `origin` at its first sample."""
    sound = load(clip)
    arrivals = arrive(sound, origin)
    events: list[dict[str, Any]] = []
    words: list[Word] = []
    settled, most_behind, position = "", 0.0, 0.0
    coming = next(arrivals, None)
    cpu = time.process_time()
    while True:
        while coming is not None and position + ARRIVES <= clock.now + 1e-6:
            listener.hear(coming)
            position += ARRIVES
            coming = next(arrivals, None)
        began = time.perf_counter()
        hearing = listener.finish() if coming is None else listener.step()
        clock.spend(time.perf_counter() - began)
        if hearing is not None:
            words += hearing.settled
            settled = " ".join([settled, *(word.text for word in hearing.settled)]).strip()
            event = {"t": round(clock.now, 3), "settled": settled, "tentative": hearing.tentative}
            if not events or event["settled"] != events[-1]["settled"] or event["tentative"] != events[-1]["tentative"]:
                events.append(event)
            most_behind = max(most_behind, hearing.behind / 1000)
        if coming is None:
            break
        if hearing is None:
            clock.wait_until(position + ARRIVES)
    spent = (time.process_time() - cpu) / max(1e-6, len(sound) / SPEECH_RATE)
    return Run(clip, events or [{"t": 0.0, "settled": "", "tentative": ""}], words, spent, most_behind)


def arrive(sound: NDArray[np.float32], origin: int) -> Iterator[AudioChunk]:
    """Part `sound` as it arrives."""
    size = round(ARRIVES * SPEECH_RATE)
    for at in range(0, len(sound), size):
        yield AudioChunk(SPEECH_RATE, ms(origin / 1000 + at / SPEECH_RATE), sound[at : at + size])


def judge() -> Any:  # noqa: ANN401 - a module found beside the checkout
    """Return the judge's module, or `None` where there is none."""
    file = SHARED / "judge" / "live_score.py"
    spec = importlib.util.spec_from_file_location("live_score", file) if file.is_file() else None
    if spec is None or spec.loader is None:
        return None
    sys.path.insert(0, str(file.parent))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tuned(preset: str, changes: list[str]) -> Tuning:
    """Return the preset of the drawer, with `field=value` changes for trying things out."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - the drawers' reader would ask for a whole venue

    said: dict[str, Any] = {}
    while preset:
        more = YAML(typ="safe").load(ROOT / "presets" / "captions" / f"{preset}.yaml") or {}
        preset = more.pop("based_on", "")
        said = {**more, **said}
    for change in changes:
        name, _, value = change.partition("=")
        said[name] = json.loads(value)
    known = {field.name for field in fields(Tuning)}
    return replace(Tuning(), **{name: value for name, value in said.items() if name in known})


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--set", default="tune", choices=["pl_en", "tune", "check", "noise"])
    parser.add_argument("--pace", default="real", choices=["real", "fast"])
    parser.add_argument("--preset", default="live")
    parser.add_argument("--change", action="append", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--model", default="base")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--events", type=Path, help="keep the events files here")
    options = parser.parse_args()
    chosen = options.clips or clips(options.set)
    tuning = tuned(options.preset, options.change)
    model = resolve(options.model)
    keep = options.events or Path(tempfile.mkdtemp(prefix="events."))
    keep.mkdir(parents=True, exist_ok=True)
    scorer = judge()
    rows = []
    print(HEAD)
    for clip in chosen:
        language = clip.parent.name if clip.parent.name in {"pl", "lt", "en"} else "auto"
        listener = Listener(model, language, tuning, options.threads)
        run = hear(listener, clip, VirtualClock() if options.pace == "fast" else RealClock(), 0)
        lines = (json.dumps(event, ensure_ascii=False) for event in run.events)
        (keep / f"{clip.stem}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        said = clip.with_name(f"{clip.stem}.txt.words.json")
        if scorer is None or not said.is_file():
            print(f"{clip.stem[:40]:40} {len(run.words)} words: {run.events[-1]['settled'][:120]}  cpu {run.cpu:.2f}")
            continue
        row = scorer.score(run.events, json.loads(said.read_text(encoding="utf-8")))
        rows.append({**row, "cpu": run.cpu, "language": clip.parent.name})
        print(table(clip.stem, row, run.cpu, run.most_behind), flush=True)
    for language in sorted({row["language"] for row in rows}):
        summary([row for row in rows if row["language"] == language], language)
    if rows:
        summary(rows, "all")
        print(f"events: {keep}")


def table(name: str, row: dict[str, Any], cpu: float, behind: float) -> str:
    """One line of the table; a figure that could not be taken is a dash."""
    keys = ("wer", "offline_wer", "final_p50", "final_p95", "shown_p50", "erased")
    cells = " ".join(f"{row[key]:6.3f}" if row[key] is not None else f"{'-':>6}" for key in keys)
    return f"{name[:40]:40} {cells} {row['revised']:3} {cpu:5.2f} {behind:6.2f}"


def summary(rows: list[dict[str, Any]], name: str) -> None:
    """Print the mean over clips, weighed by their words, and the median of the lateness."""
    words = sum(row["words"] for row in rows)
    wer, offline = (sum(row[key] * row["words"] for row in rows) / words for key in ("wer", "offline_wer"))
    middle = {
        key: float(np.median([row[key] for row in rows])) for key in ("final_p50", "final_p95", "shown_p50", "erased")
    }
    revised, cpu = sum(row["revised"] for row in rows), float(np.mean([row["cpu"] for row in rows]))
    print(table(f"── {name}", {"wer": wer, "offline_wer": offline, **middle, "revised": revised}, cpu, 0.0))


if __name__ == "__main__":
    main()
