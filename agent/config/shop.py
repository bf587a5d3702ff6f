"""Settings of the shop that is answered for."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from agent.config.base import SettingsPart
from agent.config.policy import PolicySettings


class VerificationSettings(SettingsPart):
    """How many failed verifications are too many, over all calls and lines of this node."""

    per_caller: int = Field(default=5, ge=1)
    per_order: int = Field(default=5, ge=1)
    hidden_callers: int = Field(default=20, ge=1)
    """All callers who hide their number together."""
    window_minutes: int = Field(default=60, ge=1)


class ShopSettings(SettingsPart):
    """The shop that is answered for."""

    name: str = "the shop"
    """Said in the greeting."""
    timezone: str = ""
    """IANA name; empty for the machine's own."""
    greet_by_name: bool = False
    """Greet known callers by their first name. The number a call comes from is a hint, never proof of who calls."""
    automated_greeting: bool = True
    """Say in the greeting that an automated assistant speaks; some places require it by law."""
    survey: bool = False
    """Ask at the end of a call how it was, from one to five (the procedure ``survey``)."""
    verification: VerificationSettings = VerificationSettings()
    number_formats: dict[str, str] = Field(default_factory=dict)
    """Number slot of the procedures -> how this shop's numbers look (``order_number: AA-99999``)."""
    demo_directory: Path | None = None
    """Where the demo shop keeps its files; made when it is not there."""
    systems_directory: Path | None = None
    """Mapping files of the shop's own systems (docs/shop-http.md); what they do not map is the demo shop's, if any."""
    country: str = Field(default="US", pattern="^[A-Z]{2}$")
    """ISO 3166; its national phone numbers are understood besides international ones."""
    policy: PolicySettings = PolicySettings()
