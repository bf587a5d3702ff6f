"""The page for Prometheus: what happened on the calls, and how the dependencies are."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from agent.telemetry.event_bus import EventBus
from agent.telemetry.events import CallEvent, EffectEnded, HandedOver
from agent.telemetry.health import Dependency, overall_status, shop_dependencies, voice_dependency
from agent.telemetry.metrics import Metrics
from tests.call_events import agent_said, call_began, call_finished, caller_said


def samples(metrics: Metrics, status: dict[str, object] | None = None) -> dict[str, float]:
    """``name{label="value"}`` -> value of every sample on the page."""
    page = metrics.text(status or {}).decode()
    found = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def count(metrics: Metrics, *events: CallEvent) -> None:
    bus = EventBus()
    bus.subscribe(metrics.count)
    for event in events:
        bus.publish(event)


def handed_over(reason: str) -> HandedOver:
    return HandedOver("call-1", reason, queue="", priority=0, summary="", ticket="T-1", facts={})


def test_second_opinions_are_counted_by_what_came_of_them() -> None:
    metrics = Metrics()
    outcomes = ("used", "late", "", "used")
    count(metrics, *(caller_said(second_opinion=outcome) for outcome in outcomes))
    page = samples(metrics)
    assert page['orderline_second_opinions_total{result="used"}'] == 2
    assert page['orderline_second_opinions_total{result="late"}'] == 1
    assert 'orderline_second_opinions_total{result=""}' not in page


def test_a_call_is_counted_from_start_to_end() -> None:
    metrics = Metrics()
    count(
        metrics,
        call_began(),
        agent_said(),
        caller_said(barged_in=True),
        agent_said(response_ms=250.0),
        EffectEnded("call-1", "orders.verify", "not_found", 31.0),
        handed_over("caller_asked"),
    )
    page = samples(metrics)
    assert page["orderline_live_calls{}"] == 1
    assert page["orderline_barge_ins_total{}"] == 1
    assert page['orderline_turns_total{via="speech"}'] == 1
    assert page["orderline_response_seconds_count{}"] == 1
    assert page['orderline_response_seconds_bucket{le="0.3"}'] == 1
    assert page['orderline_response_seconds_bucket{le="0.2"}'] == 0
    assert page['orderline_effect_seconds_count{code="not_found",name="orders.verify"}'] == 1
    assert page['orderline_handovers_total{reason="caller_asked"}'] == 1
    count(metrics, call_finished(record={"greeting_ms": 120}))
    page = samples(metrics)
    assert page["orderline_live_calls{}"] == 0
    assert page['orderline_calls_total{outcome="handed_over"}'] == 1
    assert page["orderline_greeting_seconds_sum{}"] == 0.12
    assert page["orderline_call_faults_total{}"] == 0


def test_what_callers_say_cannot_make_endless_series_nor_break_the_page() -> None:
    metrics = Metrics()
    count(metrics, *(handed_over(f'x{number}"}} 1\n') for number in range(500)))
    reasons = [name for name in samples(metrics) if name.startswith("orderline_handovers_total")]
    assert len(reasons) == 61
    assert 'orderline_handovers_total{reason="other"}' in reasons


def test_dependencies_and_deliveries_are_numbers_too() -> None:
    dependencies = [Dependency("asterisk", "down"), Dependency("redis", "off"), Dependency("voice", "ok")]
    page = samples(Metrics(), overall_status({"version": "1"}, dependencies, {"waiting": 3, "dead": 1}))
    assert page['orderline_dependency_up{dependency="asterisk"}'] == 0
    assert page['orderline_dependency_up{dependency="voice"}'] == 1
    assert 'orderline_dependency_up{dependency="redis"}' not in page
    assert page['orderline_outbox_entries{state="waiting"}'] == 3


def test_the_whole_is_down_without_something_vital_and_degraded_without_the_rest() -> None:
    assert overall_status({}, [Dependency("asterisk", "down")], {})["state"] == "down"
    assert (
        overall_status({}, [Dependency("shop:oscar", "down"), Dependency("asterisk", "ok")], {})["state"] == "degraded"
    )
    assert overall_status({}, [Dependency("ami", "off"), Dependency("asterisk", "ok")], {})["state"] == "ok"


def test_an_open_breaker_is_a_system_that_is_down() -> None:
    states = shop_dependencies(
        {"a": {"breaker": "open", "last_error": "500"}, "b": {"breaker": "closed", "last_error": ""}}
    )
    assert [(one.name, one.state) for one in states] == [("shop:a", "down"), ("shop:b", "ok")]


def test_the_voice_is_down_when_no_engine_speaks() -> None:
    assert voice_dependency({"hibari": False, "pyttsx3": True}).state == "ok"
    assert voice_dependency({"hibari": False}).state == "down"
