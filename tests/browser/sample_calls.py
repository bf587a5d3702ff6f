"""Finished calls for pictures and tests of pages: a made-up year of them, and one told in full with its recording."""

# ruff: noqa: E501 - a turn, or two steps, a line
from __future__ import annotations

import datetime as dt
import json
import wave
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from agent.common.sqlite import transaction
from agent.records import sounds_sql
from agent.records.database import connect
from agent.records.sound_files import SoundDirectory
from agent.rehearsal.year_of_calls import year_of_calls

FULL_CALL = "orderline-a-1796000000.7"
"""An order status with everything a record can have."""
MISSED_CALL = "orderline-a-1796000000.8"
"""A caller who hung up at the postcode question, after two answers that were not understood."""
_RATE = 8000
_SOUND_NAME = "0123456789abcdef0123456789abcdef"


def write_sample(state: Path, now: dt.datetime, calls: int = 1500) -> None:
    """Write calls up to ``now`` (aware) into a new state directory, and one recording."""
    state.mkdir(parents=True, exist_ok=True)
    start = now.date() - dt.timedelta(days=364)
    made = [record for record in year_of_calls(calls, start=start) if _began(record) < now - dt.timedelta(minutes=30)]
    told = [full_call(now - dt.timedelta(minutes=12)), missed_call(now - dt.timedelta(minutes=25))]
    with closing(connect(state / "calls.sqlite")) as db, transaction(db):
        db.executemany(
            "INSERT INTO calls (id, started_at, caller_number, outcome, ended_by, duration_seconds, record)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [_row(record) for record in [*made, *reversed(told)]],
        )
        sounds_sql.add(db, told[0], now.timestamp())
        db.execute("UPDATE sounds SET state = 'kept', seconds = ?", (told[0]["duration_seconds"],))
    _write_sound(state, told[0])


def full_call(began: dt.datetime) -> dict[str, Any]:
    """Return the record of an order status: found by number and postcode, told, asked how it was."""
    turns = [
        _turn(0.0, 0.4, "Thanks for calling Maple and Finch. How can I help?", "hi where is my order please", 4.2, 6.1,
              "request=order_status", "main", "greet", "request", 0.93, None, decision="act"),
        _turn(6.1, 6.6, "Sure. What's the order number?", "one oh four seven", 8.8, 10.7,
              "order_number=1047", "identify", "number", "order_number", 0.71, 468.0, result="partial"),
        _turn(10.7, 11.3, "Go on.", "three", 11.9, 12.4,
              "order_number=10473", "identify", "number", "order_number", 0.95, 611.0),
        _turn(12.4, 13.1, "And the zip code on the order?", "[postcode]", 15.0, 17.3,
              "postcode=[postcode]", "identify", "postcode", "postcode", 0.88, 702.0, secret=True),
        _turn(17.3, 18.8, "Thank you, Maria. Order 1 0 4 7 3 is on its way. It is with the carrier in Columbus and should "
              "arrive on Thursday the third of December.", "", None, None, "", "order_status", "answer", "", None, 1484.0),
        _turn(26.9, 27.0, "Anything else I can help with?", "no that's all thanks", 29.0, 30.6,
              "another=nothing", "anything_else", "more", "another", 0.97, None, barged=True),
        _turn(30.6, 31.1, "One last question. From one to five, how was this call?", "five", 34.2, 34.8,
              "survey_score=5", "survey", "ask", "survey_score", 0.99, 431.0, via="keypad"),
        _turn(34.8, 35.2, "Thanks for calling. Goodbye.", "", None, None, "", "anything_else", "close", "", None, 388.0),
    ]  # fmt: skip
    trail = _trail(
        ("main", "greet", "collect", "answered", 0.0, 6.1), ("order_status", "who", "link", "next", 6.1, 6.1),
        ("identify", "known", "if", "else", 6.1, 6.1), ("identify", "several_known", "if", "else", 6.1, 6.1),
        ("identify", "number", "collect", "answered", 6.1, 12.4), ("identify", "without_number", "if", "else", 12.4, 12.4),
        ("identify", "postcode", "collect", "answered", 12.4, 17.3), ("identify", "without_postcode", "if", "else", 17.3, 17.3),
        ("identify", "check", "call", "ok", 17.3, 18.1), ("identify", "matched", "set", "next", 18.1, 18.1),
        ("order_status", "fresh", "link", "next", 18.1, 18.1), ("order_status", "several", "if", "else", 18.1, 18.1),
        ("order_status", "answer", "say", "next", 18.1, 26.9), ("anything_else", "more", "collect", "answered", 26.9, 30.6),
        ("anything_else", "close", "hangup", "ended", 34.8, 37.0),
    )  # fmt: skip
    return {
        **_head(FULL_CALL, began, 37.0, "answered", "agent"),
        "caller": {"number": "2025550143", "name": "Maria Lopez", "dialled": "7000"},
        "consent": "announced",
        "turns": turns,
        "trail": trail,
        "intents": [
            {"intent": "order_status", "at_seconds": 6.1, "result": "answered", "ended_at_seconds": 26.9,
             "about": {"status": "in_transit"}},
        ],
        "effects": [
            {"name": "crm.find", "code": "ok", "ms": 41.2, "at_seconds": 0.2},
            {"name": "orders.verify", "code": "ok", "ms": 790.4, "at_seconds": 17.3},
        ],
        "facts": [
            {"operation": "orders.verify", "name": "order.number", "value": "10473", "at_seconds": 18.1, "code": "ok"},
            {"operation": "orders.verify", "name": "order.status", "value": "in_transit", "at_seconds": 18.1, "code": "ok"},
        ],
        "slots": {"request": "order_status", "order_number": "10473", "verified": True, "survey_score": 5},
        "sound": {"name": _SOUND_NAME, "parts": [{"number": 1, "from_seconds": 0.0}], "staff": False,
                  "silent": [{"from_seconds": 13.1, "until_seconds": 19.8, "side": "caller"}]},
    }  # fmt: skip


