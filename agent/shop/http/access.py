"""Mapping models for reaching a system: secrets, authentication, certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

SECRET_WORDS = ("password", "secret", "token", "key", "authorization")


class MappingPart(BaseModel):
    """What every part of a mapping has in common: unknown keys are mistakes, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def short(key: str) -> BeforeValidator:
    """Let a plain text stand for a mapping with one key."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


class SecretSource(MappingPart):
    """Where a secret is: an environment variable or a file that holds nothing else."""

    env: str = ""
    file: Path | None = None

    @model_validator(mode="after")
    def _one(self) -> SecretSource:
        if bool(self.env) == (self.file is not None):
            raise ValueError("give either env: NAME or file: PATH")
        return self


class ValueSource(MappingPart):
    """A text of the file itself, or a secret from somewhere else."""

    value: str = ""
    env: str = ""
    file: Path | None = None

    @model_validator(mode="after")
    def _one(self) -> ValueSource:
        if sum((bool(self.value), bool(self.env), self.file is not None)) != 1:
            raise ValueError("give a text, env: NAME or file: PATH")
        return self


Value = Annotated[ValueSource, short("value")]


class BasicAuth(MappingPart):
    """User and password in the Authorization header."""

    user: Value
    password: SecretSource


class OAuth2(MappingPart):
    """OAuth2 client credentials."""

    token_url: str = Field(pattern=r"^https?://")
    client_id: Value
    client_secret: SecretSource
    scope: str = ""
    audience: str = ""
    send_as: Literal["basic", "form"] = "basic"
    """Where the token endpoint wants the client's id and secret: the Authorization header or the form."""


class Auth(MappingPart):
    """How the system knows us: at most one of these."""

    basic: BasicAuth | None = None
    bearer: SecretSource | None = None
    headers: dict[str, Value] | None = None
    query: dict[str, Value] | None = None
    oauth2: OAuth2 | None = None

    @model_validator(mode="after")
    def _one(self) -> Auth:
        if len(self.model_fields_set) > 1:
            raise ValueError(f"give only one of {', '.join(type(self).model_fields)}")
        for name, source in {**(self.headers or {}), **(self.query or {})}.items():
            if source.value and any(word in name.lower() for word in SECRET_WORDS):
                raise ValueError(f"{name} is a secret: give env: NAME or file: PATH instead of its text")
        return self


class Tls(MappingPart):
    """Whom to trust. Certificates are always verified."""

    ca_file: Path | None = None
    """PEM file of the authority that signed the system's certificate; instead of the machine's own authorities."""
