"""`studio vocal …`: the vocal studio."""

from __future__ import annotations

import typer

from studio.cli import (
    _vocal_export,
    _vocal_levels,
    _vocal_notes,
    _vocal_page,
    _vocal_pitch,
    _vocal_record,
    _vocal_session,
    _vocal_takes,
)
from studio.cli._usage import HELP
from studio.language import _

app = typer.Typer(
    help=_("The vocal studio: record a singing group, listen, keep."),
    no_args_is_help=True,
    context_settings={"help_option_names": HELP},
)
app.add_typer(_vocal_session.app, name="session")
app.command("open", help=_("Open a session with its recorder and the Studio page."))(_vocal_page.open_)
app.command("song", help=_("Say what is sung now, with its tempo and what it is sung to; list the songs."))(
    _vocal_notes.song
)
app.command("singer", help=_("Note who sings, and whether there is consent; list them."))(_vocal_notes.singer)
app.command("arm", help=_("Say which inputs are recorded, as what, and who sings there."))(_vocal_notes.arm)
app.command("inputs", help=_("List what can be recorded from."))(_vocal_record.inputs)
app.command("levels", help=_("Let the group sing its loudest part and say of each microphone what to do."))(
    _vocal_levels.levels
)
app.command("record", help=_("Record a take, with meters, until Enter or Ctrl-C."))(_vocal_record.record)
app.command("stop", help=_("End the take that is being recorded, also where its terminal is gone."))(_vocal_record.stop)
app.command("takes", help=_("List the takes: how loud, how long, what they are worth."))(_vocal_takes.takes)
app.command("keep", help=_("Mark takes as keepers, with up to five stars."))(_vocal_notes.keep)
app.command("comment", help=_("Say something about a moment of a take."))(_vocal_notes.comment)
app.command("pitch", help=_("Say how far a take is from its melody, in cents; write its pitch as a table."))(
    _vocal_pitch.pitch
)
app.command("comp", help=_("Put the best parts of several keepers together; list what there is."))(_vocal_notes.comp)
app.command("note", help=_("Remember something of the session."))(_vocal_notes.note)
app.command(
    "export", help=_("Write takes, comps or all keepers as files: mixed, as loud as they shall be, with tags.")
)(_vocal_export.export)
app.command("check", help=_("Read every take to its end and say what is missing, damaged or without consent."))(
    _vocal_takes.check
)
