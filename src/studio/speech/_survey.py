"""Where somebody speaks in a film: one reading of its sound, before anybody tries to understand it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from studio.sound import SPEECH_RATE
from studio.speech._stretch import Stretch, Survey
from studio.speech._vad import BLOCK, Detector
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

_PAGE = 1000
"""Blocks read at once: 32 s. What is found does not depend on the pieces the sound comes in."""
_OPENS, _CLOSES = 0.5, 0.35
"""Probability of speech from which somebody speaks, and under which nobody does."""
_BREATH = 3
"""Blocks of silence, 96 ms, that part two spans."""
_LEAST = 4
"""Blocks, 128 ms, under which it was a click or a cough."""
_ALONE = 62
"""Blocks, two seconds, within which a span needs company …"""
_ENOUGH = 8
"""… or so many blocks, 256 ms, that are speech beyond doubt; else it is a murmur too."""
_MURMUR = 0.2
"""Probability from which what was rejected is worth a second try …"""
_MURMUR_LEAST = 15
"""… if it lasts so many blocks, half a second, with holes of …"""
_MURMUR_BREATH = 6
_SILENT = 1e-3
"""Level (-60 dBFS) under which nobody is meant to hear anything."""
_SYLLABLES = 31
"""Blocks on both sides, one second, in which speech would have had a loud and a soft moment …"""
_STEADY = 6.0
"""… so many dB apart. Rain, a fan, hiss and silence have less, and the detector costs more than this look at them."""
_GRAIN = 8
_OUTLIERS = 3
"""Of 63 blocks, so many may be louder, and twice as many softer, by chance."""
_LEAD_IN = 16
"""Blocks that the detector hears before it has to judge."""


def survey(sound: Iterable[NDArray[np.float32]], progress: Callable[[Ms], None] | None = None) -> Survey:
    """Listen to `sound`, pieces of any length at 16 kHz, mono; `progress` is told how far it came.

    Two pages of half a minute are kept at a time.
    """
    detector = Detector()
    likely: list[NDArray[np.float32]] = []
    level: list[NDArray[np.float32]] = []
    samples = 0
    for before, page, after in _neighbours(_pages(sound)):
        own = _levels(page)
        around = np.concatenate([_levels(before)[-_SYLLABLES:], own, _levels(after)[:_SYLLABLES]])
        lively = _lively(around)[min(_SYLLABLES, len(before) // BLOCK) :][: len(own)]
        likely.append(_judge(detector, page, lively))
        level.append(own)
        samples += len(page)
        if progress:
            progress(_at(samples // BLOCK))
    if not likely:
        return Survey(Ms(0), ())
    share, loud = np.concatenate(likely), np.concatenate(level) > 20 * np.log10(_SILENT)
    voiced = _in_company(_spans(share, _OPENS, _CLOSES, _BREATH, _LEAST), share)
    taken = np.zeros(len(share), bool)
    for begin, end in voiced:
        taken[max(0, begin - _LEAST) : end + _LEAST] = True
    murmur = np.where(taken | ~loud, 0, share).astype(np.float32)
    quiet = _spans(murmur, _MURMUR, _MURMUR / 2, _MURMUR_BREATH, _MURMUR_LEAST)
    return Survey(_at(samples // BLOCK), _stretches(voiced), _stretches(quiet))


def _pages(sound: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Cut into whole pages; the last one is filled up with silence to a whole block."""
    size = _PAGE * BLOCK
    page = np.zeros(size, np.float32)
    filled = 0
    for piece in sound:
        clean = clip(piece)
        at = 0
        while at < len(clean):
            taken = min(size - filled, len(clean) - at)
            page[filled : filled + taken] = clean[at : at + taken]
            filled, at = filled + taken, at + taken
            if filled == size:
                yield page.copy()
                filled = 0
    if filled:
        page[filled:] = 0
        yield page[: -(-filled // BLOCK) * BLOCK].copy()


def clip(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sound as a model may hear it: what is no number is silence."""
    clean = np.nan_to_num(sound.astype(np.float32), nan=0.0, posinf=1.0, neginf=-1.0)
    return np.asarray(np.clip(clean, -1.0, 1.0), np.float32)


def _neighbours(
    pages: Iterator[NDArray[np.float32]],
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]]:
    nothing = np.zeros(0, np.float32)
    before, page = nothing, next(pages, nothing)
    for after in pages:
        yield before, page, after
        before, page = page, after
    if len(page):
        yield before, page, nothing


def _levels(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Level in dB of each block, treble raised: a syllable stands out of a rumble by it."""
    if not len(sound):
        return np.zeros(0, np.float32)
    bright = np.diff(sound, prepend=sound[:1]).reshape(-1, BLOCK)
    power = np.einsum("ij,ij->i", bright, bright) / BLOCK
    return np.asarray(10 * np.log10(power + 1e-12), np.float32)


def _lively(level: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether the level moves within a second of each block as it does while somebody speaks."""
    if not len(level):
        return np.zeros(0, bool)
    padded = np.pad(level, (_SYLLABLES, _SYLLABLES + _GRAIN), mode="edge")
    # Looked at each quarter of a second: sorting costs more than all the rest of this look.
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(padded, 2 * _SYLLABLES + 1)[::_GRAIN], axis=1)
    audible = windows[:, -1] > 20 * np.log10(_SILENT) - 20
    moving = windows[:, -1 - _OUTLIERS] - windows[:, 2 * _OUTLIERS] > _STEADY
    seen = np.asarray(audible & moving, bool)
    # What moves between two looks was seen by one of them.
    seen[:-1] |= seen[1:].copy()
    return np.asarray(np.repeat(seen, _GRAIN)[: len(level)], bool)


def _judge(detector: Detector, page: NDArray[np.float32], lively: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Probability of speech of each block of `page`; 0 where it is not lively."""
    share = np.zeros(len(lively), np.float32)
    for begin, end in _runs(lively):
        lead = 0
        if begin:
            detector.forget()
            lead = min(_LEAD_IN, begin)
        found = detector.judge(page[(begin - lead) * BLOCK : end * BLOCK])
        share[begin:end] = found[lead:]
    if len(lively) and not lively[-1]:
        detector.forget()
    return share


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where `mask` is set: [begin, end) of each run."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def _spans(share: NDArray[np.float32], opens: float, closes: float, breath: int, least: int) -> list[tuple[int, int]]:
    """Runs of blocks above `closes` that reach `opens`, joined over less than `breath`, of `least` blocks or more."""
    runs = [(begin, end) for begin, end in _runs(share >= closes) if share[begin:end].max() >= opens]
    joined: list[tuple[int, int]] = []
    for begin, end in runs:
        if joined and begin - joined[-1][1] < breath:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((begin, end))
    return [(begin, end) for begin, end in joined if end - begin >= least]


def _in_company(spans: Sequence[tuple[int, int]], share: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Leave out what stands alone and is hardly anything: the detector takes a drum for somebody now and then."""
    groups: list[list[tuple[int, int]]] = []
    for span in spans:
        if groups and span[0] - groups[-1][-1][1] < _ALONE:
            groups[-1].append(span)
        else:
            groups.append([span])
    kept = [
        group for group in groups if sum(int((share[begin:end] >= _OPENS).sum()) for begin, end in group) >= _ENOUGH
    ]
    return [span for group in kept for span in group]


def _stretches(spans: Sequence[tuple[int, int]]) -> tuple[Stretch, ...]:
    return tuple(Stretch(_at(begin), _at(end)) for begin, end in spans)


def _at(block: int) -> Ms:
    return Ms(block * BLOCK * 1000 // SPEECH_RATE)
