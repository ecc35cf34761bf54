"""`studio devices …`: what the house has, how it stands, and what is asked of it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import fnmatch
import signal
import sys
import time
from collections.abc import Coroutine, Iterable, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
import typer
from rich.table import Table

from studio.app import Done, HouseDevices, Opened, worst
from studio.cli import _devices_shown as shown
from studio.cli._screen import err, out
from studio.cli._shows import VenueOption, read_venue
from studio.devices import Control, Metered, Outcome, PropertyChanged, Value
from studio.errors import DeviceError, ShowError
from studio.events import LinkChanged
from studio.language import _
from studio.show import save_snapshot, taken

T = TypeVar("T")

app = typer.Typer(
    help=_("OBS, cameras, desks and surfaces: look at them, set them, take it back."), no_args_is_help=True
)

JsonOption = Annotated[bool, typer.Option("--json", help=_("Print it as JSON."))]
TimeoutOption = Annotated[
    float,
    typer.Option("--timeout", min=0.1, max=600, help=_("Seconds to wait for devices to be there, and to answer.")),
]
AnywayOption = Annotated[
    bool, typer.Option("--anyway", help=_("Also of a camera that viewers see, or may see: they will see it move."))
]
DryOption = Annotated[bool, typer.Option("--dry-run", help=_("Say what would be done, and do nothing."))]
DeviceArgument = Annotated[str, typer.Argument(metavar=_("DEVICE"), help=_("Its name in studio.toml, or obs."))]
NamesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[DEVICE]...", help=_("Their names; without any, all but surfaces."))
]
MORE = {"ignore_unknown_options": True}
"""So that -12 is a value and no option."""
NEWLINE = "\n"
ANYWAY = Control("anyway", "switch")
"""No device has a control of that name."""


def _house(venue: Any) -> HouseDevices:  # noqa: ANN401 - a path, or none
    return HouseDevices(read_venue(venue))


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def _json(said: object) -> None:
    out.print(msgspec.json.format(msgspec.json.encode(said)).decode(), markup=False, soft_wrap=True)


def _no_options(words: Iterable[str]) -> None:
    """An option that there is not would else be taken for a value."""
    for word in words:
        if word.startswith("--"):
            raise typer.BadParameter(_("There is no option {option}").format(option=word))


@app.command("list", help=_("List the devices of studio.toml, without asking them anything."))
def list_(venue: VenueOption = None, *, as_json: JsonOption = False) -> None:
    """Print one row a device."""
    known = _house(venue).known()
    if as_json:
        _json([msgspec.to_builtins(one) for one in known])
    elif known:
        out.print(shown.devices(known))
    else:
        out.print(_("There are no devices; write [[devices]] into studio.toml, as the guide shows."), markup=False)


@app.command(help=_("Say which devices are there and how far what is known of them may be believed."))
def status(
    names: NamesArgument = None,
    venue: VenueOption = None,
    *,
    as_json: JsonOption = False,
    timeout: TimeoutOption = 5.0,
) -> None:
    """Print one row a device; exit with 1 where one is not there."""

    async def look() -> tuple[list[dict[str, Any]], bool]:
        async with _house(venue).open(names or ()) as opened:
            absent = await opened.there(timeout)
            rows = [shown.summary(name, seen, opened) for name, seen in opened.orders.seen().items()]
            return [{**row, "detail": row["detail"] or absent.get(row["name"], "")} for row in rows], bool(absent)

    rows, absent = _run(look())
    if as_json:
        _json(rows)
    else:
        out.print(shown.status(rows))
        for row in rows:
            if row["detail"]:
                out.print(shown.wrong(row), soft_wrap=True)
    if absent:
        raise typer.Exit(1)


@app.command(help=_("Print values; names may hold * and ?."))
def get(
    device: DeviceArgument,
    controls: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CONTROL]...", help=_("Such as ch1.fader or ch*.mute; none: all that is read.")),
    ] = None,
    venue: VenueOption = None,
    *,
    as_json: JsonOption = False,
    timeout: TimeoutOption = 5.0,
) -> None:
    """Print one row a control; exit with 1 where the device is not there: then the values are no news."""

    async def look() -> tuple[list[dict[str, Any]], str]:
        async with _house(venue).open([device]) as opened:
            absent = await opened.there(timeout)
            described = opened.devices[device].controls()
            names = _matching(device, described, controls or ["*"], absent.get(device, ""))
            if controls:
                await opened.orders.learn({device: names}, timeout)
            seen = opened.orders.seen()[device]
            rows = [shown.value(device, seen.controls[name], seen.values[name]) for name in names]
            return rows, absent.get(device, "")

    rows, absent = _run(look())
    _json(rows) if as_json else out.print(shown.values(rows))
    if absent:
        raise DeviceError(absent)


@app.command(help=_("Print each change as it is reported, until Ctrl-C."))
def watch(
    names: NamesArgument = None,
    venue: VenueOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print one line of JSON for each change."))] = False,
    meters: Annotated[bool, typer.Option("--meters", help=_("Meters, too: many lines a second."))] = False,
    seconds: Annotated[float | None, typer.Option("--seconds", help=_("End by itself after so many seconds."))] = None,
) -> None:
    """Print one line a change of a value or a link."""

    def tell(row: dict[str, Any]) -> None:
        if as_json:
            sys.stdout.write(msgspec.json.encode(row).decode() + NEWLINE)
            sys.stdout.flush()
        else:
            out.print(shown.change(row), soft_wrap=True)

    async def look() -> None:
        async with _house(venue).open(names or ()) as opened, opened.bus.listen(object) as facts:
            with _until_asked():
                async for fact in facts:
                    for row in _rows(fact, opened, meters=meters):
                        tell(row)

    async def limited() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await look()

    with contextlib.suppress(asyncio.CancelledError):
        _run(limited())


@contextlib.contextmanager
def _until_asked() -> Any:  # noqa: ANN401 - a context
    """Ctrl-C and SIGTERM end the task that watches, in order."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine is run by one
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, task.cancel)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def _rows(fact: object, opened: Opened, *, meters: bool) -> list[dict[str, Any]]:
    now = {"time": round(time.time(), 3)}
    if getattr(fact, "name", None) not in opened.devices:  # OBS beside a camera runs for its guard, and is not watched
        return []
    match fact:
        case PropertyChanged(name=name, control=control, property=known):
            described = opened.devices[name].controls().get(control)
            return [{**now, **shown.value(name, described, known, control)}]
        case LinkChanged(name=name, state=state, detail=detail):
            return [{**now, "device": name, "link": state, "detail": detail}]
        case Metered(name=name, values=values) if meters:
            return [{**now, "device": name, "meters": dict(values)}]
    return []


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
) -> None:
    """Print what became of each; exit with 1 unless all are confirmed."""
    _no_options(what)
    anyway, what = _anyway(what, anyway=anyway)

    async def ask() -> list[Done]:
        async with _house(venue).open([device]) as opened:
            _must_be_there(await opened.there(timeout))
            controls = opened.devices[device].controls()
            wanted: dict[str, Value] = {}
            for name, text in _pairs(what, controls):
                if name not in controls:
                    _matching(device, controls, [name], "")
                try:
                    wanted[name] = controls[name].read(text)
                except ValueError as problem:
                    raise ShowError(str(problem)) from None
            steps = await opened.orders.planned({device: wanted}, timeout)
            _show_plan(shown.plan(steps), as_json=as_json)
            done = await opened.orders.do(steps, by="set", dry_run=dry_run, deadline=timeout, anyway=anyway)
            return _hinted(done, opened)

    _end(_run(ask()), as_json=as_json)


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
) -> None:
    """Print what became of it; exit with 1 unless it is confirmed."""
    _no_options(arguments or ())

    async def ask() -> list[Done] | None:
        async with _house(venue).open([device]) as opened:
            _must_be_there(await opened.there(timeout))
            actions = opened.devices[device].actions()
            if action is None:
                rows = [shown.action(one) for one in actions.values()]
                _json(rows) if as_json else out.print(shown.actions(rows))
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
            outcome = await opened.orders.call(device, action, given, dry_run=dry_run, deadline=timeout)
            done = [Done(device, action, None, outcome)]
            return _hinted(done, opened) if "anyway" in wanted else done

    done = _run(ask())
    if done is not None:
        _end(done, as_json=as_json)


