"""Plays the staff side of a hand-over: the phone rings, shows caller and reason, is answered, both talk."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from agent.common.tasks import cancel_and_wait
from agent.rehearsal.audio import AudioTrack, Pcm, voiced_span, write_call
from agent.rehearsal.call_log import CallLog
from agent.rehearsal.caller_measures import correlation_peak
from agent.rehearsal.patterns import matches
from agent.rehearsal.phone import Leg
from agent.rehearsal.ringing_phones import RingingPhone, RingingPhoneMatcher, same_number
from agent.rehearsal.script import ScriptedStaffPhone, Speech
from agent.rehearsal.script_player import CallSounds

HEARD_LIKENESS = 0.6
"""What came through scores above 0.8, other speech below 0.3 (measure.likeness)."""
_AUDIO_WAY_SECONDS = 0.5
_ENDS_SECONDS = 10.0


class StaffPhone:
    """One human's phone of one call."""

    def __init__(
        self, ringing_phones: RingingPhoneMatcher, caller: Leg, log: CallLog, sounds: CallSounds, recording: Path | None
    ) -> None:
        self._ringing_phones = ringing_phones
        self._caller = caller
        self._log = log
        self._sounds = sounds
        self._recording = recording

    async def play(self, step: ScriptedStaffPhone) -> bool:
        """Play the step; findings become checks of the call's log. False when there was no talk. Raises PhoneError."""
        ringing = await self._rings(step)
        if not self._log.check(
            f"line {step.line}: the human's phone {step.phone} rings",
            ringing is not None,
            "" if ringing else f"not within {step.rings_within_seconds:g} s",
        ):
            return False
        assert ringing is not None  # noqa: S101 - for the type checker; checked above
        human = ringing.leg
        try:
            self._compare(step, ringing, await human.pop())
            if await self._caller.ends_within(step.answers_after_ms / 1000):
                return self._log.check("the caller is still there when the human answers", False)
            await human.open_media()
            await human.answer()
            self._log.staff_answered_at = human.answered_at or time.monotonic()
            await self._talk(step, human)
            return await self._end(step, human)
        finally:
            await human.close()
            if self._recording is not None:
                await asyncio.to_thread(write_call, self._recording, human.heard, human.spoken)

    async def _rings(self, step: ScriptedStaffPhone) -> RingingPhone | None:
        """Wait for the phone to ring, or for the caller to leave."""
        rings = asyncio.create_task(self._ringing_phones.ring(step.phone, self._log.number, step.rings_within_seconds))
        leaves = asyncio.create_task(self._caller.hung_up.wait())
        try:
            await asyncio.wait({rings, leaves}, return_when=asyncio.FIRST_COMPLETED)
            return rings.result() if rings.done() else None
        finally:
            await cancel_and_wait(rings, leaves)

    def _compare(self, step: ScriptedStaffPhone, ringing: RingingPhone, shown: dict[str, str]) -> None:
        """Check what the phone shows against the script, and against what the agent says it handed over."""
        self._log.check(
            "the human's phone shows the caller's number",
            same_number(ringing.caller_number, self._log.number),
            f"it shows {ringing.caller_number or 'nothing'}",
        )
        handed = self._log.feed.last("handed_over")
        told = {key: str(handed.data.get(key, "") or "") for key in ("ticket", "reason")} if handed else {}
        for key, value in told.items():
            if value:
                ok = shown[key] == value
                self._log.check(
                    f"the human's phone shows the {key}", ok, f"it shows {shown[key]!r}, handed over {value!r}"
                )
        for key, wanted in (("reason", step.reason), ("order", step.order), ("verified", step.verified)):
            if wanted:
                ok = shown[key] == wanted
                self._log.check(f"the human's phone shows {key} {wanted}", ok, f"it shows {shown[key]!r}")
        if step.ticket_matches:
            ok = matches(step.ticket_matches, shown["ticket"])
            self._log.check(f"the ticket matches {step.ticket_matches}", ok, f"it is {shown['ticket']!r}")
        for pattern in step.summary_contains:
            ok = matches(pattern, shown["summary"])
            self._log.check(f"the story on the human's phone holds {pattern}", ok, f"it is {shown['summary']!r}")

    async def _talk(self, step: ScriptedStaffPhone, human: Leg) -> None:
        if step.says is not None:
            await self._one_way(step, step.says, human, self._caller, "the caller hears the human")
        if step.talks is not None:
            await self._one_way(step, step.talks, self._caller, human, "the human hears the caller")

    async def _one_way(self, step: ScriptedStaffPhone, speech: Speech, speaker: Leg, listener: Leg, what: str) -> None:
        pcm = self._sounds.speeches[speech]
        span = await speaker.say(pcm)
        await listener.ends_within(_AUDIO_WAY_SECONDS)
        if not step.hears_caller:
            return
        score = 0.0 if span is None else _heard_as(pcm, listener.heard, span.start)
        self._log.check(what, score >= HEARD_LIKENESS, f"likeness {score:.2f}, needed {HEARD_LIKENESS:g}")

    async def _end(self, step: ScriptedStaffPhone, human: Leg) -> bool:
        first, other = (human, self._caller) if step.hangs_up == "human" else (self._caller, human)
        await first.hang_up()
        ended = await other.ends_within(_ENDS_SECONDS)
        return self._log.check(
            "the call ends when the talk is over", ended, "" if ended else f"not in {_ENDS_SECONDS:g} s"
        )


def _heard_as(pcm: Pcm, heard: AudioTrack, began_at: float) -> float:
    """Return how surely the voiced part of ``pcm``, spoken from ``began_at`` on, was heard."""
    first, end = voiced_span(pcm) or (0, len(pcm))
    return correlation_peak(pcm[first:end], heard.samples(began_at - 0.2, time.monotonic()))
