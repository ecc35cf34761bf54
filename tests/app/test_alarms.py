"""What the core makes of alarms and loudness, and what `studio.toml` says about the sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from studio.app import Wish, plan_evening
from studio.app._report import Report
from studio.catalogue import Catalogue
from studio.errors import ShowError, StudioError
from studio.events import Alarm, Loudness, RelayReport
from studio.show import State
from studio.units import Decibels, Lufs, Ms
from studio.venue import ShowSettings, Venue, read

if TYPE_CHECKING:
    from pathlib import Path

SILENT = Alarm("silent", "The programme is silent.", Ms(20_000))
OVER = Alarm("silent", "The programme is silent.", Ms(20_000), "There is sound again.")
AGAIN = Alarm("silent", "The programme is silent.", Ms(90_000))
BLACK = Alarm("black", "The picture is black.", Ms(30_000))


@pytest.fixture
def report(tmp_path: Path) -> Report:
    begun = Report(State())
    begun.begin(title="", language="pl", folder=tmp_path, interface="en", hold=Ms(6000), captions=True)
    return begun


def told(report: Report, *alarms: Alarm, loudness: Loudness | None = None) -> dict[str, Any]:
    report.relay(
        RelayReport(
            *("online", "", 640, 360, 25.0, 10, 10, 0, None, None, 0, 0, 0, (), "on air"),
            alarms=alarms,
            loudness=loudness or Loudness(),
        ),
        1.0,
    )
    return report._state.snapshot()


def test_an_alarm_is_told_once_and_its_end_once(report: Report) -> None:
    for _time in range(3):
        shown = told(report, SILENT)
        assert shown["alarms"] == {"silent": {"text": "The programme is silent.", "since_ms": 20_000}}
        assert report.notices == ("The programme is silent.",)
    told(report, SILENT, BLACK)
    for _time in range(3):
        shown = told(report, OVER, BLACK)
        assert list(shown["alarms"]) == ["black"]
        assert report.notices == ("The picture is black.", "There is sound again.")
    told(report, BLACK)
    told(report, AGAIN, BLACK)
    assert report.notices == ("The picture is black.", "There is sound again.", "The programme is silent.")
    assert [notice["about"] for notice in shown["notices"]] == ["alarm black", ""]


def test_the_alarm_of_a_relay_that_is_gone_is_not_said_to_be_over(report: Report) -> None:
    told(report, SILENT)
    assert told(report)["alarms"] == {}
    assert report.notices == ()
    told(report, OVER)  # of which nobody heard before
    assert report.notices == ()


def test_loudness_is_before_people(report: Report) -> None:
    shown = told(report, loudness=Loudness(Lufs(-21.0), Lufs(-22.5), Lufs(-23.1), Decibels(-3.4), Decibels(2.0)))
    assert shown["programme"]["loudness"] == {
        "momentary": -21.0,
        "short_term": -22.5,
        "integrated": -23.1,
        "true_peak": -3.4,
        "gain": 2.0,
    }


def planned(tmp_path: Path, venue: Venue, hold: float) -> tuple[float | None, int]:
    wish = Wish(input="listen", out=tmp_path / "evening", captions=False, hold=hold)
    relay = plan_evening(venue, Catalogue(None), wish).relay
    return relay.level, relay.lip_sync


def test_the_house_says_how_loud_it_airs_and_where_the_lips_are(tmp_path: Path) -> None:
    file = tmp_path / "studio.toml"
    file.write_text("[show]\nlevel = -23\nlip_sync = -120\n", encoding="utf-8")
    assert planned(tmp_path, read(file), 6.0) == (-23.0, -120)
    assert planned(tmp_path, Venue(), 6.0) == (None, 0)


@pytest.mark.parametrize("text", ["level = 0", "level = -60", "level = 'loud'", "lip_sync = 9000", "lip_sync = 0.5"])
def test_what_no_programme_can_be_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "studio.toml"
    file.write_text(f"[show]\n{text}\n", encoding="utf-8")
    with pytest.raises(StudioError, match=r"studio\.toml"):
        read(file)


def test_sound_cannot_come_earlier_than_the_hold_is_long(tmp_path: Path) -> None:
    venue = Venue(show=ShowSettings(lip_sync=-700))
    with pytest.raises(
        ShowError, match=r"The sound cannot come 700 ms earlier in a hold of 0\.5 s; choose a longer hold\."
    ):
        planned(tmp_path, venue, 0.5)
    assert planned(tmp_path, venue, 0.7) == (None, -700)
