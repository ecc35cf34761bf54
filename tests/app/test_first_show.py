"""The whole chain, as a technician runs it: a talk goes in, a captioned recording comes out, whoever dies meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import av
import psutil
import pysubs2
import pytest
import pytest_asyncio
from tests.app.conftest import ffmpeg

from studio.app import House, Summary, Wish, demo_venue, plan_evening
from studio.captions import read_kept
from studio.catalogue import Catalogue
from studio.venue import ObsSettings, Venue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.app.technician import Studio

PATIENCE = 90.0
"""Seconds after which a machine under load is called dead."""


OnAir = Callable[[House], "asyncio.Task[Summary]"]


@pytest_asyncio.fixture
async def on_air() -> AsyncIterator[OnAir]:
    """Run a house; what is still running when the test ends, however it ends, is ended with it."""
    shows: list[asyncio.Task[Summary]] = []

    def run(house: House) -> asyncio.Task[Summary]:
        shows.append(asyncio.create_task(house.run()))
        return shows[-1]

    yield run
    for show in shows:
        show.cancel()
        await asyncio.gather(show, return_exceptions=True)


def length(path: Path) -> float:
    with av.open(str(path)) as film:
        return float(film.duration or 0) / av.time_base


def state_of(house: House) -> dict[str, Any]:
    return cast("dict[str, Any]", house.state.snapshot())


async def until(house: House, holds: Callable[[dict[str, Any]], bool]) -> None:
    """Follow the state until it is so."""
    async with asyncio.timeout(PATIENCE):
        async for _change in house.state.changes():
            if holds(state_of(house)):
                return


def wait_until(holds: Callable[[], bool]) -> None:
    """Look again and again until it is so."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def children(words: str = "") -> set[psutil.Process]:
    """Return those of ours, and theirs, that run and whose command line holds `words`."""
    found = set()
    for one in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # it ends while we look
            if one.status() != psutil.STATUS_ZOMBIE and words in " ".join(one.cmdline()):
                found.add(one)
    return found


def child(words: str) -> psutil.Process:
    """Return the oldest of these."""
    return min(children(words), key=psutil.Process.create_time)


def test_a_talk_is_aired_recorded_and_captioned(studio: Studio, talk: Path, tmp_path: Path) -> None:
    ended = studio("live", "--input", talk, "--lang", "en", "--out", "show", "--seconds", 14, "--port", 0)
    assert ended.code == 0, ended.said
    show = tmp_path / "show"
    summary = json.loads((show / "summary.json").read_text())
    assert abs(length(show / "recording.mp4") - 14) <= 0.2
    assert summary["words"] > 20
    written = " ".join(event.plaintext for event in pysubs2.load(str(show / "captions.srt")))
    assert "microphone" in written.casefold() or "welcome" in written.casefold()
    assert (show / "hls" / "master.m3u8").exists()
    assert "show/recording.mp4" in ended.said
    assert not list(show.glob("recording.part-*"))


def written(folder: Path) -> list[str]:
    return " ".join(event.plaintext for event in pysubs2.load(str(folder / "captions.srt"))).split()


def words_kept(folder: Path) -> list[str]:
    """What the journal says in the end, after every revision."""
    return " ".join(word.text for word in read_kept(folder).words).split()


@pytest.mark.timeout(240)
async def test_relay_and_recogniser_are_killed_and_nothing_settled_is_lost(
    talk: Path, tmp_path: Path, on_air: OnAir
) -> None:
    out = tmp_path / "show"
    venue = Venue(language="en", obs=ObsSettings(use="off"))
    catalogue = Catalogue(None)
    evening = plan_evening(venue, catalogue, Wish(input=str(talk), out=out, hold=3, seconds=34))
    house = House(venue, catalogue, evening)
    running = on_air(house)
    await until(house, lambda state: state["captions"]["words"] > 8)
    relay = child("studio.media").pid

    child("studio.captions").send_signal(signal.SIGKILL)
    words = state_of(house)["captions"]["words"]
    await until(house, lambda state: state["captions"]["words"] > words + 3)
    assert child("studio.media").pid == relay

    recogniser = child("studio.captions").pid
    child("studio.media").send_signal(signal.SIGKILL)
    words = state_of(house)["captions"]["words"]
    await until(house, lambda state: state["captions"]["words"] > words + 3)
    assert child("studio.captions").pid == recogniser

    summary = await running
    assert written(out) == words_kept(out)
    assert summary.words == len(read_kept(out).words)
    assert abs(length(out / "recording.mp4") - 34) <= 1.0


