"""`studio vocal record` and `inputs`."""

from __future__ import annotations

import asyncio
from typing import Annotated, TypeAlias, cast

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from studio import media
from studio.app import TakeWish, VocalRoom
from studio.cli import _vocal_shown as shown
from studio.cli._screen import err, out
from studio.cli._vocal_console import console
from studio.cli._vocal_open import JsonOption, SessionOption, opened, span_of
from studio.language import _
from studio.vocal import Device, Session, Take, TakeForm, recorded_now

InputOption: TypeAlias = Annotated[
    str | None, typer.Option("--input", metavar="NAME", help=_("A part of the input's name; it is remembered."))
]
ChannelsOption: TypeAlias = Annotated[
    int | None, typer.Option("--channels", min=0, max=32, help=_("Channels of the input; 0: all it has."))
]


def record(
    song: Annotated[str | None, typer.Argument(metavar="[SONG]", help=_("What is sung; else the last one."))] = None,
    *,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.1, help=_("End by itself after so many seconds."))
    ] = None,
    input_: InputOption = None,
    channels: ChannelsOption = None,
    output: Annotated[
        str | None, typer.Option("--output", metavar="NAME", help=_("Where backing and click are heard."))
    ] = None,
    backing: Annotated[bool, typer.Option("--backing/--no-backing", help=_("Play the song's backing."))] = True,
    click: Annotated[bool, typer.Option("--click", help=_("Let the metronome go on while they sing."))] = False,
    count_in: Annotated[int, typer.Option("--count-in", min=0, max=8, help=_("Bars that are counted in."))] = 0,
    punch: Annotated[
        str | None, typer.Option("--punch", metavar="FROM-TO", help=_("Record only this part of the song."))
    ] = None,
    loop: Annotated[
        str | None,
        typer.Option("--loop", metavar="FROM-TO", help=_("Record this part over and over, each pass a take.")),
    ] = None,
    lead: Annotated[
        float, typer.Option("--lead", min=0, max=60, help=_("Seconds that are heard before --punch or --loop."))
    ] = 4.0,
    form: Annotated[str, typer.Option("--form", metavar="wav|flac", help=_("What the take is written as."))] = "wav",
    again: Annotated[
        bool,
        typer.Option("--again", help=_("Stay: Enter begins the next take, k and 1-5 keep the last one, q leaves.")),
    ] = False,
    session: SessionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record until Enter, Ctrl-C or --seconds; exit with 1 where it ended otherwise."""
    if form not in ("wav", "flac"):
        raise typer.BadParameter(_("A take is written as wav or flac."), param_hint="--form")
    opened_ = opened(session)
    named = opened_.must_find_song(song).id if song else opened_.state.song
    wish = TakeWish(
        song=named, seconds=seconds, punch=span_of(punch), loop=span_of(loop), lead=lead,
        backing=backing, click=click, count_in=count_in,
    )  # fmt: skip
    device = device_of(opened_, input_, channels, output, plays=wish.plays(opened_.state.songs.get(named)))
    takes = asyncio.run(console(opened_, wish, device=device, form=cast("TakeForm", form), again=again))
    if any(take.frames for take in takes):
        remember_device(opened_, device)
    if as_json:
        shown.print_json([shown.take_row(opened_, take) for take in takes])
    else:
        out.print(shown.takes_table(opened_, takes))
    if not takes or not all(take.well for take in takes):
        raise typer.Exit(1)


def device_of(session: Session, input_: str | None, channels: int | None, output: str | None, *, plays: bool) -> Device:
    """What was asked for, and else what it was before; `remember_device` once it has proved to be there."""
    before = session.state.device or Device()
    device = Device(
        input=before.input if input_ is None else input_,
        channels=before.channels if channels is None else channels,
        output=before.output if output is None else output,
    )
    return Device(input=device.input, channels=device.channels, output=(device.output or "") if plays else None)


def remember_device(session: Session, device: Device) -> None:
    """Let later commands mean `device`, where it is another one; its output only where something was played."""
    before = session.state.device or Device()
    output = before.output if device.output is None else device.output
    if (device.input, device.channels, output) != (before.input, before.channels, before.output):
        session.device(device.input, device.channels, output)


def stop(*, session: SessionOption = None, as_json: JsonOption = False) -> None:
    """End the take that is being recorded, wherever it was begun."""
    opened_ = opened(session)
    takes = asyncio.run(_stop(opened_)) if recorded_now(opened_.folder) else []
    if as_json:
        shown.print_json([shown.take_row(opened_, take) for take in takes])
    elif takes:
        out.print(shown.takes_table(opened_, takes))
    else:
        out.print(_("Nothing is being recorded."))


async def _stop(session: Session) -> list[Take]:
    async with VocalRoom(session, lambda sentence: err.print(sentence, markup=False, soft_wrap=True)) as room:
        return await room.stop()


def inputs(*, as_json: JsonOption = False) -> None:
    """List what can be recorded from."""
    there = media.sound_inputs()
    if as_json:
        shown.print_json([{"name": one.name, "channels": one.channels, "rate": one.rate} for one in there])
        return
    if not there:
        out.print(_("There is no sound input; plug a microphone in, or start the sound server."))
        return
    table = Table(_("input"), _("channels"), _("rate"), box=box.SIMPLE_HEAD, pad_edge=False)
    for one in there:
        table.add_row(Text(one.name), str(one.channels), f"{one.rate} Hz")
    out.print(table)
