"""`studio.toml`: what this house has.

Passwords and stream keys do not stand here: they come from the environment, and a file that holds one is refused.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, TypeAlias
from urllib.parse import SplitResult, parse_qs, urlsplit

from msgspec import Meta

from studio.catalogue import NOT_SAID, Place, Said, fit, read_toml, user_folder
from studio.language import _

FILE_NAME = "studio.toml"

Lang: TypeAlias = Literal["pl", "lt", "en"]
Port: TypeAlias = Annotated[int, Meta(ge=1, le=65535)]

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Hosts that only this machine can reach."""

HOUSE_OUTPUTS = ("hls", "recording", "clean", "none")
"""Names that the house's own outputs have; no destination may be called so."""

_SECRET = re.compile(r"(?i)(.*_)?(password|passwd|passphrase|secret|token|(stream_?|api_?)?key)")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _address(text: str) -> SplitResult | None:
    """The parts of an address that names a host, and a port in range if any; `None` for anything else."""
    try:
        parts = urlsplit(text)
        whole = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number or past 65535, half an IPv6 address
        return None
    return parts if whole else None


@dataclass(frozen=True, slots=True)
class ShowSettings:
    """`[show]`: tonight."""

    title: str = "studio"
    """Stands on the page and on the card of a show without picture."""
    input: str = "listen"
    """`listen`: for an encoder that streams to us; `mic` or `mic:DEVICE`; else a media file."""
    out: Path | None = None
    """The folder in which each show makes its own, named after the time; `None`: `shows`, where it is started."""
    scenes: str | None = None
    """A file of `scenes/`, which OBS is asked to build; `None`: OBS keeps the scenes it has."""
    bindings: str | None = None
    """A file of `presets/bindings/`: what pads, faders and knobs do; `None`: only what `bind` of the devices says."""
    style: str = "hall"
    """A file of `subtitles/styles/`."""
    encode: str = "hall-720p"
    """A file of `presets/encode/`."""
    hold: Annotated[float, Meta(ge=0, le=30)] = 6.0
    """Seconds in [0..30] that the programme waits, so that captions meet the lips."""
    listen: str = "rtmp://127.0.0.1:1935/live/studio"
    """Where the encoder streams to: rtmp:// or srt://."""
    backup: str | None = None
    """Where a second encoder streams to, which airs while the first gives nothing; `None`: there is none."""
    backup_return: bool = True
    """Let the first encoder air again by itself when it has sent for ten seconds."""
    clean: bool = True
    """Keep what the encoder sends as it comes, too, without captions."""
    recording: Literal["mp4", "mkv"] = "mp4"
    """What the recordings become when the show is over."""
    slate: str = "slate"
    """A file of `scenes/`: its first scene airs while the encoder gives nothing."""
    slate_from_start: bool = False
    """Begin the show with the slate, so that the broadcast is there before the encoder comes."""
    level: Annotated[float, Meta(ge=-31, le=-9)] | None = None
    """LUFS that the programme is brought to while it airs: -23 for television, -16 or -14 for the web; `None`: it airs
    as loud as it comes."""
    lip_sync: Annotated[int, Meta(ge=-5000, le=5000)] = 0
    """Milliseconds by which the sound airs later than it comes with its picture; below 0 earlier, within `hold`."""

    def __post_init__(self) -> None:
        """ValueError where an encoder cannot stream to `listen` or `backup`, or where both have one port."""
        listen = _listens("listen", self.listen)
        if self.backup is not None and _listens("backup", self.backup)[:2] == listen[:2]:
            raise ValueError(_('"backup" must have another port than "listen"'))


