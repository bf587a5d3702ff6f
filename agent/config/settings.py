"""Settings: ``orderline.yaml`` and ``conf.d/*.yaml``, typed; mistakes are told by file, line and key."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from agent.common import yaml_reader
from agent.config.policy import PolicySettings
from agent.config.queues import QueueSettings
from agent.errors import OrderlineError

WebhookEventName = Literal[
    "call.started", "call.ended", "call.handed_over", "return.created", "ticket.created", "survey.answered"
]

DEFAULT_DIRECTORY = Path("/etc/orderline")

KeyPath = tuple[str | int, ...]


class SettingsError(OrderlineError):
    """The settings cannot be used; the message holds one ``file:line: key: problem`` a line."""

    code = "settings"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VerificationSettings(_Part):
    """How many failed verifications are too many, over all calls and lines of this node."""

    per_caller: int = Field(default=5, ge=1)
    per_order: int = Field(default=5, ge=1)
    hidden_callers: int = Field(default=20, ge=1)
    """All callers who hide their number together."""
    window_minutes: int = Field(default=60, ge=1)


class ShopSettings(_Part):
    """The shop that is answered for."""

    name: str = "the shop"
    """Said in the greeting."""
    timezone: str = ""
    """IANA name; empty for the machine's own."""
    greet_by_name: bool = False
    """Greet known callers by their first name. The number a call comes from is a hint, never proof of who calls."""
    survey: bool = False
    """Ask at the end of a call how it was, from one to five (the procedure ``survey``)."""
    verification: VerificationSettings = VerificationSettings()
    number_formats: dict[str, str] = {}
    """Number slot of the procedures -> how this shop's numbers look (``order_number: AA-99999``)."""
    demo_directory: Path | None = None
    """Where the demo shop keeps its files; made when it is not there."""
    systems_directory: Path | None = None
    """Mapping files of the shop's own systems (docs/shop-http.md); what they do not map is the demo shop's, if any."""
    country: str = Field(default="US", pattern="^[A-Z]{2}$")
    """ISO 3166; its national phone numbers are understood besides international ones."""
    policy: PolicySettings = PolicySettings()


class AriSettings(_Part):
    """How to reach Asterisk's ARI."""

    url: str = "http://127.0.0.1:8088"
    user: str = "orderline"
    password_file: Path | None = None
    """A file that holds nothing but the password; or set ORDERLINE_ARI_PASSWORD in the environment."""
    app: str = "orderline"

    def password(self) -> str:
        """The password. Raises SettingsError when it is nowhere."""
        return _secret(self.password_file, "ORDERLINE_ARI_PASSWORD", "ari.password_file")


class AmiSettings(_Part):
    """How to reach Asterisk's manager interface: it is asked how the people's queues stand, nothing else."""

    host: str = ""
    """Empty: it is not asked."""
    port: int = Field(default=5038, ge=1, le=65535)
    user: str = "orderline"
    secret_file: Path | None = None
    """A file that holds nothing but the secret; or set ORDERLINE_AMI_SECRET in the environment."""

    def secret(self) -> str:
        """The secret. Raises SettingsError when it is nowhere."""
        return _secret(self.secret_file, "ORDERLINE_AMI_SECRET", "ami.secret_file")


class FastAgiSettings(_Part):
    """The door for questions of the dialplan (docs/agi.md). It knows no password: keep it on loopback."""

    host: str = ""
    """Empty: there is none."""
    port: int = Field(default=4573, ge=0, le=65535)


class MediaSettings(_Part):
    """How audio travels."""

    transport: str = Field(default="auto", pattern="^(auto|websocket|audiosocket)$")
    """``auto`` takes the websocket where the Asterisk has it, else AudioSocket."""
    audiosocket_host: str = "127.0.0.1"
    audiosocket_port: int = 0


class CallSettings(_Part):
    """Limits and places of a call."""

    handover_context: str = "orderline-handover"
    deadman_seconds: int = Field(default=5, ge=3, le=60)
    max_call_seconds: int = Field(default=900, ge=30)
    resume_seconds: int = Field(default=10, ge=0, le=60)
    """How long callers of an agent that died are held while the next one starts; 0: the dialplan takes them."""
    max_calls: int = Field(default=0, ge=0)
    """More calls than this at a time go straight to people; 0 for no limit."""
    end_complete_ms: int = Field(default=250, ge=100, le=2000)
    end_likely_ms: int = Field(default=450, ge=100, le=3000)
    end_open_ms: int = Field(default=700, ge=200, le=5000)
    end_incomplete_ms: int = Field(default=1600, ge=300, le=8000)
    barge_in_ms: int = Field(default=80, ge=40, le=1000)
    consent: Literal["off", "announce", "ask"] = "off"
    """Whether callers are told that words are kept, or asked; the words stand in the pack's ``recording``."""


