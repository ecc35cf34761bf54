"""The programme in Chromium, as the hall's own page plays it: captions against the picture, and how late it is."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import statistics
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.relay_house import arrives, on_air, temporary, write_house
from benchmarks.relay_look import see
from benchmarks.relay_stage import FPS, Book, Encoder, console, free_port, make_programme, until
from playwright.async_api import Page, async_playwright

from studio.captions import read_kept
from studio.media import EncodePreset

if TYPE_CHECKING:
    import argparse

EARS = Path(__file__).with_name("relay_ears.py")
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
CUE = 40.0
"""Milliseconds."""
LATE = 6.0
"""Seconds beside the hold."""
KINDS = {"TS": "", "fMP4": "segment_type: fmp4"}
"""What a segment is, and the line of the encode preset that asks for it."""
SETTLES = 5.0
"""Seconds after the first flash that the player may take to find its place."""

WATCH = """() => {
  const video = document.querySelector("video");
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 8;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const bench = (window.bench = { flashes: [], active: {}, entered: {}, frames: 0, stalls: 0 });
  const since = video.currentTime;
  let lit = true;
  let before = -1;
  video.addEventListener("waiting", () => (bench.stalls += 1));
  const begun = (found, time) => {
    for (const track of video.textTracks)
      for (const cue of track.activeCues ?? [])
        if (cue.startTime > since + 0.5) found[cue.text] ??= time - cue.startTime;
  };
  for (const track of video.textTracks)
    track.addEventListener("cuechange", () => begun(bench.entered, video.currentTime));
  const look = (now, frame) => {
    const { videoWidth: width, videoHeight: height } = video;
    pen.drawImage(video, (width * 29) / 32, height / 32, width / 16, height / 16, 0, 0, 8, 8);
    const pixels = pen.getImageData(0, 0, 8, 8).data;
    let sum = 0;
    for (let at = 0; at < pixels.length; at += 4) sum += pixels[at + 1];
    const white = sum / 64 > 128;
    const wall = performance.timeOrigin + frame.expectedDisplayTime;
    if (white && !lit) bench.flashes.push({ media: frame.mediaTime, step: frame.mediaTime - before, wall });
    begun(bench.active, frame.mediaTime);
    lit = white;
    before = frame.mediaTime;
    bench.frames += 1;
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
}"""
"""Looks at each picture that is presented: when the flash is on it, and which cue the browser shows beside it."""
TOLD = """() => ({
  ...window.bench,
  cues: [...document.querySelector("video").textTracks]
    .flatMap((track) => [...(track.cues ?? [])].map((cue) => [cue.startTime, cue.endTime, cue.text])),
})"""


def measure(options: argparse.Namespace, book: Book) -> None:
    """Watch both kinds of segments."""
    os.environ["LATE"] = "700,2500"
    known = {each.name for each in dataclasses.fields(EncodePreset)}
    with temporary() as folder:
        clip = make_programme(folder / "clip.mp4", seconds=60, size=options.size)
        for kind, line in KINDS.items():
            if line and line.partition(":")[0] not in known:
                book.is_so(f"{kind}: watched", "yes", "this studio has no fMP4", met=False)
                continue
            console.print(f"{kind}: {options.seconds:g} s")
            place = folder / kind
            place.mkdir()
            told = asyncio.run(_watch(place, clip, line, options))
            book.detail[kind] = told
            _figures(kind, place / "show", told, options.hold, book)
            book.save()


async def _watch(folder: Path, clip: Path, line: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return what the browser saw, and as `epoch` when the show began, in seconds since 1970."""
    listen = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    encode = f"{line}\n{options.encode}"
    toml = write_house(folder / "house", listen=listen, hold=options.hold, captions=True, encode=encode)
    async with on_air(toml, folder / "show", ears=EARS) as air, async_playwright() as play:
        encoder = Encoder(clip, listen)
        try:
            await arrives(air, encoder)
            browser = await play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = await browser.new_page()
            await page.goto(f"http://127.0.0.1:{air.port}/")
            await _plays(page)
            await page.locator("button.track").click()
            await page.evaluate(WATCH)
            await asyncio.sleep(options.seconds)
            told: dict[str, Any] = await page.evaluate(TOLD)
            await browser.close()
        finally:
            await asyncio.to_thread(encoder.close)
    clock = json.loads((folder / "show" / "clock.json").read_text(encoding="utf-8"))
    return {**told, "epoch": float(clock["wall"])}


async def _plays(page: Page) -> None:
    """Wait until the programme plays and has its subtitle track."""
    plays = False

    async def look() -> None:
        nonlocal plays
        ready = "!!document.querySelector('button.track') && document.querySelector('video').currentTime > 0.2"
        while not plays:
            plays = await page.evaluate(f"() => {ready}")
            await asyncio.sleep(0.1)

    looking = asyncio.create_task(look())
    try:
        await until(lambda: plays, 60, "the programme in the browser")
    finally:
        looking.cancel()


def _figures(kind: str, show: Path, told: dict[str, Any], hold: float, book: Book) -> None:
    """Lay the browser's time beside the show's, once by the flashes and once by the cues."""
    begins = {" ".join(cue.text.split()): cue.start / 1000 for cue in read_kept(show).cues}
    by_cue = [start - begins[name] for start, _end, text in told["cues"] if (name := " ".join(text.split())) in begins]
    recorded = see(show / "recording.mp4", sound=False).flashes
    # a picture that was left out before the flash would make it seem late
    sharp = [flash for flash in told["flashes"] if flash["step"] < 1.5 / FPS]
    if not by_cue or not sharp or not recorded:
        book.at_most(f"{kind}: cue against the picture", None, CUE, "ms")
        return
    about = statistics.median(by_cue)
    by_flash, late = [], []
    for flash in sharp:
        on_show = min(recorded, key=lambda at: abs(flash["media"] - about - at))
        by_flash.append(flash["media"] - on_show)
        late.append(flash["wall"] / 1000 - told["epoch"] - on_show)
    picture = statistics.median(by_flash)
    errors = [abs(each - picture) * 1000 for each in by_cue]
    book.at_most(
        f"{kind}: a cue's begin against the picture, most of {len(errors)} cues", max(errors), CUE, "ms", digits=1
    )
    apart = [abs(each - picture) * 1000 for each in by_flash]
    book.tell(f"{kind}: pictures against each other, most of {len(apart)} flashes", f"{max(apart):.1f} ms")
    for which, what in (("entered", "the browser's word that it shows it"), ("active", "the first picture beside it")):
        shown = sorted(told[which].values())
        if not shown:
            continue
        told_late = f"{shown[len(shown) // 2] * 1000:.0f} ms, {shown[-1] * 1000:.0f} ms"
        book.tell(f"{kind}: from a cue's begin to {what}: half, all", told_late)
    settled = [
        each for each, flash in zip(late, sharp, strict=True) if flash["wall"] > sharp[0]["wall"] + SETTLES * 1000
    ]
    book.at_most(f"{kind}: from the encoder to the screen, most", max(settled, default=None), LATE + hold, digits=2)
    book.tell(f"{kind}: … median", f"{statistics.median(late):.2f} s")
    apart_most = (
        max((later["wall"] - earlier["wall"] for earlier, later in pairwise(told["flashes"])), default=0) / 1000
    )
    presented = f"{told['frames']} pictures, {told['stalls']} stalls, flashes {apart_most:.2f} s apart at most"
    book.tell(f"{kind}: what the browser presented", presented)
