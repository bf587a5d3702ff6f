"""Checks a pack's ``outbound`` section, and proves that nothing private can be said before the right person says yes.

Every path is followed from the flows that such calls begin with, over links, to the steps that can be reached without
the branch ``if: right_person == 'yes'``. None of these may read what is private (in words, conditions, values,
arguments), say a private word, or give the slot a value.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from agent.common.yaml_reader import KeyPath
from agent.dialog.grammar.templates import did_you_mean
from agent.dialog.model.model import (
    END,
    CollectStep,
    ConditionalPrompt,
    Flow,
    IfStep,
    LinkStep,
    PackFile,
    ServiceCallStep,
    SetStep,
    Slot,
    Step,
)
from agent.dialog.model.outbound import RIGHT_PERSON_SAYS, OutboundCalls
from agent.dialog.pack import step_paths, story
from agent.dialog.templating.expressions import Expressions
from agent.dialog.templating.rendering import TemplateChecker

MATTER = "matter"
"""What a call is about, in prompts and expressions: always private."""
_Place = tuple[str, int]
"""A flow, and the place of a step."""
_Problem = tuple[KeyPath, str]


def problems(contents: PackFile, expressions: Expressions) -> Iterator[_Problem]:
    """Yield (place, what is wrong)."""
    outbound = contents.outbound
    if outbound is None:
        if contents.commands is not None and contents.commands.stop_calling:
            yield ("commands", "stop_calling"), "needs the section 'outbound' with the flow that it begins"
        return
    unknown = list(_unknown_names(contents, outbound))
    yield from unknown
    if not unknown:
        yield from _Proof(contents, outbound, expressions).problems()


def _unknown_names(contents: PackFile, outbound: OutboundCalls) -> Iterator[_Problem]:
    """Yield the names that stand for nothing."""
    variables = story.variables(contents)
    told: Mapping[str, object] = contents.knowledge.answers if contents.knowledge is not None else {}
    asked: list[tuple[KeyPath, str, Mapping[str, object], str]] = [
        (("flows", purpose), flow, contents.flows, "flow") for purpose, flow in outbound.flows.items()
    ]
    asked += [(("rings_back",), outbound.rings_back, contents.flows, "flow")] if outbound.rings_back else []
    asked += [(("stop",), outbound.stop, contents.flows, "flow")]
    asked += [(("right_person",), outbound.right_person, contents.slots, "slot")]
    asked += [(("stop_sure",), outbound.stop_sure, contents.slots, "slot")] if outbound.stop_sure else []
    asked += [(("outcome",), outbound.outcome, variables, "variable")]
    asked += [(("appointment",), outbound.appointment, variables, "variable")] if outbound.appointment else []
    both: Mapping[str, object] = {**variables, **contents.slots}
    for key, names, valid, what in (
        ("private", outbound.private, both, "slot or variable"),
        ("keeps", outbound.keeps, both, "slot or variable"),
        ("anytime", outbound.anytime, told, "answer in the knowledge"),
    ):
        asked += [((key, index), name, valid, what) for index, name in enumerate(names)]
    for path, name, valid, what in asked:
        if name not in valid:
            yield ("outbound", *path), f"there is no {what} '{name}'{did_you_mean(name, sorted(valid))}"
    slot = contents.slots.get(outbound.right_person)
    if slot is not None and (slot.type != "choice" or RIGHT_PERSON_SAYS not in slot.choices):
        yield ("outbound", "right_person"), f"needs a choice slot with the value '{RIGHT_PERSON_SAYS}'"
    for name in outbound.keeps:
        if name in contents.slots and contents.slots[name].redact:
            yield ("outbound", "keeps"), f"'{name}' is redacted: no record keeps what it holds"


class _Proof:
    def __init__(self, contents: PackFile, outbound: OutboundCalls, expressions: Expressions) -> None:
        self._contents = contents
        self._outbound = outbound
        self._expressions = expressions
        self._templates = TemplateChecker()
        self._private: frozenset[str] = frozenset((MATTER, *outbound.private))
        words = "|".join(re.escape(word) for word in outbound.private_words)
        self._words = re.compile(rf"\b({words})s?\b", re.IGNORECASE) if words else None

    def problems(self) -> Iterator[_Problem]:
        outbound = self._outbound
        for flow_id, index in sorted(self._before({*outbound.flows.values(), outbound.stop})):
            path: KeyPath = ("flows", flow_id, "steps", index)
            yield from self._step(self._contents.flows[flow_id].steps[index], path)
        yield from self._spoken_anyway()
        if outbound.rings_back:
            # whoever rings us may speak of an order of their own; what we called about is private all the same
            self._private, self._words = frozenset((MATTER,)), None
            for flow_id, index in sorted(self._before({outbound.rings_back})):
                path = ("flows", flow_id, "steps", index)
                yield from self._step(self._contents.flows[flow_id].steps[index], path)

    def _spoken_anyway(self) -> Iterator[_Problem]:
        for key in ("screener", "message"):
            yield from self._texts(getattr(self._outbound.says, key), ("outbound", "says", key))
        for name in self._outbound.anytime:
            told = self._contents.knowledge.answers[name] if self._contents.knowledge is not None else None
            if told is not None:
                yield from self._text(told.says, ("knowledge", "answers", name, "says"))

    def _before(self, begins: Collection[str]) -> set[_Place]:
        """Return the steps that can be reached from these flows before the right person has said yes."""
        flows = self._contents.flows
        passable = self._passable()
        waiting: list[_Place] = [(flow, 0) for flow in begins]
        found: set[_Place] = set()
        while waiting:
            place = waiting.pop()
            flow_id, index = place
            if place in found or index >= len(flows[flow_id].steps):
                continue
            found.add(place)
            step = flows[flow_id].steps[index]
            if isinstance(step, LinkStep) and step.link in flows:
                waiting.append((step.link, 0))
                if step.link not in passable:
                    continue
            waiting += [(flow_id, target) for target in self._following(flows[flow_id], index)]
        return found

    def _passable(self) -> set[str]:
        """Return the flows that can come to their end without the right person's yes."""
        flows = self._contents.flows
        found: set[str] = set()
        grows = True
        while grows:
            grows = False
            for flow_id, flow in flows.items():
                if flow_id not in found and self._ends(flow, found):
                    found.add(flow_id)
                    grows = True
        return found

    def _ends(self, flow: Flow, passable: set[str]) -> bool:
        waiting, seen = [0], set[int]()
        while waiting:
            index = waiting.pop()
            if index >= len(flow.steps):
                return True
            if index in seen:
                continue
            seen.add(index)
            step = flow.steps[index]
            if not isinstance(step, LinkStep) or step.link in passable:
                waiting += self._following(flow, index)
        return False

    def _following(self, flow: Flow, index: int) -> list[int]:
        """Return the steps that can come next while the right person has not said yes."""
        step = flow.steps[index]
        if not isinstance(step, IfStep) or not self._is_gate(step):
            return list(step_paths.following(flow, index))
        if not step.else_:
            return [index + 1]
        ids = {one.id: place for place, one in enumerate(flow.steps) if one.id}
        return [len(flow.steps) if step.else_ == END else ids.get(step.else_, len(flow.steps))]

    def _is_gate(self, step: IfStep) -> bool:
        plain = step.if_.replace(" ", "").replace('"', "'")
        return plain == f"{self._outbound.right_person}=='{RIGHT_PERSON_SAYS}'"

    def _step(self, step: Step, path: KeyPath) -> Iterator[_Problem]:
        for key in ("say", "prompt", "filler"):
            yield from self._texts(getattr(step, key, ()), (*path, key))
        if isinstance(step, CollectStep) and step.collect in self._contents.slots:
            yield from self._slot(self._contents.slots[step.collect], ("slots", step.collect))
        elif isinstance(step, IfStep):
            yield from self._expression(step.if_, (*path, "if"))
        elif isinstance(step, SetStep):
            for name, expression in step.set.items():
                yield from self._expression(expression, (*path, "set", name))
                if name == self._outbound.right_person and expression.strip() not in ("none", "None"):
                    yield (*path, "set", name), f"only the callee's answer gives '{name}' a value"
        elif isinstance(step, ServiceCallStep):
            for name, expression in (*step.arguments.items(), *step.save.items()):
                yield from self._expression(expression, (*path, "with", name))
                if name == self._outbound.right_person:
                    yield (*path, "save", name), f"only the callee's answer gives '{name}' a value"

    def _slot(self, slot: Slot, path: KeyPath) -> Iterator[_Problem]:
        for key in ("prompt", "reprompt", "help", "noinput", "nomatch", "confirm_prompt"):
            texts = getattr(slot, key) or getattr(self._contents.defaults, key, ())
            yield from self._texts(texts, (*path, key))
        if path[-1] == self._outbound.right_person and RIGHT_PERSON_SAYS in slot.give_up.values():
            yield (*path, "give_up"), "silence is no yes"

    def _texts(self, texts: tuple[str, ...], path: KeyPath) -> Iterator[_Problem]:
        for text in texts:
            prompt = self._contents.prompts.get(text)
            if isinstance(prompt, ConditionalPrompt):
                yield from self._expression(prompt.choose, path)
                for words in (*prompt.cases.values(), prompt.otherwise):
                    yield from self._text(words, path)
            else:
                yield from self._text(text if prompt is None else prompt, path)

    def _text(self, text: str, path: KeyPath) -> Iterator[_Problem]:
        yield from self._reads(self._templates.names(text), path)
        word = self._words.search(text) if self._words is not None else None
        if word is not None:
            yield path, f"'{word[0]}' can be said before '{self._outbound.right_person}' is answered with yes"

    def _expression(self, expression: str, path: KeyPath) -> Iterator[_Problem]:
        yield from self._reads(self._expressions.names(expression), path)

    def _reads(self, names: frozenset[str] | set[str], path: KeyPath) -> Iterator[_Problem]:
        for name in sorted(names & self._private):
            yield path, f"'{name}' can be read here before '{self._outbound.right_person}' is answered with yes"
