"""Things with a plug: links that tell the truth, and drivers for OBS, sound desks over OSC and pads over MIDI."""

from studio.devices._drivers import DRIVERS, open_devices
from studio.devices._ground.device import Device, Light, Link, Outcome, Property
from studio.devices._ground.known import Known, Metered, PropertyChanged
from studio.devices._ground.values import Action, Argument, Control, Value
from studio.devices._hardware import Hardware
from studio.devices._midi.driver import MidiPad
from studio.devices._midi.model import MidiModel, Pads
from studio.devices._obs.driver import Obs
from studio.devices._obs.process import ObsProcess, obs_answers
from studio.devices._osc.driver import OscDesk
from studio.devices._osc.model import OscControl, OscModel

__all__ = [
    "DRIVERS",
    "Action",
    "Argument",
    "Control",
    "Device",
    "Hardware",
    "Known",
    "Light",
    "Link",
    "Metered",
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
    "Value",
    "obs_answers",
    "open_devices",
]
