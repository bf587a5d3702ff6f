"""Headings of sections: comments behind an empty line, above what they head. Read and changed; pure."""

from __future__ import annotations

import yaml

from agent.builder import trees, yaml_edit
from agent.builder.errors import EditConflict, EditRefused
from agent.builder.locating import Files, file_of
from agent.builder.operations import HeadingOperation
from agent.builder.yaml_document import Entry, YamlDocument, document
from agent.builder.yaml_splices import TextSplice, comment_above, separated
from agent.common.yaml_reader import KeyPath, path_text


def headings(doc: YamlDocument) -> list[tuple[KeyPath, str]]:
    """Return the headings above the steps of a file's procedures: the step's path, and the words."""
    flows = doc.data.get("flows") if isinstance(doc.data, dict) else None
    found: list[tuple[KeyPath, str]] = []
    for name, flow in flows.items() if isinstance(flows, dict) else ():
        steps = flow.get("steps") if isinstance(flow, dict) else None
        for place in range(len(steps)) if isinstance(steps, list) else ():
            path: KeyPath = ("flows", name, "steps", place)
            try:
                text = heading_of(doc, path)
            except EditRefused:
                continue  # written in one line, or an alias: it has none
            if text:
                found.append((path, text))
    return found


def heading_of(doc: YamlDocument, path: KeyPath) -> str:
    """Return the heading above an item of a list, ``""`` where there is none. Raises :class:`EditRefused`."""
    start, end = _lines(doc, path)
    return " ".join(line.strip().lstrip("#").strip() for line in doc.text[start:end].splitlines())


def change_heading(files: Files, operation: HeadingOperation) -> dict[str, str]:
    """Return the files with another heading above an item; ``""`` takes it away.

    Raises :class:`EditRefused`, :class:`EditConflict`.
    """
    file = file_of(files, operation.path, operation.file)
    doc = document(file, files[file])
    path = trees.resolved(doc.data, operation.path)
    now = heading_of(doc, path)
    if operation.given("old") and operation.old != now:
        raise EditConflict(f"the heading of {path_text(path)} has been changed", operation.value, now)
    words = " ".join(operation.value.split())
    start, end = _lines(doc, path)
    column = doc.column(_entry(doc, path).start)
    text = f"{' ' * column}# {words}{doc.newline}" if words else ""
    if words and not now and start and not doc.blank(doc.line_start(start - 1)):
        text = doc.newline + text
    return {**files, file: yaml_edit.with_comment(doc, files[file], TextSplice(start, end, text))}


def _lines(doc: YamlDocument, path: KeyPath) -> tuple[int, int]:
    """Return the lines of a heading; where there is none both are where it would begin."""
    parent = doc.find(path[:-1])
    entry = _entry(doc, path)
    if not isinstance(parent, yaml.SequenceNode) or parent.flow_style or not doc.begins_line(entry.start):
        raise EditRefused("only an item of a list on lines of its own has a heading", "style")
    end, line = doc.line_start(entry.start), comment_above(doc, entry)
    headed = line > 0 and doc.blank(doc.line_start(line - 1)) and not separated(doc, doc.entries(parent))
    return (line, end) if headed else (line, line)


def _entry(doc: YamlDocument, path: KeyPath) -> Entry:
    entries = doc.entries(doc.find(path[:-1]))
    place = path[-1]
    if not isinstance(place, int) or place >= len(entries):
        raise EditRefused(f"there is no {path_text(path)}", "no_such_place")
    return entries[place]
