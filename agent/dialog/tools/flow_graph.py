"""Turns a flow into a graph for drawing: its steps and every path between them. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from agent.dialog.errors import DialogError, TemplateError
from agent.dialog.grammar.templates import Expander, did_you_mean, is_wildcard
from agent.dialog.model import knowledge
from agent.dialog.model.model import (
    END,
    CollectStep,
    ConditionalPrompt,
    Flow,
    HandOverStep,
    HangUpStep,
    IfStep,
    LinkStep,
    PackFile,
    SayStep,
    ServiceCallStep,
    SetStep,
    Step,
)
from agent.dialog.pack import lint

START, UNMAPPED = "start", "unmapped"
_MAX_WORDS = 12
_MAX_TRIGGERS = 5
_MAX_USERS = 4
_MAX_TEXT = 90
_VALUE = re.compile(r"\{\{-?\s*([\w.]+)[^}]*\}\}")
_SLOT = re.compile(r"\{(\w+)\}")
_OTHER_VALUE = re.compile(r"\{\{.*?\}\}")
_LOGIC = re.compile(r"\{[%#].*?[%#]\}", re.DOTALL)


@dataclass(frozen=True)
class GraphNode:
    """One thing to draw."""

    id: str
    """Unique in the graph; for a step its name. An ending that several ways lead to is drawn once for each: ``down``,
    ``down.2``."""
    kind: str
    """``start``, ``end``, or the kind of the step: ``collect``, ``say``, ``call``, ``set``, ``if``, ``next``, ``link``,
    ``handover``, ``hangup``."""
    name: str
    """The step's name; empty for what is no step."""
    title: str
    """What it works on: the slot, service, flow, reason."""
    lines: tuple[str, ...] = ()
    """More about it: the first words of the prompt, assignments, triggers."""


@dataclass(frozen=True)
class GraphEdge:
    """A way from one node to another."""

    source: str
    target: str
    label: str = ""
    failure: bool = False
    """True for the way a failed service call goes."""


@dataclass(frozen=True)
class FlowGraph:
    """Everything to draw of one flow."""

    flow: str
    description: str
    nodes: tuple[GraphNode, ...]
    """The start first, then the steps in the file's order, each followed by the ends it goes to."""
    edges: tuple[GraphEdge, ...]


def graph_of(contents: PackFile, flow_id: str) -> FlowGraph:
    """Return the graph of a flow of a checked pack. Raises :class:`DialogError` when there is no such flow."""
    flow = contents.flows.get(flow_id)
    if flow is None:
        raise DialogError(f"there is no flow '{flow_id}'{did_you_mean(flow_id, contents.flows)}")
    return _Drawing(contents, flow_id, flow).graph()


