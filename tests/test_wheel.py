"""The wheel by itself: installed beside no checkout, it has everything it needs."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DRAWERS = (
    *("hardware", "presets/captions", "presets/encode", "scenes"),
    *(f"subtitles/{name}" for name in ("glossaries", "numbers", "rules", "sounds", "styles", "swearing")),
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built here, with what the environment holds: no index is asked."""
    out = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as file:
        return set(file.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs' folder of a new environment: our wheel, and the dependencies of the one we run in."""
    home = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    python = home / "bin" / "python"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index"),
            *("--no-compile", wheel),  # what runs here compiles what it imports, which is a small part
        ],
        check=True,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    # Written after the installation, or pip would take our own editable install for one to replace. Python does not
    # read the .pth files of a folder that came in by a .pth, so that editable install stays out of sight.
    purelib = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    Path(purelib, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return home / "bin"


def run(installed: Path, folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment in `folder`, as a user without any settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("STUDIO_", "PYTHON"))}
    return subprocess.run(
        [installed / words[0], *words[1:]],
        cwd=folder,
        env={**clean, "STUDIO_HOME": str(folder / "nobody"), "STUDIO_LANG": "en", **env},
        capture_output=True,
        text=True,
        check=False,
    )


def ask(installed: Path, folder: Path, program: str) -> str:
    done = run(installed, folder, "python", "-c", program)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_wheel_holds_the_package_and_nothing_beside_it(names: set[str]) -> None:
    assert {name.partition("/")[0] for name in names} == {"studio", "studio-0.1.0.dist-info"}
    assert not [name for name in names if "__pycache__" in name or name.endswith((".po", ".pot"))]
    assert "studio-0.1.0.dist-info/licenses/LICENSE" in names


@pytest.mark.parametrize("drawer", DRAWERS)
def test_wheel_carries_the_drawers_whole(names: set[str], drawer: str) -> None:
    here = {f"studio/drawers/{path.relative_to(ROOT)}" for path in (ROOT / drawer).glob("*.yaml")}
    assert here <= names
    assert here, f"nothing in {drawer}"


def test_wheel_carries_the_page_with_its_modules_and_their_licences(names: set[str]) -> None:
    static = {
        str(path.relative_to(ROOT / "src")) for path in (ROOT / "src/studio/web/static").rglob("*") if path.is_file()
    }
    assert static
    assert static <= names
    vendor = {name.rpartition("/")[2] for name in names if name.startswith("studio/web/vendor/")}
    assert {"hls.js", "preact.js", "htm.js"} <= vendor
    assert {"hls-licence.txt", "preact-licence.txt", "htm-licence.txt"} <= vendor


@pytest.mark.parametrize("language", ["pl", "lt"])
def test_wheel_speaks(names: set[str], language: str) -> None:
    assert f"studio/locale/{language}/LC_MESSAGES/studio.mo" in names


def test_it_is_the_wheel_that_runs(installed: Path, tmp_path: Path) -> None:
    where = Path(ask(installed, tmp_path, "import studio; print(studio.__file__)"))
    assert where.is_relative_to(installed.parent)


@pytest.mark.parametrize("program", [("studio",), ("python", "-m", "studio")])
def test_version(installed: Path, tmp_path: Path, program: tuple[str, ...]) -> None:
    done = run(installed, tmp_path, *program, "--version")
    assert (done.returncode, done.stdout) == (0, "studio 0.1.0\n"), done.stderr


def test_check_reads_the_drawers_of_the_wheel(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "studio", "check")
    assert done.returncode == 0, done.stdout + done.stderr
    folder = ask(installed, tmp_path, "from studio.catalogue import shipped_folder; print(shipped_folder())")
    assert Path(folder).is_relative_to(installed.parent)


def test_check_names_a_mistake_in_the_folder_it_runs_in(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "studio.toml").write_text('[show]\ntitel = "Evening"\n', encoding="utf-8")
    done = run(installed, tmp_path, "studio", "check")
    assert done.returncode == 2
    assert "studio.toml line 2" in done.stdout + done.stderr
    assert '"title"' in done.stdout + done.stderr


def test_help_is_in_the_users_language(installed: Path, tmp_path: Path) -> None:
    said = {language: run(installed, tmp_path, "studio", "--help", STUDIO_LANG=language) for language in ("en", "pl")}
    assert all(done.returncode == 0 for done in said.values())
    assert said["en"].stdout != said["pl"].stdout
