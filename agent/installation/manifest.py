"""The manifest of installed files: what uninstalling takes away, and which files have been edited."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from agent.errors import OrderlineError


class InstallError(OrderlineError):
    """Installing or uninstalling cannot go on; the message says what to do."""

    code = "install"


@dataclass
class Manifest:
    """All paths are absolute and without ``DESTDIR``."""

    version: str = ""
    files: dict[str, str] = field(default_factory=dict)
    """File -> SHA-256 of what we wrote; an edited file differs. ``""`` for what is ours whatever it holds: secrets."""
    directories: list[str] = field(default_factory=list)
    """Directories we made, parents first; removed when nothing is left in them."""
    trees: list[str] = field(default_factory=list)
    """Directories that are ours with all that is in them: the program, the state."""
    made_user: bool = False
    made_group: bool = False
    account_files: list[str] = field(default_factory=list)
    """Back-up files (``/etc/passwd-``) that making the user has left for the first time."""

    @classmethod
    def read(cls, path: Path) -> Manifest | None:
        """Return the manifest of an installation, None where there is none. Raises InstallError for a broken one."""
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InstallError(f"{path} cannot be read: {error.strerror}; are you root?") from error
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise InstallError(f"{path} is damaged ({error}); move it away and run 'make install' again") from error

    def write(self, path: Path) -> None:
        """Write it, whole or not at all."""
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(self.__dict__, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        partial.replace(path)


def digest(content: bytes) -> str:
    """The fingerprint of a file's content."""
    return hashlib.sha256(content).hexdigest()
