"""Checks the paths through steps and flows: unreachable steps, dead ends, loops that never wait."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from agent.common.yaml_reader import KeyPath
from agent.dialog.model.model import (
    END,
    CollectStep,
    Flow,
    HandOverStep,
    HangUpStep,
    IfStep,
    LinkStep,
    PackFile,
    ServiceCallStep,
    SetStep,
    Step,
)

_WAITING = (CollectStep, ServiceCallStep, LinkStep)


@dataclass(frozen=True)
class PathProblem:
    """Something wrong at a step."""

    step: int
    key: KeyPath
    """The key of the step that is wrong; empty for the whole step."""
    message: str
    warning: bool = False


def problems(flow: Flow, contents: PackFile) -> Iterator[PathProblem]:
    """Yield what is wrong with the paths inside a flow."""
    end = len(flow.steps)
    follows = {index: set(following(flow, index)) for index in range(end)}
    reached = _reach(follows, {0})
    for index in follows:
        if index not in reached:
            yield PathProblem(index, (), "no path leads to this step")
    leaving = {index for index in follows if end in follows[index]}
    leaving |= {index for index, step in enumerate(flow.steps) if isinstance(step, (HandOverStep, HangUpStep))}
    back: dict[int, set[int]] = {index: set() for index in range(end + 1)}
    for index, nexts in follows.items():
        for target in nexts:
            back[target].add(index)
    for index in sorted(reached - _reach(back, leaving) - {end}):
        yield PathProblem(index, (), "a loop with no exit: nothing after this step ends the flow")
    yield from _quiet_loops(flow, follows, contents)
    yield from _tried_for_ever(flow, follows)
    yield from _never_taken(flow)


def targets(step: Step) -> Iterator[tuple[KeyPath, str]]:
    """Yield every place a step names to go on at, with the key that names it; unnamed ones are empty."""
    yield ("next",), step.next
    if isinstance(step, IfStep):
        yield ("then",), step.then
        yield ("else",), step.else_
    if isinstance(step, ServiceCallStep):
        for code, target in step.failed.items():
            yield ("failed", code), target


def endless_flows(flows: Mapping[str, Flow]) -> Iterator[tuple[str, int, str]]:
    """Yield (flow, step's place, what is wrong) where flows link each other for ever, each waiting for the other."""
    ending: set[str] = set()
    found = True
    while found:
        found = False
        for flow_id, flow in flows.items():
            if flow_id not in ending and _ends(flow, flows, ending):
                ending.add(flow_id)
                found = True
    for flow_id, flow in flows.items():
        if flow_id in ending or not _ends(flow, flows, flows):
            continue  # a flow that never ends by itself is a loop with no exit
        index, link = next(
            (index, step.link)
            for index, step in enumerate(flow.steps)
            if isinstance(step, LinkStep) and step.link in flows and step.link not in ending
        )
        yield flow_id, index, f"a loop with no exit: every way through '{link}' leads back to '{flow_id}'"


def reachable_flows(contents: PackFile) -> set[str]:
    """Return the flows that a call can come to: from its start, by what callers say, by keys and by links."""
    flows = contents.flows
    waiting = [contents.start, *contents.entries.values(), *(name for name, flow in flows.items() if flow.triggers)]
    waiting += [value for slot in contents.slots.values() for value in slot.dtmf.values() if slot.type == "request"]
    if (outbound := contents.outbound) is not None:
        waiting += [*outbound.flows.values(), outbound.rings_back, outbound.stop]
    found: set[str] = set()
    while waiting:
        here = waiting.pop()
        if here in flows and here not in found:
            found.add(here)
            waiting += [step.link for step in flows[here].steps if isinstance(step, LinkStep)]
    return found


def _ends(flow: Flow, flows: Mapping[str, Flow], ending: Collection[str]) -> bool:
    """Return whether some path ends the flow or the call, when only flows in ``ending`` come back from a link."""
    end = len(flow.steps)
    follows: dict[int, set[int]] = {}
    for index, step in enumerate(flow.steps):
        stuck = isinstance(step, LinkStep) and step.link in flows and step.link not in ending
        over = isinstance(step, (HandOverStep, HangUpStep))
        follows[index] = set() if stuck else {end} if over else set(following(flow, index))
    return end in _reach(follows, {0})


def _quiet_loops(flow: Flow, follows: Mapping[int, set[int]], contents: PackFile) -> Iterator[PathProblem]:
    """Find loops in which nobody waits: steps alone, or questions whose answers are known the second time round."""
    quiet = {index for index, step in enumerate(flow.steps) if not isinstance(step, _WAITING)}
    circle = _circle(follows, quiet)
    if circle:
        yield PathProblem(min(circle), (), "a loop that never asks, calls or links anything")
        return
    asked = {index for index, step in enumerate(flow.steps) if isinstance(step, CollectStep) and not step.force}
    circle = _circle(follows, quiet | asked)
    if not circle:
        return
    steps = [flow.steps[index] for index in circle]
    forgotten = {name for step in steps if isinstance(step, SetStep) for name in step.set}
    questions = {
        step.collect: index for step, index in zip(steps, circle, strict=True) if isinstance(step, CollectStep)
    }
    for slot in questions:
        forgotten |= set(contents.slots[slot].resets) if slot in contents.slots else {slot}
    if not forgotten & set(questions):
        message = "a loop that asks nothing the second time round: use 'force: yes' here, or forget the slot on the way"
        yield PathProblem(min(questions.values()), (), message, warning=True)


def _tried_for_ever(flow: Flow, follows: Mapping[int, set[int]]) -> Iterator[PathProblem]:
    """Find failures that lead back to their own call with nothing on the way that could stop it."""
    places = _places(flow)
    passing = {
        index: set() if isinstance(step, (CollectStep, IfStep, LinkStep)) else follows[index]
        for index, step in enumerate(flow.steps)
    }
    for index, step in enumerate(flow.steps):
        for code, target in step.failed.items() if isinstance(step, ServiceCallStep) else ():
            if target in places and index in _reach(passing, {places[target]}):
                message = "leads back to the same call with nothing in between that asks or counts: tried for ever"
                yield PathProblem(index, ("failed", code), message)


def _never_taken(flow: Flow) -> Iterator[PathProblem]:
    for index, step in enumerate(flow.steps):
        if not step.next:
            continue
        if isinstance(step, (HandOverStep, HangUpStep)):
            yield PathProblem(index, ("next",), "is never taken: the call is over at this step", warning=True)
        elif isinstance(step, IfStep) and step.else_:
            yield PathProblem(index, ("next",), "is never taken: 'then' and 'else' go elsewhere", warning=True)


def following(flow: Flow, index: int) -> Iterator[int]:
    """Yield the steps that can come next; ``len(steps)`` stands for the flow's end."""
    places = _places(flow)
    end = len(flow.steps)
    step = flow.steps[index]
    if isinstance(step, (HandOverStep, HangUpStep)):
        return
    named = [target for key, target in targets(step) if target and not (key == ("next",) and _goes_elsewhere(step))]
    yield from (end if target == END else places[target] for target in named if target == END or target in places)
    if not step.next and not _goes_elsewhere(step):
        yield index + 1


def _goes_elsewhere(step: Step) -> bool:
    return isinstance(step, IfStep) and bool(step.else_)


def _places(flow: Flow) -> dict[str, int]:
    return {step.id: place for place, step in enumerate(flow.steps) if step.id}


def _circle(follows: Mapping[int, set[int]], among: Collection[int]) -> list[int]:
    """Return the steps of the first loop that stays among these steps."""
    inside = {index: follows[index] & set(among) for index in among}
    around = {index: _reach(inside, inside[index]) for index in sorted(among)}
    for index in around:
        if index in around[index]:
            return [other for other in around if other in around[index] and index in around[other]]
    return []


def _reach(follows: Mapping[int, Collection[int]], start: Collection[int]) -> set[int]:
    reached: set[int] = set()
    waiting = list(start)
    while waiting:
        here = waiting.pop()
        if here not in reached:
            reached.add(here)
            waiting += follows.get(here, ())
    return reached
