"""Everything an administrator can set, as one typed model; :mod:`agent.config.loader` reads it from files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator

from agent.common.paths import STATE_DIRECTORY
from agent.config.asterisk import AmiSettings, AriSettings, FastAgiSettings, MediaSettings
from agent.config.base import SettingsPart
from agent.config.call import CallSettings, RescuerSettings
from agent.config.console import ConsoleSettings
from agent.config.control import ControlSettings, LogSettings
from agent.config.delivery import OutboxSettings, RedisSettings, WebhookSettings
from agent.config.outbound import OutboundSettings
from agent.config.queues import QueueSettings
from agent.config.records import RecordsSettings
from agent.config.shop import ShopSettings
from agent.config.sound import RetentionSettings, SoundSettings
from agent.config.speech import SpeechSettings


class Settings(SettingsPart):
    """Everything an administrator can set."""

    shop: ShopSettings = ShopSettings()
    ari: AriSettings = AriSettings()
    ami: AmiSettings = AmiSettings()
    queues: dict[Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,40}$")], QueueSettings] = Field(default_factory=dict)
    """The staff queues; calls go to no other, and to the first one where none is named."""
    fastagi: FastAgiSettings = FastAgiSettings()
    media: MediaSettings = MediaSettings()
    call: CallSettings = CallSettings()
    speech: SpeechSettings = SpeechSettings()
    control: ControlSettings = ControlSettings()
    console: ConsoleSettings = ConsoleSettings()
    records: RecordsSettings = RecordsSettings()
    webhooks: tuple[WebhookSettings, ...] = ()
    outbox: OutboxSettings = OutboxSettings()
    redis: RedisSettings = RedisSettings()
    rescuer: RescuerSettings = RescuerSettings()
    outbound: OutboundSettings = OutboundSettings()
    sound: SoundSettings = SoundSettings()
    retention: RetentionSettings = RetentionSettings()
    log: LogSettings = LogSettings()
    flows_directory: Path | None = None
    """The procedures; unset for the English pack that comes with Orderline."""
    state_directory: Path = STATE_DIRECTORY
    """Records, caches, installed models."""
    instances: int = Field(default=1, ge=1, le=32)
    """How many agents run beside each other on this machine and share the calls of one Asterisk (docs/scale.md)."""
    _instance: int = PrivateAttr(default=1)
    _shared_directory: Path | None = PrivateAttr(default=None)

    @property
    def instance(self) -> int:
        """Which of the instances these settings are for; the first one's are also those of the whole set."""
        return self._instance

    @property
    def shared_directory(self) -> Path:
        """What all instances use together: prompts, models, sound, jobs of calls to customers."""
        return self._shared_directory or self.state_directory

    def as_instance(self, number: int, shared_directory: Path) -> Settings:
        """Return these settings as those of another instance than the first."""
        one = self.model_copy()
        one._instance, one._shared_directory = number, shared_directory
        return one

    @field_validator("webhooks")
    @classmethod
    def _names_once(cls, webhooks: tuple[WebhookSettings, ...]) -> tuple[WebhookSettings, ...]:
        names = [webhook.name for webhook in webhooks]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f"the name {twice} stands twice")
        return webhooks

    @field_validator("sound")
    @classmethod
    def _sound_needs_consent(cls, sound: SoundSettings, info: ValidationInfo) -> SoundSettings:
        call = info.data.get("call")
        if sound.keep and isinstance(call, CallSettings) and call.consent == "off":
            raise ValueError(
                "keep: callers must know that they are recorded: set call.consent to ask, or to announce where your "
                "law lets you record after an announcement"
            )
        return sound
