from __future__ import annotations

import signal
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.media.relay_bench import Stage, expected, left_out, see, segments

from studio.events import ShowCue
from studio.media import recover
from studio.spoken import Cue
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

CUE = Cue(7, Ms(4600), Ms(5600), ("Po przerwie dalej",))


async def goes_on(clip: Path, stage: Stage) -> None:
    first = await stage.relays.start(f"file:{clip}", hold=Ms(3000))
    await first.until(lambda: first.aired >= 15)
    aired = first.aired
    await first.until(lambda: first.aired > aired)  # a report later it is on the disk, however busy that is
    await first.kill()
    died = time.monotonic()
    folder = first.plan.folder
    part = see(folder / "recording.part-001.ts")
    assert len(part.times) >= aired - 2  # the encoder holds back one frame
    assert part.times[0] == 0

    second = await stage.relays.start(first.plan, sound_from=2000)
    assert second.welcome.epoch == first.epoch
    assert second.welcome.process != first.welcome.process
    second.line.send(ShowCue(CUE))
    await second.until(lambda: second.aired)
    away = time.monotonic() - died
    assert await second.ended() == 0
    await stage.over.wait()

    whole = see(folder / "recording.mp4")
    assert whole.end == pytest.approx(6.0, abs=0.2)
    assert whole.flashes[-1] == pytest.approx(5.0, abs=0.02) or second.report.dropped
    assert whole.beeps[-1] == pytest.approx(5.0, abs=0.02)
    assert whole.times[: len(part.times)] == pytest.approx(part.times, abs=0.001)
    assert whole.captioned == expected([CUE], whole)
    # what is missing is what should have aired until it was back
    steps = [later - earlier for earlier, later in zip(whole.times, whole.times[1:], strict=False)]
    assert max(steps) < away + left_out(first, second)
    assert not list(folder.glob("recording.part-*"))

    names = segments(folder / "hls" / "index.m3u8")
    numbers = [int(name[4:9]) for name in names]
    assert numbers == list(range(numbers[0], numbers[0] + len(names)))
    assert "#EXT-X-DISCONTINUITY" in (folder / "hls" / "index.m3u8").read_text()
    assert segments(folder / "hls" / "captions.m3u8") == [name.replace(".ts", ".vtt") for name in names]


async def joined_later(clip: Path, stage: Stage) -> None:
    relay = await stage.relays.start(f"file:{clip}")
    await relay.until(lambda: relay.aired >= 30)
    await relay.kill()
    await stage.over.wait()
    folder = relay.plan.folder
    parted = see(folder / "recording.part-001.ts")
    told: list[tuple[int, int]] = []
    assert recover(folder, lambda done, of: told.append((done, of))) == folder / "recording.mp4"
    assert told[-1][0] == told[-1][1] > 0
    whole = see(folder / "recording.mp4")
    assert whole.times == pytest.approx(parted.times, abs=0.001)
    assert recover(folder) is None


async def asked_once(clip: Path, stage: Stage) -> None:
    relay = await stage.relays.start(f"file:{clip}", hold=Ms(1500))
    await relay.until(lambda: relay.aired >= 10)
    relay.process.send_signal(signal.SIGTERM)
    assert await relay.ended() == 0
    await stage.over.wait()
    held = see(relay.plan.folder / "recording.mp4")
    assert held.end > 1.5


async def asked_twice(clip: Path, stage: Stage) -> None:
    other = await stage.relays.start(f"file:{clip}", hold=Ms(20_000))
    await other.until(lambda: other.reported and other.report.held > 0)
    other.process.send_signal(signal.SIGTERM)
    await other.until(lambda: other.report.source == "off")
    other.process.send_signal(signal.SIGTERM)
    assert await other.ended() == 0
    await stage.over.wait()
    assert other.aired == 0  # of what was held nothing aired any more


async def test_a_killed_relay_goes_on_where_the_show_is_and_loses_next_to_nothing(
    together: Callable[..., Awaitable[None]], clip: Path
) -> None:
    await together(partial(goes_on, clip), partial(joined_later, clip))


async def test_asked_once_it_airs_what_is_held_and_asked_twice_it_leaves_at_once(
    together: Callable[..., Awaitable[None]], clip: Path
) -> None:
    await together(partial(asked_once, clip), partial(asked_twice, clip))
