"""Deliveries' bookkeeping over the store: what delivery.py calls its Ledger."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace

from statsig_tui.core.batch import Closed
from statsig_tui.core.config import Destination
from statsig_tui.core.envelope import encode
from statsig_tui.core.records import HALVED, ISOLATING, AttemptRecord, DeliveryRecord, Ended, Job, Sending
from statsig_tui.core.redact import Redactor
from statsig_tui.core.retry import REFUSED, TOO_LARGE
from statsig_tui.engine import due, endpoints, outbox, outgoing
from statsig_tui.engine.clock import Clock
from statsig_tui.engine.line import Begun
from statsig_tui.engine.store import Store, Tx

LARGE = 256 * 1024
"""Bytes from which a batch is put together off the loop."""


class StoreLedger:
    """Every change is one transaction; heads and errors are free of secrets before they are stored."""

    def __init__(self, store: Store, clock: Clock, redact: Callable[[], Redactor]) -> None:
        self._store = store
        self._clock = clock
        self._redact = redact
        self._next: dict[str, tuple[int, Job | None]] = {}
        """What is due first at a destination, and the revision at which that was so."""

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
        known = self._next.pop(destination, None)
        if known is not None and known[0] == self._store.rev:
            return known[1]
        return await self._store.read(lambda db: next(outbox.next_jobs(db, destination, 1), None))

    async def begin(self, sending: Sending, ahead: int = 0) -> Begun:
        """Note an attempt before it is made."""
        return await self._store.write(self._turning((), (sending,), ahead))

    async def end(self, ended: Sequence[Ended], unmade: Sequence[Sending] = ()) -> None:
        """Note what came of attempts, and that others are not made."""
        ends = [self._ending(one) for one in ended]

        def note(tx: Tx) -> tuple[str, int, Job | None]:
            records = [end(tx) for end in ends]
            records += [outbox.take_back(tx, sending.job) for sending in unmade]
            destination = records[-1].destination
            return destination, tx.rev, next(outbox.next_jobs(tx.db, destination, 1), None)

        # Whoever notes an end asks next what is due: looked up on the way, that is a thread's turn saved.
        destination, rev, job = await self._store.write(note)
        self._next[destination] = rev, job

    async def turn(self, ended: Sequence[Ended], sendings: Sequence[Sending], ahead: int) -> Begun:
        """Note what came of some attempts and begin others."""
        return await self._store.write(self._turning(ended, sendings, ahead))

    def _turning(
        self, ended: Sequence[Ended], sendings: Sequence[Sending], ahead: int
    ) -> Callable[[Tx], Begun]:
        ends = [self._ending(one) for one in ended]
        begins = [self._beginning(one) for one in sendings]

        def note(tx: Tx) -> Begun:
            records = [end(tx) for end in ends]
            begun = [begin(tx) for begin in begins]
            records += [record for record in begun if record is not None]
            # What comes after them is known in time to be begun in the commit that ends them.
            following = outbox.next_jobs(tx.db, records[-1].destination, ahead) if records and ahead else ()
            noted = [sending for sending, record in zip(sendings, begun, strict=True) if record is not None]
            return Begun(noted, tuple(following))

        return note

    def _ending(self, ended: Ended) -> Callable[[Tx], DeliveryRecord]:
        at = self._clock.now()
        attempt, error = self._masked(ended.attempt), self._redact()(ended.error) if ended.error else None
        return lambda tx: outbox.end_attempt(tx, at, attempt, ended.state, error, ended.next_at)

    def _beginning(self, sending: Sending) -> Callable[[Tx], DeliveryRecord | None]:
        at, redact, job = self._clock.now(), self._redact(), sending.job
        url, headers = redact(sending.url), redact.pairs(sending.headers)
        return lambda tx: outbox.begin_attempt(
            tx, at, job, url, headers, sending.signature, sending.timestamp
        )

    async def halve(self, job: Job, destination: Destination, attempt: AttemptRecord | None) -> int:
        """Replace a delivery by two of half its events each; the bytes of the larger one."""

        def content(db: sqlite3.Connection) -> list[tuple[int, bytes]]:
            ids = outgoing.event_ids(db, job.delivery)
            return [(number, outgoing.event_body(db, number) or b"{}") for number in ids]

        events = await self._store.read(content)
        middle = (len(events) + 1) // 2
        halves = [
            (await _encoded(destination, [raw for _, raw in half]), [number for number, _ in half], len(half))
            for half in (events[:middle], events[middle:])
        ]
        at = self._clock.now()
        largest = max(len(body) for body, _, _ in halves)
        known = self._masked(attempt) if attempt is not None else None
        is_refused = known is not None and known.status != TOO_LARGE
        if known is None:
            words = f"larger than the endpoint takes{HALVED}"
        elif is_refused:
            when = f"with {known.status}" if known.status in REFUSED else "before"
            words = f"refused {when}{HALVED}, to find what is refused"
        else:
            words = f"too large{HALVED}; batches have at most {largest:,} bytes from now on"
        closed_by = ISOLATING if is_refused or job.is_isolating else "halved"

        def note(tx: Tx) -> None:
            if known is not None:
                outbox.note_attempt(tx, known)
            outbox.split(tx, at, job, halves, words, closed_by)

        await self._store.write(note)
        return largest

    async def move(self, destination: str, by: int, untouched_since: int | None) -> None:
        """Move what waits for its next attempt by so many ms."""
        await self._store.write(lambda tx: due.move(tx, destination, by, untouched_since))

    async def note_rate_limited(self, delivery: int) -> None:
        """Note that a delivery waits for the rate limit."""
        await self._store.write(lambda tx: outbox.note_rate_limited(tx, delivery))

    async def keep_disabled(self, destination: str, reason: str) -> None:
        """Keep that a destination takes nothing until it is resumed, and why."""
        at = self._clock.now()
        await self._store.write(lambda tx: endpoints.disable(tx, at, destination, reason))

    async def keep_paused(self, destination: str, reason: str | None) -> None:
        """Keep that a destination is sent nothing but probes, and why; None: it is sent everything."""
        at, words = self._clock.now(), self._redact()(reason) if reason is not None else None
        await self._store.write(lambda tx: endpoints.pause(tx, at, destination, words))

    def _masked(self, attempt: AttemptRecord) -> AttemptRecord:
        redact = self._redact()
        reason, headers = redact(attempt.reason), redact.pairs(attempt.response_headers)
        error = redact(attempt.error) if attempt.error else attempt.error
        if (reason, headers, error) == (attempt.reason, attempt.response_headers, attempt.error):
            return attempt
        return replace(attempt, reason=reason, response_headers=headers, error=error)


async def _encoded(destination: Destination, events: Sequence[bytes]) -> bytes:
    build: Callable[[], bytes] = lambda: encode(events, destination.envelope, destination.timestamps)  # noqa: E731
    return await asyncio.to_thread(build) if sum(map(len, events)) > LARGE else build()
