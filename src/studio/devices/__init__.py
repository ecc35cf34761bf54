"""Things with a plug: links that tell the truth, and drivers for OBS, desks, surfaces and remote cameras."""

from studio.devices._camera.camera import Camera
from studio.devices._drivers import DRIVERS, open_devices
from studio.devices._ground.device import Device, Light, Link, Outcome, Property
from studio.devices._ground.known import Known, Metered, PropertyChanged
from studio.devices._ground.values import Action, Argument, Control, Value
from studio.devices._hardware import Hardware
from studio.devices._midi.clock import MidiTimecode
from studio.devices._midi.gear import MidiGear
from studio.devices._midi.model import Encoder, Fader, MidiModel, Pad, Pads, on_page
from studio.devices._midi.ports import close_ports
from studio.devices._midi.surface import MidiSurface
from studio.devices._obs.build import said
from studio.devices._obs.driver import Kept, Obs
from studio.devices._obs.process import ObsProcess, obs_answers
from studio.devices._obsbot.driver import ObsbotCamera
from studio.devices._obsbot.model import ObsbotModel
from studio.devices._osc.driver import OscDesk
from studio.devices._osc.learn import Learner as OscLearner
from studio.devices._osc.listen import listen as listen_osc
from studio.devices._osc.model import OscControl, OscModel
from studio.devices._visca.driver import ViscaCamera
from studio.devices._visca.model import Presets, Scale, Speeds, ViscaModel

__all__ = [
    "DRIVERS",
    "Action",
    "Argument",
    "Camera",
    "Control",
    "Device",
    "Encoder",
    "Fader",
    "Hardware",
    "Kept",
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
    "ObsbotCamera",
    "ObsbotModel",
    "OscControl",
    "OscDesk",
    "OscLearner",
    "OscModel",
    "Outcome",
    "Pad",
    "Pads",
    "Presets",
    "Property",
    "PropertyChanged",
    "Scale",
    "Speeds",
    "Value",
    "ViscaCamera",
    "ViscaModel",
    "close_ports",
    "listen_osc",
    "obs_answers",
    "on_page",
    "open_devices",
    "said",
]
