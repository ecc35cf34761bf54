from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import json
import socket
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import pytest
from tests.media.relay_bench import Encoder, Relays, make_clip
from tests.ports import free_port

from studio.media._ground.clock import Ticks
from studio.media._leave.instant import MOST, Instant

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


async def called(
    path: Path, *, sound: bool = True
) -> tuple[dict[str, str], asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(json.dumps({"sound": sound}).encode() + b"\n")
    said: dict[str, str] = json.loads(await reader.readline())
    return said, reader, writer


async def picture_to_see(path: Path) -> tuple[dict[str, str], asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(60):
        while True:
            said, reader, writer = await called(path)
            if said.get("codecs"):
                return said, reader, writer
            assert said["why"]
            writer.close()
            await asyncio.sleep(0.1)


def pictures(data: bytes) -> list[av.VideoFrame]:
    """What can be seen of the whole fragments in `data`."""
    found: list[av.VideoFrame] = []
    with contextlib.suppress(av.FFmpegError), av.open(io.BytesIO(data), "r", "mp4") as container:
        for frame in container.decode(video=0):
            found.append(frame)  # noqa: PERF402 - what came before a torn end counts
    return found


def feed(instant: Instant, clip: Path, since: int = 0) -> int:
    """Put all of `clip` into it; return how many packets those were."""
    with av.open(str(clip)) as container:
        passing = instant.begin(list(container.streams))
        assert passing is not None
        packets = [packet for packet in container.demux() if packet.dts is not None]
        for packet in packets:
            passing.put(packet, Ticks(90_000 + since))
    return len(packets)


@pytest.fixture
async def instant(tmp_path: Path) -> AsyncIterator[Instant]:
    opened = Instant("Nothing comes yet.")
    await opened.open(tmp_path / "instant.sock")
    yield opened
    await opened.close()


async def test_who_calls_sees_the_newest_picture_and_what_follows(instant: Instant, tmp_path: Path, clip: Path) -> None:
    said, reader, writer = await called(tmp_path / "instant.sock")
    assert said == {"why": "Nothing comes yet."}
    assert await reader.read() == b""
    writer.close()

    feed(instant, clip)
    said, reader, writer = await called(tmp_path / "instant.sock")
    assert said["codecs"].startswith("avc1.")
    assert said["codecs"].endswith(",mp4a.40.2")
    async with asyncio.timeout(60):
        while instant.viewers == 0:  # noqa: ASYNC110 - what is waited for is no event of ours
            await asyncio.sleep(0.01)
        before = b""
        while len(hurried := [float(frame.time) for frame in pictures(before)]) < 50:
            before += await reader.read(1 << 20)
        # the last key frame came at 4 s of 6: all since then is decoded, in less than one picture's time
        assert len(hurried) == 50
        assert hurried == sorted(hurried)
        assert hurried[-1] - hurried[0] < 0.06
        assert hurried[-1] == pytest.approx(1 + 6, abs=0.2)
        data = before
        for life in itertools.count(1):  # all of one is there at once, and what is too much for a viewer goes
            await asyncio.to_thread(feed, instant, clip, life * 6 * 90_000)
            data += await reader.read(1 << 16)
            if (seen := pictures(data)) and seen[-1].time > 12.5:  # none where the last fragment is torn in its head
                break
    assert await called_off(instant, writer, clip) == 0
    said, reader, writer = await called(tmp_path / "instant.sock", sound=False)
    assert "," not in said["codecs"]
    assert b"mp4a" not in await reader.read(1 << 20)
    await called_off(instant, writer, clip)


async def called_off(instant: Instant, writer: asyncio.StreamWriter, clip: Path) -> int:
    """Hang up; return how many watch once that was noticed."""
    writer.close()
    async with asyncio.timeout(60):
        while instant.viewers:
            await asyncio.to_thread(feed, instant, clip, 20 * 90_000)
            await asyncio.sleep(0.01)
    return instant.viewers


async def test_who_does_not_keep_up_begins_again_at_a_key_frame(instant: Instant, tmp_path: Path, clip: Path) -> None:
    feed(instant, clip)
    line = socket.socket(socket.AF_UNIX)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    loop = asyncio.get_running_loop()
    await loop.sock_connect(line, str(tmp_path / "instant.sock"))
    await loop.sock_sendall(line, b"{}\n")
    async with asyncio.timeout(60):
        while instant.viewers == 0:  # noqa: ASYNC110 - what is waited for is no event of ours
            await asyncio.sleep(0.01)
    count = 0
    for life in range(1, 9):  # nobody reads meanwhile, and nobody waits for that
        count += await asyncio.to_thread(feed, instant, clip, life * 6 * 90_000)
    (viewer,) = instant._viewers
    assert len(viewer._queue) <= MOST < count
    data = b""
    with contextlib.suppress(TimeoutError):
        while True:
            data += await asyncio.wait_for(loop.sock_recv(line, 1 << 16), 2)
    line.close()
    times = [float(frame.time) for frame in pictures(data.partition(b"\n")[2])]
    assert times[-1] > 9 * 6 - 3
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert max(steps) > 1  # what was too much is missing, in one piece up to a key frame


async def test_what_an_encoder_sends_is_seen_beside_the_hold(
    relays: Relays, encoders: list[Encoder], clip: Path, tmp_path: Path
) -> None:
    url = f"srt://127.0.0.1:{free_port()}"
    relay = await relays.start(f"listen:{url}")
    said, _reader, writer = await called(relay.plan.instant)
    writer.close()
    assert said["why"].startswith("Nothing comes from the encoder")
    encoders.append(Encoder(clip, url))
    _said, reader, writer = await picture_to_see(relay.plan.instant)
    data = b""
    async with asyncio.timeout(60):
        while len(pictures(data)) < 25:
            data += await reader.readexactly(1000)
    assert {(frame.width, frame.height) for frame in pictures(data)} == {(320, 180)}
    encoders[0].stop()
    larger = await asyncio.to_thread(make_clip, tmp_path / "larger.mp4", seconds=3, size="480x270", sound=False)
    encoders.append(Encoder(larger, url))
    async with asyncio.timeout(60):
        while not reader.at_eof():  # another size: whoever watches calls again
            await reader.read(1 << 16)
    writer.close()
    said, reader, writer = await picture_to_see(relay.plan.instant)
    assert "," not in said["codecs"]
    data = b""
    async with asyncio.timeout(60):
        while not pictures(data):
            data += await reader.readexactly(1000)
    assert pictures(data)[0].width == 480
    writer.close()
    relay.finish()
    assert await relay.ended() == 0


async def test_what_has_no_picture_or_an_unusual_one_says_so(instant: Instant, tmp_path: Path) -> None:
    clip = await asyncio.to_thread(make_clip, tmp_path / "old.ts", seconds=1, more=("-c:v", "mpeg2video"))
    with av.open(str(clip)) as container:
        assert instant.begin(list(container.streams)) is None
        said, _reader, writer = await called(tmp_path / "instant.sock")
        assert said["why"].startswith("The programme comes as mpeg2video")
        writer.close()
        assert instant.begin(list(container.streams.audio)) is None
        said, _reader, writer = await called(tmp_path / "instant.sock")
        assert said["why"].startswith("The programme has no picture")
        writer.close()
