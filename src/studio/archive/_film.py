"""One film on its way: looked at, heard in chunks, composed, written. It tells open tasks, and takes outcomes."""

from __future__ import annotations

import contextlib
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import structs

from studio import media
from studio.archive._cupboard import Busy, FolderLock, Target
from studio.archive._facts import NotThere
from studio.archive._finish import Finish
from studio.archive._ledger import CUT, HEAR, RENDER, TELL, Ledger, Made
from studio.archive._paper import frames_of, sentences
from studio.archive._settings import Settings, Stamp, hearing_key, paper_key, telling_key
from studio.archive._watch import Result
from studio.archive._work import (
    Cut,
    Cuts,
    Hear,
    Heard,
    Look,
    Looked,
    Outcome,
    Refused,
    Render,
    Sight,
    Task,
    Tell,
    Told,
    pack,
)
from studio.errors import ArchiveError, StudioError, why
from studio.language import _, plural
from studio.speech import Survey, chunks
from studio.units import Ms, timecode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from studio.archive._facts import Job
    from studio.speech import Stretch

MOST_TOLD = Ms(2 * 3_600_000)
"""Of a longer film speakers are not told apart: sound and voices of all of it are in one worker's memory."""
INTO = "en"
"""The one language that Whisper translates into."""
Kind: TypeAlias = Literal["look", "hear", "render", "cut", "tell"]
Part: TypeAlias = tuple[Kind, int]
"""A task of a film."""


