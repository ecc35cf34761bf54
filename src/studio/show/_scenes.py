"""What a moment of an evening looks like: a file of `scenes/` becomes the collection that OBS is asked to hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from studio.catalogue import Catalogue, Place, Said, fit, instead
from studio.errors import DrawerError
from studio.language import _, spoken
from studio.venue import Lang, Venue
from studio.wire import obs
from studio.wire.obs import Box

DRAWER = "scenes"
TALK = "talk"
"""As a media file: the recording that the show was started with."""

Share: TypeAlias = Annotated[float, Meta(gt=0, le=1)]
Texts: TypeAlias = str | Mapping[Lang, str]
"""The same in every language, or one for each."""


@dataclass(frozen=True, slots=True)
class Media:
    """A film, a sound file or a loop."""

    media: str
    """A file, counted from the folder of the one that says it, or `talk`."""
    name: str | None = None
    """`None`: one is made. The same name in two scenes is the same source, which plays on from one to the other."""
    box: Box = field(default_factory=Box)
    fit: Literal["inside", "cover", "stretch"] = "inside"
    loop: bool = True
    restart: bool = False
    """From the beginning whenever the scene is taken."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera of this house."""

    camera: str
    """Its name in `studio.toml`."""
    name: str | None = None
    box: Box = field(default_factory=Box)
    fit: Literal["inside", "cover", "stretch"] = "inside"


@dataclass(frozen=True, slots=True)
class Image:
    """A still picture."""

    image: Path
    name: str | None = None
    box: Box = field(default_factory=Box)
    fit: Literal["inside", "cover", "stretch"] = "inside"


@dataclass(frozen=True, slots=True)
class Text:
    """Letters."""

    text: Texts
    """`{title}` and `{venue}` stand for the show's title and the house's name."""
    name: str | None = None
    box: Box = field(default_factory=Box)
    font: str = "DejaVu Sans"
    bold: bool = False
    size: Share = 0.08
    """Height of a line as a share of the picture's height."""
    colour: str = "#FFFFFF"
    align: Literal["left", "centre", "right"] = "centre"
    shadow: bool = False

    def __post_init__(self) -> None:
        """ValueError where the colour is none."""
        _check_colour("colour", self.colour)


@dataclass(frozen=True, slots=True)
class Fill:
    """A ground of one colour."""

    fill: str
    """`#RRGGBB`, or `#RRGGBBAA` with its opacity."""
    name: str | None = None
    box: Box = field(default_factory=Box)

    def __post_init__(self) -> None:
        """ValueError where the colour is none."""
        _check_colour("fill", self.fill)


@dataclass(frozen=True, slots=True)
class SceneFile:
    """A picture that can be taken as a whole."""

    name: str
    sources: tuple[Media | Camera | Image | Text | Fill, ...] = ()
    """From the back to the front."""


@dataclass(frozen=True, slots=True)
class Scenes:
    """One file of `scenes/`."""

    scenes: tuple[SceneFile, ...]
    """In the order they are shown; OBS starts with the first."""
    width: Annotated[int, Meta(ge=64, le=7680)] = 1280
    height: Annotated[int, Meta(ge=64, le=4320)] = 720
    fps: Annotated[int, Meta(ge=1, le=120)] = 25

    def __post_init__(self) -> None:
        """ValueError where no encoder could take the picture, or there is none."""
        for name, value in (("width", self.width), ("height", self.height)):
            if value % 2:
                raise ValueError(_('"{name}" is {value}; it must be an even number').format(name=name, value=value))
        if not self.scenes:
            raise ValueError(_('"scenes" is empty; name at least one'))


def load_scenes(catalogue: Catalogue, name: str, venue: Venue, talk: Path | None = None) -> obs.Collection:
    """Return what OBS shall hold for the file `name` of `scenes/`.

    `talk` is the recording that the show was started with. Raises DrawerError at the first line that asks for what
    this house does not have, with the others in its `also`.
    """
    said = catalogue.said(DRAWER, name, venue.place("show", "scenes"))
    collection, problems = build(said, venue, talk)
    if problems:
        problems[0].also += tuple(problems[1:])
        raise problems[0]
    if collection is None:
        raise said.place.error(_("these scenes cannot be built"))
    return replace(collection, file=name)


def load_slate(catalogue: Catalogue, name: str, venue: Venue) -> obs.Collection:
    """Return what airs in place of an encoder that gives nothing: the first scene of the file `name` of `scenes/`.

    It stands still: fills, texts and images. Raises DrawerError as `load_scenes` does.
    """
    said = catalogue.said(DRAWER, name, venue.place("show", "slate"))
    file = fit(said, Scenes)
    message = _("a slate stands still, and this moves; name a fill, a text or an image")
    moving = [
        said.at("scenes", 0, "sources", number).place.error(message)
        for number, source in enumerate(file.scenes[0].sources)
        if isinstance(source, Media | Camera)
    ]
    if moving:
        moving[0].also += tuple(moving[1:])
        raise moving[0]
    return load_scenes(catalogue, name, venue)


def build(
    said: Said, venue: Venue, talk: Path | None, *, any_talk: bool = False
) -> tuple[obs.Collection | None, list[DrawerError]]:
    """Return the collection that a file of `scenes/` asks for and all that is wrong with it.

    `any_talk`: a source that plays the talk is right even though there is none now. The collection is `None` where
    something is wrong.
    """
    try:
        file = fit(said, Scenes)
    except DrawerError as problem:
        return None, [problem]
    names = {scene.name for scene in file.scenes}
    builder = _Builder(said, venue, talk, names, any_talk=any_talk)
    scenes = tuple(builder.scene(number, scene) for number, scene in enumerate(file.scenes))
    if builder.problems:
        return None, builder.problems
    try:
        return obs.Collection(scenes, file.width, file.height, file.fps), []
    except ValueError as problem:
        return None, [said.place.error(str(problem))]


