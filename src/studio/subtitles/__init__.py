"""How text is written: styles, rules, words into cues, cues into files. No socket, no thread, no device."""

from studio.spoken import Cue, Word
from studio.subtitles._formats import (
    FORMATS,
    VTT_HEAD,
    SubtitlesError,
    Track,
    read,
    save,
    srt,
    vtt,
    vtt_segment,
    write_whole,
)
from studio.subtitles._style import Rules, Style, rgba

__all__ = [
    "FORMATS",
    "VTT_HEAD",
    "Cue",
    "Rules",
    "Style",
    "SubtitlesError",
    "Track",
    "Word",
    "read",
    "rgba",
    "save",
    "srt",
    "vtt",
    "vtt_segment",
    "write_whole",
]
