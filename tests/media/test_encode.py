"""Encoders that work, are not there, and die in mid-show."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from tests.media.hls_bench import LOOK, listed

from studio.media._air.codecs import CODECS, HARDWARE, X264, Codec, options
from studio.media._air.encode import PATIENCE, PictureEncoder
from studio.media._air.engine import Aside, Due
from studio.media._air.picture import black
from studio.media._air.trial import Choice, attempt, trial, trials
from studio.media._ground.clock import Ticks
from studio.media._ground.planes import pixels
from studio.media._leave.hls import Hls
from studio.media._plan import EncodePreset

if TYPE_CHECKING:
    from pathlib import Path

    from av.codec.context import CodecOption

    from studio.media._ground.coded import Coded

PRESET = EncodePreset(preset="ultrafast", threads=1, keyframe_seconds=2)
STAND_IN = replace(
    X264, name="stand-in", title="Stand-in", hardware=True, options={**X264.options, "preset": "veryfast"}
)
"""x264 where a graphics unit would be: in a thread of its own, and with another profile than what replaces it."""


@pytest.mark.parametrize(
    "codec", [codec for codec in CODECS.values() if codec.codec in av.codecs_available], ids=lambda codec: codec.name
)
def test_ffmpeg_knows_every_option_and_value_of_the_table(codec: Codec) -> None:
    context = av.CodecContext.create(codec.codec, "w")
    known: dict[str, CodecOption] = {}
    for option in (*context.supported_options.generic, *context.supported_options.private):
        known[option.name] = option
    told = options(codec, EncodePreset())
    assert set(told) <= set(known)
    for name, value in told.items():
        choices = {choice.name for choice in known[name].choices}
        plain = value.replace(".", "", 1).isdigit()
        assert plain or not choices or value in choices, f"{name}={value}"
    assert {"bf", "g"} <= set(told) or codec is X264


def test_what_is_not_here_is_told_apart_from_what_is() -> None:
    found = {one.name: one for one in trials(PRESET, (320, 180), 25.0)}
    assert list(found) == ["x264", *(codec.name for codec in HARDWARE)]
    assert found["x264"].works
    assert found["x264"].ms is not None
    for one in found.values():
        assert one.works is (one.why == "")  # whatever this machine has
    if "h264_vaapi" not in av.codecs_available:
        assert found["vaapi"].why == "this FFmpeg does not have it"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"x264-params": "bframes=0:rc-lookahead=40:keyint=infinite"}, "late"),
        ({"flags": "+global_header"}, "keys"),
        ({"crf": "nonsense"}, "closed"),
        ({}, ""),
    ],
    ids=["lookahead", "no parameter sets", "an option it does not take", "well"],
)
def test_a_trial_notices_what_breaks_our_contract(change: dict[str, str], fault: str) -> None:
    codec = replace(X264, options={**X264.options, "preset": "ultrafast", **change})
    assert attempt(codec, PRESET, (320, 180), 25.0).fault == fault


def test_a_trial_ends_by_its_deadline() -> None:
    found = trial(X264, replace(PRESET, preset="veryslow"), (3840, 2160), 60.0, deadline=0.5)
    assert found.why == "its driver does not answer"


def test_an_encoder_that_was_named_and_is_not_here_is_said_once_and_x264_taken() -> None:
    said: list[str] = []
    (absent, *_rest) = [codec for codec in HARDWARE if codec.codec not in av.codecs_available]
    choice = Choice(replace(PRESET, encoder=absent.name), said.append)  # type: ignore[arg-type] # one of the literals
    choice._thread.join()
    assert choice.codec() is X264
    assert said == [
        f"{absent.title} cannot encode here (this FFmpeg does not have it), so x264 does; it needs {absent.needs()}."
    ]
    assert Choice(PRESET, said.append).codec() is X264
    assert len(said) == 1


class Show:
    """Frames at their pace, encoded and written as HLS; each is as bright as its number says."""

    def __init__(self, folder: Path, codec: Codec) -> None:
        self.said: list[str] = []
        self.preset = replace(PRESET, playlist_segments=0, segment_type="fmp4")
        self.encoder = PictureEncoder(self.preset, black(320, 180), 25.0, codec=codec, say=self.said.append)
        self.coded: list[Coded] = []
        self.hls = Hls(folder, self.preset, LOOK, [])
        self.folder = folder
        self.number = 0

    def frame(self, *, pace: float = 0.0) -> None:
        frame = black(320, 180)
        pixels(frame)[0][:] = 30 + self.number * 2 % 200
        self._write(self.encoder.encode(frame, Ticks(self.number * 3600)))
        self.number += 1
        time.sleep(pace)

    def end(self) -> None:
        self._write(self.encoder.flush())
        self.hls.close()

    def _write(self, coded: list[Coded]) -> None:
        self.coded += coded
        for packet in coded:
            self.hls.write(packet)

    def check(self) -> None:
        """Every frame is there, once, in order, and can be decoded to what it was."""
        stamps = [packet.stamp for packet in self.coded]
        assert stamps == [number * 3600 for number in range(self.number)]
        with av.open(str(self.folder / "index.m3u8")) as container:
            seen = [float(frame.to_ndarray(format="gray").mean()) for frame in container.decode(video=0)]
        wanted = [(30 + number * 2 % 200 - 16) * 255 / 219 for number in range(self.number)]
        assert np.abs(np.array(seen) - wanted).max() < 6


def test_an_encoder_that_raises_in_mid_show_is_replaced_and_nothing_is_lost(tmp_path: Path) -> None:
    show = Show(tmp_path, STAND_IN)
    for _turn in range(40):
        show.frame(pace=0.002)
    assert show.encoder.codec is STAND_IN
    works = show.encoder._works
    assert isinstance(works, Aside)
    works._due.put(Due(av.VideoFrame(), Ticks(40 * 3600), key=False))  # a picture without pixels ends it, in its thread
    for _turn in range(40):
        show.frame()
    assert show.encoder.codec is X264
    show.end()
    show.check()
    (sentence,) = show.said
    assert sentence.startswith("The encoder Stand-in stopped working, so x264 encodes from here on")
    assert 'CODECS="avc1.42' in (tmp_path / "master.m3u8").read_text()
    assert "#EXT-X-DISCONTINUITY\n" in (tmp_path / "index.m3u8").read_text()


def test_an_encoder_that_gives_nothing_more_is_replaced_within_a_second(tmp_path: Path) -> None:
    show = Show(tmp_path, STAND_IN)
    for _turn in range(40):
        show.frame(pace=0.002)
    works = show.encoder._works
    assert isinstance(works, Aside)
    # A picture that keeps it busy for longer than these frames take.
    works._due.put(Due(av.VideoFrame(6000, 6000, "rgb24"), Ticks(39 * 3600), key=False))
    silent = 0
    while show.encoder.codec is STAND_IN:
        show.frame()
        silent += 1
    assert silent <= PATIENCE * 25 + 2  # frames: 0.56 s of the show
    for _turn in range(30):
        show.frame()
    show.end()
    show.check()
    assert len(show.said) == 1
    assert 'CODECS="avc1.42' in (tmp_path / "master.m3u8").read_text()
    assert listed(tmp_path / "index.m3u8") == [f"seg-{number:05}.m4s" for number in range(3)]
