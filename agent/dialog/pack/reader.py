"""Reads a directory of YAML files into one flow pack's contents, reporting every mistake with file, line and key."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Literal, cast

from pydantic import BaseModel, ValidationError

from agent.common import yaml_reader
from agent.common.yaml_reader import KeyPath, YamlSource, path_text
from agent.dialog.errors import YamlFinding
from agent.dialog.grammar.templates import did_you_mean
from agent.dialog.model import knowledge
from agent.dialog.model.knowledge_file import Knowledge
from agent.dialog.model.model import (
    STEP_KINDS,
    CommandPhrases,
    ConditionalPrompt,
    CorrectionPhrases,
    Escalation,
    Flow,
    PackFile,
    QuestionSettings,
    RecordingConsent,
    Slot,
    Story,
    Trigger,
)
from agent.dialog.model.outbound import OutboundCalls
from agent.dialog.model.services import Service
from agent.dialog.model.understanding import Thresholds, UnderstandingSettings, UnservedRequests
from agent.dialog.pack.pack_files import BYTE_ORDER_MARK, edition_of, in_order, read_pack_files

_NAMED = (
    "rules", "same", "answers", "escalate", "variables", "services", "slots", "prompts", "flows", "not_for_us",
    "other_languages",
)  # fmt: skip
_SINGLE = (
    "language",
    "start",
    "commands",
    "corrections",
    "defaults",
    "outbound",
    "recording",
    "story",
    "wait_seconds",
    "knowledge",
    "understanding",
)
_FILES_REMEMBERED = 64
_LISTED = ("fillers", "openers", "closers", "keep")


@dataclass
class PackReading:
    """A pack's contents as far as they could be read, and where everything stands."""

    contents: PackFile = field(default_factory=PackFile)
    findings: list[YamlFinding] = field(default_factory=list)
    fingerprint: str = ""
    """Changes whenever any file changes."""
    unreadable: bool = False
    """True when a file is missing from ``contents``: what it defines must not be called unknown."""
    _places: dict[KeyPath, tuple[YamlSource, KeyPath]] = field(default_factory=dict)
    _first: YamlSource | None = None

    def report(self, path: KeyPath, message: str, *, warning: bool = False) -> None:
        """Add a finding about a key of the merged pack, at the file and line where it is written."""
        for length in range(len(path), 0, -1):
            found = self._places.get(path[:length])
            if found is not None:
                source, prefix = found
                here = (*prefix, *path[length:])
                severity: Literal["error", "warning"] = "warning" if warning else "error"
                finding = YamlFinding(source.file, source.line(here), path_text(here), message, severity, here)
                break
        else:
            name = self._first.file if self._first is not None else "."
            finding = YamlFinding(name, 0, path_text(path), message, "warning" if warning else "error")
        if finding not in self.findings:
            self.findings.append(finding)

    def place(self, path: KeyPath, source: YamlSource, here: KeyPath) -> None:
        """Remember where a key of the merged pack is written."""
        self._places.setdefault(path, (source, here))
        self._first = self._first or source


def read_pack(directory: FilePath) -> PackReading:
    """Read every ``*.yaml`` below ``directory``. Never raises for bad contents: see ``findings``."""
    files, problems = read_pack_files(directory)
    if not files and not problems:
        problems = [YamlFinding(str(directory.name), 0, "", "holds no .yaml files")]
    return read_files(files, problems)


def read_files(files: Mapping[str, str], problems: Iterable[YamlFinding] = ()) -> PackReading:
    """Read a pack from texts by file name (relative, ``/`` between folders), as :func:`read_pack` does.

    ``problems`` are files that could not be read.
    """
    reading = PackReading()
    reading.findings += problems
    reading.unreadable = not files or bool(reading.findings)
    merged: dict[str, Any] = {}
    for name in in_order(files):
        source = read_file(name, files[name])
        reading.findings += source.findings
        reading.unreadable |= source.data is None and bool(source.findings)
        parsed = _validated(source, reading)
        if parsed is not None:
            _merge(merged, parsed, source, reading)
    reading.fingerprint = edition_of(files)
    told = knowledge.prompts(merged.get("knowledge"))
    if told:
        merged["prompts"] = {**told, **merged.get("prompts", {})}
    reading.contents = PackFile.model_construct(**{**_empty(), **merged})
    return reading


