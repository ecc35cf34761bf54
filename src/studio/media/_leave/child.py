"""How the child that owns a connection is told: arguments, settings that are secret, the programme as MPEG-TS."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import av

from studio.events import without_stream
from studio.media._leave.recording import mux_streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.events import Destination
    from studio.media._ground.coded import Coded

logger = logging.getLogger(__name__)

SOCKET_BYTES = 512 << 10
"""How much the system may hold for a server that takes nothing, which would look like being taken. Enough for 10 Mb/s
to the other side of the world and back."""
LOOK = ("-probesize", "10000000", "-analyzeduration", "500000", "-fpsprobesize", "0")
"""The child looks at half a second of the programme before it calls: the first sound may come 0.3 s after the picture.
It has it from the last keyframe at once, mostly; measured, it calls 0.06 s after it was started then. MPEG-TS says all
that is needed in its first packets, so that no shape of file needs less."""
PROGRESS_EVERY = "0.25"
LONGEST_SECRET = 900
"""FFmpeg reads lines of a thousand bytes."""
ENVIRONMENT = frozenset({"HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ"})
"""What the child is given of our environment, which may hold the keys of every destination."""
FORMS = {".mkv": "matroska", ".mp4": "mp4", ".flv": "flv"}
"""What a file is by its ending; MPEG-TS otherwise."""


def masked(text: str, secret: str) -> str:
    """Return `text` without `secret`."""
    return text.replace(secret, "…") if secret else text


def environment(*more: str) -> dict[str, str]:
    """Return what the child may know of ours: no key, and not to write all it knows into a report of its own.

    `more`: names that it needs besides.
    """
    return {name: value for name, value in os.environ.items() if name in ENVIRONMENT or name in more}


def usable(secret: str) -> bool:
    """Whether `secret` can be written on one line of FFmpeg's settings."""
    return len(secret.encode()) < LONGEST_SECRET and not any(ord(letter) < ord(" ") for letter in secret)


def settings(destination: Destination) -> str:
    """Return the lines of FFmpeg's `-fpre` file: the place for what must not stand among the arguments."""
    url = urlsplit(destination.address)
    lines: dict[str, str] = {}
    if destination.kind == "rtmp":
        lines["send_buffer_size"] = str(SOCKET_BYTES)
        if destination.secret:
            lines["rtmp_app"] = url.path.strip("/") + (f"?{url.query}" if url.query else "")
            lines["rtmp_playpath"] = destination.secret
        if url.scheme == "rtmps":
            lines["tls_verify"] = "1"
            if trusted := os.environ.get("SSL_CERT_FILE"):
                lines["ca_file"] = trusted
    elif destination.kind == "srt":
        if stream := without_stream(destination.address)[1]:
            lines["streamid"] = stream
        if destination.secret:
            lines["passphrase"] = destination.secret
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def command(destination: Destination, file: Path | None = None, *, settings_at: int, progress_at: int) -> list[str]:
    """Return how to start the child, which reads settings from one descriptor and reports to another.

    `file` is what it writes, where the destination is one and that is taken.
    """
    # Its own words about each step are the only way to tell a wrong key from a dead network.
    words = ["ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+debug"]
    words += ["-progress", f"pipe:{progress_at}", "-stats_period", PROGRESS_EVERY]
    words += [*LOOK, "-f", "mpegts", "-i", "pipe:0", "-map", "0:v", "-map", "0:a?", "-c", "copy", "-flush_packets", "1"]
    words += ["-fpre", f"/dev/fd/{settings_at}"]
    if destination.kind == "rtmp":
        words += ["-bsf:a", "aac_adtstoasc", "-f", "flv", "-flvflags", "no_duration_filesize", destination.address]
    elif destination.kind == "srt":
        words += ["-f", "mpegts", without_stream(destination.address)[0]]
    else:
        form = FORMS.get(Path(destination.address).suffix.lower(), "mpegts")
        if form != "mpegts":  # these keep what the sound is in their head, not before each piece of it
            words += ["-bsf:a", "aac_adtstoasc"]
        # In pieces of half a second: whatever ends it, what was written can be played; and we see that it is written.
        if form == "mp4":
            words += ["-movflags", "empty_moov+default_base_moof", "-frag_duration", "500000"]
        elif form == "matroska":
            words += ["-cluster_time_limit", "500"]
        words += ["-n", "-f", form, f"file:{file or destination.address}"]
    # A relay that is killed takes its children with it, or two would send at once after its restart.
    tie = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
    return [*tie, *words]


def unused(path: Path) -> Path:
    """Return `path`, or the first of `NAME-2`, `NAME-3` … beside it that is not there: nothing is ever overwritten."""
    found, number = path, 1
    while found.exists():
        number += 1
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return found


class Ts:
    """The programme as MPEG-TS: pictures and sound say themselves what they are."""

    def __init__(self) -> None:
        """Nothing is fed yet."""
        self._out = _Bytes()
        self._file = av.open(self._out, "w", "mpegts", options={"flush_packets": "1"})
        self._streams = mux_streams(self._file)

    def mux(self, packets: Sequence[Coded]) -> bytes:
        """Return `packets` as they are to be fed."""
        for coded in packets:
            packet = coded.packet()
            packet.stream = self._streams[coded.kind]
            try:
                self._file.mux(packet)
            except av.FFmpegError as problem:  # a stamp that does not follow the one before it
                logger.warning("a packet cannot be sent: %s", problem)
        return self._out.pour()

    def close(self) -> None:
        """Let go of the muxer."""
        with contextlib.suppress(OSError, av.FFmpegError):
            self._file.close()


class _Bytes:
    """A file that is poured out from time to time."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def pour(self) -> bytes:
        data = bytes(self._data)
        self._data.clear()
        return data
