from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.errors import ShowError
from studio.show import ACTIONS, Action, meaning


def test_what_a_button_means() -> None:
    assert meaning("take:Talk") == Action("take", {"scene": "Talk"})
    assert meaning(" take : Both cameras: wide ") == Action("take", {"scene": "Both cameras: wide"})
    assert meaning("holding") == Action("take", {"scene": "Holding"})
    assert meaning("stop") == Action("stop")
    assert meaning("recall:evening") == Action("device.recall", {"snapshot": "evening"})
    assert meaning("undo") == Action("device.undo")


def test_a_button_is_lit_by_the_scene_it_takes() -> None:
    assert meaning("take:Talk").scene == "Talk"
    assert meaning("holding").scene == "Holding"
    assert meaning("stop").scene is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("tkae:Talk", '"tkae:Talk" is no action; did you mean "take"?'),
        ("dance", '"dance" is no action; known here: take, holding, stop, recall, undo'),
        ("", '"" is no action; known here: take, holding, stop, recall, undo'),
        ("take", '"take" must name a scene after a colon, as in "take:Talk"'),
        ("take: ", '"take: " must name a scene after a colon, as in "take:Talk"'),
        ("recall", '"recall" must name a snapshot after a colon, as in "recall:evening"'),
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
        assert meaning(text).name.removeprefix("device.") in ACTIONS
    except ShowError as problem:
        assert str(problem)  # noqa: PT017 - a text that means something is as good
