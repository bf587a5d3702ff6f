"""One configuration for several instances: the first is what a single agent is, the others stand beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config.base import SettingsError
from agent.config.instances import all_instances, instance_settings
from agent.config.settings import Settings


def settings(**more: object) -> Settings:
    return Settings.model_validate({"state_directory": "/var/lib/orderline", **more})


def test_the_first_instance_is_the_single_agent_unchanged() -> None:
    alone = settings()
    assert instance_settings(alone, 1) == alone
    assert alone.shared_directory == alone.state_directory == Path("/var/lib/orderline")
    assert alone.instance == 1


def test_no_two_instances_share_an_application_a_port_or_a_state_directory() -> None:
    whole = settings(
        instances=4, fastagi={"host": "127.0.0.1"}, media={"audiosocket_port": 9000}, outbound={"enabled": False}
    )
    found = all_instances(whole)
    assert [one.instance for one in found] == [1, 2, 3, 4]
    assert [one.ari.app for one in found] == ["orderline", "orderline-2", "orderline-3", "orderline-4"]
    ports = [
        *(one.control.port for one in found),
        *(one.fastagi.port for one in found),
        *(one.media.audiosocket_port for one in found),
        whole.console.port,
    ]
    assert len(set(ports)) == len(ports)
    assert len({one.state_directory for one in found}) == 4
    assert {one.shared_directory for one in found} == {Path("/var/lib/orderline")}


def test_a_port_that_is_left_to_the_system_stays_so() -> None:
    one = instance_settings(settings(instances=2, control={"port": 0}), 2)
    assert (one.control.port, one.media.audiosocket_port) == (0, 0)


def test_customers_are_called_by_the_first_instance_alone() -> None:
    whole = settings(
        instances=2,
        ami={"host": "127.0.0.1"},
        outbound={
            "enabled": True,
            "trunk": "PJSIP/{number}@carrier",
            "trunk_channels": 2,
            "caller_id": "+12025550100",
            "triggers": {"enabled": True},
        },
    )
    first, second = all_instances(whole)
    assert (first.outbound.enabled, first.outbound.triggers.enabled) == (True, True)
    assert (second.outbound.enabled, second.outbound.triggers.enabled) == (False, False)


@pytest.mark.parametrize("number", [0, 3, -1])
def test_a_number_beyond_the_set_is_refused(number: int) -> None:
    with pytest.raises(SettingsError, match=r"instances in orderline\.yaml is 2"):
        instance_settings(settings(instances=2), number)
