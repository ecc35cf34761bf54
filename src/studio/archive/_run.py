"""Many films: who does what, what is told meanwhile, and what happens when workers, scheduler or patience are gone."""

from __future__ import annotations

import contextlib
import itertools
import time
from typing import TYPE_CHECKING, TypeAlias

from studio.archive._crew import CrewLost, Done
from studio.archive._cupboard import FolderLock
from studio.archive._facts import LibraryError, NotThere
from studio.archive._film import FilmWork
from studio.archive._ledger import Ledger
from studio.archive._settings import Stopped
from studio.archive._watch import Pace, Result, Watch
from studio.archive._work import outcome
from studio.errors import ArchiveError, StudioError
from studio.language import _

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from studio.archive._crew import Crew, Key
    from studio.archive._cupboard import Target
    from studio.archive._library import Library
    from studio.archive._settings import Settings
    from studio.archive._tasks import Part
    from studio.units import Ms

TICK = 0.25
"""Seconds between two looks at what people are told."""
AHEAD = 2
"""So many films more than workers need are open at a time: looked at while others are heard."""
ALIVE = 30.0
"""Seconds after which the ledger is told that we are still here."""
CREWS = 5
"""So many crews in a row may be lost without any outcome, until it is given up."""

Crews: TypeAlias = "Callable[[int, float], Crew]"
"""Makes a crew for so many films, of so many milliseconds of sound as are known of them."""


