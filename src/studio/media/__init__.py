"""Sound and pictures: probe, capture, hold, decode, burn, encode, recording, HLS.

The relay is a process of its own: run `command()` with a `RelayPlan` as JSON on standard input. It ends with 0 when the
programme is over and all is closed, with 3 when it would be refused again (a `Trouble` that `ends_show` was sent, the
last line of its standard error says the same), with anything else when it should be started again.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from studio.later import later
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from studio.events import Loudness
    from studio.media._air.trial import Trial
    from studio.media._arrive.probe import Facts
    from studio.media._arrive.source import Sound
    from studio.media._film.facts import Film
    from studio.media._film.mono import Channel
    from studio.media._film.proxy import Playable
    from studio.media._film.source import Source
    from studio.media._film.text import TextTrack
    from studio.media._ground.airtime import AirTime
    from studio.media._plan import LONGEST_HOLD, DeliveryForm, EncodePreset, Form, RelayPlan, SmallPicture
    from studio.media._takes.alike import Alike
    from studio.media._takes.capture import Capture, Input
    from studio.media._takes.continuity import Loss
    from studio.media._takes.deliver import Delivered
    from studio.media._takes.facts import TakeFacts
    from studio.media._takes.loudness import LoudnessMeter
    from studio.media._takes.player import Dry, Player
    from studio.media._takes.tracks import TakeSound
    from studio.media._takes.video import Filmed
    from studio.media._takes.wav import TakeNotes
    from studio.media._takes.writer import Mended, Takes
    from studio.spoken import Cue
    from studio.subtitles import Style

__all__ = [
    "LONGEST_HOLD",
    "REFUSED",
    "DeliveryForm",
    "EncodePreset",
    "Form",
    "Loss",
    "RelayPlan",
    "SmallPicture",
    "Sound",
    "TakeNotes",
    "TextTrack",
    "air_time",
    "alike",
    "burn",
    "capture",
    "command",
    "deliver",
    "encoders",
    "film",
    "film_sound",
    "film_take",
    "lacks_font",
    "loudness_meter",
    "microphones",
    "mux",
    "open_sound",
    "open_take",
    "peaks",
    "playable",
    "player",
    "probe",
    "proxy",
    "read_sound",
    "recover",
    "repair_take",
    "shots",
    "sound_between",
    "sound_inputs",
    "take_facts",
    "take_loudness",
    "take_peaks",
    "whole_recording",
    "write_take",
]

REFUSED = 3
"""What the relay ends with when starting it again would not help."""

_BEHIND = {
    "LONGEST_HOLD": "_plan",
    "DeliveryForm": "_plan",
    "EncodePreset": "_plan",
    "Form": "_plan",
    "Loss": "_takes.continuity",
    "RelayPlan": "_plan",
    "SmallPicture": "_plan",
    "Sound": "_arrive.source",
    "TakeNotes": "_takes.wav",
    "TextTrack": "_film.text",
}
"""Which file has what: each is read when somebody asks."""

if not TYPE_CHECKING:
    __getattr__ = later(__name__, _BEHIND)


def command() -> list[str]:
    """Return how to start the relay."""
    return [sys.executable, "-m", "studio.media"]


def probe(path: Path) -> Facts:
    """Say what is in the file at `path`.

    Raises MediaError for a file that is missing, may not be read, is not media, or has neither picture nor sound.
    """
    from studio.media._arrive import probe  # noqa: PLC0415 - loads FFmpeg, which nobody needs to read a plan

    return probe.probe(path)


def recover(
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
    form: Form = "mp4",
    language: str = "",
) -> Path | None:
    """Join the parts of the recordings that a dead relay left in `folder`; `None` where there are none.

    The parts go once the whole is safe on the disk; one that could not be read to its end is kept as
    `recording.unread-NNN.ts`, which is logged. What came in, `clean.part-NNN.ts`, becomes `clean.mp4` likewise; with
    the `form` "mkv" they become `recording.mkv` and `clean.mkv`. `language` is that of the captions, `auto` or empty
    where nobody knows. `progress` is told bytes read and bytes in all. Raises MediaError; the parts stay then. Must not
    be called while a relay records there.
    """
    from studio.media._leave import recording  # noqa: PLC0415 - loads FFmpeg

    return recording.join_all(folder, progress, form=form, language=language)


def whole_recording(folder: Path) -> Path | None:
    """Return the recording of the show in `folder`, in whatever form; `None` while it is in parts, or not there."""
    from studio.media._leave import recording  # noqa: PLC0415 - loads FFmpeg

    return recording.whole_of(folder)


def air_time(recording: Path) -> AirTime:
    """Return where `recording`, a file in a show's folder, has each moment of the show.

    The aired one has it when it aired; the clean one, and any other film, has it at its own time.
    """
    from studio.media._ground.airtime import AirTime  # noqa: PLC0415 - what only reads plans needs none
    from studio.media._leave.recording import NAME  # noqa: PLC0415

    aired = recording.name.startswith(NAME)
    return AirTime.of(recording.parent) if aired else AirTime(recording.parent, Ms(0), continued=False)


def lacks_font(family: str) -> str:
    """Say in one sentence what is wrong with the font of that name for captions on this machine; empty: nothing."""
    from studio.media._air import fonts  # noqa: PLC0415 - loads Pillow

    return fonts.lacks(family)


def encoders(preset: EncodePreset, size: tuple[int, int], fps: float) -> list[Trial]:
    """Say of every encoder whether it works here: each really encodes a second of pictures of this `size` and rate.

    It takes a few seconds, and longer where drivers hang.
    """
    from studio.media._air import trial  # noqa: PLC0415 - loads FFmpeg

    return trial.trials(preset, size, fps)


def microphones() -> list[str]:
    """Return the names that `mic:` understands; empty where there is no sound input."""
    from studio.media._arrive import microphone  # noqa: PLC0415 - loads PortAudio, which talks to the sound server

    return microphone.names()


def sound_inputs() -> list[Input]:
    """Return what can be recorded from, with its channels; empty where there is no sound input."""
    from studio.media._takes import capture  # noqa: PLC0415 - loads PortAudio, which talks to the sound server

    return capture.inputs()


def capture(
    device: str,
    rate: int,
    channels: int,
    hear: Callable[[NDArray[np.int32], int], None],
    *,
    lost: Callable[[Loss], None],
    gone: Callable[[str], None],
    back: Callable[[], None],
    idle: Callable[[], None],
    keep: Callable[[NDArray[np.int32]], None],
) -> Capture:
    """Return what hears an input while it is entered; see `Capture` for whom it tells what.

    Entering raises MediaError where the input is not there, is held by another program, or cannot do that rate.
    """
    from studio.media._takes import capture  # noqa: PLC0415 - loads PortAudio

    return capture.Capture(device, rate, channels, hear, lost=lost, gone=gone, back=back, idle=idle, keep=keep)


def write_take(path: Path, rate: int, tracks: Sequence[str], notes: TakeNotes) -> Takes:
    """Begin the file of a take, Broadcast Wave or FLAC as its name ends; never over an old one.

    It can be played after whatever happens to this process, but for its last tenth of a second, and `repair_take` says
    of that, too, and of what the file was told to keep. Raises MediaError: more tracks than FLAC holds, or what the
    disk says.
    """
    from studio.media._takes import writer  # noqa: PLC0415 - loads NumPy

    return writer.take_writer(path, rate, tracks, notes)


def repair_take(path: Path) -> Mended:
    """Let the file of a take that nobody closed say how long it is; its sound is never touched.

    Raises MediaError for what is no take of ours, or cannot be read or written.
    """
    from studio.media._takes import writer  # noqa: PLC0415 - loads NumPy

    return writer.repair(path)


def open_sound(source: str, say: Callable[[str], None]) -> Sound:
    """Open a file, `mic`, `mic:DEVICE` or an address (http, https, rtmp, srt …) as 16 kHz mono.

    `say` is told, in a sentence each, what somebody should know: damage, a microphone that is gone or back, a line that
    dropped; from any thread. Raises MediaError for what is not there or has no sound.
    """
    from studio.media._arrive import sound_live  # noqa: PLC0415 - loads FFmpeg

    return sound_live.open_sound(source, say)


def deliver(
    mix: Iterable[NDArray[np.float32]],
    rate: int,
    files: Mapping[DeliveryForm, Path],
    *,
    loudness: float,
    tags: Mapping[str, str],
    cover: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> Delivered:
    """Write a mix, blocks of stereo (frames, 2), once in each form, at `loudness` LUFS and below -1 dBTP.

    WAV and FLAC have 24 bits at `rate`, MP3 has 320 kbit/s and 48 kHz at most; what a lossy form puts above the ceiling
    is measured and taken back. Silence stays as it is. `tags`: title, artist, album, date, comment. Each file is
    written aside and renamed when it is whole; the mix lies beside the first of them meanwhile. `progress` is told the
    share that is done; what it raises ends the work, and only whole files are left. Raises MediaError: a cover that is
    no picture, a disk that is full or refuses.
    """
    from studio.media._takes import deliver as delivery  # noqa: PLC0415 - loads FFmpeg

    return delivery.deliver(mix, rate, files, loudness=loudness, tags=tags, cover=cover, progress=progress)


def alike(take: NDArray[np.float32], other: NDArray[np.float32]) -> Alike | None:
    """Return where a take lies in another recording, both mono at 8 kHz; `None` where they are not of the same sound.

    Neither level nor noise matters much, nor that they only overlap in part.
    """
    from studio.media._takes import alike as places  # noqa: PLC0415 - who only records needs none

    return places.alike(take, other)


def film_take(
    mix: Iterable[NDArray[np.float32]],
    rate: int,
    camera: Path,
    out: Path,
    *,
    loudness: float,
    tags: Mapping[str, str],
    say: Callable[[str], None],
) -> Filmed:
    """Write an MP4 of a camera's picture while a take was sung, copied, with the mix where the camera heard it.

    It begins with the last keyframe before the take. `mix` is blocks of stereo; `out` ends in .mp4 and is written aside
    and renamed. Clocks that run apart are brought together, and `say` is told where that matters. Raises MediaError: a
    camera file without picture or sound, in which nothing sounds like the take, whose picture MP4 cannot hold, a disk
    that refuses.
    """
    from studio.media._takes import video  # noqa: PLC0415 - loads FFmpeg

    return video.filmed(mix, rate, camera, out, loudness=loudness, tags=tags, say=say)


def open_take(path: Path, tracks: Sequence[str] = ()) -> TakeSound:
    """Open a take, WAV or FLAC, whose tracks can be read anywhere to the sample. Close it.

    `tracks` are their names; those that have none are called by their number, and of two alike one, too. Raises
    MediaError for what is missing, may not be read or has no sound.
    """
    from studio.media._takes.tracks import TakeSound  # noqa: PLC0415 - loads libsndfile

    return TakeSound(path, tracks)


def sound_between(path: Path, begin: Ms, until: Ms | None, say: Callable[[str], None]) -> Sound:
    """Open the sound of a file from `begin` on, up to `until` or to its end; times are the file's own.

    Raises MediaError as `open_sound` does.
    """
    from studio.media._arrive import sound  # noqa: PLC0415 - loads FFmpeg

    return sound.FileSound(path, say, begin=begin, until=until)


def film(source: Source) -> Film:
    """Say what is in a film: a file, or an `http(s)://` address whose server answers to byte ranges.

    A film without sound is a fact, `sounds == ()`; so is one that was cut off, `reads_to`. Raises MediaError for what
    is missing, may not be read, is no media, is empty, or lost the index without which nobody can read it.
    """
    from studio.media._film import facts  # noqa: PLC0415 - loads FFmpeg

    return facts.film(source)


def film_sound(
    source: Source,
    *,
    track: int | None = None,
    channel: Channel = "mix",
    begin: Ms = Ms(0),
    until: Ms | None = None,
    language: str = "",
    say: Callable[[str], None],
) -> Sound:
    """Open a film's sound from `begin` to `until`, or to its end, as 16 kHz mono on the film's own clock.

    Chunks follow each other without a gap from `begin` on: what is missing or damaged is silence, and `say` is told
    where, in a sentence each. A track that begins late has its sound where players have it. The samples of a stretch
    are the same whoever reads it: chunks that several machines read are, put together, the whole that one reads.
    `track` counts the sound tracks from 1; `None`: the one with speech, in `language` where there is one. `channel` is
    one of its channels, counted from 1 or by its place; `mix` is all of them, the centre above the others. `length` of
    what is returned is that of the stretch. Raises MediaError: no sound, no such track or channel, or what `film` says.
    """
    from studio.media._film import sound  # noqa: PLC0415 - loads FFmpeg

    return sound.TrackSound(source, track=track, channel=channel, begin=begin, until=until, language=language, say=say)


def peaks(
    source: Source, track: int | None = None, *, per_second: int = 50, stopped: Callable[[], bool] = lambda: False
) -> NDArray[np.int8]:
    """Return the lowest and the highest sample of each stretch of a film's sound, shape (n, 2), full scale ±127.

    There are `per_second` stretches, a divisor of 16,000, from the film's beginning on; nothing else is kept in
    memory. `track` as in `film_sound`. When `stopped` says so, what there is is returned. Raises MediaError as
    `film_sound` does.
    """
    from studio.media._film import peaks  # noqa: PLC0415 - loads FFmpeg

    return peaks.peaks(source, track, per_second, stopped)


def shots(source: Source, progress: Callable[[Ms, Ms | None], None] | None = None) -> tuple[Ms, ...]:
    """Return when each shot of a film but the first begins: the time of its first picture.

    A dissolve is none, a flash may be two. `progress` is told how far it came and how long the film is. It takes
    as long as decoding does. Raises MediaError as `film` does.
    """
    from studio.media._film import shots  # noqa: PLC0415 - loads FFmpeg

    return shots.shots(source, progress)


def burn(
    source: Source,
    out: Path,
    cues: Iterable[Cue],
    *,
    style: Style,
    preset: EncodePreset,
    progress: Callable[[Ms, Ms | None], None] | None = None,
    say: Callable[[str], None],
) -> None:
    """Write a film once more with `cues`, on its own clock, in its pictures for good: H.264, drawn as live captions.

    `out` ends in .mp4, .m4v, .mov or .mkv. Each picture keeps its time, also of a film without a steady rate; fields
    become whole pictures, pixels square, a film on its side is turned. All sound tracks stay, copied where the new form
    can hold them and as AAC where not; so do chapters, what the film says of itself, and subtitle tracks that the form
    can hold. Of `preset` the size, quality, bitrates and x264's own preset count. It is written aside and renamed when
    it is whole; `progress` is told how far it came and how long the film is; what it raises ends the work, and nothing
    is left behind. `say` is told in a sentence what is damaged or left out. Raises MediaError: no picture, high dynamic
    range, or what cannot be read or written.
    """
    from studio.media._film import burn  # noqa: PLC0415 - loads FFmpeg

    burn.burn(source, out, cues, style=style, preset=preset, progress=progress, say=say)


def mux(
    path: Path,
    out: Path,
    tracks: Sequence[TextTrack],
    *,
    progress: Callable[[Ms, Ms | None], None] | None = None,
    say: Callable[[str], None],
) -> None:
    """Write a film once more with subtitles as tracks that a viewer can switch on; all else is copied as it is.

    `out` as in `burn`. Tracks without cues are left out; those that the film has stay, where the form can hold them.
    `progress`, `say` and what is raised as in `burn`.
    """
    from studio.media._film import mux  # noqa: PLC0415 - loads FFmpeg

    mux.mux(path, out, tracks, progress=progress, say=say)


def playable(source: Source) -> Playable:
    """Say whether a browser plays a film. Raises MediaError as `film` does."""
    from studio.media._film import proxy  # noqa: PLC0415 - loads FFmpeg

    return proxy.playable(source)


def proxy(
    source: Source,
    out: Path,
    *,
    track: int | None = None,
    progress: Callable[[Ms, Ms | None], None] | None = None,
    say: Callable[[str], None],
) -> None:
    """Write a small copy of a film that every browser plays, on the film's clock: 480 rows of H.264, and AAC.

    `out` ends in .mp4. `track` counts the sound tracks from 1; `None`: the one that `Film.speech` gives. The rest as in
    `burn`.
    """
    from studio.media._film import proxy  # noqa: PLC0415 - loads FFmpeg

    proxy.proxy(source, out, track=track, progress=progress, say=say)


def read_sound(
    path: Path, rate: int, *, channels: int | None = None, longest: float | None = None
) -> NDArray[np.float32]:
    """Return the sound of a file, or of a film, at `rate`: (frames, channels), full scale ±1; it may reach beyond.

    Its first frame is where players begin: a track that begins later has silence before it, and so has what is missing
    or damaged in the middle. With `channels` 1 or 2, more than that are mixed down; fewer stay as they are. Raises
    MediaError for what is missing, may not be read, has no sound, or lasts longer than `longest` seconds.
    """
    from studio.media._takes import reading  # noqa: PLC0415 - loads FFmpeg

    return reading.read_sound(path, rate, channels=channels, longest=longest)


def take_facts(path: Path, *, through: bool = False) -> TakeFacts:
    """Say what is in the file of a take; read it to its end with `through`. Raises MediaError."""
    from studio.media._takes import facts  # noqa: PLC0415 - loads libsndfile

    return facts.facts(path, through=through)


def take_peaks(path: Path, columns: int) -> NDArray[np.float32]:
    """Return how loud each of `columns` equal parts of a take is, 0 to 1: a glance. Raises MediaError."""
    from studio.media._takes import facts  # noqa: PLC0415 - loads libsndfile

    return facts.peaks(path, columns)


def loudness_meter(rate: int) -> LoudnessMeter:
    """Return what measures sound of `rate` hertz by EBU R128: `take` it in pieces, then `finish`."""
    from studio.media._takes import loudness  # noqa: PLC0415 - loads FFmpeg

    return loudness.LoudnessMeter(rate)


def take_loudness(path: Path) -> tuple[Loudness, ...]:
    """Return how loud each track of a take is by EBU R128. Raises MediaError."""
    from studio.media._takes import loudness  # noqa: PLC0415 - loads FFmpeg

    return loudness.take_loudness(path)


def player(device: str, rate: int, channels: int, *, gone: Callable[[str], None], dry: Callable[[Dry], None]) -> Player:
    """Return what plays through an output once it is opened; see `Player` for whom it tells what.

    Opening raises MediaError where the output is not there, is held by another program, or cannot do that rate.
    """
    from studio.media._takes import player  # noqa: PLC0415 - loads PortAudio, which talks to the sound server

    return player.Player(device, rate, channels, gone=gone, dry=dry)