class SpeechSettings(_Part):
    """Ears and voice."""

    model: str = "bundled"
    """``bundled``, the name of an installed model, or a directory."""
    models_directory: Path | None = None
    workers: int = Field(default=0, ge=0)
    """Recogniser threads; 0 for one a core."""
    voices: tuple[str, ...] = ("hibari", "pyttsx3")
    """Engines in the order they are tried."""
    cache_directory: Path | None = None
    """Where synthesised prompts are kept; unset for ``voice`` in the state directory."""
    recordings_directory: Path | None = None
    """Folder of <prompt id>.wav; a recording wins over every engine."""


class ControlSettings(_Part):
    """The agent's own local door: live feed and health."""

    host: str = "127.0.0.1"
    port: int = Field(default=8188, ge=0, le=65535)
    token_file: Path | None = None
    """A file that holds the bearer token; or set ORDERLINE_CONTROL_TOKEN."""

    show_private: bool = False
    """True lets readers of the live feed see postcodes and phone numbers; for rehearsals with made-up people."""

    def token(self) -> str:
        """The token. Raises SettingsError when it is nowhere."""
        return _secret(self.token_file, "ORDERLINE_CONTROL_TOKEN", "control.token_file")


class WebhookSettings(_Part):
    """One receiver of events (docs/webhooks.md)."""

    name: str = Field(pattern="^[a-z0-9][a-z0-9_-]{0,39}$")
    """Stands in the log, in ``orderline outbox`` and in the names of secrets."""
    url: str = Field(pattern="^https?://[^/]+")
    secret_file: Path | None = None
    """A file with one ``whsec_...`` a line; or set ORDERLINE_WEBHOOK_<NAME>_SECRET. All of them sign."""
    events: tuple[WebhookEventName, ...] = ()
    """Which it gets; empty for all."""
    timeout_seconds: float = Field(default=10.0, gt=0, le=15)
    phone_numbers: bool = False
    """True tells it the number a call came from."""
    ca_file: Path | None = None
    """PEM file of the authority that signed its certificate; unset: the machine's own authorities."""

    def secret(self) -> str:
        """The secret file's text. Raises SettingsError when it is nowhere."""
        variable = f"ORDERLINE_WEBHOOK_{self.name.upper().replace('-', '_')}_SECRET"
        return _secret(self.secret_file, variable, f"webhooks ({self.name}) secret_file")


class OutboxSettings(_Part):
    """How long deliveries are tried."""

    max_age_hours: float = Field(default=72, gt=0)
    """Tickets and webhooks older than this go to the dead letters."""
    sms_max_age_hours: float = Field(default=24, gt=0)
    keep_delivered_days: float = Field(default=7, ge=0)
    """How long the keys of what was delivered are kept; their contents are not."""


class RedisSettings(_Part):
    """The Redis that several nodes share."""

    url: str = Field(default="", pattern="^(|rediss?://.+|unix://.+)$")
    """Empty: none; or set ORDERLINE_REDIS_URL, where a password does not stand in a file."""

    def address(self) -> str:
        """The address, ``""`` for none."""
        return os.environ.get("ORDERLINE_REDIS_URL", "") or self.url


class RescuerSettings(_Part):
    """The independent rescuer (``orderline rescuer``)."""

    after_seconds: float = Field(default=4.0, ge=2.0, le=60.0)
    """A controller whose heartbeat has stood still for this long is dead or hangs."""
    poll_seconds: float = Field(default=1.0, ge=0.2, le=10.0)
    context: str = "orderline-rescue"


class LogSettings(_Part):
    """The log, on standard error."""

    level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    format: str = Field(default="text", pattern="^(text|json)$")
    """``json``: one object a line with the call's id, for collectors of logs."""


