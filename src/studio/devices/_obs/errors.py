"""What OBS, or its absence, says no with. Apart from the connection, so that naming them loads no library."""

from __future__ import annotations

from studio.errors import DeviceError
from studio.language import _

NO_SUCH_THING = 600
"""obs-websocket's status ResourceNotFound."""

NOT_READY = 604
"""obs-websocket's status InvalidResourceState."""


def _why(code: int) -> str:
    """What a status means that OBS sends without a comment; empty for others."""
    return {
        500: _("it runs already"),
        501: _("it does not run"),
        502: _("it is paused already"),
        503: _("it is not paused"),
        504: _("it is switched off in its settings"),
        505: _("studio mode is on"),
        506: _("studio mode is off"),
    }.get(code, "")


class ObsLostError(DeviceError):
    """This connection is no more; another one may work."""


class ObsRefusedError(DeviceError):
    """OBS is there and will not have us."""


class ObsDeniedError(DeviceError):
    """OBS answered, and its answer is no."""

    def __init__(self, request: str, code: int, comment: str) -> None:
        """Keep OBS's request, its status code (600: no such thing) and its own words."""
        super().__init__(
            _("OBS cannot do {request}: {comment} (code {code}).").format(
                request=request, comment=comment.rstrip(".") or _why(code), code=code
            )
        )
        self.request = request
        self.code = code
        self.comment = comment


def absent(host: str, port: int) -> str:
    """The sentence for an OBS that is not there, whatever the reason."""
    return _(
        "OBS does not answer at {host}:{port}. Is it running, with its WebSocket server switched on "
        "(Tools → WebSocket Server Settings)?"
    ).format(host=host, port=port)


def wrong_password(host: str, port: int) -> str:
    """The sentence for an OBS that does not take our password."""
    return _(
        "OBS at {host}:{port} refuses the password. Compare it with Tools → WebSocket Server Settings → Show Connect "
        "Info in OBS, and put it into the environment variable that studio.toml names as password_env."
    ).format(host=host, port=port)
