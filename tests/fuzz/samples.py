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

QUEUE_LOG = """1793613600|1793613600.1|shop|NONE|ENTERQUEUE||2025550101|1
1793613605|1793613600.1|shop|PJSIP/201|RINGNOANSWER|1000
1793613610|1793613600.1|shop|PJSIP/202|CONNECT|10|1793613605.2|5
1793613710|1793613600.1|shop|PJSIP/202|COMPLETECALLER|10|100|1
1793613720|NONE|NONE|PJSIP/201|PAUSE|lunch
1793613730|1793613730.4|shop|NONE|ENTERQUEUE||2025550102|1
1793613760|1793613730.4|shop|NONE|ABANDON|1|1|30
1793613770|1793613770.5|shop|NONE|ENTERQUEUE||2025550103|1
1793613780|1793613770.5|shop|Local/203@from-queue/n|CONNECT|10|1793613775.6|5
1793613880|1793613770.5|shop|Local/203@from-queue/n|BLINDTRANSFER|700|transfer|10|100|1
1793613881|1793613881.7|support|NONE|ENTERQUEUE||2025550103|1
1793613941|1793613881.7|support|NONE|EXITWITHTIMEOUT|1|1|60
"""
QUEUE_LOG_TABLE = """id,time,callid,queuename,agent,event,data1,data2,data3,data4,data5
1,2026-11-02 10:00:00.250000,1793613600.1,shop,NONE,ENTERQUEUE,,2025550101,1,,
2,2026-11-02 10:00:10.250000,1793613600.1,shop,PJSIP/202,CONNECT,10,1793613605.2,5,,
3,2026-11-02 10:01:50.250000,1793613600.1,shop,PJSIP/202,COMPLETEAGENT,10,100,1,,
4,2026-11-02 10:02:00.000000,1793613730.4,shop,NONE,ENTERQUEUE,,2025550102,1,,
5,2026-11-02 10:02:30.000000,1793613730.4,shop,NONE,ABANDON,1,1,30,,
"""
_CDR_LINE = (
    '"","2025550101","600","from-trunk","""Ann, B"" <2025550101>","PJSIP/trunk-01","PJSIP/201-01","Queue","shop,t",'
    '"2026-11-02 10:{minute}:00","2026-11-02 10:{minute}:00","2026-11-02 10:{minute}:50",50,{talk},"{how}",'
    '"DOCUMENTATION","1.{minute}","","","1.{minute}","5"\n'
)
CDR = "".join(
    _CDR_LINE.format(minute=minute, talk=talk, how=how)
    for minute, talk, how in ((10, 100, "ANSWERED"), (11, 0, "NO ANSWER"), (12, 40, "ANSWERED"), (13, 0, "BUSY"))
)
VOLUMES = """date,hour,calls
2026-11-02,9,40
2026-11-02,10:30,20
2026-11-03,9,10
2026-11-09,9,60
"""
