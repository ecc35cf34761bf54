#!/usr/bin/env python3
"""How late, how calm and how right the live captioner is, on clips of which we know what was said.

    live_captions.py [CLIP.flac …] [--set tune|check|held|pl_en|noise] [--pace real|fast] [--runs N]
                     [--look MS | --fast-pass-only] [--hold MS] [--preset live] [--change FIELD=VALUE …]
                     [--json FILE] [--events FOLDER]

Clips come from ../shared/data, where each has its text and the times of its words beside it; they are scored by the
judge in ../shared/judge. `--pace real` hears the sound on the real clock, in a thread of its own as the recogniser
does. `--pace fast` is for tuning: sound arrives as fast as it is taken, and the clock is that of a machine on which
each step lasts as long as it really took.

`tune` are the clips that settings may be chosen on, `check` those to look at now and then, and `held` those that nobody
looks at before the end; `pl_en` is all of them. `noise` clips have no words: each word counted there was invented.

Each clip is heard once, with the second look, which must have made up its mind `--look` milliseconds after a word was
said; 0, or `--fast-pass-only`, leaves it out. *Aired* is what viewers read: what came of the sound is put through the
product's own script and desk, with its hold and its tick, and each cue counts as it stands when it goes on the air.
Nothing is left out: a word that no cue took to the air is an error. The cues are written beside the events as .srt.

A table row is the median of the runs. A row that begins with ── is over several clips: errors weighed by words,
lateness of all words together, as if the clips were one.

    wer file aired  word errors of the settled text, of the same model on the whole file at once, of what aired
    f50 f95 s50     seconds from a word's end to settled (half of them, 95 of 100), and until it was first shown
    erased rev      words wiped from the screen for each that stayed; times settled text was changed
    cpu cpu2        core-seconds for a second of sound, without the time of the second look and with it; that time is
                    the wall clock's, so that on a busy machine, or with more than one thread, cpu is not to be believed
    lag             seconds that the listener was behind at most: the sound that waits, and the step that just ran
    look            seconds after which the last revision came, from the end of the word it changes
    looked          share of the aired words that the second look had seen when they aired
    cues chars one  cues on the air, characters of half of them at most, cues of a single word
"""

from __future__ import annotations

# Before numpy is loaded, as in every process of the house: it sets how numpy's threads wait
import studio  # noqa: F401  # isort: skip

import argparse
import importlib.util
import json
import statistics
import sys
import tempfile
import threading
import time
from collections import deque
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile

from studio.captions import Kept
from studio.captions._desk import Desk
from studio.captions._script import CLOSES
from studio.catalogue import Catalogue
from studio.sound import SPEECH_RATE, AudioChunk
from studio.speech import Hearing, Listener, Revision, Tuning, resolve
from studio.spoken import Cue, Word
from studio.subtitles import rules_for, srt
from studio.units import Ms, ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from studio.subtitles import Rules


ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
ARRIVES = 0.04
"""Seconds of sound that arrive at once."""
TICK = Ms(100)
"""As often as the recogniser looks which cue is due."""
UNSURE = Ms(1000)
"""As much of the newest quiet sound as the recogniser does not believe yet."""

TUNE = (
    "en/austen_sense_sensibility.flac",
    "en/ljspeech_mix.flac",
    "en/notld_31s_hes_wrong_you_know.flac",
    "pl/nemo_dialogue1_emotional.flac",
    "pl/nemo_kd0_neutral.flac",
)
HELD = (
    "en/jfk_inaugural",
    "en/notld_20s_",
    "en/notld_45s_",
    "en/shakespeare_sonnet1",
    "pl/nemo_ic0_neutral",
    "pl/nemo_ks0_neutral",
)
SETS = ("tune", "check", "held", "pl_en", "noise")

COLUMNS = (
    ("wer", "wer", "6.3f"),
    ("offline_wer", "file", "6.3f"),
    ("aired_wer", "aired", "6.3f"),
    ("final_p50", "f50", "6.2f"),
    ("final_p95", "f95", "6.2f"),
    ("shown_p50", "s50", "6.2f"),
    ("erased", "erased", "6.3f"),
    ("revised", "rev", "3.0f"),
    ("cpu", "cpu", "5.2f"),
    ("cpu_look", "cpu2", "5.2f"),
    ("lag", "lag", "5.2f"),
    ("look_max", "look", "5.2f"),
    ("looked", "looked", "6.3f"),
    ("cues", "cues", "4.0f"),
    ("cue_characters", "chars", "5.0f"),
    ("one_word", "one", "3.0f"),
)
"""Key in the JSON, title, how it is printed."""

