"""Checks a whole pack for what no single file shows: unknown names, dead ends, unreachable steps, missing prompts."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from agent.common.yaml_reader import KeyPath
from agent.dialog.grammar.grammar_builder import number_formats
from agent.dialog.grammar.templates import did_you_mean
from agent.dialog.model import knowledge
from agent.dialog.model.model import (
    END,
    GOODBYE,
    PERSON,
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
    Slot,
    Step,
    Story,
)
from agent.dialog.numbers.format import NumberFormatError
from agent.dialog.pack import callee_phrases, kept, outbound, step_paths, story
from agent.dialog.pack.reader import PackReading
from agent.dialog.templating.expressions import Expressions
from agent.dialog.templating.rendering import TemplateChecker

SYSTEM_PROMPTS = (
    "ask_again", "back_to", "cancelled", "confirm_number", "confirm_request", "corrected", "go_on", "goodbye",
    "handover", "handover_summary", "help", "not_that", "start_over", "still_there", "wait",
)  # fmt: skip
"""Prompts the engine itself says; every pack must have them."""
OPTIONAL_PROMPTS = (
    "cannot_hear",
    "choose_request",
    "choose_request_again",
    "confirm_numbered_request",
    "guessed_request",
    "keys_menu",
    "next_wish",
    "not_served",
    "other_language",
    "lost_you",
    "queue_wait",
    "whisper",
)
"""Prompts that are said where a pack has them: at a guess, to callers who wait, to the person before the caller is
joined, and when something broke (docs/survival.md)."""
CONTEXT_NAMES = frozenset(
    {
        "now", "today", "caller", "shop", "value", "request", "requests", "reason", "last_heard", "failure", "options",
        "value_slot", "customer", "formats", "job", "left", "matter", "menu", "queue", "survey", "takes_digits",
        "ticket_id", knowledge.ANSWERS, "automated", "calls_back", "second_facts",
        "language", "first", "second", "topic", "unclear", "unserved",
        knowledge.PROMOTIONS,
    }
)  # fmt: skip
"""What expressions and prompts may use besides slots and variables."""
OTHERWISE = "otherwise"
_SLOT_IN_PHRASE = re.compile(r"\{(\w+)\}")
_MENU_KEYS = frozenset("123456789")
_OWN_KEY = re.compile(r"[0-9]{1,2}|\*")
_QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
"""What the dialplan lets through as the name of a queue."""
_HIGHEST_PRIORITY = 1000
_PROMPT_ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")


def is_prompt_id(text: str) -> bool:
    """Return whether a text in a flow names a prompt; anything with a space or punctuation is the words themselves."""
    return _PROMPT_ID.fullmatch(text) is not None


def step_name(steps: Collection[Step], index: int) -> str:
    """Return the name by which a step is known: its id, or its place counted from 1."""
    step = list(steps)[index]
    return step.id or str(index + 1)


def check(reading: PackReading, expressions: Expressions, filters: Collection[str] | None = None) -> None:
    """Run every check and report into ``reading``. ``filters`` are the renderer's; None skips that check."""
    _Linter(reading, expressions, filters).run()


