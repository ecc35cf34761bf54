from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from tests.media.relay_bench import Stage, expected, left_out, make_clip, see, segments

from studio.events import SoundEnded
from studio.media import EncodePreset
from studio.spoken import Cue
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

CUES = [
    Cue(1, Ms(0), Ms(900), ("Zażółć gęślą jaźń",)),
    Cue(2, Ms(1480), Ms(2520), ("Ąžuolas, šįryt", "ėjęs čia")),
    Cue(3, Ms(2600), Ms(4040), ("ĄĆĘŁŃÓŚŹŻ",)),
]


async def a_film(clip: Path, stage: Stage) -> None:
    relay = await stage.relays.start(f"file:{clip}", hold=Ms(1500))
    relay.show(*CUES)
    assert await relay.ended() == 0
    await stage.over.wait()
    folder = relay.plan.folder
    seen = see(folder / "recording.mp4")

    # as long as the film, flashes and beeps where they were, picture and sound together
    assert seen.end == pytest.approx(6.0, abs=0.2)
    assert seen.flashes == pytest.approx([1.0, 3.0, 5.0], abs=0.02) or relay.report.dropped
    assert seen.beeps == pytest.approx([1.0, 3.0, 5.0], abs=0.02)

    # a caption stands on a picture while, and only while, its cue is active
    assert len(seen.times) == 150 - relay.report.dropped
    assert seen.captioned == expected(CUES, seen)

    # every sample of the programme reached the recogniser, once, in order
    ends = [sound.start + len(sound.samples) // 32 for sound in relay.sounds()]
    assert [sound.start for sound in relay.sounds()] == [0, *ends[:-1]]
    assert ends[-1] == pytest.approx(6000, abs=40)
    heard = np.frombuffer(b"".join(sound.samples for sound in relay.sounds()), np.int16)
    assert int(np.flatnonzero(np.abs(heard) > 4000)[0]) / 16_000 == pytest.approx(1.0, abs=0.01)
    assert relay.sound_ended() == [SoundEnded(silent=False)]

    report = relay.report
    assert (report.phase, report.width, report.height, report.cues, report.late_cues) == ("done", 320, 180, 3, 0)
    assert relay.outputs() == {"recording": "done", "hls": "done"}
    assert relay.troubles() == []
    assert list(folder.glob("recording.part-*")) == []


async def hls(clip: Path, stage: Stage) -> None:
    relay = await stage.relays.start(f"file:{clip}", seconds=4.4, hold=Ms(1500))
    relay.show(*CUES)
    assert await relay.ended() == 0
    await stage.over.wait()
    hls = relay.plan.folder / "hls"
    master = (hls / "master.m3u8").read_text(encoding="utf-8")
    assert 'TYPE=SUBTITLES,GROUP-ID="captions",NAME="Polski",LANGUAGE="pl"' in master
    assert re.search(r'RESOLUTION=320x180,.*CODECS="avc1\.[0-9a-f]{6},mp4a\.40\.2",SUBTITLES="captions"', master)

    assert segments(hls / "index.m3u8") == ["seg-00000.ts", "seg-00001.ts", "seg-00002.ts"]
    assert segments(hls / "captions.m3u8") == ["seg-00000.vtt", "seg-00001.vtt", "seg-00002.vtt"]
    assert (hls / "captions.m3u8").read_text() == (hls / "index.m3u8").read_text().replace(".ts", ".vtt")

    second = (hls / "seg-00001.vtt").read_text(encoding="utf-8")
    assert "Ąžuolas" in second  # it stands over the border at 2 s
    assert "ĄĆĘŁŃÓŚŹŻ" in second
    assert "jaźń" not in second

    # the first captioned picture of cue 3, by its real stamp, against what the map says
    found = re.search(r"X-TIMESTAMP-MAP=MPEGTS:(\d+),LOCAL:00:00:04.000", second)
    assert found is not None
    with av.open(str(hls / "seg-00001.ts")) as container:
        stamps = [frame.pts for frame in container.decode(video=0) if frame.to_ndarray(format="gray")[120:].max() > 150]
    shown = [(stamp - int(found[1])) / 90 + 4000 for stamp in stamps if stamp is not None]
    assert min(at for at in shown if at > 2540) == pytest.approx(2600, abs=1 + left_out(relay) * 1000)


async def large(tmp_path: Path, stage: Stage) -> None:
    wide = make_clip(
        tmp_path / "wide.mkv", seconds=1.2, size="640x272", more=("-vf", "setsar=4/3", "-c:a", "pcm_s16le")
    )
    preset = EncodePreset(width=426, height=240, fps=12.5, preset="ultrafast", threads=1)
    relay = await stage.relays.start(f"file:{wide}", encode=preset)
    assert await relay.ended() == 0
    await stage.over.wait()
    assert (relay.report.width, relay.report.height) == (426, 136)
    assert see(relay.plan.folder / "recording.mp4").flashes == pytest.approx([1.0], abs=0.05) or relay.report.dropped
    assert relay.report.frames + relay.report.dropped == pytest.approx(15, abs=1)


async def silent(tmp_path: Path, stage: Stage) -> None:
    mute = make_clip(tmp_path / "silent.mp4", seconds=1.5, sound=False)
    relay = await stage.relays.start(f"file:{mute}")
    assert await relay.ended() == 0
    await stage.over.wait()
    assert relay.sound_ended() == [SoundEnded(silent=True)]
    assert [trouble.sentence for trouble in relay.troubles()] == ["silent.mp4 has no sound, so captions are off."]
    seen = see(relay.plan.folder / "recording.mp4")
    assert seen.end == pytest.approx(1.5, abs=0.2)
    assert len(seen.sound) / seen.rate == pytest.approx(1.5, abs=0.2)
    assert not seen.sound.any()


async def sound_alone(tmp_path: Path, clip: Path, stage: Stage) -> None:
    alone = tmp_path / "sound.m4a"
    with av.open(str(clip)) as source, av.open(str(alone), "w", "mp4") as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None and packet.dts < 2 * 48_000:
                packet.stream = stream
                target.mux(packet)
    preset = EncodePreset(height=180, preset="ultrafast", threads=1)
    relay = await stage.relays.start(f"file:{alone}", encode=preset, hold=Ms(1500))
    relay.show(Cue(1, Ms(400), Ms(1400), ("Tylko dźwięk",)))
    assert await relay.ended() == 0
    await stage.over.wait()
    seen = see(relay.plan.folder / "recording.mp4")
    assert seen.beeps == pytest.approx([1.0], abs=0.02)
    assert seen.end == pytest.approx(2.0, abs=0.2)
    assert seen.captioned == expected([Cue(1, Ms(400), Ms(1400), ())], seen)


async def damage(tmp_path: Path, clip: Path, stage: Stage) -> None:
    damaged = tmp_path / "damaged.ts"
    with av.open(str(clip)) as source, av.open(str(damaged), "w", "mpegts") as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None and packet.dts * packet.time_base < 2.8:
                packet.stream = streams[packet.stream_index]
                target.mux(packet)
    data = bytearray(damaged.read_bytes())
    half = len(data) // 2
    data[half : half + 6000] = bytes(np.random.default_rng(1).integers(0, 256, 6000, np.uint8))
    damaged.write_bytes(data)
    relay = await stage.relays.start(f"file:{damaged}")
    assert await relay.ended() == 0
    await stage.over.wait()
    assert len([trouble for trouble in relay.troubles() if "damaged" in trouble.sentence]) <= 1
    seen = see(relay.plan.folder / "recording.mp4")
    assert seen.end == pytest.approx(2.9, abs=0.2)
    assert seen.flashes == pytest.approx([1.0], abs=0.05) or relay.report.dropped


async def test_a_film_goes_out_as_it_came_in_with_its_captions_at_their_time_and_nothing_else(
    together: Callable[..., Awaitable[None]], clip: Path
) -> None:
    await together(partial(a_film, clip), partial(hls, clip))


async def test_a_large_a_silent_a_damaged_film_and_sound_alone_air_as_well_as_can_be(
    together: Callable[..., Awaitable[None]], clip: Path, tmp_path: Path
) -> None:
    """Smaller in its shape; silently, captions being off; over the damage, said once; with the card."""
    await together(
        partial(large, tmp_path), partial(silent, tmp_path), partial(sound_alone, tmp_path, clip),
        partial(damage, tmp_path, clip),
    )  # fmt: skip
