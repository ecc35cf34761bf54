"""What this evening needs, worked out of `studio.toml`, the drawers and the command line before anything is started."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from studio import captions, devices, media, show, speech, subtitles, vocal
from studio.app._devices import check_devices
from studio.app._here import check_here
from studio.catalogue import Catalogue
from studio.errors import CaptionsError, DrawerError, ShowError, SpeechError, why
from studio.events import shown_address
from studio.language import LANGUAGES, _, spoken
from studio.units import Ms, ms
from studio.venue import ObsSettings, ShowSettings, Venue, read
from studio.wire.obs import Collection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONGEST_SOCKET = 100
"""Bytes that the path of a Unix socket may have; the kernel's limit is 108 (unix(7), `sun_path`)."""
LONGEST_HOLD = media.LONGEST_HOLD // 1000
"""Seconds."""
STYLES = "subtitles/styles"
KINDS = {
    "presets/encode": media.EncodePreset,
    "presets/captions": speech.Tuning,
    STYLES: subtitles.Style,
    "subtitles/rules": subtitles.Rules,
    "subtitles/breaks": subtitles.Breaks,
    "subtitles/glossaries": subtitles.Glossary,
    "subtitles/numbers": subtitles.Numbers,
    "subtitles/swearing": subtitles.Swearing,
    "subtitles/sounds": subtitles.SoundLabels,
    "hardware": devices.Hardware,
    show.BINDINGS: show.Bindings,
    show.SNAPSHOTS: show.Snapshot,
    vocal.PRESETS: vocal.VoicePreset,
}
"""What a file of each drawer holds; `show` reads the scenes itself."""
BETWEEN_LOOK_AND_AIR = Ms(1200)
"""A second look must be through with its words so long before they air: a cue appears up to 240 ms before its first
word, it is decided 700 ms before that, and the relay must hear of it."""
TRIED = 65_536
"""Bytes that must go into the show folder before a show begins."""
SHORTEST_HOLD_TO_LOOK = Ms(3000)
"""In a shorter hold, no look is wider than what the first one saw."""
SPOKEN = (*LANGUAGES, "auto")
"""Languages of the stage."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for over `studio.toml`; `None` wherever it says nothing."""

    input: str | None = None
    """A file, `mic[:DEVICE]` or `listen`."""
    language: str | None = None
    """`pl`, `lt`, `en` or `auto`: what is spoken on stage."""
    out: Path | None = None
    """The show folder."""
    hold: float | None = None
    """Seconds."""
    style: str | None = None
    encode: str | None = None
    seconds: float | None = None
    """End by itself after so much programme."""
    captions: bool | None = None
    web: bool | None = None
    """Whether the page is served; `None` means yes."""
    to: tuple[str, ...] = ()
    """Names of destinations to send to, or `none`; empty: those that are on in `studio.toml`."""
    talk: Path | None = None
    """A film for the media source of the scenes that play `talk`."""


@dataclass(frozen=True, slots=True)
class Evening:
    """Everything that is decided; nothing is running yet."""

    folder: Path
    """The show folder, made and writable."""
    run: Path
    """Sockets and logs."""
    language: str
    title: str
    relay: media.RelayPlan
    captions: captions.CaptionsPlan | None
    """`None`: no captions, for the reason in `no_captions`."""
    no_captions: str
    """One sentence, or empty."""
    collection: Collection | None
    """What OBS shall hold, or `None` where its scenes are its own business."""
    outlets: tuple[show.Outlet, ...] = ()
    """The destinations of the house; those to send to from the beginning stand in `relay`."""


