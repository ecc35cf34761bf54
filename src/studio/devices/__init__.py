"""Things with a plug: links that tell the truth, and drivers for OBS, sound desks over OSC and pads over MIDI."""

from studio.devices._device import Device, Light, Link, Outcome, Property
from studio.devices._obs import Obs
from studio.devices._obs_process import ObsProcess, obs_answers

__all__ = [
    "Device",
    "Light",
    "Link",
    "Obs",
    "ObsProcess",
    "Outcome",
    "Property",
    "obs_answers",
]
