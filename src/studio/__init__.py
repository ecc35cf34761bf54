"""studio: streaming, live captions and subtitles for the halls of cultural centres."""

__version__ = "0.1.0"
