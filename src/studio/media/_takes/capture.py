"""Many channels of one input, for as long as the session lasts: callback → ring → whoever hears.

Input only, since a full-duplex stream loses blocks without saying so. Frames are counted from the first one on, also
over what is lost and over an input that goes and comes back.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import pyaudio

from studio.errors import MediaError
from studio.language import _
from studio.media._arrive import portaudio
from studio.media._takes.continuity import SUSPECT, Continuity, How, Loss, Missing
from studio.media._takes.pace import Pace
from studio.media._takes.ring import Block, Ring
from studio.media._takes.witness import PATIENCE, Witness

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

    from studio.media._takes.witness import Proof

logger = logging.getLogger(__name__)

BLOCK = 1024
"""Frames in one call of PortAudio."""
RING = 8.0
"""Seconds of sound that a slow disk may keep us waiting."""
STALLED = 2.0
"""Seconds without sound after which the stream is opened anew: PortAudio stays silent when its server dies."""
LOOK = 0.1
"""Seconds between two looks at the stream."""
SERVER = 4 << 20
"""Bytes that a sound server keeps for a stream that nobody comes for: 0.7 s of 32 channels at 48 kHz, 1.2 s of 18."""
SURE = 0.8
"""Share of them that may fill before it is suspected that some were thrown away."""
MOST_SUSPECT = 5.0
"""Seconds without sound that are suspected whatever the server keeps."""
QUIET = 1.0
"""Seconds without sound after which what is kept back is given: it may be the last that comes."""
LOOK_AGAIN = 2.0
"""Seconds between two questions to the witness while nothing is suspected."""
HEARS_LATER = 0.5
"""Seconds after which a witness should have heard the same; it is asked so often, too, until it knows its place."""
AGAIN = 0.5
"""Seconds between two tries to open it."""
RESCAN = 3
"""Tries after which PortAudio looks for devices anew."""
MOST_CHANNELS = 32
RATES = (44_100, 48_000, 88_200, 96_000)


@dataclass(slots=True)
class _Doubt:
    """What is kept back."""

    blocks: list[Block] = field(default_factory=list)
    missing: Missing | None = None
    """As the clock tells it; `None`: not yet."""
    asked: Block | None = None
    """Which came when it told: what the witness is asked of."""


@dataclass(frozen=True, slots=True)
class Input:
    """An input of this machine."""

    name: str
    channels: int
    """A sound server's input says 32, whatever stands behind it."""
    rate: int
    """That it runs at by itself."""


def inputs() -> list[Input]:
    """Return what can be recorded from; empty where there is no sound input."""
    sound = portaudio.start()
    try:
        return [
            Input(str(one["name"]), portaudio.channels_of(one, "input"), int(one["defaultSampleRate"]))
            for one in portaudio.devices(sound, "input")
        ]
    finally:
        sound.terminate()


