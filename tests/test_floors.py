"""The floor plan of docs/architecture.md, held against every import of the house."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLOORS: dict[str, tuple[str, ...]] = {
    "STREET": ("cli",),
    "DOORS": ("web", "rehearsal"),
    "HALLWAY": ("app",),
    "CRAFTS": ("show", "captions", "archive", "vocal"),
    "MACHINES": ("devices", "media", "speech"),
    "PAPER": ("subtitles", "wire"),
    "TOOLS": ("venue", "keys", "catalogue", "bridge", "events", "spoken", "sound", "bus", "supervise"),
    "GROUND": ("units", "errors", "language", "later"),
}
"""From the top to the bottom."""

STEPS = ("TOOLS", "GROUND")
"""Floors of single tools: each may use those that follow it."""

STOREYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "media": (
        ("__main__",),
        ("_relay", "_film", "_takes"),
        ("_hub", "_lookout"),
        ("_arrive", "_air"),
        ("_leave",),
        ("_ground",),
        ("_plan",),
    ),
    "devices": (
        ("_drivers",),
        ("_hardware",),
        ("_obs", "_osc", "_midi", "_visca", "_obsbot"),
        ("_camera",),
        ("_ground",),
    ),
}
"""Rooms that have floors of their own, from the top to the bottom; their door may use each of them."""

HEAVY: dict[str, tuple[str, ...]] = {
    "av": ("media",),
    "ffmpeg": ("media", "rehearsal"),  # builds lists of arguments: rehearsal puts its talk together with them
    "pyaudio": ("media",),
    "soundfile": ("media",),
    "pedalboard": ("vocal",),
    "mutagen": ("media",),
    "faster_whisper": ("speech",),
    "ctranslate2": ("speech",),
    "onnxruntime": ("speech",),
    "sherpa_onnx": ("speech",),
    "swift_f0": ("vocal",),
    "obsws_python": ("devices",),
    "mido": ("devices", "rehearsal", "vocal"),  # the vocal studio reads melodies
    "rtmidi": ("devices", "rehearsal"),
    "pythonosc": ("devices", "wire", "rehearsal"),
    "piper": ("rehearsal",),
    "ruamel": ("catalogue",),
    "tomllib": ("catalogue",),
    "starlette": ("web",),
    "uvicorn": ("web",),
    "websockets": ("web", "rehearsal"),
    "httpx": ("captions",),
    "sqlalchemy": ("archive",),
    "dask": ("archive",),
    "distributed": ("archive",),
    "docx": ("archive",),
    "odfdo": ("archive",),
    "ttconv": ("subtitles",),
    "typer": ("cli",),
}
"""Libraries that belong to one room, whose own types end at its door."""

SLOW = (
    "av",
    "ffmpeg",
    "pyaudio",
    "soundfile",
    "pedalboard",
    "mutagen",
    "faster_whisper",
    "ctranslate2",
    "onnxruntime",
    "sherpa_onnx",
    "swift_f0",
    "obsws_python",
    "mido",
    "rtmidi",
    "httpx",
    "sqlalchemy",
    "dask",
    "distributed",
    "docx",
    "odfdo",
    "ttconv",
)
"""Of these, the ones that only load when they are first used."""


@dataclass(frozen=True)
class Import:
    """One import, wherever it stands: at the top, in a function, under TYPE_CHECKING."""

    module: str
    line: int
    target: str
    """`studio.media._ring`, or a foreign library's full name."""
    names: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        return f"{self.module} line {self.line}"


