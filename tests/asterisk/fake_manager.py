"""A small manager interface: logs in, answers QueueSummary, and can be made to fall silent or hang up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass
class FakeManager:
    """Use it as ``async with FakeManager() as manager``."""

    secret: str = "the-secret"
    queues: dict[str, dict[str, int]] = field(default_factory=dict)
    """Queue -> the headers of its summary."""
    silent: bool = False
    """True: takes questions and answers none."""
    refused: tuple[str, ...] = ()
    """Actions this user may not do."""
    commands: dict[str, str] = field(default_factory=dict)
    """Action -> what ListCommands says of it: those this user may do."""
    port: int = 0
    questions: list[str] = field(default_factory=list)
    logins: int = 0

    async def __aenter__(self) -> FakeManager:
        self._writers: set[asyncio.StreamWriter] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Drop every connection."""
        for writer in tuple(self._writers):
            writer.close()

    def tell(self, event: str, **headers: object) -> None:
        """Send an event nobody asked for to everybody who is connected."""
        text = "".join(f"{name}: {value}\r\n" for name, value in {"Event": event, **headers}.items())
        for writer in tuple(self._writers):
            writer.write(text.encode() + b"\r\n")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        try:
            while block := await reader.readuntil(b"\r\n\r\n"):
                lines = block.decode().strip().split("\r\n")
                headers = dict(line.split(": ", 1) for line in lines if ": " in line)
                for answer in self._answers(headers):
                    text = "".join(f"{name}: {value}\r\n" for name, value in answer.items())
                    writer.write(text.encode() + b"\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._writers.discard(writer)
            writer.close()

    def _answers(self, asked: dict[str, str]) -> list[dict[str, object]]:
        action, mark = asked["Action"], {"ActionID": asked.get("ActionID", "")}
        if action == "Login":
            good = asked["Secret"] == self.secret
            self.logins += good
            return [{"Response": "Success" if good else "Error", **mark, "Message": "Authentication"}]
        if action in self.refused:
            return [{"Response": "Error", **mark, "Message": "Permission denied"}]
        if action == "ListCommands":
            return [{"Response": "Success", **mark, **self.commands}]
        if action != "QueueSummary":
            return [{"Response": "Success", **mark}]
        wanted = asked.get("Queue", "")
        self.questions.append(wanted)
        if self.silent:
            return []
        found = {name: held for name, held in self.queues.items() if wanted in ("", name)}
        summary = [{"Event": "QueueSummary", "Queue": name, **held, **mark} for name, held in found.items()]
        begin = {"Response": "Success", **mark, "EventList": "start", "Message": "Queue summary will follow"}
        return [begin, *summary, {"Event": "QueueSummaryComplete", **mark, "EventList": "Complete"}]
