"""A call and its job: what the conversation begins with, what it may ask of the dialler, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent.app.outbound_calls import CallJob, OutboundOperations, call_result, note_result
from agent.app.outbound_news import JobNews
from agent.call.records import Caller, CallRecord, OutboundPart
from agent.common.service_error import ServiceError
from agent.config.outbound import OutboundSettings, SurveySelectionSettings
from agent.config.shop import ShopSettings
from agent.dialog.callee import OutboundStory
from agent.outbound.clock import SystemClock
from agent.outbound.model import (
    Attempt,
    AttemptState,
    CallOutcome,
    Job,
    JobFacts,
    Purpose,
    Reached,
    SuppressionScope,
)
from agent.outbound.policy import DialRules
from agent.outbound.ports import CallBackRefused
from agent.outbound.results import CallResults
from agent.outbound.store import OutboundStore

NUMBER = "+12025550143"
SHOP = ShopSettings(name="Maple and Finch")
NOW = datetime(2026, 11, 30, 15, tzinfo=UTC)
JOB = Job(
    "delivery:10473:all", Purpose.DELIVERY, NUMBER,
    JobFacts("Maple and Finch", "Maria", "10473", date(2026, 11, 27), 2), "order_terms", NOW, NOW,
)  # fmt: skip
ATTEMPT = Attempt("ob-1-z", JOB.key, Purpose.DELIVERY, NUMBER, NOW, AttemptState.ANSWERED, last=True)


def record(outcome: str, handover: Mapping[str, Any] | None = None) -> CallRecord:
    return CallRecord("ob-1-z", Caller(NUMBER), "", outcome=outcome, handover=dict(handover) if handover else None)


class Inner:
    async def perform(self, name: str, arguments: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        return {"inner": name}


class Results:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        async def note(*arguments: Any) -> None:
            self.told.append((name, *arguments))

        return note


def test_before_the_right_person_the_conversation_is_told_nothing_of_the_order() -> None:
    call = CallJob(JOB, ATTEMPT)
    facts = call.facts(OutboundSettings(caller_id="+12025550100"))
    assert facts == {
        "purpose": "delivery", "name": "Maria", "call_back": "+12025550100", "message": True, "rang_back": False,
        "measure": "", "comment": False,
    }  # fmt: skip
    assert call.matter() == {"order_number": "10473", "delivered_on": "2026-11-27", "parcels": 2, "subject": ""}


@pytest.mark.parametrize(("last", "wanted", "left"), [(True, False, False), (False, True, False), (True, True, True)])
def test_a_message_is_left_on_the_last_attempt_alone_and_only_where_it_is_wanted(
    last: bool, wanted: bool, left: bool
) -> None:
    attempt = Attempt("ob-1-z", JOB.key, Purpose.DELIVERY, NUMBER, NOW, AttemptState.ANSWERED, last=last)
    assert CallJob(JOB, attempt).facts(OutboundSettings(voicemail_message=wanted))["message"] is left


@pytest.mark.parametrize(
    ("outcome", "story", "reached", "came_to"),
    [
        ("answered", OutboundStory("right_person", "completed"), Reached.RIGHT_PERSON, CallOutcome.COMPLETED),
        ("caller_hung_up", OutboundStory("right_person", "partial"), Reached.RIGHT_PERSON, CallOutcome.PARTIAL),
        ("caller_hung_up", OutboundStory("right_person"), Reached.RIGHT_PERSON, CallOutcome.PARTIAL),
        ("caller_hung_up", OutboundStory("person"), Reached.PERSON, CallOutcome.NOT_REACHED),
        ("caller_hung_up", OutboundStory(), Reached.SILENT, CallOutcome.NOT_REACHED),
        ("message_left", OutboundStory("voicemail", message_left=True), Reached.VOICEMAIL, CallOutcome.NOT_REACHED),
        ("handed_over", OutboundStory("right_person", "partial"), Reached.RIGHT_PERSON, CallOutcome.HANDED_OVER),
        ("answered", OutboundStory("person", "opted_out"), Reached.PERSON, CallOutcome.OPTED_OUT),
        ("informed", OutboundStory("right_person", "opted_out"), Reached.RIGHT_PERSON, CallOutcome.OPTED_OUT),
        ("informed", OutboundStory("right_person", "partial"), Reached.RIGHT_PERSON, CallOutcome.FAILED),
        ("failed", OutboundStory(), Reached.PERSON, CallOutcome.FAILED),
        ("answered", OutboundStory("person", "a word nobody knows"), Reached.PERSON, CallOutcome.NOT_REACHED),
    ],
)
def test_what_a_call_came_to(outcome: str, story: OutboundStory, reached: Reached, came_to: CallOutcome) -> None:
    result = call_result(record(outcome), story, UTC)
    assert (result.reached, result.outcome, result.call_id) == (reached, came_to, "ob-1-z")
    assert result.message_left == story.message_left


async def test_an_opt_out_that_could_not_be_written_when_it_was_said_is_written_at_the_end() -> None:
    story = OutboundStory("person", "opted_out")
    assert call_result(record("opted_out"), story, UTC).opted_out is SuppressionScope.ALL
    written = record("opted_out")
    written.outbound = OutboundPart(opted_out="surveys")
    assert call_result(written, story, UTC).opted_out is None
    results = Results()
    await note_result(results, CallJob(JOB, ATTEMPT, rang_back=True), record("answered"), story, UTC)
    assert [told[0] for told in results.told] == ["suppress", "rang_back"]


def test_a_session_that_broke_is_a_fault_of_ours() -> None:
    assert call_result(None, None, UTC).outcome is CallOutcome.FAILED


def test_a_time_to_call_again_is_the_shops_local_time_and_nonsense_is_none() -> None:
    zone = ZoneInfo("America/New_York")
    story = OutboundStory("right_person", "later", "2026-12-01T17:00:00")
    assert call_result(record("answered"), story, zone).appointment == datetime(2026, 12, 1, 17, tzinfo=zone)
    assert call_result(record("answered"), OutboundStory(appointment="soon"), zone).appointment is None


@pytest.mark.parametrize(
    ("number", "zone", "hour"),
    [("+12025550143", "", 10), ("+12025550143", "America/Los_Angeles", 7), ("+883510000000000", "", 15)],
)
def test_the_hour_that_a_customer_names_is_one_of_their_own_clock(number: str, zone: str, hour: int) -> None:
    call = CallJob(replace(JOB, number=number, zone=zone), ATTEMPT)
    assert call.local(NOW) == NOW
    assert call.local(NOW).hour == hour


def test_the_ticket_of_a_hand_over_is_the_case() -> None:
    handed = record("handed_over", {"ticket": "T-1001"})
    assert call_result(handed, OutboundStory("right_person"), UTC).case == "T-1001"


def test_the_ticket_of_a_promised_call_back_is_the_case() -> None:
    asked = record("answered")
    asked.outbound = OutboundPart(case="T-1002")
    assert call_result(asked, OutboundStory("right_person"), UTC).case == "T-1002"


async def test_an_opt_out_is_written_before_it_is_answered() -> None:
    results = Results()
    services = OutboundOperations(Inner(), results, CallJob(JOB, ATTEMPT), "ob-1-z", NUMBER, SHOP)
    assert await services.perform("outbound.suppress", {"scope": "all"}, "") == {"suppressed": {"scope": "all"}}
    assert results.told == [("suppress", NUMBER, SuppressionScope.ALL, "call:ob-1-z")]
    with pytest.raises(ServiceError):
        await services.perform("outbound.suppress", {"scope": "whatever"}, "")
    assert await services.perform("orders.find", {}, "") == {"inner": "orders.find"}


async def test_a_caller_whose_number_is_withheld_cannot_be_put_on_the_list() -> None:
    with pytest.raises(ServiceError):
        await OutboundOperations(Inner(), Results(), None, "c1", "", SHOP).perform("outbound.suppress", {}, "")


def test_what_a_survey_asks_besides_is_known_to_the_conversation() -> None:
    outbound = OutboundSettings(survey=SurveySelectionSettings(measure="nps", comment=True))
    facts = CallJob(JOB, ATTEMPT).facts(outbound)
    assert (facts["measure"], facts["comment"]) == ("nps", True)


async def unheard(_: object) -> None:
    """Tell nobody."""


async def test_an_answer_outside_a_survey_is_refused_and_a_file_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(ServiceError):
        await OutboundOperations(Inner(), Results(), None, "c1", NUMBER, SHOP).perform("outbound.answer", {}, "")
    (tmp_path / "taken").write_text("no directory")
    store = OutboundStore(tmp_path / "taken")
    results = CallResults(store, JobNews(unheard, store), DialRules(hours={}), SystemClock(), None)
    with pytest.raises(ServiceError) as refused:
        await OutboundOperations(Inner(), results, None, "c1", NUMBER, SHOP).perform("outbound.suppress", {}, "")
    assert refused.value.code == "unavailable"
    await note_result(results, CallJob(JOB, ATTEMPT), record("answered"), None, UTC)  # raises nothing
    await store.close()


async def test_a_call_back_is_promised_to_the_number_of_the_call() -> None:
    results = Results()
    services = OutboundOperations(Inner(), results, None, "c1", NUMBER, SHOP)
    promised = await services.perform("outbound.call_back", {"order_number": "10473"}, "")
    assert promised == {"call_back": {"promised": True}}
    assert results.told == [("promise_call_back", "c1", NUMBER, JobFacts("Maple and Finch", order_number="10473"))]


@pytest.mark.parametrize("number", ["", "+19005550143", "+18095550143", "+5312345678"])
async def test_no_call_back_is_promised_to_numbers_that_may_be_forged_to_cost_money(number: str) -> None:
    results = Results()
    with pytest.raises(ServiceError) as refused:
        await OutboundOperations(Inner(), results, None, "c1", number, SHOP).perform("outbound.call_back", {}, "")
    assert (refused.value.code, results.told) == ("not_allowed", [])


async def test_a_call_back_that_would_not_be_made_is_refused_in_words_the_procedures_know() -> None:
    class Refusing(Results):
        async def promise_call_back(self, *_: Any) -> str:
            raise CallBackRefused("calls to customers are paused")

    with pytest.raises(ServiceError) as refused:
        await OutboundOperations(Inner(), Refusing(), None, "c1", NUMBER, SHOP).perform("outbound.call_back", {}, "")
    assert refused.value.code == "not_allowed"


async def test_what_a_customer_who_rings_back_says_is_told_of_their_job() -> None:
    results = Results()
    story = OutboundStory("right_person", "later", "2026-12-01T17:00:00")
    await note_result(results, CallJob(JOB, ATTEMPT, rang_back=True), record("answered"), story, UTC)
    [(name, key, result)] = results.told
    assert (name, key, result.outcome) == ("rang_back", JOB.key, CallOutcome.LATER)
    assert result.appointment == datetime(2026, 12, 1, 17, tzinfo=UTC)
