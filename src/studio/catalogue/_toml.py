"""TOML, with the line of every key.

`tomllib` reads the values but keeps no lines, and `tomlkit`, which keeps the text, counts none either. So the file is
read once as a whole, and a second time statement by statement: the shortest run of lines that `tomllib` takes alone is
one statement, and its keys stand on the first of these lines.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from studio.catalogue._said import Place, Said, read_text
from studio.language import _

_AT_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")

Path_ = tuple[str | int, ...]


def read_toml(file: Place) -> Said:
    """Read the file; DrawerError with one sentence for whatever is wrong with it."""
    text = read_text(file)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        found = _AT_LINE.search(str(problem))
        line = int(found[1]) if found and found[1] else text.count("\n") + 1
        reason = _AT_LINE.sub("", str(problem))
        place = Place(file.file, line, file.folder)
        raise place.error(_("this is not TOML: {reason}").format(reason=reason)) from None
    return _placed(data, (), _lines(text), Place(file.file, None, file.folder))


def _placed(value: Any, path: Path_, lines: dict[Path_, int], around: Place) -> Said:  # noqa: ANN401 - as tomllib gives it
    place = Place(around.file, lines.get(path, around.line), around.folder)
    if isinstance(value, dict):
        return Said({key: _placed(item, (*path, key), lines, place) for key, item in value.items()}, place)
    if isinstance(value, list):
        return Said(tuple(_placed(item, (*path, n), lines, place) for n, item in enumerate(value)), place)
    if isinstance(value, str | int | float):
        return Said(value, place)
    return Said(str(value), place)  # a date stays the text that it is


def _lines(text: str) -> dict[Path_, int]:
    """Return the line of each key of a text that is known to be good."""
    lines: dict[Path_, int] = {}
    counts: dict[Path_, int] = {}
    table: Path_ = ()
    statement: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        statement.append(line + "\n")
        try:
            said = tomllib.loads("".join(statement))
        except tomllib.TOMLDecodeError:
            continue  # it goes on in the next line
        first = number - len(statement) + 1
        opens = statement[0].lstrip().startswith("[")
        statement.clear()
        if opens:
            table = _table(said, counts)
            lines[table] = first
            lines.setdefault(table[:-1], first)
        else:
            _keys(said, table, first, lines)
    return lines


def _table(said: dict[str, Any], counts: dict[Path_, int]) -> Path_:
    """Return the full path of the table that a header such as `[a.b]` or `[[a.b]]` opens; count the second kind."""
    path: Path_ = ()
    inside: Any = said
    while inside:
        if isinstance(inside, list):
            counts[path] = counts.get(path, -1) + 1
            inside = inside[0]
        else:
            (key,) = inside
            if path in counts:  # a table inside the latest of a list of tables
                path = (*path, counts[path])
            path = (*path, key)
            inside = inside[key]
    return (*path, counts[path]) if inside == {} and path in counts else path


def _keys(said: dict[str, Any], table: Path_, line: int, lines: dict[Path_, int]) -> None:
    for key, value in said.items():
        lines.setdefault((*table, key), line)
        if isinstance(value, dict):
            _keys(value, (*table, key), line, lines)
