"""What is to be heard of one film, in tasks: which are open, what each is, and what came of it; the ledger keeps it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal, TypeAlias

from studio.archive._cupboard import Busy
from studio.archive._ledger import CUT, HEAR, RENDER, TELL
from studio.archive._paper import sentences, untranslated
from studio.archive._settings import hearing_key, telling_key
from studio.archive._work import (
    Cut,
    Cuts,
    Hear,
    Heard,
    Look,
    Looked,
    Outcome,
    Refused,
    Render,
    Sight,
    Task,
    Tell,
    Told,
    pack,
)
from studio.errors import ArchiveError
from studio.language import _
from studio.speech import Survey, chunks
from studio.units import Ms, timecode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from studio.archive._facts import Job
    from studio.archive._ledger import Ledger
    from studio.archive._settings import Settings
    from studio.speech import Stretch, Turn

MOST_TOLD = Ms(2 * 3_600_000)
"""Of a longer film speakers are not told apart: sound and voices of all of it are in one worker's memory."""
INTO = "en"
"""The one language that Whisper translates into."""
Kind: TypeAlias = Literal["look", "hear", "render", "cut", "tell"]
Part: TypeAlias = tuple[Kind, int]
"""A task of a film."""


class FilmTasks:
    """Those of one film. Raises StudioError from any call."""

    def __init__(
        self,
        shown: str,
        settings: Settings,
        ledger: Ledger,
        say: Callable[[str], None],
        *,
        interface: str,
    ) -> None:
        """`shown` is what the film is called; `say` is told what somebody should know of it."""
        self.length = Ms(0)
        """Of the sound that is to be heard, as far as it is known."""
        self.mute = ""
        """Why speakers are not told apart, where they are to be; in a sentence."""
        self._shown = shown
        self._settings = settings
        self._ledger = ledger
        self._say = say
        self._interface = interface
        self._content = ""
        self._film = 0
        self._sight = Sight("", None, "mix", Ms(0), None)
        self._looked: Looked | None = None
        self._job: Job | None = None
        self._render: Job | None = None
        self._cut: Job | None = None
        self._telling: Job | None = None
        self._ready: deque[Part] = deque()
        self._open: set[Part] = set()
        self._parts: list[tuple[Ms, Ms]] = []
        self._spoken: list[tuple[tuple[Ms, Ms, str], ...]] = []
        self._heard = 0
        self._at: dict[Part, Ms] = {}

    def begin(self, film: int, content: str, sight: Sight, length: Ms, *, shots: bool) -> None:
        """Plan what is not done of the film of that number and content; `shots`: its cuts are to be found, too."""
        self._film, self._content, self._sight, self.length = film, content, sight, length
        job = self._ledger.find(film, HEAR, self._key)
        if job is None:
            self._add("look", 0)
        else:
            self._plan(job)
        if shots:
            self._plan_cut()

    @property
    def _key(self) -> str:
        return hearing_key(self._content, self._settings.hearing)

    def _plan(self, job: Job) -> None:
        """Go on with a job: what is open of it is to be heard."""
        if who := self._ledger.take(job.id):
            raise Busy(_("Another studio works on {film}: {who}.").format(film=self._shown, who=who))
        self._job = job
        self._looked = self._ledger.looked(job)
        parts = self._ledger.films.jobs.chunks(job.id)
        self._parts = [(part.start, part.end) for part in parts]
        if self._settings.speakers and self._parts:
            self._plan_telling()
        for part in parts:
            if part.payload is None:
                self._add("hear", part.number)
            else:
                self._heard += part.end - part.start
        if self._settings.translate and self._all_heard:
            self._plan_render()

    @property
    def _all_heard(self) -> bool:
        return self._looked is not None and not any(kind == "hear" for kind, _number in self._open)

    def _plan_cut(self) -> None:
        """Its cuts do not depend on what is heard: whoever found them once has them for all settings."""
        jobs = self._ledger.films.jobs
        self._cut = jobs.add_job(self._film, CUT + self._content, [(Ms(0), max(Ms(1), self.length))])
        self._ledger.take(self._cut.id)
        if any(part.payload is None for part in jobs.chunks(self._cut.id)):
            self._add("cut", 0)

    def _plan_telling(self) -> None:
        """Who speaks is told from all of it at once, while others hear its chunks."""
        assert self._looked is not None  # noqa: S101 - there are no chunks without
        begin, end = self._sight.begin, self._looked.length
        if end - begin > MOST_TOLD:
            self.mute = _("Speakers are not told apart: the film is longer than {length}.").format(
                length=timecode(MOST_TOLD)[:-4]
            )
            return
        key = TELL + telling_key(self._content, self._settings)
        self._telling = self._ledger.films.jobs.add_job(self._film, key, [(begin, end)])
        if self._ledger.told(self._telling.id) is None:
            self._ledger.take(self._telling.id)
            self._add("tell", 0)

    def _plan_render(self) -> None:
        """All is heard: what is not English is to be said in English."""
        assert self._job is not None  # noqa: S101 - that is when this is called
        heard = self._ledger.heard(self._job.id)
        spoken = [sentences(chunk, self._settings.hearing.language) for chunk in heard]
        if not any(language != INTO for chunk in spoken for *_times, language in chunk):
            return
        jobs = self._ledger.films.jobs
        self._render = jobs.add_job(self._film, RENDER + self._key, self._parts)
        self._ledger.take(self._render.id)
        self._spoken = [tuple(one for one in chunk if one[2] != INTO) for chunk in spoken]
        for part in jobs.chunks(self._render.id):
            if part.payload is None and self._spoken[part.number]:
                self._add("render", part.number)
            elif part.payload is None:
                self._ledger.keep(self._render.id, part.number, Heard())

    def _add(self, kind: Kind, number: int) -> None:
        self._open.add((kind, number))
        self._ready.append((kind, number))

    # ── one after the other ───────────────────────────────────────────────────────────────────────────────────────────

    @property
    def over(self) -> bool:
        """Nothing is left but to write."""
        return not self._open

    def next(self) -> tuple[Part, bytes] | None:
        """Return a task that nobody does yet; `None`: there is none at the moment."""
        if not self._ready:
            return None
        part = self._ready.popleft()
        return part, pack(self._task(*part))

    def again(self) -> None:
        """Whoever did our tasks is gone: all that is open is to be done anew."""
        self._ready = deque(sorted(self._open))
        self._at.clear()

    def _task(self, kind: Kind, number: int) -> Task:
        sight = self._sight
        if kind == "cut":
            return Cut(sight, self._interface)
        if kind == "look":
            return Look(sight, self._interface)
        if kind == "tell":
            return Tell(sight, self._settings.speakers, self._interface)
        begin, end = self._parts[number]
        of_chunk = Sight(sight.source, sight.track, sight.channel, begin, end)
        hearing = self._settings.hearing
        if kind == "render":
            return Render(of_chunk, hearing, self._spoken[number], self._interface)
        assert self._looked is not None  # noqa: S101 - there are no chunks without
        voiced, quiet = (_within(found, begin, end) for found in (self._looked.voiced, self._looked.quiet))
        return Hear(of_chunk, hearing, voiced, quiet, self._interface)

    def told(self, part: Part, at: Ms) -> None:
        """A task has come so far."""
        self._at[part] = at

    def take(self, part: Part, outcome: Outcome) -> Ms:
        """Write down what came of a task; return how much sound was heard by it."""
        if part not in self._open:
            return Ms(0)
        kind, number = part
        if isinstance(outcome, Refused) and kind != "tell":
            raise ArchiveError(outcome.reason)
        self._open.discard(part)
        self._at.pop(part, None)
        if isinstance(outcome, Cuts):
            assert self._cut is not None  # noqa: S101 - whose part it is
            self._ledger.keep(self._cut.id, number, outcome)
            return Ms(0)
        if isinstance(outcome, Refused | Told):
            self._take_turns(outcome)
            return Ms(0)
        for sentence in outcome.said:
            self._say(sentence)
        if isinstance(outcome, Looked):
            self._look(outcome)
            return Ms(0)
        job = self._job if kind == "hear" else self._render
        assert job is not None  # noqa: S101 - whose chunk it is
        self._ledger.keep(job.id, number, outcome)
        begin, end = self._parts[number]
        if kind != "hear":
            return Ms(0)
        self._heard += end - begin
        if self._settings.translate and self._all_heard:
            self._plan_render()
        return Ms(end - begin)

    def _take_turns(self, outcome: Told | Refused) -> None:
        """Write down who speaks; where nobody can tell, the film has its subtitles all the same."""
        assert self._telling is not None  # noqa: S101 - whose task it was
        if isinstance(outcome, Told):
            self._ledger.keep(self._telling.id, 0, outcome)
        else:
            self.mute = outcome.reason
            self._ledger.films.jobs.fail_job(self._telling.id, outcome.reason)

    def _look(self, found: Looked) -> None:
        hearing = self._settings.hearing
        self.length = Ms(max(0, found.length - hearing.begin))
        survey = Survey(found.length, found.voiced, found.quiet)
        job = self._ledger.films.jobs.add_job(
            self._film, HEAR + self._key, chunks(survey, hearing.longest), pack(found)
        )
        self._plan(job)

    @property
    def stage(self) -> Literal["look", "hear"]:
        """What is done of it now."""
        return "look" if self._looked is None else "hear"

    @property
    def share(self) -> float:
        """How much of what is to be heard is heard, in [0..1]; while it is looked at, how much was looked at."""
        if self._looked is None:
            at = max((at for (kind, _number), at in self._at.items() if kind == "look"), default=Ms(0))
            return min(1.0, at / self.length) if self.length else 0.0
        total = sum(end - begin for begin, end in self._parts)
        return min(1.0, self.heard / total) if total else 1.0

    @property
    def heard(self) -> float:
        """Milliseconds of the chunks that are heard, parts of chunks too."""
        under_way = 0.0
        for (kind, number), at in self._at.items():
            if kind == "hear":
                begin, end = self._parts[number]
                under_way += min(max(0, at - begin), end - begin)
        return self._heard + under_way

    @property
    def rest(self) -> float:
        """Milliseconds of sound that are still to be heard; before anybody looked, as much as there is."""
        if self._looked is None:
            return float(self.length)
        return sum(end - begin for begin, end in self._parts) - self.heard

    # ── what came of it ───────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def looked(self) -> Looked:
        """Where somebody speaks. Asked when it is `over`, as all that follows."""
        assert self._looked is not None  # noqa: S101 - that is when this is called
        return self._looked

    @property
    def words(self) -> list[Heard]:
        """What was heard in each chunk, in order."""
        assert self._job is not None  # noqa: S101 - as above
        return self._ledger.heard(self._job.id)

    @property
    def english(self) -> list[Heard]:
        """The same in English, where it was asked for and something else is spoken; says how much has none."""
        if self._render is None:
            return []
        found = self._ledger.heard(self._render.id)
        spoken = [one for chunk in self._spoken for one in chunk]
        for sentence in untranslated(spoken, [word for chunk in found for word in chunk.words]):
            self._say(sentence)
        return found

    @property
    def shots(self) -> tuple[Ms, ...]:
        """When shots begin, where that was asked for."""
        return self._ledger.shots(self._cut.id) if self._cut else ()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Who speaks when, where that was asked for and could be told."""
        told = self._ledger.told(self._telling.id) if self._telling and not self.mute else None
        return told.turns if told else ()

    def finish(self) -> None:
        """All that was made of it is written."""
        for job in self._jobs():
            if not (self.mute and job is self._telling):
                self._ledger.films.jobs.finish_job(job.id, keep=True)

    def fail(self, reason: str) -> None:
        """It is given up."""
        for job in self._jobs():
            self._ledger.films.jobs.fail_job(job.id, reason)

    def _jobs(self) -> Iterator[Job]:
        yield from (job for job in (self._job, self._render, self._cut, self._telling) if job is not None)


def _within(found: tuple[Stretch, ...], begin: Ms, end: Ms) -> tuple[Stretch, ...]:
    return tuple(one for one in found if one.start < end and one.end > begin)
