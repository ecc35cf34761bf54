"""A programme whose picture goes out as it came."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import av
from tests.media.relay_bench import QUICK, Encoder, Stage, left_out, make_clip, see
from tests.media.test_slate import RED, colours
from tests.ports import free_port

from studio.events import SetHold
from studio.units import Ms
from studio.wire import h264

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

COPY = replace(QUICK, copy=True)


# ── on paper ──────────────────────────────────────────────────────────────────────────────────────────────────────────

SPS, PPS, SEI, IDR, SLICE = b"\x67sps", b"\x68pps", b"\x06sei", b"\x65idr", b"\x41slice"
SETUP = b"\x01\x64\x00\x1e\xff\xe1\x00\x04" + SPS + b"\x01\x00\x04" + PPS


def starts(*units: bytes) -> bytes:
    return b"".join(b"\x00\x00\x00\x01" + unit for unit in units)


def lengths(*units: bytes) -> bytes:
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


def test_a_key_frame_gets_its_parameter_sets() -> None:
    assert h264.annex_b(lengths(SEI, IDR), SETUP) == starts(SPS, PPS, SEI, IDR)
    assert h264.annex_b(lengths(SLICE), SETUP) == starts(SLICE)
    assert h264.annex_b(starts(IDR), starts(SPS, PPS)) == starts(SPS, PPS, IDR)
    assert h264.annex_b(starts(b"\x09\xf0", IDR), SETUP) == starts(b"\x09\xf0", SPS, PPS, IDR)
    own = starts(b"\x09\xf0", SPS, PPS, IDR)
    assert h264.annex_b(own, SETUP) == own
    assert [h264.is_key(starts(unit)) for unit in (IDR, SLICE, SEI)] == [True, False, False]
    assert h264.annex_b(starts(SLICE), b"") == starts(SLICE)


# ── on the air ────────────────────────────────────────────────────────────────────────────────────────────────────────


def slices(path: Path) -> list[str]:
    """Of each picture, in the order of decoding: what it is known by."""
    with av.open(str(path)) as container:
        extradata = container.streams.video[0].codec_context.extradata or b""
        datas = [h264.annex_b(bytes(packet), extradata) for packet in container.demux(video=0) if packet.size]
    return [hashlib.sha1(data[data.rfind(b"\x00\x00\x01") :]).hexdigest() for data in datas]  # noqa: S324 - no secret


def copied(recording: Path, clip: Path) -> float:
    """Which share of the pictures of `recording` are those of `clip`."""
    known, whole = set(slices(clip)), slices(recording)
    return sum(one in known for one in whole) / len(whole)


async def goes_out_as_it_came(clip: Path, stage: Stage) -> None:
    url = f"srt://127.0.0.1:{free_port()}"
    relay = await stage.relays.start(f"listen:{url}", slate=RED, encode=COPY, captions=False)
    await relay.until(lambda: relay.reported and relay.report.source == "connecting")
    stage.encoders.append(Encoder(clip, url))
    await relay.until(lambda: relay.aired >= 60)
    stage.encoders[0].stop()
    await relay.until(lambda: relay.report.slate)
    await relay.until(lambda: relay.report.source == "connecting")
    stage.encoders.append(Encoder(clip, url))
    await relay.until(lambda: not relay.report.slate)
    back = relay.aired
    await relay.until(lambda: relay.aired > back + 70)
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    assert relay.troubles() == []

    recording = relay.plan.folder / "recording.mp4"
    pictures = colours(recording)
    steps = [later[0] - earlier[0] for earlier, later in itertools.pairwise(pictures)]
    assert min(steps) > 0
    assert max(steps) < 0.5 + left_out(relay)  # the slate is there by then
    changes = [now for before, now in itertools.pairwise(pictures) if before[1] is not now[1]]
    assert [red for _at, red, _key in changes] == [True, False]
    assert all(key for _at, _red, key in changes)
    red = sum(red for _at, red, _key in pictures)
    stood = 15  # the last one once more, until the encoder counts as lost
    late = 50  # an encoder that lags on a busy machine is bridged, and what follows is encoded up to the next key frame
    assert copied(recording, clip) * len(pictures) >= len(pictures) - red - stood - late
    seen = see(recording)
    together = [min(abs(flash - beep) for beep in seen.beeps) for flash in seen.flashes]
    assert sum(apart > 0.05 + left_out(relay) for apart in together) <= 1
    heard = see(relay.plan.folder / "hls" / "index.m3u8")
    assert min(later - earlier for earlier, later in itertools.pairwise(heard.times)) > 0


async def changed_hold(tmp_path: Path, stage: Stage) -> None:
    long = make_clip(tmp_path / "long.mp4", seconds=24)
    relay = await stage.relays.start(f"file:{long}", encode=COPY, captions=False, hold=Ms(1000))
    await relay.until(lambda: relay.aired >= 85)  # of a film, the first group is encoded
    relay.line.send(SetHold(Ms(3500)))
    await relay.until(lambda: relay.report.slate)
    await relay.until(lambda: not relay.report.slate)
    aired = relay.aired
    await relay.until(lambda: relay.aired > aired + 30)
    relay.line.send(SetHold(Ms(500)))
    await relay.until(lambda: relay.report.hold == 500)
    aired = relay.aired
    await relay.until(
        lambda: relay.aired > aired + 130
    )  # wherever in a group the hold was changed, two more are copied
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    recording = relay.plan.folder / "recording.mp4"
    seen = see(recording)
    steps = [later - earlier for earlier, later in itertools.pairwise(seen.times)]
    assert min(steps) > 0
    assert max(steps) < 0.5 + left_out(relay)  # the slate is there by then
    assert copied(recording, long) > 0.3


async def rare_keys(tmp_path: Path, stage: Stage) -> None:
    rare = make_clip(tmp_path / "rare.mp4", seconds=6, more=("-g", "500"))
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    relay = await stage.relays.start(f"listen:{url}", encode=COPY, captions=False)
    await relay.until(lambda: relay.reported and relay.report.source == "connecting")
    stage.encoders.append(Encoder(rare, url))
    await relay.until(relay.troubles)
    await relay.until(lambda: relay.aired > 115)
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    (said,) = relay.troubles()
    assert said.sentence.startswith("Key frames come 2.")
    assert said.sentence.endswith(" set the encoder's keyframe interval to 2 s to copy it.")
    assert 0.25 < copied(relay.plan.folder / "recording.mp4", rare) < 1


async def captioned(clip: Path, stage: Stage) -> None:
    relay = await stage.relays.start(f"file:{clip}", encode=COPY)
    await relay.until(lambda: relay.aired >= 30)
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    assert copied(relay.plan.folder / "recording.mp4", clip) == 0


async def test_the_picture_goes_out_as_it_came_but_for_slate_and_changes_of_the_hold(
    together: Callable[..., Awaitable[None]], tmp_path: Path, clip: Path
) -> None:
    await together(partial(goes_out_as_it_came, clip), partial(changed_hold, tmp_path))


async def test_what_cannot_be_copied_is_encoded(
    together: Callable[..., Awaitable[None]], tmp_path: Path, clip: Path
) -> None:
    await together(partial(rare_keys, tmp_path), partial(captioned, clip))
