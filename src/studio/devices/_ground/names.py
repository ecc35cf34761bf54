"""Names that a file of `hardware/` gives: each once, and those with a number in them."""

from __future__ import annotations

from studio.language import _


def once(key: str, names: list[str]) -> None:
    """ValueError that says `key` where a name comes twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(_('"{key}" names {name} twice').format(key=key, name=name))
        seen.add(name)


def numbered(text: str, number: int) -> str:
    """`text` with `number` for `{n}`, and with two digits for `{nn}`."""
    return text.replace("{nn}", f"{number:02}").replace("{n}", str(number))
