"""Addresses and credentials that scripted callers need of a private call centre that is running."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from agent.errors import OrderlineError
from agent.rehearsal.call_centre import PrivateCallCentre, RehearsalHome


class NoRunningCallCentre(OrderlineError):
    """No private call centre is running in this home."""

    code = "nothing_runs"


@dataclass(frozen=True)
class RunningCallCentre:
    """The carrier's Asterisk, the agent's live feed, and the recorded sounds."""

    ari_url: str
    ari_user: str
    ari_password: str
    feed_url: str
    feed_token: str
    sounds: str

    @property
    def sounds_dir(self) -> Path:
        """Asterisk's English core sounds."""
        return Path(self.sounds)

    @classmethod
    def of(cls, stack: PrivateCallCentre) -> RunningCallCentre:
        """What callers need of this call centre."""
        return cls(
            stack.phones.ari_url,
            stack.phones.ari_user,
            stack.phones.ari_password,
            stack.agent.control_url,
            stack.agent.token,
            str(stack.asterisk.data_dir / "sounds" / "en"),
        )

    @classmethod
    def read(cls, home: RehearsalHome) -> RunningCallCentre:
        """The one that ``orderline run`` holds. Raises NoRunningCallCentre."""
        try:
            return cls(**json.loads(_file(home).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise NoRunningCallCentre(
                f"No call centre is running in {home.directory}: start one with `orderline run`."
            ) from error

    @contextlib.contextmanager
    def told(self, home: RehearsalHome) -> Iterator[None]:
        """Let others find it for as long as the block lasts; the file is for its owner's eyes only."""
        path = _file(home)
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _file(home: RehearsalHome) -> Path:
    return home.directory / "running.json"
