"""What live captions would cost on this machine with each speech model.

A child process measures the passes of a `Listener` on a model that is here: encoding its windows, decoding so many
tokens, aligning. What those come to while somebody speaks is computed; a model that is not here is estimated from one
that is, by the number of parameters at work.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from studio.errors import SpeechError
from studio.language import _
from studio.sound import SPEECH_RATE
from studio.speech._layout import Layout, cores, keep_layout, layouts
from studio.speech._models import KNOWN, complete, models, resolve
from studio.speech._tuning import Tuning
from studio.speech._whisper import Whisper, card_computes
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LONGEST = 50.0
"""Seconds that measuring takes at most, but for loading models for films."""

_FILMS = 0.24
"""Share of the time that is kept for films, however long live captions take."""
_UNSETTLED = 2.5
"""Seconds of sound that a pass decodes: what is not settled yet, and two words again."""
_TOKENS = 5.0
"""Tokens of a second of speech: English has four, Polish six."""
_UTTERANCE = 4.0
"""Seconds of speech between two pauses."""
_PASSES = 1.5
"""Steps until two passes have agreed on a word, on average."""
_ALWAYS = 0.2
"""Seconds of lateness that no machine saves: a word's end must be heard, and a little after it."""
_LATEST = 1.5
"""Seconds of lateness up to which captions are called live."""
_IN_TIME = 4.8
"""Seconds after which a second look must be over, with the hold that is usual."""
_DRILL = (4, 16)
"""Tokens that decoding is measured with; a cost that begins and a cost for each."""
_REPEATS = 4
_ENOUGH = 1.5
"""Seconds after which a figure is not measured again."""
_BUSY = 0.25
"""Share of the processor in use by others from which figures are doubtful."""
_FREE = 1.2
"""Memory that a model needs, in its size on the hub; loading takes more than the model does then."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a Whisper is made of."""

    width: int
    encoder: int
    """Layers."""
    decoder: int
    """Layers."""

    @property
    def encoding(self) -> int:
        """Parameters that a frame meets: attention and the wide part of each layer."""
        return 12 * self.width**2 * self.encoder

    @property
    def decoding(self) -> int:
        """Parameters that a token meets: twice attention, the wide part, and the vocabulary at the end."""
        return 16 * self.width**2 * self.decoder + 51_865 * self.width

    @property
    def beginning(self) -> int:
        """Parameters that the sound meets once before the first token."""
        return 2 * self.width**2 * self.decoder

    @property
    def size(self) -> int:
        """Parameters in all, nearly."""
        return self.encoding + self.decoding


_SHAPES = {
    "tiny": _Shape(384, 4, 4),
    "base": _Shape(512, 6, 6),
    "small": _Shape(768, 12, 12),
    "medium": _Shape(1024, 24, 24),
    "turbo": _Shape(1280, 32, 4),
    "large-v1": _Shape(1280, 32, 32),
    "large-v2": _Shape(1280, 32, 32),
    "large-v3": _Shape(1280, 32, 32),
}
"""Of the models known by name, smallest first, and of two as large the better one last."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How a model is run."""

    device: Literal["cpu", "cuda"]
    compute: str
    """CTranslate2's compute type."""
    threads: int
    """Processor threads."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What was measured, in seconds."""

    load: float
    """Loading the model."""
    encode: float
    """The window of the fast pass."""
    encode_wide: float
    """The window of a pass at a pause, and of the second look."""
    first: float
    """Decoding, whatever its length."""
    token: float
    """Decoding, for each token."""
    align: float
    """Finding the times of the words of a pass."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a model would keep up with somebody who speaks."""

    model: str
    """A known name, or the folder that was asked for."""
    setup: Setup
    costs: Costs
    load: float
    """Seconds of work for a second of speech, fast pass alone; a step is as long as it must be."""
    load_look: float
    """The same with the second look, which works in a thread of its own."""
    late: float
    """Seconds from the end of a word until it is settled, half of the words."""
    estimated: bool
    """From another model, by their parameters."""
    here: bool
    fits: bool
    """There is memory for it."""
    looks: bool
    """A second look is over before its words air."""

    @property
    def keeps_up(self) -> bool:
        """Whether captions would be live with it."""
        return self.fits and self.late <= _LATEST and self.load < 1

    @property
    def looks_twice(self) -> bool:
        """Whether there is time for the second look too."""
        return self.keeps_up and self.looks


