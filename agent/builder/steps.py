"""The ways between the steps of a procedure: kept as they were when a step is added, moved or taken away."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.builder import trees, yaml_edit
from agent.builder.trees import MISSING, Tree
from agent.builder.yaml_document import document
from agent.common.yaml_reader import KeyPath
from agent.dialog.model.model import END

_FINAL = ("handover", "hangup")
_NAMING = ("collect", "say", "call", "link", "if", "set")
_NOT_IN_IDS = re.compile(r"[^a-z0-9]+")


def is_step(path: KeyPath) -> bool:
    """Return whether a path is that of a step: ``flows``, procedure, ``steps``, place."""
    return len(path) == 4 and path[0] == "flows" and path[2] == "steps" and isinstance(path[3], int)


def keeping_ways(
    before: Mapping[str, str],
    after: Mapping[str, str],
    file: str,
    path: KeyPath,
    target_file: str = "",
    target: KeyPath = (),
) -> dict[str, str]:
    """Return files in which the steps that were there go where they went before.

    ``path`` is the step that was added (it is in ``after`` alone), taken away, or moved to ``target``. A ``next`` is
    written where the following step is another one now, and dropped where it has become the following one; steps
    that are to be gone to get an id.
    """
    result = dict(after)
    if not is_step(path):
        return result
    old, new = _steps(before, file, path), _steps(after, file, path)
    if old is None or new is None:
        return result
    within = bool(target) and target[:-1] == path[:-1] and (target_file or file) == file
    if len(new) > len(old):
        return result  # what went to the step behind goes to the new one, and that goes on to it
    gone = int(path[3])
    back = int(target[3]) if within and is_step(target) else None
    places = _places_afterwards(len(old), gone, back)
    for place, step in enumerate(old):
        here = places.get(place)
        if here is not None:
            result = _with_ways(result, file, path[:-1], (old, places), step, place, here)
    return result


def _steps(files: Mapping[str, str], file: str, path: KeyPath) -> list[dict[str, Any]] | None:
    found = trees.value_at(document(file, files[file]).data, path[:-1])
    return found if isinstance(found, list) and all(isinstance(step, dict) for step in found) else None


def _places_afterwards(count: int, gone: int, back: int | None) -> dict[int, int]:
    """Return place before -> place afterwards, for a step taken from ``gone`` and put back at ``back``, or nowhere."""
    left = [place for place in range(count) if place != gone]
    if back is not None:
        left.insert(back, gone)
    return {place: at for at, place in enumerate(left)}


def _with_ways(
    files: dict[str, str],
    file: str,
    steps_path: KeyPath,
    known: tuple[Sequence[Mapping[str, Any]], Mapping[int, int]],
    step: Mapping[str, Any],
    place: int,
    here: int,
) -> dict[str, str]:
    old, places = known
    end = len(old)
    if falls_on(step):
        wanted = _still_there(old, places, place + 1)
        if wanted is not None and wanted != _natural(places, here, end):
            name, files = _named(files, file, steps_path, old, places, wanted)
            files = _set(files, file, (*steps_path, here, "next"), name)
    for key, name in list(_targets(step)):
        went_to = next((at for at, other in enumerate(old) if other.get("id") == name), None)
        if went_to is None:
            continue
        if went_to not in places:
            wanted = _still_there(old, places, went_to)
            if wanted is not None:
                name, files = _named(files, file, steps_path, old, places, wanted)
                files = _set(files, file, (*steps_path, here, *key), name)
        elif _now_natural(key, step, went_to != place + 1 and went_to == _natural(places, here, end)):
            files = {**files, file: yaml_edit.remove(file, files[file], (*steps_path, here, "next"))}
    return files


def _natural(places: Mapping[int, int], here: int, end: int) -> int:
    """Return which of the steps before follows a place now."""
    return next((before for before, at in places.items() if at == here + 1), end)


def _still_there(old: Sequence[Mapping[str, Any]], places: Mapping[int, int], place: int) -> int | None:
    """Return the step to go to: itself, or where a step that is gone went; None where that went nowhere."""
    for _ in old:
        if place >= len(old) or place in places:
            return place
        step = old[place]
        if any(kind in step for kind in _FINAL):
            return None
        name = step.get("next") or step.get("else") or ""
        if name == END:
            return len(old)
        place = next((at for at, other in enumerate(old) if name and other.get("id") == name), place + 1)
    return None


def _named(
    files: dict[str, str],
    file: str,
    steps_path: KeyPath,
    old: Sequence[Mapping[str, Any]],
    places: Mapping[int, int],
    wanted: int,
) -> tuple[str, dict[str, str]]:
    """Return the name to go to a step by, giving it one where it has none."""
    if wanted >= len(old):
        return END, files
    now = trees.value_at(document(file, files[file]).data, steps_path)
    step = now[places[wanted]]
    if step.get("id"):
        return str(step["id"]), files
    name = fresh_id(step, {str(one.get("id", "")) for one in now})
    text = yaml_edit.insert(file, files[file], (*steps_path, places[wanted], "id"), name, next(iter(step)))
    return name, {**files, file: text}


def fresh_id(step: Mapping[str, Tree], taken: set[str]) -> str:
    """Return an id for a step that has none, after what it does."""
    kind = next((one for one in _NAMING if one in step), "step")
    value = step.get(kind)
    words = value if isinstance(value, str) else next(iter(value), "") if isinstance(value, dict | list) else ""
    stem = "_".join(_NOT_IN_IDS.sub(" ", str(words).lower()).split()[:4]) or kind
    if not stem[0].isalpha():
        stem = f"{kind}_{stem}"
    name, number = stem, 2
    while name in taken or name == END:
        name, number = f"{stem}_{number}", number + 1
    return name


def falls_on(step: Mapping[str, Any]) -> bool:
    """Return whether a step may go on to the one behind it."""
    return not step.get("next") and not any(kind in step for kind in _FINAL) and not _forks(step)


def _forks(step: Mapping[str, Any]) -> bool:
    return "if" in step and bool(step.get("else"))


def _now_natural(key: tuple[str, ...], step: Mapping[str, Any], follows: bool) -> bool:
    """Return whether a ``next`` says what would happen without it; of a step that does something besides."""
    return follows and key == ("next",) and not _forks(step) and any(kind in step for kind in (*_NAMING, *_FINAL))


def _targets(step: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    for key in ("next", "then", "else"):
        if isinstance(step.get(key), str):
            yield (key,), step[key]
    failed = step.get("failed")
    if isinstance(failed, dict):
        for code, name in failed.items():
            if isinstance(name, str):
                yield ("failed", code), name


def targets_of(step: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every key of a step that names a step to go to, with that name."""
    yield from _targets(step)


def _set(files: dict[str, str], file: str, path: KeyPath, value: str) -> dict[str, str]:
    now = trees.value_at(document(file, files[file]).data, path)
    edit = yaml_edit.insert if now is MISSING else yaml_edit.set_value
    return {**files, file: edit(file, files[file], path, value)}
