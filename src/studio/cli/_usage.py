"""What Typer says by itself, in the user's language: the frame of a help page, and mistakes in the arguments."""

from __future__ import annotations

import re
from typing import Any, cast

import typer
from typer._click.formatting import HelpFormatter
from typer.core import TyperCommand, TyperGroup

from studio.catalogue import instead
from studio.language import _

HELP = ["-h", "--help"]
_UNKNOWN = re.compile(r"^No such command ['\"](?P<word>.*?)['\"]\.")
_TOO_MANY = re.compile(r"^Got unexpected extra argument.*\((?P<words>.*)\)$")
_LIMITS = {"greater_than_equal": "ge", "less_than_equal": "le", "greater_than": "gt", "less_than": "lt"}


class _Usage(HelpFormatter):
    def __init__(self, **how: Any) -> None:  # noqa: ANN401 - what its base takes
        _say_frame()
        super().__init__(**how)

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, prefix or _("Usage:") + " ")


def translated(app: typer.Typer) -> TyperGroup:
    """Return `app` as a command whose help pages have their frame in the user's language, too."""
    TyperCommand.context_class.formatter_class = _Usage
    command = cast("TyperGroup", typer.main.get_command(app))
    _help_in_words(command)
    return command


def _say_frame() -> None:
    """What stands around every help page; when one is wanted, for it loads a tenth of a second of Markdown."""
    from typer import rich_utils  # noqa: PLC0415 - see above

    rich_utils.ARGUMENTS_PANEL_TITLE = _("Arguments")
    rich_utils.OPTIONS_PANEL_TITLE = _("Options")
    rich_utils.COMMANDS_PANEL_TITLE = _("Commands")
    rich_utils.DEFAULT_STRING = _("[default: {}]")
    rich_utils.REQUIRED_LONG_STRING = _("[required]")


def _help_in_words(command: TyperCommand | TyperGroup) -> None:
    option = command.get_help_option(typer.Context(cast("Any", command), help_option_names=HELP))
    if option is not None:
        option.help = _("Show this page and leave.")
    for part in getattr(command, "commands", {}).values():
        _help_in_words(part)


def mistake(problem: typer.TyperException) -> str:
    """Return what is wrong in the arguments, and where one reads what they may be, in one sentence."""
    if type(problem).__name__ == "NoArgsIsHelpError":  # no mistake: the page itself
        return problem.message
    context = getattr(problem, "ctx", None)
    what = _what(problem, context).rstrip(".")
    if context is None:
        return f"{what}."
    return _("{problem}; {command} --help tells what there is.").format(problem=what, command=context.command_path)


def _what(problem: typer.TyperException, context: Any) -> str:  # noqa: ANN401 - Typer's own context has no public type
    option = getattr(problem, "option_name", None)
    if option is not None:
        return _about_option(str(option), problem)
    if unknown := _UNKNOWN.match(problem.message):
        word = unknown["word"]
        known = getattr(getattr(context, "command", None), "commands", {})
        return _('There is no command "{word}"').format(word=word) + instead(word, known)
    if extra := _TOO_MANY.match(problem.message):
        return _('Nothing is to stand there, but there is "{words}"').format(words=extra["words"])
    if problem.message == "Missing command.":
        return _("A command is missing")
    if isinstance(problem, typer.BadParameter):
        return _about_value(problem, context)
    return problem.format_message()


def _about_option(option: str, problem: typer.TyperException) -> str:
    if "requires" in problem.message:
        return _("{option} needs a value after it").format(option=option)
    if "does not take" in problem.message:
        return _("{option} takes no value").format(option=option)
    near = getattr(problem, "possibilities", None) or []
    return _("There is no option {option}").format(option=option) + instead(option, near)


def _about_value(problem: typer.BadParameter, context: Any) -> str:  # noqa: ANN401 - as above
    parameter = problem.param
    name = parameter.get_error_hint().strip("'") if parameter else ""
    if type(problem).__name__ == "MissingParameter":
        return _("{name} is missing").format(name=name)
    errors = getattr(problem.__cause__, "errors", None)
    if not (errors and name and context):  # our own sentence
        return f"{name}: {problem.message}" if name else problem.message
    return _about_type(name, errors()[0])


def _about_type(name: str, error: dict[str, Any]) -> str:
    kind, given, limits = error["type"], error.get("input"), error.get("ctx", {})
    if kind in _LIMITS:
        limit = f"{limits[_LIMITS[kind]]:g}"
        if kind.startswith("greater"):
            return _("{name} cannot be {given}: no less than {limit}").format(name=name, given=given, limit=limit)
        return _("{name} cannot be {given}: no more than {limit}").format(name=name, given=given, limit=limit)
    if kind.startswith("int"):
        return _('{name} takes a whole number, not "{given}"').format(name=name, given=given)
    if kind.startswith("float"):
        return _('{name} takes a number such as 6 or 7.5, not "{given}"').format(name=name, given=given)
    return _('{name} cannot be "{given}"').format(name=name, given=given)
