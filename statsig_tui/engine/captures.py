"""What the receiver got, in SQL: writing captures, paging through them, joining them to attempts."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any, cast

import msgspec
import zstandard

from statsig_tui.core.records import Arrival, Captured, CaptureDetail, CaptureRecord, EventSummary, Headers
from statsig_tui.core.signing import SignatureState
from statsig_tui.engine.http import BodyRefused, decoded_body
from statsig_tui.engine.store import Tx

_PACK_FROM = 512
"""Bytes; a smaller body gains nothing from compression."""
IMPORTED = "imported"
"""The peer of a capture that was taken from a file."""
_ROW = (
    "id, rev, at, method, path, size, envelope, summary, signature_state, status, fault, ms,"
    f" peer = '{IMPORTED}', program"
)
_COLUMNS = (
    "rev, at, method, path, size, envelope, events, signature_state, status, fault, ms, signature,"
    " sent_timestamp, digest, summary, peer, http_version, headers, signature_reason, answer_headers,"
    " answer_body, packed, program, body"
)
_MARKS = f"({','.join('?' * len(_COLUMNS.split(',')))})"
_TOGETHER = 16
"""Captures in one statement; each number up to it is a statement of its own to prepare."""
_TOGETHER_BYTES = 1024 * 1024
"""SQLite copies what a statement holds: large bodies go one by one."""
_CONTENT = "headers, packed, body"
_CONTENT_AT = 14
ENCODED = "content-encoding"
_LARGEST = 64 * 1024 * 1024
"""Bytes that a compressed body is unpacked to at most."""
Content = tuple[str, bytes]
"""Headers as they are stored, and the body."""
Reading = Callable[[], Content | None]
"""Reads them when they are asked for; None: forgotten meanwhile."""
_packer = zstandard.ZstdCompressor(level=1)
"""Made once: it costs more than a body does. One thread at a time may use it, and only the writer does."""
_LED_TO = """SELECT a.delivery FROM captures c JOIN attempts a
        ON a.signature = c.signature AND a.sent_timestamp = c.sent_timestamp
        WHERE c.id = ? AND c.signature IS NOT NULL
    UNION
    SELECT a.delivery FROM captures c JOIN batches b ON b.digest = c.digest
        JOIN deliveries d ON d.batch = b.id
        JOIN attempts a ON a.delivery = d.id AND a.signature IS NULL
        WHERE c.id = ? AND c.signature IS NULL
            AND c.at BETWEEN a.at - 1000 AND a.at + coalesce(a.ms, 0) + 1000"""
"""The deliveries behind a capture, which is bound twice."""
_own = threading.local()
_summaries = msgspec.json.Decoder(tuple[EventSummary, ...])


def insert(tx: Tx, captured: Sequence[Captured]) -> list[CaptureRecord]:
    """Keep captures, in their order."""
    records: list[CaptureRecord] = []
    for portion in _portions(captured):
        records += _insert(tx, portion)
    tx.records += records
    return records


def _portions(captured: Sequence[Captured]) -> Iterator[Sequence[Captured]]:
    start = size = 0
    for end, got in enumerate(captured):
        size += len(got.body)
        if end > start and (end - start == _TOGETHER or size > _TOGETHER_BYTES):
            yield captured[start:end]
            start, size = end, len(got.body)
    yield captured[start:]


def _insert(tx: Tx, captured: Sequence[Captured]) -> list[CaptureRecord]:
    """One statement: after each the interpreter has to be got back from whoever took it meanwhile."""
    values: list[Any] = []
    first = tx.rev + 1
    for got in captured:
        packed = len(got.body) >= _PACK_FROM
        values += (
            tx.next_rev(), got.at, got.method, got.path, len(got.body), got.envelope, len(got.events),
            got.verdict.state.value, got.status, got.fault, got.ms, got.signature, got.timestamp,
            # Whose body it is matters only where no signature says so.
            b"" if got.signature is not None else hashlib.sha256(got.body).digest(),
            msgspec.json.encode(got.events), got.peer,
            got.http_version, _text(got.headers), got.verdict.reason,
            _text(got.answer_headers), got.answer_body, packed, got.program,
            _packer.compress(got.body) if packed else got.body,
        )  # fmt: skip
    last = cast("int", tx.db.execute(_statement(len(captured)), values).lastrowid)
    # The rows of one statement get numbers in a row.
    return [
        CaptureRecord(
            id=last - len(captured) + 1 + place,
            rev=first + place,
            at=got.at,
            method=got.method,
            path=got.path,
            size=len(got.body),
            envelope=got.envelope,
            events=got.events,
            signature=got.verdict.state,
            status=got.status,
            fault=got.fault,
            ms=got.ms,
            imported=got.peer == IMPORTED,
            program=got.program,
        )
        for place, got in enumerate(captured)
    ]


@cache
def _statement(rows: int) -> str:
    return f"INSERT INTO captures ({_COLUMNS}) VALUES {','.join([_MARKS] * rows)}"


def ids(db: sqlite3.Connection, after: int = 0) -> array[int]:
    """The ids of all captures behind `after`, oldest first."""
    return array(
        "q", (row[0] for row in db.execute("SELECT id FROM captures WHERE id > ? ORDER BY id", (after,)))
    )


def oldest(db: sqlite3.Connection) -> int:
    """The smallest id still kept; 0 when there are none."""
    return int(db.execute("SELECT coalesce(min(id), 0) FROM captures").fetchone()[0])


def page(db: sqlite3.Connection, first: int, last: int) -> list[CaptureRecord]:
    """The captures with ids from `first` to `last`, oldest first."""
    rows = db.execute(f"SELECT {_ROW} FROM captures WHERE id BETWEEN ? AND ? ORDER BY id", (first, last))
    return [_record(row) for row in rows]


def some(db: sqlite3.Connection, numbers: Sequence[int]) -> list[CaptureRecord]:
    """The captures with these ids, oldest first."""
    marks = ",".join("?" * len(numbers))
    rows = db.execute(f"SELECT {_ROW} FROM captures WHERE id IN ({marks}) ORDER BY id", tuple(numbers))
    return [_record(row) for row in rows]


def select(
    db: sqlite3.Connection, where: str, values: Sequence[object], *, with_bodies: bool = False
) -> Iterator[tuple[CaptureRecord, Reading]]:
    """Captures that fulfil a condition, each with how to get its headers and body.

    With `with_bodies` these are read along, which is dear where few are asked for, and else by themselves.
    """
    if with_bodies:
        for row in db.execute(f"SELECT {_ROW}, {_CONTENT} FROM captures WHERE {where}", values):
            yield _record(row), partial(_content, row[_CONTENT_AT:])
    else:
        for row in db.execute(f"SELECT {_ROW} FROM captures WHERE {where}", values):
            yield _record(row), partial(content, db, row[0])


def content(db: sqlite3.Connection, capture: int) -> Content | None:
    """Headers and body of one capture."""
    row = db.execute(f"SELECT {_CONTENT} FROM captures WHERE id = ?", (capture,)).fetchone()
    return _content(row) if row is not None else None


def since(db: sqlite3.Connection, rev: int, limit: int) -> list[CaptureRecord]:
    """Captures newer than a revision, oldest first."""
    rows = db.execute(f"SELECT {_ROW} FROM captures WHERE rev > ? ORDER BY rev LIMIT ?", (rev, limit))
    return [_record(row) for row in rows]


def arrivals(db: sqlite3.Connection, rev: int, limit: int) -> list[Arrival]:
    """As since(), but only when each came and with how many events: nothing is decoded."""
    rows = db.execute("SELECT rev, at, events FROM captures WHERE rev > ? ORDER BY rev LIMIT ?", (rev, limit))
    return [Arrival(*row) for row in rows]


def detail(db: sqlite3.Connection, capture: int) -> CaptureDetail | None:
    """All of one capture, body unpacked."""
    row = db.execute(
        f"SELECT {_ROW}, peer, http_version, headers, signature_reason, answer_headers, answer_body,"
        " packed, body FROM captures WHERE id = ?",
        (capture,),
    ).fetchone()
    if row is None:
        return None
    peer, version, headers, reason, answer_headers, answer_body, packed, body = row[14:]
    return CaptureDetail(
        record=_record(row),
        peer=peer,
        http_version=version,
        headers=headers_of(headers),
        body=_unpacked(packed, body),
        signature_reason=reason,
        answer_headers=headers_of(answer_headers),
        answer_body=answer_body,
    )


def of_deliveries(db: sqlite3.Connection, deliveries: Sequence[int]) -> list[CaptureRecord]:
    """The captures that these deliveries' attempts became.

    Joined by signature and timestamp headers; unsigned ones by body digest and time.
    """
    marks = ",".join("?" * len(deliveries))
    rows = db.execute(
        f"""SELECT {_ROW} FROM captures WHERE id IN (
            SELECT c.id FROM attempts a JOIN captures c
                ON c.signature = a.signature AND c.sent_timestamp = a.sent_timestamp
                WHERE a.delivery IN ({marks}) AND a.signature IS NOT NULL
            UNION
            SELECT c.id FROM attempts a
                JOIN deliveries d ON d.id = a.delivery
                JOIN batches b ON b.id = d.batch
                JOIN captures c ON c.digest = b.digest AND c.signature IS NULL
                WHERE a.delivery IN ({marks}) AND a.signature IS NULL
                    AND c.at BETWEEN a.at - 1000 AND a.at + coalesce(a.ms, 0) + 1000
        ) ORDER BY id""",
        (*deliveries, *deliveries),
    )
    return [_record(row) for row in rows]


def deliveries_of(db: sqlite3.Connection, capture: int) -> list[int]:
    """The deliveries that led to a capture: the other side of of_deliveries()."""
    return [row[0] for row in db.execute(_LED_TO, (capture, capture))]


def destinations_of(db: sqlite3.Connection, capture: int) -> list[str]:
    """The destinations whose deliveries led to a capture, the first one first."""
    rows = db.execute(
        f"SELECT destination FROM deliveries WHERE id IN ({_LED_TO}) GROUP BY destination ORDER BY min(id)",
        (capture, capture),
    )
    return [row[0] for row in rows]


def totals(db: sqlite3.Connection) -> tuple[int, int, int | None]:
    """Captures kept, their events, and when the newest came (epoch ms)."""
    count, events, last = db.execute(
        "SELECT count(*), coalesce(sum(events), 0), max(id) FROM captures"
    ).fetchone()
    at = db.execute("SELECT at FROM captures WHERE id = ?", (last,)).fetchone() if last else None
    return count, events, at[0] if at else None


def headers_of(text: str) -> Headers:
    """Stored headers, in the order they came."""
    return tuple((name, value) for name, value in json.loads(text))


def plain(headers: Headers, body: bytes) -> bytes:
    """A body without its Content-Encoding, where that can be taken off."""
    encoding = next((value for name, value in headers if name.lower() == ENCODED), None)
    if encoding is None:
        return body
    try:
        return decoded_body(body, encoding, _LARGEST)
    except BodyRefused:
        return body


def _content(row: Sequence[Any]) -> Content:
    return row[0], _unpacked(row[1], row[2])


def _unpacked(packed: int, body: bytes) -> bytes:
    return _unpacker().decompress(body) if packed else body


def _unpacker() -> zstandard.ZstdDecompressor:
    """This thread's own: to make one costs more than to unpack a body."""
    found: zstandard.ZstdDecompressor | None = getattr(_own, "unpacker", None)
    if found is None:
        found = _own.unpacker = zstandard.ZstdDecompressor()
    return found


def _text(headers: Headers) -> str:
    return msgspec.json.encode(headers).decode()


def _record(row: Sequence[Any]) -> CaptureRecord:
    return CaptureRecord(
        id=row[0],
        rev=row[1],
        at=row[2],
        method=row[3],
        path=row[4],
        size=row[5],
        envelope=row[6],
        events=_summaries.decode(row[7]),
        signature=SignatureState(row[8]),
        status=row[9],
        fault=row[10],
        ms=row[11],
        imported=bool(row[12]),
        program=row[13],
    )
