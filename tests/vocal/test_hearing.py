"""What the thread that hears does with what is ordered while sound is kept back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soundfile

from studio import media
from studio.events import AnyMessage, ArmedTrack, Dropout, StartTake, TakeEnded
from studio.media._takes.continuity import Loss
from studio.vocal import RecorderPlan
from studio.vocal._hearing import Hearing
from studio.vocal._playing import Cue, Silence

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RATE = 48_000
BLOCK = 1024


def block(number: int) -> NDArray[np.int32]:
    return (np.random.default_rng(number).integers(-(1 << 23), 1 << 23, (BLOCK, 2)) << 8).astype(np.int32)


def hearing(folder: Path, told: list[AnyMessage]) -> Hearing:
    (folder / "takes").mkdir()
    plan = RecorderPlan(folder, folder / "socket", rate=RATE, channels=2)
    made = Hearing(plan, Silence(RATE), told.append)
    made.begin(StartTake(1, (ArmedTrack(1, "left"), ArmedTrack(2, "right"))), Cue(0, None))
    made.hear(block(0), 0)
    return made


def found(folder: Path) -> NDArray[np.int32]:
    return np.asarray(soundfile.read(folder / "takes" / "001.wav", dtype="int32")[0])


def test_a_take_that_is_stopped_in_doubt_has_all_that_was_heard_before(tmp_path: Path) -> None:
    told: list[AnyMessage] = []
    made = hearing(tmp_path, told)
    for number in (1, 2):
        made.keep(block(number))
    made.stop()
    made.idle()
    made.keep(block(3))
    assert made.number == 1
    made.lost(Loss(BLOCK, 500 + BLOCK, "skip", BLOCK))  # the first of them is a piece
    made.hear(block(2), 2 * BLOCK + 500)
    made.hear(block(3), 3 * BLOCK + 500)
    assert made.number is None
    lost = 500 + BLOCK
    assert [one for one in told if isinstance(one, Dropout | TakeEnded)] == [
        Dropout(1, BLOCK, lost, "skip"),
        TakeEnded(1, 2 * BLOCK + lost, "stopped", lost),
    ]
    assert (found(tmp_path) == np.concatenate([block(0), np.zeros((lost, 2), np.int32), block(2)])).all()


def test_a_take_that_is_killed_in_doubt_has_what_was_kept(tmp_path: Path) -> None:
    made = hearing(tmp_path, [])
    made.keep(block(1))
    made.keep(block(2))
    media.repair_take(tmp_path / "takes" / "001.wav")  # as it stands when it is killed now
    assert (found(tmp_path) == np.concatenate([block(0), block(1), block(2)])).all()
