from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.errors import DrawerError, ShowError
from studio.show import ACTIONS, Action, bindings, meaning
from studio.venue import DeviceSettings, Venue, read

if TYPE_CHECKING:
    from pathlib import Path


def test_what_a_button_means() -> None:
    assert meaning("take:Talk") == Action("take", {"scene": "Talk"})
    assert meaning(" take : Both cameras: wide ") == Action("take", {"scene": "Both cameras: wide"})
    assert meaning("holding") == Action("take", {"scene": "Holding"})
    assert meaning("stop") == Action("stop")


def test_a_button_is_lit_by_the_scene_it_takes() -> None:
    assert meaning("take:Talk").scene == "Talk"
    assert meaning("holding").scene == "Holding"
    assert meaning("stop").scene is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("tkae:Talk", '"tkae:Talk" is no action; did you mean "take"?'),
        ("dance", '"dance" is no action; known here: take, holding, stop'),
        ("", '"" is no action; known here: take, holding, stop'),
        ("take", '"take" must name a scene after a colon, as in "take:Talk"'),
        ("take: ", '"take: " must name a scene after a colon, as in "take:Talk"'),
        ("stop:now", '"stop" stands alone; leave out ":now"'),
    ],
)
def test_what_means_nothing(text: str, sentence: str) -> None:
    with pytest.raises(ShowError) as caught:
        meaning(text)
    assert str(caught.value) == sentence


@given(st.text(max_size=20) | st.tuples(st.sampled_from(list(ACTIONS)), st.text(max_size=5)).map(":".join))
def test_any_text_means_something_or_is_refused(text: str) -> None:
    try:
        assert meaning(text).name in ACTIONS
    except ShowError as problem:
        assert str(problem)  # noqa: PT017 - a text that means something is as good


def test_bindings_of_a_house() -> None:
    venue = Venue(
        devices=(
            DeviceSettings("pad", "a", bind={"pad1": "take:Talk", "pad2": "holding"}),
            DeviceSettings("other", "a", bind={"pad1": "stop"}),
        )
    )
    assert bindings(venue) == {
        ("pad", "pad1"): meaning("take:Talk"),
        ("pad", "pad2"): meaning("holding"),
        ("other", "pad1"): meaning("stop"),
    }
    assert bindings(Venue()) == {}


def test_a_binding_that_means_nothing_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "studio.toml"
    file.write_text('[[devices]]\nname = "pad"\nhardware = "a"\n[devices.bind]\npad1 = "stop"\npad2 = "tkae:Talk"\n')
    with pytest.raises(DrawerError, match=r'line 6: "tkae:Talk" is no action; did you mean "take"\?$'):
        bindings(read(file))
