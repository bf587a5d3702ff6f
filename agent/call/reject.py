"""Hands a call over to the staff before it is answered, and records that."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from agent.call.call_recording import new_record, publish_beginning
from agent.call.errors import LineGone
from agent.call.handover import Handover, queue_wait
from agent.call.ports import CallerLine, CallRecordWriter
from agent.call.records import OUTBOUND, CallRecord, record_data
from agent.dialog.contract import HandOverAction
from agent.errors import OrderlineError
from agent.telemetry.events import CallFinished, CallRefused, EventPublisher

log = logging.getLogger(__name__)

PAUSED = "paused"


async def reject_to_queue(
    line: CallerLine, reason: str, records: CallRecordWriter, events: EventPublisher, wall: Callable[[], datetime]
) -> CallRecord:
    """Let the dialplan take the call to the usual queue, and record that. The record's outcome is ``handed_over``.

    A customer whom we have called hears the information message instead: ``informed``.
    """
    record = new_record(line, wall(), line.origin)
    events.publish(CallRefused(line.id, reason))
    publish_beginning(events, line, record)
    record.repeat_of = await records.begin(record)
    try:
        if line.origin.direction == OUTBOUND:
            await line.inform()
            record.outcome, record.ended_by = "informed", "agent"
        else:
            handover = Handover(line)
            prepared = await handover.prepare(HandOverAction(reason, ""))
            await handover.execute(prepared)
            record.handover, record.queue_wait = dict(prepared.recorded), queue_wait("")
            record.outcome, record.ended_by = "handed_over", "handover"
    except LineGone:
        record.outcome, record.ended_by = "caller_hung_up", "caller"
    except BaseException as error:
        record.outcome, record.ended_by = "failed", "fault"
        record.faults.append(f"{type(error).__name__}: {error}")
        raise
    finally:
        record.ended_utc = round(wall().timestamp(), 3)
        try:
            await records.write(record)
        except OrderlineError:
            log.exception("Call %s could not be recorded", line.id)
        events.publish(CallFinished(line.id, record.outcome, record.ended_by, 0.0, record_data(record)))
    return record