@dataclass(frozen=True, slots=True)
class Bench:
    """What measuring came to."""

    paces: tuple[Pace, ...]
    """Each setup that was measured and the best of each model that was estimated, smallest model first."""
    best: Pace | None
    """The largest model here that keeps up, as it runs best; `None` where none does."""
    wish: Pace | None
    """A larger model that is not here and would keep up, as far as can be told; `None` where there is none."""
    seconds: float
    """How long measuring took."""
    busy: float | None
    """Share of the processor that others used meanwhile, if it is so much that figures are doubtful."""
    films: tuple[Layout, ...]
    """How the best model here, or the smallest, hears films that nobody waits for, the quickest way first; none where
    there was no time, or only a graphics card to measure."""
    kept: str | None
    """The model with which films are heard the quickest way from now on (`layout_for`); `None`: none was measured, or
    others used the processor, or the disk refused."""
    unmeasured: tuple[str, ...]
    """Models here for which there was no time, or that could not be loaded."""


def bench(
    only: Sequence[str] = (),
    tuning: Tuning | None = None,
    *,
    seconds: float = LONGEST,
    told: Callable[[str], None] = lambda _what: None,
) -> Bench:
    """Measure the models that are here, or `only` those named (or folders), within `seconds`; needs no network.

    The quickest way to hear films is kept, see `layout_for`. `told` hears what is being measured. SpeechError where
    there is no model to measure.
    """
    began = time.monotonic()
    live = seconds * (1 - _FILMS)
    tuning = tuning or Tuning()
    used, ours = _processor(), os.times()
    names = list(only) or [model.name for model in models() if model.state != "downloadable"]
    folders = {name: resolve(name, offline=True) for name in names}
    if not folders:
        raise SpeechError(_("There is no speech model on this machine to measure; run: studio models fetch base"))
    measured: list[Pace] = []
    unmeasured = []
    for number, (name, folder) in enumerate(folders.items()):
        # What one model leaves is shared by those that come after it.
        until = time.monotonic() + (began + live - time.monotonic()) / (len(folders) - number)
        setups = list(_setups(name))
        found = [
            pace(name, setup, costs, tuning, here=True)
            for setup, costs in _measure(folder, setups, tuning, until, told)
        ]
        measured += found
        if not found:
            unmeasured.append(name)
    if not measured:
        raise SpeechError(
            _("None of the speech models {names} could be measured; close other programs, or try a smaller one").format(
                names=", ".join(names)
            )
        )
    paces = [*measured, *([] if only else _estimates(measured, tuning))]
    paces.sort(key=lambda found: (_rank(found.model), found.estimated, found.late))
    best = _largest(found for found in paces if found.here)
    wish = _largest(found for found in paces if not found.here)
    if wish is not None and best is not None and _rank(wish.model) <= _rank(best.model):
        wish = None
    told_apart = best or next(found for found in paces if found.here)
    films = layouts(folders[told_apart.model], cores(), seconds - live, told)
    others = _others(used, ours)
    kept = bool(films) and others is None and keep_layout(folders[told_apart.model], films[0])
    took = time.monotonic() - began
    return Bench(tuple(paces), best, wish, took, others, films, told_apart.model if kept else None, tuple(unmeasured))


