"""How films are heard quickest on this machine: one process that uses all cores, or one for each core.

The children of a layout work at the same time on the same thing, as workers in the archive do: cores that share memory
hinder each other, and no figure of one alone would tell.
"""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from studio.sound import SPEECH_RATE
from studio.speech._models import complete
from studio.speech._whisper import Whisper
from studio.speech._whole import BEAM, LONGEST, PADDING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_READY = 30.0
"""Seconds that the children may take to load their models, which is not measured."""
_GRACE = 20.0
"""Seconds for the last pass; it takes one or two, but where others use the processor."""
_LEAST = 2.0
"""Seconds below which nothing is measured."""
_TOKENS = 5
"""Of a second of speech."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Processes that hear films side by side, and how quick they are together."""

    processes: int
    threads: int
    """Of each process."""
    speed: float
    """Seconds of speech heard in a second."""


def layouts(folder: Path, cores: int, seconds: float, told: Callable[[str], None]) -> tuple[Layout, ...]:
    """Measure both on the processor with the model in `folder`, quickest first; none where `seconds` are too few.

    Loading comes on top of `seconds`.
    """
    wanted = sorted({(cores, 1), (1, cores)})
    found = []
    if seconds < _LEAST:
        return ()
    for processes, threads in wanted:
        told(f"{processes} x {threads}")
        speed = _together(folder, processes, threads, seconds / len(wanted))
        if speed:
            found.append(Layout(processes, threads, round(speed, 2)))
    return tuple(sorted(found, key=lambda layout: -layout.speed))


def _together(folder: Path, processes: int, threads: int, seconds: float) -> float:
    """Seconds of speech that so many processes hear together in a second; 0 where they could not."""
    command = [sys.executable, "-m", "studio.speech._layout", str(folder), str(threads)]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(processes)
    ]

    def end() -> None:
        for child in children:
            child.kill()

    try:
        with _ended(end, _READY):
            ready = all(child.stdout is not None and child.stdout.readline() for child in children)
        # No pass can be broken off, and one with a large model may take longer than there is time.
        with _ended(end, seconds + _GRACE):
            return _sum(children, seconds) if ready else 0.0
    except BrokenPipeError:
        return 0.0
    finally:
        end()
        for child in children:
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    pipe.close()


@contextlib.contextmanager
def _ended(end: Callable[[], None], seconds: float) -> Iterator[None]:
    """Have `end` called where this is not over in time."""
    watch = threading.Timer(seconds, end)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _sum(children: Sequence[subprocess.Popen[str]], seconds: float) -> float:
    """Have all begin at once; 0 where one of them was not in time."""
    for child in children:
        if child.stdin is not None:
            child.stdin.write(f"{seconds}\n")
            child.stdin.flush()
    said = [json.loads(child.stdout.readline() or "0") if child.stdout else 0 for child in children]
    return float(sum(said)) if all(said) else 0.0


def _child(arguments: Sequence[str]) -> None:
    """Hear noise until the time is over, as if somebody spoke in it, and say how much of it in a second."""
    whisper = Whisper(complete(Path(arguments[0])), threads=int(arguments[1]), compute="int8", device="cpu")
    window = LONGEST // 1000
    noise = np.random.default_rng(1).normal(0, 0.05, window * SPEECH_RATE).astype(np.float32)
    whisper.drill(whisper.encode(noise, PADDING), 4, BEAM)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    until = time.monotonic() + float(sys.stdin.readline())
    began, heard = time.monotonic(), 0
    while not heard or time.monotonic() < until - (time.monotonic() - began) / heard:
        whisper.drill(whisper.encode(noise, PADDING), _TOKENS * window, BEAM)
        heard += 1
    sys.stdout.write(f"{heard * window / (time.monotonic() - began)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.disable()
    _child(sys.argv[1:])
