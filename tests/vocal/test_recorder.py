"""The recorder on a real PulseAudio: what is in its takes, and what it says when something is wrong."""

from __future__ import annotations

import asyncio
import resource
import signal
from typing import TYPE_CHECKING, TypeVar

import psutil
import pytest
from tests.vocal.hall import CHANNELS, Hall, judge

from studio.errors import VocalError
from studio.events import (
    AnyMessage,
    ArmedTrack,
    Backing,
    Dropout,
    Levels,
    RecorderState,
    StartTake,
    TakeEnded,
    TakeStarted,
    Trouble,
)
from studio.vocal import Recorder, RecorderPlan, socket_of
from studio.vocal._marks import marks_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from tests.vocal.hall import Verdict

Told = TypeVar("Told", bound=AnyMessage)
ARMED = (18, 1, 7)


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    with Hall(tmp_path / "hall") as made:
        made.count()
        yield made


def plan_for(hall: Hall, **changed: object) -> RecorderPlan:
    folder = hall.folder / "session"
    folder.mkdir(exist_ok=True)
    words = {"folder": folder, "socket": socket_of(folder), "device": "desk", "channels": CHANNELS, **changed}
    return RecorderPlan(**words)  # type: ignore[arg-type]


def take(number: int, channels: Sequence[int] = ARMED, seconds: float | None = None) -> StartTake:
    tracks = tuple(ArmedTrack(channel, f"track {channel}", "Ola") for channel in channels)
    return StartTake(number, tracks, song="Kołysanka", seconds=seconds)


async def until(kind: type[Told], messages: AsyncIterator[AnyMessage], **words: object) -> Told:
    async for message in messages:
        if isinstance(message, kind) and all(getattr(message, name) == word for name, word in words.items()):
            return message
    raise AssertionError(f"no {kind.__name__} came")


async def recorded(recorder: Recorder, seconds: float) -> None:
    """Wait until so much more of the take is written."""
    state = recorder.state
    until_frame = (state.frames if state else 0) + seconds * 48_000
    async with recorder.messages() as messages:
        async for message in messages:
            if isinstance(message, RecorderState) and message.frames >= until_frame:
                return


def judged(recorder: Recorder, number: int, channels: Sequence[int] = ARMED) -> Verdict:
    path = recorder.plan.folder / "takes" / f"{number:03}.{recorder.plan.form}"
    return judge(path, [channel - 1 for channel in channels], [(one.frame, one.frames) for one in marks_of(path).lost])


def check(recorder: Recorder, number: int, channels: Sequence[int] = ARMED) -> int:
    """Every sample of the take is the one that was played, but for those that are marked; return how many these are."""
    marks = marks_of(recorder.plan.folder / "takes" / f"{number:03}.{recorder.plan.form}")
    found = judged(recorder, number, channels)
    assert found.wrong == 0
    assert found.astray == []
    assert found.frames > 0
    assert found.lost == found.marked == sum(one.frames for one in marks.lost)
    return found.lost


async def test_takes_have_every_sample_of_the_channels_that_are_armed(hall: Hall) -> None:
    async with Recorder(plan_for(hall), env=hall.added) as recorder, recorder.messages() as messages:
        assert recorder.state is not None
        assert (recorder.state.input, recorder.state.device, recorder.state.channels) == ("online", "desk", CHANNELS)
        started = await recorder.start_take(take(1))
        assert (started.path, [track.channel for track in started.tracks]) == ("takes/001.wav", list(ARMED))
        levels = await until(Levels, messages)
        assert len(levels.peak) == len(levels.rms) == len(levels.clipped) == CHANNELS
        assert -6 < levels.rms[0] < -3  # noise to full scale
        assert levels.frames == 48_000 // 25
        with pytest.raises(VocalError, match="A take is being recorded; stop it before the next one"):
            await recorder.start_take(take(2))
        await recorded(recorder, 1.0)
        ended = await recorder.stop()
        assert ended is not None
        assert (ended.number, ended.ended) == (1, "stopped")

        await recorder.start_take(take(3, seconds=0.5))
        third = await until(TakeEnded, messages, number=3)
        assert (third.frames, third.ended) == (24_000, "whole")
        assert await recorder.stop() is None

        await recorder.start_take(take(4, (2, 40)))
        await until(Trouble, messages, sentence="The input desk has 18 channels, so track 40 cannot be recorded.")
        await recorder.stop()
        for wish, why in (
            (take(5, (40,)), "The input desk has 18 channels, so track 40 cannot be recorded."),
            (take(1), f"{recorder.plan.folder}/takes/001.wav cannot be written: it is there already."),
            (StartTake(6, take(6).tracks, backing=Backing("x.wav")), "There is no output to play to the singers; "),
            (StartTake(7, ()), "Nothing is armed"),
        ):
            with pytest.raises(VocalError) as refused:
                await recorder.start_take(wish)
            assert str(refused.value).startswith(why)
        with pytest.raises(VocalError, match="Another recorder has the session"):
            async with Recorder(plan_for(hall, socket=hall.folder / "other.sock"), env=hall.added):
                pass
    assert check(recorder, 1) == ended.lost
    assert check(recorder, 3) == third.lost
    check(recorder, 4, (2,))


