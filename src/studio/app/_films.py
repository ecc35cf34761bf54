"""Films in the cupboard: what `studio subtitle` needs, worked out before any film is touched."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from studio import archive, media, speech, subtitles
from studio.errors import ArchiveError
from studio.language import _, spoken
from studio.units import Ms, parse_timecode

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence

    from studio.archive import Crew, Result, Tls, Watch
    from studio.catalogue import Catalogue
    from studio.venue import Venue

LANGUAGES = ("pl", "lt", "en")
"""Languages whose profiles are made ready where nobody says which is spoken."""
MOST_WORKERS = 256
ALONE = Ms(120_000)
"""One film up to this length is done here before workers elsewhere are up and have loaded the model."""
RESERVE = 600_000_000
"""Bytes of memory that a worker takes beside twice its model's weights."""


@dataclass(frozen=True, slots=True)
class FilmsWish:
    """What the command line asks for; `None` wherever it says nothing."""

    language: str | None = None
    """A code or `auto`."""
    profile: str | None = None
    formats: str | None = None
    """Names with commas between them."""
    burn: str | None = None
    """A preset of `presets/encode`."""
    mux: bool = False
    translate: str | None = None
    """`en`."""
    glossaries: tuple[str, ...] = ()
    """Beside those of `studio.toml`."""
    model: str | None = None
    out: Path | None = None
    overwrite: bool = False
    report: bool = False
    speakers: bool = False
    track: int | None = None
    channel: str | None = None
    """`mix`, `left`, `right`, `centre` or a number from 1."""
    begin: str | None = None
    """A time code."""
    until: str | None = None
    """A time code."""
    workers: int | None = None
    scheduler: str | None = None
    tls: Path | None = None
    """Folder of the cluster's certificates."""
    shots: bool = False
    media: str | None = None
    """Address at which the workers find the films."""