class Run:
    """One call of the command."""

    def __init__(
        self,
        settings: Settings,
        library: Library,
        crews: Crews,
        *,
        watch: Watch,
        stop: threading.Event,
        interface: str = "en",
    ) -> None:
        """`crews` is asked for a crew when there is something to do, and for another when one is lost.

        Once `stop` is set, the ledger is left as it is, which is true at any time, and `Stopped` raised.
        """
        self._settings = settings
        self._ledger = Ledger(library)
        self._crews = crews
        self._crew: Crew | None = None
        self._watch = watch
        self._stop = stop
        self._interface = interface
        self._pace = Pace()
        self._locks: dict[Path, FolderLock] = {}
        self._open: dict[Path, FilmWork] = {}
        self._waiting: Iterator[Target] = iter(())
        self._unseen = 0
        self._all = 0
        self._heard_before = 0.0
        self._heard_in_all = 0.0
        self._running: dict[Key, tuple[Path, Part]] = {}
        self._keys = itertools.count()
        self._results: list[Result] = []
        self._later: list[FilmWork] = []
        self._lost = 0
        self._alive = time.monotonic()

    def run(self, films: Sequence[Target]) -> list[Result]:
        """Do them all; return what became of each, in the order in which they came to their ends.

        Raises StudioError for what stops all of them: no workers, no library, a disk that is full.
        """
        self._waiting = iter(films)
        self._unseen = self._all = len(films)
        try:
            self._begin_more()
            while self._open or self._unseen:
                self._step()
            if self._crew is not None:  # the cores are for encoding now
                self._crew.close()
                self._crew = None
            for film in self._later:
                self._write_films(film)
        finally:
            if self._crew is not None:
                self._crew.close()
            self._ledger.films.jobs.leave(self._ledger.owner)
            for film in self._open.values():
                film.leave()
            for lock in self._locks.values():
                lock.release()
        return self._results

    # ── one step ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _step(self) -> None:
        if self._stop.is_set():
            raise Stopped
        try:
            crew = self._ready_crew()
            self._hand_out(crew)
            if self._running:
                news = crew.news(TICK)
                while news is not None:
                    if isinstance(news, Done):
                        self._lost = 0
                        self._take(news.key, news.outcome)
                        self._hand_out(crew)  # before the film is written: nobody waits for that
                        break
                    self._told(news.key, news.at)
                    news = crew.news(0)
        except CrewLost as problem:
            self._lose(problem)
        self._finish_those_over()
        self._begin_more()
        self._tell()
        self._still_here()

    def _still_here(self) -> None:
        """Tell the ledger now and then, or what we work on is taken for left."""
        if time.monotonic() - self._alive > ALIVE:
            self._alive = time.monotonic()
            self._ledger.films.jobs.keep(self._ledger.owner)
            self._ledger.films.still([film.number for film in self._open.values()])

    def _stopped(self) -> bool:
        """Whether it is to end: asked while something takes long, such as the fingerprint of a very large file."""
        self._still_here()
        return self._stop.is_set()

    def _ready_crew(self) -> Crew:
        if self._crew is None:
            known = sum(film.tasks.rest for film in self._open.values())
            self._crew = self._crews(len(self._open) + self._unseen, known)
            self._pace.begin()
        return self._crew

    def _lose(self, problem: CrewLost) -> None:
        """Nobody of the crew is there any more: what the ledger does not have is to be done anew."""
        if self._crew is not None:
            self._crew.close()
            self._crew = None
        self._running.clear()
        for film in self._open.values():
            film.tasks.again()
        self._lost += 1
        if self._lost > CREWS:
            raise ArchiveError(
                _("The workers were lost {n} times without having done anything ({problem}).").format(
                    n=self._lost, problem=str(problem) or type(problem).__name__
                )
            ) from problem
        self._watch.say(_("The workers are gone; new ones go on with what is not done."))
        self._stop.wait(min(5.0, 0.5 * (self._lost - 1)))

    def _hand_out(self, crew: Crew) -> None:
        """Give each worker something to do; what waited behind a long task would wait for that one worker."""
        for path, film in self._open.items():
            while len(self._running) < crew.hands and (given := film.tasks.next()) is not None:
                part, task = given
                key = next(self._keys)
                self._running[key] = path, part
                crew.submit(key, task)

    def _told(self, key: Key, at: Ms) -> None:
        path, part = self._running.get(key, (None, None))
        if path in self._open and part is not None:
            self._open[path].tasks.told(part, at)

    def _take(self, key: Key, packed: bytes) -> None:
        path, part = self._running.pop(key, (None, None))
        if path is None or part is None or path not in self._open:
            return  # of a film that has failed meanwhile
        film = self._open[path]
        with self._one_film(path):
            length = film.tasks.take(part, outcome(packed))
            if length:
                self._pace.part(length)

    def _finish_those_over(self) -> None:
        for path in [path for path, film in self._open.items() if film.tasks.over]:
            film = self._open[path]
            self._watch.at(film.target.shown, "write", 0.0)
            with self._one_film(path):
                result = film.finish()
                if film.again_whole:
                    self._later.append(self._open.pop(path))
                    self._heard_before += film.tasks.heard
                else:
                    self._end(path, result)

    def _write_films(self, film: FilmWork) -> None:
        def progress(share: float) -> None:
            if self._stopped():
                raise Stopped
            self._watch.at(film.target.shown, "write", share)

        self._open[film.target.path] = film
        with self._one_film(film.target.path):
            self._end(film.target.path, film.write_films(progress))

    # ── films ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin_more(self) -> None:
        """Look at as many films as keep the workers busy."""
        hands = self._crew.hands if self._crew else 1
        while self._unseen and not self._stop.is_set():
            if len(self._open) >= hands + AHEAD and len(self._running) >= hands:
                return
            if len(self._open) >= AHEAD + 2 * hands:
                return
            target = next(self._waiting)
            self._unseen -= 1
            film = FilmWork(target, self._settings, self._ledger, interface=self._interface)
            self._open[target.path] = film
            with self._one_film(target.path):
                result = film.begin(self._lock, self._stopped)
                if result is not None:
                    self._end(target.path, result)
                else:
                    self._watch.begins(target.shown)
            self._tell()

    @contextlib.contextmanager
    def _one_film(self, path: Path) -> Iterator[None]:
        """What goes wrong in here is one film's trouble."""
        film = self._open[path]
        try:
            yield
        except StudioError as problem:
            if _ends_all(problem):
                raise
            self._end(path, film.fail(problem))

    def _end(self, path: Path, result: Result) -> None:
        film = self._open.pop(path)
        if film not in self._later:
            self._heard_before += film.tasks.heard
        self._results.append(result)
        self._watch.ended(result)

    def _lock(self, folder: Path) -> FolderLock:
        if folder not in self._locks:
            self._locks[folder] = FolderLock(folder)
        return self._locks[folder]

    # ── what is told ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _tell(self) -> None:
        for film in self._open.values():
            self._watch.at(film.target.shown, film.tasks.stage, film.tasks.share)
        heard = self._heard_before + sum(film.tasks.heard for film in self._open.values())
        rest = sum(film.tasks.rest for film in self._open.values())
        left = self._pace.left(heard, rest, self._unseen, self._all)
        known = heard + rest
        share = heard / known * (self._all - self._unseen) / self._all if known else len(self._results) / self._all
        self._watch.all_at(len(self._results), self._all, share, left)


def _ends_all(problem: StudioError) -> bool:
    """Whether the library itself cannot be written: then nothing can be done for any film."""
    return isinstance(problem, LibraryError) and not isinstance(problem, NotThere)