async def test_what_is_lost_while_the_recorder_is_stopped_is_marked_to_the_frame(hall: Hall) -> None:
    async with Recorder(plan_for(hall), env=hall.added) as recorder, recorder.messages() as messages:
        for number in range(1, 5):  # a busy machine leaves the witness no time, and the clock is not as exact
            await recorder.start_take(take(number))
            await recorded(recorder, 2.5)
            process = psutil.Process(recorder.pid)
            process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(3)  # more than a sound server keeps
            process.send_signal(signal.SIGCONT)
            lost = await until(Dropout, messages, number=number)
            await recorded(recorder, 0.5)
            ended = await recorder.stop()
            assert ended is not None
            assert ended.lost >= lost.frames > 48_000
            if lost.how == "skip" and ended.lost == lost.frames and not judged(recorder, number).astray:
                break
        else:
            pytest.fail("no take of four has its loss marked to the frame")
    assert check(recorder, number) == lost.frames


@pytest.mark.parametrize("form", ["wav", "flac"])
async def test_a_recorder_that_is_killed_comes_back_and_has_kept_the_take(hall: Hall, form: str) -> None:
    async with Recorder(plan_for(hall, form=form), env=hall.added) as recorder, recorder.messages() as messages:
        await recorder.start_take(take(1))
        await recorded(recorder, 1)
        state = recorder.state
        psutil.Process(recorder.pid).kill()
        ended = await until(TakeEnded, messages)
        assert ended.ended == "The recorder ended in mid-take; what was heard until then is kept."
        assert state is not None
        assert ended.frames >= state.frames - 0.5 * 48_000  # a tenth of a second, and what a busy disk takes
        await recorder.start_take(take(2))
        await recorder.stop()
    check(recorder, 1)
    check(recorder, 2)
    assert marks_of(recorder.plan.folder / "takes" / f"001.{form}").ended == ended.ended


async def test_a_take_goes_on_when_the_sound_server_is_back_and_ends_when_it_stays_away(hall: Hall) -> None:
    async with Recorder(plan_for(hall, patience=4.0), env=hall.added) as recorder, recorder.messages() as messages:
        await recorder.start_take(take(1))
        await recorded(recorder, 3)
        hall.switch_off()
        trouble = await until(Trouble, messages)
        assert trouble.sentence == "desk gives no sound; is it plugged in, and does the sound server run?"
        hall.switch_on()
        gap = await until(Dropout, messages)
        assert (gap.how, gap.frame > 2 * 48_000) == ("reopened", True)
        await recorded(recorder, 0.5)

        hall.switch_off()
        ended = await until(TakeEnded, messages)
        assert ended.ended == trouble.sentence
        assert ended.frames > gap.frame + gap.frames
        with pytest.raises(VocalError, match="desk gives no sound"):
            await recorder.start_take(take(2))
        hall.switch_on()
        await until(RecorderState, messages, input="online")
        await recorder.start_take(take(3))
        await recorder.stop()
    marks = marks_of(recorder.plan.folder / "takes" / "001.wav")
    assert [one.how for one in marks.lost].count("reopened") == 1
    assert (marks.stalls, marks.ended) == (2, trouble.sentence)


async def test_a_disk_that_takes_no_more_ends_the_take_and_keeps_it(hall: Hall) -> None:
    async with Recorder(plan_for(hall), env=hall.added) as recorder, recorder.messages() as messages:
        pid = recorder.pid
        assert pid is not None
        await recorder.start_take(take(1))
        await recorded(recorder, 0.1)
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1 << 20, before[1]))
        ended = await until(TakeEnded, messages)
        assert ended.ended.startswith(f"{recorder.plan.folder}/takes/001.wav cannot be written: ")
        assert (await until(Trouble, messages)).sentence == ended.ended
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        assert isinstance(await recorder.start_take(take(2)), TakeStarted)
        await recorder.stop()
    assert ended.frames == pytest.approx((1 << 20) / 9, abs=2000)
    assert judged(recorder, 1).wrong == 0


async def test_an_input_that_is_not_there_is_refused_with_those_that_are(hall: Hall) -> None:
    with pytest.raises(VocalError, match=r"There is no microphone 'balcony'; there are: .*desk"):
        async with Recorder(plan_for(hall, device="balcony"), env=hall.added):
            pass


async def test_who_joins_a_recorder_that_runs_may_stop_the_take_and_leaves_it_running(hall: Hall) -> None:
    async with Recorder(plan_for(hall), env=hall.added) as recorder, recorder.messages() as messages:
        await recorder.start_take(take(1))
        async with Recorder(plan_for(hall), env=hall.added) as other:
            assert (other.pid, other.take) == (None, 1)
            ended = await other.stop()
        assert ended == await until(TakeEnded, messages)
        await recorder.start_take(take(2))
        async with Recorder(plan_for(hall), env=hall.added) as other:
            psutil.Process(recorder.pid).kill()
            async with other.messages() as heard:
                assert (await until(TakeEnded, heard)).ended.startswith("The recorder ended in mid-take")
        await until(TakeEnded, messages, number=2)
        await recorder.start_take(take(3))
        await recorder.stop()
