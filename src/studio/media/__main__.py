"""`python -m studio.media`: the relay, with its plan as JSON on standard input."""

from __future__ import annotations

import asyncio
import logging
import sys

import msgspec

from studio.language import _, speak
from studio.media import REFUSED, RelayPlan
from studio.media._ground.log import log_aside
from studio.media._ground.memory import give_back
from studio.media._relay import Relay, leave

logger = logging.getLogger(__name__)


async def _relay(plan: RelayPlan) -> int:
    return await Relay(plan).run()


def main() -> None:
    """Relay one programme."""
    give_back()
    finish_log = log_aside("%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        plan = RelayPlan.from_json(sys.stdin.buffer.read())
    except msgspec.MsgspecError as problem:
        logger.error("%s", _("The relay's plan is not one: {problem}").format(problem=problem))  # noqa: TRY400 - one sentence
        finish_log()
        sys.exit(REFUSED)
    speak(plan.interface)
    code = asyncio.run(_relay(plan))
    finish_log()
    leave(code)


if __name__ == "__main__":
    main()
