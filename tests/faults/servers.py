"""Servers as they stand at the other end of the line, on loopback, with many ways to be bad; and a programme."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import av
import numpy as np
from tests.ports import free_port

from studio.media import EncodePreset
from studio.media._air.encode import PictureEncoder
from studio.media._ground.aac import SoundEncoder
from studio.media._ground.clock import RATE, Ticks
from studio.media._ground.coded import Coded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

KEY = "klucz-do-sceny"
"""The stream key that the servers take."""
PASSPHRASE = "tajne-haslo-studia"  # noqa: S105 - of a server that lives as long as a test
FPS = 25
LOOP = 4
"""Seconds of the programme that are made; they are sent again and again."""

NGINX = """
load_module {module};
daemon off;
master_process off;
user root;
pid {folder}/pid;
error_log {folder}/error.log info;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/t1;
    proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4;
    scgi_temp_path {folder}/t5;
    server {{
        listen 127.0.0.1:{http};
        location /publish {{
            if ($arg_name = "{key}") {{ return 204; }}
            return 403;
        }}
        location /stat {{ rtmp_stat all; }}
    }}
}}
rtmp {{
    server {{
        listen 127.0.0.1:{port};
        application live {{
            live on;
            notify_method get;
            on_publish http://127.0.0.1:{http}/publish;
            record {record};
            record_path {folder};
            record_unique on;
        }}
    }}
}}
"""


def until(is_so: Callable[[], object], within: float = 60) -> float:
    """Wait until something is so; return how long that took."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < within, "it did not come to be so"
        time.sleep(0.02)
    return time.monotonic() - began


class Server:
    """A process that can be killed, stopped and started again on its port."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._command = list(command)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


class Nginx(Server):
    """nginx-rtmp; it takes `key` only, and says what it has received."""

    def __init__(self, folder: Path, *, key: str = KEY, record: bool = False) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.port, self._http = free_port(), free_port()
        self._record = "all" if record else "off"
        super().__init__([nginx(), "-p", str(folder), "-c", str(folder / "nginx.conf")], folder / "log")
        self.take(key)

    def take(self, key: str) -> None:
        """Take this key from the next start on."""
        module = next(path for path in MODULES if os.path.exists(path))  # noqa: PTH110
        text = NGINX.format(
            module=module, folder=self.folder, http=self._http, port=self.port, key=key, record=self._record
        )
        if os.geteuid():
            text = text.replace("user root;\n", "")
        (self.folder / "nginx.conf").write_text(text)

    @property
    def address(self) -> str:
        return f"rtmp://127.0.0.1:{self.port}/live"

    def received(self) -> int:
        """Bytes of what is published just now; 0 while nothing is."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._http}/stat", timeout=2) as answer:
                found = re.search(r"<stream>.*?<bytes_in>(\d+)<", answer.read().decode(), re.DOTALL)
        except OSError:
            return 0
        return int(found.group(1)) if found else 0


MODULES = ("/usr/lib/nginx/modules/ngx_rtmp_module.so", "/usr/lib64/nginx/modules/ngx_rtmp_module.so")


def nginx() -> str:
    return shutil.which("nginx") or "/usr/sbin/nginx"


class Viewer(Server):
    """Watches what is published with the key, and hands it on by UDP."""

    def __init__(self, server: Nginx, to: int) -> None:
        watch = ["ffmpeg", "-v", "error", "-nostdin", "-probesize", "300000", "-i", f"{server.address}/{KEY}"]
        hand_on = ["-c", "copy", "-f", "mpegts", "-flush_packets", "1", f"udp://127.0.0.1:{to}?pkt_size=1316"]
        super().__init__([*watch, *hand_on], server.folder / "viewer.log")


class Srt(Server):
    """srt-live-transmit; it hands on by UDP what it receives."""

    def __init__(self, folder: Path, to: int, passphrase: str = PASSPHRASE) -> None:
        folder.mkdir(exist_ok=True)
        self.port = free_port()
        listen = f"srt://127.0.0.1:{self.port}?mode=listener&passphrase={passphrase}"
        super().__init__(["srt-live-transmit", "-a", "yes", listen, f"udp://127.0.0.1:{to}"], folder / "log")

    @property
    def address(self) -> str:
        return f"srt://127.0.0.1:{self.port}"


class Arrivals:
    """When datagrams came."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.port: int = self._socket.getsockname()[1]
        self.times: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                self._socket.recv(65536)
                self.times.append(time.monotonic())

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()


class Growth(Arrivals):
    """When a file grew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        super().__init__()

    def _listen(self) -> None:
        size = 0
        while not self._over.is_set():
            with contextlib.suppress(FileNotFoundError):
                now = self._path.stat().st_size
                if now > size:
                    size = now
                    self.times.append(time.monotonic())
            time.sleep(0.005)


class Pulse(Arrivals):
    """When this process had its turn: what it misses on a busy machine, nobody here can be blamed for."""

    def _listen(self) -> None:
        while not self._over.is_set():
            self.times.append(time.monotonic())
            time.sleep(0.005)

    @property
    def longest(self) -> float:
        """Seconds that it waited for its turn at the most."""
        return largest_gap(self.times, self.times[0], time.monotonic())


