"""The typed errors of a call: line gone, taken over, reclaimed, audio lost, recogniser, voice."""

from __future__ import annotations

from agent.errors import OrderlineError


class LineGone(OrderlineError):
    """The caller's channel no longer exists."""

    code = "line_gone"


class CallTakenOver(OrderlineError):
    """A supervisor takes the call over from the agent."""

    code = "taken_over"

    def __init__(self, by: str) -> None:
        """``by`` is the number of the supervisor's phone."""
        super().__init__(f"The call is taken over by {by or 'a supervisor'}.")
        self.by = by


class TransferredAway(OrderlineError):
    """The caller has transferred the call: another party has the line now, as a call of its own."""

    code = "transferred"


class CallerOnHold(OrderlineError):
    """The caller has put the agent on hold: there is nobody to speak or listen to."""

    code = "on_hold"


class HeldTooLong(OrderlineError):
    """The caller's hold has lasted longer than the agent waits."""

    code = "held_too_long"


class VoiceError(OrderlineError):
    """No engine could speak a prompt."""

    code = "voice"


class RecognitionFailed(OrderlineError):
    """The recogniser does not work: the caller cannot be heard, only keys can."""

    code = "hearing"


class HandOverRequired(OrderlineError):
    """The agent has to hand this call over to staff now."""

    code = "must_leave"

    def __init__(self, reason: str) -> None:
        """``reason`` is the machine word of the hand-over."""
        super().__init__(f"the call has to go to the staff: {reason}")
        self.reason = reason


class CallReclaimedError(OrderlineError):
    """Somebody else took the call out of the agent's hands: it is in the dialplan again."""

    code = "taken_away"


class MediaLostError(OrderlineError):
    """The media leg of a call broke while the caller was still there."""

    code = "media_broken"
