"""An evening: scenes, what a button means, the one true state."""

from studio.show._state import Change, Changes, Json, State

__all__ = ["Change", "Changes", "Json", "State"]
