"""Names and pictures of a camera's presets, in a small file for each camera in the house's folder."""

from __future__ import annotations

import logging
import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from studio.errors import DeviceError, why
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

DRAWER = Path("presets") / "cameras"
"""Below the house's folder."""
LARGEST = 4_000_000
"""Bytes of a picture; a thumbnail has about 20,000."""

_JPEG = b"\xff\xd8\xff"


class _File(msgspec.Struct):
    camera: str
    presets: dict[str, str]


class Album:
    """What the house calls the presets of one camera, and how they look. It lives on the disk of whoever runs it."""

    def __init__(self, folder: Path | None, camera: str) -> None:
        """Read what is kept below `folder`; `None`: nothing is kept. A file that cannot be read is set aside."""
        self._camera = camera
        self._folder = folder / DRAWER if folder else None
        self._stem = _stem(camera)
        self._names: dict[int, str] = self._read()

    @property
    def names(self) -> Mapping[int, str]:
        """Of the presets that have one."""
        return self._names

    def find(self, text: str) -> int | None:
        """The preset that is called `text`, in capitals or not; `None` where none is."""
        wanted = text.strip().casefold()
        return next((number for number, name in self._names.items() if name.casefold() == wanted), None)

    def call(self, number: int, name: str) -> None:
        """Keep `name` for a preset; empty: it has none any more. Raises DeviceError where it cannot be written."""
        name = " ".join(name.split())
        if self._names.get(number, "") == name:
            return
        kept = {**self._names, number: name} if name else {n: each for n, each in self._names.items() if n != number}
        known = {str(n): each for n, each in sorted(kept.items())}
        self._write(f"{self._stem}.json", msgspec.json.format(msgspec.json.encode(_File(self._camera, known))))
        self._names = kept

    def forget(self, number: int) -> None:
        """Keep neither name nor picture of a preset that is no more."""
        self.call(number, "")
        if picture := self.picture(number):
            picture.unlink(missing_ok=True)

    def picture(self, number: int) -> Path | None:
        """The file that shows a preset; `None` where there is none."""
        file = self._folder / f"{self._stem}-{number}.jpg" if self._folder else None
        return file if file and file.exists() else None

    def keep(self, number: int, jpeg: bytes) -> None:
        """Keep `jpeg` as the picture of a preset. Raises DeviceError for what is none, or cannot be written."""
        if not jpeg.startswith(_JPEG) or len(jpeg) > LARGEST:
            raise DeviceError(_("What came as the picture of a preset is no small JPEG; none is kept."))
        self._write(f"{self._stem}-{number}.jpg", jpeg)

    def _read(self) -> dict[int, str]:
        file = self._folder / f"{self._stem}.json" if self._folder else None
        if file is None or not file.exists():
            return {}
        try:
            said = msgspec.json.decode(file.read_bytes(), type=_File)
            return {int(number): name for number, name in said.presets.items() if name}
        except (OSError, ValueError, msgspec.MsgspecError) as problem:
            logger.warning("%s cannot be read (%s) and is set aside", file, problem)
            file.replace(file.with_suffix(".broken"))
            return {}

    def _write(self, name: str, data: bytes) -> None:
        if self._folder is None:
            return
        aside = self._folder / f"{name}.new"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            aside.write_bytes(data)
            aside.replace(self._folder / name)
        except OSError as problem:
            raise DeviceError(
                _("{file} cannot be written ({problem}); is the disk full?").format(
                    file=self._folder / name, problem=why(problem)
                )
            ) from problem


def _stem(camera: str) -> str:
    """A name for files: the camera's own where it can be one, else with a mark that keeps two alike apart."""
    plain = re.sub(r"[^\w-]+", "-", camera).strip("-") or "camera"
    return plain if plain == camera else f"{plain}-{zlib.crc32(camera.encode()):08x}"
