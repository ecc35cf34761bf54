"""Things with a plug: links that tell the truth, and drivers for OBS, sound desks over OSC and pads over MIDI."""

from studio.devices._device import Device, Light, Link, Outcome, Property
from studio.devices._drivers import DRIVERS, open_devices
from studio.devices._hardware import Hardware, MidiModel, OscControl, OscModel, Pads
from studio.devices._midi import MidiPad
from studio.devices._obs import Obs
from studio.devices._obs_process import ObsProcess, obs_answers
from studio.devices._osc import OscDesk, PropertyChanged

__all__ = [
    "DRIVERS",
    "Device",
    "Hardware",
    "Light",
    "Link",
    "MidiModel",
    "MidiPad",
    "Obs",
    "ObsProcess",
    "OscControl",
    "OscDesk",
    "OscModel",
    "Outcome",
    "Pads",
    "Property",
    "PropertyChanged",
    "obs_answers",
    "open_devices",
]
