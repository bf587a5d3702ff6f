"""The context of one turn while it is worked out: pack, state, prompts so far, and shared operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent.dialog.callee import OUTBOUND
from agent.dialog.contract import Prompt
from agent.dialog.engine.state import CallFacts, ConversationState, FlowFrame, Focus, PendingRequest, SlotValue
from agent.dialog.grammar.choices import Option, options_from
from agent.dialog.grammar.grammar_builder import CHOOSE_REQUEST, CONFIRM_REQUEST, collect_key, confirm_key
from agent.dialog.grammar.spoken_dates import day_options
from agent.dialog.grammar.turn_grammar import TurnGrammar
from agent.dialog.model import knowledge
from agent.dialog.model.model import CollectStep, ConditionalPrompt, QuestionSettings, Slot
from agent.dialog.model.outbound import RIGHT_PERSON_SAYS
from agent.dialog.pack.lint import is_prompt_id
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import Renderer
from agent.dialog.turn_report import AnswerResult, MeaningCandidate, RequestProgress, StepTaken

CONFIRM_NUMBERED = "confirm_numbered_request"
"""The question whether a request is meant, where a number was told with it; sees ``value`` and ``value_slot``."""


class TurnContext:
    """Lives for one event. Changes the state it was given; collects the prompts to say."""

    def __init__(self, pack: FlowPack, facts: CallFacts, state: ConversationState, render: Renderer) -> None:
        self.pack = pack
        self.facts = facts
        self.state = state
        self.said: list[Prompt] = []
        self.understood = ""
        self.keep_last_said = False
        """True when what is said now is not what "repeat" should say again."""
        self.result: AnswerResult | None = "understood"
        """What becomes of the answer; None for what is no answer (what is muttered after "hold on")."""
        self.decision = ""
        """Of an answer that was scored: what was decided (:class:`agent.dialog.contract.AnswerReading`)."""
        self.candidates: tuple[MeaningCandidate, ...] = ()
        """Of an answer that was scored: what may have been meant."""
        self.trail: list[StepTaken] = []
        """Steps left and reached while this event is worked out."""
        self.way = ""
        """The way on from the open question where that is another than ``answered``, or ``goodbye`` at the end."""
        self.requests: dict[int, RequestProgress] = {}
        """What changed about the caller's requests, by number."""
        self._render = render

    # --- words ------------------------------------------------------------------------------------

    def context(self, **extra: Any) -> dict[str, Any]:
        """Return what prompts and expressions can see."""
        flows, later = self.pack.contents.flows, [wish.flow for wish in self.state.later]
        return {
            **self.state.variables,
            **{name: slot.value for name, slot in self.state.slots.items()},
            "now": self.facts.now,
            "today": self.facts.now.date().isoformat(),
            "shop": self.facts.shop_name,
            "caller": {"number": self.facts.caller_number},
            "customer": self.facts.customer,
            "left": self.facts.left,
            "job": self.facts.job,
            "matter": self.facts.matter if self.knows_callee else {},
            "survey": self.facts.survey,
            "automated": self.facts.automated,
            "calls_back": self.facts.calls_back,
            "second_facts": self.facts.second_facts,
            "queue": self.state.queue,
            "requests": [flows[flow].description for flow in (*self.state.requests, *later) if flow in flows],
            "last_heard": self.state.last_heard,
            "unclear": self.state.unclear,
            "unserved": self.state.unserved,
            "failure": self.state.failure,
            "formats": self.pack.format_patterns,
            **self.pack.knowledge_on(self.facts.now.date()),
            **extra,
        }

    def evaluate(self, expression: str, **extra: Any) -> Any:
        """Compute an expression. Raises :class:`DialogError`."""
        return self.pack.expressions.evaluate(expression, self.context(**extra))

    def say(self, texts: Sequence[str], place: str = "", **extra: Any) -> None:
        """Add prompts: names from the pack, or the words themselves (which go by ``place``)."""
        for index, text in enumerate(texts):
            name = f"{place}.{index + 1}" if len(texts) > 1 else place
            prompt = self.prompt(text, name, **extra)
            if prompt.text:
                self.said.append(prompt)

    def prompt(self, text: str, place: str = "", **extra: Any) -> Prompt:
        """Return one prompt, filled in."""
        context = self.context(**extra)
        if not is_prompt_id(text):
            return Prompt(place, self._render(text, context, self.pack.language))
        source = self.pack.contents.prompts[text]
        if not isinstance(source, ConditionalPrompt):
            return Prompt(text, self._render(source, context, self.pack.language))
        case = str(self.pack.expressions.evaluate(source.choose, context))
        words = self._render(source.cases.get(case, source.otherwise), context, self.pack.language)
        return Prompt(f"{text}.{case if case in source.cases else 'otherwise'}", words)

    # --- slots and variables ----------------------------------------------------------------------

    def fill(self, name: str, value: SlotValue) -> None:
        """Give a slot a value; another value than before resets what hangs on it."""
        before = self.state.slots.get(name)
        if before is not None and before.value != value.value:
            self._reset(self.pack.slot(name))
        self.state.slots[name] = value

    def assign(self, name: str, value: Any) -> None:
        """Give a slot or a variable a value; None forgets."""
        if value is None:
            self.forget(name)
        elif name in self.pack.contents.slots:
            self.fill(name, SlotValue(str(value)))
        else:
            self.state.variables[name] = value

    def forget(self, name: str) -> None:
        """Forget a slot, with all that hangs on it, or a variable."""
        if name in self.pack.contents.slots:
            if self.state.slots.pop(name, None) is not None:
                self._reset(self.pack.slot(name))
            if self.state.so_far_slot == name:
                self.state.clear_partial_number()
        elif name in self.pack.contents.variables:
            self.state.variables[name] = self.evaluate(self.pack.contents.variables[name])
        else:
            self.state.variables.pop(name, None)

    def forget_flow_values(self, frame: FlowFrame) -> None:
        """Forget what belonged to one run of a flow."""
        for name in self.pack.flow(frame.flow).forgets:
            self.forget(name)

    def _reset(self, slot: Slot) -> None:
        for other in slot.resets:
            self.forget(other)

    # --- calls that we placed ---------------------------------------------------------------------

    @property
    def placed(self) -> bool:
        """Whether we placed this call."""
        return self.facts.entry == OUTBOUND and self.pack.contents.outbound is not None

    @property
    def knows_callee(self) -> bool:
        """Whether the right person has said so: what the call is about may be told."""
        outbound = self.pack.contents.outbound
        said = self.state.slots.get(outbound.right_person) if outbound is not None else None
        return said is not None and said.value == RIGHT_PERSON_SAYS and not said.doubt

    def next_effect_id(self) -> str:
        """Return the id for a further effect of this call."""
        self.state.effects += 1
        prefix = f"{self.facts.call_id}-" if self.facts.call_id else "effect-"
        return f"{prefix}{self.state.effects}"

    # --- where we are -----------------------------------------------------------------------------

    @property
    def frame(self) -> FlowFrame:
        """The flow that is speaking."""
        return self.state.frames[-1]

    @property
    def place(self) -> tuple[str, str]:
        """Flow and step for logs; empty texts when the conversation is over."""
        if not self.state.frames:
            return "", ""
        frame = self.frame
        last = len(self.pack.flow(frame.flow).steps) - 1
        return frame.flow, self.pack.step_name(frame.flow, min(frame.step, last))

    def grammar(self, focus: Focus) -> TurnGrammar:
        """Return what may be said while listening for ``focus``."""
        if focus.kind == "confirm_request":
            return self.pack.grammars[CONFIRM_REQUEST]
        if focus.kind == "choose_request":
            return self.pack.grammars[CHOOSE_REQUEST]
        if focus.kind == "confirm":
            return self.pack.grammars[confirm_key(focus.slot)]
        slot = self.pack.slot(focus.slot)
        if knowledge.is_fixed(slot):
            return self.pack.grammars[collect_key(focus.slot)]
        return self.pack.grammar_with(focus.slot, self.options(focus.slot))

    def options(self, name: str) -> tuple[Option, ...]:
        """Return what there is to choose for a slot whose choices come from this call's data; empty for others."""
        slot = self.pack.slot(name)
        if slot.type == "date":
            return day_options(self.facts.now.date(), slot.days_ahead, self.pack.language.days)
        if slot.choices_from is None or knowledge.is_fixed(slot):
            return ()
        return options_from(slot.choices_from, self.evaluate(slot.choices_from.list))

    def manner(self, name: str, focus: Focus) -> Any:
        """Return one of the slot's manners, or the pack's default for it."""
        own = getattr(self.pack.slot(focus.slot), name)
        return own if own not in (None, ()) else getattr(self.pack.defaults, name)

    def question(self, focus: Focus, *, again: bool) -> None:
        """Ask what is being listened for; ``again`` in the shorter words of a reprompt."""
        slot = self.pack.slot(focus.slot)
        if focus.kind == "confirm":
            texts = slot.confirm_prompt or ("confirm_number",)
            value = self.state.slots[focus.slot].value
            self.say(texts, f"{focus.slot}.confirm_prompt", value=value)
        elif focus.kind == "confirm_request" and focus.request is not None:
            request = focus.request
            if self.reads_number(request):
                told = {"value": request.number, "value_slot": request.number_slot}
                self.say((CONFIRM_NUMBERED,), request=self.words_of(request), **told)
            else:
                self.say(("confirm_request",), request=self.words_of(request))
        elif focus.kind == "choose_request" and focus.request is not None and focus.other is not None:
            first, second = self.words_of(focus.request), self.words_of(focus.other)
            self.say(("choose_request_again" if again else "choose_request",), first=first, second=second)
        else:
            step = self.pack.flow(self.frame.flow).steps[self.frame.step]
            own = step.prompt if isinstance(step, CollectStep) else ()
            texts, place = own or slot.prompt, ".".join(self.place) if own else f"{focus.slot}.prompt"
            if again and slot.reprompt:
                texts, place = slot.reprompt, f"{focus.slot}.reprompt"
            self.say(texts, place, **self.choices(focus))

    def reads_number(self, request: PendingRequest) -> bool:
        """Return whether the question about a request reads the number back that was told with it."""
        return bool(request.number) and CONFIRM_NUMBERED in self.pack.contents.prompts

    def words_of(self, request: PendingRequest) -> str:
        """Return what a request is, in words for the caller."""
        return self.pack.meanings.words(self.pack.meanings.of_request(request.flow, request.values))

    def choices(self, focus: Focus) -> dict[str, Any]:
        """Return what prompts about a choice from data can use besides the rest: ``options``, the names."""
        slot = self.pack.slot(focus.slot)
        if focus.kind != "collect" or slot.choices_from is None or knowledge.is_fixed(slot):
            return {}
        return {"options": [option.name for option in self.options(focus.slot)]}


def level_texts(slot: Slot, defaults: QuestionSettings, kind: str) -> tuple[tuple[str, ...], bool]:
    """Return the prompts of a slot's no-input or no-match levels, and whether the question must follow them.

    A slot's own levels are whole prompts; the defaults cannot know the question, so it is asked after them.
    """
    own: tuple[str, ...] = getattr(slot, kind)
    return (own, False) if own else (getattr(defaults, kind), True)
