"""The guard of the camera that is on air: what viewers would see as a jerk has to be asked twice."""

from __future__ import annotations

ASK_TWICE = 5.0
"""Seconds within which the same call again means that it is meant."""
GESTURE = 0.5
"""Seconds of silence after which a held stick or key was let go: a hand that still holds it is no second asking."""
FAST = 0.3
"""Of full speed: what is slower may be on air, for following a speaker is what the camera is there for."""


class Guard:
    """Remembers the last call that it refused. Time is handed in, in seconds."""

    def __init__(self) -> None:
        self._on_air = False
        self._refused: tuple[object, float] | None = None
        self._allowed: tuple[object, float] | None = None

    @property
    def on_air(self) -> bool:
        """Whether viewers see this camera."""
        return self._on_air

    @on_air.setter
    def on_air(self, so: bool) -> None:
        if so != self._on_air:
            self._refused = self._allowed = None
        self._on_air = so

    def refuses(
        self, call: object, now: float, *, doubt: bool = False, anyway: bool = False, held: bool = False
    ) -> bool:
        """Whether `call` has to be asked once more. `held`: it comes again and again while somebody holds a stick.

        `doubt`: nobody can tell whether viewers see this camera. A held call that is allowed stays so until it is let
        go.
        """
        if anyway or not (self._on_air or doubt):
            return False
        if held and self._allowed and self._allowed[0] == call and now - self._allowed[1] < GESTURE:
            self._allowed = (call, now)
            return False
        if self._refused and self._refused[0] == call:
            since = now - self._refused[1]
            if since <= ASK_TWICE and (since >= GESTURE or not held):
                self._refused, self._allowed = None, (call, now)
                return False
        self._refused = (call, now)
        return True
