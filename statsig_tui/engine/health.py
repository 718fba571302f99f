"""What the store knows of an endpoint's newest attempts, by indexes alone and however much waits."""

from __future__ import annotations

import sqlite3

from statsig_tui.core.health import Health, Try
from statsig_tui.engine.outcome import UNCOUNTED

NEWEST = 100
"""Attempts that are read."""
_LOOKED_BACK = 2_000
"""Deliveries among which the last success is looked for where no newest attempt was one."""
_OPEN = "destination = :destination AND state IN ('waiting', 'retrying')"
TRIES = f"""
    WITH tried (id, created) AS (
        -- Behind what is due first nothing was tried yet, except what is retried: that is due last.
        SELECT * FROM (
            SELECT id, created FROM deliveries WHERE destination = :destination AND created <=
                coalesce((SELECT next_at FROM deliveries WHERE {_OPEN} ORDER BY next_at LIMIT 1), 1 << 62)
            ORDER BY created DESC LIMIT :newest)
        UNION
        SELECT * FROM (
            SELECT id, created FROM deliveries WHERE {_OPEN} ORDER BY next_at DESC LIMIT :newest))
    SELECT a.at, a.status, a.error, a.ms, tried.created FROM tried JOIN attempts a ON a.delivery = tried.id
    ORDER BY a.at DESC, a.delivery DESC, a.number DESC LIMIT :newest
"""
"""The newest attempts of a destination; an endpoint's own backlog does not make them dearer to find."""
LAST_SUCCESS = f"""
    SELECT at FROM (
        SELECT at, state FROM deliveries WHERE destination = :destination
        ORDER BY created DESC LIMIT {_LOOKED_BACK})
    WHERE state = 'delivered' LIMIT 1
"""
WAITING = f"SELECT min(created) FROM deliveries INDEXED BY deliveries_open WHERE {_OPEN}"
"""By itself SQLite would walk all that is settled, in the order of `created`."""
PENDING = """
    SELECT at FROM verdicts WHERE destination = :destination AND forwarded = 1 AND delivery IS NULL
    ORDER BY event LIMIT 1
"""
"""When the oldest event came that no batch holds yet."""


def of(db: sqlite3.Connection, destination: str) -> Health:
    """How an endpoint does, and since when the oldest thing waits for it."""
    asked = {"destination": destination, "newest": NEWEST}
    rows = db.execute(TRIES, asked).fetchall()
    waits = [row[0] for query in (WAITING, PENDING) for row in db.execute(query, asked) if row[0] is not None]
    tries: list[Try] = []
    for at, status, error, ms, created in reversed(rows):
        if ms is None:
            # Under way, or broken off by our own end: the endpoint has not said anything.
            waits += [created] if error is None else []
        elif error not in UNCOUNTED:
            tries.append(Try(at, status is not None and 200 <= status <= 299, ms if status else None))
    successes = [item.at for item in tries if item.is_success]
    if not successes:
        successes = [row[0] for row in db.execute(LAST_SUCCESS, asked)]
    return Health(tuple(tries), max(successes, default=None), min(waits, default=None))
