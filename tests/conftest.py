"""What every test may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""
LONGEST = (
    *("faults/test_faults.py", "faults/test_destinations.py", "faults/test_relay.py"),
    *(f"media/test_{name}.py" for name in ("slate", "hold", "clean", "inputs", "relay_listen", "copy", "destination")),
    *(f"media/test_{name}.py" for name in ("relay_microphone", "bad_input", "disk", "relay_trouble", "instant")),
    *("app/test_first_show.py", "devices/test_obs.py", "devices/test_obs_controls.py"),
    *("web/test_films_pages.py", "web/test_captions_pages.py", "web/test_pages.py", "web/test_hls_player.py"),
    *("conformance/test_conformance.py", "test_wheel.py", "test_house.py"),
)
"""Files that take a minute, or most of one. They come first: in the end there shall be short ones, or one of two who
share the work is done long before the other."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest begin first."""
    order = {ROOT / "tests" / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The speech and film beside the checkout; skips aloud where there are none."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(
            f"no speech and film at {folder}: this test measures on recordings that are not part of the project"
        )
    return folder.parent
