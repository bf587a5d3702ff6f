"""Calls that we placed: the callee's greeting comes first, machines are told apart, the matter waits for its person."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from agent.dialog.callee import OUTBOUND, STOP_KEY, CalleeKind, CalleeReport, CalleeWatch, OutboundStory, Reached
from agent.dialog.contract import HangUp, KeyEntry, Listen, NextAction, NoInput, TurnInput
from agent.dialog.engine import listening, progress, steps
from agent.dialog.engine.state import FlowFrame, Focus, SlotValue
from agent.dialog.engine.turn_context import TurnContext
from agent.dialog.errors import DialogError
from agent.dialog.grammar.intent import Intent
from agent.dialog.grammar.turn_grammar import GrammarMatch
from agent.dialog.model.outbound import RIGHT_PERSON_SAYS, OutboundCalls

GREETING_SECONDS = 1.2
"""So long the callee's greeting is waited for; then we speak first."""
SCREENED_SECONDS = 30.0
"""So long a person is waited for behind something that asked who is calling."""
_GREETING_SPEECH_SECONDS = 60.0
LOW_CONFIDENCE = 0.6
"""Mean word confidence below which "stop calling me" is asked about."""
_MACHINES: dict[CalleeKind, Reached] = {"machine": "voicemail", "screener": "screener", "ivr": "ivr", "fax": "fax"}
SILENT: Final = "silent"
"""The outcome of a call whose callee never said anything."""
WRONG_NUMBER: Final = "wrong_number"


def section(scene: TurnContext) -> OutboundCalls:
    """Return the pack's section. Raises :class:`DialogError` for a pack that has none."""
    found = scene.pack.contents.outbound
    if found is None:
        raise DialogError("the pack has no section 'outbound'")
    return found


def entry_flow(scene: TurnContext) -> str:
    """Return the flow that this call begins with."""
    contents, facts = scene.pack.contents, scene.facts
    outbound = contents.outbound
    if outbound is not None and facts.entry == OUTBOUND:
        purpose = str(facts.job.get("purpose", ""))
        if purpose not in outbound.flows:
            raise DialogError(f"no flow is for calls with the purpose {purpose!r}")
        return outbound.flows[purpose]
    if outbound is not None and facts.job and facts.entry == "inbound" and outbound.rings_back:
        return outbound.rings_back
    return contents.entries.get(facts.entry, contents.start)


def wait_for_greeting(scene: TurnContext, *, screened: bool = False) -> Listen:
    """Listen for the callee's greeting; ``screened``: for that of the person behind a screener."""
    scene.state.greeting = "behind_screener" if screened else "callee"
    scene.keep_last_said = True
    heard = scene.pack.callee_phrases
    phrases = [phrase for texts in heard.machines.values() for phrase in texts]
    return Listen(
        phrases=tuple(dict.fromkeys((*heard.greetings, *heard.stop, *phrases))),
        no_input_seconds=SCREENED_SECONDS if screened else GREETING_SECONDS,
        max_speech_seconds=_GREETING_SPEECH_SECONDS,
        keys=KeyEntry(max_digits=1, instant=STOP_KEY),
        callee=_watch(scene, greeting=True),
    )


def greeted(scene: TurnContext, event: TurnInput | NoInput) -> NextAction:
    """Take the callee's greeting, or the silence instead of it: now it is our turn."""
    behind, scene.state.greeting = scene.state.greeting, ""
    if isinstance(event, NoInput):
        scene.understood = "silence"
        if behind == "behind_screener":
            return HangUp("screener")
        return steps.advance(scene)
    scene.understood = "greeting"
    scene.state.reached = "person"
    if event.keys == STOP_KEY:
        return stop(scene, sure=True)
    focus = Focus("collect", section(scene).right_person)
    found = match(scene, focus, event)
    if found is not None and found.meaning.kind == "command" and found.meaning.name == "stop_calling":
        return stop(scene, sure=event.confidence >= LOW_CONFIDENCE)
    return steps.advance(scene)


def no_person(scene: TurnContext, report: CalleeReport) -> NextAction:
    """React to a machine."""
    outbound, state = section(scene), scene.state
    scene.understood = f"callee={report.kind}"
    before, state.reached = state.reached, _MACHINES.get(report.kind, SILENT)
    state.greeting = ""
    state.focus = None
    if report.kind == "screener" and before != "screener":
        scene.say(outbound.says.screener, "outbound.says.screener")
        return wait_for_greeting(scene, screened=True)
    if report.kind == "machine" and scene.facts.job.get("message"):
        state.message_left = True
        scene.say(outbound.says.message, "outbound.says.message")
        return HangUp("message_left")
    return HangUp(state.reached if report.kind != "unclear" else report.kind)


def stop(scene: TurnContext, *, sure: bool) -> NextAction:
    """Begin the flow that ends all calls to this number; what was under way goes on only where it was not meant.

    ``sure``: nothing is asked. Otherwise the flow asks first.
    """
    outbound, state = section(scene), scene.state
    scene.understood = "stop_calling"
    progress.leave(scene, "stop_calling")
    state.reset_failures()
    state.clear_partial_number()
    if outbound.stop_sure:
        scene.forget(outbound.stop_sure)
    if sure or not outbound.stop_sure:
        steps.drop_flows(scene, 0, "cancelled")
        state.later.clear()
        if outbound.stop_sure:
            scene.fill(outbound.stop_sure, SlotValue("yes"))
    if any(frame.flow == outbound.stop for frame in state.frames):
        return steps.advance(scene)
    steps.push_flow(scene, FlowFrame(outbound.stop, interrupts=bool(state.frames)))
    return steps.advance(scene)


