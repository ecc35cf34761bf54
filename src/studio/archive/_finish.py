"""The end of a film's way: its words become a version in the library, and the files that were asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from studio import media
from studio.archive._account import Account
from studio.archive._cupboard import BURNED, MUXED
from studio.archive._facts import NotThere
from studio.archive._ledger import Made
from studio.archive._paper import document, language_of, words_of
from studio.archive._report import save_report
from studio.archive._sdh import label
from studio.archive._watch import Result
from studio.archive._write import Writer, intact
from studio.language import _
from studio.subtitles import FORMATS, Programme, check, profile_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from studio.archive._cupboard import Target
    from studio.archive._document import Document
    from studio.archive._ledger import Ledger
    from studio.archive._settings import Burn, Settings
    from studio.archive._work import Heard, Looked
    from studio.speech import Turn
    from studio.spoken import Word
    from studio.units import Ms

    Progress: TypeAlias = Callable[[Ms, Ms | None], None]
    Make: TypeAlias = Callable[[Progress, Callable[[str], None], Path], None]

INTO = "en"
FORMS = (".mp4", ".m4v", ".mov", ".mkv")
"""Endings of films in which subtitles can be a track."""
BY = "studio"
"""Who makes versions that no person made."""


class Finish:
    """What is made of one film with certain settings."""

    def __init__(self, target: Target, settings: Settings, ledger: Ledger, key: str) -> None:
        self._target = target
        self._settings = settings
        self._ledger = ledger
        self._key = key

    def before(self) -> Made | None:
        """What was made with these settings before; `None`: nothing."""
        return self._ledger.made(self._target.path, self._key)

    def stands(self, made: Made) -> bool:
        """Whether every file that is asked for stands there as the library has its subtitles now."""
        return self._current(made) and intact(made, self._files(made))

    def _current(self, made: Made) -> bool:
        """Whether nobody edited the subtitles since."""
        for language, number in made.versions.items():
            head = self._head(made, language)
            if head is not None and head != number:
                return False
        return True

    def _head(self, made: Made, language: str) -> int | None:
        try:
            heads = self._ledger.films.film(made.film).heads
        except NotThere:
            return None
        return next((head.number for head in heads if head.language == language), None)

    def _files(self, made: Made) -> list[Path]:
        languages = list(made.versions) or [made.language]
        files = [
            self._target.file(language, FORMATS[kind].ending)
            for language in languages
            for kind in self._settings.formats
        ]
        if self._settings.report:
            files.append(self._report_file(made.language))
        return files + ([] if made.silent else [file for file, _make in self._films(made)])

    def _report_file(self, language: str) -> Path:
        return self._target.file(language, ".report.html")

    def write(
        self,
        film: int,
        looked: Looked,
        heard: Sequence[Heard],
        english: Sequence[Heard],
        *,
        title: str,
        said: tuple[str, ...],
        rate: float | None = None,
        shots: Sequence[Ms] = (),
        turns: Sequence[Turn] = (),
    ) -> Result:
        """Compose, keep, and write; `rate` and `shots` are the picture's, `turns` the voices'. Raises StudioError."""
        language = language_of(heard, self._settings.hearing.language)

        def kept(language: str, words: Sequence[Word]) -> Document:
            """As the version that counts; what people wrote in the one before stays."""
            rules = self._settings.rules_for(language)
            profile = self._settings.profile or profile_of(language)
            corrector = self._settings.corrections.corrector()
            made = document(words, language, profile, rules, corrector, rate=rate, shots=shots, turns=turns)
            texts = self._ledger.films.texts
            texts.recognised(film, label(made, turns, self._settings.labels_for(language)), BY)
            return texts.document(film, language)

        documents = [kept(language, words_of(heard))]
        if self._settings.translate and language != INTO:
            documents.append(kept(INTO, words_of(english)))
        versions = {one.language: self._number(film, one.language) or 0 for one in documents}
        library = self._ledger.films
        library.speaks(film, language)
        first = documents[0]
        report = check(first.track, self._settings.rules_for(language))
        before = self.before()
        made = Made(
            film,
            not first.cues,
            language,
            looked.length,
            len(first.cues),
            report.count("fast"),
            versions,
            before.files if before else {},
            said,
        )
        writer = Writer(self._ledger, self._target.path, self._key, made, overwrite=self._settings.overwrite)
        # The day of the film, not today's: a file that is written again has the same bytes.
        day = datetime.fromtimestamp(self._target.path.stat().st_mtime, UTC).date()
        programme = Programme(title or self._target.path.stem, day)
        for one in documents:
            for kind in self._settings.formats:
                file = self._target.file(one.language, FORMATS[kind].ending)
                writer.subtitles(file, one.track, kind, programme)
        if self._settings.report:
            page, rules = self._account(writer.made, heard, looked), self._settings.rules_for(language)
            writer.whole(self._report_file(language), lambda aside: save_report(aside, page, first, rules))
        self._ledger.keep_made(self._target.path, self._key, writer.made)
        return self.result(writer.made)

    def _account(self, made: Made, heard: Sequence[Heard], looked: Looked) -> Account:
        """What the report tells beside the subtitles."""
        return Account(
            self._target.path.stem,
            self._target.shown,
            made.length,
            self._settings.hearing.model,
            datetime.now(UTC),
            voiced=tuple((one.start, one.end) for one in looked.voiced),
            rejected=tuple((one.start, one.end) for chunk in heard for one in chunk.rejected),
            again=tuple((one.start, one.end) for chunk in heard for one in chunk.unsure),
            languages=tuple(one for chunk in heard for one in chunk.languages),
            said=made.said,
        )

    # ── the film once more ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def has_films(self) -> bool:
        """Whether the film is to be written once more, which takes minutes."""
        return self._settings.mux or self._settings.burn is not None

    def films(self, made: Made, progress: Callable[[Ms, Ms | None], None]) -> Result:
        """Write the film once more with its subtitles, where they were asked for. Raises StudioError."""
        writer = Writer(self._ledger, self._target.path, self._key, made, overwrite=self._settings.overwrite)
        if not made.silent:
            for file, make in self._films(made):
                if not intact(writer.made, [file]):
                    writer.whole(file, partial(make, progress, writer.say))
        self._ledger.keep_made(self._target.path, self._key, writer.made)
        return self.result(writer.made)

    def _films(self, made: Made) -> Iterator[tuple[Path, Make]]:
        """Each film that is to be written, and what writes it."""
        if self._settings.mux:
            ending = self._target.path.suffix.lower()
            yield self._target.film(MUXED, ending if ending in FORMS else ".mkv"), partial(self._mux, made)
        if self._settings.burn is not None:
            yield self._target.film(BURNED, ".mp4"), partial(self._burn, made, self._settings.burn)

    def _mux(self, made: Made, progress: Progress, say: Callable[[str], None], out: Path) -> None:
        texts = self._ledger.films.texts
        tracks = [
            media.TextTrack(texts.document(made.film, language).track.cues, language, default=language == made.language)
            for language in made.versions
        ]
        media.mux(self._target.path, out, tracks, progress=progress, say=say)

    def _burn(self, made: Made, burn: Burn, progress: Progress, say: Callable[[str], None], out: Path) -> None:
        cues = self._ledger.films.texts.document(made.film, made.language).track.cues
        media.burn(self._target.path, out, cues, style=burn.style, preset=burn.preset, progress=progress, say=say)

    def _number(self, film: int, language: str) -> int | None:
        heads = self._ledger.films.film(film).heads
        return next((head.number for head in heads if head.language == language), None)

    def result(self, made: Made, *, before: bool = False) -> Result:
        """What people are told of it; `before`: nothing had to be done."""
        said = made.said
        return Result(
            self._target.shown,
            self._target.path,
            "already" if before else "silent" if made.silent else "done",
            "",
            tuple(self._files(made)),
            made.language,
            made.length,
            made.cues,
            made.unreadable,
            (*said, _("Nobody speaks in it: its subtitle files are valid and empty.")) if made.silent else said,
        )
