"""Looking for what fits a query, newest first, in short steps, and then for what arrives: SQL narrows,
the query decides. A step is one short read on whoever's thread: nothing is held in between, so the
writer never waits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Literal

from statsig_tui.core.event import is_unicode
from statsig_tui.core.query import KEYS, All, AnyOf, Clause, Node, Not, Query, View
from statsig_tui.core.query import view as views
from statsig_tui.core.query.matching import moment
from statsig_tui.core.query.terms import Takes, Value
from statsig_tui.core.records import (
    CaptureRecord,
    DeliveryRecord,
    EventRecord,
    SentRecord,
)
from statsig_tui.engine import captures, history, occurrences, outgoing, remarks
from statsig_tui.engine.captures import ENCODED, plain

Stored = CaptureRecord | DeliveryRecord | EventRecord | SentRecord
Kind = Literal["captures", "deliveries", "events", "history"]
KINDS: tuple[Kind, ...] = ("captures", "deliveries", "events", "history")
SPAN = 500
"""Ids looked through in one step."""
_READ = 512 * 1024
"""Bytes of bodies after which a step ends."""
_MOST_TERMS = 400
"""Of SQL; a longer query is answered row by row. SQLite's own limit is a depth of 1000."""

_COLUMNS: dict[Kind, dict[str, str]] = {
    "captures": {
        "since": "at", "until": "at", "status": "status", "sig": "signature_state", "path": "path",
        "method": "method", "envelope": "coalesce(envelope, 'none')", "fault": "fault", "size": "size",
        "events": "events", "took": "ms",
    },
    "deliveries": {
        "since": "d.created", "until": "d.created", "status": "d.status", "fault": "d.error",
        "size": "b.size", "events": "d.events",
    },
    "events": {"since": "at", "until": "at", "events": "1"},
    "history": {
        "since": "at", "until": "at", "status": "status", "fault": "error", "size": "size", "events": "1",
        "took": "ms",
    },
}  # fmt: skip
_TABLES: dict[Kind, str] = {
    "captures": "captures", "deliveries": "deliveries", "events": "events", "history": "sent",
}  # fmt: skip


