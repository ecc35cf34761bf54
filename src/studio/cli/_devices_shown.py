"""How `studio devices` shows what it found: rows for JSON, tables and lines for people."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from studio.app import Done, Named, Opened, known
from studio.catalogue import instead
from studio.devices import Action, Control, Property
from studio.language import _
from studio.show import Back, Entry, Seen, Step

COLOURS = {
    "online": "green",
    "degraded": "yellow",
    "syncing": "yellow",
    "connecting": "yellow",
    "refused": "red",
    "off": "dim",
    "confirmed": "green",
    "simulated": "cyan",
    "superseded": "yellow",
    "unconfirmed": "red",
    "change": "cyan",
    "back": "cyan",
    "same": "dim",
    "stale": "yellow",
    "unknown": "yellow",
    "open": "yellow",
    "impossible": "red",
    "moved": "red",
    "reported": "",
    "assumed": "yellow",
}
ALIKE = 8
"""Lines that say the same; more are told as one."""
MANY = 40
"""Rows of a plan for people; the whole of it is in --json."""


def no_control(device: str, name: str, known: Iterable[str]) -> str:
    """A sentence."""
    sentence = _('{device} has no control "{control}"').format(device=device, control=name) + instead(name, known)
    return sentence if sentence.endswith("?") else sentence + "."


def word(kind: str) -> str:
    """What a state, source or outcome is called."""
    return {
        "online": _("online"),
        "degraded": _("limited"),
        "syncing": _("catching up"),
        "connecting": _("connecting"),
        "off": _("off"),
        "refused": _("refused"),
        "confirmed": _("confirmed"),
        "unconfirmed": _("not confirmed"),
        "superseded": _("superseded"),
        "simulated": _("simulated"),
        "reported": _("reported"),
        "assumed": _("stale"),
        "unknown": _("unknown"),
        "change": _("changes"),
        "same": _("is so already"),
        "stale": _("stale"),
        "impossible": _("impossible"),
        "back": _("goes back"),
        "moved": _("stays"),
        "open": _("cannot be told now"),
        "device": _("device"),
        "us": _("us"),
        "real device": _("with a real one"),
        "rehearsal": _("in rehearsal"),
        "manual only": _("by the manual only"),
    }.get(kind, kind)


def coloured(kind: str) -> Text:
    """The word for it, in its colour."""
    return Text(word(kind), style=COLOURS.get(kind, ""))


def text(value: object, unit: str = "") -> str:
    """A value as people write it."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return _("on") if value else _("off")
    said = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{said} {unit}" if unit and not isinstance(value, str) else said


def devices(named: Sequence[Named]) -> Table:
    """One row a device."""
    table = Table()
    for title in (_("device"), _("model"), _("where"), _("checked")):
        table.add_column(title, overflow="fold")
    for one in named:
        table.add_row(one.name, one.what, one.where, word(one.checked))
    return table


def summary(name: str, seen: Seen, opened: Opened) -> dict[str, Any]:
    """How far one device is known."""
    device = opened.devices[name]
    link = {"link": device.link.state, "detail": device.link.detail, "epoch": device.link.epoch}
    return {"name": name, **link, **known(seen), "actions": len(device.actions())}


def status(rows: Sequence[dict[str, Any]]) -> Table:
    """One row a device; what is wrong with it is `wrong`, below, where there is room for a sentence."""
    table = Table()
    for title in (_("device"), _("state"), _("reported"), _("stale"), _("unknown"), _("actions")):
        table.add_column(title, overflow="fold")
    for row in rows:
        numbers = (
            f"{row['reported']} / {row['controls']}",
            str(row["stale"]),
            str(row["unknown"]),
            str(row["actions"]),
        )
        table.add_row(Text(row["name"]), coloured(row["link"]), *numbers)
    return table


def wrong(row: dict[str, Any]) -> Text:
    """What is wrong with one device: a line."""
    named = row["name"] in row["detail"]
    return Text("" if named else f"{row['name']}: ", style="bold").append(row["detail"], style="not bold")


def value(device: str, control: Control | None, known: Property, name: str = "") -> dict[str, Any]:
    """One value with how far it may be believed."""
    return {
        "device": device,
        "control": control.name if control else name,
        "value": known.value,
        "unit": control.unit if control else "",
        "source": known.source,
        "epoch": known.epoch,
        "origin": known.origin,
    }


