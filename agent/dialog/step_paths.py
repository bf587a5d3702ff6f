"""The paths through a flow's steps: what can follow what, and what no path reaches or leaves."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from agent.dialog.flow import END, Call, Collect, Flow, HandOverStep, HangUpStep, If, Link, Step
from agent.yaml_source import Path


def problems(flow: Flow) -> Iterator[tuple[int, str]]:
    """Yield (step's place, what is wrong): steps no path leads to, loops without exit, loops that never wait."""
    end = len(flow.steps)
    follows = {index: set(_following(flow, index)) for index in range(end)}
    reached = _reach(follows, {0})
    for index in follows:
        if index not in reached:
            yield index, "no path leads to this step"
    leaving = {index for index in follows if end in follows[index]}
    leaving |= {index for index, step in enumerate(flow.steps) if isinstance(step, (HandOverStep, HangUpStep))}
    back: dict[int, set[int]] = {index: set() for index in range(end + 1)}
    for index, nexts in follows.items():
        for target in nexts:
            back[target].add(index)
    for index in sorted(reached - _reach(back, leaving) - {end}):
        yield index, "a loop with no exit: nothing after this step ends the flow"
    quiet = {index for index, step in enumerate(flow.steps) if not isinstance(step, (Collect, Call, Link))}
    inside = {index: follows[index] & quiet for index in quiet}
    for index in sorted(quiet):
        if index in _reach(inside, inside[index]):
            yield index, "a loop that never asks, calls or links anything"
            return


def targets(step: Step) -> Iterator[tuple[Path, str]]:
    """Yield every place a step names to go on at, with the key that names it; unnamed ones are empty."""
    yield ("next",), step.next
    if isinstance(step, If):
        yield ("then",), step.then
        yield ("else",), step.else_
    if isinstance(step, Call):
        for code, target in step.failed.items():
            yield ("failed", code), target


def _following(flow: Flow, index: int) -> Iterator[int]:
    """Yield the steps that can come next; ``len(steps)`` stands for the flow's end."""
    places = {step.id: place for place, step in enumerate(flow.steps) if step.id}
    end = len(flow.steps)
    step = flow.steps[index]
    if isinstance(step, (HandOverStep, HangUpStep)):
        return
    named = [target for _, target in targets(step) if target]
    yield from (end if target == END else places[target] for target in named if target == END or target in places)
    falls_through = not step.next and not (isinstance(step, If) and step.else_)
    if falls_through:
        yield index + 1


def _reach(follows: Mapping[int, set[int]], start: Collection[int]) -> set[int]:
    reached: set[int] = set()
    waiting = list(start)
    while waiting:
        here = waiting.pop()
        if here not in reached:
            reached.add(here)
            waiting += follows.get(here, ())
    return reached
