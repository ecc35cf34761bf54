"""An evening: scenes, what a button means, how devices shall stand, the one true state."""

from studio.show._actions import ACTIONS, Action, bindings, meaning
from studio.show._check import Finding, check
from studio.show._destinations import Outlet, chosen, load_outlets
from studio.show._journal import Entry, Journal
from studio.show._plan import Back, Changed, Desired, Reported, Seen, Step, alike, holds, plan, plan_back, wrong_call
from studio.show._scenes import Scenes, load_scenes, load_slate
from studio.show._snapshots import DRAWER as SNAPSHOTS
from studio.show._snapshots import Snapshot, save_snapshot, taken
from studio.show._state import Change, Changes, Json, State

__all__ = [
    "ACTIONS",
    "SNAPSHOTS",
    "Action",
    "Back",
    "Change",
    "Changed",
    "Changes",
    "Desired",
    "Entry",
    "Finding",
    "Journal",
    "Json",
    "Outlet",
    "Reported",
    "Scenes",
    "Seen",
    "Snapshot",
    "State",
    "Step",
    "alike",
    "bindings",
    "check",
    "chosen",
    "holds",
    "load_outlets",
    "load_scenes",
    "load_slate",
    "meaning",
    "plan",
    "plan_back",
    "save_snapshot",
    "taken",
    "wrong_call",
]
