"""Whether an encoder works here: it really encodes a second, in a child, for drivers crash and hang."""

from __future__ import annotations

import json
import logging
import math
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import av
import msgspec

from studio.language import _
from studio.media._air.codecs import CODECS, HARDWARE, X264, Codec
from studio.media._air.engine import Due, Engine
from studio.media._air.picture import black
from studio.media._ground.clock import Ticks
from studio.media._ground.planes import pixels
from studio.media._plan import EncodePreset
from studio.wire.fmp4 import avc_setup

if TYPE_CHECKING:
    from collections.abc import Callable

    from studio.media._air.engine import Made

logger = logging.getLogger(__name__)

DEADLINE = 10.0
"""Seconds for one trial; a driver that begins takes one or two."""
WAIT = 3.0
"""Seconds for which a programme that is to begin waits for the trials, which had the hold to come to an end."""
SIZE = (1280, 720)
"""What is tried where the source will say how large its pictures are."""
_LATE = 4
"""Pictures that an encoder may hold back at the most."""
_SLOW = 0.9
"""Share of real time that an encoder may need: the rest is for its worse moments."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of trying one encoder."""

    name: str
    title: str
    works: bool
    why: str
    """Why not, in one sentence; empty where it works."""
    needs: str
    """What it needs; empty where nothing."""
    ms: float | None
    """Per picture, on average; `None` where it does not work."""


class _Came(msgspec.Struct, frozen=True):
    """What a child says of its trial."""

    fault: Literal["", "absent", "closed", "order", "keys", "late", "slow"] = ""
    detail: str = ""
    ms: float = 0.0


def trial(codec: Codec, preset: EncodePreset, size: tuple[int, int], fps: float, deadline: float = DEADLINE) -> Trial:
    """Let a child try `codec` with pictures of this `size` and rate."""
    told = json.dumps({"codec": codec.name, "preset": asdict(preset), "size": size, "fps": fps})
    try:
        child = subprocess.run(
            [sys.executable, "-m", "studio.media._air.trial"],
            input=told.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=deadline,
            check=False,
        )
        came = msgspec.json.decode(child.stdout, type=_Came)
    except subprocess.TimeoutExpired:
        return _not(codec, _("its driver does not answer"))
    except (OSError, msgspec.MsgspecError):
        return _not(codec, _("its driver ended the whole trial"))
    if came.fault:
        return _not(codec, _sentence(came))
    return Trial(codec.name, codec.title, works=True, why="", needs=codec.needs(), ms=came.ms)


def _not(codec: Codec, why: str) -> Trial:
    return Trial(codec.name, codec.title, works=False, why=why, needs=codec.needs(), ms=None)


def _sentence(came: _Came) -> str:
    says = {
        "absent": _("this FFmpeg does not have it"),
        "closed": _("it does not open: {problem}").format(problem=came.detail),
        "order": _("it loses pictures, or brings them out of order"),
        "keys": _("it makes no keyframes where they are needed"),
        "late": _("it holds back too many pictures ({count})").format(count=came.detail),
        "slow": _("it takes {ms} ms for a picture, which is too slow").format(ms=came.detail),
    }
    return says[came.fault]


def trials(preset: EncodePreset, size: tuple[int, int], fps: float) -> list[Trial]:
    """Try every encoder there is."""
    return [trial(codec, preset, size, fps) for codec in CODECS.values()]


class Choice:
    """Which encoder a preset comes to, tried in a thread while the hold fills."""

    def __init__(self, preset: EncodePreset, say: Callable[[str], None]) -> None:
        """`say` is told where one that was named does not work."""
        self._preset = preset
        self._say = say
        self._codec: Codec | None = None
        self._thread = threading.Thread(target=self._try, name="encoders", daemon=True)
        if preset.encoder == "x264":
            self._codec = X264
        else:
            self._thread.start()

    def codec(self) -> Codec:
        """Return the encoder, within a few seconds."""
        if self._codec is None:
            self._thread.join(WAIT)
        if self._codec is None:
            self._say(_("The encoders were not tried in time, so x264 encodes; `studio encoders` says what is wrong."))
        return self._codec or X264

    def _try(self) -> None:
        wanted = [codec for codec in HARDWARE if self._preset.encoder in {"auto", codec.name}]
        size = (self._preset.width or SIZE[0], self._preset.height or SIZE[1])
        found = None
        for codec in wanted:
            found = trial(codec, self._preset, size, self._preset.fps or 25.0)
            logger.info("encoder %s: %s", codec.title, found.why or f"{found.ms:.1f} ms a picture")
            if found.works:
                self._codec = codec
                return
        self._codec = X264
        if self._preset.encoder != "auto" and found is not None:
            self._say(
                _("{name} cannot encode here ({why}), so x264 does; it needs {needs}.").format(
                    name=found.title, why=found.why, needs=found.needs
                )
            )


# ── in the child ──────────────────────────────────────────────────────────────────────────────────────────────────────


def attempt(codec: Codec, preset: EncodePreset, size: tuple[int, int], fps: float) -> _Came:
    """Encode one second here; say why that will not do, or how long a picture takes."""
    if codec.codec not in av.codecs_available:
        return _Came("absent")
    width, height = size[0] // 2 * 2, size[1] // 2 * 2
    frames = [_picture(width, height, number) for number in range(math.ceil(fps))]
    keys = {0, len(frames) // 2 + 1}
    step = round(90_000 / fps)
    try:
        engine = Engine(codec, preset, frames[0], fps)
        made = engine.put(Due(frames[0], Ticks(0), key=True))
        began = time.monotonic()
        late = 0
        for number, frame in enumerate(frames[1:], 1):
            made += engine.put(Due(frame, Ticks(number * step), key=number in keys))
            late = max(late, number + 1 - len(made))
        made += engine.flush()
        ms = (time.monotonic() - began) * 1000 / (len(frames) - 1)
    except Exception as problem:  # noqa: BLE001 - whatever a driver comes up with
        log = getattr(problem, "log", None)  # what FFmpeg said last: the number alone tells nobody anything
        return _Came("closed", str(log[2] if log else problem).strip().rstrip("."))
    return _fault(made, keys, step, late=late, ms=ms, fps=fps)


def _fault(made: list[Made], keys: set[int], step: int, *, late: int, ms: float, fps: float) -> _Came:
    """Say what is wrong with the pictures `made` of as many frames, which follow each other by `step` ticks."""
    if [picture.at for picture in made] != [number * step for number in range(math.ceil(fps))]:
        return _Came("order")
    asked = [picture for number, picture in enumerate(made) if number in keys]
    if not all(picture.key and avc_setup(picture.data) is not None for picture in asked):
        return _Came("keys")
    if late > _LATE:
        return _Came("late", str(late))
    if ms > 1000 / fps * _SLOW:
        return _Came("slow", f"{ms:.0f}")
    return _Came(ms=ms)


def _picture(width: int, height: int, number: int) -> av.VideoFrame:
    frame = black(width, height)
    bars = pixels(frame)[0]
    bars[:, number * 8 % width : number * 8 % width + width // 4] = 180
    return frame


def main() -> None:
    """Try what standard input says, and answer on standard output."""
    av.logging.set_level(av.logging.ERROR)
    told = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, object])
    preset = msgspec.convert(told["preset"], EncodePreset)
    size = msgspec.convert(told["size"], tuple[int, int])
    came = attempt(CODECS[str(told["codec"])], preset, size, msgspec.convert(told["fps"], float))
    sys.stdout.buffer.write(msgspec.json.encode(came))


if __name__ == "__main__":
    main()