async def test_a_relay_that_hangs_is_started_anew(
    tmp_path: Path, on_air: OnAir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.app._house.DEAF", 1.0)
    monkeypatch.setattr("studio.app._house.HUNG", 4.0)
    film = tmp_path / "film.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=60", "-pix_fmt", "yuv420p", "-g", "25", film)
    venue, catalogue = Venue(obs=ObsSettings(use="off")), Catalogue(None)
    wish = Wish(input=str(film), out=tmp_path / "show", captions=False, hold=0.5)
    house = House(venue, catalogue, plan_evening(venue, catalogue, wish))
    running = on_air(house)
    await until(house, lambda state: state["programme"]["frames"] > 5)
    relay = child("studio.media")
    relay.send_signal(signal.SIGSTOP)
    await until(house, lambda state: state["links"]["relay"]["state"] == "degraded")
    await until(house, lambda state: state["links"]["relay"]["state"] == "online")
    assert not relay.is_running()
    frames = state_of(house)["programme"]["frames"]
    await until(house, lambda state: state["programme"]["frames"] > frames + 5)
    assert any("is started anew" in notice["text"] for notice in state_of(house)["notices"])
    house.stop()
    await running


@pytest.mark.timeout(240)
def test_a_show_goes_on_when_its_core_is_killed_and_is_taken_up_again(
    studio: Studio, talk: Path, tmp_path: Path
) -> None:
    show = tmp_path / "show"
    arguments = ["live", "--input", str(talk), "--lang", "en", "--out", str(show), "--hold", "2", "--no-web"]
    core = subprocess.Popen(
        [sys.executable, "-m", "studio", *arguments, "--seconds", "25"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        words = show / "captions.words.jsonl"
        wait_until(lambda: words.exists() and words.read_bytes().count(b"\n") > 5)
    finally:
        core.kill()
        core.wait()
    refused = studio("recover", show)
    assert refused.code == 1
    assert "running" in refused.said
    ended = studio(*arguments, "--seconds", 25)
    assert ended.code == 0, ended.said
    assert "taken up again" in ended.said
    assert abs(length(show / "recording.mp4") - 25) <= 0.5
    assert len(list(show.glob("recording*"))) == 1
    assert written(show) == words_kept(show)


def test_a_terminal_that_went_away_does_not_end_the_show(talk: Path, tmp_path: Path) -> None:
    show = tmp_path / "show"
    reader, writer = os.pipe()
    running = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "studio",
            "live",
            "--input",
            str(talk),
            "--out",
            str(show),
            "--seconds",
            "4",
            "--no-web",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=writer,
    )
    os.close(writer)
    os.close(reader)
    running.wait(PATIENCE)
    assert abs(length(show / "recording.mp4") - 4) <= 0.2


@pytest.mark.timeout(240)
async def test_obs_is_killed_and_streams_again(talk: Path, tmp_path: Path, on_air: OnAir) -> None:
    out = tmp_path / "show"
    others = children()  # of tests before this one
    venue = demo_venue()
    catalogue = Catalogue(None)
    house = House(venue, catalogue, plan_evening(venue, catalogue, Wish(out=out, talk=talk, hold=3)))
    running = on_air(house)
    await until(house, lambda state: state["programme"]["frames"] > 15 and state["captions"]["words"] > 0)
    assert state_of(house)["scenes"]["names"] == ["Talk", "Holding"]
    outcome = await house.command("take", {"scene": "Holding"})
    assert outcome.kind == "confirmed"
    await until(house, lambda state: state["scenes"]["current"] == "Holding")
    assert (await house.command("take", {"scene": "Nowhere"})).kind == "refused"

    relay = child("studio.media").pid
    next(one for one in children("obs") if one.name() == "obs").send_signal(signal.SIGKILL)
    await until(house, lambda state: state["links"]["source"]["state"] != "online")
    await until(house, lambda state: state["links"]["source"]["state"] == state["links"]["obs"]["state"] == "online")
    assert child("studio.media").pid == relay

    house.stop()
    summary = await running
    assert summary.recording is not None
    assert length(summary.recording) > 3
    psutil.wait_procs(children() - others, timeout=PATIENCE)  # a child of a child may need a moment more
    assert children() <= others