def pace(
    model: str, setup: Setup, costs: Costs, tuning: Tuning, *, estimated: bool = False, here: bool = False
) -> Pace:
    """Say what `costs` come to while somebody speaks."""
    quick = costs.encode + costs.first + costs.token * _UNSETTLED * _TOKENS + costs.align
    careful = costs.encode_wide + costs.first + costs.token * _UNSETTLED * _TOKENS + costs.align
    look = costs.encode_wide + costs.first + costs.token * tuning.wide_window / 1000 * _TOKENS + costs.align
    step = tuning.step_at(quick) / 1000
    load = quick / step + careful / _UTTERANCE
    known = KNOWN.get(model)
    free = _memory()
    return Pace(
        model,
        setup,
        costs,
        load=round(load, 3),
        load_look=round(load + look / (tuning.look_step / 1000 + look), 3),
        late=round(_ALWAYS + _PASSES * step + quick, 3),
        estimated=estimated,
        here=here,
        looks=(tuning.look_step + tuning.ahead) / 1000 + look <= _IN_TIME,
        fits=here or known is None or free is None or known.size * _FREE < free,
    )


def estimate(costs: Costs, measured: str, wanted: str) -> Costs:
    """What the model `wanted` would cost where `measured` costs so much; both are known by name."""
    old, new = _SHAPES[measured], _SHAPES[wanted]
    encoding = new.encoding / old.encoding
    return Costs(
        load=costs.load * new.size / old.size,
        encode=costs.encode * encoding,
        encode_wide=costs.encode_wide * encoding,
        first=costs.first * new.beginning / old.beginning,
        token=costs.token * new.decoding / old.decoding,
        align=costs.align * new.decoding / old.decoding,
    )


def _estimates(measured: Sequence[Pace], tuning: Tuning) -> Iterator[Pace]:
    here = {found.model for found in measured}
    known = [found for found in measured if found.model in _SHAPES]
    if not known:
        return
    # The largest one tells the most about those that are larger still.
    nearest = max((found.model for found in known), key=_rank)
    for name in _SHAPES:
        if name not in here:
            yield min(
                (
                    pace(name, found.setup, estimate(found.costs, nearest, name), tuning, estimated=True)
                    for found in known
                    if found.model == nearest
                ),
                key=lambda found: found.late,
            )


def _rank(model: str) -> int:
    """Place of a model in the order of what it hears; a folder's model stands behind all."""
    return list(_SHAPES).index(model) if model in _SHAPES else len(_SHAPES)


def _largest(paces: Iterator[Pace]) -> Pace | None:
    fitting = [found for found in paces if found.keeps_up]
    if not fitting:
        return None
    most = max(_rank(found.model) for found in fitting)
    # Threads and kernels that save nothing worth having are left to others.
    quickest = min(found.late for found in fitting if _rank(found.model) == most)
    return min(
        (found for found in fitting if _rank(found.model) == most and found.late <= quickest * 1.03),
        key=lambda found: (found.setup.threads, found.late),
    )


