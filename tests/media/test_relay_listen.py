from __future__ import annotations

import asyncio
import signal
import socket
from typing import TYPE_CHECKING

import pytest
from tests.media.relay_bench import Encoder, Relays, free_port, see

from studio.events import Sound
from studio.media import REFUSED

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("scheme", ["rtmp", "srt"])
async def test_an_encoder_comes_goes_and_comes_back(
    relays: Relays, encoders: list[Encoder], clip: Path, scheme: str
) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio" if scheme == "rtmp" else f"srt://127.0.0.1:{free_port()}"
    relay = await relays.start(f"listen:{url}")
    assert relay.welcome.epoch == 0
    await relay.until(lambda: relay.reported and relay.report.source == "connecting")
    assert "studio" not in relay.report.source_detail.rpartition("/")[2]
    encoders.append(Encoder(clip, url))
    await relay.until(lambda: relay.aired >= 50)
    assert relay.report.source == "online"

    encoders[0].stop()
    await relay.until(lambda: relay.report.source == "connecting")
    aired = relay.report.frames
    encoders.append(Encoder(clip, url))
    await relay.until(lambda: relay.aired > aired + 40)
    relay.finish()
    assert await relay.ended() == 0

    seen = see(relay.plan.folder / "recording.mp4")
    assert seen.times[0] < 0.3
    together = [min(abs(flash - beep) for beep in seen.beeps) for flash in seen.flashes]
    assert len(together) >= 2
    assert max(together) <= 0.04
    # the still picture bridges the encoder's absence
    steps = [later - earlier for earlier, later in zip(seen.times, seen.times[1:], strict=False)]
    assert max(steps) < 0.9
    starts = [sound.start for sound in relay.said if isinstance(sound, Sound)]
    assert starts == sorted(starts)


async def test_an_encoder_that_is_gone_without_a_word_makes_room_for_another(
    relays: Relays, encoders: list[Encoder], clip: Path
) -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/studio"
    relay = await relays.start(f"listen:{url}")
    await relay.until(lambda: relay.reported and relay.report.source == "connecting")
    encoders.append(Encoder(clip, url))
    await relay.until(lambda: relay.aired >= 10)
    encoders[0].process.send_signal(signal.SIGSTOP)
    await relay.until(lambda: relay.report.source == "degraded")
    assert relay.report.source_detail.startswith("The encoder is connected and sends nothing")
    await relay.until(lambda: relay.report.source == "connecting")
    aired = relay.report.on_time
    encoders.append(Encoder(clip, url))
    await relay.until(lambda: relay.report.on_time > aired + 10)
    assert relay.report.source == "online"
    relay.finish()
    assert await relay.ended() == 0


async def test_garbage_at_the_door_disturbs_nobody(relays: Relays, encoders: list[Encoder], clip: Path) -> None:
    port = free_port()
    relay = await relays.start(f"listen:rtmp://127.0.0.1:{port}/live/studio")
    for rubbish in (b"GET / HTTP/1.1\r\n\r\n", b"\x03" + bytes(2000), b""):
        async with asyncio.timeout(10):
            while True:
                try:
                    _reader, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    break
        writer.write(rubbish)
        writer.close()
    encoders.append(Encoder(clip, f"rtmp://127.0.0.1:{port}/live/studio"))
    for _again in range(50):  # the listener may just be coming back: encoders call again, ours does so here
        await asyncio.sleep(0.1)
        if encoders[-1].process.poll() is not None:
            encoders.append(Encoder(clip, f"rtmp://127.0.0.1:{port}/live/studio"))
        if relay.report.source == "online":
            break
    await relay.until(lambda: relay.aired >= 5)
    relay.finish()
    assert await relay.ended() == 0


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
