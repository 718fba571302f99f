"""What is accepted and on its way out, kept and changed in SQL; outgoing.py reads it."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from typing import cast

import msgspec

from statsig_tui.core.event import Event
from statsig_tui.core.filters import Verdict
from statsig_tui.core.phases import pack
from statsig_tui.core.records import (
    HALVED,
    ISOLATING,
    AttemptRecord,
    DeliveryRecord,
    DeliveryState,
    EventRecord,
    Headers,
    Job,
    Replay,
    VerdictRecord,
)
from statsig_tui.core.retry import REFUSED
from statsig_tui.engine import endpoints, outgoing
from statsig_tui.engine.captures import headers_of
from statsig_tui.engine.outcome import INTERRUPTED, UNCOUNTED
from statsig_tui.engine.store import Tx

DELETED = "destination deleted"
"""The error of deliveries that were cancelled with their destination; undo looks for it."""
_AT_ONCE = 256 * 1024
"""Bytes of bodies beyond which no more deliveries are read at once."""
_HALVED = f"(state = 'cancelled' AND coalesce(error, '') LIKE '%{HALVED}%')"


def accept(
    tx: Tx, at: int, trace: str, events: Sequence[Event], verdicts: Sequence[Sequence[tuple[str, Verdict]]]
) -> list[int]:
    """Keep events and, beside each, every destination's verdict; their ids in order."""
    accepted: list[int] = []
    for event, answers in zip(events, verdicts, strict=True):
        rev = tx.next_rev()
        cursor = tx.db.execute(
            "INSERT INTO events (rev, at, trace, name, class, user_id, time_uuid, note, raw)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            (rev, at, trace, event.name, event.event_class.value, event.user_id, event.time_uuid,
             event.note, event.raw),
        )  # fmt: skip
        number = cast("int", cursor.lastrowid)
        accepted.append(number)
        tx.announce(
            EventRecord(number, rev, at, trace, event.name, event.event_class, event.user_id,
                        event.time_uuid, event.note)
        )  # fmt: skip
        tx.db.execute(
            "INSERT INTO seen (name, class, volume, at) VALUES (?,?,1,?)"
            " ON CONFLICT (name) DO UPDATE SET volume = volume + 1, at = excluded.at",
            (event.name, event.event_class.value, at),
        )
        for destination, verdict in answers:
            tx.db.execute(
                "INSERT INTO verdicts (event, destination, at, forwarded, clause) VALUES (?,?,?,?,?)",
                (number, destination, at, verdict.forwarded, verdict.clause.value),
            )
            tx.announce(VerdictRecord(number, destination, at, verdict.forwarded, verdict.clause.value))
    return accepted


def backlog(db: sqlite3.Connection, destination: str, after: int, limit: int) -> list[tuple[int, bytes]]:
    """Events that a destination is to get and no batch holds yet, behind event `after`: id and bytes."""
    return db.execute(
        "SELECT e.id, e.raw FROM verdicts v JOIN events e ON e.id = v.event"
        " WHERE v.destination = ? AND v.forwarded = 1 AND v.delivery IS NULL AND v.event > ?"
        " ORDER BY v.event LIMIT ?",
        (destination, after, limit),
    ).fetchall()


def open_delivery(
    tx: Tx,
    at: int,
    destination: str,
    body: bytes,
    events: Sequence[int],
    closed_by: str,
    *,
    count: int | None = None,
    due: int | None = None,
) -> DeliveryRecord:
    """Keep a closed batch and the delivery it becomes, waiting; its events belong to it from now on."""
    total = len(events) if count is None else count
    batch = keep_batch(tx, at, body, closed_by, total)
    number = _open(tx, at, destination, batch, total, None, (), at if due is None else due)
    tx.db.executemany(
        "UPDATE verdicts SET delivery = ? WHERE event = ? AND destination = ?",
        [(number, event, destination) for event in events],
    )
    return announced(tx, number)


def open_replay(
    tx: Tx, at: int, destination: str, batch: int, events: int, replay: Replay, headers: Headers
) -> DeliveryRecord:
    """Keep one more delivery of a batch that is kept already, waiting."""
    return announced(tx, _open(tx, at, destination, batch, events, replay, headers, at))