Row = dict[str, Any]


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
    held = [path for path in every if path.relative_to(data).as_posix().startswith(HELD)]
    check = [path for path in every if path not in tune and path not in held]
    return {"tune": tune, "check": check, "held": held, "pl_en": every}[which]


def load(clip: Path) -> NDArray[np.float32]:
    """Return the clip as 16 kHz mono."""
    sound, rate = soundfile.read(clip, dtype="float32", always_2d=True)
    mono = sound.mean(axis=1)
    if rate != SPEECH_RATE:
        count = round(len(mono) * SPEECH_RATE / rate)
        mono = np.interp(np.arange(count) * rate / SPEECH_RATE, np.arange(len(mono)), mono)
    return np.asarray(mono, np.float32)


def arrive(sound: NDArray[np.float32], origin: int = 0) -> Iterator[AudioChunk]:
    """Part `sound` as it arrives; the show clock reads `origin` at its first sample."""
    size = round(ARRIVES * SPEECH_RATE)
    for at in range(0, len(sound), size):
        yield AudioChunk(SPEECH_RATE, ms(origin / 1000 + at / SPEECH_RATE), sound[at : at + size])


# ── what was heard ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(eq=False)
class Heard:
    """What came of one clip, noted while it came."""

    hold: Ms
    """A cue airs so long after its start."""
    hearings: list[tuple[float, Hearing]] = field(default_factory=list)
    """What each step brought, and when: seconds since the first sample."""
    events: list[Row] = field(default_factory=list)
    """As the judge wants them."""
    words: list[Word] = field(default_factory=list)
    lag: float = 0.0
    """Seconds, the most."""
    revised_after: list[float] = field(default_factory=list)
    """Seconds from the end of a revised word to its revision, also where it stayed as it was."""
    too_late: int = 0
    """Revisions that came when their first word would have been on the air."""
    looked: int = 0
    """Settled words that the second look has really looked at."""
    skipped: Ms = Ms(0)
    _settled: str = ""

    def note(self, hearing: Hearing, now: float, took: float) -> None:
        """Take down what a step of `took` seconds brought at `now`, seconds since the first sample."""
        self.hearings.append((now, hearing))
        self.words += hearing.settled
        self._settled = " ".join([self._settled, *(word.text for word in hearing.settled)]).strip()
        event = {"t": round(now, 3), "settled": self._settled, "tentative": hearing.tentative}
        if not self.events or any(event[key] != self.events[-1][key] for key in ("settled", "tentative")):
            self.events.append(event)
        self.lag = max(self.lag, hearing.behind / 1000 + took)
        self.skipped = hearing.skipped
        for revision in hearing.revisions:
            self._revise(revision, now)

    def _revise(self, revision: Revision, now: float) -> None:
        old = self.words[revision.first : revision.upto]
        said = old or list(revision.words)
        if not said:
            return
        if not gave_up(old, revision):
            self.looked += len(old)
        self.revised_after.append(now - said[0].end / 1000)
        self.too_late += now * 1000 > said[0].start + self.hold


def gave_up(old: Sequence[Word], revision: Revision) -> bool:
    """Whether nobody had time to look, so that the words of the fast pass stay: to the very time of each."""
    return list(old) == list(revision.words)


@dataclass(frozen=True, slots=True)
class Aired:
    """What viewers read."""

    cues: tuple[Cue, ...]
    """As each stood when it went on the air; one that was taken back before has no lines."""
    looked: float | None
    """Share of the words that the second look had seen by then."""
    late: int
    """Cues that were made only after their moment."""

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(cue.text for cue in self.cues if cue.lines)

    def figures(self) -> Row:
        """Return what the table and the JSON say about the cues."""
        texts = [cue.text for cue in self.cues if cue.lines]
        return {
            "aired": self.text,
            "looked": self.looked,
            "cues": len(texts),
            "cue_characters": statistics.median([len(text) for text in texts]) if texts else None,
            "one_word": sum(len(text.split()) == 1 for text in texts),
            "two_words": sum(len(text.split()) == 2 for text in texts),  # noqa: PLR2004
            "cues_late": self.late,
        }


