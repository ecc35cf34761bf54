"""`studio captions …`."""

from __future__ import annotations

import contextlib
import errno
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text

from studio.app import CaptionsWish, caption_alone, repair_captions
from studio.catalogue import Catalogue
from studio.cli._screen import err, out, span_progress
from studio.cli._unnamed import UNNAMED, OrUnnamed, Unnamed
from studio.cli._venue import LangOption, VenueOption, read_venue
from studio.errors import why
from studio.language import _, decimal, plural
from studio.units import timecode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from studio.captions import View

ENDS = (".", "!", "?", "…")
LINE = 90
"""Characters after which a line is printed even in the middle of a sentence."""
_REPAIR = "repair"


app = typer.Typer(cls=OrUnnamed, help=_("Caption a file, a microphone or an address, without a show."))

ModelOption = Annotated[str | None, typer.Option("--model", help=_("A speech model by name, or its folder."))]
ThreadsOption = Annotated[int | None, typer.Option("--threads", help=_("Processor threads of the speech model."))]


@app.command(
    UNNAMED,
    cls=Unnamed,
    help=_("Caption a file, a microphone or an address while it is spoken.")
    + "\n\n"
    + _("`studio captions repair RECORDING` fills in what nobody heard during a show."),
)
def listen(
    source: Annotated[str, typer.Argument(metavar="INPUT", help=_("A file, mic, mic:DEVICE or an address."))],
    *,
    lang: LangOption = None,
    pace: Annotated[
        str, typer.Option("--pace", help=_("realtime, or fast: a file as quickly as this machine can."))
    ] = "realtime",
    model: ModelOption = None,
    events: Annotated[Path | None, typer.Option("--events", help=_("Write each change that can be seen here."))] = None,
    outs: Annotated[
        list[Path] | None, typer.Option("--out", help=_("Write subtitles here: .srt, .vtt or .ass; may be repeated."))
    ] = None,
    preset: Annotated[str | None, typer.Option("--preset", help=_("A preset from presets/captions."))] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", help=_("Hear no more than so many seconds."))] = None,
    glossary: Annotated[
        list[str] | None, typer.Option("--glossary", help=_("A name in subtitles/glossaries; may be repeated."))
    ] = None,
    threads: ThreadsOption = None,
    venue: VenueOption = None,
) -> None:
    """Caption one sound; Ctrl-C settles what was heard and ends well."""
    house = read_venue(venue)
    wish = CaptionsWish(
        language=lang,
        model=model,
        preset=preset,
        threads=threads,
        glossaries=tuple(glossary or ()),
        pace=pace,
        seconds=seconds,
        events=events,
        outs=tuple(outs or ()),
    )
    screen = _Screen()
    with err.status(_("Getting ready …")):
        alone = caption_alone(house, Catalogue(house.folder), source, wish, say=screen.say, see=screen.see)
    with _asked_to_stop(alone.stop), screen:
        heeded = alone.run()
    err.print(
        plural("{n} word", "{n} words", heeded.words).format(n=heeded.words)
        + ", "
        + plural("{n} cue", "{n} cues", heeded.cues).format(n=heeded.cues)
        + f", {timecode(heeded.heard)[:-4]}",
        style="dim",
    )


@app.command(_REPAIR, help=_("Fill in what nobody heard during a show, from its recording."))
def repair(
    recording: Annotated[Path, typer.Argument(metavar="RECORDING", help=_("A show folder, or the recording in it."))],
    *,
    lang: LangOption = None,
    model: ModelOption = None,
    threads: ThreadsOption = None,
    venue: VenueOption = None,
) -> None:
    """Say what was filled."""
    house = read_venue(venue)
    wish = CaptionsWish(language=lang, model=model, threads=threads)
    bar, told = span_progress(_("listening to the recording"))
    said: list[str] = []
    with bar:
        filled = repair_captions(house, Catalogue(house.folder), recording, wish, say=said.append, progress=told)
    for sentence in said:
        err.print(sentence, markup=False, soft_wrap=True)
    for one in filled:
        words = plural("{n} word", "{n} words", one.words).format(n=one.words)
        out.print(f"{timecode(one.start)[:-4]} - {timecode(one.end)[:-4]}  {words}", markup=False, soft_wrap=True)
    if not filled and not said:
        out.print(_("All of the recording was heard; there is nothing to fill in."))


class _Screen:
    """Live text on a terminal, finished lines elsewhere."""

    def __init__(self) -> None:
        self._line = ""
        self._live: Live | None = None
        self._broken = False

    def __enter__(self) -> None:
        if out.is_terminal:
            self._live = Live(console=out, transient=True, refresh_per_second=12)
            self._live.start()

    def __exit__(self, *_error: object) -> None:
        if self._live is not None:
            with self._nobody_reads():
                self._live.stop()
            self._live = None
        if self._line:
            self._print(self._line)

    def say(self, sentence: str) -> None:
        """Tell the user something, once."""
        with self._nobody_reads():
            console = self._live.console if self._live else err
            console.print(sentence, markup=False, soft_wrap=True, style="yellow")

    def see(self, view: View) -> None:
        """Draw what can be seen now."""
        for word in view.settled:
            self._line = f"{self._line} {word.text}".strip()
            if len(self._line) >= LINE or self._line.endswith(ENDS):
                self._print(self._line)
                self._line = ""
        if self._line and view.quiet and not view.tentative:
            self._print(self._line)
            self._line = ""
        if self._live is not None:
            text = Text()
            text.append(self._line, style="bold")
            text.append(f" {view.tentative}" if view.tentative else "", style="dim")
            state = Text(f"{timecode(view.position)[:8]}  ", style="dim")
            state.append(_("{seconds} s behind").format(seconds=decimal(view.behind / 1000, ".1f")))
            with self._nobody_reads():
                self._live.update(Group(text, state))

    def _print(self, line: str) -> None:
        if self._broken:
            return
        with self._nobody_reads():
            out.print(line, markup=False, soft_wrap=True, style="bold" if out.is_terminal else None)
            sys.stdout.flush()

    @contextlib.contextmanager
    def _nobody_reads(self) -> Iterator[None]:
        """A reader that went away costs the lines, never the files."""
        try:
            yield
        except SystemExit:  # rich makes it of a broken pipe
            self._broken = True
        except OSError as problem:
            if not self._broken and problem.errno != errno.EPIPE:
                err.print(
                    _("The lines cannot be printed ({problem}); captions go on.").format(problem=why(problem)),
                    markup=False,
                    soft_wrap=True,
                )
            self._broken = True


@contextlib.contextmanager
def _asked_to_stop(stop: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C ends in order, the second at once."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}

    def asked(_number: int, _frame: FrameType | None) -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        stop()

    for number in before:
        signal.signal(number, asked)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
