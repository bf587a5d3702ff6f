"""Names of what can be asked for: a flow's id, ``topic:ID``, ``promotion:ID``, ``command:ID``, ``escalate:ID``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from agent.dialog.grammar.intent import Intent
from agent.dialog.model import knowledge
from agent.dialog.model.model import PackFile
from agent.dialog.model.understanding import UnderstandingSettings
from agent.dialog.understanding.evidence import RuleEvidence, is_foreign
from agent.dialog.understanding.examples import PROMOTION, TOPIC
from agent.dialog.understanding.teaching import COMMAND, ESCALATION, PERSON

_ONLY_SLOT = re.compile(r"\{(\w+)\}")
_OPTIONAL = re.compile(r"\[[^\[\]]*\]")
_KINDS = {knowledge.ANSWERS: TOPIC, knowledge.PROMOTIONS: PROMOTION}


@dataclass(frozen=True)
class RequestedFlow:
    """How a meaning is carried out."""

    flow: str
    trigger: int = 0
    values: tuple[tuple[str, str], ...] = ()


class MeaningNames:
    """Translates between what phrases stand for and the names of meanings, for one pack."""

    def __init__(self, contents: PackFile) -> None:
        self._contents = contents
        self._kind_of_slot = {
            name: _KINDS[slot.choices_from.list]
            for name, slot in contents.slots.items()
            if slot.choices_from is not None and slot.choices_from.list in _KINDS
        }
        self._answering: dict[str, tuple[str, int, str]] = {}
        for flow_id, flow in contents.flows.items():
            for index, trigger in enumerate(flow.triggers):
                for template in trigger.phrases:
                    only = _ONLY_SLOT.fullmatch(_OPTIONAL.sub("", template).strip())
                    kind = self._kind_of_slot.get(only.group(1), "") if only is not None else ""
                    if only is not None and kind:
                        self._answering.setdefault(kind, (flow_id, index, only.group(1)))

    def of(self, meaning: Intent) -> str:
        """Return the name of what a phrase stands for; ``""`` for an answer or a correction."""
        if meaning.kind == "command":
            return f"{COMMAND}:{meaning.name}"
        if meaning.kind == "escalate":
            return f"{ESCALATION}:{meaning.name}"
        if meaning.kind != "request":
            return ""
        return self.of_request(meaning.name, meaning.values)

    def of_request(self, flow: str, values: Iterable[tuple[str, str]]) -> str:
        """Return the name of a request for a flow, with the slot values it names."""
        named = ((self._kind_of_slot[slot], value) for slot, value in values if slot in self._kind_of_slot)
        return next((f"{kind}:{value}" for kind, value in named), flow)

    def evidence(self, phrase: Intent | None, gists: Iterable[Intent]) -> RuleEvidence:
        """Return what phrases and gists see, by name."""
        name = self.of(phrase) if phrase is not None else ""
        wide = phrase is not None and phrase.wide
        told = tuple(dict.fromkeys(found for found in map(self.of, gists) if found))
        return RuleEvidence("" if wide else name, name if wide else "", told)

    def request(self, meaning: str) -> RequestedFlow | None:
        """Return how a meaning is carried out; None where no flow does."""
        kind, _, name = meaning.partition(":")
        if not name:
            return self._flow(meaning) if meaning in self._contents.flows else None
        if kind not in self._answering:
            return None
        flow_id, trigger, slot = self._answering[kind]
        return RequestedFlow(flow_id, trigger, ((slot, name),))

    def _flow(self, flow_id: str) -> RequestedFlow:
        """Name the first trigger that sets nothing: which of the others was meant is not known."""
        triggers = self._contents.flows[flow_id].triggers
        return RequestedFlow(flow_id, next((index for index, one in enumerate(triggers) if not one.set), len(triggers)))

    def words(self, meaning: str) -> str:
        """Return what a meaning is, in words for the caller and for staff."""
        kind, _, name = meaning.partition(":")
        if is_foreign(meaning):
            group = self._contents.not_for_us.get(name)
            return group.topic if group is not None else ""
        if meaning == PERSON:
            return (self._contents.understanding or UnderstandingSettings()).person
        told = self._contents.knowledge
        if kind == TOPIC and told is not None and name in told.answers:
            return told.answers[name].about or f"about {name.replace('_', ' ')}"
        if kind == PROMOTION and told is not None and name in told.promotions:
            return f"about {told.promotions[name].name}"
        flow = self._contents.flows.get(meaning)
        return flow.description if flow is not None else name.replace("_", " ")


def unnamed_groups(contents: PackFile) -> frozenset[str]:
    """Return the meanings of foreign groups without a topic."""
    return frozenset(f"not_for_us:{name}" for name, group in contents.not_for_us.items() if not group.topic)
