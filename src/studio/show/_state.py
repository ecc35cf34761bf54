"""The one true state of an evening: a tree of plain JSON values, and the numbered changes it goes through.

`Tree` is pure and holds the arithmetic; `State` adds the loop: it gathers what is set within a moment into one
change and wakes whoever listens.

A change is a JSON Merge Patch (RFC 7386): an object that names what is new; `null` takes a key away. The format has no
other use for `null`, so the tree holds none: *unknown* is a key that is not there, and setting `None` removes it.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
"""A plain value, as JSON knows it."""

Path: TypeAlias = str | Sequence[str]
"""Where in the tree: `links.obs.state`, or `("links", name, "state")` where a name may hold a full stop."""

GATHER = 0.05
"""Seconds between two changes at least. Twenty a second look continuous; a first one after quiet does not wait."""
HISTORY = 256
"""Changes kept for listeners that are behind: over ten seconds of the busiest evening."""


class Change(NamedTuple):
    """What a listener is told."""

    version: int
    """What the state is after it. Counts from 0; each change adds one."""
    patch: dict[str, Json]
    """What is new, as a merge patch; the whole state where `whole`. Read it, do not change it."""
    whole: bool = False
    """Throw away what you have and take `patch` instead: this is the first change, or you fell behind."""


def patched(target: Json, patch: Json) -> Json:
    """`target` after the merge patch `patch`; neither is changed, and what stays the same is shared."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = patched(result.get(key), value)
    return result


def difference(old: dict[str, Json], new: dict[str, Json]) -> dict[str, Json]:
    """Return the smallest merge patch that makes `new` of `old`; empty where they are the same."""
    patch: dict[str, Json] = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if _same(before, value):
            continue
        patch[key] = difference(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return patch


def _same(one: Json, other: Json) -> bool:
    """Whether both are written alike in JSON: unlike in Python, `true` is not 1."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same(*pair) for pair in zip(one, other, strict=True))
    return one == other


def _plain(value: object, *, keep_none: bool) -> Json:
    """Copy `value` as plain JSON; TypeError or ValueError for what JSON cannot say.

    `None` in an object is left out, unless it means *take away* (`keep_none`); in a list it stays.
    """
    match value:
        case None | bool():
            return value
        case str():
            return str.__str__(value)  # a StrEnum's own value
        case int():
            return int(value)
        case float():
            if not math.isfinite(value):
                raise ValueError(f"JSON has no {value}")
            return float(value)
        case Mapping():
            for key in value:
                if not isinstance(key, str):
                    raise TypeError(f"a key is a string, not {key!r}")
            return {
                key: _plain(item, keep_none=keep_none) for key, item in value.items() if item is not None or keep_none
            }
        case list() | tuple():
            return [_plain(item, keep_none=False) for item in value]
    raise TypeError(f"JSON has no {type(value).__name__}")


class Tree:
    """The state, and what happened to it; without a loop, so that plain asserts can try it."""

    def __init__(self, tree: Mapping[str, object] | None = None, *, history: int = HISTORY) -> None:
        """Begin with `tree` as version 0; remember the last `history` changes."""
        self.version = 0
        self._tree = self._published = _objects(_plain(tree or {}, keep_none=False))
        self._changes: deque[Change] = deque(maxlen=history)

    def set(self, path: Path, value: object) -> None:
        """Put `value` at `path` in place of all that is there; `None` takes it away."""
        keys = path.split(".") if isinstance(path, str) else list(path)
        if not keys or not all(keys):
            raise ValueError(f"{path!r} is no place in the tree")
        # Two steps, for an object set at a path replaces the one before: a patch alone would merge them.
        nothing: Json = None
        fresh = _plain(value, keep_none=False)
        for key in reversed(keys):
            nothing, fresh = {key: nothing}, {key: fresh}
        self._tree = _objects(patched(patched(self._tree, nothing), fresh))

    def merge(self, patch: Mapping[str, object]) -> None:
        """Apply a merge patch: objects are merged, everything else is put in place, `None` takes away."""
        self._tree = _objects(patched(self._tree, _plain(patch, keep_none=True)))

    def publish(self) -> bool:
        """Make one numbered change of all that was set since the last; False when nothing is new."""
        patch = difference(self._published, self._tree)
        self._published = self._tree
        if not patch:
            return False
        self.version += 1
        self._changes.append(Change(self.version, patch))
        return True

    def snapshot(self) -> dict[str, Json]:
        """Return a copy of the state as of `version`."""
        return _objects(_plain(self._published, keep_none=False))

    def after(self, version: int | None) -> Change | None:
        """Return what follows `version`: the next change, all where that is forgotten, `None` if none came."""
        if version == self.version:
            return None
        if version is None or version > self.version or version < self.version - len(self._changes):
            return Change(self.version, self.snapshot(), whole=True)
        return self._changes[version - self.version]


def _objects(value: Json) -> dict[str, Json]:
    """Return `value`, which is an object, as one."""
    if not isinstance(value, dict):
        raise TypeError(f"the state is an object, not {value!r}")
    return value


class State:
    """The tree, in the loop: `set` and `merge` from the loop's own thread, `changes()` for whoever follows.

    What is set within one moment (`gather` seconds) becomes one change.
    """

    def __init__(
        self, tree: Mapping[str, object] | None = None, *, gather: float = GATHER, history: int = HISTORY
    ) -> None:
        """Begin with `tree` as version 0."""
        self._tree = Tree(tree, history=history)
        self._gather = gather
        self._timer: asyncio.TimerHandle | None = None
        self._last = -math.inf
        self._news = asyncio.Event()

    @property
    def version(self) -> int:
        """The number of the last change, as the last `snapshot` or listener saw it."""
        return self._tree.version

    def set(self, path: Path, value: object) -> None:
        """Put `value` (plain JSON) at `path` in place of all that is there; `None` takes it away.

        `path` is `links.obs.state`, or a tuple of keys where a key may hold a full stop. Objects on the way are made.
        """
        self._tree.set(path, value)
        self._touched()

    def merge(self, patch: Mapping[str, object]) -> None:
        """Apply a merge patch: objects are merged, everything else is put in place, `None` takes away."""
        self._tree.merge(patch)
        self._touched()

    def snapshot(self) -> dict[str, Json]:
        """Return a copy of the state with all that was set so far; `version` is its number."""
        self._publish()
        return self._tree.snapshot()

    def changes(self) -> Changes:
        """Follow the state: `async for change in state.changes()`. The first change is the whole state.

        Nothing has to be closed. A listener that is so slow that its next change is forgotten gets the whole state.
        """
        self._publish()
        return Changes(self._tree, self._wait, self._wake)

    def _touched(self) -> None:
        if self._timer is not None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no loop yet: the first snapshot or listener publishes
            return
        self._timer = loop.call_later(max(0.0, self._last + self._gather - loop.time()), self._due, loop)

    def _due(self, loop: asyncio.AbstractEventLoop) -> None:
        self._last = loop.time()
        self._publish()

    def _publish(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._tree.publish():
            self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _wait(self) -> None:
        await self._news.wait()


class Changes:
    """One listener's place among the changes of a `State`."""

    def __init__(self, tree: Tree, wait: Callable[[], Awaitable[object]], wake: Callable[[], None]) -> None:
        self._tree = tree
        self._wait = wait
        self._wake = wake
        self._version: int | None = None

    def restart(self) -> None:
        """Be given the whole state next."""
        self._version = None
        self._wake()

    def __aiter__(self) -> Changes:
        return self

    async def __anext__(self) -> Change:
        while (change := self._tree.after(self._version)) is None:
            await self._wait()
        self._version = change.version
        return change