def is_free(scene: TurnContext) -> bool:
    """Return whether the callee may ask for anything: nobody but the right person, on a call that we placed."""
    return not scene.placed or scene.knows_callee


def match(scene: TurnContext, focus: Focus, heard: TurnInput) -> GrammarMatch | None:
    """Return what was said in a turn. Words that ask for what may not begin yet are an answer, or nothing.

    "Yes, this is Sofia" may be heard as "yes this is faulty": to "Am I speaking with Sofia?" it is a yes.
    """
    state, grammar = scene.state, scene.grammar(focus)
    found = grammar.match(heard, scene.facts.known, state.so_far, state.so_far_slot)
    if found is None or found.meaning.kind != "request" or may_begin(scene, found.meaning):
        return found
    return grammar.answer(heard)


def may_begin(scene: TurnContext, request: Intent) -> bool:
    """Return whether a request may be taken up now: before the right person only what tells nothing of the matter."""
    anytime = section(scene).anytime if not is_free(scene) else ()
    return is_free(scene) or any(value in anytime for _, value in request.values)


def note_person(scene: TurnContext, event: TurnInput) -> None:
    """Note that somebody answered: who speaks or presses a key is no machine."""
    if scene.placed and (event.text or event.keys) and scene.state.reached in ("", "screener"):
        scene.state.reached = "person"


def says_yes_too_early(scene: TurnContext, event: TurnInput) -> bool:
    """Return whether a yes came into our question, before the name in it was heard, and nothing was asked again yet.

    A voicemail that speaks on is misheard so ("this is Dana", "this is her"); a person says it once more.
    """
    focus, state = scene.state.focus, scene.state
    if not scene.placed or scene.knows_callee or focus is None or not (event.barged_in and event.text):
        return False
    if focus.slot != section(scene).right_person or state.no_match or state.no_input:
        return False
    found = match(scene, focus, event)
    return found is not None and (found.meaning.kind, found.meaning.name) == ("value", RIGHT_PERSON_SAYS)


def deaf(scene: TurnContext) -> NextAction:
    """Go on without a recogniser: speak first, and ask for keys."""
    scene.state.deaf = True
    return greeted(scene, NoInput())


def is_stop(scene: TurnContext, focus: Focus, keys: str) -> bool:
    """Return whether keys end all calls to this number; where digits are keyed in, a single one may be an answer."""
    if not scene.placed or not keys or set(keys) != {STOP_KEY}:
        return False
    if len(keys) > 1:
        return len(keys) == len(STOP_KEY) * 2 and not listening.takes_digits(scene, focus)
    slot = scene.pack.slot(focus.slot)
    if focus.kind == "collect" and slot.own_keys:
        return STOP_KEY not in slot.dtmf
    if listening.takes_digits(scene, focus):
        return not scene.state.so_far and scene.pack.formats[focus.slot].max_length > 1
    return True


def with_watch(scene: TurnContext, listen: Listen) -> Listen:
    """Return a question of a call that we placed with what is listened for besides its answers."""
    if not scene.placed or listen.callee is not None:
        return listen
    heard, focus = scene.pack.callee_phrases, scene.state.focus
    if scene.knows_callee or focus is None or focus.slot != section(scene).right_person:
        return replace(listen, phrases=tuple(dict.fromkeys((*listen.phrases, *heard.stop))))
    machines = [phrase for texts in heard.machines.values() for phrase in texts]
    phrases = tuple(dict.fromkeys((*listen.phrases, *heard.stop, *machines)))
    return replace(listen, phrases=phrases, callee=_watch(scene, greeting=False))


def story(scene: TurnContext, outcome: str) -> OutboundStory | None:
    """Return what came of the call; ``outcome`` is how the conversation ended."""
    outbound, state, facts = scene.pack.contents.outbound, scene.state, scene.facts
    if outbound is None or not facts.job:
        return None
    reached = state.reached
    if scene.knows_callee:
        reached = "right_person"
    told = state.variables.get(outbound.outcome)
    if reached in ("", "person") and told == WRONG_NUMBER:
        reached = WRONG_NUMBER
    elif reached == "" and outcome == SILENT:
        reached = SILENT
    known = {**state.variables, **{name: slot.value for name, slot in state.slots.items()}}
    return OutboundStory(
        reached=reached,
        outcome=str(told or ""),
        appointment=str(state.variables.get(outbound.appointment) or ""),
        message_left=state.message_left,
        order_number=str(facts.matter.get("order_number") or ""),
        rang_back=not scene.placed,
        details={name: known[name] for name in outbound.keeps if known.get(name) is not None},
    )


def _watch(scene: TurnContext, *, greeting: bool) -> CalleeWatch:
    return CalleeWatch(
        phrases=scene.pack.callee_phrases.machines,
        greeting=greeting,
        leaves_message=bool(scene.facts.job.get("message")),
    )
