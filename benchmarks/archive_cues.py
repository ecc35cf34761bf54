"""Cues of real speech under every reading profile, by the judge: `benchmarks/archive.py cues`.

Words come from three places: the reference texts with the word ends of the offline model beside them; the sentences
whose times are known to the frame (nEMO), their words spread by characters; and what the base model recognises here
(`--words FOLDER` keeps that between runs). `--rate` puts all times on whole frames.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import re
import sys
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faster_whisper.audio import decode_audio

from studio.speech import Archivist, resolve
from studio.subtitles import Cue, Rules, Track, Word, check, compose, profile, profile_of, read, save
from studio.units import Ms, ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LANGUAGES = ("pl", "lt", "en")
PROFILES = ("bbc", "sdh", "children")
"""Beside the language's own."""
FRAME = 40
EARLY, LATE, NEAR = -1 * FRAME, 12 * FRAME, 3 * FRAME
"""Where the end of a sentence may be, and how far its start may be off, in milliseconds."""
OFF = 35
"""Milliseconds that snapped word times are off on the average (`timing`)."""


@dataclass
class Tally:
    """What some files come to."""

    cues: int = 0
    broken: float = 0
    hard: float = 0
    one_letter: float = 0
    clinging: float = 0
    blinks: int = 0
    sentences: int = 0
    starts: int = 0
    ends: int = 0

    def add(self, other: Tally) -> None:
        """Add another one."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    def row(self) -> str:
        """Return the figures as a line of a table."""

        def share(part: float, whole: int) -> str:
            return f"{100 * part / whole:.1f} %" if whole else "-"

        shares = (share(part, self.cues) for part in (self.broken, self.hard))
        sentences = (share(part, self.sentences) for part in (self.starts, self.ends))
        columns = [str(self.cues), *shares, f"{self.one_letter:.0f}", f"{self.clinging:.0f}", str(self.blinks)]
        return " | ".join([*columns, *sentences])


def judge(shared: Path) -> Any:  # noqa: ANN401 - a file of others
    """Load the judge, which is no part of the project."""
    spec = importlib.util.spec_from_file_location("subtitle_check", shared / "judge" / "subtitle_check.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"no judge in {shared}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def reference(file: Path) -> list[Word]:
    """Return the text as written, with the word ends that stand beside it."""
    ends = json.loads(file.with_name(file.name + ".words.json").read_text())["ends"]
    words: list[Word] = []
    known, before = 0, 0.0
    for token in file.read_text().split():
        parts = re.sub(r"[^\w']", " ", token.replace("’", "'")).split()  # noqa: RUF001 - as the judges do
        known += len([part for part in parts if part.strip("'")])
        end = max(before + 0.02, ends[known - 1] if 0 < known <= len(ends) else before)
        words.append(Word(token, ms(max(before, end - 0.1 - 0.09 * len(token))), ms(end)))
        before = end
    return words


def exact(file: Path, off: float = 0) -> list[Word]:
    """Return the words of each sentence of `NAME.srt`, its time shared out by characters; `off` shakes them."""
    shake = random.Random(file.name)  # noqa: S311 - the same in every run
    words: list[Word] = []
    for cue in read(file.with_suffix(".srt")).cues:
        tokens = cue.text.split()
        whole, done = sum(len(token) + 1 for token in tokens), 0
        for token in tokens:
            begin = cue.start + (cue.end - cue.start) * done // whole
            done += len(token) + 1
            end = cue.start + (cue.end - cue.start) * done // whole
            times = (max(0, round(at + shake.gauss(0, off))) for at in (begin, end))
            words.append(Word(token, *map(Ms, times)))
    return words


def recognised(file: Path, language: str, kept: Path) -> list[Word]:
    """Return what the base model hears in the sound beside `file`; `kept` has what was heard before."""
    memory = kept / f"{language}_{file.stem}.json"
    if not memory.exists():
        sound = next(path for path in file.parent.glob(f"{file.stem}.*") if path.suffix in {".flac", ".mp3"})
        heard = Archivist(resolve("base", offline=True), language, 1).transcribe(decode_audio(str(sound)), Ms(0)).words
        memory.write_text(json.dumps([[word.text, word.start, word.end, word.confidence] for word in heard]))
    return [Word(text, Ms(a), Ms(b), share) for text, a, b, share in json.loads(memory.read_text())]


def tally(cues: list[Cue], rules: Rules, language: str, asked: Any, sentences: tuple[Cue, ...]) -> Tally:  # noqa: ANN401
    """Hold `cues` against the judge, and against `sentences` whose times are known."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cues.srt"
        save(Track(tuple(cues)), path)
        row = asked.check(path, language, rules.characters_per_second)
    count = row["cues"]
    starts = [min((abs(cue.start - one.start) for cue in cues), default=LATE) <= NEAR for one in sentences]
    ends = [EARLY <= min((cue.end - one.end for cue in cues), key=abs, default=-LATE) <= LATE for one in sentences]
    broken, hard, one_letter, clinging = (
        count * row[key] / 100 for key in ("broken", "hard", "one_letter", "clinging")
    )
    blinks = check(Track(tuple(cues)), rules).count("flicker")
    return Tally(count, broken, hard, one_letter, clinging, blinks, len(sentences), sum(starts), sum(ends))


def rows(shared: Path, kept: Path | None, rate: float | None) -> Iterator[tuple[str, str, str, Tally]]:
    """Every language, profile and kind of words, one by one."""
    asked = judge(shared)
    for language in LANGUAGES:
        texts = sorted((shared / "data" / language).glob("*.txt"))
        known = [file for file in texts if file.with_suffix(".srt").exists() and file.name.startswith("nemo")]
        kinds: dict[str, tuple[list[Path], Callable[[Path], list[Word]]]] = {
            "reference": (texts, reference),
            "exact": (known, exact),
            f"exact, {OFF} ms off": (known, lambda file: exact(file, OFF)),
        }
        if kept is not None:
            folder, code = kept, language
            kinds["recognised"] = (texts, lambda file, folder=folder, code=code: recognised(file, code, folder))  # type: ignore[misc]
        for name in (profile_of(language), *PROFILES):
            rules = profile(name, language)
            for kind, (files, words) in kinds.items():
                whole = Tally()
                for file in files:
                    sentences = read(file.with_suffix(".srt")).cues if file in known else ()
                    whole.add(tally(compose(words(file), rules, rate=rate), rules, language, asked, sentences))
                if whole.cues:
                    yield language, name, kind, whole


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="archive.py cues", description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--words", type=Path, help="recognise, too, and keep the words in this folder")
    parser.add_argument("--rate", type=float, help="frames a second")
    options = parser.parse_args(arguments)
    if options.words is not None:
        options.words.mkdir(parents=True, exist_ok=True)
    print("| language | profile | words | cues | broken | hard | one letter | clinging | blinks | starts | ends |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for language, name, kind, whole in rows(options.shared, options.words, options.rate):
        print(f"| {language} | {name} | {kind} | {whole.row()} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
