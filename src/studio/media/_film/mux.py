"""Subtitles as tracks that a viewer can switch on; everything else of the film is copied as it is."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import tempfile
import threading
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.errors import MediaError, why
from studio.language import _
from studio.media._film.facts import LETTERS, film
from studio.media._film.rewrite import FORMS
from studio.media._film.source import name_of
from studio.media._ground.files import look_at_place, settle
from studio.subtitles import Track, save
from studio.units import Ms, timecode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from studio.media._film.facts import Film
    from studio.media._film.rewrite import Progress
    from studio.media._film.text import TextTrack

_THREE = {two: three for three, two in reversed(LETTERS.items())}
_FROM_TEXT = {"mp4": "mov_text", "mov": "mov_text", "matroska": "srt"}
_PLAIN = frozenset({"srt", "subrip", "ass", "ssa", "webvtt", "mov_text", "text"})
"""Text that each form can hold in a way of its own, by FFmpeg's names."""
_NO_DATA = 60.0
"""Seconds after which FFmpeg, which has ended its output, has ended too."""


def mux(
    path: Path, out: Path, tracks: Sequence[TextTrack], *, progress: Progress | None = None, say: Callable[[str], None]
) -> None:
    """See `studio.media.mux`."""
    form = FORMS.get(out.suffix.lower(), "")
    if not form:
        raise MediaError(
            _("{file} has an ending that no film is written with; use one of {endings}.").format(
                file=out, endings=", ".join(FORMS)
            )
        )
    if out.exists() and path.exists() and out.samefile(path):
        raise MediaError(_("{file} cannot be read and replaced at once; name another file.").format(file=out))
    facts = film(path)
    wanted = [cut for track in tracks if (cut := _within(track, facts.length)).cues]
    aside = out.with_name(f".{out.name[:200]}.{os.getpid()}.part")
    try:
        look_at_place(out)
        with tempfile.TemporaryDirectory(prefix="studio-") as folder:
            texts = [Path(folder) / f"{number}.srt" for number in range(len(wanted))]
            for text, track in zip(texts, wanted, strict=True):
                save(Track(track.cues), text)
            kept = [text for text in facts.texts if text.codec in _PLAIN or form == "matroska"]
            if len(kept) < len(facts.texts):
                say(
                    _("Subtitle tracks of {file} that the new film cannot hold are left out.").format(
                        file=name_of(path)
                    )
                )
            _run(_arguments(path, facts, aside, form, list(zip(texts, wanted, strict=True))), out, facts, progress)
        _look_at(aside, out, facts)
        settle(out, aside)
    except OSError as problem:
        raise _unwritten(out, why(problem)) from problem
    finally:
        with contextlib.suppress(OSError):
            aside.unlink()


def _within(track: TextTrack, end: Ms | None) -> TextTrack:
    """Return what of it stands while the film does: a track would make it longer."""
    if end is None:
        return track
    return replace(track, cues=tuple(replace(cue, end=min(cue.end, end)) for cue in track.cues if cue.start < end))


def _arguments(path: Path, facts: Film, aside: Path, form: str, added: list[tuple[Path, TextTrack]]) -> list[str]:
    import ffmpeg  # noqa: PLC0415 - builds arguments, which nobody needs to read a plan

    film_in: Any = ffmpeg.input(f"file:{path.expanduser().absolute()}")
    texts: list[Any] = [ffmpeg.input(f"file:{text}", f="srt") for text, _track in added]
    streams = [film_in["v?"], film_in["a?"]]
    how: dict[str, Any] = {"c": "copy", "map_metadata": 0, "map_chapters": 0, "max_interleave_delta": 0}
    said: list[str] = []
    number = 0
    for text in facts.texts:
        if text.codec not in _PLAIN and form != "matroska":
            continue
        streams.append(film_in[f"s:{text.number - 1}"])
        if text.codec in _PLAIN:
            how[f"c:s:{number}"] = _codec(text.codec, form)
        said += _said(number, form, text.language, text.title)
        if any(track.default for _text, track in added):  # players show one at a time
            flags = [("forced", text.forced), ("hearing_impaired", text.sdh)]
            how[f"disposition:s:{number}"] = "+".join(flag for flag, on in flags if on) or "0"
        number += 1
    for read, (_text, track) in zip(texts, added, strict=True):
        streams.append(read["s:0"])
        how[f"c:s:{number}"] = _FROM_TEXT[form]
        flags = [("default", track.default), ("forced", track.forced), ("hearing_impaired", track.sdh)]
        how[f"disposition:s:{number}"] = "+".join(flag for flag, on in flags if on) or "0"
        said += _said(number, form, track.language, track.title)
        number += 1
    if form == "matroska":
        streams.append(film_in["t?"])
    else:
        how["movflags"] = "+faststart"
    written = f"file:{aside.absolute()}"
    made = ffmpeg.output(*streams, written, f=form, **how)
    made = made.global_args("-nostdin", "-v", "error", "-progress", "pipe:1")
    command = [str(part) for part in made.overwrite_output().compile()]
    at = command.index(written)
    return [*command[:at], *said, *command[at:]]  # ffmpeg-python says each option once


def _said(number: int, form: str, language: str, title: str) -> list[str]:
    """Arguments for what subtitle track `number`, from 0, says of itself."""
    of_it = f"-metadata:s:s:{number}"
    said = [of_it, f"language={_THREE.get(language, language) or 'und'}"]
    if title:
        said += [of_it, f"title={title}"]
        if form != "matroska":  # where players of MP4 look
            said += [of_it, f"handler_name={title}"]
    return said


def _codec(given: str, form: str) -> str:
    """What text that is there becomes: as it is, where the form holds it."""
    if form == "matroska":
        return "srt" if given in {"mov_text", "text"} else "copy"
    return "copy" if given == "mov_text" else "mov_text"


def _run(command: list[str], out: Path, facts: Film, progress: Progress | None) -> None:
    """Let FFmpeg do it, and hear all that it says: a pipe that is full would hold it."""
    words: deque[str] = deque(maxlen=20)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except FileNotFoundError as problem:
        raise MediaError(_("The program ffmpeg is not there; install it.")) from problem
    assert process.stdout is not None  # noqa: S101 - asked for
    assert process.stderr is not None  # noqa: S101
    listener = threading.Thread(target=words.extend, args=(process.stderr,), daemon=True)
    listener.start()
    try:
        for line in process.stdout:
            name, _is, value = line.strip().partition("=")
            if progress and name == "out_time_us" and value.isdigit():
                progress(Ms(int(value) // 1000), facts.length)
        process.wait(_NO_DATA)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        listener.join()
        process.stdout.close()
        process.stderr.close()
    if any(os.strerror(errno.ENOSPC) in word for word in words):
        raise _unwritten(out, why(OSError(errno.ENOSPC, "")))
    if process.returncode:
        raise _unwritten(out, next((word.strip() for word in reversed(words) if word.strip()), "ffmpeg"))
    if progress and facts.length:
        progress(facts.length, facts.length)


def _look_at(aside: Path, out: Path, facts: Film) -> None:
    """FFmpeg ends well also where the end of its output, with the index, did not reach the disk."""
    try:
        made = film(aside)
    except MediaError as problem:
        raise _unwritten(out, str(problem)) from problem
    if made.reads_to is not None and facts.reads_to is None:
        raise _unwritten(out, timecode(made.reads_to))


def _unwritten(path: Path, problem: str) -> MediaError:
    return MediaError(
        _("{file} cannot be written ({problem}); is there room, and may you write there?").format(
            file=path, problem=problem
        )
    )
