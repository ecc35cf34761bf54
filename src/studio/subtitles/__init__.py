"""How text is written: styles, rules, words into cues, cues into files. No socket, no thread, no device."""

from studio.spoken import Cue, Word
from studio.subtitles._check import NOTES, Finding, Report, check
from studio.subtitles._compose import Composed, compose, composed, reline
from studio.subtitles._composer import Composer
from studio.subtitles._convert import Converted, ConvertWish, convert, opened, targets
from studio.subtitles._corrections import Corrections, Corrector, corrections_for, put_right
from studio.subtitles._fix import fix
from studio.subtitles._formats.table import FORMATS, Format, is_stream, kind_of, read, save, write_whole, written
from studio.subtitles._formats.text import VTT_HEAD, srt, vtt, vtt_segment
from studio.subtitles._formats.track import Programme, Track, Written
from studio.subtitles._glossary import Entry, Glossary, Term
from studio.subtitles._numbers import Numbers
from studio.subtitles._profiles import language_of, profile, profile_of, profiles, rules_for
from studio.subtitles._rules import Breaks, Rules
from studio.subtitles._sounds import SoundLabels, sound_labels
from studio.subtitles._style import SAFE, Style, rgba
from studio.subtitles._swearing import Swearing

__all__ = [
    "FORMATS",
    "NOTES",
    "SAFE",
    "VTT_HEAD",
    "Breaks",
    "Composed",
    "Composer",
    "ConvertWish",
    "Converted",
    "Corrections",
    "Corrector",
    "Cue",
    "Entry",
    "Finding",
    "Format",
    "Glossary",
    "Numbers",
    "Programme",
    "Report",
    "Rules",
    "SoundLabels",
    "Style",
    "Swearing",
    "Term",
    "Track",
    "Word",
    "Written",
    "check",
    "compose",
    "composed",
    "convert",
    "corrections_for",
    "fix",
    "is_stream",
    "kind_of",
    "language_of",
    "opened",
    "profile",
    "profile_of",
    "profiles",
    "put_right",
    "read",
    "reline",
    "rgba",
    "rules_for",
    "save",
    "sound_labels",
    "srt",
    "targets",
    "vtt",
    "vtt_segment",
    "write_whole",
    "written",
]
