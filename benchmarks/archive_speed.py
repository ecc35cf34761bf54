"""An hour of words composed and written in every form: `benchmarks/archive.py speed`."""

from __future__ import annotations

import argparse
import statistics
import sys
import time

from studio.subtitles import FORMATS, Track, Word, check, compose, fix, profile, written
from studio.units import Ms

WORDS = 9000
HOUR = 3_600_000
ASKED = 3.0
"""Seconds for composing and writing all forms."""
SAID = """
Dzień dobry państwu, witamy w naszym domu kultury na wieczorze poświęconym muzyce, która w tym roku obchodzi swoje
święto. Za chwilę wystąpi dr Anna Kowalska z orkiestrą, a potem zaprosimy wszystkich do rozmowy o tym, co usłyszymy
i zobaczymy. Czy ktoś z państwa był tu w 2024 roku? Tak? To bardzo dobrze, bo wtedy zaczęliśmy.
"""


def hour() -> list[Word]:
    """An hour of speech with a rest after each sentence."""
    each = HOUR // WORDS
    said = SAID.split()
    words = []
    for at in range(WORDS):
        text = said[at % len(said)]
        rest = 240 if text.endswith((".", "?")) else 0
        words.append(Word(text, Ms(at * each), Ms((at + 1) * each - 20 - rest)))
    return words


def main(arguments: list[str]) -> None:
    """Print what each step takes: processor time and the clock, medians."""
    parser = argparse.ArgumentParser(prog="archive.py speed", description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args(arguments)
    words, rules = hour(), profile("polish", "pl")
    taken: dict[str, list[tuple[float, float]]] = {}

    def step(name: str, began: tuple[float, float]) -> tuple[float, float]:
        now = time.process_time(), time.perf_counter()
        taken.setdefault(name, []).append((now[0] - began[0], now[1] - began[1]))
        return time.process_time(), time.perf_counter()

    for _ in range(options.runs):
        at = time.process_time(), time.perf_counter()
        track = Track(tuple(compose(words, rules, rate=25)), "pl")
        at = step("compose", at)
        for kind in FORMATS:
            written(track, kind)
            at = step(kind, at)
        check(track, rules)
        at = step("(check)", at)
        fix(track, rules)
        step("(fix)", at)
    medians = {name: [statistics.median(one) for one in zip(*runs, strict=True)] for name, runs in taken.items()}
    for name, (cpu, clock) in medians.items():
        print(f"{name:10} {cpu:6.2f} s of processor, {clock:6.2f} s")
    whole = [sum(each[at] for name, each in medians.items() if "(" not in name) for at in (0, 1)]
    print(f"composed and written: {whole[0]:.2f} s of processor, {whole[1]:.2f} s; asked: {ASKED} s")
    print(f"{len(words)} words, {len(track.cues)} cues")


if __name__ == "__main__":
    main(sys.argv[1:])
