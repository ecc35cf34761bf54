"""The pages in a real browser."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Browser, Page, expect
from tests.web.conftest import NEEDS_CHROMIUM
from tests.web.evening import Evening, opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


pytestmark = [pytest.mark.asyncio(loop_scope="module"), NEEDS_CHROMIUM]


@contextlib.asynccontextmanager
async def page_of(browser: Browser, port: int, *, quiet: bool = True, **context: object) -> AsyncIterator[Page]:
    """Open the status page; `quiet`: nothing may be complained of in its console, violations of the policy included."""
    complaints: list[str] = []
    async with await browser.new_context(**context) as device:  # type: ignore[arg-type]  # passed on as it came
        page = await device.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda problem: complaints.append(str(problem)))
        await page.goto(f"http://127.0.0.1:{port}/")
        yield page
    assert not quiet or complaints == []


async def until(page: Page, expression: str) -> None:
    """Wait until `expression` is so. Playwright's own waiting evaluates strings, which the page's policy forbids."""
    look = f"const look = () => (({expression}) ? done() : setTimeout(look, 50)); look();"
    async with asyncio.timeout(60):
        await page.evaluate(f"() => new Promise((done) => {{ {look} }})")


async def test_the_page_shows_the_state(browser: Browser, house: Evening) -> None:
    house.state.set("destinations.hls.state", "starting")
    async with opened(house) as port, page_of(browser, port) as page:
        await expect(page.locator(".air")).to_have_text("On air")
        await expect(page).to_have_title("● On air – Wieczór z Czesławem Miłoszem")  # noqa: RUF001 - as written
        await expect(page.locator(".time")).to_have_text("1:12:34")
        links = page.get_by_role("region", name="Connections").get_by_role("listitem")
        assert [" ".join(text.split()) for text in await links.all_inner_texts()] == [
            "OBS Online",
            "Programme source Online",
            "Relay Online",
            "Speech recogniser Limited It is 3 s behind; close other programs.",
            "Desk at 10.0.0.2 Needs you Desk at 10.0.0.2 does not answer. Is it switched on?",
        ]
        figures = dict(
            zip(*[await page.locator(f".figure {part}").all_inner_texts() for part in ("dt", "dd")], strict=True)
        )
        assert figures == {
            "Captions late: half within": "2.1s",
            "Captions late: 95 % within": "4.3s",
            "Captions missed by the picture": "0",
            "Captions shown": "1,042",
            "Words recognised": "8,123",
            "Words corrected before they aired": "12",
            "Hold": "6.0s",
            "Frames on time": "99.9%",
            "Frames dropped": "2",
            "Picture": "1280×720, 25 fps",  # noqa: RUF001 - as written
            "Sound peak": "-14 dB",
            "Loudness, last 3 s": "-22.6 LUFS",
            "Loudness so far": "-23.1 LUFS",
            "Highest true peak": "-3.2 dBTP",
        }
        await expect(page.get_by_role("region", name="Destinations")).to_contain_text("1.91 GB")
        await expect(page.get_by_label("Messages")).to_contain_text("check its cable")
        spoken = page.locator(".spoken")
        await expect(spoken.get_by_role("log").locator("p").first).to_have_text(
            "Dzień dobry państwu, witam w naszym domu kultury."
        )
        await expect(spoken.locator(".tentative")).to_have_text("a teraz proszę")
        assert await spoken.get_attribute("lang") == "pl"


async def test_a_change_of_the_state_changes_the_open_page(browser: Browser, house: Evening) -> None:
    house.state.set("destinations.hls.state", "starting")
    async with opened(house) as port, page_of(browser, port) as page:
        await expect(page.locator(".air")).to_have_class("air on")
        house.state.merge({"show": {"phase": "ended", "seconds": 4360}, "captions": {"tentative": None}})
        house.state.set("links.obs", {"state": "connecting", "detail": "It was killed and comes back."})
        await expect(page.locator(".air")).to_have_text("Ended")
        await expect(page.locator(".air")).to_have_class("air ")
        await expect(page.locator(".tentative")).to_have_count(0)
        await expect(page.locator(".links li").first).to_contain_text("It was killed and comes back.")
        house.state.set("captions.on", value=False)
        await expect(page.locator(".captions")).to_contain_text("switched off")
        house.state.set("programme.slate", value=True)
        await expect(page.locator(".figure", has_text="Picture").locator("dd")).to_have_text("Slate")


async def test_a_scene_is_taken_with_a_key_and_shown_when_it_is_reported(browser: Browser, house: Evening) -> None:
    house.state.set("destinations.hls.state", "starting")
    async with opened(house) as port, page_of(browser, port) as page:
        talk, holding = (page.get_by_role("button", name=name) for name in ("Talk", "Holding"))
        await expect(talk).to_have_attribute("aria-pressed", "true")
        await holding.focus()
        await page.keyboard.press("Enter")
        await expect(holding).to_have_attribute("aria-pressed", "true")
        await expect(talk).to_have_attribute("aria-pressed", "false")
        assert house.asked == [("take", {"scene": "Holding"})]


async def test_a_refused_take_says_why_and_changes_nothing(browser: Browser, house: Evening) -> None:
    house.state.set("destinations.hls.state", "starting")
    house.silent.add("Holding")
    async with opened(house) as port, page_of(browser, port) as page:
        await page.get_by_role("button", name="Holding").click()
        await expect(page.locator(".scenes").get_by_role("alert")).to_have_text("OBS does not answer. Is it running?")
        await expect(page.get_by_role("button", name="Talk")).to_have_attribute("aria-pressed", "true")


async def test_a_destination_is_taken_off_the_air_by_two_presses(browser: Browser, house: Evening) -> None:
    house.state.set("destinations.hls.state", "starting")
    to = {"state": "on air", "detail": "rtmps://a/live2", "size": 9_000_000, "destination": True}
    house.state.set("destinations.YouTube", {**to, "kbps": 2931, "dropped": 12, "restarts": 1})
    async with opened(house) as port, page_of(browser, port) as page:
        row = page.get_by_role("region", name="Destinations").get_by_role("listitem").filter(has_text="YouTube")
        await expect(row.locator(".state")).to_have_text("On air")
        await expect(row.locator(".detail")).to_have_text(
            "9 MB · 2,931 kb/s · 12 packets left out · tried again 1 × – rtmps://a/live2"  # noqa: RUF001 - as written
        )
        await row.get_by_role("button", name="Stop sending").click()
        assert house.asked == []
        await row.get_by_role("button", name="Press again to stop").click()
        await expect(row.locator(".state")).to_have_text("Off")
        assert house.asked == [("destinations.remove", {"name": "YouTube"})]
        await row.get_by_role("button", name="Send there").click()
        await expect(row.locator(".state")).to_have_text("Connecting")
        await expect(row.get_by_role("button", name="Send there")).to_have_count(0)
        assert house.asked[1:] == [("destinations.add", {"name": "YouTube"})]


async def test_the_hold_is_changed_on_the_air(browser: Browser, house: Evening) -> None:
    house.state.set("destinations.hls.state", "starting")
    async with opened(house) as port, page_of(browser, port) as page:
        field, button = page.get_by_label("Hold in seconds"), page.get_by_role("button", name="Change the hold")
        await expect(field).to_have_value("6")
        await expect(button).to_be_disabled()
        await field.fill("8.5")
        await button.click()
        await expect(page.locator(".figure").filter(has_text="Hold").locator("dd")).to_have_text("8.5s")
        await expect(field).to_have_value("8.5")
        await field.fill("31")
        await field.press("Enter")
        await expect(page.locator(".hold").get_by_role("alert")).to_have_text("Choose between 0 and 30 s.")
        await expect(field).to_have_value("8.5")
        assert house.asked == [("hold", {"seconds": 8.5}), ("hold", {"seconds": 31})]


async def test_a_hand_chooses_the_encoder(browser: Browser, house: Evening) -> None:
    house.state.set("destinations.hls.state", "starting")
    async with opened(house) as port, page_of(browser, port) as page:
        encoders = page.get_by_role("region", name="Encoders")
        await expect(encoders).to_have_count(0)  # there is but one
        house.encoders("auto")
        airs = encoders.locator("li .detail")
        await expect(airs).to_have_text(["On air", ""])
        await encoders.get_by_role("button", name="Backup").click()
        await expect(airs).to_have_text(["", "On air"])
        await expect(encoders.get_by_role("button", name="Backup")).to_have_attribute("aria-pressed", "true")
        await encoders.get_by_role("button", name="By itself").click()
        await expect(airs).to_have_text(["On air", ""])
        assert house.asked == [("input", {"name": "backup"}), ("input", {"name": "auto"})]


async def test_a_destination_that_needs_its_key_anew_says_so(browser: Browser, house: Evening) -> None:
    house.state.set("destinations.hls.state", "starting")
    house.state.set("destinations.Keyless", {"state": "refused", "detail": "", "size": 0, "destination": True})
    async with opened(house) as port, page_of(browser, port) as page:
        panel = page.get_by_role("region", name="Destinations")
        row = panel.get_by_role("listitem").filter(has_text="Keyless")
        await expect(row.locator(".state")).to_have_text("Needs you")
        await row.get_by_role("button", name="Read the key again").click()
        await expect(panel.get_by_role("alert")).to_have_text("The environment variable KEY is empty.")


async def test_the_player_plays_and_its_subtitle_track_waits_for_the_button(browser: Browser, programme: Path) -> None:
    async with opened(Evening(programme)) as port, page_of(browser, port) as page:
        await until(page, "document.querySelector('video')?.currentTime > 1")
        assert await page.evaluate("document.querySelector('video').videoWidth") == 320
        showing = "[...document.querySelector('video').textTracks].filter((track) => track.mode === 'showing')"
        assert await page.evaluate(f"{showing}.length") == 0
        button = page.get_by_role("button", name="Subtitle track")
        await button.click()
        await until(page, f"{showing}.some((track) => track.cues?.length === 2)")
        cues = await page.evaluate(
            f"{showing}.flatMap((track) => [...track.cues].map((cue) => [cue.startTime, cue.text]))"
        )
        assert [text for _start, text in cues] == ["Dzień dobry państwu.", "Zażółć gęślą jaźń."]
        assert cues[0][0] == pytest.approx(0.5, abs=0.05)
        await until(page, f"{showing}.some((track) => track.activeCues.length === 1)")
        await button.click()
        await until(page, f"{showing}.length === 0")


async def test_the_player_waits_for_a_programme_that_is_not_there_yet(
    browser: Browser, house: Evening, programme: Path
) -> None:
    async with opened(house) as port, page_of(browser, port, quiet=False) as page:
        async with page.expect_response(re.compile("master.m3u8")) as first:
            pass
        assert (await first.value).status == 404
        for file in (programme / "hls").iterdir():
            (house.folder / "hls" / file.name).write_bytes(file.read_bytes())
        await until(page, "document.querySelector('video')?.currentTime > 0.2")


async def test_the_page_speaks_the_language_of_the_show_until_somebody_chooses(
    browser: Browser, house: Evening
) -> None:
    house.state.merge({"show": {"interface": "lt"}, "destinations": {"hls": {"state": "starting"}}})
    async with opened(house) as port, page_of(browser, port) as page:
        await expect(page.locator(".air")).to_have_text("Eteryje")
        await page.get_by_role("button", name="Polski").click()
        await expect(page.locator(".air")).to_have_text("Na antenie")
        await expect(page.get_by_role("region", name="Sceny")).to_be_visible()
        await expect(page.locator(".figure dd").first).to_have_text("2,1 s")
        assert await page.evaluate("document.documentElement.lang") == "pl"
        await page.reload()
        await expect(page.locator(".air")).to_have_text("Na antenie")


async def test_a_lost_connection_is_said_and_mended(browser: Browser, house: Evening) -> None:
    house.state.set("destinations.hls.state", "starting")
    async with opened(house) as first:
        port = first
        opening = page_of(browser, port, quiet=False)
        page = await opening.__aenter__()
        await expect(page.locator(".air")).to_have_class("air on")
    banner = page.get_by_text("No connection to studio.")
    await expect(banner).to_be_visible()
    await expect(page.locator(".air")).to_have_text("Unknown")
    await expect(page.locator(".air")).to_have_class("air ")
    await expect(page.get_by_role("button", name="Talk")).to_be_disabled()
    await expect(page.locator(".links .good")).to_have_count(0)
    house.state.set("show.title", "Another evening")
    async with opened(house, port):
        await expect(page.get_by_role("heading", name="Another evening")).to_be_visible()
        await expect(banner).to_have_count(0)
        await expect(page.locator(".air")).to_have_class("air on")
        await opening.__aexit__(None, None, None)


async def test_the_page_fits_a_phone(browser: Browser, house: Evening) -> None:
    house.state.set("destinations.hls.state", "starting")
    viewport = {"width": 360, "height": 740}
    async with opened(house) as port, page_of(browser, port, viewport=viewport) as page:
        await expect(page.locator(".air")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") == 360


async def test_an_alarm_stands_on_the_page_while_it_lasts(browser: Browser, house: Evening) -> None:
    house.state.set("destinations.hls.state", "starting")
    async with opened(house) as port, page_of(browser, port) as page:
        figures = page.locator("section.figures")
        await expect(figures).to_contain_text("-22.6 LUFS")
        await expect(figures).to_contain_text("-23.1 LUFS")
        await expect(figures).not_to_contain_text("Levelling adds")
        await expect(page.locator(".alarms")).to_have_count(0)
        sentence = "Only the right channel has sound; look at the left cable between mixer and encoder."
        house.state.set("alarms", {"left": {"text": sentence, "since_ms": 9000}})
        house.state.set("notices", [{"id": 2, "level": "error", "text": sentence, "about": "alarm left"}])
        await expect(page.locator(".alarms li")).to_have_text(sentence)
        await expect(page.get_by_text(sentence)).to_have_count(1)
        house.state.set("programme.loudness.gain", 4.0)
        await expect(figures).to_contain_text("Levelling adds")
        house.state.set("alarms", {})
        house.state.set("notices", [{"id": 3, "level": "info", "text": "Both channels are back.", "about": ""}])
        await expect(page.locator(".alarms")).to_have_count(0)
        await expect(page.locator(".notices")).to_have_text("Both channels are back.")
