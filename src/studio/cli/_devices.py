"""`studio devices …`: what the house has, how it stands, and what is asked of it."""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import signal
import sys
import time
from collections.abc import Coroutine, Iterable
from typing import Annotated, Any, TypeVar

import msgspec
import typer

from studio.app import HouseDevices, Opened
from studio.cli import _devices_shown as shown
from studio.cli._screen import err, out
from studio.cli._venue import VenueOption, read_venue
from studio.devices import Metered, PropertyChanged
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
    typer.Option("--timeout", min=0.1, max=600, help=_("Seconds to wait for devices to be there, and to be known.")),
]
DeviceArgument = Annotated[str, typer.Argument(metavar=_("DEVICE"), help=_("Its name in studio.toml, or obs."))]
NamesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[DEVICE]...", help=_("Their names; without any, all but surfaces."))
]
NEWLINE = "\n"


def house_of(venue: Any) -> HouseDevices:  # noqa: ANN401 - a path, or none
    return HouseDevices(read_venue(venue))


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def print_json(said: object) -> None:
    out.print(msgspec.json.format(msgspec.json.encode(said)).decode(), markup=False, soft_wrap=True)


@app.command("list", help=_("List the devices of studio.toml, without asking them anything."))
def list_(venue: VenueOption = None, *, as_json: JsonOption = False) -> None:
    """Print one row a device."""
    known = house_of(venue).known()
    if as_json:
        print_json([msgspec.to_builtins(one) for one in known])
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
        async with house_of(venue).open(names or ()) as opened:
            absent = await opened.there(timeout)
            rows = [shown.summary(name, seen, opened) for name, seen in opened.orders.seen().items()]
            return [{**row, "detail": row["detail"] or absent.get(row["name"], "")} for row in rows], bool(absent)

    rows, absent = run(look())
    if as_json:
        print_json(rows)
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
        async with house_of(venue).open([device]) as opened:
            absent = await opened.there(timeout)
            described = opened.devices[device].controls()
            names = matching(device, described, controls or ["*"], absent.get(device, ""))
            if controls:
                await opened.orders.learn({device: names}, timeout)
            seen = opened.orders.seen()[device]
            rows = [shown.value(device, seen.controls[name], seen.values[name]) for name in names]
            return rows, absent.get(device, "")

    rows, absent = run(look())
    print_json(rows) if as_json else out.print(shown.values(rows))
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
        async with (
            house_of(venue).open(names or ()) as opened,
            opened.bus.listen(object) as facts,
            opened.bus.listen(Metered, 1) if meters else contextlib.nullcontext(),  # so that they come
        ):
            with _until_asked():
                async for fact in facts:
                    for row in _rows(fact, opened, meters=meters):
                        tell(row)

    async def limited() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await look()

    with contextlib.suppress(asyncio.CancelledError):
        run(limited())


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
    house = house_of(venue)
    asked = [word.partition(":")[::2] for word in what or ()]

    async def look() -> tuple[dict[str, dict[str, float | str | bool]], int]:
        async with house.open([device for device, _control in asked]) as opened:
            must_be_there(await opened.there(timeout))
            seen = opened.orders.seen()
            patterns: dict[str, list[str]] = {device: [] for device in seen}
            for device, control in asked:
                patterns[device].append(control or "*")
            wanted = {
                device: set(matching(device, seen[device].controls, found or ["*"], ""))
                for device, found in patterns.items()
            }
            await opened.orders.learn({device: wanted[device] for device in wanted if patterns[device]}, timeout)
            seen = opened.orders.seen()
            found = taken(seen, wanted)
            all_ = sum(seen[device].controls[one].writable for device in wanted for one in wanted[device])
            return found, all_ - sum(map(len, found.values()))

    found, missing = run(look())
    if not found:
        raise ShowError(_("Nothing of that is reported and can be set again, so there is nothing to keep."))
    stamp = time.strftime("%Y-%m-%d %H:%M")
    file = save_snapshot(house.folder, name, found, f"{note} ({stamp})" if note else stamp, replace=replace)
    count = sum(map(len, found.values()))
    if as_json:
        print_json({"file": str(file), "controls": count, "missing": missing})
        return
    out.print(_("{count} values are kept in {file}.").format(count=count, file=file), markup=False, soft_wrap=True)
    if missing:
        left = _("{count} are not read and are left out; name them, as in desk:ch*.pan, to have them asked for.")
        err.print(left.format(count=missing), markup=False, soft_wrap=True)


def must_be_there(absent: dict[str, str]) -> None:
    for sentence in absent.values():
        raise DeviceError(sentence)


def matching(device: str, controls: Iterable[str], patterns: Iterable[str], absent: str) -> list[str]:
    """The controls that match; DeviceError for a pattern that matches none."""
    known = list(controls)
    found: dict[str, None] = {}
    for pattern in patterns:
        hits = [pattern] if pattern in known else fnmatch.filter(known, pattern)
        if not hits and (pattern != "*" or absent):
            raise DeviceError(absent if absent and not known else shown.no_control(device, pattern, known))
        found.update(dict.fromkeys(hits))
    return list(found)
