"""Interprets what the caller said or keyed: slot values, corrections, requests or a fallback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agent.dialog.contract import NextAction, TurnInput
from agent.dialog.engine import (
    corrections,
    echo_answers,
    existing_numbers,
    fallbacks,
    listening,
    loose_answers,
    open_requests,
    outbound,
    progress,
    requests_told,
    second_wishes,
    several_choices,
    steps,
)
from agent.dialog.engine.confidence import LOW_CONFIDENCE
from agent.dialog.engine.other_languages import spoken_language
from agent.dialog.engine.requests_told import pending_request
from agent.dialog.engine.state import Focus, PendingRequest, SlotValue
from agent.dialog.engine.turn_context import TurnContext
from agent.dialog.grammar.grammar_builder import collect_key
from agent.dialog.grammar.turn_grammar import GrammarMatch
from agent.dialog.model import knowledge
from agent.dialog.numbers import capture
from agent.dialog.numbers.capture import NumberReading

_HARMLESS = ("repeat", "help", "wait")
"""Commands done even when they were heard badly: nothing is lost by them."""
_MAX_BREATHS = 3
_YES_NO_KEYS: Mapping[str, str] = {"1": "yes", "2": "no"}


def interpret_answer(scene: TurnContext, heard: TurnInput) -> NextAction:
    """Answer one turn of the caller."""
    focus = scene.state.focus
    if focus is None:
        return steps.advance(scene, again=True)
    if heard.keys:
        return _keys(scene, focus, heard.keys)
    slot = scene.pack.slot(focus.slot)
    scene.state.last_heard = "" if slot.redact else heard.text
    if not heard.text and not heard.alternatives:
        return fallbacks.no_match(scene)
    if slot.type == "text" and focus.kind == "collect":
        return _free_text(scene, focus, heard)
    heard_before = _special(scene, focus, heard)
    if heard_before is not None:
        return heard_before
    match = outbound.match(scene, focus, heard)
    if open_requests.is_open(scene, focus):
        heard, match = open_requests.without_stray_words(scene, focus, heard, match)
    is_echo = scene.state.guessed and not (focus.kind == "collect" and slot.type == "yes_no")
    if is_echo and heard.confidence >= LOW_CONFIDENCE and _is_no_answer(match):
        answered = _echo(scene, focus, heard)
        if answered is not None:
            return answered
    asked_again = match is not None and match.meaning.kind == "request" and match.meaning.name == scene.frame.flow
    if match is None or asked_again:
        day = corrections.single_date(scene, focus, heard)
        if day and heard.confidence >= LOW_CONFIDENCE:
            return _value(scene, focus, day)
    if match is None or (asked_again and match.meaning.values):
        changed = corrections.changed_answer(scene, heard) if heard.confidence >= LOW_CONFIDENCE else None
        if changed is not None:
            return changed
    if (match is None or asked_again or match.meaning.guessed) and heard.confidence >= LOW_CONFIDENCE:
        loose = loose_answers.loose_answer(scene, focus, heard)
        if loose:
            return _value(scene, focus, loose)
    own_words = _own_words(scene, focus, heard, match)
    if own_words is not None:
        return own_words
    if match is None:
        if scene.state.guessed and corrections.is_denial(scene, heard):
            return fallbacks.wrong_guess(scene)
        scene.understood = "nothing"
        return fallbacks.no_match(scene)
    if match.meaning.kind == "request":
        scene.state.opening = heard.text.lower()
        told = corrections.date_in_request(scene, match.meaning.name, heard)
        if told is not None and heard.confidence >= LOW_CONFIDENCE:
            match = replace(match, meaning=replace(match.meaning, values=(*match.meaning.values, told)))
    return _meant(scene, focus, match, heard)


def _own_words(scene: TurnContext, focus: Focus, heard: TurnInput, match: GrammarMatch | None) -> NextAction | None:
    """Take a request that no rule decides; None where there is none, or rules decide."""
    if focus.kind in ("confirm_request", "choose_request"):
        answered = _about_offer(scene, focus, heard, match)
        if answered is not None:
            return answered
    if not outbound.is_free(scene):
        return None
    judged = open_requests.judge(scene, focus, heard, match)
    if judged is None:
        return None
    found = (
        pending_request(scene, match, heard.confidence)
        if match is not None and match.meaning.kind == "request"
        else None
    )
    before, scene.state.opening = scene.state.opening, heard.text.lower()
    if open_requests.is_open(scene, focus):
        then = open_requests.carry_out(scene, focus, heard, found, judged)
    else:
        then = open_requests.between(scene, focus, heard, found, judged)
        if then is None and found is not None and found.guessed:
            scene.understood = "nothing"
            return fallbacks.no_match(scene)
    if then is None:
        scene.state.opening = before
    return then


def _about_offer(scene: TurnContext, focus: Focus, heard: TurnInput, match: GrammarMatch | None) -> NextAction | None:
    """Take what is said to "is that right?" and "A or B?" besides a plain answer."""
    split = echo_answers.split_answer(scene, heard) if match is None or match.meaning.kind == "request" else None
    if split is not None and split[0] == "no":
        # "no, it's broken": what was asked about is not meant, and what is
        open_requests.deny(scene, focus)
        scene.state.focus = Focus("collect", focus.slot)
        return interpret_answer(scene, split[1])
    numbered = requests_told.with_number_told(scene, focus, heard)
    if numbered is not None:
        return open_requests.begin(scene, numbered, echo=False)
    if focus.kind == "choose_request" and (match is None or match.meaning.wide or match.meaning.guessed):
        meant = open_requests.chosen(scene, focus, heard)
        if meant is not None:
            return open_requests.begin(scene, meant, echo=False)
    return None


def _special(scene: TurnContext, focus: Focus, heard: TurnInput) -> NextAction | None:
    """Take what the grammar of a turn does not know: another language, several things at once, two wishes."""
    tokens = heard.text.lower().split()
    language = spoken_language(tokens, scene.pack.contents.other_languages)
    if language:
        return fallbacks.other_language(scene, language)
    if heard.confidence < LOW_CONFIDENCE or focus.kind != "collect":
        return None
    slot = scene.pack.slot(focus.slot)
    if slot.several:
        return _several(scene, focus, slot.several, tokens)
    if slot.type == "request":
        both = second_wishes.two_wishes(scene, focus, heard)
        if both is not None:
            first, meaning = both
            second_wishes.remember(scene, meaning)
            return interpret_answer(scene, first)
    return None


def _several(scene: TurnContext, focus: Focus, variable: str, tokens: Sequence[str]) -> NextAction | None:
    language = scene.pack.language
    found = several_choices.named(tokens, scene.options(focus.slot), language.choices, language.changes.denials)
    chosen_against = len(found) == 1 and bool(language.changes.denials.intersection(tokens))
    if len(found) < 2 and not chosen_against:
        return None
    scene.assign(variable, found)
    then = _value(scene, focus, found[0])
    scene.understood = f"{focus.slot}={','.join(found)}"
    return then


def _is_no_answer(match: GrammarMatch | None) -> bool:
    """Return whether nothing was understood, or only a yes or a no to a read-back."""
    return match is None or match.meaning.kind in ("right", "wrong", "request")


def _echo(scene: TurnContext, focus: Focus, heard: TurnInput) -> NextAction | None:
    """Take an answer to a guess that was read aloud: yes, no, or one of them with more behind it."""
    bare = echo_answers.bare_answer(scene, heard)
    if bare is not None:
        return bare
    split = echo_answers.split_answer(scene, heard)
    if split is None:
        return None
    said, rest = split
    if said == "no":
        opening = next((name for name, slot in scene.pack.contents.slots.items() if slot.type == "request"), "")
        meant = scene.pack.grammars[collect_key(opening)].match(rest) if opening else None
        guess = open_requests.running(scene)
        asked = Focus("collect", opening)
        judged = open_requests.judge(scene, asked, rest, meant) if opening else None
        if judged is not None and judged.decision in ("act", "confirm") and judged.meaning != guess:
            echo_answers.leave_guess(scene)
            scene.state.opening = rest.text
            found = (
                pending_request(scene, meant, 1.0) if meant is not None and meant.meaning.kind == "request" else None
            )
            return open_requests.carry_out(scene, asked, rest, found, judged)
        if meant is None or meant.meaning.kind != "request":
            return None
        echo_answers.leave_guess(scene)
        scene.state.opening = rest.text
        return _request(scene, focus, meant, heard.confidence)
    scene.state.guessed = False
    return interpret_answer(scene, rest)


def _meant(scene: TurnContext, focus: Focus, match: GrammarMatch, heard: TurnInput) -> NextAction:
    meaning, confidence = match.meaning, heard.confidence
    low = confidence < LOW_CONFIDENCE
    if meaning.kind == "escalate":
        open_requests.note_anyway(scene, heard)
        return fallbacks.escalate(scene, meaning.name)
    if meaning.kind == "number" and match.reading is not None:
        return _number(scene, match, match.reading, confidence)
    if meaning.kind == "correct" and match.reading is not None:
        return _correct(scene, focus, match, match.reading, confidence)
    if meaning.kind == "request":
        return _request(scene, focus, match, confidence)
    if meaning.kind == "command":
        if low and meaning.name == "stop_calling":
            return outbound.stop(scene, sure=False)
        if low and meaning.name not in _HARMLESS:
            return fallbacks.no_match(scene)
        return fallbacks.command(scene, meaning.name)
    if low:
        # a badly heard yes or no changes something: ask again
        return fallbacks.no_match(scene)
    if meaning.kind in ("wrong", "right"):
        return _reaction(scene, focus, meaning.kind)
    if match.reading is not None and match.reading.value is not None:
        # "i don't have it, but my phone number is ..."
        doubt = requests_told.must_be_confirmed(scene, match.number_slot, match.reading, confidence)
        scene.fill(match.number_slot, SlotValue(match.reading.value, doubt, confidence))
    return _value(scene, focus, meaning.name, meaning.values)


def _value(scene: TurnContext, focus: Focus, value: str, also: Sequence[tuple[str, str]] = ()) -> NextAction:
    """Take a yes, a no, or one of a slot's choices, with what else the sentence held."""
    if focus.kind == "choose_request" and value in ("1", "2"):
        meant = focus.request if value == "1" else focus.other
        return open_requests.begin(scene, meant, echo=False) if meant is not None else fallbacks.no_match(scene)
    if focus.kind != "collect":
        return _reaction(scene, focus, "right" if value == "yes" else "wrong")
    scene.understood = " ".join(f"{name}={one}" for name, one in ((focus.slot, value), *also))
    scene.state.reset_failures()
    for name, one in ((focus.slot, value), *also):
        scene.fill(name, SlotValue(one))
    return steps.advance(scene)


