"""The fault matrix without its calls: which cells there are, the made-up systems, and the judgement."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from agent.common.service_error import ServiceError
from agent.records.delivery import DeliveryFailed
from agent.records.webhook_events import envelope
from agent.records.webhooks import InvalidWebhookCa, WebhookEndpoint, WebhookSender, read_secrets, tls_context_of
from agent.rehearsal.result import Check, ScriptedCallResult, TurnResult
from agent.rehearsal.script_reader import load_script
from agent.shop.http.mapping_files import load_directory
from agent.shop.http.shop import HttpShop, open_http_shop
from agent.shop.messages import MessageDraft
from agent.shop.models import TicketDraft
from agent.shop.returns import ReturnDraft
from benchmarks.shop_faults.cell_evaluation import AgentFileFindings, evaluate_cell, scan_log, spoken_digits
from benchmarks.shop_faults.cells import FAULTS, SYSTEMS, FaultCell, NoSuchCell, all_cells, cells_chosen
from benchmarks.shop_faults.effect_log import EffectLog
from benchmarks.shop_faults.faulty_shop import FaultyShop
from benchmarks.shop_faults.matrix import SCRIPTS, write_settings
from benchmarks.shop_faults.table import row, summary

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
TODAY = dt.datetime.now().astimezone().date()


class TestTheCells:
    def test_every_system_meets_every_fault_that_means_something_for_it(self) -> None:
        cells = all_cells()
        assert len(cells) == len(SYSTEMS) * len(FAULTS) - 7
        for fault in ("down", "500", "slow", "dripping", "malformed", "wrong_type", "certificate", "429"):
            assert {cell.system for cell in cells if cell.fault == fault} == set(SYSTEMS)

    def test_every_cell_has_a_caller(self) -> None:
        scripts = {script.name for script in load_script(SCRIPTS)}
        assert {f"{cell.system} {cell.ending}" for cell in all_cells()} == scripts

    def test_some_are_chosen_by_system_by_fault_or_both(self) -> None:
        assert cells_chosen("") == all_cells()
        assert [cell.name for cell in cells_chosen("tickets:late, orders:500")] == ["orders:500", "tickets:late"]
        assert {cell.system for cell in cells_chosen("429")} == set(SYSTEMS)
        assert {cell.fault for cell in cells_chosen("returns")} == set(FAULTS)

    @pytest.mark.parametrize("only", ["order:500", "orders:5000", "orders:late", "fire"])
    def test_what_is_not_there_is_refused_by_name(self, only: str) -> None:
        with pytest.raises(NoSuchCell, match=only):
            cells_chosen(only)

    def test_what_was_not_confirmed_is_expected_in_the_books_only_where_the_system_acted(self) -> None:
        assert FaultCell("deliveries", "late").effects == {"deliveries": 1, "returns": 0, "messages": 0, "tickets": 1}
        assert FaultCell("deliveries", "500").effects == {"deliveries": 0, "returns": 0, "messages": 0, "tickets": 1}
        assert FaultCell("messages", "down").effects == {"deliveries": 0, "returns": 0, "messages": 1, "tickets": 0}


@pytest.fixture
async def faulty(tmp_path: Path) -> AsyncIterator[FaultyShop]:
    async with FaultyShop(tmp_path, SECRET) as shop:
        yield shop


@pytest.fixture
async def mapped(faulty: FaultyShop, tmp_path: Path) -> AsyncIterator[HttpShop]:
    write_settings(tmp_path, faulty, SECRET)
    specs = [file.system for file in load_directory(tmp_path)]
    shop = open_http_shop(specs, now=lambda: dt.datetime.now().astimezone())
    yield shop
    await shop.close()


async def code_of(work: Any) -> str:
    try:
        await work
    except ServiceError as error:
        return error.code
    return "ok"


async def send_back(shop: HttpShop, key: str = "k") -> str:
    found = await shop.orders.find("52741")
    draft = ReturnDraft("52741", "MUG-2", "changed_mind", "unopened", "label", "original")
    return (await shop.returns.create(draft, found, "MUG-2", TODAY, key)).number


Change = Callable[[HttpShop], Any]


async def reschedule(shop: HttpShop) -> None:
    found = await shop.orders.find("36418")
    await shop.shipments.reschedule(found, TODAY + dt.timedelta(days=2), "", "k")


async def write_ticket(shop: HttpShop) -> None:
    await shop.tickets.create(TicketDraft("complaint", "unhappy"), "k")


async def text(shop: HttpShop) -> None:
    await shop.messages.send(MessageDraft("tracking", "27315", "+12025550143", "Follow it."), "k")


CHANGES: dict[str, Change] = {
    "deliveries": reschedule,
    "returns": send_back,
    "messages": text,
    "tickets": write_ticket,
}


class TestTheSystems:
    async def test_they_work_when_nothing_is_wrong(self, faulty: FaultyShop, mapped: HttpShop) -> None:
        for change in CHANGES.values():
            await change(mapped)
            await change(mapped)  # with the same key
        assert {book: len(effects) for book, effects in faulty.books.effects.items()} == dict.fromkeys(CHANGES, 1)

    @pytest.mark.parametrize("system", CHANGES)
    @pytest.mark.parametrize(
        ("fault", "code", "acts"),
        [
            ("down", "unavailable", 0),
            ("certificate", "unavailable", 0),
            ("429", "unavailable", 0),
            ("500", "timed_out", 0),
            ("redirect", "unavailable", 0),
            ("lying", "timed_out", 0),
            ("malformed", "timed_out", 1),
            ("wrong_type", "timed_out", 1),
            ("huge", "timed_out", 1),
        ],
    )
    async def test_a_change_is_called_made_only_when_it_was_and_unknown_when_it_may_have_been(
        self, faulty: FaultyShop, mapped: HttpShop, system: str, fault: str, code: str, acts: int
    ) -> None:
        await faulty.begin(system, fault)
        found_again = system == "returns" and acts == 1
        assert await code_of(CHANGES[system](mapped)) == ("ok" if found_again else code)
        await faulty.clear_fault()
        assert len(faulty.books.effects[system]) == acts
        assert faulty.books.eavesdropped == 0
        await CHANGES[system](mapped)
        assert len(faulty.books.effects[system]) == 1

    async def test_a_confirmation_with_nothing_behind_it_is_none_where_one_can_look(
        self, faulty: FaultyShop, mapped: HttpShop
    ) -> None:
        await faulty.begin("returns", "untrue")
        assert await code_of(send_back(mapped)) == "timed_out"
        await faulty.clear_fault()
        assert faulty.books.effects["returns"] == []
        assert await send_back(mapped) == faulty.books.effects["returns"][0].number

    async def test_who_asks_twice_for_a_return_without_looking_first_would_get_two(self, faulty: FaultyShop) -> None:
        connector = aiohttp.TCPConnector(
            ssl=tls_context_of(WebhookEndpoint("x", "", (), 1.0, faulty.certificates.ca_file))
        )
        async with aiohttp.ClientSession(connector=connector) as session:
            for _ in range(2):
                async with session.post(faulty.url("returns") + "/returns", json={"key": "k"}) as answer:
                    assert answer.status == 200
        assert faulty.books.doubled() == ("returns k",)

    @pytest.mark.parametrize("fault", ["down", "500", "429", "malformed", "wrong_type", "huge", "certificate", "lying"])
    async def test_no_order_is_told_that_is_not_the_one_asked_for(
        self, faulty: FaultyShop, mapped: HttpShop, fault: str
    ) -> None:
        await faulty.begin("orders", fault)
        assert await code_of(mapped.orders.find("27315")) == "unavailable"
        await faulty.clear_fault()
        assert (await mapped.orders.find("27315")).number == "27315"


class TestTheWebhook:
    def hook(self, faulty: FaultyShop, **changes: Any) -> WebhookEndpoint:
        hook = WebhookEndpoint("books", faulty.url("webhooks"), read_secrets(SECRET), 5.0, faulty.certificates.ca_file)
        return replace(hook, **changes)

    async def post(self, hook: WebhookEndpoint) -> int:
        post = WebhookSender([hook])
        body = envelope("test", "evt_1", "2026-11-24T09:30:00.000+00:00", "", {"message": ""})
        try:
            return (await post.post(hook, body)).status
        finally:
            await post.close()

    async def test_the_same_event_twice_is_one_event(self, faulty: FaultyShop) -> None:
        assert [await self.post(self.hook(faulty)) for _ in range(2)] == [200, 200]
        assert (dict(faulty.books.events), faulty.books.event_ids["evt_1"]) == ({"test": 1}, 2)

    async def test_a_wrong_signature_is_noticed(self, faulty: FaultyShop) -> None:
        other = "whsec_" + base64.b64encode(b"another one of thirty-two bytes.").decode()
        assert await self.post(self.hook(faulty, secrets=read_secrets(other))) == 401
        assert faulty.books.forged == 1

    @pytest.mark.parametrize(("fault", "said"), [("certificate", "not trusted: .*ca_file"), ("down", "no connection")])
    async def test_what_hinders_an_event_is_told_in_words(self, faulty: FaultyShop, fault: str, said: str) -> None:
        await faulty.begin("webhooks", fault)
        with pytest.raises(DeliveryFailed, match=said):
            await self.post(self.hook(faulty))
        await faulty.clear_fault()
        assert await self.post(self.hook(faulty)) == 200

    def test_an_authority_that_cannot_be_used_is_told(self, tmp_path: Path) -> None:
        for name in ("none.pem", "no.pem"):
            (tmp_path / "no.pem").write_text("no certificate")
            with pytest.raises(InvalidWebhookCa, match=name):
                tls_context_of(WebhookEndpoint("crm", "https://crm.example", (), 1.0, tmp_path / name))


def call(*said: str, silence: float | None = 1.0, **changes: Any) -> ScriptedCallResult:
    turns = tuple(TurnResult(words, "", "", None, "") for words in said)
    whole = ScriptedCallResult(
        "x", True, (), "answered", "agent", "2025550100", "c", True, 40.0, 20.0, turns, (), (), silence, None, None
    )
    return replace(whole, **changes)


def books(cell: FaultCell, **more: int) -> EffectLog:
    made = EffectLog()
    for book, count in {**cell.effects, **more}.items():
        for number in range(count):
            made.do(book, f"{book}-{number}", {})
    made.events.update(cell.events)
    return made


class TestTheVerdict:
    cell = FaultCell("deliveries", "429")

    def problems(
        self, result: ScriptedCallResult, made: EffectLog, aftermath: AgentFileFindings | None = None
    ) -> tuple[str, ...]:
        return evaluate_cell(self.cell, result, made, aftermath or AgentFileFindings()).problems

    def test_an_honest_word_and_empty_books_pass(self) -> None:
        result = evaluate_cell(self.cell, call("I can't see orders right now."), books(self.cell), AgentFileFindings())
        assert (result.ok, result.heard) == (True, "I can't see orders right now.")
        assert "passed" in row(result)
        assert summary([result], 60.0)[-1] == "1 passed, 0 failed"

    def test_a_done_that_was_not_done_does_not(self) -> None:
        assert 'a false "done"' in self.problems(call("Done. It comes tomorrow."), books(self.cell))

    def test_another_number_than_the_system_gave_does_not(self) -> None:
        done = FaultCell("deliveries", "none")
        said = "Done. Your confirmation number is nine nine nine, nine nine."
        assert evaluate_cell(done, call(said), books(done), AgentFileFindings()).problems == (
            "the number said is not 70117",
        )
        said = "Done. Your confirmation number is seven zero one, one seven."
        assert evaluate_cell(done, call(said), books(done), AgentFileFindings()).ok

    def test_five_seconds_of_silence_or_no_measure_do_not(self) -> None:
        assert self.problems(call("Sorry.", silence=5.0), books(self.cell)) == ("5.0 s of silence",)
        assert self.problems(call("Sorry.", silence=None), books(self.cell)) == ("no silence measured",)

    def test_an_effect_too_many_or_too_few_does_not(self) -> None:
        assert self.problems(call("Sorry."), books(self.cell, tickets=2)) == ("tickets: 2 made, 1 expected",)
        assert self.problems(call("Sorry."), books(self.cell, tickets=0)) == ("tickets: 0 made, 1 expected",)

    def test_what_was_made_twice_under_one_key_does_not(self) -> None:
        made = books(self.cell)
        made.do("tickets", "tickets-0", {}, honours_keys=False)
        assert "made twice: tickets tickets-0" in self.problems(call("Sorry."), made)

    def test_an_event_that_is_missing_does_not(self) -> None:
        made = books(self.cell)
        del made.events["call.ended"]
        (problem,) = self.problems(call("Sorry."), made)
        assert problem.startswith("the webhook was told")

    def test_what_is_left_in_the_outbox_or_stands_in_the_log_does_not(self) -> None:
        aftermath = AgentFileFindings(("k: waiting",), ("k: refused",), ("x ERROR y",), ("60614",))
        assert len(self.problems(call("Sorry."), books(self.cell), aftermath)) == 4

    def test_a_call_that_went_otherwise_does_not(self) -> None:
        went = call("Sorry.", ok=False, checks=(Check("outcome handed_over", False, "it was failed"),))
        assert self.problems(went, books(self.cell)) == ("the call: outcome handed_over (it was failed)",)

    def test_numbers_are_found_among_words(self) -> None:
        assert spoken_digits("It's seven zero one, one seven. Anything else?") == "70117"

    def test_private_data_in_a_log_is_found_but_not_inside_a_longer_number(self) -> None:
        assert scan_log("x ERROR a\nx INFO 60614\n", ("60614",)) == (("x ERROR a",), ("60614",))
        assert scan_log("x INFO id 1606145\n", ("60614",)) == ((), ())