def _setups(name: str) -> Iterator[Setup]:
    """Yield what is worth trying, the likeliest first."""
    known, free = KNOWN.get(name), _memory()
    for compute in ("float16", "int8_float16"):
        if compute in card_computes():
            yield Setup("cuda", compute, 1)
    if known is not None and free is not None and known.size > free:
        return
    # The second look works beside the first pass, with as many threads: on the same cores both would wait.
    most = max(1, cores() // 2)
    for compute in ("int8", "int8_float32"):
        for threads in sorted({most, min(2, most), 1}, reverse=True):
            yield Setup("cpu", compute, threads)


# ── the machine ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _memory() -> int | None:
    """Bytes of memory that are free, where the system tells."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _processor() -> tuple[float, float] | None:
    """Seconds of all cores so far: those in use and all of them; `None` where the system does not tell."""
    try:
        spent = [int(value) for value in Path("/proc/stat").read_text(encoding="ascii").split(maxsplit=9)[1:9]]
    except (OSError, ValueError):
        return None
    ticks = os.sysconf("SC_CLK_TCK")
    return (sum(spent) - spent[3] - spent[4]) / ticks, sum(spent) / ticks


def _others(before: tuple[float, float] | None, ours_before: os.times_result) -> float | None:
    """Share of the processor that others used since, if that is much and the system tells."""
    after, ours = _processor(), os.times()
    if before is None or after is None:
        return None
    own = sum(ours[:4]) - sum(ours_before[:4])
    share = (after[0] - before[0] - own) / max(1e-3, after[1] - before[1])
    return round(share, 2) if share > _BUSY else None


# ── the child ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _measure(
    folder: Path, setups: Sequence[Setup], tuning: Tuning, until: float, told: Callable[[str], None]
) -> list[tuple[Setup, Costs]]:
    """Have a child measure `setups`; it is ended at `until`, and what it has said by then counts.

    A child, because no pass can be broken off, and a model that is too large may bring its process down.
    """
    wanted = {
        "folder": str(folder),
        "setups": [asdict(setup) for setup in setups],
        "windows": [tuning.context, tuning.wide, tuning.padding],
        "beams": [tuning.quick_beam, tuning.beam],
    }
    found = []
    with subprocess.Popen(
        [sys.executable, "-m", "studio.speech._bench", json.dumps(wanted)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        said: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=_read, args=(child, said), daemon=True).start()
        try:
            while line := said.get(timeout=max(0.0, until - time.monotonic())):
                result = json.loads(line)
                if "costs" in result:
                    found.append((Setup(**result["setup"]), Costs(**result["costs"])))
                else:
                    told(f"{folder.name} {result['setup']['compute']}")
        except queue.Empty:
            logging.getLogger(__name__).info("%s was not measured to the end: its time is over", folder.name)
        finally:
            child.kill()
    return found


def _read(child: subprocess.Popen[str], said: queue.SimpleQueue[str]) -> None:
    for line in child.stdout or ():
        said.put(line)
    said.put("")


def _child(wanted: str) -> None:
    """Measure what is `wanted`, and say each result as soon as it is there."""
    asked = json.loads(wanted)
    folder = complete(Path(asked["folder"]))
    context, wide, padding = asked["windows"]
    seen = set()
    for setup in (Setup(**setup) for setup in asked["setups"]):
        _say({"setup": asdict(setup)})
        began = time.perf_counter()
        try:
            whisper = Whisper(folder, threads=setup.threads, compute=setup.compute, device=setup.device)
        except SpeechError:
            continue
        loaded = time.perf_counter() - began
        # What a compute type stands for on this processor may have been measured under another name.
        what = whisper.device, whisper.compute, setup.threads
        if whisper.device != setup.device or what in seen:
            continue
        seen.add(what)
        costs = replace(_cost(whisper, Ms(context), Ms(wide), Ms(padding), asked["beams"]), load=loaded)
        _say({"setup": asdict(setup), "costs": asdict(costs)})


def _cost(whisper: Whisper, context: Ms, wide: Ms, padding: Ms, beams: Sequence[int]) -> Costs:
    noise = np.random.default_rng(1).normal(0, 0.05, 30 * SPEECH_RATE).astype(np.float32)

    def window(before: Ms) -> Callable[[], object]:
        length, skip = round((before / 1000 + _UNSETTLED) * SPEECH_RATE), before * SPEECH_RATE // 1000
        return lambda: whisper.encode(noise[:length], padding, skip)

    encode, encode_wide = _time(window(context)), _time(window(wide))
    encoded = whisper.encode(noise[: round((context / 1000 + _UNSETTLED) * SPEECH_RATE)], padding, context * 16)
    few, many = _DRILL
    beam = max(beams)
    words = whisper.drill(encoded, many, beam)
    short = _time(lambda: whisper.drill(encoded, few, beam))
    long = _time(lambda: whisper.drill(encoded, many, beam))
    token = max(0.0, long - short) / (many - few)
    align = _time(lambda: whisper.align(encoded, "en" if whisper.speaks("en") else "pl", words))
    return Costs(0.0, encode, encode_wide, max(0.0, short - few * token), token, align)


def _time(work: Callable[[], object]) -> float:
    """Seconds that `work` takes at its quickest: whatever else runs only makes it slower."""
    work()
    taken: list[float] = []
    while len(taken) < _REPEATS and sum(taken) < _ENOUGH:
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def _say(fact: object) -> None:
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.disable()
    _child(sys.argv[1])
