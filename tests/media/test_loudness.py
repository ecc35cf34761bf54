from __future__ import annotations

import subprocess
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.media.relay_bench import see

from studio.media._air.loudness import Leveller, Limiter, Meter, SoundDesk
from studio.media._ground.tape import AIR_RATE
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from tests.media.relay_bench import Relays, Stage

    from studio.events import Loudness

BLOCK = 961
"""About what the air reads at once; no multiple of anything."""


def tone(level: float, seconds: float, hertz: float = 1000, phase: float = 0.0) -> NDArray[np.int16]:
    """A stereo sine whose peaks are at `level` dBFS: of 1 kHz, its loudness is the same figure in LUFS."""
    at = np.arange(round(seconds * AIR_RATE)) / AIR_RATE
    wave = 10 ** (level / 20) * np.sin(2 * np.pi * hertz * at + phase)
    return np.repeat(np.rint(wave * 32767).astype(np.int16)[:, None], 2, axis=1)


def talk(level: float, seconds: float, seed: int = 1) -> NDArray[np.int16]:
    """Noise in syllables, with a pause of half a second in every three: about as loud as `level` says."""
    chance = np.random.default_rng(seed)
    at = np.arange(round(seconds * AIR_RATE)) / AIR_RATE
    noise = np.cumsum(chance.normal(size=len(at)))
    noise = np.convolve(np.diff(noise, prepend=0), np.ones(12) / 12, "same")
    noise *= (0.25 + np.abs(np.sin(2 * np.pi * 2.1 * at))) * (at % 3 < 2.5)
    quiet = np.repeat(np.rint(noise / np.abs(noise).max() * 3000).astype(np.int16)[:, None], 2, axis=1)
    measured = measure(quiet).integrated
    assert measured is not None
    return np.clip(np.rint(quiet * 10 ** ((level - measured) / 20)), -32768, 32767).astype(np.int16)


def measure(sound: NDArray[np.int16]) -> Loudness:
    meter = Meter()
    for at in range(0, len(sound), BLOCK):
        meter.take(sound[at : at + BLOCK])
    return meter.read


def levelled(desk: SoundDesk, sound: NDArray[np.int16]) -> NDArray[np.int16]:
    """What comes out, in the place where it belongs."""
    out = np.zeros_like(sound)
    for begin in range(0, len(sound), BLOCK):
        at, piece = desk.take(begin, sound[begin : begin + BLOCK])
        out[at : at + len(piece)] = piece
    left, at = desk.flush()
    out[at : at + len(left)] = left
    return out


# The signals of EBU Tech 3341, table 1, cases 1 to 4, with what a meter in "EBU mode" must show, ± 0.1 LU.
@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        ([(-23, 20)], -23.0),
        ([(-33, 20)], -33.0),
        ([(-36, 10), (-23, 60), (-36, 10)], -23.0),
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),
    ],
)
def test_a_meter_shows_what_the_ebu_says(signal: list[tuple[float, float]], expected: float) -> None:
    read = measure(np.concatenate([tone(level, seconds) for level, seconds in signal]))
    assert read.integrated == pytest.approx(expected, abs=0.11)
    if len(signal) == 1:
        assert read.momentary == pytest.approx(expected, abs=0.11)
        assert read.short_term == pytest.approx(expected, abs=0.11)


def test_the_true_peak_lies_between_the_samples() -> None:
    # Case 17 of Tech 3341: a quarter of the sampling rate, half a sample aside, shows samples 3 dB below its peaks.
    sound = tone(-6.0, 1, AIR_RATE / 4, np.pi / 4)
    sound[:4800] = sound[:4800] * np.linspace(0, 1, 4800)[:, None]  # what begins at once overshoots
    assert 20 * np.log10(np.abs(sound).max() / 32767) == pytest.approx(-9.0, abs=0.1)
    assert measure(sound).true_peak == pytest.approx(-6.0, abs=0.4)


def test_silence_has_no_loudness() -> None:
    read = measure(np.zeros((AIR_RATE * 4, 2), np.int16))
    assert (read.momentary, read.short_term, read.integrated, read.true_peak) == (None, None, None, None)


