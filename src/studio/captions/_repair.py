"""What nobody heard during a show, filled in afterwards from its recording.

Only cues that touch what is filled in are made anew; all others keep their words, also those that a person put right,
in the journal or in the file `captions.srt`. The files before are kept as `captions.before-repair-N.*`.
"""

from __future__ import annotations

import contextlib
import difflib
import shutil
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from studio import media
from studio.captions._files import read_kept
from studio.captions._journal import cut_torn_line, line, read_lines
from studio.errors import CaptionsError, SubtitlesError, why
from studio.language import _
from studio.sound import SPEECH_RATE
from studio.speech import SKIPPED
from studio.spoken import Cue, Word
from studio.subtitles import VTT_HEAD, compose, read, srt, vtt
from studio.units import Ms, timecode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from studio.subtitles import Rules

    Transcribe = Callable[[NDArray[np.float32], Ms, Callable[[Ms, Ms], None] | None], list[Word]]

WORDS, CUES, SRT, VTT = "captions.words.jsonl", "captions.jsonl", "captions.srt", "captions.vtt"
BEGIN = Ms(0)
AROUND = Ms(8000)
"""So much sound is heard on both sides of what is filled in: a word at its edge is known by what stands beside it."""
LONGEST = Ms(600_000)
"""Sound decoded at once, 38 MB."""
END_MISSING = Ms(1500)
"""A recording goes on a little after the last word; more than this was not heard."""
NEVER = Ms(30_000)
"""Where somebody listened, a word or a mark stands at least so often."""
NEAR = Ms(3000)
SHORTEST = Ms(500)
"""A new cue that has less room than this joins its neighbour."""
_READY, _STAGE = ".captions.repaired", ".captions.repairing"


@dataclass(frozen=True, slots=True)
class Filled:
    """A stretch that was filled in."""

    start: Ms
    end: Ms
    words: int
    """That were found in it; 0 where nobody spoke."""


@dataclass(frozen=True, slots=True)
class Repair:
    """What is to be done."""

    folder: Path
    words: tuple[Word, ...]
    """Known so far, in the order of time."""
    cues: tuple[Cue, ...]
    """As they stand in the files now."""
    unheard: tuple[tuple[Ms, Ms], ...]
    """Stretches of the recording, in order."""
    language: str = ""
    """What was spoken in the show; empty where its captions do not say."""
    struck: tuple[Word, ...] = ()
    """What was heard and does not stand in the captions, because somebody took it out."""


def plan_repair(folder: Path, length: Ms) -> Repair:
    """Find what nobody heard of a recording of `length`. Raises CaptionsError where the captions cannot be read."""
    _finish_moving(folder)
    kept = read_kept(folder)
    words = sorted((word for word in kept.words if word.text and word.text != SKIPPED), key=lambda word: word.start)
    # Also where a person has struck the sign; who wrote something in its place knew what was said.
    skipped = [place for place in kept.script if place.heard == SKIPPED and place.text in {SKIPPED, ""}]
    stretches = [*kept.gaps, *((place.read.start, place.read.end) for place in skipped)]
    marks = [word.end for word in words]
    done: list[tuple[Ms, Ms]] = []
    try:
        for entry in read_lines(folder / WORDS):
            if "filled_start" in entry:
                done.append((Ms(int(entry["filled_start"])), Ms(int(entry["filled_end"]))))
            elif "heard" in entry:
                marks.append(Ms(int(entry["heard"])))
    except (OSError, KeyError, TypeError, ValueError) as problem:
        raise _unreadable(folder, problem) from problem
    marks = sorted({BEGIN, *marks})
    for before, after in pairwise(marks):
        if after - before > NEVER and not (words and after == before):
            begin_of = [word.start for word in words if word.end == after]
            stretches.append((before, min(begin_of, default=after)))
    if length - max(kept.heard, marks[-1]) > END_MISSING:
        stretches.append((Ms(max(kept.heard, marks[-1])), length))
    cues = _as_they_stand(folder, [cue for cue in kept.cues if cue.lines])
    within = [(max(BEGIN, start), min(length, end)) for start, end in stretches]
    struck = tuple(place.read for place in kept.script if not place.text and place.heard != SKIPPED)
    return Repair(folder, tuple(words), tuple(cues), tuple(_without(_joined(within), done)), kept.language, struck)


