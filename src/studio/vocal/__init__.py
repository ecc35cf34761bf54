"""The vocal studio: record, listen, keep.

The recorder is a process of its own: run `command()` with a `RecorderPlan` as JSON on standard input, or let `Recorder`
do it.
"""

from __future__ import annotations

from studio.vocal._check import Finding, check
from studio.vocal._client import Recorder, socket_of
from studio.vocal._entries import Comment, Comp, Consent, Device, Exported, Piece, Singer, Song, Span, TakeTrack, Until
from studio.vocal._export import LOUDNESS, Delivery, Left, Placed, export, film
from studio.vocal._gain import Answer, Desk, GainAssistant, Preamp, Proposal, Settled, monitor, propose
from studio.vocal._levels import Ear, Heard, Kind, Verdict, levels, verdicts
from studio.vocal._melody import Melody, midi_melody, midi_parts, note_of, semitone_cents, sung_melody
from studio.vocal._mend import file_of, recorded_now
from studio.vocal._pitch import VOICES
from studio.vocal._plan import REFUSED, RecorderPlan, TakeForm, command
from studio.vocal._preset import DRAWER as PRESETS
from studio.vocal._preset import VoicePreset
from studio.vocal._session import Session, in_folder
from studio.vocal._state import SessionState, Take
from studio.vocal._trace import NEAR, Trace, melody_of, trace

__all__ = [
    "LOUDNESS",
    "NEAR",
    "PRESETS",
    "REFUSED",
    "VOICES",
    "Answer",
    "Comment",
    "Comp",
    "Consent",
    "Delivery",
    "Desk",
    "Device",
    "Ear",
    "Exported",
    "Finding",
    "GainAssistant",
    "Heard",
    "Kind",
    "Left",
    "Melody",
    "Piece",
    "Placed",
    "Preamp",
    "Proposal",
    "Recorder",
    "RecorderPlan",
    "Session",
    "SessionState",
    "Settled",
    "Singer",
    "Song",
    "Span",
    "Take",
    "TakeForm",
    "TakeTrack",
    "Trace",
    "Until",
    "Verdict",
    "VoicePreset",
    "check",
    "command",
    "export",
    "file_of",
    "film",
    "in_folder",
    "levels",
    "melody_of",
    "midi_melody",
    "midi_parts",
    "monitor",
    "note_of",
    "propose",
    "recorded_now",
    "semitone_cents",
    "socket_of",
    "sung_melody",
    "trace",
    "verdicts",
]