def _reaction(scene: TurnContext, focus: Focus, kind: str) -> NextAction:
    """React to "that's right" or "that's wrong" about what was read back."""
    state = scene.state
    if focus.kind == "choose_request" and kind == "right":
        return fallbacks.no_match(scene)  # "yes" to "A or B?" says neither
    if focus.kind in ("confirm_request", "choose_request") and focus.request is not None:
        if kind == "right":
            confirmed = scene.reads_number(focus.request)
            return open_requests.begin(
                scene, replace(focus.request, doubt=False) if confirmed else focus.request, echo=False
            )
        open_requests.deny(scene, focus)
        scene.understood = "no"
        scene.say(("not_that",))
        state.failures += 1
        return steps.advance(scene, again=True)
    if focus.kind == "confirm":
        if kind == "wrong":
            return fallbacks.readback_rejected(scene, focus.slot)
        value = state.slots[focus.slot]
        scene.understood = f"{focus.slot}={value.value}"
        state.reset_failures()
        scene.fill(focus.slot, SlotValue(value.value))
        return steps.advance(scene)
    if kind == "wrong":
        return fallbacks.readback_rejected(scene, scene.pack.slot(focus.slot).corrects)
    # "yes" to a read-back with a question behind it: only the question is left
    scene.understood = "yes"
    return fallbacks.ask_again(scene)


