"""orderline check knows the set of instances: the dialplan's list, modules, stores, units."""

from __future__ import annotations

import pytest

from agent.config.settings import Settings
from agent.preflight.instances import MODULES, apps_finding, module_findings, shared_store_findings, unit_findings


def test_an_agent_alone_is_told_nothing_of_instances() -> None:
    alone = Settings()
    assert list(shared_store_findings(alone)) == []
    assert list(unit_findings(alone, lambda _: True)) == []
    assert apps_finding("", ("orderline",)) is None


@pytest.mark.parametrize(
    ("listed", "verdict", "told"),
    [
        ("", "failed", "not set"),
        ("orderline", "failed", "lacks orderline-2"),
        ("orderline&orderline-2", "ok", "names them all"),
        ("orderline-2&orderline", "ok", "names them all"),
        ("orderline&orderline-2&orderline-3", "warning", "orderline-3"),
    ],
)
def test_the_dialplans_list_is_compared_with_the_settings(listed: str, verdict: str, told: str) -> None:
    found = apps_finding(listed, ("orderline", "orderline-2"))
    assert found is not None
    assert found.verdict == verdict
    assert told in found.detail
    assert verdict == "ok" or "ORDERLINE_APPS=orderline&orderline-2" in found.fix


def test_a_list_that_is_left_over_from_several_instances_is_told() -> None:
    found = apps_finding("orderline&orderline-2", ("orderline",))
    assert found is not None
    assert found.verdict == "warning"


def test_without_shared_stores_it_says_what_is_lost() -> None:
    several = Settings(instances=2)
    assert [one.verdict for one in shared_store_findings(several)] == ["ok", "warning", "warning"]


def test_every_further_instance_runs_where_the_first_one_does() -> None:
    several = Settings(instances=3)
    running = {"orderline", "orderline@3"}
    assert [one.fix for one in unit_findings(several, running.__contains__)] == ["systemctl enable --now orderline@2"]
    assert list(unit_findings(several, lambda _: None)) == []


def test_a_missing_module_is_named() -> None:
    assert list(module_findings(set(MODULES))) == []
    assert "func_lock.so" in next(iter(module_findings(set(MODULES) - {"func_lock.so"}))).detail
