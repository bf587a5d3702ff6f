"""Reads a directory of mapping files; every mistake is told by file, line and key before anything is asked."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from agent.common import yaml_reader
from agent.common.files import read_text
from agent.common.yaml_reader import YamlFinding, YamlSource, path_text
from agent.errors import OrderlineError
from agent.shop.http.mapping import SystemMapping
from agent.shop.http.mapping_lint import lint

KeyPath = tuple[str | int, ...]
_PATH_KEYS = ("file", "ca_file")


class MappingError(OrderlineError):
    """The mapping files cannot be used; the message holds one ``file:line: key: problem`` a line."""

    code = "settings"


@dataclass(frozen=True)
class MappingFile:
    """One system and the file that says how to reach it."""

    path: Path
    system: SystemMapping
    source: YamlSource

    def place(self, *keys: str | int) -> str:
        """Return ``file:line`` of a key."""
        return f"{self.path}:{self.source.line(keys)}"


def shipped() -> Mapping[str, Path]:
    """Return the mapping files that come with Orderline, by name."""
    return {path.stem: path for path in sorted((Path(__file__).parent / "mappings").glob("*.yaml"))}


def additions() -> Mapping[str, Path]:
    """Return the files that some of the shipped mappings ask to be added to the other system, by file name."""
    return {path.name: path for path in sorted((Path(__file__).parent / "mappings").glob("*.py"))}


def load_directory(directory: Path) -> tuple[MappingFile, ...]:
    """Read ``*.yaml`` of a directory in name order. Raises MappingError naming every mistake of every file."""
    if not directory.is_dir():
        raise MappingError(f"{directory}: there is no such directory; it is named by shop.systems_directory")
    paths = sorted(directory.glob("*.yaml"))
    if not paths:
        raise MappingError(f"{directory}: there are no mapping files (*.yaml); `orderline shop mappings` lists some")
    findings: list[YamlFinding] = []
    files: list[MappingFile] = []
    for path in paths:
        found = read_file(path)
        if isinstance(found, MappingFile):
            files.append(found)
        else:
            findings += found
    findings += _collisions(files)
    if findings:
        raise MappingError("\n".join(map(str, sorted(findings))))
    return tuple(files)


def read_file(path: Path) -> MappingFile | Sequence[YamlFinding]:
    """Read one mapping file, or say what is wrong with it."""
    try:
        source = yaml_reader.read(str(path), read_text(path), typed=_is_json)
    except (OSError, UnicodeDecodeError) as error:
        return [YamlFinding(str(path), 0, "", f"cannot be read: {getattr(error, 'strerror', None) or error}")]
    if source.findings:
        return source.findings
    if not isinstance(source.data, dict):
        return [YamlFinding(str(path), 1, "", "must be a mapping: system, base_url, operations")]
    try:
        system = SystemMapping.model_validate(_absolute(source.data, path.parent))
    except ValidationError as error:
        return [_finding(dict(item), source) for item in error.errors(include_url=False, include_input=False)]
    file = MappingFile(path, system, source)
    problems = [YamlFinding(str(path), source.line(at), path_text(at), message) for at, message in lint(system)]
    return problems or file


def _is_json(at: KeyPath) -> bool:
    """In the body of a request, unquoted numbers, true and false are what JSON takes them for."""
    return at[:1] in (("operations",), ("check",)) and "json" in at[1:-1]


def _collisions(files: Sequence[MappingFile]) -> list[YamlFinding]:
    found: list[YamlFinding] = []
    names: dict[str, MappingFile] = {}
    served: dict[str, MappingFile] = {}
    for file in files:
        line = file.source.line(("system",))
        known = names.setdefault(file.system.system, file)
        if known is not file:
            found.append(YamlFinding(str(file.path), line, "system", f"{known.path} has this name already"))
        for name in file.system.operations:
            first = served.setdefault(name, file)
            if first is not file:
                at = ("operations", name)
                message = f"is served by {first.place(*at)} already; an operation has one system"
                found.append(YamlFinding(str(file.path), file.source.line(at), f"operations.{name}", message))
    return found


def _absolute(data: Any, directory: Path) -> Any:
    """Paths in a mapping file are relative to the file's own directory."""
    if isinstance(data, list):
        return [_absolute(value, directory) for value in data]
    if not isinstance(data, dict):
        return data
    found = {}
    for key, value in data.items():
        is_path = key in _PATH_KEYS and isinstance(value, str)
        found[key] = str((directory / Path(value).expanduser()).resolve()) if is_path else _absolute(value, directory)
    return found


def _finding(error: dict[str, Any], source: YamlSource) -> YamlFinding:
    at: KeyPath = tuple(error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        valid = _valid_keys(at[:-1])
        close = get_close_matches(str(at[-1]), valid, n=1, cutoff=0.6)
        hint = f"did you mean {close[0]}?" if close else f"valid here: {', '.join(sorted(valid))}"
        message = f"there is no such key; {hint}"
    return YamlFinding(source.file, source.line(at), path_text(at), message)


def _valid_keys(at: KeyPath) -> list[str]:
    here: Any = SystemMapping
    for part in at:
        if isinstance(here, type) and issubclass(here, BaseModel):
            fields = {field.alias or name: field for name, field in here.model_fields.items()}
            here = _inner(fields[str(part)].annotation) if str(part) in fields else None
        else:
            arguments = get_args(here)
            here = _inner(arguments[-1]) if arguments else None
    if not (isinstance(here, type) and issubclass(here, BaseModel)):
        return []
    return [field.alias or name for name, field in here.model_fields.items()]


def _inner(annotation: Any) -> Any:
    """The annotation without Annotated and None."""
    if get_origin(annotation) is Annotated:
        return _inner(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _inner(next(one for one in get_args(annotation) if one is not type(None)))
    return annotation
