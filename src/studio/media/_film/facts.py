"""What is in a film."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, Literal

import av
from av.stream import Disposition

from studio.errors import MediaError
from studio.language import _
from studio.media._arrive.probe import can_decode, is_cover
from studio.media._film.source import Source, is_address, name_of, open_film, seconds, zero_of
from studio.media._film.unbroken import is_broken
from studio.units import Ms, ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from av.container import InputContainer
    from av.stream import Stream

LOOKED_AT = 240
"""Pictures at each of three places by which a film's rate is taken for steady or not: some eight seconds each."""
_UNSTEADY = 0.1
"""Share of its usual length by which a picture of an unsteady film is longer or shorter …"""
_ROUNDING = Fraction(25, 10_000)
"""… and seconds more: Matroska has whole milliseconds."""
SHORT = Ms(3000)
"""A film that ends so much before its own header says was cut off; tracks of one film differ by less."""
_BITMAPS = frozenset({"pgssub", "dvdsub", "dvbsub", "xsub"})
"""Subtitles that are pictures, by the names of FFmpeg's decoders."""
_HDR = {16: "PQ", 18: "HLG"}
"""Transfer curves of high dynamic range, by their numbers in ITU-T H.273."""
_SURROUND = 3
"""Channels from which there is a centre beside left and right."""
_ASIDE = ("comment", "descri", "audiodesk", "komentar", "dla niewid", "garsin", "garso aprašymas")
"""What the titles of tracks hold that are spoken about the film and not in it."""
_NO_LANGUAGE = frozenset({"und", "mis", "mul", "zxx", "unk"})
"""What ISO 639 has for what is no language."""
LETTERS = {"pol": "pl", "lit": "lt", "eng": "en", "deu": "de", "ger": "de", "rus": "ru", "ukr": "uk", "bel": "be"} | {
    "fra": "fr", "fre": "fr", "lav": "lv", "est": "et", "ces": "cs", "cze": "cs", "spa": "es", "ita": "it"
}  # fmt: skip
"""Codes of three letters, as films have them (ISO 639-2), and of two, as we have them."""


@dataclass(frozen=True, slots=True)
class FilmPicture:
    """The picture of a film."""

    codec: str
    width: int
    """Pixels as stored, before `rotation` and `shape`."""
    height: int
    shape: Fraction
    """Of one pixel: wide by high."""
    rate: float
    """Pictures a second, on average; 0 where nobody knows."""
    steady: bool
    """Whether they follow each other evenly; if not, times must come from stamps and never from counting."""
    rotation: int
    """Degrees in (-180..180] by which it is to be turned, counterclockwise, before it is shown: 0, ±90, 180."""
    start: Ms
    """When the first one is shown, on the film's clock."""
    bits: int
    """Of each sample: 8, or 10 and more."""
    pixels: str
    """FFmpeg's name of the form of its pictures."""
    hdr: str
    """`PQ` or `HLG` where it has high dynamic range, else empty."""


@dataclass(frozen=True, slots=True)
class FilmSound:
    """One sound track of a film."""

    number: int
    """As a person counts the sound tracks of this film, from 1."""
    language: str
    """Code of two letters where there is one, else of three; empty where the film does not say."""
    title: str
    channels: int
    layout: str
    """As FFmpeg names it: mono, stereo, 5.1(side) …"""
    codec: str
    """Empty where it is one that nobody here knows."""
    rate: int
    """Hertz."""
    start: Ms
    """When it begins on the film's clock: a delayed track counts from there."""
    default: bool
    """Whether players take it."""
    aside: bool
    """Whether it is spoken about the film and not in it: commentary, or description for those who do not see."""
    places: tuple[str, ...]
    """Of its channels in the room, as FFmpeg names them: FL, FR, FC …"""

    @property
    def can_be_heard(self) -> bool:
        """Whether it can be decoded here."""
        return bool(self.codec and self.rate and self.channels)


@dataclass(frozen=True, slots=True)
class FilmText:
    """One subtitle track of a film."""

    number: int
    """As a person counts the subtitle tracks of this film, from 1."""
    language: str
    """As `FilmSound.language`."""
    title: str
    kind: Literal["text", "bitmap"]
    """`bitmap`: pictures of letters, which cannot be read as text."""
    codec: str
    default: bool
    forced: bool
    """Shown to everybody: translations of what is spoken in another language."""
    sdh: bool
    """For those who do not hear: says also what sounds."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter of a film."""

    start: Ms
    end: Ms
    title: str


