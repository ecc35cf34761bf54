"""What is written of captions without a show: events, a journal, subtitle files.

Nothing already there is lost: a file begins with its first content, and what stood in its place is kept beside it.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.captions._journal import Journal, line
from studio.errors import CaptionsError, SubtitlesError, why
from studio.language import _
from studio.spoken import Word
from studio.subtitles import VTT_HEAD, Track, save, srt, vtt
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from studio.spoken import Cue

SAVE_ASS = 10.0
"""Seconds between two times that an ASS file, which cannot grow, is written whole."""
PATIENCE, RETRY = 60.0, 0.5
"""Seconds that the end of a run waits for room on the disk, and between two looks at it."""
ENDINGS = (".srt", ".vtt", ".ass")
"""What captions can be written into while they are made: other forms of `studio.subtitles` are for what is over."""
JOURNAL = ".captions.jsonl"
"""Ending of the journal beside subtitle files: a line for each settled word, and one for each cue."""


@dataclass(frozen=True, slots=True)
class View:
    """What can be seen at a moment."""

    at: float
    """Seconds since the first sample was heard."""
    settled: tuple[Word, ...]
    """Words new since the last view; they stay."""
    tentative: str
    """What is likely to follow; replaced by the next view."""
    behind: Ms
    """Sound that waits to be listened to."""
    quiet: bool
    """Nobody speaks."""
    position: Ms
    """How far the sound has come."""


class _Disk:
    """A full disk is one trouble, however many files are on it: said once when it begins and once when it is over."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self._failing: set[Path] = set()

    def trouble(self, path: Path, sentence: str | None) -> None:
        """Take that `path` is refused, with a `sentence` about it, or that all of it is written now."""
        before = bool(self._failing)
        if sentence is not None:
            self._failing.add(path)
            if not before:
                self.say(sentence)
        else:
            self._failing.discard(path)
            if before and not self._failing:
                self.say(_("There is room again; everything is written, nothing is missing."))

    @property
    def failing(self) -> list[Path]:
        """What is not whole."""
        return sorted(self._failing)


def refused(path: Path, problem: Exception) -> str:
    """What is said when the disk takes no more; an error of ours is looked through to the system's own."""
    reason = problem.__cause__ or problem
    return _(
        "{file} cannot be written ({problem}); captions go on, and what is missing is written when there is room."
    ).format(file=path, problem=why(reason))


class OutFile:
    """A file that is begun with its first content: what stood there before is kept under another name.

    Everything is handed to the system before `append` returns, or waits in memory until the disk takes it.
    """

    def __init__(self, path: Path, head: str, disk: _Disk) -> None:
        """Raises CaptionsError where nothing can be written at `path`; nothing is changed there yet."""
        self.path = path.expanduser().resolve()
        self._head = head
        self._early = head
        self._disk = disk
        self._journal: Journal | None = None
        check_writable(self.path)

    @property
    def begun(self) -> bool:
        """Whether anything was to be written."""
        return self._journal is not None or self._early != self._head

    def append(self, text: str) -> None:
        """Write `text` at the end; what the disk refuses is tried again with the next."""
        if self._journal is None:
            self._early += text
            try:
                set_aside(self.path, self._disk.say)
            except CaptionsError as problem:
                self._disk.trouble(self.path, refused(self.path, problem))
                return
            self._journal = Journal(self.path, self._disk.trouble, refused)
            text, self._early = self._early, ""
        self._journal.append(text)

    def retry(self) -> None:
        """Write what waits, if that is possible now."""
        if self._journal is None:
            if self._early != self._head:
                self.append("")
        elif self._journal.waiting:
            self._journal.retry()

    def finish(self, *, nothing: str | None = None) -> None:
        """Complete it; where nothing came and no file stands there, one that says `nothing` is made."""
        if not self.begun and nothing is not None and not self.path.exists():
            self.append(nothing)

    def close(self) -> None:
        """Let go of it."""
        if self._journal is not None:
            self._journal.close()


class SubtitleOut:
    """One `--out`: `.srt` and `.vtt` grow with each cue, `.ass` is written whole now and then."""

    def __init__(self, path: Path, language: str, disk: _Disk) -> None:
        self._kind = path.suffix.lower()
        if self._kind not in ENDINGS:
            raise CaptionsError(
                _("{file} has an ending that is not known; --out takes {endings}").format(
                    file=path, endings=", ".join(ENDINGS)
                )
            )
        self._file = OutFile(path, VTT_HEAD if self._kind == ".vtt" else "", disk)
        self.path = self._file.path
        self._language = language if language != "auto" else ""
        self._disk = disk
        self._cues: list[Cue] = []
        self._saved = 0
        self._at = 0.0
        self._replaced = False
        self._failed = False

    def show(self, cue: Cue) -> None:
        """Write `cue`."""
        if self._kind == ".ass":
            self._cues.append(cue)
            if time.monotonic() - self._at >= SAVE_ASS:
                self._save()
        else:
            self._file.append(srt(cue) if self._kind == ".srt" else vtt(cue))

    def retry(self) -> None:
        """Write what waits, if that is possible now."""
        self._file.retry()
        if self._failed:
            self._save()

    def finish(self, *, heard: bool) -> None:
        """Complete the file; one of a sound in which nothing was said is empty, unless another stood there."""
        stays = heard and not self._replaced and not self._file.begun and not self._cues and self.path.exists()
        if self._kind != ".ass":
            self._file.finish(nothing="" if heard else None)
        elif self._saved < len(self._cues) or (heard and not self.path.exists()):
            self._save()
        if stays:
            self._disk.say(_("Nothing was said; {file} stays as it was.").format(file=self.path))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _save(self) -> None:
        self._at = time.monotonic()
        try:
            if not self._replaced:
                set_aside(self.path, self._disk.say)
            self._replaced = True
            save(Track(tuple(self._cues), self._language), self.path)
        except (CaptionsError, SubtitlesError, OSError) as problem:
            self._failed = True
            self._disk.trouble(self.path, refused(self.path, problem))
        else:
            self._failed = False
            self._saved = len(self._cues)
            self._disk.trouble(self.path, None)


