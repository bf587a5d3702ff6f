"""Settings of the agent's own HTTP server and of its log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from agent.common.addresses import bare_host
from agent.config.base import SettingsPart, read_secret


class ControlSettings(SettingsPart):
    """The agent's own HTTP server: live feed, status, pause, stop."""

    host: Annotated[str, AfterValidator(bare_host)] = "127.0.0.1"
    """A name or an address; IPv6 with or without brackets."""
    port: int = Field(default=8188, ge=0, le=65535)
    token_file: Path | None = None
    """A file that holds the bearer token; or set ORDERLINE_CONTROL_TOKEN."""

    show_private: bool = False
    """True lets readers of the live feed see postcodes and phone numbers; for rehearsals with made-up callers."""

    def token(self) -> str:
        """The token. Raises SettingsError when it is nowhere."""
        return read_secret(self.token_file, "ORDERLINE_CONTROL_TOKEN", "control.token_file")


class LogSettings(SettingsPart):
    """The log, on standard error."""

    level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    format: str = Field(default="text", pattern="^(text|json)$")
    """``json``: one object a line with the call's id, for collectors of logs."""
