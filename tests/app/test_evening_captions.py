"""What `[captions]` says of names, numbers, swearing, the second look and YouTube, before anything is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from studio.app import Wish, check_everything, plan_evening
from studio.catalogue import Catalogue
from studio.errors import CaptionsError, DrawerError
from studio.venue import read

if TYPE_CHECKING:
    from pathlib import Path

    from studio.captions import CaptionsPlan

KEY = "k3y-never-to-be-seen"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "studio.toml"


def planned(file: Path, captions: str, **wish: float) -> CaptionsPlan:
    file.write_text(f'language = "pl"\n[captions]\n{captions}\n', "utf-8")
    evening = plan_evening(
        read(file), Catalogue(file.parent), Wish(out=file.parent / "show", hold=wish.get("hold"), input="listen")
    )
    if evening.captions is None:
        pytest.skip(evening.no_captions)
    return evening.captions


def test_names_numbers_and_swearing_go_along(file: Path) -> None:
    plan = planned(file, 'glossaries = ["dom-kultury"]\nswearing = "mask"')
    assert "Szymanowski" in plan.hotwords
    there = plan.from_json(plan.to_json())
    assert there == plan
    assert there.corrections.corrector().correct(["szopena", "25,000", "kurwa!"]) == ["Chopina", "25\u00a0000", "k***!"]


def test_nothing_is_corrected_but_numbers_where_nothing_is_said(file: Path) -> None:
    corrections = planned(file, "").corrections
    assert (corrections.terms, corrections.swearing) == ((), ())
    assert corrections.numbers is not None
    assert planned(file, "numbers = false").corrections.numbers is None


@pytest.mark.parametrize(("hold", "look"), [(6.0, 4800), (3.0, 1800), (2.9, None), (0.0, None)])
def test_a_second_look_is_over_before_words_air(file: Path, hold: float, look: int | None) -> None:
    assert planned(file, "", hold=hold).look == look


def test_the_plan_names_the_variable_and_holds_no_key(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALL_YOUTUBE", f"http://upload.youtube.com/closedcaption?cid={KEY}")
    plan = planned(file, 'youtube = "HALL_YOUTUBE"\ntranslate = "en"')
    assert (plan.youtube, plan.translate, plan.translation_rules.language) == ("HALL_YOUTUBE", True, "en")
    assert KEY.encode() not in plan.to_json()


@pytest.mark.parametrize("value", ["", KEY])
def test_an_address_that_is_missing_or_none_is_said_before_the_show(
    file: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("HALL_YOUTUBE", value)
    with pytest.raises(CaptionsError, match="HALL_YOUTUBE") as caught:
        planned(file, 'youtube = "HALL_YOUTUBE"')
    assert KEY not in str(caught.value)


def test_an_address_in_the_file_itself_is_refused_and_not_repeated(file: Path) -> None:
    with pytest.raises(DrawerError, match=r'line 3: "youtube" must be the name of an environment variable') as caught:
        planned(file, f'youtube = "http://upload.youtube.com/closedcaption?cid={KEY}"')
    assert KEY not in str(caught.value)


def test_check_names_a_glossary_that_is_not_there(file: Path) -> None:
    file.write_text('[captions]\nglossaries = ["dom-kultury",\n  "dom-kulturi"]\n', "utf-8")
    (finding,) = check_everything(file)
    assert "line" in str(finding)
    assert 'did you mean "dom-kultury"?' in str(finding)


def test_check_says_which_captions_cannot_be(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HALL_YOUTUBE", raising=False)
    file.write_text(
        'language = "en"\n[obs]\nuse = "off"\n[captions]\nmodel = "bse"\ntranslate = "en"\n'
        'obs_text = "Speech"\nyoutube = "HALL_YOUTUBE"\n',
        "utf-8",
    )
    findings = check_everything(file)
    assert [finding.serious for finding in findings] == [True, False, False, True]
    for finding, line, word in zip(findings, (5, 6, 7, 8), ("bse", "English", "OBS", "HALL_YOUTUBE"), strict=True):
        assert f"line {line}" in str(finding)
        assert word in str(finding)


def test_check_names_a_font_that_is_not_here(file: Path) -> None:
    file.write_text("", "utf-8")
    styles = file.parent / "subtitles" / "styles"
    styles.mkdir(parents=True)
    (styles / "ours.yaml").write_text("based_on: hall\n\nfont: Dejavu Sanz\n", "utf-8")
    (styles / "theirs.yaml").write_text("based_on: ours\nfont: dejavu sans\n", "utf-8")
    (finding,) = check_everything(file)
    assert not finding.serious
    assert "subtitles/styles/ours.yaml line 3" in str(finding)
    assert "Dejavu Sanz" in str(finding)


def test_check_reads_the_new_drawers(file: Path) -> None:
    file.write_text("", "utf-8")
    for name, text, _sentence in BROKEN:
        drawer = file.parent / "subtitles" / name
        drawer.parent.mkdir(parents=True, exist_ok=True)
        drawer.write_text(text, "utf-8")
    said = [str(finding) for finding in check_everything(file)]
    assert len(said) == len(BROKEN)
    for name, _text, sentence in BROKEN:
        assert any(name in each and sentence in each for each in said), (name, said)


BROKEN = (
    ("glossaries/ours.yaml", "name: x\nlanguage: pl\nentries:\n  - write: a\n    herd: [b]\n", 'line 5: "herd"'),
    ("numbers/polish.yaml", 'language: pl\ndecimal: ","\ngroup: ","\n', "line"),
    ("swearing/pl.yaml", "language: pl\nstems: [ku]\n", 'line 2: stems: "ku" is too short'),
)
