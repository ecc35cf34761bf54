"""What the tests of the pages share."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.web.evening import CAPTIONS, CUES, MASTER, Evening

if TYPE_CHECKING:
    from pathlib import Path


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
