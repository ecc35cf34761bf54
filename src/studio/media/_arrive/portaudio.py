"""PortAudio as this machine has it: what inputs and outputs there are, and which of them somebody means."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Literal

import pyaudio

from studio.errors import MediaError
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Direction = Literal["input", "output"]

Device = dict[str, Any]
"""As PortAudio describes one: `index`, `name`, `maxInputChannels`, `maxOutputChannels`, `defaultSampleRate`."""

_HELD = -9985
"""PortAudio's paDeviceUnavailable."""
_RATE = -9997
"""paInvalidSampleRate."""
_CHANNELS = -9998
"""paInvalidChannelCount."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """ALSA and JACK write a hundred lines to standard error about cards that are not there; nobody can act on them."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def start() -> pyaudio.PyAudio:
    """Start PortAudio; it looks at the machine only where nobody else in this process has it started."""
    with quiet():
        return pyaudio.PyAudio()


def devices(sound: pyaudio.PyAudio, direction: Direction) -> list[Device]:
    """Return what has channels in that direction."""
    found = (dict(sound.get_device_info_by_index(index)) for index in range(sound.get_device_count()))
    return [device for device in found if channels_of(device, direction) > 0]


def channels_of(device: Device, direction: Direction) -> int:
    """Return how many channels it says it has; a sound server's device says 32 whatever stands behind it."""
    return int(device["maxInputChannels" if direction == "input" else "maxOutputChannels"])


def choose(sound: pyaudio.PyAudio, wanted: str, direction: Direction = "input") -> Device:
    """Return the device of that number or name, or of which that is a part; empty: the system's own choice.

    Raises MediaError with the names that there are.
    """
    there = devices(sound, direction)
    if not wanted:
        try:
            if direction == "input":
                return dict(sound.get_default_input_device_info())
            return dict(sound.get_default_output_device_info())
        except OSError:
            if there:
                return there[0]
    tests: tuple[Callable[[Device], bool], ...] = (
        lambda device: str(device["index"]) == wanted,
        lambda device: str(device["name"]) == wanted,
        lambda device: wanted.casefold() in str(device["name"]).casefold(),
    )
    for fits in tests:
        for device in there:
            if wanted and fits(device):
                return device
    if not there and direction == "input":
        raise MediaError(_("There is no sound input; plug a microphone in, or start the sound server."))
    if not there:
        raise MediaError(_("There is no sound output; plug headphones in, or start the sound server."))
    known = ", ".join(str(device["name"]) for device in there)
    sentence = (
        _("There is no microphone {name}; there are: {known}.")
        if direction == "input"
        else _("There is no sound output {name}; there are: {known}.")
    )
    raise MediaError(sentence.format(name=repr(wanted), known=known))


def moment(said: float, times: dict[str, float], now: float) -> float:
    """Return a time that a callback of PortAudio was given on the machine's monotonic clock; 0: it does not say.

    PortAudio's own clock is often that of the wall, which is set now and then. `now` is when the callback was called.
    """
    return now + said - times["current_time"] if said else 0.0


def refusal(direction: Direction, device: str, rate: int, channels: int, problem: Exception) -> str:
    """Say in one sentence why PortAudio does not open a device, and what to do."""
    number = problem.errno if isinstance(problem, OSError) else None
    if number == _HELD:
        return _("Another program holds {device}; close it there, then try again.").format(device=device)
    if number == _RATE and direction == "input":
        sentence = _("{device} does not run at {rate} Hz; set it to that, or record at the rate it has.")
    elif number == _RATE:
        sentence = _("{device} does not play {rate} Hz; set it to that, or choose another output.")
    elif number == _CHANNELS and direction == "input":
        sentence = _("{device} does not give {channels} channels; choose fewer.")
    elif number == _CHANNELS:
        sentence = _("{device} does not play {channels} channels; choose fewer.")
    else:
        sentence = _("{device} cannot be opened ({problem}); is it plugged in, and does the sound server run?")
    said = problem.args[-1] if problem.args else problem
    return sentence.format(device=device, rate=rate, channels=channels, problem=said)
