"""The console asks all instances of the agent on its machine, and the other nodes."""

from __future__ import annotations

from agent.config.settings import Settings
from agent.console.assembly import node_addresses


def test_each_instance_is_asked_at_its_own_port() -> None:
    settings = Settings.model_validate(
        {
            "instances": 2,
            "console": {"nodes": [{"name": "there", "url": "http://192.0.2.1:8188", "token_file": "/dev/null"}]},
        }
    )
    assert [(node.name, node.url) for node in node_addresses(settings)] == [
        ("here", "http://127.0.0.1:8188"),
        ("here-2", "http://127.0.0.1:8200"),
        ("there", "http://192.0.2.1:8188"),
    ]