def keep_batch(tx: Tx, at: int, body: bytes, closed_by: str, events: int) -> int:
    """Keep the body of deliveries; its number."""
    cursor = tx.db.execute(
        "INSERT INTO batches (at, closed_by, events, size, digest, body) VALUES (?,?,?,?,?,?)",
        (at, closed_by, events, len(body), hashlib.sha256(body).digest(), body),
    )
    return cast("int", cursor.lastrowid)


def _open(
    tx: Tx,
    at: int,
    destination: str,
    batch: int,
    events: int,
    replay: Replay | None,
    headers: Headers,
    due: int,
) -> int:
    cursor = tx.db.execute(
        "INSERT INTO deliveries (rev, at, created, batch, destination, events, state, next_at, replay,"
        " headers) VALUES (?,?,?,?,?,?,?,?,?,?)",
        (tx.next_rev(), at, at, batch, destination, events, DeliveryState.WAITING.value, due, replay,
         _stored(headers)),
    )  # fmt: skip
    return cast("int", cursor.lastrowid)


def next_jobs(db: sqlite3.Connection, destination: str, limit: int) -> Iterator[Job]:
    """The deliveries of a destination that are due first, so many; fewer where their bodies are large."""
    rows = db.execute(
        "SELECT d.id, d.next_at, d.at, d.attempt, d.events, b.body, d.replay, d.headers,"
        " b.closed_by FROM deliveries d JOIN batches b ON b.id = d.batch"
        " WHERE d.destination = ? AND d.state IN ('waiting', 'retrying') ORDER BY d.next_at, d.id LIMIT ?",
        (destination, limit),
    )
    size = 0
    for row in rows:
        replay = Replay(row[6]) if row[6] else None
        was_refused, uncounted = _tried(db, row[0]) if row[3] else (False, 0)
        yield Job(
            row[0], row[1], row[2], row[3], row[4], row[5], replay, headers_of(row[7]), row[8] == ISOLATING,
            was_refused, uncounted,
        )  # fmt: skip
        size += len(row[5])
        if size > _AT_ONCE:
            return


def _tried(db: sqlite3.Connection, delivery: int) -> tuple[bool, int]:
    """Whether an attempt was refused for what is in it, and how many count for nothing."""
    refused, uncounted = (",".join("?" * len(these)) for these in (REFUSED, UNCOUNTED))
    query = (
        f"SELECT coalesce(sum(status IN ({refused})), 0), coalesce(sum(error IN ({uncounted})), 0)"
        " FROM attempts WHERE delivery = ?"
    )
    was_refused, count = db.execute(query, (*REFUSED, *UNCOUNTED, delivery)).fetchone()
    return bool(was_refused), count


def begin_attempt(
    tx: Tx, at: int, job: Job, url: str, headers: Headers, signature: str | None, timestamp: str | None
) -> DeliveryRecord | None:
    """Note, before anything is sent, that an attempt is made; None where it was cancelled meanwhile."""
    changed = tx.db.execute(
        # When it was due stays beside it: its place in the row, should the sending break off.
        "UPDATE deliveries SET rev = ?, at = ?, state = 'sending', attempt = ?,"
        " status = NULL, error = NULL WHERE id = ? AND state IN ('waiting', 'retrying')",
        (tx.next_rev(), at, job.attempt + 1, job.delivery),
    )
    if not changed.rowcount:
        return None
    tx.db.execute(
        "INSERT INTO attempts (delivery, number, at, url, request_headers, signature, sent_timestamp)"
        " VALUES (?,?,?,?,?,?,?)",
        (job.delivery, job.attempt + 1, at, url, _stored(headers), signature, timestamp),
    )
    return announced(tx, job.delivery)