def largest_gap(times: Sequence[float], begin: float, end: float) -> float:
    """Seconds from one to the next at the most, of those in [begin, end]."""
    inside = [begin, *(at for at in times if begin < at < end), end]
    return max(later - earlier for earlier, later in pairwise(inside))


class Hole:
    """A port that swallows whoever calls: the packets of a call get no answer at all."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self._socket.listen(0)
        self._callers = []
        for _number in range(4):  # its queue is full of these
            caller = socket.socket()
            caller.settimeout(0)
            with contextlib.suppress(BlockingIOError):
                caller.connect(("127.0.0.1", port))
            self._callers.append(caller)

    def close(self) -> None:
        for caller in (*self._callers, self._socket):
            caller.close()


class Narrow:
    """A line to a server that takes so many bytes a second; `None`: as many as come."""

    def __init__(self, to: int, rate: int | None) -> None:
        self._to = to
        self.rate = rate
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen()
        self._socket.settimeout(0.2)
        self.port: int = self._socket.getsockname()[1]
        self._over = threading.Event()
        self._ends: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                caller, _address = self._socket.accept()
            except TimeoutError:
                continue
            caller = self._welcome(caller)
            server = socket.create_connection(("127.0.0.1", self._to))
            self._ends += [caller, server]
            for one, other, narrow in ((caller, server, True), (server, caller, False)):
                thread = threading.Thread(target=self._pump, args=(one, other, narrow), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _welcome(self, caller: socket.socket) -> socket.socket:
        return caller

    def _pump(self, one: socket.socket, other: socket.socket, narrow: bool) -> None:  # noqa: FBT001
        one.settimeout(0.2)
        while not self._over.is_set():
            try:
                rate = self.rate if narrow else None
                data = one.recv(65536 if rate is None else max(1, rate // 20))
            except TimeoutError:
                continue
            except OSError:
                break
            if not data:
                break
            with contextlib.suppress(OSError):
                other.sendall(data)
            if rate is not None:
                self._over.wait(0.05)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        for end in (*self._ends, self._socket):
            end.close()


class Tls(Narrow):
    """TLS before a server that has none."""

    def __init__(self, to: int, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.certificate, key = folder / "certificate.pem", folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(self.certificate)],
            check=True, capture_output=True,
        )  # fmt: skip
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, key)
        super().__init__(to, None)

    def _welcome(self, caller: socket.socket) -> socket.socket:
        caller.settimeout(5)
        try:
            return self._context.wrap_socket(caller, server_side=True)
        except OSError:  # it does not trust us
            return caller


# ── a programme ───────────────────────────────────────────────────────────────────────────────────────────────────────


def make_programme(*, size: tuple[int, int] = (640, 360), kilobits: int = 1500) -> list[Coded]:
    """Encode `LOOP` seconds as the air does: a keyframe each second, moving noise that takes its bits."""
    width, height = size
    preset = EncodePreset(preset="ultrafast", threads=1, quality=20, video_bitrate=kilobits, keyframe_seconds=1.0)
    chance = np.random.default_rng(4)
    pictures: PictureEncoder | None = None
    sounds = SoundEncoder(preset)
    coded: list[Coded] = []
    wave = (8000 * np.sin(2 * np.pi * 440 * np.arange(48_000 * LOOP) / 48_000)).astype(np.int16)
    coded += sounds.encode(np.stack([wave, wave], axis=1), 0)
    coded += sounds.flush()
    for number in range(LOOP * FPS):
        noise = chance.integers(0, 255, (height // 8, width // 8), np.uint8)
        plane = np.full((height * 3 // 2, width), 128, np.uint8)
        plane[:height] = np.repeat(np.repeat(noise, 8, axis=0), 8, axis=1)
        frame = av.VideoFrame.from_ndarray(plane, format="yuv420p")
        pictures = pictures or PictureEncoder(preset, frame, FPS)
        coded += pictures.encode(frame, Ticks(number * RATE // FPS))
    if pictures is not None:
        coded += pictures.flush()
    whole = Ticks(LOOP * RATE)
    return sorted((one for one in coded if one.stamp < whole), key=lambda one: one.stamp)


class Taker(Protocol):
    def write(self, packets: Sequence[Coded]) -> None: ...


class Air:
    """Hands a programme out in real time, as the relay's air does, and takes note of how long it was kept waiting."""

    def __init__(self, programme: Sequence[Coded], *takers: Taker) -> None:
        self._programme = programme
        self._takers = takers
        self._over = threading.Event()
        self.longest = 0.0
        """Seconds that one turn took at the most."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        began = time.monotonic()
        turn = place = 0
        while not self._over.is_set():
            now = (time.monotonic() - began) * RATE
            due: list[Coded] = []
            while (at := turn * LOOP * RATE + self._programme[place].stamp) <= now:
                one = self._programme[place]
                due.append(Coded(one.kind, Ticks(at), one.key, one.data, one.duration))
                place += 1
                if place == len(self._programme):
                    turn, place = turn + 1, 0
            before = time.monotonic()
            for taker in self._takers:
                taker.write(due)
            self.longest = max(self.longest, time.monotonic() - before)
            self._over.wait(0.02)

    def close(self) -> None:
        self._over.set()
        self._thread.join()
