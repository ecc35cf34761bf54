"""Sounds that were suggested for films: those that wait for a person, and those that one refused.

A suggestion waits for as long as no cue stands in its time and nobody refused it. So what is accepted needs no mark of
its own: its cue is there, and where somebody undoes that, the suggestion waits again. What waits moves with the cues
around it: its times are those of a document as it was moved when it was suggested.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, insert, select, update

from studio.archive._again import carried
from studio.archive._document import Shift
from studio.archive._facts import NotThere
from studio.archive._history import document_of, text_row
from studio.archive._schema import clocks, sounds
from studio.archive._sdh import AGAIN, SoundCue, confirm, free
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import Connection

    from studio.archive._document import Document
    from studio.archive._facts import Version
    from studio.archive._store import Store
    from studio.archive._versions import Texts


class Sounds:
    """Suggestions for the subtitles of all films; they stand in no document, and in no file that is made of one."""

    def __init__(self, store: Store, texts: Texts) -> None:
        self._store = store
        self._texts = texts

    def keep(self, film: int, language: str, found: Iterable[SoundCue]) -> None:
        """Let what was `found` wait in place of what waited; what was refused near there does not come back.

        Raises NotThere where the film has no subtitles in that language.
        """
        with self._store.write() as connection:
            text = text_row(connection, film, language)
            if text is None:
                raise NotThere(_("There are no subtitles of this film in that language yet."))
            _move(connection, text.id, document_of(connection, text.id, text.head).shifts)
            rows = connection.execute(select(sounds).where(sounds.c.text == text.id)).all()
            refused = [(row.label, row.start) for row in rows if row.refused]
            wanted = {
                (one.label, one.start, one.end): one
                for one in found
                if not any(one.label == label and abs(one.start - start) < AGAIN for label, start in refused)
            }
            for row in rows:
                if not row.refused and wanted.pop((row.label, row.start, row.end), None) is None:
                    connection.execute(delete(sounds).where(sounds.c.id == row.id))
            for one in wanted.values():
                connection.execute(
                    insert(sounds).values(
                        text=text.id,
                        start=one.start,
                        end=one.end,
                        label=one.label,
                        sound=one.sound,
                        share=one.share,
                        refused=False,
                    )
                )

    def waiting(self, film: int, document: Document) -> tuple[SoundCue, ...]:
        """Return what waits for a person in `document`, subtitles of that film, by time."""
        with self._store.read() as connection:
            text = text_row(connection, film, document.language)
            if text is None:
                return ()
            then = _clock(connection, text.id)
            rows = connection.execute(select(sounds).where(sounds.c.text == text.id, sounds.c.refused.is_(False))).all()
        kept = [
            SoundCue(
                *carried(row.start, row.end, document.shifts if then is None else then, document.shifts),
                row.label,
                row.sound,
                row.share,
                row.id,
            )
            for row in rows
        ]
        return free(document, sorted(kept, key=lambda one: one.start))

    def accept(self, film: int, language: str, base: int, wanted: Collection[int], by: str) -> Version:
        """Make cues of a person's of suggestions, in a version upon `base`. Raises Conflict, NotThere."""
        document = self._texts.document(film, language, base)
        waiting = {one.id: one for one in self.waiting(film, document)}
        new = self._texts.next_id(film, language)
        for number in wanted:
            if number not in waiting:
                raise _gone(number)
            document = confirm(document, waiting.pop(number), new)
        return self._texts.save(film, base, document, by)

    def refuse(self, film: int, language: str, wanted: Collection[int]) -> None:
        """Suggest these no more. Raises NotThere, and then none is refused."""
        with self._store.write() as connection:
            text = text_row(connection, film, language)
            for number in wanted:
                here = (sounds.c.id == number) & (sounds.c.text == (text.id if text is not None else None))
                if not connection.execute(update(sounds).where(here).values(refused=True)).rowcount:
                    raise _gone(number)


def _clock(connection: Connection, text: int) -> tuple[Shift, ...] | None:
    """How subtitles were moved when times of their sounds were written; `None` where an earlier studio wrote them."""
    kept = connection.execute(select(clocks.c.shifts).where(clocks.c.text == text)).scalar()
    return None if kept is None else msgspec.json.decode(kept, type=tuple[Shift, ...])


def _move(connection: Connection, text: int, now: tuple[Shift, ...]) -> None:
    """Write the times of all sounds of a text as they are where it is moved by `now`."""
    then = _clock(connection, text)
    if then == now:
        return
    for row in connection.execute(select(sounds).where(sounds.c.text == text)).all() if then is not None else ():
        start, end = carried(row.start, row.end, then or (), now)
        connection.execute(update(sounds).where(sounds.c.id == row.id).values(start=start, end=end))
    connection.execute(delete(clocks).where(clocks.c.text == text))
    connection.execute(insert(clocks).values(text=text, shifts=msgspec.json.encode(now)))


def _gone(number: int) -> NotThere:
    return NotThere(_("No suggestion {number} waits any more; look again at what does.").format(number=number))
