"""The state as snapshot and numbered changes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.show import Change, State
from studio.show._state import Json, Tree, difference, patched

KEYS = st.text("abc.", min_size=1, max_size=2)
LEAVES = st.none() | st.booleans() | st.integers(-2, 2) | st.floats(-1, 1) | st.text("xy", max_size=2)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)
PATHS = st.lists(KEYS, min_size=1, max_size=3).map(tuple)


def written(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def put(tree: Tree, value: dict[str, Any], way: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    for key, item in value.items():
        if way:
            tree.set((key,), item)
        else:
            tree.merge({key: item})


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [  # the examples of RFC 7386, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_does_what_the_rfc_says(target: Json, patch: Json, result: Json) -> None:
    assert patched(target, patch) == result


@given(st.lists(st.tuples(st.booleans(), OBJECTS | st.tuples(PATHS, VALUES)), max_size=12))
def test_changes_applied_to_an_old_snapshot_give_the_new_one(moves: list[tuple[bool, Any]]) -> None:
    tree = Tree({"show": {"title": "Talk"}}, history=1000)
    followed: Json = tree.snapshot()
    seen = 0
    for publish, move in moves:
        if isinstance(move, dict):
            put(tree, move, publish)
        else:
            tree.set(*move)
        if publish:
            tree.publish()
    tree.publish()
    while (change := tree.after(seen)) is not None:
        assert (change.version, change.whole) == (seen + 1, False)
        followed = patched(followed, json.loads(json.dumps(change.patch)))
        seen = change.version
    assert written(followed) == written(tree.snapshot())
    assert seen == tree.version


@given(OBJECTS, OBJECTS)
def test_the_difference_leads_from_one_state_to_the_other(old: dict[str, Any], new: dict[str, Any]) -> None:
    before, after = Tree(old).snapshot(), Tree(new).snapshot()
    assert written(patched(before, difference(before, after))) == written(after)
    assert difference(after, after) == {}


def test_setting_an_object_replaces_the_one_before_and_merging_does_not() -> None:
    tree = Tree({"links": {"obs": {"state": "refused", "detail": "Wrong password."}}})
    tree.set("links.obs", {"state": "online"})
    tree.publish()
    assert tree.snapshot() == {"links": {"obs": {"state": "online"}}}
    tree.merge({"links": {"obs": {"detail": "Streaming."}}})
    tree.publish()
    assert tree.snapshot() == {"links": {"obs": {"state": "online", "detail": "Streaming."}}}


def test_unknown_is_a_key_that_is_not_there() -> None:
    tree = Tree({"scenes": {"names": ["Talk"], "current": None}})
    assert tree.snapshot() == {"scenes": {"names": ["Talk"]}}
    tree.set("scenes.current", "Talk")
    tree.publish()
    tree.set("scenes.current", None)
    tree.publish()
    assert tree.after(1) == Change(2, {"scenes": {"current": None}})


def test_a_name_with_a_full_stop_is_one_key() -> None:
    tree = Tree()
    tree.set(("links", "desk 10.0.0.2", "state"), "online")
    tree.publish()
    assert tree.snapshot() == {"links": {"desk 10.0.0.2": {"state": "online"}}}


@pytest.mark.parametrize("value", [object(), {1: "one"}, b"bytes", {"a": {2, 3}}])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        Tree().set("a", value)


@pytest.mark.parametrize("value", [float("nan"), [float("inf")]])
def test_numbers_that_json_does_not_have_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="JSON has no"):
        Tree().set("a", value)


@pytest.mark.parametrize("path", ["", "a..b", ()])
def test_a_path_leads_somewhere(path: str) -> None:
    with pytest.raises(ValueError, match="no place"):
        Tree().set(path, 1)


def test_true_is_not_one() -> None:
    tree = Tree({"on": 1, "list": [0]})
    tree.merge({"on": True, "list": [False]})
    assert tree.publish()
    assert tree.after(0) == Change(1, {"on": True, "list": [False]})


def test_the_callers_list_stays_the_callers() -> None:
    tree, names = Tree(), ["Talk"]
    tree.set("scenes", {"names": names})
    names.append("Holding")
    tree.publish()
    tree.snapshot()["scenes"] = "broken"
    assert tree.snapshot() == {"scenes": {"names": ["Talk"]}}


async def test_what_is_set_in_one_moment_is_one_change() -> None:
    state = State(gather=0.01)
    changes = state.changes()
    assert await anext(changes) == Change(0, {}, whole=True)
    for frames in range(100):
        state.set("programme.frames", frames)
    state.set("programme.dropped", 0)
    assert await anext(changes) == Change(1, {"programme": {"frames": 99, "dropped": 0}})


async def test_setting_what_is_already_so_is_no_change() -> None:
    state = State({"show": {"phase": "on air"}}, gather=0)
    changes = state.changes()
    await anext(changes)
    state.set("show.phase", "on air")
    await asyncio.sleep(0)
    state.set("show.phase", "ended")
    assert await anext(changes) == Change(1, {"show": {"phase": "ended"}})


async def test_a_snapshot_and_its_version_agree_while_changes_are_being_gathered() -> None:
    state = State(gather=10)
    state.set("a", 1)
    assert (state.snapshot(), state.version) == ({"a": 1}, 1)
    state.set("a", 2)
    assert (state.snapshot(), state.version) == ({"a": 2}, 2)


async def test_every_listener_follows_for_itself() -> None:
    state = State(gather=0)
    one, other = state.changes(), state.changes()
    await anext(one)
    state.set("a", 1)
    assert await anext(one) == Change(1, {"a": 1})
    assert await anext(other) == Change(1, {"a": 1}, whole=True)


async def test_a_listener_that_fell_behind_gets_the_whole_state() -> None:
    state = State(gather=0, history=3)
    slow = state.changes()
    await anext(slow)
    for number in range(5):
        state.set("a", number)
        state.snapshot()
    assert await anext(slow) == Change(5, {"a": 4}, whole=True)
    state.set("a", 7)
    assert await anext(slow) == Change(6, {"a": 7})


async def test_a_listener_that_restarts_while_it_waits_gets_the_whole_state() -> None:
    state = State({"a": 1})
    changes = state.changes()
    await anext(changes)
    waiting = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    changes.restart()
    assert await waiting == Change(0, {"a": 1}, whole=True)


def test_a_state_may_be_set_before_there_is_a_loop() -> None:
    state = State()
    state.set("show.title", "Talk")

    async def first() -> Change:
        return await anext(state.changes())

    assert asyncio.run(first()) == Change(1, {"show": {"title": "Talk"}}, whole=True)
