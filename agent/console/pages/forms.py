"""What a plain HTML form sent."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web


class SentForm:
    """The text fields of a form; files are passed over."""

    def __init__(self, fields: Mapping[str, tuple[str, ...]]) -> None:
        self._fields = fields

    def text(self, name: str) -> str:
        """Return a field, without spaces around it; ``""`` where there is none."""
        return self.secret(name).strip()

    def secret(self, name: str) -> str:
        """Return a field as it was typed."""
        return self._fields.get(name, ("",))[-1]

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a field that may stand several times."""
        return tuple(filter(None, self._fields.get(name, ())))


async def sent_form(request: web.Request) -> SentForm:
    """Read the body of a request as a form."""
    fields: dict[str, tuple[str, ...]] = {}
    sent = await request.post()
    for name in sent:
        fields[name] = tuple(value for value in sent.getall(name) if isinstance(value, str))
    return SentForm(fields)
