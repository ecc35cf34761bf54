"""What is said of a cluster where nobody is there, nobody works, or workers die of what they are given."""

from __future__ import annotations

import signal
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from studio.archive import OwnCluster, called
from studio.archive import _cluster as cluster
from studio.archive._work import Refused, outcome
from studio.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives up at once."""
    monkeypatch.setattr(cluster, "THERE", 0.2)
    monkeypatch.setattr(cluster, "PATIENCE", 0.0)


@pytest.fixture
def idle() -> Iterator[str]:
    """A scheduler without workers."""
    with cluster.distributed().LocalCluster(
        n_workers=0, processes=True, protocol="tcp://", dashboard_address=None, scheduler_kwargs={"dashboard": False}
    ) as started:
        yield started.scheduler_address


@pytest.mark.usefixtures("impatient")
def test_a_scheduler_without_workers_is_told_from_one_that_is_not_there(idle: str) -> None:
    said: list[str] = []
    with pytest.raises(ArchiveError, match="has no workers; start some"):
        called(idle, None, said.append, threading.Event())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(ArchiveError, match="does not answer; is it running"):
            called(f"tcp://127.0.0.1:{free.getsockname()[1]}", None, said.append, threading.Event())
    assert said == []


def test_workers_that_crash_are_not_said_to_lack_memory() -> None:
    ours = OwnCluster(1)
    try:
        crash = ours._client.submit(signal.raise_signal, signal.SIGSEGV, key="crash", retries=0)
        assert crash.exception(timeout=120) is not None
        told = outcome(ours._outcome(crash))
        assert isinstance(told, Refused)
        assert told.reason.startswith("4 workers crashed at one part of it (SIGSEGV)")
    finally:
        ours.close()
    assert ours._host.returncode is not None