def test_the_meter_agrees_with_another_implementation(tmp_path: Path) -> None:
    sound = talk(-27, 20)
    said = subprocess.run(
        ["ffmpeg", "-nostdin", "-hide_banner", "-f", "s16le", "-ar", "48000", "-ac", "2", "-i", "-",
         "-filter", "ebur128", "-f", "null", "-"],
        input=sound.tobytes(), stderr=subprocess.PIPE, check=True, cwd=tmp_path,
    ).stderr.decode()  # fmt: skip
    summary = said[said.rindex("Integrated loudness") :]
    theirs = float(summary.split("I:")[1].split("LUFS")[0])
    assert measure(sound).integrated == pytest.approx(theirs, abs=0.11)


def test_without_levelling_the_sound_goes_out_to_the_bit() -> None:
    sound = talk(-30, 3)
    desk = SoundDesk(None, print)
    assert np.array_equal(levelled(desk, sound), sound)
    assert desk.loudness.gain is None
    assert desk.loudness.integrated == pytest.approx(-30, abs=0.5)


@pytest.mark.parametrize("target", [-23.0, -16.0, -14.0])
@pytest.mark.parametrize("came", [-34.0, -27.0, -12.0])
def test_a_programme_goes_out_as_loud_as_the_house_wants(target: float, came: float) -> None:
    desk = SoundDesk(target, print)
    whole = levelled(desk, talk(came, 45))
    reachable = min(target, came + 15)
    settled = measure(whole[15 * AIR_RATE :])
    assert settled.integrated == pytest.approx(reachable, abs=1.0)
    assert (settled.true_peak or 0) <= -1.0
    assert desk.loudness.gain == pytest.approx(min(target - came, 15), abs=2.0)


def test_a_quiet_speaker_before_a_loud_band_and_the_band_before_him() -> None:
    programme = np.concatenate([talk(-35, 40), talk(-14, 40, 2), talk(-33, 60, 3)])
    out = levelled(SoundDesk(-23, print), programme)
    read = measure(out)
    assert read.integrated == pytest.approx(-23, abs=1.5)
    assert (read.true_peak or 0) <= -1.0
    for begin, end in ((15, 40), (50, 80), (120, 140)):
        assert measure(out[begin * AIR_RATE : end * AIR_RATE]).integrated == pytest.approx(-23, abs=1.5)


def test_a_pause_is_not_turned_up() -> None:
    hall = (np.random.default_rng(4).normal(size=(60 * AIR_RATE, 2)) * 32768 * 10 ** (-52 / 20)).astype(np.int16)
    desk = SoundDesk(-23, print)
    levelled(desk, talk(-25, 20))
    before = desk.loudness.gain
    for at in range(0, len(hall), BLOCK):
        desk.take(at, hall[at : at + BLOCK])
    assert desk.loudness.gain == before


def test_a_peak_is_turned_down_and_what_lies_below_passes() -> None:
    limiter = Limiter()
    sound = np.zeros((AIR_RATE, 2), np.float32)
    sound[:, 0] = sound[:, 1] = tone(-10, 1)[:, 0] / np.float32(32768)
    sound[24_000:24_400] *= 6
    out = np.zeros((AIR_RATE, 2), np.int16)
    for begin in range(0, AIR_RATE, BLOCK):
        at, piece = limiter.take(begin, sound[begin : begin + BLOCK])
        out[at : at + len(piece)] = piece
    at, left = limiter.flush()
    assert at + len(left) == AIR_RATE
    out[at:] = left
    whole = np.rint(sound * 32768).astype(np.int64)
    assert np.array_equal(out[:23_000], whole[:23_000])
    assert np.array_equal(out[-10_000:], whole[-10_000:])
    assert 20 * np.log10(np.abs(out).max() / 32768) == pytest.approx(-1.3, abs=0.1)
    assert (measure(out).true_peak or 0) <= -1.0


@pytest.mark.parametrize("hertz", [60.0, 997.0, 5_000.0, 11_025.0, 15_000.0])
def test_no_true_peak_passes_the_limiter(hertz: float) -> None:
    limiter = Limiter()
    wave = (tone(-0.5, 2, hertz, 0.7)[:, :1] * np.float32(3 / 32768)).repeat(2, axis=1)
    pieces = [limiter.take(at, wave[at : at + BLOCK])[1] for at in range(0, len(wave), BLOCK)]
    read = measure(np.concatenate([*pieces, limiter.flush()[1]]))
    assert read.true_peak is not None
    assert -2.0 < read.true_peak <= -1.0


