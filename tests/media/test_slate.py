from __future__ import annotations

import itertools
import signal
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from PIL import Image
from tests.media.relay_bench import Encoder, Relays, Stage, left_out, see
from tests.ports import free_port

from studio.events import RelayReport, SetHold
from studio.media import RelayPlan
from studio.media._air.slate import draw
from studio.units import Ms
from studio.wire.obs import Box, Collection, Scene, Source

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

RED = Collection(
    (
        Scene(
            "Slate",
            (
                Source("ground", "colour", colour="#C00000"),
                Source(
                    "words", "text", Box(0.1, 0.3, 0.8, 0.3), text="Tuoj grįšime\nŽąsys", size=0.12, colour="#FFFFFF"
                ),
            ),
        ),
    ),
    320,
    180,
    25,
)


def colours(path: Path) -> list[tuple[float, bool, bool]]:
    """Of each picture: its time, whether it is the red slate, whether it is a keyframe."""
    seen = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            red, green, blue = frame.to_ndarray(format="rgb24")[4:20, 4:20].reshape(-1, 3).mean(axis=0)
            seen.append((float(frame.time), bool(red > 120 and green < 60 and blue < 60), frame.key_frame))
    return seen


def test_a_slate_is_drawn_in_the_size_of_the_broadcast(relays: Relays, tmp_path: Path) -> None:
    picture = tmp_path / "logo.png"
    Image.new("RGBA", (10, 10), (0, 255, 0, 255)).save(picture)
    parts = (*RED.scenes[0].sources, Source("logo", "image", Box(0.9, 0.0, 0.1, 0.1), "stretch", file=picture))
    plan = relays.plan("listen:srt://127.0.0.1:9", slate=Collection((Scene("Slate", parts),)))
    drawn = draw(plan, 640, 360, hd=False).to_ndarray(format="rgb24").astype(int)
    assert drawn.shape == (360, 640, 3)
    assert np.abs(drawn[300, 20] - (192, 0, 0)).max() < 8
    assert np.abs(drawn[10, 620] - (0, 255, 0)).max() < 12
    words = drawn[110:215, 64:576].min(axis=2) > 200
    assert 0.02 < words.mean() < 0.5


def test_what_cannot_be_drawn_is_left_out(relays: Relays, tmp_path: Path) -> None:
    parts = (*RED.scenes[0].sources, Source("gone", "image", file=tmp_path / "gone.png"))
    plan = relays.plan("listen:srt://127.0.0.1:9", slate=Collection((Scene("Slate", parts),)))
    drawn = draw(plan, 320, 180, hd=True).to_ndarray(format="rgb24").astype(int)
    assert np.abs(drawn[10, 10] - (192, 0, 0)).max() < 8


def test_without_a_scene_the_card_is_the_slate(relays: Relays) -> None:
    drawn = draw(relays.plan("listen:srt://127.0.0.1:9"), 320, 240, hd=False)
    assert (drawn.width, drawn.height) == (320, 240)
    assert drawn.to_ndarray(format="gray").max() > 150


def test_the_plan_carries_the_slate(relays: Relays, tmp_path: Path) -> None:
    parts = (Source("logo", "image", file=tmp_path / "logo.png"),)
    plan = relays.plan("mic", slate=Collection((Scene("Slate", parts),)), slate_from_start=True)
    assert RelayPlan.from_json(plan.to_json()) == plan