class Settings(_Part):
    """Everything an administrator can set."""

    shop: ShopSettings = ShopSettings()
    ari: AriSettings = AriSettings()
    ami: AmiSettings = AmiSettings()
    queues: dict[Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,40}$")], QueueSettings] = {}
    """The people's queues; calls go to no other, and to the first one where nothing else is said."""
    fastagi: FastAgiSettings = FastAgiSettings()
    media: MediaSettings = MediaSettings()
    call: CallSettings = CallSettings()
    speech: SpeechSettings = SpeechSettings()
    control: ControlSettings = ControlSettings()
    webhooks: tuple[WebhookSettings, ...] = ()
    outbox: OutboxSettings = OutboxSettings()
    redis: RedisSettings = RedisSettings()
    rescuer: RescuerSettings = RescuerSettings()
    log: LogSettings = LogSettings()
    flows_directory: Path | None = None
    """The procedures; unset for the English pack that comes with Orderline."""
    state_directory: Path = Path("/var/lib/orderline")
    """Records, caches, installed models."""

    @field_validator("webhooks")
    @classmethod
    def _names_once(cls, webhooks: tuple[WebhookSettings, ...]) -> tuple[WebhookSettings, ...]:
        names = [webhook.name for webhook in webhooks]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f"the name {twice} stands twice")
        return webhooks


def load_settings(directory: Path) -> Settings:
    """Read ``orderline.yaml`` and then ``conf.d/*.yaml`` (in name order, later wins).

    Raises SettingsError naming every mistake. A directory without ``orderline.yaml`` is one.
    """
    main = directory / "orderline.yaml"
    if not main.is_file():
        raise SettingsError(f"{main}: not found; give the directory of orderline.yaml with --config")
    problems: list[str] = []
    merged: dict[str, Any] = {}
    places: dict[KeyPath, str] = {}
    for path in [main, *sorted((directory / "conf.d").glob("*.yaml"))]:
        merge(merged, _read(path, places, problems))
    if not problems:
        try:
            return Settings.model_validate(_absolute(merged, directory))
        except ValidationError as error:
            problems += [_describe(dict(item), places, main) for item in error.errors()]
    raise SettingsError("\n".join(problems))


def _secret(file: Path | None, variable: str, key: str) -> str:
    if value := os.environ.get(variable, ""):
        return value
    if file is None:
        raise SettingsError(f"No secret: set {key} in orderline.yaml, or {variable} in the environment.")
    try:
        value = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read ({error.strerror}); it is named by {key}") from error
    if not value:
        raise SettingsError(f"{file}: is empty; it is named by {key}")
    return value


def _read(path: Path, places: dict[KeyPath, str], problems: list[str]) -> dict[str, Any]:
    try:
        source = yaml_reader.read(str(path), path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path}: cannot be read: {error}")
        return {}
    problems += map(str, source.findings)
    places.update({at: f"{path}:{line}" for at, line in source.lines.items()})
    if isinstance(source.data, dict):
        return source.data
    if source.data is not None:
        problems.append(f"{path}:1: must be a mapping of settings")
    return {}


def merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Put ``more`` into ``into``: mappings are joined key by key, anything else is replaced."""
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def _absolute(data: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Paths in the files are relative to the settings' own directory."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            found[key] = _absolute(value, directory)
        elif isinstance(value, list):
            found[key] = [_absolute(item, directory) if isinstance(item, dict) else item for item in value]
        elif isinstance(value, str) and key.endswith(("_file", "_directory")):
            try:
                found[key] = str((directory / Path(value).expanduser()).resolve())
            except (ValueError, RuntimeError) as error:
                raise SettingsError(f"{key}: {value!r} is no path ({error})") from error
        else:
            found[key] = value
    return found


def _describe(error: dict[str, Any], places: Mapping[KeyPath, str], main: Path) -> str:
    at: KeyPath = tuple(error["loc"])
    place = next((places[at[:size]] for size in range(len(at), -1, -1) if at[:size] in places), str(main))
    key = ".".join(str(part) for part in at)
    if error["type"] == "extra_forbidden":
        valid = _valid_keys(at[:-1])
        close = difflib.get_close_matches(str(at[-1]), valid, n=1, cutoff=0.6)
        hint = f"did you mean {close[0]}?" if close else f"valid here: {', '.join(sorted(valid))}"
        return f"{place}: {key}: there is no such setting; {hint}"
    return f"{place}: {key}: {error['msg']}"


def _valid_keys(at: KeyPath) -> list[str]:
    model: type[BaseModel] = Settings
    parts = iter(at)
    for part in parts:
        if isinstance(part, int):
            continue  # the model of a list's items was found with the list
        field = model.model_fields.get(part)
        kind = field.annotation if field is not None else None
        if get_origin(kind) is dict:
            next(parts, None)  # a name of the administrator's own
            kind = get_args(kind)[1]
        kind = next(iter(get_args(kind)), kind)
        if not isinstance(kind, type) or not issubclass(kind, BaseModel):
            return []
        model = kind
    return list(model.model_fields)
