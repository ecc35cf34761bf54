"""What the relay writes for players, in a real browser with hls.js."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.media.hls_bench import FMP4, LOOK, TS, programme
from tests.web.conftest import NEEDS_CHROMIUM
from tests.web.evening import Evening, opened

from studio.media._ground.cues import CueBoard
from studio.media._leave.hls import Hls, Rendition
from studio.media._leave.row import Look
from studio.spoken import Cue
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser

    from studio.media import EncodePreset


pytestmark = [pytest.mark.asyncio(loop_scope="module"), NEEDS_CHROMIUM]

LOOK_AT_CUES = """
async () => {
  const { default: Hls } = await import("/vendor/hls.js");
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  const trouble = [];
  const hls = new Hls({ workerPath: "/vendor/hls-worker.js", maxBufferLength: 60, startPosition: 0 });
  hls.on(Hls.Events.ERROR, (_event, data) => trouble.push(data.details));
  const until = async (so) => {
    for (let n = 0; n < 2400; n += 1) {
      if (so()) return;
      await new Promise((done) => setTimeout(done, 25));
    }
    throw new Error("not in a minute; " + trouble);
  };
  hls.attachMedia(video);
  hls.loadSource("/hls/master.m3u8");
  const cues = () => [...video.textTracks].flatMap((track) => [...(track.cues ?? [])]);
  await until(() => {
    hls.subtitleTrack = 0;
    return cues().length >= CUES && video.readyState >= 2;
  });
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const lit = async (at) => {
    video.currentTime = at;
    await until(() => !video.seeking && video.readyState >= 2);
    await new Promise((done) => { video.requestVideoFrameCallback(done); setTimeout(done, 120); });
    pen.drawImage(video, 0, 0, 1, 1);
    return pen.getImageData(0, 0, 1, 1).data[1] > 128;
  };
  const found = [];
  for (const cue of cues().sort((one, other) => one.startTime - other.startTime)) {
    const errors = [];
    for (const [edge, after] of [[cue.startTime, true], [cue.endTime, false]]) {
      let [low, high] = [edge - 0.2, edge + 0.2]; // the picture changes between them
      if ((await lit(low)) === after || (await lit(high)) !== after) throw new Error("no change near " + edge);
      while (high - low > 0.008) {
        const middle = (low + high) / 2;
        if ((await lit(middle)) === after) high = middle; else low = middle;
      }
      errors.push(Math.round(((low + high) / 2 - edge) * 1000));
    }
    found.push([cue.text, ...errors]);
  }
  const levels = hls.levels.map((level) => [level.height, level.videoCodec]);
  hls.destroy();
  return { found, trouble, levels };
}
"""
"""Milliseconds from a cue's time to that at which the picture really changes: its beginning, its end."""


SWITCH = """
async () => {
  const { default: Hls } = await import("/vendor/hls.js");
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  const trouble = [];
  const until = async (so) => {
    for (let n = 0; n < 2400; n += 1) {
      if (so()) return;
      await new Promise((done) => setTimeout(done, 25));
    }
    throw new Error(`not in a minute; at ${video.currentTime}; ${trouble}`);
  };
  const shown = [];
  let heights = [];
  for (const visit of [[[180, 0], [96, 1]], [[180, 3]]]) { // the second viewer comes to where another relay went on
    const startPosition = visit[0][1];
    const hls = new Hls({ workerPath: "/vendor/hls-worker.js", maxBufferLength: 2, startPosition, startLevel: 0 });
    hls.on(Hls.Events.ERROR, (_event, data) => data.fatal && trouble.push(data.details));
    hls.attachMedia(video);
    hls.loadSource("/hls/master.m3u8");
    await until(() => hls.levels.length === 2);
    heights = hls.levels.map((level) => level.height);
    for (const [height, from] of visit) {
      hls.currentLevel = heights.indexOf(height);
      video.currentTime = from;
      await video.play();
      await until(() => video.videoHeight === height && video.currentTime > from + 0.3);
      video.pause();
      shown.push(video.videoHeight);
    }
    hls.destroy();
  }
  return { heights, shown, trouble };
}
"""
SMALL = Look(170, 96, 25.0, 100_000)


def life(
    folder: Path, preset: EncodePreset, begin: float, seconds: float, cue: Cue, *, close: bool, small: bool = False
) -> None:
    """Write what one life of the relay writes: the picture is white while the cue stands."""
    board = CueBoard()
    board.show(cue)
    hls = Hls(folder, preset, LOOK, [Rendition(board, "pl")], small=SMALL if small else None)
    less = programme(preset, seconds if small else 0, begin, size=(SMALL.width, SMALL.height))
    smaller = {coded.stamp: replace(coded, kind="small") for coded in less if coded.kind == "picture"}
    for coded in programme(preset, seconds, begin, lit=lambda at: cue.start <= round(at * 1000) < cue.end):
        hls.write(coded)
        if small and coded.kind == "picture":
            hls.write(smaller[coded.stamp])
    if close:
        hls.close()


@pytest.mark.parametrize("preset", [TS, FMP4], ids=["ts", "fmp4"])
async def test_a_cue_stands_while_its_picture_does_also_after_the_relay_died(
    browser: Browser, house: Evening, preset: EncodePreset
) -> None:
    folder = house.folder / "hls"
    life(folder, preset, 3600, 3.6, Cue(1, Ms(3_601_440), Ms(3_602_480), ("Dzień dobry",)), close=False)
    life(folder, preset, 3607.24, 2.0, Cue(2, Ms(3_607_920), Ms(3_608_680), ("Labas vakaras",)), close=True)
    async with opened(house) as port, await browser.new_context() as device:
        page = await device.new_page()
        await page.goto(f"http://127.0.0.1:{port}/captions")
        seen: dict[str, Any] = await page.evaluate(LOOK_AT_CUES.replace("CUES", "2"))
    assert [text for text, *_errors in seen["found"]] == ["Dzień dobry", "Labas vakaras"]
    errors = [error for _text, *both in seen["found"] for error in both]
    assert max(map(abs, errors)) <= 40
    assert set(seen["trouble"]) <= {"aborted"}  # a seek stops what was being fetched


@pytest.mark.parametrize("preset", [TS, FMP4], ids=["ts", "fmp4"])
async def test_a_viewer_changes_to_the_small_picture_and_another_comes_after_the_relay_died(
    browser: Browser, house: Evening, preset: EncodePreset
) -> None:
    folder, whole = house.folder / "hls", replace(preset, playlist_segments=0)
    cue = Cue(1, Ms(3_601_000), Ms(3_602_000), ("Dzień dobry",))
    life(folder, whole, 3600, 3, cue, close=False, small=True)
    life(folder, whole, 3605, 2, cue, close=True, small=True)
    async with opened(house) as port, await browser.new_context() as device:
        page = await device.new_page()
        await page.goto(f"http://127.0.0.1:{port}/captions")
        seen: dict[str, Any] = await page.evaluate(SWITCH)
    assert sorted(seen["heights"]) == [96, 180]
    assert seen["shown"] == [180, 96, 180]
    assert seen["trouble"] == []
