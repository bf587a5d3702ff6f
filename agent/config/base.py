"""What all settings share: frozen models that refuse unknown keys, the error, and secrets from files or environment."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from agent.common.files import read_text
from agent.errors import OrderlineError

_MOST_SECRET_BYTES = 64 * 1024


class SettingsError(OrderlineError):
    """The settings cannot be used; the message holds one ``file:line: key: problem`` a line."""

    code = "settings"


class SettingsPart(BaseModel):
    """A group of settings: frozen, and a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_secret(file: Path | None, variable: str, key: str) -> str:
    """Return the secret in the environment's ``variable``, else in ``file``, which the setting ``key`` names.

    Raises :class:`SettingsError` when it is in neither, and for a file that cannot be read or is empty.
    """
    if value := os.environ.get(variable, ""):
        return value
    if file is None:
        raise SettingsError(f"No secret: set {key} in orderline.yaml, or {variable} in the environment.")
    try:
        value = read_text(file, most_bytes=_MOST_SECRET_BYTES).strip()
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read ({error.strerror}); it is named by {key}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: is not UTF-8 text; it is named by {key}") from error
    if not value:
        raise SettingsError(f"{file}: is empty; it is named by {key}")
    return value
