"""Settings of the ways to Asterisk: ARI, the manager interface, FastAGI, audio."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from agent.common.addresses import bare_host, check_url
from agent.config.base import SettingsPart, read_secret

Host = Annotated[str, AfterValidator(bare_host)]
"""A name or an address; IPv6 with or without brackets."""


class AriSettings(SettingsPart):
    """How to reach Asterisk's ARI."""

    url: Annotated[str, AfterValidator(lambda url: check_url(url, "http", "https"))] = "http://127.0.0.1:8088"
    user: str = "orderline"
    password_file: Path | None = None
    """A file that holds nothing but the password; or set ORDERLINE_ARI_PASSWORD in the environment."""
    app: str = Field(default="orderline", pattern="^[A-Za-z0-9_-]{1,60}$")
    """The first word in the dialplan's ``Stasis()``."""

    def password(self) -> str:
        """The password. Raises SettingsError when it is nowhere."""
        return read_secret(self.password_file, "ORDERLINE_ARI_PASSWORD", "ari.password_file")


class AmiSettings(SettingsPart):
    """How to reach Asterisk's manager interface: it is asked for the state of the staff queues, nothing else."""

    host: Host = ""
    """Empty: it is not asked."""
    port: int = Field(default=5038, ge=1, le=65535)
    user: str = "orderline"
    secret_file: Path | None = None
    """A file that holds nothing but the secret; or set ORDERLINE_AMI_SECRET in the environment."""

    def secret(self) -> str:
        """The secret. Raises SettingsError when it is nowhere."""
        return read_secret(self.secret_file, "ORDERLINE_AMI_SECRET", "ami.secret_file")


class FastAgiSettings(SettingsPart):
    """The FastAGI server for the dialplan (docs/agi.md). It has no password: keep it on loopback."""

    host: Host = ""
    """Empty: there is none."""
    port: int = Field(default=4573, ge=0, le=65535)


class MediaSettings(SettingsPart):
    """How audio travels."""

    transport: str = Field(default="auto", pattern="^(auto|websocket|audiosocket)$")
    """``auto`` takes the websocket where the Asterisk has it, else AudioSocket."""
    audiosocket_host: Host = "127.0.0.1"
    audiosocket_port: int = Field(default=0, ge=0, le=65535)
