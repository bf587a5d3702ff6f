"""Good inputs, as the far ends write them."""

from __future__ import annotations

from typing import Any

_CHANNEL = {
    "id": "1764000000.1",
    "name": "PJSIP/carrier-00000001",
    "state": "Ring",
    "caller": {"name": "Maria", "number": "2025550143"},
    "connected": {"name": "", "number": ""},
    "dialplan": {"context": "orderline", "exten": "2025550100", "priority": 3},
    "creationtime": "2026-11-24T10:00:00.000-0600",
    "language": "en",
}
_KINDS = ("StasisStart", "StasisEnd", "ChannelDestroyed", "ChannelHangupRequest", "ChannelDtmfReceived", "Nonsense")
ARI_EVENTS: tuple[dict[str, Any], ...] = tuple(
    {
        "type": kind,
        "timestamp": "2026-11-24T10:00:00.000-0600",
        "application": "orderline",
        "asterisk_id": "aa:bb",
        "args": args,
        "digit": "5",
        "duration_ms": 120,
        "cause_txt": "Normal Clearing",
        "channel": _CHANNEL,
    }
    for kind in _KINDS
    for args in (
        ["inbound", "2025550100"],
        ["queue_failed", "TIMEOUT"],
        ["queue_escape", "0"],
        ["transfer_back", "T-1042"],
        ["control", "pause", "", "601"],
        ["control", "take_over", "2025550143", "601"],
        [],
    )
)
MEDIA_TEXTS = (
    "MEDIA_MARK_PROCESSED correlation_id:mark-1",
    "MEDIA_XOFF",
    "MEDIA_XON",
    "MEDIA_START connection_id:x channel:y format:slin optimal_frame_size:320 ptime:20",
    "DTMF_END digit:5",
    '{"event": "MEDIA_MARK_PROCESSED", "correlation_id": "mark-1"}',
)
AMI = """Asterisk Call Manager/11.0.0
Response: Success
Message: Authentication accepted

Response: Success
EventList: start
Message: Queue summary will follow

Event: QueueSummary
Queue: orderline-humans
LoggedIn: 2
Available: 1
Callers: 3
HoldTime: 25
TalkTime: 90
LongestHoldTime: 61
ActionID: orderline-1

Event: QueueSummaryComplete
EventList: Complete
ListItems: 1
ActionID: orderline-1

Response: Error
Message: Permission denied

"""
AGI = """agi_network: yes
agi_network_script: orders.find
agi_request: agi://127.0.0.1/orders.find
agi_channel: PJSIP/carrier-00000001
agi_language: en
agi_uniqueid: 1764000000.1
agi_callerid: 2025550143
agi_calleridname: Maria
agi_context: from-carrier
agi_extension: 2025550100
agi_arg_1: 10473

"""
ORDER: dict[str, Any] = {
    "number": "10473",
    "state": "sent",
    "created": "2026-11-20T23:30:00-06:00",
    "money": {"currency": "usd", "total": "49.90"},
    "ship_to": {"zip": "60614", "phone": "(202) 555-0143"},
    "lines": [{"sku": "MUG", "title": "Mug", "qty": 2, "price": 24.95}],
}
SETTINGS = """shop:
  name: Maple
  timezone: America/Chicago
ari:
  url: http://127.0.0.1:8088
  password_file: ari-password
call:
  deadman_seconds: 6
speech:
  voices: [hibari]
control:
  port: 8188
log:
  level: INFO
state_directory: state
"""
SMALL_PACK = """language: en
start: main
services:
  orders.find:
    arguments: [number]
    failures: [not_found, unavailable, timed_out]
variables:
  tries: 0
  found: none
commands:
  repeat: [say that again]
  agent: [agent, a person please]
answers:
  "yes": [yes, that's right]
  "no": [no, nope]
defaults:
  timeout: 6
  noinput: ["Are you there?"]
  nomatch: ["Sorry?"]
slots:
  order_number:
    type: number
    format: "99999"
    prompt: What is your order number?
    confirm: always
    confirm_prompt: "{{ order_number }}, right?"
  happy:
    type: yes_no
    prompt: Are you happy?
prompts:
  hello: Hello from {{ shop }}.
  ask_again: Once more, please.
  back_to: Back to where we were.
  cancelled: Left.
  confirm_number: "{{ value }}, right?"
  confirm_request: "{{ request }}, right?"
  corrected: All right.
  go_on: Anything else?
  goodbye: Goodbye.
  handover: One moment.
  handover_summary: 'Wants a person. "{{ last_heard }}"'
  help: Say what you need.
  not_that: Not that.
  start_over: From the start.
  still_there: Are you there?
  wait: Take your time.
flows:
  main:
    description: everything
    triggers: [where is my order]
    steps:
      - say: hello
      - id: again
        collect: order_number
      - call: orders.find
        with: {number: order_number}
        save: {found: result.order.status}
        failed:
          not_found: sorry
          otherwise: sorry
      - say: "It is {{ found }}."
      - collect: happy
      - if: happy
        then: bye
      - set: {tries: tries + 1}
      - if: tries < 3
        then: again
      - id: sorry
        say: "I cannot find it."
      - handover: no_order
      - id: bye
        hangup: answered
"""
