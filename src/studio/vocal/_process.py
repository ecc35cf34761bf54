"""The process around the recorder."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from typing import TYPE_CHECKING

import msgspec

from studio.errors import StudioError
from studio.language import _, speak
from studio.vocal._plan import REFUSED, RecorderPlan
from studio.vocal._playback import Playback
from studio.vocal._playing import Playing, Silence
from studio.vocal._priority import go_first
from studio.vocal._recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)


def playing(plan: RecorderPlan) -> Playing:
    """Return what plays to the singers."""
    return Silence(plan.rate) if plan.output is None else Playback(plan.output, plan.rate, plan.outputs)


def main(plays: Callable[[RecorderPlan], Playing] = playing) -> int:
    """Read the plan from standard input, record, return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        plan = RecorderPlan.from_json(sys.stdin.buffer.read())
    except msgspec.MsgspecError as problem:
        return _refused(_("The recorder's plan is not one: {problem}").format(problem=problem))
    speak(plan.interface)
    logger.info("priority: %s", go_first() or "that of everybody")
    try:
        asyncio.run(_record(plan, plays))
    except StudioError as problem:
        return _refused(str(problem))
    return 0


def _refused(sentence: str) -> int:
    """Say it as the last line, which whoever started us reads."""
    logging.shutdown()
    sys.stderr.write(f"{sentence}\n")
    return REFUSED


async def _record(plan: RecorderPlan, plays: Callable[[RecorderPlan], Playing]) -> None:
    recorder = Recorder(plan, plays(plan) if plan.output is not None else None)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, recorder.leave)
    await recorder.run()
