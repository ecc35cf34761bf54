"""What may go wrong, one branch a room.

Every message is one sentence in the user's language that says what to do. Facts are kept as attributes, so that
nobody has to read them back out of a sentence. The command line prints the sentence and leaves with `exit_code`;
only `--verbose` shows a traceback.
"""

from __future__ import annotations

import errno
import os
import socket
from typing import TYPE_CHECKING

from studio.language import _

if TYPE_CHECKING:
    from pathlib import Path


class StudioError(Exception):
    """Something a technician can act on."""

    exit_code = 1
    """What the process ends with: 1 for trouble, 2 for a request that could not be understood."""


class DrawerError(StudioError):
    """A file in a drawer, or `studio.toml`, says something that cannot be so."""

    exit_code = 2

    def __init__(
        self, message: str, *, file: Path | None = None, line: int | None = None, shown: str | None = None
    ) -> None:
        """Say `message`; `line` counts from 1 and is `None` where the file as a whole is meant.

        `shown` is the file as people know it, `scenes/talk.yaml`; `None`: its whole path.
        """
        name = shown or file
        if name and line:
            message = _("{file} line {line}: {message}").format(file=name, line=line, message=message)
        elif name:
            message = f"{name}: {message}"
        super().__init__(message)
        self.also: tuple[DrawerError, ...] = ()
        """What else is wrong in what was read at the same time; the message is about the first."""
        self.file = file
        self.line = line

    def all(self) -> list[DrawerError]:
        """Return this one and all that is `also` wrong, in the order of the lines."""
        return [self, *(other for near in self.also for other in near.all())]


class SecretError(StudioError):
    """A stream key or a passphrase cannot be had."""

    exit_code = 2


class MediaError(StudioError):
    """Sound or picture cannot be read, encoded or written."""


class SpeechError(StudioError):
    """Speech cannot be recognised: no model, or a broken one."""


class SubtitlesError(StudioError):
    """A subtitle file cannot be read or written."""


class CaptionsError(StudioError):
    """Captions cannot be made or kept."""


class ArchiveError(StudioError):
    """A film cannot be subtitled, found or kept."""


class VocalError(StudioError):
    """A take, a session or what is made of them cannot be had."""


class DeviceError(StudioError):
    """A thing with a plug does not do as asked."""


class NotSupported(DeviceError):  # noqa: N818 - it is an answer, not a fault
    """This model cannot do that."""


class ShowError(StudioError):
    """The show cannot be put on."""


class WebError(StudioError):
    """The page cannot be served."""


def first_of(group: BaseExceptionGroup[StudioError]) -> StudioError:
    """The first sentence of several: tasks that fall together mostly fall for one reason."""
    first = group.exceptions[0]
    return first_of(first) if isinstance(first, BaseExceptionGroup) else first


def why(problem: BaseException) -> str:
    """Return what the system says against it, in the user's language where it is something that happens in a hall.

    The system itself speaks English to us, whatever it speaks to people. What is no error of the system is said as
    it is.
    """
    if isinstance(problem, socket.gaierror):
        return _("there is no computer of that name")
    number = getattr(problem, "errno", None)
    known = {
        errno.ENOENT: _("there is no such file or folder"),
        errno.EACCES: _("the rights do not allow it"),
        errno.EPERM: _("the rights do not allow it"),
        errno.ENOSPC: _("the disk is full"),
        errno.EDQUOT: _("your share of the disk is full"),
        errno.EROFS: _("the disk can only be read"),
        errno.EIO: _("the disk has an error"),
        errno.ENOTDIR: _("a part of the path is no folder"),
        errno.EISDIR: _("it is a folder"),
        errno.EEXIST: _("it is there already"),
        errno.ENAMETOOLONG: _("the name is too long"),
        errno.EMFILE: _("too many files are open"),
        errno.EADDRINUSE: _("another program has it"),
        errno.EADDRNOTAVAIL: _("it is no address of this machine"),
        errno.ECONNREFUSED: _("nobody answers there"),
        errno.EHOSTUNREACH: _("there is no way there"),
        errno.ENETUNREACH: _("there is no network"),
        errno.ETIMEDOUT: _("no answer came in time"),
    }
    if number in known:
        return known[number]
    return getattr(problem, "strerror", None) or (os.strerror(number) if isinstance(number, int) else str(problem))