class OnAir:
    """The captions side of the recogniser, on a clock of its own: hearings in, cues as they stand when they air."""

    def __init__(self, rules: Rules, hold: Ms, *, look: bool) -> None:
        """Begin a show."""
        kept = Kept()
        self._script = kept.script
        self._desk = Desk(kept, rules, hold, look=look)
        self._hold = hold
        self._ids: list[int] = []
        self._words: list[Word] = []
        self._cues: dict[int, Cue] = {}
        self._looked: dict[int, float] = {}
        self._late = 0
        self._tick = Ms(0)
        self._silent = True
        self._last: Hearing | None = None

    def play(self, hearings: Sequence[tuple[float, Hearing]], length: Ms) -> Aired:
        """Air `hearings` of `length` milliseconds of sound, each with when it came; the last one is the end."""
        for seconds, hearing in hearings:
            now = ms(seconds)
            while self._tick <= now:
                self._show(self._desk.due(self._tick, *self._quiet(length)), self._tick)
                self._tick = Ms(self._tick + TICK)
            self._settle(hearing, now)
        if hearings:
            self._show(self._desk.finish(), ms(hearings[-1][0]))
        aired = [
            (id_, cue.start + self._hold - CLOSES)
            for cue in self._cues.values()
            for id_ in self._desk.ids(cue)
            if self._script[id_].text
        ]
        seen = sum(self._looked.get(id_, float("inf")) <= closes for id_, closes in aired)
        return Aired(tuple(self._cues.values()), round(seen / len(aired), 4) if aired else None, self._late)

    def _quiet(self, length: Ms) -> tuple[Ms | None, Ms | None]:
        """Since when, and until when, it is known that nobody speaks."""
        last = self._last
        if last is None or not self._silent or last.behind > UNSURE or last.quiet_since is None:
            return None, None
        return last.quiet_since, Ms(min(self._tick, length) - last.behind - UNSURE)

    def _settle(self, hearing: Hearing, now: Ms) -> None:
        self._silent = not hearing.tentative and (
            hearing.quiet_since is not None or (self._silent and not hearing.settled)
        )
        self._last = hearing
        ids = self._script.settle(hearing.settled)
        self._ids += ids
        self._words += hearing.settled
        self._desk.add(ids)
        changed: list[int] = []
        for revision in hearing.revisions:
            changed += self._revise(revision, now)
        self._show(self._desk.follow(changed), now)
        self._show(self._desk.compose(), now)

    def _revise(self, revision: Revision, now: Ms) -> list[int]:
        ids = self._ids[revision.first : revision.upto]
        before = self._ids[: revision.first][-1:]
        next_id = self._script.next_id
        changed = self._script.revise(ids, revision.words, now, before[0] if before else None)
        new = [id_ for id_ in changed if id_ >= next_id]
        self._desk.adopt(new, now)
        self._desk.looked_at(ids)
        if not gave_up(self._words[revision.first : revision.upto], revision):
            self._looked |= dict.fromkeys([*ids, *new], float(now))
        return changed

    def _show(self, cues: Sequence[Cue], now: Ms) -> None:
        for cue in cues:
            airs = cue.start + self._hold
            if cue.number not in self._cues:
                self._late += now > airs
            elif now >= airs:
                continue  # viewers have read it
            self._cues[cue.number] = cue
            self._desk.air(cue)


