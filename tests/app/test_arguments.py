"""What the command line says to somebody who mistypes, in the language of the house."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, cast

import pytest
import typer

from studio.cli import app
from studio.cli._usage import mistake, translated
from studio.errors import why
from studio.language import speak, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer.core import TyperGroup


@pytest.fixture(autouse=True)
def in_polish() -> Iterator[None]:
    before = spoken()
    speak("pl")
    yield
    speak(before)


@pytest.fixture
def studio() -> Iterator[TyperGroup]:
    yield translated(app)
    speak("en")
    translated(app)  # the frame of help pages is one for the whole process


SAID = {
    "liev": "Nie ma polecenia „liev”; może „live”?; „studio --help” powie, co jest do wyboru.",
    "live --holdd 3": "Nie ma opcji --holdd; może „--hold”?; „studio live --help” powie, co jest do wyboru.",
    "live --hold": "Po --hold musi stać wartość.",
    "live --web=3": "--web nie przyjmuje wartości.",
    "live --hold abc": (
        "--hold przyjmuje liczbę, na przykład 6 albo 7.5, a nie „abc”; „studio live --help” powie, co jest do wyboru."
    ),
    "live --port 99999": (
        "--port nie może mieć wartości 99999: najwyżej 65535; „studio live --help” powie, co jest do wyboru."
    ),
    "live --port 8,7": (
        "--port przyjmuje liczbę całkowitą, a nie „8,7”; „studio live --help” powie, co jest do wyboru."
    ),
    "encoders --fps 0": (
        "--fps nie może mieć wartości 0: najmniej 1; „studio encoders --help” powie, co jest do wyboru."
    ),
    "live so and so": "Nic nie powinno tam stać, a jest „so and so”; „studio live --help” powie, co jest do wyboru.",
    "recover": "Brakuje FOLDER; „studio recover --help” powie, co jest do wyboru.",
}


@pytest.mark.parametrize("line", SAID)
def test_a_mistake_is_one_sentence_and_ends_with_2(line: str, studio: TyperGroup) -> None:
    with pytest.raises(typer.TyperException) as refused:
        studio(args=line.split(), standalone_mode=False, prog_name="studio")
    assert (mistake(refused.value), refused.value.exit_code) == (SAID[line], 2)


def test_the_frame_of_a_help_page_is_polish(studio: TyperGroup, capsys: pytest.CaptureFixture[str]) -> None:
    studio(args=["live", "--help"], standalone_mode=False, prog_name="studio")
    page = capsys.readouterr().out
    assert [word in page for word in ("Użycie: studio live", "─ Opcje ─", "[domyślnie: web]", "zakończ.")] == [True] * 4
    assert not [word for word in ("Usage", "─ Options ─", "default:", "exit") if word in page]


def test_what_the_system_says_is_polish_where_we_know_it_and_kept_where_we_do_not() -> None:
    assert why(OSError(errno.ENOSPC, "No space left on device")) == "dysk jest pełny"
    assert why(OSError(errno.EXDEV, "Invalid cross-device link")) == "Invalid cross-device link"
    assert why(cast("OSError", ValueError("odd"))) == "odd"
