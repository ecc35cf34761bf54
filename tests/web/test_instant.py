"""The instant picture: as other programs open it, and as its page shows it in a real browser."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import threading
import time
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

import av
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from tests.media.relay_bench import make_clip
from tests.web.conftest import NEEDS_CHROMIUM
from tests.web.evening import Evening, opened
from tests.web.test_pages import page_of, until

from studio.media._ground.clock import RATE, Ticks
from studio.media._leave.instant import Instant

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.asyncio(loop_scope="module"), NEEDS_CHROMIUM]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("clips")
    small = make_clip(folder / "small.mp4", seconds=4)
    return small, make_clip(folder / "large.mp4", seconds=4, size="480x270", sound=False)


@contextlib.contextmanager
def sending(instant: Instant, clip: Path) -> Iterator[None]:
    """Send `clip` over and over in real time, as an encoder would, until the block ends."""
    enough = threading.Event()

    def send() -> None:
        began = time.monotonic()
        with av.open(str(clip)) as container:
            passing = instant.begin(list(container.streams))
            assert passing is not None
            offset = 0
            while not enough.is_set():
                for packet in container.demux():
                    if packet.dts is None:
                        continue
                    at = float(packet.dts * packet.time_base) + offset / RATE
                    if enough.wait(max(0, began + at - time.monotonic())):
                        break
                    passing.put(packet, Ticks(offset + RATE))
                container.seek(0)
                offset += 4 * RATE
            passing.end()

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        enough.set()
        sender.join()


@pytest_asyncio.fixture(loop_scope="module")
async def instant(tmp_path: Path) -> AsyncIterator[Instant]:
    relay = Instant("Nothing comes from the encoder yet.")
    await relay.open(tmp_path / "instant.sock")
    yield relay
    await relay.close()


@pytest.fixture
def evening(house: Evening, tmp_path: Path, instant: Instant) -> Evening:  # noqa: ARG001 - answers there
    house.instant = tmp_path / "instant.sock"
    return house


def refusal(port: int) -> dict[str, str]:
    with pytest.raises(HTTPError) as refused:
        urlopen(f"http://127.0.0.1:{port}/instant.mp4")
    with refused.value:
        assert refused.value.code == 503
        said: dict[str, str] = json.load(refused.value)
    return said


def comes(port: int) -> None:
    """Wait until it is given out."""
    for _look in range(600):
        try:
            with urlopen(f"http://127.0.0.1:{port}/instant.mp4") as given:
                assert given.read(1)
                return
        except HTTPError:
            time.sleep(0.1)
    pytest.fail("it is never given out")


async def test_other_programs_open_it_at_the_same_address(
    evening: Evening, instant: Instant, clips: tuple[Path, Path]
) -> None:
    async with opened(evening) as port:
        said = await asyncio.to_thread(refusal, port)
        assert said == {"why": "Nothing comes from the encoder yet."}
        with sending(instant, clips[0]):
            await asyncio.to_thread(comes, port)
            seen = await asyncio.to_thread(
                subprocess.run,
                [
                    *("ffprobe", "-v", "error", "-read_intervals", "%+1", "-count_frames", "-of", "csv=p=0"),
                    *("-show_entries", "stream=codec_name,nb_read_frames", f"http://127.0.0.1:{port}/instant.mp4"),
                ],
                capture_output=True, text=True, check=True, timeout=60,
            )  # fmt: skip
        named = dict(line.split(",") for line in seen.stdout.split())
        assert int(named["h264"]) >= 25
        assert int(named["aac"]) >= 30  # the sound may begin a little after the picture


async def test_it_is_gone_with_the_relay(house: Evening) -> None:
    async with opened(house) as port:
        said = await asyncio.to_thread(refusal, port)
    assert said["why"].startswith("The relay is not here")


async def test_the_page_shows_what_comes_and_follows_another_encoder(
    browser: Browser, evening: Evening, instant: Instant, clips: tuple[Path, Path]
) -> None:
    evening.speak("Dobry wieczór państwu", ago=500)
    async with opened(evening) as port, page_of(browser, port, quiet=False) as page:
        await page.goto(f"http://127.0.0.1:{port}/instant?captions=1")
        await expect(page.locator(".why")).to_have_text("Nothing comes from the encoder yet.")
        await expect(page.locator(".spoken")).to_have_text("Dobry wieczór państwu")
        with sending(instant, clips[0]):
            await until(page, "document.querySelector('video').currentTime > 1.5")
            await expect(page.locator(".why")).to_have_count(0)
            video = "document.querySelector('video')"
            await until(page, f"{video}.buffered.end({video}.buffered.length - 1) - {video}.currentTime < 1")
            assert await page.evaluate("() => document.querySelector('video').muted")
            await page.locator(".instant").click()
            await until(page, "!document.querySelector('video').muted")
        with sending(instant, clips[1]):
            await until(page, "document.querySelector('video').videoWidth === 480")
            before = await page.evaluate("() => document.querySelector('video').currentTime")
            await until(page, f"document.querySelector('video').currentTime > {before}")
