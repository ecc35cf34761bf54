"""Whoever writes to the library is killed, in mid-write and again and again; several write at once."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from studio.archive import Document, FilmCue, open_library
from studio.units import Ms

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 3
WRITER = """
import sys
from pathlib import Path
from studio.archive import Document, FilmCue, open_library
from studio.units import Ms

with open_library(Path(sys.argv[1])) as library:
    film = library.add(Path("/films/a.mp4")).id
    job = library.jobs.add_job(film, "settings", [(Ms(at * 1000), Ms(at * 1000 + 1000)) for at in range(200)]).id
    library.jobs.take(job, "writer")
    while True:
        heads = library.film(film).heads
        number = heads[0].number if heads else 0
        lines = f"wersja {number + 1}"
        cues = tuple(FilmCue(at, Ms(at * 2000), Ms(at * 2000 + 1500), (lines,)) for at in range(1, 80))
        library.texts.save(film, number or None, Document("pl", "polish", cues), "writer")
        chunk = library.jobs.claim(job, "writer")
        library.jobs.finish_chunk(job, chunk.number, b"heard %d" % chunk.number)
        print(number + 1, chunk.number, flush=True)
"""


def test_a_kill_in_mid_write_loses_nothing_that_was_said(tmp_path: Path) -> None:
    path = tmp_path / "films.db"
    told = (0, -1)
    for kill in range(KILLS):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(2 + kill):
                version, chunk = map(int, writer.stdout.readline().split())
            writer.send_signal(signal.SIGKILL)
            left = writer.stdout.read().split("\n")
        whole = [tuple(map(int, line.split())) for line in left[:-1]]  # said between the last look and the kill
        told = max(told, (version, chunk), *((each[0], each[1]) for each in whole))
        with open_library(path) as library:
            head = library.texts.head(1)
            # The version after the last one that was told of may have been written, or not: never half of it.
            assert head.number in (told[0], told[0] + 1)
            document = library.texts.document(1)
            assert {cue.lines for cue in document.cues} == {(f"wersja {head.number}",)}
            assert len(document.cues) == 79
            assert len(library.search(f'"wersja {head.number}"', most=500).hits) == 79
            assert library.search(f'"wersja {head.number - 1}"').hits == ()
            job = library.jobs.all()[0]
            done = [chunk for chunk in library.jobs.chunks(job.id) if chunk.state == "done"]
            assert [chunk.payload for chunk in done] == [b"heard %d" % number for number in range(len(done))]
            assert len(done) in (told[1] + 1, told[1] + 2)


def test_four_threads_save_at_once_and_none_is_lost(tmp_path: Path) -> None:
    with open_library(tmp_path / "films.db") as library:
        films = [library.add(tmp_path / f"{name}.mp4").id for name in range(4)]

        def write(film: int) -> None:
            for number in range(5):
                cues = (FilmCue(1, Ms(0), Ms(900), (f"film {film}, {number}",)),)
                library.texts.save(film, number or None, Document("pl", "polish", cues), "x")

        threads = [threading.Thread(target=write, args=(film,)) for film in films]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [library.texts.head(film).number for film in films] == [5] * 4
        assert len(library.search("film").hits) == 4
