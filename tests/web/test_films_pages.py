"""The pages of films in a real browser: the list, the editor, what two people do at once, and what is never lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Browser, Page, expect
from tests.web.conftest import NEEDS_CHROMIUM
from tests.web.evening import Evening, opened
from tests.web.shelf import LINES, Shelf, document, make_film
from tests.web.test_captions_pages import page_of
from tests.web.test_pages import until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.asyncio(loop_scope="module"), NEEDS_CHROMIUM]

WRITTEN = ("Czytamy dziś wiersze", "Czesława Miłosza.")


@pytest.fixture(scope="module")
def film_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("film") / "wieczór.mp4")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    return Shelf(tmp_path)


@pytest.fixture
def film(shelf: Shelf, film_file: Path) -> int:
    return shelf.add(film_file)


async def chosen(page: Page, cue: int) -> None:
    """Choose a cue with the mouse and begin to write in it."""
    await page.locator(f"[data-cue='{cue}']").click()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("What is read")).to_be_focused()


async def saved(page: Page) -> None:
    await expect(page.locator(".saving")).to_have_text("Saved")


async def test_a_film_is_found_in_the_list_and_its_word_put_right_by_keys_alone(
    browser: Browser, shelf: Shelf, film: int
) -> None:
    async with shelf.opened() as port, page_of(browser, port, "/films") as page:
        row = page.get_by_role("listitem")
        await expect(row).to_have_count(1)
        await expect(row.locator(".share")).to_have_text("50.0%")
        await page.get_by_role("link", name="Wieczór").click()
        await expect(page.locator(".cue")).to_have_count(4)
        await expect(page.locator(".cue.current")).to_contain_text("Dzień dobry")
        await expect(page.locator(".doubt")).to_have_text("Miłosa.")
        await page.keyboard.press("F8")  # the word that was doubted is chosen: typing replaces it
        await expect(page.get_by_label("What is read")).to_be_focused()
        await page.keyboard.type("Miłosza.")
        await expect(page.locator("[data-cue='2']")).to_contain_text("Miłosza.")
        await saved(page)
        assert shelf.lines(film)[1] == WRITTEN
        await page.keyboard.press("Escape")
        await page.keyboard.press("Control+z")
        await expect(page.locator("[data-cue='2']")).to_contain_text("Miłosa.")
        assert shelf.lines(film)[1] == LINES[1]
        await page.keyboard.press("Control+Shift+z")
        await expect(page.locator("[data-cue='2']")).to_contain_text("Miłosza.")
        assert shelf.lines(film)[1] == WRITTEN


async def test_the_profile_is_checked_while_somebody_types(browser: Browser, shelf: Shelf, film: int) -> None:
    async with shelf.opened() as port, page_of(browser, port, f"/films/{film}") as page:
        await chosen(page, 4)
        live = page.locator(".live")
        await expect(live).to_have_text("Keeps to the profile.")
        await page.keyboard.press("Control+a")
        await page.keyboard.type("Ten napis jest o wiele za długi, żeby się zmieścił w jednej linii")
        await expect(live).to_contain_text("Characters in a line: 65, at most 42")
        await expect(live).to_contain_text("Characters a second: 26, at most 17")
        await saved(page)
        await page.keyboard.press("Escape")
        await page.keyboard.press("ArrowUp")
        await page.keyboard.press("F9")  # round again to the next finding
        await expect(page.locator(".cue.current")).to_contain_text("Ten napis")


async def test_a_cue_is_split_at_the_caret_and_merged_again(browser: Browser, shelf: Shelf, film: int) -> None:
    async with shelf.opened() as port, page_of(browser, port, f"/films/{film}") as page:
        await chosen(page, 1)
        await page.keyboard.press("Control+Home")
        await page.keyboard.press("End")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator(".cue")).to_have_count(5)
        assert shelf.lines(film)[:2] == [(LINES[0][0],), (LINES[0][1],)]
        await page.keyboard.press("Control+m")
        await expect(page.locator(".cue")).to_have_count(4)
        assert shelf.lines(film) == list(LINES)
        await page.keyboard.press("Escape")
        await page.keyboard.press("Delete")
        await expect(page.locator(".cue")).to_have_count(3)
        await page.keyboard.press("n")
        await expect(page.get_by_label("What is read")).to_be_focused()
        await page.keyboard.type("Brawo!")
        await saved(page)
        assert shelf.lines(film)[0] == ("Brawo!",)


async def test_suggested_sounds_are_answered_by_keys_and_by_buttons(browser: Browser, shelf: Shelf, film: int) -> None:
    shelf.suggest(film, (2550, "[muzyka]"), (5550, "[oklaski]"), (8550, "[śmiech]"))
    async with shelf.opened() as port, page_of(browser, port, f"/films/{film}") as page:
        sounds = page.locator(".sound")
        await expect(sounds).to_have_count(3)
        chosen = page.locator(".sound.current").get_by_role("button", name="Accept")
        await page.keyboard.press("F7")
        await expect(chosen).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(".cue")).to_have_count(5)
        await page.keyboard.press("F7")
        await expect(chosen).to_be_focused()
        await page.keyboard.press("Delete")
        await expect(sounds).to_have_count(1)
        await sounds.get_by_role("button", name="Refuse").click()
        await expect(sounds).to_have_count(0)
        assert shelf.lines(film) == [LINES[0], ("[muzyka]",), *LINES[1:]]


async def test_times_are_set_at_the_playhead_and_moved_by_frames(browser: Browser, shelf: Shelf, film: int) -> None:
    async with shelf.opened() as port, page_of(browser, port, f"/films/{film}") as page:
        await page.locator("[data-cue='4']").click()
        await until(page, "document.querySelector('video').readyState > 1")
        await page.keyboard.press("ArrowRight")
        await until(page, "document.querySelector('video').currentTime === 10")
        await page.keyboard.press("i")
        await expect(page.get_by_label("In", exact=True)).to_have_value("0:00:10.000")
        await page.keyboard.press(",")
        await page.keyboard.press("Shift+.")
        await page.keyboard.press("Shift+.")
        await saved(page)
        cue = shelf.look(film)[0].cues[3]
        assert (cue.start, cue.end) == (9960, 11_580)
        await page.get_by_label("Out", exact=True).fill("0:11,9")
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-cue='4'] .times")).to_contain_text("0:00:11.900")


async def test_the_wave_shows_the_cues_and_a_cue_follows_the_picture(browser: Browser, shelf: Shelf, film: int) -> None:
    async with shelf.opened() as port, page_of(browser, port, f"/films/{film}") as page:
        regions = (
            "document.querySelector('.wave-frame > div').shadowRoot.querySelectorAll('[part^=\"region \"]').length"
        )
        await until(page, f"document.querySelector('.wave-frame > div') && {regions} === 4")
        await page.evaluate("document.querySelector('video').currentTime = 6.1")
        await expect(page.locator(".on-picture")).to_contain_text("Ta linia ma")
        await page.keyboard.press("Space")
        await expect(page.locator(".cue.current")).to_contain_text("Ta linia ma")
        await until(page, "document.querySelector('video').currentTime > 6.2")


async def test_a_change_of_another_cue_is_taken_in_and_of_the_same_cue_is_asked_about(
    browser: Browser, shelf: Shelf, film: int
) -> None:
    async with shelf.opened() as port, page_of(browser, port, f"/films/{film}", quiet=False) as page:
        await expect(page.locator(".cue")).to_have_count(4)
        shelf.edit(film, 4, "Ktoś inny pisze.")
        await chosen(page, 1)
        await page.keyboard.press("Control+a")
        await page.keyboard.type("Dobry wieczór.")
        await saved(page)
        await expect(page.locator("[data-cue='4']")).to_contain_text("Ktoś inny pisze.")
        assert shelf.lines(film)[0] == ("Dobry wieczór.",)
        shelf.edit(film, 1, "Moje słowa.")
        await page.keyboard.press("Control+a")
        await page.keyboard.type("Twoje słowa.")
        conflict = page.get_by_role("alert").filter(has_text="Moje słowa.")
        await expect(conflict).to_contain_text("Twoje słowa.")
        assert shelf.lines(film)[0] == ("Moje słowa.",)
        await conflict.get_by_role("button", name="Keep mine").click()
        await saved(page)
        assert shelf.lines(film)[0] == ("Twoje słowa.",)


async def test_what_was_typed_while_studio_was_dead_is_offered_again(browser: Browser, shelf: Shelf, film: int) -> None:
    async with await browser.new_context() as device:
        async with shelf.opened() as port:
            page = await device.new_page()
            await page.goto(f"http://127.0.0.1:{port}/films/{film}")
            await expect(page.locator(".cue")).to_have_count(4)
        await chosen(page, 2)
        await page.keyboard.press("Control+a")
        await page.keyboard.type("\n".join(WRITTEN))
        await expect(page.locator(".saving")).to_contain_text("studio does not answer")
        await page.close(run_before_unload=False)
        async with shelf.opened(port):
            page = await device.new_page()
            await page.goto(f"http://127.0.0.1:{port}/films/{film}")
            await expect(page.get_by_role("button", name="Put them in")).to_be_visible()
            await chosen(page, 4)  # what is done before an answer is given takes nothing away
            await page.keyboard.press("End")
            await page.keyboard.type("!")
            await saved(page)
            await page.reload()
            await page.get_by_role("button", name="Put them in").click()
            await expect(page.get_by_role("button", name="Put them in")).to_have_count(0)
            await expect(page.locator("[data-cue='2']")).to_contain_text("Miłosza.")
            await expect(page.locator(".cue.draft")).to_have_count(0)
            await saved(page)
            assert shelf.lines(film)[1] == WRITTEN
            await page.reload()
            await expect(page.locator(".cue")).to_have_count(4)
            await expect(page.get_by_role("button", name="Put them in")).to_have_count(0)


async def test_two_pages_of_one_film_keep_their_drafts_apart(browser: Browser, shelf: Shelf, film: int) -> None:
    """Also once both are gone; a page that is open is not asked about."""
    async with await browser.new_context() as device:
        async with shelf.opened() as port:
            one, two = [await device.new_page(), await device.new_page()]
            for page in (one, two):
                await page.goto(f"http://127.0.0.1:{port}/films/{film}")
                await expect(page.locator(".cue")).to_have_count(4)
        for page, cue, text in ((one, 2, "Pierwsza karta."), (two, 4, "Druga karta.")):
            await page.bring_to_front()
            await chosen(page, cue)
            await page.keyboard.press("Control+a")
            await page.keyboard.type(text)
            await expect(page.locator(".saving")).to_contain_text("studio does not answer")
        await one.close(run_before_unload=False)
        third = await device.new_page()
        async with shelf.opened(port):
            await saved(two)
            assert shelf.lines(film) == [*LINES[:3], ("Druga karta.",)]
            await third.goto(f"http://127.0.0.1:{port}/films/{film}")
            await expect(third.get_by_role("alert")).to_contain_text("that were never saved: 1.")
            await third.get_by_role("button", name="Put them in").click()
            await saved(third)
            assert shelf.lines(film) == [LINES[0], ("Pierwsza karta.",), LINES[2], ("Druga karta.",)]
            kept = "Object.keys(localStorage).filter((name) => name.startsWith('studio.film.'))"
            await until(third, f"{kept}.length === 0")


async def test_a_draft_that_is_refused_waits_for_a_person_and_holds_up_no_other(
    browser: Browser, shelf: Shelf, film: int
) -> None:
    sent: list[str] = []
    async with shelf.opened() as port, page_of(browser, port, f"/films/{film}", quiet=False) as page:
        page.on("request", lambda asked: sent.append(asked.url))
        await expect(page.locator(".cue")).to_have_count(4)
        await page.clock.install()
        await page.route("**/edit?*", lambda route: route.abort())  # what is typed until studio is back goes in one
        await chosen(page, 1)
        await page.keyboard.press("Control+End")
        await page.keyboard.type("!")
        await expect(page.locator(".saving")).to_contain_text("studio does not answer")
        await page.locator("[data-cue='3']").click()
        await page.get_by_label("Out", exact=True).fill("0:06.001")
        await page.keyboard.press("Enter")
        await page.unroute("**/edit?*")
        refused = page.locator(".refused li")
        await expect(refused).to_contain_text("A cue must end after it begins")
        await expect(page.locator(".saving")).to_have_text("A change cannot be saved")
        assert shelf.lines(film)[0] == ("Dzień dobry państwu,", "witam w naszym domu kultury.!")
        sent.clear()
        await page.clock.fast_forward(60_000)
        await page.evaluate("fetch('/api/here')")
        assert [url for url in sent if "/edit?" in url] == [], "it is not sent again by itself"
        await page.get_by_role("button", name="Delete").click()
        await expect(page.get_by_text("First say what becomes of")).to_be_visible()
        await page.set_viewport_size({"width": 400, "height": 800})
        await until(page, "document.documentElement.scrollWidth <= 400")
        async with page.expect_response("**/edit?*"):
            await refused.get_by_role("button", name="Try again").click()
        await expect(page.locator(".saving")).to_have_text("A change cannot be saved")
        await page.get_by_label("Out", exact=True).fill("0:08.000")
        await page.keyboard.press("Enter")
        await saved(page)
        await expect(refused).to_have_count(0)
        assert shelf.look(film)[0].cues[2].end == 8000
        await page.get_by_label("Out", exact=True).fill("0:06.001")
        await page.keyboard.press("Enter")
        await refused.get_by_role("button", name="Forget mine").click()
        await saved(page)
        await expect(page.get_by_label("Out", exact=True)).to_have_value("0:00:08.000")


async def test_times_of_a_cue_and_all_after_it_are_moved(browser: Browser, shelf: Shelf, film: int) -> None:
    async with shelf.opened() as port, page_of(browser, port, f"/films/{film}", quiet=False) as page:
        await page.locator("[data-cue='3']").click()
        await page.keyboard.press("t")
        dialog = page.get_by_role("dialog")
        await page.get_by_label("Seconds").fill("-1")
        await page.keyboard.press("Enter")
        await expect(dialog).to_contain_text("by 0.500 s at most")
        await page.get_by_label("Seconds").fill("0,25")
        await page.keyboard.press("Enter")
        await expect(dialog).to_have_count(0)
        assert [cue.start for cue in shelf.look(film)[0].cues] == [0, 3000, 6250, 9250]
        await page.keyboard.press("t")
        await page.get_by_label("All cues of the film").check()
        await page.get_by_label("Seconds").fill("1")
        await page.keyboard.press("Enter")
        await expect(dialog).to_have_count(0)
        shelf.hear_again(film)
        assert [cue.start for cue in shelf.look(film)[0].cues] == [1000, 4000, 7250, 10_250]


async def test_a_title_is_found_without_its_diacritics(browser: Browser, shelf: Shelf, tmp_path: Path) -> None:
    for title in ("Łódź", "Kość"):
        shelf.add(tmp_path / f"{title}.mp4", title)
    async with shelf.opened() as port, page_of(browser, port, "/films") as page:
        await expect(page.get_by_role("listitem")).to_have_count(2)
        await page.get_by_label("Title").fill("LODZ")
        await expect(page.get_by_role("listitem")).to_have_count(1)
        await expect(page.get_by_role("link", name="Łódź")).to_be_visible()


async def test_words_are_replaced_in_all_films_once_they_were_shown(
    browser: Browser, shelf: Shelf, film: int, film_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "inny.mp4").hardlink_to(film_file)
    other = shelf.add(tmp_path / "inny.mp4", "Inny")
    async with shelf.opened() as port, page_of(browser, port, "/films") as page:
        await page.get_by_role("button", name="Find and replace").click()
        await page.get_by_label("Find", exact=True).fill("Czesława Miłosa")
        await page.get_by_label("Write instead").fill("Czesława Miłosza")
        await page.keyboard.press("Enter")
        places = page.locator(".places li")
        await expect(places).to_have_count(2)
        assert shelf.lines(film)[1] == LINES[1], "nothing is done yet"
        await places.first.get_by_role("checkbox").uncheck()
        await page.get_by_role("button", name="Replace (cues: 1, films: 1)").click()
        await expect(page.get_by_role("alert")).to_have_text("Cues changed: 1.")
        assert sorted([shelf.lines(film)[1], shelf.lines(other)[1]]) == [LINES[1], WRITTEN]
        await page.get_by_role("button", name="List").click()
        await page.get_by_label("Search in what is said").fill("milosza")
        await page.locator(".hits a").click()
        await expect(page.locator(".cue.current")).to_contain_text("Miłosza.")


async def test_a_key_right_after_a_dialog_closed_opens_the_next(browser: Browser, shelf: Shelf, film: int) -> None:
    async with shelf.opened() as port, page_of(browser, port, f"/films/{film}") as page:
        await expect(page.locator(".cue")).to_have_count(4)
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog")).to_contain_text("next doubtful word")
        await page.evaluate(
            """() => {
                document.querySelector("dialog").close(); // its event comes later
                document.body.dispatchEvent(new KeyboardEvent("keydown", { code: "KeyA", key: "a", bubbles: true }));
            }"""
        )
        await expect(page.get_by_role("dialog")).to_contain_text("Cues that break the profile: 2")


async def test_a_film_is_accepted_by_name_and_its_report_opened(browser: Browser, shelf: Shelf, film: int) -> None:
    async with shelf.opened() as port, page_of(browser, port, f"/films/{film}") as page:
        await expect(page.locator(".cue")).to_have_count(4)
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog")).to_contain_text("next doubtful word")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await page.keyboard.press("a")
        await expect(page.get_by_role("dialog")).to_contain_text("Cues that break the profile: 2")
        await page.get_by_label("Your name").fill("Ola Kowalska")
        await page.keyboard.press("Enter")
        await expect(page.locator(".bar .accepted")).to_have_text("Accepted by Ola Kowalska")
        assert shelf.look(film)[1].accepted_by == "Ola Kowalska"
        await page.goto(f"http://127.0.0.1:{port}/api/films/{film}/report")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Wieczór")
        await expect(page.locator("svg .h")).to_have_count(1)
        await expect(page.locator("mark")).to_have_text("Miłosa.")


async def test_of_three_thousand_cues_only_those_in_sight_are_drawn(
    browser: Browser, shelf: Shelf, film_file: Path
) -> None:
    long = shelf.add(film_file.with_name("długi.mp4"), "Długi", document(LINES * 750))
    async with shelf.opened() as port, page_of(browser, port, f"/films/{long}?at=6000100", quiet=False) as page:
        await expect(page.locator(".cue.current")).to_have_attribute("data-cue", "2001")
        assert await page.locator(".cue").count() < 40
        await page.keyboard.press("ArrowDown")
        await expect(page.locator("[data-cue='2002'].current")).to_be_in_viewport()


async def test_a_show_has_a_link_to_the_films_where_a_library_is_there(browser: Browser, house: Evening) -> None:
    async with opened(house) as port, page_of(browser, port, "/captions") as page:
        await expect(page.get_by_role("link", name="Status")).to_be_visible()
        await expect(page.get_by_role("link", name="Films")).to_have_count(0)
        house.state.set("show.films", value=True)
        await expect(page.get_by_role("link", name="Films")).to_have_attribute("href", "/films")


async def test_a_picture_that_no_browser_shows_is_heard_and_said(
    browser: Browser, shelf: Shelf, tmp_path: Path
) -> None:
    old = shelf.add(make_film(tmp_path / "stary.avi", codec="mpeg4"), "Stary")
    async with shelf.opened() as port, page_of(browser, port, f"/films/{old}") as page:
        await expect(page.locator(".no-picture")).to_contain_text("mpeg4")
        await until(page, "document.querySelector('video').duration > 11")
        await page.evaluate("document.querySelector('video').currentTime = 9.5")
        await expect(page.locator(".on-picture")).to_contain_text("Zażółć")
        await page.get_by_role("button", name="Make a small copy that can be seen here").click()
        await until(page, "document.querySelector('video').videoWidth > 0")
        await until(page, "document.querySelector('video').currentTime > 9")
        await expect(page.locator(".no-picture")).to_have_count(0)
    async with shelf.opened() as port, page_of(browser, port, f"/films/{old}") as page:
        await until(page, "document.querySelector('video')?.videoWidth > 0")
