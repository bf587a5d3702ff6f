"""Does an operation: the files before it, the files after it. Pure."""

from __future__ import annotations

from typing import Any

from agent.builder import trees, yaml_edit
from agent.builder.errors import EditConflict, EditRefused
from agent.builder.extracting import extract
from agent.builder.headings import change_heading
from agent.builder.locating import Files, file_of
from agent.builder.merging import CannotMerge, merged_text, merged_tree
from agent.builder.operations import (
    DuplicateOperation,
    ExtractOperation,
    HeadingOperation,
    InsertOperation,
    MoveOperation,
    NewFileOperation,
    Operation,
    RemoveFileOperation,
    RemoveOperation,
    RenameOperation,
    SetOperation,
    TextOperation,
)
from agent.builder.renaming import rename
from agent.builder.steps import keeping_ways
from agent.builder.trees import MISSING, Tree, checked_tree
from agent.builder.yaml_document import document
from agent.common.yaml_reader import KeyPath, path_text

MOST_FILES = 200


def apply_operation(files: Files, operation: Operation) -> dict[str, str]:
    """Return the files after an operation. Raises :class:`EditRefused`, :class:`EditConflict`; nothing is done then."""
    match operation:
        case SetOperation():
            return _set(files, operation)
        case InsertOperation():
            return _insert(files, operation)
        case RemoveOperation():
            return _remove(files, operation)
        case MoveOperation():
            return _move(files, operation)
        case RenameOperation():
            return rename(files, operation)
        case DuplicateOperation():
            return _duplicate(files, operation)
        case ExtractOperation():
            return extract(files, operation)
        case HeadingOperation():
            return change_heading(files, operation)
        case TextOperation():
            return _text(files, operation)
        case NewFileOperation():
            return _new_file(files, operation)
    return _remove_file(files, operation)


def _located(files: Files, operation: Any) -> tuple[str, KeyPath, Tree]:
    """Return the file, the path in it and the value of what an operation is about; the old value is compared."""
    mine = getattr(operation, "value", None)
    try:
        file = file_of(files, operation.path, operation.file)
    except EditRefused as refusal:
        if refusal.kind == "no_such_place" and operation.given("old"):
            raise EditConflict(f"{path_text(tuple(operation.path))} has been removed", mine, None) from refusal
        raise
    data = document(file, files[file]).data
    path = trees.resolved(data, operation.path)
    return file, path, trees.value_at(data, path)


def _set(files: Files, operation: SetOperation) -> dict[str, str]:
    value = checked_tree(operation.value)
    file, path, now = _located(files, operation)
    if operation.given("old") and now != operation.old:
        try:
            value = merged_tree(checked_tree(operation.old), value, now)
        except CannotMerge:
            raise EditConflict(f"{path_text(path)} has been changed", operation.value, now) from None
    return {**files, file: yaml_edit.set_value(file, files[file], path, value)}


def _insert(files: Files, operation: InsertOperation) -> dict[str, str]:
    value = checked_tree(operation.value)
    file = _file_for_new(files, operation)
    data = document(file, files[file]).data
    path = trees.resolved(data if data is not None else {}, operation.path)
    if isinstance(path[-1], str):
        now = trees.value_at(data, path)
        if now is not MISSING and now == value:
            return dict(files)
        if now is not MISSING:
            raise EditConflict(f"{path_text(path)} has been added by somebody else", value, now)
    elif path[-1] and _already_there(data, path, value) and operation.keep_ways:
        raise EditRefused("a step with this id is there already", "taken")
    text = yaml_edit.insert(file, files[file], path, value, operation.before)
    after = {**files, file: text}
    return keeping_ways(files, after, file, path) if operation.keep_ways else after


def _file_for_new(files: Files, operation: InsertOperation) -> str:
    try:
        return file_of(files, operation.path, operation.file, new=True)
    except EditRefused as refusal:
        if refusal.kind == "no_such_place":
            parent = tuple(operation.path[:-1])
            raise EditConflict(f"{path_text(parent)} is not there", operation.value, None) from refusal
        raise


def _already_there(data: Tree, path: KeyPath, value: Tree) -> bool:
    items = trees.value_at(data, path[:-1])
    name = value.get("id") if isinstance(value, dict) else None
    return bool(name) and any(isinstance(item, dict) and item.get("id") == name for item in items)


def _remove(files: Files, operation: RemoveOperation) -> dict[str, str]:
    file, path, now = _located(files, operation)
    if operation.given("old") and now != operation.old:
        raise EditConflict(f"{path_text(path)} has been changed", None, now)
    after = {**files, file: yaml_edit.remove(file, files[file], path)}
    return keeping_ways(files, after, file, path) if operation.keep_ways else after


