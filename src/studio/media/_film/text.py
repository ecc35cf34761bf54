"""Subtitles that a film is to have as a track."""

from __future__ import annotations

from dataclasses import dataclass

from studio.spoken import Cue


@dataclass(frozen=True, slots=True)
class TextTrack:
    """Subtitles that become a track."""

    cues: tuple[Cue, ...]
    """On the film's own clock."""
    language: str
    """Code of two letters or three; empty: nobody knows."""
    title: str = ""
    """As players list it; empty: by its language alone."""
    default: bool = False
    """Whether players show it without being asked."""
    forced: bool = False
    """Whether it is for everybody: what is spoken in another language."""
    sdh: bool = False
    """Whether it says what sounds, for those who do not hear."""
