"""The command line as a whole: options of every command, and how it ends when something goes wrong."""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from studio import __version__
from studio.cli._screen import LOG_LINE, err, out
from studio.cli._usage import HELP, mistake, translated
from studio.errors import StudioError
from studio.language import _, speak, wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

speak(wanted())  # before any help text below is looked up

VERBOSE = "--verbose"
ALONE = {"subtitle": "_subtitles", "vocal": "_vocal"}
"""Commands that people start again and again: they do not wait until all others are loaded."""
SISTERS = frozenset({"check", "convert", "fix", "sounds", "sync", "translate"})
"""What stands beside the unnamed command of `studio subtitle`; a film waits for none of them."""

SELDOM = 50_000
"""So many new objects, until somebody looks for rubbish among them; as Python has it 700, which takes a tenth of a run
over films that finds all done. Nobody waits for a film by the millisecond, as they do for a show."""


def studio(only: str = "", then: str = "") -> typer.Typer:
    """The command line; with one of `ALONE` as `only` that command alone, and `then` is the first word after it."""
    app = typer.Typer(
        name="studio",
        help=_("Streaming, live captions and recording for the hall."),
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": HELP},
    )
    app.callback(invoke_without_command=True)(options)
    if only in ALONE:  # the help texts speak the language chosen above
        file = "_subtitle" if only == "subtitle" and then and then not in SISTERS else ALONE[only]
        app.add_typer(importlib.import_module(f"studio.cli.{file}").app, name=only)
    else:
        from studio.cli import _commands  # noqa: PLC0415 - as above; what loads for a second

        _commands.add_to(app)
    return app


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
        words = [argument for argument in arguments if not argument.startswith("-")]
        with _seldom_swept() if words[:1] == ["subtitle"] else contextlib.nullcontext():
            code = translated(studio(*words[:2]))(args=arguments, standalone_mode=False)
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


@contextlib.contextmanager
def _seldom_swept() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
