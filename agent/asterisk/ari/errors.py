"""The typed errors of the ARI client."""

from __future__ import annotations

from agent.errors import OrderlineError


class AriError(OrderlineError):
    """Asterisk refused a request."""

    code = "ari"

    def __init__(self, status: int, method: str, path: str, detail: str) -> None:
        super().__init__(f"{method} {path} -> {status} {detail[:200]}")
        self.status = status


class AriNotFound(AriError):
    """The channel, bridge or playback does not exist (any more)."""

    code = "ari_not_found"


class AriConflict(AriError):
    """The object is not in a state that allows it (409, 422), as a channel that has just left Stasis."""

    code = "ari_conflict"


class AriAuthFailed(AriError):
    """The user or password of ari.conf was refused."""

    code = "ari_auth"


class AriUnreachable(AriError):
    """Asterisk did not answer, or not in time."""

    code = "ari_unreachable"
    retryable = True

    def __init__(self, message: str) -> None:
        super().__init__(0, "", "", "")
        self.message = message
        self.args = (message,)