class _Linter:
    def __init__(self, reading: PackReading, expressions: Expressions, filters: Collection[str] | None) -> None:
        self._reading = reading
        self._contents: PackFile = reading.contents
        self._expressions = expressions
        self._templates = TemplateChecker(filters)
        self._used_prompts: set[str] = {*SYSTEM_PROMPTS, *OPTIONAL_PROMPTS}
        self._used_slots: set[str] = set()
        self._read_names: set[str] = set()
        self._variables = story.variables(self._contents)
        self._names = frozenset({*self._variables, *self._contents.slots}) | CONTEXT_NAMES

    def run(self) -> None:
        self._pack()
        for name, slot in self._contents.slots.items():
            self._slot(name, slot)
        for flow_id, flow in self._contents.flows.items():
            self._flow(flow_id, flow)
        for name, prompt in self._contents.prompts.items():
            self._prompt(name, prompt)
        for flow_id, index, problem in step_paths.endless_flows(self._contents.flows):
            self._report(("flows", flow_id, "steps", index, "link"), problem)
        for path, problem in knowledge.problems(self._contents.knowledge):
            self._report(path, problem)
        self._unused()

    def _report(self, path: KeyPath, message: str, *, warning: bool = False) -> None:
        self._reading.report(path, message, warning=warning)

    def _pack(self) -> None:
        contents = self._contents
        for entry, flow in contents.entries.items():
            if flow not in contents.flows:
                self._report(("entries", entry), f"there is no flow '{flow}'{did_you_mean(flow, contents.flows)}")
        if contents.start not in contents.flows:
            self._report(
                ("start",), f"there is no flow '{contents.start}'{did_you_mean(contents.start, contents.flows)}"
            )
        for name in SYSTEM_PROMPTS:
            if name not in contents.prompts:
                self._report(("prompts", name), "this prompt is missing; the conversation needs it")
        for name, expression in contents.variables.items():
            self._expression(expression, ("variables", name))
        for name in contents.keep:
            self._known(name, contents.variables, "variable", ("keep",))
        found = (*story.problems(contents), *kept.problems(contents, self._expressions))
        for path, problem in (
            *found,
            *outbound.problems(contents, self._expressions),
            *callee_phrases.problems(contents),
        ):
            self._report(path, problem)
        if contents.outbound is not None:
            self._used_slots |= {contents.outbound.right_person, *contents.outbound.keeps}
            self._read_names |= {contents.outbound.outcome, contents.outbound.appointment, *contents.outbound.keeps}
            for key in ("screener", "message"):
                self._texts(getattr(contents.outbound.says, key), ("outbound", "says", key))
        self._read_names.add((contents.story or Story()).verified)
        if contents.defaults is not None:
            self._manner(contents.defaults, ("defaults",))
        for name, escalation in contents.escalate.items():
            self._texts(escalation.say, ("escalate", name, "say"))
            self._for_dialplan("", escalation.priority, ("escalate", name))

    def _manner(self, manner: object, path: KeyPath) -> None:
        for key in ("prompt", "reprompt", "help", "noinput", "nomatch", "confirm_prompt"):
            self._texts(getattr(manner, key, ()), (*path, key))

    def _slot(self, name: str, slot: Slot) -> None:
        path: KeyPath = ("slots", name)
        self._manner(slot, path)
        for key in ("noinput", "nomatch"):
            if not getattr(slot, key) and not getattr(self._contents.defaults, key, ()):
                self._report(path, f"has no {key} prompts, and the defaults have none either")
        if slot.type == "number" and not slot.format:
            self._report(path, "a number slot needs a format")
        if slot.type == "choice" and not slot.choices and slot.choices_from is None:
            self._report(path, "a choice slot needs choices")
        if slot.choices_from is not None:
            self._choices_from(slot, path)
        values = {"yes", "no"} if slot.type == "yes_no" else set(knowledge.choices(slot, self._contents.knowledge))
        if slot.type == "request":
            values |= set(self._contents.flows)
        if slot.dtmf and slot.type == "number":
            self._report((*path, "dtmf"), "a number slot takes every key as a digit")
        if slot.own_keys and (slot.type != "choice" or not slot.dtmf):
            self._report((*path, "own_keys"), "only a choice slot with keys (dtmf) can have them all")
        for key, value in slot.dtmf.items():
            if slot.own_keys and not _OWN_KEY.fullmatch(key):
                self._report((*path, "dtmf", key), "is no key: one or two of 0 to 9, or *")
            elif not slot.own_keys and key not in _MENU_KEYS and slot.type != "number":
                self._report((*path, "dtmf", key), "is no key for a choice: 1 to 9 are; 0 is for a person, * repeats")
            if slot.type != "number" and value not in values:
                self._report((*path, "dtmf", key), f"there is no value '{value}'{did_you_mean(value, sorted(values))}")
        for kind, action in slot.give_up.items():
            possible = (PERSON, GOODBYE, *sorted(values))
            self._known(action, possible, "value or ending", (*path, "give_up", kind))
        if slot.corrects:
            numbers = [other for other, one in self._contents.slots.items() if one.type == "number"]
            self._known(slot.corrects, numbers, "number slot", (*path, "corrects"))
        if slot.exists and slot.type != "number":
            self._report((*path, "exists"), "only a number slot asks which numbers exist")
        elif slot.exists:
            self._known(slot.exists, self._contents.services, "service", (*path, "exists"))
        for other in slot.resets:
            self._known(other, self._names, "slot or variable", (*path, "resets"))

    def _choices_from(self, slot: Slot, path: KeyPath) -> None:
        here = (*path, "choices_from")
        if slot.type != "choice" or slot.choices_from is None:
            self._report(here, "only a choice slot has choices")
        elif not knowledge.is_fixed(slot):
            self._expression(slot.choices_from.list, here)
        elif self._contents.knowledge is None:
            self._report(here, "the pack has no knowledge file")

    def _flow(self, flow_id: str, flow: Flow) -> None:
        path: KeyPath = ("flows", flow_id)
        self._used_slots |= {
            name for trigger in flow.triggers for name in _SLOT_IN_PHRASE.findall(" ".join(trigger.phrases))
        }
        for name in flow.forgets:
            self._known(name, self._names, "slot or variable", ("flows", flow_id, "forgets"))
        for name, expression in flow.keeps.items():
            self._expression(expression, (*path, "keeps", name))
        for index, trigger in enumerate(flow.triggers):
            for name, expression in trigger.set.items():
                self._assigned(name, expression, (*path, "triggers", index, "set", name))
        ids: set[str] = set()
        for index, step in enumerate(flow.steps):
            here = (*path, "steps", index)
            if step.id and (step.id in ids or step.id == END):
                self._report((*here, "id"), f"'{step.id}' is already taken in this flow")
            ids.add(step.id)
        for index, step in enumerate(flow.steps):
            self._step(step, (*path, "steps", index), ids - {""})
        self._paths(flow, path)

    def _step(self, step: Step, path: KeyPath, ids: set[str]) -> None:
        for key, target in step_paths.targets(step):
            if target and target != END and target not in ids:
                self._report(
                    (*path, *key), f"there is no step '{target}' in this flow{did_you_mean(target, sorted(ids))}"
                )
        if isinstance(step, CollectStep):
            self._used_slots.add(step.collect)
            self._known(step.collect, self._contents.slots, "slot", (*path, "collect"))
            slot = self._contents.slots.get(step.collect)
            if slot is not None and not step.prompt and not slot.prompt:
                self._report(path, f"nothing is said to ask for '{step.collect}': give the slot or this step a prompt")
            self._texts(step.prompt, (*path, "prompt"))
        elif isinstance(step, ServiceCallStep):
            self._call(step, path)
        elif isinstance(step, SetStep):
            for name, expression in step.set.items():
                self._assigned(name, expression, (*path, "set", name))
        elif isinstance(step, IfStep):
            self._expression(step.if_, (*path, "if"))
        elif isinstance(step, LinkStep):
            self._known(step.link, self._contents.flows, "flow", (*path, "link"))
        elif isinstance(step, (SayStep, HandOverStep, HangUpStep)):
            self._texts(step.say, (*path, "say"))
        if isinstance(step, HandOverStep):
            self._for_dialplan(step.queue, step.priority, path)

    def _for_dialplan(self, queue: str, priority: int, path: KeyPath) -> None:
        """Report what the dialplan would not take as it is written; the reason is checked by its type."""
        if queue and not _QUEUE_NAME.fullmatch(queue):
            message = f"no queue is named '{queue}': names have letters, digits, '-' and '_', at most 40"
            self._report((*path, "queue"), f"{message}; such calls go to the usual queue", warning=True)
        if not 0 <= priority <= _HIGHEST_PRIORITY:
            message = f"priorities are 0 (ordinary) to {_HIGHEST_PRIORITY}; {priority} counts as the nearest of them"
            self._report((*path, "priority"), message, warning=True)

    def _call(self, step: ServiceCallStep, path: KeyPath) -> None:
        self._texts(step.filler, (*path, "filler"))
        for name, expression in step.arguments.items():
            self._expression(expression, (*path, "with", name))
        for index, expression in enumerate(step.once_for):
            self._expression(expression, (*path, "once_for", index))
        for name, expression in step.save.items():
            self._expression(expression, (*path, "save", name), also=frozenset({"result"}))
        service = self._contents.services.get(step.call)
        if service is None:
            self._known(step.call, self._contents.services, "service", (*path, "call"))
            return
        for name in step.arguments:
            self._known(
                name, (*service.arguments, *service.optional), f"argument of {step.call}", (*path, "with", name)
            )
        for name in service.arguments:
            if name not in step.arguments:
                self._report((*path, "with"), f"{step.call} needs the argument '{name}'")
        left = [code for code in service.failures if code not in step.failed]
        if left and OTHERWISE not in step.failed:
            message = f"no step for {', '.join(left)}: hands the call over as back_office_down; map it, or 'otherwise'"
            self._report((*path, "failed"), message, warning=True)
        for code in step.failed:
            if code != OTHERWISE:
                self._known(
                    code.partition(".")[0], service.failures, f"failure of {step.call}", (*path, "failed", code)
                )

    def _paths(self, flow: Flow, path: KeyPath) -> None:
        for problem in step_paths.problems(flow, self._contents):
            self._report((*path, "steps", problem.step, *problem.key), problem.message, warning=problem.warning)

    def _prompt(self, name: str, prompt: str | ConditionalPrompt) -> None:
        path: KeyPath = ("prompts", name)
        if isinstance(prompt, str):
            self._template(prompt, path)
            return
        self._expression(prompt.choose, (*path, "choose"))
        for case, text in prompt.cases.items():
            self._template(text, (*path, "cases", case))
        self._template(prompt.otherwise, (*path, "otherwise"))
        if not prompt.otherwise and name not in (knowledge.ANSWER_PROMPT, knowledge.PROMOTION_PROMPT):
            self._report(path, "nothing is said for other values: give it an 'otherwise'", warning=True)

    def _texts(self, texts: tuple[str, ...], path: KeyPath) -> None:
        for text in texts:
            if is_prompt_id(text):
                self._used_prompts.add(text)
                self._known(text, self._contents.prompts, "prompt", path)
            else:
                self._template(text, path)

    def _template(self, text: str, path: KeyPath) -> None:
        self._read_names |= self._templates.names(text)
        for problem in self._templates.problems(text, self._names):
            self._report(path, problem)

    def _assigned(self, name: str, expression: str, path: KeyPath) -> None:
        if name in CONTEXT_NAMES:
            self._report(path, f"'{name}' belongs to the conversation and cannot be set")
        self._expression(expression, path)

    def _expression(self, expression: str, path: KeyPath, also: frozenset[str] = frozenset()) -> None:
        problem = self._expressions.check(expression)
        if problem:
            self._report(path, f"'{expression}' {problem}")
        used = self._expressions.names(expression)
        self._read_names |= used
        for name in sorted(used - self._names - also):
            self._report(path, f"there is no slot or variable '{name}'{did_you_mean(name, sorted(self._names))}")

    def _known(self, name: str, valid: Collection[str] | Mapping[str, object], what: str, path: KeyPath) -> None:
        if name not in valid:
            self._report(path, f"there is no {what} '{name}'{did_you_mean(name, sorted(valid))}")

    def _unused(self) -> None:
        contents = self._contents
        for name in contents.prompts:
            if name not in self._used_prompts:
                self._report(("prompts", name), "no flow says this prompt", warning=True)
        for name in contents.slots:
            if name not in self._used_slots:
                self._report(("slots", name), "no flow collects this slot", warning=True)
        for name, path in self._variables.items():
            if name not in self._read_names and name not in contents.slots:
                self._report(path, f"nothing uses the variable '{name}'", warning=True)
        for flow_id in set(contents.flows) - step_paths.reachable_flows(contents):
            self._report(("flows", flow_id), "nothing starts this flow: no trigger, no key, no link", warning=True)
        try:
            number_formats(contents)
        except NumberFormatError as error:
            self._report(("slots",), error.message)
