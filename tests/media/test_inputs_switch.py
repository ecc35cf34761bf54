"""Which input airs, without a process: files are fed at their own pace as encoders would."""

from __future__ import annotations

import gc
import itertools
import threading
import time
import weakref
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
import pytest
from tests.media.relay_bench import make_clip
from tests.media.test_clean_parts import held_times, make_intake
from tests.ports import free_port

from studio.media._arrive import inputs, stay
from studio.media._arrive.inputs import Inputs
from studio.media._arrive.stay import Kept, Placed
from studio.media._ground.clock import RATE, Ticks
from studio.media._ground.eyes import Eyes
from studio.media._ground.hold import Held, Hold, Reel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from studio.events import InputName
    from studio.media._arrive.intake import Intake
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

    def until(self, is_so: Callable[[], object], within: float = 60) -> None:
        late = time.monotonic() + within
        while not is_so():
            list(self.inputs.alarms())
            assert time.monotonic() < late
            time.sleep(0.01)

    def go_on(self, seconds: float) -> None:
        """Wait until so much more of the programme has come."""
        upto = self.intake.latest + seconds * RATE
        self.until(lambda: self.intake.latest > upto)

    def close(self) -> None:
        self.intake.stopping.set()
        for feed in self.feeds:
            feed.leave()


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    monkeypatch.setattr(inputs, "STEADY", 1.5)  # longer than two groups of pictures: the first may be torn
    found = Hall(tmp_path)
    yield found
    found.close()


def test_what_is_kept_begins_with_a_key_frame_and_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stay, "MOST_KEPT", 5_000)

    def placed(at: int, size: int = 100, *, key: bool = False) -> Placed:
        return Placed(av.Packet(size), Ticks(0), Ticks(at), key)

    kept = Kept()
    kept.put(placed(0), Ticks(0))
    assert kept.size == 0  # nobody could decode it
    for at in range(1, 31):
        kept.put(placed(at, key=at % 10 == 1), Ticks(at - 12))
    assert (kept.size, kept.reaches(Ticks(11)), kept.reaches(Ticks(10))) == (2_000, True, False)
    assert len(kept.take(Ticks(25))) == 10  # from the last key frame before
    assert kept.size == 0
    kept.put(placed(40, key=True), Ticks(0))
    kept.put(placed(50, 4_000, key=True), Ticks(0))
    kept.put(placed(51, 1_000), Ticks(0))
    assert (kept.size, kept.reaches(Ticks(45))) == (5_000, False)
    kept.put(placed(52), Ticks(0))  # a group of pictures that is too much by itself
    kept.put(placed(53), Ticks(0))
    assert kept.size == 0


def test_of_an_encoder_that_left_nothing_stays_in_memory(hall: Hall, half_second_keys: Path) -> None:
    main = hall.feed("main", half_second_keys)
    hall.go_on(0.5)
    stay = hall.inputs._main.stay
    assert stay is not None
    assert stay.session is not None
    assert stay.session._reel is not None
    left: list[weakref.ref[object]] = [weakref.ref(each) for each in (stay, stay.session, stay.session._reel)]
    del stay
    gc.disable()  # with it circles would go, too, in a quarter of an hour
    try:
        main.leave()
        while hall.intake.hold.take(Ticks(hall.intake.latest + RATE)):
            pass
        assert [each() for each in left] == [None] * 3
    finally:
        gc.enable()


def test_a_shorter_hold_keeps_what_a_reel_needs_that_goes_on_later() -> None:
    def held(reel: Reel, due: int, *, key: bool = False) -> Held:
        packet = cast("av.Packet[av.VideoStream]", av.Packet(10))
        packet.pts, packet.is_keyframe = due, key
        return Held(reel, Ticks(due), packet)

    decoder = Eyes(av.CodecContext.create("h264", "r"))
    main, backup = (Reel(decoder, Fraction(1), 25, Ticks(begin)) for begin in (0, 100))
    hold = Hold(1 << 20)
    for due in range(0, 100, 10):
        hold.put(held(main, due, key=due in (0, 50)))
    hold.weave([held(backup, due, key=due == 25) for due in range(25, 100, 10)])
    assert hold.skip(Ticks(60)) is main
    left = []
    while (one := hold.take(Ticks(1000))) is not None:
        left.append(("main" if one.reel is main else "backup", one.due))
    assert [due for who, due in left if who == "main"] == [50, 60, 70, 80, 90]
    assert [due for who, due in left if who == "backup"] == [25, 35, 45, 55, 65, 75, 85, 95]
    assert hold.size == 0


def test_the_main_encoder_returns_when_it_is_steady(hall: Hall, half_second_keys: Path) -> None:
    main = hall.feed("main", half_second_keys)
    hall.until(lambda: hall.airs == "main")
    hall.feed("backup", half_second_keys)
    hall.until(lambda: hall.intake.latest > 90_000)
    main.cut.set()
    hall.until(lambda: hall.airs == "backup")
    assert [alarm.name for alarm in hall.inputs.alarms()] == ["main"]
    main.cut.clear()
    hall.go_on(0.3)
    main.cut.set()  # it comes and goes
    hall.go_on(0.6)
    assert hall.airs == "backup"
    main.cut.clear()
    hall.until(lambda: hall.airs == "main")
    hall.go_on(0.5)
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
    monkeypatch.setattr(inputs, "STEADY", 0.3)
    monkeypatch.setattr(inputs, "PATIENCE", 0.2)
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
