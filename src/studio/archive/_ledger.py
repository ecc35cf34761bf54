"""What a run writes down, before anybody is told: what a file was when it was read, and what was made of it."""

from __future__ import annotations

import os
import socket
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from studio.archive._schema import papers, stamps
from studio.archive._settings import Stamp, content_of
from studio.archive._work import Cuts, Heard, Looked, Told, outcome, pack
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from studio.archive._facts import Job
    from studio.archive._library import Library

HEAR, RENDER, CUT, TELL = "hear:", "english:", "cuts:", "speakers:"
"""Before the fingerprint of a job's settings."""


class Made(Struct, frozen=True):
    """What was made of a film with certain settings."""

    film: int
    """Its number in the library."""
    silent: bool
    """It has no speech."""
    language: str
    length: Ms
    """Where its sound ends."""
    cues: int
    unreadable: int
    """Cues that cannot be read in the time in which they are spoken."""
    versions: dict[str, int]
    """Number of the version of its subtitles, by language."""
    files: dict[str, str] = {}
    """Fingerprint of each file that was written, or is about to be, by its path."""
    said: tuple[str, ...] = ()
    """What somebody should know of the film."""
    replaced: dict[str, str] = {}
    """Fingerprint of what stood there until then: killed before the renaming, it stands there still."""


class Ledger:
    """The library's tables for runs."""

    def __init__(self, library: Library) -> None:
        self.films = library
        self._store = library.store
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{_born(os.getpid())}"

    def content(self, path: Path, stop: Callable[[], bool]) -> tuple[str, Stamp]:
        """Fingerprint of the file's content, out of the ledger where the file is as it was. Raises OSError."""
        stamp = Stamp.of(path)
        known = self.known(path, stamp)
        if known is None:
            known = content_of(path, stop)
            stamp_after = Stamp.of(path)
            if stamp_after == stamp:
                self._keep_stamp(path, stamp, known)
        return known, stamp

    def known(self, path: Path, stamp: Stamp) -> str | None:
        """Fingerprint of the content, where the file is as it was when that was taken."""
        with self._store.read() as connection:
            row = connection.execute(select(stamps).where(stamps.c.path == path)).first()
        same = row is not None and Stamp(row.size, row.modified, row.changed) == stamp
        return row.content if row is not None and same else None

    def _keep_stamp(self, path: Path, stamp: Stamp, content: str) -> None:
        values = {"size": stamp.size, "modified": stamp.modified, "changed": stamp.changed, "content": content}
        with self._store.write() as connection:
            connection.execute(
                insert(stamps).values(path=path, **values).on_conflict_do_update(index_elements=["path"], set_=values)
            )

    def made(self, path: Path, key: str) -> Made | None:
        """What was made of the film at `path`, and with which settings; `None`: nothing."""
        with self._store.read() as connection:
            row = connection.execute(
                select(papers.c.body).where(papers.c.path == path, papers.c.settings == key)
            ).first()
        return None if row is None else msgspec.json.decode(row.body, type=Made)

    def keep_made(self, path: Path, key: str, made: Made) -> None:
        """Note what is made of a film, before it is there."""
        body = msgspec.json.encode(made)
        with self._store.write() as connection:
            connection.execute(
                insert(papers)
                .values(path=path, settings=key, body=body)
                .on_conflict_do_update(index_elements=["path", "settings"], set_={"body": body})
            )

    def wrote(self, path: Path) -> dict[str, set[str]]:
        """Fingerprints of every file that was ever written for the film at `path`, whatever the settings."""
        with self._store.read() as connection:
            rows = connection.execute(select(papers.c.body).where(papers.c.path == path)).all()
        files: dict[str, set[str]] = {}
        for row in rows:
            made = msgspec.json.decode(row.body, type=Made)
            for file, digest in (*made.files.items(), *made.replaced.items()):
                files.setdefault(file, set()).add(digest)
        return files

    # ── jobs ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def find(self, film: int, kind: str, key: str) -> Job | None:
        """The job of that film and fingerprint."""
        return self.films.jobs.find(film, kind + key)

    def take(self, job: int) -> str:
        """Make the job ours; return who else has it, or nothing."""
        jobs = self.films.jobs
        if jobs.take(job, self.owner):
            return ""
        other = jobs.job(job)
        if other.state == "done":
            return ""
        if _gone(other.owner):
            jobs.leave(other.owner)
            if jobs.take(job, self.owner):
                return ""
        return other.owner.partition(":")[0] + " " + other.owner.split(":")[1] if ":" in other.owner else other.owner

    def heard(self, job: int) -> list[Heard]:
        """What came out of every chunk of a job, in order."""
        found = []
        for chunk in self.films.jobs.chunks(job):
            given = outcome(zlib.decompress(chunk.payload)) if chunk.payload else None
            if isinstance(given, Heard):
                found.append(given)
        return found

    def shots(self, job: int) -> tuple[Ms, ...]:
        """When shots begin, as a job has found."""
        for chunk in self.films.jobs.chunks(job):
            given = outcome(zlib.decompress(chunk.payload)) if chunk.payload else None
            if isinstance(given, Cuts):
                return given.shots
        return ()

    def told(self, job: int) -> Told | None:
        """Who speaks when; `None` where nobody could tell yet."""
        for chunk in self.films.jobs.chunks(job):
            given = outcome(zlib.decompress(chunk.payload)) if chunk.payload else None
            if isinstance(given, Told):
                return given
        return None

    def keep(self, job: int, number: int, found: Heard | Cuts | Told) -> None:
        """Write down what came out of a chunk."""
        self.films.jobs.finish_chunk(job, number, zlib.compress(pack(found), 1), self.owner)

    @staticmethod
    def looked(job: Job) -> Looked:
        """What the survey found."""
        given = outcome(job.plan)
        assert isinstance(given, Looked)  # noqa: S101 - what `add_job` was given
        return given


def _gone(owner: str) -> bool:
    """Whether `owner` was a process of this machine that is no more."""
    try:
        machine, process, born = owner.split(":")
    except ValueError:
        return False
    return machine == socket.gethostname() and _born(int(process)) != born


def _born(process: int) -> str:
    """When a process began, as proc(5) counts it; empty where it is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
