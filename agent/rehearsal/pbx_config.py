"""Renders a private Asterisk's configuration from the files an administrator gets, plus a little glue."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from agent.common.resources import resource_directory
from agent.errors import OrderlineError

CONF_DIR = Path(__file__).resolve().parent / "conf"

SHARED_WITH_PHONES = ("modules.conf", "http.conf", "rtp.conf", "logger.conf")
"""The shipped files that also serve the second Asterisk."""

EMPTY = (
    "acl",
    "amd",
    "ccss",
    "cdr",
    "cel",
    "chan_websocket",
    "codecs",
    "dsp",
    "features",
    "pjproject",
    "queuerules",
    "queues",
    "stasis",
    "udptl",
    "websocket_client",
)
"""Files Asterisk misses aloud though their defaults are all we want."""

_PLACEHOLDER = re.compile(r"@([A-Z][A-Z_]*)@")


class PbxConfigError(OrderlineError):
    """A configuration template asks for a value nobody gives."""

    code = "pbx_template"


def pbx_templates() -> dict[str, str]:
    """Return file name -> template of the PBX: the shipped files, the dialplan, the glue; same names are joined."""
    return _layers(
        {path.name: path for path in resource_directory("asterisk-conf").glob("*.conf")},
        {path.name: path for path in resource_directory("dialplan").glob("*.conf")},
        _conf("common"),
        _conf("a-glue"),
    )


def phones_templates() -> dict[str, str]:
    """Return file name -> template of the second Asterisk, which plays the carrier and the phones."""
    shipped = resource_directory("asterisk-conf")
    return _layers({name: shipped / name for name in SHARED_WITH_PHONES}, _conf("common"), _conf("b"))


def render(templates: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """Fill in every ``@NAME@``. Raises :class:`PbxConfigError` with file and name for one without a value."""

    def fill(name: str, text: str) -> str:
        missing = sorted({word for word in _PLACEHOLDER.findall(text) if word not in values})
        if missing:
            raise PbxConfigError(f"{name}: no value for @{'@, @'.join(missing)}@.")
        return _PLACEHOLDER.sub(lambda found: values[found[1]], text)

    return {name: fill(name, text) for name, text in templates.items()}


def _conf(name: str) -> dict[str, Path]:
    return {path.name: path for path in (CONF_DIR / name).glob("*.conf")}


def _layers(*layers: Mapping[str, Path]) -> dict[str, str]:
    texts = {f"{name}.conf": "; nothing: the defaults are right\n" for name in EMPTY}
    for layer in layers:
        for name, path in sorted(layer.items()):
            texts[name] = texts.get(name, "") + path.read_text(encoding="utf-8")
    return texts
