"""The page of the vocal studio in a real browser, with a real recorder on a pretended sound card."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.async_api import Browser, expect
from tests.vocal.booth import Booth
from tests.web.conftest import NEEDS_CHROMIUM
from tests.web.test_captions_pages import page_of

from studio.app import VocalStudio
from studio.vocal import Device, Session
from studio.web import serve_vocal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

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
async def opened(session: Session) -> AsyncIterator[tuple[VocalStudio, int]]:
    told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with VocalStudio(session, device=Device(input="booth_mic", channels=2)) as studio:
        serving = asyncio.create_task(serve_vocal(studio, "127.0.0.1", 0, opened=told.set_result))
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
        strange = await other.post("/api/vocal/press", json={}, headers={"Origin": "http://elsewhere.example"})
        assert strange.status_code == 403
        assert studio.now()["recorder"].take is None
