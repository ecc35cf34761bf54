"""What is asked of devices: `studio devices set`, `call`, `recall` and `undo`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer
from rich.table import Table

from studio.app import DEADLINE, Done, Opened, worst
from studio.cli import _devices_shown as shown
from studio.cli._devices import (
    DeviceArgument,
    JsonOption,
    TimeoutOption,
    app,
    house_of,
    matching,
    must_be_there,
    print_json,
    run,
)
from studio.cli._screen import err, out
from studio.cli._venue import VenueOption
from studio.devices import Control, Outcome, Value
from studio.errors import ShowError
from studio.language import _

__all__ = ["app"]

AnywayOption = Annotated[
    bool, typer.Option("--anyway", help=_("Also of a camera that viewers see, or may see: they will see it move."))
]
DryOption = Annotated[bool, typer.Option("--dry-run", help=_("Say what would be done, and do nothing."))]
DeadlineOption = Annotated[
    float,
    typer.Option("--deadline", min=0.1, max=600, help=_("Seconds that a device may take to do it.")),
]
MORE = {"ignore_unknown_options": True}
"""So that -12 is a value and no option."""
ANYWAY = Control("anyway", "switch")
"""No device has a control of that name."""


def _no_options(words: Iterable[str]) -> None:
    """An option that there is not would else be taken for a value."""
    for word in words:
        if word.startswith("--"):
            raise typer.BadParameter(_("There is no option {option}").format(option=word))


@app.command("set", context_settings=MORE, help=_("Set controls: DEVICE CONTROL VALUE, or DEVICE CONTROL=VALUE …"))
def set_(
    device: DeviceArgument,
    what: Annotated[
        list[str], typer.Argument(metavar=_("CONTROL VALUE"), help=_("Or CONTROL=VALUE, as often as wanted."))
    ],
    venue: VenueOption = None,
    *,
    anyway: AnywayOption = False,
    dry_run: DryOption = False,
    as_json: JsonOption = False,
    timeout: TimeoutOption = 5.0,
    deadline: DeadlineOption = DEADLINE,
) -> None:
    """Print what became of each; exit with 1 unless all are confirmed."""
    _no_options(what)
    anyway, what = _anyway(what, anyway=anyway)

    async def ask() -> list[Done]:
        async with house_of(venue).open([device]) as opened:
            must_be_there(await opened.there(timeout))
            controls = opened.devices[device].controls()
            wanted: dict[str, Value] = {}
            for name, text in _pairs(what, controls):
                if name not in controls:
                    matching(device, controls, [name], "")
                try:
                    wanted[name] = controls[name].read(text)
                except ValueError as problem:
                    raise ShowError(str(problem)) from None
            steps = await opened.orders.planned({device: wanted}, timeout)
            _show_plan(shown.plan(steps), as_json=as_json)
            done = await opened.orders.do(steps, by="set", dry_run=dry_run, deadline=deadline, anyway=anyway)
            return _hinted(done, opened)

    _end(run(ask()), as_json=as_json)


@app.command(context_settings=MORE, help=_("Have a device do something: DEVICE ACTION NAME=VALUE …"))
def call(
    device: DeviceArgument,
    action: Annotated[
        str | None, typer.Argument(metavar="ACTION", help=_("Such as preset.recall; none: list them."))
    ] = None,
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]...")] = None,
    venue: VenueOption = None,
    *,
    anyway: AnywayOption = False,
    dry_run: DryOption = False,
    as_json: JsonOption = False,
    timeout: TimeoutOption = 5.0,
    deadline: DeadlineOption = DEADLINE,
) -> None:
    """Print what became of it; exit with 1 unless it is confirmed."""
    _no_options(arguments or ())

    async def ask() -> list[Done] | None:
        async with house_of(venue).open([device]) as opened:
            must_be_there(await opened.there(timeout))
            actions = opened.devices[device].actions()
            if action is None:
                rows = [shown.action(one) for one in actions.values()]
                print_json(rows) if as_json else out.print(shown.actions(rows))
                return None
            given: dict[str, Value] = {}
            wanted = {one.name: one.as_control() for one in actions[action].arguments} if action in actions else {}
            for word in arguments or ():
                name, equals, text = word.partition("=")
                if not equals:
                    raise typer.BadParameter(_("{word} must be like NAME=VALUE.").format(word=repr(word)))
                try:
                    given[name] = wanted[name].read(text) if name in wanted else text
                except ValueError as problem:
                    raise ShowError(str(problem)) from None
            if anyway and "anyway" in wanted:
                given["anyway"] = True
            outcome = await opened.orders.call(device, action, given, dry_run=dry_run, deadline=deadline)
            done = [Done(device, action, None, outcome)]
            return _hinted(done, opened) if "anyway" in wanted else done

    done = run(ask())
    if done is not None:
        _end(done, as_json=as_json)


@app.command(help=_("Bring devices to a snapshot: what would change is shown before it is done."))
def recall(
    name: Annotated[str, typer.Argument(metavar="NAME", help=_("A file of presets/snapshots."))],
    venue: VenueOption = None,
    *,
    anyway: AnywayOption = False,
    dry_run: DryOption = False,
    as_json: JsonOption = False,
    timeout: TimeoutOption = 5.0,
    deadline: DeadlineOption = DEADLINE,
) -> None:
    """Print the plan, then what became of each; exit with 1 unless all is confirmed."""
    house = house_of(venue)

    async def ask() -> list[Done]:
        desired = house.snapshot(name)
        async with house.open([device for device in desired if device in house.names()]) as opened:
            for sentence in (await opened.there(timeout)).values():
                err.print(sentence, markup=False, soft_wrap=True)
            steps = await opened.orders.planned(desired, timeout)
            _show_plan(shown.plan(steps), as_json=as_json)
            done = await opened.orders.do(steps, by=f"recall {name}", dry_run=dry_run, deadline=deadline, anyway=anyway)
            return _hinted(done, opened)

    _end(run(ask()), as_json=as_json)


@app.command(help=_("Take back the last set or recall, by whomever, where nobody else has changed it since."))
def undo(
    venue: VenueOption = None,
    *,
    dry_run: DryOption = False,
    as_json: JsonOption = False,
    timeout: TimeoutOption = 5.0,
    deadline: DeadlineOption = DEADLINE,
) -> None:
    """Print what goes back and what stays; exit with 1 where something could not be taken back."""
    house = house_of(venue)
    entry = house.journal().last()
    if entry is None:
        raise ShowError(_("There is nothing to undo."))

    async def ask() -> list[Done]:
        there = {change.device for change in entry.changes} & set(house.names())
        async with house.open(sorted(there)) as opened:
            for sentence in (await opened.there(timeout)).values():
                err.print(sentence, markup=False, soft_wrap=True)
            backs = await opened.orders.plan_back(entry)
            if not as_json:
                out.print(shown.entry(entry), markup=False, soft_wrap=True)
            _show_plan(shown.backs(backs), as_json=as_json)
            return await opened.orders.undo(entry, backs, dry_run=dry_run, deadline=deadline)

    _end(run(ask()), as_json=as_json)


def _anyway(words: Sequence[str], *, anyway: bool) -> tuple[bool, list[str]]:
    """Whether `anyway=true` is among the words, as for `call`, and the others."""
    others = []
    for word in words:
        name, equals, text = word.partition("=")
        if equals and name == ANYWAY.name:
            try:
                anyway = ANYWAY.read(text) is True
            except ValueError as problem:
                raise ShowError(str(problem)) from None
        else:
            others.append(word)
    return anyway, others


def _hinted(done: Sequence[Done], opened: Opened) -> list[Done]:
    """What the guard of a camera refused says how it is done here: the next command remembers no first time."""
    found = []
    for one in done:
        guarded = getattr(opened.devices.get(one.device), "guarded", False)
        outcome = one.outcome
        if outcome.kind == "refused" and guarded:
            how = _("On the command line, add --anyway.")
            outcome = Outcome(outcome.kind, f"{outcome.reason} {how}")
        found.append(dataclasses.replace(one, outcome=outcome))
    return found


def _pairs(words: Sequence[str], controls: Iterable[str]) -> list[tuple[str, str]]:
    """`CONTROL VALUE`, or any number of `CONTROL=VALUE`; a name may itself hold an equals sign."""
    known = set(controls)
    if len(words) == 2 and (words[0] in known or "=" not in words[0]):  # noqa: PLR2004 - a control and a value
        return [(words[0], words[1])]
    found = []
    for word in words:
        cuts = [place for place, letter in enumerate(word) if letter == "="]
        if not cuts:
            raise typer.BadParameter(_("{word} must be like CONTROL=VALUE.").format(word=repr(word)))
        cut = next((place for place in cuts if word[:place] in known), cuts[0])
        found.append((word[:cut], word[cut + 1 :]))
    return found


def _show_plan(table: Table, *, as_json: bool) -> None:
    if not as_json and table.row_count:
        out.print(table)


def _end(done: Sequence[Done], *, as_json: bool) -> None:
    """Print what became of each, and leave with 1 unless all was done (or, with --dry-run, could be)."""
    if as_json:
        print_json([shown.done(one) for one in done])
    else:
        for line in shown.outcomes([one for one in done if not one.already]):
            out.print(line, soft_wrap=True)
        if done and all(one.already for one in done):
            out.print(_("All of it is so already."))
    outcome: Outcome = worst(done)
    if outcome.kind not in ("confirmed", "simulated"):
        raise typer.Exit(1)