class House:
    """A tree of modules named `studio.…`, read but never run."""

    def __init__(self, root: Path) -> None:
        self.files = {self._name(root, file): file for file in sorted(root.rglob("*.py"))}
        self.imports = [found for name, file in self.files.items() for found in self._read(name, file)]

    @staticmethod
    def _name(root: Path, file: Path) -> str:
        parts = file.relative_to(root).with_suffix("").parts
        return ".".join(["studio", *(parts[:-1] if parts[-1] == "__init__" else parts)])

    def _read(self, module: str, file: Path) -> Iterator[Import]:
        for node in ast.walk(ast.parse(file.read_text("utf-8"), str(file))):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(module, node.lineno, alias.name)
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    parts = module.split(".")
                    up = node.level - (file.name == "__init__.py")
                    base = ".".join([*parts[: len(parts) - up], *([node.module] if node.module else [])])
                whole = [alias.name for alias in node.names if f"{base}.{alias.name}" in self.files]
                names = tuple(alias.name for alias in node.names if alias.name not in whole)
                for name in whole:
                    yield Import(module, node.lineno, f"{base}.{name}")
                if names:
                    yield Import(module, node.lineno, base, names)


def room(module: str) -> str:
    """`show` of `studio.show._state`; the top itself, `studio`, which only knows its version, is no room."""
    parts = module.split(".")
    name = parts[1] if len(parts) > 1 else ""
    return "cli" if name == "__main__" else name


def floor(name: str) -> str | None:
    return next((floor for floor, rooms in FLOORS.items() if name in rooms), None)


def climbers(house: House) -> Iterator[str]:
    order = list(FLOORS)
    for found in house.imports:
        if found.target.split(".")[0] != "studio":
            continue
        here, there = room(found.module), room(found.target)
        if here == there or not there:
            continue
        mine, theirs = floor(here), floor(there)
        if mine is None or theirs is None:
            yield f"{found.where}: {found.target}: {here if mine is None else there} stands on no floor of the plan"
        elif order.index(theirs) < order.index(mine):
            yield f"{found.where} climbs from {mine} to {theirs}: {found.target}"
        elif mine == theirs and mine not in STEPS:
            yield f"{found.where} goes next door on the floor {mine}: {found.target}"
        elif mine == theirs and FLOORS[mine].index(there) < FLOORS[mine].index(here):
            yield f"{found.where} climbs a step on the floor {mine}: {found.target}"


def climbers_inside(house: House, name: str) -> Iterator[str]:
    """Whoever climbs, or goes next door, between the folders of the room `name`."""
    storey = {part: at for at, parts in enumerate(STOREYS[name]) for part in parts}
    for found in house.imports:
        here, there = found.module.split("."), found.target.split(".")
        if here[1:2] != [name] or there[1:2] != [name] or len(here) < 3 or len(there) < 3:
            continue
        if here[2] != there[2] and storey[there[2]] <= storey[here[2]]:
            yield f"{found.where} climbs inside {name}: {found.target}"


def burglars(house: House) -> Iterator[str]:
    """Whoever does not come in by a room's door."""
    for found in house.imports:
        if found.target.split(".")[0] != "studio" or room(found.module) == room(found.target):
            continue
        private = [part for part in found.target.split(".")[2:] if part.startswith("_")]
        private += [name for name in found.names if name.startswith("_") and name not in ("_", "__version__")]
        if private:
            yield f"{found.where} reaches behind the door of {room(found.target)}: {', '.join(private)}"


def strangers(house: House) -> Iterator[str]:
    for found in house.imports:
        rooms = HEAVY.get(found.target.split(".")[0])
        if rooms is not None and room(found.module) not in rooms:
            yield f"{found.where} imports {found.target}, which belongs to {' and '.join(rooms)}"


def circles(house: House) -> Iterator[str]:
    """Modules that import each other, inside a room or across rooms."""
    graph: dict[str, set[str]] = {name: set() for name in house.files}
    for found in house.imports:
        if found.target in graph and found.target != found.module:
            graph[found.module].add(found.target)
    done: set[str] = set()
    path: list[str] = []

    def walk(name: str) -> Iterator[str]:
        if name in path:
            yield " → ".join([*path[path.index(name) :], name])
            return
        if name in done:
            return
        path.append(name)
        for target in sorted(graph[name]):
            yield from walk(target)
        path.pop()
        done.add(name)

    for name in graph:
        yield from walk(name)


