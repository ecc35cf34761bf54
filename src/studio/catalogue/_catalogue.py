"""Finding a named file: the user's folder, else the shipped one."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TypeVar

import platformdirs

import studio
from studio.catalogue._fit import fit
from studio.catalogue._said import Place, Said, instead, over
from studio.catalogue._yaml import read_yaml
from studio.errors import DrawerError
from studio.language import _

T = TypeVar("T")

BASED_ON = "based_on"
SUFFIX = ".yaml"

_NAME = re.compile(r"[^/\\.][^/\\]*")


def user_folder() -> Path:
    """Where the house's own `studio.toml` and drawers are looked for: `STUDIO_HOME`, else the system's place for it."""
    home = os.environ.get("STUDIO_HOME")
    return Path(home).expanduser() if home else platformdirs.user_config_path("studio", appauthor=False)


def shipped_folder() -> Path:
    """The drawers that came with the program: inside the installed package, else the top of the checkout."""
    package = Path(studio.__file__).parent
    installed = package / "drawers"
    return installed if installed.is_dir() else package.parents[1]


class Catalogue:
    """The files of all drawers: those of the house, and under them those that came with the program."""

    def __init__(self, user: Path | None = None) -> None:
        """Look in `user`, the folder of the `studio.toml` in use, before the shipped drawers; `None`: only in these."""
        self._folders = [user] if user is not None else []
        self._folders.append(shipped_folder())

    def names(self, drawer: str) -> list[str]:
        """Every name in `drawer`, such as `presets/encode`, sorted."""
        return sorted({file.stem for folder in self._folders for file in (folder / drawer).glob(f"*{SUFFIX}")})

    def files(self, drawer: str) -> list[Place]:
        """Every file in `drawer`, the house's first, also the shipped ones that it replaces."""
        return [
            Place(file, None, folder)
            for folder in dict.fromkeys(self._folders)
            for file in sorted((folder / drawer).glob(f"*{SUFFIX}"))
        ]

    def load(self, drawer: str, name: str, kind: type[T], asked: Place | None = None) -> T:
        """Return the file `name` of `drawer` as a `kind`, a frozen dataclass.

        Keys are the names of its fields. `based_on: NAME` takes another file of the drawer and changes what this one
        says: a file may so build on the shipped one that it replaces. Raises DrawerError with file, line and the
        nearest right word; where there is no such name, with `asked`, the place that asks for it.
        """
        return fit(self.said(drawer, name, asked), kind)

    def load_file(self, drawer: str, place: Place, kind: type[T]) -> T:
        """Return one file of `files` as a `kind`; raises DrawerError as `load` does."""
        return fit(self._read(drawer, place), kind)

    def said(self, drawer: str, name: str, asked: Place | None = None) -> Said:
        """Return the file `name` of `drawer` as it was written, with all that it is based on."""
        return self._read(drawer, self._find(drawer, name, asked))

    def place(self, drawer: str, name: str, *path: str | int) -> Place:
        """Where `path` (keys and list positions) is said; where it is left out, what stands around it."""
        return self.said(drawer, name).at(*path).place

    def _find(self, drawer: str, name: str, asked: Place | None, but: Path | None = None) -> Place:
        if _NAME.fullmatch(name):
            for folder in self._folders:
                file = folder / drawer / f"{name}{SUFFIX}"
                if file != but and (file.exists() or file.is_symlink()):
                    return Place(file, None, folder)
        known = [other for other in self.names(drawer) if other != name]
        message = _('there is no "{name}" in {drawer}').format(name=name, drawer=drawer) + instead(name, known)
        raise asked.error(message) if asked else DrawerError(message)

    def _read(self, drawer: str, place: Place) -> Said:
        chain: list[Place] = []
        whole: Said | None = None
        while True:
            chain.append(place)
            said = read_yaml(place)
            if not isinstance(said.value, dict):
                raise place.error(_("the file must hold lines of the form “key: value”"))
            base = said.value.get(BASED_ON)
            said = Said({key: value for key, value in said.value.items() if key != BASED_ON}, said.place)
            whole = said if whole is None else over(whole, said)
            if base is None:
                return whole
            if not isinstance(base.value, str):
                raise base.place.error(_('"based_on" must be the name of another file of this drawer'))
            place = self._base(drawer, base.value, base.place, chain)

    def _base(self, drawer: str, name: str, asked: Place, chain: list[Place]) -> Place:
        # A file of the house that is based on its own name means the shipped one that it stands before.
        own = chain[-1]
        means_shipped = own.file.stem == name and own.folder != self._folders[-1]
        place = self._find(drawer, name, asked, but=own.file if means_shipped else None)
        if any(place.file == seen.file for seen in chain):
            circle = " → ".join([*(seen.file.stem for seen in chain), name])
            raise asked.error(_('"based_on" goes in a circle: {circle}').format(circle=circle))
        return place
