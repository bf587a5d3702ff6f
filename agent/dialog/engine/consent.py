"""Recording consent: announces or asks for the recording before the conversation starts. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal, get_args

from agent.dialog.callee import OutboundStory
from agent.dialog.contract import (
    Completeness,
    ConversationSummary,
    Dialog,
    Event,
    HandOverAction,
    HangUp,
    HungUp,
    KeyEntry,
    Listen,
    NoInput,
    Prompt,
    SecondText,
    Turn,
    TurnInput,
)
from agent.dialog.model.model import RecordingConsent
from agent.dialog.turn_report import AnswerReading, StepTaken

ConsentMode = Literal["off", "announce", "ask"]
ConsentAnswer = Literal["", "announced", "given", "refused"]
CONSENT_ANSWERS: tuple[ConsentAnswer, ...] = get_args(ConsentAnswer)

SLOT = "recording"
FLOW = "recording"


def consent_in_snapshot(snapshot: Mapping[str, Any]) -> ConsentAnswer:
    """Return the answer that :meth:`ConsentDialog.snapshot` holds, ``""`` for none or a strange one."""
    return next((answer for answer in CONSENT_ANSWERS if answer == snapshot.get("consent")), "")


class ConsentDialog:
    """A dialog that tells of the recording, or asks for it, before the real one starts.

    ``announce`` puts the announcement before the greeting. ``ask`` asks a question of its own: only a clear yes (or 1)
    is consent; no, 2, silence and anything not understood, after one more try, are none. The conversation is held in
    either case. ``on_answer`` is told once.
    """

    def __init__(
        self,
        conversation: Dialog,
        mode: ConsentMode,
        words: RecordingConsent,
        fill: Callable[[str], str],
        on_answer: Callable[[ConsentAnswer], object] = lambda answer: None,
        answer: ConsentAnswer = "",
        *,
        asking: bool = False,
        put_off: bool = False,
    ) -> None:
        """``fill`` puts the shop's name and the like into a text of ``words``; ``answer`` is one given before.

        ``asking``: the question is open in a dialog that is picked up again. ``put_off``: it is told or asked when the
        right person is on the phone, not before they know who calls (a call that we placed).
        """
        self._inner = conversation
        self._mode = mode
        self._words = words
        self._fill = fill
        self._on_answer = on_answer
        self._asking = asking
        self._put_off = put_off and mode != "off"
        self._held: Turn | None = None
        """The conversation's turn that waits for the answer to the question."""
        self._tries = 0
        self.answer: ConsentAnswer = answer
        """What came of it; ``""`` while nobody was asked or told."""

    def start(self) -> Turn:
        """Return the announcement with the greeting, or the question."""
        if self._put_off:
            return self._inner.start()
        if self._mode == "ask":
            self._asking = True
            return replace(self._question("question"), trail=(StepTaken(FLOW, "question", "collect"),))
        if self._mode == "announce":
            self._settle("announced")
            return _before((self._prompt("announcement"),), self._inner.start())
        return self._inner.start()

    def resume(self) -> Turn:
        """Return the open turn of a dialog picked up again: the question, or what the conversation asked."""
        return self._question("question") if self._asking else self._inner.resume()

    def hand_over(self, reason: str) -> HandOverAction:
        """Return the story so far; who has not answered yet has not agreed."""
        if self._asking:
            self._asking = False
            self._settle("refused")
        return self._inner.hand_over(reason)

    def hear(self, event: Event) -> Turn:
        """Take the answer to the question; everything after it goes to the conversation."""
        if not self._asking:
            turn = self._inner.hear(event)
            return self._after(turn) if self._put_off else turn
        if isinstance(event, HungUp):
            self._asking = False
            self._settle("refused")
            return Turn((), HangUp("abandoned"), FLOW)
        judged = self._judge(event)
        reading = AnswerReading(
            "understood" if judged is not None else "no_input" if isinstance(event, NoInput) else "no_match"
        )
        if judged is None and self._tries < 2:
            return replace(self._question("question_again"), reading=reading)
        self._asking = False
        self._settle("given" if judged else "refused")
        thanks = self._prompt("accepted" if judged else "refused")
        left = StepTaken(FLOW, "question", "collect", self.answer, reached=False)
        first = _before((thanks,), self._held or self._inner.start())
        self._held = None
        return replace(first, reading=reading, trail=(left, *first.trail))

    def _after(self, turn: Turn) -> Turn:
        """Tell, or ask, what was put off, before the turn; a call that ends before it was asked has not agreed."""
        story = self._inner.outbound
        if story is not None and story.reached == "right_person":
            if self._mode == "announce":
                self._put_off = False
                self._settle("announced")
                return _before((self._prompt("announcement"),), turn)
            if isinstance(turn.then, Listen):
                self._put_off, self._asking, self._held = False, True, turn
                return replace(self._question("question"), reading=turn.reading)
        if self._mode == "ask" and isinstance(turn.then, (HangUp, HandOverAction)):
            self._put_off = False
            self._settle("refused")
        return turn

    def completeness(self, text: str) -> Completeness:
        """Judge a partial text."""
        if not self._asking:
            return self._inner.completeness(text)
        if not text:
            return Completeness.OPEN
        return Completeness.COMPLETE if self._said(text) is not None else Completeness.OPEN

    def doubts(self, heard: TurnInput) -> bool:
        """Return whether a second recogniser is worth asking; never about the consent itself."""
        return not self._asking and self._inner.doubts(heard)

    def reconcile(self, heard: TurnInput, second: SecondText) -> TurnInput:
        """Return what to hear of two recognitions."""
        return heard if self._asking else self._inner.reconcile(heard, second)

    @property
    def edition(self) -> str:
        """The edition of the procedures."""
        return self._inner.edition

    @property
    def understanding(self) -> str:
        """The fingerprint of the weights that score open answers."""
        return self._inner.understanding

    @property
    def slots(self) -> Mapping[str, Any]:
        """What is known so far, by slot."""
        return self._inner.slots

    @property
    def story(self) -> ConversationSummary:
        """What it was about so far, for staff."""
        return self._inner.story

    @property
    def outbound(self) -> OutboundStory | None:
        """What came of a call that we placed."""
        return self._inner.outbound

    def snapshot(self) -> dict[str, Any]:
        """The conversation's own state, and the answer, for the ``answer`` of a call that is picked up again."""
        return {**self._inner.snapshot(), "consent": self.answer, "asking": self._asking}

    def _question(self, name: str) -> Turn:
        self._tries += 1
        listen = Listen(
            phrases=tuple(dict.fromkeys((*self._words.accept, *self._words.refuse))),
            slot=SLOT,
            no_input_seconds=6.0,
            keys=KeyEntry(max_digits=1),
        )
        return Turn((self._prompt(name),), listen, FLOW, name)

    def _judge(self, event: Event) -> bool | None:
        """True for consent, False for none, None where it cannot be told."""
        if isinstance(event, TurnInput) and event.keys:
            return {"1": True, "2": False}.get(event.keys[0])
        if isinstance(event, TurnInput):
            return self._said(event.text)
        return None if isinstance(event, NoInput) else False

    def _said(self, text: str) -> bool | None:
        words = _plain(text)
        if words in map(_plain, self._words.refuse):
            return False
        return True if words in map(_plain, self._words.accept) else None

    def _prompt(self, name: str) -> Prompt:
        return Prompt(f"{FLOW}.{name}", self._fill(getattr(self._words, name)))

    def _settle(self, answer: ConsentAnswer) -> None:
        self.answer = answer
        self._on_answer(answer)


def _before(prompts: tuple[Prompt, ...], turn: Turn) -> Turn:
    said = tuple(prompt for prompt in prompts if prompt.text)
    return replace(turn, say=(*said, *turn.say))


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[\w']+", text.lower()))
