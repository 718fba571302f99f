"""The way of one event through everything that is stored, by any of its ids."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import TypeVar

from statsig_tui.core.ids import is_trace, numbered
from statsig_tui.core.records import Trace
from statsig_tui.engine import captures, history, outgoing, replays

T = TypeVar("T")
TOLD = 10
"""Of the many replays of a capture, a trace tells of so many of the first and of the last."""


def trace(db: sqlite3.Connection, of: str) -> Trace | None:
    """The way of an event by any id of it; None: nothing is known of that."""
    events: Sequence[int] = ()
    deliveries: set[int] = set()
    traces: set[str] = set()
    captured: set[int] = set()
    untold = 0
    kind_number = numbered(of)
    if is_trace(of):
        traces.add(of)
    elif kind_number is None:
        events = [row[0] for row in db.execute("SELECT id FROM events WHERE time_uuid = ?", (of,))]
        if not events:
            return None
    else:
        kind, number = kind_number
        if kind == "e":
            events = [number]
        elif kind == "d":
            deliveries.add(number)
        elif kind == "b":
            deliveries |= {
                row[0] for row in db.execute("SELECT id FROM deliveries WHERE batch = ?", (number,))
            }
        elif kind == "c":
            captured.add(number)
            opened, accepted = replays.of_capture(db, number)
            every = sorted({*captures.deliveries_of(db, number), *opened})
            # As received, each has the capture's own signature: ten thousand replays are its deliveries.
            deliveries |= set(_ends(every))
            traces |= set(_ends(accepted))
            untold = len(every) - len(deliveries) + len(accepted) - len(traces)
        elif kind == "s":
            rows = db.execute("SELECT trace FROM sent WHERE id = ? AND trace IS NOT NULL", (number,))
            traces |= {row[0] for row in rows}
            if not traces:
                alone = history.sent(db, "id = ?", (number,))
                return Trace("", sent=tuple(alone)) if alone else None
    for delivery in deliveries:
        events = [*events, *outgoing.event_ids(db, delivery)]
    if traces:
        marks = ",".join("?" * len(traces))
        found = db.execute(f"SELECT id FROM events WHERE trace IN ({marks})", tuple(traces))
        events = [*(events if captured else ()), *(row[0] for row in found)]
    return _gather(db, sorted(set(events)), deliveries, captured, traces, untold)


def _ends(found: Sequence[T]) -> Sequence[T]:
    """The first few and the last few of what may be very many."""
    return [*found[:TOLD], *found[TOLD:][-TOLD:]]


def _gather(
    db: sqlite3.Connection,
    of: Sequence[int],
    deliveries: set[int],
    captured: set[int],
    traces: set[str],
    untold: int,
) -> Trace | None:
    marks = ",".join("?" * len(of))
    events = outgoing.events(db, f"id IN ({marks})", of)
    traces = traces | {event.trace for event in events}
    verdicts = outgoing.verdicts(db, of)
    numbers = sorted(deliveries | {verdict.delivery for verdict in verdicts if verdict.delivery is not None})
    marks = ",".join("?" * len(numbers))
    found = outgoing.deliveries(db, f"d.id IN ({marks}) ORDER BY d.id", numbers)
    joined = {record.id: record for record in captures.of_deliveries(db, numbers)} if numbers else {}
    told = {*_ends(sorted(joined)), *captured}
    untold += len(joined.keys() - told)
    joined = {number: record for number, record in joined.items() if number in told}
    for number in captured - set(joined):
        joined |= {record.id: record for record in captures.page(db, number, number)}
    marks = ",".join("?" * len(traces))
    way = Trace(
        # The oldest event's: those behind it may be replays of it.
        trace=events[0].trace if events else min(traces, default=""),
        sent=tuple(history.sent(db, f"trace IN ({marks}) ORDER BY id", sorted(traces))),
        events=tuple(events),
        verdicts=tuple(verdicts),
        deliveries=tuple(found),
        attempts=tuple(outgoing.attempts(db, numbers)) if numbers else (),
        captures=tuple(joined[number] for number in sorted(joined)),
        untold=untold,
    )
    return way if way.sent or way.events or way.deliveries or way.captures else None
