from __future__ import annotations

import asyncio
import random
import subprocess
import time
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from tests.media.relay_bench import Encoder, Relay, Relays, Stage, left_out, make_clip, see
from tests.ports import free_port

from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

HOLD = Ms(2000)


def last_stamps(folder: Path) -> dict[str, float]:
    """Where the last picture and the last sound of the clean parts end, in seconds of the show."""
    ends: dict[str, float] = {}
    for part in sorted(folder.glob("clean.part-*.ts")):
        with av.open(str(part)) as container:
            for packet in container.demux():
                if packet.pts is not None:
                    at = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                    ends[packet.stream.type] = max(at, ends.get(packet.stream.type, 0.0))
    return ends


def heard_upto(relay: Relay) -> float:
    """Sound that had certainly arrived, in seconds of the show."""
    return max((sound.start + len(sound.samples) / 32 for sound in relay.sounds()), default=0.0) / 1000


def without_picture(clip: Path, path: Path) -> Path:
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(clip), "-vn", "-c", "copy", str(path)], check=True)
    return path


def now(relay: Relay) -> float:
    return (time.monotonic_ns() - relay.epoch) / 1e9


async def test_what_an_encoder_sends_is_copied_as_it_arrives(
    relays_of: Callable[[str], Relays], encoders: list[Encoder], clip: Path
) -> None:
    async with asyncio.TaskGroup() as shows:
        for scheme in ("rtmp", "srt"):
            shows.create_task(is_copied(relays_of(scheme), encoders, clip, scheme))


async def is_copied(relays: Relays, encoders: list[Encoder], clip: Path, scheme: str) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio" if scheme == "rtmp" else f"srt://127.0.0.1:{free_port()}"
    relay = await relays.start(f"listen:{url}", hold=HOLD)
    await relay.until(lambda: relay.reported and relay.report.source == "connecting")
    if scheme == "rtmp":
        await stream(relay, encoders, clip, url)
    else:
        encoders.append(Encoder(clip, url))
    await relay.until(lambda: relay.aired >= 60)
    assert relay.outputs() == {"recording": "on air", "hls": "on air", "clean": "on air"}
    airs = now(relay) - HOLD / 1000
    assert last_stamps(relay.plan.folder)["video"] > airs + 0.5  # what is held is on the disk
    relay.finish()
    assert await relay.ended() == 0

    folder = relay.plan.folder
    assert not list(folder.glob("clean.part-*"))
    clean, whole = see(folder / "clean.mp4"), see(folder / "recording.mp4")
    # B-frames and all, but for those in the making when it ended; an encoder that lags may be anchored anew, once
    assert sorted(np.diff(clean.times)[:-4])[-2] < 0.05
    assert whole.beeps == pytest.approx(clean.beeps[: len(whole.beeps)], abs=0.03)
    for flash in whole.flashes:
        assert min(abs(flash - at) for at in clean.flashes) <= 0.03 + left_out(relay)
    assert clean.end == pytest.approx(whole.end, abs=0.3)


async def stream(relay: Relay, encoders: list[Encoder], clip: Path, url: str) -> None:
    """Stream `clip` to the relay as an encoder does: it calls again until somebody listens."""
    mine = [Encoder(clip, url)]
    encoders.append(mine[0])

    def is_online() -> bool:
        if mine[-1].process.poll() is not None:
            mine.append(Encoder(clip, url))
            encoders.append(mine[-1])
        return relay.reported and relay.report.source == "online"

    await relay.until(is_online)


@dataclass(frozen=True, slots=True)
class Death:
    died: float
    back: float
    """When the next relay answered."""
    upto: float
    """What had been copied when it died."""


async def kill_at_a_random_moment(relays: Relays, relay: Relay, chance: random.Random) -> tuple[Relay, Death]:
    wanted = now(relay) + chance.random() * 2
    await relay.until(lambda: now(relay) > wanted)
    await relay.kill()
    died, arrived = now(relay), heard_upto(relay)
    copied = last_stamps(relay.plan.folder)
    assert copied["audio"] >= arrived - 0.5  # the disk has its own thread
    assert copied["video"] >= arrived - 0.5
    relay = await relays.start(relay.plan, sound_from=round(arrived * 1000))
    return relay, Death(died, now(relay), copied["video"])