def plan_evening(venue: Venue, catalogue: Catalogue, wish: Wish, *, now: datetime | None = None) -> Evening:
    """Resolve every name, make the show folder, and refuse what cannot go well.

    Raises StudioError with one sentence; nothing has been started then. A missing speech model is no refusal:
    the show goes on without captions.
    """
    settings = venue.show
    language = _checked_language(wish.language or venue.language)
    hold = settings.hold if wish.hold is None else wish.hold
    if not 0 <= hold <= LONGEST_HOLD:
        raise ShowError(
            _("A hold of {hold} s cannot be; choose between 0 and {longest} s.").format(
                hold=f"{hold:g}", longest=LONGEST_HOLD
            )
        )
    if wish.seconds is not None and wish.seconds <= 0:
        raise ShowError(
            _("A show of {seconds} s cannot be; give --seconds a number above 0.").format(seconds=f"{wish.seconds:g}")
        )
    if -settings.lip_sync > ms(hold):
        raise ShowError(
            _("The sound cannot come {offset} ms earlier in a hold of {hold} s; choose a longer hold.").format(
                offset=-settings.lip_sync, hold=hold
            )
        )
    encode = catalogue.load("presets/encode", wish.encode or settings.encode, media.EncodePreset)
    style = catalogue.load(STYLES, wish.style or settings.style, subtitles.Style)
    source = _checked_source(settings.input if wish.input is None else wish.input, settings.listen)
    outlets = show.load_outlets(venue, catalogue)
    # Their keys are read while a refusal costs nothing yet.
    destinations = [outlet.destination() for outlet in show.chosen(outlets, wish.to)]
    folder = _show_folder(wish.out, settings.out, now or datetime.now().astimezone())
    run, line = _run_folder(folder)
    wanted = venue.captions.on if wish.captions is None else wish.captions
    plan, no_captions = None, ""
    if wanted:
        plan, no_captions = _captions_plan(venue, catalogue, folder=folder, line=line, language=language, hold=ms(hold))
    outlets = tuple(outlet.of(folder.name) for outlet in outlets)
    addresses = {outlet.name: shown_address(outlet.address) for outlet in outlets}
    relay = media.RelayPlan(
        folder=folder,
        socket=line,
        input=source,
        hold=ms(hold),
        encode=encode,
        style=style,
        title=settings.title,
        captions=plan is not None,
        language=language,
        interface=spoken(),
        seconds=wish.seconds,
        cea608=venue.captions.cea608,
        translate=venue.captions.translate == "en",
        slate=show.load_slate(catalogue, settings.slate, venue) if source.startswith("listen:") else None,
        slate_from_start=settings.slate_from_start,
        backup=settings.backup or "" if source.startswith("listen:") else "",
        backup_return=settings.backup_return,
        clean=settings.clean,
        form=settings.recording,
        level=settings.level,
        lip_sync=Ms(settings.lip_sync),
        destinations=tuple(
            msgspec.structs.replace(destination, address=addresses[destination.name]) for destination in destinations
        ),
    )
    collection = show.load_scenes(catalogue, settings.scenes, venue, wish.talk) if settings.scenes else None
    return Evening(folder, run, language, settings.title, relay, plan, no_captions, collection, outlets)


def _checked_language(language: str) -> str:
    if language not in SPOKEN:
        raise ShowError(
            _("{language} is not a language we caption; choose pl, lt, en or auto.").format(language=repr(language))
        )
    return language


def _checked_source(source: str, listen: str) -> str:
    """`file:PATH`, `mic[:DEVICE]` or `listen:URL`, as the relay wants it. A file is opened and looked at here."""
    if source == "listen":
        return f"listen:{listen}"
    if re.match(r"mic(:|$)", source):
        return source
    if "://" in source or not source:
        raise ShowError(
            _('"{source}" is no programme; give --input a file, mic, mic:DEVICE or listen.').format(source=source)
        )
    path = Path(source).expanduser()
    media.probe(path)
    return f"file:{path.resolve()}"


