"""`studio hardware learn`: the first draft of a file for a desk that nobody has described yet."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live
from rich.table import Table

from studio.cli._screen import out
from studio.devices import OscLearner, listen_osc
from studio.errors import DeviceError, DrawerError, why
from studio.language import _, plural
from studio.wire.osc import Message

SHOWN = 20
"""Lines of the table that grows: more do not fit on a screen."""


def learn(  # noqa: PLR0917 - typer's options
    file: Annotated[Path, typer.Option("--out", help=_("The file to write, such as hardware/my-desk.yaml."))],
    host: Annotated[str | None, typer.Option("--host", help=_("The device's address, to speak to it."))] = None,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help=_("The UDP port it listens on."))] = None,
    listen: Annotated[
        int | None, typer.Option("--listen", min=1, max=65535, help=_("The UDP port here that it sends to."))
    ] = None,
    say: Annotated[
        list[str] | None,
        typer.Option("--say", help=_("What makes it talk, such as /xremote; said again every 8 seconds.")),
    ] = None,
    maker: Annotated[str, typer.Option("--maker", help=_("Who makes it."))] = "unknown",
    model: Annotated[str, typer.Option("--model", help=_("What it is called."))] = "unknown",
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.1, help=_("End by itself after so many seconds; else Ctrl-C."))
    ] = None,
) -> None:
    """Print what is heard as it is heard; write the draft at the end, and never over a file."""
    if file.exists():
        raise DrawerError(_("{file} is there already and is not overwritten.").format(file=file))
    drawer = file.parent.name == "hardware" and file.parent.parent.is_dir()  # made when there is something to put in
    if not file.parent.is_dir() and not drawer:
        raise DrawerError(_("{folder} is no folder.").format(folder=file.parent))
    if listen is None and not (host and port and say):
        raise typer.BadParameter(
            _("Give --listen PORT, or --host, --port and --say, so that there is something to hear.")
        )
    if host and port is None:
        raise typer.BadParameter(_("--host needs --port."))
    for word in say or ():
        if not word.startswith("/"):
            raise typer.BadParameter(_("What is said must begin with a slash: {word}").format(word=word))
    learner = OscLearner()
    to = (host, port) if host and port else None
    out.print(
        _("Move every fader, button and knob from end to end, and change a name. Ctrl-C ends it."), soft_wrap=True
    )
    try:
        _listen(learner, listen, to, say or [], seconds)
    except OSError as problem:
        where = f"{host}:{port}" if to else f"--listen {listen}"
        raise DeviceError(
            _("There is nothing to hear at {where}: {reason}.").format(where=where, reason=why(problem))
        ) from None
    guesses = [guess for guess in learner.guesses() if guess.kind]
    if not guesses:
        raise DeviceError(_("Nothing was heard that could be a control, so no file was written."))
    note = f"draft by studio hardware learn, {time.strftime('%Y-%m-%d')}; read it through and try it on the device"
    file.parent.mkdir(exist_ok=True)
    with file.open("x", encoding="utf-8") as written:
        written.write(learner.draft(maker, model, note, _reached(listen, port, say or [])))
    controls = sum(max(guess.channels, 1) * max(guess.sends, 1) for guess in guesses)
    out.print(
        plural("{n} control is in {file}.", "{n} controls are in {file}.", controls).format(n=controls, file=file),
        markup=False,
        soft_wrap=True,
    )


def _listen(
    learner: OscLearner, listens: int | None, to: tuple[str, int] | None, say: Sequence[str], seconds: float | None
) -> None:
    async def hear() -> None:
        said = [Message(word) for word in say]
        shown = Live(console=out, get_renderable=lambda: _table(learner), refresh_per_second=4, transient=True)
        with shown, contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await listen_osc(learner.take, listens, to, said)

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(hear())


def _table(learner: OscLearner) -> Table:
    """What was heard so far, and what it may be."""
    table = Table(_("address"), _("channels"), _("heard"), _("lowest"), _("highest"), _("looks like"))
    guesses = learner.guesses()
    for guess in sorted(guesses, key=lambda each: -each.heard.times)[:SHOWN]:
        heard = guess.heard
        low, high = (f"{heard.low:g}", f"{heard.high:g}") if heard.high >= heard.low else ("", "")
        channels = str(guess.channels or "") + (f" x {guess.sends}" if guess.sends else "")
        table.add_row(guess.address, channels, str(heard.times), low, high, guess.kind or "—")
    if len(guesses) > SHOWN:
        table.add_row("…", "", "", "", "", "")
    return table


def _reached(listens: int | None, port: int | None, say: Sequence[str]) -> list[str]:
    """Say in the file how the device is reached, as far as that is known."""
    lines = [f"port: {port or 9000}" + ("" if port else " # a guess: the UDP port that it listens on")]
    if listens is not None:
        lines.append(f"listens: {listens}")
    if say:
        lines += [f"keep_alive: {say[0]}", "keep_alive_seconds: 8"]
    if say[1:]:
        lines.append(f"subscriptions: [{', '.join(f'{{ address: {word}, every: 8 }}' for word in say[1:])}]")
    return [
        *lines,
        "# Nobody asked it anything: where an address without a value is a question to it, leave this line out,",
        "# and give a `probe`, an address that it always answers: else nobody can know whether it is there.",
        "asks: false",
    ]
