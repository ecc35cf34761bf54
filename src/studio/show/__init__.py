"""An evening: scenes, what a button means, how devices shall stand, the one true state."""

from studio.show._actions import ACTIONS, Action, meaning
from studio.show._bindings import DRAWER as BINDINGS
from studio.show._bindings import Binding, Bindings, Call, Deed, Fader, Knob, Press, Recall, Set, Toggle, load_bindings
from studio.show._board import Ask, Board, Move, Where
from studio.show._check import Finding, check
from studio.show._check_bindings import check_bindings
from studio.show._destinations import Outlet, chosen, load_outlets
from studio.show._journal import Entry, Journal, state_folder
from studio.show._lights import World
from studio.show._plan import Back, Changed, Desired, Reported, Seen, Step, holds, plan, plan_back, wrong_call
from studio.show._scenes import Scenes, load_scenes, load_slate
from studio.show._snapshots import DRAWER as SNAPSHOTS
from studio.show._snapshots import Snapshot, save_snapshot, taken
from studio.show._state import Change, Changes, Json, State

__all__ = [
    "ACTIONS",
    "BINDINGS",
    "SNAPSHOTS",
    "Action",
    "Ask",
    "Back",
    "Binding",
    "Bindings",
    "Board",
    "Call",
    "Change",
    "Changed",
    "Changes",
    "Deed",
    "Desired",
    "Entry",
    "Fader",
    "Finding",
    "Journal",
    "Json",
    "Knob",
    "Move",
    "Outlet",
    "Press",
    "Recall",
    "Reported",
    "Scenes",
    "Seen",
    "Set",
    "Snapshot",
    "State",
    "Step",
    "Toggle",
    "Where",
    "World",
    "check",
    "check_bindings",
    "chosen",
    "holds",
    "load_bindings",
    "load_outlets",
    "load_scenes",
    "load_slate",
    "meaning",
    "plan",
    "plan_back",
    "save_snapshot",
    "state_folder",
    "taken",
    "wrong_call",
]