class Search:
    """One search; `step` it until it is done, or leave it: there is nothing to end."""

    def __init__(self, kind: Kind, query: Query, now: int, *, limit: int = 200, span: int = SPAN) -> None:
        """At most `limit` are found in a step, of at most `span` that are looked at; `now` is epoch ms."""
        self.is_done = False
        self.is_current = True
        """Whether arrived() has told all that had come when it was asked last."""
        self._kind: Kind = kind
        self._now = now
        self._limit = limit
        self._span = span
        self._before: int | None = None
        self._oldest = 0
        self._newest = 0
        indexed = query.indexed()
        sql = _Sql(_COLUMNS[kind], now)
        where = sql.of(indexed.columns)
        pieces = indexed.pieces if kind == "captures" else ()
        for alternatives in pieces:
            where += f" AND ({' OR '.join(['instr(summary, ?)'] * len(alternatives))})"
            sql.values += [piece.encode() for piece in alternatives]
        is_long = where.count("(") > _MOST_TERMS
        self._where, self._values = ("1", []) if is_long else (where, sql.values)
        self._rest = query if is_long else indexed.rest
        self._first: dict[int, tuple[int, int]] | None = None
        """Where each key came first in what is not noted yet; None: nobody asks."""
        if kind == "captures" and self._rest.uses("dup"):
            self._first = {}
        self._noted = 0
        self._learned = 0
        self._repeated: set[tuple[int, int]] = set()
        self._keys: dict[int, list[int | None]] = {}
        """Those of the capture that was asked about last."""

    @property
    def reached(self) -> int | None:
        """What has this id or a larger one was looked at; None: it has not begun."""
        return self._before

    def step(self, db: sqlite3.Connection) -> list[Stored]:
        """What is found next, newest first; it may be nothing yet."""
        before = self._begin(db)
        if self._first is not None and self._learned < before - 1:
            self._learn(db, self._first, before - 1)
            return []
        low = max(before - self._span, self._oldest)
        found: list[Stored] = []
        read = _Read()
        self._before = low
        for record, view in self._rows(db, low, before, read):
            if self._rest.matches(view, self._now):
                found.append(record)
            if len(found) == self._limit or read.size > _READ:
                self._before = record.id
                break
        self.is_done = self._before <= self._oldest
        return found

    def arrived(self, db: sqlite3.Connection) -> list[Stored]:
        """What came since it began, oldest first; ask again at any time, and until it `is_current`."""
        self._begin(db)
        (newest,) = db.execute(f"SELECT coalesce(max(id), 0) FROM {_TABLES[self._kind]}").fetchone()
        if self._first is not None and self._learned < newest:
            self._learn(db, self._first, newest)
            self.is_current = False
            return []
        last = min(newest, self._newest + self._span)
        found: list[Stored] = []
        read = _Read()
        for record, view in self._rows(db, self._newest + 1, last + 1, read, newest_first=False):
            if self._rest.matches(view, self._now):
                found.append(record)
            if len(found) == self._limit or read.size > _READ:
                last = record.id
                break
        self._newest = max(self._newest, last)
        self.is_current = self._newest >= newest
        return found

    def _begin(self, db: sqlite3.Connection) -> int:
        """The id before which it goes on; at first, behind the newest one."""
        if self._before is None:
            self._oldest, self._newest = db.execute(
                f"SELECT coalesce(min(id), 1), coalesce(max(id), 0) FROM {_TABLES[self._kind]}"
            ).fetchone()
            self._before = self._newest + 1
            if self._first is not None:
                self._noted = self._learned = occurrences.reached(db)
        return self._before

    def _rows(
        self, db: sqlite3.Connection, low: int, before: int, read: _Read, *, newest_first: bool = True
    ) -> Iterator[tuple[Stored, View]]:
        values = (low, before, *self._values)
        order = "DESC" if newest_first else "ASC"
        span = f"{{0}} >= ? AND {{0}} < ? AND {self._where} ORDER BY {{0}} {order}"
        match self._kind:
            case "captures":
                if self._first is not None:
                    self._repeated = occurrences.repeated(db, low, before)
                for capture, content in captures.select(
                    db, span.format("id"), values, with_bodies=self._rest.reads_bodies
                ):
                    yield (
                        capture,
                        views.of_capture(
                            capture,
                            partial(read.of_capture, content),
                            partial(captures.destinations_of, db, capture.id),
                            partial(self._came_before, db, capture, content),
                            partial(remarks.note, db, capture.id),
                        ),
                    )
            case "deliveries":
                for delivery in outgoing.deliveries(db, span.format("d.id"), values):
                    body = partial(outgoing.batch_body, db, delivery.id)
                    yield delivery, views.of_delivery(delivery, partial(read, body))
            case "history":
                for sent in history.sent(db, span.format("id"), values):
                    body = partial(history.sent_body, db, sent.id)
                    yield sent, views.of_sent(sent, partial(read, body))
            case "events":
                where = f"id >= ? AND id < ? AND {self._where}"
                for event in outgoing.events(db, where, values)[:: -1 if newest_first else 1]:
                    body = partial(outgoing.event_body, db, event.id)
                    destinations = partial(_destinations_of_event, db, event.id)
                    yield event, views.of_accepted(event, partial(read, body), destinations)

    def _learn(self, db: sqlite3.Connection, first: dict[int, tuple[int, int]], upto: int) -> None:
        """Look where each event came first that is not noted yet, from the oldest on."""
        after = max(self._learned, self._oldest - 1)
        last = min(after + self._span, upto)
        for record, content in captures.select(db, "id BETWEEN ? AND ? ORDER BY id", (after + 1, last)):
            for place, key in enumerate(occurrences.keys(record, content)):
                if key is not None:
                    first.setdefault(key, (record.id, place))
        self._learned = last

    def _came_before(
        self, db: sqlite3.Connection, record: CaptureRecord, content: captures.Reading, place: int
    ) -> bool:
        here = (record.id, place)
        if self._first is None or here in self._repeated:
            return self._first is not None
        if record.id <= self._noted:
            return False
        if record.id not in self._keys:
            self._keys = {record.id: occurrences.keys(record, content)}
        key = self._keys[record.id][place]
        if key is None:
            return False
        return self._first.get(key, here) != here or occurrences.came_before(db, key, *here)