async def test_a_killed_relay_fills_its_hold_again(relays: Relays, encoders: list[Encoder], clip: Path) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    hold = 5.0
    relay = await relays.start(f"listen:{url}", hold=Ms(5000))
    chance = random.Random(4)  # noqa: S311 - the moments shall be the same each time
    deaths: list[Death] = []
    for _life in range(2):
        await stream(relay, encoders, clip, url)
        on_time = relay.report.on_time
        await relay.until(partial(lambda relay, on_time: relay.report.on_time > on_time + 50, relay, on_time))
        relay, death = await kill_at_a_random_moment(relays, relay, chance)
        deaths.append(death)
        encoders[-1].stop()
    await relay.until(lambda: now(relay) > deaths[-1].upto + hold + 0.5)  # no encoder is here: it airs the hold
    relay.finish()
    assert await relay.ended() == 0

    whole, clean = see(relay.plan.folder / "recording.mp4"), see(relay.plan.folder / "clean.mp4")
    # of what was held, only that is missing which should have aired while there was no relay
    unaired = [(death.died - hold - 0.2, death.back - hold + 1) for death in deaths]
    for death in deaths:
        held = [
            at
            for at in clean.times
            if death.died - hold < at < death.upto and not any(begin < at < end for begin, end in unaired)
        ]
        assert held
        assert all(min(abs(at - aired) for aired in whole.times) < 0.01 for at in held)
    holes = [(at, after - at) for at, after in pairwise(whole.times) if after - at > 0.9]
    assert len(holes) <= len(deaths)
    for at, length in holes:
        assert any(
            death.died - hold - 1 < at < death.back and length < death.back - death.died + 1.5 for death in deaths
        )
    gone = [beep for beep in clean.beeps if not any(abs(beep - aired) < 0.05 for aired in whole.beeps)]
    assert all(any(begin - 0.2 < beep < end for begin, end in unaired) for beep in gone)


async def no_clean_recording(clip: Path, stage: Stage) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    relay = await stage.relays.start(f"listen:{url}", hold=HOLD, clean=False)
    await stream(relay, stage.encoders, clip, url)
    await relay.until(lambda: relay.aired >= 25)
    assert list(relay.plan.folder.glob("clean.part-*.ts"))
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    assert not list(relay.plan.folder.glob("clean*"))
    assert (relay.plan.folder / "recording.mp4").exists()


async def parts(clip: Path, stage: Stage) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    relay = await stage.relays.start(f"listen:{url}", part_seconds=1.0)
    await stream(relay, stage.encoders, clip, url)
    folder = relay.plan.folder
    for name in ("recording", "clean"):
        await relay.until((folder / f"{name}.part-003.ts").exists)
        with av.open(str(folder / f"{name}.part-002.ts")) as part:
            packet = next(part.demux(video=0))
            assert packet.is_keyframe
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    for name in ("recording", "clean"):
        whole = see(folder / f"{name}.mp4")
        assert max(later - at for at, later in pairwise(whole.times)) < 0.2 + left_out(relay)  # the clip is repeated
        assert not list(folder.glob(f"{name}.part-*"))
    with av.open(str(folder / "recording.mp4")) as recording:
        sounds = [float(packet.pts * packet.time_base) for packet in recording.demux(audio=0) if packet.pts is not None]
    assert max(later - at for at, later in pairwise(sounds)) < 2 * 1024 / 48_000  # no frame of AAC is missing


async def another_size(clip: Path, tmp_path: Path, stage: Stage) -> None:
    other = make_clip(tmp_path / "other.mp4", seconds=4, size="160x120")
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    relay = await stage.relays.start(f"listen:{url}")
    for source in (clip, other):
        await relay.until(lambda: relay.reported and relay.report.source == "connecting")
        await stream(relay, stage.encoders, source, url)
        frames = relay.report.frames
        await relay.until(partial(lambda frames: relay.report.frames > frames + 25, frames))
        stage.encoders[-1].stop()
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    for name, width in (("clean.mp4", 320), ("clean-2.mp4", 160)):
        with av.open(str(relay.plan.folder / name)) as whole:
            assert whole.streams.video[0].codec_context.width == width
    first, second = see(relay.plan.folder / "clean.mp4"), see(relay.plan.folder / "clean-2.mp4")
    assert first.times[-1] < second.times[0]  # both are in show time


async def no_picture(clip: Path, tmp_path: Path, stage: Stage) -> None:
    spoken = without_picture(clip, tmp_path / "spoken.mp4")
    url = f"srt://127.0.0.1:{free_port()}"
    relay = await stage.relays.start(f"listen:{url}")
    await relay.until(lambda: relay.reported and relay.report.source == "connecting")
    stage.encoders.append(Encoder(spoken, url))
    await relay.until(lambda: heard_upto(relay) > 3)
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    assert relay.troubles() == []
    with av.open(str(relay.plan.folder / "clean.mp4")) as whole:
        assert [stream.type for stream in whole.streams] == ["audio"]
        assert sum(packet.size > 0 for packet in whole.demux()) > 100


async def test_what_is_copied_has_parts_that_begin_with_a_key_frame_and_last_as_long_as_the_hold_needs(
    together: Callable[..., Awaitable[None]], clip: Path
) -> None:
    await together(partial(no_clean_recording, clip), partial(parts, clip))


async def test_an_encoder_that_comes_back_with_another_size_or_without_a_picture_is_copied_too(
    together: Callable[..., Awaitable[None]], clip: Path, tmp_path: Path
) -> None:
    """Another size begins another file."""
    await together(partial(another_size, clip, tmp_path), partial(no_picture, clip, tmp_path))
