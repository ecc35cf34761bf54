"""Snapshots: files of `presets/snapshots/`, each a partial desired state with a name."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.errors import ShowError, why
from studio.language import _

if TYPE_CHECKING:
    from studio.show._plan import Desired, Reported

DRAWER = "presets/snapshots"

_NAME = re.compile(r"[^/\\.\s][^/\\\x00-\x1f]{0,79}")
_PLAIN = re.compile(r"[A-Za-z][\w./-]*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How devices shall stand; what is left out stays as it is."""

    set: Mapping[str, Mapping[str, float | str | bool]]
    """Device → control → value."""
    note: str = ""
    """What it is for, and when it was taken."""


def taken(reported: Reported, wanted: Mapping[str, set[str]]) -> dict[str, dict[str, float | str | bool]]:
    """Return how the controls `wanted` (by device) stand, as far as it is reported and can be set again."""
    found: dict[str, dict[str, float | str | bool]] = {}
    for device, names in wanted.items():
        seen = reported[device]
        for name, control in seen.controls.items():
            now = seen.values.get(name)
            if name in names and control.writable and now and now.source == "reported" and now.value is not None:
                found.setdefault(device, {})[name] = now.value
    return found


def save_snapshot(folder: Path, name: str, desired: Desired, note: str, *, replace: bool) -> Path:
    """Write `name` into the drawer of `folder`, whole or not at all; return its file.

    Raises ShowError where there is one already and it shall not be replaced, or where it cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise ShowError(_("{name} is no name for a snapshot; choose a few letters.").format(name=repr(name)))
    file = folder / DRAWER / f"{name}.yaml"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, prefix=".", delete=False) as aside:
            try:
                aside.write(_yaml(desired, note))
                aside.flush()
                os.fsync(aside.fileno())
                Path(aside.name).chmod(0o644)
                if replace:
                    Path(aside.name).replace(file)
                else:
                    os.link(aside.name, file)  # fails where there is one, also one that is only just written
            finally:
                Path(aside.name).unlink(missing_ok=True)
    except FileExistsError:
        raise ShowError(
            _('There is a snapshot "{name}" already; choose another name, or replace it with --replace.').format(
                name=name
            )
        ) from None
    except OSError as problem:
        raise ShowError(
            _("The snapshot cannot be written to {file} ({reason}).").format(file=file, reason=why(problem))
        ) from problem
    return file


def _yaml(desired: Desired, note: str) -> str:
    lines = [f"note: {_text(note)}"] if note else []
    lines.append("set:")
    for device, controls in desired.items():
        lines.append(f"  {_text(device)}:")
        lines += [f"    {_text(control)}: {_value(value)}" for control, value in controls.items()]
    return "\n".join(lines) + "\n"


def _value(value: float | str | bool) -> str:  # noqa: FBT001 - a mute is a bool
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _text(key: str) -> str:
    return key if _PLAIN.fullmatch(key) and key.casefold() not in _WORDS else _quoted(key)


def _quoted(text: str) -> str:
    """As YAML reads it between double quotes."""
    kept = (letter if letter.isprintable() else f"\\U{ord(letter):08x}" for letter in re.sub(r'(["\\])', r"\\\1", text))
    return f'"{"".join(kept)}"'