async def lost(clip: Path, hold: int, how: signal.Signals, stage: Stage) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    relay = await stage.relays.start(f"listen:{url}", slate=RED, hold=Ms(hold))
    await relay.until(lambda: relay.reported and relay.report.source == "connecting")
    stage.encoders.append(Encoder(clip, url))
    await relay.until(lambda: relay.aired >= 40)
    assert not relay.report.slate
    stage.encoders[0].process.send_signal(how)
    await relay.until(lambda: relay.report.slate)
    await relay.until(lambda: relay.report.source == "connecting")
    stage.encoders.append(Encoder(clip, url))
    await relay.until(lambda: not relay.report.slate)
    back = relay.aired
    await relay.until(lambda: relay.aired > back + 40)
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()

    pictures = colours(relay.plan.folder / "recording.mp4")
    times = [at for at, _red, _key in pictures]
    steps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(steps) > 0
    lacks = left_out(relay)
    assert max(steps) < 0.15 + lacks  # neither when it went, nor while it was away, nor when it came back
    changes = [now for before, now in itertools.pairwise(pictures) if before[1] is not now[1]]
    assert [red for _at, red, _key in changes] == [True, False]
    assert all(key for _at, _red, key in changes)
    # the slate stands at the rate of the programme, and nothing sounds
    (gone, *_), (came, *_) = changes
    red = [at for at, red, _key in pictures if red]
    assert len(red) == pytest.approx((came - gone) * 25, rel=0.1)
    seen = see(relay.plan.folder / "recording.mp4")
    first, last = (round((at - seen.sound_begin) * seen.rate) for at in (gone, came - 0.5))
    assert np.abs(seen.sound[first:last]).max() < 0.01
    together = [min(abs(flash - beep) for beep in seen.beeps) for flash in seen.flashes]
    # without a hold the sound of the last picture may not have come before the encoder went
    assert sum(apart > 0.05 + lacks for apart in together) <= (hold == 0)
    told = [alarm for said in relay.said if isinstance(said, RelayReport) for alarm in said.alarms]
    assert {(alarm.name, alarm.since, bool(alarm.over)) for alarm in told} == {
        ("slate", told[0].since, False),
        ("slate", told[0].since, True),
    }
    assert "the slate is on the air" in told[0].sentence
    assert "back on the air" in told[-1].over


async def awaited(clip: Path, stage: Stage) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    relay = await stage.relays.start(f"listen:{url}", slate=RED, slate_from_start=True)
    await relay.until(lambda: relay.reported and relay.report.slate and relay.report.phase == "on air")
    assert (relay.report.width, relay.report.height, relay.aired) == (320, 180, 0)
    index = relay.plan.folder / "hls" / "index.m3u8"
    await relay.until(index.exists)
    stage.encoders.append(Encoder(clip, url))
    await relay.until(lambda: relay.aired >= 60)
    assert not relay.report.slate
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    pictures = colours(relay.plan.folder / "recording.mp4")
    assert pictures[0][0] < 0.5
    assert pictures[0][1]
    assert not pictures[-1][1]
    assert max(later[0] - earlier[0] for earlier, later in itertools.pairwise(pictures)) < 0.15 + left_out(relay)
    seen = see(relay.plan.folder / "recording.mp4")
    together = [min(abs(flash - beep) for beep in seen.beeps) for flash in seen.flashes]
    assert together
    assert max(together) <= 0.05 + left_out(relay)
    assert not relay.troubles()


async def still(tmp_path: Path, clip: Path, stage: Stage) -> None:
    slow = tmp_path / "slow.mp4"
    with av.open(str(clip)) as source, av.open(str(slow), "w") as out:
        streams = {stream.index: out.add_stream_from_template(stream) for stream in source.streams}
        key = None
        for packet in source.demux():
            if packet.dts is None or (packet.stream.type == "video" and not packet.is_keyframe):
                continue
            key = key or packet.is_keyframe
            packet.stream = streams[packet.stream_index]
            out.mux(packet)
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    relay = await stage.relays.start(f"listen:{url}", slate=RED)
    await relay.until(lambda: relay.reported and relay.report.source == "connecting")
    stage.encoders.append(Encoder(slow, url))
    await relay.until(lambda: relay.aired >= 4)
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    assert not any(red for _at, red, _key in colours(relay.plan.folder / "recording.mp4"))
    assert not relay.troubles()


async def killed(clip: Path, stage: Stage) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    slate = replace(RED, width=640, height=360)  # the broadcast goes on in the size that it has
    first = await stage.relays.start(f"listen:{url}", slate=slate)
    await first.until(lambda: first.reported and first.report.source == "connecting")
    stage.encoders.append(Encoder(clip, url))
    await first.until(lambda: first.aired >= 40)
    first.line.send(SetHold(Ms(1500)))
    await first.until(lambda: first.report.hold == 1500)
    await first.until(lambda: first.aired >= 80)
    await first.kill()
    died = time.monotonic()
    await first.until(lambda: time.monotonic() > died + 1.6)  # nothing that was held is left to air
    second = await stage.relays.start(first.plan)
    assert second.welcome.hold == 1500  # not what the plan says: somebody changed it
    await second.until(lambda: second.reported and second.report.slate)
    await second.until(lambda: [alarm.name for alarm in second.report.alarms] == ["slate"])
    stage.encoders.append(Encoder(clip, url))
    await second.until(lambda: second.aired >= 40 and not second.report.slate)
    second.finish()
    assert await second.ended() == 0
    await stage.over.wait()
    folder = first.plan.folder
    assert not (folder / "recording-2.mp4").exists()
    pictures = colours(folder / "recording.mp4")
    steps = [later[0] - earlier[0] for earlier, later in itertools.pairwise(pictures)]
    assert min(steps) > 0
    changes = [now for before, now in itertools.pairwise(pictures) if before[1] is not now[1]]
    assert [red for _at, red, _key in changes] == [True, False]


