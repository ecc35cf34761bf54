"""`studio vocal levels`: the level assistant."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from studio.app import VocalRoom, vocal_desk
from studio.cli import _vocal_shown as shown
from studio.cli._screen import err, out
from studio.cli._venue import VenueOption, read_venue
from studio.cli._vocal_open import JsonOption, SessionOption, opened
from studio.cli._vocal_record import ChannelsOption, InputOption, device_of, remember_device
from studio.errors import VocalError
from studio.language import _
from studio.vocal import GainAssistant, Heard, Kind, Proposal, Session, Settled
from studio.vocal import levels as listen

COLOURS = {"good": "green", "waiting": "dim", "too low": "yellow", "too hot": "yellow", "hum": "yellow"}
"""All others are red."""


def levels(
    *,
    seconds: Annotated[
        float, typer.Option("--seconds", min=3, max=60, help=_("How long the group sings its loudest part."))
    ] = 10.0,
    desk: Annotated[
        str | None, typer.Option("--desk", metavar="NAME", help=_("A desk of studio.toml whose gains are looked at."))
    ] = None,
    set_: Annotated[bool, typer.Option("--set", help=_("Set the gains of --desk, step by step."))] = False,
    input_: InputOption = None,
    channels: ChannelsOption = None,
    venue: VenueOption = None,
    session: SessionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Listen, judge each armed channel, say what to do; exit with 1 unless all are good."""
    if set_ and desk is None:
        raise typer.BadParameter(_("--set needs --desk."), param_hint="--set")
    opened_ = opened(session)
    if not opened_.state.tracks:
        raise VocalError(_("No track is armed; `studio vocal arm 1=NAME` says which input is recorded, and as what."))
    device = device_of(opened_, input_, channels, None, plays=False)
    house = read_venue(venue) if desk else None

    async def assist() -> Sequence[Proposal | Settled]:
        async with AsyncExitStack() as open_:
            room = await open_.enter_async_context(VocalRoom(opened_, _say, device=device))
            known = await open_.enter_async_context(vocal_desk(house, desk)) if house and desk else None

            async def hear(time: float) -> Sequence[Heard]:
                with err.status(_("Listening …")):
                    heard = await listen(room.recorder, time)
                if not heard:
                    raise VocalError(_("The input gives no sound; is it plugged in?"))
                return heard

            state = room.recorder.state
            there = [channel for channel in opened_.state.tracks if state is None or channel <= state.channels]
            assistant = GainAssistant(known, there, hear, _say)
            proposals = await assistant.propose(seconds)
            return await assistant.set(proposals) if set_ else proposals

    found = asyncio.run(assist())
    remember_device(opened_, device)
    for one in found:
        opened_.level(one.channel, one.verdict.kind.value, one.words)
    rows = [_row(opened_, one) for one in found]
    if as_json:
        shown.print_json(rows)
    else:
        out.print(_table(rows))
    if len(found) < len(opened_.state.tracks) or any(one.verdict.kind is not Kind.GOOD for one in found):
        raise typer.Exit(1)


def _say(sentence: str) -> None:
    err.print(sentence, markup=False, soft_wrap=True)


def _row(session: Session, one: Proposal | Settled) -> dict[str, Any]:
    before, after = (one.began, one.ended) if isinstance(one, Settled) else (one.now, one.to)
    return {
        "channel": one.channel,
        "track": session.state.tracks[one.channel].name,
        "verdict": one.verdict.kind.value,
        "words": one.words,
        "gain": one.verdict.gain,
        "now": before,
        "to": after,
    }


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(_("channel"), _("track"), _("level"), _("what to do"), box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(
            str(row["channel"]),
            Text(row["track"]),
            Text(shown.verdict(row["verdict"]), style=COLOURS.get(row["verdict"], "bold red")),
            Text(row["words"]),
        )
    return table
