"""The library of films as pages see it: what there is, what breaks the profile, and what people change."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from studio import archive, subtitles
from studio.app._film_facts import Change, Found, Place, Row, Share, View, Whole, rows_of
from studio.app._film_media import FilmMedia, Picture
from studio.app._learned import Learned
from studio.archive import Conflict, Document, Film, Head, NotThere, Order, Pattern, obey
from studio.catalogue import Catalogue, user_folder
from studio.errors import DrawerError
from studio.language import _, spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from studio.archive import Suggestion
    from studio.subtitles import Rules

PAGE = 1000
"""Films that are read from the library at once."""
HITS = 60
"""Places that a search shows."""
PLACES = 300
"""Places that are shown, and changed, in one go."""
REMEMBERED = 4000
"""Versions whose share of broken cues is remembered."""
DOUBT = 0.5
"""A word of less confidence is doubtful; `static/film-check.js` says so, too."""
SOMEBODY = "?"
"""Who changes something without a name."""


class Films:
    """Every method may be called from any thread, and blocks. Raises StudioError."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the library at `path`, or the user's."""
        self._library = archive.open_library(path)
        self._catalogue = Catalogue(user_folder())
        self._learned = Learned()
        self._shares: OrderedDict[tuple[int, str, int], Share] = OrderedDict()
        self._profiles: dict[tuple[str, str], Rules] = {}
        self._lock = threading.Lock()
        self.media = FilmMedia(self._library.path.parent)

    def close(self) -> None:
        """Let go of the library."""
        self.media.close()
        self._library.close()

    @property
    def interface(self) -> str:
        """The language that pages speak until somebody chooses."""
        return spoken()

    # ── all films ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def films(self) -> list[Row]:
        """Return every film, in the order of titles; one with subtitles in two languages twice."""
        rows: list[Row] = []
        first = 0
        while page := self._library.films(first=first, most=PAGE):
            rows += [row for film in page for row in rows_of(film)]
            first += PAGE
        return rows

    def shares(self, wanted: Iterable[tuple[int, str, int]]) -> dict[str, Share]:
        """Say of versions (film, language, number) that are there how many of their cues break the profile."""
        found = {}
        for film, language, number in wanted:
            try:
                share = self._share(film, language, number)
            except NotThere:
                continue
            found[f"{film}.{language}.{number}"] = share
        return found

    def search(self, asked: str) -> dict[str, Any]:
        """Find what is said."""
        found = self._library.search(asked, most=HITS, typing=True)
        hits = [
            {
                "film": hit.film,
                "title": hit.title,
                "language": hit.language,
                "cue": hit.cue,
                "start": hit.start,
                "text": hit.text,
                "marks": hit.marks,
            }
            for hit in found.hits
        ]
        return {"hits": hits, "more": found.next is not None}

    def preview(self, wish: Pattern) -> dict[str, Any]:
        """Show what `replace` would do; nothing is done."""
        places: list[Place] = []
        for place in self._places(wish):
            if len(places) == PLACES:
                return {"places": places, "more": True}
            places.append(place)
        return {"places": places, "more": False}

    def replace(self, wish: Pattern, chosen: Sequence[tuple[int, str, int, Sequence[int]]], by: str) -> dict[str, Any]:
        """Replace in the cues that were shown: (film, language, version, cues).

        A film that somebody changed since it was shown is left as it is, and said.
        """
        done = 0
        left = []
        for film, language, version, cues in chosen:
            try:
                before = self._library.texts.document(film, language, version)
                after = before
                for place in archive.replacements(before, wish):
                    if place.cue in cues and place.after:
                        after = archive.reword(after, place.cue, place.after)
                self._library.texts.save(film, version, after, by or SOMEBODY)
            except Conflict:
                title = self._library.film(film).title
                left.append(_("{title} was changed meanwhile and stays as it is.").format(title=title))
            except NotThere:
                left.append(_("A film has left the library meanwhile."))
            else:
                done += sum(one != other for one, other in zip(before.cues, after.cues, strict=True))
        return {"cues": done, "left": left}

    def suggestions(self) -> tuple[Suggestion, ...]:
        """Return words that people put right again and again, and that are in no learned glossary yet."""
        return self._learned.unknown(archive.suggestions(self._library.texts.corrections()))

    def learn(self, language: str, write: str, heard: Sequence[str]) -> dict[str, str]:
        """Put a word into the learned glossary of its language; return its name and where it is."""
        file = self._learned.learn(language, write, heard)
        return {"name": self._learned.name(language), "file": str(file)}

    # ── one film ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def film(self, film: int, language: str) -> Whole:
        """Return subtitles as they stand; `language` may be empty where there is no choice."""
        known, head, document = self._stand(film, language)
        picture = self.media.picture(known.path)
        view = self._view(known, head, document)
        rules = self._rules(document)
        return Whole(
            **{name: getattr(view, name) for name in View.__struct_fields__},
            profile=document.profile,
            rules={
                "line_characters": rules.line_characters,
                "lines": rules.lines,
                "characters_per_second": rules.characters_per_second,
                "shortest": rules.shortest,
                "longest": rules.longest,
                "gap": rules.gap,
                "bound": rules.bound,
            },
            frame_ms=picture.frame,
            cues=document.cues,
            media=_media(picture),
        )

    def path(self, film: int) -> Path:
        """Return where a film of the library is."""
        return self._library.film(film).path

    def edit(self, film: int, language: str, base: int, orders: Sequence[Order], by: str) -> Change:
        """Do what is asked for on top of version `base`. Raises Conflict where that does not count any more."""
        before = self._library.texts.document(film, language or None, base)
        new = self._library.texts.next_id(film, before.language)
        after = obey(before, orders, self._rules(before), new)
        made = self._library.texts.save(film, base, after, by or SOMEBODY)
        return self._since(film, before.language, before, (made.number, after))

    def undo(self, film: int, language: str, base: int) -> Change:
        """Go a version back. Raises Conflict as `edit` does."""
        before = self._library.texts.document(film, language or None, base)
        self._library.texts.undo(film, before.language, base)
        return self._since(film, before.language, before)

    def redo(self, film: int, language: str, base: int) -> Change:
        """Go forward again, after `undo`. Raises Conflict as `edit` does."""
        before = self._library.texts.document(film, language or None, base)
        self._library.texts.redo(film, before.language, base)
        return self._since(film, before.language, before)

    def restore(self, film: int, language: str, base: int, number: int, by: str) -> Change:
        """Let the subtitles read as in version `number` again. Raises Conflict as `edit` does."""
        before = self._library.texts.document(film, language or None, base)
        self._library.texts.restore(film, before.language, number, by or SOMEBODY, base)
        return self._since(film, before.language, before)

    def accept(self, film: int, language: str, base: int, by: str) -> Change:
        """Keep that `by` says: version `base` may go out. Raises Conflict as `edit` does."""
        before = self._library.texts.document(film, language or None, base)
        self._library.texts.accept(film, before.language, by, base)
        return self._since(film, before.language, before)

    def sounds(
        self, film: int, language: str, base: int, *, accept: Sequence[int], refuse: Sequence[int], by: str
    ) -> Change:
        """Make cues of suggested sounds, and suggest others no more. Raises Conflict as `edit` does."""
        before = self._library.texts.document(film, language or None, base)
        if accept:
            self._library.sounds.accept(film, before.language, base, accept, by or SOMEBODY)
        self._library.sounds.refuse(film, before.language, refuse)
        return self._since(film, before.language, before)

    def versions(self, film: int, language: str) -> dict[str, Any]:
        """Return every version, newest first."""
        return {"versions": self._library.texts.versions(film, language or None)}

    def report(self, film: int, language: str) -> str:
        """Return the report of the subtitles as they stand, as HTML."""
        known, head, document = self._stand(film, language)
        account = archive.Account(
            known.title, known.path.name, known.length, made=head.at, accepted_by=head.accepted_by
        )
        return archive.report(account, document, self._rules(document))

    # ── within ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _stand(self, film: int, language: str) -> tuple[Film, Head, Document]:
        head = self._library.texts.head(film, language or None)
        return self._library.film(film), head, self._library.texts.document(film, head.language, head.number)

    def _since(self, film: int, language: str, before: Document, saved: tuple[int, Document] | None = None) -> Change:
        """What is new since `before`; `saved`: a version that need not be read again where it still counts."""
        head = self._library.texts.head(film, language)
        known = self._library.film(film)
        if saved is not None and saved[0] == head.number:
            document = saved[1]
        else:
            document = self._library.texts.document(film, language, head.number)
        view = self._view(known, head, document)
        old = {cue.id: cue for cue in before.cues}
        new = {cue.id for cue in document.cues}
        return Change(
            **{name: getattr(view, name) for name in View.__struct_fields__},
            changed=[cue for cue in document.cues if old.get(cue.id) != cue],
            removed=[id_ for id_ in old if id_ not in new],
        )

    def _view(self, film: Film, head: Head, document: Document) -> View:
        versions = self._library.texts.versions(film.id, head.language)
        here = next(version for version in versions if version.number == head.number)
        row = next(row for row in rows_of(film) if row.language == head.language)
        redo = any(version.parent == head.number and version.kind != "restored" for version in versions)
        waiting = self._library.sounds.waiting(film.id, document)
        return View(head.number, here.parent is not None, redo, row, self._findings(document), waiting)

    def _rules(self, document: Document) -> Rules:
        """The profile, read once: a change of its file counts when the pages are served anew."""
        key = (document.profile, document.language)
        if key not in self._profiles:
            self._profiles[key] = self._read_rules(document)
        return self._profiles[key]

    def _read_rules(self, document: Document) -> Rules:
        try:
            return subtitles.profile(document.profile, document.language, self._catalogue)
        except DrawerError:  # a profile that was there when the film was made
            return subtitles.profile(subtitles.profile_of(document.language), document.language, self._catalogue)

    def _findings(self, document: Document) -> list[Found]:
        """What breaks the profile; a blink breaks none."""
        ids = [cue.id for cue in document.cues]
        report = subtitles.check(document.track, self._rules(document))
        return [
            Found(ids[found.cue - 1], found.kind, found.sentence)
            for found in report.findings
            if found.kind != "flicker"
        ]

    def _share(self, film: int, language: str, number: int) -> Share:
        key = (film, language, number)
        with self._lock:
            if key in self._shares:
                self._shares.move_to_end(key)
                return self._shares[key]
        document = self._library.texts.document(film, language, number)
        share = Share(
            len({found.cue for found in self._findings(document)}),
            sum(cue.by == "machine" and any(_doubted(word.confidence) for word in cue.words) for cue in document.cues),
        )
        with self._lock:
            self._shares[key] = share
            while len(self._shares) > REMEMBERED:
                self._shares.popitem(last=False)
        return share

    def _places(self, wish: Pattern) -> Iterator[Place]:
        """Where it stands, in the order of films and of time; the search knows words and beginnings of words."""
        words = re.findall(r"\w+", wish.find)
        asked = " ".join([*words[:-1], words[-1] + ("" if wish.words else "*")]) if words else ""
        after: int | None = 0
        seen: set[tuple[int, str]] = set()
        while after is not None and asked:
            found = self._library.search(asked, after=after, most=PLACES)
            after = found.next
            for hit in found.hits:
                if (hit.film, hit.language) not in seen:
                    seen.add((hit.film, hit.language))
                    yield from self._places_in(hit.film, hit.title, hit.language, wish)

    def _places_in(self, film: int, title: str, language: str, wish: Pattern) -> Iterator[Place]:
        head = self._library.texts.head(film, language)
        document = self._library.texts.document(film, language, head.number)
        starts = {cue.id: cue.start for cue in document.cues}
        for each in archive.replacements(document, wish):
            if each.after:
                texts = " / ".join(each.before), " / ".join(each.after)
                yield Place(film, title, language, head.number, each.cue, starts[each.cue], *texts)


def _doubted(confidence: float | None) -> bool:
    return confidence is not None and confidence < DOUBT


def _media(picture: Picture) -> dict[str, Any]:
    return {"picture": picture.playable, "sound": picture.sound, "why": picture.why, "copied": picture.copied}


def house_films(path: Path | None = None) -> Films | None:
    """Open the library at `path`, or the user's, where there is one; `None` where no film was ever brought in."""
    return Films(path) if (path or archive.default_path()).exists() else None
