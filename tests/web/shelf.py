"""A library with films that people have to work at: 12 s of a test picture, and Polish cues, some of them wrong."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from typing import TYPE_CHECKING, Any

from studio.app import Films
from studio.archive import Document, FilmCue, SoundCue, open_library, reword
from studio.spoken import Word
from studio.units import Ms
from studio.web import serve_films

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

LINES = (
    ("Dzień dobry państwu,", "witam w naszym domu kultury."),
    ("Czytamy dziś wiersze", "Czesława Miłosa."),
    ("Ta linia ma o wiele za dużo znaków, żeby ktoś zdążył ją przeczytać.",),
    ("Zażółć gęślą jaźń.",),
)
DOUBTED = "Miłosa."


def make_film(path: Path, *, codec: str = "libx264") -> Path:
    """12 s of picture and a tone."""
    subprocess.run(
        [
            *("ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=25:duration=12"),
            *(
                "-f",
                "lavfi",
                "-i",
                "sine=frequency=440:duration=12",
                "-c:v",
                codec,
                *(("-preset", "ultrafast") if codec == "libx264" else ()),
            ),
            *("-pix_fmt", "yuv420p", "-g", "25", "-c:a", "aac", "-movflags", "+faststart", str(path)),
        ],
        check=True,
    )
    return path


def document(lines: tuple[tuple[str, ...], ...] = LINES, *, every: int = 3000, long: int = 2500) -> Document:
    cues = []
    for number, cue in enumerate(lines):
        start = number * every
        spoken = [word for line in cue for word in line.split()]
        step = long // len(spoken)
        words = tuple(
            Word(word, Ms(start + at * step), Ms(start + (at + 1) * step), 0.3 if word == DOUBTED else 0.9)
            for at, word in enumerate(spoken)
        )
        cues.append(FilmCue(number + 1, Ms(start), Ms(start + long), cue, words))
    return Document("pl", "polish", tuple(cues))


class Shelf:
    """A library in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "films.db"
        self.folder = folder

    def add(self, film: Path, title: str = "Wieczór", what: Document | None = None) -> int:
        """Put a film in, with subtitles."""
        with open_library(self.path) as library:
            known = library.add(film, title=title, language="pl", length=Ms(12_000))
            library.texts.save(known.id, None, what or document(), "studio", "recognised")
            library.set_state(known.id, "done")
            return known.id

    def edit(self, film: int, cue: int, *lines: str, by: str = "Ona") -> None:
        """Somebody else writes something."""
        with open_library(self.path) as library:
            head = library.texts.head(film)
            library.texts.save(film, head.number, reword(library.texts.document(film), cue, lines), by)

    def hear_again(self, film: int) -> None:
        """The film is heard once more, as it was the first time."""
        with open_library(self.path) as library:
            library.texts.recognised(film, document(), "studio")

    def suggest(self, film: int, *sounds: tuple[int, str]) -> None:
        """Labels are suggested, 400 ms each."""
        found = [SoundCue(Ms(start), Ms(start + 400), label, "Music", 0.8) for start, label in sounds]
        with open_library(self.path) as library:
            library.sounds.keep(film, "pl", found)

    def lines(self, film: int) -> list[tuple[str, ...]]:
        with open_library(self.path) as library:
            return [cue.lines for cue in library.texts.document(film).cues]

    def look(self, film: int) -> Any:  # noqa: ANN401 - a document and its head
        with open_library(self.path) as library:
            return library.texts.document(film), library.texts.head(film)

    @contextlib.asynccontextmanager
    async def opened(self, port: int = 0) -> AsyncIterator[int]:
        """Serve its pages until the block ends; gives the port."""
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        films = Films(self.path)
        serving = asyncio.create_task(serve_films(films, "127.0.0.1", port, opened=told.set_result))
        try:
            yield await asyncio.wait_for(told, 30)
        finally:
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving
            films.close()
