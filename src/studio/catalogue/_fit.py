"""From what somebody wrote to a frozen dataclass, by its type hints."""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from studio.catalogue._said import Said, instead, nearest
from studio.errors import DrawerError
from studio.language import _

T = TypeVar("T")

NOT_SAID = "not said"
"""Key of a field's metadata: true for a field that the program fills, which no file may say."""


def fit(said: Said, kind: type[T]) -> T:
    """Return `said` as a `kind`; DrawerError at the first line that does not fit, with the others in its `also`.

    Fields are named in the file as in the dataclass. A path counts from the folder of the file that says it. A union of
    dataclasses is told apart by the name of their first field. A `ValueError` of `__post_init__` is a sentence for the
    user and stands at the line of the first field that it names (of the item in its list that it repeats in quotes),
    else of the one whose value it repeats in quotes.
    """
    return cast("T", _fit(said, kind, ""))


def _fit(said: Said, kind: Any, name: str) -> Any:  # noqa: ANN401, PLR0911 - one answer for each kind of hint
    kind, limits = _bare(kind)
    origin = get_origin(kind)
    if dataclasses.is_dataclass(kind):
        return _dataclass(said, cast("type", kind), name)
    if origin in (Union, types.UnionType):
        return _union(said, get_args(kind), name)
    if origin is Literal:
        return _one_of(said, {str(value): value for value in get_args(kind)}, name)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _one_of(said, {str(member.value): member for member in kind}, name)
    if origin in (tuple, list, frozenset, set, Sequence, Collection):
        return _several(said, origin, get_args(kind), name)
    if origin in (dict, Mapping):
        return _mapping(said, get_args(kind), name)
    return _within(_scalar(said, kind, name), limits, said, name)


def _bare(kind: Any) -> tuple[Any, list[msgspec.Meta]]:  # noqa: ANN401 - a type hint has no type
    limits: list[msgspec.Meta] = []
    while True:
        if isinstance(kind, NewType):
            kind = kind.__supertype__
        elif get_origin(kind) is Annotated:
            limits += [extra for extra in get_args(kind)[1:] if isinstance(extra, msgspec.Meta)]
            kind = get_args(kind)[0]
        else:
            return kind, limits


def _dataclass(said: Said, kind: type, name: str) -> Any:  # noqa: ANN401 - an instance of `kind`
    if not isinstance(said.value, dict):
        raise _wrong(said, name, _("lines of the form “key: value”"))
    fields = {field.name: field for field in dataclasses.fields(kind) if not field.metadata.get(NOT_SAID)}
    hints = get_type_hints(kind, include_extras=True)
    problems = _Problems()
    given = {}
    for key, value in said.value.items():
        with problems:
            if key not in fields:
                raise value.place.error(_('"{key}" is not known here').format(key=key) + instead(str(key), fields))
            given[str(key)] = _fit(value, hints[str(key)], str(key))
    for field in fields.values():
        needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if needed and field.name not in said.value:
            with problems:
                raise said.place.error(_('"{key}" is missing').format(key=field.name))
    problems.settle()
    try:
        return kind(**given)
    except ValueError as problem:
        raise _blamed(str(problem), said.at(*_named(str(problem), said.value))).place.error(str(problem)) from None


class _Problems:
    """Lets a mistake wait until its neighbours have been read: whoever corrects a file wants all of them at once."""

    def __init__(self) -> None:
        self._found: list[DrawerError] = []

    def __enter__(self) -> None:
        """Hold back a DrawerError of the block."""

    def __exit__(self, _kind: object, problem: BaseException | None, _trace: object) -> bool:
        if isinstance(problem, DrawerError):
            self._found.append(problem)
        return isinstance(problem, DrawerError)

    def settle(self) -> None:
        """Raise the first of the mistakes, with the others behind it."""
        if self._found:
            first, *others = self._found
            first.also += tuple(others)
            raise first


def _named(sentence: str, fields: Mapping[Any, Said]) -> list[str]:
    """Return the first of `fields` that a sentence names, else the one whose value it repeats in quotes, if any."""
    names = [word for word in re.findall(r"\w+", sentence) if word in fields]
    values = [str(key) for key, said in fields.items() if isinstance(said.value, str) and f'"{said.value}"' in sentence]
    return (names + values)[:1]


def _blamed(sentence: str, said: Said) -> Said:
    """Return the last item of a list that says what a sentence repeats in quotes, else the list as a whole."""
    for item in reversed(said.value) if isinstance(said.value, tuple) else ():
        inside = item.value.values() if isinstance(item.value, dict) else ()
        if any(isinstance(each.value, str) and f'"{each.value}"' in sentence for each in inside):
            return item
    return said


def _union(said: Said, kinds: tuple[Any, ...], name: str) -> Any:  # noqa: ANN401 - one of `kinds`
    if said.value is None and types.NoneType in kinds:
        return None
    kinds = tuple(kind for kind in kinds if kind is not types.NoneType)
    if isinstance(said.value, dict):
        told = {dataclasses.fields(kind)[0].name: kind for kind in kinds if dataclasses.is_dataclass(kind)}
        if len(told) > 1:
            for key, kind in told.items():
                if key in said.value:
                    return _fit(said, kind, name)
            for word, value in said.value.items():
                if near := nearest(str(word), told):
                    message = _('"{key}" is not known here; did you mean "{word}"?')
                    raise value.place.error(message.format(key=word, word=near))
            raise said.place.error(_("one of these keys must stand here: {words}").format(words=", ".join(told)))
    problems = []
    for kind in kinds:
        try:
            return _fit(said, kind, name)
        except DrawerError as problem:
            problems.append((_looks_like(said, kind), problem))
    # The best guess at what was meant is the kind of the same shape.
    raise max(problems, key=lambda item: item[0])[1]