def _listens(name: str, text: str) -> tuple[str, int, SplitResult]:
    """How and at which port we are to listen. ValueError where `text` is no address that an encoder can stream to."""
    address = _address(text)
    if address is None or address.scheme not in ("rtmp", "srt") or not address.port:
        raise ValueError(
            _('"{name}" must be like rtmp://127.0.0.1:1935/live/studio or srt://127.0.0.1:9000').format(name=name)
        )
    if address.password or {"passphrase", "password", "key"} & parse_qs(address.query).keys():
        raise ValueError(
            _(
                '"{name}" holds a password, which does not belong in this file; leave it out and keep to 127.0.0.1'
            ).format(name=name)
        )
    if address.scheme == "rtmp" and not address.path.strip("/"):
        raise ValueError(
            _('"{name}" needs a name after the port, as in rtmp://127.0.0.1:1935/live/studio').format(name=name)
        )
    return address.scheme, address.port, address


@dataclass(frozen=True, slots=True)
class ObsSettings:
    """`[obs]`."""

    use: Literal["off", "find", "start"] = "find"
    """`find` a running one; `start` one where none answers; `off`: the show goes without."""
    host: str = "127.0.0.1"
    port: Port = 4455
    password_env: str = "STUDIO_OBS_PASSWORD"  # noqa: S105 - the name of a variable
    """The variable of the environment that holds the password."""

    def __post_init__(self) -> None:
        """ValueError where `password_env` cannot be a variable's name: it may then be the password, so is not shown."""
        if not _VARIABLE.fullmatch(self.password_env):
            raise ValueError(_('"password_env" must be the name of an environment variable, not the password itself'))


@dataclass(frozen=True, slots=True)
class WebSettings:
    """`[web]`: the status page."""

    host: str = "127.0.0.1"
    port: Port = 8710


@dataclass(frozen=True, slots=True)
class CaptionSettings:
    """`[captions]`."""

    on: bool = True
    model: str = "base"
    """A name that `studio models list` shows, or the folder of a model."""
    preset: str = "live"
    """A file of `presets/captions/`."""
    threads: Annotated[int, Meta(ge=1, le=64)] = 1
    """Of one pass; the second look has as many of its own. More seldom pay: decoding waits for the memory."""
    glossaries: tuple[str, ...] = ()
    """Files of `subtitles/glossaries/`: names of people, places and works, as they are to be written."""
    swearing: Literal["show", "mask"] = "show"
    """`mask`: swear words of `subtitles/swearing/` keep their first letter only."""
    numbers: bool = True
    """Write numbers as the language does, by `subtitles/numbers/`."""
    translate: Literal["en"] | None = None
    """A second track of subtitles in this language, as long as the machine keeps up."""
    obs_text: str | None = None
    """A text source of OBS that shows what is being said, without the hold."""
    youtube: str | None = None
    """The environment variable that holds the address YouTube gave for captions; `None`: none are sent."""
    cea608: bool = False
    """Put closed captions into the picture's own data too; they have no Polish or Lithuanian letters."""

    def __post_init__(self) -> None:
        """ValueError where `youtube` cannot be a variable's name: it may then be the address, so is not shown."""
        if self.youtube is not None and not _VARIABLE.fullmatch(self.youtube):
            raise ValueError(_('"youtube" must be the name of an environment variable, not the address itself'))


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """`[archive]`: films and their subtitles."""

    films: Path | None = None
    """The file that the library of films is; `None`: in the user's own folder for data."""


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """`[[devices]]`: a thing with a plug."""

    name: str
    """What the house calls it; shown on the page."""
    hardware: str
    """A file of `hardware/`: the model."""
    host: str = "127.0.0.1"
    """Its address, where it is on the network."""
    port: Port | None = None
    """`None`: the port that the model's file names."""
    midi: str | None = None
    """A part of its MIDI port's name; `None`: as the model's file says."""
    bind: Mapping[str, str] = field(default_factory=dict)
    """Control → action, such as `pad1 = "take:Talk"`."""


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """`[[cameras]]`: a picture that scenes may call by name."""

    name: str
    url: str | None = None
    """Where it streams, such as rtsp://10.0.0.31/stream1 …"""
    device: Path | None = None
    """… or the video device that it is plugged into, such as /dev/video0."""
    ptz: str | None = None
    """The device of `[[devices]]` that turns it; it is guarded while OBS shows this picture. `None`: nothing does."""

    def __post_init__(self) -> None:
        """ValueError unless exactly one of `url` and `device` is said."""
        if (self.url is None) == (self.device is None):
            raise ValueError(_('the camera "{name}" needs one of "url" and "device"').format(name=self.name))
        if self.url is None:
            return
        address = _address(self.url)
        if address is None or not address.scheme:
            raise ValueError(_('"url" must be an address such as rtsp://10.0.0.31/stream1'))
        if address.password:
            raise ValueError(_('"url" holds a password, which does not belong in this file; let the camera open to us'))


