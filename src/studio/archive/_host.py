"""The process that has our own scheduler and workers; it lives as long as its standard input."""

from __future__ import annotations

import ctypes
import json
import logging
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

_DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


def main() -> None:
    """Host a cluster until nobody holds the other end of standard input."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    plan = json.loads(sys.stdin.buffer.readline())
    if os.getppid() != parent:
        return
    cluster = _started(plan)
    sys.stdout.write(cluster.scheduler_address + "\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    # Workers see their parent gone and leave at once, whatever they are at.
    os._exit(0)


class _Deaths(logging.Handler):
    """Writes down which signal ended each worker that died: the nanny says it in its log and nowhere else."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def emit(self, record: logging.LogRecord) -> None:
        """Look for a signal in what it says."""
        if found := re.search(r"killed by signal (\d+)", record.getMessage()):
            with self._file.open("a") as file:
                file.write(f"{found[1]}\n")


def _started(plan: dict[str, Any]) -> Any:  # noqa: ANN401 - distributed's own
    import dask  # noqa: PLC0415 - slow

    from studio.archive._cluster import DEATHS, FALLS, Tls, distributed  # noqa: PLC0415 - workers read this file, too

    dask.config.set(
        {
            "distributed.scheduler.allowed-failures": FALLS,
            "distributed.scheduler.http.routes": [],
            "distributed.worker.http.routes": [],
            "distributed.worker.daemon": True,
            "distributed.worker.use-file-locking": False,
            "distributed.admin.event-loop-monitor-interval": "1s",
            "temporary-directory": plan["folder"],
        }
    )
    tls = Tls(**plan["tls"]) if plan["tls"] else None
    logging.getLogger("distributed.nanny").addHandler(_Deaths(Path(plan["folder"], DEATHS)))
    return distributed().LocalCluster(
        n_workers=plan["workers"],
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        protocol="tls://" if tls else "tcp://",
        security=tls.security if tls else None,
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0", "dashboard": False},
        memory_limit=0,
        silence_logs=40,
    )
