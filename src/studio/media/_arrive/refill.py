"""The hold, filled again after a kill from what the clean recording has."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import av

from studio.media._arrive.intake import Session
from studio.media._ground.clock import RATE, Ticks, ticks
from studio.media._ground.tape import AIR_RATE
from studio.media._leave.clean import BACK, NAME
from studio.media._leave.recording import parts

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer
    from av.stream import Stream

    from studio.media._arrive.intake import Intake

logger = logging.getLogger(__name__)


def refill(intake: Intake, folder: Path, begin: Ticks) -> bool:
    """Hand over what the clean recording in `folder` holds from `begin` on the show clock; return whether it had any.

    It is what a relay that was killed had taken and not yet aired. What cannot be read is left out.
    """
    started = time.monotonic()
    wanted: list[tuple[Path, Ticks]] = []
    for part in reversed(parts(folder, NAME)):
        span = _span(part)
        if span is None:
            continue
        if span[1] > begin:
            wanted.append((part, span[0]))
        if span[0] <= begin:
            break
    for part, first in reversed(wanted):
        try:
            _hand_over(intake, part, first, begin)
        except (OSError, av.FFmpegError) as problem:
            logger.warning("%s cannot be read, so the hold is not filled from it: %s", part, problem)
    if wanted:
        filled = max(0.0, (intake.latest - begin) / RATE)
        logger.info("the hold is filled with %.2f s again, in %.2f s", filled, time.monotonic() - started)
    return bool(wanted)


def _span(part: Path) -> tuple[Ticks, Ticks] | None:
    """Where `part` begins and ends on the show clock; `None` where it cannot be read."""
    try:
        if not part.stat().st_size:
            return None
        with av.open(str(part), "r", "mpegts") as container:
            if container.start_time is None:
                return None
            start = container.start_time * RATE // 1_000_000
            return Ticks(start), Ticks(start + (container.duration or 0) * RATE // 1_000_000)
    except (OSError, av.FFmpegError):
        return None


def _hand_over(intake: Intake, part: Path, first: Ticks, begin: Ticks) -> None:
    intake.tape.start_reading(begin * AIR_RATE // RATE)
    if begin - first > ticks(2 * BACK):
        with av.open(str(part), "r", "mpegts") as container:
            container.seek(round((begin / RATE - BACK) * 1_000_000), any_frame=True)
            if _play(intake, container, begin, sure=False):
                return
    with av.open(str(part), "r", "mpegts") as container:
        _play(intake, container, begin, sure=True)


def _play(intake: Intake, container: InputContainer, begin: Ticks, *, sure: bool) -> bool:
    """Hand `container` over from its next key frame on.

    Unless `sure` that there is none further back: False, and nothing, where that one comes after `begin`.
    """
    session = Session(intake, container, Ticks(max(begin, intake.shown)))
    keyed = session.video is None
    early: list[av.Packet[Stream]] = []
    for packet in container.demux(session.streams):
        stamp = session.stamp(packet)
        if stamp is None or packet.is_corrupt or not packet.size:
            continue
        if not keyed:
            if packet.stream.type != "video":
                early.append(packet)
            if packet.stream.type != "video" or not packet.is_keyframe:
                continue
            if stamp > begin and not sure:
                return False
            keyed = True
            for sound in early:
                session.put(sound, Ticks(0))
        session.put(packet, Ticks(0))
    if keyed:
        session.close()
    return keyed or sure
