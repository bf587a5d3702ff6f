"""The audio of a call over chan_websocket: whole utterances out, the caller's packets in (Asterisk >= 20.18, 22.8)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Mapping

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriError, AriUnreachable
from agent.asterisk.websocket_protocol import MediaSocket
from agent.call.inbox_events import AudioFrame, Inbox, MediaLost, PlaybackFinished
from agent.common.audio import FRAME_BYTES, FRAME_MS
from agent.common.tasks import cancel_and_wait

log = logging.getLogger(__name__)

_SILENCE = bytes(FRAME_BYTES)
_CONNECTION_ID = "MEDIA_WEBSOCKET_CONNECTION_ID"
_SILENCE_SECONDS = 0.2
"""Silence is sent in pieces so long: sent 20 ms by 20 ms it was a tenth of the main thread's time."""
_SILENCE_RESERVE_SECONDS = 0.1
"""So much of it is left to be played when the next piece is sent."""
_MARK_DONE = "MEDIA_MARK_PROCESSED"


class SilencePacing:
    """How much silence to send so that the caller always hears something, and how much of it is left. Pure."""

    def __init__(self) -> None:
        self._until = 0.0
        """When the silence that was sent will have been played."""

    def frames_due(self, now: float, ahead_seconds: float) -> int:
        """Return how many 20 ms frames must follow for silence to last so long from now; they count as sent."""
        begin = max(now, self._until)
        # less than a quarter of a frame is no frame: packets do not come to the millisecond
        frames = max(0, math.ceil((now + ahead_seconds - begin) * 1000 / FRAME_MS - 0.25))
        self._until = begin + frames * FRAME_MS / 1000
        return frames

    def lasts(self, now: float) -> bool:
        """Return whether some of the silence has not been played yet."""
        return self._until > now

    def flushed(self) -> None:
        """What was sent has been thrown away unplayed."""
        self._until = 0.0


class WebsocketMedia:
    """:class:`agent.call.ports.Media` on one chan_websocket channel.

    Asterisk plays from its own queue, so an utterance is handed over at once between START and STOP_MEDIA_BUFFERING and
    followed by a mark. While nothing is queued silence is sent in real time, because Asterisk sends the caller nothing
    at all otherwise and some carriers drop a silent leg. It is sent in few pieces, each ahead of its time; what of it
    has not been played when a prompt comes is thrown away, so that the prompt does not wait behind it.
    FLUSH_MEDIA eats pending marks without an event (measured on 22.10.1), so the list of pending marks is kept here.
    """

    def __init__(
        self, ari: AriClient, channel_id: str, inbox: Inbox, variables: Mapping[str, str] | None = None
    ) -> None:
        """``variables`` are set on the media channel."""
        self._variables = variables
        self.channel_id = channel_id
        self._ari = ari
        self._inbox = inbox
        self._pending: list[str] = []
        self._closing = False
        self._queue_emptied = asyncio.Event()
        """Asterisk has nothing left to play: the next piece of silence is due at once."""
        self._silence = SilencePacing()
        self._comfort: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        self._socket = MediaSocket(self._take_audio, self._take_text, self._take_close)

    async def open(self) -> None:
        """Create the channel and connect to it; returns when it can be bridged. Raises AriError."""
        try:
            with self._ari.entering_stasis(self.channel_id) as in_stasis:
                created = await self._ari.channels.external_media(
                    self.channel_id,
                    app=self._ari.app,
                    params={
                        "external_host": "INCOMING",
                        "transport": "websocket",
                        "encapsulation": "none",
                        "connection_type": "server",
                        "format": "slin",
                    },
                    variables=self._variables,
                )
                connection = (created.get("channelvars") or {}).get(_CONNECTION_ID)
                if not connection:
                    connection = await self._ari.channels.get_variable(self.channel_id, _CONNECTION_ID)
                await self._socket.connect(self._ari, connection)
                async with asyncio.timeout(3.0):
                    await in_stasis.wait()
        except TimeoutError as error:
            await self.close()
            raise AriUnreachable("The media leg did not enter Stasis within 3 s.") from error
        except AriError:
            await self.close()
            raise
        self._comfort = asyncio.create_task(self._keep_warm(), name=f"comfort-{self.channel_id}")

    async def play(self, pcm: bytes, mark: str) -> None:
        """Queue a whole utterance; ``PlaybackFinished(mark)`` follows when the caller has heard it."""
        async with self._lock:
            if not self._pending and self._silence.lasts(asyncio.get_running_loop().time()):
                self._silence.flushed()
                await self._socket.command("FLUSH_MEDIA")
            self._pending.append(mark)
            await self._socket.command("START_MEDIA_BUFFERING")
            await self._socket.send_audio(pcm)
            await self._socket.command("STOP_MEDIA_BUFFERING")
            await self._socket.command(f"MARK_MEDIA {mark}")

    async def flush(self) -> None:
        """Stop at once; nothing queued will be heard, and no ``PlaybackFinished`` comes for it."""
        self._pending.clear()
        await self._socket.command("FLUSH_MEDIA")
        self._silence.flushed()
        if not self._pending:
            self._queue_emptied.set()

    async def close(self) -> None:
        """Close the socket and hang the channel up; idempotent."""
        self._closing = True
        if self._comfort is not None:
            await cancel_and_wait(self._comfort)
        await self._socket.close()
        with contextlib.suppress(AriUnreachable):
            await self._ari.channels.hangup(self.channel_id)

    def _take_audio(self, pcm: bytes) -> None:
        self._inbox.put_nowait(AudioFrame(pcm))

    async def _keep_warm(self) -> None:
        """While nothing is queued, send silence in real time."""
        while True:
            async with self._lock:
                if not self._pending:
                    now = asyncio.get_running_loop().time()
                    frames = self._silence.frames_due(now, _SILENCE_SECONDS + _SILENCE_RESERVE_SECONDS)
                    await self._socket.send_audio(_SILENCE * frames)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SILENCE_SECONDS):
                    await self._queue_emptied.wait()
            self._queue_emptied.clear()

    def _take_text(self, text: str) -> None:
        if not text.startswith(_MARK_DONE):
            return
        mark = text[len(_MARK_DONE) :].strip().removeprefix("correlation_id:")
        if mark in self._pending:
            self._pending.remove(mark)
            if not self._pending:
                self._queue_emptied.set()
            self._inbox.put_nowait(PlaybackFinished(mark))

    def _take_close(self) -> None:
        if not self._closing:
            log.warning("The media leg %s closed by itself", self.channel_id)
            self._inbox.put_nowait(MediaLost("media socket closed"))
