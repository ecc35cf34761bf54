"""The recogniser: programme sound from the relay, words from the ears, cues to every sink. One loop, one thread."""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import TYPE_CHECKING

from studio.bridge import Line, Mailbox
from studio.captions._desk import Desk
from studio.captions._files import ShowFiles
from studio.captions._health import Health
from studio.captions._intake import SoundIntake
from studio.captions._sinks import Picture, Sinks
from studio.captions._translation import Translation, is_of_earlier_life
from studio.captions._voice import Voice
from studio.captions._worker import Failed, Ready, Result, Worker
from studio.errors import CaptionsError, StudioError
from studio.events import (
    CaptionsDone,
    ClockStarted,
    Edited,
    EditWord,
    HoldChanged,
    Sound,
    SoundEnded,
    Subscribe,
    Welcome,
)
from studio.language import _
from studio.subtitles import Corrections
from studio.units import Ms, ShowClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from studio.captions._plan import CaptionsPlan
    from studio.captions._sinks import Sink
    from studio.captions._worker import Ears, Report
    from studio.events import AnyMessage
    from studio.speech import Hearing, Revision
    from studio.spoken import Cue

logger = logging.getLogger(__name__)

DONE, CRASHED, REFUSED = 0, 1, 3
"""What the process ends with: all is said; start it again; starting it again would not help."""

CALL_AGAIN = 0.2
"""Seconds between two calls of a relay that does not answer."""
TICK = 0.1
"""Seconds between two looks at which cue is due; the composer's margin is seven of them."""
KEEP = 1.0
"""Seconds between two reports, and between two times that files are put onto the disk."""
LAST_CALL = 5.0
"""Seconds that the last words of this process wait for a relay to hear them."""
UNSURE = Ms(1000)
"""The newest quiet sound may hold the beginning of a word: the ears do not look before half a second of it is there."""
RESULTS = 10_000
"""Results that may wait for the loop: an hour of them. The ears bring a few a second."""


class _ShowTime:
    """The show clock, which stands at 0 until the relay tells when the show began."""

    def __init__(self) -> None:
        self._clock: ShowClock | None = None

    def start(self, epoch: int) -> None:
        self._clock = ShowClock(epoch)

    @property
    def runs(self) -> bool:
        return self._clock is not None

    def now(self) -> Ms:
        return self._clock.now() if self._clock else Ms(0)


