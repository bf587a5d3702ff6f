"""Plays one caller script on a phone: waits, speaks, keys, interrupts, expects, and writes down what happened."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from agent.common.audio import SAMPLE_RATE
from agent.rehearsal.audio import Pcm
from agent.rehearsal.call_log import CallerInput, CallLog, ReactionDeadline
from agent.rehearsal.caller_measures import Span
from agent.rehearsal.cooperative_caller import MOST_REPAIRS, reaction
from agent.rehearsal.live_feed import CallFeed, said
from agent.rehearsal.patterns import matches
from agent.rehearsal.script import (
    Action,
    CallScript,
    ExpectSays,
    Keys,
    Noise,
    ScriptedBargeIn,
    ScriptedHangUp,
    ScriptedSilence,
    ScriptedStaffPhone,
    ScriptedTurn,
    Speech,
    Step,
    WaitForHangUp,
    WaitForPromptEnd,
)
from agent.rehearsal.sound_detector import SoundDetector

PROMPT_SECONDS = 45.0
"""No prompt is longer; a caller who waits longer for one is waiting for nothing."""
ENDS_SECONDS = 20.0
"""After the last step the far end has this long to end the call."""
_FRAME_WAIT_SECONDS = 0.05
_QUIET_AFTER_LISTENING_SECONDS = 0.1
"""The feed may be ahead of the last frames of a prompt by the way of the audio."""
_FEED_SILENT_SECONDS = 6.0
"""Heard to end so long ago, a prompt has ended whatever the feed says."""


class CallerLeg(Protocol):
    """What the player needs of a phone."""

    @property
    def hung_up(self) -> asyncio.Event:
        """Set when the call is over."""

    async def say(self, pcm: Pcm) -> Span | None:
        """Say something; return the span of its voice when it is said."""

    def make_noise(self, pcm: Pcm) -> None:
        """Let a noise sound."""

    async def press(self, keys: str, tone_ms: int = 100, gap_ms: int = 100) -> Span | None:
        """Press keys; return (first key down, last key up)."""

    async def wait_for_sound(self, seconds: float) -> None:
        """Return at the next frame heard, the end of the call, or after this time."""

    async def ends_within(self, seconds: float) -> bool:
        """Wait; True as soon as the call is over."""

    @property
    def keys(self) -> list[tuple[float, str]]:
        """(end of the key, key) of every key pressed so far."""

    async def hang_up(self) -> None:
        """End the call."""


class StaffSide(Protocol):
    """Plays a human's phone for a :class:`ScriptedStaffPhone` step; returns False when the story cannot go on."""

    async def play(self, step: ScriptedStaffPhone) -> bool:
        """Ring, answer, talk, check."""


@dataclass(frozen=True)
class CallSounds:
    """Everything a call puts on the line, rendered before it is dialled."""

    speeches: Mapping[Speech, Pcm]
    noises: Mapping[Noise, Pcm]


class ScriptStepFailed(Exception):
    """The rest of the script makes no sense any more; the reason has been written down as a check."""


