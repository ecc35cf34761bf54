"""What `studio devices` prints, and what it takes back as typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from studio.app import Done
from studio.cli import _devices_shown as shown
from studio.devices import Control, Outcome
from studio.language import speak, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def language() -> Iterator[None]:
    before = spoken()
    yield
    speak(before)


@pytest.mark.parametrize("tongue", ["pl", "lt", "en"])
@pytest.mark.usefixtures("language")
def test_a_switch_is_typed_as_it_is_shown(tongue: str) -> None:
    speak(tongue)
    mute = Control("ch1.mute", "switch")
    assert [mute.read(shown.text(on).upper()) for on in (True, False)] == [True, False]
    assert mute.read("on") is True
    with pytest.raises(ValueError, match=r"ch1\.mute"):
        mute.read("loud")


def test_a_range_without_a_unit_is_a_sentence() -> None:
    with pytest.raises(ValueError, match=r" -1 .* 1\.$"):
        Control("pan", "number", lowest=-1.0, highest=1.0).read("3")


def test_what_failed_for_one_reason_is_one_line_and_each_other_its_own() -> None:
    lost = [Done("desk", f"ch{n}.fader", 0.0, Outcome("refused", "It is gone.")) for n in range(1, 33)]
    done = [Done("stage", "zoom", 5.0, Outcome("confirmed")), *lost]
    first, second = (line.plain for line in shown.outcomes(done))
    assert first.startswith("stage zoom")
    assert "ch1.fader, ch2.fader, ch3.fader" in second
    assert "29" in second
    assert second.endswith("It is gone.")
    assert len(shown.outcomes(done[:4])) == 4
