"""Reads secrets from the environment or from files, when they are needed and never before."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from agent.common.files import read_text
from agent.errors import OrderlineError
from agent.shop.http.access import Auth, SecretSource, ValueSource


class SecretMissing(OrderlineError):
    """A secret is not where the mapping says; the message names the place, never the secret."""

    code = "settings"


def read(source: SecretSource | ValueSource) -> str:
    """Return the text. Raises SecretMissing."""
    if isinstance(source, ValueSource) and source.value:
        return source.value
    if source.env:
        value = os.environ.get(source.env, "").strip()
        if not value:
            raise SecretMissing(f"the environment variable {source.env} is not set")
        if not value.isprintable():
            raise SecretMissing(f"the environment variable {source.env} must hold one line of plain text")
        return value
    file = source.file or Path()
    try:
        value = read_text(file).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SecretMissing(f"{file}: cannot be read ({reason})") from error
    if not value or not value.isprintable():
        raise SecretMissing(f"{file}: must hold the secret and nothing else, on one line")
    return value


def where(source: SecretSource | ValueSource) -> str:
    """Say where a secret comes from, for whoever has to put it right."""
    if source.env:
        return f"the environment variable {source.env}"
    return f"the file {source.file}" if source.file is not None else "the text in the mapping"


def sources_of(auth: Auth) -> list[SecretSource | ValueSource]:
    """Return everything a system's authentication reads."""
    found: list[SecretSource | ValueSource] = []
    if auth.basic is not None:
        found += [auth.basic.user, auth.basic.password]
    if auth.bearer is not None:
        found.append(auth.bearer)
    found += [*(auth.headers or {}).values(), *(auth.query or {}).values()]
    if auth.oauth2 is not None:
        found += [auth.oauth2.client_id, auth.oauth2.client_secret]
    return found


def readable_by_others(source: SecretSource | ValueSource) -> bool:
    """Return whether other users of this machine can read the secret's file."""
    if source.file is None or not source.file.exists():
        return False
    return bool(stat.S_IMODE(source.file.stat().st_mode) & 0o077)
