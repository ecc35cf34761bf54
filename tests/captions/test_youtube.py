"""Captions to YouTube, against its twin on a real socket."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest

from studio.captions import YouTube, youtube_address
from studio.captions._youtube import FILE, WAITING
from studio.errors import CaptionsError
from studio.rehearsal import YouTubeTwin
from studio.rehearsal._youtube import KEY
from studio.spoken import Cue
from studio.units import HandClock, Ms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

HOLD = Ms(6000)
VARIABLE = "HALL_YOUTUBE"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def clock() -> HandClock:
    return HandClock(10_000)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")


@pytest.fixture
async def twin(clock: HandClock) -> AsyncIterator[YouTubeTwin]:
    async with YouTubeTwin(lambda: NOON + clock.now() / 1000) as youtube:
        yield youtube


@pytest.fixture(autouse=True)
def all_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


def cue(number: int, *lines: str, start: int | None = None) -> Cue:
    start = 1000 * number if start is None else start
    return Cue(number, Ms(start), Ms(start + 900), lines or (f"Zdanie {number}",))


def sink(twin: YouTubeTwin, folder: Path, clock: HandClock, *kept: Cue, language: str = "pl") -> YouTube:
    os.environ[VARIABLE] = twin.address
    return YouTube(VARIABLE, folder, clock, HOLD, language, kept, wall=lambda: NOON + clock.now() / 1000)


@asynccontextmanager
async def running(youtube: YouTube) -> AsyncIterator[YouTube]:
    task = asyncio.create_task(youtube.run())
    try:
        yield youtube
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def killed(youtube: YouTube) -> AsyncIterator[YouTube]:
    """A life that ends without last words, as by `kill -9`."""
    youtube_task = asyncio.create_task(youtube.run())
    yield youtube
    youtube._waiting.clear()
    youtube._again.clear()
    youtube_task.cancel()
    await asyncio.gather(youtube_task, return_exceptions=True)


async def until(so: Callable[[], object]) -> None:
    while not so():  # noqa: ASYNC110 - the twin tells nobody
        await asyncio.sleep(0.01)


async def test_a_cue_comes_when_it_airs_with_its_time_and_letters(
    twin: YouTubeTwin, tmp_path: Path, clock: HandClock
) -> None:
    async with running(sink(twin, tmp_path, clock)) as youtube:
        youtube.show(cue(1, start=3500))
        youtube.show(cue(2, "Zażółć gęślą jaźń,", "ąčęėįšųūž „Łódź”", start=9000))
        await until(lambda: twin.captions)
        assert [caption.text for caption in twin.captions] == ["Zdanie 1"]
        clock.turn(5000)
        await until(lambda: len(twin.captions) == 2)
        caption = twin.captions[1]
        assert caption.text == "Zażółć gęślą jaźń,<br>ąčęėįšųūž „Łódź”"
        assert caption.moment == datetime(2026, 3, 1, 12, 0, 15, tzinfo=UTC)
        assert (caption.seq, caption.language) == (2, "pl")
        await until(lambda: youtube.late == 0)
    assert twin.complaints == []


async def test_with_another_hold_a_cue_comes_when_it_airs_by_that(
    twin: YouTubeTwin, tmp_path: Path, clock: HandClock
) -> None:
    async with running(sink(twin, tmp_path, clock)) as youtube:
        youtube.change_hold(Ms(20_000))
        youtube.show(cue(1, start=3500))
        clock.turn(14_000)
        await until(lambda: twin.captions)
    assert twin.captions[0].moment == datetime(2026, 3, 1, 12, 0, 23, 500_000, tzinfo=UTC)


async def test_a_correction_before_it_airs_is_what_comes(twin: YouTubeTwin, tmp_path: Path, clock: HandClock) -> None:
    async with running(sink(twin, tmp_path, clock, language="auto")) as youtube:
        for each in (cue(5, "kurczę"), cue(6, "dwa"), cue(5, "raz"), Cue(6, Ms(6000), Ms(6900), ())):
            youtube.show(each)
        clock.turn(5000)
        await until(lambda: twin.captions)
        youtube.show(cue(5, "za późno"))
        clock.turn(5000)
        youtube.show(cue(7))
        await until(lambda: len(twin.captions) == 2)
    assert [caption.text for caption in twin.captions] == ["raz", "Zdanie 7"]
    assert twin.captions[0].language == ""


async def test_the_end_of_the_show_sends_what_is_held(twin: YouTubeTwin, tmp_path: Path, clock: HandClock) -> None:
    async with running(sink(twin, tmp_path, clock)) as youtube:
        youtube.show(cue(9))
        await asyncio.sleep(0)
    assert [caption.text for caption in twin.captions] == ["Zdanie 9"]


def has_arrived(youtube: YouTube, number: int) -> bool:
    return youtube._kept.arrived == number


async def test_a_restart_counts_on(twin: YouTubeTwin, tmp_path: Path, clock: HandClock) -> None:
    async with killed(sink(twin, tmp_path, clock)) as youtube:
        for count in (1, 2, 3):
            youtube.show(cue(count))
            await until(partial(has_arrived, youtube, count))
        youtube.show(cue(8))
    async with running(sink(twin, tmp_path, clock, *(cue(number) for number in (1, 2, 3, 8)))) as youtube:
        clock.turn(4000)
        await until(lambda: len(twin.captions) == 4)
    assert sorted(set(twin.seqs)) == [1, 2, 3, 4]
    assert [caption.text for caption in twin.captions] == ["Zdanie 1", "Zdanie 2", "Zdanie 3", "Zdanie 8"]
    assert twin.complaints == []


async def test_killed_in_the_middle_of_a_post_it_comes_once(
    twin: YouTubeTwin, tmp_path: Path, clock: HandClock
) -> None:
    twin.late = 60.0
    async with killed(sink(twin, tmp_path, clock)) as youtube:
        youtube.show(cue(1))
        await until((tmp_path / FILE).exists)
        youtube.show(cue(2))
    twin.late = 0.0
    async with running(sink(twin, tmp_path, clock, cue(1), cue(2))):
        await until(lambda: len(twin.captions) == 2)
    assert [caption.text for caption in twin.captions] == ["Zdanie 1", "Zdanie 2"]
    assert [caption.seq for caption in twin.captions] == [1, 2]


async def test_another_show_in_the_folder_counts_on(twin: YouTubeTwin, tmp_path: Path, clock: HandClock) -> None:
    async with running(sink(twin, tmp_path, clock)) as youtube:
        youtube.show(cue(4))
        await until(lambda: youtube.state == "online")
        youtube.drop()
        youtube.show(cue(1, "Nowe"))
        await until(lambda: len(twin.captions) == 2)
    assert sorted(set(twin.seqs)) == [1, 2]


async def test_another_show_counts_on_when_it_was_killed_before_its_first_cue(
    twin: YouTubeTwin, tmp_path: Path, clock: HandClock
) -> None:
    async with running(sink(twin, tmp_path, clock)) as youtube:
        youtube.show(cue(4))
        await until(lambda: youtube.state == "online")
    async with running(sink(twin, tmp_path, clock)) as youtube:  # whose folder holds no cue
        youtube.show(cue(1, "Nowe"))
        await until(lambda: len(twin.captions) == 2)
    assert sorted(set(twin.seqs)) == [1, 2]


@pytest.mark.parametrize("fault", [500, 503, 429, "hang up", "hang up after"])
async def test_an_outage_is_outlasted_with_the_same_number(
    twin: YouTubeTwin, tmp_path: Path, clock: HandClock, fault: int, caplog: pytest.LogCaptureFixture
) -> None:
    twin.faults.append(fault)
    async with running(sink(twin, tmp_path, clock)) as youtube:
        youtube.show(cue(1))
        await until(lambda: youtube.state == "degraded")
        assert "YouTube does not answer" in youtube.detail
        youtube.show(cue(2))
        await until(lambda: len(twin.captions) == 2)
        await until(lambda: youtube.state == "online")
        assert youtube.detail == ""
    assert [caption.seq for caption in twin.captions] == [1, 2]
    assert twin.complaints == []
    assert KEY not in caplog.text


async def test_what_waited_for_a_server_that_was_away_comes_together(
    twin: YouTubeTwin, tmp_path: Path, clock: HandClock
) -> None:
    await twin.shut()
    async with running(sink(twin, tmp_path, clock)) as youtube:
        youtube.show(cue(1))
        await until(lambda: youtube.state == "degraded")
        youtube.show(cue(2))
        await twin.open()
        await until(lambda: len(twin.captions) == 2)
    assert [caption.seq for caption in twin.captions] == [1, 1]


async def test_refused_is_said_once_and_forgotten_when_it_is_over(
    twin: YouTubeTwin, tmp_path: Path, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    twin.refuses = True
    async with running(sink(twin, tmp_path, clock)) as youtube:
        youtube.show(cue(1))
        await until(lambda: youtube.state == "refused")
        assert "(403)" in youtube.detail
        youtube.show(cue(2))
        refused = twin.refused
        await until(lambda: twin.refused > refused)
        twin.refuses = False
        await until(lambda: youtube.state == "online")
    assert len([record for record in caplog.records if "YouTube refuses" in record.message]) == 1
    assert [caption.text for caption in twin.captions] == ["Zdanie 1", "Zdanie 2"]
    assert twin.seqs == [1]


async def test_no_key_in_log_report_file_or_repr(
    twin: YouTubeTwin, tmp_path: Path, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    twin.faults.extend([500, "hang up"])
    async with running(sink(twin, tmp_path, clock)) as youtube:
        youtube.show(cue(1))
        await until(lambda: twin.captions)
        assert KEY not in repr(youtube) + repr(youtube.report())
    assert KEY not in caplog.text
    assert KEY not in (tmp_path / FILE).read_text("utf-8")


async def test_what_is_too_old_is_dropped_and_counted(twin: YouTubeTwin, tmp_path: Path, clock: HandClock) -> None:
    twin.faults.append(500)
    async with running(sink(twin, tmp_path, clock)) as youtube:
        youtube.show(cue(1))
        await until(lambda: youtube.state == "degraded")
        clock.turn(120_000)
        youtube.show(cue(2))
        youtube.show(cue(120))
        await until(lambda: twin.captions)
        await until(lambda: youtube.state == "online")
        assert "2 captions did not reach YouTube" in youtube.detail
    assert [caption.text for caption in twin.captions] == ["Zdanie 120"]
    assert twin.complaints == []


def test_the_queue_is_bounded(twin: YouTubeTwin, tmp_path: Path, clock: HandClock) -> None:
    youtube = sink(twin, tmp_path, clock)
    for number in range(1, WAITING + 4):
        youtube.show(cue(number, start=9000))
    assert sorted(youtube._waiting) == list(range(4, WAITING + 4))
    assert youtube._dropped == 3


async def test_clocks_apart_are_told(twin: YouTubeTwin, tmp_path: Path, clock: HandClock) -> None:
    twin.clock_off = 3600.0
    async with running(sink(twin, tmp_path, clock)) as youtube:
        youtube.show(cue(1))
        await until(lambda: youtube.state == "degraded")
    assert "clock" in youtube.detail


async def test_a_broken_file_never_counts_back(twin: YouTubeTwin, tmp_path: Path, clock: HandClock) -> None:
    (tmp_path / FILE).write_text("{", "utf-8")
    async with running(sink(twin, tmp_path, clock)) as youtube:
        youtube.show(cue(1))
        await until(lambda: twin.captions)
    assert twin.seqs[0] > NOON


async def test_a_folder_that_is_gone_stops_nothing(
    twin: YouTubeTwin, tmp_path: Path, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(sink(twin, tmp_path / "gone", clock)) as youtube:
        youtube.show(cue(1))
        youtube.show(cue(2))
        await until(lambda: len(twin.captions) == 2)
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1


async def test_no_address_stops_only_this(tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    youtube = YouTube(VARIABLE, tmp_path, clock, HOLD, "pl")
    youtube.show(cue(1))
    await youtube.run()
    assert youtube.report().state == "refused"
    assert VARIABLE in youtube.report().detail


def test_an_address_that_cannot_be_is_refused_without_repeating_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CaptionsError, match=VARIABLE):
        youtube_address(VARIABLE)
    monkeypatch.setenv(VARIABLE, KEY)
    with pytest.raises(CaptionsError, match=VARIABLE) as caught:
        youtube_address(VARIABLE)
    assert KEY not in str(caught.value)
    monkeypatch.setenv(VARIABLE, f"http://upload.youtube.com/closedcaption?cid={KEY}")
    assert youtube_address(VARIABLE).endswith(KEY)