def repair(
    plan: Repair,
    recording: Path,
    transcribe: Transcribe,
    rules: Rules,
    *,
    say: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> list[Filled]:
    """Do it, and return what was filled in. Raises StudioError; the files are as they were then.

    A stretch of which this recording holds no sound stays as it is, and `say` is told: another one may hold it.
    """
    total = sum(end - start for start, end in plan.unheard)
    done = 0
    filled: list[Filled] = []
    cues = list(plan.cues)
    found: list[Word] = []
    for start, end in plan.unheard:
        new: list[Word] = []
        holds = False
        for begin, until in _pieces(start, end):
            sound, at = _sound(recording, begin, until, say)
            holds = holds or len(sound) > (begin - at) * SPEECH_RATE // 1000
            before = done

            def told(at: Ms, length: Ms, before: int = before, span: int = until - begin) -> None:
                progress(before + (span * at // length if length else 0), total)

            heard = transcribe(sound, at, told) if len(sound) else []
            known = [*plan.words, *plan.struck, *new]
            new += [word for word in heard if begin <= _middle(word) < until and not _is_known(word, known)]
            done += until - begin
            progress(done, total)
        if not holds:
            say(
                _(
                    "{file} has no sound from {start} to {end}; if the show has another recording, name that one."
                ).format(file=recording.name, start=timecode(start)[:-4], end=timecode(end)[:-4])
            )
            continue
        cues = _insert(cues, new, (start, end), plan.words, rules)
        found += new
        filled.append(Filled(start, end, len(new)))
    if filled:
        _write(plan.folder, found, filled, [replace(cue, number=number) for number, cue in enumerate(cues, 1)])
    return filled


# ── what nobody heard ─────────────────────────────────────────────────────────────────────────────────────────────────


def _joined(stretches: Iterable[tuple[Ms, Ms]]) -> list[tuple[Ms, Ms]]:
    joined: list[tuple[Ms, Ms]] = []
    for start, end in sorted(stretches):
        if end <= start:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined


def _without(stretches: list[tuple[Ms, Ms]], done: Iterable[tuple[Ms, Ms]]) -> list[tuple[Ms, Ms]]:
    """What is left of `stretches`; crumbs of less than `END_MISSING` beside what is done are not worth a look."""
    left = stretches
    for begin, until in done:
        cut: list[tuple[Ms, Ms]] = []
        for start, end in left:
            if until <= start or begin >= end:
                cut.append((start, end))
                continue
            cut += [part for part in ((start, begin), (until, end)) if part[1] - part[0] > END_MISSING]
        left = cut
    return left


def _as_they_stand(folder: Path, cues: list[Cue]) -> list[Cue]:
    """The cues of the journal, or of the subtitle file where a person changed that afterwards."""
    try:
        shown = list(read(folder / SRT).cues) if (folder / SRT).is_file() else []
    except SubtitlesError:
        shown = []
    if not shown or "".join(map(srt, shown)) == "".join(map(srt, cues)):
        return cues
    last = shown[-1].end
    return [*shown, *(cue for cue in cues if cue.start >= last)]


def _unreadable(folder: Path, problem: Exception) -> CaptionsError:
    return CaptionsError(
        _("The captions in {folder} cannot be read ({problem}); move them away, and new ones are made.").format(
            folder=folder, problem=problem
        )
    )


# ── sound ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _pieces(start: Ms, end: Ms) -> list[tuple[Ms, Ms]]:
    count = max(1, -(-(end - start) // LONGEST))
    edges = [Ms(start + (end - start) * at // count) for at in range(count + 1)]
    return list(pairwise(edges))


def _sound(recording: Path, begin: Ms, until: Ms, say: Callable[[str], None]) -> tuple[NDArray[np.float32], Ms]:
    """The sound of [begin, until) with what is around it, and where that begins; holes are silence."""
    first, last = Ms(max(0, begin - AROUND)), Ms(until + AROUND)
    sound = np.zeros((last - first) * SPEECH_RATE // 1000, np.float32)
    reached = 0
    time = media.air_time(recording)
    for chunk in media.sound_between(recording, time.air(first), time.air(last), say).chunks():
        begins = time.show(chunk.start)
        if time.show(chunk.end) == begins:
            continue  # the show stood, for its hold became longer
        at = (begins - first) * SPEECH_RATE // 1000
        samples = chunk.samples[max(0, -at) :]
        at = max(0, at)
        samples = samples[: max(0, len(sound) - at)]
        sound[at : at + len(samples)] = samples
        reached = max(reached, at + len(samples))
    return sound[:reached], first


def _middle(word: Word) -> float:
    return (word.start + word.end) / 2


def _is_known(word: Word, known: Sequence[Word]) -> bool:
    """Whether this is a word that stands there already, its times cut a little differently."""
    return any(
        min(word.end, other.end) - max(word.start, other.start) > (word.end - word.start) / 2
        or (_plain(other.text) == _plain(word.text) and abs(_middle(other) - _middle(word)) < 300)  # noqa: PLR2004
        for other in known
    )


def _plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


# ── cues ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _insert(  # noqa: C901 - one thought: who is touched, and what room is left
    cues: list[Cue], new: list[Word], stretch: tuple[Ms, Ms], words: Sequence[Word], rules: Rules
) -> list[Cue]:
    """Put `new` between the cues; those that it touches are made anew from their own words."""
    anew = {at for at, cue in enumerate(cues) if SKIPPED in cue.text.split() and _touches(cue, stretch)}
    for at, cue in enumerate(cues):
        if new and _touches(cue, stretch):
            own = _timed(cue, words)
            if own and any(own[0].start < word.start < own[-1].end for word in new):
                anew.add(at)
    while True:
        pool = sorted([*new, *(word for at in anew for word in _timed(cues[at], words))], key=lambda word: word.start)
        if not pool:
            return [cue for at, cue in enumerate(cues) if at not in anew]
        before = max((at for at, cue in enumerate(cues) if at not in anew and cue.start <= pool[0].start), default=None)
        after = min((at for at, cue in enumerate(cues) if at not in anew and cue.start > pool[0].start), default=None)
        made = compose(pool, rules)
        joins = None
        earlier = cues[before] if before is not None else None
        if earlier is not None and earlier.end + rules.gap > made[0].start:
            spoken = max((word.end for word in _timed(earlier, words)), default=earlier.end)
            end = Ms(max(min(earlier.end, made[0].start - rules.gap), min(earlier.end, spoken)))
            earlier = replace(earlier, end=end)
            made[0] = replace(made[0], start=Ms(max(made[0].start, end + rules.gap)))
        if after is not None and made[-1].end + rules.gap > cues[after].start:
            made[-1] = replace(made[-1], end=Ms(cues[after].start - rules.gap))
            if made[-1].end - made[-1].start < SHORTEST:
                joins = after
        if joins is None and made[0].end - made[0].start < SHORTEST and before is not None:
            joins = before
        if joins is None:
            break
        anew.add(joins)
    rest = [earlier if earlier is not None and at == before else cue for at, cue in enumerate(cues) if at not in anew]
    return sorted([*rest, *made], key=lambda cue: (cue.start, cue.end))


def _touches(cue: Cue, stretch: tuple[Ms, Ms]) -> bool:
    return cue.start < stretch[1] + NEAR and cue.end > stretch[0] - NEAR


def _timed(cue: Cue, words: Sequence[Word]) -> list[Word]:
    """The words of a cue as they are written in it, each with the time at which it was said."""
    own = [text for text in cue.text.split() if text != SKIPPED]
    near = [word for word in words if word.end > cue.start - NEAR and word.start < cue.end + NEAR]
    said = [(part, word) for word in near for part in word.text.split()]
    times: list[tuple[Ms, Ms] | None] = [None] * len(own)
    matcher = difflib.SequenceMatcher(
        None, [_plain(text) for text in own], [_plain(part) for part, _word in said], autojunk=False
    )
    for tag, begin, until, first, last in matcher.get_opcodes():
        if tag == "equal" or (tag == "replace" and until - begin == last - first):
            for at in range(until - begin):
                times[begin + at] = said[first + at][1].start, said[first + at][1].end
    timed: list[Word] = []
    for at, text in enumerate(own):
        if (known := times[at]) is None:
            start = timed[-1].end if timed else cue.start
            following = next((time[0] for time in times[at:] if time is not None), cue.end)
            unknown = next((n for n, time in enumerate(times[at:]) if time is not None), len(own) - at)
            known = start, Ms(max(start, start + (following - start) // max(1, unknown)))
        start = max(known[0], timed[-1].start if timed else known[0])
        timed.append(Word(text, start, max(start, known[1])))
    return timed


# ── files ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _write(folder: Path, words: list[Word], filled: list[Filled], cues: list[Cue]) -> None:
    """Make all files aside, keep the ones before, and move the new ones to their places; a crash is made good."""
    stage, ready = folder / _STAGE, folder / _READY
    try:
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir()
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(folder / WORDS, stage / WORDS)
        cut_torn_line(stage / WORDS)
        lines = [
            *(line(text=w.text, start=w.start, end=w.end, confidence=w.confidence, settled=w.end) for w in words),
            *(line(filled_start=one.start, filled_end=one.end) for one in filled),
        ]
        with (stage / WORDS).open("a", encoding="utf-8") as journal:
            journal.writelines(lines)
        (stage / CUES).write_text(
            "".join(
                line(number=cue.number, start=cue.start, end=cue.end, lines=cue.lines, words=len(cue.text.split()))
                for cue in cues
            ),
            encoding="utf-8",
        )
        (stage / SRT).write_text("".join(map(srt, cues)), encoding="utf-8")
        (stage / VTT).write_text(VTT_HEAD + "".join(map(vtt, cues)), encoding="utf-8")
        number = 1
        while any((folder / _before(name, number)).exists() for name in (CUES, SRT, VTT, WORDS)):
            number += 1
        for name in (CUES, SRT, VTT, WORDS):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy2(folder / name, folder / _before(name, number))
        stage.rename(ready)
        _finish_moving(folder)
    except OSError as problem:
        raise CaptionsError(
            _("The captions in {folder} cannot be written ({problem}); is there room, and may you write there?").format(
                folder=folder, problem=why(problem)
            )
        ) from problem


def _before(name: str, number: int) -> str:
    return name.replace("captions.", f"captions.before-repair-{number}.", 1)


def _finish_moving(folder: Path) -> None:
    """Move what a repair made to its places, also where that was cut off."""
    ready = folder / _READY
    if not ready.is_dir():
        return
    for made in sorted(ready.iterdir()):
        made.replace(folder / made.name)
    ready.rmdir()
