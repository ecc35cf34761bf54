"""An evening: scenes, what a button means, the one true state."""

from studio.show._actions import ACTIONS, Action, bindings, meaning
from studio.show._check import Finding, check
from studio.show._destinations import Outlet, chosen, load_outlets
from studio.show._scenes import Scenes, load_scenes, load_slate
from studio.show._state import Change, Changes, Json, State

__all__ = [
    "ACTIONS",
    "Action",
    "Change",
    "Changes",
    "Finding",
    "Json",
    "Outlet",
    "Scenes",
    "State",
    "bindings",
    "check",
    "chosen",
    "load_outlets",
    "load_scenes",
    "load_slate",
    "meaning",
]
