"""An OBS of our own: a private configuration, a screen where there is none, and a supervisor for each."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import shutil
import signal
import socket
from typing import TYPE_CHECKING

from studio.errors import DeviceError
from studio.language import _
from studio.supervise import Child, Supervisor
from studio.wire import obs as wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

logger = logging.getLogger(__name__)

SCREEN = "1280x720x24"
SCREEN_DEADLINE = 10.0
"""Seconds for Xvfb to come up; it takes 0.1, on a busy machine 2."""
LOOK = 0.05
"""Seconds between two looks at what Xvfb wrote."""
GRACE = 12.0
"""Seconds OBS may take to leave: it waits 5 for its WebSocket clients, and writes its scenes."""


async def obs_answers(host: str, port: int) -> bool:
    """Whether anything listens where OBS's WebSocket would."""
    try:
        async with asyncio.timeout(2):
            _reader, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


class ObsProcess:
    """OBS as a child of ours, started again when it dies; without a DISPLAY on an Xvfb of its own.

    Its WebSocket listens on all interfaces: OBS 29 to 31 know no way to bind it to loopback. So it takes a password of
    192 random bits that nobody chose, which stands in files that only this user may read and in no argument list; and
    `port` 0 finds it a free port. A hall whose network is not its own closes that port in its firewall.
    Tried with OBS 29; the files that OBS 30.1 and later read instead are written beside, after their source.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        folder: Path,
        collection: wire.Collection,
        *,
        port: int = 0,
        video_kbps: int = 2500,
        changed: Callable[[str, int | None], None] | None = None,
    ) -> None:
        """Prepare an OBS that lives in `folder`; picture size and rate are the collection's.

        `port` 0 takes a free one. `changed` is told of OBS what `Supervisor` tells. Raises DeviceError where OBS, or
        what it needs without a screen, is not installed.
        """
        self._folder = folder.absolute()
        self._collection = collection
        self._video_kbps = video_kbps
        self.port = port or _free_port()
        self.password = secrets.token_urlsafe(24)
        self._env = self._environment()
        self._screen = None if os.environ.get("DISPLAY") else self._new_screen()
        self._shown = asyncio.Event()
        self._dark = asyncio.Event()
        self._dark.set()
        self._read = 0
        program = _program("obs", "obs-studio", _("OBS is not installed"))
        self._obs = Supervisor(
            Child(
                name="obs",
                command=[
                    program,
                    *("--multi", "--collection", wire.NAME, "--profile", wire.NAME, "--minimize-to-tray"),
                    *("--disable-missing-files-check", "--disable-updater", "--disable-shutdown-check"),
                    "--websocket_ipv4_only",
                ],
                env=self._env,
                log=self._folder / "obs.log",
                stop_signal=signal.SIGINT,  # it ignores SIGTERM
                grace=GRACE,
                final=lambda _code: False,  # whoever closes its window during a show gets it back
            ),
            changed,
        )

    def __repr__(self) -> str:
        return f"<ObsProcess {self.host}:{self.port} {self.pid}>"

    @property
    def pid(self) -> int | None:
        """OBS's process number, or `None` while it does not run."""
        return self._obs.pid

    @property
    def screen_pid(self) -> int | None:
        """Xvfb's process number, or `None` where there is none."""
        return self._screen.pid if self._screen else None

    async def run(self) -> None:
        """Keep OBS (and its screen) running until `stop`; cancelling ends both at once."""
        self._write()
        async with asyncio.TaskGroup() as tasks:
            helpers = []
            if self._screen:
                helpers = [tasks.create_task(self._screen.run()), tasks.create_task(self._follow_screen())]
                await self._shown.wait()
            await self._obs.run()
            if self._screen:
                await self._screen.stop()
            for helper in helpers:
                helper.cancel()

    async def stop(self) -> None:
        """Ask OBS to leave, as its own window would; `run` then returns. Idempotent."""
        await self._obs.stop()

    def _new_screen(self) -> Supervisor:
        program = _program("Xvfb", "xvfb", _("This machine has no screen for OBS"))
        return Supervisor(
            Child(
                name="xvfb",
                # It finds itself a free display and writes its number to descriptor 1, our log.
                command=[program, "-displayfd", "1", "-screen", "0", SCREEN, "-nolisten", "tcp", "-noreset"],
                log=self._folder / "xvfb.log",
                grace=3.0,
                final=lambda _code: False,
            ),
            lambda state, _number: self._screen_lost() if state == "lost" else None,
        )

    def _screen_lost(self) -> None:
        """What the log holds is of the life that ended; the next number in it is the next life's."""
        self._read = (self._folder / "xvfb.log").stat().st_size
        self._shown.clear()
        self._dark.set()

    async def _follow_screen(self) -> None:
        """Tell OBS of the display of each life of Xvfb; an OBS whose screen died ends by itself and is started anew."""
        log = self._folder / "xvfb.log"
        loop = asyncio.get_running_loop()
        began = loop.time()
        ever = False
        while True:
            await self._dark.wait()
            numbers = _displays(log, self._read)
            if numbers:
                self._env["DISPLAY"] = f":{numbers[-1]}"
                self._dark.clear()
                ever = True
                self._shown.set()
            elif not ever and loop.time() - began > SCREEN_DEADLINE:
                raise DeviceError(_("No screen could be made for OBS; what Xvfb says is in {log}.").format(log=log))
            await asyncio.sleep(LOOK)

    def _environment(self) -> dict[str, str]:
        env = {"XDG_CONFIG_HOME": str(self._folder / "config"), "QT_QPA_PLATFORM": "xcb"}
        if "XDG_RUNTIME_DIR" not in os.environ:
            env["XDG_RUNTIME_DIR"] = str(self._folder / "run")
        if not os.environ.get("DISPLAY"):
            env["LIBGL_ALWAYS_SOFTWARE"] = "1"
        return env

    def _write(self) -> None:
        """Write OBS's configuration, anew at each show: the scenes it saved itself stay."""
        config = self._folder / "config" / "obs-studio"
        for ours in (self._folder / "run", self._folder / "config"):
            ours.mkdir(parents=True, exist_ok=True)
            ours.chmod(0o700)  # OBS writes the files in it anew when it leaves, readable for all
        (self._folder / "xvfb.log").write_bytes(b"")
        settings = wire.global_ini(self.port, self.password)
        size = self._collection
        _write_private(config / "global.ini", settings)
        _write_private(config / "user.ini", settings)
        _write_private(
            config / "plugin_config" / "obs-websocket" / "config.json", wire.websocket_json(self.port, self.password)
        )
        recordings = self._folder / "recordings"
        recordings.mkdir(exist_ok=True)
        profile = wire.basic_ini(size.width, size.height, size.fps, self._video_kbps, recordings)
        _write_private(config / "basic" / "profiles" / wire.NAME / "basic.ini", profile)
        scenes = config / "basic" / "scenes" / f"{wire.NAME}.json"
        if not scenes.exists():
            _write_private(scenes, wire.scenes_json(size.scenes[0].name))


def _displays(log: Path, begin: int) -> list[int]:
    """Numbers of displays that Xvfb wrote into its log after its first `begin` bytes; a line half written is none."""
    with log.open("rb") as file:
        file.seek(begin)
        return [int(line) for line in file.read().split(b"\n")[:-1] if line.strip().isdigit()]


def _write_private(path: Path, text: str) -> None:
    """Write `text` where nobody else ever could read it, not even while it is written."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _program(name: str, package: str, missing: str) -> str:
    program = shutil.which(name)
    if program is None:
        raise DeviceError(
            _("{missing}: install the package {package} (sudo apt install {package}).").format(
                missing=missing, package=package
            )
        )
    return program


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
