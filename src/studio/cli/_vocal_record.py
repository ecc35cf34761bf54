"""`studio vocal record` and `inputs`."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, nullcontext
from typing import Annotated, TypeAlias, cast

import typer
from rich import box
from rich.live import Live
from rich.table import Table
from rich.text import Text

from studio import media
from studio.app import TakeWish, VocalRoom
from studio.cli import _vocal_shown as shown
from studio.cli._screen import err, out
from studio.cli._vocal_meters import Meters
from studio.cli._vocal_open import JsonOption, SessionOption, opened, span_of
from studio.events import AnyMessage
from studio.language import _
from studio.vocal import Device, Session, Take, TakeForm, recorded_now

InputOption: TypeAlias = Annotated[
    str | None, typer.Option("--input", metavar="NAME", help=_("A part of the input's name; it is remembered."))
]
ChannelsOption: TypeAlias = Annotated[
    int | None, typer.Option("--channels", min=0, max=32, help=_("Channels of the input; 0: all it has."))
]
REFRESH = 10
"""Times a second that the meters are drawn."""


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
    takes = asyncio.run(_record(opened_, wish, device, cast("TakeForm", form)))
    if as_json:
        shown.print_json([shown.take_row(opened_, take) for take in takes])
    else:
        out.print(shown.takes_table(opened_, takes))
    if not takes or not all(take.well for take in takes):
        raise typer.Exit(1)


def device_of(session: Session, input_: str | None, channels: int | None, output: str | None, *, plays: bool) -> Device:
    """What was asked for, and else what it was before; it is remembered where it changed."""
    before = session.state.device or Device()
    device = Device(
        input=before.input if input_ is None else input_,
        channels=before.channels if channels is None else channels,
        output=before.output if output is None else output,
    )
    if (device.input, device.channels, device.output) != (before.input, before.channels, before.output):
        session.device(device.input, device.channels, device.output)
    return Device(input=device.input, channels=device.channels, output=(device.output or "") if plays else None)


async def _record(session: Session, wish: TakeWish, device: Device, form: TakeForm) -> list[Take]:
    meters = Meters(shown.song_title(session.state, wish.song), tuple(session.state.tracks.values()))

    def say(sentence: str) -> None:
        meters.say(sentence)
        if not err.is_terminal:
            err.print(sentence, markup=False, soft_wrap=True)

    with _ending() as ended:
        async with VocalRoom(session, say, device=device, form=form) as room, room.messages() as messages:
            drawn = Live(meters, console=err, refresh_per_second=REFRESH) if err.is_terminal else nullcontext()
            with drawn:
                listening = asyncio.create_task(_listen(messages, meters))
                try:
                    await _through(room, wish, ended)
                finally:
                    listening.cancel()
        return await room.over()


async def _listen(messages: AsyncIterator[AnyMessage], meters: Meters) -> None:
    async for message in messages:
        meters.take_in(message)


async def _through(room: VocalRoom, wish: TakeWish, ended: asyncio.Event) -> None:
    """Record until it is over by itself, or somebody ends it."""
    enough = asyncio.create_task(ended.wait())
    work = asyncio.create_task(room.record(wish))
    try:
        await asyncio.wait({work, enough}, return_when="FIRST_COMPLETED")
        if not work.done():  # ended while it was counted in
            work.cancel()
            await asyncio.wait({work})
            await room.over()
            return
        work.result()
        over = asyncio.create_task(room.over())
        await asyncio.wait({over, enough}, return_when="FIRST_COMPLETED")
        if not over.done():
            await room.stop()
        await over
    finally:
        enough.cancel()


@contextmanager
def _ending() -> Iterator[asyncio.Event]:
    """Enter, Ctrl-C and whatever else ends a program end the take, and nothing before it is on the disk."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, ended.set)
    typed = sys.stdin is not None and sys.stdin.isatty()

    def enter() -> None:
        if not sys.stdin.readline():  # the terminal is gone
            loop.remove_reader(sys.stdin)
        ended.set()

    if typed:
        loop.add_reader(sys.stdin, enter)
    try:
        yield ended
    finally:
        if typed:
            loop.remove_reader(sys.stdin)
        for number in signals:
            loop.remove_signal_handler(number)


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
