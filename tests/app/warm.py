"""The command line started from a copy of Python that has read it already: a process for each command all the same.

Reading it takes a second of a whole core, and is the same each time. `warm` starts the copy; it forks for each
command, and the fork runs `studio` from its first word to its exit code.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.app.technician import Ended

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 150
"""Seconds that a command may take."""


class Warm:
    """Runs commands in a folder; from any thread, several at once."""

    def __init__(self, door: str) -> None:
        self._door = door

    def run(self, folder: Path, *arguments: object) -> Ended:
        """Run `studio` with `arguments` in `folder`, in English; its home is `folder/home`."""
        with socket.socket(socket.AF_UNIX) as line, tempfile.TemporaryFile("w+", encoding="utf-8") as said:
            line.settimeout(LIMIT)
            line.connect(self._door)
            socket.send_fds(line, [json.dumps([str(folder), *map(str, arguments)]).encode()], [said.fileno()])
            code = json.loads(line.recv(64))
            said.seek(0)
            return Ended(code, said.read())


@contextlib.contextmanager
def warm() -> Iterator[Warm]:
    """Start the copy, and end it."""
    with tempfile.TemporaryDirectory() as folder:
        door = str(Path(folder) / "door")
        copy = subprocess.Popen(
            [sys.executable, "-m", "tests.app.warm", door],
            env={**os.environ, "STUDIO_LANG": "en", "COLUMNS": "200"},
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
        )
        try:
            assert copy.stdout is not None
            assert copy.stdout.readline() == b"warm\n"
            yield Warm(door)
        finally:
            copy.kill()
            copy.communicate()


def _serve(door: str) -> None:
    """Fork for each that knocks; the first child waits for the command and tells its exit code."""
    from studio.cli import main  # noqa: PLC0415 - it chooses the language, of this process only

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them here
    with socket.create_server(door, family=socket.AF_UNIX) as knocks:
        parent = os.getppid()
        knocks.settimeout(2)
        print("warm", flush=True)  # noqa: T201 - to whoever started it
        while os.getppid() == parent:
            try:
                line, _address = knocks.accept()
            except TimeoutError:
                continue
            if os.fork():
                line.close()
                continue
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            asked, files, _flags, _address = socket.recv_fds(line, 65536, 1)
            if command := os.fork():
                line.send(json.dumps(os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])).encode())
                os._exit(0)
            folder, *arguments = json.loads(asked)
            os.chdir(folder)
            os.environ["STUDIO_HOME"] = str(Path(folder) / "home")
            for stream in (1, 2):
                os.dup2(files[0], stream)
            sys.argv = ["studio", *arguments]
            main()
            sys.exit()


if __name__ == "__main__":
    _serve(sys.argv[1])
