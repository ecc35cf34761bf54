"""Finds a named file of a drawer, the user's over the shipped one, and remembers file and line of all it says."""

from studio.catalogue._amend import amended
from studio.catalogue._catalogue import Catalogue, shipped_folder, user_folder
from studio.catalogue._fit import NOT_SAID, fit
from studio.catalogue._said import Place, Said, instead, nearest
from studio.catalogue._toml import read_toml

__all__ = [
    "NOT_SAID",
    "Catalogue",
    "Place",
    "Said",
    "amended",
    "fit",
    "instead",
    "nearest",
    "read_toml",
    "shipped_folder",
    "user_folder",
]
