"""Settings of the console: where it listens, by which names and proxies it is asked, and the nodes it shows."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from agent.common.addresses import bare_host, check_url, is_loopback
from agent.config.base import SettingsPart, read_secret


def _address(text: str) -> str:
    return str(ipaddress.ip_address(bare_host(text)))


class NodeSettings(SettingsPart):
    """The agent of another node that the console shows as well."""

    name: str = Field(pattern="^[A-Za-z0-9._-]{1,40}$")
    url: Annotated[str, AfterValidator(lambda url: check_url(url, "http", "https").rstrip("/"))]
    """Of its agent's HTTP server (``control``): ``http://10.0.0.2:8188``."""
    token_file: Path
    """A file that holds its control token."""

    def token(self) -> str:
        """The token. Raises SettingsError when it is nowhere."""
        return read_secret(self.token_file, "", "console.nodes.token_file")


class ConsoleSettings(SettingsPart):
    """The console in the browser (docs/console.md); a process of its own."""

    host: Annotated[str, AfterValidator(bare_host)] = "127.0.0.1"
    """Another address than loopback needs a certificate, or the proxy that has one."""
    port: int = Field(default=8189, ge=0, le=65535)
    certificate_file: Path | None = None
    """TLS: the certificate with its chain, PEM."""
    key_file: Path | None = None
    """Its key, PEM."""
    proxies: tuple[Annotated[str, AfterValidator(_address)], ...] = ()
    """Addresses of the proxies in front of it: what they say of the browser's address and of https is believed."""
    allowed_hosts: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9.:\[\]_-]{1,253}$")], ...] = ()
    """Names by which browsers ask for it, besides localhost: ``console.shop.example``."""
    idle_minutes: float = Field(default=30, ge=1, le=24 * 60)
    """Who does nothing for so long has to sign in again."""
    session_hours: float = Field(default=12, ge=0.1, le=24 * 7)
    """So has everybody after this time."""
    node_name: str = Field(default="here", pattern="^[A-Za-z0-9._-]{1,40}$")
    """What this node is called where there are several."""
    nodes: tuple[NodeSettings, ...] = ()
    """Other nodes."""
    tests_directory: Path | None = None
    """The calls in text that must go well before procedures are published; unset: ``flow-tests`` in the state
    directory."""

    @field_validator("nodes")
    @classmethod
    def _names_once(cls, nodes: tuple[NodeSettings, ...], info: ValidationInfo) -> tuple[NodeSettings, ...]:
        names = [str(info.data.get("node_name", "")), *(node.name for node in nodes)]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f"the name {twice} stands twice")
        return nodes

    def refusal(self) -> str:
        """Return why the console must not start like this, with what to do; ``""`` when it may."""
        if (self.certificate_file is None) != (self.key_file is None):
            return "console.certificate_file and console.key_file belong together: set both, or none"
        if is_loopback(self.host) or self.certificate_file is not None or self.proxies:
            return ""
        return (
            f"console.host: {self.host} is not loopback, and passwords would cross the network as they are: set "
            "console.certificate_file and console.key_file, or name the proxy that has a certificate in "
            "console.proxies, or listen on 127.0.0.1"
        )
