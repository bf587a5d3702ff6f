"""Log formats: plain text for the journal, or one JSON object a line; each line knows its call."""

from __future__ import annotations

import contextvars
import json
import logging
from datetime import datetime
from typing import Any

from agent.common.untrusted import printable

CALL_ID: contextvars.ContextVar[str] = contextvars.ContextVar("call_id", default="")
"""The call this task works for; tasks that it starts inherit it."""

TEXT_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s%(of_call)s"


class _CallId(logging.Filter):
    """Gives every record the id of the call it belongs to."""

    def filter(self, record: logging.LogRecord) -> bool:
        call_id = CALL_ID.get()
        record.call_id = call_id
        record.of_call = f" [call {call_id}]" if call_id and call_id not in record.getMessage() else ""
        return True


class OneLineFormatter(logging.Formatter):
    """Text in which a message can neither begin a line of its own nor steer a terminal, whatever it quotes."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record; the lines of a trace stay lines."""
        return printable(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Format the message without line ends."""
        return " ".join(super().formatMessage(record).splitlines())


class JsonFormatter(logging.Formatter):
    """``time`` (ISO 8601), ``level``, ``logger``, ``message``, and ``call_id``, ``exception`` where there are any."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record as one line."""
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if call_id := getattr(record, "call_id", ""):
            told["call_id"] = call_id
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return printable(json.dumps(told, ensure_ascii=False))


def set_up_logging(level: str, form: str) -> None:
    """Log to standard error; ``form`` is ``text`` or ``json``."""
    handler = logging.StreamHandler()
    handler.addFilter(_CallId())
    handler.setFormatter(JsonFormatter() if form == "json" else OneLineFormatter(TEXT_FORMAT))
    logging.basicConfig(level=level, handlers=[handler], force=True)