class Live:
    """A listener in its thread: sound is handed over at once, listened to when there is time."""

    def __init__(self, listener: Listener, told: Callable[[Hearing, float], None]) -> None:
        """Tell `told`, in the thread, what each step brought and how many seconds it took."""
        self._listener = listener
        self._told = told
        self._waiting: deque[AudioChunk] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._since: float | None = None
        self._problem: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="ears", daemon=True)
        self._thread.start()

    def hear(self, chunk: AudioChunk) -> None:
        """Hand over sound."""
        if self._problem is not None:
            raise self._problem
        with self._changed:
            self._waiting.append(chunk)
            self._changed.notify()

    @property
    def stepping(self) -> float:
        """Seconds that the running step has taken so far."""
        since = self._since
        return 0.0 if since is None else time.perf_counter() - since

    def end(self) -> None:
        """No sound follows: wait until all of it is settled."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join()
        if self._problem is not None:
            raise self._problem

    def _run(self) -> None:
        try:
            self._listen()
        except Exception as problem:  # noqa: BLE001 - raised again where somebody sees it
            self._problem = problem

    def _listen(self) -> None:
        wait = True
        while True:
            with self._changed:
                while wait and not self._waiting and not self._ended:
                    self._changed.wait()
                chunks = list(self._waiting)
                self._waiting.clear()
                ended = self._ended
            for chunk in chunks:
                self._listener.hear(chunk)
            began = self._since = time.perf_counter()
            hearing = self._listener.finish() if ended else self._listener.step()
            self._since = None
            if hearing is not None:
                self._told(hearing, 0.0 if ended else time.perf_counter() - began)
            if ended:
                return
            wait = hearing is None


def hear_real(listener: Listener, sound: NDArray[np.float32], heard: Heard) -> None:
    """Play `sound` to the listener on the real clock."""
    began = time.perf_counter()
    live = Live(listener, lambda hearing, took: heard.note(hearing, time.perf_counter() - began, took))
    for number, chunk in enumerate(arrive(sound), start=1):
        time.sleep(max(0.0, began + number * ARRIVES - time.perf_counter()))
        live.hear(chunk)
    live.end()


def hear_fast(listener: Listener, sound: NDArray[np.float32], heard: Heard) -> None:
    """Play `sound` to the listener without waiting; the clock moves on by what a step really took.

    The second look is made within a step, but counts as made beside it: its findings come as late as it took.
    """
    arrivals = arrive(sound)
    coming = next(arrivals, None)
    now = position = ready = 0.0
    found: deque[tuple[float, Hearing]] = deque()
    while True:
        while coming is not None and position + ARRIVES <= now + 1e-6:
            listener.hear(coming)
            position += ARRIVES
            coming = next(arrivals, None)
        last = coming is None
        began, cost = time.perf_counter(), looking(listener)
        hearing = listener.finish() if last else listener.step()
        cost = looking(listener) - cost
        took = time.perf_counter() - began - cost
        now += took
        while found and (last or found[0][0] <= now):
            heard.note(found[0][1], found.popleft()[0], 0.0)
        if hearing is not None:
            heard.note(replace(hearing, revisions=()), max(now, ready) if last else now, 0.0 if last else took)
            if hearing.revisions:
                ready = max(ready, now) + cost
                found.append((ready, replace(hearing, settled=())))
        if last:
            for later, revised in found:
                heard.note(revised, later, 0.0)
            return
        if hearing is None:
            now = max(now, position + ARRIVES)


def looking(listener: Listener) -> float:
    """Seconds that the second look took so far."""
    look = listener._look  # noqa: SLF001 - nobody else needs it
    return 0.0 if look is None else look.cost


# ── scores ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Judge:
    """The judge beside the checkout."""

    def __init__(self) -> None:
        folder = SHARED / "judge"
        if not (folder / "live_score.py").is_file():
            raise SystemExit(f"There is no judge in {folder}: these figures need the shared folder beside the checkout")
        sys.path.insert(0, str(folder))
        self._score = _module(folder / "live_score.py").score
        self._words = _module(folder / "words.py")

    def score(self, events: list[Row], reference: Row) -> Row:
        """Score a run."""
        row: Row = self._score(events, reference)
        return row

    def errors(self, text: str, reference: Row) -> float:
        """Word error rate of `text`, counted as `score` counts it."""
        left, right = self._words.words(text), reference["words"]
        wrong = sum(i is None or j is None or left[i] != right[j] for i, j in self._words.align(left, right))
        return round(float(wrong) / max(1, len(right)), 4)


def _module(file: Path) -> Any:  # noqa: ANN401 - a module found beside the checkout
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{file} cannot be read")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def reference_of(clip: Path) -> Row | None:
    """Return what was said in `clip` and when, if that is known."""
    said = clip.with_name(f"{clip.stem}.txt.words.json")
    if not said.is_file():
        return None
    row: Row = json.loads(said.read_text(encoding="utf-8"))
    return row


def together(judge: Judge, several: Sequence[tuple[list[Row], Row]]) -> Row:
    """Score the clips as if they were one: lateness of all words. Each comes as its events and its reference."""
    events: list[Row] = []
    said: Row = {"words": [], "ends": [], "offline_wer": 0.0}
    settled, offset = "", 0.0
    for own, reference in several:
        events += [
            {**event, "t": event["t"] + offset, "settled": f"{settled} {event['settled']}".strip()} for event in own
        ]
        said["words"] += reference["words"]
        said["ends"] += [end + offset for end in reference["ends"]]
        settled = events[-1]["settled"]
        offset = max(events[-1]["t"], said["ends"][-1]) + 10
    row = judge.score(events, said)
    return {key: row[key] for key in ("final_p50", "final_p95", "shown_p50", "shown_p95", "erased", "revised", "words")}


def middle(rows: Sequence[Row]) -> Row:
    """Return the median of each figure over the runs; what was not measured in every run is missing."""
    figures: Row = {}
    for key in rows[0]:
        values = [row.get(key) for row in rows]
        numbers = [value for value in values if isinstance(value, int | float)]
        figures[key] = statistics.median(numbers) if len(numbers) == len(values) else values[0]
    return figures


# ── runs ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Bench:
    """How clips are heard."""

    model: Path
    tuning: Tuning
    threads: int
    real: bool
    look: Ms | None
    """`None`: the fast pass alone."""
    hold: Ms
    judge: Judge
    keep: Path
    """Where the events go."""
    hotwords: tuple[str, ...] = ()
    """Names that the second look is told of."""

    def listen(self, sound: NDArray[np.float32], language: str) -> tuple[Heard, Row]:
        """Hear `sound`; return what came, and the core-seconds for a second of sound."""
        # What another thread does, the clock of `--pace fast` would not see.
        listener = Listener(
            self.model, language, self.tuning, self.threads, look=self.look, hotwords=self.hotwords, aside=self.real
        )
        heard = Heard(self.hold)
        length = max(1e-6, len(sound) / SPEECH_RATE)
        spent = time.process_time()
        (hear_real if self.real else hear_fast)(listener, sound, heard)
        spent = time.process_time() - spent
        costs = {"cpu": round((spent - looking(listener)) / length, 3)}
        return heard, costs if self.look is None else {**costs, "cpu_look": round(spent / length, 3)}

    def run(self, clip: Path, number: int) -> tuple[Row, list[Row]]:
        """Hear `clip` for the `number`th time; return its row and its events."""
        sound, reference = load(clip), reference_of(clip)
        language = clip.parent.name if clip.parent.name in {"pl", "lt", "en"} else "auto"
        heard, costs = self.listen(sound, language)
        figures: Row = {**costs, "lag": round(heard.lag, 3), "skipped": heard.skipped}
        if self.look is not None:
            ends = sorted(heard.revised_after)
            figures |= {
                "look_p50": round(statistics.median(ends), 3) if ends else None,
                "look_max": round(ends[-1], 3) if ends else None,
                "look_late": sum(end * 1000 > self.look for end in ends),
                "look_aired": heard.too_late,
                "unlooked": len(heard.words) - heard.looked,
            }
        air = OnAir(rules_of(language), self.hold, look=self.look is not None)
        aired = air.play(heard.hearings, ms(len(sound) / SPEECH_RATE))
        figures |= aired.figures()
        events = heard.events or [{"t": 0.0, "settled": "", "tentative": ""}]
        lines = (json.dumps(event, ensure_ascii=False) for event in events)
        (self.keep / f"{clip.stem}.{number}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        cues = [cue for cue in aired.cues if cue.lines]
        (self.keep / f"{clip.stem}.{number}.srt").write_text("".join(map(srt, cues)), encoding="utf-8")
        figures |= {"said": len(heard.words), "text": events[-1]["settled"]}
        if reference is not None:
            figures = {**self.judge.score(events, reference), **figures}
            figures["aired_wer"] = self.judge.errors(aired.text, reference)
        return figures, events


def rules_of(language: str) -> Rules:
    """By which cues are cut in a language."""
    return rules_for(Catalogue(), language)


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


def table(name: str, row: Row, columns: Sequence[tuple[str, str, str]] = COLUMNS) -> str:
    """One line of the table; a figure that was not taken is a dash."""
    cells = []
    for key, _title, form in columns:
        value, width = row.get(key), int(form.split(".")[0])
        cells.append(f"{'-':>{width}}" if value is None else f"{value:{form}}")
    return f"{name[:36]:36} {' '.join(cells)}"


def head(columns: Sequence[tuple[str, str, str]] = COLUMNS) -> str:
    """Titles."""
    return " " * 37 + " ".join(f"{title:>{int(form.split('.')[0])}}" for _key, title, form in columns)


def over(judge: Judge, rows: Sequence[tuple[Row, list[Row], Row]]) -> Row:
    """Sum one run of several clips up; each comes as its row, its events and its reference."""
    words: int = sum(row["words"] for row, _events, _reference in rows)

    def weighed(key: str) -> float | None:
        if any(row.get(key) is None for row, _events, _reference in rows):
            return None
        wrong: float = sum(row[key] * row["words"] for row, _events, _reference in rows)
        return round(wrong / words, 4)

    def share(key: str, of: str) -> float | None:
        values = [(row[key], row[of]) for row, _events, _reference in rows if row.get(key) is not None]
        count = sum(number for _value, number in values)
        return round(sum(value * number for value, number in values) / count, 4) if count else None

    def most(key: str) -> float | None:
        return max((float(row[key]) for row, _events, _reference in rows if row.get(key) is not None), default=None)

    def mean(key: str) -> float | None:
        values = [row[key] for row, _events, _reference in rows if row.get(key) is not None]
        return round(statistics.fmean(values), 3) if values else None

    return {
        **together(judge, [(events, reference) for _row, events, reference in rows]),
        **{key: weighed(key) for key in ("wer", "offline_wer", "aired_wer")},
        **{key: most(key) for key in ("lag", "look_max", "look_late", "look_aired")},
        **{key: mean(key) for key in ("cpu", "cpu_look", "cue_characters")},
        **{key: sum(row.get(key, 0) for row, *_rest in rows) for key in ("cues", "one_word", "two_words", "cues_late")},
        "looked": share("looked", "said"),
        "worst_points": round(100 * max(row["wer"] - row["offline_wer"] for row, *_rest in rows), 1),
        "clip_final_p50": round(statistics.median(row["final_p50"] or 0.0 for row, _events, _reference in rows), 3),
    }


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--set", default="tune", choices=SETS)
    parser.add_argument("--pace", default="real", choices=["real", "fast"])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--look", type=int, default=4800, metavar="MS", help="make the second look within so long")
    parser.add_argument("--fast-pass-only", action="store_true", help="make no second look, as --look 0")
    parser.add_argument("--hold", type=int, default=6000, metavar="MS", help="a cue airs so long after it began")
    parser.add_argument("--silence", type=float, default=10.0, metavar="S", help="measure so long a silence; 0: none")
    parser.add_argument("--preset", default="live")
    parser.add_argument("--change", action="append", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--model", default="base")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--events", type=Path, help="keep the events files here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure of every run here")
    chosen = parser.parse_args()
    if chosen.fast_pass_only:
        chosen.look = 0
    if chosen.runs < 1:
        parser.error("--runs is at least 1")
    return chosen


def main() -> None:
    """Run and print the table."""
    chosen = options()
    keep = chosen.events or Path(tempfile.mkdtemp(prefix="events."))
    keep.mkdir(parents=True, exist_ok=True)
    look = Ms(chosen.look) if chosen.look else None
    bench = Bench(
        resolve(chosen.model),
        tuned(chosen.preset, chosen.change),
        chosen.threads,
        chosen.pace == "real",
        look,
        Ms(chosen.hold),
        Judge(),
        keep,
    )
    result: Row = {"options": {key: str(value) for key, value in vars(chosen).items()}, "clips": {}, "over": {}}
    scored: list[list[tuple[Row, list[Row], Row, str]]] = [[] for _ in range(chosen.runs)]
    print(head())
    for clip in chosen.clips or clips(chosen.set):
        runs = []
        for number in range(chosen.runs):
            row, events = bench.run(clip, number + 1)
            runs.append(row)
            reference = reference_of(clip)
            if reference is not None:
                scored[number].append((row, events, reference, clip.parent.name))
        result["clips"][clip.stem] = {"median": middle(runs), "runs": runs}
        note = "" if "wer" in runs[0] else f"  {runs[0]['said']} words: {runs[0]['text'][:80]}"
        print(table(clip.stem, middle(runs)) + note, flush=True)
    languages = sorted({language for *_rest, language in scored[0]})
    for name in (*languages, "all") if scored[0] else ():
        sums = [
            over(bench.judge, [(row, events, said) for row, events, said, spoken in run if name in {spoken, "all"}])
            for run in scored
        ]
        result["over"][name] = {"median": middle(sums), "runs": sums}
        print(table(f"── {name}", middle(sums)))
    if chosen.silence:
        result["silence"] = {"cpu": round(silence(bench, chosen.silence), 3)}
        print(f"in silence: {result['silence']['cpu']:.3f} core-seconds a second")
    print(f"events: {keep}")
    if chosen.json:
        chosen.json.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def silence(bench: Bench, seconds: float) -> float:
    """Core-seconds for a second of faint noise in which nobody speaks."""
    faint = np.random.default_rng(1).normal(0, 1e-4, round(seconds * SPEECH_RATE)).astype(np.float32)
    costs: dict[str, float] = bench.listen(faint, "en")[1]
    return costs.get("cpu_look", costs["cpu"])


if __name__ == "__main__":
    main()
