"""Where the programme is sent besides the show folder: `studio.toml` and `presets/destinations/` put together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, TypeAlias, runtime_checkable
from urllib.parse import quote

from msgspec import Meta

from studio.catalogue import Catalogue, Place, instead
from studio.errors import DrawerError, SecretError, ShowError
from studio.events import Destination, DestinationKind
from studio.keys import KeySource
from studio.language import _

if TYPE_CHECKING:
    from studio.venue import DestinationSettings, Venue

DRAWER = "presets/destinations"
NONE = "none"
"""As a name on the command line: send nowhere."""
SHOW = "{show}"
"""In the path of a folder or a file: the name of the show folder."""
PASSPHRASE = range(10, 80)
"""Letters that SRT takes (libsrt, SRTO_PASSPHRASE)."""

Kilobits: TypeAlias = Annotated[int, Meta(ge=1)]


@dataclass(frozen=True, slots=True)
class Service:
    """A kind of place to send the programme to: a file of `presets/destinations/`."""

    kind: DestinationKind
    address: str | None = None
    """Where to; `None`: `studio.toml` has to say."""
    key: Literal["needed", "optional", "none"] = "none"
    """Whether it wants a stream key or a passphrase."""
    keyframe_most: Annotated[float, Meta(gt=0)] | None = None
    """Seconds between two key frames that it bears."""
    video_most: Mapping[int, Kilobits] = field(default_factory=dict)
    """Kilobits a second that it takes of a picture of that height or less."""
    audio_most: Kilobits | None = None
    source: str | None = None
    """Where these figures stand."""


@runtime_checkable
class Encoding(Protocol):
    """What a file of `presets/encode/` says, as far as it matters here."""

    @property
    def height(self) -> int:
        """Pixels; 0 as the source."""
        ...

    @property
    def keyframe_seconds(self) -> float:
        """Between two key frames."""
        ...

    @property
    def video_bitrate(self) -> int:
        """Kilobits a second, at most."""
        ...

    @property
    def audio_bitrate(self) -> int:
        """Kilobits a second."""
        ...


@dataclass(frozen=True, slots=True)
class Outlet:
    """A destination of the house, before anybody has read its key."""

    name: str
    kind: DestinationKind
    address: str
    """Without any secret."""
    key: KeySource
    on: bool
    """From the beginning."""
    look_at: str
    preset: str
    """A file of `presets/destinations/`, or empty."""

    def of(self, show: str) -> Outlet:
        """Return it for the show whose folder is called `show`."""
        look_at = self.look_at.replace(SHOW, quote(show))
        if self.kind in ("rtmp", "srt"):
            return dataclasses.replace(self, look_at=look_at)
        return dataclasses.replace(self, address=self.address.replace(SHOW, show), look_at=look_at)

    def destination(self) -> Destination:
        """Read the key, and return what the relay is told; SecretError where there is none or it cannot be one."""
        secret = self.key.read()
        if self.kind == "srt" and secret and len(secret) not in PASSPHRASE:
            raise SecretError(
                _(
                    'The passphrase of "{name}" must have {least} to {most} letters; correct what stands in {place}.'
                ).format(name=self.name, least=PASSPHRASE[0], most=PASSPHRASE[-1], place=self.key.shown)
            )
        if self.kind == "rtmp" and " " in secret:
            raise SecretError(
                _('The key of "{name}" has a space in it; correct what stands in {place}.').format(
                    name=self.name, place=self.key.shown
                )
            )
        return Destination(self.name, self.kind, self.address, secret, self.look_at)


def load_outlets(venue: Venue, catalogue: Catalogue) -> tuple[Outlet, ...]:
    """Return the destinations of the house. Raises DrawerError."""
    outlets, wrong = build(venue, catalogue)
    if wrong:
        first, *others = wrong
        first.also += tuple(others)
        raise first
    return outlets


def chosen(outlets: Sequence[Outlet], names: Sequence[str]) -> tuple[Outlet, ...]:
    """Return those of `outlets` that are asked for by `names`, or that are on where nothing is asked for.

    ShowError for a name that there is not.
    """
    if not names:
        return tuple(outlet for outlet in outlets if outlet.on)
    known = [outlet.name for outlet in outlets]
    for name in names:
        if name not in known and name != NONE and not known:
            raise ShowError(
                _('There are no destinations in studio.toml; add "{name}" there as [[destinations]].').format(name=name)
            )
        if name not in known and name != NONE:
            raise ShowError(
                _('There is no destination "{name}" in studio.toml').format(name=name) + instead(name, [*known, NONE])
            )
    if NONE in names and len(set(names)) > 1:
        raise ShowError(_('"--to none" sends nowhere; leave out the other --to, or this one.'))
    return tuple(outlet for outlet in outlets if outlet.name in names)


def build(venue: Venue, catalogue: Catalogue) -> tuple[tuple[Outlet, ...], list[DrawerError]]:
    """Return what can be made of `[[destinations]]`, and all that is wrong with it."""
    outlets: list[Outlet] = []
    wrong: list[DrawerError] = []
    seen: dict[str, int | None] = {}
    for number, settings in enumerate(venue.destinations):
        place = venue.place("destinations", number, "name")
        if settings.name in seen:
            message = _('the name "{name}" is taken already, on line {line}')
            wrong.append(place.error(message.format(name=settings.name, line=seen[settings.name])))
            continue
        seen[settings.name] = place.line
        try:
            outlets.append(_outlet(venue, catalogue, number, settings))
        except DrawerError as problem:
            wrong.append(problem)
    return tuple(outlets), wrong


def _outlet(venue: Venue, catalogue: Catalogue, number: int, settings: DestinationSettings) -> Outlet:
    def at(key: str) -> Place:
        return venue.place("destinations", number, key)

    service = _service(catalogue, settings, at("preset"), at("address"))
    key = KeySource(settings.key_env, settings.key_file, settings.keyring)
    if service.key == "none" and key:
        said = "key_env" if key.env else "key_file" if key.file else "keyring"
        message = _('"{key}" is not needed here: a folder or a file has no stream key; leave it out')
        raise at(said).error(message.format(key=said))
    if service.key == "needed" and not key:
        message = _('"{name}" needs a stream key; say with "key_env" or "key_file" where it is kept')
        raise at("name").error(message.format(name=settings.name))
    address = settings.address or service.address
    if address is None:
        message = _('"address" is missing; the preset "{preset}" leaves it to studio.toml to say where to')
        raise at("preset").error(message.format(preset=settings.preset))
    if service.kind in ("rtmp", "srt"):
        _check_network(service, settings, address, at("address"))
    elif "://" in address:
        raise at("address").error(_('"address" must be a path here, for the preset is one of files'))
    else:
        folder = venue.folder or Path()
        address = str((folder / Path(address).expanduser()).absolute())
    return Outlet(settings.name, service.kind, address, key, settings.on, settings.look_at or "", settings.preset or "")


def _service(catalogue: Catalogue, settings: DestinationSettings, preset: Place, address: Place) -> Service:
    if settings.preset is not None:
        return catalogue.load(DRAWER, settings.preset, Service, preset)
    scheme = (settings.address or "").partition("://")
    if not scheme[1]:
        message = _('a path needs a preset, too: say preset = "file" or preset = "hls-folder"')
        raise address.error(message)
    return Service("srt" if scheme[0].lower() == "srt" else "rtmp", key="optional")


def _check_network(service: Service, settings: DestinationSettings, address: str, place: Place) -> None:
    """DrawerError where the address is of another kind than the preset, or seems to hold the stream key."""
    scheme, _colon, rest = address.partition("://")
    wanted = ("srt",) if service.kind == "srt" else ("rtmp", "rtmps")
    if scheme.lower() not in wanted:
        message = _('"address" must begin with {schemes}, as the preset "{preset}" needs it')
        raise place.error(message.format(schemes=" / ".join(f"{each}://" for each in wanted), preset=settings.preset))
    parts = [part for part in rest.partition("?")[0].split("/")[1:] if part]
    if service.key == "needed" and len(parts) > 1:
        message = _('"address" seems to hold the stream key, which does not belong in this file; end it with /{path}')
        raise place.error(message.format(path=parts[0]))


def advice(service: Service, encoding: Encoding) -> Iterator[str]:
    """What `encoding` does that the service does not like, each a sentence's part for a place in `studio.toml`."""
    source = f" ({service.source})" if service.source else ""
    if service.keyframe_most is not None and encoding.keyframe_seconds > service.keyframe_most:
        message = _('it takes a key frame at least every {most} s, but "encode" makes one every {seconds} s{source}')
        yield message.format(most=service.keyframe_most, seconds=encoding.keyframe_seconds, source=source)
    heights = [height for height in service.video_most if height >= encoding.height] if encoding.height else []
    limit = service.video_most[min(heights)] if heights else max(service.video_most.values(), default=None)
    if limit is not None and encoding.video_bitrate > limit:
        message = _('it takes at most {most} kb/s of picture, but "encode" makes up to {rate} kb/s{source}')
        yield message.format(most=limit, rate=encoding.video_bitrate, source=source)
    if service.audio_most is not None and encoding.audio_bitrate > service.audio_most:
        message = _('it takes at most {most} kb/s of sound, but "encode" makes {rate} kb/s{source}')
        yield message.format(most=service.audio_most, rate=encoding.audio_bitrate, source=source)
