"""Which file of a pack holds what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agent.builder import trees
from agent.builder.errors import EditRefused
from agent.builder.trees import MISSING, Tree
from agent.builder.yaml_document import document
from agent.common.yaml_reader import path_text
from agent.dialog.pack.pack_files import in_order

Files = Mapping[str, str]
"""File name, relative to the pack (``flows/returns.yaml``) -> its text, with a byte order mark where it has one."""


def readable(files: Files) -> Iterator[tuple[str, Tree]]:
    """Yield the files that can be read, with what they hold."""
    for name in in_order(files):
        try:
            yield name, document(name, files[name]).data
        except EditRefused:
            continue


def file_of(files: Files, path: Sequence[str | int], told: str = "", *, new: bool = False) -> str:
    """Return the file that holds a path. ``told`` is asked first; names are unique over all files.

    ``new``: the path's last part need not exist; its parent must. Raises :class:`EditRefused` where no file has it.
    """
    candidates = list(readable(files))
    if told:
        if told not in files:
            raise EditRefused(f"there is no file {told}", "no_such_file")
        data = document(told, files[told]).data  # refuses one with mistakes of form
        if new and len(path) == 1:
            return told  # a section may stand in several files
        candidates = [(told, data), *(one for one in candidates if one[0] != told)]
    found = [name for name, data in candidates if _holds(data, path)]
    if not found and new:
        holders = [name for name, data in candidates if _holds(data, path[:-1])]
        found = holders[:1] if told else holders[-1:]
    if not found:
        raise EditRefused(f"no file has {path_text(tuple(path))}", "no_such_place")
    return found[0]


def _holds(data: Tree, path: Sequence[str | int]) -> bool:
    try:
        return trees.value_at(data, trees.resolved(data, path)) is not MISSING
    except EditRefused:
        return False
