"""What the counts of input and output have to do with each other, and for how long that can be believed; pure.

What is written as frame n of the output is heard as frame n + K of the input. A ping says K exactly. Between pings the
machine's clock says how far the counts have gone apart since, to a few milliseconds: enough to know when to ask again.
"""

from __future__ import annotations

APART = 0.0025
"""Seconds by which the counts may have gone apart before K is asked anew …"""
JUMP = 0.01
"""… and where two pings have said that both run on one clock, so that what the machine says is its own."""
LONGEST = 1800.0
"""Seconds after which it is asked anew however it looks: a millionth of a clock is 2 ms then."""
TELLS = 20.0
"""Seconds between two pings that tell how clocks go."""
ONE_CLOCK = 1.0
"""Millionths by which they may differ and be one."""
MOST = 500.0
"""Millionths by which sound cards may differ: more is a stumble."""
ALIKE = 0.3
"""Share by which two differences may differ and be the same clocks."""


class Offset:
    """K while two streams stay open; `at` is in seconds of the input."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._frames: float | None = None
        self._at = 0.0
        self._apart: float | None = None
        self._one_clock = False
        self._millionths: float | None = None
        self.clocks: float | None = None
        """Millionths by which input and output go apart, once that is sure; `None`: not at all, or it is not known."""

    def void(self) -> None:
        """A stream stumbled: K has to be asked anew."""
        self._frames = self._apart = None

    def measured(self, frames: float, at: float, apart: float | None) -> None:
        """A ping says that K is `frames`; the counts are `apart` by the machine's clock, `None`: too early to say."""
        if self._frames is not None and at - self._at >= TELLS:
            self._compare((frames - self._frames) / (at - self._at) / self._rate * 1e6)
        self._frames, self._at, self._apart = frames, at, apart

    def known(self, at: float, apart: float | None) -> float | None:
        """Return K; `None`: it has to be asked anew. The counts are `apart` now, `None`: that cannot be told yet."""
        if self._frames is None or at - self._at > LONGEST:
            return None
        if apart is not None and self._apart is None:
            self._apart = apart
        shift = 0.0 if apart is None or self._apart is None else apart - self._apart
        return self._frames if abs(shift) <= (JUMP if self._one_clock else APART) * self._rate else None

    def _compare(self, millionths: float) -> None:
        self._one_clock = abs(millionths) <= ONE_CLOCK
        before, self._millionths = self._millionths, millionths
        alike = before is not None and abs(millionths - before) <= ALIKE * abs(before)
        self.clocks = millionths if alike and ONE_CLOCK < abs(millionths) <= MOST else None