def take_back(tx: Tx, job: Job) -> DeliveryRecord:
    """Note that an attempt was begun and is not made: its delivery waits as it did before."""
    tx.db.execute(
        # Whoever gave the delivery up meanwhile took it to be under way; what was made has its time.
        "DELETE FROM attempts WHERE delivery = ? AND number = ? AND ms IS NULL",
        (job.delivery, job.attempt + 1),
    )
    tx.db.execute(
        "UPDATE deliveries SET rev = ?, attempt = ? WHERE id = ?", (tx.next_rev(), job.attempt, job.delivery)
    )
    tx.db.execute(
        # One that was cancelled meanwhile stays so.
        "UPDATE deliveries SET state = CASE attempt WHEN 0 THEN 'waiting' ELSE 'retrying' END, at = ?,"
        " next_at = ?, (status, error) = (SELECT a.status, a.error FROM attempts a"
        " WHERE a.delivery = deliveries.id AND a.number = deliveries.attempt)"
        " WHERE id = ? AND state = 'sending'",
        (job.scheduled, job.due, job.delivery),
    )
    return announced(tx, job.delivery)


def end_attempt(
    tx: Tx, at: int, attempt: AttemptRecord, state: DeliveryState, error: str | None, next_at: int | None
) -> DeliveryRecord:
    """Note what came of an attempt, and where that leaves its delivery."""
    note_attempt(tx, attempt)
    changed = tx.db.execute(
        # A delivery that was cancelled while its request was under way stays so, unless it arrived.
        "UPDATE deliveries SET rev = ?, at = ?, state = ?, status = ?, error = ?, next_at = ?"
        " WHERE id = ? AND (state = 'sending' OR ? = 'delivered')",
        (tx.next_rev(), at, state.value, attempt.status, error, next_at, attempt.delivery, state.value),
    )
    if not changed.rowcount:
        # Its attempt is another one all the same, for whoever looks at it.
        tx.db.execute("UPDATE deliveries SET rev = ? WHERE id = ?", (tx.next_rev(), attempt.delivery))
    return announced(tx, attempt.delivery)


def note_attempt(tx: Tx, attempt: AttemptRecord) -> None:
    """Note what came of an attempt, and nothing of its delivery."""
    tx.db.execute(
        "UPDATE attempts SET status = ?, reason = ?, response_headers = ?, response_body = ?,"
        " truncated = ?, error = ?, ms = ?, phases = ? WHERE delivery = ? AND number = ?",
        (attempt.status, attempt.reason, _stored(attempt.response_headers), attempt.response_body,
         attempt.truncated, attempt.error, attempt.ms, pack(attempt.phases), attempt.delivery,
         attempt.number),
    )  # fmt: skip


def split(
    tx: Tx,
    at: int,
    job: Job,
    halves: Sequence[tuple[bytes, Sequence[int], int]],
    error: str,
    closed_by: str,
) -> None:
    """Replace a delivery that is not cancelled by its halves: body, its events' ids, their number each."""
    delivery = job.delivery
    destination, state = tx.db.execute(
        "SELECT destination, state FROM deliveries WHERE id = ?", (delivery,)
    ).fetchone()
    if state == DeliveryState.CANCELLED:
        # It was given up meanwhile: so are its halves.
        announced(tx, delivery)
        return
    # They take its place in the row, and what is halved again stays before what came after it: the first
    # half is due just before the second one, which is due when the whole was.
    for before, (body, events, count) in zip((1, 0), halves, strict=True):
        due = job.due - before
        open_delivery(tx, at, destination, body, events, closed_by, count=count, due=due)
    tx.db.execute(
        "UPDATE deliveries SET rev = ?, at = ?, state = 'cancelled', error = ?, next_at = NULL WHERE id = ?",
        (tx.next_rev(), at, error, delivery),
    )
    announced(tx, delivery)


def note_rate_limited(tx: Tx, delivery: int) -> None:
    """Note that a delivery had to wait for its destination's rate limit."""
    tx.db.execute(
        "UPDATE deliveries SET rev = ?, rate_limited = 1 WHERE id = ? AND rate_limited = 0",
        (tx.next_rev(), delivery),
    )


def reschedule(tx: Tx, at: int, delivery: int) -> bool:
    """Make a delivery due now, whatever became of it, unless it is being sent, has arrived or was halved."""
    changed = tx.db.execute(
        "UPDATE deliveries SET rev = ?, at = ?,"
        " state = CASE attempt WHEN 0 THEN 'waiting' ELSE 'retrying' END,"
        " next_at = ?, error = NULL"
        f" WHERE id = ? AND state NOT IN ('sending', 'delivered') AND NOT {_HALVED}",
        (tx.next_rev(), at, at, delivery),
    )
    if changed.rowcount:
        announced(tx, delivery)
    return bool(changed.rowcount)