def _number(scene: TurnContext, match: GrammarMatch, reading: NumberReading, confidence: float) -> NextAction:
    state = scene.state
    name = match.number_slot
    if reading.value is not None:
        scene.understood = f"{name}={reading.value}"
        state.reset_failures()
        state.clear_partial_number()
        if scene.pack.slot(name).corrects:
            state.wrong = 0
        doubt = requests_told.must_be_confirmed(scene, name, reading, confidence)
        scene.fill(name, existing_numbers.slot_value(scene, name, reading, doubt=doubt, confidence=confidence))
        for other, number, doubt in requests_told.further_numbers(scene, match, confidence):
            scene.understood += f" {other}={number}"
            scene.fill(other, SlotValue(number, doubt, confidence))
        for other, choice in match.meaning.values:
            scene.understood += f" {other}={choice}"
            scene.fill(other, SlotValue(choice))
        return steps.advance(scene)
    if confidence < LOW_CONFIDENCE or state.breaths >= _MAX_BREATHS:
        return fallbacks.no_match(scene)
    scene.result = "partial"
    scene.understood = f"{name}={reading.partial}..."
    alone = capture.understand(match.number_text, scene.pack.formats[name], vocabulary=scene.pack.language.numbers)
    joined = state.so_far_slot == name and alone.partial != reading.partial
    state.so_far = f"{state.so_far} {match.number_text}" if joined else match.number_text
    state.so_far_slot = name
    state.breaths += 1
    state.reset_failures()
    scene.keep_last_said = True
    scene.say(("go_on",))
    return listening.listen(scene)


