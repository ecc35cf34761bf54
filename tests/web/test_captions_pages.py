"""The pages for captions in a real browser: one to correct them before they air, one for the hall."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Browser, Page, expect
from tests.web.conftest import NEEDS_CHROMIUM
from tests.web.evening import Evening, opened
from tests.web.test_pages import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = [pytest.mark.asyncio(loop_scope="module"), NEEDS_CHROMIUM]

LONG = 600_000
"""A hold that no test outlives, so that every word stays open."""


@contextlib.asynccontextmanager
async def page_of(
    browser: Browser, port: int, path: str, *, quiet: bool = True, **context: object
) -> AsyncIterator[Page]:
    """Open `path`; `quiet`: nothing may be complained of in its console, violations of the policy included."""
    complaints: list[str] = []
    async with await browser.new_context(**context) as device:  # type: ignore[arg-type]  # passed on as it came
        page = await device.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda problem: complaints.append(str(problem)))
        await page.goto(f"http://127.0.0.1:{port}{path}")
        yield page
    assert not quiet or complaints == []


# ── correcting ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_aired_words_are_closed_and_open_ones_say_how_long(browser: Browser, house: Evening) -> None:
    house.speak("This has all aired. And this has not", hold=160_000, pace=100_000)
    async with opened(house) as port, page_of(browser, port, "/captions") as page:
        await expect(page.locator("button.word")).to_have_count(8)
        await expect(page.locator("button.word:disabled")).to_have_text(
            ["This", "has", "all", "aired.", "And", "this", "has"]
        )
        figure = "Number.parseInt(document.querySelector('.line.open .figure').textContent)"
        left = await page.evaluate(figure)
        assert 0 < left <= 60
        await until(page, f"{figure} < {left}")  # without any news
        await expect(page.locator(".left.over").first).to_have_text("Aired")


async def test_a_word_closes_in_time_without_any_news(browser: Browser, house: Evening) -> None:
    house.speak("Now or never", hold=3000, pace=100)
    async with opened(house) as port, page_of(browser, port, "/captions") as page:
        await until(page, "document.querySelectorAll('button.word:disabled').length === 3")


async def test_a_page_without_words_says_whether_there_were_any(browser: Browser, house: Evening) -> None:
    async with opened(house) as port, page_of(browser, port, "/captions") as page:
        house.state.set(("captions", "script"), {})
        house.state.merge({"captions": {"words": 0, "tentative": "", "degraded": ""}})
        house.state.set(("links", "recogniser"), {"state": "online", "detail": ""})
        await expect(page.get_by_text("Nobody has spoken yet.")).to_be_visible()
        house.state.merge({"captions": {"words": 12}})
        await expect(page.get_by_text("Nobody speaks.")).to_be_visible()
        house.state.set(("links", "recogniser"), {"state": "connecting", "detail": "It is starting."})
        await expect(page.get_by_text("It is starting.")).to_be_visible()
        await expect(page.get_by_text("Nobody speaks.")).to_be_hidden()  # nobody listens, so nobody can tell


async def test_a_word_is_replaced_by_keys_alone(browser: Browser, house: Evening) -> None:
    house.speak("we read poems by Meat Scavage tonight", hold=LONG)
    async with opened(house) as port, page_of(browser, port, "/captions") as page:
        await expect(page.locator("button.word")).to_have_count(7)
        await page.keyboard.press("End")
        await page.keyboard.press("ArrowLeft")
        await page.keyboard.press("Enter")
        field = page.get_by_label("What shall stand here")
        await expect(field).to_have_value("Scavage")
        await page.keyboard.type("Mickiewicz")
        await page.keyboard.press("Enter")
        await expect(field).to_have_count(0)
        await expect(page.locator("button.word.person")).to_have_text("Mickiewicz")
        await expect(page.locator("button.word.person")).to_have_attribute("title", "By a person; heard: Scavage")
        await expect(page.locator("button.word:focus")).to_have_text("Mickiewicz")
        await page.keyboard.press("ArrowLeft")
        await page.keyboard.press("Delete")
        await expect(page.locator("button.word.struck")).to_have_text("Meat")
        await page.keyboard.press("Control+z")
        await expect(page.locator("button.word.struck")).to_have_count(0)
        assert house.asked == [
            ("captions.edit", {"id": 5, "by": "page", "text": "Mickiewicz"}),
            ("captions.strike", {"id": 4, "by": "page"}),
            ("captions.restore", {"id": 4, "by": "page"}),
        ]


async def test_typing_begins_a_correction_and_escape_ends_it(browser: Browser, house: Evening) -> None:
    house.speak("one two", hold=LONG)
    async with opened(house) as port, page_of(browser, port, "/captions") as page:
        await expect(page.locator("button.word")).to_have_count(2)
        await page.keyboard.press("ArrowRight")
        await page.keyboard.type("ten")
        await expect(page.get_by_label("What shall stand here")).to_have_value("ten")
        await page.keyboard.press("Escape")
        await expect(page.get_by_label("What shall stand here")).to_have_count(0)
        await expect(page.locator("button.word:focus")).to_have_text("one")
        assert house.asked == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("closed", "This word has aired."), ("lost", "The speech recogniser did not answer.")],
)
async def test_what_was_not_done_is_said_and_stays_to_be_tried_again(
    browser: Browser, house: Evening, text: str, sentence: str
) -> None:
    house.speak("one two", hold=LONG)
    async with opened(house) as port, page_of(browser, port, "/captions") as page:
        await page.locator("button.word", has_text="two").click()
        field = page.get_by_label("What shall stand here")
        await field.fill(text)
        await page.get_by_role("button", name="Replace").click()
        await expect(page.locator(".editor").get_by_role("alert")).to_have_text(sentence)
        await expect(field).to_have_value(text)
        await expect(page.locator("button.word")).to_have_text(["one", "two"])


async def test_what_is_typed_survives_what_is_said_meanwhile(browser: Browser, house: Evening) -> None:
    house.speak("one two", hold=LONG)
    async with opened(house) as port, page_of(browser, port, "/captions") as page:
        await page.locator("button.word", has_text="one").click()
        field = page.get_by_label("What shall stand here")
        await field.fill("half written")
        for text in ("three", "three four"):
            house.state.set("captions.tentative", text)
            await expect(page.locator(".tentative")).to_have_text(text)
        await expect(field).to_have_value("half written")
        await expect(field).to_be_focused()


async def test_a_line_that_stands_is_not_broken_anew(browser: Browser, house: Evening) -> None:
    text = " ".join(f"word{number}" for number in range(25))
    house.speak(text, hold=LONG)
    async with opened(house) as port, page_of(browser, port, "/captions") as page:
        lines = page.locator(".line .words")
        await expect(lines).to_have_count(3)
        last = [" ".join(text.split()) for text in await lines.all_inner_texts()][1:]
        house.state.merge({"captions": {"script": {str(number): None for number in range(3)}}})
        await expect(page.locator("button.word")).to_have_count(22)
        assert [" ".join(text.split()) for text in await lines.all_inner_texts()][1:] == last


async def test_who_wrote_a_word_shows(browser: Browser, house: Evening) -> None:
    house.speak("he read Vilnius and more", hold=LONG)
    house.state.merge(
        {
            "captions": {
                "script": {
                    "1": {"by": "second look", "text": "reads"},
                    "2": {"by": "glossary", "text": "Wilno"},
                    "3": {"by": "second look", "text": "", "heard": ""},
                },
                "degraded": "Captions are 4 s behind.",
            }
        }
    )
    async with opened(house) as port, page_of(browser, port, "/captions") as page:
        await expect(page.locator("button.word")).to_have_text(["he", "reads", "Wilno", "more"])
        await expect(page.locator("button.word.second-look")).to_have_text("reads")
        await expect(page.locator("button.word.glossary")).to_have_attribute("title", "By glossary; heard: Vilnius")
        await expect(page.locator(".degraded")).to_have_text("Captions are 4 s behind.")


async def test_the_page_fits_a_phone(browser: Browser, house: Evening) -> None:
    house.speak("Donaudampfschifffahrtsgesellschaftskapitän " * 8, hold=LONG)
    viewport = {"width": 360, "height": 740}
    async with opened(house) as port, page_of(browser, port, "/captions", viewport=viewport, has_touch=True) as page:
        await page.locator("button.word").last.tap()
        await expect(page.locator(".editor")).to_be_in_viewport()
        await expect(page.get_by_role("button", name="Cancel")).to_be_in_viewport()
        assert await page.evaluate("document.documentElement.scrollWidth") == 360


async def test_captions_that_are_off_are_said_to_be(browser: Browser, house: Evening) -> None:
    house.state.merge({"captions": {"on": False, "tentative": ""}})
    async with opened(house) as port, page_of(browser, port, "/captions") as page:
        await expect(page.get_by_text("Captions are switched off in this show.")).to_be_visible()


# ── the hall ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_hall_sees_the_last_lines_and_what_is_not_settled(browser: Browser, house: Evening) -> None:
    house.speak("Good evening " * 30, pace=100)
    house.state.set("captions.tentative", "and welcome")
    async with opened(house) as port, page_of(browser, port, "/hall?lines=2&size=12") as page:
        await expect(page.locator(".spoken .tentative")).to_have_text("and welcome")
        await until(page, "document.querySelectorAll('.spoken [data-start]').length < 30")
        shown = await page.evaluate(
            """() => {
                const hall = document.querySelector(".spoken").getBoundingClientRect();
                const inside = (each) => each.getBoundingClientRect().top >= hall.top - 1;
                const seen = [...document.querySelectorAll(".spoken span")].filter(inside);
                return new Set(seen.map((each) => each.offsetTop)).size;
            }"""
        )
        assert shown <= 2
        await expect(page.locator("button")).to_have_count(0)


async def test_the_hall_is_dark_when_nobody_speaks(browser: Browser, house: Evening) -> None:
    house.speak("Good evening", ago=5000)
    async with opened(house) as port, page_of(browser, port, "/hall") as page:
        await expect(page.locator(".spoken")).to_have_text("Good evening")
        await expect(page.locator(".spoken")).to_have_text("")


async def test_the_hall_can_read_the_translation(browser: Browser, house: Evening) -> None:
    house.speak("Dobry wieczór", hold=LONG)
    now = 60_000
    house.state.set(
        "captions.translated", [{"number": 1, "start": now, "end": now + 600_000, "lines": ["Good", "evening"]}]
    )
    async with opened(house) as port:
        async with page_of(browser, port, "/hall?lang=en") as page:
            await expect(page.locator(".spoken")).to_have_text("Good evening")
            assert await page.evaluate("document.documentElement.lang") == "en"
        async with page_of(browser, port, "/hall?lang=pl&size=nonsense&lines=-4") as page:
            await expect(page.locator(".spoken")).to_have_text("Dobry wieczór")


async def test_the_hall_says_nothing_of_a_lost_connection_and_comes_back(browser: Browser, house: Evening) -> None:
    house.speak("Good evening")
    async with opened(house) as first:
        port = first
        opening = page_of(browser, port, "/hall", quiet=False)
        page = await opening.__aenter__()
        await expect(page.locator(".spoken")).to_have_text("Good evening")
    await expect(page.locator(".spoken")).to_have_text("")
    assert (await page.locator("body").inner_text()).strip() == ""
    house.speak("We are back")
    async with opened(house, port):
        await expect(page.locator(".spoken")).to_have_text("We are back")
        await opening.__aexit__(None, None, None)


# ── status ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_status_says_where_captions_go_and_how_late(browser: Browser, house: Evening) -> None:
    house.state.merge({"destinations": {"hls": {"state": "starting"}}, "captions": {"degraded": "4 s behind."}})
    async with opened(house) as port, page_of(browser, port, "/") as page:
        sinks = page.get_by_role("region", name="Captions go to").get_by_role("listitem")
        await expect(sinks).to_have_count(4)
        assert [" ".join(text.split()) for text in await sinks.all_inner_texts()] == [
            "Burned into the picture Online In time",
            "Hall page Online 1.2s late",
            'Text in OBS Needs you Nothing came here yet – OBS has no text source "Speech".',  # noqa: RUF001 - as written
            "Subtitle files Online In time",
        ]
        await expect(page.locator(".degraded")).to_have_text("4 s behind.")
        await page.get_by_role("link", name="Captions").click()
        await expect(page.locator("main.captions")).to_be_visible()
