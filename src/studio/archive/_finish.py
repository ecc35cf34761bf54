"""The end of a film's way: its words become a version in the library, and the files that were asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from studio.archive._facts import NotThere
from studio.archive._ledger import Made
from studio.archive._paper import document, language_of, words_of
from studio.archive._watch import Result
from studio.archive._write import Writer, intact
from studio.language import _
from studio.subtitles import FORMATS, Programme, check, profile_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from studio.archive._cupboard import Target
    from studio.archive._document import Document
    from studio.archive._ledger import Ledger
    from studio.archive._settings import Settings
    from studio.archive._work import Heard
    from studio.spoken import Word
    from studio.units import Ms

INTO = "en"
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
        return [
            self._target.file(language, FORMATS[kind].ending)
            for language in languages
            for kind in self._settings.formats
        ]

    def write(
        self,
        film: int,
        length: Ms,
        heard: Sequence[Heard],
        english: Sequence[Heard],
        *,
        title: str,
        said: tuple[str, ...],
    ) -> Result:
        """Compose, keep, and write. Raises StudioError."""
        language = language_of(heard, self._settings.hearing.language)
        words = words_of(heard)
        documents = [self._kept(film, language, words)]
        if self._settings.translate and language != INTO:
            documents.append(self._kept(film, INTO, words_of(english)))
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
            length,
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
        fresh = False
        for one in documents:
            for kind in self._settings.formats:
                file = self._target.file(one.language, FORMATS[kind].ending)
                fresh |= writer.subtitles(file, one.track, kind, programme)
        self._ledger.keep_made(self._target.path, self._key, writer.made)
        return self.result(writer.made, fresh=fresh)

    def _kept(self, film: int, language: str, words: Sequence[Word]) -> Document:
        """The document of these words, as the version that counts; what people wrote in the one before stays."""
        rules = self._settings.rules_for(language)
        profile = self._settings.profile or profile_of(language)
        made = document(words, language, profile, rules, self._settings.corrections.corrector())
        texts = self._ledger.films.texts
        texts.recognised(film, made, BY)
        return texts.document(film, language)

    def _number(self, film: int, language: str) -> int | None:
        heads = self._ledger.films.film(film).heads
        return next((head.number for head in heads if head.language == language), None)

    def result(self, made: Made, *, fresh: bool) -> Result:
        """What people are told of it."""
        said = made.said
        return Result(
            self._target.shown,
            self._target.path,
            "already" if not fresh else "silent" if made.silent else "done",
            "",
            tuple(self._files(made)),
            made.language,
            made.length,
            made.cues,
            made.unreadable,
            (*said, _("Nobody speaks in it: its subtitle files are valid and empty.")) if made.silent else said,
            fresh,
        )
