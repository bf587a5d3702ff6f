"""Text messages through a real Kannel, by the mapping that comes with Orderline."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.common.service_error import ServiceError
from agent.shop.http.idempotency_store import IdempotencyStore
from agent.shop.messages import MAX_TEXT_CHARS, MessageDraft
from tests.peers.conftest import OpenMapped
from tests.peers.kannel import Kannel, Sms
from tests.waiting import until

PHONE = "+12025550123"
SENDER = "12025550100"


def draft(text: str, phone: str = PHONE) -> MessageDraft:
    return MessageDraft("tracking", "10473", phone, text)


@pytest.mark.parametrize(
    "text",
    [
        "Follow your order 10473 here: https://shop.example.com/tracking?a=1&b=2 (50 % off, 5 €!)",
        "Your “Blue mug” – größer – is on its way. Спасибо",
        "Long: " + "word " * 90,
        "Long: " + "слово " * 60,
    ],
    ids=["plain", "beyond the GSM alphabet", "in parts", "in parts beyond the GSM alphabet"],
)
async def test_a_message_leaves_the_smsc_whole(kannel: Kannel, open_mapped: OpenMapped, text: str) -> None:
    text, before = text[:MAX_TEXT_CHARS].strip(), len(kannel.left())

    await open_mapped(kannel=kannel).systems.messages.send(draft(text), f"key {text[:20]}")

    await until(lambda: [sms.text for sms in kannel.left()[before:]] == [text])
    assert kannel.left()[before:] == [Sms(SENDER, PHONE, text)]


async def test_the_same_key_sends_one_message(kannel: Kannel, open_mapped: OpenMapped) -> None:
    messages, before = open_mapped(kannel=kannel).systems.messages, len(kannel.left())

    first = await messages.send(draft("only once"), "once")
    again = await messages.send(draft("only once"), "once")
    await messages.send(draft("the next one"), "next")

    await until(lambda: "the next one" in [sms.text for sms in kannel.left()])
    assert first == again
    assert [sms.text for sms in kannel.left()[before:]] == ["only once", "the next one"]


async def test_the_same_key_sends_one_message_also_after_a_restart_of_the_agent(
    kannel: Kannel, open_mapped: OpenMapped, tmp_path: Path
) -> None:
    before = len(kannel.left())

    for text in ("before the restart", "after it"):
        kept = IdempotencyStore(tmp_path / "changes.sqlite")
        messages = open_mapped(kept=kept, kannel=kannel).systems.messages
        await messages.send(draft("the same"), "same")
        await messages.send(draft(text), text)
        await kept.close()

    await until(lambda: "after it" in [sms.text for sms in kannel.left()])
    assert [sms.text for sms in kannel.left()[before:]] == ["the same", "before the restart", "after it"]


async def test_a_number_that_kannel_refuses_is_an_error_and_nothing_leaves(
    kannel: Kannel, open_mapped: OpenMapped
) -> None:
    messages, before = open_mapped(kannel=kannel).systems.messages, len(kannel.left())

    with pytest.raises(ServiceError) as caught:
        await messages.send(draft("to nobody", phone=""), "nobody")
    await messages.send(draft("after it"), "after")

    await until(lambda: "after it" in [sms.text for sms in kannel.left()])
    assert caught.value.code == "bad_request"
    assert [sms.text for sms in kannel.left()[before:]] == ["after it"]


async def test_a_wrong_password_is_unavailable(
    kannel: Kannel, open_mapped: OpenMapped, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_mapped(kannel=kannel)
    monkeypatch.setenv("ORDERLINE_KANNEL_PASSWORD", "wrong")

    with pytest.raises(ServiceError, match="ORDERLINE_KANNEL_PASSWORD") as caught:
        await shop.systems.messages.send(draft("x"), "wrong password")

    assert caught.value.code == "unavailable"
