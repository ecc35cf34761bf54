"""A microphone as the programme, through PortAudio; the picture is the card."""

from __future__ import annotations

import logging
import queue
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pyaudio

from studio.errors import MediaError
from studio.language import _
from studio.media._arrive import portaudio
from studio.media._ground.clock import RATE, Ticks, ticks
from studio.media._ground.tape import AIR_RATE, Arrival

if TYPE_CHECKING:
    from studio.media._arrive.intake import Intake

logger = logging.getLogger(__name__)

BLOCK = 0.02
"""Seconds of sound in one call of PortAudio."""
STALLED = 2.0
"""Seconds without sound after which the stream is opened anew: PortAudio stays silent when its server dies."""
DRIFT = ticks(0.15)
"""How far the sound card's time may go from the machine's before sound is placed anew; less is a late call."""
_MOST_WAITING = 500


def names() -> list[str]:
    """Return the inputs by name."""
    sound = portaudio.start()
    try:
        return [str(device["name"]) for device in portaudio.devices(sound, "input")]
    finally:
        sound.terminate()


class Microphone:
    """Reads one input; input only, since a full-duplex stream loses blocks without saying so."""

    has_picture = False

    def __init__(self, intake: Intake, wanted: str) -> None:
        """`wanted` is a part of a name, a number, or empty for the system's own choice. Raises MediaError."""
        self._intake = intake
        self._wanted = wanted
        self._blocks: queue.Queue[tuple[bytes, int]] = queue.Queue(_MOST_WAITING)
        self._lost = 0
        self._sound = portaudio.start()
        self._device = portaudio.choose(self._sound, wanted)
        self._there = True

    def run(self) -> None:
        """Listen until the relay takes no more; come back when the input does."""
        intake = self._intake
        intake.zero.begin_now()
        arrival = Arrival(intake.tape, intake.heard)
        arrival.copy = intake.clean.begin_sound().put if intake.clean is not None else None
        told = False
        while not intake.stopping.is_set() and not intake.past_the_end(intake.zero.now()):
            try:
                if self._there:
                    self._listen(arrival)
            except OSError as problem:
                logger.log(
                    logging.INFO if told else logging.WARNING, "%s cannot be opened: %s", self._device["name"], problem
                )
            if intake.stopping.is_set() or intake.past_the_end(intake.zero.now()):
                break
            sentence = _("{device} gives no sound; is it plugged in, and does the sound server run?")
            intake.link("degraded", sentence.format(device=self._device["name"]))
            if not told:
                intake.say(intake.detail)
            told = True
            intake.stopping.wait(0.5)
            self._open_again()
        arrival.flush()
        self._sound.terminate()
        intake.link("off", "")
        intake.sound_ended(False)  # noqa: FBT003 - `silent`, in the words of events.SoundEnded

    def stop(self) -> None:
        """Nothing holds the thread: it looks at the relay's wish twice a second."""

    def _listen(self, arrival: Arrival) -> None:
        """Take blocks until they stop coming."""
        intake = self._intake
        channels = min(2, int(self._device["maxInputChannels"]))
        rate = self._rate(channels)
        with portaudio.quiet():
            stream = self._sound.open(
                rate, channels, pyaudio.paInt16, input=True, input_device_index=int(self._device["index"]),
                frames_per_buffer=int(rate * BLOCK), stream_callback=self._call,
            )  # fmt: skip
        place: Ticks | None = None
        try:
            while not intake.stopping.is_set() and not intake.past_the_end(intake.zero.now()):
                try:
                    data, came = self._blocks.get(timeout=STALLED)
                except queue.Empty:
                    return
                samples = np.frombuffer(data, np.int16).reshape(-1, channels)
                length = round(len(samples) * RATE / rate)
                real = Ticks((came - (intake.zero.epoch or came)) * RATE // 1_000_000_000 - length)
                if place is None or abs(real - place) > DRIFT:
                    place = Ticks(max(0, real))
                intake.link("online", "")
                intake.last_arrival = time.monotonic()
                arrival.take_raw(samples, rate, place)
                place = Ticks(place + length)
                intake.latest = place
        finally:
            stream.close()

    def _call(self, data: bytes | None, _count: int, _times: Any, _flags: int) -> tuple[None, int]:  # noqa: ANN401 - PortAudio's own
        try:
            self._blocks.put_nowait((data or b"", time.monotonic_ns()))
        except queue.Full:
            self._lost += 1  # the gap is found by its place on the show clock
        return None, pyaudio.paContinue

    def _rate(self, channels: int) -> int:
        """Return 48 kHz, or what the input runs at where it knows only that."""
        try:
            self._sound.is_format_supported(
                AIR_RATE, input_device=int(self._device["index"]), input_channels=channels, input_format=pyaudio.paInt16
            )
        except ValueError:
            return int(self._device["defaultSampleRate"])
        return AIR_RATE

    def _open_again(self) -> None:
        """Let PortAudio look at the machine anew, and find the input where it is now."""
        self._sound.terminate()
        self._sound = portaudio.start()
        self._there = False  # a number that PortAudio does not know any more crashes it
        try:
            self._device = portaudio.choose(self._sound, self._wanted)
        except MediaError as problem:
            logger.info("%s", problem)
        else:
            self._there = True
