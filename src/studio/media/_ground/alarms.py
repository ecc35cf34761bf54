"""What is wrong with the programme, by evidence: seen and heard where it airs, and looked up where it is written.

A false alarm is worse than a late one: whoever was called twice for nothing does not come the third time. So each sign
asks for more than the detectors its figures come from, any evidence to the contrary starts it anew, and time in which
nothing can be told does not count.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from av.video.reformatter import VideoReformatter

from studio.events import Alarm
from studio.language import _
from studio.media._ground.clock import RATE, Ticks, ms_of
from studio.media._ground.planes import pixels
from studio.media._ground.tape import AIR_RATE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import av
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

LOOK_EVERY = Ticks(RATE // 2)
SMALL = (160, 90)
"""Pictures are looked at in this size: each of its pixels is the mean of many, so noise and coding do not count."""

BLACK = 20
"""Luma of the brightest of these pixels; 16 is black (ITU-R BT.601). FFmpeg's blackdetect lets 2 % of a picture be any
brightness: a dark stage with one lamp would be black there, not here."""
BLACK_AFTER = 20.0
"""Seconds; blackdetect takes 2. A blackout on a stage is a few seconds long, with a curtain some more."""
BLACK_AND_SILENT_AFTER = 8.0
"""Seconds of black without a sound, too: no stage is as quiet as that."""

SAME = 2
"""Levels of luma that a pixel may lie beside where it was: what encoders change in a picture that stands still. Where
people are, some pixel moves further."""
FROZEN_AFTER = 120.0
"""Seconds in which every picture is the same *and* no sound comes. A slide stands for minutes while somebody speaks to
it, and a hall that listens is not silent; FFmpeg's freezedetect takes 2 seconds, of the picture alone."""

SILENT = -60.0
"""dBFS that no sample passes: FFmpeg's silencedetect. A hall in which nobody speaks has peaks near -50 where speech is
at -23 LUFS (30 dB of room between a quiet hall and a speaker), so a minute's silence is not silent."""
SILENT_AFTER = 20.0
"""Seconds; broadcasters' detectors take 10 to 30."""

CLIPPED = 32_700
"""A sample so far out counts as cut off."""
RUN = 4
"""So many in a row were a peak: music that was made loud touches full scale for one to three samples at a time."""
CLIPS = 24
"""So many in one second can be heard."""
CLIPPED_SECONDS = 10
"""Of the last `CLIPPED_OF` must be such: applause and a dropped microphone are over before."""
CLIPPED_OF = 20

ONE_LEG = 40.0
"""Decibels between the two channels: the crosstalk of a poor cable is less. Music puts no more than 30 between them for
long."""
LEG_HEARD = -45.0
"""dBFS (RMS) that the other must have, or nothing can be told."""
ONE_LEG_AFTER = 20.0
"""Seconds of sound."""

BACK_AFTER = 2.0
"""Seconds of evidence to the contrary until an alarm is over: one flash is no picture."""
STILL_AFTER = 10.0
"""Seconds in which a recording must grow: it is written with every picture."""
PLAYLIST_STILL = 3.0
"""Target durations in which a playlist must move: a live one does after 1.5 at the latest (RFC 8216, 6.2.2)."""
TOLD = 5.0
"""Seconds for which reports say that an alarm is over."""
_LONGEST_STEP = 2.0
"""Seconds that one look may stand for."""


@dataclass(frozen=True, slots=True)
class Says:
    """The sentences of an alarm."""

    sentence: str
    over: str


class Sign:
    """One thing that may be wrong; noted by one thread, read by anyone."""

    def __init__(self, name: str, after: float, says: Callable[[], Says], back: float = BACK_AFTER) -> None:
        """It is raised after `after` seconds of evidence, and over after `back` seconds to the contrary."""
        self.name = name
        self.raised: Alarm | None = None
        self._ended: tuple[float, Alarm] | None = None
        self._after = after
        self._back = back
        self._says = says
        self._over = ""
        self._for = 0.0
        self._against = 0.0

    def note(self, so: bool | None, seconds: float, at: Ticks) -> None:  # noqa: FBT001 - the evidence itself
        """For `seconds` up to `at` on the show clock it was so, or not; `None` where nobody can tell."""
        if so is None:
            return
        if so:
            self._for += seconds
            self._against = 0.0
        else:
            self._against += seconds
            self._for = 0.0
        if self.raised is None and so and self._for >= self._after:
            said = self._says()
            logger.warning("%s: %s", self.name, said.sentence)
            self.raised = Alarm(self.name, said.sentence, ms_of(at))
            self._over = said.over
        elif self.raised is not None and not so and self._against >= self._back:
            logger.info("%s: %s", self.name, self._over)
            self._ended = time.monotonic(), msgspec.structs.replace(self.raised, over=self._over)
            self.raised = None

    def told(self) -> Iterator[Alarm]:
        """The alarm, while it lasts and for some seconds after it ended."""
        raised, ended = self.raised, self._ended
        if raised is not None:
            yield raised
        elif ended is not None and time.monotonic() - ended[0] < TOLD:
            yield ended[1]


