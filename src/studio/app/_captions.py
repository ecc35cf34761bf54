"""Captions without a show: what `studio captions` needs, worked out before anything is opened or written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio import captions, media, speech, subtitles
from studio.app._evening import SPOKEN, join_recording
from studio.errors import CaptionsError
from studio.language import _
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from studio.catalogue import Catalogue
    from studio.spoken import Word
    from studio.venue import Venue

PACES = ("realtime", "fast")
MOST_THREADS = 64
LOOK = Ms(4800)
"""Subtitles wait so long for the second look, as they do in a show with a hold of 6 s."""


@dataclass(frozen=True, slots=True)
class CaptionsWish:
    """What the command line asks for over `studio.toml`; `None` wherever it says nothing."""

    language: str | None = None
    """`pl`, `lt`, `en` or `auto`."""
    model: str | None = None
    """A name or a folder."""
    preset: str | None = None
    threads: int | None = None
    glossaries: tuple[str, ...] = ()
    """Beside those of `studio.toml`."""
    pace: str = "realtime"
    seconds: float | None = None
    events: Path | None = None
    outs: tuple[Path, ...] = ()


def caption_alone(
    venue: Venue,
    catalogue: Catalogue,
    source: str,
    wish: CaptionsWish,
    *,
    say: Callable[[str], None],
    see: Callable[[captions.View], None],
    progress: Callable[[int, int], None] | None = None,
) -> captions.Alone:
    """Open sound, model and files, ready to `run`; raises StudioError with one sentence before any file is touched.

    `progress` is told bytes done and bytes in all where the model must be put together first.
    """
    language = _language(wish.language or venue.language)
    threads = _threads(venue.captions.threads if wish.threads is None else wish.threads)
    corrections = _corrections(venue, catalogue, wish, language)
    if wish.pace not in PACES:
        raise CaptionsError(_("{pace} is no pace; choose --pace realtime or --pace fast.").format(pace=repr(wish.pace)))
    if wish.seconds is not None and not wish.seconds > 0:
        raise CaptionsError(
            _("Captions of {seconds} s cannot be; give --seconds a number above 0.").format(seconds=wish.seconds)
        )
    tuning = catalogue.load("presets/captions", wish.preset or venue.captions.preset, speech.Tuning)
    rules = subtitles.rules_for(catalogue, language)
    paper = captions.Paper(wish.events, wish.outs, language, say)
    inputs = {Path(source).expanduser().resolve()} if "://" not in source else set()
    if any(path.expanduser().resolve() in inputs for path in (*wish.outs, *([wish.events] if wish.events else []))):
        raise CaptionsError(_("{file} is what is listened to; name another file to write.").format(file=source))
    sound = media.open_sound(source, say)
    model = speech.resolve(wish.model or venue.captions.model, offline=True, progress=progress)
    fast = wish.pace == "fast" and not sound.live
    ears = speech.Listener(model, language, tuning, threads, look=LOOK, hotwords=corrections.hotwords(), aside=not fast)
    if venue.captions.translate:
        say(_("The English translation is made during a show only; here it is left out."))
    return captions.Alone(
        sound,
        ears,
        paper,
        rules,
        see,
        fast=fast,
        seconds=wish.seconds,
        looks=True,
        corrector=corrections.corrector(),
        mask=subtitles.Corrections(swearing=corrections.swearing).corrector() if corrections.swearing else None,
    )


def repair_captions(
    venue: Venue,
    catalogue: Catalogue,
    recording: Path,
    wish: CaptionsWish,
    *,
    say: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> Sequence[captions.Filled]:
    """Fill what nobody heard of a recorded show, from its recording; return what was filled, in order.

    `recording` is a show folder, or the recording in it; parts of a recording are joined first. `progress` is told
    milliseconds of sound done and in all. Raises StudioError; the captions are as they were then.
    """
    if wish.language:
        _language(wish.language)
    threads = _threads(venue.captions.threads if wish.threads is None else wish.threads)
    recording = recording.expanduser().absolute()
    folder = recording if recording.is_dir() else recording.parent
    if not recording.exists():
        raise CaptionsError(
            _("There is no recording {path}; name a show folder or the recording in it.").format(path=recording)
        )
    joined = join_recording(folder, None, venue.show.recording, wish.language or "")
    if recording.is_dir():
        recording = joined or _recording_in(folder)
    plan = captions.plan_repair(folder, _length(recording))
    language = _language(wish.language or plan.language or venue.language)
    rules = subtitles.rules_for(catalogue, language)
    corrections = _corrections(venue, catalogue, wish, language)
    if not plan.unheard:
        return ()
    model = speech.resolve(wish.model or venue.captions.model, offline=True)
    archivist = speech.Archivist(model, language, threads, hotwords=corrections.hotwords())
    corrector = corrections.corrector()

    def transcribe(sound: NDArray[np.float32], start: Ms, told: Callable[[Ms, Ms], None] | None = None) -> list[Word]:
        return subtitles.put_right(archivist.transcribe(sound, start, told).words, corrector)

    return captions.repair(plan, recording, transcribe, rules, say=say, progress=progress)


def _corrections(venue: Venue, catalogue: Catalogue, wish: CaptionsWish, language: str) -> subtitles.Corrections:
    glossaries = (*venue.captions.glossaries, *wish.glossaries)
    return subtitles.corrections_for(catalogue, language, glossaries, venue.captions.swearing, venue.captions.numbers)


def _length(recording: Path) -> Ms:
    """Where on the show clock the sound of a recording ends; one that does not say is read through."""
    sound = media.sound_between(recording, Ms(0), None, _nobody)
    length = sound.length or max((chunk.end for chunk in sound.chunks()), default=Ms(0))
    return media.air_time(recording).show(length)


def _nobody(_sentence: str) -> None:
    """What is wrong with the recording is said while it is listened to."""


def _recording_in(folder: Path) -> Path:
    """The newest recording of the show in `folder`."""
    found = [path for path in folder.glob("recording*") if re.fullmatch(r"recording(-\d+)?\.(mp4|mkv)", path.name)]
    if not found:
        raise CaptionsError(
            _("There is no recording in {folder}; name the folder of a show that was recorded.").format(folder=folder)
        )
    return max(found, key=lambda path: path.stat().st_mtime)


def _language(language: str) -> str:
    if language not in SPOKEN:
        raise CaptionsError(
            _("{language} is not a language we caption; choose pl, lt, en or auto.").format(language=repr(language))
        )
    return language


def _threads(threads: int) -> int:
    if not 1 <= threads <= MOST_THREADS:
        raise CaptionsError(
            _("{threads} threads cannot be; choose between 1 and {most}.").format(threads=threads, most=MOST_THREADS)
        )
    return threads
