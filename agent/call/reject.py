"""Sends a call to the staff queue before it is answered, and records that."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from agent.call.errors import LineGone
from agent.call.ports import CallerLine, CallObserver, CallRecordWriter
from agent.call.records import CallRecord
from agent.errors import OrderlineError

log = logging.getLogger(__name__)

PAUSED = "paused"


async def reject_to_queue(
    line: CallerLine, reason: str, records: CallRecordWriter, observer: CallObserver, wall: Callable[[], datetime]
) -> CallRecord:
    """Let the dialplan take the call to the usual queue, and record that. The record's outcome is ``handed_over``."""
    record = CallRecord(line.id, line.caller, wall().isoformat(timespec="milliseconds"))
    observer.notify("call_started", line.id, {"caller": asdict(line.caller), "dialled": line.caller.dialled})
    await records.begin(record)
    try:
        record.handover = {"reason": reason, "queue": "", "priority": 0, "summary": "", "ticket": "", "facts": {}}
        await line.hand_over({"ORDERLINE_REASON": reason}, reason)
        record.outcome, record.ended_by = "handed_over", "handover"
    except LineGone:
        record.handover = None
        record.outcome, record.ended_by = "caller_hung_up", "caller"
    except BaseException as error:
        record.handover = None
        record.outcome, record.ended_by = "failed", "fault"
        record.faults.append(f"{type(error).__name__}: {error}")
        raise
    finally:
        try:
            await records.write(record)
        except OrderlineError:
            log.exception("Call %s could not be recorded", line.id)
        ended = {"outcome": record.outcome, "ended_by": record.ended_by, "duration_seconds": 0.0}
        observer.notify("call_ended", line.id, {**ended, "record": asdict(record)})
    return record