@pytest.fixture(scope="module")
def house(root: Path) -> House:
    return House(root / "src" / "studio")


def test_nobody_climbs(house: House) -> None:
    assert list(climbers(house)) == []


@pytest.mark.parametrize("name", STOREYS)
def test_nobody_climbs_inside_a_room(house: House, name: str) -> None:
    assert list(climbers_inside(house, name)) == []


def test_rooms_are_entered_by_their_door(house: House) -> None:
    assert list(burglars(house)) == []


def test_no_circles(house: House) -> None:
    assert list(circles(house)) == []


def test_each_library_stays_in_its_room(house: House) -> None:
    assert list(strangers(house)) == []


def test_every_room_stands_on_a_floor(house: House) -> None:
    rooms = {room(module) for module in house.files} - {""}
    assert {name for name in rooms if floor(name) is None} == set()


def test_the_plan_on_paper_is_this_one(root: Path) -> None:
    drawn: dict[str, tuple[str, ...]] = {}
    current = ""
    text = (root / "docs" / "architecture.md").read_text("utf-8")
    plan = text[text.index("src/studio/\n") :].split("```")[0]
    for line in plan.splitlines():
        if heading := re.match(r"│  ([A-Z]+)", line):
            current = heading[1]
            drawn[current] = ()
        elif named := re.match(r"[├└]── (\w+)(?:/|\.py)", line):
            drawn[current] += (named[1],)
    assert drawn == FLOORS


def test_what_loads_slowly_loads_when_it_is_used(house: House) -> None:
    doors = [name for name in house.files if name.count(".") == 1 and not name.endswith("__main__")]
    script = f"""
import importlib, sys
for door in {doors}:
    importlib.import_module(door)
    for library in {SLOW}:
        if library in sys.modules:
            sys.exit(f"import {{door}} loads {{library}}")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


class TestThePlanCatches:
    """A small house in which everything is wrong once."""

    @pytest.fixture
    def bad(self, tmp_path: Path) -> House:
        for name, text in {
            "__init__.py": "",
            "cli.py": "from studio import app\n",
            "app.py": "import studio.web\n",
            "web/__init__.py": "",
            "show/__init__.py": "from studio.show._a import A\n\ndef f():\n    from studio.captions import words\n",
            "show/_a.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ._b import B\n",
            "show/_b.py": "from . import _a\nimport av.container\nfrom studio.language import _\n",
            "captions/__init__.py": "from studio.show._a import A\nfrom studio.units import ms, _CODE\n",
            "units.py": "from studio.errors import StudioError\n",
            "errors.py": "from studio.bus import Bus\n",
            "bus.py": "from studio import events\n",
            "events.py": "",
            "language.py": "",
            "cellar.py": "from studio import bus\n",
        }.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        return House(tmp_path)

    def test_climbers(self, bad: House) -> None:
        assert sorted(climbers(bad)) == [
            "studio.app line 1 climbs from HALLWAY to DOORS: studio.web",
            "studio.bus line 1 climbs a step on the floor TOOLS: studio.events",
            "studio.captions line 1 goes next door on the floor CRAFTS: studio.show._a",
            "studio.cellar line 1: studio.bus: cellar stands on no floor of the plan",
            "studio.errors line 1 climbs from GROUND to TOOLS: studio.bus",
            "studio.show line 4 goes next door on the floor CRAFTS: studio.captions",
        ]

    def test_burglars(self, bad: House) -> None:
        assert list(burglars(bad)) == [
            "studio.captions line 1 reaches behind the door of show: _a",
            "studio.captions line 2 reaches behind the door of units: _CODE",
        ]

    def test_circles(self, bad: House) -> None:
        assert "studio.show._a → studio.show._b → studio.show._a" in list(circles(bad))

    def test_strangers(self, bad: House) -> None:
        assert list(strangers(bad)) == ["studio.show._b line 2 imports av.container, which belongs to media"]