def check_writable(path: Path) -> None:
    """Raise CaptionsError, with what to do, where no file can be made at `path`."""
    if path.is_dir():
        raise CaptionsError(_("{file} is a folder; name a file in it.").format(file=path))
    trial = path.with_name(f".{path.name}.{os.getpid()}.trial")
    try:
        trial.touch()
        trial.unlink()
        if path.exists():
            path.open("ab").close()
    except OSError as problem:
        with contextlib.suppress(OSError):
            trial.unlink()
        raise CaptionsError(
            _("{file} cannot be written ({problem}); is its folder there, and may you write in it?").format(
                file=path, problem=why(problem)
            )
        ) from problem


def set_aside(path: Path, say: Callable[[str], None]) -> None:
    """Keep a file that stands at `path` under a name of its own, and say which."""
    if not path.exists() or not path.stat().st_size:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        return
    number = 1
    while (kept := path.with_name(f"{path.stem}.before-{number}{path.suffix}")).exists():
        number += 1
    try:
        path.rename(kept)
    except OSError as problem:
        raise CaptionsError(
            _("{file} cannot be written ({problem}); is its folder there, and may you write in it?").format(
                file=path, problem=why(problem)
            )
        ) from problem
    say(_("{file} is new; what stood there before is kept as {kept}.").format(file=path, kept=kept.name))


class Paper:
    """Everything that is written: events, journal, subtitles."""

    def __init__(self, events: Path | None, outs: Sequence[Path], language: str, say: Callable[[str], None]) -> None:
        """Raises CaptionsError for a path that cannot be, before anything is touched."""
        self.patience = PATIENCE
        """Seconds that the end waits for room on the disk."""
        self._disk = _Disk(say)
        wanted = [path.expanduser().resolve() for path in (*outs, *([events] if events else []))]
        stems = dict.fromkeys(path.with_suffix(JOURNAL) for path in wanted[: len(outs)])
        every = [*wanted, *stems]
        if twice := next((path for path in every if every.count(path) > 1), None):
            raise CaptionsError(_("{file} is named twice; give each file a name of its own.").format(file=twice))
        self._outs = [SubtitleOut(path, language, self._disk) for path in outs]
        self._journals = [OutFile(path, "", self._disk) for path in stems]
        self._events = OutFile(events, "", self._disk) if events else None
        self._settled = ""
        self._last: tuple[str, str] | None = None

    def see(self, view: View) -> None:
        """Write an event if anything that can be seen changed; keep the words."""
        self._retry()
        for word in view.settled:
            self._settled = f"{self._settled} {word.text}".strip()
        for journal in self._journals:
            for word in view.settled:
                journal.append(line(text=word.text, start=word.start, end=word.end, confidence=word.confidence))
        if self._events is not None and self._last != (self._settled, view.tentative):
            if self._last is None and not self._settled and not view.tentative:
                return
            self._last = self._settled, view.tentative
            self._events.append(line(t=round(view.at, 3), settled=self._settled, tentative=view.tentative))

    def revise(self, word: int, upto: int, words: Sequence[Word]) -> None:
        """Keep that words read otherwise after a second look."""
        for journal in self._journals:
            said = [{"text": one.text, "start": one.start, "end": one.end} for one in words]
            journal.append(line(revised=word, upto=upto, words=said))

    def show(self, cue: Cue) -> None:
        """Keep a cue in the journals, then in the subtitle files."""
        for journal in self._journals:
            journal.append(line(number=cue.number, start=cue.start, end=cue.end, lines=cue.lines))
        for out in self._outs:
            out.show(cue)

    def finish(self, *, heard: bool) -> None:
        """Complete every file; where nothing was even `heard`, none is made.

        Raises CaptionsError where, after `patience`, the disk still does not take the end of one.
        """
        if self._events is not None:
            self._events.finish(nothing=line(t=0.0, settled="", tentative="") if heard else None)
        for out in self._outs:
            out.finish(heard=heard)
        until = time.monotonic() + self.patience
        self._retry()
        if self._disk.failing and self.patience:
            self._disk.say(
                _("The disk is full; make room within {seconds} s, and all of it is written.").format(
                    seconds=round(self.patience)
                )
            )
        while self._disk.failing and time.monotonic() < until:
            time.sleep(RETRY)
            self._retry()
        for file in self._all():
            file.close()
        if self._disk.failing:
            raise CaptionsError(
                _("The disk stayed full, and the end is missing in {files}; free some space and run it again.").format(
                    files=", ".join(map(str, self._disk.failing))
                )
            )

    def _all(self) -> Iterator[OutFile | SubtitleOut]:
        yield from self._journals
        yield from self._outs
        if self._events is not None:
            yield self._events

    def _retry(self) -> None:
        if self._disk.failing:
            for file in self._all():
                file.retry()
