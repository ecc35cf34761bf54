#!/usr/bin/env python3
"""How late the instant picture is in Chromium, glass to glass, and what viewers cost the relay.

`benchmarks/relay_instant.py [--seconds 20]`: each picture that the encoder sends carries the time when it was drawn
(24 squares); the page of the house shows it, and a script there reads it back against the same clock.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from benchmarks.relay_cost import run, times
from benchmarks.relay_house import temporary
from benchmarks.relay_stage import FPS, Book, Ear, free_port, until
from playwright.async_api import async_playwright
from tests.web.evening import Evening, opened

from studio import media
from studio.catalogue import Catalogue
from studio.subtitles import Style
from studio.units import Ms

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
WIDTH, HEIGHT = 640, 360
BITS, SQUARE = 24, 24
"""Of a time in milliseconds, which comes round every four and a half hours."""
FRACTION = 0.5
"""Seconds: what is asked is "a fraction of a second"."""
READ = """(seconds) => new Promise((done) => {
  const video = document.querySelector("video");
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [BITS, 1];
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const late = [];
  const end = Date.now() + seconds * 1000;
  const look = (_now, frame) => {
    for (let bit = 0; bit < BITS; bit += 1)
      pen.drawImage(video, bit * SQUARE + SQUARE / 4, SQUARE / 4, SQUARE / 2, SQUARE / 2, bit, 0, 1, 1);
    const pixels = pen.getImageData(0, 0, BITS, 1).data;
    let said = 0;
    for (let bit = 0; bit < BITS; bit += 1) if (pixels[bit * 4 + 1] > 128) said += 2 ** bit;
    const shown = Math.round(performance.timeOrigin + frame.expectedDisplayTime);
    late.push((shown % 2 ** BITS) - said);
    if (Date.now() < end) video.requestVideoFrameCallback(look);
    else done(late);
  };
  video.requestVideoFrameCallback(look);
})"""


class Camera:
    """Draws a picture with the time on it 25 times a second, and has it encoded and streamed as OBS would."""

    def __init__(self, url: str) -> None:
        """Stream to `url`."""
        form = "flv" if url.startswith("rtmp") else "mpegts"
        self._process = subprocess.Popen(
            [
                *("ffmpeg", "-nostdin", "-v", "error", "-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}"),
                *("-r", str(FPS), "-i", "pipe:0", "-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo"),
                *("-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-g", "50", "-pix_fmt", "yuv420p"),
                *("-c:a", "aac", "-flush_packets", "1", "-f", form, url),
            ],
            stdin=subprocess.PIPE,
        )
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._draw, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Be gone."""
        self._over.set()
        self._process.kill()
        self._process.wait()
        self._thread.join()

    def _draw(self) -> None:
        picture: NDArray[np.uint8] = np.full((HEIGHT, WIDTH), 60, np.uint8)
        due = time.monotonic()
        while not self._over.is_set() and self._process.stdin is not None:
            said = time.time_ns() // 1_000_000 % 2**BITS
            for bit in range(BITS):
                picture[:SQUARE, bit * SQUARE : (bit + 1) * SQUARE] = 235 if said >> bit & 1 else 16
            try:
                self._process.stdin.write(picture.tobytes())
                self._process.stdin.flush()
            except OSError:
                return
            due += 1 / FPS
            self._over.wait(max(0.0, due - time.monotonic()))


async def measure(chosen: argparse.Namespace, book: Book) -> None:
    """Write down how late it is by RTMP and by SRT, and what two viewers cost."""
    for scheme in ("rtmp", "srt"):
        with temporary() as folder:
            await of_one(scheme, folder, chosen.seconds, book)
            book.save()


async def of_one(scheme: str, folder: Path, seconds: float, book: Book) -> None:
    """Measure one way in."""
    url = f"{scheme}://127.0.0.1:{free_port()}" + ("/live/studio" if scheme == "rtmp" else "")
    plan = media.RelayPlan(
        folder=folder / "show", socket=folder / "relay.sock", input=f"listen:{url}", hold=Ms(6000), style=Style(),
        encode=Catalogue().load("presets/encode", "hall-720p", media.EncodePreset), title="Instant",
        captions=False, language="pl", interface="en",
    )  # fmt: skip
    told = folder / "plan.json"
    told.write_bytes(plan.to_json())
    relay = run(media.command(), told)
    ear = camera = None
    try:
        await until(plan.socket.exists, 20, "the relay answers")
        ear = Ear(plan.socket)
        await until(lambda: ear.report, 20, "the relay reports")
        await asyncio.sleep(1)
        camera = Camera(url)
        await until(lambda: ear.report and ear.report.frames > FPS, 40, "the programme airs")
        alone = await busy(relay.pid, seconds)
        late: list[float] = []
        async with opened(Evening(plan.folder, plan.instant)) as port, async_playwright() as play:
            browser = await play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            pages = [await browser.new_page() for _each in range(2)]
            for page in pages:
                await page.goto(f"http://127.0.0.1:{port}/instant")
            await asyncio.sleep(5)
            read = READ.replace("BITS", str(BITS)).replace("SQUARE", str(SQUARE))
            watching = asyncio.create_task(busy(relay.pid, seconds))
            late = [each / 1000 for each in await pages[1].evaluate(read, seconds)]
            watched = await watching
            await browser.close()
        late.sort()
        book.at_most(f"{scheme}: the instant picture's age, median", statistics.median(late), FRACTION, "s")
        book.at_most(f"{scheme}: … of 95 in 100", late[int(len(late) * 0.95)], FRACTION, "s")
        book.tell(f"{scheme}: pictures seen, oldest", f"{len(late)}, {late[-1]:.3f} s")
        book.tell(f"{scheme}: cores of the relay without and with two viewers", f"{alone:.3f}, {watched:.3f}")
        book.detail[scheme] = {"late": late, "cores": [alone, watched]}
    finally:
        if camera is not None:
            camera.close()
        if ear is not None:
            await ear.close()
        relay.kill()
        relay.wait()


async def busy(of: int, seconds: float) -> float:
    """Cores that the relay alone and its children keep busy."""
    began, before = time.monotonic(), sum(times(of))
    await asyncio.sleep(seconds)
    return (sum(times(of)) - before) / (time.monotonic() - began)


def main() -> None:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json", type=Path, metavar="FILE")
    chosen = parser.parse_args()
    book = Book("instant", chosen.json, {"seconds": chosen.seconds, "load": os.getloadavg()})
    asyncio.run(measure(chosen, book))
    book.save()
    book.show()


if __name__ == "__main__":
    main()
