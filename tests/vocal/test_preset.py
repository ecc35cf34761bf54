from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from studio.catalogue import Catalogue
from studio.errors import DrawerError
from studio.vocal import PRESETS, VoicePreset
from studio.vocal._preset import Highpass, Peak

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = ("adult-solo", "children-choir", "group", "plain", "seniors")


@pytest.fixture
def house(tmp_path: Path) -> Catalogue:
    (tmp_path / PRESETS).mkdir(parents=True)
    return Catalogue(tmp_path)


def write(house: Path, text: str) -> None:
    (house / PRESETS / "ours.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_presets_fit(name: str) -> None:
    preset = Catalogue().load(PRESETS, name, VoicePreset)
    assert (preset == VoicePreset()) == (name == "plain")


def test_all_shipped_are_known_here() -> None:
    assert Catalogue().names(PRESETS) == list(SHIPPED)


def test_of_our_own(house: Catalogue, tmp_path: Path) -> None:
    write(tmp_path, "based_on: seniors\neq:\n  - {highpass: 100}\n  - {peak: 900, gain: -3}\nreverb: null\n")
    preset = house.load(PRESETS, "ours", VoicePreset)
    assert preset.eq == (Highpass(100), Peak(900, -3))
    assert preset.reverb is None
    assert preset.compressor == Catalogue().load(PRESETS, "seniors", VoicePreset).compressor


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gate:\n  threshold: 5\n", 'line 2: "threshold" must be from -100 to 0, not "5"'),
        ("eq:\n  - {peek: 900, gain: 3}\n", 'line 2: "peek" is not known here; did you mean "peak"?'),
        ("gain: 0\nreverb: {rom: 0.2}\n", 'line 2: "rom" is not known here; did you mean "room"?'),
        ("gain: 0\ncompressor: {ratio: 2}\n", 'line 2: "threshold" is missing'),
        ("eq:\n  - {peak: 900}\n", 'line 2: "gain" is missing'),
        ("spread: wide\n", 'line 1: "spread" must be a number, not "wide"'),
    ],
)
def test_mistakes_have_file_and_line(house: Catalogue, tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path, text)
    with pytest.raises(DrawerError) as caught:
        house.load(PRESETS, "ours", VoicePreset)
    assert "ours.yaml" in str(caught.value)
    assert said in str(caught.value)


def test_unknown_preset(house: Catalogue) -> None:
    with pytest.raises(DrawerError, match='did you mean "seniors"'):
        house.load(PRESETS, "senior", VoicePreset)
