"""Which input airs, without a process: files are fed at their own pace as encoders would."""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING

import av
import pytest
from tests.media.relay_bench import free_port, make_clip
from tests.media.test_clean_parts import held_times, make_intake

from studio.media import _inputs
from studio.media._inputs import Inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from studio.events import InputName
    from studio.media._intake import Intake
    from studio.units import Ms


@pytest.fixture(scope="module")
def half_second_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=12, more=("-g", "12", "-keyint_min", "12"))


class Feed:
    """An encoder at one input; `cut` lets its cable drop packets."""

    def __init__(self, inputs: Inputs, name: InputName, clip: Path) -> None:
        self.cut = threading.Event()
        self._leave = threading.Event()
        self._place = next(each for each in inputs._all if each.name == name)
        self._clip = clip
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with av.open(str(self._clip)) as container, self._place.opened(container) as stay:
            self._place.link("online", "")
            began = time.monotonic()
            for packet in container.demux(stay.streams):
                if packet.dts is None:
                    continue
                if self._leave.wait(max(0.0, began + float(packet.dts * packet.time_base) - time.monotonic())):
                    break
                if not self.cut.is_set():
                    stay.arrived(packet)
        self._place.link("connecting", "")

    def leave(self) -> None:
        self._leave.set()
        self._thread.join()


class Hall:
    def __init__(self, folder: Path, *, returns: bool = True) -> None:
        self.heard: list[tuple[int, int]] = []
        self.intake: Intake = make_intake(folder, self._hear)
        self.folder = folder
        self.inputs = self.again(returns=returns)
        self.feeds: list[Feed] = []

    def _hear(self, at: Ms, samples: bytes) -> None:
        self.heard.append((at, at + len(samples) // 32))

    def again(self, *, returns: bool = True) -> Inputs:
        main, backup = (f"srt://127.0.0.1:{free_port()}" for _each in range(2))
        return Inputs(self.intake, main, backup, returns=returns, folder=self.folder)

    def feed(self, name: InputName, clip: Path) -> Feed:
        self.feeds.append(Feed(self.inputs, name, clip))
        return self.feeds[-1]

    @property
    def airs(self) -> str | None:
        return next((each.name for each in self.inputs.reports() if each.airs), None)

    def until(self, is_so: Callable[[], object], within: float = 10) -> None:
        late = time.monotonic() + within
        while not is_so():
            list(self.inputs.alarms())
            assert time.monotonic() < late
            time.sleep(0.01)

    def close(self) -> None:
        self.intake.stopping.set()
        for feed in self.feeds:
            feed.leave()


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    monkeypatch.setattr(_inputs, "STEADY", 0.7)
    found = Hall(tmp_path)
    yield found
    found.close()


def test_the_main_encoder_returns_when_it_is_steady(hall: Hall, half_second_keys: Path) -> None:
    main = hall.feed("main", half_second_keys)
    hall.until(lambda: hall.airs == "main")
    hall.feed("backup", half_second_keys)
    hall.until(lambda: hall.intake.latest > 90_000)
    main.cut.set()
    hall.until(lambda: hall.airs == "backup")
    assert [alarm.name for alarm in hall.inputs.alarms()] == ["main"]
    main.cut.clear()
    time.sleep(0.3)
    main.cut.set()  # it comes and goes
    time.sleep(0.6)
    assert hall.airs == "backup"
    main.cut.clear()
    hall.until(lambda: hall.airs == "main")
    upto = hall.intake.latest + 45_000
    hall.until(lambda: hall.intake.latest > upto)
    hall.close()
    [over] = [alarm.over for alarm in hall.inputs.alarms()]
    assert over == "The main encoder sends again."
    # one picture after the other and one sound after the other, over both turns, though one decoder began in between
    times = held_times(hall.intake)
    steps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert times == sorted(times)
    assert max(steps[:-5]) < 0.1  # in the end the last pictures come in the middle of their order
    assert all(abs(begin - end) <= 1 for (_begin, end), (begin, _end) in itertools.pairwise(hall.heard))


def test_the_main_encoder_stays_away_where_that_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, half_second_keys: Path
) -> None:
    monkeypatch.setattr(_inputs, "STEADY", 0.3)
    monkeypatch.setattr(_inputs, "PATIENCE", 0.2)
    hall = Hall(tmp_path, returns=False)
    hall.feed("backup", half_second_keys)
    hall.until(lambda: hall.airs == "backup")
    hall.feed("main", half_second_keys)
    hall.until(lambda: hall.inputs._main.steady(time.monotonic()))
    upto = hall.intake.latest + 90_000
    hall.until(lambda: hall.intake.latest > upto)
    assert hall.airs == "backup"
    hall.inputs.choose("main")
    assert hall.airs == "main"
    hall.close()
    # another life of the relay goes on with it
    hall.intake.zero.continued = True
    assert hall.again().chosen == "main"