class _Builder:
    """Turns the scenes of one file into those of OBS and gathers what is wrong on the way."""

    def __init__(self, said: Said, venue: Venue, talk: Path | None, names: set[str], *, any_talk: bool) -> None:
        self._said = said
        self._names = names
        self._venue = venue
        self._talk = talk
        self._any_talk = any_talk
        self._scenes: dict[str, Place] = {}
        self._kinds: dict[str, str] = {}
        self.problems: list[DrawerError] = []

    def scene(self, number: int, scene: SceneFile) -> obs.Scene:
        """Return the scene with all its sources that can be made."""
        place = self._said.at("scenes", number, "name").place
        self._unique(scene.name, place)
        sources: dict[str, obs.Source] = {}
        for position, said in enumerate(scene.sources):
            where = self._said.at("scenes", number, "sources", position)
            source = self._source(said, where, f"{scene.name}: {_kind(said)} {position + 1}")
            if source is None:
                continue
            if source.name in sources:
                message = _('the scene "{scene}" already holds a source "{name}"; give this one another "name"')
                self._wrong(where.at("name").place, message.format(scene=scene.name, name=source.name))
            self._same_kind(source, where.at("name").place)
            sources[source.name] = source
        return obs.Scene(scene.name, tuple(sources.values()))

    def _unique(self, name: str, place: Place) -> None:
        if not name.strip():
            self._wrong(place, _("a scene needs a name"))
        elif name in self._scenes:
            message = _('there is a scene "{name}" already, on line {line}')
            self._wrong(place, message.format(name=name, line=self._scenes[name].line))
        self._scenes.setdefault(name, place)

    def _same_kind(self, source: obs.Source, place: Place) -> None:
        if source.name in self._names:
            message = _('"{name}" is the name of a scene; OBS needs another one for the source')
            self._wrong(place, message.format(name=source.name))
        elif self._kinds.setdefault(source.name, source.kind) != source.kind:
            message = _('"{name}" is a source of another kind elsewhere in this file; give this one another "name"')
            self._wrong(place, message.format(name=source.name))

    def _source(self, said: Media | Camera | Image | Text | Fill, where: Said, default: str) -> obs.Source | None:
        name = said.name or default
        match said:
            case Media():
                file = self._media(said.media, where.at("media").place)
                if file is None:
                    return None
                return obs.Source(name, "media", said.box, said.fit, file=file, loop=said.loop, restart=said.restart)
            case Image():
                if not said.image.is_file():
                    self._missing(where.at("image").place, said.image)
                return obs.Source(name, "image", said.box, said.fit, file=said.image.absolute())
            case Camera():
                return self._camera(said, where.at("camera").place)
            case Fill():
                return obs.Source(name, "colour", said.box, colour=said.fill)
            case Text():
                return obs.Source(
                    name,
                    "text",
                    said.box,
                    align=said.align,
                    text=self._text(said.text),
                    font=said.font,
                    bold=said.bold,
                    size=said.size,
                    colour=said.colour,
                    shadow=said.shadow,
                )

    def _media(self, file: str, place: Place) -> Path | None:
        if file == TALK:
            if self._talk is None and not self._any_talk:
                message = _("this plays the talk that a show is started with, and there is none; name a file here")
                self._wrong(place, message)
                return None
            return (self._talk or Path(TALK)).absolute()
        path = place.file.parent / Path(file).expanduser()
        if not path.is_file():
            self._missing(place, path)
        return path.absolute()

    def _camera(self, said: Camera, place: Place) -> obs.Source | None:
        cameras = {camera.name: camera for camera in self._venue.cameras}
        if said.camera not in cameras:
            message = _('camera "{name}" is not in studio.toml').format(name=said.camera)
            end = instead(said.camera, cameras) if cameras else _("; describe it there under [[cameras]]")
            self._wrong(place, message + end)
            return None
        camera = cameras[said.camera]
        # One camera is one source in all scenes: opening a video device twice fails.
        name = said.name or _("camera {name}").format(name=camera.name)
        if camera.url:
            return obs.Source(name, "media", said.box, said.fit, address=camera.url)
        return obs.Source(name, "camera", said.box, said.fit, file=camera.device)

    def _text(self, said: Texts) -> str:
        if not isinstance(said, str):
            said = said.get(_of(self._venue)) or next(iter(said.values()), "")
        return said.replace("{title}", self._venue.show.title).replace("{venue}", self._venue.name)

    def _missing(self, place: Place, file: Path) -> None:
        self._wrong(place, _("there is no file {file}").format(file=file))

    def _wrong(self, place: Place, message: str) -> None:
        self.problems.append(place.error(message))


def _of(venue: Venue) -> Lang:
    """The language that the hall reads: the one spoken on stage, else the house's own."""
    own: dict[str, Lang] = {"pl": "pl", "lt": "lt", "en": "en"}
    return own.get(venue.language) or venue.interface or own[spoken()]


def _kind(said: object) -> str:
    return type(said).__name__.lower()


def _check_colour(name: str, colour: str) -> None:
    try:
        obs.colour_number(colour)
    except ValueError:
        message = _('"{name}" must be a colour, #RRGGBB or #RRGGBBAA with its opacity, not "{colour}"')
        raise ValueError(message.format(name=name, colour=colour)) from None
