#!/usr/bin/env python3
"""Half an hour of speech, silence, music and noise for the live captioner, on the real clock.

    live_captions_soak.py [--minutes 30] [--look MS] [--hog] [--seed 1] [--json FILE]

Clips of ../shared/data follow each other in an order that `--seed` fixes: Polish and English speech, silence, music and
noise, but no singing. All of it is one language, `auto`, unless `--language` says one. A row is a minute:

    lag      seconds that the listener was behind at most: the sound that waits, and the step that runs
    invented words that stand where nobody spoke (0.3 s before and after speech is left alone)
    [...]    places where sound was skipped, and seconds of it so far
    memory   megabytes of this process at the minute's end

`--hog` has a second process compute on every core, at the same priority, from a quarter of the time on to three
quarters of it: then lag must stay bounded, and what cannot be listened to must be skipped and said.
"""

from __future__ import annotations

# Before numpy is loaded, as in every process of the house: it sets how numpy's threads wait
import studio  # noqa: F401  # isort: skip

import argparse
import inspect
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import live_captions as bench

from studio.sound import SPEECH_RATE
from studio.speech import Hearing, Listener, resolve
from studio.spoken import Word
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


NEAR = Ms(300)
"""A word may reach so far out of the clip it was said in."""
WARM = 3
"""Minutes until memory must not grow any more."""
SKIPPED = "[…]"
HOG = """
import multiprocessing, sys, time
import numpy as np

def hog(until):
    numbers = np.random.default_rng(1).random((300, 300))
    while time.time() < until:
        numbers @ numbers
        sum(range(10_000))

if __name__ == "__main__":
    for _ in range(int(sys.argv[1])):
        multiprocessing.Process(target=hog, args=(float(sys.argv[2]),)).start()
"""
"""A program of its own: as many processes as it is told, until the moment it is told."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A clip in its place."""

    name: str
    start: Ms
    """On the show clock."""
    end: Ms
    speech: bool


@dataclass(slots=True)
class Minute:
    """What a minute came to."""

    lag: float = 0.0
    """Seconds, the most."""
    words: int = 0
    invented: int = 0
    gaps: int = 0
    """Places where sound was skipped."""
    skipped: float = 0.0
    """Seconds, since the begin."""
    memory: float = 0.0
    """Megabytes at its end."""
    cpu: float = 0.0
    """Core-seconds a second."""
    hogged: bool = False


@dataclass(eq=False)
class Soak:
    """What is noted while it runs; steps are told in the listener's thread."""

    minutes: list[Minute]
    words: list[Word] = field(default_factory=list)
    behind: Ms = Ms(0)
    """Sound that waited after the last step."""
    skipped: Ms = Ms(0)
    began: float = field(default_factory=time.perf_counter)

    @property
    def minute(self) -> Minute:
        """The running one; the last one goes on until all is settled."""
        return self.minutes[min(int((time.perf_counter() - self.began) / 60), len(self.minutes) - 1)]

    def told(self, hearing: Hearing, took: float) -> None:
        """Take down a step of `took` seconds."""
        self.words += hearing.settled
        self.behind = hearing.behind
        self.skipped = Ms(self.skipped + sum(word.end - word.start for word in hearing.settled if word.text == SKIPPED))
        minute = self.minute
        minute.lag = max(minute.lag, hearing.behind / 1000 + took)
        minute.words += sum(word.text != SKIPPED for word in hearing.settled)
        minute.gaps += sum(word.text == SKIPPED for word in hearing.settled)


def plan(seconds: float, seed: int) -> Iterator[tuple[Path, bool]]:
    """Yield clips until they last `seconds`, and whether somebody speaks in each."""
    chance = np.random.default_rng(seed)
    speech = bench.clips("pl_en")
    other = [clip for clip in bench.clips("noise") if "vocals" not in clip.stem]
    length = 0.0
    while True:
        # Every clip once, speech and the rest in turns, then anew in another order.
        for pair in zip(
            chance.permutation(np.array(speech, dtype=object)),
            np.resize(chance.permutation(np.array(other, dtype=object)), len(speech)),
            strict=True,
        ):
            for clip, spoken in zip(pair, (True, False), strict=True):
                yield clip, spoken
                length += len(bench.load(clip)) / SPEECH_RATE
                if length >= seconds:
                    return


