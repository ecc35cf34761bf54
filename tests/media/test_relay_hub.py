from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from studio.bridge import Line
from studio.events import (
    AnyMessage,
    CaptionsDone,
    Edited,
    EditWord,
    Language,
    ListenerReport,
    ShowCue,
    Subscribe,
    Welcome,
    WordsChanged,
)
from studio.media._ground.clock import Zero
from studio.media._ground.cues import CueBoard
from studio.media._hub import RECOGNISER, Hub
from studio.spoken import Cue, ScriptWord, Word
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CHANGED = WordsChanged((ScriptWord(7, Word("Wajda", Ms(900), Ms(1300)), "wajna", "person", Ms(7300)),))
CUE = Cue(1, Ms(1000), Ms(2000), ("Dzień dobry",))


class House:
    """A hub, its socket, and whoever calls it."""

    def __init__(self, hub: Hub, socket: Path, boards: dict[Language, CueBoard]) -> None:
        self.hub = hub
        self.socket = socket
        self.boards = boards
        self.lines: list[Line] = []

    async def call(self, name: str) -> Line:
        line = await Line.call(self.socket)
        self.lines.append(line)
        line.send(Subscribe(name))
        assert isinstance(await line.receive(), Welcome)
        return line


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    boards: dict[Language, CueBoard] = {"": CueBoard(), "en": CueBoard()}
    hub = Hub(Zero(folder, lambda _epoch: None), Ms(6000), boards, lambda: None)
    await hub.open(folder / "relay.sock")
    opened = House(hub, folder / "relay.sock", boards)
    try:
        yield opened
    finally:
        for line in opened.lines:
            await line.close()
        await hub.close()


async def heard(line: Line) -> AnyMessage | None:
    return await asyncio.wait_for(line.receive(), 60)


async def test_a_correction_goes_to_the_recogniser_and_what_became_of_it_to_everyone_else(tmp_path: Path) -> None:
    async with house(tmp_path) as hub:
        recogniser, core = await hub.call(RECOGNISER), await hub.call("core")
        wish = EditWord(1, 7, "Wajda", "Ewa")
        core.send(wish)
        assert await heard(recogniser) == wish
        recogniser.send(CHANGED)
        recogniser.send(Edited(1, ""))
        assert [await heard(core), await heard(core)] == [CHANGED, Edited(1, "")]
        core.send(EditWord(2, 8, None))  # the recogniser hears nothing of its own words
        assert await heard(recogniser) == EditWord(2, 8, None)


async def test_without_a_recogniser_a_correction_is_refused_at_once(tmp_path: Path) -> None:
    async with house(tmp_path) as hub:
        core = await hub.call("core")
        core.send(EditWord(3, 7, "Wajda"))
        answer = await heard(core)
        assert isinstance(answer, Edited)
        assert (answer.request, answer.refused.endswith("try again.")) == (3, True)


async def test_a_recogniser_that_goes_before_it_answers_is_answered_for(tmp_path: Path) -> None:
    async with house(tmp_path) as hub:
        recogniser, core = await hub.call(RECOGNISER), await hub.call("core")
        for request in (4, 5):
            core.send(EditWord(request, 7, "Wajda"))
            await heard(recogniser)
        recogniser.send(Edited(4, ""))
        assert await heard(core) == Edited(4, "")
        await recogniser.close()
        answer = await heard(core)
        assert isinstance(answer, Edited)
        assert (answer.request, bool(answer.refused)) == (5, True)


async def test_each_track_has_a_board_of_its_own(tmp_path: Path) -> None:
    async with house(tmp_path) as hub:
        recogniser, core = await hub.call(RECOGNISER), await hub.call("core")
        english = Cue(1, Ms(1000), Ms(2500), ("Good evening",))
        said: list[AnyMessage] = [ShowCue(CUE), ShowCue(english, "en"), ListenerReport("online", "", 2, 1, None, None)]
        for message in said:
            recogniser.send(message)
        assert [await heard(core) for _message in said] == said
        assert hub.boards[""].at(Ms(1500)) == CUE
        assert hub.boards["en"].at(Ms(1500)) == english


async def test_last_words_are_waited_for_until_they_are_said_or_nobody_is_left_to_say_them(tmp_path: Path) -> None:
    async with asyncio.timeout(60), house(tmp_path) as hub:  # not for the hour that it may wait
        await hub.hub.wait_for_captions(3600)  # nobody is here
        recogniser, core = await hub.call(RECOGNISER), await hub.call("core")
        waits = asyncio.create_task(hub.hub.wait_for_captions(3600))
        recogniser.send(ShowCue(CUE))
        assert await heard(core) == ShowCue(CUE)
        assert not waits.done()
        recogniser.send(CaptionsDone())
        await waits
        await recogniser.close()
        other = await hub.call(RECOGNISER)
        waits = asyncio.create_task(hub.hub.wait_for_captions(3600))
        await other.close()
        await waits