class ScriptPlayer:
    """One answered call, from the first step to the last."""

    def __init__(
        self, script: CallScript, leg: CallerLeg, feed: CallFeed, sounds: CallSounds, log: CallLog, human: StaffSide
    ) -> None:
        self._script = script
        self._leg = leg
        self._feed = feed
        self._sounds = sounds
        self._log = log
        self._human = human
        self._ear = SoundDetector(log.heard)
        self._since = log.answered_at or 0.0
        """What is heard after this moment is the agent's next prompt."""
        self._listening_mark = 0
        """A ``listening`` event from here on in the feed ends that prompt."""
        self._words_mark = 0
        """The words of that prompt begin here in the feed."""
        self._last_act: Speech | Keys | None = None
        """What the caller said or keyed last, not counting answers to questions back."""

    async def run(self) -> None:
        """Play all steps, then see the call to its end. The log holds every check."""
        try:
            for step in self._script.steps:
                await self._step(step)
            await self._see_off()
        except ScriptStepFailed:
            await self._leg.hang_up()

    async def _step(self, step: Step) -> None:
        if isinstance(step, ScriptedTurn):
            if step.wait and not isinstance(step.action, Noise):
                await self._prompt_end(step.line)
            await self._act(step.action, step.line, barge_in=False)
        elif isinstance(step, ScriptedBargeIn):
            await self._into_prompt(step.after_ms, step.line)
            await self._act(step.action, step.line, barge_in=True)
        elif isinstance(step, WaitForPromptEnd):
            await self._prompt_end(step.line)
        elif isinstance(step, WaitForHangUp):
            ended = await self._leg.ends_within(step.within_seconds)
            self._require(ended, f"line {step.line}: the call is ended", f"not within {step.within_seconds:g} s")
        elif isinstance(step, ScriptedSilence):
            if step.wait:
                await self._prompt_end(step.line)
                self._words_mark = len(self._feed.events)
            await self._leg.ends_within(step.seconds)
        elif isinstance(step, ScriptedHangUp):
            if step.after_ms is not None:
                await self._into_prompt(step.after_ms, step.line)
            await self._leg.hang_up()
        elif isinstance(step, ExpectSays):
            await self._expect(step)
        elif not await self._human.play(step):
            raise ScriptStepFailed

    async def _see_off(self) -> None:
        """After the last step the far end ends the call, unless the caller already has."""
        if not await self._leg.ends_within(ENDS_SECONDS):
            self._log.check("the call is ended after the last step", False, f"not within {ENDS_SECONDS:g} s")
            await self._leg.hang_up()

    def _require(self, ok: bool, what: str, detail: str = "") -> None:
        if not self._log.check(what, ok, "" if ok else detail):
            raise ScriptStepFailed

    def _gone(self, line: int, what: str) -> None:
        """Write down that the call ended too early, unless the script itself ended it."""
        if self._script.hang_up_at_ms is None:
            self._log.check(f"line {line}: {what}", False, "the call was over before that")
        raise ScriptStepFailed

    # --- speaking -----------------------------------------------------------------------------------

    async def _act(self, action: Action, line: int, *, barge_in: bool) -> None:
        if self._leg.hung_up.is_set():
            self._gone(line, f"the caller says or keys {_label(action)}")
        if isinstance(action, Noise):
            pcm = self._sounds.noises[action]
            began = time.monotonic()
            self._leg.make_noise(pcm)
            await self._leg.ends_within(len(pcm) / SAMPLE_RATE)
            if barge_in:
                self._log.noises.append(Span(began, began + len(pcm) / SAMPLE_RATE))
            return
        via = "keypad" if isinstance(action, Keys) else "speech"
        spoken = CallerInput(_label(action), via, time.monotonic(), barge_in)
        self._words_mark = len(self._feed.events)
        self._last_act = action
        self._log.spoken.append(spoken)
        if isinstance(action, Keys):
            keyed = len(self._leg.keys)
            spoken.span = await self._leg.press(action.keys, action.tone_ms, action.gap_ms)
            spoken.key_ends = tuple(end for end, _ in self._leg.keys[keyed:])
        else:
            spoken.span = await self._leg.say(self._sounds.speeches[action])
        self._since = spoken.span.end if spoken.span else time.monotonic()
        self._listening_mark = len(self._feed.events)

    # --- listening ----------------------------------------------------------------------------------

    async def _prompt_end(self, line: int) -> None:
        deadline = time.monotonic() + PROMPT_SECONDS
        while not self._prompt_has_ended():
            if self._leg.hung_up.is_set():
                self._gone(line, "the agent's prompt ends")
            if self._feed.is_over(time.monotonic()):
                self._require(False, f"line {line}: the agent listens", "it has given the call away")
            if time.monotonic() > deadline:
                self._require(False, f"line {line}: the agent's prompt ends", f"not within {PROMPT_SECONDS:g} s")
            await self._leg.wait_for_sound(_FRAME_WAIT_SECONDS)

    def _prompt_has_ended(self) -> bool:
        quiet_seconds = self._ear.quiet_seconds(time.monotonic())
        was_heard = self._ear.onset_since(self._since) is not None
        if not self._feed.started:
            return was_heard and quiet_seconds * 1000 >= self._script.prompt_gap_ms
        latest = self._feed.last("agent_said", "listening")
        listens = latest is not None and latest.name == "listening"
        if listens and self._feed.named("listening", since=self._listening_mark):
            return quiet_seconds >= _QUIET_AFTER_LISTENING_SECONDS
        return was_heard and quiet_seconds >= _FEED_SILENT_SECONDS

    async def _into_prompt(self, after_ms: float, line: int) -> None:
        """Wait until this long after the first sound of the agent's prompt."""
        deadline = time.monotonic() + PROMPT_SECONDS
        while (onset := self._ear.onset_since(self._since)) is None:
            if self._leg.hung_up.is_set():
                self._gone(line, "the agent's prompt begins")
            if time.monotonic() > deadline:
                self._require(False, f"line {line}: the agent's prompt begins", f"not within {PROMPT_SECONDS:g} s")
            await self._leg.wait_for_sound(_FRAME_WAIT_SECONDS)
        if await self._leg.ends_within(onset + after_ms / 1000 - time.monotonic()):
            self._gone(line, f"the agent's prompt goes on for {after_ms:g} ms")

    async def _expect(self, step: ExpectSays) -> None:
        if step.within_ms is not None:
            self._log.deadlines.append(ReactionDeadline(len(self._log.spoken) - 1, step.within_ms, step.line))
        if not step.says and not step.never_says:
            return

        def text() -> str:
            return said(self._feed.events[self._words_mark :])

        def is_settled() -> bool:
            # The words are known a moment before the first of them is heard, and the caller goes by what is heard.
            found = all(matches(pattern, text()) for pattern in step.says)
            return found and not step.never_says and self._ear.onset_since(self._since) is not None

        for _ in range(MOST_REPAIRS + 1):
            deadline = time.monotonic() + PROMPT_SECONDS
            while not is_settled():
                over = self._leg.hung_up.is_set() or self._feed.is_over(time.monotonic())
                if over or self._prompt_has_ended() or time.monotonic() > deadline:
                    break
                await self._leg.wait_for_sound(_FRAME_WAIT_SECONDS)
            if all(matches(pattern, text()) for pattern in step.says) or not await self._repaired(step.line, text()):
                break
        found = f"it said: {text()}" if self._feed.started else "its words are not known: no live feed of this call"
        for pattern in step.says:
            ok = matches(pattern, text())
            self._log.check(f"line {step.line}: the agent says {pattern}", ok, "" if ok else found)
        for pattern in step.never_says:
            ok = self._feed.started and not matches(pattern, text())
            self._log.check(f"line {step.line}: the agent does not say {pattern}", ok, "" if ok else found)

    async def _repaired(self, line: int, text: str) -> bool:
        """Answer a question back, as a caller who wants to be understood; False when the agent asked none."""
        last = self._last_act
        if not self._script.cooperates or last is None or self._leg.hung_up.is_set():
            return False
        prompts = [
            prompt
            for event in self._feed.named("agent_said", since=self._words_mark)
            for prompt in event.data.get("prompts", ())
        ]
        answer = reaction(prompts, text, last.keys if isinstance(last, Keys) else last.text)
        if not answer:
            return False
        self._log.repairs += 1
        await self._prompt_end(line)
        await self._act(last if answer == "again" else self._script.reactions[answer], line, barge_in=False)
        self._last_act = last
        return True


def _label(action: Action) -> str:
    if isinstance(action, Keys):
        return action.keys
    return action.said if isinstance(action, Speech) else f"[{action.kind}]"
