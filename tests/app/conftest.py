"""A talk to put on the air, films that are broken in some way, and the command line as a technician starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.app.technician import Ended, Studio

from studio.rehearsal import make_talk

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 150
"""Seconds after which a show that should have ended is ended."""


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """Run the command line in a folder of its own, in English unless told."""

    def run(*arguments: object, **env: str) -> Ended:
        done = subprocess.run(
            [sys.executable, "-m", "studio", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "STUDIO_LANG": "en", "STUDIO_HOME": str(tmp_path / "home"), "COLUMNS": "200", **env},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        return Ended(done.returncode, done.stderr + done.stdout)

    return run


@pytest.fixture(scope="session")
def talk() -> Path:
    """The demo's talk: somebody speaks English."""
    return make_talk()


def ffmpeg(*arguments: object) -> None:
    """Make a film."""
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True, timeout=60)


@pytest.fixture(scope="session")
def mute_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds without a sound track."""
    film = tmp_path_factory.mktemp("films") / "mute.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=5", "-pix_fmt", "yuv420p", film)
    return film


@pytest.fixture(scope="session")
def broken_film(mute_film: Path) -> Path:
    """The beginning of a film whose index, at its end, was never written."""
    film = mute_film.with_name("broken.mp4")
    film.write_bytes(mute_film.read_bytes()[:-20_000])
    return film
