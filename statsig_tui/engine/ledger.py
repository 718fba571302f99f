"""Deliveries' bookkeeping over the store: what delivery.py calls its Ledger."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace

from statsig_tui.core.batch import Closed
from statsig_tui.core.config import Destination
from statsig_tui.core.envelope import encode
from statsig_tui.core.records import AttemptRecord, DeliveryRecord, DeliveryState, Headers, Job
from statsig_tui.core.redact import Redactor
from statsig_tui.engine import outbox
from statsig_tui.engine.clock import Clock
from statsig_tui.engine.store import Store, Tx

LARGE = 256 * 1024
"""Bytes from which a batch is put together off the loop."""


class StoreLedger:
    """Every change is one transaction; heads and errors are free of secrets before they are stored."""

    def __init__(self, store: Store, clock: Clock, redact: Callable[[], Redactor]) -> None:
        self._store = store
        self._clock = clock
        self._redact = redact

    async def open(self, destination: Destination, closed: Closed[tuple[int, bytes]]) -> DeliveryRecord:
        """Put a batch together and keep it as a waiting delivery."""
        ids = [number for number, _ in closed.items]
        body = await _encoded(destination, [raw for _, raw in closed.items])
        at = self._clock.now()
        return await self._store.write(
            lambda tx: outbox.open_delivery(tx, at, destination.name, body, ids, closed.by)
        )

    async def next_job(self, destination: str) -> Job | None:
        """The delivery of a destination that is due first."""
        return await self._store.read(lambda db: outbox.next_job(db, destination))

    async def begin(
        self, job: Job, url: str, headers: Headers, signature: str | None, timestamp: str | None
    ) -> bool:
        """Note an attempt before it is made."""
        at, redact = self._clock.now(), self._redact()
        url, headers = redact(url), redact.pairs(headers)
        return await self._store.write(
            lambda tx: outbox.begin_attempt(tx, at, job, url, headers, signature, timestamp)
        )

    async def end(
        self, attempt: AttemptRecord, state: DeliveryState, error: str | None, next_at: int | None
    ) -> None:
        """Note what came of an attempt."""
        at, redact = self._clock.now(), self._redact()
        known = self._masked(attempt)
        error = redact(error) if error else error
        await self._store.write(lambda tx: outbox.end_attempt(tx, at, known, state, error, next_at))

    async def halve(self, attempt: AttemptRecord, destination: Destination) -> None:
        """Replace a delivery by two of half its events each."""

        def content(db: sqlite3.Connection) -> list[tuple[int, bytes]]:
            ids = outbox.event_ids(db, attempt.delivery)
            return [(number, outbox.event_body(db, number) or b"{}") for number in ids]

        events = await self._store.read(content)
        middle = (len(events) + 1) // 2
        halves = [
            (await _encoded(destination, [raw for _, raw in half]), [number for number, _ in half], len(half))
            for half in (events[:middle], events[middle:])
        ]
        at = self._clock.now()

        def note(tx: Tx) -> None:
            outbox.note_attempt(tx, attempt)
            outbox.split(tx, at, attempt.delivery, halves)

        await self._store.write(note)

    async def note_rate_limited(self, delivery: int) -> None:
        """Note that a delivery waits for the rate limit."""
        await self._store.write(lambda tx: outbox.note_rate_limited(tx, delivery))

    def _masked(self, attempt: AttemptRecord) -> AttemptRecord:
        redact = self._redact()
        return replace(
            attempt,
            reason=redact(attempt.reason),
            response_headers=redact.pairs(attempt.response_headers),
            error=redact(attempt.error) if attempt.error else attempt.error,
        )


async def _encoded(destination: Destination, events: Sequence[bytes]) -> bytes:
    build: Callable[[], bytes] = lambda: encode(events, destination.envelope, destination.timestamps)  # noqa: E731
    return await asyncio.to_thread(build) if sum(map(len, events)) > LARGE else build()