def _show_folder(wished: Path | None, shows: Path | None, now: datetime) -> Path:
    """The folder of this show, made; a show that was cut off there goes on, a finished one is never touched."""
    folder = wished or (shows or Path("shows")) / now.strftime("%Y-%m-%d_%H%M%S")
    folder = folder.expanduser().resolve()
    if media.whole_recording(folder) is not None:
        raise ShowError(
            _("{folder} already holds a finished show; choose another folder for this one with --out.").format(
                folder=folder
            )
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as tried:
            tried.write(bytes(TRIED))  # an empty file goes onto a full disk
    except OSError as problem:
        raise ShowError(
            _("The show cannot be written to {folder} ({reason}); choose another folder with --out.").format(
                folder=folder, reason=why(problem)
            )
        ) from problem
    return folder


def _run_folder(folder: Path) -> tuple[Path, Path]:
    run = folder / "run"
    run.mkdir(exist_ok=True, mode=0o700)
    return run, relay_socket(folder)


def relay_socket(folder: Path) -> Path:
    """Where the relay of the show in `folder` answers, always at the same place.

    In its folder for run files, or where that path is too long, below the system's folder for temporary files.
    """
    line = folder / "run" / "relay.sock"
    if len(bytes(line)) <= LONGEST_SOCKET:
        return line
    name = hashlib.sha256(bytes(folder)).hexdigest()[:16]
    elsewhere = Path(tempfile.gettempdir()) / f"studio-{os.getuid()}-{name}"
    elsewhere.mkdir(mode=0o700, exist_ok=True)
    if elsewhere.stat().st_uid != os.getuid():
        raise ShowError(_("{folder} belongs to somebody else; choose a shorter --out.").format(folder=elsewhere))
    return elsewhere / "relay.sock"


def is_running(line: Path) -> bool:
    """Whether a relay answers at `line`."""
    with socket.socket(socket.AF_UNIX) as caller:
        try:
            caller.connect(str(line))
        except OSError:
            return False
        return True


def join_recording(
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
    form: media.Form = "mp4",
    language: str = "",
) -> Path | None:
    """Join what a show that was cut off recorded in `folder`; `None` where there is nothing to join.

    `language` is that of the captions, `auto` or empty where nobody knows.

    Raises ShowError where there is no such folder, or where its show still runs: its recording is not whole yet.
    """
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        raise ShowError(_("There is no folder {folder}; name the folder of a show.").format(folder=folder))
    if is_running(relay_socket(folder)):
        raise ShowError(_("The show in {folder} is still running; end it first.").format(folder=folder))
    return media.recover(folder, progress, form, language)


def _captions_plan(
    venue: Venue, catalogue: Catalogue, *, folder: Path, line: Path, language: str, hold: Ms
) -> tuple[captions.CaptionsPlan | None, str]:
    tuning = catalogue.load("presets/captions", venue.captions.preset, speech.Tuning)
    rules = subtitles.rules_for(catalogue, language)
    wish = venue.captions
    corrections = subtitles.corrections_for(catalogue, language, wish.glossaries, wish.swearing, wish.numbers)
    if wish.youtube:
        captions.youtube_address(wish.youtube)  # asked before the doors open, used by the recogniser
    try:
        model = speech.resolve(venue.captions.model, offline=True)
    except SpeechError as problem:
        return None, _("Captions are off: {reason}").format(reason=problem)
    plan = captions.CaptionsPlan(
        folder=folder,
        relay=line,
        model=model,
        language=language,
        threads=venue.captions.threads,
        tuning=tuning,
        rules=rules,
        hold=hold,
        look=Ms(hold - BETWEEN_LOOK_AND_AIR) if hold >= SHORTEST_HOLD_TO_LOOK else None,
        translate=wish.translate == "en" and language != "en",
        hotwords=corrections.hotwords(),
        corrections=corrections,
        translation_rules=subtitles.rules_for(catalogue, wish.translate or "en"),
        youtube=wish.youtube,
        interface=spoken(),
    )
    return plan, ""


def demo_venue() -> Venue:
    """A house that needs no `studio.toml`: real OBS of our own plays the talk, on ports that are free now."""
    return Venue(
        name="studio",
        language="en",
        show=ShowSettings(
            title=_("Demonstration"),
            scenes="demo",
            encode="demo-360p",
            listen=f"rtmp://127.0.0.1:{_free_port()}/live/studio",
        ),
        obs=ObsSettings(use="start", port=_free_port()),
    )


def check_everything(file: Path | None, *, here: bool = False) -> list[show.Finding]:
    """Return all that is wrong with `studio.toml` and the drawers, each with file and line; touch no device.

    `here`: look, too, where the names of devices lead from this machine, and whether its ports are free.
    """
    try:
        venue = read(file)
    except DrawerError as problem:
        return [show.Finding(str(each)) for each in problem.all()]
    catalogue = Catalogue(venue.folder)
    findings = show.check(venue, catalogue, KINDS)
    findings += [
        *check_devices(venue, catalogue),
        *_captions_that_cannot_be(venue),
        *_copies_that_cannot_be(venue, catalogue),
        *_fonts_that_are_not_here(catalogue),
    ]
    if here:
        findings += check_here(venue, catalogue)
    return list(dict.fromkeys(findings))


def _fonts_that_are_not_here(catalogue: Catalogue) -> Iterator[show.Finding]:
    """What this machine lacks of the fonts that styles name."""
    for name in catalogue.names(STYLES):
        try:
            style = catalogue.load(STYLES, name, subtitles.Style)
            place = catalogue.place(STYLES, name, "font")
        except DrawerError:  # which has been found already
            continue
        if lacking := media.lacks_font(style.font):
            yield show.Finding(str(place.error(lacking)), serious=False)


def _copies_that_cannot_be(venue: Venue, catalogue: Catalogue) -> Iterator[show.Finding]:
    """Whether a preset is to copy a picture that captions are drawn on."""
    try:
        encode = catalogue.load("presets/encode", venue.show.encode, media.EncodePreset)
    except DrawerError:  # which has been found already
        return
    if encode.copy and venue.captions.on:
        sentence = _(
            "this preset copies the picture, but captions are drawn on it, so it is encoded all the same; set"
            " on = false in [captions], or take another preset"
        )
        yield show.Finding(str(venue.place("show", "encode").error(sentence)), serious=False)
    if encode.copy and encode.small is not None:
        sentence = _(
            "this preset copies the picture and makes a small one, too, for which it is encoded all the same; leave"
            " copy or small out"
        )
        yield show.Finding(str(venue.place("show", "encode").error(sentence)), serious=False)


def _captions_that_cannot_be(venue: Venue) -> Iterator[show.Finding]:
    """What `[captions]` asks for and this machine, or the rest of the file, does not give."""
    wish = venue.captions
    if not wish.on:
        return
    if lacking := speech.lacks(wish.model):
        yield show.Finding(str(venue.place("captions", "model").error(lacking)))
    if wish.translate and wish.translate == venue.language:
        sentence = _("what is spoken is English already; leave the translation out, or set another language")
        yield show.Finding(str(venue.place("captions", "translate").error(sentence)), serious=False)
    if wish.obs_text and venue.obs.use == "off":
        sentence = _("OBS is not used, so nothing shows this text; set use in [obs], or leave this out")
        yield show.Finding(str(venue.place("captions", "obs_text").error(sentence)), serious=False)
    if wish.youtube:
        try:
            captions.youtube_address(wish.youtube)
        except CaptionsError as problem:
            yield show.Finding(str(venue.place("captions", "youtube").error(str(problem))))


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
