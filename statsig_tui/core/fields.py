"""The fields of a record's JSON line, the contract of product.md §5. Pure."""

from __future__ import annotations

from typing import Any

from statsig_tui.core.ids import tag
from statsig_tui.core.phases import as_fields
from statsig_tui.core.records import (
    AttemptRecord,
    CaptureRecord,
    DeliveryRecord,
    EventRecord,
    Record,
    RequestRecord,
    SentRecord,
    VerdictRecord,
)


def fields_of(record: Record | AttemptRecord) -> dict[str, Any]:
    """The fields of a record's JSON line."""
    match record:
        case EventRecord():
            return {
                "type": "event",
                "at": record.at,
                "id": tag("e", record.id),
                "trace": record.trace,
                "event_name": record.name,
                "event_class": record.event_class,
                "user_id": record.user_id,
                "time_uuid": record.time_uuid,
                "note": record.note or None,
            }
        case VerdictRecord():
            return {
                "type": "verdict",
                "at": record.at,
                "event": tag("e", record.event),
                "destination": record.destination,
                "forwarded": record.forwarded,
                "clause": record.clause,
            }
        case DeliveryRecord():
            return {
                "type": "delivery",
                "at": record.at,
                "id": tag("d", record.id),
                "batch": tag("b", record.batch),
                "destination": record.destination,
                "events": record.events,
                "state": record.state,
                "attempt": record.attempt,
                "status": record.status,
                "error": record.error,
                "next_at": record.next_at,
                "closed_by": record.closed_by or None,
            }
        case CaptureRecord():
            return {
                "type": "capture",
                "at": record.at,
                "id": tag("c", record.id),
                "method": record.method,
                "path": record.path,
                "size": record.size,
                "envelope": record.envelope,
                "events": [
                    {
                        "event_name": event.event_name,
                        "event_class": event.event_class,
                        "user_id": event.user_id,
                        "time_uuid": event.time_uuid,
                    }
                    for event in record.events
                ],
                "signature": record.signature,
                "status": record.status or None,
                "fault": record.fault,
                "program": record.program,
                "imported": record.imported,
            }
        case RequestRecord():
            return {
                "type": "request",
                "at": record.at,
                "id": tag("r", record.id),
                "listener": "emulator",
                "method": record.method,
                "path": record.path,
                "status": record.status,
                "fault": record.fault,
            }
        case SentRecord():
            return {
                "type": "sent",
                "at": record.at,
                "id": tag("s", record.id),
                "target": record.target,
                "status": record.status,
                "ms": record.ms and round(record.ms, 3),
                "trace": record.trace,
                "error": record.error,
            }
        case AttemptRecord():
            return {
                "type": "attempt",
                "at": record.at,
                "delivery": tag("d", record.delivery),
                "number": record.number,
                "url": record.url,
                "status": record.status,
                "ms": record.ms and round(record.ms, 3),
                "error": record.error,
                "flag": record.flag or None,
                "phases": as_fields(record.phases),
            }