class Capture:
    """Hears an input from `with` to its end; what it hears goes to `hear`, in one thread of its own."""

    def __init__(
        self,
        device: str,
        rate: int,
        channels: int,
        hear: Callable[[NDArray[np.int32], int], None],
        *,
        lost: Callable[[Loss], None] = lambda _loss: None,
        gone: Callable[[str], None] = lambda _sentence: None,
        back: Callable[[], None] = lambda: None,
        idle: Callable[[], None] = lambda: None,
        keep: Callable[[NDArray[np.int32]], None] = lambda _block: None,
        seconds: float = RING,
    ) -> None:
        """Hear `channels` of the input whose name has `device` in it; 0: all of them, `MOST_CHANNELS` at most.

        `hear` gets (frames, channels), 24 bits on the left, good until it returns, and the number of the first frame;
        `lost` is told before it of frames that are missing. `gone` is told a sentence when the input gives no more
        sound and then `back` when it does, from another thread. `idle` is called by the thread that hears when there
        is nothing to hear for `LOOK` seconds. `keep` gets what is kept back until its place is known, once, when it
        comes: all of it comes again by `hear`, but for the pieces that a `Loss` counts.
        """
        self._wanted, self.rate, self._asked = device, rate, channels
        self._hear, self._lost, self._gone, self._back, self._idle = hear, lost, gone, back, idle
        self._keep = keep
        self._seconds = seconds
        self.device = ""
        """Its name."""
        self.channels = channels
        self.frames = 0
        """Heard so far; what was lost counts, too."""
        self.losses: list[Loss] = []
        self.strange_rate: float | None = None
        """Frames a second that the input gives, where it gives others than were asked for."""
        self._pace = Pace(rate)
        self._calls = 0
        self._lives = 0
        self._some = threading.Event()
        self._leaving = threading.Event()
        self._threads: list[threading.Thread] = []
        self._stream: Any = None
        self._witness: Witness | None = None
        self._looked = 0.0
        self._sample: Block | None = None
        self._doubted: _Doubt | None = None

    def __enter__(self) -> Self:
        """Open the input. Raises MediaError."""
        self._sound = portaudio.start()
        try:
            self._open()
        except BaseException:
            self._sound.terminate()
            raise
        for name, run in (("takes: hear", self._consume), ("takes: watch", self._watch)):
            thread = threading.Thread(target=run, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        self._some.set()
        for thread in reversed(self._threads):
            thread.join()
        self._close()
        self._sound.terminate()

    @property
    def lead(self) -> float | None:
        """Frames heard beyond `rate` times the machine's clock, as the input says; `None` where it does not."""
        return self._pace.lead

    # ── the stream ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _open(self) -> None:
        device = portaudio.choose(self._sound, self._wanted)
        name = str(device["name"])
        there = min(portaudio.channels_of(device, "input"), MOST_CHANNELS)
        channels = min(self._asked, there) or there
        if self._lives and channels != self.channels:
            raise MediaError(_too_few(name, there, self.channels))
        try:
            with portaudio.quiet():
                stream = self._sound.open(
                    self.rate, channels, pyaudio.paInt32, input=True, input_device_index=int(device["index"]),
                    frames_per_buffer=BLOCK, stream_callback=self._call, start=False,
                )  # fmt: skip
        except (OSError, ValueError) as problem:
            raise MediaError(portaudio.refusal("input", name, self.rate, channels, problem)) from problem
        if not self._lives:
            self.channels, self._ring = channels, Ring(int(self._seconds * self.rate), channels)
            self._continuity = Continuity(self.rate)
        self.device = name
        self._stream = stream
        with portaudio.quiet():
            stream.start_stream()
        self._witness = self._call_witness(device)
        if self._witness is not None:  # a server: it throws nothing away before that is full
            self._continuity.suspect = min(MOST_SUSPECT, max(SUSPECT, SURE * SERVER / (4 * channels * self.rate)))

    def _call_witness(self, device: portaudio.Device) -> Witness | None:
        witness = Witness(self.rate)
        try:
            witness.listen(self._sound, device)
        except (OSError, ValueError) as problem:
            logger.info("%s can be opened once only (%s): what is missing is told by the clock", self.device, problem)
            return None
        return witness

    def _close(self) -> None:
        witness, self._witness = self._witness, None
        if witness is not None:
            witness.close()
        stream, self._stream = self._stream, None
        if stream is not None:
            try:
                stream.close()
            except OSError as problem:
                logger.info("%s did not close: %s", self.device, problem)

    def _call(self, data: bytes | None, _count: int, times: dict[str, float], _flags: int) -> tuple[None, int]:
        """Take what PortAudio brings; its flags say nothing that can be relied on."""
        came = time.monotonic()
        recorded = portaudio.moment(times["input_buffer_adc_time"], times, came)
        self._ring.put(data or b"", came, recorded, self._lives)
        self._calls += 1
        self._some.set()
        return None, pyaudio.paContinue

    def _watch(self) -> None:
        """Open the stream anew when it died or fell silent.

        Looks are counted, and not the clock: whoever was stopped for a while finds a stream that is well.
        """
        seen, still = -1, 0
        while not self._leaving.wait(LOOK):
            still = 0 if self._calls != seen else still + 1
            seen = self._calls
            if still * LOOK >= STALLED or not self._alive():
                self._open_again()
                still = 0

    def _alive(self) -> bool:
        try:
            return self._stream is not None and bool(self._stream.is_active())
        except OSError:
            return False

    def _open_again(self) -> None:
        self._close()
        sentence = _("{device} gives no sound; is it plugged in, and does the sound server run?")
        logger.warning("%s gives no sound and is opened anew", self.device)
        self._gone(sentence.format(device=self.device))
        tries, told = 0, ""
        while not self._leaving.is_set():
            try:
                self._lives += 1
                self._open()
            except MediaError as problem:
                if str(problem) != told:
                    told = str(problem)
                    logger.info("%s", told)
            else:
                self._back()
                return
            tries += 1
            self._leaving.wait(AGAIN)
            if tries % RESCAN == 0:
                self._sound.terminate()
                self._sound = portaudio.start()

    # ── the thread that hears ─────────────────────────────────────────────────────────────────────────────────────────

    def _consume(self) -> None:
        life, quiet = 0, 0
        while True:
            block = self._ring.take()
            if block is None:
                if self._leaving.is_set():
                    break
                self._some.clear()
                if not self._ring.waiting and not self._some.wait(LOOK):
                    quiet += 1
                    if quiet >= QUIET / LOOK:
                        self._settle()
                    self._idle()
                continue
            quiet = 0
            if block.missed:
                self._settle()
                self._lose(block.missed, "ring")
                self._continuity.jumped(block.missed)
            if block.life != life:
                life = block.life
                self._settle()
                self._continuity.reopened()
            self._take(block)
        self._settle()

    def _take(self, block: Block) -> None:
        """Give a block, or keep it back until it is known what is missing before it."""
        missing = self._continuity.add(block.came, block.recorded, len(block.samples))
        self.strange_rate = self._continuity.strange_rate
        doubt = self._doubted
        if doubt is not None and doubt.missing is not None and (self._continuity.in_doubt or missing is not None):
            self._settle()  # another pause, while the witness was waited for
            doubt = None
        if doubt is None and not self._continuity.in_doubt and missing is None:
            self._look(block)
            self._give_one(block)
            return
        if doubt is None:
            doubt = self._doubted = _Doubt()
        doubt.blocks.append(block.copy())
        self._keep(block.samples)
        if missing is not None:
            doubt.missing, doubt.asked = missing, doubt.blocks[-1]
        if doubt.missing is None or doubt.asked is None:
            return
        witness = self._witness_of(doubt.missing)
        late = block.came - doubt.asked.came
        if witness is None or late > PATIENCE or witness.ready(doubt.asked, doubt.missing.seconds):
            self._settle()

    def _witness_of(self, missing: Missing) -> Witness | None:
        return self._witness if missing.how in ("skip", "clock") else None

    def _look(self, block: Block) -> None:
        """Ask the witness now and then, though nothing is suspected; of a block that it must have heard by now."""
        witness = self._witness
        if witness is None:
            return
        if self._sample is None:
            if block.came - self._looked > (LOOK_AGAIN if witness.knows else HEARS_LATER):
                self._sample = block.copy()
            return
        if block.came - self._sample.came < HEARS_LATER:
            return
        asked, self._sample, self._looked = self._sample, None, block.came
        missing = witness.look(asked) if asked.life == block.life else 0
        if missing:
            self._continuity.jumped(missing)
            self._lose(missing, "skip")

    def _settle(self) -> None:
        """Give what was kept back, and put what is missing where it belongs among it, by proof or by the clock."""
        doubt, self._doubted = self._doubted, None
        if doubt is None:
            return
        missing, kept = doubt.missing, doubt.blocks
        if missing is None:
            missing = Missing(len(kept), 0.0, "skip")
        frames = round(missing.seconds * self.rate)
        witness = self._witness_of(missing)
        proof = witness.judge(kept, missing.seconds) if witness is not None else None
        if proof is not None:
            self._put(kept, missing, proof)
        elif frames:
            self._give(kept, upto=missing.before)
            self._lose(frames, "clock" if missing.how == "skip" else missing.how)
            if witness is not None:
                witness.marked(frames)
        self._give(kept, upto=len(kept))

    def _put(self, kept: list[Block], missing: Missing, proof: Proof) -> None:
        if proof.missing or missing.how == "skip":  # else the clock is believed from now on, and nothing is marked
            self._continuity.jumped(proof.missing - round(missing.seconds * self.rate))
        if not proof.missing:
            return
        self._give(kept, upto=proof.before)
        pieces = kept[: proof.after - proof.before]
        del kept[: len(pieces)]
        heard = sum(len(piece.samples) for piece in pieces)
        self._lose(proof.missing + heard, "skip", heard)

    def _give(self, kept: list[Block], upto: int) -> None:
        for block in kept[:upto]:
            self._give_one(block)
        del kept[:upto]

    def _give_one(self, block: Block) -> None:
        first = self.frames
        if block.recorded:
            self._pace.note(first, block.recorded)
        self.frames += len(block.samples)
        self._hear(block.samples, first)

    def _lose(self, frames: int, how: How, pieces: int = 0) -> None:
        loss = Loss(self.frames, frames, how, pieces)
        self._sample = None  # it was heard before, and would tell the witness of a place that is no more
        self.losses.append(loss)
        self.frames += frames
        logger.warning("%d frames are missing at %d (%s)", frames, loss.first_frame, how)
        self._lost(loss)


def _too_few(device: str, there: int, wanted: int) -> str:
    sentence = _("{device} came back with {there} channels instead of {wanted}; look at its settings.")
    return sentence.format(device=device, there=there, wanted=wanted)
