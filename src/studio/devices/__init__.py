"""Things with a plug: links that tell the truth, and drivers for OBS, sound desks over OSC, surfaces over MIDI."""

from studio.devices._drivers import DRIVERS, open_devices
from studio.devices._ground.device import Device, Light, Link, Outcome, Property
from studio.devices._ground.known import Known, Metered, PropertyChanged
from studio.devices._ground.values import Action, Argument, Control, Value
from studio.devices._hardware import Hardware
from studio.devices._midi.clock import MidiTimecode
from studio.devices._midi.gear import MidiGear
from studio.devices._midi.model import Encoder, Fader, MidiModel, Pad, Pads, on_page
from studio.devices._midi.surface import MidiSurface
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
    "Encoder",
    "Fader",
    "Hardware",
    "Known",
    "Light",
    "Link",
    "Metered",
    "MidiGear",
    "MidiModel",
    "MidiSurface",
    "MidiTimecode",
    "Obs",
    "ObsProcess",
    "OscControl",
    "OscDesk",
    "OscModel",
    "Outcome",
    "Pad",
    "Pads",
    "Property",
    "PropertyChanged",
    "Value",
    "obs_answers",
    "on_page",
    "open_devices",
]
