"""Runs text calls against a flow pack; reports what failed and which steps were never reached."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.dialog.callee import OUTBOUND, STOP_KEY, CalleeReport
from agent.dialog.contract import (
    Effect,
    EffectFailed,
    EffectSucceeded,
    Event,
    HandOverAction,
    HangUp,
    HungUp,
    NoInput,
    QueueReport,
    Turn,
    TurnInput,
)
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import Renderer
from agent.dialog.tools.chat import heard_text
from agent.dialog.tools.private_words import PrivateWords, job_and_matter
from agent.dialog.tools.text_call_model import LocatedTextCall, ScriptedQueue, TextCallLine, read_text_calls

AnswerCheck = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""Takes a service's name and a canned answer, and returns it with everything the service gives besides.

Raises ValueError, in words for whoever wrote the answer, when that service cannot give it."""
SHOP_NAME = "Northwind Supply"
"""The shop of the tests."""


@dataclass(frozen=True)
class TextCallResult:
    """How one call went."""

    name: str
    file: str
    line: int
    problems: tuple[str, ...]
    """Each with the line of the file; empty when the call did what it should."""
    transcript: tuple[str, ...]
    path: tuple[str, ...]
    """Steps reached, as ``flow.step``."""


@dataclass(frozen=True)
class TextCallReport:
    """How all calls went."""

    __test__ = False
    calls: tuple[TextCallResult, ...]
    steps: tuple[str, ...]
    """Every step of the pack."""

    @property
    def failed(self) -> tuple[TextCallResult, ...]:
        """The calls that went wrong."""
        return tuple(call for call in self.calls if call.problems)

    @property
    def missed(self) -> tuple[str, ...]:
        """Steps no call reached."""
        reached = {step for call in self.calls for step in call.path}
        return tuple(step for step in self.steps if step not in reached)

    def text(self, *, verbose: bool = False) -> str:
        """Return the report for a terminal."""
        lines: list[str] = []
        for call in self.calls:
            if call.problems or verbose:
                lines.append(f"{'FAILED' if call.problems else 'ok'}  {call.file}:{call.line}  {call.name}")
                lines += [f"    {entry}" for entry in call.transcript]
                lines += [f"    !! {problem}" for problem in call.problems]
        covered = len(self.steps) - len(self.missed)
        share = 100 * covered // len(self.steps) if self.steps else 100
        lines.append(f"{len(self.calls) - len(self.failed)} calls passed, {len(self.failed)} failed")
        lines.append(f"{covered} of {len(self.steps)} steps reached ({share} %)")
        lines += [f"    never reached: {step}" for step in self.missed]
        return "\n".join(lines)


def run_text_call_files(
    pack: FlowPack, files: Sequence[Path], render: Renderer, check_answer: AnswerCheck | None = None
) -> TextCallReport:
    """Play every call of the files. Raises :class:`FlowError` when a file cannot be read.

    ``check_answer`` holds the canned answers to what the services can give.
    """
    scripts = read_text_calls(files)
    results = tuple(play(pack, script, render, check_answer=check_answer) for script in scripts)
    return TextCallReport(results, tuple(pack.steps()))


def play(
    pack: FlowPack,
    located: LocatedTextCall,
    render: Renderer,
    begin: type[Conversation] = Conversation,
    *,
    check_answer: AnswerCheck | None = None,
) -> TextCallResult:
    """Play one call, with a conversation made by ``begin``; ``check_answer`` as in :func:`run_text_call_files`."""
    script = located.script
    entry = script.entry or ("inbound" if script.outbound is None else OUTBOUND)
    job, matter = job_and_matter(script.outbound, entry)
    facts = CallFacts(
        now=script.now,
        shop_name=SHOP_NAME,
        caller_number=script.caller,
        entry=entry,
        job=job,
        matter=matter,
        known=script.known,
        left=script.left,
        survey=script.survey,
        calls_back=script.calls_back,
        second_facts=script.second_facts,
    )
    failures = {name: service.failures for name, service in pack.contents.services.items()}
    answers = _Answers(located.answers, failures, check_answer)
    player = _Player(begin(pack, facts, render), answers, PrivateWords.of(pack, facts))
    for number, line in zip(located.lines, script.lines, strict=True):
        player.play(line, number)
    player.finish(located.lines[-1])
    return TextCallResult(
        script.call, located.file, located.line, tuple(player.problems), tuple(player.transcript),
        player.conversation.path,
    )  # fmt: skip


