"""Changing a file of a drawer so that what people wrote around it stays: comments, order, quotes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from studio.catalogue._said import Place, read_text
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WIDTH = 120


def amended(file: Path, change: Callable[[dict[str, Any]], None]) -> str:
    """Return what the YAML file says after `change` was at its top, with every comment where it stood.

    Nothing is written. Raises DrawerError where the file cannot be read, or is no mapping.
    """
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True
    yaml.width = WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    place = Place(file)
    try:
        data = yaml.load(read_text(place))
    except YAMLError as problem:
        raise place.error(_("this is not YAML: {reason}").format(reason=" ".join(str(problem).split()))) from None
    if not isinstance(data, dict):
        raise place.error(_("the file is empty"))
    change(data)
    written = io.StringIO()
    yaml.dump(data, written)
    return written.getvalue()
