"""`studio devices …` as a technician types it, against the twin of a desk on a real socket."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from tests.app.desk import house_with, small_desk
from tests.app.warm import Warm, warm

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    from tests.app.technician import Ended

    from studio.rehearsal import DeskTwin

    Ask = Callable[..., Awaitable[Ended]]

PATIENCE = 60.0


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[DeskTwin]:
    async with small_desk(tmp_path) as twin:
        house_with(tmp_path, twin)
        yield twin


@pytest.fixture(scope="module", name="warm")
def warm_python() -> Iterator[Warm]:
    with warm() as found:
        yield found


@pytest.fixture
def ask(warm: Warm, tmp_path: Path) -> Ask:
    """Run `studio devices …` while the twin goes on living."""

    async def run(*arguments: object) -> Ended:
        return await asyncio.to_thread(warm.run, tmp_path, "devices", *arguments)

    return run


def rows(ended: Ended) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ended.said)
    return found


async def test_what_the_house_has_and_how_it_stands(desk: DeskTwin, ask: Ask) -> None:
    desk.hand("ch1.fader", -12.0)
    listed, stands, values = await asyncio.gather(
        ask("list"), ask("status", "--json"), ask("get", "desk", "ch1.*", "--json")
    )
    assert "Behringer small" in listed.said
    (row,) = rows(stands)
    assert (row["link"], row["controls"], row["reported"], row["unknown"]) == ("online", 6, 5, 1)
    assert [(row["control"], row["source"]) for row in rows(values)] == [
        ("ch1.fader", "reported"),
        ("ch1.mute", "reported"),
        ("ch1.name", "reported"),
        ("ch1.polarity", "reported"),
    ]
    assert rows(values)[0]["value"] == pytest.approx(-12, abs=0.1)
    assert (listed.code, stands.code, values.code) == (0, 0, 0)


async def test_set_is_done_when_the_desk_says_so(desk: DeskTwin, ask: Ask) -> None:
    tried, done = await asyncio.gather(
        ask("set", "desk", "ch2.fader", "-7,3", "--dry-run", "--json"), ask("set", "desk", "ch1.fader", "-7.3")
    )
    assert (tried.code, rows(tried)[0]["outcome"], desk.value("ch2.fader")) == (0, "simulated", -90)
    assert (done.code, "confirmed" in done.said) == (0, True)
    assert desk.value("ch1.fader") == pytest.approx(-7.3, abs=0.1)
    desk.stubborn = {"ch2.mute"}
    several = await ask("set", "desk", "ch1.mute=on", "ch2.mute=on", "ch1.fader=-7.3", "--json")
    assert several.code == 1
    assert [(row["outcome"], row.get("already")) for row in rows(several)] == [
        ("confirmed", None),
        ("unconfirmed", None),
        ("confirmed", True),
    ]


async def test_what_cannot_be_is_one_sentence(desk: DeskTwin, ask: Ask) -> None:
    wrong = {
        ("set", "desk", "ch1.fadr", "3"): (1, 'desk has no control "ch1.fadr"; did you mean "ch1.fader"?'),
        ("set", "desk", "ch1.fader", "30"): (1, "ch1.fader goes from -90 to 10 dB."),
        ("set", "desk", "ch1.fader", "1", "--dry"): (2, "studio devices set --help tells what there is."),
        ("set", "dsek", "ch1.fader", "1"): (1, 'There is no device "dsek" in studio.toml; did you mean "desk"?'),
        ("recall", "nothing"): (2, 'there is no "nothing" in presets/snapshots'),
        ("undo",): (1, "There is nothing to undo."),
    }
    ended = await asyncio.gather(*(ask(*words) for words in wrong))
    said = [(one.code, one.said.strip().splitlines()[-1]) for one in ended]
    assert all(line.endswith(sentence) for (_code, line), (_, sentence) in zip(said, wrong.values(), strict=True)), said
    assert [code for code, _line in said] == [code for code, _sentence in wrong.values()]
    assert desk.value("ch1.fader") == -90


async def test_a_desk_that_is_not_there_is_said_in_one_sentence(desk: DeskTwin, ask: Ask) -> None:
    desk.deaf = True
    ended = await ask("set", "desk", "ch1.fader", "0", "--timeout", 1.5)
    assert ended.code == 1
    assert "Is it switched on" in ended.said
    assert len(ended.said.strip().splitlines()) == 1


async def test_waiting_for_a_desk_and_the_time_that_it_may_take_are_two_things(desk: DeskTwin, ask: Ask) -> None:
    desk.late = 0.4
    hurried, patient = await asyncio.gather(
        ask("set", "desk", "ch1.fader", "-3", "--deadline", 0.1), ask("set", "desk", "ch2.fader", "-3")
    )
    assert (hurried.code, "desk did not answer in time." in hurried.said) == (1, True)
    assert (patient.code, "confirmed" in patient.said) == (0, True)
    listed = await ask("call", "desk", "--timeout", 0.1)
    assert (listed.code, "desk" in listed.said) == (1, True), "it is not there within that"


async def test_snapshot_recall_undo_across_processes(desk: DeskTwin, ask: Ask, tmp_path: Path) -> None:
    desk.hand("ch1.fader", -20.0)
    kept = await ask("snapshot", "evening", "desk:ch1.*", "--note", "before the talk")
    assert kept.code == 0, kept.said
    assert "before the talk" in (tmp_path / "presets/snapshots/evening.yaml").read_text()

    desk.hand("ch1.fader", 0.0)
    desk.hand("ch1.mute", value=True)
    desk.hand("ch2.fader", -5.0)
    again, dry = await asyncio.gather(ask("snapshot", "evening"), ask("recall", "evening", "--dry-run"))
    assert (again.code, "--replace" in again.said) == (1, True)
    assert dry.code == 0
    assert desk.value("ch1.fader") == pytest.approx(0, abs=0.1)
    assert "2 are so already" in dry.said
    done = await ask("recall", "evening", "--json")
    assert done.code == 0, done.said
    assert desk.value("ch1.fader") == pytest.approx(-20, abs=0.1)
    assert desk.value("ch1.mute") is False
    assert desk.value("ch2.fader") == pytest.approx(-5, abs=0.1)

    desk.hand("ch1.fader", -40.0)  # somebody else
    undone = await ask("undo", "--json")
    assert undone.code == 1
    assert {row["control"]: row["outcome"] for row in rows(undone)} == {"ch1.fader": "refused", "ch1.mute": "confirmed"}
    assert desk.value("ch1.fader") == pytest.approx(-40, abs=0.2)
    assert desk.value("ch1.mute") is True
    assert "nothing to undo" in (await ask("undo")).said


async def test_what_was_asked_for_by_a_process_that_was_killed_can_be_undone(
    desk: DeskTwin, ask: Ask, tmp_path: Path
) -> None:
    desk.late = 0.3  # it does as it is told, and its answer comes when nobody is there to hear it
    command = [sys.executable, "-m", "studio", "devices", "set", "desk", "ch1.mute", "on", "--timeout", "20"]
    home = tmp_path / "home"
    process = await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, env={**os.environ, "STUDIO_HOME": str(home)}, stdout=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(PATIENCE):
        while desk.value("ch1.mute") is not True:  # noqa: ASYNC110 - the twin tells nobody
            await asyncio.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert '"done"' not in (home / "state" / "undo.jsonl").read_text()
    desk.late = 0.0
    assert (await ask("undo")).code == 0
    assert desk.value("ch1.mute") is False


async def test_each_change_is_one_line(desk: DeskTwin, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "studio", "devices", "watch", "--json"),
        cwd=tmp_path,
        env={**os.environ, "STUDIO_HOME": str(tmp_path / "home")},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    told: list[dict[str, Any]] = []
    async with asyncio.timeout(PATIENCE):
        while not told or told[-1].get("link") != "online":
            told.append(json.loads(await process.stdout.readline()))
        desk.hand("ch2.fader", -6.0)
        while told[-1].get("control") != "ch2.fader":
            told.append(json.loads(await process.stdout.readline()))
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0
    assert told[-1]["value"] == pytest.approx(-6, abs=0.1)
    assert (told[-1]["source"], told[-1]["origin"], told[-1]["unit"]) == ("reported", "device", "dB")
