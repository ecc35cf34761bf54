"""What the build adds to the sources is in the wheel, so that nobody who installs it needs Node or Babel."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

from hatchling.builders.wheel import WheelBuilder

if TYPE_CHECKING:
    from pathlib import Path


def test_the_wheel_carries_the_pages_their_modules_and_the_catalogues(root: Path, tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(root)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as files:
        names = set(files.namelist())
        hooks = files.read("studio/web/vendor/hooks.js").decode()
    for part in ("preact", "hooks", "htm", "hls", "hls-worker"):
        assert f"studio/web/vendor/{part}.js" in names
    for licence in ("preact", "htm", "hls"):
        assert f"studio/web/vendor/{licence}-licence.txt" in names
    assert {f"studio/web/static/{name}" for name in ("layout.html", "status.js", "status.css", "base.css")} <= names
    for language in ("pl", "lt"):
        assert f"studio/locale/{language}/LC_MESSAGES/studio.mo" in names
        assert f"studio/locale/{language}/web.json" in names
    assert 'from"./preact.js"' in hooks
    assert 'from"preact"' not in hooks


def test_no_download_address_is_recorded(root: Path) -> None:
    lock = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert {name.removeprefix("node_modules/") for name in packages} == {"preact", "htm", "hls.js", "wavesurfer.js"}
    for package in packages.values():
        assert "resolved" not in package
        assert package["integrity"].startswith("sha512-")