@dataclass(frozen=True, slots=True)
class Film:
    """What is in a film: a picture, or sound, or both. Times are on its own clock, which begins where players do."""

    length: Ms | None
    """`None` where the file does not say, or was glued together so that its clock jumps."""
    picture: FilmPicture | None
    """The first one that is no cover."""
    sounds: tuple[FilmSound, ...]
    texts: tuple[FilmText, ...]
    chapters: tuple[Chapter, ...]
    reads_to: Ms | None
    """How far it can be read where it ends before it should, since it was cut off; `None`: it is whole, or on a server,
    where nobody looked."""
    form: str
    """FFmpeg's name of the container."""
    title: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    """What else the file says about itself."""

    def speech(self, language: str = "") -> FilmSound | None:
        """Return the sound track that is listened to where nobody names one; `None` where none can be heard.

        Of those in `language`, where there are any, one that is no commentary, then the one players take, then one with
        a centre, where films have their speech; of equals the first.
        """
        known = [track for track in self.sounds if track.can_be_heard]
        return min(
            known,
            key=lambda track: (
                bool(language) and track.language != language,
                track.aside,
                not track.default,
                track.channels < _SURROUND or "FC" not in track.places,
                track.number,
            ),
            default=None,
        )


def film(source: Source) -> Film:
    """Say what is in the film at `source`. Raises MediaError, with what to do."""
    with open_film(source) as container:
        zero = zero_of(container)
        length = Ms(round(container.duration / 1000)) if container.duration else None
        glued = not is_address(source) and is_broken(container)
        if glued:
            container.seek(container.start_time or 0)
            length = None
        picture = _picture(container, zero)
        sounds = tuple(_sound(number, stream, zero) for number, stream in enumerate(container.streams.audio, 1))
        if picture is None and not any(sound.can_be_heard for sound in sounds):
            raise MediaError(
                _("{file} has no picture or sound that can be read; is it a media file?").format(file=name_of(source))
            )
        return Film(
            length,
            picture,
            sounds,
            tuple(_text(number, stream) for number, stream in enumerate(container.streams.subtitles, 1)),
            _chapters(container, zero),
            None if is_address(source) else _reads_to(container, length, zero),
            container.format.name,
            container.metadata.get("title", ""),
            dict(container.metadata),
        )


def first_picture(container: InputContainer) -> av.VideoStream | None:
    """Return the stream of the pictures that are the film; `None` where there is only sound, or a cover."""
    return next(
        (
            stream
            for stream in container.streams.video
            if can_decode(stream) and stream.codec_context.width and not is_cover(stream)
        ),
        None,
    )


def language_of(stream: Stream) -> str:
    """Return the code of its language as we have it; empty where it says none."""
    code = (stream.metadata.get("language") or "").lower().partition("-")[0]
    return "" if code in _NO_LANGUAGE else LETTERS.get(code, code)


def _start(stream: Stream, zero: Fraction) -> Ms:
    return ms(float(seconds(stream.start_time, stream, zero) or 0))


def _title(stream: Stream) -> str:
    said = stream.metadata.get("title") or stream.metadata.get("handler_name") or ""
    return "" if said in {"SoundHandler", "VideoHandler", "SubtitleHandler"} else said


def _picture(container: InputContainer, zero: Fraction) -> FilmPicture | None:
    stream = first_picture(container)
    if stream is None:
        return None
    context = stream.codec_context
    rotation, curve = 0, 0
    with contextlib.suppress(av.FFmpegError, OSError):
        frame = next(container.decode(stream), None)
        if frame is not None:
            rotation, curve = frame.rotation, frame.color_trc
    pixels = context.pix_fmt or ""
    bits = max((component.bits for component in context.format.components), default=8) if context.format else 8
    steady = _steady(container, stream)
    rate = stream.average_rate or stream.guessed_rate or 0
    shape = stream.sample_aspect_ratio or Fraction(1)
    return FilmPicture(
        context.name,
        context.width,
        context.height,
        shape if shape > 0 else Fraction(1),
        float(rate),
        steady,
        rotation,
        _start(stream, zero),
        bits,
        pixels,
        _HDR.get(curve, ""),
    )