class Recogniser:
    """One life of the recogniser. `run` it once."""

    def __init__(self, plan: CaptionsPlan, ears: Callable[[], Ears]) -> None:
        """Continue the captions in the plan's folder; `ears` are opened in a thread of their own."""
        self._plan = plan
        self._hold = plan.hold
        self._clock = _ShowTime()
        self._voice = Voice()
        self._health = Health()
        self._files = ShowFiles(plan.folder, self._clock, self._disk_trouble)
        self._english = Translation(plan, self._clock, self._disk_trouble) if plan.translate else None
        translated = self._english.files.kept.cues if self._english is not None else ()
        self._picture = Picture(self._clock, plan.hold, self._files.kept.cues, translated)
        sinks: list[Sink] = [self._picture]
        if plan.youtube is not None:
            from studio.captions._youtube import YouTube  # noqa: PLC0415 - only for those who stream to YouTube

            kept = self._files.kept.cues
            sinks.append(YouTube(plan.youtube, plan.folder, self._clock, plan.hold, plan.language, kept))
        # How late the picture is, the relay knows better: it draws it.
        self._reported: tuple[Sink, ...] = (self._files, *sinks[1:])
        self._sinks = Sinks(sinks, self._voice.say)
        self._continue()
        self._mailbox: Mailbox[Report] = Mailbox(RESULTS)
        self._worker = Worker(ears, self._mailbox.put)
        self._over: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._behind = Ms(0)
        self._fed: Ms | None = None
        self._unanswered = 0
        self._sound_ended = False
        self._ours = True
        """What is kept is of the show that runs."""
        self._quiet_since: Ms | None = None
        self._quiet_until: Ms | None = None
        self._silent = True

    def _continue(self) -> None:
        """Go on from what the files hold."""
        plan, kept = self._plan, self._files.kept
        self._script = kept.script
        self._script.correction = plan.corrections.corrector() if plan.corrections != Corrections() else None
        self._desk = Desk(kept, plan.rules, self._hold, look=plan.look is not None)
        self._ids: list[int | None] = []
        """Which place each word is that the ears have settled; `None` for one of an earlier life."""
        self._last_kept = self._script.ids[-1] if len(self._script) else None
        self._earlier = self._script.end
        self._health.go_on(kept.lateness)
        self._voice.forget()
        self._intake = SoundIntake(kept.heard)
        if self._english is not None:
            self._english.go_on(self._hold)

    async def run(self) -> int:
        """Live until the sound has ended and everything is said, or the ears break; return the exit code."""
        tasks = [asyncio.create_task(task()) for task in (self._talk, self._listen, self._tick, self._keep)]
        self._worker.start()
        for task in tasks:
            task.add_done_callback(self._task_ended)
        tasks += [asyncio.create_task(self._sinks.run(sink)) for sink in self._sinks.all]
        try:
            code = await self._over
            await self._say_goodbye()
            if not self._hangs():
                self._worker.end()
                await asyncio.to_thread(self._worker.join)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for files in self._all_files():
                files.close()
            await self._voice.close()
        return code

    def leave(self) -> None:
        """Settle what was heard and end, as if the programme were over."""
        self._sound_ended = True
        self._worker.end()

    def _end(self, code: int) -> None:
        """Be over with `code`, unless something else has ended it before."""
        if not self._over.done():
            self._over.set_result(code)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (problem := task.exception()) is not None and not self._over.done():
            self._over.set_exception(problem)

    # ── the line to the relay ─────────────────────────────────────────────────────────────────────────────────────────

    async def _talk(self) -> None:
        """Call the relay, for ever: it may be restarted at any time."""
        while True:
            try:
                line = await Line.call(self._plan.relay)
            except OSError:
                await asyncio.sleep(CALL_AGAIN)
                continue
            self._voice.call(line)
            line.send(Subscribe("recogniser", sound_from=self._intake.until))
            async for message in line:
                if isinstance(message, Welcome | ClockStarted) and not self._is_our_show(_show_of(message)):
                    break  # and call again, for the sound of the new show from its beginning
                self._take(line, message)
            logger.warning("the line to the relay is lost; calling again")
            self._voice.lose()
            self._picture.connect(None)
            await line.close()
            await asyncio.sleep(CALL_AGAIN)

    def _is_our_show(self, show: int) -> bool:
        """Whether what is kept belongs to `show`, or to none where that is 0; what does not is set aside."""
        if show == 0:
            return True
        self._ours = all(files.belongs_to(show) for files in self._all_files())
        if self._over.done():
            return True
        if self._ours:
            for files in self._all_files():
                files.keep_epoch(show, self._plan.language)
            return True
        self._sinks.tell(lambda sink: sink.drop())
        if self._fed is not None:
            logger.warning("another show began while the ears heard this one; starting again for it")
            self._end(CRASHED)
            return True
        kept, repaired = self._files.kept, self._files.kept.repaired
        try:
            name = self._files.set_aside()
            if self._english is not None:
                self._english.files.set_aside(name)
        except StudioError as problem:
            self._broke(problem, loading=True)
            return True
        logger.warning("the captions so far were of another show and are %s now", name)
        if len(kept.script) or kept.cues:
            sentence = (
                _("{folder} held captions that were repaired; they are kept there as {name}, and new ones go on")
                if repaired
                else _("{folder} held captions of an earlier show; they are kept there as {name}")
            )
            self._voice.say(sentence.format(folder=self._plan.folder, name=name))
        for files in self._all_files():
            files.keep_epoch(show, self._plan.language)
        self._ours = True
        self._continue()
        return False

    def _all_files(self) -> list[ShowFiles]:
        return [self._files] if self._english is None else [self._files, self._english.files]

    def _take(self, line: Line, message: AnyMessage) -> None:
        match message:
            case Welcome(epoch=epoch, hold=hold):
                self._voice.greet()
                self._change_hold(hold)
                self._begin(line, epoch)
                self._report()
            case ClockStarted(epoch=epoch):
                self._begin(line, epoch)
            case HoldChanged(hold=hold):
                self._change_hold(hold)
            case Sound():
                self._hear(message)
            case EditWord():
                self._edit(message)
            case SoundEnded(silent=silent):
                if silent:
                    self._health.state = "off"
                    self._health.detail = _("The file has no sound, so there are no captions.")
                self._sound_ended = True
                self._worker.end()
            case _:
                pass  # what the relay tells everyone is none of ours

    def _begin(self, line: Line, epoch: int) -> None:
        """Tell what has not aired. While no clock runs, nobody knows whether what is kept is of this show."""
        if epoch:
            self._clock.start(epoch)
            self._picture.connect(line)
            if not self._over.done():
                self._show(self._desk.outdated())
                self._show(self._desk.compose())
            if self._ours:
                self._tell_changes(self._desk.open(self._clock.now()))

    def _change_hold(self, hold: Ms) -> None:
        """The programme waits for another time than was planned: cues close and air by that."""
        if hold == self._hold:
            return
        logger.info("the hold is %d ms now", hold)
        self._hold = hold
        moved = self._desk.change_hold(hold, self._clock.now())
        if self._english is not None:
            self._english.change_hold(hold)
        self._sinks.tell(lambda sink: sink.change_hold(hold))
        if self._plan.look is not None:
            self._worker.look_within(Ms(max(0, self._plan.look + hold - self._plan.hold)))
        self._tell_changes(moved)

    def _hear(self, sound: Sound) -> None:
        chunk, gap = self._intake.take(sound)
        if gap is not None:
            logger.warning("nobody heard the sound from %d to %d ms", *gap)
            self._files.mark_gap(*gap)
        if chunk is None:
            return
        if self._fed is None:
            self._fed = chunk.start
        for dropped in self._worker.hear(chunk):
            self._files.mark_gap(dropped.start, dropped.end)

    # ── what the ears bring ───────────────────────────────────────────────────────────────────────────────────────────

    async def _listen(self) -> None:
        while not self._over.done():
            report = await self._mailbox.get()
            self._unanswered = 0
            match report:
                case Ready():
                    self._health.loaded()
                    self._report()
                case Failed(error=error, loading=loading):
                    self._broke(error, loading=loading)
                case Result(fed=fed) as result:
                    if fed:
                        self._fed = fed
                    self._take_result(result)

    def _broke(self, error: Exception, *, loading: bool) -> None:
        if isinstance(error, StudioError):
            logger.error("%s", error)
            sentence = str(error)
        else:
            logger.error("the ears broke", exc_info=error)
            sentence = _("Speech recognition stopped with an error ({problem}) and is started again").format(
                problem=f"{type(error).__name__}: {error}"
            )
        traceback.clear_frames(error.__traceback__)  # they hold the model
        refused = loading and isinstance(error, StudioError)
        self._health.state, self._health.detail = ("refused" if refused else "degraded"), sentence
        self._voice.say(sentence)
        self._end(REFUSED if refused else CRASHED)

    def _take_result(self, result: Result) -> None:
        waiting = self._intake.until - result.fed if result.fed else 0
        if result.hearing is not None:
            self._behind = Ms(max(0, waiting) + result.hearing.behind)
            hearing = result.hearing
            self._silent = not (hearing.speaking or hearing.tentative) and (
                hearing.quiet_since is not None or (self._silent and not hearing.settled)
            )
            self._quiet_since = hearing.quiet_since
            self._settle(hearing)
        else:
            self._behind = Ms(max(0, waiting))
        self._note_quiet(result)
        if result.last:
            self._show(self._desk.finish())
            if self._english is not None:
                self._show_translated(self._english.finish())
            self._end(DONE)

    def _note_quiet(self, result: Result) -> None:
        self._quiet_until = None
        if not self._silent or result.fed == 0 or self._behind > UNSURE:
            return
        behind = result.hearing.behind if result.hearing else 0
        heard = Ms(result.fed - behind - UNSURE)
        if heard > self._files.kept.heard:
            self._files.mark_heard(heard)
        if self._quiet_since is not None:
            self._quiet_until = heard

    def _settle(self, hearing: Hearing) -> None:
        now = self._clock.now()
        self._health.skipped(hearing.skipped)
        if hearing.hurried:
            self._health.hurried()
        if self._english is not None:  # before what was said: from that on the sound is heard again after a crash
            self._show_translated(self._english.settle(hearing.translated, now))
        new = [word for word in hearing.settled if not is_of_earlier_life(word, self._earlier)]
        ids = self._files.settle(new, now)
        for word in new:
            self._health.settled(Ms(now - word.end))
        following = iter(ids)
        self._ids += [None if is_of_earlier_life(word, self._earlier) else next(following) for word in hearing.settled]
        self._desk.add(ids)
        changed: list[int] = []
        for revision in hearing.revisions:
            changed += self._revise(revision, now)
        changed = list(dict.fromkeys(changed + self._script.correct(now)))
        self._files.revise(changed, now)
        words = [self._script[id_].word for id_ in ids]
        tentative = self._put_right(hearing.tentative)
        self._voice.hear(self._script, ids, tentative, now, self._behind)
        self._sinks.tell(lambda sink: sink.heard(words, tentative, now))
        self._take_up(changed)

    def _revise(self, revision: Revision, now: Ms) -> list[int]:
        """Let the script follow the second look; return the places that changed."""
        ids = [id_ for id_ in self._ids[revision.first : revision.upto] if id_ is not None]
        words = [word for word in revision.words if not is_of_earlier_life(word, self._earlier)]
        before = [id_ for id_ in self._ids[: revision.first] if id_ is not None][-1:]
        next_id = self._script.next_id
        changed = self._script.revise(ids, words, now, before[0] if before else self._last_kept)
        self._desk.adopt([id_ for id_ in changed if id_ >= next_id], now)
        self._desk.looked_at(ids)
        return changed

    def _edit(self, wish: EditWord) -> None:
        """Do what a person wants, journal first, or say why not."""
        now = self._clock.now()
        try:
            if wish.text:
                self._desk.check(wish.id, wish.text)
            changed = self._script.edit(wish.id, wish.text, now, self._plan.rules.line_characters)
        except CaptionsError as problem:
            self._voice.send(Edited(wish.request, str(problem)))
            return
        changed = list(dict.fromkeys(changed + self._script.correct(now)))
        self._files.revise(changed, now, {"id": wish.id, "text": wish.text, "by": wish.by})
        self._take_up(changed)
        self._voice.send(Edited(wish.request, ""))

    def _take_up(self, changed: Sequence[int]) -> None:
        """Show places that read otherwise, and the cues that do because of them; and the cues that are full now."""
        self._tell_changes(changed)
        self._show(self._desk.follow(changed))
        self._show(self._desk.join(self._clock.now()))
        self._show(self._desk.compose())

    def _tell_changes(self, ids: Iterable[int]) -> None:
        self._voice.change(self._script, ids, clock_runs=self._clock.runs)

    def _put_right(self, tentative: str) -> str:
        if self._script.correction is None:
            return tentative
        return " ".join(filter(None, self._script.correction.correct(tentative.split())))

    def _show(self, cues: Iterable[Cue]) -> None:
        for cue in cues:
            self._files.show(cue, self._desk.ids(cue))
            self._sinks.show(cue)
            self._tell_changes(self._desk.air(cue))

    def _show_translated(self, cues: Iterable[Cue]) -> None:
        for cue in cues:
            self._sinks.translated(cue)

    # ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            now = self._clock.now()
            quiet_since = self._quiet_since if self._quiet_until is not None else None
            self._show(self._desk.due(now, quiet_since, self._quiet_until))
            if self._english is not None:
                self._show_translated(self._english.due(now, quiet_since, self._quiet_until))

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(KEEP)
            self._watch_ears()
            self._report()
            for files in self._all_files():
                files.retry()
                await asyncio.to_thread(files.sync)

    def _watch_ears(self) -> None:
        """End with ears that give no sign though sound waits for them.

        Counted in looks, not by the clock: a machine that slept wakes up with ears that are well.
        """
        waiting = self._fed is not None and self._intake.until > self._fed
        if self._health.state != "online" or self._sound_ended or not waiting:
            self._unanswered = 0
            return
        self._unanswered += 1
        if self._hangs() and not self._over.done():
            logger.error("the ears gave no sign for %d s; starting again", self._plan.patience)
            self._health.state, self._health.detail = "degraded", _("Speech recognition hangs and is started again")
            self._voice.say(self._health.detail)
            self._end(CRASHED)

    def _hangs(self) -> bool:
        return self._unanswered * KEEP >= self._plan.patience

    def _how_far_behind(self) -> Ms:
        """Sound that came and was not listened to, as the ears said last or as it piled up since."""
        return max(self._behind, Ms(self._intake.until - self._fed) if self._fed is not None else Ms(0))

    def _report(self) -> None:
        self._voice.send(
            self._health.report(
                behind=self._how_far_behind(),
                cues=len(self._files.kept.cues),
                corrected=self._script.corrected,
                sinks=tuple(sink.report() for sink in self._reported),
            )
        )

    def _disk_trouble(self, sentence: str | None) -> None:
        """Say once that the disk refuses; captions go on."""
        self._health.disk = sentence
        if sentence is not None:
            logger.error("%s", sentence)
            self._voice.say(sentence)

    async def _say_goodbye(self) -> None:
        """Send the last words, to a relay that may just be restarting."""
        owes = self._voice.owes or self._picture.owes
        if self._sound_ended and not owes and not self._voice.is_heard:
            logger.info("the relay has left after the sound ended; it had heard everything")
            return
        try:
            async with asyncio.timeout(LAST_CALL):
                await self._voice.wait()
        except TimeoutError:
            logger.warning("no relay heard the last words")
            return
        self._report()
        if self._over.result() == DONE:
            self._voice.send(CaptionsDone())
        await self._voice.drain()


def _show_of(message: Welcome | ClockStarted) -> int:
    """Which show the relay speaks of; 0 where none has begun."""
    return message.show or message.epoch if isinstance(message, Welcome) else message.epoch
