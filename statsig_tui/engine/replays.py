"""What was replayed, in SQL: which capture became which delivery, or events of which trace."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from statsig_tui.core.records import DeliveryRecord, DeliveryState, Headers, Replay
from statsig_tui.core.replaying import Replayed, counted
from statsig_tui.engine import outbox
from statsig_tui.engine.store import Tx

BROKEN_OFF = "the program ended meanwhile; it may have arrived"
STOPPED = "the replay was stopped"
_OPEN = "('waiting', 'retrying', 'sending')"


def newest_run(db: sqlite3.Connection) -> int:
    """The number of the replay that began last; 0: there was none."""
    found: int = db.execute("SELECT coalesce(max(run), 0) FROM replays").fetchone()[0]
    return found


def open_delivery(
    tx: Tx,
    at: int,
    run: int,
    capture: int,
    destination: str,
    batch: int | None,
    body: bytes,
    events: int,
    how: Replay,
    headers: Headers,
) -> DeliveryRecord:
    """Keep a delivery of a replayed capture; its bytes once, however often they are replayed (`batch`)."""
    if batch is None or tx.db.execute("SELECT 1 FROM batches WHERE id = ?", (batch,)).fetchone() is None:
        batch = outbox.keep_batch(tx, at, body, "replay", events)
    record = outbox.open_replay(tx, at, destination, batch, events, how, headers)
    _note(tx, run, capture, record.id, None)
    return record


def note_events(tx: Tx, run: int, capture: int, trace: str) -> None:
    """Note that a capture's events were accepted again, under this trace."""
    _note(tx, run, capture, None, trace)


def outcome(db: sqlite3.Connection, run: int) -> Replayed:
    """What a replay came to so far."""
    rows = db.execute(
        "SELECT 1, d.state, d.status, count(*) FROM replays r JOIN deliveries d ON d.id = r.delivery"
        " WHERE r.run = ? GROUP BY d.state, d.status"
        " UNION ALL"
        " SELECT v.forwarded, d.state, d.status, count(*) FROM replays r JOIN events e ON e.trace = r.trace"
        " JOIN verdicts v ON v.event = e.id LEFT JOIN deliveries d ON d.id = v.delivery"
        " WHERE r.run = ? AND r.trace IS NOT NULL GROUP BY v.forwarded, d.state, d.status",
        (run, run),
    )
    return counted(
        [
            (bool(forwarded), DeliveryState(state) if state else None, status, count)
            for forwarded, state, status, count in rows
        ]
    )


def of_capture(db: sqlite3.Connection, capture: int) -> tuple[list[int], list[str]]:
    """The deliveries and the traces that a capture's replays became, oldest first."""
    rows = db.execute(
        "SELECT delivery, trace FROM replays WHERE capture = ? ORDER BY id", (capture,)
    ).fetchall()
    return (
        [delivery for delivery, _ in rows if delivery is not None],
        [trace for _, trace in rows if trace is not None],
    )


def cancel(tx: Tx, at: int, run: int) -> list[int]:
    """Give up what waits of a replay, and what is under way of it; which deliveries those were."""
    rows = tx.db.execute(
        "SELECT d.id FROM replays r JOIN deliveries d ON d.id = r.delivery"
        f" WHERE r.run = ? AND d.state IN {_OPEN}",
        (run,),
    ).fetchall()
    given_up = [number for (number,) in rows]
    for number in given_up:
        outbox.give_up(tx, at, number, STOPPED)
    return given_up


def give_up_typed(tx: Tx, at: int, known: Collection[str]) -> None:
    """Settle what a former run left open of replays to typed URLs: nobody asks for them in this one."""
    rows: Sequence[tuple[int, str]] = tx.db.execute(
        f"SELECT id, destination FROM deliveries WHERE state IN {_OPEN} AND replay IS NOT NULL"
        " AND instr(destination, '://')"
    ).fetchall()
    for number, destination in rows:
        if destination not in known:
            outbox.give_up(tx, at, number, BROKEN_OFF)


def _note(tx: Tx, run: int, capture: int, delivery: int | None, trace: str | None) -> None:
    tx.db.execute(
        "INSERT INTO replays (run, capture, delivery, trace) VALUES (?,?,?,?)",
        (run, capture, delivery, trace),
    )