def _steady(container: InputContainer, stream: av.VideoStream) -> bool:
    """Look at three places whether pictures follow each other evenly."""
    for share in (0.0, 0.35, 0.7):
        stamps: list[int] = []
        with contextlib.suppress(av.FFmpegError, OSError):
            container.seek(int((container.start_time or 0) + (container.duration or 0) * share))
            found = [packet.pts for packet in islice(container.demux(stream), LOOKED_AT) if packet.size]
            stamps = sorted(at for at in found if at is not None)  # they come as they are decoded
            if len(stamps) < len(found):  # a programme stream stamps where it likes, and says nothing by it
                continue
        # The first may be half a picture, where a jump led into one; the last lack some that would have come between.
        lengths = sorted(after - before for before, after in pairwise(stamps[4 : max(6, len(stamps) - 16)]))
        if not lengths or stream.time_base is None:
            continue
        usual = lengths[len(lengths) // 2]
        room = usual * _UNSTEADY + _ROUNDING / stream.time_base
        if lengths[-1] - usual > room or usual - lengths[0] > room:
            return False
    return True


def _sound(number: int, stream: av.AudioStream, zero: Fraction) -> FilmSound:
    flags = stream.disposition
    known = can_decode(stream)
    layout = stream.codec_context.layout if known else None
    title = _title(stream)
    about = Disposition.comment | Disposition.visual_impaired | Disposition.descriptions
    return FilmSound(
        number,
        language_of(stream),
        title,
        layout.nb_channels if layout else 0,
        layout.name if layout else "",
        stream.codec_context.name if known else "",
        stream.codec_context.sample_rate or 0 if known else 0,
        _start(stream, zero),
        bool(flags & Disposition.default),
        bool(flags & about) or any(word in title.lower() for word in _ASIDE),
        tuple(channel.name for channel in layout.channels) if layout else (),
    )


def _text(number: int, stream: Any) -> FilmText:  # noqa: ANN401 - what FFmpeg cannot decode has no class of its own
    flags = stream.disposition
    context: Any = stream.codec_context
    codec = context.name if context is not None else ""
    title = _title(stream)
    return FilmText(
        number,
        language_of(stream),
        title,
        "bitmap" if codec in _BITMAPS else "text",
        codec,
        bool(flags & Disposition.default),
        bool(flags & Disposition.forced) or "forced" in title.lower(),
        bool(flags & (Disposition.hearing_impaired | Disposition.captions)) or "sdh" in title.lower(),
    )


def _chapters(container: InputContainer, zero: Fraction) -> tuple[Chapter, ...]:
    return tuple(
        Chapter(
            ms(float(chapter["start"] * (chapter["time_base"] or 0) - zero)),
            ms(float(chapter["end"] * (chapter["time_base"] or 0) - zero)),
            chapter["metadata"].get("title", ""),
        )
        for chapter in container.chapters()
    )


def _reads_to(container: InputContainer, length: Ms | None, zero: Fraction) -> Ms | None:
    """Return how far it can be read where that is well before its end; else `None`."""
    if length is None or length < SHORT:
        return None
    streams = [*container.streams.video, *container.streams.audio]
    end = _last_from(container, streams, Ms(length - 2000), zero)
    if end is None:  # halved until it is found to two seconds, then read
        low, high = 0, length - 2000
        while high - low > 2000:  # noqa: PLR2004
            middle = (low + high) // 2
            found = _last_from(container, streams, Ms(middle), zero, most=1)
            low, high = (middle, high) if found is not None else (low, middle)
        end = _last_from(container, streams, Ms(low), zero) or Ms(0)
    return end if length - end > SHORT else None


def _last_from(
    container: InputContainer, streams: Sequence[Stream], at: Ms, zero: Fraction, most: int | None = None
) -> Ms | None:
    """Return the end of the last packet that is read from `at` on, of `most` that are looked at; `None` of none."""
    end: Fraction | None = None
    with contextlib.suppress(av.FFmpegError, OSError):
        container.seek(int((at / 1000 + zero) * 1_000_000))
        for packet in islice(container.demux(streams), most):
            begin = seconds(packet.pts, packet.stream, zero)
            if begin is not None and packet.size:
                last = begin + (packet.duration or 0) * (packet.stream.time_base or 0)
                end = last if end is None else max(end, last)
    return None if end is None else ms(float(end))