def subtitle_films(
    venue: Venue,
    catalogue: Catalogue,
    films: Sequence[Path],
    wish: FilmsWish,
    *,
    watch: Watch,
    stop: threading.Event,
    progress: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """Subtitle them all; return what became of each.

    `watch` is told what happens. Once `stop` is set it ends soon with `archive.Stopped`, and the same call goes on from
    there later. `progress` is told bytes done and in all where the model must be put together first. Raises
    StudioError with one sentence for what concerns all films.
    """
    tls = archive.Tls.of(wish.tls) if wish.tls else None
    settings = film_settings(venue, catalogue, wish, progress)
    folder = speech.resolve(settings.hearing.model, offline=True)
    _check_workers(wish.workers)
    with archive.open_library(venue.archive.films) as library:
        found = archive.targets(films, settings.out, watch.say)
        crews = _crews(wish, tls, folder, watch, stop)
        return archive.subtitle(found, settings, library, crews, watch=watch, stop=stop, interface=spoken())


def film_settings(
    venue: Venue, catalogue: Catalogue, wish: FilmsWish, progress: Callable[[int, int], None] | None = None
) -> archive.Settings:
    """What becomes of each film. Raises StudioError for a wish that cannot be."""
    language = wish.language or venue.language
    if language != "auto" and not (len(language) == 2 and language.isalpha()):  # noqa: PLR2004 - as codes are
        raise ArchiveError(
            _("{language} is no code of a language; say pl, lt, en, another of two letters, or auto.").format(
                language=repr(language)
            )
        )
    model = wish.model or venue.captions.model
    folder = speech.resolve(model, offline=True, progress=progress)
    glossaries = (*venue.captions.glossaries, *wish.glossaries)
    corrections = subtitles.corrections_for(
        catalogue, language, glossaries, venue.captions.swearing, venue.captions.numbers
    )
    if wish.translate not in (None, "en"):
        raise ArchiveError(
            _("Whisper translates into English only; {asked} cannot be: say --translate en.").format(
                asked=f"--translate {wish.translate}"
            )
        )
    begin, until = _time("--from", wish.begin), _time("--to", wish.until)
    if until is not None and until <= (begin or 0):
        raise ArchiveError(_("--to must come after --from."))
    if wish.speakers and (sentence := speech.lacks_speakers()):
        raise ArchiveError(sentence)
    hearing = archive.Hearing(
        model if Path(model).name == model else str(folder.absolute()),
        archive.model_identity(folder),
        language,
        corrections.hotwords(),
        track=wish.track,
        channel=_channel(wish.channel),
        begin=begin or Ms(0),
        until=until,
    )
    return archive.Settings(
        hearing,
        _rules(catalogue, wish.profile, language, translated=wish.translate is not None),
        wish.profile or "",
        _formats(wish.formats),
        corrections,
        translate=wish.translate is not None,
        out=wish.out.expanduser().absolute() if wish.out else None,
        overwrite=wish.overwrite,
        burn=_burn(venue, catalogue, wish.burn),
        mux=wish.mux,
        media=_address(wish.media),
        report=wish.report,
        shots=wish.shots,
        speakers=speech.speakers_identity() if wish.speakers else "",
        labels=_labels(catalogue, language) if wish.speakers else {},
    )


def _rules(
    catalogue: Catalogue, profile: str | None, language: str, *, translated: bool
) -> Mapping[str, subtitles.Rules]:
    """Those of what may be read, and of no other language: reading them all takes longer than all else."""
    codes = (*LANGUAGES, "") if language == "auto" else dict.fromkeys((language, *(["en"] if translated else [])))
    return {code: subtitles.profile(profile or subtitles.profile_of(code), code, catalogue) for code in codes}


def _labels(catalogue: Catalogue, language: str) -> Mapping[str, subtitles.SoundLabels]:
    codes = dict.fromkeys((*LANGUAGES, *([language] if language != "auto" else []), ""))
    return {code: subtitles.sound_labels(code, catalogue) for code in codes}


def _formats(asked: str | None) -> tuple[str, ...]:
    names = tuple(
        dict.fromkeys(name.strip().lower().lstrip(".") for name in (asked or "srt").split(",") if name.strip())
    )
    for name in names:
        if name not in subtitles.FORMATS:
            raise ArchiveError(
                _('There is no subtitle format "{kind}"; use one of {kinds}.').format(
                    kind=name, kinds=", ".join(subtitles.FORMATS)
                )
            )
    return names or ("srt",)


def _address(media: str | None) -> str:
    if media and not media.startswith(("http://", "https://")):
        raise ArchiveError(_("{address} is no address; --media begins with http:// or https://.").format(address=media))
    return media or ""


def _burn(venue: Venue, catalogue: Catalogue, preset: str | None) -> archive.Burn | None:
    if preset is None:
        return None
    return archive.Burn(
        preset,
        catalogue.load("presets/encode", preset, media.EncodePreset),
        catalogue.load("subtitles/styles", venue.show.style, subtitles.Style),
    )


def _time(option: str, text: str | None) -> Ms | None:
    if text is None:
        return None
    try:
        return parse_timecode(text)
    except ValueError as problem:
        raise ArchiveError(
            _("{option} takes a time such as 01:20 or 1:02:03.5, not {text}.").format(option=option, text=repr(text))
        ) from problem


def _channel(asked: str | None) -> Literal["mix", "left", "right", "centre"] | int:
    if asked is not None and asked.isascii() and asked.isdigit() and int(asked) > 0:
        return int(asked)
    match asked:
        case None | "mix":
            return "mix"
        case "left" | "right" | "centre":
            return asked
    raise ArchiveError(
        _("{asked} is no channel; say mix, left, right, centre, or its number from 1.").format(asked=repr(asked))
    )


def _check_workers(asked: int | None) -> None:
    if asked is not None and not 1 <= asked <= MOST_WORKERS:
        raise ArchiveError(_("{n} workers cannot be; choose between 1 and {most}.").format(n=asked, most=MOST_WORKERS))


def _crews(
    wish: FilmsWish, tls: Tls | None, model: Path, watch: Watch, stop: threading.Event
) -> Callable[[int, float], Crew]:
    """Whoever does the work: that cluster, so many workers as asked for, or what is quickest on this machine."""

    def crew(films: int, length: float) -> Crew:
        if wish.scheduler:
            return archive.called(wish.scheduler, tls, watch.say, stop)
        if wish.workers is not None:
            return archive.OwnCluster(wish.workers)
        layout = _layout(model, films, length)
        return archive.OwnCluster(layout.processes) if layout.processes > 1 else archive.Here(layout.threads)

    return crew


def _layout(model: Path, films: int, length: float) -> speech.Layout:
    """As is quickest on this machine, and as far as its memory goes; one process has all the threads there are."""
    layout = speech.layout_for(model)
    workers = 1 if films == 1 and length <= ALONE else min(layout.processes, _room(model))
    return speech.Layout(workers, layout.threads if workers > 1 else layout.threads * layout.processes)


def _room(model: Path) -> int:
    """How many workers the memory of this machine holds, where the system tells; at least one."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return MOST_WORKERS
    return max(1, int(memory * 0.8) // (2 * (model / "model.bin").stat().st_size + RESERVE))
