"""One text source of OBS that follows what is being said."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from studio.devices._obs.errors import NO_SUCH_THING, ObsDeniedError
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable

    from studio.devices._obs.build import Ask

PAUSE = 0.2
"""Seconds between two texts at least. OBS takes one in a millisecond, but a reader takes in no more than five a second,
and what else is asked of OBS, such as a take, waits behind each."""


class _Wish(NamedTuple):
    source: str
    text: str
    done: Callable[[str], None]


class Text:
    """The newest text that was wished for, brought to OBS as fast as OBS takes it: what is older is never sent."""

    def __init__(self) -> None:
        """Wish for nothing."""
        self._wish: _Wish | None = None
        self._told: tuple[str, str] | None = None
        self._known = ""
        self._news = asyncio.Event()

    @property
    def source(self) -> str:
        """The text source that follows what is said; empty for none."""
        return self._wish.source if self._wish else ""

    def wish(self, source: str, text: str, done: Callable[[str], None]) -> None:
        """Have `source` show `text`; never waits. The same text again is nothing new."""
        if self._wish and (self._wish.source, self._wish.text) == (source, text):
            return
        self._wish = _Wish(source, text, done)
        self._news.set()

    async def keep(self, ask: Ask) -> None:
        """Bring OBS to what is wished, for ever; after a lost link, begin with what it should show already."""
        self._told, self._known = None, ""
        while True:
            wish = self._wish
            if wish is None or self._told == (wish.source, wish.text):
                self._news.clear()
                await self._news.wait()
                continue
            wish.done(await self._tell(ask, wish))
            self._told = wish.source, wish.text
            await asyncio.sleep(PAUSE)

    async def _tell(self, ask: Ask, wish: _Wish) -> str:
        """Why OBS would not, or nothing where it did."""
        try:
            if self._known != wish.source:
                kind: str = (await ask("GetInputSettings", inputName=wish.source))["inputKind"]
                if not kind.startswith("text_"):
                    return _(
                        'The source "{name}" of OBS shows no text ({kind}); name a text source as obs_text in '
                        "studio.toml."
                    ).format(name=wish.source, kind=kind)
                self._known = wish.source
            await ask("SetInputSettings", inputName=wish.source, inputSettings={"text": wish.text}, overlay=True)
        except ObsDeniedError as no:
            self._known = ""
            if no.code == NO_SUCH_THING:
                return _(
                    'OBS has no text source "{name}"; make one there, or correct obs_text under [captions] in '
                    "studio.toml."
                ).format(name=wish.source)
            return str(no)
        return ""