def missed_call(began: dt.datetime) -> dict[str, Any]:
    """Return the record of a caller who gave up."""
    turns = [
        _turn(0.0, 0.4, "Thanks for calling Maple and Finch. How can I help?", "i want to know about my parcel", 4.0, 6.4,
              "request=order_status", "main", "greet", "request", 0.83, None, decision="confirm"),
        _turn(6.4, 6.9, "Sure. What's the order number?", "it's the one for the blue lamp", 9.1, 11.5,
              "", "identify", "number", "order_number", 0.55, 520.0, result="no_match"),
        _turn(11.5, 12.1, "Sorry, I need the order number. It's in your confirmation message.", "one oh four eight nine",
              15.2, 18.0, "order_number=10489", "identify", "number", "order_number", 0.9, 588.0),
        _turn(18.0, 18.6, "And the zip code on the order?", "why do you need that", 20.4, 21.8,
              "", "identify", "postcode", "postcode", 0.66, 640.0, result="no_match"),
        _turn(21.8, 23.2, "It tells me that the order is yours. What's the zip code?", "", None, None,
              "", "identify", "postcode", "postcode", None, 1390.0),
    ]  # fmt: skip
    trail = _trail(
        ("main", "greet", "collect", "answered", 0.0, 6.4), ("order_status", "who", "link", "next", 6.4, 6.4),
        ("identify", "known", "if", "else", 6.4, 6.4), ("identify", "several_known", "if", "else", 6.4, 6.4),
        ("identify", "number", "collect", "answered", 6.4, 18.0), ("identify", "without_number", "if", "else", 18.0, 18.0),
        ("identify", "postcode", "collect", "hung_up", 18.0, 27.4),
    )  # fmt: skip
    return {
        **_head(MISSED_CALL, began, 27.4, "caller_hung_up", "caller"),
        "caller": {"number": "2025550178", "name": "", "dialled": "7000"},
        "turns": turns,
        "trail": trail,
        "intents": [{"intent": "order_status", "at_seconds": 6.4, "result": "hung_up", "about": {}}],
        "repeat_of": FULL_CALL,
    }


