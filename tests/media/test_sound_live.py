"""Sound that comes at its own pace: what is lost stays a hole in time, what only comes late does not."""

from __future__ import annotations

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.media.test_relay_microphone import Hall
from tests.media.test_sound import stamped

from studio import media
from studio.errors import MediaError
from studio.media._arrive.sound_live import Arrivals
from studio.sound import SPEECH_RATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from studio.sound import AudioChunk

    Serve = Callable[..., str]


LISTENS = """
import logging, sys
from studio import media

logging.basicConfig(level=logging.INFO, format="LOG %(message)s", stream=sys.stdout)
end = 0
for chunk in media.open_sound("mic:hall_micro", lambda said: print("SAID", said, flush=True)).chunks():
    if not end or chunk.start != end:
        print("FROM", end, chunk.start, flush=True)
    end = chunk.end
"""


def steady(begin: float, end: float, of: float = 1.0) -> list[tuple[float, float]]:
    """When so many seconds of sound come, of which each tenth holds only the part `of`."""
    return [(begin + (n + 1) / 10, of / 10) for n in range(round((end - begin) * 10))]


@pytest.mark.parametrize(
    ("coming", "holes"),
    [
        (steady(0, 20), []),
        ([*steady(0, 5), *steady(10, 14)], [(5.0, 5000)]),
        ([*steady(0, 5), (10.1, 5.1), *steady(10.1, 14)], []),
        ([*steady(0, 5), *((10.0 + n / 50, 0.5) for n in range(11)), *steady(10.5, 16)], []),
        ([(n * 6 + 0.1, 6.0) for n in range(5)], []),
    ],
    ids=["steady", "lost for five seconds", "held up and sent at once", "held up and sent in pieces", "HLS in gusts"],
)
def test_only_what_was_lost_leaves_a_hole(coming: list[tuple[float, float]], holes: list[tuple[float, int]]) -> None:
    arrivals, found, placed = Arrivals(), [], 0
    for now, seconds in coming:
        samples, lost = arrivals.take(np.zeros(round(seconds * SPEECH_RATE), np.float32), now)
        if lost:
            found.append((placed / SPEECH_RATE, lost))
        placed += len(samples)
    assert [(at, round(lost, -2)) for at, lost in found] == holes
    assert placed == sum(round(seconds * SPEECH_RATE) for _now, seconds in coming)


def test_a_line_that_loses_half_of_everything_is_in_time_again_and_again() -> None:
    arrivals, length, placed = Arrivals(), 0.0, 0
    for now, seconds in [*steady(0, 4), *steady(4, 20, 0.5)]:
        samples, lost = arrivals.take(np.zeros(round(seconds * SPEECH_RATE), np.float32), now)
        placed += len(samples)
        length += len(samples) / SPEECH_RATE + lost / 1000
    assert 20 - length < 3
    assert length <= 20


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Answer call after call with these bytes, an error of HTTP, or nothing at all; then with the last for ever."""
    running: list[ThreadingHTTPServer] = []

    def begin(*answers: bytes | int | None) -> str:
        left = list(answers)

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = left.pop(0) if len(left) > 1 else left[0]
                if isinstance(answer, int):
                    self.send_error(answer)
                    return
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer or b"")

            def log_message(self, *_said: object) -> None:
                """Not on our screen."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        running.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/live.ts"

    yield begin
    for server in running:
        server.shutdown()
        server.server_close()


def listen(url: str, until: Callable[[list[AudioChunk], list[str]], bool]) -> tuple[list[AudioChunk], list[str]]:
    said: list[str] = []
    chunks: list[AudioChunk] = []
    sound = media.open_sound(url, said.append)
    for chunk in sound.chunks():
        chunks.append(chunk)
        if until(chunks, said):
            break
    sound.stop()
    return chunks, said


def test_stamps_that_jump_on_the_air_neither_stop_the_sound_nor_leave_holes(tmp_path: Path, serve: Serve) -> None:
    stamped(tmp_path / "a.ts", 20.0, 33.0, 20.0)
    chunks, said = listen(serve((tmp_path / "a.ts").read_bytes()), lambda heard, _said: heard[-1].end >= 8900)
    assert all(after.start == before.end for before, after in pairwise(chunks))
    assert said == []


def test_a_line_that_drops_is_called_until_it_answers_and_time_went_on(tmp_path: Path, serve: Serve) -> None:
    stamped(tmp_path / "a.ts", 20.0)
    sent = (tmp_path / "a.ts").read_bytes()
    chunks, said = listen(serve(sent, 503, sent), lambda heard, said: len(said) > 1 and heard[-1].end > 0)
    assert ["is called again" in sentence for sentence in said] == [True, False]
    assert chunks[-1].end > chunks[-2].end + 300
    assert [chunk.start for chunk in chunks] == sorted(chunk.start for chunk in chunks)


@pytest.mark.parametrize("answer", [404, None])
def test_an_address_without_sound_is_refused(serve: Serve, answer: int | None) -> None:
    with pytest.raises(MediaError, match="is the address right"):
        listen(serve(answer), lambda _heard, _said: False)


def test_a_microphone_whose_sound_server_is_away_for_long_is_waited_for(tmp_path: Path) -> None:
    hall = Hall(tmp_path / "hall")
    hall.switch_on()
    try:
        with subprocess.Popen(
            [sys.executable, "-c", LISTENS],
            env=hall.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdout is not None

            def until(part: str) -> str:
                for line in process.stdout or ():
                    if part in line:
                        return line
                raise AssertionError(part)

            until("FROM 0 ")
            hall.switch_off()
            assert "hall_microphone gives no sound" in until("SAID")
            until("LOG There is no")
            until("LOG There is no")
            hall.switch_on()
            assert "back" in until("SAID")
            _from, ended, began = until("FROM").split()
            process.kill()
        assert int(began) - int(ended) > 2000
    finally:
        hall.switch_off()
