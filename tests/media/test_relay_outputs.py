from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING

from studio.media._ground.clock import Ticks
from studio.media._ground.coded import Coded
from studio.media._leave.outputs import Output

if TYPE_CHECKING:
    from pathlib import Path


class Disk:
    """What is full until somebody makes room."""

    def __init__(self) -> None:
        self.full = False
        self.sinks: list[DiskFile] = []

    def make(self) -> DiskFile:
        self.sinks.append(DiskFile(self))
        return self.sinks[-1]


class DiskFile:
    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.detail = f"file {len(disk.sinks)}"
        self.written: list[Coded] = []
        self.closed = False

    def write(self, coded: Coded) -> None:
        if self.disk.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.written.append(coded)

    def close(self) -> None:
        self.closed = True


KEY = Coded("picture", Ticks(0), True, b"key", Ticks(3600))  # noqa: FBT003 - `key`
OTHER = Coded("picture", Ticks(3600), False, b"other", Ticks(3600))  # noqa: FBT003


def test_an_output_goes_on_by_itself_when_there_is_room_again(tmp_path: Path) -> None:
    disk, said = Disk(), list[str]()
    output = Output("recording", tmp_path, disk.make, said.append, again=0.05, proof=0.05)
    output.write([KEY, OTHER])
    disk.full = True
    for _turn in range(20):
        output.write([KEY])
        time.sleep(0.01)
    assert output.report().state == "failed"
    assert len(said) == 1
    assert "is full, so the recording has stopped" in said[0]
    disk.full = False
    until = time.monotonic() + 60
    while len(said) < 2 and time.monotonic() < until:
        output.write([OTHER, KEY])
        time.sleep(0.01)
    assert said[1].startswith("recording is back")
    assert output.report().state == "on air"
    *gone, last = disk.sinks
    assert all(sink.closed for sink in gone)
    assert last.written[0] is KEY
    output.close()
    assert last.closed
