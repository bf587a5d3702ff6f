"""ARI's REST resources with ari-py's names: channels, bridges, applications, system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

from agent.asterisk.ari.errors import AriConflict, AriNotFound
from agent.asterisk.version import parse_version, supports_media_marks


class AriRequests(Protocol):
    """What the nouns need of the client."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Send one request; see :meth:`agent.asterisk.ari.client.AriClient.request`."""


def _id(value: str) -> str:
    return quote(value, safe="")


class Channels:
    """``/channels``."""

    def __init__(self, ari: AriRequests) -> None:
        self._ari = ari

    async def list(self) -> list[dict[str, Any]]:
        """Every channel of the Asterisk."""
        channels: list[dict[str, Any]] = await self._ari.request("GET", "/channels")
        return channels

    async def get(self, channel_id: str) -> dict[str, Any]:
        """One channel. Raises AriNotFound."""
        channel: dict[str, Any] = await self._ari.request("GET", f"/channels/{_id(channel_id)}")
        return channel

    async def answer(self, channel_id: str) -> None:
        """Answer. Raises AriNotFound when the caller has gone."""
        await self._ari.request("POST", f"/channels/{_id(channel_id)}/answer")

    async def hangup(self, channel_id: str, *, reason: str | None = None) -> None:
        """Hang up; a channel that is already gone is what was wanted."""
        try:
            await self._ari.request("DELETE", f"/channels/{_id(channel_id)}", params={"reason": reason})
        except AriNotFound:
            return

    async def set_variable(self, channel_id: str, name: str, value: str) -> None:
        """Set a channel variable or function, for example ``TIMEOUT(absolute)``. Raises AriNotFound, Conflict."""
        await self._ari.request(
            "POST", f"/channels/{_id(channel_id)}/variable", params={"variable": name}, body={"value": value}
        )

    async def get_variable(self, channel_id: str, name: str) -> str:
        """Value of a variable or function, ``""`` when it is not set. Raises AriNotFound for a missing channel."""
        try:
            answer = await self._ari.request("GET", f"/channels/{_id(channel_id)}/variable", params={"variable": name})
        except AriNotFound as error:
            if "variable was not found" in error.message.lower():
                return ""
            raise
        return str((answer or {}).get("value", ""))

    async def continue_in_dialplan(self, channel_id: str, *, context: str, extension: str, priority: int = 1) -> None:
        """Give the channel back to the dialplan at this place. Raises AriNotFound, Conflict."""
        await self._ari.request(
            "POST",
            f"/channels/{_id(channel_id)}/continue",
            params={"context": context, "extension": extension, "priority": priority},
        )

    async def go_on(self, channel_id: str) -> None:
        """Let the channel's dialplan go on where it is. Raises AriNotFound, Conflict."""
        await self._ari.request("POST", f"/channels/{_id(channel_id)}/continue")

    async def external_media(
        self, channel_id: str, *, app: str, params: Mapping[str, Any], variables: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Create a media channel with this id; ``params`` are ARI's (external_host, transport, format, ...)."""
        channel: dict[str, Any] = await self._ari.request(
            "POST",
            "/channels/externalMedia",
            params={"app": app, "channelId": channel_id, **params},
            body={"variables": dict(variables)} if variables else None,
        )
        return channel

    async def originate(
        self, channel_id: str, *, endpoint: str, app: str, params: Mapping[str, Any], variables: Mapping[str, str]
    ) -> dict[str, Any]:
        """Dial ``endpoint`` into ``app``. Variables travel in the JSON body, where Asterisk looks for them."""
        channel: dict[str, Any] = await self._ari.request(
            "POST",
            "/channels",
            params={"endpoint": endpoint, "app": app, "channelId": channel_id, **params},
            body={"variables": dict(variables)},
        )
        return channel

    async def originate_to_dialplan(
        self,
        channel_id: str,
        *,
        endpoint: str,
        context: str,
        extension: str,
        ring_seconds: int,
        caller_id: str,
        variables: Mapping[str, str],
    ) -> None:
        """Dial ``endpoint`` and let its channel begin in the dialplan when it answers."""
        where = {"context": context, "extension": extension, "priority": 1}
        await self._ari.request(
            "POST",
            "/channels",
            params={
                "endpoint": endpoint,
                "channelId": channel_id,
                "timeout": ring_seconds,
                "callerId": caller_id,
                **where,
            },
            body={"variables": dict(variables)},
        )

    async def create(self, channel_id: str, *, endpoint: str, app: str) -> dict[str, Any]:
        """Make a channel that is not dialled."""
        channel: dict[str, Any] = await self._ari.request(
            "POST", "/channels/create", params={"endpoint": endpoint, "app": app, "channelId": channel_id}
        )
        return channel

    async def dtmf(self, channel_id: str, digits: str, *, between_ms: int = 100, duration_ms: int = 100) -> None:
        """Send keypad digits to the far end of the channel."""
        await self._ari.request(
            "POST",
            f"/channels/{_id(channel_id)}/dtmf",
            params={"dtmf": digits, "between": between_ms, "duration": duration_ms},
        )

    async def play(self, channel_id: str, media: str) -> None:
        """Play a sound of Asterisk's (``sound:one-moment-please``) to the channel."""
        await self._ari.request("POST", f"/channels/{_id(channel_id)}/play", params={"media": media})

    async def refuse_transfer(self, channel_id: str) -> None:
        """Tell the phone that its transfer is declined. Raises AriNotFound, AriConflict."""
        await self._ari.request(
            "POST", f"/channels/{_id(channel_id)}/transfer_progress", params={"states": "channel_declined"}
        )

    async def redirect(self, channel_id: str, endpoint: str) -> None:
        """Ask the far end to go elsewhere, for SIP by REFER; the channel's next request waits until that is settled."""
        await self._ari.request("POST", f"/channels/{_id(channel_id)}/redirect", params={"endpoint": endpoint})

    async def hold(self, channel_id: str) -> None:
        """Put the far end on hold. Raises AriNotFound, Conflict."""
        await self._ari.request("POST", f"/channels/{_id(channel_id)}/hold")

    async def unhold(self, channel_id: str) -> None:
        """Take the far end off hold. Raises AriNotFound, Conflict."""
        await self._ari.request("DELETE", f"/channels/{_id(channel_id)}/hold")

    async def ring(self, channel_id: str) -> None:
        """Indicate ringing to the channel."""
        await self._ari.request("POST", f"/channels/{_id(channel_id)}/ring")


class Bridges:
    """``/bridges``."""

    def __init__(self, ari: AriRequests) -> None:
        self._ari = ari

    async def list(self) -> list[dict[str, Any]]:
        """Every bridge of the Asterisk."""
        bridges: list[dict[str, Any]] = await self._ari.request("GET", "/bridges")
        return bridges

    async def create(self, bridge_id: str, *, kind: str = "mixing", name: str = "") -> dict[str, Any]:
        """Create a bridge with this id."""
        bridge: dict[str, Any] = await self._ari.request(
            "POST", "/bridges", params={"type": kind, "bridgeId": bridge_id, "name": name or bridge_id}
        )
        return bridge

    async def add_channel(self, bridge_id: str, channel_ids: Sequence[str]) -> None:
        """Put channels into the bridge. Raises AriNotFound, Conflict (a channel that is not in Stasis)."""
        await self._ari.request(
            "POST", f"/bridges/{_id(bridge_id)}/addChannel", params={"channel": ",".join(channel_ids)}
        )

    async def remove_channel(self, bridge_id: str, channel_id: str) -> None:
        """Take a channel out; one that is not there, or gone, is what was wanted."""
        try:
            await self._ari.request("POST", f"/bridges/{_id(bridge_id)}/removeChannel", params={"channel": channel_id})
        except (AriNotFound, AriConflict):
            return

    async def destroy(self, bridge_id: str) -> None:
        """Destroy the bridge; one that is already gone is what was wanted."""
        try:
            await self._ari.request("DELETE", f"/bridges/{_id(bridge_id)}")
        except AriNotFound:
            return


class Applications:
    """``/applications``."""

    def __init__(self, ari: AriRequests) -> None:
        self._ari = ari

    async def get(self, app: str) -> dict[str, Any]:
        """One application that is registered. Raises AriNotFound."""
        application: dict[str, Any] = await self._ari.request("GET", f"/applications/{_id(app)}")
        return application

    async def filter(self, app: str, event_types: Sequence[str]) -> None:
        """Receive only these event types (Asterisk >= 13.26, 16.3)."""
        await self._ari.request(
            "PUT",
            f"/applications/{_id(app)}/eventFilter",
            body={"allowed": [{"type": name} for name in event_types]},
        )

    async def subscribe(self, app: str, event_source: str) -> None:
        """Receive the events of this source, for example ``channel:ID``. Raises AriNotFound, Conflict."""
        await self._ari.request("POST", f"/applications/{_id(app)}/subscription", params={"eventSource": event_source})


class System:
    """``/asterisk``."""

    def __init__(self, ari: AriRequests) -> None:
        self._ari = ari

    async def version(self) -> str:
        """Asterisk's version, for example ``22.10.1``."""
        info = await self._ari.request("GET", "/asterisk/info", params={"only": "system"})
        system = info.get("system") if isinstance(info, dict) else None
        text = str(system.get("version", "")) if isinstance(system, dict) else ""
        return ".".join(map(str, parse_version(text) or (0, 0, 0)))  # packages append their own revision

    async def clock(self) -> float | None:
        """Seconds since 1970 on the clock of Asterisk's host, which need not be ours; None where it does not tell."""
        try:
            answer = await self._ari.request("GET", "/asterisk/ping")
            return datetime.fromisoformat(str((answer or {}).get("timestamp", ""))).timestamp()
        except (AriNotFound, ValueError):  # Asterisk before 16.1 knows no ping
            return None

    async def get_variable(self, name: str) -> str:
        """Value of a global variable, ``""`` when it is not set."""
        try:
            answer = await self._ari.request("GET", "/asterisk/variable", params={"variable": name})
        except AriNotFound:
            return ""
        return str((answer or {}).get("value", ""))

    async def set_variable(self, name: str, value: str) -> None:
        """Set a global variable."""
        await self._ari.request("POST", "/asterisk/variable", params={"variable": name}, body={"value": value})

    async def modules(self) -> set[str]:
        """Names of the modules that are running, for example ``chan_websocket.so``."""
        modules = await self._ari.request("GET", "/asterisk/modules")
        return {str(module["name"]) for module in modules if module.get("status") == "Running"}

    async def module_running(self, name: str) -> bool:
        """Whether one module is running, for example ``app_mixmonitor.so``."""
        try:
            module = await self._ari.request("GET", f"/asterisk/modules/{_id(name)}")
        except (AriNotFound, AriConflict):
            return False
        return str((module or {}).get("status", "")) == "Running"

    async def sound_formats(self, sound: str) -> set[str]:
        """Formats in which a sound is installed, in any language; empty when it is not."""
        try:
            answer = await self._ari.request("GET", f"/sounds/{_id(sound)}")
        except AriNotFound:
            return set()
        return {str(form.get("format", "")) for form in (answer or {}).get("formats", [])}

    async def has_websocket_media(self) -> bool:
        """True when chan_websocket is loaded and knows marks (Asterisk 20.18, 22.8, 23.2 and later)."""
        release = parse_version(await self.version()) or (0, 0, 0)
        return supports_media_marks(release) and "chan_websocket.so" in await self.modules()