def values(rows: Sequence[dict[str, Any]]) -> Table:
    """One row a control; what is stale is marked."""
    table = Table()
    for title in (_("control"), _("value"), _("source"), _("epoch"), _("from")):
        table.add_column(title, overflow="fold")
    for row in rows:
        shown = Text(text(row["value"], row["unit"]), style=COLOURS[row["source"]])
        origin = word(row["origin"]) if row["origin"] else ""
        table.add_row(Text(row["control"]), shown, coloured(row["source"]), str(row["epoch"]), origin)
    return table


def change(row: dict[str, Any]) -> Text:
    """One line of `watch`."""
    line = Text(time.strftime("%H:%M:%S  ", time.localtime(row["time"])), style="dim")
    line.append(f"{row['device']}  ", style="bold")
    if "link" in row:
        line.append_text(coloured(row["link"]))
        line.append(f"  {row['detail']}")
    elif "meters" in row:
        line.append("  ".join(f"{name} {number:.1f}" for name, number in row["meters"].items()))
    else:
        line.append(f"{row['control']} = {text(row['value'], row['unit'])}")
        line.append(f"  ({word(row['origin'])})" if row["origin"] else "", style="dim")
    return line


def plan(steps: Sequence[Step]) -> Table:
    """What would change, what is so already, what is not known, what cannot be and why."""
    table = Table(_("control"), _("now"), _("then"), _("plan"), _("why"))
    counts = [step for step in steps if step.kind != "same"]
    above = ""
    for step in counts[:MANY]:
        why = Text("″" if step.reason and step.reason == above else step.reason)  # said once is enough
        above = step.reason
        now = Text(text(step.now.value, step.unit), style=COLOURS.get(step.now.source, ""))
        table.add_row(Text(step.name), now, text(step.wanted, step.unit), coloured(step.kind), why)
    if len(counts) > MANY:
        table.add_row("…", "", "", _("and {count} more").format(count=len(counts) - MANY), "")
    same = len(steps) - len(counts)
    if same:
        table.add_row("", "", "", Text(_("{count} are so already").format(count=same), style="dim"), "")
    return table


def entry(one: Entry) -> str:
    """What is to be undone."""
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.time))
    return _("Undoing “{by}” of {time}:").format(by=one.by, time=at)


def backs(steps: Sequence[Back]) -> Table:
    """What goes back and what stays."""
    table = Table(_("control"), _("now"), _("then"), _("plan"), _("why"))
    for step in steps[:MANY]:
        name = f"{step.changed.device} {step.changed.control}"
        then = text(step.changed.before, step.unit) if step.kind == "back" else ""
        table.add_row(Text(name), text(step.now.value, step.unit), then, coloured(step.kind), Text(step.reason))
    return table


def done(one: Done) -> dict[str, Any]:
    """One outcome."""
    row: dict[str, Any] = {
        "device": one.device,
        "control": one.control,
        "outcome": one.outcome.kind,
        "reason": one.outcome.reason,
    }
    if one.already:
        row["already"] = True
    return row if one.value is None else {**row, "value": one.value}


def outcomes(done: Sequence[Done]) -> list[Text]:
    """One line each; where more than `ALIKE` ended alike for one reason, one line for all of them."""
    alike: dict[tuple[str, str, str], list[Done]] = {}
    for one in done:
        alike.setdefault((one.device, one.outcome.kind, one.outcome.reason), []).append(one)
    lines = []
    for same in alike.values():
        if len(same) <= ALIKE:
            lines += [_outcome(one, one.control) for one in same]
        else:
            names = ", ".join(one.control for one in same[:3])
            more = _("and {count} more").format(count=len(same) - 3)
            lines.append(_outcome(same[0], f"{names} {more}"))
    return lines


def _outcome(one: Done, what: str) -> Text:
    line = Text(f"{one.device} {what}  ", style="bold")
    line.append_text(coloured(one.outcome.kind))
    if one.outcome.reason:
        line.append(f"  {one.outcome.reason}")
    return line


def action(one: Action) -> dict[str, Any]:
    """One action and what it wants to be told."""
    arguments = [
        {"name": each.name, "kind": each.kind, "needed": each.needed, "lowest": each.lowest, "highest": each.highest}
        for each in one.arguments
    ]
    return {"action": one.name, "urgent": one.urgent, "arguments": arguments}


def actions(rows: Sequence[dict[str, Any]]) -> Table:
    """One row an action."""
    table = Table(_("action"), _("arguments"))
    for row in rows:
        told = ", ".join(one["name"] if one["needed"] else f"[{one['name']}]" for one in row["arguments"])
        table.add_row(Text(row["action"]), Text(told))
    return table
