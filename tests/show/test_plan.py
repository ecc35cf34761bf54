"""What would change, what is so already, what is not known, and what cannot be; and the same for taking it back."""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.catalogue import Catalogue
from studio.devices import Action, Argument, Control, Property, Value
from studio.errors import ShowError
from studio.show import (
    SNAPSHOTS,
    Changed,
    Journal,
    Seen,
    Snapshot,
    holds,
    plan,
    plan_back,
    save_snapshot,
    taken,
    wrong_call,
)

if TYPE_CHECKING:
    from pathlib import Path

CONTROLS = {
    control.name: control
    for control in (
        Control("ch1.fader", "level", "dB", -90, 10, step=0.1),
        Control("ch1.mute", "switch"),
        Control("ch1.name", "text"),
        Control("colour", "choice", choices=("red", "green")),
        Control("in.meter", "meter", "dB", writable=False),
    )
}


def desk(*, up: bool = True, source: str = "reported", **values: Value) -> Seen:
    named = {"fader": "ch1.fader", "mute": "ch1.mute", "name": "ch1.name", "colour": "colour"}
    known = {named[name]: Property(value, source, 0, 1) for name, value in values.items()}  # type: ignore[arg-type]
    return Seen(CONTROLS, known, up, "" if up else "The desk is off.")


def kinds(desired: dict[str, dict[str, Value]], **reported: Seen) -> list[tuple[str, str]]:
    return [(step.kind, step.reason) for step in plan(desired, reported)]


def test_what_would_change_and_what_is_so_already() -> None:
    seen = desk(fader=-7.28, mute=False)
    assert kinds({"desk": {"ch1.fader": -7.3, "ch1.mute": True}}, desk=seen) == [("same", ""), ("change", "")]
    assert holds({"desk": {"ch1.fader": -7.3}}, {"desk": seen}) is True
    assert holds({"desk": {"ch1.mute": True}}, {"desk": seen}) is False


def test_what_is_not_known_is_not_believed() -> None:
    assert kinds({"desk": {"ch1.fader": 0.0}}, desk=desk()) == [("unknown", "desk has not told ch1.fader.")]
    stale = desk(up=False, source="assumed", fader=0.0)
    assert kinds({"desk": {"ch1.fader": 0.0}}, desk=stale) == [("stale", "The desk is off.")]
    assert kinds({"desk": {"ch1.mute": True}}, desk=stale) == [("unknown", "The desk is off.")]
    assert holds({"desk": {"ch1.fader": 0.0}}, {"desk": stale}) is None


@pytest.mark.parametrize(
    ("device", "control", "value", "sentence"),
    [
        ("dsek", "ch1.fader", 0.0, 'There is no device "dsek" in studio.toml; did you mean "desk"?'),
        ("desk", "ch1.fadr", 0.0, 'desk has no control "ch1.fadr"; did you mean "ch1.fader"?'),
        ("desk", "ch1.fader", 11.0, "ch1.fader goes from -90 to 10 dB."),
        ("desk", "ch1.fader", "loud", "ch1.fader is a level, which 'loud' is not."),
        ("desk", "ch1.mute", 1.0, "ch1.mute is a switch, which 1.0 is not."),
        ("desk", "colour", "blue", "colour is one of red, green, not 'blue'."),
        ("desk", "in.meter", 0.0, "in.meter can only be read."),
    ],
)
def test_what_cannot_be_says_why(device: str, control: str, value: Value, sentence: str) -> None:
    assert kinds({device: {control: value}}, desk=desk()) == [("impossible", sentence)]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(["ch1.fader", "ch1.mute", "nothing"]), st.floats() | st.booleans() | st.text()))
def test_any_wish_has_a_plan(wish: dict[str, Value]) -> None:
    steps = plan({"desk": wish}, {"desk": desk(fader=-3.0)})
    assert [step.control for step in steps] == list(wish)
    assert all(step.reason for step in steps if step.kind not in ("change", "same"))


