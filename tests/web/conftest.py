"""What the tests of the pages share."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect
from tests.web.evening import CAPTIONS, CUES, MASTER, Evening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
expect.set_options(timeout=60_000)  # a machine with other work is no failure
NEEDS_CHROMIUM = pytest.mark.skipif(
    not CHROMIUM.exists(), reason="no /usr/bin/chromium: install it with `apt install chromium`"
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
def house(tmp_path: Path) -> Evening:
    (tmp_path / "show" / "hls").mkdir(parents=True)
    return Evening(tmp_path / "show")


@pytest.fixture(scope="session")
def programme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `hls/`: 12 s of picture and sound in TS segments, and Polish subtitles beside them."""
    folder = tmp_path_factory.mktemp("programme")
    hls = folder / "hls"
    hls.mkdir()
    subprocess.run(
        [
            *("ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=15:duration=12"),
            *("-f", "lavfi", "-i", "sine=frequency=440:duration=12", "-c:v", "libx264", "-preset", "ultrafast"),
            *("-pix_fmt", "yuv420p", "-g", "30", "-c:a", "aac", "-f", "hls", "-hls_time", "2", "-hls_list_size", "0"),
            *("-hls_segment_filename", hls / "segment-%03d.ts", hls / "video.m3u8"),
        ],
        check=True,
    )
    for name, text in (("master.m3u8", MASTER), ("captions.m3u8", CAPTIONS), ("captions-000.vtt", CUES)):
        (hls / name).write_text(text, encoding="utf-8")
    return folder
