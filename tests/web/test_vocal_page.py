"""The page of the vocal studio in a real browser, with a real recorder on a pretended sound card."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from typing import TYPE_CHECKING

import httpx
import pytest
import soundfile
from playwright.async_api import Browser, expect
from tests.vocal.booth import RATE, Booth
from tests.vocal.sung import held, voice
from tests.vocal.test_gain import hall
from tests.vocal.test_trace import midi
from tests.web.conftest import NEEDS_CHROMIUM
from tests.web.test_captions_pages import page_of
from tests.web.test_pages import until

from studio.app import VocalStudio
from studio.events import TakeEnded, TakeStarted
from studio.vocal import Device, Session, Span
from studio.web import serve_vocal
from studio.web._doors import Doors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from studio.app import VocalDesk
    from studio.devices import Value

pytestmark = [pytest.mark.asyncio(loop_scope="module"), NEEDS_CHROMIUM]


@pytest.fixture(scope="module")
def booth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booth]:
    booth = Booth(tmp_path_factory.mktemp("booth"))
    booth.switch_on()
    yield booth
    booth.switch_off()


@pytest.fixture
def session(booth: Booth, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    booth.enter(monkeypatch)
    session = Session.new(tmp_path / "session", name="Skowronki")
    ola = session.singer("Ola", child=True)
    session.song("Kołysanka")
    session.arm(1, "lead", [ola.id])
    return session


@contextlib.asynccontextmanager
async def opened(
    session: Session, *, output: str | None = None, desk: VocalDesk | None = None, doors: Path | None = None
) -> AsyncIterator[tuple[VocalStudio, int]]:
    told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    device = Device(input="booth_mic", channels=2, output=output)
    async with VocalStudio(session, device=device, desk=desk) as studio:
        serving = asyncio.create_task(serve_vocal(studio, "127.0.0.1", 0, opened=told.set_result, doors=doors))
        try:
            yield studio, await asyncio.wait_for(told, 30)
        finally:
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving


async def test_a_take_is_recorded_with_the_button_and_heard_kept_and_spoken_of(
    browser: Browser, session: Session
) -> None:
    async with opened(session) as (_studio, port), page_of(browser, port, "/") as page:
        button = page.locator(".record")
        await expect(button).to_contain_text("Record")
        await expect(page.locator(".who")).to_contain_text("consent not noted")
        await expect(page.locator(".verdict")).to_contain_text("dead")
        await expect(page.locator(".facts .refused")).to_have_count(0)
        await button.click()
        await expect(button).to_contain_text("Take 1")
        assert session.state.takes[1].ended is None
        await expect(button).to_contain_text("0:00:01")
        await button.click()
        take = page.locator("[data-take='1']")
        await expect(take.get_by_role("button", name="Keep")).to_be_enabled()
        await expect(button).to_contain_text("Record")
        await take.get_by_role("button", name="Keep").click()
        await expect(take).to_have_class("take keeper")
        await take.get_by_label("Stars: 4").click()
        await expect(take.get_by_label("Stars: 4")).to_have_attribute("aria-pressed", "true")
        await take.get_by_label("Comment on take 1").fill("za cicho")
        await take.get_by_label("Comment on take 1").press("Enter")
        await expect(take.locator(".said")).to_contain_text("za cicho")
        await take.get_by_role("button", name="Play").click()
        await expect(take.locator("audio")).to_have_js_property("ended", value=True)
        kept = session.refresh().takes[1]
        assert (kept.keeper, kept.stars, kept.well, kept.comments[0].text) == (True, 4, True, "za cicho")


def sung(session: Session, *, keeper: bool = True) -> None:
    """A take that was recorded before."""
    take = session.begin(song="kolysanka")
    file = f"takes/{take.number:03}.wav"
    soundfile.write(session.folder / file, voice(2)[:, None], RATE, subtype="PCM_24")
    session.started(TakeStarted(take.number, file, 0, "2026-11-27T10:00:00Z", RATE, ()), take)
    session.ended(TakeEnded(take.number, 2 * RATE, "stopped"))
    session.keep(take.number, keeper=keeper)


async def test_keepers_leave_with_consent_and_only_then(browser: Browser, session: Session) -> None:
    sung(session)
    sung(session, keeper=False)
    async with opened(session) as (_studio, port), page_of(browser, port, "/vocal", quiet=False) as page:
        panel = page.locator(".export")
        export = panel.get_by_role("button", name="Export")
        await export.click()
        await expect(panel.get_by_role("alert")).to_contain_text("Nothing leaves without the consent of Ola")
        assert list((session.folder / "exports").iterdir()) == []
        session.singer("Ola", consent="yes")
        await panel.get_by_label("MP3").check()
        await panel.get_by_label("Loudness").select_option("-16")
        await panel.get_by_label("Sound").select_option("children-choir")
        await export.click()
        links = panel.get_by_role("link")
        await expect(links).to_have_text(["kolysanka-001.wav", "kolysanka-001.mp3"])
        await expect(panel.get_by_role("alert")).to_have_count(0)
        await expect(panel).to_contain_text("-16.0 LUFS")
        entry = session.refresh().exported[0]
        assert (entry.takes, entry.preset) == ((1,), "children-choir")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as other:
            heard = await other.get(await links.first.get_attribute("href") or "")
            assert heard.content == (session.folder / entry.files[0]).read_bytes()
            assert heard.headers["content-type"] == "audio/wav"
            for stranger in ("session.jsonl", "exports/nobody.wav", "..%2Fsession%2Fsession.jsonl"):
                assert (await other.get(f"/api/vocal/exports/{stranger}")).status_code in (404, 422)
        await panel.get_by_label("What").select_option("take 2")
        await export.click()
        await expect(links).to_have_text(["kolysanka-002.wav", "kolysanka-002.mp3"])


async def test_pitch_is_drawn_against_the_melody_and_a_part_is_recorded(
    browser: Browser, session: Session, tmp_path: Path
) -> None:
    """The room hears the backing, which is half a tone below what the melody says."""
    soundfile.write(tmp_path / "minus.wav", held(30, 220.0), RATE)
    session.song("Kołysanka", backing=tmp_path / "minus.wav", melody=midi(tmp_path / "kolysanka.mid", 58, 60))
    # Chromium warns of canvases that are read.
    async with (
        opened(session, output="booth") as (_studio, port),
        page_of(browser, port, "/vocal", quiet=False) as page,
    ):
        panel, button = page.locator(".pitch"), page.locator(".record")
        await panel.get_by_label("Microphone").select_option("lead")
        await panel.get_by_label("Voice").select_option("alto")
        await expect(panel).to_contain_text("nearest semitone")
        await expect(button).to_contain_text("Record")
        await button.click()
        await expect(panel).to_contain_text("In cents above the melody: melody")
        await expect(panel.locator(".figure")).to_have_text(re.compile(r"A3\s+\u2212(9[5-9]|10[0-5])"))
        await until(page, DRAWN)
        await button.click()
        await expect(button).to_contain_text("Record")
        await page.get_by_label("Part of the song").select_option("punch")
        await button.click()
        await expect(page.get_by_text("Write where the part begins and ends")).to_be_visible()
        await page.get_by_label("From", exact=True).fill("0:01")
        await page.get_by_label("To", exact=True).fill("2")
        await button.click()
        await expect(page.locator("[data-take='2'] .number")).to_have_text("0:00:01")
        take = session.refresh().takes[2]
        assert (take.ended, take.frames, take.punch) == ("whole", RATE, Span(1, 2))
        await panel.get_by_label("Microphone").select_option("")
        await expect(panel.locator("canvas")).to_have_count(0)


DRAWN = """(() => {
  const canvas = document.querySelector('.pitch canvas');
  const lowest = canvas.height * 0.9, high = canvas.height * 0.1;
  const data = canvas.getContext('2d').getImageData(canvas.width * 0.6, lowest, canvas.width * 0.4, high).data;
  return data.some((value) => value > 0);
})()"""
"""Whether there is a line near the lower edge, where 100 cents below the melody are."""


async def test_pages_of_other_programs_are_led_to(browser: Browser, session: Session, tmp_path: Path) -> None:
    doors = tmp_path / "doors"
    with Doors(doors).open(["/", "/films"], "127.0.0.1", 8710):
        async with opened(session, doors=doors) as (_studio, port), page_of(browser, port, "/vocal") as page:
            links = page.get_by_role("navigation").get_by_role("link")
            await expect(links).to_have_text(["Vocal studio", "Status", "Films"])
            await expect(links.last).to_have_attribute("href", "http://127.0.0.1:8710/films")
            await expect(links.first).to_have_attribute("aria-current", "page")
            assert sorted(door.pages for door in Doors(doors).others()) == [["/", "/films"], ["/vocal"]]


async def test_a_singers_mix_is_set_on_the_desk(session: Session) -> None:
    stands: dict[str, Value] = {"ch1.send3.level": -20.0, "ch1.send3.mute": False, "bus3.name": "Ola"}
    async with (
        hall("behringer-x32", stands) as (twin, desk),
        opened(session, desk=desk) as (studio, port),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as other,
    ):
        assert studio.session()["buses"][3] == "Ola"
        assert (await other.get("/api/vocal/sends/3")).json()["ch1"] == pytest.approx(-20, abs=0.3)
        wish = {"bus": 3, "source": "ch1", "level": -6}
        assert (await other.post("/api/vocal/send", json=wish)).status_code == 200
        assert twin.value("ch1.send3.level") == pytest.approx(-6, abs=0.3)
        assert (await other.post("/api/vocal/send", json={**wish, "level": None})).status_code == 200
        assert twin.value("ch1.send3.mute") is True
        nowhere = await other.post("/api/vocal/send", json={**wish, "source": "ch99"})
        assert (nowhere.status_code, "no send" in nowhere.json()["reason"]) == (422, True)
        assert (await other.post("/api/vocal/gains", json={})).status_code == 422  # nothing was proposed


async def test_a_recorder_that_is_killed_is_missed_and_its_take_is_listed(browser: Browser, session: Session) -> None:
    async with opened(session) as (studio, port), page_of(browser, port, "/vocal") as page:
        button = page.locator(".record")
        await expect(button).to_contain_text("Record")
        await page.locator("h1").click()
        await page.keyboard.press("Space")
        await expect(button).to_contain_text("0:00:01")
        pid = studio._room.recorder.pid
        assert pid
        os.kill(pid, signal.SIGSTOP)  # alive, and it says nothing
        await expect(page.locator(".gone")).to_contain_text("The recorder is gone")
        await expect(button).to_be_disabled()
        os.kill(pid, signal.SIGKILL)
        await expect(button).to_be_enabled()
        await expect(button).to_contain_text("Record")
        await expect(page.locator("[data-take='1'] .refused")).to_contain_text("recorder ended")


async def test_a_take_is_sent_in_the_pieces_that_are_asked_for(session: Session) -> None:
    async with opened(session) as (studio, port), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as other:
        assert (await other.post("/api/vocal/press", json={})).status_code == 200
        busy = await other.post("/api/vocal/export", json={"takes": [1]})
        assert (busy.status_code, "being recorded" in busy.json()["reason"]) == (422, True)
        assert (await other.post("/api/vocal/press", json={})).status_code == 200
        whole = await other.get("/api/vocal/takes/1/sound")
        frames = session.refresh().takes[1].frames
        assert len(whole.content) == 44 + 2 * frames
        for first, last in ((0, 9), (40, 47), (45, 45), (101, 200)):
            piece = await other.get("/api/vocal/takes/1/sound", headers={"Range": f"bytes={first}-{last}"})
            assert (piece.status_code, piece.content) == (206, whole.content[first : last + 1])
        far = {"Range": f"bytes={len(whole.content)}-"}
        assert (await other.get("/api/vocal/takes/1/sound", headers=far)).status_code == 416
        assert (await other.get("/api/vocal/takes/2/sound")).status_code == 422
        assert (await other.post("/api/vocal/press", json={"count_in": 99})).status_code == 422
        assert (await other.post("/api/vocal/press", json={"punch": [2, 1]})).status_code == 422
        assert (await other.post("/api/vocal/export", json={"loudness": -3})).status_code == 422
        assert (await other.post("/api/vocal/export", json={"takes": [7]})).status_code == 422
        assert (await other.post("/api/vocal/pitch", json={"channel": 9})).status_code == 422
        assert (await other.get("/api/vocal/sends/1")).status_code == 422  # without a desk
        strange = await other.post("/api/vocal/press", json={}, headers={"Origin": "http://elsewhere.example"})
        assert strange.status_code == 403
        assert studio.now()["recorder"].take is None