def test_a_desk_that_breaks_lets_the_sound_pass() -> None:
    said: list[str] = []
    desk = SoundDesk(-23, said.append)
    sound = talk(-30, 2)
    desk.take(0, sound[:AIR_RATE])
    desk._meter._graph.push(None)  # its end: nothing may be pushed after that
    at, out = desk.take(AIR_RATE, sound[AIR_RATE:])
    assert at == AIR_RATE
    assert np.array_equal(out, sound[AIR_RATE:])
    at, out = desk.take(2 * AIR_RATE, sound[:BLOCK])
    assert np.array_equal(out, sound[:BLOCK])
    assert desk.loudness.momentary is None
    assert not len(desk.flush()[0])
    assert said == [
        "The loudness cannot be measured or levelled any more, the sound airs as it comes; watch the mixer."
    ]


def test_a_leveller_holds_still_where_it_is_right() -> None:
    leveller = Leveller(-23)
    sound = tone(-23.3, 10)
    out = np.concatenate([leveller.take(sound[at : at + BLOCK]) for at in range(0, len(sound), BLOCK)])
    assert leveller.gain == pytest.approx(0)
    assert np.array_equal(out, sound.astype(np.float32) / 32768)


async def test_the_relay_tells_how_loud_it_airs_and_airs_as_loud_as_asked(relays: Relays, tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.mp4"
    film(quiet, talk(-33, 12))
    relay = await relays.start(f"file:{quiet}", level=-23.0, captions=False)
    await relay.until(lambda: relay.reported and relay.report.loudness.short_term is not None)
    assert await relay.ended() == 0
    told = relay.report.loudness
    assert told.gain == pytest.approx(10, abs=2)
    seen = see(recording(relays))
    tail = np.repeat(np.clip(seen.sound[-3 * AIR_RATE :] * 32767, -32768, 32767).astype(np.int16)[:, None], 2, axis=1)
    assert measure(tail).integrated == pytest.approx(-23, abs=2)
    assert told.integrated is not None
    assert -33 < told.integrated < -22
    assert told.true_peak is not None


OUT_OF_STEP: tuple[tuple[int, int, float | None, int], ...] = (
    (200, 600, None, 200),
    (-300, 600, -16.0, -300),
    (0, 600, -16.0, 0),
    (-300, 0, None, 0),  # it cannot air before it came: better out of step than not at all
)
"""How the house sets the sound right, the hold, the level, and how much later than its picture it airs then."""


async def test_sound_that_is_out_of_step_is_set_right_by_the_house(
    together: Callable[..., Awaitable[None]], clip: Path
) -> None:
    await together(*(partial(out_of_step, clip, each) for each in OUT_OF_STEP))


async def out_of_step(clip: Path, case: tuple[int, int, float | None, int], stage: Stage) -> None:
    offset, hold, level, airs = case
    relay = await stage.relays.start(f"file:{clip}", lip_sync=Ms(offset), hold=Ms(hold), level=level)
    assert await relay.ended() == 0
    await stage.over.wait()
    seen = see(recording(stage.relays))
    assert len(seen.beeps) >= 2
    for flash, beep in zip(seen.flashes, seen.beeps, strict=False):
        assert beep - flash == pytest.approx(airs / 1000, abs=0.045) or relay.report.dropped
    heard = relay.sounds()  # captions follow the sound
    samples = np.concatenate([np.frombuffer(sound.samples, np.int16) for sound in heard])
    first = int(np.flatnonzero(np.abs(samples) > 5000)[0]) / 16_000 + heard[0].start / 1000
    assert first == pytest.approx(1 + airs / 1000, abs=0.045)


def recording(relays: Relays) -> Path:
    return relays.folder / "show" / "recording.mp4"


def film(path: Path, sound: NDArray[np.int16]) -> None:
    """A film with `sound` and a picture of nothing."""
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-f", "s16le", "-ar", "48000", "-ac", "2", "-i", "-", "-f", "lavfi", "-i",
         "color=navy:s=160x90:r=10", "-shortest", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac",
         "-b:a", "192k", str(path)],
        input=sound.tobytes(), check=True,
    )  # fmt: skip
