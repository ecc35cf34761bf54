"""Words while they are spoken: programme sound → words → cues → journal → every sink, in a process of its own."""

from studio.captions._files import Kept, ShowFiles, read_kept
from studio.captions._plan import CaptionsPlan, command
from studio.captions._process import recognise
from studio.captions._sinks import Sink
from studio.captions._worker import Ears

__all__ = ["CaptionsPlan", "Ears", "Kept", "ShowFiles", "Sink", "command", "read_kept", "recognise"]
