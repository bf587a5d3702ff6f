"""The settings in force, to be read. Nothing secret is in them: passwords and tokens stand in files of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, SecretStr

from agent.config.settings import Settings
from agent.console.views.labels import humanise

_HIDDEN = ("password", "secret", "token", "key")


@dataclass(frozen=True)
class SettingRow:
    """One setting."""

    key: str
    value: str
    changed: bool
    """It is another than the one Orderline comes with."""


@dataclass(frozen=True)
class SettingGroup:
    """The settings of one part."""

    name: str
    rows: tuple[SettingRow, ...]


def settings_view(settings: Settings) -> tuple[SettingGroup, ...]:
    """Return all settings by their part, those that stand at the top first."""
    top: list[SettingRow] = []
    groups: list[SettingGroup] = []
    usual = Settings()
    for name in type(settings).model_fields:
        value, given = getattr(settings, name), getattr(usual, name)
        if isinstance(value, BaseModel):
            groups.append(SettingGroup(humanise(name), tuple(_rows(name, value, given))))
        elif isinstance(value, Mapping) or (isinstance(value, tuple) and value and isinstance(value[0], BaseModel)):
            groups.append(SettingGroup(humanise(name), tuple(_parts(name, value))))
        else:
            top.append(_row(name, value, given))
    return (SettingGroup("Whole agent", tuple(top)), *(group for group in groups if group.rows))


def _rows(place: str, part: BaseModel, usual: object) -> Iterator[SettingRow]:
    for name in type(part).model_fields:
        value, given = getattr(part, name), getattr(usual, name, None)
        if isinstance(value, BaseModel):
            yield from _rows(f"{place}.{name}", value, given)
        elif isinstance(value, Mapping) or (isinstance(value, tuple) and value and isinstance(value[0], BaseModel)):
            yield from _parts(f"{place}.{name}", value)
        else:
            yield _row(f"{place}.{name}", value, given)


def _parts(place: str, parts: object) -> Iterator[SettingRow]:
    named = parts.items() if isinstance(parts, Mapping) else enumerate(parts if isinstance(parts, tuple) else ())
    for name, part in named:
        if isinstance(part, BaseModel):
            yield from _rows(f"{place}.{name}", part, type(part).model_construct())
        else:
            yield _row(f"{place}.{name}", part, None)


def _row(key: str, value: object, usual: object) -> SettingRow:
    last = key.rsplit(".", 1)[-1]
    hidden = isinstance(value, SecretStr) or (
        any(word in last for word in _HIDDEN) and not last.endswith(("_file", "_minutes", "_hours", "_seconds"))
    )
    shown = ("(set, not shown)" if value else "") if hidden else _text(value)
    return SettingRow(key, shown or "–", changed=value != usual)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list | frozenset | set):
        return ", ".join(map(_text, value))
    return "" if value is None else str(value)
