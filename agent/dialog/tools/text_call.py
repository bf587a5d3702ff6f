"""Runs one call in text: performs its effects, passes the caller's lines in. Used by chat and flow tests."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.dialog.contract import (
    Effect,
    EffectFailed,
    EffectSucceeded,
    Event,
    HandOverAction,
    HangUp,
    HungUp,
    Listen,
    NoInput,
    Prompt,
    QueueReport,
    Turn,
    TurnInput,
)
from agent.dialog.engine.engine import Conversation

EffectPerformer = Callable[[Effect], EffectSucceeded | EffectFailed]
"""Does one effect at once."""
QueueLookup = Callable[[str], QueueReport]
"""Tells how the queue of a name stands; ``""`` is the usual one."""
_MAX_EFFECTS = 20
KEYPAD_KEYS = "0123456789*#"
"""The keys of a telephone."""
_WORD_AND_NUMBER = re.compile(r"\b([a-z]{3,})(\d+)\b")


@dataclass(frozen=True)
class TextCallExchange:
    """The agent's side between two lines of the caller."""

    said: tuple[Prompt, ...]
    understood: str
    """What the caller's line was taken to mean."""
    effects: tuple[tuple[Effect, EffectSucceeded | EffectFailed], ...]
    turn: Turn
    """The last turn: a Listen, or the end."""
    queue: QueueReport | None = None
    """How the queue stood that the call was to be handed over to; None when it was not looked at."""

    @property
    def text(self) -> str:
        """Everything said, in one line."""
        return " ".join(prompt.text for prompt in self.said)

    @property
    def over(self) -> bool:
        """True when the call has ended."""
        return not isinstance(self.turn.then, Listen)

    @property
    def outcome(self) -> str:
        """How the call ended (``handed_over`` or a hang-up's outcome); ``""`` while it goes on."""
        then = self.turn.then
        return then.outcome if isinstance(then, HangUp) else "handed_over" if isinstance(then, HandOverAction) else ""


class TextCall:
    """One call in text."""

    def __init__(self, conversation: Conversation, perform: EffectPerformer, queue: QueueLookup | None = None) -> None:
        """``queue`` is asked before a hand-over is announced; without it the hand-over is the end."""
        self.conversation = conversation
        self._perform = perform
        self._queue = queue
        self._place = ("", "")
        self.over = False
        """True when the call has ended."""

    def start(self) -> TextCallExchange:
        """Return the greeting."""
        return self._run(self.conversation.start())

    def give(self, event: Event) -> TextCallExchange:
        """Hand in one event of the caller."""
        return self._run(self.conversation.hear(event))

    def _run(self, turn: Turn) -> TextCallExchange:
        said, understood = list(turn.say), turn.understood
        effects: list[tuple[Effect, EffectSucceeded | EffectFailed]] = []
        report: QueueReport | None = None
        for _ in range(_MAX_EFFECTS):
            if isinstance(turn.then, Effect):
                outcome = self._perform(turn.then)
                effects.append((turn.then, outcome))
                turn = self.conversation.hear(outcome)
                said += turn.say
            elif isinstance(turn.then, HandOverAction) and self._queue is not None:
                report = self._queue(turn.then.queue)
                answer = self.conversation.hear(report)
                if isinstance(answer.then, HandOverAction):
                    said += answer.say
                    turn = replace(turn, then=answer.then)
                    break
                # nobody is going to take the call: what announced it is not said
                said = [*said[: len(said) - len(turn.say)], *answer.say]
                turn = answer
            else:
                break
        if not turn.flow:  # the caller is gone: it ended where it was
            turn = replace(turn, flow=self._place[0], step=self._place[1])
        self._place = (turn.flow, turn.step)
        exchange = TextCallExchange(tuple(said), understood, tuple(effects), turn, report)
        self.over = exchange.over
        return exchange


def event_from_line(line: str) -> Event:
    """Read one line of a terminal: text, ``#10473`` for keys, an empty line for silence, ``/hangup``.

    Raises ValueError, in words for the one who typed, for anything else.
    """
    text = line.strip()
    if not text:
        return NoInput(5.0)
    if text == "/hangup":
        return HungUp()
    if text[0] == "/":
        raise ValueError("the only command is /hangup")
    if text[0] == "#":
        keys = "".join(text[1:].split())
        if not set(keys) <= set(KEYPAD_KEYS):
            raise ValueError("keys are digits, * and #: #10473")
        return TurnInput(keys=keys or "#")
    said = as_recognised(text)
    if not said:
        raise ValueError("there are no words in that; an empty line is silence")
    return TurnInput(text=said)


def as_recognised(text: str) -> str:
    """Write typed text the way a recogniser writes it: lower case, no punctuation."""
    kept = "".join(char if char.isalnum() or char in "'[] " else " " for char in text.lower().replace("’", "'"))
    # a code as it is written: "summer25" is said in two words
    return " ".join(_WORD_AND_NUMBER.sub(r"\1 \2", kept).split())
