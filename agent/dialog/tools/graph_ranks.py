"""Computes the row of each box in a layered graph drawing: the length of the longest path to it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def ranks_of(boxes: Sequence[str], lines: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return how many lines deep every box lies. A line to an earlier box that closes a circle goes back: left out."""
    place = {box: number for number, box in enumerate(boxes)}
    nexts: dict[str, list[str]] = {box: [] for box in boxes}
    for source, target in lines:
        nexts[source].append(target)
    forward: dict[str, list[str]] = {box: [] for box in boxes}
    waits_for = dict.fromkeys(boxes, 0)
    for source, target in lines:
        if place[target] > place[source] or source not in _reached(target, nexts):
            forward[source].append(target)
            waits_for[target] += 1
    ranks = dict.fromkeys(boxes, 0)
    ready = [box for box in boxes if not waits_for[box]]
    while ready:
        here = ready.pop()
        for target in forward[here]:
            ranks[target] = max(ranks[target], ranks[here] + 1)
            waits_for[target] -= 1
            if not waits_for[target]:
                ready.append(target)
    return ranks


def _reached(start: str, nexts: Mapping[str, Sequence[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        here = waiting.pop()
        if here not in found:
            found.add(here)
            waiting += nexts[here]
    return found
