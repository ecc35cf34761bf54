"""Words while they are spoken: programme sound → words → cues → journal → every sink, in a process of its own."""

from studio.captions._alone import Alone, Heeded
from studio.captions._files import Kept, ShowFiles, read_kept
from studio.captions._paper import Paper, View
from studio.captions._plan import CaptionsPlan, command
from studio.captions._process import recognise
from studio.captions._repair import Filled, plan_repair, repair
from studio.captions._sinks import Sink
from studio.captions._worker import Ears
from studio.captions._youtube import YouTube, youtube_address

__all__ = [
    "Alone",
    "CaptionsPlan",
    "Ears",
    "Filled",
    "Heeded",
    "Kept",
    "Paper",
    "ShowFiles",
    "Sink",
    "View",
    "YouTube",
    "command",
    "plan_repair",
    "read_kept",
    "recognise",
    "repair",
    "youtube_address",
]
