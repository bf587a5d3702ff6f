"""Recognition models on disk: the bundled one, the configured one, and installing a downloaded one."""

from __future__ import annotations

import lzma
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from agent.errors import OrderlineError

BUNDLED_NAME = "vosk-model-tiny-en-us-phone"
"""The small English telephone model inside the package."""

MAX_UNPACKED_BYTES = 8 * 2**30
"""Largest model an archive may unpack to; the biggest published one is about 5 GB."""

_ACOUSTIC_MODELS = ("am/final.mdl", "final.mdl")
_FEATURES = ("conf/mfcc.conf", "mfcc.conf")
_WORD_LISTS = ("graph/words.txt", "words.txt")
_GRAPHS = ("graph/HCLr.fst", "graph/HCLG.fst", "HCLr.fst", "HCLG.fst")
_RUN_TIME_GRAPHS = ("graph/HCLr.fst", "HCLr.fst")


class ModelError(OrderlineError):
    """A recognition model that is missing, incomplete or cannot be installed."""

    code = "model"


def bundled_model() -> Path:
    """Return the directory of the model that comes with the package."""
    return Path(__file__).parent / "models" / BUNDLED_NAME


def check_model(directory: Path) -> None:
    """Raise :class:`ModelError` unless ``directory`` holds a Vosk model that takes a grammar for each turn."""
    if not directory.is_dir():
        raise ModelError(f"No recognition model at {directory}: there is no such directory.")
    for wanted in (_ACOUSTIC_MODELS, _FEATURES, _WORD_LISTS, _GRAPHS):
        if not any((directory / name).is_file() for name in wanted):
            raise ModelError(f"{directory} is not a Vosk model: it has no {wanted[0]}.")
    if not any((directory / name).is_file() for name in _RUN_TIME_GRAPHS):
        raise ModelError(
            f"{directory} is a Vosk model with a fixed graph (HCLG.fst), which cannot take the phrases of each step. "
            "Use one with a run-time graph (HCLr.fst): the `small` and `lgraph` models have it."
        )


def resolve_model(setting: str, models_dir: Path) -> Path:
    """Return the directory of the model the settings name, checked.

    ``setting`` is empty or ``bundled`` for the bundled model, the name of one installed in ``models_dir``, or a path.
    Raises :class:`ModelError` with the names that could be used instead.
    """
    if setting in ("", "bundled", BUNDLED_NAME):
        directory = bundled_model()
    elif "/" in setting:
        directory = Path(setting).expanduser()
    else:
        directory = models_dir / setting
        if not directory.is_dir():
            raise ModelError(
                f"The recognition model {setting!r} is not installed in {models_dir}. "
                f"Installed: {', '.join(installed_models(models_dir)) or 'none'}; `bundled` always works. "
                "`orderline model FILE` installs a downloaded one."
            )
    check_model(directory)
    return directory


def installed_models(models_dir: Path) -> list[str]:
    """Return the names of the models in ``models_dir``, sorted; empty when it does not exist."""
    if not models_dir.is_dir():
        return []
    return sorted(entry.name for entry in models_dir.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def install_model(source: Path, models_dir: Path) -> Path:
    """Install a downloaded model (a directory, a .zip or a tar archive) and return its new directory.

    The model is unpacked beside its final place, checked, and renamed in one step: an interrupted or refused
    installation leaves nothing behind. Raises :class:`ModelError` when the source is no Vosk model, when the archive
    reaches outside its own directory, or when a model of that name is already there.
    """
    if not source.exists():
        raise ModelError(f"There is no model at {source}.")
    models_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".installing-", dir=models_dir) as scratch:
        unpacked = Path(scratch) / "model"
        if source.is_dir():
            shutil.copytree(source, unpacked)
        elif zipfile.is_zipfile(source):
            _unpack_zip(source, unpacked)
        elif tarfile.is_tarfile(source):
            _unpack_tar(source, unpacked)
        else:
            raise ModelError(f"{source} is neither a directory nor a .zip or tar archive.")
        if not unpacked.is_dir():
            raise ModelError(f"{source} is empty.")
        root = _model_root(unpacked)
        check_model(root)
        name = root.name if root != unpacked else _stem(source)
        target = models_dir / name
        if target.exists():
            raise ModelError(f"{target} is already there: remove it first, or use it as it is.")
        root.rename(target)
    return target


def _model_root(unpacked: Path) -> Path:
    """Archives of models hold one directory with the model in it; some hold the model at the top."""
    entries = [entry for entry in unpacked.iterdir() if not entry.name.startswith(".") and entry.name != "__MACOSX"]
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else unpacked


def _stem(source: Path) -> str:
    name = source.resolve().name
    for ending in (".tar.gz", ".tar.xz", ".tar.bz2", ".tgz", ".tar", ".zip"):
        if name.endswith(ending):
            return name.removesuffix(ending)
    return name


def _inside(target: Path, name: str) -> Path:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        raise ModelError(f"The archive was refused: {name!r} reaches outside its own directory.")
    return target.joinpath(*path.parts)


def _check_size(unpacked_bytes: int) -> None:
    if unpacked_bytes > MAX_UNPACKED_BYTES:
        raise ModelError(f"The archive was refused: it unpacks to {unpacked_bytes / 2**30:.0f} GB.")


def _unpack_zip(source: Path, target: Path) -> None:
    try:
        with zipfile.ZipFile(source) as archive:
            members = archive.infolist()
            _check_size(sum(member.file_size for member in members))
            for member in members:
                if not member.is_dir():
                    with archive.open(member) as content:
                        _write(content, _inside(target, member.filename))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise _damaged(source, error) from error


def _unpack_tar(source: Path, target: Path) -> None:
    try:
        with tarfile.open(source) as archive:
            members = archive.getmembers()
            _check_size(sum(member.size for member in members))
            for member in members:
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None:
                    with content:
                        _write(content, _inside(target, member.name))
                elif not member.isdir():
                    raise ModelError(f"The archive was refused: {member.name!r} is not a plain file or directory.")
    except (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError) as error:
        raise _damaged(source, error) from error


def _write(content: IO[bytes], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        shutil.copyfileobj(content, file)


def _damaged(source: Path, error: Exception) -> ModelError:
    return ModelError(f"{source} could not be unpacked: {error}. Download it again.")


__all__ = [
    "BUNDLED_NAME",
    "ModelError",
    "bundled_model",
    "check_model",
    "install_model",
    "installed_models",
    "resolve_model",
]