def _correct(
    scene: TurnContext, focus: Focus, match: GrammarMatch, reading: NumberReading, confidence: float
) -> NextAction:
    """Take "no, it's ..." about a number read back: the whole number, or the group that was wrong."""
    name = match.number_slot
    before = scene.state.slots.get(name)
    number_format, vocabulary = scene.pack.formats[name], scene.pack.language.numbers
    bare = focus.kind == "confirm" and not match.leads
    if bare and capture.is_one_symbol(match.number_text, number_format, vocabulary=vocabulary):
        # a digit alone after "is that right?" was some other word: 235 of 440 single words were taken for one
        if reading.value is None:
            return fallbacks.no_match(scene)
        reading = replace(reading, must_confirm=True)
    if reading.value is None and before is not None:
        reading = capture.correct(before.value, match.number_text, number_format, vocabulary=vocabulary)
    if reading.value is None or before is None:
        return fallbacks.readback_rejected(scene, name)
    if reading.value == before.value:
        said_again = bare and match.number_text
        return _reaction(scene, focus, "right") if said_again else fallbacks.readback_rejected(scene, name)
    scene.understood = f"{name}={reading.value}"
    scene.state.reset_failures()
    misheard = requests_told.may_be_misheard(scene, name, reading)
    doubt = reading.must_confirm or misheard or confidence < LOW_CONFIDENCE
    scene.fill(name, existing_numbers.slot_value(scene, name, reading, doubt=doubt, confidence=confidence))
    scene.say(("corrected",))
    if doubt:
        progress.leave(scene, "corrected")
        steps.return_to_question(scene, name)
    else:
        scene.frame.asking = focus.kind == "confirm"
    return steps.advance(scene)


def _request(scene: TurnContext, focus: Focus, match: GrammarMatch, confidence: float) -> NextAction:
    request = pending_request(scene, match, confidence)
    if confidence >= LOW_CONFIDENCE or request.number:
        # a number heard badly is read back anyway; asking about the request too would be one question too many
        return open_requests.begin(scene, request, echo=request.guessed and confidence >= LOW_CONFIDENCE)
    number = f" {request.number_slot}={request.number}" if request.number else ""
    scene.understood = f"request={request.flow}{number}"
    scene.state.focus = Focus("confirm_request", focus.slot, request)
    scene.question(scene.state.focus, again=False)
    return listening.listen(scene)


def _free_text(scene: TurnContext, focus: Focus, heard: TurnInput) -> NextAction:
    match = scene.grammar(focus).match(heard)
    if match is not None and match.meaning.kind in ("command", "escalate"):
        return _meant(scene, focus, match, heard)
    if not heard.text:
        return fallbacks.no_match(scene)
    scene.understood = f"{focus.slot}={heard.text}"
    scene.state.reset_failures()
    scene.fill(focus.slot, SlotValue(heard.text))
    return steps.advance(scene)


def _keys(scene: TurnContext, focus: Focus, keys: str) -> NextAction:
    """Take a keypad entry: digits of a number, ``0`` for a person, ``*`` to hear it again, or a choice."""
    if outbound.is_stop(scene, focus, keys):
        return outbound.stop(scene, sure=True)
    own = scene.pack.slot(focus.slot)
    if focus.kind == "collect" and own.own_keys:
        return _value(scene, focus, own.dtmf[keys]) if keys in own.dtmf else fallbacks.no_match(scene)
    digits = "".join(key for key in keys if key in "0123456789")
    if not digits or listening.REPEAT_KEY in keys:
        return fallbacks.command(scene, "repeat")
    if keys == listening.STAFF_KEY and not listening.takes_digits(scene, focus):
        return fallbacks.command(scene, "agent")
    slot = scene.pack.slot(focus.slot)
    if focus.kind == "choose_request":
        return _value(scene, focus, digits) if digits in ("1", "2") else fallbacks.no_match(scene)
    if len(digits) == 1 and (focus.kind != "collect" or slot.type == "yes_no"):
        value = (slot.dtmf or _YES_NO_KEYS).get(digits, "") if slot.type == "yes_no" else _YES_NO_KEYS.get(digits, "")
        return _value(scene, focus, value) if value else fallbacks.no_match(scene)
    if focus.kind == "collect" and len(digits) == 1 and digits not in slot.dtmf:
        options = scene.options(focus.slot) if slot.type == "choice" else ()
        if 0 < int(digits) <= len(options):
            return _value(scene, focus, options[int(digits) - 1].value)
    if digits in slot.dtmf:
        value = slot.dtmf[digits]
        if value in knowledge.choices(slot, scene.pack.contents.knowledge):
            return _value(scene, focus, value)
        scene.understood = f"request={value}"
        return steps.begin_request(scene, PendingRequest(value))
    typed = TurnInput(text=" ".join(digits))
    match = scene.grammar(focus).match(typed, {}, scene.state.so_far, scene.state.so_far_slot)
    if match is None or match.meaning.kind not in ("number", "request"):
        return fallbacks.no_match(scene)
    return _meant(scene, focus, match, typed)
