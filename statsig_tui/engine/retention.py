"""What is forgotten: the oldest of everything that is settled, beyond a count or a size."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable

from statsig_tui.core.config import Retention
from statsig_tui.engine import remarks
from statsig_tui.engine.store import Store, Tx
from statsig_tui.engine.tasks import told_task
from statsig_tui.errors import StoreBroken

_EVERY = 500
_EVERY_BYTES = 8 * 1024 * 1024
"""Requests and bytes kept until it is looked whether something is to be forgotten."""
_CHUNK = 500
"""Rows of each kind deleted in one transaction, so that intake never waits long."""
_SHARE = 20
"""Where the size decides, no more than this part of a kind goes at once: a few large ones may do."""
_SETTLED = (
    "NOT EXISTS (SELECT 1 FROM verdicts v LEFT JOIN deliveries d ON d.id = v.delivery"
    " WHERE v.event = events.id AND v.forwarded = 1"
    " AND (v.delivery IS NULL OR d.state IN ('waiting', 'sending', 'retrying')))"
)


_BATCH = (
    "DELETE FROM batches WHERE id = ? AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.batch = batches.id)"
)
_WITH = {
    "events": (("DELETE FROM verdicts WHERE event = ?", 0),),
    "deliveries": (
        ("DELETE FROM attempts WHERE delivery = ?", 0),
        (_BATCH, 1),
    ),
}
"""What goes with a row, by which of its columns."""


class Pruner:
    """Forgets what is over the bounds, while intake goes on; one look at a time."""

    def __init__(self, store: Store, bounds: Callable[[], Retention]) -> None:
        self._store = store
        self._bounds = bounds
        self._left = _EVERY
        self._bytes_left = _EVERY_BYTES
        self._task: asyncio.Task[None] | None = None

    def count(self, size: int) -> None:
        """One more request is kept, of so many bytes."""
        self._left -= 1
        self._bytes_left -= size
        if self._left < 0 or self._bytes_left < 0:
            self.look()

    def look(self) -> None:
        """Look soon whether anything is to be forgotten."""
        self._left, self._bytes_left = _EVERY, _EVERY_BYTES
        if self._task is None or self._task.done():
            follows = "what is over the bounds of [retention] stays until the next look"
            self._task = told_task(self._prune(), "retention", follows)

    def stop(self) -> None:
        """Leave the rest to the next start."""
        if self._task is not None:
            self._task.cancel()

    async def _prune(self) -> None:
        bounds = self._bounds()
        # A store that refuses forgets nothing; the next look tries again.
        with contextlib.suppress(StoreBroken):
            over = await self._store.read(lambda db: is_over(db, bounds))
            while over:
                over = await self._store.write(lambda tx: prune(tx, bounds))


def is_over(db: sqlite3.Connection, retention: Retention) -> bool:
    """Whether anything is to be forgotten."""
    return _count(db, "captures") > retention.captures or _is_large(db, retention)


def prune(tx: Tx, retention: Retention) -> bool:
    """Forget a chunk; True while there may be more. Undelivered events and open deliveries stay."""
    large = _is_large(tx.db, retention)
    deleted = 0
    for table, condition in (
        ("captures", "1"),
        ("sent", "1"),
        ("requests", "1"),
        ("events", _SETTLED),
        ("deliveries", "state IN ('delivered', 'failed', 'cancelled')"),
    ):
        count = _count(tx.db, table)
        surplus = min(_CHUNK, max(count - retention.captures, -(-count // _SHARE) if large else 0))
        if surplus > 0:
            rows = tx.db.execute(
                f"DELETE FROM {table} WHERE id IN"
                f" (SELECT id FROM {table} WHERE {condition} ORDER BY id LIMIT ?)"
                f" RETURNING {'id, batch' if table == 'deliveries' else 'id'}",
                (surplus,),
            ).fetchall()
            deleted += len(rows)
            # By their numbers: what is undelivered stays for as long as it takes, among much that goes.
            for statement, column in _WITH.get(table, ()):
                tx.db.executemany(statement, [(row[column],) for row in rows])
    if deleted:
        remarks.forget(tx.db)
        tx.db.execute("DELETE FROM replays WHERE capture < (SELECT coalesce(min(id), 0) FROM captures)")
    return deleted > 0 and is_over(tx.db, retention)


def _count(db: sqlite3.Connection, table: str) -> int:
    if table in _WITH:
        # Any of them may have to stay.
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    # Ids are given out in order and forgotten from the oldest, so their span is the count, nearly.
    low, high = db.execute(f"SELECT min(id), max(id) FROM {table}").fetchone()
    return high - low + 1 if high is not None else 0


def _is_large(db: sqlite3.Connection, retention: Retention) -> bool:
    pages = db.execute("PRAGMA page_count").fetchone()[0] - db.execute("PRAGMA freelist_count").fetchone()[0]
    size: int = pages * db.execute("PRAGMA page_size").fetchone()[0]
    return size > retention.megabytes * 1024 * 1024
