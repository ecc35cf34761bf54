"""What the core shows of words, how it corrects them, and what it tells a sink that shows only a text."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import sys
from typing import TYPE_CHECKING, Any

import pytest

from studio import captions
from studio.app import House, Wish, plan_evening
from studio.app._said import Corrections, Rolling, Script, tidy
from studio.bridge import Line, answer
from studio.catalogue import Catalogue
from studio.events import (
    AnyMessage,
    Edited,
    EditWord,
    Heard,
    LinkState,
    ListenerReport,
    RelayReport,
    ShowCue,
    SinkReport,
    Subscribe,
    Welcome,
    WordsChanged,
)
from studio.spoken import Cue, Hand, ScriptWord, Word
from studio.units import Ms, ShowClock
from studio.venue import Venue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


def heard(text: str, *, first: int = 0, at: int = 0, tentative: str = "") -> Heard:
    words = tuple(
        Word(each, Ms(at + 300 * place), Ms(at + 300 * place + 250)) for place, each in enumerate(text.split())
    )
    return Heard(words, tentative, Ms(at), Ms(0), tuple(range(first, first + len(words))))


def changed(id_: int, text: str, *, was: str = "", by: Hand = "second look", at: int = 0) -> WordsChanged:
    return WordsChanged((ScriptWord(id_, Word(text, Ms(at), Ms(at + 250)), was, by, Ms(at + 6000)),))


# ── the words of the last seconds ─────────────────────────────────────────────────────────────────────────────────────


def test_words_air_after_the_hold_and_stay_in_sight_for_a_while() -> None:
    script = Script(Ms(6000))
    script.heard(heard("dzień dobry"))
    word = script.shown()["1"]
    assert (word["text"], word["heard"], word["by"]) == ("dobry", "dobry", "ears")
    assert (word["start"], word["end"], word["airs"]) == (300, 550, 6300)
    assert not script.prune(Ms(39_000))
    assert script.prune(Ms(40_100))
    assert list(script.shown()) == ["1"]


def test_a_long_hold_keeps_its_words_until_they_have_aired() -> None:
    script = Script(Ms(30_000))
    script.heard(heard("dobry"))
    assert not script.prune(Ms(44_000))


def test_words_that_have_not_aired_follow_another_hold() -> None:
    script = Script(Ms(6000))
    script.heard(heard("one two three"))
    assert not script.wait(Ms(6000), Ms(0))
    assert script.wait(Ms(10_000), Ms(6100))  # "one" has aired
    assert [word["airs"] for word in script.shown().values()] == [6000, 10_300, 10_600]
    script.heard(heard("four", first=3, at=900))
    assert script.shown()["3"]["airs"] == 10_900


def test_the_last_two_hundred_words_are_enough() -> None:
    script = Script(Ms(6000))
    script.heard(heard("a " * 300))
    script.prune(Ms(0))
    assert list(script.shown()) == [str(number) for number in range(100, 300)]


def test_a_correction_outlasts_the_same_word_sent_again() -> None:
    script = Script(Ms(6000))
    script.heard(heard("dzień dobrzy"))
    script.changed(changed(1, "dobry", was="dobrzy", by="person", at=300))
    script.heard(heard("dzień dobrzy"))
    assert script.shown()["1"]["text"] == "dobry"
    script.changed(changed(7, "bardzo", at=200))
    assert script.shown()["7"]["text"] == "bardzo"
    script.changed(changed(7, "", at=200))
    assert "7" not in script.shown()


# ── corrections ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def correct(name: str, arguments: dict[str, object], *, refused: str = "") -> tuple[str, str, EditWord | None]:
    """Ask and answer; kind, reason and what was sent."""
    sent: list[EditWord] = []

    def send(message: AnyMessage) -> bool:
        assert isinstance(message, EditWord)
        sent.append(message)
        corrections.answered(Edited(message.request + 1, "meant for another"))
        corrections.answered(Edited(message.request, refused))
        return True

    corrections = Corrections(send)
    outcome = await corrections.command(name, arguments)
    return outcome.kind, outcome.reason, sent[0] if sent else None


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("captions.edit", {"text": "  Adam \n Mickiewicz\u200b\x00 "}, "Adam Mickiewicz"),
        ("captions.edit", {"text": " "}, ""),
        ("captions.strike", {}, ""),
        ("captions.restore", {}, None),
    ],
)
async def test_what_is_asked_of_the_recogniser(name: str, arguments: dict[str, object], text: str | None) -> None:
    kind, reason, sent = await correct(name, {"id": 3, "by": "page", **arguments})
    assert (kind, reason) == ("confirmed", "")
    assert sent is not None
    assert (sent.id, sent.text, sent.by) == (3, text, "page")


@pytest.mark.parametrize(
    "arguments",
    [{}, {"id": "3"}, {"id": True}, {"id": -1}, {"id": 3}, {"id": 3, "text": None}, {"id": 3, "text": "x" * 201}],
)
async def test_a_correction_that_says_too_little_or_too_much_is_not_sent(arguments: dict[str, object]) -> None:
    kind, reason, sent = await correct("captions.edit", arguments)
    assert (kind, sent) == ("refused", None)
    assert reason.endswith((".", "?"))


async def test_a_refusal_comes_with_its_reason() -> None:
    assert (await correct("captions.strike", {"id": 3}, refused="It has aired."))[:2] == ("refused", "It has aired.")


async def test_without_a_line_nothing_is_promised() -> None:
    outcome = await Corrections(lambda _message: False).command("captions.strike", {"id": 3})
    assert (outcome.kind, outcome.reason) == (
        "refused",
        "The speech recogniser is not connected; nothing was changed.",
    )


async def test_an_answer_that_stays_out_is_not_taken_for_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.app._said.DEADLINE", 0.01)
    outcome = await Corrections(lambda _message: True).command("captions.strike", {"id": 3})
    assert outcome.kind == "unconfirmed"


def test_text_is_tidied() -> None:
    assert tidy(" a\tb\r\nc\u202e d\x1b[31m ") == "a b c d [31m"


# ── a text that rolls ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_lines_roll_and_never_break_anew() -> None:
    rolling = Rolling(width=11, lines=2)
    assert rolling.heard(heard("one two", tentative="three"), Ms(0)) == "one two\nthree"
    assert rolling.heard(heard("three four", first=2), Ms(1)) == "one two\nthree four"
    assert rolling.heard(heard("five", first=4, tentative="six seven"), Ms(2)) == "five six\nseven"
    assert rolling.heard(heard("six seven eight nine", first=5), Ms(3)) == "seven eight\nnine"
    assert rolling.changed(changed(8, "ten"), Ms(4)) == "seven eight\nten"
    assert rolling.changed(changed(0, "never"), Ms(4)) == "seven eight\nten"
    assert rolling.changed(changed(8, ""), Ms(4)) == "five six\nseven eight"


def test_a_word_longer_than_a_line_stands_alone() -> None:
    rolling = Rolling(width=5, lines=2)
    assert rolling.heard(heard("a Donaudampfschiff b"), Ms(0)) == "Donaudampfschiff\nb"


def test_nothing_stands_there_when_nobody_speaks() -> None:
    rolling = Rolling(quiet=Ms(8000))
    assert rolling.text(Ms(0)) == ""
    assert rolling.heard(heard("one two"), Ms(1000)) == "one two"
    assert rolling.heard(heard(""), Ms(9000)) == "one two"
    assert rolling.text(Ms(9001)) == ""
    assert rolling.heard(heard("three", first=2), Ms(9002)) == "three"


def test_words_without_numbers_are_shown_too() -> None:
    rolling = Rolling()
    message = heard("one two")
    assert rolling.heard(Heard(message.settled, "three", Ms(0), Ms(0)), Ms(0)) == "one two three"


# ── the whole core, and a relay that does as it is told ───────────────────────────────────────────────────────────────


class Relay:
    """The relay of a show that is already running: says what it is told to, and answers corrections."""

    def __init__(self) -> None:
        self.clock = ShowClock.starting_now()
        self.clock.epoch -= 60_000_000_000
        self.lines: list[Line] = []
        self.asked: list[EditWord] = []
        self.refuses = ""
        self.deaf = False

    async def talk(self, line: Line) -> None:
        line.send(Welcome(self.clock.epoch, Ms(6000), 1))
        self.lines.append(line)
        async for message in line:
            if isinstance(message, EditWord):
                self.asked.append(message)
                if not self.deaf:
                    self.say(Edited(message.request, self.refuses))
            else:
                assert isinstance(message, Subscribe)

    def say(self, *messages: AnyMessage) -> None:
        for line in self.lines:
            for message in messages:
                line.send(message)

    def report(self, state: LinkState = "online", detail: str = "", sinks: tuple[SinkReport, ...] = ()) -> None:
        self.say(ListenerReport(state, detail, 2, 1, Ms(900), Ms(1500), corrected=1, sinks=sinks))


async def until(so: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not so():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.01)


@pytest.fixture
async def evening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[House, Relay]]:
    """A core that took up the show of a relay; its recogniser is a process that only waits."""
    monkeypatch.setattr(captions, "command", lambda: [sys.executable, "-c", "import time; time.sleep(600)"])
    plan = plan_evening(Venue(), Catalogue(None), Wish(input="listen", out=tmp_path / "show", captions=False))
    ears = captions.CaptionsPlan(
        folder=plan.folder, relay=plan.relay.socket, model=tmp_path, language="en", hold=Ms(6000)
    )
    relay = Relay()
    server = await answer(plan.relay.socket, relay.talk)
    house = House(Venue(), Catalogue(None), dataclasses.replace(plan, captions=ears))
    running = asyncio.create_task(house.run())
    try:
        await until(lambda: relay.lines)
        relay.report()
        await until(lambda: state(house)["links"].get("recogniser", {}).get("state") == "online")
        yield house, relay
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        server.close()


def state(house: House) -> dict[str, Any]:
    return house.state.snapshot()


async def test_the_core_shows_words_as_they_change(evening: tuple[House, Relay]) -> None:
    house, relay = evening
    now = relay.clock.now()
    relay.say(heard("dzień dobrzy", at=now - 1000, tentative="państwu"))
    relay.say(changed(1, "dobry", was="dobrzy", by="glossary", at=now - 700))
    await until(lambda: state(house)["captions"]["script"].get("1", {}).get("by") == "glossary")
    shown = state(house)
    assert shown["captions"]["tentative"] == "państwu"
    assert shown["captions"]["script"]["0"]["airs"] == now + 5000
    assert shown["show"]["epoch_ms"] == relay.clock.epoch // 1_000_000
    assert shown["captions"]["sinks"]["hall"]["state"] == "online"
    assert shown["captions"]["sinks"]["hall"]["late_ms"] >= 400


async def test_a_correction_goes_to_the_recogniser_and_its_answer_comes_back(evening: tuple[House, Relay]) -> None:
    house, relay = evening
    assert (await house.command("captions.edit", {"id": 5, "text": "Miłosz", "by": "page"})).kind == "confirmed"
    assert (relay.asked[0].id, relay.asked[0].text, relay.asked[0].by) == (5, "Miłosz", "page")
    relay.refuses = "That word has aired."
    outcome = await house.command("captions.restore", {"id": 5})
    assert (outcome.kind, outcome.reason) == ("refused", "That word has aired.")
    relay.deaf = True
    outcomes = await asyncio.gather(*(house.command("captions.strike", {"id": number}) for number in range(5)))
    assert {outcome.kind for outcome in outcomes} == {"unconfirmed"}


async def test_sinks_and_what_captions_lack_are_told(evening: tuple[House, Relay]) -> None:
    house, relay = evening
    report = RelayReport(
        *("online", "", 640, 360, 25.0, 10, 10, 0, None, None, 0, 0, 0, (), "on air"),
        sinks=(SinkReport("picture", "online", "", Ms(0)),),
    )
    relay.say(report)
    relay.report("degraded", "Recognition is 4 s behind.", sinks=(SinkReport("files", "online", "", Ms(20)),))
    await until(lambda: "degraded" in state(house)["captions"] and state(house)["captions"]["degraded"])
    assert state(house)["captions"]["degraded"] == "Recognition is 4 s behind."
    assert state(house)["captions"]["corrected"] == 1
    assert state(house)["captions"]["sinks"]["files"] == {"state": "online", "detail": "", "late_ms": 20}
    assert state(house)["captions"]["sinks"]["picture"] == {"state": "online", "detail": "", "late_ms": 0}


async def test_a_cue_is_replaced_taken_back_or_of_another_language(evening: tuple[House, Relay]) -> None:
    house, relay = evening
    relay.say(ShowCue(Cue(1, Ms(0), Ms(900), ("Dzień", "dobrzy"))), ShowCue(Cue(2, Ms(900), Ms(2000), ("no",))))
    relay.say(ShowCue(Cue(1, Ms(0), Ms(900), ("Dzień", "dobry"))), ShowCue(Cue(2, Ms(900), Ms(2000), ())))
    relay.say(ShowCue(Cue(1, Ms(0), Ms(900), ("Good evening",)), "en"))
    await until(lambda: state(house)["captions"]["translated"])
    assert [cue["lines"] for cue in state(house)["captions"]["settled"]] == [["Dzień", "dobry"]]
    assert [cue["lines"] for cue in state(house)["captions"]["translated"]] == [["Good evening"]]