@app.command(help=_("Keep how devices stand as presets/snapshots/NAME.yaml."))
def snapshot(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DEVICE[:CONTROL]]...", help=_("Such as desk, or desk:ch*.fader; none: all that is read.")
        ),
    ] = None,
    venue: VenueOption = None,
    *,
    replace: Annotated[bool, typer.Option("--replace", help=_("Write over the one that there is."))] = False,
    note: Annotated[str, typer.Option("--note", help=_("What it is for."))] = "",
    as_json: JsonOption = False,
    timeout: TimeoutOption = 5.0,
) -> None:
    """Write what is reported; what is not known is left out, and said."""
    house = _house(venue)
    asked = [word.partition(":")[::2] for word in what or ()]

    async def look() -> tuple[dict[str, dict[str, float | str | bool]], int]:
        async with house.open([device for device, _control in asked]) as opened:
            _must_be_there(await opened.there(timeout))
            seen = opened.orders.seen()
            patterns: dict[str, list[str]] = {device: [] for device in seen}
            for device, control in asked:
                patterns[device].append(control or "*")
            wanted = {
                device: set(_matching(device, seen[device].controls, found or ["*"], ""))
                for device, found in patterns.items()
            }
            await opened.orders.learn({device: wanted[device] for device in wanted if patterns[device]}, timeout)
            seen = opened.orders.seen()
            found = taken(seen, wanted)
            all_ = sum(seen[device].controls[one].writable for device in wanted for one in wanted[device])
            return found, all_ - sum(map(len, found.values()))

    found, missing = _run(look())
    if not found:
        raise ShowError(_("Nothing of that is reported and can be set again, so there is nothing to keep."))
    stamp = time.strftime("%Y-%m-%d %H:%M")
    file = save_snapshot(house.folder, name, found, f"{note} ({stamp})" if note else stamp, replace=replace)
    count = sum(map(len, found.values()))
    if as_json:
        _json({"file": str(file), "controls": count, "missing": missing})
        return
    out.print(_("{count} values are kept in {file}.").format(count=count, file=file), markup=False, soft_wrap=True)
    if missing:
        left = _("{count} are not read and are left out; name them, as in desk:ch*.pan, to have them asked for.")
        err.print(left.format(count=missing), markup=False, soft_wrap=True)


