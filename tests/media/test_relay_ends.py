from __future__ import annotations

import json
import os
import subprocess
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.media.relay_bench import Stage, make_clip, see

from studio.bridge import Line
from studio.events import CaptionsDone, ShowCue, SoundEnded, Subscribe
from studio.media import recover
from studio.media._air.fonts import DEJAVU, find_font
from studio.media._leave.segments import Ts
from studio.spoken import Cue
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def died_while_it_joined(clip: Path, stage: Stage) -> None:
    first = await stage.relays.start(f"file:{clip}")
    await first.until(lambda: first.aired >= 30)
    await first.kill()
    folder = first.plan.folder
    clock = json.loads((folder / "clock.json").read_text())
    (folder / "clock.json").write_text(json.dumps({**clock, "ended": True, "joins": os.getpid()}))
    aired = see(folder / "recording.part-001.ts")

    second = await stage.relays.start(first.plan)
    assert await second.ended() == 0
    assert see(folder / "recording.mp4").times == pytest.approx(aired.times, abs=0.001)
    assert not list(folder.glob("recording.part-*"))
    assert second.report.phase == "done"
    assert second.sound_ended()

    third = await stage.relays.start(first.plan)  # nothing is left of the old show: this is a new one
    await third.until(lambda: third.aired >= 5)
    assert third.epoch > first.epoch
    await third.kill()
    await stage.over.wait()


async def join_cut_off(clip: Path, stage: Stage) -> None:
    folder = stage.relays.plan("").folder
    folder.mkdir()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    (folder / "clock.json").write_text(json.dumps({"epoch": 5, "boot": boot, "wall": 5, "ended": True, "joins": 1}))
    relay = await stage.relays.start(f"file:{clip}")
    await relay.until(lambda: relay.aired >= 5)
    await relay.kill()
    await stage.over.wait()


def over(folder: Path) -> bool:
    """Whether all of the show has aired."""
    clock = folder / "clock.json"
    return clock.exists() and json.loads(clock.read_text())["ended"]


async def last_words(short: Path, stage: Stage) -> None:
    relay = await stage.relays.start(f"file:{short}", form="mkv")
    line = await Line.call(relay.plan.socket)
    line.send(Subscribe("recogniser", Ms(0)))
    async for message in line:
        if isinstance(message, SoundEnded):
            break
    await relay.until(lambda: over(relay.plan.folder))
    assert relay.process.returncode is None
    last = Cue(1, Ms(900), Ms(1200), ("Dziękuję",))
    line.send(ShowCue(last))
    line.send(CaptionsDone())
    assert await relay.ended() == 0
    assert ShowCue(last) in relay.said
    assert CaptionsDone() in relay.said
    await line.close()
    await stage.over.wait()
    assert see(relay.plan.folder / "recording.mkv").end == pytest.approx(1.2, abs=0.1)


async def recogniser_gone(short: Path, stage: Stage) -> None:
    relay = await stage.relays.start(f"file:{short}")
    line = await Line.call(relay.plan.socket)
    line.send(Subscribe("recogniser", Ms(0)))
    await relay.until(lambda: over(relay.plan.folder))
    await line.close()
    assert await relay.ended() == 0
    await stage.over.wait()


async def cannot_be_drawn(clip: Path, tmp_path: Path, stage: Stage) -> None:
    fonts = tmp_path / "fc-match"
    fonts.write_text("#!/bin/sh\nprintf '/nowhere/Taken away.ttf\\n0'\n")
    fonts.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    relay = await stage.relays.start(f"file:{clip}", hold=Ms(1000), env=env)
    relay.show(Cue(1, Ms(1000), Ms(2000), ("Dobry wieczór",)), Cue(2, Ms(2500), Ms(3500), ("Państwu",)))
    await relay.until(lambda: relay.reported and relay.report.cues == 2)
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    [said] = relay.troubles()
    assert said.sentence.startswith("A caption cannot be drawn and is left out of the picture (Dobry wieczór)")
    assert not any(see(relay.plan.folder / "recording.mp4").captioned)


def test_a_font_service_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fonts = tmp_path / "fc-match"
    fonts.write_text("#!/bin/sh\nexec sleep 60\n")
    fonts.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert find_font("A family that nobody asked for yet") == (DEJAVU, 0)


async def cannot_be_read(clip: Path, caplog: pytest.LogCaptureFixture, stage: Stage) -> None:
    relay = await stage.relays.start(f"file:{clip}")
    await relay.until(lambda: relay.aired >= 30)
    await relay.kill()
    await stage.over.wait()
    folder = relay.plan.folder
    rubbish = b"what a bad disk gives instead of a recording" * 100
    (folder / "recording.part-002.ts").write_bytes(rubbish)
    (folder / "recording.part-003.ts").touch()
    assert recover(folder) == folder / "recording.mp4"
    assert (folder / "recording.unread-002.ts").read_bytes() == rubbish
    assert not list(folder.glob("recording.part-*"))
    assert "recording.part-002.ts could not be read to its end and is kept as recording.unread-002.ts" in caplog.text
    assert recover(folder) is None


async def first_part_without_pictures(clip: Path, stage: Stage) -> None:
    relay = await stage.relays.start(f"file:{clip}")
    await relay.until(lambda: relay.aired >= 30)
    await relay.kill()
    await stage.over.wait()
    folder = relay.plan.folder
    part = folder / "recording.part-001.ts"
    later = part.rename(folder / "recording.part-002.ts")
    part.write_bytes(later.read_bytes()[: 3 * 188])  # service, programme and map tables, and no packet
    parted = see(later)
    assert recover(folder) == folder / "recording.mp4"
    assert see(folder / "recording.mp4").times == pytest.approx(parted.times, abs=0.001)


async def test_a_join_that_was_cut_off_is_done_by_the_next_relay_or_belongs_to_another_show(
    together: Callable[..., Awaitable[None]], clip: Path
) -> None:
    await together(partial(died_while_it_joined, clip), partial(join_cut_off, clip))


async def test_last_words_are_waited_for_but_no_recogniser_that_is_gone_nor_a_font_that_is(
    together: Callable[..., Awaitable[None]], clip: Path, tmp_path: Path
) -> None:
    """A caption that cannot be drawn is left out, and that is said once."""
    short = make_clip(tmp_path / "short.mp4", seconds=1.2)
    await together(
        partial(last_words, short), partial(recogniser_gone, short), partial(cannot_be_drawn, clip, tmp_path)
    )


async def test_parts_that_cannot_be_read_are_kept_and_those_without_a_picture_left_out(
    together: Callable[..., Awaitable[None]], clip: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await together(partial(cannot_be_read, clip, caplog), partial(first_part_without_pictures, clip))


def test_a_segment_without_a_picture_tells_no_time(tmp_path: Path, clip: Path) -> None:
    only_sound = tmp_path / "seg.ts"
    copy = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(clip), "-vn", "-c", "copy", str(only_sound)]
    subprocess.run(copy, check=True)
    assert Ts().first_stamp(only_sound.read_bytes()) is None
