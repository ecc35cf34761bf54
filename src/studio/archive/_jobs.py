"""The ledger: which films are to be made, in which chunks, and what came of each.

Every call is one transaction and may be made again: whoever is killed at any place finds the ledger saying what is
true. What is done stays done; whatever else was going on is open again when somebody takes the job.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, func, insert, or_, select, update

from studio.archive._facts import Chunk, Job, NotThere
from studio.archive._schema import chunks, films, jobs
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from studio.archive._facts import JobState
    from studio.archive._store import Store
    from studio.units import Ms

LEASE = timedelta(minutes=2)
"""So long a job is its owner's after it last said so."""


class Jobs:
    """The ledger of a library."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def add_job(self, film: int, settings: str, parts: Sequence[tuple[Ms, Ms]] = (), plan: bytes = b"") -> Job:
        """Note that `film` is to be made with `settings`, in `parts`, each [begin, end).

        Where that is noted already, it stays as it is, with what is done of it; only a job that has no chunks yet
        gets these.
        """
        with self._store.write() as connection:
            row = connection.execute(select(jobs.c.id).where(jobs.c.film == film, jobs.c.settings == settings)).first()
            if row is None:
                if connection.execute(select(films.c.id).where(films.c.id == film)).first() is None:
                    raise NotThere(_("The library has no film number {number}.").format(number=film))
                key = connection.execute(
                    insert(jobs).values(
                        film=film, settings=settings, state="open", owner="", reason="", made=self._now(), plan=plan
                    )
                ).inserted_primary_key
                assert key is not None  # noqa: S101 - for the type checker: a row that was inserted has a key
                job = int(key[0])
            else:
                job = int(row.id)
            has = connection.execute(select(func.count()).select_from(chunks).where(chunks.c.job == job)).scalar_one()
            if parts and not has:
                connection.execute(
                    insert(chunks),
                    [
                        {
                            "job": job,
                            "number": number,
                            "start": start,
                            "end": end,
                            "state": "open",
                            "attempts": 0,
                            "worker": "",
                            "error": "",
                        }
                        for number, (start, end) in enumerate(parts)
                    ],
                )
                connection.execute(update(jobs).where(jobs.c.id == job).values(plan=plan))
            return _job(connection, job)

    def job(self, job: int) -> Job:
        """Raises NotThere."""
        with self._store.read() as connection:
            return _job(connection, job)

    def find(self, film: int, settings: str) -> Job | None:
        """Return what is noted of this film with these settings; `None`: nothing."""
        with self._store.read() as connection:
            row = connection.execute(select(jobs.c.id).where(jobs.c.film == film, jobs.c.settings == settings)).first()
            return None if row is None else _job(connection, row.id)

    def all(self, *states: JobState, film: int | None = None) -> tuple[Job, ...]:
        """Return the jobs in one of `states`, or all, in the order in which they were added."""
        asked = _JOB.order_by(jobs.c.id)
        if states:
            asked = asked.where(jobs.c.state.in_(states))
        if film is not None:
            asked = asked.where(jobs.c.film == film)
        with self._store.read() as connection:
            return tuple(_told(row) for row in connection.execute(asked))

    def take(self, job: int, owner: str, lease: timedelta = LEASE) -> bool:
        """Try to become the owner of a job that is not done; return whether that is so now.

        It is where the job has none, where the last one has not said `keep` for the lease, or where it is `owner`
        already. Chunks that somebody else left running, and failed ones, are open again. A job that failed is tried
        anew.
        """
        now = self._now()
        with self._store.write() as connection:
            free = or_(jobs.c.owner.in_(("", owner)), jobs.c.lease.is_(None), jobs.c.lease < now)
            got = connection.execute(
                update(jobs)
                .where(jobs.c.id == job, jobs.c.state != "done", free)
                .values(owner=owner, lease=now + lease, state="running", reason="", ended=None)
            ).rowcount
            if got:
                connection.execute(
                    update(chunks)
                    .where(chunks.c.job == job, chunks.c.state.in_(("running", "failed")))
                    .values(state="open")
                )
            return bool(got)

    def keep(self, owner: str, lease: timedelta = LEASE) -> int:
        """Say that `owner` is alive; return how many jobs are its own."""
        with self._store.write() as connection:
            return connection.execute(
                update(jobs).where(jobs.c.owner == owner, jobs.c.state == "running").values(lease=self._now() + lease)
            ).rowcount

    def leave(self, owner: str) -> None:
        """Let go of every job of `owner` that is not done: others may take it at once."""
        with self._store.write() as connection:
            mine = select(jobs.c.id).where(jobs.c.owner == owner, jobs.c.state == "running")
            connection.execute(
                update(chunks)
                .where(chunks.c.job.in_(mine.scalar_subquery()), chunks.c.state == "running")
                .values(state="open")
            )
            connection.execute(
                update(jobs)
                .where(jobs.c.owner == owner, jobs.c.state == "running")
                .values(state="open", owner="", lease=None)
            )

    def claim(self, job: int, worker: str, number: int | None = None) -> Chunk | None:
        """Note that `worker` begins an open chunk, the first or this one; `None` where there is none."""
        with self._store.write() as connection:
            asked = select(chunks.c.number).where(chunks.c.job == job, chunks.c.state == "open")
            if number is not None:
                asked = asked.where(chunks.c.number == number)
            first = connection.execute(asked.order_by(chunks.c.number).limit(1)).scalar()
            if first is None:
                return None
            connection.execute(
                update(chunks)
                .where(chunks.c.job == job, chunks.c.number == first)
                .values(state="running", worker=worker, attempts=chunks.c.attempts + 1)
            )
            return _chunk(connection, job, first)

    def release(self, job: int, number: int, error: str = "") -> None:
        """Open a chunk again that is not done: its worker is gone, or could not."""
        self._mark(job, number, "open", error)

    def finish_chunk(self, job: int, number: int, payload: bytes, worker: str | None = None) -> bool:
        """Keep what came out of a chunk; of several, the first counts. Return whether this was it."""
        values: dict[str, Any] = {"state": "done", "payload": payload, "error": ""}
        if worker is not None:
            values["worker"] = worker
        with self._store.write() as connection:
            done = connection.execute(
                update(chunks)
                .where(chunks.c.job == job, chunks.c.number == number, chunks.c.state != "done")
                .values(**values)
            ).rowcount
            if not done:
                _chunk(connection, job, number)
            return bool(done)

    def fail_chunk(self, job: int, number: int, error: str) -> None:
        """Note that a chunk cannot be made, and why; one that is done stays so."""
        self._mark(job, number, "failed", error)

    def open_chunks(self, job: int) -> tuple[Chunk, ...]:
        """Return the chunks that are not done, without payload, in the order of time; running ones are among them."""
        with self._store.read() as connection:
            rows = connection.execute(
                select(chunks).where(chunks.c.job == job, chunks.c.state != "done").order_by(chunks.c.number)
            )
            return tuple(Chunk(**row._mapping) for row in rows)  # noqa: SLF001 - its public name

    def chunks(self, job: int) -> tuple[Chunk, ...]:
        """Return every chunk, with what came out of it, in the order of time."""
        with self._store.read() as connection:
            rows = connection.execute(select(chunks).where(chunks.c.job == job).order_by(chunks.c.number))
            return tuple(Chunk(**row._mapping) for row in rows)  # noqa: SLF001 - its public name

    def finish_job(self, job: int, *, keep: bool = False) -> None:
        """Note that all of it is done: what it made stands where it belongs.

        What its chunks gave is forgotten, unless it is to be kept: for other subtitles of the same words.
        """
        with self._store.write() as connection:
            connection.execute(
                update(jobs).where(jobs.c.id == job).values(state="done", reason="", ended=self._now(), lease=None)
            )
            if not keep:
                connection.execute(update(chunks).where(chunks.c.job == job).values(payload=None, state="done"))

    def fail_job(self, job: int, reason: str) -> None:
        """Note that it cannot be done, and why; what is done of it is kept for the next try."""
        with self._store.write() as connection:
            connection.execute(
                update(jobs)
                .where(jobs.c.id == job, jobs.c.state != "done")
                .values(state="failed", reason=reason, ended=self._now(), lease=None, owner="")
            )

    def reopen(self, job: int) -> None:
        """Let all of it be done anew, also what was done: somebody asked for that, or its outcome is gone."""
        with self._store.write() as connection:
            connection.execute(
                update(jobs).where(jobs.c.id == job).values(state="open", reason="", ended=None, lease=None, owner="")
            )
            connection.execute(
                update(chunks).where(chunks.c.job == job).values(state="open", payload=None, error="", worker="")
            )

    def _mark(self, job: int, number: int, state: JobState, error: str) -> None:
        with self._store.write() as connection:
            connection.execute(
                update(chunks)
                .where(chunks.c.job == job, chunks.c.number == number, chunks.c.state != "done")
                .values(state=state, error=error)
            )


_JOB = (
    select(
        jobs,
        func.count(chunks.c.number).label("chunks"),
        func.sum(case((chunks.c.state == "done", 1), else_=0)).label("done"),
    )
    .outerjoin(chunks, chunks.c.job == jobs.c.id)
    .group_by(jobs.c.id)
)


def _told(row: Any) -> Job:  # noqa: ANN401 - a row of `_JOB`
    return Job(
        row.id,
        row.film,
        row.settings,
        row.state,
        row.owner,
        row.reason,
        row.made,
        row.ended,
        row.chunks,
        row.done,
        row.plan,
    )


def _job(connection: Connection, job: int) -> Job:
    row = connection.execute(_JOB.where(jobs.c.id == job)).first()
    if row is None:
        raise NotThere(_("The ledger has no job number {number}.").format(number=job))
    return _told(row)


def _chunk(connection: Connection, job: int, number: int) -> Chunk:
    row = connection.execute(select(chunks).where(and_(chunks.c.job == job, chunks.c.number == number))).first()
    if row is None:
        raise NotThere(_("Job {job} has no chunk number {number}.").format(job=job, number=number))
    return Chunk(**row._mapping)  # noqa: SLF001 - its public name
