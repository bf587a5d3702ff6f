"""The directories and files of an installation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.common.paths import CONFIG_DIRECTORY, STATE_DIRECTORY
from agent.common.privileges import AGENT_USER


@dataclass(frozen=True)
class InstallationLayout:
    """The places of one installation, as the installed program will know them (without ``root`` in front)."""

    root: Path = Path("/")
    """``DESTDIR``: everything is put below it; ``/`` for this machine."""
    prefix: Path = Path("/opt/orderline")
    """The program: virtual environment and manifest."""
    bin_dir: Path = Path("/usr/local/bin")
    share_dir: Path = Path("/usr/share/orderline")
    """Dialplan and sample configuration, to read and to copy from."""
    etc_dir: Path = CONFIG_DIRECTORY
    state_dir: Path = STATE_DIRECTORY
    unit_dir: Path = Path("/etc/systemd/system")
    asterisk_etc_dir: Path = Path("/etc/asterisk")
    fail2ban_dir: Path = Path("/etc/fail2ban")

    @property
    def venv(self) -> Path:
        """The virtual environment."""
        return self.prefix / "venv"

    @property
    def manifest(self) -> Path:
        """The list of all that was installed."""
        return self.prefix / "manifest.json"

    @property
    def is_installed(self) -> bool:
        """True when this very machine is installed to, not a directory that becomes one."""
        return self.root == Path("/")

    def on_disk(self, place: Path) -> Path:
        """Where a place lies while we install."""
        return self.root / place.relative_to("/")

    def placeholders(self) -> dict[str, str]:
        """What the words between ``@`` signs in the shipped files stand for."""
        return {
            "PREFIX": str(self.prefix),
            "VENV": str(self.venv),
            "ETC": str(self.etc_dir),
            "STATE": str(self.state_dir),
            "SHARE": str(self.share_dir),
            "USER": AGENT_USER,
        }