@dataclass(frozen=True, slots=True)
class DestinationSettings:
    """`[[destinations]]`: a place that the programme is sent to, besides the show folder."""

    name: str
    """What the house calls it; shown on the page."""
    preset: str | None = None
    """A file of `presets/destinations/` …"""
    address: str | None = None
    """… and, where that knows none or another one is wanted, where to: rtmp://, rtmps:// or srt://, which need no
    preset, or a folder or a file, in which `{show}` stands for the name of the show folder."""
    key_env: str | None = None
    """The environment variable that holds the stream key or the passphrase …"""
    key_file: Path | None = None
    """… or the file that holds it, which nobody else may read …"""
    keyring: str | None = None
    """… or its name in the keyring of the desktop."""
    on: bool = True
    """Send there from the beginning; else only when somebody asks."""
    look_at: str | None = None
    """The address of a playlist that viewers would play, to look whether it moves."""

    def __post_init__(self) -> None:
        """ValueError with a sentence where this cannot be so; what may be a secret is not repeated."""
        if not self.name.strip() or self.name != self.name.strip() or not self.name.isprintable():
            raise ValueError(_('"name" must be a few letters on one line, without spaces around them'))
        if self.name.casefold() in HOUSE_OUTPUTS:
            raise ValueError(_('"name" cannot be "{name}"; the house itself uses that word').format(name=self.name))
        if self.preset is None and self.address is None:
            raise ValueError(_('the destination "{name}" needs a "preset" or an "address"').format(name=self.name))
        if [self.key_env, self.key_file, self.keyring].count(None) < 2:  # noqa: PLR2004 - three, of which one is said
            raise ValueError(_('only one of "key_env", "key_file" and "keyring" can hold the key'))
        if self.key_env is not None and not _VARIABLE.fullmatch(self.key_env):
            raise ValueError(_('"key_env" must be the name of an environment variable, not the key itself'))
        if self.keyring is not None and (not self.keyring.strip() or self.keyring.startswith("-")):
            raise ValueError(_('"keyring" must be a name in the keyring, as in: keyring set studio NAME'))
        if self.look_at is not None:
            seen = _address(self.look_at)
            if seen is None or seen.scheme not in ("http", "https") or seen.password:
                raise ValueError(_('"look_at" must be an address such as https://example.org/hall/master.m3u8'))
        if self.address is not None:
            _check_destination(self.address)


def _check_destination(text: str) -> None:
    """ValueError where `text` is an address that nothing can be sent to, or that holds a secret."""
    if "://" not in text:
        return
    address = _address(text)
    plain = text.isprintable() and " " not in text
    if not plain or address is None or address.scheme not in ("rtmp", "rtmps", "srt"):
        raise ValueError(_('"address" must be like rtmp://example.org/live, rtmps:// or srt://example.org:9000'))
    said = re.findall(r"(\w+)=", f"{address.query} {address.fragment}")
    if address.password or any(_SECRET.fullmatch(word) or word == "auth" for word in said):
        raise ValueError(
            _('"address" holds a password, which does not belong in this file; use "key_env" or "key_file"')
        )
    if address.username is not None and address.scheme != "srt":
        raise ValueError(
            _('"address" holds a user name, which does not belong in this file; use "key_env" or "key_file"')
        )
    if address.scheme == "srt" and not address.port:
        raise ValueError(_('"address" needs a port, as in srt://example.org:9000'))
    if address.scheme != "srt" and not address.path.strip("/"):
        raise ValueError(_('"address" needs a name after the host, as in rtmp://example.org/live'))