class FilmWork:
    """One film. Raises StudioError from any call: then this film has failed, and no other."""

    def __init__(self, target: Target, settings: Settings, ledger: Ledger, *, threads: int, interface: str) -> None:
        self.target = target
        self.length = Ms(0)
        """Of the sound that is to be heard, as far as it is known."""
        self._settings = settings
        self._ledger = ledger
        self._threads = threads
        self._interface = interface
        self._content = ""
        self._stamp: Stamp | None = None
        self._film = 0
        self._sight = Sight(target.source(settings.media), None, "mix", Ms(0), None)
        self._looked: Looked | None = None
        self._job: Job | None = None
        self._render: Job | None = None
        self._cut: Job | None = None
        self._rate: float | None = None
        self._telling: Job | None = None
        self._mute = ""
        self._ready: deque[Part] = deque()
        self._open: set[Part] = set()
        self._parts: list[tuple[Ms, Ms]] = []
        self._heard = 0
        self._at: dict[Part, Ms] = {}
        self._lock: FolderLock | None = None
        self._said: dict[str, None] = {}
        self._title = ""
        self.again_whole = False
        """After `finish`: the film is to be written once more, which takes minutes."""

    # ── before it is heard ────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, lock: Callable[[Path], FolderLock], stop: Callable[[], bool]) -> Result | None:
        """Look at the file; return its result where all was done before, `None` where there is work."""
        path = self.target.path
        self._content, self._stamp = self._read(stop)
        finish = self._finish()
        made = finish.before()
        if made is not None and finish.stands(made):
            self._stands(made)
            return finish.result(made, before=True)
        self._lock = lock(self.target.folder)
        facts = media.film(path)
        hearing = self._settings.hearing
        if not any(sound.can_be_heard for sound in facts.sounds):
            raise ArchiveError(
                _("{film} has no sound, so there is nothing to subtitle.").format(film=self.target.shown)
            )
        track = hearing.track
        if track is None:
            speech = facts.speech("" if hearing.language == "auto" else hearing.language)
            track = speech.number if speech else None
        elif not 1 <= track <= len(facts.sounds):
            raise ArchiveError(
                _("{film} has no sound track {track}; it has {n}.").format(
                    film=self.target.shown, track=track, n=len(facts.sounds)
                )
            )
        if facts.reads_to is not None:
            self._say(
                _("The film was cut off: it ends at {end}, and so do its subtitles.").format(
                    end=timecode(facts.reads_to)[:-4]
                )
            )
        self._sight = Sight(self._sight.source, track, hearing.channel, hearing.begin, hearing.until)
        self._reach(facts.length)
        self.length = Ms(max(0, min(facts.length or Ms(0), hearing.until or facts.length or Ms(0)) - hearing.begin))
        self._title = facts.title
        if (picture := facts.picture) is not None:
            self._rate = frames_of(picture.rate, picture.start, steady=picture.steady)
        film = self._ledger.films.add(path, fingerprint=self._content, length=facts.length, title=facts.title)
        self._film = film.id
        job = self._ledger.find(film.id, HEAR, self._key)
        if job is None:
            self._add("look", 0)
        else:
            self._plan(job)
        if self._settings.shots and facts.picture is not None:
            self._plan_cut()
        self._ledger.films.set_state(film.id, "running")
        return None

    def _read(self, stop: Callable[[], bool]) -> tuple[str, Stamp]:
        """Fingerprint and stamp of the file."""
        path = self.target.path
        try:
            if path.is_dir():
                raise ArchiveError(
                    _("There is no film in {folder}; is its disk connected?").format(folder=self.target.shown)
                )
            return self._ledger.content(path, stop)
        except OSError as problem:
            raise ArchiveError(
                _("{film} cannot be read ({problem}).").format(film=self.target.shown, problem=why(problem))
            ) from problem

    def _stands(self, made: Made) -> None:
        """All of it is there, whatever became of a later try with other settings, or of a damaged file meanwhile."""
        films = self._ledger.films
        with contextlib.suppress(NotThere):  # somebody took it out of the library; its files are theirs
            if films.film(made.film).state in ("failed", "changed", "queued", "running"):
                films.set_state(made.film, "silent" if made.silent else "done")

    def _reach(self, length: Ms | None) -> None:
        if length is not None and self._settings.hearing.begin >= length:
            raise ArchiveError(
                _("{film} ends at {end}, before --from: choose an earlier one.").format(
                    film=self.target.shown, end=timecode(length)[:-4]
                )
            )

    @property
    def _key(self) -> str:
        return hearing_key(self._content, self._settings.hearing)

    def _finish(self) -> Finish:
        # Without its speakers a film is what it is without --speakers: the same command tries them once more.
        settings = replace(self._settings, speakers="") if self._mute else self._settings
        return Finish(self.target, settings, self._ledger, paper_key(self._content, settings))

    # ── when it is heard ──────────────────────────────────────────────────────────────────────────────────────────────

    def finish(self) -> Result:
        """Compose and write."""
        try:
            same = Stamp.of(self.target.path) == self._stamp
        except OSError as problem:
            raise ArchiveError(
                _("{film} cannot be read ({problem}).").format(film=self.target.shown, problem=why(problem))
            ) from problem
        if not same:
            raise ArchiveError(
                _("{film} was changed while it was listened to; run the same command again.").format(
                    film=self.target.shown
                )
            )
        assert self._job is not None  # noqa: S101 - that is when this is called
        assert self._looked is not None  # noqa: S101 - there are no chunks without
        heard = self._ledger.heard(self._job.id)
        said = (*self._looked.said, *(sentence for chunk in heard for sentence in chunk.said))
        for sentence in said:
            self._say(sentence)
        english = self._ledger.heard(self._render.id) if self._render else []
        self._count_untold(english)
        finish, told = self._finish(), tuple(self._said)
        shots = self._ledger.shots(self._cut.id) if self._cut else ()
        turns = self._ledger.told(self._telling.id) if self._telling and not self._mute else None
        result = finish.write(
            self._film,
            self._looked,
            heard,
            english,
            title=self._title,
            said=told,
            rate=self._rate,
            shots=shots,
            turns=turns.turns if turns else (),
        )
        jobs = self._ledger.films.jobs
        for job in (self._job, self._render, self._cut, None if self._mute else self._telling):
            if job is not None:
                jobs.finish_job(job.id, keep=True)
        self._ledger.films.set_state(self._film, "silent" if result.cues == 0 else "done")
        made = finish.before()
        self.again_whole = finish.has_films and made is not None and not finish.stands(made)
        return self._told_of(result)

    def write_films(self, progress: Callable[[float], None]) -> Result:
        """Write the film once more, after `finish`."""
        finish = self._finish()
        made = finish.before()
        assert made is not None  # noqa: S101 - `finish` noted it

        def told(at: Ms, length: Ms | None) -> None:
            progress(min(1.0, at / length) if length else 0.0)

        return self._told_of(finish.films(made, told))

    def _told_of(self, result: Result) -> Result:
        """With why speakers were not told apart: that is of this run, not of what was made."""
        return structs.replace(result, said=(*result.said, self._mute)) if self._mute else result

    def fail(self, problem: StudioError) -> Result:
        """Note why it failed."""
        reason = str(problem)
        if isinstance(problem, Busy):  # whoever works on it says how far it is
            return Result(self.target.shown, self.target.path, "failed", reason, length=self.length)
        if not self._film:
            self._enter(reason)
        else:
            self._ledger.films.set_state(self._film, "failed", reason)
        for job in (self._job, self._render, self._cut, self._telling):
            if job is not None:
                self._ledger.films.jobs.fail_job(job.id, reason)
        return Result(self.target.shown, self.target.path, "failed", reason, length=self.length)

    def _enter(self, reason: str) -> None:
        """Have a film that fails at first sight in the list, too.

        Its fingerprint is not noted: it is that of a damaged file, and all empty ones have the same. What has subtitles
        of this very content keeps its state: then the wish could not be, not the film.
        """
        path, films = self.target.path, self._ledger.films
        try:
            if not path.is_file():
                return
        except OSError:
            return
        film = films.add(path)
        if not film.heads or self._content not in ("", film.fingerprint):
            films.set_state(film.id, "failed", reason)

    @property
    def number(self) -> int:
        """In the library; 0: it is not there yet."""
        return self._film

    def leave(self) -> None:
        """It was ended before it was done: the library says that it waits, not that somebody works on it."""
        if self._film:
            self._ledger.films.set_state(self._film, "queued")

    def _say(self, sentence: str) -> None:
        self._said.setdefault(sentence)