def _move(files: Files, operation: MoveOperation) -> dict[str, str]:
    file, path, now = _located(files, operation)
    if operation.given("old") and now != operation.old:
        raise EditConflict(f"{path_text(path)} has been changed", None, now)
    if operation.to is not None and _stays(files, operation, file, path):
        return dict(files)
    lines = yaml_edit.cut(file, files[file], path)
    after = {**files, file: yaml_edit.remove(file, files[file], path)}
    if isinstance(path[-1], str):
        target_file, target = operation.to_file or file, path
        if target_file != file and target_file not in files:
            raise EditRefused(f"there is no file {target_file}", "no_such_file")
        section = document(target_file, after[target_file]).data
        if trees.value_at(section, path[:-1]) is MISSING:
            raise EditRefused(f"{target_file} has no {path_text(path[:-1])}", "no_such_place")
    else:
        if operation.to is None:
            raise EditRefused("'to' is needed: the place where it goes", "no_operation")
        target_file = file_of(after, operation.to, operation.to_file or file, new=True)
        target = trees.resolved(document(target_file, after[target_file]).data, operation.to)
        if not isinstance(target[-1], int):
            raise EditRefused("an item of a list goes to a place in a list", "no_such_place")
    text = yaml_edit.paste(target_file, after[target_file], target, lines or (), now, operation.before)
    after[target_file] = text
    return keeping_ways(files, after, file, path, target_file, target) if operation.keep_ways else after


def _stays(files: Files, operation: MoveOperation, file: str, path: KeyPath) -> bool:
    """Return whether an item is to go where it is."""
    if operation.to_file not in ("", file) or not isinstance(path[-1], int):
        return False
    try:
        return trees.resolved(document(file, files[file]).data, operation.to or path) == path
    except EditRefused:
        return False


def _duplicate(files: Files, operation: DuplicateOperation) -> dict[str, str]:
    file, path, now = _located(files, operation)
    text = files[file]
    lines = list(yaml_edit.cut(file, text, path) or ())
    while lines and lines[0].startswith("#"):
        del lines[0]
    name = operation.name
    if isinstance(path[-1], int):
        place = (*path[:-1], path[-1] + 1)
        text = yaml_edit.paste(file, text, place, lines, now)
        if isinstance(now, dict) and "id" in now and not name:
            text = yaml_edit.remove(file, text, (*place, "id"))
        elif isinstance(now, dict) and name:
            at = (*place, "id")
            before = next(iter(now), None)
            text = (
                yaml_edit.set_value(file, text, at, name)
                if "id" in now
                else yaml_edit.insert(file, text, at, name, before)
            )
        return {**files, file: text}
    if not name:
        raise EditRefused("'as' is needed: the name of the copy", "no_operation")
    parent = trees.value_at(document(file, text).data, path[:-1])
    names = list(parent)
    following = names[names.index(path[-1]) + 1 :]
    place = (*path[:-1], name)
    if name in parent:
        raise EditRefused(f"{path_text(place)} exists already", "taken")
    if lines and lines[0].startswith(f"{path[-1]}:"):
        lines[0] = name + lines[0][len(str(path[-1])) :]
    else:
        lines = []
    return {**files, file: yaml_edit.paste(file, text, place, lines, now, following[0] if following else None)}


def _text(files: Files, operation: TextOperation) -> dict[str, str]:
    checked_text(operation.value)
    now = files.get(operation.file)
    if now is None:
        raise EditConflict(f"{operation.file} has been removed", operation.value, None)
    try:
        return {**files, operation.file: merged_text(operation.old, operation.value, now)}
    except CannotMerge:
        raise EditConflict(f"{operation.file} has been changed in the same lines", operation.value, now) from None


def checked_text(text: str) -> None:
    """Raise :class:`EditRefused` for a text that no file can hold."""
    if any(0xD800 <= ord(one) < 0xE000 or one == "\0" for one in text):
        raise EditRefused("a text holds what is no character", "not_text")


def _new_file(files: Files, operation: NewFileOperation) -> dict[str, str]:
    if operation.file in files:
        raise EditRefused(f"{operation.file} exists already", "taken")
    if len(files) >= MOST_FILES:
        raise EditRefused(f"a pack has {MOST_FILES} files at most", "too_large")
    value = checked_tree(operation.value)
    if not isinstance(value, dict) or not value:
        raise EditRefused('a new file holds at least one section: {"flows": {...}}', "not_text")
    text = value
    first, *others = text.items()
    content = yaml_edit.insert(operation.file, "", (first[0],), first[1])
    for name, one in others:
        content = yaml_edit.insert(operation.file, content, (name,), one)
    return {**files, operation.file: content}


def _remove_file(files: Files, operation: RemoveFileOperation) -> dict[str, str]:
    now = files.get(operation.file)
    if now is None:
        return dict(files)
    if now != operation.old:
        raise EditConflict(f"{operation.file} has been changed", None, now)
    return {name: text for name, text in files.items() if name != operation.file}
