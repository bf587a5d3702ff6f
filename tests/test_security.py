"""What a security reviewer tries first (docs/security.md): ports, secrets, injected words, card numbers."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.app.queue_factory import NoQueueStatistics
from agent.call.handover import handover_variables
from agent.call.queue_rules import QueueRules
from agent.call.queue_status import QueueDefinition, StaffQueues
from agent.call.records import Caller, CallRecord
from agent.config.asterisk import AmiSettings, AriSettings
from agent.config.base import SettingsError
from agent.config.control import ControlSettings
from agent.config.settings import Settings
from agent.control.live_feed import LiveFeed
from agent.dialog.contract import HandOverAction
from agent.installation.asterisk_files import read
from agent.records.call_store import CallStore
from agent.records.event_redaction import redact_event
from agent.records.redaction import redact_text
from agent.telemetry.event_bus import EventBus
from agent.telemetry.events import CallerSaid
from tests.call.text_session import TextSession, demo_shop

REPOSITORY = Path(__file__).resolve().parents[1]
CONF = REPOSITORY / "asterisk-conf"
CARD = "four one one one one one one one one one one one one one one one"
CARD_DIGITS = "4111111111111111"


class TestOpenPorts:
    def test_everything_listens_on_loopback_by_default(self) -> None:
        settings = Settings()
        hosts = [settings.control.host, settings.media.audiosocket_host, settings.ari.url.split("/")[2].split(":")[0]]
        assert hosts == ["127.0.0.1"] * 3

    def test_doors_that_know_no_password_are_closed_until_somebody_opens_them(self) -> None:
        settings = Settings()
        assert (settings.fastagi.host, settings.ami.host, settings.redis.url) == ("", "", "")

    def test_the_settings_that_are_installed_open_nothing_to_the_network_either(self) -> None:
        text = (REPOSITORY / "contrib/etc/orderline.yaml").read_text(encoding="utf-8")
        addresses = re.findall(r"(?:host|url):\s*(\S+)", text)
        assert addresses, "the file names none at all"
        assert all(re.search(r"(?:^|//)127\.0\.0\.1(?:[:/]|$)", address) for address in addresses), addresses

    def test_the_shipped_asterisk_files_open_nothing_to_the_network(self) -> None:
        assert read(CONF, "http.conf").get("general", "bindaddr") == "127.0.0.1"
        assert read(CONF, "manager.conf").get("general", "bindaddr") == "127.0.0.1"
        assert read(CONF, "manager.conf").get("orderline", "deny") == "0.0.0.0/0.0.0.0"
        assert read(CONF, "ari.conf").get("general", "allowed_origins") == ""

    def test_the_manager_user_may_do_nothing_that_could_hurt(self) -> None:
        user = read(CONF, "manager.conf").sections["orderline"]
        assert {user["read"], user["write"]} == {"reporting"}


class TestSecrets:
    @pytest.fixture(autouse=True)
    def no_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("ARI_PASSWORD", "CONTROL_TOKEN", "AMI_SECRET"):
            monkeypatch.delenv(f"ORDERLINE_{name}", raising=False)

    def test_there_is_no_default_secret(self) -> None:
        for read_secret in (AriSettings().password, ControlSettings().token, AmiSettings().secret):
            with pytest.raises(SettingsError):
                read_secret()

    def test_an_empty_secret_is_none(self, tmp_path: Path) -> None:
        (tmp_path / "empty").write_text("\n")
        with pytest.raises(SettingsError, match="empty"):
            ControlSettings(token_file=tmp_path / "empty").token()

    def test_no_file_of_the_repository_ships_a_secret(self) -> None:
        said = re.compile(r"^\s*(?:password|secret)\s*=\s*(\S+)", re.MULTILINE | re.IGNORECASE)
        for path in [*CONF.iterdir(), *(REPOSITORY / "contrib").rglob("*")]:
            if path.is_file():
                for value in said.findall(path.read_text(encoding="utf-8")):
                    assert re.fullmatch(r"@[A-Z_]+@", value), f"{path}: {value}"


class TestWordsOfCallers:
    @given(st.text(max_size=400), st.text(max_size=60), st.text(max_size=60))
    def test_nothing_a_caller_says_reaches_the_dialplan_as_more_than_plain_words(
        self, summary: str, order: str, reason: str
    ) -> None:
        handover = HandOverAction(reason, summary, facts={"order_number": order})
        for value in handover_variables(handover, "T-1").values():
            assert not re.search(r"[\r\n\0${}\\\"`\[\]&|<>=^~*!?]", value)
            assert len(value) <= 240

    def test_function_calls_and_headers_lose_what_makes_them_work(self) -> None:
        said = "${SHELL(rm -rf /)}\r\nX-Evil: 1"
        assert handover_variables(HandOverAction("x", said), "T")["ORDERLINE_SUMMARY"] == "SHELL(rm -rf /) X-Evil: 1"


class TestTransfers:
    """Calls go to the queues of the settings, whatever a flow or a far end names. The dialplan's own list
    (ORDERLINE_QUEUES) is tested on a real Asterisk: rehearse/test_dialplan.py."""

    @pytest.mark.parametrize("wanted", ["", "sales", "returns\r\n", "PJSIP/carrier/12025550199", "${X}"])
    async def test_a_queue_that_is_not_in_the_settings_means_the_usual_one(self, wanted: str) -> None:
        desk = StaffQueues({"orderline-humans": PLAN, "returns": PLAN}, NoQueueStatistics(), NoWhispers(), datetime.now)
        variables = await desk.variables(HandOverAction("caller_asked", "", queue=wanted), "T-1", "call-1", "")
        assert variables["ORDERLINE_QUEUE"] == "orderline-humans"

    async def test_a_queue_of_the_settings_is_taken(self) -> None:
        desk = StaffQueues({"orderline-humans": PLAN, "returns": PLAN}, NoQueueStatistics(), NoWhispers(), datetime.now)
        variables = await desk.variables(HandOverAction("caller_asked", "", queue="returns"), "T-1", "call-1", "")
        assert variables["ORDERLINE_QUEUE"] == "returns"

    @pytest.mark.parametrize("name", ["a b", "a&b", "a/b", "${X}", ""])
    def test_a_name_that_could_be_more_than_a_name_is_no_setting(self, name: str) -> None:
        with pytest.raises(ValueError, match="queues"):
            Settings.model_validate({"queues": {name: {}}})


PLAN = QueueDefinition(lambda: QueueRules(UTC))


class NoWhispers:
    """Whispers of which none is made."""

    async def make(self, call_id: str, values: Any) -> str:
        raise AssertionError(call_id)


class TestGuessing:
    """Nobody learns which orders exist. The same time is measured in shop/test_shop_services.py; tries over many calls
    are counted in records/test_attempts.py."""

    async def test_a_call_says_the_same_whether_the_order_or_the_second_fact_is_wrong(self, tmp_path: Path) -> None:
        told = []
        for name, number, code in (("no-order", "10472", "60614"), ("wrong-code", "10473", "60615")):
            shop = await demo_shop(tmp_path / name)
            session = await TextSession(shop).play("where is my order", *[number, code] * 3)
            await shop.close()
            assert isinstance(session.end, HandOverAction)
            words = [turn.agent.replace("seven two", "N").replace("seven three", "N") for turn in session.record.turns]
            told.append((words, session.end.reason, session.end.summary, session.end.facts))
        assert told[0] == told[1]
        assert told[0][1] == "verification_failed"


class TestCards:
    """A card number that a caller reads out stands nowhere afterwards."""

    async def test_a_spoken_card_number_is_in_no_record_feed_ticket_or_log(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        shop = await demo_shop(tmp_path)
        session = await TextSession(shop).play(f"my card is {CARD}", "agent please")
        store = await CallStore.open(tmp_path / "calls.sqlite")
        session.record.outcome, session.record.ended_by = "handed_over", "handover"
        await store.write(session.record)
        await store.close()
        await shop.close()
        events, feed = EventBus(), LiveFeed(redact_event)
        events.subscribe(feed.send)
        reader = feed.follow().queue
        for turn in session.record.turns:
            events.publish(CallerSaid("call-1", turn.heard, turn.via, turn.confidence, turn.barged_in, turn.slot))
        fed = "".join(str(reader.get_nowait()) for _ in range(reader.qsize()))
        kept = everything_in(tmp_path)
        places = {"files": kept, "feed": fed, "ticket": session.page(), "log": caplog.text}
        for place, text in places.items():
            assert "one one one one" not in text, place
            assert CARD_DIGITS not in text, place
        assert "[card number]" in places["files"]
        assert "[card number]" in places["feed"]

    @given(st.integers(min_value=10**11, max_value=10**15 - 1), st.sampled_from(["", " ", "-"]))
    def test_every_number_with_a_cards_check_digit_is_taken_out(self, body: int, gap: str) -> None:
        digits = f"4{body}"
        check = next(str(last) for last in range(10) if _luhn(f"{digits}{last}"))
        number = f"{digits}{check}"
        written = gap.join(number[at : at + 4] for at in range(0, len(number), 4))
        assert number not in re.sub(r"\D", "", redact_text(f"it is {written}"))

    async def test_a_keyed_card_number_is_not_recorded(self, tmp_path: Path) -> None:
        record = CallRecord("call-1", Caller("2025550143"), "2026-11-24T10:00:00-06:00")
        session = await TextSession(await demo_shop(tmp_path)).play("where is my order")
        record.turns = session.record.turns
        record.turns[-1].heard, record.turns[-1].via = CARD_DIGITS, "keypad"
        store = await CallStore.open(tmp_path / "calls.sqlite")
        await store.write(record)
        await store.close()
        assert CARD_DIGITS in json.dumps(asdict(record)), "the fixture holds what must not be kept"
        assert CARD_DIGITS.encode() not in (tmp_path / "calls.sqlite").read_bytes()


def everything_in(directory: Path) -> str:
    """All files below a directory as one text."""
    files = [path.read_bytes() for path in directory.rglob("*") if path.is_file()]
    return b"".join(files).decode("utf-8", "replace")


def _luhn(number: str) -> bool:
    """The rule of ISO/IEC 7812-1, written a second time on purpose."""
    doubled = [sum(divmod(int(digit) * (2 - position % 2), 10)) for position, digit in enumerate(reversed(number), 1)]
    return sum(doubled) % 10 == 0


class TestOutbound:
    def test_the_voice_reports_nothing_to_its_maker(self) -> None:
        import os

        import agent  # noqa: F401 - importing it is what is tried

        assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
