"""Errors of a rehearsal, worded so that the writer of a script can act on them."""

from __future__ import annotations

from collections.abc import Sequence

from agent.errors import OrderlineError


class ScriptError(OrderlineError):
    """A caller script has mistakes; the message holds one ``file:line: problem`` a line."""

    code = "script"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class CallerVoiceError(OrderlineError):
    """A caller's voice is not installed, or cannot say what the script asks of it."""

    code = "caller_voice"


class PhoneError(OrderlineError):
    """The carrier's Asterisk did not do what a phone needs."""

    code = "phone"
