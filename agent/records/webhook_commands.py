"""``orderline webhooks``: send a signed test event and say what came back and what is wrong."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from typing import TextIO
from urllib.parse import urlsplit

from agent.records.delivery import DeliveryFailed
from agent.records.webhook_events import envelope
from agent.records.webhooks import WebhookEndpoint, WebhookSender, response_problem

_LOCAL = ("127.0.0.1", "::1", "localhost")


async def test_webhooks(hooks: Sequence[WebhookEndpoint], out: TextIO) -> bool:
    """Post the event ``test`` to each hook and print the outcome; True when all took it."""
    post = WebhookSender(hooks)
    fine = True
    try:
        for hook in hooks:
            fine &= await _test(post, hook, out)
    finally:
        await post.close()
    return fine


async def _test(post: WebhookSender, hook: WebhookEndpoint, out: TextIO) -> bool:
    now = dt.datetime.now().astimezone().isoformat(timespec="milliseconds")
    data = {"message": "Sent by orderline webhooks test."}
    body = envelope("test", f"evt_test{secrets.token_hex(8)}", now, "", data)
    address = urlsplit(hook.url)
    if address.scheme == "http" and address.hostname not in _LOCAL:
        print(f"{hook.name}: warning: {hook.place} is not encrypted; use https", file=out)
    try:
        answer = await post.post(hook, body)
    except DeliveryFailed as error:
        print(f"{hook.name}: FAILED: {error.message}", file=out)
        return False
    if problem := response_problem(answer):
        print(f"{hook.name}: FAILED: {hook.place}: {problem}", file=out)
        return False
    slow = "; slow, answer first and work later" if answer.ms > hook.timeout_seconds * 500 else ""
    print(f"{hook.name}: ok: {hook.place} answered {answer.status} in {answer.ms:.0f} ms{slow}", file=out)
    return True