def _head(call_id: str, began: dt.datetime, seconds: float, outcome: str, ended_by: str) -> dict[str, Any]:
    return {
        "schema": 1,
        "id": call_id,
        "started_at": began.isoformat(timespec="milliseconds"),
        "started_utc": began.timestamp(),
        "answered_utc": began.timestamp() + 0.1,
        "ended_utc": began.timestamp() + seconds,
        "greeting_ms": 184.0,
        "duration_seconds": seconds,
        "outcome": outcome,
        "ended_by": ended_by,
        "edition": "3f9a0c52d1b7e684",
        "direction": "inbound",
        "entry": "inbound",
        "effects": [],
        "facts": [],
        "slots": {},
        "faults": [],
        "handover": None,
        "queue_wait": None,
    }


def _turn(
    at: float,
    audible: float,
    agent: str,
    heard: str,
    heard_from: float | None,
    heard_until: float | None,
    understood: str,
    flow: str,
    step: str,
    slot: str,
    confidence: float | None,
    response: float | None,
    *,
    result: str = "understood",
    decision: str = "",
    via: str = "speech",
    barged: bool = False,
    secret: bool = False,
) -> dict[str, Any]:
    spent: dict[str, float] = {}
    if response is not None:
        look_up = 790.0 if response > 1000 else 0.0
        rest = response - look_up
        spent = {
            "wait": rest * 0.58,
            "recognition": rest * 0.21,
            "rules": rest * 0.04,
            "look_up": look_up,
            "voice": rest * 0.17,
        }
    return {
        "at_seconds": at, "agent": agent, "heard": heard, "understood": understood, "via": via if heard else "",
        "confidence": confidence, "flow": flow, "step": step, "slot": slot, "barged_in": barged, "response_ms": response,
        "spent_ms": {name: round(ms, 1) for name, ms in spent.items() if ms}, "secret": secret,
        "result": result if heard else "", "decision": decision, "candidates": [], "audible_at_seconds": audible,
        "heard_from_seconds": heard_from, "heard_until_seconds": heard_until,
    }  # fmt: skip


def _trail(*steps: tuple[str, str, str, str, float, float]) -> list[dict[str, Any]]:
    names = ("flow", "step", "kind", "way", "at_seconds", "left_at_seconds")
    return [dict(zip(names, step, strict=True)) for step in steps]


def _row(record: dict[str, Any]) -> tuple[object, ...]:
    names = ("outcome", "ended_by", "duration_seconds")
    number = record["caller"]["number"]
    return (record["id"], record["started_at"], number, *(record[name] for name in names), json.dumps(record))


def _began(record: dict[str, Any]) -> dt.datetime:
    return dt.datetime.fromisoformat(record["started_at"])


def _write_sound(state: Path, record: dict[str, Any]) -> None:
    """Write a recording in which each side hums while it speaks: the caller on the left, the agent on the right."""
    chance = np.random.default_rng(7)
    frames = int(record["duration_seconds"] * _RATE)
    samples = np.zeros((frames, 2))
    for turn in record["turns"]:
        said_until = turn["audible_at_seconds"] + 0.062 * len(turn["agent"])
        spoken = [(1, turn["audible_at_seconds"], said_until, 180.0)]
        if turn["heard"] and not turn["secret"]:
            spoken.append((0, turn["heard_from_seconds"], turn["heard_until_seconds"], 130.0))
        for side, since, until, pitch in spoken:
            first, last = int(since * _RATE), min(int(until * _RATE), frames)
            time = np.arange(last - first) / _RATE
            syllables = np.abs(np.sin(time * 9 + side)) * (0.5 + 0.5 * np.abs(np.sin(time * 2.3)))
            hum = np.sin(2 * np.pi * pitch * time) + 0.3 * chance.standard_normal(last - first)
            samples[first:last, side] = 0.4 * syllables * hum
    directory = SoundDirectory(state / "sound")
    directory.make()
    with wave.open(str(directory.kept_file(_SOUND_NAME)), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
