"""How a run over many films looks: bars on a terminal, a line for each film elsewhere, JSON for programs."""

from __future__ import annotations

import json as json_
from typing import TYPE_CHECKING, Literal, Self

import msgspec
from rich.table import Table
from rich.text import Text

from studio.archive import shown_name
from studio.cli._screen import err, out
from studio.language import _, plural
from studio.units import timecode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.progress import TaskID

    from studio.archive import Result

LONGEST_NAME = 48
"""Characters of a film's name beside its bar."""
MINUTE = 60
SURE = 1.25
"""A guess whose ends are no further apart than this is told as one number."""


class FilmsScreen:
    """Says what matters on standard error; the results go to standard output."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """Leave the terminal as it was."""

    def begins(self, film: str) -> None:
        """Work on a film begins."""

    def at(self, film: str, stage: Literal["look", "hear", "write"], share: float) -> None:
        """It is so far."""

    def all_at(self, films: int, of: int, share: float, left: tuple[float, float] | None) -> None:
        """So far are all of them."""

    def ended(self, result: Result) -> None:
        """Say what became of a film."""
        if not self._quiet or result.fate == "failed":
            err.print(f"{result.film}: {told(result)}", markup=False, soft_wrap=True)

    def say(self, sentence: str) -> None:
        """Tell people something."""
        err.print(sentence, markup=False, soft_wrap=True, style="yellow")

    def stopped(self) -> None:
        """It was ended in order."""
        err.print(_("Ended; nothing is lost. The same command goes on from here."), markup=False, soft_wrap=True)

    def sum_up(self, results: Sequence[Result]) -> None:
        """Show the table of all films, where there was more than one."""
        if self._quiet:
            return
        if len(results) > 1:
            out.print(table(results))
        for result in results:
            for sentence in result.said:
                err.print(f"{result.film}: {sentence}", markup=False, soft_wrap=True, style="yellow")


class _Bars(FilmsScreen):
    """A bar for each film that is worked on, and one for all."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415 - only a terminal shows bars

        super().__init__(quiet=False)
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[note]}", markup=False),
            console=err,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._all: TaskID | None = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._bars.stop()

    def begins(self, film: str) -> None:
        name = film if len(film) <= LONGEST_NAME else "…" + film[1 - LONGEST_NAME :]
        self._tasks[film] = self._bars.add_task(name, total=1.0, note="")

    def at(self, film: str, stage: Literal["look", "hear", "write"], share: float) -> None:
        notes = {"look": _("looking for speech"), "hear": _("listening"), "write": _("writing")}
        if film in self._tasks:
            self._bars.update(self._tasks[film], completed=share, note=notes[stage])

    def all_at(self, films: int, of: int, share: float, left: tuple[float, float] | None) -> None:
        if self._all is None:
            self._all = self._bars.add_task("", total=1.0, note="")
        label = plural("{done} of {n} film", "{done} of {n} films", of).format(done=films, n=of)
        self._bars.update(self._all, description=label, completed=share, note=guess(left))

    def ended(self, result: Result) -> None:
        task = self._tasks.pop(result.film, None)
        if task is not None:
            self._bars.remove_task(task)
        super().ended(result)


class _Json(FilmsScreen):
    """A line for each film as it ends, on standard output."""

    def ended(self, result: Result) -> None:
        print(json_.dumps(msgspec.to_builtins(result, enc_hook=str), ensure_ascii=False), flush=True)  # noqa: T201 - for a program

    def sum_up(self, results: Sequence[Result]) -> None:
        pass


def screen_for(*, quiet: bool, json: bool) -> FilmsScreen:
    """Return the screen that suits the terminal, or its absence."""
    if json:
        return _Json(quiet=quiet)
    if quiet or not err.is_terminal:
        return FilmsScreen(quiet=quiet)
    return _Bars()


def told(result: Result) -> str:
    """What became of a film, as one line."""
    if result.fate == "failed":
        return result.reason
    cues = plural("{n} cue", "{n} cues", result.cues).format(n=result.cues)
    what = {
        "done": _("done, {cues}"),
        "already": _("already done, {cues}"),
        "silent": _("nobody speaks in it"),
    }[result.fate].format(cues=cues)
    files = ", ".join(shown_name(path.name) for path in result.files)
    return f"{what}: {files}" if files else what


def table(results: Sequence[Result]) -> Table:
    """All films, one a row."""
    shown = Table(title_justify="left")
    shown.add_column(_("film"), overflow="fold")
    shown.add_column(_("length"), no_wrap=True)
    shown.add_column(_("language"), no_wrap=True)
    shown.add_column(_("cues"), justify="right", no_wrap=True)
    shown.add_column(_("too fast to read"), justify="right")
    shown.add_column("", overflow="fold")
    fates = {"done": _("done"), "already": _("already done"), "silent": _("no speech"), "failed": _("failed")}
    for result in results:
        failed = result.fate == "failed"
        shown.add_row(
            Text(result.film),
            timecode(result.length)[:-4] if result.length else "",
            result.language,
            "" if failed else str(result.cues),
            "" if failed else str(result.unreadable),
            Text(f"{fates[result.fate]}: {result.reason}" if failed else fates[result.fate], "red" if failed else ""),
        )
    return shown


def guess(left: tuple[float, float] | None) -> str:
    """How long it may still take, as honestly as it is known."""
    if left is None:
        return _("nobody can tell yet how long")
    least, most = left
    if most <= SURE * least or most < MINUTE:
        return _("about {time} left").format(time=_clock((least + most) / 2))
    return _("{least} to {most} left").format(least=_clock(least), most=_clock(most))


def _clock(seconds: float) -> str:
    whole = max(1, round(seconds))
    if whole < MINUTE:
        return _("{n} s").format(n=whole)
    hours, minutes = divmod(round(whole / 60), 60)
    return (
        _("{hours} h {minutes:02} min").format(hours=hours, minutes=minutes)
        if hours
        else _("{n} min").format(n=minutes)
    )
