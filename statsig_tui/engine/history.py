"""What was posted to targets and to the emulator, in SQL: sent events and remarkable requests."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, cast

from statsig_tui.core.records import RequestRecord, SentDetail, SentRecord, Timing
from statsig_tui.engine.captures import headers_of
from statsig_tui.engine.store import Tx

_LARGE = 64 * 1024
"""Bytes of a body that is not looked into for names and keys."""
_SENT = "id, rev, at, target, url, event_name, size, status, error, certainty, ms, trace"
_REQUESTS = "SELECT id, rev, at, method, path, status, fault FROM requests"


def insert_request(tx: Tx, at: int, method: str, path: str, status: int, fault: str | None) -> None:
    """Keep a request to the emulator that was not plainly accepted."""
    rev = tx.next_rev()
    cursor = tx.db.execute(
        "INSERT INTO requests (rev, at, method, path, status, fault) VALUES (?,?,?,?,?,?)",
        (rev, at, method, path, status, fault),
    )
    tx.announce(RequestRecord(cast("int", cursor.lastrowid), rev, at, method, path, status, fault))


def insert_sent(tx: Tx, sent: SentDetail) -> SentRecord:
    """Keep what was sent and how it was answered; `sent.record` comes back with its id and revision."""
    rev = tx.next_rev()
    record = sent.record
    cursor = tx.db.execute(
        "INSERT INTO sent (rev, at, target, url, event_name, size, status, error, certainty, ms, trace,"
        " request_headers, body, response_headers, response_body, truncated, method, connect_ms, wait_ms,"
        " read_ms) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (rev, record.at, record.target, record.url, record.event_name, record.size, record.status,
         record.error, record.certainty, record.ms, record.trace, json.dumps(sent.request_headers),
         sent.body, json.dumps(sent.response_headers), sent.response_body, sent.truncated, sent.method,
         sent.timing.connect, sent.timing.wait, sent.timing.read),
    )  # fmt: skip
    record = replace(record, id=cast("int", cursor.lastrowid), rev=rev)
    tx.announce(record)
    return record


def sent(db: sqlite3.Connection, where: str, values: Iterable[object]) -> list[SentRecord]:
    """Sent events that fulfil a condition."""
    return [SentRecord(*row) for row in db.execute(f"SELECT {_SENT} FROM sent WHERE {where}", tuple(values))]


def sent_like(
    db: sqlite3.Connection, is_wanted: Callable[[SentRecord], bool], limit: int
) -> list[SentRecord]:
    """The newest sent events that are wanted, newest first; no more are read than it takes to find them."""
    every = (SentRecord(*row) for row in db.execute(f"SELECT {_SENT} FROM sent ORDER BY id DESC"))
    return list(islice(filter(is_wanted, every), limit))


def sent_count(db: sqlite3.Connection) -> int:
    """How many sent events are kept."""
    (count,) = db.execute("SELECT count(*) FROM sent").fetchone()
    return int(count)


def sent_detail(db: sqlite3.Connection, number: int) -> SentDetail | None:
    """All of one sent event."""
    row: Sequence[Any] | None = db.execute(
        f"SELECT {_SENT}, request_headers, body, response_headers, response_body, truncated, method,"
        " connect_ms, wait_ms, read_ms FROM sent WHERE id = ?",
        (number,),
    ).fetchone()
    if row is None:
        return None
    return SentDetail(
        SentRecord(*row[:12]),
        headers_of(row[12]),
        row[13],
        headers_of(row[14]),
        row[15],
        bool(row[16]),
        method=row[17],
        timing=Timing(*row[18:21]),
    )


def sent_body(db: sqlite3.Connection, number: int) -> bytes | None:
    """The bytes of one sent event."""
    row = db.execute("SELECT body FROM sent WHERE id = ?", (number,)).fetchone()
    return row[0] if row else None


def bodies(db: sqlite3.Connection, newest: int) -> Iterator[bytes]:
    """Bodies of the newest sent and of the newest accepted events, without the large ones."""
    for table, column in (("sent", "body"), ("events", "raw")):
        query = (
            f"SELECT {column} FROM {table} WHERE length({column}) <= {_LARGE}"
            f" AND id IN (SELECT id FROM {table} ORDER BY id DESC LIMIT ?)"
        )
        for (raw,) in db.execute(query, (newest,)):
            yield bytes(raw)


def requests(db: sqlite3.Connection, limit: int) -> list[RequestRecord]:
    """The newest remarkable requests, newest first."""
    return [RequestRecord(*row) for row in db.execute(f"{_REQUESTS} ORDER BY id DESC LIMIT ?", (limit,))]


def request(db: sqlite3.Connection, number: int) -> RequestRecord | None:
    """One remarkable request."""
    row = db.execute(f"{_REQUESTS} WHERE id = ?", (number,)).fetchone()
    return RequestRecord(*row) if row is not None else None
