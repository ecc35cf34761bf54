"""One film on its way: looked at, heard in tasks that others do, composed, written."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import structs

from studio import media
from studio.archive._cupboard import Busy, FolderLock, Target
from studio.archive._facts import NotThere
from studio.archive._finish import Finish
from studio.archive._paper import frames_of
from studio.archive._settings import Settings, Stamp, paper_key
from studio.archive._tasks import FilmTasks
from studio.archive._watch import Result
from studio.archive._work import Sight
from studio.errors import ArchiveError, StudioError, why
from studio.language import _
from studio.units import Ms, timecode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from studio.archive._ledger import Ledger, Made


class FilmWork:
    """One film. Raises StudioError from any call: then this film has failed, and no other."""

    def __init__(self, target: Target, settings: Settings, ledger: Ledger, *, interface: str) -> None:
        self.target = target
        self.tasks = FilmTasks(target.shown, settings, ledger, self._say, interface=interface)
        """What is to be heard of it, once it has begun."""
        self._settings = settings
        self._ledger = ledger
        self._content = ""
        self._stamp: Stamp | None = None
        self._film = 0
        self._rate: float | None = None
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
        sight, length, seen = self._look()
        film = self._ledger.films.add(path, fingerprint=self._content, length=length, title=self._title)
        self._film = film.id
        until = min(length or Ms(0), sight.until or length or Ms(0))
        heard = Ms(max(0, until - sight.begin))
        self.tasks.begin(film.id, self._content, sight, heard, shots=self._settings.shots and seen)
        self._ledger.films.set_state(film.id, "running")
        return None

    def _look(self) -> tuple[Sight, Ms | None, bool]:
        """What of it is to be heard, its length, and whether it has a picture. Raises StudioError: nothing is."""
        facts, hearing = media.film(self.target.path), self._settings.hearing
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
        self._reach(facts.length)
        self._title = facts.title
        if (picture := facts.picture) is not None:
            self._rate = frames_of(picture.rate, picture.start, steady=picture.steady)
        source = self.target.source(self._settings.media)
        return Sight(source, track, hearing.channel, hearing.begin, hearing.until), facts.length, picture is not None

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

    def _finish(self) -> Finish:
        # Without its speakers a film is what it is without --speakers: the same command tries them once more.
        settings = replace(self._settings, speakers="") if self.tasks.mute else self._settings
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
        tasks = self.tasks
        heard = tasks.words
        for sentence in (*tasks.looked.said, *(sentence for chunk in heard for sentence in chunk.said)):
            self._say(sentence)
        english = tasks.english
        finish, told = self._finish(), tuple(self._said)
        result = finish.write(
            self._film,
            tasks.looked,
            heard,
            english,
            title=self._title,
            said=told,
            rate=self._rate,
            shots=tasks.shots,
            turns=tasks.turns,
        )
        tasks.finish()
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
        return structs.replace(result, said=(*result.said, self.tasks.mute)) if self.tasks.mute else result

    def fail(self, problem: StudioError) -> Result:
        """Note why it failed."""
        reason = str(problem)
        if isinstance(problem, Busy):  # whoever works on it says how far it is
            return Result(self.target.shown, self.target.path, "failed", reason, length=self.tasks.length)
        if not self._film:
            self._enter(reason)
        else:
            self._ledger.films.set_state(self._film, "failed", reason)
        self.tasks.fail(reason)
        return Result(self.target.shown, self.target.path, "failed", reason, length=self.tasks.length)

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