def test_a_call_is_looked_at_before_it_is_made() -> None:
    actions = {
        "recall": Action("recall", (Argument("number", "number", 1, 9), Argument("anyway", "switch", needed=False)))
    }
    assert wrong_call("cam", actions, "recall", {"number": 3}, up=True) == ""
    assert wrong_call("cam", {}, "recall", {}, up=False) == ""
    assert wrong_call("cam", actions, "recal", {}, up=True) == 'cam has no action "recal"; did you mean "recall"?'
    assert wrong_call("cam", actions, "recall", {}, up=True) == 'recall of cam needs "number", too.'
    assert "number goes from 1 to 9" in wrong_call("cam", actions, "recall", {"number": 10}, up=True)
    assert "did you mean" in wrong_call("cam", actions, "recall", {"nubmer": 1}, up=True)


def test_a_preset_may_be_written_as_a_number() -> None:
    actions = {"preset.recall": Action("preset.recall", (Argument("preset"),))}
    assert wrong_call("cam", actions, "preset.recall", {"preset": 3.0}, up=True) == "", "as YAML and JSON have it"
    assert actions["preset.recall"].fit({"preset": 3.0}) == {"preset": "3"}
    assert "which True is not" in wrong_call("cam", actions, "preset.recall", {"preset": True}, up=True)


@pytest.mark.parametrize("number", [10**400, float("inf"), float("-inf"), float("nan")])
def test_a_number_that_no_device_counts_to_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match=r"^speed goes from"):
        Control("speed", "number").fit(number)


# ── undo ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("now", "kind"),
    [
        (desk(mute=True), "back"),
        (desk(mute=False), "same"),
        (desk(up=False, source="assumed", mute=True), "open"),
        (desk(), "open"),
        (Seen({}), "moved"),
    ],
)
def test_a_switch_goes_back(now: Seen, kind: str) -> None:
    changed = Changed("desk", "ch1.mute", before=False, wanted=True)
    assert [back.kind for back in plan_back((changed,), {"desk": now})] == [kind]


@pytest.mark.parametrize(
    ("now", "after", "kind"),
    [
        (-7.28, -7.28, "back"),
        (-7.28, None, "back"),  # killed before it was told: the desk's own step
        (-20.0, None, "same"),
        (-9.0, -7.28, "moved"),
        (-9.0, None, "moved"),
    ],
)
def test_what_somebody_else_moved_stays(now: float, after: float | None, kind: str) -> None:
    changed = Changed("desk", "ch1.fader", -20.0, -7.3, after)
    (back,) = plan_back((changed,), {"desk": desk(fader=now)})
    assert back.kind == kind
    assert ("Somebody else" in back.reason) == (kind == "moved")


def test_what_nobody_knew_before_cannot_come_back() -> None:
    (back,) = plan_back((Changed("desk", "ch1.mute", None, wanted=True),), {"desk": desk(mute=True)})
    assert (back.kind, "Nobody knew" in back.reason) == ("moved", True)


def test_the_last_change_comes_back_first() -> None:
    changes = (Changed("desk", "ch1.mute", False, True), Changed("desk", "ch1.fader", -20.0, 0.0))  # noqa: FBT003
    backs = plan_back(changes, {"desk": desk(mute=True, fader=0.0)})
    assert [back.changed.control for back in backs] == ["ch1.fader", "ch1.mute"]


# ── the journal ───────────────────────────────────────────────────────────────────────────────────────────────────────

MUTE = Changed("desk", "ch1.mute", before=False, wanted=True)
FADER = Changed("desk", "ch1.fader", -20.0, 0.0)


def test_what_is_kept_comes_back_until_it_is_undone(tmp_path: Path) -> None:
    file = tmp_path / "state" / "undo.jsonl"
    journal = Journal("house", file)
    assert journal.last() is None
    first = journal.begin("set", [MUTE])
    second = journal.begin("recall evening", [MUTE, FADER])
    journal.done(second, {("desk", "ch1.fader"): -0.02})
    entry = Journal("house", file).last()
    assert entry is not None
    assert (entry.id, entry.by) == (second, "recall evening")
    assert entry.changes[1].after == -0.02
    assert Journal("another house", file).last() is None
    journal.undone(second, [("desk", "ch1.fader")])
    entry = journal.last()
    assert entry is not None
    assert entry.changes == (MUTE,)
    journal.undone(second, [("desk", "ch1.mute")])
    assert [entry.id for entry in journal.entries()] == [first]


