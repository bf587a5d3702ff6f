"""Settings of the sound of calls, and of how long what is kept of calls is kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from agent.config.base import SettingsPart

_DIALPLAN_PATH = re.compile(r"/[A-Za-z0-9._/-]*")


def check_dialplan_path(path: Path) -> Path:
    """Return a path that may stand in the dialplan as it is. Raises ValueError, for an administrator."""
    if not _DIALPLAN_PATH.fullmatch(str(path)):
        raise ValueError("must be an absolute path of letters, digits and . _ - / alone: it stands in the dialplan")
    return path


class SoundSettings(SettingsPart):
    """Whether the sound of calls is kept (docs/recordings.md)."""

    keep: bool = False
    """Asterisk records callers who were told of it or agreed to it (``call.consent``)."""
    with_staff: bool = False
    """Goes on recording when the call is with the staff."""
    directory: Annotated[Path, AfterValidator(check_dialplan_path)] | None = None
    """Unset: ``sound`` in the state directory. Asterisk must be able to write there."""
    least_free_mb: int = Field(default=500, ge=10)
    """With less room than this on the disk no further call is recorded: the records of calls need it."""


class RetentionSettings(SettingsPart):
    """Days after which what was kept of a call is deleted; 0: never."""

    record_days: int = Field(default=0, ge=0)
    """The whole record, with everything below."""
    words_days: int = Field(default=0, ge=0)
    """What was said: the turns' words, the summary for the staff."""
    sound_days: int = Field(default=30, ge=0)
    notes_days: int = Field(default=0, ge=0)
    """What people wrote about a call."""
