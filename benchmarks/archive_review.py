"""The page of films under load: 2,000 films in the list, 3,000 cues in one film, in a real Chromium."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

CUES = 3000


def run(films: int, written: Path | None) -> bool:
    """Measure; return whether the list comes within a second and a key within a picture of 60 Hz."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STUDIO_HOME"] = folder
        told = asyncio.run(_measure(Path(folder), films))
    for name, value in told.items():
        print(f"{name:44} {value:10.1f}")
    if written:
        written.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return told["key to draft, p50, ms"] <= 16.7 and told["list: to first row, ms"] <= 1000  # noqa: PLR2004


async def _measure(folder: Path, many: int) -> dict[str, float]:
    from playwright.async_api import async_playwright  # noqa: PLC0415 - each run loads what it needs
    from tests.web.conftest import CHROMIUM, FLAGS  # noqa: PLC0415
    from tests.web.shelf import LINES, Shelf, document, make_film  # noqa: PLC0415

    from studio.archive import open_library  # noqa: PLC0415
    from studio.units import Ms  # noqa: PLC0415

    shelf = Shelf(folder)
    film = shelf.add(make_film(folder / "film.mp4"), "A", document(LINES * (CUES // len(LINES))))
    with open_library(shelf.path) as library:
        for number in range(many - 1):
            library.add(folder / f"{number}.mp4", title=f"Film {number}", length=Ms(5_400_000), language="pl")
    told: dict[str, float] = {}
    async with shelf.opened() as port, async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        at = f"http://127.0.0.1:{port}"
        for name, path, what in (("list", "/films", ".film-row a"), ("film", f"/films/{film}", ".cue.current")):
            await page.goto(f"{at}{path}")
            await page.wait_for_selector(what)
            begun = time.perf_counter()
            await page.goto(f"{at}{path}")  # modules are in the cache now, as they are on any day but the first
            await page.wait_for_selector(what)
            told[f"{name}: to first row, ms"] = (time.perf_counter() - begun) * 1000
            told[f"{name}: nodes in the page"] = await page.evaluate("document.querySelectorAll('*').length")
        told |= await page.evaluate(TYPING)
        await page.wait_for_selector(".saving.saved", timeout=60_000)
        with open_library(shelf.path) as library:
            base = library.texts.head(film).number
        cpu = time.process_time()
        answer: Any = await page.evaluate(EDIT, [film, base])
        told["edit: to answer, ms"] = answer[0]
        told["edit: CPU of the server, ms"] = (time.process_time() - cpu) * 1000
        told["edit: answer, KB"] = answer[1] / 1000
        told["memory of the page, MB"] = await page.evaluate("performance.memory.usedJSHeapSize / 1e6")
        await browser.close()
    return told


TYPING = """async () => {
  const field = document.querySelector("textarea");
  field.focus();
  const taken = [];
  for (let n = 0; n < 60; n += 1) {
    await new Promise(requestAnimationFrame);
    const begun = performance.now();
    field.value += n % 7 ? "a" : " ";
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    await Promise.resolve();
    await Promise.resolve();
    taken.push(performance.now() - begun);
  }
  taken.sort((one, other) => one - other);
  return { "key to draft, p50, ms": taken[30], "key to draft, p95, ms": taken[57] };
}"""
EDIT = """async ([film, base]) => {
  const begun = performance.now();
  const body = JSON.stringify({ base, edits: [{ do: "reword", cue: 1500, lines: ["Inaczej."] }] });
  const answer = await fetch(`/api/films/${film}/edit`,
    { method: "POST", headers: { "Content-Type": "application/json" }, body });
  const said = await answer.text();
  return [performance.now() - begun, said.length];
}"""