class Watch:
    """Sees the pictures and hears the sound of the programme, in the thread that airs them."""

    def __init__(self) -> None:
        self._black = Sign("black", BLACK_AFTER, _black)
        self._frozen = Sign("frozen", FROZEN_AFTER, _frozen)
        self._silent = Sign("silent", SILENT_AFTER, _silent)
        self._clipped = Sign("clipped", 0, _clipped, back=CLIPPED_OF)
        self._left = Sign("left", ONE_LEG_AFTER, _left)
        self._right = Sign("right", ONE_LEG_AFTER, _right)
        self._small = VideoReformatter()
        self._looked: Ticks | None = None
        self._reference: NDArray[np.int16] | None = None
        self._quiet: bool | None = None
        """Whether the last second had no sound; `None` where that is not known."""
        self._waiting: list[NDArray[np.int16]] = []
        self._count = 0
        self._clips: list[bool] = []
        self._broken = False

    def alarms(self) -> tuple[Alarm, ...]:
        """What is wrong now, or was until some seconds ago."""
        signs = (self._black, self._frozen, self._silent, self._clipped, self._left, self._right)
        return tuple(alarm for sign in signs for alarm in sign.told())

    def picture(self, at: Ticks, frame: av.VideoFrame) -> None:
        """See a picture of the programme, yuv420p, without captions; two a second are looked at."""
        if self._looked is not None and 0 <= at - self._looked < LOOK_EVERY:
            return
        with self._border():
            self._see(at, frame)

    def _see(self, at: Ticks, frame: av.VideoFrame) -> None:
        seconds = 0.0 if self._looked is None else min(max(0, at - self._looked) / RATE, _LONGEST_STEP)
        self._looked = at
        small = self._small.reformat(frame, *SMALL, format="yuv420p", interpolation="AREA")
        luma = pixels(small)[0][: SMALL[1], : SMALL[0]].astype(np.int16)
        black = bool(luma.max() <= BLACK)
        sooner = BLACK_AFTER / BLACK_AND_SILENT_AFTER if black and self._quiet else 1.0
        self._black.note(black, seconds * sooner, at)
        same = self._reference is not None and bool(np.abs(luma - self._reference).max() <= SAME)
        if not same:
            self._reference = luma
        still = same and not black  # black has its own sentence
        self._frozen.note(still and self._quiet is True, seconds, at)

    def sound(self, at: int, samples: NDArray[np.int16], *, came: bool) -> None:
        """Hear sound, shape (n, 2), as it came, up to sample `at`; `came`: there was any, it is not filled up.

        Where there was none, and no picture either, the source is gone, which is told elsewhere.
        """
        if not came and not self._pictured(at):
            self._waiting, self._count, self._quiet = [], 0, None
            return
        self._waiting.append(samples)
        self._count += len(samples)
        if self._count < AIR_RATE:
            return
        second, self._waiting, self._count = self._waiting, [], 0
        with self._border():
            self._hear(np.concatenate(second), Ticks(at * RATE // AIR_RATE))

    @contextlib.contextmanager
    def _border(self) -> Iterator[None]:
        """Whatever breaks in here, the air goes on."""
        try:
            yield
        except Exception:
            if not self._broken:
                logger.exception("the programme cannot be watched")
            self._broken = True

    def _pictured(self, at: int) -> bool:
        return self._looked is not None and self._looked * AIR_RATE > (at - 2 * AIR_RATE) * RATE

    def _hear(self, second: NDArray[np.int16], at: Ticks) -> None:
        seconds = len(second) / AIR_RATE
        sizes = np.abs(second.astype(np.int32))
        peak = _decibels(float(sizes.max()))
        self._quiet = peak < SILENT
        self._silent.note(self._quiet, seconds, at)
        hot = sizes >= CLIPPED
        runs = hot[RUN - 1 :].copy()
        for back in range(1, RUN):
            runs &= hot[RUN - 1 - back : len(hot) - back]
        self._clips = [*self._clips[1 - CLIPPED_OF :], int(runs.sum()) >= CLIPS]
        # Over when not one of the last seconds was such: `back` asks for as many as are kept.
        enough = sum(self._clips) >= CLIPPED_SECONDS
        self._clipped.note(enough or (None if self._clips[-1] else False), seconds, at)
        power = np.sqrt(np.mean(np.square(second.astype(np.float32)), axis=0))
        left, right = (_decibels(float(value)) for value in power)
        told = max(left, right) > LEG_HEARD
        self._left.note(left < right - ONE_LEG if told else None, seconds, at)
        self._right.note(right < left - ONE_LEG if told else None, seconds, at)


def _decibels(size: float) -> float:
    return 20 * float(np.log10(max(size, 1e-3) / 32768))


# ── what is written ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Kept:
    """Files that must move while `live` says so."""

    name: str
    """As in the outputs' reports."""
    folder: Path
    pattern: str
    """Of files in `folder`."""
    after: float
    """Seconds."""
    live: Callable[[], bool]
    playlist: bool = False
    """The newest file's last line must change; else the files together must grow."""


class Keeper:
    """Looks at files in a thread of its own: a disk that hangs, hangs whoever looks."""

    def __init__(self, kept: Callable[[], Iterable[Kept]], now: Callable[[], Ticks], every: float = 1.0) -> None:
        """`kept` is asked at each look; `now` is the show clock."""
        self._ask = kept
        self._now = now
        self._every = every
        self._kept: dict[str, tuple[Kept, Sign]] = {}
        """Replaced when it changes, never changed: two threads read it."""
        self._seen: dict[str, object] = {}
        self._newest: dict[str, Path] = {}
        self._ended = threading.Event()
        self._looked = time.monotonic()
        self._looking: Kept | None = None
        """Whose files are looked at just now."""

    def start(self) -> None:
        """Begin to look."""
        self._looked = time.monotonic()
        threading.Thread(target=self._run, name="keeper", daemon=True).start()

    def stop(self) -> None:
        """Look no more, and tell of nothing."""
        self._ended.set()

    def alarms(self) -> tuple[Alarm, ...]:
        """What stands still; where a look does not come back, that whose files it looks at."""
        if self._ended.is_set():
            return ()
        stuck, looking = time.monotonic() - self._looked, self._looking
        kept = self._kept.values()
        for one, sign in kept:
            if one is looking and sign.raised is None and stuck > one.after + self._every and one.live():
                sign.note(True, one.after, self._now())  # noqa: FBT003 - so it is
        return tuple(alarm for _one, sign in kept for alarm in sign.told())

    def look(self, seconds: float) -> None:
        """Look once; the last look was `seconds` ago."""
        kept = self._kept
        self._kept = {
            one.name: (one, kept[one.name][1] if one.name in kept else self._sign(one)) for one in self._ask()
        }
        for one, sign in self._kept.values():
            self._looking = one
            seen = self._state(one) if one.live() else None
            self._looking = None
            before, self._seen[one.name] = self._seen.get(one.name), seen
            known = seen is not None and before is not None
            sign.note(seen == before if known else None, seconds, self._now())

    def _run(self) -> None:
        before = time.monotonic()
        while not self._ended.wait(self._every):
            now = time.monotonic()
            try:
                self.look(now - before)
            except Exception:
                logger.exception("the files are looked at no more")
                self.stop()  # or that nobody looks would be told as if they stood still
            before = self._looked = now

    def _state(self, kept: Kept) -> object:
        """Return what must be another one at the next look; `None` where there is nothing that can be read."""
        try:
            files = {file: file.stat() for file in kept.folder.glob(kept.pattern)}
            if not files:
                return None
            newest = self._newest[kept.name] = max(files, key=lambda file: files[file].st_mtime_ns)
            if kept.playlist:
                return re.findall(r"^[^#\n]+$", newest.read_text(encoding="utf-8"), re.MULTILINE)[-1:]
            return sum(facts.st_size for facts in files.values())
        except (OSError, ValueError):  # gone between two steps, or being replaced: the outputs tell of disks that fail
            return None

    def _sign(self, kept: Kept) -> Sign:
        # One byte more is growth: nothing has to be proven for seconds.
        return Sign(f"still:{kept.name}", kept.after, lambda: self._says(kept), back=0)

    def _says(self, kept: Kept) -> Says:
        file = self._newest.get(kept.name, kept.folder / kept.pattern)
        if kept.playlist:
            return Says(
                _("The playlist {file} stands still, so nobody can watch on; look at the disk that it is on.").format(
                    file=file
                ),
                _("The playlist {file} moves again.").format(file=file),
            )
        return Says(
            _("The recording {file} does not grow any more; look at the disk that it is on.").format(file=file),
            _("The recording {file} grows again.").format(file=file),
        )


# ── sentences ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _black() -> Says:
    return Says(
        _("The picture is black and stays so; look at the camera, its lens cap and its cable."),
        _("There is a picture again."),
    )


def _frozen() -> Says:
    return Says(
        _("Picture and sound have stood still for two minutes; look at camera and encoder, unless this is a break."),
        _("The programme moves again."),
    )


def _silent() -> Says:
    return Says(
        _("The programme is silent; look at the microphones, at the mixer, and at what the encoder listens to."),
        _("There is sound again."),
    )


def _clipped() -> Says:
    return Says(
        _("The sound is so loud that it is distorted; turn it down at the mixer, before the encoder."),
        _("The sound is no longer distorted."),
    )


def _left() -> Says:
    return Says(
        _("Only the right channel has sound; look at the left cable between mixer and encoder."),
        _("Both channels have sound again."),
    )


def _right() -> Says:
    return Says(
        _("Only the left channel has sound; look at the right cable between mixer and encoder."),
        _("Both channels have sound again."),
    )
