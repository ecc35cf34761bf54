"""A main encoder that dies while a backup stands by: pictures and sound that are missing, by the length of the hold."""

from __future__ import annotations

import asyncio
import itertools
import signal
from typing import TYPE_CHECKING

from benchmarks.relay_house import temporary
from benchmarks.relay_stage import FPS, Book
from tests.media.inputs_bench import Aired, look, make_encoded
from tests.media.relay_bench import Encoder, Relays
from tests.ports import free_port

from studio.units import Ms

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

HOLDS = (6000, 1000, 0)
"""Milliseconds."""
BEFORE, AFTER = 100, 100
"""Pictures that are aired on each side."""
HOW = {"killed": signal.SIGKILL, "silent": signal.SIGSTOP}
"""What becomes of the main encoder; one that is silent may as well have lost its cable."""


def measure(options: argparse.Namespace, book: Book) -> None:
    """Measure with each hold."""
    with temporary() as folder:
        clips = [
            make_encoded(folder / f"{name}.mp4", colour, tone, options.size)
            for name, colour, tone in (("main", "0x002000", 440), ("backup", "0x000040", 880))
        ]
        for hold, (how, number) in itertools.product(HOLDS, HOW.items()):
            for run in range(options.runs):
                place = folder / f"{hold}-{how}-{run}"
                place.mkdir()
                aired = asyncio.run(_loses_main(place, clips, Ms(hold), number))
                stands, silent = missing(aired)
                what = f"hold {hold / 1000:g} s, {how}: "
                if hold:
                    book.at_most(what + "pictures missing", stands, 0, "", 0)
                    book.at_most(what + "sound missing", silent, 0.0)
                else:
                    book.tell(what + "pictures missing", f"{stands} of {FPS} a second", stands)
                    book.tell(what + "sound missing", f"{silent:.3f} s", silent)
                book.at_most(what + "longest step between two pictures", aired.longest_step, 0.1)
                book.save()


def missing(aired: Aired) -> tuple[int, float]:
    """Return how many pictures stood, or were the slate, or are not there, and how long nothing sounded."""
    steps = list(itertools.pairwise(zip(aired.bars, aired.who, strict=True)))
    stood = sum(one == other for one, other in steps) + sum(not who for who in aired.who)
    holes = sum(max(0, round((later - earlier) * FPS) - 1) for earlier, later in itertools.pairwise(aired.times[:-5]))
    return stood + holes, sum(length for _at, length in aired.silences)


async def _loses_main(folder: Path, clips: list[Path], hold: Ms, how: signal.Signals) -> Aired:
    relays, encoders = Relays(folder), list[Encoder]()
    try:
        urls = [f"rtmp://127.0.0.1:{free_port()}/live/studio" for _each in clips]
        relay = await relays.start(f"listen:{urls[0]}", backup=urls[1], hold=hold)
        encoders += [Encoder(clip, url) for clip, url in zip(clips, urls, strict=True)]
        await relay.until(lambda: relay.aired > BEFORE)
        encoders[0].process.send_signal(how)
        await relay.until(lambda: any(each.airs and each.name == "backup" for each in relay.report.inputs))
        upto = relay.aired + AFTER + hold * FPS // 1000
        await relay.until(lambda: relay.aired > upto)
        relay.finish()
        await relay.ended()
    finally:
        for encoder in encoders:
            encoder.stop()
        await relays.close()
    return look(relay.plan.folder / "recording.mp4")
