"""Exports as the Studio page asks for them: one at a time, in a thread that gives way to everything else."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from studio.app._behind import behind
from studio.errors import StudioError, VocalError
from studio.language import _
from studio.vocal import PRESETS, VoicePreset, export

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from studio.catalogue import Catalogue
    from studio.vocal import Delivery, Left, Session

logger = logging.getLogger(__name__)


class _CalledOffError(Exception):
    pass


class VocalLeaving:
    """The exports of one session. `close` waits for the one that runs, which ends at its next step."""

    def __init__(self, session: Session, catalogue: Catalogue) -> None:
        """`catalogue` has the presets."""
        self._session = session
        self._catalogue = catalogue
        self._task: asyncio.Task[None] | None = None
        self._over = False
        self._name = ""
        self._share = 0.0
        self._trouble: list[str] = []
        self._left: list[dict[str, Any]] = []
        self._problem: StudioError | None = None

    @property
    def presets(self) -> list[str]:
        """What voices may go through."""
        return self._catalogue.names(PRESETS)

    @property
    def running(self) -> bool:
        """Whether files are being made."""
        return self._task is not None and not self._task.done()

    def now(self) -> dict[str, Any]:
        """How far it is, and what came of the last one."""
        return {
            "running": self.running,
            "name": self._name,
            "share": self._share,
            "trouble": self._trouble,
            "left": self._left,
        }

    async def begin(self, wanted: Delivery) -> None:
        """Begin to export; return when the first sound is mixed, or all is done.

        Raises StudioError where another export runs, where somebody has not given consent, and as `vocal.export` does.
        """
        if self.running:
            raise VocalError(_("Another export is being made; wait for it."))
        self._name, self._share, self._trouble, self._left, self._problem = "", 0.0, [], [], None
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()

        def told(name: str, share: float) -> None:
            if self._over:
                raise _CalledOffError
            self._name, self._share = name, share
            loop.call_soon_threadsafe(begun.set)

        self._task = asyncio.create_task(self._make(wanted, told))
        first = asyncio.create_task(begun.wait())
        try:
            await asyncio.wait({self._task, first}, return_when="FIRST_COMPLETED")
        finally:
            first.cancel()
        if self._problem is not None and not begun.is_set():
            raise self._problem

    async def close(self) -> None:
        """Make no more."""
        self._over = True
        if self._task is not None:
            await asyncio.wait({self._task})

    def file(self, name: str) -> Path:
        """Where a file is that left into the session's folder, by its name there. Raises VocalError for any other."""
        left = {file for entry in self._session.state.exported for file in entry.files}
        inside = name in left and not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts
        path = self._session.folder / name
        if not inside or not path.is_file():
            raise VocalError(_("{file} is not there any more; export it again.").format(file=name))
        return path

    async def _make(self, wanted: Delivery, told: Callable[[str, float], None]) -> None:
        def work() -> tuple[Left, ...]:
            preset = self._catalogue.load(PRESETS, wanted.preset_name, VoicePreset)
            return export(self._session, replace(wanted, preset=preset), progress=told, say=self._trouble.append)

        try:
            made = await behind("vocal: export", work)
        except _CalledOffError:
            return
        except StudioError as problem:
            self._problem = problem
            self._trouble.append(str(problem))
        except Exception as problem:
            logger.exception("an export failed")
            self._trouble.append(f"{type(problem).__name__}: {problem}")
        else:
            self._left = [
                {"name": one.name, "files": list(one.entry.files), "loudness": one.entry.loudness} for one in made
            ]
