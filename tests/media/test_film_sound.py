"""The sound of films: at its own time, and the same whoever reads which part of it."""

from __future__ import annotations

import http.server
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.media import films

from studio import media
from studio.errors import MediaError
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

PER_MS = 16


def heard(source: Path | str, said: list[str] | None = None, **more: Any) -> NDArray[np.float32]:  # noqa: ANN401
    """All samples of a stretch, which have to follow each other from its beginning on."""
    at = more.get("begin", 0)
    parts = [np.zeros(0, np.float32)]
    for chunk in media.film_sound(source, say=(said if said is not None else []).append, **more).chunks():
        assert chunk.start == at
        at = chunk.end
        parts.append(chunk.samples)
    return np.concatenate(parts)


def beeps(sound: NDArray[np.float32]) -> list[int]:
    """Where a beep begins after a tenth of a second of silence, in milliseconds."""
    loud = np.flatnonzero(np.abs(sound) > 0.1)
    return [round(at / PER_MS) for at, before in zip(loud, np.r_[-9999, loud[:-1]], strict=True) if at - before > 1600]


def near(found: list[int], wanted: list[int], within: int = 5) -> bool:
    return len(found) == len(wanted) and all(abs(a - b) <= within for a, b in zip(found, wanted, strict=True))


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 65 s of noise, with a picture now and then."""
    folder = tmp_path_factory.mktemp("long")
    noise = ["-f", "lavfi", "-i", "anoisesrc=d=65:r=22050:a=0.3:seed=7", "-ac", "1"]
    picture = ["-f", "lavfi", "-i", "color=s=32x32:r=2:d=65", "-c:v", "libx264", "-preset", "ultrafast", "-g", "30"]
    films.ffmpeg(*picture[:4], *noise, *picture[4:], "-c:a", "aac", folder / "a.mp4")
    for name, how in (("a.mkv", ("-c", "copy")), ("a.ts", ("-c", "copy")), ("b.mp3", ("-vn",)), ("c.ogg", ("-vn",))):
        films.ffmpeg("-i", folder / "a.mp4", *how, folder / name)
    return folder


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "b.mp3", "c.ogg"])
def test_chunks_that_several_read_are_the_whole_that_one_reads(long: Path, name: str) -> None:
    whole = heard(long / name)
    assert abs(len(whole) / PER_MS - 65_000) < 100
    assert whole.std() > 0.05
    for begin, until in ((0, 700), (4321, 31_777), (61_234, None)):
        chunk = heard(long / name, begin=Ms(begin), until=None if until is None else Ms(until))
        assert np.array_equal(chunk, whole[begin * PER_MS : until and until * PER_MS]), (begin, until)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_delayed_track_is_heard_when_players_have_it(tmp_path: Path, name: str) -> None:
    film = films.delayed(tmp_path / name)
    assert near(beeps(heard(film)), [1500, 2500, 3500])
    assert near(beeps(heard(film, begin=Ms(2000))), [500, 1500])
    assert not heard(film, until=Ms(1000)).any()


def test_what_cannot_be_read_is_silence_and_what_follows_keeps_its_time(tmp_path: Path) -> None:
    said: list[str] = []
    found = beeps(heard(films.corrupt(tmp_path / "scratched.mkv"), said))
    assert near([at for at in found if not 1900 < at < 3900], [0, 1000, 4000, 5000])
    assert said
    assert all("scratched.mkv" in sentence and "00:00:0" in sentence for sentence in said)


def test_films_that_were_glued_together_go_on(tmp_path: Path) -> None:
    films.ffmpeg(*films.beeps(3), "-c:a", "mp2", tmp_path / "a.ts")
    (tmp_path / "b.ts").write_bytes((tmp_path / "a.ts").read_bytes() * 2)
    whole = heard(tmp_path / "b.ts")
    assert near(beeps(whole), [0, 1000, 2000, 3000, 4000, 5000], within=60)
    assert np.array_equal(heard(tmp_path / "b.ts", begin=Ms(4500), until=Ms(5500)), whole[72_000:88_000])


def test_one_of_twelve_tracks_and_one_of_six_channels(tmp_path: Path) -> None:
    film = films.twelve_tracks(tmp_path / "festival.mkv")

    def pitch(sound: NDArray[np.float32]) -> float:
        beep = sound[16_000:19_200]
        return float(np.argmax(np.abs(np.fft.rfft(beep))) / (len(beep) / 16_000))

    assert abs(pitch(heard(film)) - 300) < 6
    assert abs(pitch(heard(film, track=9)) - 700) < 6
    centre = heard(film, language="pl", channel="centre")
    assert abs(pitch(centre) - 500) < 6
    assert not np.any(np.abs(heard(film, track=5, channel="left")) > 0.01)
    assert np.array_equal(heard(film, track=5, channel=3), centre)
    for wrong in ({"track": 13}, {"track": 5, "channel": 7}, {"track": 1, "channel": "left"}):
        with pytest.raises(MediaError):
            heard(film, **wrong)


def test_without_sound_there_is_nothing_to_caption(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no sound"):
        heard(films.no_sound(tmp_path / "silent.mp4"))


class Ranges(http.server.SimpleHTTPRequestHandler):
    """A server that answers to byte ranges, as those of a cluster have to."""

    def do_GET(self) -> None:
        data = (self.server.folder / self.path.lstrip("/")).read_bytes()  # type: ignore[attr-defined]
        asked = (self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")
        first, last = int(asked[0]), int(asked[1] or len(data) - 1)
        self.send_response(206)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.send_header("Content-Length", str(max(0, last + 1 - first)))
        self.end_headers()
        self.wfile.write(data[first : last + 1])

    def log_message(self, *_about: object) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:  # whoever jumps on hangs up
            self.close_connection = True


@pytest.fixture
def server(long: Path) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ranges) as serving:
        serving.folder = long  # type: ignore[attr-defined]
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()
        thread.join()


def test_a_film_on_a_server_is_the_same(server: str, long: Path) -> None:
    assert media.film(f"{server}/a.mp4").length == media.film(long / "a.mp4").length
    there = heard(f"{server}/a.mkv", begin=Ms(40_000), until=Ms(45_000))
    assert np.array_equal(there, heard(long / "a.mkv", begin=Ms(40_000), until=Ms(45_000)))


def test_a_server_that_gives_films_only_whole_is_refused(long: Path) -> None:
    class Whole(Ranges):
        def do_GET(self) -> None:
            http.server.SimpleHTTPRequestHandler.do_GET(self)

        def translate_path(self, _path: str) -> str:
            return str(long / "a.mp4")

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Whole) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        try:
            with pytest.raises(MediaError, match=r"^The server of Żółw 2\.mp4 does not answer to byte ranges"):
                media.film(f"http://127.0.0.1:{serving.server_address[1]}/%C5%BB%C3%B3%C5%82w%202.mp4")
        finally:
            serving.shutdown()
            thread.join()


def test_a_server_that_has_no_such_film_is_named_without_what_the_address_hides(server: str) -> None:
    address = server.replace("http://", "http://user:word@")
    with pytest.raises(MediaError) as refused:
        media.film(f"{address}/none.mp4?key=secret")
    assert "none.mp4" in str(refused.value)
    assert "secret" not in str(refused.value)
    assert "word" not in str(refused.value)