def read_file(name: str, text: str) -> YamlSource:
    """Read one file of a pack; one whose text was read before is not read again."""
    return _read(name, text.removeprefix(BYTE_ORDER_MARK))


@functools.lru_cache(maxsize=_FILES_REMEMBERED)  # an edit changes one file; the others are as they were
def _read(name: str, content: str) -> YamlSource:
    return yaml_reader.read(name, content)


def use_formats(reading: PackReading, formats: Mapping[str, str]) -> None:
    """Give number slots other formats than the files do. A slot that is none is a finding."""
    slots = reading.contents.slots
    numbers = sorted(name for name, slot in slots.items() if slot.type == "number")
    changed = dict(slots)
    for name, pattern in formats.items():
        if name in numbers:
            changed[name] = slots[name].model_copy(update={"format": pattern})
        elif not reading.unreadable:
            reading.findings.append(
                YamlFinding("number_formats", 0, name, f"there is no number slot '{name}'{did_you_mean(name, numbers)}")
            )
    reading.contents = reading.contents.model_copy(update={"slots": changed})


def _empty() -> dict[str, Any]:
    return {name: info.get_default(call_default_factory=True) for name, info in PackFile.model_fields.items()}


def _validated(source: YamlSource, reading: PackReading) -> PackFile | None:
    """Check one file against the model; broken entries are left out so that the others can still be checked."""
    data = source.data
    if data is None:
        return None
    if not isinstance(data, dict):
        reading.findings.append(YamlFinding(source.file, 1, "", "a flow file is a mapping of sections"))
        return None
    try:
        return PackFile.model_validate(data)
    except ValidationError as error:
        broken: set[KeyPath] = set()
        for detail in error.errors(include_url=False, include_context=True):
            path, message = _explain(detail["loc"], detail["type"], detail["msg"], data)
            line = source.line(path)
            reading.findings.append(YamlFinding(source.file, line, path_text(path), message, keys=path))
            broken.add(path[: 2 if path and path[0] in _NAMED else 1])
        kept = _without(data, broken)
        try:
            return PackFile.model_validate(kept)
        except ValidationError:
            return None


def _without(data: Mapping[str, Any], broken: Iterable[KeyPath]) -> dict[str, Any]:
    kept = {key: dict(value) if isinstance(value, dict) else value for key, value in data.items()}
    for path in broken:
        if len(path) == 2 and isinstance(kept.get(cast(str, path[0])), dict):
            kept[cast(str, path[0])].pop(path[1], None)
        elif path:
            kept.pop(cast(str, path[0]), None)
    return kept


def _merge(merged: dict[str, Any], parsed: PackFile, source: YamlSource, reading: PackReading) -> None:
    for section in parsed.model_fields_set:
        value = getattr(parsed, section)
        if section in _SINGLE:
            if section in merged:
                reading.findings.append(
                    YamlFinding(source.file, source.line((section,)), section, "is already given in another file")
                )
                continue
            merged[section] = value
            reading.place((section,), source, (section,))
            if section == "knowledge":
                _place_knowledge(value, source, reading)
        elif section in _LISTED:
            merged[section] = (*merged.get(section, ()), *value)
            reading.place((section,), source, (section,))
        else:
            names = merged.setdefault(section, {})
            for name, item in value.items():
                here = (section, name)
                if name in names:
                    message = "this name is already used in another file"
                    line = source.line(here)
                    reading.findings.append(YamlFinding(source.file, line, path_text(here), message, keys=here))
                    continue
                names[name] = item
                reading.place(here, source, here)


