"""When deliveries are due, in SQL: moved with the clock, with the speed of waiting, and by hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from statsig_tui.engine import outbox
from statsig_tui.engine.store import Tx

_SPEED = "speed"
_FAILED = "state = 'failed' AND destination = ? AND created >= ? AND created < ?"


def move(tx: Tx, destination: str, by: int, untouched_since: int | None) -> None:
    """Move the next attempts of a destination by ms, after its clock: forward, what is retried alone.

    What changed after `untouched_since` was noted by the clock as it is now, and stays.
    """
    states = ("retrying", "waiting") if by < 0 else ("retrying", "retrying")
    rows = tx.db.execute(
        "SELECT id FROM deliveries WHERE destination = ? AND state IN (?, ?) AND (? IS NULL OR at <= ?)",
        (destination, *states, untouched_since, untouched_since),
    ).fetchall()
    for (delivery,) in rows:
        tx.db.execute(
            "UPDATE deliveries SET rev = ?, at = at + ?, next_at = next_at + ? WHERE id = ?",
            (tx.next_rev(), by, by, delivery),
        )
        outbox.announced(tx, delivery)


def set_speed(tx: Tx, at: int, speed: float) -> None:
    """Let what waits be due as much sooner or later as waiting is faster or slower than it was.

    What is stored is when a delivery is really due, so the speed it was reckoned with is kept beside it.
    """
    row = tx.db.execute("SELECT value FROM facts WHERE name = ?", (_SPEED,)).fetchone()
    former = float(row[0]) if row else 1.0
    if former == speed:
        return
    tx.db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (_SPEED, repr(speed)))
    _stretch(tx, at, (former, speed))


def hurry(tx: Tx, at: int, destination: str) -> int:
    """Make everything that waits for its next attempt at a destination due now; how many there were."""
    return _stretch(tx, at, (0, 1), destination)


def redeliver(tx: Tx, at: int, destination: str, since: int, until: int) -> int:
    """Make every failed delivery due now that was created in a time; how many there were."""
    rows = tx.db.execute(f"SELECT id FROM deliveries WHERE {_FAILED}", (destination, since, until)).fetchall()
    return redeliver_these(tx, at, [delivery for (delivery,) in rows])


def redeliver_these(tx: Tx, at: int, deliveries: Iterable[int]) -> int:
    """Make these deliveries due now, but for what is being sent or has arrived; how many there were."""
    return sum(outbox.reschedule(tx, at, delivery) for delivery in deliveries)


def failed(db: sqlite3.Connection, destination: str, since: int, until: int) -> tuple[int, int]:
    """How many deliveries redeliver() would make due, and the events in them."""
    query = f"SELECT count(*), coalesce(sum(events), 0) FROM deliveries WHERE {_FAILED}"
    count, events = db.execute(query, (destination, since, until)).fetchone()
    return count, events


def _stretch(tx: Tx, at: int, by: tuple[float, float], destination: str = "") -> int:
    # Rounded down: nothing may come to lie beyond the longest wait of its schedule.
    rows = tx.db.execute(
        "SELECT id FROM deliveries WHERE state IN ('waiting', 'retrying') AND next_at > ?"
        " AND ? IN (destination, '')",
        (at, destination),
    ).fetchall()
    for (delivery,) in rows:
        tx.db.execute(
            "UPDATE deliveries SET rev = ?, next_at = ? + CAST((next_at - ?) * ? / ? AS INTEGER)"
            " WHERE id = ?",
            (tx.next_rev(), at, at, *by, delivery),
        )
        outbox.announced(tx, delivery)
    return len(rows)
