"""What can be heard in a film besides speech: YAMNet, which knows 521 kinds of sound, on stretches of a second."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.errors import SpeechError
from studio.language import _
from studio.sound import SPEECH_RATE
from studio.speech._models import models_folder
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SOUNDS = "sounds"
"""Name of the folder among the models that holds the tagger."""
_MODEL, _NAMES = "model.onnx", "yamnet_class_map.csv"

_FRAME, _HOP, _FFT = 400, 160, 512
"""Samples of a spectrum (25 ms), between two (10 ms), and of the transform that they are filled up to."""
_MELS, _LOW, _HIGH = 64, 125.0, 7500.0
_FLOOR = 1e-3
"""Added before the logarithm. These four lines are the front end that YAMNet was trained with (AudioSet, 2019)."""
_PATCH, _STEP = 96, 48
"""Spectra that are judged together, 0.96 s, and between two judgements."""
_STEP_MS = 10 * _STEP
_PAGE = 125
"""Judgements at once: a minute."""

OPENS, CLOSES = 0.4, 0.2
"""Share from which a sound is there, and under which it is over."""
_BREATH = Ms(1500)
"""A sound that stops for less goes on."""
_LEAST = Ms(900)


@dataclass(frozen=True, slots=True)
class Heard:
    """A stretch in which something sounds."""

    start: Ms
    """On the film's clock, exact to half a second."""
    end: Ms
    """On the film's clock, exact to half a second."""
    sound: str
    """Name of the kind as AudioSet has it, in English: `Applause`."""
    share: float
    """How sure the tagger was at its surest, in [0..1]."""


def sounds(
    sound: Iterable[NDArray[np.float32]],
    wanted: Collection[str] | None = None,
    folder: Path | None = None,
    progress: Callable[[Ms], None] | None = None,
) -> tuple[Heard, ...]:
    """What sounds in `sound`, pieces of any length at 16 kHz, mono, by time; several things may sound at once.

    Only kinds in `wanted`, names as AudioSet has them; `None`: all. `folder` holds the model, `None` is the one among
    the models kept. `progress` is told how far it came. Raises SpeechError where there is no such model.
    """
    folder = folder or models_folder() / SOUNDS
    if sentence := lacks_sounds(folder):
        raise SpeechError(sentence)
    tagger = _Tagger(folder)
    columns = [at for at, name in enumerate(tagger.names) if wanted is None or name in wanted]
    judged: list[NDArray[np.float32]] = []
    for patches in _patches(sound):
        judged.append(tagger.judge(patches)[:, columns])
        if progress:
            progress(Ms(sum(map(len, judged)) * _STEP_MS))
    if not judged:
        return ()
    shares = np.concatenate(judged)
    found = (one for at, column in enumerate(columns) for one in _spans(tagger.names[column], shares[:, at]))
    return tuple(sorted(found, key=lambda one: (one.start, -one.share)))


def lacks_sounds(folder: Path | None = None) -> str:
    """Say what keeps `sounds` from working; empty: nothing."""
    folder = folder or models_folder() / SOUNDS
    missing = [name for name in (_MODEL, _NAMES) if not (folder / name).is_file()]
    if not missing:
        return ""
    return _("Sounds cannot be tagged: put YAMNet as {files} into {folder}.").format(
        files=", ".join(missing), folder=folder
    )


