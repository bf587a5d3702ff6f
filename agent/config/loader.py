"""Reads ``orderline.yaml`` and ``conf.d/*.yaml``; mistakes are told by file, line and key."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from agent.common import yaml_reader
from agent.common.files import read_text
from agent.config.base import SettingsError
from agent.config.settings import Settings

KeyPath = tuple[str | int, ...]


def load_settings(directory: Path) -> Settings:
    """Read ``orderline.yaml`` and then ``conf.d/*.yaml`` (in name order, later wins).

    Raises SettingsError naming every mistake. A directory without ``orderline.yaml`` is one.
    """
    main = directory / "orderline.yaml"
    if not main.exists():
        raise SettingsError(f"{main}: not found; give the directory of orderline.yaml with --config")
    problems: list[str] = []
    merged: dict[str, Any] = {}
    places: dict[KeyPath, str] = {}
    for path in [main, *sorted((directory / "conf.d").glob("*.yaml"))]:
        merge(merged, _read(path, places, problems))
    if not problems:
        try:
            return Settings.model_validate(_absolute(merged, directory))
        except ValidationError as error:
            problems += [_describe(dict(item), places, main) for item in error.errors()]
    raise SettingsError("\n".join(problems))


def _read(path: Path, places: dict[KeyPath, str], problems: list[str]) -> dict[str, Any]:
    try:
        source = yaml_reader.read(str(path), read_text(path))
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}")
        return {}
    problems += map(str, source.findings)
    places.update({at: f"{path}:{line}" for at, line in source.lines.items()})
    if isinstance(source.data, dict):
        return source.data
    if source.data is not None:
        problems.append(f"{path}:1: must be a mapping of settings")
    return {}


def merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Put ``more`` into ``into``: mappings are joined key by key, anything else is replaced."""
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def _absolute(data: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Paths in the files are relative to the settings' own directory."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            found[key] = _absolute(value, directory)
        elif isinstance(value, list):
            found[key] = [_absolute(item, directory) if isinstance(item, dict) else item for item in value]
        elif isinstance(value, str) and key.endswith(("_file", "_directory")):
            try:
                found[key] = str((directory / Path(value).expanduser()).resolve())
            except (ValueError, RuntimeError) as error:
                raise SettingsError(f"{key}: {value!r} is no path ({error})") from error
        else:
            found[key] = value
    return found


def _describe(error: dict[str, Any], places: Mapping[KeyPath, str], main: Path) -> str:
    at: KeyPath = tuple(error["loc"])
    place = next((places[at[:size]] for size in range(len(at), -1, -1) if at[:size] in places), str(main))
    key = ".".join(str(part) for part in at)
    if error["type"] == "extra_forbidden":
        valid = _valid_keys(at[:-1])
        close = difflib.get_close_matches(str(at[-1]), valid, n=1, cutoff=0.6)
        hint = f"did you mean {close[0]}?" if close else f"valid here: {', '.join(sorted(valid))}"
        return f"{place}: {key}: there is no such setting; {hint}"
    return f"{place}: {key}: {error['msg']}"


def _valid_keys(at: KeyPath) -> list[str]:
    model: type[BaseModel] = Settings
    parts = iter(at)
    for part in parts:
        if isinstance(part, int):
            continue  # the model of a list's items was found with the list
        field = model.model_fields.get(part)
        kind = field.annotation if field is not None else None
        if get_origin(kind) is dict:
            next(parts, None)  # a name of the administrator's own
            kind = get_args(kind)[1]
        kind = next(iter(get_args(kind)), kind)
        if not isinstance(kind, type) or not issubclass(kind, BaseModel):
            return []
        model = kind
    return list(model.model_fields)
