"""Reads a YAML file as text and structure only: every scalar stays the string it is, every key knows its line."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml
from yaml.composer import Composer

KeyPath = tuple[str | int, ...]
MAX_FILE_BYTES = 1_000_000
_MAX_NODES = 200_000
_JSON = re.compile(r"true|false|-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?")


@dataclass(frozen=True, order=True)
class YamlFinding:
    """One mistake in a file, at the place where it can be put right."""

    file: str
    """File name, as the reader should see it."""
    line: int
    """1-based; 0 when the whole file is meant."""
    path: str
    """Keys from the top of the file: ``flows.order_status.steps[2].next``."""
    message: str
    severity: Literal["error", "warning"] = "error"
    keys: KeyPath = field(default=(), compare=False, repr=False)
    """The same as ``path``, for programs; ``()`` where the whole file is meant."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        what = f"{self.path}: {self.message}" if self.path else self.message
        return f"{place}: {what}" if self.severity == "error" else f"{place}: warning: {what}"


@dataclass(frozen=True)
class YamlSource:
    """One YAML file, read."""

    file: str
    data: Any
    """Dicts, lists and strings; None for an empty value."""
    lines: Mapping[KeyPath, int]
    """Key path -> 1-based line. For a mapping entry the line of its key."""
    findings: tuple[YamlFinding, ...] = ()

    def line(self, path: KeyPath) -> int:
        """Return the line of the deepest part of ``path`` that exists in the file."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


def path_text(path: KeyPath) -> str:
    """Write a key path for messages: ``flows.order_status.steps[2].next``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def value_at(data: Any, path: KeyPath) -> Any:
    """Return what stands at a place of a file's data; None where nothing does."""
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def read(file: str, content: str, typed: Callable[[KeyPath], bool] | None = None) -> YamlSource:
    """Read one file's content. Mistakes come back in ``findings``; never raises for bad YAML.

    ``yes``, ``no``, ``on``, ``010`` and ``12:30`` stay text; a key that stands twice and an alias that contains
    itself are mistakes; tags are not executed. Where ``typed`` says so of a place, unquoted numbers, ``true`` and
    ``false`` are what JSON takes them for.
    """
    return read_with_nodes(file, content, typed)[0]


def read_with_nodes(
    file: str, content: str, typed: Callable[[KeyPath], bool] | None = None
) -> tuple[YamlSource, yaml.Node | None]:
    """Do the same, and return the nodes with their marks as well; None where the file is empty or unreadable."""
    if len(content) > MAX_FILE_BYTES:
        finding = YamlFinding(file, 0, "", f"is larger than {MAX_FILE_BYTES} characters")
        return YamlSource(file, None, {}, (finding,)), None
    try:
        root = compose(content)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 0
        message = f"is not readable YAML: {error.problem or error.context}"
        return YamlSource(file, None, {}, (YamlFinding(file, line, "", message),)), None
    except (yaml.YAMLError, RecursionError) as error:
        return YamlSource(file, None, {}, (YamlFinding(file, 0, "", f"is not readable YAML: {error}"),)), None
    builder = _Builder(file, typed)
    data = builder.build(root, ()) if root is not None else None
    return YamlSource(file, data, builder.lines, tuple(builder.findings)), root


def compose(content: str) -> yaml.Node | None:
    """Return the node tree with its marks, None for an empty file. Raises ``yaml.YAMLError``, RecursionError.

    libyaml scans eight times as fast; what it refuses is told in PyYAML's own words.
    """
    if _FastLoader is not None:
        with contextlib.suppress(yaml.YAMLError, UnicodeError, RecursionError):
            return yaml.compose(content, Loader=_FastLoader)
    return yaml.compose(content, Loader=yaml.SafeLoader)


def _fast_loader() -> Any:
    """Return libyaml's scanner under PyYAML's composer; None where PyYAML was built without it.

    libyaml's own composer ends the process on a file that is nested some ten thousand levels deep.
    """
    if not yaml.__with_libyaml__:
        return None

    def begin(loader: Any, stream: str) -> None:
        yaml.CSafeLoader.__init__(loader, stream)
        Composer.__init__(loader)

    return type("FastLoader", (Composer, yaml.CSafeLoader), {"__init__": begin})


_FastLoader = _fast_loader()


def _json_value(node: yaml.ScalarNode) -> Any:
    if node.style or not _JSON.fullmatch(node.value):
        return node.value
    return json.loads(node.value)


class _Builder:
    """Walks the node tree once, collecting data, lines and findings."""

    def __init__(self, file: str, typed: Callable[[KeyPath], bool] | None) -> None:
        self.file = file
        self._typed = typed
        self.lines: dict[KeyPath, int] = {}
        self.findings: list[YamlFinding] = []
        self._open: set[int] = set()
        self._nodes = 0

    def build(self, node: yaml.Node, path: KeyPath) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        self._nodes += 1
        if id(node) in self._open:
            self._report(node, path, "an alias contains itself")
            return None
        if self._nodes > _MAX_NODES:
            if self._nodes == _MAX_NODES + 1:
                self._report(node, path, "the file grows too large through its aliases")
            return None
        if isinstance(node, yaml.ScalarNode):
            if not node.style and node.value in ("", "~"):
                return None
            return _json_value(node) if self._typed is not None and self._typed(path) else node.value
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.build(child, (*path, index)) for index, child in enumerate(node.value)]
            return self._mapping(node, path)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.Node, path: KeyPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._report(key, path, "a key must be plain text")
                continue
            name = str(key.value)
            here = (*path, name)
            if name in data:
                first = self.lines.get(here, 0)
                self._report(key, here, f"stands twice; the first one is on line {first}")
                continue
            self.lines[here] = key.start_mark.line + 1
            data[name] = self.build(value, here)
        return data

    def _report(self, node: yaml.Node, path: KeyPath, message: str) -> None:
        line = node.start_mark.line + 1
        self.findings.append(YamlFinding(self.file, line, path_text(path), message, keys=path))
