"""What is asked for, and the fingerprints by which it is known again what was done already.

Two fingerprints, for two kinds of work. `hearing_key` is what recognition depends on, minutes or hours of it: content
of the film, track, stretch, language, model, names told beforehand. `paper_key` is that and all that subtitles depend
on, a second of work: profile and corrections. So another profile or format costs a second, and with another language or
model the film is heard anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from studio.subtitles import Corrections, Rules, SoundLabels, Style
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from studio.media import EncodePreset  # noqa: TC004 - `Burn` is never read back from bytes, and this loads the relay's plan


HEARING, PAPER = 2, 2
"""Counted up when recognition, or composing, makes something else of the same film: then it is done anew."""
LONGEST = Ms(180_000)
"""A chunk is so long at most: a killed worker costs no more than that, and a film of an hour feeds a rack."""
_READ = 1 << 20


@dataclass(frozen=True, slots=True)
class Hearing:
    """What recognition is to know."""

    model: str
    """Its name, or its folder: each worker finds it for itself."""
    identity: str
    """`model_identity` of it: a worker that has another one refuses."""
    language: str = "auto"
    """Code of what is spoken, or `auto`."""
    hotwords: tuple[str, ...] = ()
    """Names told beforehand."""
    beam: int = 5
    track: int | None = None
    """Sound track, from 1; `None`: the one that is spoken in `language`, or that players take."""
    channel: Literal["mix", "left", "right", "centre"] | int = "mix"
    """Of that track; a number counts from 1."""
    begin: Ms = Ms(0)
    """On the film's clock."""
    until: Ms | None = None
    """`None`: to the end."""
    longest: Ms = LONGEST

    def __post_init__(self) -> None:
        if self.until is not None and self.until <= self.begin:
            raise ValueError(self.until)


@dataclass(frozen=True, slots=True)
class Burn:
    """The film once more with its subtitles in the picture."""

    name: str
    """Of the preset."""
    preset: EncodePreset
    style: Style


@dataclass(frozen=True, slots=True)
class Settings:
    """What is to become of each film."""

    hearing: Hearing
    rules: Mapping[str, Rules]
    """By the code of the language that is read; `""` holds for any other."""
    profile: str
    """Name of the reading profile, or empty: that of the language."""
    formats: tuple[str, ...] = ("srt",)
    """Names out of `subtitles.FORMATS`."""
    corrections: Corrections = field(default_factory=Corrections)
    translate: bool = False
    """Make a second file in English, of what is spoken in any other language."""
    out: Path | None = None
    """Folder that takes all files, in the folders that the films are in; `None`: beside each film."""
    overwrite: bool = False
    """Replace subtitle files that somebody else made, or changed since."""
    burn: Burn | None = None
    mux: bool = False
    """Write the film once more, with its subtitles as a track that can be switched on."""
    media: str = ""
    """Address below which workers find the films that are named; empty: they see them under the same path."""
    report: bool = False
    """Write a page beside the subtitles that shows where somebody should look."""
    shots: bool = False
    """Bring cues into step with the cuts of the picture: all of it is to be decoded for that."""
    speakers: str = ""
    """`speakers_identity` of the models that tell speakers apart; empty: nobody does."""
    labels: Mapping[str, SoundLabels] = field(default_factory=dict)
    """What people are called whom nobody has named, by the code of the language; `""` holds for any other."""

    def rules_for(self, language: str) -> Rules:
        """The reading profile for what is read in `language`."""
        return self.rules.get(language) or self.rules[""]

    def labels_for(self, language: str) -> SoundLabels:
        """What speakers are called in `language`."""
        return self.labels.get(language) or self.labels.get("") or SoundLabels(language)


def hearing_key(content: str, hearing: Hearing) -> str:
    """Fingerprint of what is heard of a film with `content` (see `content_of`)."""
    return _digest(HEARING, content, replace(hearing, model=""))


def paper_key(content: str, settings: Settings) -> str:
    """Fingerprint of all that is made of a film with `content`; where it is written does not count."""
    people = (settings.speakers, dict(settings.labels)) if settings.speakers else ()
    return _digest(
        PAPER,
        hearing_key(content, settings.hearing),
        dict(settings.rules),
        settings.profile,
        settings.corrections,
        settings.translate,
        settings.shots,
        *people,
    )


def telling_key(content: str, settings: Settings) -> str:
    """Fingerprint of what telling speakers apart depends on: neither language nor speech model."""
    hearing = settings.hearing
    return _digest(content, hearing.track, hearing.channel, hearing.begin, hearing.until, settings.speakers)


class Stopped(Exception):  # noqa: N818 - asked for
    """Somebody asked for an end."""


def content_of(path: Path, stop: Callable[[], bool] = lambda: False) -> str:
    """Fingerprint of all bytes of a file, at the speed of the disk. Raises OSError, and Stopped once `stop` says so.

    All of them: a film of which a scene in the middle was replaced has the same beginning, end and size. It is taken
    when a film is seen for the first time, or when size or one of its times changed (`Stamp`).
    """
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_READ):
            if stop():
                raise Stopped
            digest.update(piece)
    return digest.hexdigest()


def model_identity(folder: Path) -> str:
    """Fingerprint of the model in `folder`: names and sizes of its files, what it is, and both ends of its weights."""
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(one for one in folder.iterdir() if one.is_file()):
        digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
        if file.name in ("model.bin", "config.json"):
            with file.open("rb") as opened:
                digest.update(opened.read(_READ))
                opened.seek(max(0, file.stat().st_size - _READ))
                digest.update(opened.read(_READ))
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Stamp:
    """By what a file is taken for the same as before without reading it.

    The time of the last change of content can be set by anyone (`touch`, `cp -p`); that of the inode cannot.
    """

    size: int
    modified: int
    """Nanoseconds since 1970."""
    changed: int
    """Nanoseconds since 1970: of content, name or rights."""

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """Look at the file. Raises OSError."""
        found = path.stat()
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _digest(*parts: Any) -> str:  # noqa: ANN401 - whatever msgspec writes
    return hashlib.blake2b(msgspec.json.encode(parts, order="deterministic"), digest_size=16).hexdigest()
