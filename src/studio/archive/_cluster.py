"""Workers by `distributed`: our own on this machine, or those of a scheduler somewhere.

Our own scheduler and its workers live in a process of their own (`python -m studio.archive`), which the command starts
again when it dies. It hears this machine only, by TLS with a key that is made for this run, since whoever may call a
scheduler may run anything; it has no page; and it ends when its standard input does, so that nothing is left behind
whatever happens to the command.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio import __version__
from studio.archive._crew import CrewLost, Done, Told, mistake
from studio.archive._settings import Stopped
from studio.archive._work import Refused, do, greet, pack
from studio.errors import ArchiveError
from studio.language import _, plural
from studio.units import Ms

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from studio.archive._crew import Key, News

_log = logging.getLogger(__name__)
READY = 60.0
"""Seconds that our own workers may take to be there; they take two."""
THERE = 10.0
"""Seconds until it is said that a scheduler has no workers; then it is called again."""
AGAIN = (1.0, 2.0, 5.0, 10.0)
"""Seconds before each new call to a scheduler that is gone; the last one for ever, up to …"""
PATIENCE = 600.0
"""… so many seconds without any answer."""
FALLS = 3
"""So often a worker may die of one and the same chunk before it is given up."""
TELL = 1.0
"""Seconds between two words of a worker on how far it is."""
CURVE = "prime256v1"
GPU = "gpu"
"""Resource that workers with a card are started with: `--resources gpu=1`."""
DEATHS = "deaths"
"""File of our own cluster's folder: which signal ended each worker that died, a line each."""
OF_MEMORY = {signal.SIGKILL, signal.SIGTERM}
"""What ends a process that wants more memory than there is: the kernel, or whoever looks after the machine."""


class NoWorkersError(CrewLost):
    """A scheduler answers, and has nobody who works."""


def distributed() -> Any:  # noqa: ANN401 - most of it has no types
    """The library, which takes half a second to load."""
    import distributed as library  # noqa: PLC0415 - slow

    return library


@dataclass(frozen=True, slots=True)
class Tls:
    """Files of a cluster's own certificates."""

    ca: str
    cert: str
    key: str

    @classmethod
    def of(cls, folder: Path) -> Tls:
        """Those in `folder`. Raises ArchiveError where one is missing."""
        files = [folder / name for name in ("ca.pem", "cert.pem", "key.pem")]
        for file in files:
            if not file.is_file():
                raise ArchiveError(
                    _("{file} is missing; docs/cluster.md tells how certificates are made.").format(file=file)
                )
        return cls(*(str(file.absolute()) for file in files))

    @property
    def security(self) -> Any:  # noqa: ANN401 - distributed's own
        """As distributed wants it."""
        roles = {
            f"tls_{role}_{what}": getattr(self, what)
            for role in ("client", "scheduler", "worker")
            for what in ("cert", "key")
        }
        return distributed().Security(tls_ca_file=self.ca, require_encryption=True, **roles)