def cancel(tx: Tx, at: int, delivery: int) -> bool:
    """Give up a delivery that has not arrived."""
    changed = tx.db.execute(
        "UPDATE deliveries SET rev = ?, at = ?, state = 'cancelled', next_at = NULL,"
        " error = 'cancelled by hand' WHERE id = ? AND state IN ('waiting', 'retrying', 'sending')",
        (tx.next_rev(), at, delivery),
    )
    if changed.rowcount:
        announced(tx, delivery)
    return bool(changed.rowcount)


def give_up(tx: Tx, at: int, delivery: int, why: str) -> None:
    """Settle a delivery that nobody is going to send, and whose attempt may have broken off."""
    _interrupt(tx, delivery)
    tx.db.execute(
        "UPDATE deliveries SET rev = ?, at = ?, state = 'cancelled', next_at = NULL, error = ? WHERE id = ?",
        (tx.next_rev(), at, why, delivery),
    )
    announced(tx, delivery)


def recover(tx: Tx, at: int, destination: str | None = None) -> int:
    """Send again what was being sent when the sending broke off: it may or may not have arrived.

    All destinations', or one's; how many there were.
    """
    rows = tx.db.execute(
        "SELECT id FROM deliveries WHERE state = 'sending' AND ? IN (destination, '')", (destination or "",)
    ).fetchall()
    for (delivery,) in rows:
        _interrupt(tx, delivery)
        tx.db.execute(
            # It stays before what came after it. An earlier version did not keep when it was due.
            "UPDATE deliveries SET rev = ?, at = ?, state = 'retrying', error = 'interrupted',"
            " next_at = coalesce(next_at, ?) WHERE id = ?",
            (tx.next_rev(), at, at, delivery),
        )
        announced(tx, delivery)
    return len(rows)


def drop_destination(tx: Tx, at: int, destination: str) -> None:
    """Cancel what waits for a destination that is being deleted."""
    _cancel_all(tx, at, destination)
    endpoints.resume(tx, destination)


def restore_destination(tx: Tx, at: int, destination: str) -> None:
    """Undo drop_destination()."""
    rows = tx.db.execute(
        "SELECT id FROM deliveries WHERE destination = ? AND state = 'cancelled' AND error = ?",
        (destination, DELETED),
    ).fetchall()
    for (delivery,) in rows:
        reschedule(tx, at, delivery)


def rename_destination(tx: Tx, at: int, old: str, new: str) -> None:
    """Give everything of one destination, whose sending has ended, to another name.

    What a deleted destination of that name has left is put aside until the name is given up again.
    """
    recover(tx, at, old)
    for was, becomes in ((new, _aside(new)), (old, new), (_aside(old), old)):
        for table in ("verdicts", "deliveries", "endpoints", "circuits"):
            # Replaced: what was put aside before and never came back.
            query = f"UPDATE OR REPLACE {table} SET destination = ? WHERE destination = ?"
            tx.db.execute(query, (becomes, was))
    tx.next_rev()


def _aside(name: str) -> str:
    # No destination can be called so: a name does not end in a space.
    return f"{name} (deleted) "


def _cancel_all(tx: Tx, at: int, destination: str) -> None:
    rows = tx.db.execute(
        "SELECT id FROM deliveries WHERE destination = ? AND state IN ('waiting', 'retrying', 'sending')",
        (destination,),
    ).fetchall()
    for (delivery,) in rows:
        give_up(tx, at, delivery, DELETED)


def _interrupt(tx: Tx, delivery: int) -> None:
    tx.db.execute(
        "UPDATE attempts SET error = ? WHERE delivery = ? AND status IS NULL AND error IS NULL",
        (INTERRUPTED, delivery),
    )


def _stored(headers: Headers) -> str:
    return msgspec.json.encode(headers).decode()


def announced(tx: Tx, delivery: int) -> DeliveryRecord:
    """A delivery as it is now, told to whoever listens to commits."""
    [record] = outgoing.deliveries(tx.db, "d.id = ?", (delivery,))
    tx.announce(record)
    return record