class _Read:
    """Bodies on their way, and how many bytes they came to."""

    def __init__(self) -> None:
        self.size = 0

    def __call__(self, body: Callable[[], bytes | None]) -> bytes:
        found = body() or b""
        self.size += len(found)
        return found

    def of_capture(self, content: captures.Reading) -> bytes:
        """A capture's body without its Content-Encoding."""
        headers, body = content() or ("[]", b"")
        self.size += len(body)
        return plain(captures.headers_of(headers), body) if ENCODED in headers.lower() else body


def _destinations_of_event(db: sqlite3.Connection, event: int) -> Sequence[str]:
    return [verdict.destination for verdict in outgoing.verdicts(db, [event]) if verdict.forwarded]


class _Sql:
    """Clauses about columns as SQL that is true or false, never null."""

    def __init__(self, columns: dict[str, str], now: int) -> None:
        self.values: list[object] = []
        self._columns = columns
        self._now = now

    def of(self, node: Node) -> str:
        """The condition; its values are added to `values`."""
        match node:
            case All(parts):
                return f"({' AND '.join(map(self.of, parts))})" if parts else "1"
            case AnyOf(parts):
                return f"({' OR '.join(map(self.of, parts))})"
            case Not(part):
                return f"(NOT {self.of(part)})"
            case Clause(key):
                column = self._columns.get(key)
                return f"(({self._clause(node, column)}) IS TRUE)" if column is not None else "0"
            case _:
                raise ValueError(f"no column answers {node}")

    def _clause(self, clause: Clause, column: str) -> str:
        takes = KEYS[clause.key].takes
        asked: Callable[[Value], str]
        if takes is Takes.MOMENT:
            sign = ">=" if clause.key == "since" else "<"
            return f"{column} {sign} {self._bound(moment(clause.values[0], self._now))}"
        if takes is Takes.CHOICE:
            words = set().union(*(KEYS[clause.key].choices[value.text] for value in clause.values))
            return f"{column} IN ({','.join(map(self._bound, sorted(words)))})"
        if takes is Takes.TEXT:
            asked = partial(self._text, clause.key, column)
        elif takes is Takes.STATUS:
            asked = partial(self._status, clause, column)
        else:
            asked = lambda value: f"{column} {clause.operator} {self._bound(value.number)}"  # noqa: E731
        return f"({') OR ('.join(map(asked, clause.values))})"

    def _status(self, clause: Clause, column: str, value: Value) -> str:
        if value.text == "none":
            return f"{column} IS NULL"
        if value.number is None:
            return f"{column} / 100 = {self._bound(int(value.text[0]))}"
        return f"{column} {clause.operator} {self._bound(value.number)}"

    def _text(self, key: str, column: str, value: Value) -> str:
        if "\0" in value.text or not is_unicode(value.text):
            return "0"  # nothing that is stored has these
        found = self._fits(column, value)
        if key != "path":
            return found
        behind = f"substr({column}, 1, instr({column}, '?') - 1)"
        return f"({found}) OR (instr({column}, '?') AND {self._fits(behind, value)})"

    def _fits(self, column: str, value: Value) -> str:
        if not value.is_pattern:
            return f"{column} = {self._bound(value.text)}"
        exact = value.text.replace("[", "[[]").replace("?", "[?]")
        return f"{column} GLOB {self._bound(exact)}"

    def _bound(self, value: object) -> str:
        self.values.append(value)
        return "?"
