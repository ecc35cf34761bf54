"""The command line as a whole: options of every command, and how it ends when something goes wrong."""

from __future__ import annotations

import logging
import os
import sys
from typing import Annotated

import typer

from studio import __version__
from studio.cli._screen import LOG_LINE, err, out
from studio.cli._usage import HELP, mistake, translated
from studio.errors import StudioError
from studio.language import _, speak, wanted

speak(wanted())  # before any help text below is looked up

from studio.cli import (  # noqa: E402 - their help texts speak the language chosen above
    _captions,
    _destinations,
    _devices_asked,
    _encoders,
    _files,
    _films,
    _hardware,
    _models,
    _obs,
    _rehearse,
    _shows,
    _subtitle,
    _subtitle_check,
    _subtitle_convert,
    _subtitle_sounds,
    _subtitle_sync,
)

app = typer.Typer(
    name="studio",
    help=_("Streaming, live captions and recording for the hall."),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": HELP},
)
app.command(help=_("Put a show on the air: a file, a microphone, or whoever streams to us."))(_shows.live)
app.command(help=_("Put a pretend show on the air: real OBS plays a talk that is captioned live."))(_shows.demo)
app.command(help=_("Put up the devices of studio.toml as pretend ones on this machine, with faults on order."))(
    _rehearse.rehearse
)
app.command(help=_("Read studio.toml and every drawer without touching a device."))(_files.check)
app.command(help=_("List the destinations of studio.toml, and whether their keys can be had."))(
    _destinations.destinations
)
app.command(help=_("Join the parts of a recording that was cut off."))(_files.recover)
app.command(help=_("Try which encoders work on this machine."))(_encoders.encoders)
app.command(help=_("List the microphones that --input mic:NAME can take."))(_files.microphones)
app.add_typer(_captions.app, name="captions")
app.add_typer(_devices_asked.app, name="devices")
app.add_typer(_films.app, name="films")
app.add_typer(_hardware.app, name="hardware")
app.add_typer(_models.app, name="models")
app.add_typer(_obs.app, name="obs")
_subtitle.app.command("check", help=_("Hold subtitle files against a reading profile."))(_subtitle_check.check)
_subtitle.app.command("fix", help=_("Mend subtitle files so that they keep a reading profile; no word is lost."))(
    _subtitle_check.fix
)
_subtitle.app.command("convert", help=_("Write subtitle files in other forms."))(_subtitle_convert.convert_files)
_subtitle.app.command("sync", help=_("Bring a subtitle file to the sound of its film."))(_subtitle_sync.sync)
_subtitle.app.command("sounds", help=_("Suggest labels for what sounds in a film, such as music and applause."))(
    _subtitle_sounds.sounds
)
app.add_typer(_subtitle.app, name="subtitle")

VERBOSE = "--verbose"


@app.callback(invoke_without_command=True)
def options(
    *,
    verbose: Annotated[  # noqa: ARG001 - `main` has read it: it must hold for mistakes in the arguments too
        bool, typer.Option(VERBOSE, help=_("Show tracebacks and the log."))
    ] = False,
    version: Annotated[bool, typer.Option("--version", help=_("Say the version and leave."))] = False,
) -> None:
    """Read the options of every command."""
    if version:
        out.print(f"studio {__version__}")
        raise typer.Exit


def main() -> None:
    """Run `studio`: 0 when all went well, 1 for trouble, 2 for a request that could not be understood, 130 for Ctrl-C.

    Whatever goes wrong ends with one sentence; a traceback is shown with `--verbose` only, which may stand anywhere.
    """
    arguments = [argument for argument in sys.argv[1:] if argument != VERBOSE]
    verbose = len(arguments) < len(sys.argv) - 1
    heard = logging.StreamHandler()
    heard.setLevel(logging.INFO if verbose else logging.CRITICAL)
    logging.raiseExceptions = verbose  # a log on a full disk is lost; that is said elsewhere, in one sentence
    logging.basicConfig(level=logging.INFO, format=LOG_LINE, handlers=[heard])
    sys.exit(_run(arguments, verbose=verbose))


def _run(arguments: list[str], *, verbose: bool) -> int:
    try:
        code = translated(app)(args=arguments, standalone_mode=False)
    except StudioError as problem:
        if verbose:
            err.print_exception()
        err.print(str(problem), markup=False, soft_wrap=True)
        return problem.exit_code
    except typer.TyperException as problem:
        err.print(mistake(problem), markup=False, soft_wrap=True)
        return problem.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:  # `studio … | head`: nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as problem:  # noqa: BLE001 - the one place where a mistake of ours becomes a sentence
        if verbose:
            err.print_exception()
        err.print(
            _(
                "Something went wrong inside studio ({kind}: {problem}); run it again with --verbose to see where."
            ).format(kind=type(problem).__name__, problem=problem),
            markup=False,
            soft_wrap=True,
        )
        return 1
    return code if isinstance(code, int) else 0
