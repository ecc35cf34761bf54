"""How films are heard quickest on this machine: one process that uses all cores, or one for each core.

The children of a layout work at the same time on the same thing, as workers in the archive do: cores that share memory
hinder each other, and no figure of one alone would tell. What was found quickest is kept beside the models, for each
model, and films are heard so from then on.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec

from studio.sound import SPEECH_RATE
from studio.speech._models import complete, models_folder

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
_NAME = "layouts.json"
"""File beside the models."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Processes that hear films side by side, and how quick they are together."""

    processes: int
    threads: int
    """Of each process."""
    speed: float | None = None
    """Seconds of speech heard in a second; `None`: nobody has measured."""


class _Kept(msgspec.Struct, frozen=True):
    """What was found quickest once."""

    processes: Annotated[int, msgspec.Meta(ge=1, le=1024)]
    threads: Annotated[int, msgspec.Meta(ge=1, le=1024)]
    speed: Annotated[float, msgspec.Meta(gt=0)]
    cores: int
    """Of the machine that was measured: another one, or another share of it, is to be measured anew."""
    size: int
    """Bytes of the model's weights, by which another model in the same folder is known."""


def layout_for(folder: Path) -> Layout:
    """Say how the model in `folder` hears films on this machine.

    As `keep_layout` was told. Where nobody measured this model on so many cores, one process for each core does it; and
    one in all where a graphics card does the work.
    """
    from studio.speech._whisper import card_computes  # noqa: PLC0415 - heavy, and asked for once in a run

    if "int8" in card_computes():
        return Layout(1, 1)
    kept = _kept().get(str(folder.resolve()))
    if kept is None or kept.cores != cores() or kept.size != _size(folder):
        return Layout(cores(), 1)
    return Layout(kept.processes, kept.threads, kept.speed)


def keep_layout(folder: Path, layout: Layout) -> bool:
    """Have films heard so from now on with the model in `folder`; False where that could not be written down."""
    if layout.speed is None:
        raise ValueError(layout)
    kept = _Kept(layout.processes, layout.threads, layout.speed, cores(), _size(folder))
    place = models_folder() / _NAME
    aside = place.with_name(f"{_NAME}.{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(msgspec.json.encode(_kept() | {str(folder.resolve()): kept}, order="deterministic"))
        aside.replace(place)
    except OSError:
        with contextlib.suppress(OSError):
            aside.unlink()
        return False
    return True


def cores() -> int:
    """Cores of the processor that we may use; threads that share one count once, where the system tells."""
    places = Path("/sys/devices/system/cpu").glob("cpu[0-9]*/topology/thread_siblings_list")
    try:
        found = len({place.read_text(encoding="ascii").strip() for place in places})
    except OSError:
        found = 0
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(found or allowed, allowed))


def _kept() -> dict[str, _Kept]:
    """By folder; what cannot be read was not measured."""
    try:
        return msgspec.json.decode((models_folder() / _NAME).read_bytes(), type=dict[str, _Kept])
    except (OSError, msgspec.DecodeError):
        return {}


def _size(folder: Path) -> int:
    """Bytes of its weights; 0 where there are none."""
    try:
        return (folder / "model.bin").stat().st_size
    except OSError:
        return 0


def layouts(folder: Path, hands: int, seconds: float, told: Callable[[str], None]) -> tuple[Layout, ...]:
    """Measure both on `hands` cores with the model in `folder`, quickest first; none where `seconds` are too few.

    Loading comes on top of `seconds`.
    """
    wanted = sorted({(hands, 1), (1, hands)})
    found = []
    if seconds < _LEAST:
        return ()
    for processes, threads in wanted:
        told(f"{processes} x {threads}")
        speed = _together(folder, processes, threads, seconds / len(wanted))
        if speed:
            found.append(Layout(processes, threads, round(speed, 2)))
    return tuple(sorted(found, key=lambda layout: -(layout.speed or 0)))


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
    import numpy as np  # noqa: PLC0415 - who only asks how films are heard does without these three

    from studio.speech._whisper import Whisper  # noqa: PLC0415 - as above
    from studio.speech._whole import BEAM, LONGEST, PADDING  # noqa: PLC0415 - as above

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
