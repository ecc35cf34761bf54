"""Whisper on short windows: the one place that knows CTranslate2 and faster-whisper."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from studio.errors import SpeechError
from studio.language import _
from studio.sound import SPEECH_RATE
from studio.speech._models import complete
from studio.speech._scripts import LATIN, foreign
from studio.speech._settle import Piece, cut_loop, flat, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from studio.units import Ms

logger = logging.getLogger(__name__)

FRAME = 160
"""Samples of one frame of Whisper's spectrogram: 10 ms."""
_LONGEST = 3000
"""Frames Whisper takes at most."""
_GRAIN = 50
"""Windows are a multiple of so many frames, or the model's kernels are chosen anew for each pass."""
_ALIGNED = 320
"""Samples between two places that alignment can name: 20 ms."""
_MOST_TOKENS = 160
_MOST_IN_BATCH = 220
"""Tokens of a window of half a minute."""
_CALM = 3
"""Tokens in a row that are not said twice by who is to be calm."""
_MOST_HINT = 96
"""Tokens of names; more would be taken for what was said."""
_ITS_OWN = -1
"""Stands for the tokens that the model's own configuration wants unsaid."""
_FLOOR = 1e-4
"""Probability below which a token's share in the confidence of its word does not fall."""


Task = Literal["transcribe", "translate"]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A window of sound as Whisper's encoder sees it."""

    view: Any
    """CTranslate2's own."""
    samples: int
    """Of sound, without padding."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Several windows of sound, encoded at once."""

    view: Any
    """CTranslate2's own, a row a window."""
    samples: tuple[int, ...]
    """Of sound in each, without padding."""

    def rows(self, which: Sequence[int]) -> Batch:
        """Some of the windows, by their numbers; the batch must lie where the processor computes."""
        if list(which) == list(range(len(self.samples))):
            return self
        from ctranslate2 import StorageView  # noqa: PLC0415 - heavy: only who listens pays for it

        view = StorageView.from_array(np.ascontiguousarray(np.array(self.view)[list(which)]))
        return Batch(view, tuple(self.samples[row] for row in which))


@dataclass(frozen=True, slots=True)
class Guess:
    """What Whisper believes to follow."""

    words: list[Piece]
    ran_away: bool
    """It looped, or filled all the room it had: its end is not to be trusted."""
    logprob: float
    """Average log probability of a token."""
    silence: float
    """Whisper's own probability in [0..1] that nothing was said."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Where a word stands in its window."""

    start: int
    """Samples from the window's begin."""
    end: int
    """Samples from the window's begin. Comes about 130 ms early, as Whisper's alignment does."""
    confidence: float
    """Share in [0..1]."""


