"""Where the OBS that a show started for itself answers, kept so that `studio devices …` beside the show can ask it.

Its password is one that nobody chose and nobody can type. It stands in a file of this user alone, which goes with the
show; in no argument, log or title.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from studio import show

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from studio.venue import Venue


class OwnObs(msgspec.Struct, frozen=True):
    """How the show's own OBS is called."""

    host: str
    port: int
    password: str
    running: bool = False
    """Whether the show that started it lives: it holds a lock of the file, which goes with it however it ends."""

    def __repr__(self) -> str:
        return f"<OwnObs {self.host}:{self.port}>"


@contextmanager
def kept(venue: Venue, host: str, port: int, password: str) -> Iterator[None]:
    """Keep how the show's OBS is called until the block ends. OSError where it cannot be kept."""
    file = _file(venue)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        aside.unlink()
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0) as out:
        fcntl.flock(out, fcntl.LOCK_EX)
        out.write(msgspec.json.encode(OwnObs(host, port, password)))
        aside.replace(file)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                if os.path.samestat(file.stat(), os.fstat(out.fileno())):  # another show may have begun meanwhile
                    file.unlink()


def own_obs(venue: Venue) -> OwnObs | None:
    """The OBS that the show of this house started last, also where that show was killed; `None` where none is known."""
    try:
        with _file(venue).open("rb") as file:
            said = msgspec.json.decode(file.read(), type=OwnObs)
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return msgspec.structs.replace(said, running=True)
            return msgspec.structs.replace(said, running=False)
    except (OSError, msgspec.DecodeError):
        return None


def _file(venue: Venue) -> Path:
    house = str(venue.file.resolve()) if venue.file else ""
    return show.state_folder() / f"obs-{hashlib.sha256(house.encode()).hexdigest()[:16]}.json"
