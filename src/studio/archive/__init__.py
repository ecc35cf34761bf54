"""Films in the cupboard: find, plan, hear (here or on a cluster), compose, review, keep, search."""

from studio.archive._document import Document, FilmCue, Maker

__all__ = ["Document", "FilmCue", "Maker"]
