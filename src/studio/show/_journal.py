"""The undo journal: what was changed on which device, kept before it is asked for, so that any later process can undo.

One file of lines of JSON for all houses of a user. Each line is written whole, at the end, under a lock of the file: a
process that is killed leaves at worst a last line that is not whole, which is passed over. Lines are handed to the
system and not forced to the disk: they survive every death of ours, not a power cut in the same second.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import platformdirs

from studio.errors import ShowError, why
from studio.language import _
from studio.show._plan import Changed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from studio.devices import Value

LARGEST = 1_000_000
"""Bytes after which the older half is let go: some thousand changes."""


def state_folder() -> Path:
    """Where we keep what is nobody's setting: `STUDIO_STATE`, else beside `STUDIO_HOME`'s files, else the system's."""
    if said := os.environ.get("STUDIO_STATE"):
        return Path(said).expanduser()
    if home := os.environ.get("STUDIO_HOME"):
        return Path(home).expanduser() / "state"
    return platformdirs.user_state_path("studio", appauthor=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """What was changed at one go and is not undone yet."""

    id: str
    time: float
    """Seconds since 1970."""
    by: str
    """Who asked for it: `set`, `recall NAME`, `pads pad1`."""
    changes: tuple[Changed, ...]
    """Those that are still to be undone."""


class Journal:
    """Of one house; all methods block for a disk and belong into a thread."""

    def __init__(self, house: str, file: Path | None = None) -> None:
        """`house` tells houses apart: the path of the `studio.toml`. `file` `None`: that of the user."""
        self._house = house
        self._file = file or state_folder() / "undo.jsonl"

    def begin(self, by: str, changes: Sequence[Changed]) -> str:
        """Keep what is about to be changed; return its name for `done`. ShowError where it cannot be kept."""
        id_ = uuid.uuid4().hex[:12]
        lines = [
            {"device": one.device, "control": one.control, "before": one.before, "wanted": one.wanted}
            for one in changes
        ]
        self._write({"id": id_, "time": round(time.time(), 3), "by": by, "house": self._house, "changes": lines})
        return id_

    def done(self, id_: str, after: Mapping[tuple[str, str], Value]) -> None:
        """Keep how the controls were reported when it was done; those left out were not reported."""
        self._write({"done": id_, "after": [[*where, value] for where, value in after.items()]})

    def undone(self, id_: str, settled: Iterable[tuple[str, str]]) -> None:
        """Keep that these controls of `id_` need no undoing any more."""
        self._write({"undone": id_, "settled": [list(where) for where in settled]})

    def last(self) -> Entry | None:
        """The last change that is not undone; `None` where there is none."""
        entries = self.entries()
        return entries[-1] if entries else None

    def entries(self) -> list[Entry]:
        """Every change that is not undone, the oldest first."""
        try:
            with self._locked("rb", fcntl.LOCK_SH) as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            return []
        return self._entries(lines)

    def _entries(self, lines: list[bytes]) -> list[Entry]:
        begun: dict[str, dict[str, Any]] = {}
        for line in lines:
            try:
                said = json.loads(line)
                if "changes" in said:
                    if said["house"] == self._house:
                        whole = {(one["device"], one["control"]): one for one in said["changes"]}
                        begun[said["id"]] = {**said, "changes": whole}
                elif "done" in said and said["done"] in begun:
                    for device, control, value in said["after"]:
                        begun[said["done"]]["changes"].get((device, control), {})["after"] = value
                elif "undone" in said and said["undone"] in begun:
                    for device, control in said["settled"]:
                        begun[said["undone"]]["changes"].pop((device, control), None)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # a line that was cut off, or of a studio that is newer than this one
        return [
            Entry(id_, float(said["time"]), str(said["by"]), tuple(Changed(**one) for one in said["changes"].values()))
            for id_, said in begun.items()
            if said["changes"]
        ]

    def _write(self, said: dict[str, Any]) -> None:
        line = json.dumps(said, ensure_ascii=False).encode() + b"\n"
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._locked("ab+", fcntl.LOCK_EX) as file:
                size = file.tell()
                if size > LARGEST:
                    size = _halve(file)
                if size:
                    file.seek(size - 1)
                    if file.read(1) != b"\n":  # what somebody was killed in the midst of
                        line = b"\n" + line
                file.write(line)
        except OSError as problem:
            raise ShowError(
                _("The undo journal {file} cannot be written ({reason}), so nothing was changed.").format(
                    file=self._file, reason=why(problem)
                )
            ) from problem

    @contextmanager
    def _locked(self, mode: str, lock: int) -> Iterator[BinaryIO]:
        with self._file.open(mode, buffering=0) as file:
            fcntl.flock(file, lock)  # goes with the file, also where we are killed
            yield file  # type: ignore[misc]  # bytes, by its mode


def _halve(file: BinaryIO) -> int:
    """Keep the newer half, in the same file: others may wait for its lock. Return what it holds now."""
    file.seek(LARGEST // 2)
    kept = file.read().partition(b"\n")[2]
    file.truncate(0)
    file.write(kept)
    return len(kept)
