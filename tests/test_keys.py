"""Where stream keys are kept, and that none of them is ever repeated."""

from __future__ import annotations

import os
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from studio.errors import SecretError
from studio.keys import KeySource

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "abcd-efgh-hunter2"  # noqa: S105 - it opens nothing


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "youtube.key"
    path.write_text(f"{SECRET}\n", "utf-8")
    path.chmod(0o600)
    return path


def refused(source: KeySource) -> str:
    """Why the key cannot be had: one sentence, with the place and without the key."""
    with pytest.raises(SecretError) as caught:
        source.read()
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert SECRET not in sentence
    assert "hunter2" not in repr(caught.value)
    return sentence


def test_no_place_is_no_key() -> None:
    assert not KeySource()
    assert KeySource().read() == ""
    assert KeySource().shown == ""


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_YOUTUBE_KEY", f" {SECRET}\n")
    source = KeySource(env="STUDIO_YOUTUBE_KEY")
    assert source.read() == SECRET
    assert source.shown == "environment variable STUDIO_YOUTUBE_KEY"
    for empty in ("", "  "):
        monkeypatch.setenv("STUDIO_YOUTUBE_KEY", empty)
        assert refused(source).startswith("The environment variable STUDIO_YOUTUBE_KEY is empty;")
    monkeypatch.setenv("STUDIO_YOUTUBE_KEY", f"{SECRET}\n{SECRET}")
    assert "more than one line" in refused(source)


def test_from_a_file_of_ones_own(file: Path) -> None:
    source = KeySource(file=file)
    assert source.read() == SECRET
    assert source.shown == f"file {file}"
    file.write_bytes(b"\xef\xbb\xbf" + SECRET.encode() + b"\r\n")  # as Windows' Notepad saves it
    assert source.read() == SECRET
    file.chmod(0o400)
    assert source.read() == SECRET


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o601])
def test_a_file_that_others_may_touch_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert refused(KeySource(file=file)).endswith(f"run: chown $USER {file} && chmod 600 {file}")


def test_a_link_is_as_good_as_what_it_points_to(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(file)
    assert KeySource(file=link).read() == SECRET
    file.chmod(0o644)
    assert "may be read by others" in refused(KeySource(file=link))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "holds no key"),
        (b" \n\n", "holds no key"),
        (b"\xff\xfe", "holds no key"),
        (b"x" * 5000, "holds no key"),
        (f"{SECRET}\nsecond".encode(), "more than one line"),
        (f"{SECRET}\x1b[31m".encode(), "signs that cannot be seen"),
    ],
)
def test_a_file_without_one_key(file: Path, content: bytes, sentence: str) -> None:
    file.write_bytes(content)
    assert sentence in refused(KeySource(file=file))


def test_what_is_no_file(tmp_path: Path) -> None:
    assert "there is no such file or folder" in refused(KeySource(file=tmp_path / "gone"))
    assert "is no file" in refused(KeySource(file=tmp_path))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    assert "is no file" in refused(KeySource(file=pipe))  # and nobody waits for a writer


BACKEND = f"""
import keyring.backend

class Drawer(keyring.backend.KeyringBackend):
    priority = 1

    def get_password(self, service, name):
        return {{("studio", "youtube"): {SECRET!r}}}.get((service, name))

    def set_password(self, service, name, password):
        raise NotImplementedError

    def delete_password(self, service, name):
        raise NotImplementedError
"""


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A keyring with one key in it, which needs no desktop."""
    pytest.importorskip("keyring", reason="the keyring is an extra: pip install 'studio[keyring]'")
    (tmp_path / "drawer_of_keys.py").write_text(dedent(BACKEND), "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "drawer_of_keys.Drawer")


@pytest.mark.usefixtures("keyring")
def test_from_the_keyring() -> None:
    assert KeySource(keyring="youtube").read() == SECRET
    assert KeySource(keyring="youtube").shown == "keyring entry youtube"
    assert refused(KeySource(keyring="twitch")).endswith("run: keyring set studio twitch")


@pytest.mark.usefixtures("keyring")
def test_a_keyring_that_is_never_unlocked_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = dedent(BACKEND).replace("return", "import time; time.sleep(600); return")
    (tmp_path / "drawer_of_keys.py").write_text(waits, "utf-8")
    monkeypatch.setattr("studio.keys.PATIENCE", 0.5)
    assert "unlock it" in refused(KeySource(keyring="youtube"))


def test_without_the_package_the_sentence_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert "pip install 'studio[keyring]'" in refused(KeySource(keyring="youtube"))