@dataclass(frozen=True)
class _Answers:
    """The canned answers of a file, held to what the services can give."""

    named: Mapping[str, Any]
    failures: Mapping[str, Sequence[str]]
    check: AnswerCheck | None

    def event(self, effect: Effect, answer: Any) -> Event:
        """Return what the service answers. Raises ValueError when it cannot answer that."""
        if isinstance(answer, str) and answer in self.named:
            answer = self.named[answer]
        failed = answer.get("failed") if isinstance(answer, dict) else answer if isinstance(answer, str) else None
        if failed:
            code, _, reason = str(failed).partition(".")
            if code not in self.failures.get(effect.name, (code,)):
                raise ValueError(f"it neither fails as {code!r} nor is that one of the answers")
            return EffectFailed(effect.id, code, reason=reason)
        if not isinstance(answer, dict | None):
            raise ValueError("a result is a mapping")
        whole = answer or {}
        return EffectSucceeded(effect.id, whole if self.check is None else self.check(effect.name, whole))


class _Player:
    def __init__(self, conversation: Conversation, answers: _Answers, private: PrivateWords) -> None:
        self.conversation = conversation
        self._private = private
        self.problems: list[str] = []
        self.transcript: list[str] = []
        self._answers = answers
        self._said: list[str] = []
        self._turn = self._take(conversation.start())

    def play(self, line: TextCallLine, number: int) -> None:
        event = self._event(line)
        if event is not None:
            self._caller(event, number)
        if line.queue is not None:
            self._queue(line.queue, number)
        if line.effect is not None:
            self._effect(line.effect, line.given or {}, number)
        self._expect(line, number)

    def finish(self, number: int) -> None:
        """A service call left open is a hole in the script."""
        if isinstance(self._turn.then, Effect):
            self.problems.append(f"line {number}: the call to {self._turn.then.name} was never answered")

    def _event(self, line: TextCallLine) -> Event | None:
        if line.user is not None:
            return heard_text(line.user.say, line.user.confidence, line.user.alternatives)
        if line.keys is not None:
            return TurnInput(keys=line.keys)
        if line.silence is not None:
            return NoInput(line.silence)
        if line.callee is not None:
            return CalleeReport(line.callee)
        return HungUp() if line.hangup else None

    def _caller(self, event: Event, number: int) -> None:
        then = self._turn.then
        if isinstance(then, Effect) and not isinstance(event, HungUp):
            self.problems.append(f"line {number}: {then.name} waits for its answer, the caller cannot speak")
            return
        stops = isinstance(then, HangUp) and isinstance(event, TurnInput) and event.keys == STOP_KEY
        if isinstance(then, (HandOverAction, HangUp)) and not stops:
            self.problems.append(f"line {number}: the call is already over")
            return
        what = event.keys or event.text if isinstance(event, TurnInput) else type(event).__name__
        self.transcript.append(f"caller: {what}")
        self._said = []
        self._turn = self._take(self.conversation.hear(event))

    def _queue(self, told: ScriptedQueue, number: int) -> None:
        if not isinstance(self._turn.then, HandOverAction):
            self.problems.append(f"line {number}: the queue is only told of after a hand-over was asked for")
            return
        self.transcript.append(f"[the queue is {told.standing}]")
        report = QueueReport(told.standing, told.wait_minutes, told.opens)
        turn = self.conversation.hear(report)
        if not isinstance(turn.then, HandOverAction):  # its words are not said: nobody is going to take the call
            self._said = self._said[: -1 if self._turn.say else None]
        self._turn = self._take(turn)

    def _effect(self, answer: dict[str, Any], given: dict[str, Any], number: int) -> None:
        then = self._turn.then
        ((name, result),) = answer.items() if len(answer) == 1 else (("", None),)
        if not isinstance(then, Effect) or then.name != name:
            pending = then.name if isinstance(then, Effect) else "no service"
            self.problems.append(f"line {number}: expected a call to {name or 'one service'}, but {pending} was called")
            return
        for argument, value in given.items():
            found = then.arguments.get(argument)
            if _as_text(found) != _as_text(value):
                self.problems.append(f"line {number}: expected {name} to be given {argument}={value}, it was {found}")
        try:
            event = self._answers.event(then, result)
        except ValueError as error:
            self.problems.append(f"line {number}: {name} cannot answer that: {error}")
            return
        failure = f"{event.code}.{event.reason}".strip(".") if isinstance(event, EffectFailed) else ""
        self.transcript.append(f"[{name} {failure or 'done'}]")
        self._turn = self._take(self.conversation.hear(event))

    def _expect(self, line: TextCallLine, number: int) -> None:
        said = " ".join(self._said)
        for text in line.agent or ():
            if not _says(said, text):
                self.problems.append(f"line {number}: expected the agent to say {text!r}, it said {said!r}")
        for text in line.never or ():
            if _says(said, text):
                self.problems.append(f"line {number}: the agent must not say {text!r}, it said {said!r}")
        slots = self.conversation.slots
        for name, value in (line.slots or {}).items():
            if slots.get(name) != value:
                self.problems.append(f"line {number}: expected {name}={value}, it is {slots.get(name)}")
        self._expect_end(line, number)

    def _expect_end(self, line: TextCallLine, number: int) -> None:
        then = self._turn.then
        handed = then if isinstance(then, HandOverAction) else None
        if line.handover is not None and (handed is None or handed.reason != line.handover):
            self.problems.append(f"line {number}: expected a hand-over for {line.handover}, it is {_short(then)}")
        if line.priority is not None and (handed is None or handed.priority != line.priority):
            self.problems.append(f"line {number}: expected priority {line.priority}, it is {_short(then)}")
        if line.summary is not None and (handed is None or not _says(handed.summary, line.summary)):
            found = handed.summary if handed is not None else ""
            self.problems.append(f"line {number}: expected {line.summary!r} in the summary, it is {found!r}")
        if line.ends is not None and (not isinstance(then, HangUp) or then.outcome != line.ends):
            self.problems.append(f"line {number}: expected the call to end as {line.ends}, it is {_short(then)}")

    def _take(self, turn: Turn) -> Turn:
        if turn.understood:
            self.transcript.append(f"    ({turn.understood})")
        if turn.say:
            text = " ".join(prompt.text for prompt in turn.say)
            self._said.append(text)
            self.transcript.append(f"agent: {text}")
            told = self._private.told(self.conversation, text)
            if told:
                self.problems.append(f"the agent said {told!r} before the right person had said yes: {text!r}")
        return turn


def _as_text(value: Any) -> Any:
    """Everything in a test file is text, also inside of lists and mappings."""
    if isinstance(value, Mapping):
        return {str(key): _as_text(part) for key, part in value.items()}
    return [_as_text(part) for part in value] if isinstance(value, list | tuple) else str(value)


def _says(said: str, wanted: str) -> bool:
    if len(wanted) > 2 and wanted[0] == wanted[-1] == "/":
        return re.search(wanted[1:-1], said, re.IGNORECASE) is not None
    return wanted.lower() in said.lower()


def _short(then: object) -> str:
    if isinstance(then, HandOverAction):
        return f"a hand-over for {then.reason}, priority {then.priority}"
    return f"a hang-up as {then.outcome}" if isinstance(then, HangUp) else f"still a {type(then).__name__}"
