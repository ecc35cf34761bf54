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


def numbered(text: str, number: int, letter: str = "n") -> str:
    """`text` with `number` for `{n}`, with two digits for `{nn}` and with three for `{nnn}`; so for any `letter`."""
    for digits in (3, 2, 1):
        text = text.replace("{" + letter * digits + "}", f"{number:0{digits}}")
    return text
