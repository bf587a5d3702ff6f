"""A small Asterisk that speaks ARI on loopback: channels, bridges, variables, events."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web


class FakeAsterisk:
    """Keeps channels, bridges and variables like the real one, and can be made to misbehave."""

    def __init__(self, user: str = "orderline", password: str = "secret") -> None:
        self.channels: dict[str, dict[str, Any]] = {}
        self.bridges: dict[str, set[str]] = {}
        self.variables: dict[tuple[str, str], str] = {}
        self.globals: dict[str, str] = {}
        self.played: list[tuple[str, str]] = []
        self.continued: list[tuple[str, str, str]] = []
        self.requests: list[tuple[str, str]] = []
        self.transfers: list[tuple[str, str]] = []
        """(channel, state) of each answer to a phone that asked for a transfer."""
        self.event_filter: list[str] = []
        self.frozen = asyncio.Event()
        self.frozen.set()
        self.unanswered: list[tuple[str, str]] = []
        """Requests (method, path) that get no answer, one for each entry."""
        self.failing: list[tuple[str, str]] = []
        """Requests answered by a 503, one for each entry; what they ask for is done where ``done_all_the_same``."""
        self.done_all_the_same = False
        self._never = asyncio.Event()
        self.events_opened = 0
        self.version = "22.11.0+dfsg-1"
        self.modules: set[str] = set()
        self.read_only = False
        self.functions: dict[str, str] = dict.fromkeys(
            ("CALLERID(num-pres)", "CALLERID(name-pres)"), "allowed_not_screened"
        )
        """What dialplan functions answer on every channel."""
        self.sounds: dict[str, list[str]] = {}
        self.media_leg_enters_stasis = True
        self.media_leg_comes_back = True
        """From the dialplan that begins a recording."""
        self.answering_fails = False
        self.originated: dict[str, tuple[dict[str, str], dict[str, str]]] = {}
        """Channel -> (query, variables) of each call that was placed."""
        self.originate_status = 200
        self.subscriptions: list[str] = []
        self.subscribing_fails = False
        self.endpoint_channels: list[str] = []
        self._user = user
        self.change_password(password)
        self._sockets: list[web.WebSocketResponse] = []
        self._socket_came = asyncio.Condition()
        self.clock_ahead_seconds = 0.0
        """How far its host's clock is ahead of ours."""
        self.media_bytes = 0
        """How much audio all media legs have sent."""
        self.media_commands: list[str] = []
        """What all media legs were told."""
        self._media: dict[str, web.WebSocketResponse] = {}
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def change_password(self, password: str) -> None:
        """Let nobody in with another one from now on; what is connected stays."""
        self._authorization = "Basic " + base64.b64encode(f"{self._user}:{password}".encode()).decode()

    async def start(self, port: int = 0) -> None:
        application = web.Application(middlewares=[self._gate])
        add = application.router.add_route
        add("GET", "/ari/events", self._events)
        add("PUT", "/ari/applications/{app}/eventFilter", self._filter)
        add("GET", "/ari/applications/{app}", self._application)
        add("POST", "/ari/applications/{app}/subscription", self._subscribe)
        add("GET", "/ari/endpoints/{technology}/{resource}", self._endpoint)
        add("POST", "/ari/channels", self._originate)
        add("GET", "/ari/asterisk/info", self._info)
        add("GET", "/ari/asterisk/ping", self._ping)
        add("GET", "/ari/asterisk/modules", self._modules)
        add("GET", "/ari/asterisk/modules/{name}", self._module)
        add("GET", "/ari/asterisk/variable", self._get_global)
        add("POST", "/ari/asterisk/variable", self._set_global)
        add("GET", "/ari/channels", self._list_channels)
        add("GET", "/ari/channels/{id}", self._get_channel)
        add("POST", "/ari/channels/create", self._create_channel)
        add("POST", "/ari/channels/externalMedia", self._external_media)
        add("GET", "/ari/channels/{id}/variable", self._get_variable)
        add("POST", "/ari/channels/{id}/variable", self._set_variable)
        add("POST", "/ari/channels/{id}/answer", self._answer)
        add("POST", "/ari/channels/{id}/play", self._play)
        add("POST", "/ari/channels/{id}/transfer_progress", self._transfer_progress)
        add("POST", "/ari/channels/{id}/continue", self._continue)
        add("DELETE", "/ari/channels/{id}", self._hang_up)
        add("GET", "/ari/bridges", self._list_bridges)
        add("POST", "/ari/bridges", self._create_bridge)
        add("POST", "/ari/bridges/{id}/addChannel", self._add_channel)
        add("DELETE", "/ari/bridges/{id}", self._destroy_bridge)
        add("GET", "/ari/sounds/{id}", self._sound)
        add("GET", "/media/{id}", self._media_socket)
        self._runner = web.AppRunner(application, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        self._never.set()
        for socket in [*self._sockets, *self._media.values()]:
            await socket.close()
        self._sockets.clear()
        if self._runner is not None:
            await self._runner.cleanup()

    async def drop_event_sockets(self) -> None:
        for socket in self._sockets:
            await socket.close()
        self._sockets.clear()

    async def wait_for_events_opened(self, count: int) -> None:
        async with self._socket_came:
            await self._socket_came.wait_for(lambda: self.events_opened >= count)

    async def emit(self, event: dict[str, Any]) -> None:
        for socket in self._sockets:
            await socket.send_json(event)

    async def ring(self, channel_id: str, *args: str, number: str = "2025550143") -> None:
        """A caller enters the application."""
        caller = {"number": number, "name": "Test"}
        self.channels[channel_id] = {"id": channel_id, "name": f"PJSIP/{channel_id}", "state": "Ring", "caller": caller}
        await self.emit({"type": "StasisStart", "args": list(args), "channel": self.channels[channel_id]})

    async def swap(self, old_id: str, new_id: str, name: str) -> None:
        """A transfer has put another channel in a caller's place: straight into the application, without dialplan."""
        old = self.channels.pop(old_id)
        self.channels[new_id] = {"id": new_id, "name": name, "state": "Up", "caller": {"number": "2025550188"}}
        event = {"type": "StasisStart", "args": [], "channel": self.channels[new_id], "replace_channel": old}
        await self.emit(event)

    async def hang_up_caller(self, channel_id: str) -> None:
        channel = self.channels.pop(channel_id)
        await self.emit({"type": "ChannelDestroyed", "cause_txt": "Normal Clearing", "channel": channel})

    @web.middleware
    async def _gate(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests.append((request.method, request.path))
        if request.headers.get("Authorization") != self._authorization:
            raise web.HTTPUnauthorized
        await self.frozen.wait()
        if self.read_only and request.method != "GET":
            raise web.HTTPForbidden(text='{"message": "This user is read only"}')
        asked = (request.method, request.path)
        if asked in self.unanswered:
            self.unanswered.remove(asked)
            await self._never.wait()
        fails = asked in self.failing
        if fails:
            self.failing.remove(asked)
        if fails and not self.done_all_the_same:
            raise web.HTTPServiceUnavailable
        response: web.StreamResponse = await handler(request)
        if fails:
            raise web.HTTPServiceUnavailable
        return response

    def _channel(self, request: web.Request) -> dict[str, Any]:
        channel = self.channels.get(request.match_info["id"])
        if channel is None:
            raise web.HTTPNotFound(text='{"message": "Channel not found"}')
        return channel

    async def _events(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.append(socket)
        async with self._socket_came:
            self.events_opened += 1
            self._socket_came.notify_all()
        async for _ in socket:
            pass
        if socket in self._sockets:
            self._sockets.remove(socket)
        return socket

    async def _filter(self, request: web.Request) -> web.Response:
        self.event_filter = [item["type"] for item in (await request.json())["allowed"]]
        return web.json_response({})

    async def _ping(self, _: web.Request) -> web.Response:
        now = datetime.now(UTC) + timedelta(seconds=self.clock_ahead_seconds)
        told = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03}+0000"
        return web.json_response({"asterisk_id": "fake", "ping": "pong", "timestamp": told})

    async def _info(self, _: web.Request) -> web.Response:
        return web.json_response({"system": {"version": self.version}})

    async def _modules(self, _: web.Request) -> web.Response:
        return web.json_response([{"name": name, "status": "Running"} for name in sorted(self.modules)])

    async def _module(self, request: web.Request) -> web.Response:
        if (name := request.match_info["name"]) not in self.modules:
            raise web.HTTPNotFound(text='{"message": "Module could not be found in running modules"}')
        return web.json_response({"name": name, "status": "Running"})

    async def _application(self, request: web.Request) -> web.Response:
        if not self._sockets:
            raise web.HTTPNotFound(text='{"message": "Application not found"}')
        return web.json_response({"name": request.match_info["app"]})

    async def _list_channels(self, _: web.Request) -> web.Response:
        return web.json_response(list(self.channels.values()))

    async def _get_channel(self, request: web.Request) -> web.Response:
        return web.json_response(self._channel(request))

    async def _create_channel(self, request: web.Request) -> web.Response:
        channel = {"id": request.query["channelId"], "state": "Down"}
        self.channels[channel["id"]] = channel
        return web.json_response(channel)

    async def _subscribe(self, request: web.Request) -> web.Response:
        if self.subscribing_fails:
            raise web.HTTPUnprocessableEntity(text='{"message": "EventSource does not exist"}')
        self.subscriptions.append(request.query["eventSource"])
        return web.json_response({})

    async def _endpoint(self, _: web.Request) -> web.Response:
        return web.json_response({"channel_ids": self.endpoint_channels})

    async def _originate(self, request: web.Request) -> web.Response:
        channel = {"id": request.query["channelId"], "state": "Down"}
        if channel["id"] in self.channels:
            raise web.HTTPConflict(text='{"message": "Channel with given unique ID already exists"}')
        if self.originate_status != 200:
            return web.json_response({"error": "Allocation failed"}, status=self.originate_status)
        self.originated[channel["id"]] = dict(request.query), (await request.json())["variables"]
        self.channels[channel["id"]] = channel
        return web.json_response(channel)

    async def _sound(self, request: web.Request) -> web.Response:
        formats = self.sounds.get(request.match_info["id"])
        if formats is None:
            raise web.HTTPNotFound(text='{"message": "Sound not found"}')
        return web.json_response({"formats": [{"language": "en", "format": name} for name in formats]})

    async def _external_media(self, request: web.Request) -> web.Response:
        channel = {"id": request.query["channelId"], "state": "Up", "channelvars": {}}
        self.channels[channel["id"]] = channel
        self.variables[channel["id"], "MEDIA_WEBSOCKET_CONNECTION_ID"] = f"media-{channel['id']}"
        body = await request.json() if request.can_read_body else {}
        self.variables |= {(channel["id"], name): value for name, value in body.get("variables", {}).items()}
        if self.media_leg_enters_stasis:
            await self.emit({"type": "StasisStart", "args": [], "channel": channel})
        return web.json_response(channel)

    async def _get_variable(self, request: web.Request) -> web.Response:
        self._channel(request)
        value = self.variables.get((request.match_info["id"], request.query["variable"]))
        value = self.functions.get(request.query["variable"], value)
        if request.query["variable"].startswith("DB("):
            raise web.HTTPInternalServerError(text='{"message": "Unable to read provided function"}')
        if value is None:
            raise web.HTTPNotFound(text='{"message": "Provided variable was not found"}')
        return web.json_response({"value": value})

    async def _set_variable(self, request: web.Request) -> web.Response:
        self._channel(request)
        body = await request.json()
        self.variables[request.match_info["id"], request.query["variable"]] = body["value"]
        return web.Response(status=204)

    async def _get_global(self, request: web.Request) -> web.Response:
        return web.json_response({"value": self.globals.get(request.query["variable"], "")})

    async def _set_global(self, request: web.Request) -> web.Response:
        self.globals[request.query["variable"]] = (await request.json())["value"]
        return web.Response(status=204)

    async def _play(self, request: web.Request) -> web.Response:
        self._channel(request)
        self.played.append((request.match_info["id"], request.query["media"]))
        return web.json_response({}, status=201)

    async def _transfer_progress(self, request: web.Request) -> web.Response:
        self._channel(request)
        self.transfers.append((request.match_info["id"], request.query["states"]))
        return web.Response(status=204)

    async def _answer(self, request: web.Request) -> web.Response:
        channel = self._channel(request)
        if self.answering_fails:
            raise web.HTTPInternalServerError(text='{"message": "Failed to answer channel"}')
        channel["state"] = "Up"
        return web.Response(status=204)

    async def _continue(self, request: web.Request) -> web.Response:
        self._channel(request)
        query = request.query
        self.continued.append((request.match_info["id"], query.get("context", ""), query.get("extension", "")))
        if query.get("context") == "orderline-sound" and self.media_leg_comes_back:
            channel = self._channel(request)
            await self.emit({"type": "StasisEnd", "channel": channel})
            await self.emit({"type": "StasisStart", "args": ["sound"], "channel": channel})
        return web.Response(status=204)

    async def _hang_up(self, request: web.Request) -> web.Response:
        self._channel(request)
        channel = self.channels.pop(request.match_info["id"])
        await self.emit({"type": "ChannelDestroyed", "cause_txt": "", "channel": channel})
        return web.Response(status=204)

    async def _list_bridges(self, _: web.Request) -> web.Response:
        return web.json_response([{"id": name, "channels": sorted(inside)} for name, inside in self.bridges.items()])

    async def _create_bridge(self, request: web.Request) -> web.Response:
        self.bridges[request.query["bridgeId"]] = set()
        return web.json_response({"id": request.query["bridgeId"]})

    async def _add_channel(self, request: web.Request) -> web.Response:
        ids = request.query["channel"].split(",")
        if any(channel_id not in self.channels for channel_id in ids):
            raise web.HTTPBadRequest(text='{"message": "Channel not found"}')
        self.bridges[request.match_info["id"]] |= set(ids)
        return web.Response(status=204)

    async def _destroy_bridge(self, request: web.Request) -> web.Response:
        if self.bridges.pop(request.match_info["id"], None) is None:
            raise web.HTTPNotFound(text='{"message": "Bridge not found"}')
        return web.Response(status=204)

    async def send_audio(self, channel_id: str, pcm: bytes) -> None:
        """Send a packet of the caller's to the media leg."""
        await self._media[channel_id].send_bytes(pcm)

    async def _media_socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("media",))
        await socket.prepare(request)
        self._media[request.match_info["id"].removeprefix("media-")] = socket
        async for message in socket:
            if message.type is web.WSMsgType.BINARY:
                self.media_bytes += len(message.data)
            elif message.type is web.WSMsgType.TEXT:
                self.media_commands.append(message.data)
                if message.data.startswith("MARK_MEDIA "):
                    await socket.send_str("MEDIA_MARK_PROCESSED correlation_id:" + message.data.split()[1])
        return socket