def _looks_like(said: Said, kind: Any) -> int:  # noqa: ANN401 - a type hint has no type
    kind = _bare(kind)[0]
    origin = get_origin(kind) or kind
    if isinstance(said.value, dict):
        return int(dataclasses.is_dataclass(kind) or origin in (dict, Mapping))
    if isinstance(said.value, tuple):
        return int(origin in (tuple, list, frozenset, set, Sequence, Collection))
    return int(origin is Literal or isinstance(kind, type))


def _one_of(said: Said, known: dict[str, Any], name: str) -> Any:  # noqa: ANN401 - a literal or a member
    word = "true" if said.value is True else "false" if said.value is False else str(said.value)
    if isinstance(said.value, dict | tuple) or word not in known:
        if isinstance(said.value, dict | tuple):
            raise _wrong(said, name, _("one of: {words}").format(words=", ".join(known)))
        raise said.place.error(_('"{name}" cannot be "{word}"').format(name=name, word=word) + instead(word, known))
    return known[word]


def _several(said: Said, origin: Any, kinds: tuple[Any, ...], name: str) -> Any:  # noqa: ANN401 - a list of some kind
    if not isinstance(said.value, tuple):
        raise _wrong(said, name, _("a list"))
    if origin is tuple and kinds[-1] is not Ellipsis:
        if len(said.value) != len(kinds):
            raise _wrong(said, name, _("a list of {count}").format(count=len(kinds)))
        return tuple(_fit(item, kind, name) for item, kind in zip(said.value, kinds, strict=True))
    problems = _Problems()
    items = []
    for item in said.value:
        with problems:
            items.append(_fit(item, kinds[0], name))
    problems.settle()
    return origin(items) if origin in (list, set, frozenset) else tuple(items)


def _mapping(said: Said, kinds: tuple[Any, ...], name: str) -> dict[Any, Any]:
    if not isinstance(said.value, dict):
        raise _wrong(said, name, _("lines of the form “key: value”"))
    problems = _Problems()
    items = {}
    for key, value in said.value.items():
        with problems:
            items[_fit(Said(key, value.place), kinds[0], name)] = _fit(value, kinds[1], str(key))
    problems.settle()
    return items


def _scalar(said: Said, kind: Any, name: str) -> Any:  # noqa: ANN401 - a value of `kind`
    value = said.value
    if kind is Any:
        return _plain(said)
    if kind is types.NoneType and value is None:
        return None
    if kind is Path and isinstance(value, str) and value:
        return said.place.file.parent / Path(value).expanduser()
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if kind in (str, int, bool) and type(value) is kind:
        return value
    if kind not in _EXPECTED:
        raise TypeError(kind)
    raise _wrong(said, name, _EXPECTED[kind]())


_EXPECTED: dict[Any, Any] = {
    str: lambda: _("text (in quotes where it looks like a number)"),
    int: lambda: _("a whole number"),
    float: lambda: _("a number"),
    bool: lambda: _("true or false"),
    Path: lambda: _("the path of a file"),
    types.NoneType: lambda: _("nothing"),
}


def _within(value: Any, limits: list[msgspec.Meta], said: Said, name: str) -> Any:  # noqa: ANN401 - the value itself
    for limit in limits:
        try:
            msgspec.convert(value, Annotated[type(value), limit])
        except msgspec.ValidationError:
            raise _wrong(said, name, _range(limit)) from None
    return value


def _range(limit: msgspec.Meta) -> str:
    if limit.ge is not None and limit.le is not None:
        return _("from {low} to {high}").format(low=limit.ge, high=limit.le)
    if limit.pattern is not None:
        return _("of the form {pattern}").format(pattern=limit.pattern)
    low = limit.ge if limit.ge is not None else limit.gt
    if low is not None:
        return _("at least {low}").format(low=low) if limit.ge is not None else _("above {low}").format(low=low)
    high = limit.le if limit.le is not None else limit.lt
    if high is not None:
        return _("at most {high}").format(high=high) if limit.le is not None else _("below {high}").format(high=high)
    return _("of another length")


def _wrong(said: Said, name: str, expected: str) -> DrawerError:
    value = said.value
    found = (
        _("a list")
        if isinstance(value, tuple)
        else _("a group of lines")
        if isinstance(value, dict)
        else _("nothing")
        if value is None
        else f'"{value}"'
    )
    if not name:
        return said.place.error(_("here must stand {expected}, not {found}").format(expected=expected, found=found))
    return said.place.error(
        _('"{name}" must be {expected}, not {found}').format(name=name, expected=expected, found=found)
    )


def _plain(said: Said) -> Any:  # noqa: ANN401 - whatever was written
    if isinstance(said.value, dict):
        return {key: _plain(value) for key, value in said.value.items()}
    if isinstance(said.value, tuple):
        return tuple(_plain(value) for value in said.value)
    return said.value
