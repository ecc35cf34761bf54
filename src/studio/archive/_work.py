"""What a worker does: one task in, one outcome out, both as bytes, on whatever machine it runs.

A worker knows the film, the model and nothing else; it writes nothing. What goes wrong comes back as a sentence.
"""

from __future__ import annotations

import functools
import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec
from msgspec import Struct

from studio import __version__, media, speech
from studio.archive._settings import Hearing, model_identity
from studio.errors import ArchiveError, SpeechError, StudioError, why
from studio.language import _, speak
from studio.sound import SPEECH_RATE
from studio.speech import Stretch
from studio.spoken import Word
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from studio.sound import AudioChunk

_HOLE = 60 * SPEECH_RATE
"""Silence is made in pieces of so many samples: a broken clock shall not fill the memory."""


class Sight(Struct, frozen=True):
    """Where the sound of a film is found from here."""

    source: str
    """A path, or an address."""
    track: int | None
    channel: Literal["mix", "left", "right", "centre"] | int
    begin: Ms
    until: Ms | None


class Look(Struct, frozen=True, tag=True):
    """Find where somebody speaks."""

    sight: Sight
    interface: str = "en"
    """Language of sentences."""


class Hear(Struct, frozen=True, tag=True):
    """Write down what is said in a chunk."""

    sight: Sight
    """Of the chunk."""
    hearing: Hearing
    voiced: tuple[Stretch, ...]
    """In the chunk, on the film's clock."""
    quiet: tuple[Stretch, ...]
    interface: str = "en"


class Render(Struct, frozen=True, tag=True):
    """Say in English what is said in a chunk."""

    sight: Sight
    hearing: Hearing
    spoken: tuple[tuple[Ms, Ms, str], ...]
    """Utterances: begin and end on the film's clock, and language."""
    interface: str = "en"


class Cut(Struct, frozen=True, tag=True):
    """Find where the picture cuts."""

    sight: Sight
    """Of the whole film."""
    interface: str = "en"


class Tell(Struct, frozen=True, tag=True):
    """Find who speaks when, in all of a film at once: a voice is known again only where all of them are heard."""

    sight: Sight
    models: str
    """`speakers_identity` of what tells voices apart: a worker that has other models refuses."""
    interface: str = "en"


Task: TypeAlias = Look | Hear | Render | Cut | Tell


class Looked(Struct, frozen=True, tag=True):
    """Where somebody speaks, on the film's clock."""

    length: Ms
    """Where its sound ends."""
    voiced: tuple[Stretch, ...]
    quiet: tuple[Stretch, ...]
    said: tuple[str, ...] = ()
    """What somebody should know of the film."""


class Heard(Struct, frozen=True, tag=True):
    """What was said in a chunk; of a translation the words alone."""

    words: tuple[Word, ...] = ()
    languages: tuple[tuple[Ms, Ms, str], ...] = ()
    unsure: tuple[Stretch, ...] = ()
    rejected: tuple[Stretch, ...] = ()
    said: tuple[str, ...] = ()


class Cuts(Struct, frozen=True, tag=True):
    """When each shot but the first begins, on the film's clock."""

    shots: tuple[Ms, ...] = ()


class Told(Struct, frozen=True, tag=True):
    """Who speaks when, on the film's clock."""

    turns: tuple[speech.Turn, ...] = ()


class Refused(Struct, frozen=True, tag=True):
    """Why it could not be done, as a sentence."""

    reason: str
    inner: bool = False
    """It is a mistake of ours rather than of the film."""


Outcome: TypeAlias = Looked | Heard | Cuts | Told | Refused


def pack(what: Task | Outcome) -> bytes:
    """As bytes."""
    return msgspec.msgpack.encode(what)


def outcome(packed: bytes) -> Outcome:
    """Read what `do` gave back."""
    return _outcomes().decode(packed)


@functools.cache  # when something is read: most runs find that all was done before
def _outcomes() -> msgspec.msgpack.Decoder[Outcome]:
    return msgspec.msgpack.Decoder(Looked | Heard | Cuts | Told | Refused)


def greet() -> str:
    """Who a worker is: version of studio and name of the machine."""
    return f"{__version__} {socket.gethostname()}"