class _Drawing:
    def __init__(self, contents: PackFile, flow_id: str, flow: Flow) -> None:
        self._contents = contents
        self._flow_id = flow_id
        self._flow = flow
        self._nodes: list[GraphNode] = []
        self._edges: list[GraphEdge] = []
        slots = contents.slots.items()
        self._expander = Expander(
            contents.rules,
            {name: knowledge.choices(slot, contents.knowledge) for name, slot in slots if slot.type == "choice"},
            [name for name, slot in slots if slot.type == "number"],
        )

    def graph(self) -> FlowGraph:
        steps = self._flow.steps
        self._nodes.append(self._start())
        self._edges.append(GraphEdge(START, self._place(0)))
        unmapped = False
        for index, step in enumerate(steps):
            source = self._place(index)
            title, lines = self._about(step)
            self._nodes.append(GraphNode(source, _kind(step), source, title, lines))
            ends: list[GraphEdge] = []
            for label, target, failure in self._ways(step, index):
                if target == END:
                    ends.append(GraphEdge(source, f"{source}.end", label, failure))
                else:
                    unmapped |= target == UNMAPPED
                    self._edges.append(GraphEdge(source, target, label, failure))
            if ends:
                self._nodes.append(GraphNode(ends[0].target, END, "", "end of flow"))
                self._edges += ends
        if unmapped:
            about = ("a failure without a way of its own",)
            self._nodes.append(GraphNode(UNMAPPED, "handover", "", "to a person: back_office_down", about))
        self._repeat_endings()
        return FlowGraph(self._flow_id, self._flow.description, tuple(self._nodes), tuple(self._edges))

    def _repeat_endings(self) -> None:
        """Draw an ending beside every step that leads to it: long lines to one place cannot be followed."""
        leaving = {edge.source for edge in self._edges}
        endings = {node.id: node for node in self._nodes if node.id not in leaving}
        seen: Counter[str] = Counter()
        for place, edge in enumerate(self._edges):
            ending = endings.get(edge.target)
            if ending is None:
                continue
            seen[ending.id] += 1
            if seen[ending.id] > 1:
                copy = replace(ending, id=f"{ending.id}.{seen[ending.id]}")
                self._nodes.append(copy)
                self._edges[place] = replace(edge, target=copy.id)

    def _place(self, index: int) -> str:
        steps = self._flow.steps
        return lint.step_name(steps, index) if index < len(steps) else END

    def _ways(self, step: Step, index: int) -> Iterator[tuple[str, str, bool]]:
        """Yield label, target and whether it is a failure for every way on from a step."""
        if isinstance(step, (HandOverStep, HangUpStep)):
            return
        on = step.next or self._place(index + 1)
        if isinstance(step, IfStep):
            yield "yes", step.then, False
            yield "no", step.else_ or on, False
            return
        yield "", on, False
        if isinstance(step, ServiceCallStep):
            by_target: dict[str, list[str]] = {}
            for code, target in step.failed.items():
                others = "any other failure" if len(step.failed) > 1 else "any failure"
                by_target.setdefault(target, []).append(others if code == lint.OTHERWISE else code)
            service = self._contents.services.get(step.call)
            if service is not None and lint.OTHERWISE not in step.failed:
                left = [code for code in service.failures if code not in step.failed]
                if left:
                    by_target.setdefault(UNMAPPED, []).extend(left)
            for target, codes in by_target.items():
                yield ", ".join(codes), target, True

    def _start(self) -> GraphNode:
        flow, lines = self._flow, []
        contents = self._contents
        if contents.start == self._flow_id:
            lines.append("every call begins here")
        entries = [entry for entry, name in contents.entries.items() if name == self._flow_id]
        if entries:
            lines.append(f"calls that come in as {', '.join(entries)}")
        phrases = [phrase for trigger in flow.triggers for phrase in trigger.phrases if not is_wildcard(phrase)]
        examples = list(dict.fromkeys(f"“{self._example(phrase)}”" for phrase in phrases))
        lines += examples[:_MAX_TRIGGERS]
        if len(examples) > _MAX_TRIGGERS:
            lines.append("and other ways of asking")
        users = sorted(
            name
            for name, other in contents.flows.items()
            if any(isinstance(step, LinkStep) and step.link == self._flow_id for step in other.steps)
        )
        if users:
            more = f" and {len(users) - _MAX_USERS} more" if len(users) > _MAX_USERS else ""
            lines.append(f"used by {', '.join(users[:_MAX_USERS])}{more}")
        if flow.forgets:
            lines.append(f"forgets afterwards: {', '.join(flow.forgets)}")
        return GraphNode(START, START, "", self._flow_id, (flow.description, *lines))

    def _example(self, template: str) -> str:
        """Return one sentence a template stands for."""
        try:
            return _short(_SLOT.sub(r"‹\1›", self._expander.expand(template)[0].text))
        except TemplateError:
            return _short(template)

    def _about(self, step: Step) -> tuple[str, tuple[str, ...]]:
        if isinstance(step, CollectStep):
            slot = self._contents.slots.get(step.collect)
            words = step.prompt or (slot.prompt if slot is not None else ())
            return f"ask {step.collect}", (*self._words(words), *(("asks again each time",) if step.force else ()))
        if isinstance(step, SayStep):
            return "say", self._words(step.say)
        if isinstance(step, ServiceCallStep):
            return f"call {step.call}", (f"with {', '.join(step.arguments)}",) if step.arguments else ()
        if isinstance(step, SetStep):
            return "set", tuple(_short(f"{name} = {expression}") for name, expression in step.set.items())
        if isinstance(step, IfStep):
            return "if", (_short(step.if_),)
        if isinstance(step, LinkStep):
            return f"flow {step.link}", self._described(step.link)
        if isinstance(step, HandOverStep):
            return f"to a person: {step.handover}", self._words(step.say)
        if isinstance(step, HangUpStep):
            return f"hang up: {step.hangup}", self._words(step.say)
        return "go on", ()

    def _described(self, flow_id: str) -> tuple[str, ...]:
        flow = self._contents.flows.get(flow_id)
        return (flow.description,) if flow is not None else ()

    def _words(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        """Return the first words of prompts; of one with cases the words of the first, and how many there are."""
        found = []
        for text in texts:
            prompt = self._contents.prompts.get(text, text) if lint.is_prompt_id(text) else text
            if isinstance(prompt, ConditionalPrompt):
                first = next(iter(prompt.cases.values()), prompt.otherwise)
                found.append(f"“{_first_words(first)}” ({len(prompt.cases)} cases by {prompt.choose})")
            else:
                found.append(f"“{_first_words(prompt)}”")
        return tuple(found)


def _kind(step: Step) -> str:
    kinds = {CollectStep: "collect", SayStep: "say", ServiceCallStep: "call", SetStep: "set", IfStep: "if",
             LinkStep: "link",
             HandOverStep: "handover", HangUpStep: "hangup"}  # fmt: skip
    return kinds.get(type(step), "next")


def _first_words(text: str) -> str:
    words = _OTHER_VALUE.sub("‹…›", _VALUE.sub(r"‹\1›", _LOGIC.sub(" ", text))).split()
    return _short(" ".join(words[:_MAX_WORDS]) + (" …" if len(words) > _MAX_WORDS else ""))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 2].rstrip() + " …"
