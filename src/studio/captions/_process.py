"""The process around the recogniser."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

import msgspec

from studio.bridge import Line
from studio.captions._plan import CaptionsPlan
from studio.captions._recogniser import CRASHED, REFUSED, Recogniser
from studio.errors import StudioError
from studio.events import Subscribe, Trouble
from studio.language import speak

if TYPE_CHECKING:
    from collections.abc import Callable

    from studio.captions._worker import Ears

logger = logging.getLogger(__name__)


async def recognise(plan: CaptionsPlan, ears: Callable[[], Ears]) -> int:
    """Caption one programme and return the exit code; SIGTERM and SIGINT settle what was heard and end it."""
    try:
        recogniser = Recogniser(plan, ears)
    except StudioError as problem:
        logger.error("%s", problem)  # noqa: TRY400 - a person reads this
        await _refuse(plan, str(problem))
        return REFUSED
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, recogniser.leave)
    return await recogniser.run()


async def _refuse(plan: CaptionsPlan, sentence: str) -> None:
    """Tell the user why there will be no captions."""
    try:
        line = await Line.call(plan.relay)
    except OSError:
        return  # the sentence stands in the log
    line.send(Subscribe("recogniser"))
    line.send(Trouble(sentence))
    await line.drain()
    await line.close()


def whisper(plan: CaptionsPlan) -> Ears:
    """Open the ears of every real show. Raises SpeechError where the model is missing or broken."""
    from studio.speech import Listener  # noqa: PLC0415 - loads Whisper, in the thread that listens

    return Listener(
        plan.model,
        plan.language,
        plan.tuning,
        plan.threads,
        look=plan.look,
        translate=plan.translate,
        hotwords=plan.hotwords,
    )


def main(ears: Callable[[CaptionsPlan], Ears] = whisper) -> int:
    """Read the plan from standard input, caption, return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        plan = CaptionsPlan.from_json(sys.stdin.buffer.read())
    except msgspec.MsgspecError as problem:
        logger.error("the plan on standard input is none: %s", problem)  # noqa: TRY400 - a person reads this
        return REFUSED
    speak(plan.interface)
    os.nice(plan.niceness)
    code = asyncio.run(recognise(plan, lambda: ears(plan)))
    if code == CRASHED:
        # Ears that hang would keep the interpreter from leaving, in the model's own threads.
        logging.shutdown()
        os._exit(code)
    return code
