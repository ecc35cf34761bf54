"""The recogniser's process: killed, cut off, without disk, without model."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.captions.captions_relay import ScriptedRelay, expected, in_journal, looked_at
from tests.captions.scripted_ears import ScriptedEars

from studio.captions import CaptionsPlan, Sink, command, read_kept
from studio.captions._health import Health
from studio.captions._recogniser import Recogniser
from studio.captions._worker import Result
from studio.catalogue import Catalogue
from studio.events import (
    CaptionsDone,
    ClockStarted,
    Edited,
    EditWord,
    Heard,
    ListenerReport,
    ShowCue,
    SinkReport,
    WordsChanged,
)
from studio.rehearsal import YouTubeTwin
from studio.speech import Hearing
from studio.subtitles import VTT_HEAD, Corrections, Term, read, rules_for, srt, vtt
from studio.units import Ms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from studio.spoken import Word

SCRIPTED = [sys.executable, str(Path(__file__).with_name("scripted_ears.py"))]


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[ScriptedRelay]:
    relay = ScriptedRelay(tmp_path / "relay.sock")
    await relay.open()
    yield relay
    await relay.close()


@pytest.fixture
def plan(tmp_path: Path) -> CaptionsPlan:
    return CaptionsPlan(
        folder=tmp_path / "show",
        relay=tmp_path / "relay.sock",
        model=tmp_path / "no model",
        language="pl",
        hold=Ms(1000),
        rules=rules_for(Catalogue(), "pl"),
    )


@asynccontextmanager
async def recogniser(plan: CaptionsPlan, program: list[str] = SCRIPTED, **env: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(*program, stdin=PIPE, stderr=PIPE, env={**os.environ, **env})
    assert process.stdin is not None
    process.stdin.write(plan.to_json())
    process.stdin.close()
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def whole(plan: CaptionsPlan, until: int) -> None:
    """What the files of a show say after its end, whatever happened on the way."""
    words = expected(until)
    assert in_journal(plan) == words
    consistent(plan, words)


def consistent(plan: CaptionsPlan, words: list[str]) -> None:
    """Whether `words` are what airs, and stand in every file."""
    kept = read_kept(plan.folder)
    assert " ".join(word.text for word in kept.words).split() == words
    assert [cue.number for cue in kept.cues] == list(range(1, len(kept.cues) + 1))
    assert " ".join(cue.text for cue in kept.cues).split() == words
    assert kept.words_in_cues == len(kept.words)
    assert all(after.start >= before.end for before, after in zip(kept.cues, kept.cues[1:], strict=False))
    shown = [cue for cue in kept.cues if cue.lines]
    assert (plan.folder / "captions.srt").read_text() == "".join(map(srt, shown))
    assert (plan.folder / "captions.vtt").read_text() == VTT_HEAD + "".join(map(vtt, shown))
    assert [cue.lines for cue in read(plan.folder / "captions.srt").cues] == [cue.lines for cue in shown]


async def test_a_programme_is_captioned_to_its_end(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    await relay.play(20_000)
    async with recogniser(plan) as process:
        await relay.until(lambda: len(relay.of(Heard)) > 20)
        await relay.end()
        await relay.until(lambda: bool(relay.of(CaptionsDone)))
        assert await process.wait() == 0
    whole(plan, 20_000)
    heard = [word.text for message in relay.of(Heard) for word in message.settled]
    assert heard == expected(20_000)
    numbers = list(dict.fromkeys(relay.cues()))
    assert numbers == list(range(1, len(numbers) + 1))
    report = relay.last_report()
    assert (report.state, report.words) == ("online", len(heard))
    assert report.cues == len(numbers)
    assert report.late_p50 is not None
    assert report.late_p95 is not None
    assert report.late_p50 <= report.late_p95


@pytest.mark.parametrize(("kind", "count"), [(ListenerReport, 1), (Heard, 3), (Heard, 40), (ShowCue, 1), (ShowCue, 4)])
async def test_kill_9_loses_no_word_and_doubles_none(
    relay: ScriptedRelay, plan: CaptionsPlan, kind: type[ShowCue], count: int
) -> None:
    await relay.play(16_000)
    async with recogniser(plan) as process:
        await relay.until(lambda: len(relay.of(kind)) >= count)
        process.send_signal(signal.SIGKILL)
        await process.wait()
    kept = [word.text for word in read_kept(plan.folder).words]
    for message in relay.of(Heard):
        assert all(word.text in kept for word in message.settled)
    shown = relay.cues()
    assert shown == [cue.number for cue in read_kept(plan.folder).cues][: len(shown)]
    await relay.end()
    async with recogniser(plan) as process:
        assert await process.wait() == 0
    whole(plan, 16_000)
    assert relay.asked[1] == 400 * len(kept)


async def test_a_line_torn_by_the_kill_is_cut_and_files_are_made_anew(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    plan.folder.mkdir()
    words = [
        {"text": word, "start": n * 400 + 100, "end": n * 400 + 400, "confidence": None, "settled": n * 400 + 1100}
        for n, word in enumerate(expected(4000))
    ]
    lines = "".join(json.dumps(word) + "\n" for word in words)
    (plan.folder / "captions.words.jsonl").write_text(lines + '{"text": "sło')
    cue = {"number": 1, "start": 60, "end": 1600, "lines": ["słowo0 słowo1", "słowo2 w słowo4"], "words": 5}
    (plan.folder / "captions.jsonl").write_text(json.dumps(cue, ensure_ascii=False) + '\n{"number": 2, "st')
    (plan.folder / "captions.srt").write_text("1\n00:00:")
    await relay.play(8000)
    await relay.end()
    async with recogniser(plan) as process:
        assert await process.wait() == 0
    whole(plan, 8000)
    assert relay.asked == [Ms(4000)]
    assert min(relay.cues()) == 2


async def test_a_relay_that_is_restarted_is_told_what_has_not_aired(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    relay.epoch += 60_000_000_000  # the show begins now: what is heard has not aired
    plan = msgspec.structs.replace(plan, hold=Ms(30_000))
    await relay.play(30_000)
    async with recogniser(plan) as process:
        await relay.until(lambda: len(relay.cues()) >= 2)
        before = relay.cues()
        await relay.close()
        relay.said.clear()
        relay.process += 1
        relay.kept_from = relay.plays_until = 33_000
        await relay.open()
        await relay.play(40_000)
        await relay.until(lambda: set(before) <= set(relay.cues()))
        await relay.end()
        await relay.until(lambda: bool(relay.of(CaptionsDone)))
        assert await process.wait() == 0
    assert relay.asked[1] is not None
    kept = read_kept(plan.folder)
    assert kept.gaps == [(relay.asked[1], 33_000)]
    assert kept.words_in_cues == len(kept.words)


async def test_a_relay_that_comes_late_is_waited_for(tmp_path: Path, plan: CaptionsPlan) -> None:
    relay = ScriptedRelay(tmp_path / "relay.sock")
    async with recogniser(plan) as process:
        await relay.open()
        await relay.play(3000)
        await relay.end()
        assert await process.wait() == 0
    await relay.close()
    whole(plan, 3000)


async def test_a_programme_without_sound_needs_no_captions(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    await relay.end(silent=True)
    async with recogniser(plan) as process:
        assert await process.wait() == 0
    assert relay.of(CaptionsDone)
    assert relay.last_report().state == "off"
    assert relay.troubles() == []


async def test_captions_go_on_when_the_disk_is_full(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    await relay.play(8000)
    async with recogniser(plan) as process:
        await relay.until(lambda: len(relay.cues()) >= 1)
        # The system refuses to let any file of this process grow past so much: what a full disk does.
        room = (plan.folder / "captions.words.jsonl").stat().st_size + 50
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        cues = len(relay.cues())
        await relay.play(24_000)
        await relay.until(lambda: len(relay.cues()) >= cues + 3)
        await relay.until(lambda: bool(relay.troubles()))
        await relay.until(lambda: relay.last_report().state == "degraded")
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await relay.until(lambda: relay.last_report().state == "online")
        await relay.end()
        assert await process.wait() == 0
    (trouble,) = relay.troubles()
    assert "captions.words.jsonl cannot be written (File too large)" in trouble
    whole(plan, 24_000)


async def test_without_a_model_it_says_so_and_is_not_started_again(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    async with recogniser(plan, command()) as process:
        assert await process.wait() == 3
    (trouble,) = relay.troubles()
    assert trouble == f"There is no speech model in {plan.model}; is the path right?"
    assert relay.last_report().state == "refused"


async def test_ears_that_break_are_opened_again_by_a_new_process(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    await relay.play(8000)
    await relay.end()
    async with recogniser(plan, BREAKS_AT="5000") as process:
        assert await process.wait() == 1
    (trouble,) = relay.troubles()
    assert "RuntimeError: the script says so" in trouble
    async with recogniser(plan) as process:
        assert await process.wait() == 0
    whole(plan, 8000)


async def test_ears_that_hang_are_opened_again_by_a_new_process(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    plan = msgspec.structs.replace(plan, patience=2)
    async with recogniser(plan, HANGS_AT="4000") as process:
        await relay.play(10_000)
        await relay.until(lambda: bool(relay.troubles()))
        assert await process.wait() == 1
    assert relay.troubles() == ["Speech recognition hangs and is started again"]
    assert relay.last_report().state == "degraded"
    await relay.end()
    async with recogniser(plan) as process:
        assert await process.wait() == 0
    whole(plan, 10_000)


async def test_captions_of_an_earlier_show_are_set_aside(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    await relay.play(8000)
    await relay.end()
    async with recogniser(plan) as process:
        assert await process.wait() == 0
    first = {name: (plan.folder / f"captions.{name}").read_bytes() for name in ("words.jsonl", "jsonl", "srt", "vtt")}
    relay.said.clear()
    relay.epoch += 55_000_000_000
    relay.plays_until = 6000
    async with recogniser(plan) as process:
        assert await process.wait() == 0
    whole(plan, 6000)
    assert relay.asked[1:] == [8000, 0]
    assert [word.text for message in relay.of(Heard) for word in message.settled] == expected(6000)
    numbers = list(dict.fromkeys(relay.cues()))  # on a busy machine one comes again, with more words
    assert numbers == list(range(1, len(numbers) + 1))
    (trouble,) = relay.troubles()
    assert "captions of an earlier show; they are kept there as captions-1" in trouble
    assert {name: (plan.folder / f"captions-1.{name}").read_bytes() for name in first} == first


async def test_no_mark_runs_into_speech_of_which_nothing_is_known_yet(plan: CaptionsPlan) -> None:
    one = Recogniser(plan, ScriptedEars)
    quiet, speaking = Hearing((), "", Ms(0), Ms(0)), Hearing((), "", Ms(0), None, speaking=True)
    for hearing, fed, heard in ((quiet, 10_000, 9000), (speaking, 20_000, 9000), (quiet, 20_000, 19_000)):
        one._take_result(Result(hearing, Ms(fed)))
        one._take_result(Result(None, Ms(fed)))
        assert one._files.kept.heard == heard


async def test_a_show_goes_on_after_a_reboot(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    relay.show = relay.epoch
    await relay.play(8000)
    await relay.end()
    async with recogniser(plan) as process:
        assert await process.wait() == 0
    relay.epoch -= 55_000_000_000  # another boot has another clock
    await relay.play(16_000)
    async with recogniser(plan) as process:
        assert await process.wait() == 0
    whole(plan, 16_000)
    assert relay.troubles() == []
    assert not (plan.folder / "captions-1.srt").exists()


async def test_captions_that_were_repaired_are_set_aside_as_they_are(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    await relay.play(8000)
    await relay.end()
    async with recogniser(plan) as process:
        assert await process.wait() == 0
    words = plan.folder / "captions.words.jsonl"
    with words.open("a", encoding="utf-8") as journal:  # as `captions repair` leaves it: its words stand last
        journal.write(json.dumps({"text": "dopisane", "start": 100, "end": 200, "settled": 200}) + "\n")
        journal.write(json.dumps({"filled_start": 0, "filled_end": 300}) + "\n")
    repaired = {name: (plan.folder / f"captions.{name}").read_bytes() for name in ("jsonl", "srt", "vtt")}
    async with recogniser(plan) as process:
        assert await process.wait() == 0
    assert {name: (plan.folder / f"captions-1.{name}").read_bytes() for name in repaired} == repaired
    assert any("captions that were repaired; they are kept there as captions-1" in said for said in relay.troubles())
    whole(plan, 8000)


async def test_a_relay_that_has_heard_everything_is_not_waited_for(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    pipe = plan.folder.parent / "open"
    os.mkfifo(pipe)
    await relay.end(silent=True)
    process = await asyncio.create_subprocess_exec(
        *SCRIPTED, stdin=PIPE, stderr=PIPE, env={**os.environ, "OPEN_BY": str(pipe)}
    )
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write(plan.to_json())
    process.stdin.close()
    await relay.until(lambda: bool(relay.of(ListenerReport)) and relay.last_report().state == "off")
    await relay.close()
    log = b""
    while b"the line to the relay is lost" not in log:
        log += await process.stderr.readline()
    await asyncio.to_thread(pipe.write_bytes, b"now")
    log += await process.stderr.read()
    assert await process.wait() == 0
    assert b"it had heard everything" in log


async def test_asked_to_leave_it_settles_what_it_heard(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    await relay.play(8000)
    async with recogniser(plan) as process:
        await relay.until(lambda: any(word.end >= 7000 for message in relay.of(Heard) for word in message.settled))
        process.terminate()
        assert await process.wait() == 0
    assert relay.of(CaptionsDone)
    whole(plan, 400 * len(in_journal(plan)))


async def test_captions_that_cannot_be_read_are_not_overwritten(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    plan.folder.mkdir()
    (plan.folder / "captions.jsonl").write_text('{"number": "one"}\n')
    async with recogniser(plan) as process:
        assert await process.wait() == 3
    await relay.until(lambda: bool(relay.troubles()))
    assert "cannot be continued" in relay.troubles()[0]
    assert (plan.folder / "captions.jsonl").read_text() == '{"number": "one"}\n'


async def test_a_plan_that_is_none_is_refused() -> None:
    process = await asyncio.create_subprocess_exec(*command(), stdin=PIPE, stderr=PIPE)
    _, said = await process.communicate(b'{"folder": 7}')
    assert process.returncode == 3
    assert b"the plan on standard input is none" in said
    assert b"Traceback" not in said


# ── corrections ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def unaired(relay: ScriptedRelay, plan: CaptionsPlan) -> CaptionsPlan:
    """A show that begins now, with a hold so long that nothing of it airs in a test."""
    relay.epoch += 60_000_000_000
    relay.hold = Ms(60_000)
    return msgspec.structs.replace(plan, hold=Ms(60_000))


def shown_last(relay: ScriptedRelay) -> dict[int, str]:
    return {message.cue.number: message.cue.text for message in relay.of(ShowCue)}


def id_of(relay: ScriptedRelay, text: str) -> int:
    return next(
        id_
        for message in relay.of(Heard)
        for id_, word in zip(message.ids, message.settled, strict=True)
        if word.text == text
    )


async def edit(relay: ScriptedRelay, word: str, text: str | None) -> str:
    """Ask for it and return the refusal."""
    request = len(relay.of(Edited)) + 100
    relay.send(EditWord(request, id_of(relay, word), text, "Ania"))
    await relay.until(lambda: bool(relay.of(Edited)) and relay.of(Edited)[-1].request == request)
    return relay.of(Edited)[-1].refused


async def test_the_second_look_corrects_what_airs(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    relay.epoch += 60_000_000_000
    plan = msgspec.structs.replace(plan, hold=Ms(30_000), look=Ms(25_000))
    await relay.play(24_000)
    await relay.end()
    async with recogniser(plan) as process:
        assert await process.wait() == 0
    assert in_journal(plan) == expected(24_000)
    consistent(plan, looked_at(24_000))
    assert " ".join(text for _, text in sorted(shown_last(relay).items())).split() == looked_at(24_000)
    heard = [word.text for message in relay.of(Heard) for word in message.settled]
    assert heard[:50] == expected(24_000)[:50]
    assert [id_ for message in relay.of(Heard) for id_ in message.ids] == list(range(len(heard)))
    changed = {word.id: word for message in relay.of(WordsChanged) for word in message.words}
    assert (changed[4].heard, changed[4].word.text, changed[4].by) == ("słowo4", "lepsze4", "second look")
    assert changed[6].word.text == ""
    assert relay.last_report().corrected == 18


async def test_an_edit_wins_over_the_second_look_and_stands_in_every_file(
    relay: ScriptedRelay, unaired: CaptionsPlan
) -> None:
    plan = msgspec.structs.replace(unaired, look=Ms(55_000))
    await relay.play(3000)  # the fast pass has heard word 4, the second look not yet
    async with recogniser(plan) as process:
        await relay.until(lambda: any(word.text == "słowo4" for m in relay.of(Heard) for word in m.settled))
        assert await edit(relay, "słowo4", "Čiurlionis i Moniuszko") == ""
        await relay.play(24_000)
        await relay.until(lambda: len(shown_last(relay)) >= 2)
        assert "Čiurlionis" in shown_last(relay)[1]
        assert await edit(relay, "słowo1", "") == ""
        assert "słowo1 " not in shown_last(relay)[1] + " "
        await relay.end()
        assert await process.wait() == 0
    words = looked_at(24_000)
    at = words.index("lepsze4")
    words[at : at + 1] = ["Čiurlionis", "i", "Moniuszko"]
    words.remove("słowo1")
    consistent(plan, words)
    edits = [
        entry["edit"]
        for entry in map(json.loads, (plan.folder / "captions.words.jsonl").read_text().splitlines())
        if "edit" in entry
    ]
    assert edits == [
        {"id": 4, "text": "Čiurlionis i Moniuszko", "by": "Ania"},
        {"id": 1, "text": "", "by": "Ania"},
    ]


@pytest.mark.parametrize("look", [None, Ms(55_000)])
async def test_kill_9_right_after_an_edit_keeps_it(
    relay: ScriptedRelay, unaired: CaptionsPlan, look: Ms | None
) -> None:
    plan = msgspec.structs.replace(unaired, look=look)
    await relay.play(24_000)
    async with recogniser(plan) as process:
        await relay.until(lambda: len(shown_last(relay)) >= 1)
        assert await edit(relay, "słowo2", "Wilno") == ""
        process.send_signal(signal.SIGKILL)
        await process.wait()
    kept = read_kept(plan.folder)
    assert "Wilno" in [word.text for word in kept.words]
    assert kept.script[2].by == "person"
    await relay.end()
    async with recogniser(plan) as process:
        assert await process.wait() == 0
    assert in_journal(plan) == expected(24_000)
    kept_after = read_kept(plan.folder)
    assert list(kept_after.script)[: len(kept.script)][2] == kept.script[2]
    said = " ".join(word.text for word in kept_after.words).split()
    consistent(plan, said)
    assert said[:3] == ["słowo0", "słowo1", "Wilno"]
    if look is None:
        assert said == ["Wilno" if word == "słowo2" else word for word in expected(24_000)]
    assert "Wilno" in shown_last(relay)[1]
    assert "Wilno" in (plan.folder / "captions.srt").read_text()


async def test_a_crash_between_an_edit_and_its_cue_is_made_good(relay: ScriptedRelay, unaired: CaptionsPlan) -> None:
    await relay.play(24_000)
    async with recogniser(unaired) as process:
        await relay.until(lambda: len(shown_last(relay)) >= 1)
        assert await edit(relay, "słowo2", "Wilno") == ""
        process.send_signal(signal.SIGKILL)
        await process.wait()
    cues = unaired.folder / "captions.jsonl"
    lines = cues.read_text().splitlines(keepends=True)
    cues.write_text("".join(line for line in lines if "Wilno" not in line))  # as if it had died a little earlier
    relay.said.clear()
    await relay.end()
    async with recogniser(unaired) as process:
        assert await process.wait() == 0
    consistent(unaired, ["Wilno" if word == "słowo2" else word for word in expected(24_000)])
    assert "Wilno" in shown_last(relay)[1]
    (word,) = {word.id: word for m in relay.of(WordsChanged) for word in m.words if word.id == 2}.values()
    assert (word.word.text, word.by) == ("Wilno", "person")


async def heard_before(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    """Let the recogniser hear a show and leave; whoever calls next is told that no frame has arrived yet."""
    await relay.play(8000)
    await relay.end()
    async with recogniser(plan) as process:
        assert await process.wait() == 0
    relay.said.clear()
    relay.epoch, relay.plays_until, relay.ends = 0, 0, False


async def test_before_the_clock_runs_nothing_that_was_kept_is_told(relay: ScriptedRelay, unaired: CaptionsPlan) -> None:
    epoch = relay.epoch
    await heard_before(relay, unaired)
    async with recogniser(unaired):
        await relay.until(lambda: bool(relay.of(ListenerReport)) and relay.last_report().state == "online")
        assert not relay.of(ShowCue)
        assert not relay.of(WordsChanged)
        relay.send(ClockStarted(epoch))
        await relay.until(lambda: bool(relay.of(ShowCue) and relay.of(WordsChanged)))
    assert relay.cues() == [cue.number for cue in read_kept(unaired.folder).cues]


async def test_of_a_show_that_was_set_aside_nothing_is_told(relay: ScriptedRelay, unaired: CaptionsPlan) -> None:
    epoch = relay.epoch
    await heard_before(relay, unaired)
    async with recogniser(unaired) as process:
        await relay.until(lambda: bool(relay.of(ListenerReport)) and relay.last_report().state == "online")
        relay.send(EditWord(1, 0, "inaczej", "Ania"))
        await relay.until(lambda: bool(relay.of(Edited)))
        relay.epoch, relay.plays_until, relay.ends = epoch + 1_000_000_000, 6000, True
        relay.send(ClockStarted(relay.epoch))
        assert await process.wait() == 0
    whole(unaired, 6000)
    assert [word.text for message in relay.of(Heard) for word in message.settled] == expected(6000)
    assert not any(word.word.text == "inaczej" for message in relay.of(WordsChanged) for word in message.words)


async def test_of_a_show_that_ended_as_another_began_nothing_is_told_to_that(
    relay: ScriptedRelay, unaired: CaptionsPlan
) -> None:
    epoch = relay.epoch
    await relay.play(8000)
    async with recogniser(unaired) as process:
        await relay.until(lambda: bool(relay.of(Heard)))
        told = len(relay.of(WordsChanged))
        relay.epoch = epoch + 1_000_000_000
        relay.send(ClockStarted(relay.epoch))
        assert await process.wait() != 0
    assert len(relay.of(WordsChanged)) == told


async def test_an_edit_of_what_has_aired_is_refused(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    await relay.play(16_000)
    async with recogniser(plan) as process:
        await relay.until(lambda: len(shown_last(relay)) >= 1)
        assert await edit(relay, "słowo2", "Wilno") == "“słowo2” has aired already"
        relay.send(EditWord(7, 4000, "a"))
        await relay.until(lambda: relay.of(Edited)[-1].request == 7)
        assert "no such word" in relay.of(Edited)[-1].refused
        await relay.end()
        assert await process.wait() == 0
    whole(plan, 16_000)


async def test_a_translation_is_a_track_of_its_own(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    plan = msgspec.structs.replace(plan, translate=True, translation_rules=rules_for(Catalogue(), "en"))
    await relay.play(16_000)
    async with recogniser(plan) as process:
        await relay.until(lambda: any(message.track == "en" for message in relay.of(ShowCue)))
        process.send_signal(signal.SIGKILL)
        await process.wait()
    (plan.folder / "captions.en.jsonl").write_text("")  # as if it had died before their cue was kept
    await relay.end()
    async with recogniser(plan) as process:
        assert await process.wait() == 0
    whole(plan, 16_000)
    kept = read_kept(plan.folder, "en")
    assert [word.text for word in kept.words] == [f"word{n}" for n in range(len(expected(16_000)))]
    assert " ".join(cue.text for cue in kept.cues).split() == [word.text for word in kept.words]
    assert (plan.folder / "captions.en.srt").read_text() == "".join(map(srt, kept.cues))
    english = {message.cue.number for message in relay.of(ShowCue) if message.track == "en"}
    assert english <= {cue.number for cue in kept.cues}


async def test_every_sink_says_how_late_it_is(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    await relay.play(16_000)
    await relay.end()
    async with recogniser(plan) as process:
        assert await process.wait() == 0
    sinks = {sink.name: sink for sink in relay.last_report().sinks}
    assert set(sinks) == {"files"}
    assert all(sink.state == "online" and sink.late is not None for sink in sinks.values())


async def test_a_machine_that_is_too_slow_is_said_with_what_to_do(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    await relay.play(4000)
    async with recogniser(plan, SKIPS_AT="3000") as process:
        await relay.until(lambda: bool(relay.of(ListenerReport)) and relay.last_report().skipped == 2400)
        report = relay.last_report()
        assert report.state == "degraded"
        assert "3 s of sound had to be skipped" in report.detail
        assert "studio models bench" in report.detail
        await relay.end()
        assert await process.wait() == 0


@pytest.mark.parametrize(
    ("moments", "state"),
    [((0, 0.1, 0.5, 1, 2), "online"), ((0, 6, 12), "degraded"), ((0, 6, 40), "online")],
    ids=["catching up", "again and again", "now and then"],
)
def test_a_machine_that_is_short_of_time_is_said_before_anything_is_skipped(
    moments: tuple[float, ...], state: str
) -> None:
    now = 0.0
    health = Health(lambda: now)
    health.loaded()
    for now in moments:  # noqa: B007 - the clock reads it
        health.hurried()
    report = health.report(behind=Ms(0), cues=0, corrected=0, sinks=())
    assert report.state == state
    assert ("captions come later and are less exact" in report.detail) == (state == "degraded")


class Clumsy(Sink):
    name = "hall"

    def heard(self, words: Sequence[Word], tentative: str, at: Ms) -> None:
        del words, tentative, at
        raise OSError("the cable is out")


class Sleepy(Sink):
    name = "obs"

    async def run(self) -> None:
        raise ConnectionError("gone home")


async def test_a_sink_that_breaks_is_said_once_and_stops_no_captions(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    await relay.play(12_000)
    await relay.end()
    one = Recogniser(plan, ScriptedEars)
    clumsy, sleepy = Clumsy(), Sleepy()
    one._sinks.all += (clumsy, sleepy)
    one._reported += (clumsy, sleepy)
    assert await one.run() == 0
    whole(plan, 12_000)
    troubles = sorted(relay.troubles())
    assert troubles == [
        "Captions reach hall no more (OSError: the cable is out); everything else goes on",
        "Captions reach obs no more (ConnectionError: gone home); everything else goes on",
    ]
    assert {sink.name: sink.state for sink in relay.last_report().sinks} == {
        "files": "online",
        "hall": "refused",
        "obs": "refused",
    }


async def test_names_are_put_right_on_the_way(relay: ScriptedRelay, unaired: CaptionsPlan) -> None:
    names = Corrections(terms=(Term("Stanisław Moniuszko", ("słowo0 słowo1",)), Term("Vilnius", ("słowo4",))))
    plan = msgspec.structs.replace(unaired, corrections=names)
    await relay.play(16_000)
    async with recogniser(plan) as process:
        await relay.until(lambda: bool(shown_last(relay)))
        assert await edit(relay, "Vilnius", "Wilno") == ""
        process.send_signal(signal.SIGKILL)
        await process.wait()
    await relay.end()
    async with recogniser(plan) as process:
        assert await process.wait() == 0
    assert in_journal(plan) == expected(16_000)
    consistent(plan, ["Stanisław", "Moniuszko", "słowo2", "w", "Wilno", *expected(16_000)[5:]])
    place = read_kept(plan.folder).script[0]
    assert (place.heard, place.read.text, place.by) == ("słowo0", "słowo0", "glossary")


async def test_youtube_gets_what_airs(relay: ScriptedRelay, plan: CaptionsPlan) -> None:
    relay.epoch += 40_000_000_000  # the show began 20 s ago: YouTube takes no captions that are older than a minute
    plan = msgspec.structs.replace(plan, youtube="CAPTIONS_OF_TONIGHT")
    await relay.play(12_000)
    async with YouTubeTwin() as twin, recogniser(plan, CAPTIONS_OF_TONIGHT=twin.address) as process:
        await relay.until(lambda: any(sink.late is not None for sink in youtube(relay)))
        await relay.end()
        assert await process.wait() == 0
        assert " ".join(caption.text.replace("<br>", " ") for caption in twin.captions).split() == expected(12_000)
        assert twin.complaints == []


def youtube(relay: ScriptedRelay) -> list[SinkReport]:
    return [sink for report in relay.of(ListenerReport) for sink in report.sinks if sink.name == "youtube"]
