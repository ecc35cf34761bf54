"""How text is written: styles, rules, words into cues, cues into files. No socket, no thread, no device."""

from studio.spoken import Cue, Word
from studio.subtitles._compose import compose, reline
from studio.subtitles._composer import Composer
from studio.subtitles._corrections import Corrections, Corrector, corrections_for
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
from studio.subtitles._glossary import Entry, Glossary, Term
from studio.subtitles._numbers import Numbers
from studio.subtitles._rules import rules_for
from studio.subtitles._style import SAFE, Rules, Style, rgba
from studio.subtitles._swearing import Swearing

__all__ = [
    "FORMATS",
    "SAFE",
    "VTT_HEAD",
    "Composer",
    "Corrections",
    "Corrector",
    "Cue",
    "Entry",
    "Glossary",
    "Numbers",
    "Rules",
    "Style",
    "Swearing",
    "Term",
    "Track",
    "Word",
    "compose",
    "corrections_for",
    "read",
    "reline",
    "rgba",
    "rules_for",
    "save",
    "srt",
    "vtt",
    "vtt_segment",
    "write_whole",
]
