"""What the tests of destinations may ask for: a programme, and servers that leave nothing behind."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from tests.faults.servers import MODULES, Arrivals, Nginx, Srt, Viewer, make_programme, nginx, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studio.media._ground.coded import Coded


@pytest.fixture(scope="session")
def programme() -> list[Coded]:
    """Four seconds, about 2 Mb/s."""
    return make_programme()


@pytest.fixture
def stack() -> Iterator[contextlib.ExitStack]:
    """Closes what a test opened, the last first."""
    with contextlib.ExitStack() as opened:
        yield opened


@pytest.fixture
def house(tmp_path: Path, stack: contextlib.ExitStack) -> House:
    """Servers that run until the test ends."""
    if not any(Path(module).exists() for module in MODULES) or shutil.which(nginx()) is None:
        pytest.skip("no nginx with its RTMP module here: destinations are tried against the real one")
    if shutil.which("srt-live-transmit") is None:
        pytest.skip("no srt-live-transmit here: destinations are tried against the real one")
    return House(tmp_path, stack)


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """Neither a process nor a descriptor nor a thread of a destination may be left over."""
    own = psutil.Process()
    children, descriptors = set(own.children(recursive=True)), own.num_fds()
    yield
    until(lambda: set(own.children(recursive=True)) <= children)
    until(lambda: own.num_fds() <= descriptors)


class House:
    """Opens servers."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder = folder
        self._stack = stack

    def nginx(self, name: str, *, key: str | None = None, record: bool = False, run: bool = True) -> Nginx:
        server = Nginx(self.folder / name, record=record)
        if key is not None:
            server.take(key)
        if run:
            server.start()
        self._stack.callback(server.kill)
        return server

    def viewer(self, server: Nginx) -> Arrivals:
        """Watch `server`, on which somebody streams already."""
        arrivals = Arrivals()
        self._stack.callback(arrivals.close)
        viewer = Viewer(server, arrivals.port)
        viewer.start()
        self._stack.callback(viewer.kill)
        return arrivals

    def srt(self, name: str) -> tuple[Srt, Arrivals]:
        arrivals = Arrivals()
        self._stack.callback(arrivals.close)
        server = Srt(self.folder / name, arrivals.port)
        server.start()
        self._stack.callback(server.kill)
        return server, arrivals