@app.command(help=_("Bring devices to a snapshot: what would change is shown before it is done."))
def recall(
    name: Annotated[str, typer.Argument(metavar="NAME", help=_("A file of presets/snapshots."))],
    venue: VenueOption = None,
    *,
    anyway: AnywayOption = False,
    dry_run: DryOption = False,
    as_json: JsonOption = False,
    timeout: TimeoutOption = 5.0,
) -> None:
    """Print the plan, then what became of each; exit with 1 unless all is confirmed."""
    house = _house(venue)

    async def ask() -> list[Done]:
        desired = house.snapshot(name)
        async with house.open([device for device in desired if device in house.names()]) as opened:
            for sentence in (await opened.there(timeout)).values():
                err.print(sentence, markup=False, soft_wrap=True)
            steps = await opened.orders.planned(desired, timeout)
            _show_plan(shown.plan(steps), as_json=as_json)
            done = await opened.orders.do(steps, by=f"recall {name}", dry_run=dry_run, deadline=timeout, anyway=anyway)
            return _hinted(done, opened)

    _end(_run(ask()), as_json=as_json)


@app.command(help=_("Take back the last set or recall, by whomever, where nobody else has changed it since."))
def undo(
    venue: VenueOption = None,
    *,
    dry_run: DryOption = False,
    as_json: JsonOption = False,
    timeout: TimeoutOption = 5.0,
) -> None:
    """Print what goes back and what stays; exit with 1 where something could not be taken back."""
    house = _house(venue)
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
            return await opened.orders.undo(entry, backs, dry_run=dry_run, deadline=timeout)

    _end(_run(ask()), as_json=as_json)


def _must_be_there(absent: dict[str, str]) -> None:
    for sentence in absent.values():
        raise DeviceError(sentence)


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
        on_air = getattr(opened.devices.get(one.device), "on_air", False)
        outcome = one.outcome
        if outcome.kind == "refused" and on_air:
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


def _matching(device: str, controls: Iterable[str], patterns: Iterable[str], absent: str) -> list[str]:
    """The controls that match; DeviceError for a pattern that matches none."""
    known = list(controls)
    found: dict[str, None] = {}
    for pattern in patterns:
        hits = [pattern] if pattern in known else fnmatch.filter(known, pattern)
        if not hits and (pattern != "*" or absent):
            raise DeviceError(absent if absent and not known else shown.no_control(device, pattern, known))
        found.update(dict.fromkeys(hits))
    return list(found)


def _show_plan(table: Table, *, as_json: bool) -> None:
    if not as_json and table.row_count:
        out.print(table)


def _end(done: Sequence[Done], *, as_json: bool) -> None:
    """Print what became of each, and leave with 1 unless all was done (or, with --dry-run, could be)."""
    if as_json:
        _json([shown.done(one) for one in done])
    else:
        for line in shown.outcomes([one for one in done if not one.already]):
            out.print(line, soft_wrap=True)
        if done and all(one.already for one in done):
            out.print(_("All of it is so already."))
    outcome: Outcome = worst(done)
    if outcome.kind not in ("confirmed", "simulated"):
        raise typer.Exit(1)
