"""Playing while recording, on a real sound server: what is sung to the song is where the song is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from tests.vocal.booth import RATE, Booth, Ear

from studio import media
from studio.errors import MediaError, VocalError
from studio.events import ArmedTrack, Backing, Click, MeasureLatency, Monitor, StartTake, Stretch, TakeEnded
from studio.units import Decibels
from studio.vocal import Recorder, RecorderPlan
from studio.vocal._click import click_sound
from studio.vocal._playback import Playback

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

TRACKS = (ArmedTrack(1, "Ona"), ArmedTrack(2, "Jurgis"))


def song(path: Path, *clicks: float, seconds: float = 2.0, rate: int = RATE) -> Backing:
    """Write a backing of one channel that clicks at these seconds."""
    sound = np.zeros(round(seconds * rate))
    for at in clicks:
        one = click_sound(rate, first=True) / 2
        sound[round(at * rate) :][: len(one)] += one
    soundfile.write(path, sound, rate, subtype="PCM_24")
    return Backing(str(path))


def late(sound: NDArray[np.float32], at: float) -> int:
    """Return how many frames after second `at` the click is that is next to it."""
    room = RATE // 10
    first = round(at * RATE) - room
    begin = max(0, first)
    fits = np.correlate(sound[begin : first + 2 * room + 1440], click_sound(RATE, first=True), "valid")
    assert fits.max() > 5, "there is no click"
    return int(np.argmax(fits)) + begin - first - room


@pytest.fixture
def playback(booth: Booth) -> Iterator[Playback]:
    assert booth.folder.exists()
    found = Playback("booth", RATE, 2)
    yield found
    found.close()


def take(**wishes: Any) -> StartTake:  # noqa: ANN401
    return StartTake(1, TRACKS, **wishes)


def test_takes_begin_where_the_song_does_to_a_frame(playback: Playback, tmp_path: Path) -> None:
    backing = song(tmp_path / "song.wav", 0.25, 0.75, seconds=1.0, rate=44_100)
    with Ear("booth_mic", playback.heard) as ear:
        playback.follow(ear.lead)
        one = playback.prepare(take(backing=backing), ear.frames)
        assert one.first_frame > ear.frames
        assert one.offset == 0
        latency = playback.latency
        assert latency is not None
        assert 0 < latency < RATE
        assert (playback.spread or 0) < 2
        sound = ear.part(one.first_frame, RATE)
        assert [abs(late(sound[:, side], at)) <= 1 for side in (0, 1) for at in (0.25, 0.75)] == [True] * 4
        playback.stop()

        two = playback.prepare(take(backing=backing, click=Click(240, beats=2, count_in=1)), ear.frames)
        counted = ear.part(two.first_frame - RATE // 2, RATE)[:, 0]
        assert abs(late(counted, 0)) <= 1
        assert abs(late(counted, 0.75)) <= 1
        playback.stop()

        parts = playback.prepare(take(backing=backing, loop=Stretch(0.5, 0.9), lead=0.25), ear.frames)
        assert (parts.frames, parts.offset, parts.loops) == (round(0.4 * RATE), 0.5, True)
        passes = ear.part(parts.first_frame, RATE)[:, 1]
        assert [abs(late(passes, at)) <= 1 for at in (0.25, 0.65)] == [True] * 2
        assert playback.latency == latency  # one ping was enough
        playback.adjust(Monitor(backing=Decibels(-20)))
        soft = ear.part(ear.frames + RATE // 3, RATE // 2)[:, 0]
        assert np.abs(soft).max() == pytest.approx(np.abs(passes).max() / 10, rel=0.2)
        playback.stop()
        assert not ear.part(ear.frames + RATE // 3, RATE // 2).any()


async def test_what_the_recorder_writes_begins_with_the_song(booth: Booth, tmp_path: Path) -> None:
    session = tmp_path / "session"
    session.mkdir()
    plan = RecorderPlan(session, tmp_path / "line", "booth_mic", RATE, 2, output="booth")
    wish = take(backing=song(tmp_path / "song.wav", 0.25, 0.75), punch=Stretch(0.5, 1.0), lead=0.25)
    async with Recorder(plan, env=booth.env) as recorder, recorder.messages() as messages:
        started = await recorder.start_take(wish)
        async for message in messages:
            if isinstance(message, TakeEnded):
                break
    assert started.backing_offset == 0.5, (session / "recorder.log").read_text()
    sound, rate = soundfile.read(session / started.path, dtype="float32")
    assert (len(sound), rate) == (RATE // 2, RATE)
    assert abs(late(sound[:, 0], 0.25)) <= 1


def test_a_backing_that_is_over_is_told_and_the_take_goes_on(playback: Playback, tmp_path: Path) -> None:
    backing = song(tmp_path / "short.wav", 0.1, seconds=0.3)
    with Ear("booth_mic", playback.heard) as ear:
        playback.follow(ear.lead)
        playback.prepare(take(backing=backing, seconds=9), ear.frames)
        assert playback.detail == "short.wav is over after 0.3 s of the take; what follows is recorded without it."
        playback.stop()
        cue = playback.prepare(take(backing=backing), ear.frames)
        assert playback.detail == ""
        ear.until(lambda: playback.detail.startswith("short.wav is over"))
        assert ear.frames > cue.first_frame


def test_what_cannot_be_played_is_one_sentence_and_nothing_sounds(playback: Playback, tmp_path: Path) -> None:
    (tmp_path / "score.pdf").write_bytes(b"%PDF-1.4")
    backing = song(tmp_path / "song.wav", 0.1)
    with Ear("booth_mic", playback.heard) as ear:
        playback.follow(ear.lead)
        with pytest.raises(MediaError, match="score"):
            playback.prepare(take(backing=Backing(str(tmp_path / "score.pdf"))), ear.frames)
        with pytest.raises(VocalError, match="there is no channel 7"):
            playback.prepare(take(backing=Backing(backing.path, outputs=(1, 7))), ear.frames)
        assert playback.prepare(take(), 1234).first_frame == 1234
        with pytest.raises(MediaError, match=r"There is no sound output 'balcony'; there are: .*booth"):
            Playback("balcony", RATE, 2).prepare(take(backing=backing), ear.frames)
        assert not ear.part(0, ear.frames).any()


def test_without_a_ping_and_without_the_output_the_take_is_recorded(booth: Booth, tmp_path: Path) -> None:
    backing = song(tmp_path / "song.wav", 0.2, seconds=20)
    playback = Playback("booth", RATE, 2)
    with Ear("wall_mic", playback.heard) as ear:
        playback.follow(ear.lead)
        cue = playback.prepare(take(backing=backing), ear.frames)
        assert cue.first_frame > ear.frames - RATE
        assert playback.latency is None
        assert playback.detail.startswith("The ping was not heard")
        with pytest.raises(VocalError, match="from output 2 was not heard on input 1; hold a headphone"):
            playback.measure(MeasureLatency(output=2))
        booth.unplug()
        ear.until(lambda: playback.state == "degraded")
        assert playback.detail == "booth takes no more sound; is it plugged in, and does the sound server run?"
        at = ear.frames
        ear.until(lambda: ear.frames > at + RATE // 2)  # the input hears on
        playback.stop()
        with pytest.raises(MediaError):
            playback.prepare(take(backing=backing), ear.frames)
        booth.plug()
        playback.gone()  # as when the input went, too
        playback.prepare(take(backing=backing), ear.frames)
        assert [playback.state] == ["online"]
        playback.close()


def test_an_output_that_ran_dry_says_so_and_goes_on_in_its_place(booth: Booth) -> None:
    assert booth.folder.exists()
    stumbles = [True]

    def clicks(start: int, frames: int) -> NDArray[np.float32]:
        """Click each second; hold everything up once."""
        if start > RATE // 2 and stumbles:
            stumbles.pop()
            time.sleep(0.5)
        whole = np.zeros((RATE, 1), np.float32)
        one = click_sound(RATE, first=True)
        whole[: len(one), 0] = one / 2
        return whole[(start + np.arange(frames)) % RATE]

    told: list[Any] = []
    player = media.player("booth", RATE, 2, gone=told.append, dry=told.append)
    with Ear("booth_mic") as ear, player:
        ear.until(lambda: player.lead is not None)
        player.play(clicks, player.frames + RATE // 4)
        ear.until(lambda: bool(told))
        assert told[0].frames > RATE // 20
        assert player.dry == told
        sound = ear.part(0, ear.frames + 2 * RATE)[:, 0]
    loud = np.flatnonzero(np.abs(sound) > 0.1)
    begins = np.array([at for at, before in zip(loud, np.r_[-RATE, loud[:-1]], strict=True) if at - before > RATE // 2])
    beside = (begins - begins[0] + RATE // 2) % RATE - RATE // 2
    assert np.all(np.abs(beside[-1:]) < 3 * RATE // 1000)
