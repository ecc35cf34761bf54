"""How text is written: styles, rules, words into cues, cues into files. No socket, no thread, no device."""

from studio.spoken import Cue, Word
from studio.subtitles._compose import compose
from studio.subtitles._composer import Composer
from studio.subtitles._formats import (
    FORMATS,
    VTT_HEAD,
    Track,
    read,
    save,
    srt,
    vtt,
    vtt_segment,
    write_whole,
)
from studio.subtitles._rules import rules_for
from studio.subtitles._style import Rules, Style, rgba

__all__ = [
    "FORMATS",
    "VTT_HEAD",
    "Composer",
    "Cue",
    "Rules",
    "Style",
    "Track",
    "Word",
    "compose",
    "read",
    "rgba",
    "rules_for",
    "save",
    "srt",
    "vtt",
    "vtt_segment",
    "write_whole",
]