class Whisper:
    """A loaded model."""

    def __init__(
        self,
        folder: Path,
        *,
        threads: int,
        compute: str,
        device: Literal["auto", "cpu", "cuda"] = "auto",
        workers: int = 1,
    ) -> None:
        """Load the model in `folder`; SpeechError where it cannot be.

        `workers` passes can be made at a time, each on `threads`, from as many threads of the caller.

        A graphics card that cannot take it is logged and left alone: then the processor computes.
        """
        complete(folder)  # faster-whisper would take a folder that is not there for a name on the hub
        from faster_whisper import WhisperModel  # noqa: PLC0415 - heavy: only who listens pays for it

        self.device = "cuda" if device == "cuda" or (device == "auto" and compute in card_computes()) else "cpu"
        """`cpu` or `cuda`."""

        def load() -> WhisperModel:
            # No processor computes in 16 bits.
            fitting = "int8" if self.device == "cpu" and compute.endswith("float16") else compute
            return WhisperModel(
                str(folder),
                device=self.device,
                compute_type=fitting,
                cpu_threads=threads,
                num_workers=workers,
                local_files_only=True,
            )

        try:
            try:
                self._model = load()
            except (RuntimeError, ValueError) as error:
                if self.device == "cpu":
                    raise
                logger.warning("The graphics card cannot run the speech model (%s); the processor does", error)
                self.device = "cpu"
                self._model = load()
        except Exception as error:  # the tokenizer's library raises nothing narrower for a damaged file
            raise SpeechError(
                _(
                    "The speech model in {folder} cannot be loaded ({reason}); "
                    "copy the folder again, or delete it and run: studio models fetch NAME"
                ).format(folder=folder, reason=str(error).partition("\n")[0])
            ) from error
        self._readers: dict[tuple[str, str], Any] = {}
        self._opens: dict[int, bool] = {}
        self._foreign: list[int] | None = None

    def encode(self, sound: NDArray[np.float32], padding: Ms, skip: int = 0) -> Encoded:
        """Look at `sound`, at most 30 s with its padding, and keep what comes after the first `skip` samples.

        What is skipped is context: the encoder has heard it, and the decoder, which costs six times as much, neither
        has to say it again nor can copy it.
        """
        from ctranslate2 import StorageView  # noqa: PLC0415 - heavy: only who listens pays for it

        padded = np.concatenate([sound, np.zeros(padding * SPEECH_RATE // 1000, np.float32)])
        frames = self._model.feature_extractor(padded)
        wanted = min(_LONGEST, math.ceil(frames.shape[-1] / _GRAIN) * _GRAIN)
        if frames.shape[-1] < wanted:
            frames = np.pad(frames, ((0, 0), (0, wanted - frames.shape[-1])), constant_values=frames.min())
        frames = np.ascontiguousarray(frames[None, :, :wanted], dtype=np.float32)
        # What numpy is to cut must be where numpy can see it.
        view = self._model.model.encode(StorageView.from_array(frames), to_cpu=skip >= _ALIGNED)
        if skip >= _ALIGNED:
            view = StorageView.from_array(np.ascontiguousarray(np.array(view)[:, skip // _ALIGNED :]))
        return Encoded(view, min(len(sound), wanted * FRAME) - skip)

    def follow(
        self,
        encoded: Encoded,
        language: str,
        said: Sequence[Piece],
        beam: int,
        *,
        hint: str = "",
        task: Task = "transcribe",
    ) -> Guess:
        """Guess what follows the words `said` in the window; `hint` is put before it as if it had been said."""
        reader = self._reader(language, task)
        prefix = flat(said)
        head = self._head(reader, hint)
        room = min(_MOST_TOKENS, max(8, _room(encoded.samples) - len(prefix)))
        result = self._model.model.generate(
            encoded.view,
            [head + prefix],
            beam_size=beam,
            # CTranslate2 takes half of it, and counts the prefix in.
            max_length=2 * (len(head) + len(prefix) + room),
            suppress_blank=not prefix,
            suppress_tokens=self._unwritten(language, task),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        return self._guess(reader, result, prefix, room)

    def encode_all(self, sounds: Sequence[NDArray[np.float32]], padding: Ms) -> Batch:
        """Look at several windows at once, each at most 30 s with its padding."""
        from ctranslate2 import StorageView  # noqa: PLC0415 - heavy: only who listens pays for it

        longest = max(len(sound) for sound in sounds) + padding * SPEECH_RATE // 1000
        wanted = min(_LONGEST, math.ceil(longest / FRAME / _GRAIN) * _GRAIN)
        frames = np.stack(
            [
                self._model.feature_extractor(np.pad(sound, (0, max(0, wanted * FRAME - len(sound)))))[:, :wanted]
                for sound in sounds
            ]
        )
        # Where somebody must look at the languages first, rows are told apart later by numpy.
        view = self._model.model.encode(
            StorageView.from_array(np.ascontiguousarray(frames, dtype=np.float32)), to_cpu=True
        )
        return Batch(view, tuple(min(len(sound), wanted * FRAME) for sound in sounds))

    def follow_all(self, batch: Batch, language: str, beam: int, *, hint: str = "", calm: bool = False) -> list[Guess]:
        """Guess what is said in each window, all in `language`; `calm` never says three words in a row twice."""
        reader = self._reader(language)
        head = self._head(reader, hint)
        rooms = [min(_MOST_IN_BATCH, _room(samples)) for samples in batch.samples]
        results = self._model.model.generate(
            batch.view,
            [head] * len(rooms),
            beam_size=beam,
            max_length=2 * (len(head) + max(rooms)),
            no_repeat_ngram_size=_CALM if calm else 0,
            suppress_tokens=self._unwritten(language),
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [self._guess(reader, result, [], room) for result, room in zip(results, rooms, strict=True)]

    def _head(self, reader: Any, hint: str) -> list[int]:  # noqa: ANN401 - faster-whisper ships no types
        head = [*reader.sot_sequence, reader.no_timestamps]
        return [reader.sot_prev, *reader.encode(f" {hint}")[:_MOST_HINT], *head] if hint else head

    def _guess(self, reader: Any, result: Any, prefix: list[int], room: int) -> Guess:  # noqa: ANN401
        tokens = [token for token in result.sequences_ids[0] if token < reader.eot]
        if prefix and tokens[: len(prefix)] == prefix:
            tokens = tokens[len(prefix) :]
        cut = cut_loop(tokens)
        return Guess(
            pieces(cut, reader.decode, self._opens_word),
            ran_away=len(tokens) >= room or len(cut) < len(tokens),
            logprob=result.scores[0],
            silence=result.no_speech_prob,
        )

    def drill(self, encoded: Encoded, count: int, beam: int) -> list[Piece]:
        """Say exactly `count` tokens, whatever is heard: for measuring what decoding costs."""
        reader = self._reader("en" if self.speaks("en") else self._model.supported_languages[0])
        head = [*reader.sot_sequence, reader.no_timestamps]
        result = self._model.model.generate(
            encoded.view,
            [head],
            beam_size=beam,
            max_length=2 * (len(head) + count),
            suppress_tokens=[_ITS_OWN, reader.eot],
            return_no_speech_prob=True,
        )[0]
        return pieces(result.sequences_ids[0][:count], reader.decode, self._opens_word)

    def transcribe(
        self, sound: NDArray[np.float32], language: str | None, beam: int, hotwords: str | None
    ) -> Iterable[Any]:
        """Yield faster-whisper's own segments of all of `sound`, with words and their times, as they are found.

        `language` is found by itself where it is `None`.
        """
        segments: Iterable[Any]
        segments, _info = self._model.transcribe(
            sound,
            language=language,
            beam_size=beam,
            vad_filter=True,
            word_timestamps=True,
            condition_on_previous_text=False,
            hotwords=hotwords,
        )
        return segments

    @property
    def compute(self) -> str:
        """The compute type it came to, by CTranslate2's name; `int8` is short for one of several."""
        return str(self._model.model.compute_type)

    def align(self, encoded: Encoded, language: str, words: Sequence[Piece]) -> list[Timing]:
        """Say where each of `words`, all that was said in the window, stands."""
        tokens = flat(words)
        if not tokens:
            return []
        frames = max(2, encoded.samples // FRAME)
        result = self._model.model.align(encoded.view, self._reader(language).sot_sequence, [tokens], frames)[0]
        return _timings(result, words, encoded.samples)

    def align_all(self, batch: Batch, language: str, said: Sequence[Sequence[Piece]]) -> list[list[Timing]]:
        """Say where each word of each window stands; `said` is all that was said in it."""
        frames = [max(2, samples // FRAME) for samples in batch.samples]
        tokens = [flat(words) for words in said]
        results = self._model.model.align(batch.view, self._reader(language).sot_sequence, tokens, frames)
        return [
            _timings(result, words, samples) if words else []
            for result, words, samples in zip(results, said, batch.samples, strict=True)
        ]

    def languages(self, batch: Batch, among: Sequence[str]) -> list[dict[str, float]]:
        """Return how likely each language `among` some is in each window, as a share in [0..1] of all languages."""
        return [
            {code: share for name, share in found if (code := name.strip("<|>")) in among}
            for found in self._model.model.detect_language(batch.view)
        ]

    def language(self, encoded: Encoded, among: Sequence[str]) -> tuple[str, float]:
        """Return the likeliest language `among` some, and its share in [0..1] of the likelihood of these."""
        shares = {name.strip("<|>"): share for name, share in self._model.model.detect_language(encoded.view)[0]}
        known = {code: shares.get(code, 0.0) for code in among}
        best = max(known, key=lambda code: known[code])
        return best, known[best] / max(1e-9, sum(known.values()))

    def speaks(self, language: str) -> bool:
        """Whether the model knows `language`."""
        return language in self._model.supported_languages

    def _reader(self, language: str, task: Task = "transcribe") -> Any:  # noqa: ANN401 - faster-whisper ships no types
        from faster_whisper.tokenizer import Tokenizer  # noqa: PLC0415 - heavy: only who listens pays for it

        if (language, task) not in self._readers:
            several = self._model.model.is_multilingual
            self._readers[language, task] = Tokenizer(self._model.hf_tokenizer, several, task=task, language=language)
        return self._readers[language, task]

    def _unwritten(self, language: str, task: Task = "transcribe") -> list[int]:
        """Tokens that are not to be said: those that the model names itself, and letters that nobody writes there."""
        if task == "transcribe" and language not in LATIN:
            return [_ITS_OWN]
        if self._foreign is None:
            reader = self._model.hf_tokenizer
            count = reader.get_vocab_size(with_added_tokens=False)
            self._foreign = [_ITS_OWN, *foreign((token, reader.id_to_token(token)) for token in range(count))]
        return self._foreign

    def _opens_word(self, token: int) -> bool:
        known = self._opens.get(token)
        if known is None:
            known = self._opens[token] = self._model.hf_tokenizer.decode([token])[:1] in {" ", ""}
        return known


def _room(samples: int) -> int:
    """Tokens that may be said in so much sound.

    Hardly anybody speaks more than eight a second: a window that is cut would loop on.
    """
    return 8 + 8 * samples // SPEECH_RATE


def _timings(result: Any, words: Sequence[Piece], samples: int) -> list[Timing]:  # noqa: ANN401
    """What CTranslate2 aligned, by words."""
    tokens = flat(words)
    begins = [0] * (len(tokens) + 1)
    seen = -1
    for token, place in result.alignments:
        for missing in range(seen + 1, min(token, len(tokens)) + 1):
            begins[missing] = place * _ALIGNED
        seen = max(seen, token)
    begins[seen + 1 :] = [samples] * (len(begins) - seen - 1)
    timings, at = [], 0
    for word in words:
        after = at + len(word.tokens)
        likely = [math.log(max(_FLOOR, share)) for share in result.text_token_probs[at:after]]
        confidence = math.exp(sum(likely) / len(likely)) if likely else 0.0
        timings.append(Timing(begins[at], begins[after], min(1.0, confidence)))
        at = after
    return timings


def card_computes() -> frozenset[str]:
    """Compute types of the first graphics card, as CTranslate2 names them; none where there is no such card."""
    import ctranslate2  # noqa: PLC0415 - heavy: only who listens pays for it

    return (
        frozenset(ctranslate2.get_supported_compute_types("cuda"))
        if ctranslate2.get_cuda_device_count()
        else frozenset()
    )