class Cluster:
    """A crew of workers in other processes."""

    def __init__(self, address: str, tls: Tls | None, hands: int | None = None) -> None:
        """Call the scheduler at `address`; wait for `hands` workers, `None`: for the first. CrewLost, ArchiveError."""
        self._news: queue.SimpleQueue[tuple[Key, Ms | None]] = queue.SimpleQueue()
        self._futures: dict[Key, Any] = {}
        self._name = f"studio-{uuid.uuid4().hex[:12]}"
        try:
            self._client = distributed().Client(
                address, timeout=10, set_as_default=False, security=tls.security if tls else None, name="studio"
            )
        except (OSError, ValueError, TypeError, RuntimeError) as problem:
            raise CrewLost(str(problem)) from problem
        try:
            self._meet(hands)
            self._client.subscribe_topic(self._name, self._heard)
        except (OSError, TimeoutError, RuntimeError) as problem:
            self._hang_up()
            raise CrewLost(str(problem)) from problem
        except BaseException:
            self._hang_up()
            raise

    def _meet(self, hands: int | None) -> None:
        try:
            self._client.wait_for_workers(hands or 1, timeout=READY if hands else THERE)
        except TimeoutError as problem:
            raise NoWorkersError(str(problem)) from problem
        try:
            found = self._client.run(greet, on_error="raise")
        except ModuleNotFoundError as problem:
            raise ArchiveError(
                _("The workers of that cluster have no studio ({problem}); install it on each of them.").format(
                    problem=problem
                )
            ) from problem
        for other in found.values():
            version, _space, machine = other.partition(" ")
            if version != __version__:
                raise ArchiveError(
                    _("{machine} has studio {theirs}, this machine {ours}; install the same on all of them.").format(
                        machine=machine, theirs=version, ours=__version__
                    )
                )
        self._count()

    def _count(self) -> None:
        """How many tasks at a time, and whether those with a card are to do it."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        cards = sum(int(worker["resources"].get(GPU, 0)) for worker in workers)
        self.gpu = cards > 0
        self.hands = cards or sum(int(worker["nthreads"]) for worker in workers) or 1

    def submit(self, key: Key, task: bytes) -> None:
        """Take a task."""
        if self._client.status != "running":
            raise CrewLost
        try:
            self._count()
            future = self._client.submit(
                _work,
                self._name,
                key,
                task,
                key=f"{self._name}-{key}",
                pure=False,
                resources={GPU: 1} if self.gpu else None,
                retries=0,
            )
        except (OSError, RuntimeError, TimeoutError) as problem:
            raise CrewLost(str(problem)) from problem
        self._futures[key] = future
        future.add_done_callback(lambda _future: self._news.put((key, None)))

    def news(self, timeout: float) -> News | None:
        """Return what happened next."""
        try:
            found = self._news.get(timeout=timeout)
        except queue.Empty:
            found = None
        if self._client.status != "running":
            raise CrewLost
        if found is None or found[0] not in self._futures:
            return None
        key, at = found
        if at is not None:
            return Told(key, at)
        return Done(key, self._outcome(self._futures.pop(key)))

    def _outcome(self, future: Any) -> bytes:  # noqa: ANN401 - distributed's own
        if future.status in ("cancelled", "lost"):
            raise CrewLost
        try:
            return bytes(future.result(timeout=30))
        except distributed().KilledWorker:
            return pack(Refused(self._fallen()))
        except (TimeoutError, OSError) as problem:
            raise CrewLost(str(problem)) from problem
        except Exception as problem:
            if type(problem).__name__ in ("CancelledError", "FutureCancelledError", "CommClosedError"):
                raise CrewLost from problem
            return pack(Refused(mistake(problem), inner=True))
        finally:
            future.release()

    def _heard(self, event: tuple[float, Any]) -> None:
        _when, (key, at) = event
        self._news.put((key, Ms(at)))

    def _fallen(self) -> str:
        """What is said of a part of a film of which workers died."""
        return plural(
            "{n} worker died of one part of it; its log says why. Is its memory too small, run fewer on a machine.",
            "{n} workers died of one part of it; their logs say why. Is the memory too small, run fewer on a machine.",
            FALLS + 1,
        ).format(n=FALLS + 1)

    def close(self) -> None:
        """Forget what is under way."""
        self._hang_up()

    def _hang_up(self) -> None:
        with contextlib.suppress(Exception):
            self._client.cancel(list(self._futures.values()), force=True)
        with contextlib.suppress(Exception):
            self._client.close(timeout=2)


def called(address: str, tls: Tls | None, say: Callable[[str], None], stop: threading.Event) -> Cluster:
    """Call a scheduler until it answers. Raises ArchiveError where it does not for `PATIENCE`, and Stopped."""
    if not address.startswith(("tcp://", "tls://")):
        raise ArchiveError(
            _("{address} is no address of a scheduler; it begins with tls:// or tcp://.").format(address=address)
        )
    if address.startswith("tls://") and tls is None:
        raise ArchiveError(_("A scheduler at tls:// wants certificates; name their folder with --tls."))
    began, tries, before = time.monotonic(), 0, ""
    while True:
        try:
            return Cluster(address, tls)
        except CrewLost as problem:
            there = isinstance(problem, NoWorkersError)
            if time.monotonic() - began > PATIENCE:
                raise ArchiveError(_given_up(address, there=there)) from problem
        said = (
            _("The scheduler {address} has no workers; it is asked for some again and again.")
            if there
            else _("The scheduler {address} does not answer; it is called again and again.")
        ).format(address=address)
        if said != before:
            say(said)
        before = said
        if stop.wait(AGAIN[min(tries, len(AGAIN) - 1)]):
            raise Stopped
        tries += 1


def _given_up(address: str, *, there: bool) -> str:
    if there:
        return _("The scheduler {address} has no workers; start some, as docs/cluster.md tells.").format(
            address=address
        )
    return _("The scheduler {address} does not answer; is it running?").format(address=address)


def _work(topic: str, key: Key, task: bytes) -> bytes:
    """On a worker."""
    worker = distributed().get_worker()
    last = time.monotonic()

    def told(at: Ms) -> None:
        nonlocal last
        if time.monotonic() - last > TELL:
            last = time.monotonic()
            worker.log_event(topic, (key, int(at)))

    return do(task, told)


# ── our own ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class OwnCluster(Cluster):
    """Scheduler and workers in a process of ours on this machine."""

    def __init__(self, workers: int) -> None:
        """Start them. Raises CrewLost or ArchiveError."""
        self._folder = tempfile.TemporaryDirectory(prefix="studio-films-")
        tls = _made_tls(Path(self._folder.name))
        self._host = subprocess.Popen(
            [sys.executable, "-m", "studio.archive"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("STUDIO_CLUSTER_LOG") else subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is for us
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert self._host.stdin is not None  # noqa: S101 - asked for above
        assert self._host.stdout is not None  # noqa: S101 - as above
        plan = {"workers": workers, "folder": self._folder.name, "tls": asdict(tls) if tls else None}
        try:
            self._host.stdin.write(json.dumps(plan).encode() + b"\n")
            self._host.stdin.flush()
            address = self._host.stdout.readline().decode().strip()
            super().__init__(address or "tcp://127.0.0.1:0", tls if address else None, workers)
        except BaseException as problem:
            self._end()
            if isinstance(problem, BrokenPipeError):
                raise CrewLost from problem
            raise

    def news(self, timeout: float) -> News | None:
        """Return what happened next."""
        if self._host.poll() is not None:
            raise CrewLost
        return super().news(timeout)

    @property
    def process(self) -> int:
        """Number of the process that has the scheduler."""
        return self._host.pid

    def _fallen(self) -> str:
        """As far as the signals tell: a fault in what computes is not a want of memory."""
        try:
            last = signal.Signals(int(Path(self._folder.name, DEATHS).read_text().split()[-1]))
        except (OSError, ValueError, IndexError):
            return super()._fallen()
        if last in OF_MEMORY:
            return plural(
                "{n} worker died of one part of it, as when the memory is too small; run fewer at a time: --workers 1",
                "{n} workers died of one part of it, as when the memory is too small; run fewer at a time: --workers 1",
                FALLS + 1,
            ).format(n=FALLS + 1)
        return plural(
            "{n} worker crashed at one part of it ({signal}), as where a model is damaged; try another --model.",
            "{n} workers crashed at one part of it ({signal}), as where a model is damaged; try another --model.",
            FALLS + 1,
        ).format(n=FALLS + 1, signal=last.name)

    def close(self) -> None:
        """End scheduler and workers."""
        super().close()
        self._end()

    def _end(self) -> None:
        with contextlib.suppress(OSError):
            os.killpg(self._host.pid, signal.SIGKILL)  # nothing of theirs is worth keeping
        for pipe in (self._host.stdin, self._host.stdout):
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()
        self._host.wait()
        self._folder.cleanup()


def _made_tls(folder: Path) -> Tls | None:
    """A certificate for this run; `None` where this machine has no `openssl`: then any user of it could call."""
    if not shutil.which("openssl"):
        _warn_of_plain("openssl is not installed")
        return None
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:{CURVE} -nodes -days 30 -subj /CN=studio"
    done = subprocess.run(
        [*command.split(), "-keyout", str(key), "-out", str(cert)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        _warn_of_plain(f"openssl ended with {done.returncode}")
        return None
    return Tls(str(cert), str(cert), str(key))


@functools.lru_cache(maxsize=1)
def _warn_of_plain(reason: str) -> None:
    """Once for all clusters of a run: they are made anew when they die."""
    _log.warning("%s: scheduler and workers speak without a key, and any user of this machine can call them", reason)
