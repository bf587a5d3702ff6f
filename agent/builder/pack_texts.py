"""Every text of a pack's file with what it is: a phrase, a prompt, an expression, the name of a slot. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from agent.builder.trees import Tree
from agent.common.yaml_reader import KeyPath
from agent.dialog.pack.lint import is_prompt_id

Role = Literal[
    "step", "flow", "name", "prompt", "template", "expression", "phrase", "service", "answer", "choice",
    "flow_or_choice", "other",
]  # fmt: skip
"""What a text is. ``name``: of a slot or variable. ``choice``: a value of the slot in ``slot``."""

_PHRASES = ("rules", "commands", "answers", "corrections", "openers", "closers", "fillers")
_QUESTION_WORDS = ("prompt", "reprompt", "help", "noinput", "nomatch", "confirm_prompt")
_ENGINE_WORDS = ("announcement", "question", "question_again", "accepted", "refused")
_OUTBOUND: dict[str, Role] = {
    "flows": "flow", "rings_back": "flow", "stop": "flow", "right_person": "name", "private": "name",
    "anytime": "answer", "stop_sure": "name", "outcome": "name", "appointment": "name", "keeps": "name",
    "says": "prompt", "greetings": "phrase", "machines": "phrase",
}  # fmt: skip
_ESCALATION: dict[str, Role] = {"words": "phrase", "phrases": "phrase", "say": "prompt"}
_STEP: dict[str, Role] = {
    "id": "step", "next": "step", "then": "step", "else": "step", "failed": "step", "collect": "name",
    "prompt": "prompt",
    "say": "prompt", "filler": "prompt", "call": "service", "with": "expression", "save": "expression",
    "set": "expression", "if": "expression", "link": "flow",
}  # fmt: skip
_SLOT: dict[str, Role] = {
    **dict.fromkeys(_QUESTION_WORDS, "prompt"), "phrases": "phrase", "choices": "phrase", "give_up": "choice",
    "choices_from": "expression", "several": "name", "dtmf": "flow_or_choice", "corrects": "name", "resets": "name",
}  # fmt: skip


@dataclass(frozen=True)
class PackText:
    """One text of a file."""

    path: KeyPath
    text: str
    role: Role
    is_key: bool = False
    """Whether it is the key at the end of the path."""
    flow: str = ""
    """The procedure it stands in."""
    slot: str = ""
    """The slot whose value it is, or decides about."""


def pack_texts(data: Tree) -> Iterator[PackText]:
    """Yield every text of a file, keys included, in the order of the file; a key comes before what it holds."""
    if not isinstance(data, dict):
        return
    for section, value in data.items():
        yield from texts_below((section,), value)


def texts_below(path: KeyPath, value: Tree) -> Iterator[PackText]:
    """Yield every text of a value that stands at a path; a step on the way may be named by its id."""
    if isinstance(value, str):
        yield _classified(path, value, is_key=False, data=None)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from texts_below((*path, place), item)
    elif isinstance(value, dict):
        for name, item in value.items():
            here = (*path, name)
            yield _classified(here, name, is_key=True, data=value)
            if path[:1] == ("prompts",) and name == "cases" and isinstance(item, dict):
                choose = value.get("choose")
                slot = choose if isinstance(choose, str) else ""
                for case, words in item.items():
                    yield PackText((*here, case), case, "choice", is_key=True, slot=slot)
                    if isinstance(words, str):
                        yield PackText((*here, case), words, "template")
            else:
                yield from texts_below(here, item)


def _classified(path: KeyPath, text: str, *, is_key: bool, data: Tree) -> PackText:
    if is_key:
        return PackText(path, text, _key_role(path), is_key=True, flow=_flow(path))
    role = _role(path)
    if role == "prompt" and not is_prompt_id(text):
        role = "template"
    return PackText(path, text, role, flow=_flow(path), slot=_slot(path))


def _flow(path: KeyPath) -> str:
    return str(path[1]) if path[0] == "flows" and len(path) > 1 else ""


def _slot(path: KeyPath) -> str:
    """Return the slot whose value a text is: of a slot's own choices, or the one that an expression is for."""
    if path[0] == "slots" and len(path) > 1:
        return str(path[1])
    if len(path) > 2 and path[-2] == "set" and isinstance(path[-1], str):
        return path[-1]
    return ""


def _key_role(path: KeyPath) -> Role:
    """Return what a key is: ``name`` below ``set`` and ``save``."""
    if path[0] in ("slots", "variables") and len(path) == 2:
        return "name"
    if path[0] == "flows" and len(path) > 4 and path[-2] in ("set", "save"):
        return "name"
    return "other"


def _role(path: KeyPath) -> Role:
    section = path[0]
    if section in _PHRASES:
        return "phrase"
    if section in ("start", "entries"):
        return "flow"
    if section == "variables":
        return "expression"
    if section == "keep" or (section == "story" and len(path) > 1):
        return "name"
    if section == "defaults":
        return "prompt" if len(path) > 1 and path[1] in _QUESTION_WORDS else "other"
    if section == "outbound":
        return _OUTBOUND.get(str(path[1]), "other") if len(path) > 1 else "other"
    if section == "recording":
        return "template" if path[-1] in _ENGINE_WORDS else "phrase"
    if section == "escalate":
        return _ESCALATION.get(str(path[2]), "other") if len(path) > 2 else "other"
    return _role_of_named(path)


def _role_of_named(path: KeyPath) -> Role:
    section = path[0]
    if section == "prompts":
        return "expression" if len(path) == 3 and path[2] == "choose" else "template"
    if section == "not_for_us":
        return "phrase"
    if section == "knowledge" and len(path) > 3:
        return "template" if path[3] == "says" else "phrase" if path[3] in ("ask", "spoken") else "other"
    if section == "slots" and len(path) > 2:
        if path[2] == "choices_from" and path[3:] not in ((), ("list",)):
            return "other"
        return _SLOT.get(str(path[2]), "other")
    if section == "flows" and len(path) > 2:
        return _role_in_flow(path)
    return "other"


def _role_in_flow(path: KeyPath) -> Role:
    what = path[2]
    if what == "forgets":
        return "name"
    if what == "keeps":
        return "name" if isinstance(path[-1], int) else "expression"
    if what == "triggers":
        return "expression" if "set" in path else "phrase"
    if what == "steps" and len(path) > 4:
        return _STEP.get(str(path[4]), "other")
    return "other"
