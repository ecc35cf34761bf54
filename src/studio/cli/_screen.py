"""The terminal: two consoles, a line that moves while a show runs, and the table at its end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from studio.language import _, decimal, plural
from studio.units import Ms, timecode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress

    from studio.app import Sent, Summary

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

LOG_LINE = "%(asctime)s %(name)s %(levelname)s %(message)s"
WORTH_SHOWING = 1_000_000
"""Bytes: progress of less is over before it is seen."""


def phase_name(phase: str) -> str:
    """Return a show's phase in the user's language."""
    return {
        "starting": _("starting"),
        "on air": _("ON AIR"),
        "stopping": _("airing what is held"),
        "ended": _("ended"),
    }.get(phase, phase)


def status(state: dict[str, Any]) -> Text:
    """One line (two with captions) of how the show is doing, out of the page's own state."""
    show, programme, captions = state["show"], state["programme"], state["captions"]
    text = Text()
    text.append(f" {phase_name(show['phase'])} ", style="bold white on red" if show["phase"] == "on air" else "reverse")
    text.append(f"  {timecode(Ms(show['seconds'] * 1000))[:8]}")
    if programme["width"]:
        text.append(f"  {programme['width']}x{programme['height']} {programme['fps']:g} fps")
    if "on_time" in programme:  # a state has no null: what is unknown is not there
        text.append("  " + _("on time {share}").format(share=f"{programme['on_time']:.1%}"))
    if programme["dropped"]:
        text.append(
            "  "
            + plural("{n} frame dropped", "{n} frames dropped", programme["dropped"]).format(n=programme["dropped"])
        )
    if captions["on"] and "late_p50_ms" in captions:
        text.append("  " + _("captions {late} s late").format(late=decimal(captions["late_p50_ms"] / 1000, ".1f")))
    sent = [to["state"] for to in state["destinations"].values() if to.get("destination") and to["state"] != "off"]
    if sent:
        text.append("  " + _("destinations {on} of {all}").format(on=sent.count("on air"), all=len(sent)))
    source = state["links"].get("source")
    if source and source["detail"] and show["phase"] == "starting":
        text.append(f"  {source['detail']}")
    if captions["settled"]:
        text.append("\n  " + " ".join(captions["settled"][-1]["lines"]), style="bold")
        text.append(f" {captions['tentative']}", style="dim")
    return text


def summary_table(summary: Summary) -> Table:
    """Return what an evening came to, as a table for the terminal."""
    table = Table(title=_("The show"), show_header=False, title_justify="left")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    due = summary.frames + summary.dropped
    rows = [
        (_("recording"), _recording(summary)),
        (_("subtitles"), "\n".join(_near(path) for path in summary.subtitles) or _("none")),
        (_("length"), timecode(Ms(round(summary.seconds) * 1000))[:-4]),
        (_("first frame on the air after"), _seconds(summary.first_frame)),
        (_("words recognised"), _("{words} in {cues} cues").format(words=summary.words, cues=summary.cues)),
        (
            _("caption lateness p50 / p95"),
            f"{_seconds(_from_ms(summary.late_p50))} / {_seconds(_from_ms(summary.late_p95))}",
        ),
        (_("cues that missed their moment"), str(summary.late_cues)),
        (_("frames on time"), f"{summary.on_time} / {due}" + (f" ({summary.on_time / due:.1%})" if due else "")),
        (_("frames dropped"), str(summary.dropped)),
    ]
    if summary.sent:
        rows.insert(2, (_("sent to"), "\n".join(_sent(sent) for sent in summary.sent)))
    if summary.clean:
        rows.insert(1, (_("clean recording"), "\n".join(_near(path) for path in summary.clean)))
    for row in rows:
        table.add_row(*row)
    return table


def _sent(sent: Sent) -> str:
    told = [f"{sent.size / 1e6:.0f} MB"]
    if sent.dropped:
        told.append(plural("{n} packet left out", "{n} packets left out", sent.dropped).format(n=sent.dropped))
    if sent.restarts:
        told.append(plural("tried again {n} time", "tried again {n} times", sent.restarts).format(n=sent.restarts))
    return f"{sent.name}: {', '.join(told)}"


def _recording(summary: Summary) -> str:
    if summary.recording:
        return _near(summary.recording)
    if summary.parts:
        return _("in parts, because it could not be joined; make room and run: studio recover {folder}").format(
            folder=summary.folder
        )
    return _("none")


def progress(label: str) -> tuple[Progress, Callable[[int, int], None]]:
    """Return a bar, and what tells it of bytes done and bytes in all; enter the bar as a context."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn  # noqa: PLC0415 - most show none

    bar = Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=err, transient=True)
    task = bar.add_task(label, total=None, visible=False)

    def told(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total or None, visible=total == 0 or total > WORTH_SHOWING)

    return bar, told


def span_progress(label: str) -> tuple[Progress, Callable[[int, int], None]]:
    """Return a bar, and what tells it of milliseconds of sound done and in all; enter the bar as a context."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - as above

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=err, transient=True)
    task = bar.add_task(label, total=None)

    def told(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total or None)

    return bar, told


def lines(items: Iterator[str] | list[str]) -> None:
    """Print each item as it stands, unwrapped."""
    for item in items:
        out.print(item, markup=False, soft_wrap=True)


def _near(path: Path) -> str:
    """As short as it can be pasted into the same terminal: a table that folds a path spoils it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _seconds(value: float | None) -> str:
    return "—" if value is None else decimal(value, ".1f") + " s"


def _from_ms(value: Ms | None) -> float | None:
    return None if value is None else value / 1000
