from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from studio.errors import SpeechError
from studio.speech import Tuning, bench, layout_for
from studio.speech import _bench as measuring
from studio.speech._bench import Costs, Setup, estimate, pace
from studio.speech._layout import layouts

if TYPE_CHECKING:
    from pathlib import Path

ONE_THREAD = Setup("cpu", "int8", 1)
QUICK = Costs(load=0.3, encode=0.06, encode_wide=0.11, first=0.04, token=0.005, align=0.015)


def times(costs: Costs, factor: float) -> Costs:
    return Costs(*(getattr(costs, name) * factor for name in Costs.__slots__))


def test_a_machine_that_is_quick_enough_keeps_the_step() -> None:
    found = pace("base", ONE_THREAD, QUICK, Tuning(), here=True)
    assert found.keeps_up
    assert found.looks_twice
    assert found.load < 1
    assert found.load < found.load_look
    assert found.late < 1.2


def test_a_slower_machine_gives_up_the_second_look_first_and_is_late_before_it_is_lost() -> None:
    paces = [pace("base", ONE_THREAD, times(QUICK, factor), Tuning(), here=True) for factor in (1, 2, 4, 20)]
    assert [found.looks_twice for found in paces] == [True, True, False, False]
    assert [found.keeps_up for found in paces] == [True, True, False, False]
    assert [found.late for found in paces] == sorted(found.late for found in paces)


def test_a_larger_model_is_estimated_to_cost_more_and_turbo_decodes_like_a_small_one() -> None:
    small, large, turbo = (estimate(QUICK, "base", name) for name in ("small", "large-v3", "turbo"))
    assert QUICK.encode < small.encode < turbo.encode == large.encode
    assert QUICK.token < turbo.token < large.token / 4
    back = estimate(small, "small", "base")
    assert back.encode == pytest.approx(QUICK.encode)
    assert back.token == pytest.approx(QUICK.token)


def test_the_model_here_is_measured_and_the_others_are_estimated(
    base: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STUDIO_MODELS", str(tmp_path))
    (tmp_path / "base").symlink_to(base)
    heard: list[str] = []
    result = bench(seconds=24, told=heard.append)
    measured = [found for found in result.paces if not found.estimated]
    assert {found.model for found in measured} == {"base"}
    assert all(found.here and found.costs.encode > 0 and found.costs.token > 0 for found in measured)
    assert {found.model for found in result.paces if found.estimated} >= {"tiny", "small", "large-v3", "turbo"}
    assert heard[0].startswith("base int8")
    speeds = [layout.speed or 0 for layout in result.films]
    assert all(speeds)
    assert speeds == sorted(speeds, reverse=True)
    if result.kept is not None:
        assert layout_for(base) == result.films[0]
    # Whatever this machine is: what is recommended is here, and keeps up.
    assert result.best is None or (result.best.here and result.best.keeps_up)


def test_films_are_measured_by_one_process_and_by_one_for_each_core(base: Path) -> None:
    told: list[str] = []
    found = layouts(base, 2, 4, told.append)
    assert told == ["1 x 2", "2 x 1"]
    assert {(layout.processes, layout.threads) for layout in found} == {(1, 2), (2, 1)}
    speeds = [layout.speed or 0 for layout in found]
    assert speeds == sorted(speeds, reverse=True)
    assert layouts(base, 2, 0, told.append) == ()


def test_a_pass_has_no_more_than_half_of_the_cores_for_the_second_look_works_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for cores, most in ((1, 1), (2, 1), (4, 2), (16, 8)):
        monkeypatch.setattr(measuring, "cores", lambda cores=cores: cores)
        assert max(setup.threads for setup in measuring._setups("base") if setup.device == "cpu") == most


def test_when_there_is_no_time_it_says_so(base: Path) -> None:
    with pytest.raises(SpeechError, match="could be measured"):
        bench([str(base)], seconds=0)


def test_a_model_that_is_not_here_is_not_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STUDIO_MODELS", str(tmp_path))
    with pytest.raises(SpeechError, match="studio models fetch small"):
        bench(["small"])
