"""The keypad of one turn: gathers an entry, and knows the terminator of the entry before. Pure, times in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from agent.dialog.contract import KeyEntry


class KeyCollector:
    """Gathers one keypad entry. Times in seconds on the caller's clock."""

    def __init__(self, entry: KeyEntry) -> None:
        self._entry = entry
        self._keys = ""
        self._last_key_seconds = 0.0
        self._terminated = False

    @property
    def keys(self) -> str:
        """What has been keyed so far, without the terminator."""
        return self._keys

    @property
    def started(self) -> bool:
        """True after the first key."""
        return bool(self._keys)

    def key(self, digit: str, now_seconds: float) -> bool:
        """Take one key; True when the entry is complete. A terminator alone is an entry of itself."""
        self._last_key_seconds = now_seconds
        if not self._keys and digit in self._entry.instant:
            self._keys = digit
            return True
        if digit in self._entry.terminators:
            self._terminated = True
            if not self._keys:
                self._keys = digit
            return True
        self._keys += digit
        return len(self._keys) >= self._most_digits()

    def _most_digits(self) -> int:
        longer = (most for first, most in self._entry.longer if self._keys.startswith(first))
        return max(longer, default=self._entry.max_digits)

    def timed_out(self, now_seconds: float) -> bool:
        """True when the pause after the last key has been long enough to end the entry."""
        return self.started and now_seconds - self._last_key_seconds >= self._entry.inter_digit_seconds

    def ended(self) -> EndedEntry | None:
        """Return the entry for the turn that follows; None where its terminator has come already."""
        return None if self._terminated else EndedEntry.of(self._entry, self._last_key_seconds)


@dataclass(frozen=True)
class EndedEntry:
    """An entry that ended without its terminator: whole by its length, after a pause, or spoken.

    Many callers press the terminator all the same (``10473#``). It still belongs to that entry and answers nothing.
    """

    terminators: str
    until_seconds: float
    """A terminator up to this moment belongs to the entry, even when the next question has been asked by then."""

    @classmethod
    def of(cls, entry: KeyEntry, ended_at_seconds: float) -> EndedEntry:
        """Return the entry that ended at this moment."""
        return cls(entry.terminators, ended_at_seconds + entry.inter_digit_seconds)

    def claims(self, digit: str, now_seconds: float, *, next_was_asked: bool) -> bool:
        """Whether the first key since the end belongs to this entry.

        Before the next question is out it can be no answer to that.
        """
        return digit in self.terminators and (now_seconds <= self.until_seconds or not next_was_asked)
