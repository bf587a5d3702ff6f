"""Gateways that are told to send a message by a GET: it changes something all the same."""

from __future__ import annotations

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from agent.common.service_error import ServiceError
from agent.shop.messages import MessageDraft
from tests.shop.http.mapped import PHONE, OpenShop

GATEWAY = """
system: gateway
base_url: BASE
timeout_seconds: 2
operations:
  messages.send:
    get: /send
    query: {to: "{{ phone }}", text: "{{ text }}", coding: "{{ 0 if text | gsm else 2 }}"}
    response: text
    pattern: '^(?P<code>[03]): '
    fields:
      id: {value: "{{ key }}"}
"""


def draft(text: str = "Hello") -> MessageDraft:
    return MessageDraft("tracking", "10473", PHONE, text)


async def test_the_same_key_sends_one_message(open_shop: OpenShop, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/send").respond_with_data("0: Accepted for delivery", status=202)
    messages = open_shop(GATEWAY).systems.messages

    first, second = [await messages.send(draft(), "k1") for _ in range(2)]

    assert first == second
    assert len(httpserver.log) == 1


@pytest.mark.parametrize(("status", "body"), [(502, ""), (500, ""), (202, "something else")])
async def test_after_an_uncertain_answer_nothing_is_sent_again(
    open_shop: OpenShop, httpserver: HTTPServer, status: int, body: str
) -> None:
    httpserver.expect_request("/send").respond_with_data(body, status=status)
    messages = open_shop(GATEWAY).systems.messages

    for _ in range(2):
        with pytest.raises(ServiceError) as caught:
            await messages.send(draft(), "k1")
        assert (caught.value.code, caught.value.reason) == ("timed_out", "not_sent_again")

    assert len(httpserver.log) == 1


async def test_a_refusal_is_certain_and_may_be_tried_again(open_shop: OpenShop, httpserver: HTTPServer) -> None:
    httpserver.expect_oneshot_request("/send").respond_with_data("Authorization failed for sendsms", status=403)
    httpserver.expect_request("/send").respond_with_data("0: Accepted for delivery", status=202)
    messages = open_shop(GATEWAY).systems.messages

    with pytest.raises(ServiceError) as caught:
        await messages.send(draft(), "k1")

    assert caught.value.code == "unavailable"
    assert (await messages.send(draft(), "k1")).id == "k1"


@pytest.mark.parametrize(
    ("text", "coding"),
    [("Order 7: on its way, 5 € [x]", "0"), ("Ä ö ß é ñ @ £", "0"), ("a ’typographic’ quote", "2"), ("Спасибо", "2")],
)
async def test_a_text_beyond_the_gsm_alphabet_is_told_from_others(
    open_shop: OpenShop, httpserver: HTTPServer, text: str, coding: str
) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        asked.append(request)
        return Response("0: Accepted for delivery", status=202)

    httpserver.expect_request("/send").respond_with_handler(answer)
    await open_shop(GATEWAY).systems.messages.send(draft(text), "k1")

    assert (asked[0].args["text"], asked[0].args["coding"]) == (text, coding)


async def test_a_redirect_is_not_followed(open_shop: OpenShop, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/send").respond_with_data("", status=302, headers={"Location": "/again"})
    with pytest.raises(ServiceError) as caught:
        await open_shop(GATEWAY).systems.messages.send(draft(), "k1")
    assert (caught.value.code, len(httpserver.log)) == ("unavailable", 1)
