"""Authenticates requests to a mapped system: basic, bearer, headers, query values, OAuth2 client credentials."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from agent.common.service_error import ServiceError
from agent.shop.http import sources
from agent.shop.http.access import Auth, OAuth2
from agent.shop.http.response import UnreadableResponse, parse_json
from agent.shop.http.transport import Deadline, OutgoingRequest, Transport

RENEW_BEFORE_SECONDS = 30.0
"""A token is not used in its last seconds: it would run out on the way."""
DEFAULT_LIFE_SECONDS = 300.0
"""When the token endpoint does not say."""


@dataclass(frozen=True)
class Credentials:
    """What goes with one request."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)


class Authenticator:
    """Gives every request of one system its credentials."""

    def __init__(self, auth: Auth, transport: Transport, clock: Callable[[], float]) -> None:
        self._auth = auth
        self._tokens = None if auth.oauth2 is None else OAuthTokens(auth.oauth2, transport, clock)

    @property
    def renewable(self) -> bool:
        """Whether a refusal is worth a second try with fresh credentials."""
        return self._tokens is not None

    async def credentials(self, deadline: Deadline, refused: Credentials | None = None) -> Credentials:
        """Return what goes with a request; ``refused`` is what the system has just refused.

        Raises ServiceError ``unavailable`` when a secret is missing or no token is given.
        """
        try:
            return await self._make(deadline, refused)
        except sources.SecretMissing as error:
            raise ServiceError("unavailable", error.message) from error

    async def _make(self, deadline: Deadline, refused: Credentials | None) -> Credentials:
        auth = self._auth
        if auth.basic is not None:
            pair = f"{sources.read(auth.basic.user)}:{sources.read(auth.basic.password)}"
            return Credentials({"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"})
        if auth.bearer is not None:
            return Credentials({"Authorization": f"Bearer {sources.read(auth.bearer)}"})
        if auth.headers is not None:
            return Credentials({name: sources.read(source) for name, source in auth.headers.items()})
        if auth.query is not None:
            return Credentials({}, {name: sources.read(source) for name, source in auth.query.items()})
        if self._tokens is not None:
            old = (refused.headers if refused else {}).get("Authorization", "").removeprefix("Bearer ")
            return Credentials({"Authorization": f"Bearer {await self._tokens.token(deadline, old)}"})
        return Credentials()


class OAuthTokens:
    """OAuth2 client credentials (RFC 6749, 4.4): one token for all, renewed shortly before it runs out."""

    def __init__(self, spec: OAuth2, transport: Transport, clock: Callable[[], float]) -> None:
        self._spec = spec
        self._transport = transport
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token = ""
        self._until = 0.0

    async def token(self, deadline: Deadline, refused: str = "") -> str:
        """Return a token other than the one just refused; many who ask at once cause one request."""
        async with self._lock:
            if not self._token or self._token == refused or self._clock() >= self._until:
                self._token, self._until = await self._fetch(deadline)
            return self._token

    async def _fetch(self, deadline: Deadline) -> tuple[str, float]:
        spec = self._spec
        client, secret = sources.read(spec.client_id), sources.read(spec.client_secret)
        form = {"grant_type": "client_credentials", "scope": spec.scope, "audience": spec.audience}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if spec.send_as == "form":
            form |= {"client_id": client, "client_secret": secret}
        else:
            pair = f"{quote_plus(client)}:{quote_plus(secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        body = "&".join(f"{name}={quote_plus(value)}" for name, value in form.items() if value).encode()
        sent = OutgoingRequest("POST", spec.token_url, headers, body, what="the token endpoint", changes=False)
        answer = await self._transport.send(sent, deadline)
        if answer.status != 200:
            fix = f"see {sources.where(spec.client_id)} and {sources.where(spec.client_secret)}"
            raise ServiceError("unavailable", f"the token endpoint answers {answer.status}; {fix}")
        try:
            data = parse_json(answer)
        except UnreadableResponse as error:
            raise ServiceError("unavailable", f"the answer of the token endpoint {error}") from None
        token = data.get("access_token") if isinstance(data, dict) else None
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise ServiceError("unavailable", "the answer of the token endpoint has no access_token")
        life = data.get("expires_in")
        if isinstance(life, str) and life.isdecimal():
            life = float(life[:9])
        if isinstance(life, bool) or not isinstance(life, int | float) or not 0 < life < 10**9:
            life = DEFAULT_LIFE_SECONDS
        return token, self._clock() + max(life - RENEW_BEFORE_SECONDS, life / 2)
