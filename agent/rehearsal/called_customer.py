"""A customer whom the agent calls: answers, speaks, hears what the agent says, and replies to it."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping, Sequence

import numpy as np

from agent.common.audio import SAMPLE_RATE
from agent.rehearsal.audio import Pcm, to_pcm
from agent.rehearsal.caller_measures import Span, first_sound_at, longest_silence, sounds
from agent.rehearsal.live_feed import CallFeed, said
from agent.rehearsal.phone import Leg
from agent.rehearsal.script import DEFAULT_LEVEL_DBFS, DEFAULT_VOICE, Speech
from agent.rehearsal.voices import Voices

_TURN_SECONDS = 40.0
_KEYS = "keys:"
"""Begins a reply that is keyed."""


class CalledCustomer:
    """One customer's telephone, which rings. All times are monotonic seconds."""

    def __init__(self, number: str, leg: Leg, feed: CallFeed, voices: Voices, voice: str = DEFAULT_VOICE) -> None:
        """``number`` is the customer's, E.164; ``feed`` follows the call at the agent's end."""
        self.number = number
        self.leg = leg
        self.feed = feed
        self.voice = voice
        self._voices = voices

    async def answer(self) -> float:
        """Answer; returns when."""
        await self.leg.open_media()
        await self.leg.answer()
        return self.leg.answered_at if self.leg.answered_at is not None else time.monotonic()

    async def says(self, text: str) -> Span | None:
        """Say something; returns, when it is said, from when to when, or None when the call ended before."""
        return await self.leg.say(await self.sound(text))

    async def sound(self, text: str) -> Pcm:
        """Return what this customer's voice makes of a text."""
        return await self._voices.render(Speech(text, text, self.voice), DEFAULT_LEVEL_DBFS)

    async def plays(self, *pieces: Pcm | str | float) -> Span | None:
        """Play sounds, texts and silences (seconds), one after the other, as a machine does."""
        made = [
            await self.sound(piece) if isinstance(piece, str) else silence(piece) if isinstance(piece, float) else piece
            for piece in pieces
        ]
        return await self.leg.say(np.concatenate(made).astype("<i2"))

    def told(self, since: int = 0) -> str:
        """Return what the agent has said, from the ``since``-th event on."""
        return said(self.feed.events[since:])

    def has_heard(self, pattern: str, since: int = 0) -> bool:
        """Return whether the agent has said what fits a pattern."""
        return re.search(pattern, self.told(since), re.IGNORECASE) is not None

    async def hears(self, pattern: str, seconds: float = _TURN_SECONDS, since: int = 0) -> bool:
        """Wait until the agent has said something that fits a pattern; False when it has not in time."""
        return await self.feed.wait_for(lambda: self.has_heard(pattern, since), seconds)

    async def is_asked(self, since: int, seconds: float = _TURN_SECONDS) -> int | None:
        """Wait until the agent has said something after the ``since``-th event and listens.

        Returns how many events there are then, None when the call is over or nothing came in time.
        """

        def asked() -> bool:
            return self.leg.hung_up.is_set() or self._listens_at(since) is not None or self._is_over(since)

        await self.feed.wait_for(asked, seconds)
        return None if self.leg.hung_up.is_set() else self._listens_at(since)

    async def talks(self, replies: Mapping[str, str | Sequence[str]], turns: int = 12, since: int = 0) -> None:
        """Reply to what the agent asks until the call is over, the agent asks what no pattern fits, or after ``turns``.

        ``replies`` maps patterns of the agent's words to what is said then; several are said one after the other, each
        time that it asks so. ``keys:12`` presses keys. The latest pattern that fits decides.
        """
        left = {pattern: [texts] if isinstance(texts, str) else list(texts) for pattern, texts in replies.items()}
        for _ in range(turns):
            asked = await self.is_asked(since)
            if asked is None:
                return
            text = self.told(since)
            fitting = [one for one in left if re.search(one, text, re.IGNORECASE)]
            since = asked
            if not fitting:
                return
            texts = left[fitting[-1]]
            await self._replies(texts.pop(0) if len(texts) > 1 else texts[0])

    async def _replies(self, text: str) -> None:
        if text.startswith(_KEYS):
            await self.leg.press(text.removeprefix(_KEYS))
        elif text:
            await self.says(text)

    def _listens_at(self, since: int) -> int | None:
        spoken = False
        for index, event in enumerate(self.feed.events[since:], since):
            spoken = spoken or event.name == "agent_said"
            if spoken and event.name == "listening":
                return index + 1
        return None

    def _is_over(self, since: int) -> bool:
        return any(event.name in ("call_ended", "handed_over") for event in self.feed.events[since:])

    # --- what was heard -----------------------------------------------------------------------------

    def first_word_after(self, moment: float) -> float | None:
        """Return how long after a moment the agent's next sound began, None when none came."""
        at = first_sound_at(self.leg.heard, moment)
        return None if at is None else at - moment

    def longest_silence(self) -> float:
        """Return for how long neither side made a sound, at most, from the answer to the end (or now)."""
        began = self.leg.answered_at
        if began is None:
            return 0.0
        ended = self.leg.ended_at if self.leg.ended_at is not None else time.monotonic()
        return longest_silence(self.leg.heard, sounds(self.leg.spoken), began, ended).seconds


def silence(seconds: float) -> Pcm:
    """Return so much silence."""
    return np.zeros(round(seconds * SAMPLE_RATE), "<i2")


def tone(hz: float, seconds: float, level_dbfs: float = -18.0) -> Pcm:
    """Return one tone: a voicemail's beep, a fax."""
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return to_pcm(np.sin(2 * math.pi * hz * at) * math.sqrt(2) * 10 ** (level_dbfs / 20))
