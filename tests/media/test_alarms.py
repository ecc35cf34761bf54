from __future__ import annotations

import http.server
import os
import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import av
import msgspec
import numpy as np
import pytest
from tests.media.test_loudness import film, talk, tone

from studio.events import Destination, RelayReport
from studio.media._air.picture import black
from studio.media._ground.alarms import Keeper, Kept, Watch
from studio.media._ground.clock import Ticks, ticks
from studio.media._ground.planes import pixels
from studio.media._ground.tape import AIR_RATE
from studio.media._leave.prober import NotPlayingError, Prober, Probers, segments

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from tests.media.relay_bench import Stage

    from studio.events import Alarm

HALL = -55.0
"""dBFS of a hall's noise, its peaks some 12 dB higher."""


class Evening:
    """A watch, and what it is shown, second by second."""

    def __init__(self) -> None:
        self.watch = Watch()
        self.at = 0
        self.raised: list[tuple[int, str]] = []
        """When which alarm was raised, or was over."""
        self._now: set[str] = set()

    def goes_on(
        self,
        seconds: int,
        *,
        picture: Callable[[int], av.VideoFrame] | None = None,
        sound: NDArray[np.int16] | None = None,
        came: bool = True,
    ) -> list[str]:
        """Return what is wrong at the end; `sound` is repeated."""
        for _second in range(seconds):
            for part in range(5):
                if picture is not None:
                    self.watch.picture(ticks(self.at + part / 5), picture(self.at * 5 + part))
                if sound is not None:
                    begin = (self.at * AIR_RATE + part * AIR_RATE // 5) % len(sound)
                    piece = np.take(sound, range(begin, begin + AIR_RATE // 5), axis=0, mode="wrap")
                    self.watch.sound(self.at * AIR_RATE + (part + 1) * AIR_RATE // 5, piece, came=came)
            self.at += 1
            now = {alarm.name for alarm in self.watch.alarms() if not alarm.over}
            self.raised += [(self.at, name) for name in sorted(now ^ self._now)]
            self._now = now
        return sorted(self._now)


def grey(light: int) -> av.VideoFrame:
    frame = black(320, 180)
    pixels(frame)[0][:] = light
    return frame


def black_picture(_number: int) -> av.VideoFrame:
    return black(320, 180)


def slide(_number: int) -> av.VideoFrame:
    frame = grey(200)
    pixels(frame)[0][40:60, 40:280] = 30
    return frame


def dark_stage(number: int) -> av.VideoFrame:
    """Nearly all of it black, somebody with a lamp."""
    frame = black(320, 180)
    pixels(frame)[0][90:98, 100 + number % 60 : 108 + number % 60] = 90
    return frame


def camera(number: int) -> av.VideoFrame:
    """Somebody's head moves."""
    frame = grey(90)
    pixels(frame)[0][60:100, 140 + number % 7 : 170 + number % 7] = 140
    return frame


def noise(level: float, seconds: float = 5, seed: int = 3) -> NDArray[np.int16]:
    chance = np.random.default_rng(seed).normal(size=(round(seconds * AIR_RATE), 2))
    return np.clip(chance * 32768 * 10 ** (level / 20), -32768, 32767).astype(np.int16)


NOTHING = np.zeros((AIR_RATE, 2), np.int16)


def one_leg(sound: NDArray[np.int16], dead: int) -> NDArray[np.int16]:
    legs = sound.copy()
    legs[:, dead] = 0
    return legs


def applause() -> NDArray[np.int16]:
    """Bursts that touch full scale now and then."""
    sound = noise(-16, 5).astype(np.int32)
    for at in range(0, len(sound), AIR_RATE // 3):
        sound[at : at + 400] *= 6
    return np.clip(sound, -32768, 32767).astype(np.int16)


def loud_music() -> NDArray[np.int16]:
    """Turned up until many peaks touch full scale, one to three samples each."""
    sound = noise(-9, 5).astype(np.int32)
    sound[np.abs(sound) > 30_000] = 32_767
    return np.clip(sound, -32768, 32767).astype(np.int16)


@pytest.mark.parametrize(
    ("picture", "sound"),
    [
        (dark_stage, noise(HALL)),
        (dark_stage, talk(-23, 12)),
        (camera, talk(-45, 12)),
        (camera, applause()),
        (camera, loud_music()),
        (camera, noise(HALL)),  # a minute's silence, and a long one
        (slide, talk(-30, 12)),
        (slide, noise(HALL)),
        (None, talk(-23, 12)),  # no picture at all
        (camera, None),  # no sound at all
    ],
)
def test_an_evening_as_it_should_be_alarms_nobody(
    picture: Callable[[int], av.VideoFrame] | None, sound: NDArray[np.int16] | None
) -> None:
    evening = Evening()
    evening.goes_on(200, picture=picture, sound=sound)
    assert evening.raised == []


def test_short_trouble_alarms_nobody() -> None:
    evening = Evening()
    for _time in range(3):
        evening.goes_on(15, picture=black_picture, sound=talk(-23, 12))  # a blackout with music
        evening.goes_on(3, picture=camera, sound=talk(-23, 12))
        evening.goes_on(6, picture=black_picture, sound=NOTHING)
        evening.goes_on(12, picture=camera, sound=NOTHING)
        evening.goes_on(9, picture=camera, sound=tone(6, 1))
        evening.goes_on(15, picture=camera, sound=one_leg(talk(-23, 12), 0))
        evening.goes_on(20, picture=camera, sound=talk(-23, 12))
    assert evening.raised == []


def test_black_is_told_once_and_so_is_its_end() -> None:
    evening = Evening()
    evening.goes_on(10, picture=camera, sound=talk(-23, 12))
    evening.goes_on(60, picture=black_picture, sound=talk(-23, 12))
    evening.goes_on(20, picture=camera, sound=talk(-23, 12))
    assert [name for _at, name in evening.raised] == ["black", "black"]
    assert [at for at, _name in evening.raised] == pytest.approx([31, 72], abs=1)


def test_black_without_sound_is_told_sooner() -> None:
    evening = Evening()
    evening.goes_on(10, picture=camera, sound=talk(-23, 12))
    evening.goes_on(12, picture=black_picture, sound=NOTHING)
    assert [name for _at, name in evening.raised] == ["black"]
    assert evening.raised[0][0] == pytest.approx(19, abs=2)


def test_one_flash_is_no_picture() -> None:
    evening = Evening()
    evening.goes_on(30, picture=black_picture, sound=talk(-23, 12))
    evening.goes_on(1, picture=camera, sound=talk(-23, 12))
    assert evening.goes_on(10, picture=black_picture, sound=talk(-23, 12)) == ["black"]
    assert len(evening.raised) == 1


def test_what_stands_still_and_is_silent_for_minutes_is_frozen() -> None:
    evening = Evening()
    evening.goes_on(10, picture=camera, sound=talk(-23, 12))
    evening.goes_on(130, picture=slide, sound=NOTHING)
    evening.goes_on(5, picture=camera, sound=talk(-23, 12))
    told = [name for _at, name in evening.raised]
    assert told[:2] == ["silent", "frozen"]
    assert sorted(told[2:]) == ["frozen", "silent"]
    assert evening.raised[0][0] == pytest.approx(31, abs=2)
    assert evening.raised[1][0] == pytest.approx(131, abs=2)


def test_silence_is_told_and_a_cough_does_not_end_it() -> None:
    evening = Evening()
    evening.goes_on(25, picture=camera, sound=NOTHING)
    assert evening.goes_on(1, picture=camera, sound=noise(-30)) == ["silent"]
    assert evening.goes_on(3, picture=camera, sound=noise(-30)) == []
    assert [name for _at, name in evening.raised] == ["silent", "silent"]


def test_a_source_that_sends_pictures_and_no_more_sound_is_silent_and_one_that_is_gone_is_not() -> None:
    evening = Evening()
    evening.goes_on(5, picture=camera, sound=talk(-23, 12))
    assert evening.goes_on(60, sound=NOTHING, came=False) == []  # the slate: told by the source's own state
    assert evening.goes_on(25, picture=camera, sound=NOTHING, came=False) == ["silent"]


@pytest.mark.parametrize("over", [3.0, 12.0])
def test_sound_that_is_cut_off_is_told(over: float) -> None:
    cut = talk(-14, 12).astype(np.int32)
    cut = np.clip(cut * (10 ** (over / 20) * 32768 / np.abs(cut).max()), -32768, 32767).astype(np.int16)
    loud = np.clip(tone(0, 1).astype(np.int32) * 2, -32768, 32767).astype(np.int16)
    evening = Evening()
    evening.goes_on(40, picture=camera, sound=cut if over > 6 else loud)
    assert [name for _at, name in evening.raised] == ["clipped"]
    assert evening.goes_on(19, picture=camera, sound=talk(-23, 12)) == ["clipped"]
    assert evening.goes_on(12, picture=camera, sound=talk(-23, 12)) == []


@pytest.mark.parametrize(("dead", "name"), [(0, "left"), (1, "right")])
def test_a_channel_without_sound_is_told(dead: int, name: str) -> None:
    evening = Evening()
    evening.goes_on(30, picture=camera, sound=one_leg(talk(-23, 12), dead))
    evening.goes_on(10, picture=camera, sound=talk(-23, 12))
    assert [told for _at, told in evening.raised] == [name, name]


def test_stereo_that_leans_to_one_side_is_stereo() -> None:
    leaning = talk(-23, 12)
    leaning[:, 0] = leaning[:, 0] // 30  # 30 dB
    evening = Evening()
    evening.goes_on(120, picture=camera, sound=leaning)
    assert evening.raised == []


def test_the_sentences_say_what_to_do_and_when_it_began() -> None:
    evening = Evening()
    evening.goes_on(25, picture=black_picture, sound=talk(-23, 12))
    [alarm] = evening.watch.alarms()
    assert alarm.sentence == "The picture is black and stays so; look at the camera, its lens cap and its cable."
    assert alarm.since == pytest.approx(20_000, abs=1000)
    evening.goes_on(5, picture=camera, sound=talk(-23, 12))
    [alarm] = evening.watch.alarms()
    assert alarm.over == "There is a picture again."


def test_a_picture_that_cannot_be_looked_at_breaks_nothing() -> None:
    evening = Evening()
    evening.watch._small = None  # type: ignore[assignment] # whatever may break there
    evening.goes_on(3, picture=camera, sound=talk(-23, 12))
    assert evening.goes_on(30, picture=camera, sound=NOTHING) == ["silent"]


@pytest.mark.shared
@pytest.mark.parametrize("name", ["en/shakespeare_sonnet1.mp3", "other/song_fishin_vocals.ogg", "other/noise_rain.mp3"])
@pytest.mark.parametrize("gain", [0, -20])
def test_speech_song_and_rain_alarm_nobody(shared: Path, name: str, gain: float) -> None:
    with av.open(str(shared / "data" / name)) as container:
        to_stereo = av.AudioResampler("s16", "stereo", AIR_RATE)
        pieces = [piece.to_ndarray() for frame in container.decode(audio=0) for piece in to_stereo.resample(frame)]
    whole = np.concatenate(pieces, axis=1).reshape(-1, 2).astype(np.float32)
    sound = (whole * 10 ** (gain / 20)).astype(np.int16)
    evening = Evening()
    evening.goes_on(len(sound) // AIR_RATE, picture=camera, sound=sound)
    assert evening.raised == []


# ── what is written ───────────────────────────────────────────────────────────────────────────────────────────────────


def looks(keeper: Keeper, count: int) -> list[Alarm]:
    for _time in range(count):
        keeper.look(1.0)
    return [alarm for alarm in keeper.alarms() if not alarm.over]


def test_a_recording_that_does_not_grow_and_a_playlist_that_stands_still(tmp_path: Path) -> None:
    live = [True]
    part, playlist = tmp_path / "recording.part-001.ts", tmp_path / "index.m3u8"
    kept = [
        Kept("recording", tmp_path, "recording.part-*.ts", 10, lambda: live[0]),
        Kept("hls", tmp_path, "index.m3u8", 10, lambda: live[0], playlist=True),
    ]
    keeper = Keeper(lambda: kept, lambda: Ticks(0))
    assert looks(keeper, 30) == []  # nothing is there yet
    part.write_bytes(b"1")
    playlist.write_text("#EXTM3U\n#EXTINF:2,\nseg-00001.ts\n", encoding="utf-8")
    assert looks(keeper, 9) == []
    part.write_bytes(b"12")
    alarms = looks(keeper, 5)
    assert [alarm.name for alarm in alarms] == ["still:hls"]
    assert alarms[0].sentence == (
        f"The playlist {playlist} stands still, so nobody can watch on; look at the disk that it is on."
    )
    assert [alarm.name for alarm in looks(keeper, 10)] == ["still:recording", "still:hls"]
    live[0] = False  # the outputs have failed, and said so: nothing is known, and nothing is over
    assert [alarm.name for alarm in looks(keeper, 10)] == ["still:recording", "still:hls"]
    live[0] = True
    (tmp_path / "recording.part-002.ts").write_bytes(b"3")
    playlist.write_text("#EXTM3U\n#EXTINF:2,\nseg-00002.ts\n", encoding="utf-8")
    assert [alarm.name for alarm in looks(keeper, 1)] == ["still:recording", "still:hls"]  # first look since
    (tmp_path / "recording.part-002.ts").write_bytes(b"34")
    playlist.write_text("#EXTM3U\n#EXTINF:2,\nseg-00003.ts\n", encoding="utf-8")
    assert looks(keeper, 1) == []
    assert keeper.alarms()[0].over == f"The recording {part} grows again."
    assert [alarm.over.split()[-1] for alarm in keeper.alarms()] == ["again.", "again."]


def test_a_disk_that_hangs_whoever_looks_at_it_is_told(tmp_path: Path) -> None:
    stuck = tmp_path / "index.m3u8"
    os.mkfifo(stuck)  # whoever opens it waits
    kept = [
        Kept("recording", tmp_path, "recording.part-*.ts", 0.2, lambda: True),
        Kept("hall", tmp_path, stuck.name, 0.2, lambda: True, playlist=True),
        Kept("copy", tmp_path, "copy*.mp4", 0.2, lambda: True),
    ]
    keeper = Keeper(lambda: kept, lambda: Ticks(0), every=0.02)
    keeper.start()
    soon(keeper.alarms)
    assert [alarm.name for alarm in keeper.alarms()] == ["still:hall"]
    keeper.stop()
    stuck.open("w").close()


def test_what_is_kept_no_more_is_not_told_of(tmp_path: Path) -> None:
    (tmp_path / "copy.mp4").write_bytes(b"1")
    kept = [Kept("copy", tmp_path, "copy*.mp4", 3, lambda: True)]
    keeper = Keeper(lambda: kept, lambda: Ticks(0))
    assert [alarm.name for alarm in looks(keeper, 5)] == ["still:copy"]
    kept.clear()
    assert looks(keeper, 1) == []
    assert keeper.alarms() == ()


# ── what viewers see ──────────────────────────────────────────────────────────────────────────────────────────────────


class Platform:
    """Serves a playlist as a platform would, or fails in some way."""

    def __init__(self) -> None:
        self.segment = 0
        self.moves = True
        self.mood = "well"
        self.asked = 0


@contextmanager
def platform() -> Iterator[tuple[Platform, str]]:
    served = Platform()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked += 1
            if self.path == "/master.m3u8":
                body = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow/index.m3u8\n"
            else:
                served.segment += served.moves
                number = served.segment
                body = f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:{number}\n#EXTINF:2,\nseg-{number}.ts?token={served.asked}\n"
            if served.mood == "over":
                body += "#EXT-X-ENDLIST\n"
            if served.mood == "page":
                body = "<html>Watch!</html>"
            self.send_response({"gone": 404, "busy": 429}.get(served.mood, 200))
            self.end_headers()
            if served.mood == "drips":
                for letter in body:
                    self.wfile.write(letter.encode())
                    time.sleep(0.1)  # what a poor server does
            else:
                self.wfile.write(body.encode())

        def log_message(self, *_all: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield served, f"http://127.0.0.1:{server.server_port}/master.m3u8"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def soon(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def quick(address: str) -> Prober:
    destination = Destination("Hall TV", "rtmp", "rtmp://127.0.0.1/live", look_at=address)
    return Prober(destination, lambda: Ticks(0), every=0.03, deadline=1.5, first_after=1.0, still_after=1.0)


def unseen(prober: Prober) -> list[Alarm]:
    return [alarm for alarm in prober.alarms() if not alarm.over]


def test_a_destination_whose_playlist_stops_is_told_and_its_return_too() -> None:
    with platform() as (served, address):
        prober = quick(address)
        try:
            soon(lambda: served.asked == 0)
            prober.on_air(so=True)
            soon(lambda: served.segment > 3)
            assert unseen(prober) == []
            served.moves = False
            soon(lambda: unseen(prober))
            assert unseen(prober)[0].sentence == (
                f"Hall TV takes the programme, but {address} does not play it; see on the page of Hall TV whether the"
                " broadcast has to be started."
            )
            served.moves = True
            soon(lambda: not unseen(prober))
            assert [alarm.over for alarm in prober.alarms()] == ["Hall TV plays the programme."]
        finally:
            prober.stop()


@pytest.mark.parametrize("mood", ["gone", "over", "page"])
def test_a_destination_that_never_plays_is_told(mood: str) -> None:
    with platform() as (served, address):
        served.mood = mood
        prober = quick(address)
        try:
            prober.on_air(so=True)
            soon(lambda: unseen(prober))
            told = "is no HLS playlist" if mood == "page" else "does not play it"
            assert told in unseen(prober)[0].sentence
            prober.on_air(so=False)  # now its own state says more
            prober.on_air(so=True)
            served.mood = "well"
            soon(lambda: not unseen(prober))
        finally:
            prober.stop()


@pytest.mark.parametrize("mood", ["busy", "drips"])
def test_what_cannot_be_looked_at_is_not_told_of(mood: str) -> None:
    with platform() as (served, address):
        served.mood = mood
        prober = quick(address)
        try:
            prober.on_air(so=True)
            soon(lambda: prober._blind)
            assert prober._on_air_since is not None
            prober._on_air_since -= 60
            assert unseen(prober) == []
            served.mood = "gone"
            soon(lambda: unseen(prober))
        finally:
            prober.stop()


def test_a_destination_that_is_not_on_the_air_is_not_looked_at() -> None:
    with platform() as (served, address):
        prober = quick(address)
        try:
            assert not threading.Event().wait(0.3)
            assert (served.asked, unseen(prober)) == (0, [])
        finally:
            prober.stop()


def test_there_is_a_prober_for_each_destination_that_says_where_to_look() -> None:
    with platform() as (served, address):
        probers = Probers(lambda: Ticks(0))
        seen = Destination("TV", "rtmp", "rtmp://127.0.0.1/live", look_at=address)
        unseen_ = Destination("Elsewhere", "srt", "srt://127.0.0.1:9000")
        assert probers.follow((seen, unseen_), ["TV"]) == ()
        assert list(probers._probers) == ["TV"]
        [first] = probers._probers.values()
        probers.follow((msgspec.structs.replace(seen, address="rtmp://127.0.0.1/other"),), ())
        assert first._ended.is_set()
        probers.stop()
        assert probers._probers == {}
        assert served.mood == "well"


def test_what_moves_in_a_playlist_is_not_its_tokens() -> None:
    with platform() as (served, address):
        served.moves = False
        later = time.monotonic() + 60
        assert segments(address, later) == segments(address, later) == ("0", "1", "seg-0.ts")
        with pytest.raises(NotPlayingError):
            segments("file:///etc/passwd", later)


# ── the whole ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def dead_channel(tmp_path: Path, stage: Stage) -> None:
    played = tmp_path / "film.mp4"
    sound = np.concatenate([one_leg(talk(-20, 25), 1), talk(-20, 8)])
    film(played, sound)
    relay = await stage.relays.start(f"file:{played}", captions=False)
    await relay.until(lambda: relay.reported and relay.report.alarms)
    [alarm] = relay.report.alarms
    assert (alarm.name, alarm.over) == ("right", "")
    assert alarm.sentence == "Only the left channel has sound; look at the right cable between mixer and encoder."
    await relay.until(lambda: relay.report.alarms and relay.report.alarms[0].over)
    assert relay.report.alarms[0].since == alarm.since
    assert await relay.ended() == 0
    await stage.over.wait()
    assert relay.report.alarms == ()


async def nothing_wrong(clip: Path, stage: Stage) -> None:
    relay = await stage.relays.start(f"file:{clip}")
    assert await relay.ended() == 0
    await stage.over.wait()
    assert not any(message.alarms for message in relay.said if isinstance(message, RelayReport))


async def test_a_relay_tells_of_a_dead_channel_once_and_of_its_end_once_and_of_nothing_that_is_well(
    together: Callable[..., Awaitable[None]], clip: Path, tmp_path: Path
) -> None:
    await together(partial(dead_channel, tmp_path), partial(nothing_wrong, clip))