async def nobody(stage: Stage) -> None:
    relay = await stage.relays.start(
        f"listen:rtmp://127.0.0.1:{free_port()}/live/studio", slate=RED, slate_from_start=True
    )
    await relay.until(lambda: relay.reported and relay.report.slate)
    index = relay.plan.folder / "hls" / "index.m3u8"
    await relay.until(index.exists)
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    assert all(red for _at, red, _key in colours(relay.plan.folder / "recording.mp4"))
    assert not relay.troubles()


async def shortened(clip: Path, stage: Stage) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    relay = await stage.relays.start(f"listen:{url}", slate=RED, hold=Ms(1500))
    await relay.until(lambda: relay.reported and relay.report.source == "connecting")
    stage.encoders.append(Encoder(clip, url))
    await relay.until(lambda: relay.aired >= 40)
    stage.encoders[0].stop()
    relay.line.send(SetHold(Ms(0)))
    await relay.until(lambda: relay.report.slate)
    assert [alarm.name for alarm in relay.report.alarms] == ["slate"]
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    times = [at for at, _red, _key in colours(relay.plan.folder / "recording.mp4")]
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) < 0.15 + left_out(relay)


async def back_within_the_hold(clip: Path, stage: Stage) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    relay = await stage.relays.start(f"listen:{url}", slate=RED, hold=Ms(3000))
    await relay.until(lambda: relay.reported and relay.report.source == "connecting")
    stage.encoders.append(Encoder(clip, url))
    await relay.until(lambda: relay.aired >= 25)
    stage.encoders[0].stop()
    aired = relay.aired
    await relay.until(lambda: relay.aired > aired + 40)
    stage.encoders.append(Encoder(clip, url))
    await relay.until(lambda: relay.report.slate)
    assert relay.report.source == "online"  # what is missing airs only now
    await relay.until(lambda: not relay.report.slate)
    back = relay.aired
    await relay.until(lambda: relay.aired > back + 10)
    relay.process.send_signal(signal.SIGTERM)
    relay.process.send_signal(signal.SIGTERM)
    assert await relay.ended() == 0
    await stage.over.wait()
    pictures = colours(relay.plan.folder / "recording.mp4")
    steps = [later[0] - earlier[0] for earlier, later in itertools.pairwise(pictures)]
    assert min(steps) > 0
    assert max(steps) < 0.15 + left_out(relay)  # also in the last moment before the programme is back
    changes = [now for before, now in itertools.pairwise(pictures) if before[1] is not now[1]]
    assert [red for _at, red, _key in changes] == [True, False]
    assert all(key for _at, _red, key in changes)


async def test_a_lost_encoder_is_replaced_by_the_slate_without_a_break(
    together: Callable[..., Awaitable[None]], clip: Path
) -> None:
    await together(
        partial(lost, clip, 600, signal.SIGKILL),
        partial(lost, clip, 600, signal.SIGSTOP),
        partial(lost, clip, 0, signal.SIGKILL),
    )


async def test_the_slate_airs_where_a_relay_or_the_hold_lacks_what_comes(
    together: Callable[..., Awaitable[None]], clip: Path
) -> None:
    await together(partial(killed, clip), partial(back_within_the_hold, clip), partial(shortened, clip))


async def test_the_slate_airs_before_an_encoder_comes_and_not_for_a_still_picture(
    together: Callable[..., Awaitable[None]], tmp_path: Path, clip: Path
) -> None:
    await together(partial(awaited, clip), partial(still, tmp_path, clip), nobody)
