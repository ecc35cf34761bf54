"""What a room shows at its door and reads only when somebody asks for it."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def later(package: str, places: Mapping[str, str]) -> Callable[[str], object]:
    """Return the `__getattr__` (PEP 562) of a package that has `places`: names, and the file of each in the package.

    A file is read when one of its names is asked for the first time; what it is then stays.
    """

    def found(name: str) -> object:
        if name not in places:
            raise AttributeError(name)
        what = getattr(importlib.import_module(f"{package}.{places[name]}"), name)
        setattr(sys.modules[package], name, what)
        return what

    return found
