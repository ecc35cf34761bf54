"""A file as the programme: its packets arrive when they would arrive from a stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av

from studio.errors import MediaError
from studio.language import _
from studio.media._arrive.intake import Session
from studio.media._arrive.probe import open_file, probe
from studio.media._ground.clock import RATE, Ticks, ticks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.container import InputContainer
    from av.stream import Stream

    from studio.media._arrive.intake import Intake
    from studio.media._arrive.probe import Facts

EARLY = ticks(0.5)
"""Pictures are read so much before their time: files carry sound up to half a second behind its picture, and the sound
shall not be late for it."""
GUST = ticks(0.04)
"""Packets may come so much early: to wait for each by itself costs more than to read it."""
MOST_FAULTS = 200
"""Read errors in a row after which the rest of a file is given up."""


class FileSource:
    """Paces a file by the show clock. After a restart it goes on at the show time of now."""

    def __init__(self, intake: Intake, path: Path) -> None:
        """Raises MediaError when there is nothing to play at `path`."""
        self._intake = intake
        self._path = path
        self.facts: Facts = probe(path)
        if self.facts.sound is None:
            intake.say(_("{file} has no sound, so captions are off.").format(file=path.name))

    @property
    def has_picture(self) -> bool:
        """Whether the programme is more than sound."""
        return self.facts.picture is not None

    def run(self) -> None:
        """Play to the end, or until the relay takes no more."""
        intake = self._intake
        if self.facts.sound is None:
            intake.sound_ended(True)  # noqa: FBT003 - `silent`, in the words of events.SoundEnded
        with open_file(self._path) as container:
            first = _first_stamp(container)
            begin = Ticks(0)
            if intake.zero.epoch is not None:
                begin = intake.next_up()
                container.seek((begin + first) * 1_000_000 // RATE)
            session = Session(intake, container, begin)
            session.passing = intake.instant.begin(session.streams) if intake.instant is not None else None
            intake.link("online", "")
            self._play(container, session, first)
            session.close()
        intake.link("off", _("{file} has been played to its end.").format(file=self._path.name))
        if self.facts.sound is not None:
            intake.sound_ended(False)  # noqa: FBT003

    def stop(self) -> None:
        """Nothing holds the thread: it waits for the relay's wish and the show clock together."""

    def _play(self, container: InputContainer, session: Session, first: Ticks) -> None:
        intake = self._intake
        offset = Ticks(-first)
        for packet in self._packets(container, session.streams):
            stamp = session.stamp(packet)
            if stamp is not None:
                if intake.zero.epoch is None:
                    intake.zero.begin_now()
                at = Ticks(stamp + offset)
                if not self._wait(Ticks(at - EARLY if packet.stream.type == "video" else at)):
                    return
                if intake.past_the_end(Ticks(at - 2 * EARLY)):
                    return
            session.put(packet, offset)

    def _wait(self, until: Ticks) -> bool:
        """Wait for the show time `until`; return whether the programme still goes on."""
        if until - self._intake.zero.now() > GUST:
            while (left := until - self._intake.zero.now()) > 0:
                if self._intake.stopping.wait(left / RATE):
                    return False
        return not self._intake.stopping.is_set()

    def _packets(self, container: InputContainer, streams: list[Stream]) -> Iterator[av.Packet[Stream]]:
        """Read every packet that can be read; damage is skipped."""
        faults = 0
        while True:
            try:
                for packet in container.demux(streams):
                    if packet.size:
                        faults = 0
                        yield packet
            except (av.FFmpegError, OSError) as problem:
                self._intake.skip(problem)
                faults += 1
                if isinstance(problem, MediaError) or faults > MOST_FAULTS:
                    return
            else:
                return


def _first_stamp(container: InputContainer) -> Ticks:
    """Return where the file begins, in its own time."""
    start = container.start_time
    return Ticks(round((start or 0) * RATE / 1_000_000))
