"""`studio subtitle` and its sisters."""

import typer

from studio.cli import (
    _subtitle,
    _subtitle_check,
    _subtitle_convert,
    _subtitle_sounds,
    _subtitle_sync,
    _subtitle_translate,
)
from studio.cli._unnamed import OrUnnamed
from studio.language import _

app = typer.Typer(cls=OrUnnamed, help=_subtitle.app.info.help)  # of its own: that of `_subtitle` stays alone
app.registered_commands += _subtitle.app.registered_commands
app.command("check", help=_("Hold subtitle files against a reading profile."))(_subtitle_check.check)
app.command("fix", help=_("Mend subtitle files so that they keep a reading profile; no word is lost."))(
    _subtitle_check.fix
)
app.command("convert", help=_("Write subtitle files in other forms."))(_subtitle_convert.convert_files)
app.command("sync", help=_("Bring a subtitle file to the sound of its film."))(_subtitle_sync.sync)
app.command("sounds", help=_("Suggest labels for what sounds in a film, such as music and applause."))(
    _subtitle_sounds.sounds
)
app.command("translate", help=_("Write a subtitle file in English, by the sound of its film."))(
    _subtitle_translate.translate
)
