"""Eight films by workers that are killed, against the same films in peace; and what a second worker is worth.

Films are made of the speech beside the checkout (`../shared/data`), each with a small picture. Each run has a library
of its own. What is killed is killed with SIGKILL, by the number of its process.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
SPEECH = (
    ("pl/nemo_eb0_neutral.flac", 0), ("pl/nemo_ic0_neutral.flac", 0), ("pl/nemo_kd0_neutral.flac", 0),
    ("pl/nemo_ks0_neutral.flac", 0), ("pl/nemo_mk0_neutral.flac", 0), ("pl/nemo_eb0_neutral.flac", 25),
    ("pl/nemo_ic0_neutral.flac", 25), ("pl/nemo_kd0_neutral.flac", 25),
)  # fmt: skip
"""Recordings, again and again, and seconds at which a film begins."""


def films(folder: Path, seconds: float) -> None:
    """Make them."""
    for number, (name, begin) in enumerate(SPEECH, 1):
        command = (
            f"ffmpeg -v error -y -f lavfi -i testsrc2=size=160x90:rate=25 -stream_loop -1 -ss {begin} -i {DATA / name} "
            f"-t {seconds} -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac {folder}/film-{number}.mp4"
        )
        subprocess.run(command.split(), check=True)


class Command:
    """`studio subtitle` over a folder, with a library of its own."""

    def __init__(self, folder: Path, out: Path, library: Path, workers: int) -> None:
        self.out = out
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "studio", "subtitle", str(folder), "--lang", "pl", "--format", "srt,ttml,stl",
             "--out", str(out), "--workers", str(workers), "--json"],
            env={**os.environ, "STUDIO_LIBRARY": str(library), "STUDIO_LANG": "en"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def wait(self) -> dict[str, Any]:
        """Wait for its end; return its results and what it cost."""
        said, told = self.process.communicate()
        results = [json.loads(line) for line in said.splitlines()]
        return {
            "code": self.process.returncode,
            "seconds": round(time.monotonic() - self.began, 1),
            "fates": [result["fate"] for result in results],
            "told": told.splitlines()[-12:],
        }

    def done(self) -> dict[str, tuple[int, str]]:
        """Subtitle files that are there: inode and fingerprint."""
        return {file.name: (file.stat().st_ino, digest(file)) for file in sorted(self.out.glob("film-*"))}

    def until(self, many: int) -> bool:
        """Wait until so many files are there; whether they came before the end."""
        while self.process.poll() is None:
            if len(self.done()) >= many:
                return True
            time.sleep(0.1)
        return False

    def kin(self, *, workers: bool) -> list[psutil.Process]:
        """Processes of its workers, or the one with its scheduler."""
        found = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                line = " ".join(child.cmdline())
            except psutil.Error:
                continue
            if ("spawn_main" if workers else "-m studio.archive") in line:
                found.append(child)
        return found


def digest(file: Path) -> str:
    """Fingerprint of a file's content."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def killed(folder: Path, out: Path, library: Path) -> dict[str, Any]:
    """A run in which a worker is killed after the first film, and the scheduler after the third."""
    command = Command(folder, out, library, 2)
    log: list[str] = []
    if command.until(3):
        worker = command.kin(workers=True)[0]
        os.kill(worker.pid, signal.SIGKILL)
        log.append(f"worker killed with {len(command.done()) // 3} films done")
    if command.until(9):
        before = command.done()
        os.kill(command.kin(workers=False)[0].pid, signal.SIGKILL)
        log.append(f"scheduler killed with {len(before) // 3} films done")
    else:
        before = {}
    cost = command.wait()
    after = command.done()
    return {**cost, "kills": log, "redone": [name for name in before if after[name] != before[name]], "files": after}


def command_killed(folder: Path, out: Path, library: Path) -> dict[str, Any]:
    """A run whose command is killed after two films, and the same command again."""
    first = Command(folder, out, library, 2)
    first.until(6)
    before = first.done()
    kin = [child.pid for child in psutil.Process(first.process.pid).children(recursive=True)]
    first.process.kill()
    first.process.communicate()
    deadline = time.monotonic() + 20
    while (left := [pid for pid in kin if psutil.pid_exists(pid)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    second = Command(folder, out, library, 2)
    cost = second.wait()
    after = second.done()
    return {
        **cost,
        "films done before": len(before) // 3,
        "processes left behind": len(left),
        "redone": [name for name in before if after[name] != before[name]],
        "files": after,
    }


def run(seconds: float, names: list[str], path: Path | None) -> bool:
    """Run what is named; whether all films were done, none of them twice, with equal bytes."""
    found: dict[str, Any] = {}
    first: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as place:
        here = Path(place)
        folder = here / "films"
        folder.mkdir()
        films(folder, seconds)
        ways: dict[str, Callable[[Path, Path], dict[str, Any]]] = {
            "peace": lambda out, library: _plain(folder, out, library, 2),
            "killed": lambda out, library: killed(folder, out, library),
            "command": lambda out, library: command_killed(folder, out, library),
            "one": lambda out, library: _plain(folder, out, library, 1),
        }
        for name in names:
            found[name] = ways[name](here / name, here / f"{name}.db")
            files = {file: mark for file, (_inode, mark) in found[name].pop("files").items()}
            first = first or files
            found[name] |= {"files": len(files), "equal to the first run": files == first}
            print(name, json.dumps(found[name], indent=1), flush=True)
            if path:
                path.write_text(json.dumps(found, indent=1), encoding="utf-8")
    if {"peace", "one"} <= found.keys():
        print(f"two workers are worth {found['one']['seconds'] / found['peace']['seconds']:.2f} of one")
    return all(one["code"] == 0 and one["equal to the first run"] and not one.get("redone") for one in found.values())


def _plain(folder: Path, out: Path, library: Path, workers: int) -> dict[str, Any]:
    command = Command(folder, out, library, workers)
    cost = command.wait()
    return {**cost, "files": command.done()}