def lay(seconds: float, seed: int) -> tuple[NDArray[np.float32], list[Stretch]]:
    """Return the whole sound, `seconds` long, and what stands where."""
    parts, stretches, length = [], [], 0
    most = round(seconds * SPEECH_RATE)
    for clip, spoken in plan(seconds, seed):
        sound = bench.load(clip)[: most - length]
        start, length = length, length + len(sound)
        parts.append(sound)
        stretches.append(Stretch(clip.stem, Ms(start * 1000 // SPEECH_RATE), Ms(length * 1000 // SPEECH_RATE), spoken))
    return np.concatenate(parts), stretches


def invented(word: Word, stretches: list[Stretch]) -> bool:
    """Whether `word` stands where nobody spoke."""
    return word.text != SKIPPED and any(
        not stretch.speech and stretch.start + NEAR <= (word.start + word.end) / 2 <= stretch.end - NEAR
        for stretch in stretches
    )


def play(soak: Soak, live: bench.Live, sound: NDArray[np.float32], hogged: tuple[float, float]) -> None:
    """Play `sound` on the real clock, and look at the listener ten times a second."""
    process = psutil.Process()
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(soak, live, process, hogged, done), daemon=True)
    watcher.start()
    for number, chunk in enumerate(bench.arrive(sound), start=1):
        time.sleep(max(0.0, soak.began + number * bench.ARRIVES - time.perf_counter()))
        live.hear(chunk)
    live.end()
    done.set()
    watcher.join()


def _watch(
    soak: Soak, live: bench.Live, process: psutil.Process, hogged: tuple[float, float], done: threading.Event
) -> None:
    spent, at = time.process_time(), time.perf_counter()
    last = soak.minute
    while not done.wait(0.1):
        minute = soak.minute
        now = time.perf_counter()
        # A step that hangs shows before it ends.
        minute.lag = max(minute.lag, soak.behind / 1000 + live.stepping)
        minute.memory = process.memory_info().rss / 1e6
        minute.skipped = soak.skipped / 1000
        minute.hogged = minute.hogged or hogged[0] <= now - soak.began < hogged[1]
        if minute is not last:
            spent, at, last = time.process_time(), now, minute
        elif now > at:
            minute.cpu = (time.process_time() - spent) / (now - at)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--language", default="auto")
    parser.add_argument("--look", type=int, metavar="MS", help="make the second look too, within so long")
    parser.add_argument("--hog", action="store_true")
    parser.add_argument("--preset", default="live")
    parser.add_argument("--change", action="append", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--model", default="base")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE")
    chosen = parser.parse_args()
    if chosen.look is not None and "look" not in inspect.signature(Listener.__init__).parameters:
        parser.error("this Listener has no second look")
    if not 0 < chosen.minutes <= 24 * 60:
        parser.error("--minutes is between 0 and a day")
    return chosen


def main() -> None:
    """Run, and print a row a minute."""
    chosen = options()
    seconds = chosen.minutes * 60
    sound, stretches = lay(seconds, chosen.seed)
    more: dict[str, Any] = {} if chosen.look is None else {"look": Ms(chosen.look)}
    tuning = bench.tuned(chosen.preset, chosen.change)
    listener = Listener(resolve(chosen.model), chosen.language, tuning, chosen.threads, **more)
    soak = Soak([Minute() for _ in range(max(1, -(-int(seconds) // 60)))])
    live = bench.Live(listener, soak.told)
    hogged = (seconds / 4, seconds * 3 / 4) if chosen.hog else (seconds + 60, seconds + 60)
    starter = threading.Timer(hogged[0], _hog, (hogged[1] - hogged[0],))
    if chosen.hog:
        starter.daemon = True
        starter.start()
    play(soak, live, sound, hogged)
    wrong = [word for word in soak.words if invented(word, stretches)]
    for word in wrong:
        soak.minutes[min(int(word.start / 60_000), len(soak.minutes) - 1)].invented += 1
    result = summary(soak, stretches, wrong)
    print(f"{'minute':>6} {'lag':>6} {'words':>6} {'invented':>8} {'[…]':>4} {'skipped':>8} {'memory':>7} {'cpu':>5}")
    for number, minute in enumerate(soak.minutes, start=1):
        print(
            f"{number:6} {minute.lag:6.2f} {minute.words:6} {minute.invented:8} {minute.gaps:4} {minute.skipped:8.1f}"
            f" {minute.memory:7.0f} {minute.cpu:5.2f}{'  hogged' if minute.hogged else ''}"
        )
    for word in wrong:
        where = next(stretch.name for stretch in stretches if stretch.start <= word.start < stretch.end)
        print(f"invented: {word.text!r} at {word.start / 1000:.1f} s, in {where}")
    print("  ".join(f"{key} {value}" for key, value in result["over"].items()))
    if chosen.json:
        result["options"] = {key: str(value) for key, value in vars(chosen).items()}
        chosen.json.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def summary(soak: Soak, stretches: list[Stretch], wrong: list[Word]) -> dict[str, Any]:
    """Return all figures."""
    warm = [minute.memory for minute in soak.minutes[WARM:]]
    middle = float(np.median(warm)) if warm else None
    over = {
        "lag": round(max(minute.lag for minute in soak.minutes), 2),
        "words": sum(minute.words for minute in soak.minutes),
        "invented": len(wrong),
        "gaps": sum(minute.gaps for minute in soak.minutes),
        "skipped": soak.skipped / 1000,
        "nobody_spoke": sum(stretch.end - stretch.start for stretch in stretches if not stretch.speech) / 1000,
        "memory": None if middle is None else round(middle),
        "memory_swing": None if middle is None else round(max(abs(value / middle - 1) for value in warm), 3),
    }
    return {
        "over": over,
        "minutes": [asdict(minute) for minute in soak.minutes],
        "invented": [{"text": word.text, "start": word.start} for word in wrong],
        "stretches": [asdict(stretch) for stretch in stretches],
    }


def _hog(seconds: float) -> None:
    """Compute on every core for `seconds`."""
    cores = len(os.sched_getaffinity(0))
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", HOG, str(cores), str(time.time() + seconds)], check=False, env=alone)


if __name__ == "__main__":
    main()
