"""What is accepted and on its way out, read in SQL: events, verdicts, batches, deliveries, attempts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from statsig_tui.core.event import EventClass
from statsig_tui.core.phases import unpack
from statsig_tui.core.records import (
    AttemptRecord,
    DeliveryRecord,
    DeliveryState,
    EventRecord,
    Replay,
    VerdictRecord,
)
from statsig_tui.engine.captures import headers_of

_EVENT = "id, rev, at, trace, name, class, user_id, time_uuid, note"
_DELIVERY = (
    "d.id, d.rev, d.at, d.created, d.batch, d.destination, d.events, b.size, d.state, d.attempt,"
    " d.status, d.error, CASE d.state WHEN 'sending' THEN NULL ELSE d.next_at END,"
    " d.replay, b.closed_by, d.rate_limited"
)
_DELIVERIES = f"SELECT {_DELIVERY} FROM deliveries d JOIN batches b ON b.id = d.batch"
_ATTEMPT = (
    "delivery, number, at, url, request_headers, status, reason, response_headers, response_body,"
    " truncated, error, ms, phases"
)


def events(db: sqlite3.Connection, where: str, values: Iterable[object]) -> list[EventRecord]:
    """Events that fulfil a condition, oldest first."""
    rows = db.execute(f"SELECT {_EVENT} FROM events WHERE {where} ORDER BY id", tuple(values))
    return [replace(EventRecord(*row), event_class=EventClass(row[5])) for row in rows]


def event_body(db: sqlite3.Connection, event: int) -> bytes | None:
    """The bytes of one event."""
    row = db.execute("SELECT raw FROM events WHERE id = ?", (event,)).fetchone()
    return row[0] if row else None


def event_ids(db: sqlite3.Connection, delivery: int) -> list[int]:
    """The events of a delivery in the order of its batch."""
    rows = db.execute("SELECT event FROM verdicts WHERE delivery = ? ORDER BY event", (delivery,))
    return [row[0] for row in rows]


def verdicts(db: sqlite3.Connection, of: Sequence[int]) -> list[VerdictRecord]:
    """Every destination's verdict on these events."""
    marks = ",".join("?" * len(of))
    rows = db.execute(
        "SELECT event, destination, at, forwarded, clause, delivery FROM verdicts"
        f" WHERE event IN ({marks}) ORDER BY event, destination",
        tuple(of),
    )
    return [VerdictRecord(row[0], row[1], row[2], bool(row[3]), row[4], row[5]) for row in rows]


def deliveries(db: sqlite3.Connection, where: str, values: Iterable[object]) -> list[DeliveryRecord]:
    """Deliveries that fulfil a condition."""
    return [_delivery(row) for row in db.execute(f"{_DELIVERIES} WHERE {where}", tuple(values))]


def attempts(db: sqlite3.Connection, of: Sequence[int]) -> list[AttemptRecord]:
    """Every attempt of these deliveries, in order."""
    marks = ",".join("?" * len(of))
    rows = db.execute(
        f"SELECT {_ATTEMPT} FROM attempts WHERE delivery IN ({marks}) ORDER BY delivery, number",
        tuple(of),
    )
    return [_attempt(row) for row in rows]


def batch_body(db: sqlite3.Connection, delivery: int) -> bytes | None:
    """The bytes that a delivery sends."""
    row = db.execute(
        "SELECT b.body FROM deliveries d JOIN batches b ON b.id = d.batch WHERE d.id = ?", (delivery,)
    ).fetchone()
    return row[0] if row else None


def _delivery(row: Sequence[Any]) -> DeliveryRecord:
    # Made once: this stands on every delivery's way, and replace() costs twice as much.
    values = list(row)
    values[8], values[13] = DeliveryState(row[8]), Replay(row[13]) if row[13] else None
    values[15] = bool(row[15])
    return DeliveryRecord(*values)


def _attempt(row: Sequence[Any]) -> AttemptRecord:
    return replace(
        AttemptRecord(*row),
        request_headers=headers_of(row[4]),
        response_headers=headers_of(row[7]),
        truncated=bool(row[9]),
        phases=unpack(row[12]),
    )
