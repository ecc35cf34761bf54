"""A pretend hall: twins that speak the real bytes on local sockets, and a talk to put on the air."""

from studio.rehearsal._cable import Cable, Way
from studio.rehearsal._camera import CameraTwin
from studio.rehearsal._desk import DeskTwin
from studio.rehearsal._faults import Gate
from studio.rehearsal._hall import PretendHall, pretended, read_rehearsal
from studio.rehearsal._obs.twin import ObsTwin
from studio.rehearsal._obsbot import ObsbotTwin
from studio.rehearsal._record import Piece, Recording, StandIn, read_recording, recorded
from studio.rehearsal._script import Put, Rehearsal, Step, play
from studio.rehearsal._surface import GearTwin, MidiTwin, SurfaceTwin
from studio.rehearsal._talk import known_text, make_talk
from studio.rehearsal._twin import Twin
from studio.rehearsal._venue_file import venue_file
from studio.rehearsal._youtube import PostedCaption, YouTubeTwin

__all__ = [
    "Cable",
    "CameraTwin",
    "DeskTwin",
    "Gate",
    "GearTwin",
    "MidiTwin",
    "ObsTwin",
    "ObsbotTwin",
    "Piece",
    "PostedCaption",
    "PretendHall",
    "Put",
    "Recording",
    "Rehearsal",
    "StandIn",
    "Step",
    "SurfaceTwin",
    "Twin",
    "Way",
    "YouTubeTwin",
    "known_text",
    "make_talk",
    "play",
    "pretended",
    "read_recording",
    "read_rehearsal",
    "recorded",
    "venue_file",
]
