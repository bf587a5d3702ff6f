"""A stand-in for Asterisk's media legs, in a process of its own: ARI just enough to open them, and a caller on each.

``python -m benchmarks.media_peer`` reads the caller's sound from its input and prints its port. Every leg hears that
sound over and over, 20 ms by 20 ms in real time, the legs spread over the 20 ms, and answers marks when the audio
before them has been played.
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web

from agent.common.audio import FRAME_BYTES, FRAME_MS, SAMPLE_RATE

_SPREAD = 0.618
"""Part of a frame by which each leg begins after the one before: they stay evenly spread, however many there are."""


class MediaPeer:
    """Serves ARI's externalMedia, its event stream and the media sockets."""

    def __init__(self, sound: bytes) -> None:
        self._frames = [sound[at : at + FRAME_BYTES] for at in range(0, len(sound) - FRAME_BYTES + 1, FRAME_BYTES)]
        self._events: list[web.WebSocketResponse] = []
        self._legs = 0

    def app(self) -> web.Application:
        """Return the routes."""
        app = web.Application()
        app.router.add_get("/ari/events", self._event_stream)
        app.router.add_post("/ari/channels/externalMedia", self._external_media)
        app.router.add_delete("/ari/channels/{id}", self._hang_up)
        app.router.add_get("/media/{id}", self._media)
        return app

    async def _event_stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._events.append(socket)
        async for _ in socket:
            pass
        return socket

    async def _external_media(self, request: web.Request) -> web.Response:
        channel = request.query["channelId"]
        for socket in self._events:
            await socket.send_json({"type": "StasisStart", "channel": {"id": channel}})
        return web.json_response({"id": channel, "channelvars": {"MEDIA_WEBSOCKET_CONNECTION_ID": channel}})

    async def _hang_up(self, _: web.Request) -> web.Response:
        return web.Response(status=204)

    async def _media(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("media",))
        await socket.prepare(request)
        self._legs += 1
        sending = asyncio.create_task(self._send(socket, self._legs))
        loop = asyncio.get_running_loop()
        played_until = 0.0
        marks: list[asyncio.Task[None]] = []

        async def tell_when_played(mark: str, at: float) -> None:
            await asyncio.sleep(at - loop.time())
            await socket.send_str(f"MEDIA_MARK_PROCESSED correlation_id:{mark}")

        async for message in socket:
            if message.type is web.WSMsgType.BINARY:
                played_until = max(played_until, loop.time()) + len(message.data) / 2 / SAMPLE_RATE
            elif message.data.startswith("MARK_MEDIA"):
                marks.append(asyncio.create_task(tell_when_played(message.data.split()[1], played_until)))
            elif message.data.startswith("FLUSH_MEDIA"):
                played_until = 0.0
                while marks:
                    marks.pop().cancel()
        sending.cancel()
        return socket

    async def _send(self, socket: web.WebSocketResponse, leg: int) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + leg * _SPREAD % 1.0 * FRAME_MS / 1000
        at = leg * 7919 % len(self._frames)
        while not socket.closed:
            await asyncio.sleep(due - loop.time())
            await socket.send_bytes(self._frames[at])
            at = (at + 1) % len(self._frames)
            due += FRAME_MS / 1000


async def serve(sound: bytes) -> None:
    """Serve until the process is ended."""
    runner = web.AppRunner(MediaPeer(sound).app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.stdin.buffer.read()))