@dataclass(frozen=True, slots=True)
class Venue:
    """What this house has, as `studio.toml` says."""

    name: str = "studio"
    """Of the house."""
    language: Literal["pl", "lt", "en", "auto"] = "pl"
    """Spoken on the stage; `auto`: the recogniser finds out."""
    interface: Lang | None = None
    """Of pages and messages; `None`: the system's."""
    show: ShowSettings = field(default_factory=ShowSettings)
    obs: ObsSettings = field(default_factory=ObsSettings)
    web: WebSettings = field(default_factory=WebSettings)
    captions: CaptionSettings = field(default_factory=CaptionSettings)
    archive: ArchiveSettings = field(default_factory=ArchiveSettings)
    devices: tuple[DeviceSettings, ...] = ()
    cameras: tuple[CameraSettings, ...] = ()
    destinations: tuple[DestinationSettings, ...] = ()
    file: Path | None = field(default=None, metadata={NOT_SAID: True})
    """The file all this was read from; `None`: there is none, and everything is as shipped."""
    said: Said | None = field(default=None, repr=False, compare=False, metadata={NOT_SAID: True})
    """The file as it was written; ask `place`."""

    def place(self, *path: str | int) -> Place:
        """Where `path`, such as `"show", "style"`, is said; where it is left out, what stands around it."""
        if self.said is None:
            return Place(Path(FILE_NAME))
        return self.said.at(*path).place

    @property
    def folder(self) -> Path | None:
        """The folder of `file`, which holds the house's own drawers."""
        return self.file.parent if self.file else None


def find() -> Path | None:
    """Return the `studio.toml` in use: here, else in the user's folder; `None` where there is neither."""
    for file in (Path(FILE_NAME), user_folder() / FILE_NAME):
        if file.exists():
            return file
    return None


def read(file: Path | None) -> Venue:
    """Return what `file` says, or the one that `find` finds, or the defaults.

    Raises DrawerError with file, line and the nearest right word. Paths in the file count from its folder.
    """
    file = file or find()
    if file is None:
        return Venue()
    said = read_toml(Place(file))
    _refuse_secrets(said, said)
    venue = fit(said, Venue)
    show = dataclasses.replace(venue.show, input=_input(venue.show.input, file.parent))
    archive = venue.archive
    if archive.films is not None:
        archive = dataclasses.replace(archive, films=file.parent / archive.films.expanduser())
    return dataclasses.replace(venue, show=show, archive=archive, file=file, said=said)


def _input(said: str, folder: Path) -> str:
    if said in ("listen", "mic") or said.startswith("mic:"):
        return said
    return str(folder / Path(said).expanduser())


def _refuse_secrets(said: Said, whole: Said) -> None:
    """Raise DrawerError at the first key that holds a secret; the secret itself is never repeated."""
    if isinstance(said.value, tuple):
        for value in said.value:
            _refuse_secrets(value, whole)
    if not isinstance(said.value, dict):
        return
    for key, value in said.value.items():
        if _SECRET.fullmatch(str(key)):
            raise value.place.error(_where_it_belongs(said, whole).format(key=key))
        if key != "bind":  # there the keys are controls, named by the device
            _refuse_secrets(value, whole)


def _where_it_belongs(said: Said, whole: Said) -> str:
    obs, destinations = whole.at("obs"), whole.at("destinations").value
    if said is obs:
        variable = obs.at("password_env").value
        where = variable if isinstance(variable, str) else ObsSettings().password_env
        message = _('"{key}" does not belong in this file; put it into the environment variable {variable}')
        return message.replace("{variable}", where)
    if isinstance(destinations, tuple) and any(said is each for each in destinations):
        return _(
            '"{key}" does not belong in this file; keep it in an environment variable and name that with "key_env", '
            'or in a file of mode 600 and name that with "key_file"'
        )
    return _('"{key}" does not belong in this file; passwords and stream keys are kept in the environment')
