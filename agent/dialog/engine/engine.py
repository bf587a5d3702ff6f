"""The dialog engine: events in, turns out. Pure, synchronous, deterministic; its state fits in a snapshot."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from agent.dialog.callee import STOP_KEY, CalleeReport, OutboundStory
from agent.dialog.contract import (
    Completeness,
    ConversationSummary,
    EffectFailed,
    EffectSucceeded,
    Event,
    HandOverAction,
    HangUp,
    HungUp,
    Listen,
    NextAction,
    NoInput,
    Prompt,
    QueueReport,
    RecognitionLost,
    SecondText,
    Turn,
    TurnInput,
)
from agent.dialog.engine import (
    existing_numbers,
    fallbacks,
    interpret,
    keypad,
    listening,
    outbound,
    progress,
    second_opinion,
    steps,
)
from agent.dialog.engine.handover import REASONS_IGNORING_QUEUE, hand_over, hand_over_again
from agent.dialog.engine.state import SNAPSHOT_VERSION, CallFacts, ConversationState, FlowFrame, LastHandOver, SlotValue
from agent.dialog.engine.turn_context import TurnContext
from agent.dialog.errors import DialogError
from agent.dialog.model.model import CollectStep, ServiceCallStep
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import Renderer
from agent.dialog.turn_report import AnswerReading

__all__ = ["CallFacts", "Conversation"]

HANDED_OVER = "handed_over"
QUEUE_WAIT = "queue_wait"


class Conversation:
    """One call's dialog; implements :class:`agent.dialog.contract.Dialog`.

    Everything it depends on is handed in: the pack (rules and grammars), the facts (time, shop, caller) and the
    renderer (how numbers and dates are spoken). The same events always give the same turns.
    """

    def __init__(self, pack: FlowPack, facts: CallFacts, render: Renderer) -> None:
        self._pack = pack
        self._facts = facts
        self._render = render
        self._state = ConversationState()

    @classmethod
    def restore(cls, pack: FlowPack, snapshot: Mapping[str, Any], render: Renderer) -> Conversation:
        """Pick up a conversation where another process left it; go on with :meth:`resume`.

        Raises :class:`DialogError` when the snapshot is of another version or of another edition of the pack.
        """
        if snapshot.get("version") != SNAPSHOT_VERSION or snapshot.get("pack") != pack.fingerprint:
            raise DialogError("the snapshot belongs to another version of the program or of the flow files")
        conversation = cls(pack, CallFacts.from_json(snapshot["facts"]), render)
        conversation._state = ConversationState.from_json(snapshot["state"])
        return conversation

    @classmethod
    def resume_returning_call(
        cls, pack: FlowPack, facts: CallFacts, snapshot: Mapping[str, Any], render: Renderer
    ) -> Conversation:
        """Begin anew at the entry of ``facts`` with what an earlier conversation of the same caller knew.

        Slots, variables and requests are kept; begun flows, the open question and failures are not. Raises
        :class:`DialogError` when the snapshot is of another version or of another edition of the pack.
        """
        before = cls.restore(pack, snapshot, render)._state
        conversation = cls(pack, facts, render)
        conversation._state = ConversationState(
            slots={name: slot for name, slot in before.slots.items() if not slot.doubt},
            variables=before.variables,
            requests=before.requests,
            answered=before.answered,
            queue=before.queue,
            handed=before.handed,
        )
        return conversation

    def snapshot(self) -> dict[str, Any]:
        """Return the whole conversation as JSON-like data."""
        return {
            "version": SNAPSHOT_VERSION,
            "pack": self._pack.fingerprint,
            "facts": self._facts.to_json(),
            "state": self._state.to_json(),
        }

    def learn(self, known: Mapping[str, Sequence[str]]) -> None:
        """Take in numbers this caller may well mean (slot -> numbers); they decide between readings from now on."""
        self._facts = replace(self._facts, known={name: tuple(numbers) for name, numbers in known.items()})

    @property
    def subject_slot(self) -> str:
        """The number slot that holds what the call is about; ``""`` where the pack names none."""
        return self._pack.story.about

    @property
    def edition(self) -> str:
        """The edition of the procedures it runs on."""
        return self._pack.fingerprint

    @property
    def understanding(self) -> str:
        """The fingerprint of the weights that score open answers; ``""`` where nothing is scored."""
        return self._pack.score.fingerprint if self._pack.score is not None else ""

    @property
    def slots(self) -> dict[str, str]:
        """What is known so far, by slot."""
        return {name: slot.value for name, slot in self._state.slots.items()}

    @property
    def story(self) -> ConversationSummary:
        """What it was about so far."""
        state, flows, slots = self._state, self._pack.contents.flows, self._pack.contents.slots
        asked = [flow for flow in dict.fromkeys(state.requests) if flow in flows]
        told = self._pack.story
        about = state.slots.get(told.about)
        unserved = (f"about {state.unserved}",) if state.unserved else ()
        return ConversationSummary(
            wanted=(*(flows[flow].description for flow in asked), *unserved),
            unanswered=(*(flows[flow].description for flow in asked if flow not in state.answered), *unserved),
            verified=bool(state.variables.get(told.verified)),
            about=about.value if about is not None else "",
            answers=tuple(
                (name, held.value)
                for name, held in state.slots.items()
                if name != told.about
                and self._pack.tells(name)
                and slots[name].type != "yes_no"
                and held.value not in ("yes", "no", "nothing")
            ),
            unclear=tuple((one["said"], tuple(one["perhaps"])) for one in state.unclear),
        )

    @property
    def outbound(self) -> OutboundStory | None:
        """What came of a call that we placed, or of one whose caller rang back; None for all others."""
        return outbound.story(self._scene(), self._state.ended)

    @property
    def state(self) -> ConversationState:
        """The conversation's state, for tools that look into it; a call reads :attr:`story` and :attr:`slots`."""
        return self._state

    @property
    def path(self) -> tuple[str, ...]:
        """Every step reached so far, each once, as ``flow.step``."""
        return tuple(self._state.path)

    def start(self) -> Turn:
        """Return the first turn; of a call that we placed it says nothing and listens for the callee's greeting.

        Raises :class:`DialogError` for a purpose no flow of the pack is for.
        """
        scene = self._scene()
        self._state.frames = [FlowFrame(outbound.entry_flow(scene))]
        self._give_variables_a_value(scene)
        if scene.placed:
            return self._finish(scene, outbound.wait_for_greeting(scene))
        return self._work(scene, None)

    def _give_variables_a_value(self, scene: TurnContext) -> None:
        for name, expression in self._pack.contents.variables.items():
            if name not in self._state.variables:
                self._state.variables[name] = scene.evaluate(expression)

    def remember(self, slots: Mapping[str, str]) -> None:
        """Take in what is known of the call before it starts; names that are no slots are left out."""
        for name, value in slots.items():
            if value and name in self._pack.contents.slots:
                self._state.slots[name] = SlotValue(value)

    def hear(self, event: Event) -> Turn:
        """Take the one event the last turn asked for and return the next turn. Never raises for what a caller says.

        An event that nobody asked for (an outcome of another effect, speech while a service works) changes nothing:
        the open question or effect comes back without words.
        """
        if isinstance(event, HungUp):
            self._state.ended = self._state.ended or ("answered" if self._state.answered else "abandoned")
            return Turn((), HangUp(self._state.ended))
        if isinstance(event, QueueReport) and self._state.ended == HANDED_OVER:
            return self._queue_told(event)
        if self._state.ended and not self._stops_after_all(event):
            return Turn((), HangUp(self._state.ended))
        return self._work(self._scene(), event)

    def _stops_after_all(self, event: Event) -> bool:
        """Return whether the key that ends all calls was pressed during the last words of a call that we placed."""
        state = self._state
        keyed = isinstance(event, TurnInput) and event.keys == STOP_KEY
        if not keyed or state.ended == HANDED_OVER or not self._scene().placed:
            return False
        state.ended = ""
        return True

    def _queue_told(self, report: QueueReport) -> Turn:
        """Say the wait and hand over, or go on with the caller where the pack has a flow for a queue like this."""
        scene = self._scene()
        state = self._state
        state.queue = asdict(report)
        entry = self._pack.contents.entries.get(f"queue_{report.standing}")
        insists = state.waits and report.standing in ("full", "too_long")
        handed = state.handed
        if entry is None or insists or handed is None or handed.reason in REASONS_IGNORING_QUEUE:
            if report.wait_minutes and QUEUE_WAIT in self._pack.contents.prompts:
                scene.say((QUEUE_WAIT,))
            return self._finish(scene, hand_over_again(scene, quiet=True))
        state.ended, state.wrong = "", 0
        state.reset_failures()
        progress.leave(scene, f"queue.{report.standing}")
        steps.drop_flows(scene, 0, "nobody_there")
        state.frames = [FlowFrame(entry)]
        return self._work(scene, None)

    def resume(self) -> Turn:
        """Return the turn that is open, with its question asked again: for a conversation just restored.

        It begins with the pack's prompt ``lost_you``, where there is one. A conversation that was ending ends now.
        """
        scene = self._scene()
        state = self._state
        if state.ended == HANDED_OVER:
            return Turn((), self.hand_over(HANDED_OVER))
        if state.ended:
            return Turn(tuple(state.last_said), HangUp(state.ended))
        keypad.say_if_there(scene, "lost_you")
        if state.focus is not None:
            return self._finish(scene, fallbacks.ask_again(scene))
        if state.greeting:  # whoever answered has waited long enough
            scene.said.clear()
            return self._finish(scene, outbound.greeted(scene, NoInput()))
        return self._finish(scene, self._open(scene))

    def hand_over(self, reason: str) -> HandOverAction:
        """Return the hand-over of a call that must go to staff now, with the summary so far; the caller hears nothing.

        A hand-over that was under way keeps its own reason, queue and priority.
        """
        state = self._state
        handed = state.handed if state.ended == HANDED_OVER else None
        going = state.handed = handed or LastHandOver(reason)
        state.ended = HANDED_OVER
        scene = self._scene()
        try:
            self._give_variables_a_value(scene)
            return hand_over(scene, going.reason, priority=going.priority, queue=going.queue, quiet=True)
        except DialogError:
            return HandOverAction(going.reason, "The agent's rules failed during this call.", going.queue)

    def doubts(self, heard: TurnInput) -> bool:
        """Return whether a second recogniser is worth asking about an answer."""
        asks = second_opinion.question(self._scene())
        if not asks or len(heard.words) > second_opinion.MOST_WORDS:
            return False
        return second_opinion.is_doubtful(asks, self._tried(heard))

    def reconcile(self, heard: TurnInput, second: SecondText) -> TurnInput:
        """Return what to hear: the first recogniser's answer, or what the second one makes of it."""
        scene = self._scene()
        asks = second_opinion.question(scene)
        if asks == "code":
            return second_opinion.with_second_code(scene, heard, second)
        if asks != "request" or not second_opinion.is_opinion(second):
            return heard
        other = second_opinion.as_request(heard, second)
        return other if second_opinion.is_better(self._tried(heard), self._tried(other), second) else heard

    def _tried(self, heard: TurnInput) -> second_opinion.TriedAnswer:
        """Return what an answer would come to; nothing is changed by it."""
        trial = Conversation(self._pack, self._facts, self._render)
        trial._state = copy.deepcopy(self._state)
        turn = trial.hear(heard)
        focus, state = trial._state.focus, trial._state
        doubts = frozenset(name for name, slot in state.slots.items() if slot.doubt)
        return second_opinion.TriedAnswer(turn, focus.kind if focus is not None else "", doubts)

    def completeness(self, text: str) -> Completeness:
        """Judge a partial text against what the current turn expects."""
        focus = self._state.focus
        if focus is None or not text:
            return Completeness.OPEN
        grammar = self._scene().grammar(focus)
        return grammar.completeness(text, self._state.so_far, self._state.so_far_slot)

    def _scene(self) -> TurnContext:
        return TurnContext(self._pack, self._facts, self._state, self._render)

    def _work(self, scene: TurnContext, event: Event | None) -> Turn:
        try:
            then = self._react(scene, event)
        except DialogError as error:
            # a mistake in a flow that no check can see: the caller still gets a person, the log the reason
            broken, scene = scene, self._scene()
            scene.trail, scene.requests, scene.result = broken.trail, broken.requests, broken.result
            scene.understood = f"fault: {error.message}"
            then = self._fault(scene)
        return self._finish(scene, then, answered=isinstance(event, (TurnInput, NoInput)))

    def _react(self, scene: TurnContext, event: Event | None) -> NextAction:
        if event is None:
            return steps.advance(scene)
        if isinstance(event, RecognitionLost):
            return outbound.deaf(scene) if self._state.greeting else keypad.switch_to_keypad(scene)
        pending = self._state.effect
        if pending is not None:
            if isinstance(event, (EffectSucceeded, EffectFailed)) and event.effect == pending.id:
                return steps.take_outcome(scene, event)
            return self._open(scene)
        if isinstance(event, TurnInput) and event.words:
            self._state.spoken = True
        if self._state.greeting and isinstance(event, (TurnInput, NoInput)):
            return outbound.greeted(scene, event)
        if isinstance(event, CalleeReport) and scene.placed:
            return outbound.no_person(scene, event)
        if isinstance(event, TurnInput):
            outbound.note_person(scene, event)
            if self._state.focus is None and scene.placed and event.keys == STOP_KEY:
                return outbound.stop(scene, sure=True)  # pressed during our last words
            if outbound.says_yes_too_early(scene, event):
                return fallbacks.no_match(scene)
            return interpret.interpret_answer(scene, event)
        if isinstance(event, NoInput):
            scene.understood = "silence"
            return fallbacks.no_input(scene)
        return self._open(scene)

    def _open(self, scene: TurnContext) -> NextAction:
        """Return what is being waited for, without words."""
        scene.keep_last_said = True
        if self._state.greeting:
            return outbound.wait_for_greeting(scene, screened=self._state.greeting == "behind_screener")
        if self._state.effect is None:
            return listening.listen(scene)
        step = self._pack.flow(scene.frame.flow).steps[scene.frame.step]
        if isinstance(step, CollectStep):
            return existing_numbers.pending(scene)
        if not isinstance(step, ServiceCallStep):
            raise DialogError("a service call is pending at a step that calls none")
        return steps.effect_of(scene, step, ".".join(scene.place))

    def _fault(self, scene: TurnContext) -> HandOverAction:
        try:
            return hand_over(scene, "fault")
        except DialogError:
            return HandOverAction("fault", "The agent's rules failed during this call.")

    def _finish(self, scene: TurnContext, then: NextAction, *, answered: bool = False) -> Turn:
        """Return the turn that was worked out; ``answered``: it follows an answer of the caller, or silence."""
        if isinstance(then, Listen) and self._state.deaf:
            then = keypad.offer_keys(scene, then)
        if isinstance(then, Listen):
            then = outbound.with_watch(scene, then)
        progress.conclude(scene, then)
        flow, step = scene.place
        if isinstance(then, HangUp):
            self._state.ended = then.outcome
        elif isinstance(then, HandOverAction):
            self._state.ended = HANDED_OVER
        if not isinstance(then, Listen):
            self._state.focus = None
        said: tuple[Prompt, ...] = tuple(scene.said)
        if said and not scene.keep_last_said:
            self._state.last_said = list(said)
        reading = AnswerReading(scene.result, scene.decision, scene.candidates) if answered and scene.result else None
        requests = tuple(scene.requests.values())
        return Turn(said, then, flow, step, scene.understood, reading, tuple(scene.trail), requests)
