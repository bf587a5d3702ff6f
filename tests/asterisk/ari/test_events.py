"""Broken events are passed over where they come in, in one line; good ones reach their handlers."""

from __future__ import annotations

import json
import logging

import pytest

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.events import MalformedEvent, parse_event

GOOD = {"type": "StasisStart", "args": ["inbound"], "channel": {"id": "1.1", "caller": {"number": "2025550143"}}}


def test_a_good_event_comes_through_as_it_is() -> None:
    assert parse_event(json.dumps(GOOD)) == GOOD


@pytest.mark.parametrize(
    "text",
    [
        "", "[", "[]", "null", "{}", '{"type": 7}', "[" * 100_000,
        '{"type": "StasisStart"}', '{"type": "ChannelDestroyed", "channel": null}',
        '{"type": "StasisStart", "channel": {"id": ""}}', '{"type": "X", "channel": {"id": 5}}',
    ],
)  # fmt: skip
def test_what_is_no_event_is_told_apart(text: str) -> None:
    with pytest.raises(MalformedEvent):
        parse_event(text)


def test_odd_parts_are_emptied_so_that_handlers_can_rely_on_their_shape() -> None:
    event = parse_event(json.dumps({**GOOD, "args": None, "channel": {"id": "1.1", "caller": None, "dialplan": "x"}}))
    assert event["args"] == []
    assert event["channel"] == {"id": "1.1", "caller": {}, "dialplan": {}}


def test_a_wish_to_transfer_names_its_channel_as_other_events_do() -> None:
    asked = {"type": "ChannelTransfer", "refer_to": {}, "referred_by": {"source_channel": {"id": "1.1"}}}
    assert parse_event(json.dumps(asked))["channel"] == {"id": "1.1"}
    for broken in (None, [], {}, {"source_channel": None}, {"source_channel": {"id": 7}}):
        with pytest.raises(MalformedEvent):
            parse_event(json.dumps({**asked, "referred_by": broken}))


def test_a_replaced_channel_without_an_id_is_none() -> None:
    for broken in (None, "x", {}, {"id": ""}, {"id": 5}):
        assert "replace_channel" not in parse_event(json.dumps({**GOOD, "replace_channel": broken}))
    assert parse_event(json.dumps({**GOOD, "replace_channel": {"id": "2.2"}}))["replace_channel"] == {"id": "2.2"}


def test_a_broken_event_costs_one_line_and_no_later_event(caplog: pytest.LogCaptureFixture) -> None:
    ari = AriClient("http://127.0.0.1:9", "user", "password", "app")
    seen: list[object] = []
    ari.on("StasisStart", seen.append)
    with caplog.at_level(logging.WARNING):
        ari._take_text('{"type": "StasisStart", "channel": []}')
        ari._take_text(json.dumps(GOOD))
    assert seen == [GOOD]
    assert [record.exc_info for record in caplog.records] == [None]
