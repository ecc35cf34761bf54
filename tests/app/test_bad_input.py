"""Whatever is wrong, a technician reads one sentence that says what to do, and loses nothing."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.app.technician import Ended, Studio


def one_sentence(ended: Ended) -> str:
    """Return the sentence a command ended with; fail for a traceback or for more than that."""
    lines = [line for line in ended.said.splitlines() if line.strip()]
    assert "Traceback" not in ended.said
    assert len(lines) == 1, ended.said
    return lines[0]


def test_a_missing_file_is_named(studio: Studio) -> None:
    ended = studio("live", "--input", "nowhere.mp4", "--no-web")
    assert ended.code == 1
    assert "nowhere.mp4" in one_sentence(ended)


def test_it_is_said_in_polish(studio: Studio) -> None:
    ended = studio("live", "--input", "nowhere.mp4", "--no-web", STUDIO_LANG="pl")
    assert ended.code == 1
    assert re.search(r"\bnie\b|Nie ", one_sentence(ended))


def test_a_broken_film_is_named(studio: Studio, broken_film: Path) -> None:
    ended = studio("live", "--input", broken_film, "--no-web")
    assert ended.code == 1
    assert "broken.mp4" in one_sentence(ended)


def test_a_traceback_is_for_those_who_ask(studio: Studio) -> None:
    assert "Traceback" in studio("live", "--input", "nowhere.mp4", "--no-web", "--verbose").said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--hold", "31"), "30"),
        (("--lang", "xx"), "pl, lt, en"),
        (("--seconds", "0"), "--seconds"),
        (("--style", "hal"), 'did you mean "hall"'),
        (("--encode", "hall-720"), 'did you mean "hall-720p"'),
        (("--venue", "nowhere.toml"), "nowhere.toml"),
    ],
)
def test_a_request_that_cannot_be_is_refused_before_anything_starts(
    studio: Studio, talk: Path, tmp_path: Path, arguments: tuple[str, str], said: str
) -> None:
    ended = studio("live", "--input", talk, "--out", "show", "--no-web", *arguments)
    assert ended.code in (1, 2)
    assert said in one_sentence(ended)
    assert not (tmp_path / "show" / "recording.mp4").exists()


def test_a_finished_show_is_never_written_over(studio: Studio, talk: Path, tmp_path: Path) -> None:
    show = tmp_path / "show"
    show.mkdir()
    (show / "recording.mp4").write_bytes(b"last night")
    ended = studio("live", "--input", talk, "--out", show, "--no-web")
    assert ended.code == 1
    assert "--out" in one_sentence(ended)
    assert (show / "recording.mp4").read_bytes() == b"last night"


def test_the_port_of_the_page_is_taken(studio: Studio, talk: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = studio("live", "--input", talk, "--out", "show", "--port", port)
    assert ended.code == 1
    assert str(port) in one_sentence(ended)


def test_the_port_of_the_encoder_is_taken(studio: Studio, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        toml = tmp_path / "studio.toml"
        toml.write_text(
            f'[show]\nlisten = "rtmp://127.0.0.1:{port}/live/studio"\n[obs]\nuse = "off"\n', encoding="utf-8"
        )
        ended = studio("live", "--out", "show", "--no-web")
    assert ended.code == 1
    assert str(port) in ended.said
    assert "Traceback" not in ended.said


def test_a_control_that_a_pad_does_not_have_is_named(studio: Studio, talk: Path, tmp_path: Path) -> None:
    device = '[[devices]]\nname = "pads"\nhardware = "akai-apc-mini"\n[devices.bind]\npda1 = "take:Talk"\n'
    (tmp_path / "studio.toml").write_text(device, encoding="utf-8")
    ended = studio("live", "--input", talk, "--out", "show", "--no-web")
    assert ended.code == 2
    assert re.search(r'studio\.toml line 5: .*"pda1"', one_sentence(ended))


@pytest.mark.parametrize("source", ["", "https://example.org/film.mp4"])
def test_what_is_no_programme_is_refused(studio: Studio, source: str) -> None:
    assert "--input" in one_sentence(studio("live", "--input", source, "--no-web"))


def test_there_is_nothing_to_join_where_there_is_no_show(studio: Studio) -> None:
    ended = studio("recover", "nowhere")
    assert ended.code == 1
    assert "nowhere" in one_sentence(ended)


def test_an_unknown_key_is_named_with_its_line(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "studio.toml").write_text('[show]\ntitle = "x"\nstlye = "hall"\n', encoding="utf-8")
    ended = studio("live", "--no-web")
    assert ended.code == 2
    assert re.search(r'studio\.toml line 3: .*"stlye".*did you mean "style"', one_sentence(ended))


def test_a_program_that_is_not_there_is_named_with_its_package(studio: Studio, tmp_path: Path) -> None:
    ended = studio("demo", "--no-web", "--out", "show", PATH=str(tmp_path))
    assert ended.code == 1
    assert "apt install" in ended.said
    assert "Traceback" not in ended.said


def test_without_a_model_the_show_goes_on_and_says_so_once(studio: Studio, mute_film: Path, tmp_path: Path) -> None:
    (tmp_path / "studio.toml").write_text('[captions]\nmodel = "no-such-model"\n', encoding="utf-8")
    ended = studio("live", "--input", mute_film, "--hold", 1, "--out", "show", "--no-web")
    assert ended.code == 0
    assert ended.said.count("Captions are off") == 1
    assert (tmp_path / "show" / "recording.mp4").exists()


def test_a_film_without_sound_airs_without_captions(studio: Studio, mute_film: Path, tmp_path: Path) -> None:
    ended = studio("live", "--input", mute_film, "--hold", 1, "--out", "show", "--no-web")
    assert ended.code == 0
    assert len(re.findall(r"(?i)no sound|without sound", ended.said)) == 1
    assert (tmp_path / "show" / "recording.mp4").exists()