class _Tagger:
    """One model file: patches in, shares out. Whole numbers of 8 bits are what a quantised one takes and gives."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime  # noqa: PLC0415 - heavy: only who listens pays for it

        with (folder / _NAMES).open(encoding="utf-8", newline="") as file:
            self.names = [row["display_name"] for row in csv.DictReader(file)]
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                str(folder / _MODEL), options, providers=["CPUExecutionProvider"]
            )
            (self._taken,), self._given = self._session.get_inputs(), self._session.get_outputs()[0]
            if self._taken.shape[-2:] != [_PATCH, _MELS] or self._given.shape[-1] != len(self.names):
                raise ValueError(self._taken.shape)  # noqa: TRY301 - one sentence for whatever is wrong with it
            self._small = self._taken.type == "tensor(uint8)"
            self._scales = _constants((folder / _MODEL).read_bytes()) if self._small else {}
            self.judge(np.zeros((1, _PATCH, _MELS), np.float32))
        except Exception as problem:  # onnxruntime raises types of its own, none of them public
            raise SpeechError(
                _("{file} is no YAMNet that takes {rows} by {columns} spectra; fetch it again.").format(
                    file=folder / _MODEL, rows=_PATCH, columns=_MELS
                )
            ) from problem

    def judge(self, patches: NDArray[np.float32]) -> NDArray[np.float32]:
        """Shares in [0..1] of every kind for each patch."""
        return np.concatenate([self._one(patch) for patch in patches]).reshape(len(patches), -1)

    def _one(self, patch: NDArray[np.float32]) -> NDArray[np.float32]:
        given: Any = patch.reshape([size if isinstance(size, int) else 1 for size in self._taken.shape])
        if self._small:
            scale, zero = self._scales["audio_scale"], self._scales["audio_zero_point"]
            given = np.clip(np.round(given / scale + zero), 0, 255).astype(np.uint8)
        said = self._session.run([self._given.name], {self._taken.name: given})[0].astype(np.float32)
        if self._small:
            scale, zero = self._scales["class_scores_scale"], self._scales["class_scores_zero_point"]
            said = (said - zero) * scale
        if said.min() < 0 or said.max() > 1:  # before the last step of the network, which some exports leave out
            said = 1 / (1 + np.exp(-np.clip(said, -50, 50)))
        return np.asarray(said, np.float32)


def _spectra(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    frames = np.lib.stride_tricks.sliding_window_view(sound, _FRAME)[::_HOP]
    power = np.abs(np.fft.rfft(frames * _WINDOW, _FFT))
    return np.asarray(np.log(power @ _BANK + _FLOOR), np.float32)


def _patches(sound: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """A minute of patches at a time; the last piece is filled up with silence."""
    own = (_PATCH - 1) * _HOP + _FRAME
    step = _STEP * _HOP
    page = own + (_PAGE - 1) * step
    kept = np.zeros(0, np.float32)
    for piece in sound:
        kept = np.concatenate([kept, piece])
        while len(kept) >= page:
            yield _cut(kept[:page], own, step)
            kept = kept[_PAGE * step :]
    if len(kept) > own - step:
        missing = -(len(kept) - own) % step if len(kept) > own else own - len(kept)
        yield _cut(np.pad(kept, (0, missing)), own, step)


def _cut(sound: NDArray[np.float32], own: int, step: int) -> NDArray[np.float32]:
    spectra = _spectra(sound)
    count = (len(sound) - own) // step + 1
    return np.stack([spectra[at * _STEP : at * _STEP + _PATCH] for at in range(count)])


def _spans(name: str, shares: NDArray[np.float32]) -> Iterator[Heard]:
    """Stretches from where `name` is there to where it is over, with short holes closed and short ones left out."""
    open_at: int | None = None
    spans: list[list[int]] = []
    for at, share in enumerate([*shares.tolist(), 0.0]):
        if open_at is None and share >= OPENS:
            open_at = at
        elif open_at is not None and share < CLOSES:
            if spans and (open_at - spans[-1][1]) * _STEP_MS < _BREATH:
                spans[-1][1] = at
            else:
                spans.append([open_at, at])
            open_at = None
    for begin, end in spans:
        start, until = Ms(begin * _STEP_MS), Ms((end - 1) * _STEP_MS + 10 * _PATCH)
        if until - start >= _LEAST:
            yield Heard(start, until, name, round(float(shares[begin:end].max()), 3))


def _bank() -> NDArray[np.float32]:
    """Triangles that gather the lines of a spectrum into mels (HTK's: 1127 ln(1 + f / 700))."""
    lines = 1127 * np.log1p(np.linspace(0, SPEECH_RATE / 2, _FFT // 2 + 1) / 700)
    edges = np.linspace(1127 * np.log1p(_LOW / 700), 1127 * np.log1p(_HIGH / 700), _MELS + 2)
    rising = (lines[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - lines[:, None]) / (edges[2:] - edges[1:-1])
    bank = np.maximum(0, np.minimum(rising, falling))
    bank[0] = 0  # a constant is no sound
    return np.asarray(bank, np.float32)


_WINDOW = np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FRAME) / _FRAME), np.float32)
_BANK = _bank()


def _constants(model: bytes) -> dict[str, float]:
    """Numbers that stand by name in an ONNX file (ModelProto.graph.initializer); onnxruntime does not show them."""
    found: dict[str, float] = {}
    for graph in _fields(model).get(7, []):
        for tensor in _fields(graph).get(5, []):
            parts = _fields(tensor)
            name = bytes(parts.get(8, [b""])[0]).decode("utf-8", "replace")
            if name.endswith(("_scale", "_zero_point")) and (raw := parts.get(9)):
                kind = {1: np.float32, 2: np.uint8}.get(int(parts[2][0]))
                if kind is not None:
                    found[name] = float(np.frombuffer(raw[0], kind)[0])
            elif name.endswith("_scale") and (raw := parts.get(4)):
                found[name] = float(np.frombuffer(raw[0], np.float32)[0])
            elif name.endswith("_zero_point") and (raw := parts.get(5)):
                found[name] = float(raw[0][0] if isinstance(raw[0], bytes) else raw[0])
    return found


def _fields(message: bytes) -> dict[int, list[Any]]:
    """Fields of a message of Protocol Buffers by number: whole numbers, or bytes."""
    fields: dict[int, list[Any]] = {}
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the last byte of a number
                return value
            shift += 7

    while at < len(message):
        key = number()
        kind = key & 7
        if kind == 0:
            fields.setdefault(key >> 3, []).append(number())
            continue
        size = {1: 8, 5: 4}.get(kind) or number()
        fields.setdefault(key >> 3, []).append(message[at : at + size])
        at += size
    return fields
