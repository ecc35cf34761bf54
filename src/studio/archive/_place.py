"""Where the library of a user is."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

NAME = "films.db"


def default_path() -> Path:
    """Where the library of this user is: `STUDIO_LIBRARY`, else the system's place for data."""
    asked = os.environ.get("STUDIO_LIBRARY")
    return Path(asked).expanduser() if asked else platformdirs.user_data_path("studio", appauthor=False) / NAME