def _place_knowledge(told: Knowledge, source: YamlSource, reading: PackReading) -> None:
    """Remember where the words stand that become prompts."""
    places = ((knowledge.ANSWER_PROMPT, knowledge.ANSWERS), (knowledge.PROMOTION_PROMPT, knowledge.PROMOTIONS))
    for prompt, section in places:
        reading.place(("prompts", prompt), source, ("knowledge", section))
        for name in getattr(told, section):
            reading.place(("prompts", prompt, "cases", name), source, ("knowledge", section, name, "says"))


def _explain(loc: tuple[int | str, ...], kind: str, message: str, data: Any) -> tuple[KeyPath, str]:
    """Turn pydantic's location and words into the file's own key path and plain words."""
    path = _in_file(loc, data)
    if kind == "extra_forbidden":
        name = str(path[-1])
        allowed = _allowed(path[:-1], data)
        return path, f"there is no key '{name}' here{did_you_mean(name, allowed) or _listing(allowed)}"
    if kind == "missing":
        return path, f"needs the key '{loc[-1]}'"
    if kind == "string_pattern_mismatch":  # no other text of a pack has a pattern
        return path, "a reason is 2 to 40 small letters (a-z), digits and _, beginning with a letter"
    if kind in ("string_type", "tuple_type", "dict_type", "model_type", "model_attributes_type"):
        wanted = {"string_type": "a text", "tuple_type": "a text or a list of texts"}.get(kind, "a mapping of keys")
        return path, f"should be {wanted}"
    return path, message[0].lower() + message[1:]


def _in_file(loc: tuple[int | str, ...], data: Any) -> KeyPath:
    """Drop the names of model alternatives from a location and stop where the file has no such key."""
    in_step = len(loc) > 5 and loc[0] == "flows" and loc[2] == "steps" and loc[4] in STEP_KINDS
    if in_step:
        loc = (*loc[:4], *loc[5:])
    elif len(loc) > 2 and loc[0] == "prompts" and loc[2] in ("text", "choose"):
        loc = (*loc[:2], *loc[3:])
    path: list[int | str] = []
    here = data
    for part in loc:
        inside = range(len(here)) if isinstance(here, list) else here if isinstance(here, dict) else ()
        if part not in inside:
            # a key that is missing, or a single text where a list may stand
            break
        here = here[part]
        path.append(part)
    return tuple(path)


_BY_SECTION: dict[str, type[BaseModel]] = {
    "slots": Slot, "flows": Flow, "services": Service, "escalate": Escalation, "prompts": ConditionalPrompt,
    "not_for_us": UnservedRequests,
}  # fmt: skip
_SINGLE_MODELS: dict[str, type[BaseModel]] = {
    "commands": CommandPhrases, "corrections": CorrectionPhrases, "defaults": QuestionSettings,
    "outbound": OutboundCalls, "recording": RecordingConsent, "story": Story,
    "understanding": UnderstandingSettings,
}  # fmt: skip


def _allowed(path: KeyPath, data: Any) -> list[str]:
    """Return the keys that may stand at a place."""
    model: type[BaseModel] | None = None
    if not path:
        model = PackFile
    elif len(path) == 1:
        model = _SINGLE_MODELS.get(str(path[0]))
    elif path[:2] == ("understanding", "recognizers") and len(path) == 3:
        model = Thresholds
    elif len(path) == 2:
        model = _BY_SECTION.get(str(path[0]))
    elif path[0] == "flows" and len(path) == 4 and path[2] == "triggers":
        model = Trigger
    elif path[0] == "flows" and len(path) == 4 and path[2] == "steps":
        step: Any = data
        for part in path:
            step = step[part]
        model = next((STEP_KINDS[kind] for kind in STEP_KINDS if kind in step), None)
    if model is None:
        return ["yes", "no"] if path == ("answers",) else []
    return [info.alias or name for name, info in model.model_fields.items()]


def _listing(allowed: list[str]) -> str:
    return f"; possible: {', '.join(allowed)}" if allowed else ""
