"""Passwords: argon2id off the event loop, two at a time, and which are refused as too easily guessed."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import string
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from agent.errors import OrderlineError

T = TypeVar("T")

LEAST_CHARS = 12
MOST_CHARS = 256
AT_ONCE = 2
MOST_WAITING = 30
"""Sign-ins that may wait for their turn; more are sent away."""
MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
"""The parameters OWASP names: 50 ms and 19 MiB each."""

_COMMON = frozenset((Path(__file__).resolve().parent / "common_words.txt").read_text(encoding="utf-8").split())
"""What common passwords are made of; they are refused in every combination with digits and signs."""
_LEET = str.maketrans({"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop", "abcdefghijklmnopqrstuvwxyz", "01234567890")
_NO_LETTERS = string.digits + string.punctuation + " "
_LEAST_DIFFERENT = 6


class WeakPassword(OrderlineError):
    """A password that is not taken, and why."""

    code = "weak_password"


class TooBusy(OrderlineError):
    """Too many sign-ins wait for their turn."""

    code = "busy"
    retryable = True


def check_password(password: str, name: str) -> None:
    """Raise :class:`WeakPassword` for one that is too short, too long, or among the first that are tried."""
    if len(password) < LEAST_CHARS:
        raise WeakPassword(f"A password has {LEAST_CHARS} characters or more; a few words in a row are easy to keep.")
    if len(password) > MOST_CHARS:
        raise WeakPassword(f"A password has {MOST_CHARS} characters at most.")
    text = password.lower()
    if len(set(text)) < _LEAST_DIFFERENT:
        raise WeakPassword("This password has too few different characters.")
    leet = text.strip(_NO_LETTERS).translate(_LEET)  # what stands around a word is no letter of it: P@ssw0rd1234
    if _is_common(text, name.lower()) or _is_common(leet, name.lower()):
        raise WeakPassword("This password is among the first that are tried. Take some words that nobody would guess.")


def new_password() -> str:
    """Return a password of 79 bits, in groups that can be read out; one that :func:`check_password` takes."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    while True:
        password = "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))
        with contextlib.suppress(WeakPassword):  # mostly digits: what is left may look like initials
            check_password(password, "")
            return password


def _is_common(text: str, name: str) -> bool:
    """Return whether nothing is left of a text without common words, sequences and the account's own name."""
    if any(one.isalpha() and not one.isascii() for one in text):
        return False  # the list knows English only
    rest = re.sub(r"[^a-z]+", " ", text)
    names = {part for part in re.split(r"[^a-z]+", name) if len(part) > 2}
    for row in _ROWS:
        for way in (row, row[::-1]):
            for size in range(len(way), 3, -1):
                for start in range(len(way) - size + 1):
                    rest = rest.replace(way[start : start + size], " ")
    return all(_only_common(part, frozenset(_COMMON | names)) for part in rest.split())


def _only_common(text: str, words: frozenset[str]) -> bool:
    """Return whether a run of letters is nothing but words of the list, one behind another."""
    reached = {0}
    for end in range(1, len(text) + 1):
        if any(text[start:end] in words for start in reached):
            reached.add(end)
    return len(text) in reached or len(text) <= 2


class PasswordChecker:
    """Makes and verifies hashes in threads of its own. Close it."""

    def __init__(
        self,
        *,
        memory_kib: int = MEMORY_KIB,
        passes: int = PASSES,
        lanes: int = LANES,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes)
        self._threads = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="argon2")
        self._most_waiting = most_waiting
        self._waiting = 0
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash to store. Raises :class:`TooBusy`."""
        return await self._run(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Return whether a password is the stored one; for None (no such account) it takes as long and is False.

        Raises :class:`TooBusy`.
        """
        return await self._run(self._verify, stored, password)

    def is_outdated(self, stored: str) -> bool:
        """Return whether a hash was made with other parameters than those of now."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, stored: str | None, password: str) -> bool:
        if self._nobody is None:
            self._nobody = self._hasher.hash(secrets.token_hex(16))
        try:
            self._hasher.verify(self._nobody if stored is None else stored, password[:MOST_CHARS])
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None and len(password) <= MOST_CHARS

    async def _run(self, work: Callable[..., T], *given: object) -> T:
        if self._waiting >= self._most_waiting:
            raise TooBusy("Too many people are signing in just now. Try again in a moment.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)
        finally:
            self._waiting -= 1