def _write_for_ever(file: Path) -> None:
    journal = Journal("house", file)
    while True:
        journal.begin("set", [MUTE, FADER])


def test_a_process_that_is_killed_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    file = tmp_path / "undo.jsonl"
    ours = Journal("house", file)
    context = multiprocessing.get_context("spawn")
    other = context.Process(target=_write_for_ever, args=(file,))
    other.start()
    kept = 0
    while not file.exists() or file.stat().st_size < 5000:
        ours.begin("ours", [MUTE])
        kept += 1
    assert other.pid
    os.kill(other.pid, signal.SIGKILL)
    other.join()
    other.close()
    file.write_bytes(file.read_bytes() + b'{"id": "cut off in the mid')
    last = ours.begin("ours", [FADER])
    entries = ours.entries()
    assert [entry.by for entry in entries].count("ours") == kept + 1
    assert entries[-1].id == last
    assert all(entry.changes for entry in entries)


def test_it_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.show._journal.LARGEST", 4000)
    journal = Journal("house", tmp_path / "undo.jsonl")
    for _ in range(100):
        last = journal.begin("set", [MUTE])
    assert (tmp_path / "undo.jsonl").stat().st_size < 4500
    entry = journal.last()
    assert entry is not None
    assert entry.id == last


def test_what_cannot_be_kept_is_not_done(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ShowError, match="nothing was changed"):
        Journal("house", tmp_path / "file" / "undo.jsonl").begin("set", [MUTE])


# ── snapshots ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8),
        st.dictionaries(
            st.text(min_size=1, max_size=8),
            st.floats(-1e6, 1e6).map(float) | st.booleans() | st.text(max_size=12),
            min_size=1,
            max_size=3,
        ),
        min_size=1,
        max_size=3,
    )
)
def test_what_is_kept_reads_the_same(
    tmp_path_factory: pytest.TempPathFactory, desired: dict[str, dict[str, Value]]
) -> None:
    folder = tmp_path_factory.mktemp("house")
    save_snapshot(folder, "evening", desired, 'żółw: "x" # no comment', replace=False)
    read = Catalogue(folder).load(SNAPSHOTS, "evening", Snapshot)
    assert (read.set, read.note) == (desired, 'żółw: "x" # no comment')


def test_none_is_written_over_unless_asked(tmp_path: Path) -> None:
    file = save_snapshot(tmp_path, "evening", {"desk": {"a": 1.0}}, "", replace=False)
    with pytest.raises(ShowError, match="--replace"):
        save_snapshot(tmp_path, "evening", {"desk": {"a": 2.0}}, "", replace=False)
    assert "1.0" in file.read_text()
    save_snapshot(tmp_path, "evening", {"desk": {"a": 2.0}}, "", replace=True)
    assert "2.0" in file.read_text()
    assert [each.name for each in file.parent.iterdir()] == ["evening.yaml"]


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".x", "a\nb", "x" * 90])
def test_a_name_that_is_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(ShowError, match="no name"):
        save_snapshot(tmp_path, name, {"desk": {"a": 1.0}}, "", replace=False)


def test_only_what_is_reported_and_can_be_set_is_taken() -> None:
    seen = Seen(
        CONTROLS,
        {
            "ch1.fader": Property(-3.0, "reported", 0, 1),
            "ch1.mute": Property(True, "assumed", 0, 1),  # noqa: FBT003
            "in.meter": Property(-40.0, "reported", 0, 1),
        },
    )
    assert taken({"desk": seen}, {"desk": set(CONTROLS)}) == {"desk": {"ch1.fader": -3.0}}