def do(packed: bytes, told: Callable[[Ms], None] | None = None, threads: int = 1) -> bytes:
    """Do a task with so many threads; `told` is called with how far into its stretch it is."""
    task: Task = msgspec.msgpack.decode(packed, type=Look | Hear | Render | Cut | Tell)
    speak(task.interface)
    try:
        return pack(_done(task, told or (lambda _at: None), threads))
    except StudioError as problem:
        return pack(Refused(str(problem)))
    except MemoryError:
        return pack(Refused(_("The memory does not hold a film like that; run fewer workers: --workers 1")))
    except OSError as problem:
        return pack(Refused(f"{Path(task.sight.source).name}: {why(problem)}"))


def _done(task: Task, told: Callable[[Ms], None], threads: int) -> Outcome:
    if isinstance(task, Cut):
        return Cuts(media.shots(task.sight.source, lambda at, _length: told(at)))
    said: dict[str, None] = {}
    sound = media.film_sound(
        task.sight.source,
        track=task.sight.track,
        channel=task.sight.channel,
        begin=task.sight.begin,
        until=task.sight.until,
        say=lambda sentence: said.setdefault(sentence),  # noqa: PLW0108 - a second argument would be no sentence
    )
    try:
        if isinstance(task, Look):
            found = speech.survey(even(sound.chunks(), task.sight.begin), told)
            shift = task.sight.begin
            return Looked(Ms(found.length + shift), _later(found.voiced, shift), _later(found.quiet, shift), (*said,))
        samples = joined(even(sound.chunks(), task.sight.begin))
    finally:
        sound.stop()
    begin = task.sight.begin
    if isinstance(task, Tell):
        return Told(_turns(samples, begin, task.models, told))
    ears = _ears(task.hearing, threads)
    if isinstance(task, Render):
        return Heard(tuple(ears.translate(samples, begin, task.spoken)), said=(*said,))
    surveyed = speech.Survey(Ms(begin + len(samples) * 1000 // SPEECH_RATE), task.voiced, task.quiet)
    script = ears.transcribe(samples, begin, lambda at, _length: told(at), surveyed=surveyed)
    tongues = tuple((one.start, one.end, one.language) for one in script.languages)
    return Heard(script.words, tongues, script.unsure, script.rejected, (*said,))


def joined(pieces: Iterator[NDArray[np.float32]]) -> NDArray[np.float32]:
    """All of it as one."""
    import numpy as np  # noqa: PLC0415 - whoever only hands out work does without

    return np.concatenate([np.zeros(0, np.float32), *pieces])


def even(chunks: Iterator[AudioChunk], begin: Ms) -> Iterator[NDArray[np.float32]]:
    """Sound that begins at `begin` and has no holes: they are silence; what comes before, or twice, is left out."""
    import numpy as np  # noqa: PLC0415 - as above

    at = begin * SPEECH_RATE // 1000
    for chunk in chunks:
        first = chunk.start * SPEECH_RATE // 1000
        while first - at > SPEECH_RATE // 1000:
            hole = min(first - at, _HOLE)
            yield np.zeros(hole, np.float32)
            at += hole
        samples = chunk.samples[max(0, at - first) if at - first > SPEECH_RATE // 1000 else 0 :]
        yield samples
        at += len(samples)


def _turns(samples: NDArray[np.float32], begin: Ms, models: str, told: Callable[[Ms], None]) -> tuple[speech.Turn, ...]:
    if sentence := speech.lacks_speakers():
        raise SpeechError(sentence)
    if speech.speakers_identity() != models:
        raise SpeechError(
            _("The models that tell speakers apart on {machine} are not those that were asked for; copy them there.")
            .format(machine=socket.gethostname())
        )  # fmt: skip
    length = len(samples) * 1000 // SPEECH_RATE

    def progress(done: int, in_all: int) -> None:
        told(Ms(begin + length * done // max(1, in_all)))

    found = speech.speakers(samples, progress=progress)
    return tuple(replace(one, start=Ms(one.start + begin), end=Ms(one.end + begin)) for one in found)


def _later(stretches: tuple[Stretch, ...], by: Ms) -> tuple[Stretch, ...]:
    return tuple(Stretch(Ms(one.start + by), Ms(one.end + by)) for one in stretches)


@functools.lru_cache(maxsize=1)
def _ears(hearing: Hearing, threads: int) -> speech.Archivist:
    """The model, loaded once in the life of a worker for all films of one run."""
    folder = speech.resolve(hearing.model, offline=True)
    if model_identity(folder) != hearing.identity:
        raise ArchiveError(
            _("The speech model {name} on {machine} is not the one that was asked for; copy it there.").format(
                name=hearing.model, machine=socket.gethostname()
            )
        )
    return speech.Archivist(folder, hearing.language, threads, hotwords=hearing.hotwords)
