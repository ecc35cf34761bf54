from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
import socket
from functools import partial
from typing import TYPE_CHECKING

import psutil
from tests.media.relay_bench import PATIENCE, Encoder, Relays, Stage, left_out, see
from tests.ports import free_port

from studio.events import Sound
from studio.media import REFUSED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


async def test_an_encoder_comes_goes_and_comes_back(
    relays_of: Callable[[str], Relays], encoders: list[Encoder], clip: Path
) -> None:
    async with asyncio.TaskGroup() as shows:
        for scheme in ("rtmp", "srt"):
            shows.create_task(comes_back(relays_of(scheme), encoders, clip, scheme))


async def comes_back(relays: Relays, encoders: list[Encoder], clip: Path, scheme: str) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio" if scheme == "rtmp" else f"srt://127.0.0.1:{free_port()}"
    relay = await relays.start(f"listen:{url}")
    assert relay.welcome.epoch == 0
    await relay.until(lambda: relay.reported and relay.report.source == "connecting")
    assert "studio" not in relay.report.source_detail.rpartition("/")[2]
    encoder = Encoder(clip, url)
    encoders.append(encoder)
    await relay.until(lambda: relay.aired >= 50)
    assert relay.report.source == "online"

    encoder.stop()
    await relay.until(lambda: relay.report.source == "connecting")
    aired = relay.report.frames
    encoders.append(Encoder(clip, url))
    await relay.until(lambda: relay.aired > aired + 40)
    relay.finish()
    assert await relay.ended() == 0

    seen = see(relay.plan.folder / "recording.mp4")
    assert seen.times[0] < 1
    together = [min(abs(flash - beep) for beep in seen.beeps) for flash in seen.flashes]
    assert len(together) >= 2
    lacks = left_out(relay)
    assert max(together) <= 0.05 + lacks
    # the still picture bridges the encoder's absence
    steps = [later - earlier for earlier, later in zip(seen.times, seen.times[1:], strict=False)]
    assert max(steps) < 0.9 + lacks
    starts = [sound.start for sound in relay.said if isinstance(sound, Sound)]
    assert starts == sorted(starts)


async def gone_without_a_word(clip: Path, stage: Stage) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    relay = await stage.relays.start(f"listen:{url}")
    await relay.until(lambda: relay.reported and relay.report.source == "connecting")
    stage.encoders.append(Encoder(clip, url))
    await relay.until(lambda: relay.aired >= 10)
    stage.encoders[0].process.send_signal(signal.SIGSTOP)
    await relay.until(lambda: relay.report.source == "degraded")
    assert relay.report.source_detail.startswith("The encoder is connected and sends nothing")
    await relay.until(lambda: relay.report.source == "connecting")
    aired = relay.report.on_time
    stage.encoders.append(Encoder(clip, url))
    await relay.until(lambda: relay.report.on_time > aired + 10)
    assert relay.report.source == "online"
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()


async def strangers(clip: Path, stage: Stage) -> None:
    port = free_port()
    relay = await stage.relays.start(f"listen:rtmp://127.0.0.1:{port}/live/studio")
    await relay.until(lambda: relay.reported and relay.report.source == "connecting")
    hello = b"\x03" + bytes(1536)
    stay = [await _call(port, said) for said in (b"", b"\x03" + bytes(200), hello)]  # none of them says more
    for rubbish in (b"GET / HTTP/1.1\r\n\r\n", b"\x03" + bytes(2000), b"", b"\x16\x03\x01\x02\x00\x01" + bytes(90)):
        (await _call(port, rubbish))[1].close()
    stage.encoders.append(Encoder(clip, f"rtmp://127.0.0.1:{port}/live/studio"))
    await relay.until(lambda: relay.aired >= 5)  # it called once, and was kept waiting
    assert stage.encoders[0].process.poll() is None
    for reader, writer in stay:  # all of them were hung up on
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), PATIENCE)
        writer.close()
    said = {trouble.sentence.partition(f"rtmp://127.0.0.1:{port}/live")[0] for trouble in relay.troubles()}
    # who said hello and waited until the encoder was in counts as another one
    assert sorted(said - {"A second encoder calls at "}) == [
        "An encoder calls at ",  # with encryption
        "Something that is no encoder calls at ",
    ]
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()


async def _call(port: int, said: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    return reader, writer


async def others(clip: Path, stage: Stage) -> None:
    port = free_port()
    url = f"rtmp://127.0.0.1:{port}/live/ours-alone"
    relay = await stage.relays.start(f"listen:{url}")
    await relay.until(lambda: relay.reported and relay.report.source == "connecting")
    for wrong in (f"rtmp://127.0.0.1:{port}/live/s3cr3t-of-another", f"rtmp://127.0.0.1:{port}/elsewhere/ours-alone"):
        stage.encoders.append(Encoder(clip, wrong))
        await relay.until(lambda: stage.encoders[-1].process.poll() is not None)
    assert relay.aired == 0
    stage.encoders.append(Encoder(clip, url))
    await relay.until(lambda: relay.aired >= 30)
    titles = [" ".join(child.cmdline()) for child in psutil.Process(relay.process.pid).children(recursive=True)]
    assert any("/live/" in title for title in titles)
    assert not any("ours-alone" in title for title in titles)
    for _twice in range(2):
        stage.encoders.append(Encoder(clip, url))
        await relay.until(lambda: stage.encoders[-1].process.poll() is not None)
    await relay.until(lambda: len(relay.troubles()) == 2)
    aired = relay.aired
    await relay.until(lambda: relay.aired >= aired + 20)
    relay.finish()
    assert await relay.ended() == 0
    await stage.over.wait()
    assert [said.sentence.partition(" at ")[0] for said in relay.troubles()] == [
        "An encoder calls",
        "A second encoder calls",
    ]
    assert "another path or stream key" in relay.troubles()[0].sentence
    seen = see(relay.plan.folder / "recording.mp4")
    until = seen.times[:-5]  # in the end the encoder is cut off in the middle of its B-frames
    assert max(later - earlier for earlier, later in itertools.pairwise(until)) < 0.09 + left_out(relay)
    assert "s3cr3t" not in stage.relays.log + repr(relay.said)
    assert "ours-alone" not in stage.relays.log + repr(relay.said)


async def test_a_port_in_use_is_refused_with_what_to_do(relays: Relays) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        relay = await relays.start(f"listen:rtmp://127.0.0.1:{port}/live/studio")
        assert await relay.ended() == REFUSED
    [trouble] = relay.troubles()
    assert trouble.ends_show
    assert trouble.sentence.startswith(f"Port {port} is in use by another program")
    assert relays.log.rstrip().endswith(trouble.sentence)


async def test_a_killed_relay_leaves_no_listener_behind(relays: Relays) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    first = await relays.start(f"listen:{url}")
    await first.until(lambda: first.reported)
    await first.kill()
    second = await relays.start(f"listen:{url}")
    await second.until(lambda: second.reported and second.report.source == "connecting")
    second.finish()
    assert await second.ended() == 0


async def test_who_is_gone_or_no_encoder_or_a_second_one_keeps_nobody_out(
    together: Callable[..., Awaitable[None]], clip: Path
) -> None:
    await together(partial(gone_without_a_word, clip), partial(strangers, clip), partial(others, clip))
