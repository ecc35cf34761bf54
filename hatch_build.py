"""What a build adds to the sources: the pages' third-party modules by npm, and the compiled catalogues by Babel.

Both land in git-ignored files inside `src/studio`, so that an editable install finds them as a wheel does.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

VENDOR = Path("src/studio/web/vendor")
LOCALE = Path("src/studio/locale")
NPM_FILES = ("package.json", "package-lock.json", ".npmrc")
SEEN = "lock.txt"
"""In `VENDOR`: which lock file its modules came from."""

MODULES = {
    "preact/dist/preact.mjs": "preact.js",
    "preact/hooks/dist/hooks.mjs": "hooks.js",
    "preact/LICENSE": "preact-licence.txt",
    "htm/dist/htm.module.js": "htm.js",
    "htm/LICENSE": "htm-licence.txt",
    "hls.js/dist/hls.min.mjs": "hls.js",
    "hls.js/dist/hls.worker.js": "hls-worker.js",
    "hls.js/LICENSE": "hls-licence.txt",
    "wavesurfer.js/dist/wavesurfer.esm.js": "wavesurfer.js",
    "wavesurfer.js/dist/plugins/regions.esm.js": "regions.js",
    "wavesurfer.js/dist/plugins/timeline.esm.js": "timeline.js",
    "wavesurfer.js/LICENSE": "wavesurfer-licence.txt",
}
"""Files of the npm packages, and their names in `VENDOR`."""


def fetch_modules(root: Path) -> None:
    """Put the pages' modules into `VENDOR`, unless those of this lock file are there."""
    vendor = root / VENDOR
    lock = hashlib.sha256((root / "package-lock.json").read_bytes()).hexdigest()
    seen = vendor / SEEN
    if seen.exists() and seen.read_text() == lock and all((vendor / name).exists() for name in MODULES.values()):
        return
    if shutil.which("npm") is None:
        raise SystemExit("npm is missing: install it (Debian, Ubuntu: `apt install npm`) and run this again.")
    with tempfile.TemporaryDirectory() as folder:
        for name in NPM_FILES:
            shutil.copy(root / name, folder)
        try:
            subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True)
        except subprocess.CalledProcessError:
            raise SystemExit(
                "npm could not fetch the pages' modules; look at what it said above, is the network there?"
            ) from None
        shutil.rmtree(vendor, ignore_errors=True)
        vendor.mkdir(parents=True)
        for source, name in MODULES.items():
            text = (Path(folder) / "node_modules" / source).read_text(encoding="utf-8")
            (vendor / name).write_text(_at_home(name, text), encoding="utf-8")
    seen.write_text(lock)


def _at_home(name: str, text: str) -> str:
    """Let a module find its neighbour: browsers know no package names without an inline import map."""
    if name != "hooks.js":
        return text
    if text.count('from"preact"') != 1:
        raise SystemExit("preact/hooks is not written as expected; look at `_at_home` in hatch_build.py.")
    return text.replace('from"preact"', 'from"./preact.js"')


def compile_catalogues(root: Path) -> None:
    """Write `studio.mo` for Python, and `web.json` with the pages' own words, beside each `studio.po`."""
    for source in sorted((root / LOCALE).glob("*/LC_MESSAGES/studio.po")):
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parts[-3])
        with source.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalogue)
        words = json.dumps(_page_words(catalogue), ensure_ascii=False, indent=0, sort_keys=True)
        (source.parents[1] / "web.json").write_text(words, encoding="utf-8")


def _page_words(catalogue: Catalog) -> dict[str, str]:
    return {
        str(message.id): str(message.string)
        for message in catalogue
        if message.id and message.string and any(file.endswith(".js") for file, _line in message.locations)
    }


class BuildHook(BuildHookInterface[Any]):
    """Runs before each wheel, sdist and editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Make what is missing."""
        root = Path(self.root)
        fetch_modules(root)
        compile_catalogues(root)
