from __future__ import annotations

import av
import numpy as np
import pytest

from studio.media._ground.clock import Ticks, ticks
from studio.media._ground.tape import AIR_RATE, Arrival, Tape
from studio.units import Ms


def tone(count: int, value: int = 1000) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    return np.full((count, 2), value, np.int16)


def test_what_nobody_laid_down_is_silence() -> None:
    tape = Tape(1)
    tape.lay(100, tone(50))
    begin, heard = tape.read(200)
    assert (begin, len(heard), tape.begin, tape.end) == (0, 200, 100, 150)
    assert np.flatnonzero(heard[:, 0]).tolist() == list(range(100, 150))
    assert not tape.read(48_000 + 200)[1].any()  # once around: what was read is wiped


def test_what_comes_too_late_or_too_early_is_lost() -> None:
    tape = Tape(1)
    tape.read(1000)
    tape.lay(900, tone(200))
    tape.lay(60_000, tone(10))
    begin, heard = tape.read(1200)
    assert begin == 1000
    assert np.flatnonzero(heard[:, 0]).tolist() == list(range(100))


def test_the_peak_is_told_once() -> None:
    tape = Tape(1)
    tape.lay(0, tone(10, 16384))
    assert tape.peak() == pytest.approx(-6.0, abs=0.1)
    assert tape.peak() is None


@pytest.mark.parametrize(("rate", "layout"), [(44_100, "mono"), (48_000, "stereo"), (32_000, "5.1")])
def test_sound_of_any_kind_keeps_its_place(rate: int, layout: str) -> None:
    tape, chunks = Tape(5), list[tuple[Ms, bytes]]()
    arrival = Arrival(tape, lambda start, samples: chunks.append((start, samples)))
    channels = {"mono": 1, "stereo": 2, "5.1": 6}[layout]
    whole = np.zeros((channels, 2 * rate), np.float32)
    whole[:, rate : rate + rate // 10] = 0.5
    for at in range(0, 2 * rate, 1000):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(whole[:, at : at + 1000]), "fltp", layout)
        frame.sample_rate = rate
        jitter = 45 if at % 3000 else -45  # stamps rounded to milliseconds
        arrival.take(frame, Ticks(ticks(at / rate) + jitter))
    arrival.flush()
    air = np.flatnonzero(np.abs(tape.read(2 * AIR_RATE)[1][:, 0]) > 3000)
    assert air[0] / AIR_RATE == pytest.approx(1.0, abs=0.003)
    assert air[-1] / AIR_RATE == pytest.approx(1.1, abs=0.003)
    speech = np.frombuffer(b"".join(samples for _start, samples in chunks), np.int16)
    assert np.flatnonzero(np.abs(speech) > 3000)[0] / 16_000 == pytest.approx(1.0, abs=0.003)
    assert [start for start, _samples in chunks] == [100 * n for n in range(len(chunks))]


def test_a_gap_in_the_sound_is_a_jump_for_the_recogniser() -> None:
    chunks = list[tuple[Ms, bytes]]()
    arrival = Arrival(Tape(5), lambda start, samples: chunks.append((start, samples)))
    for at in (0, 480, 48_000, 48_480):
        arrival.take_raw(tone(480), 48_000, Ticks(at * 90_000 // 48_000))
    arrival.flush()
    assert [start for start, _samples in chunks] == [0, pytest.approx(1000, abs=2)]
