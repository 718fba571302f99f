"""What filters said to the events that were accepted, and what another filter would say.

Trying one stores and sends nothing; whether the destination is on plays no part in it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from statsig_tui.core import jsontext
from statsig_tui.core.config import Filter
from statsig_tui.core.event import Event, EventClass, forbidden_in, milliseconds, view
from statsig_tui.core.filters import judge, needs_content
from statsig_tui.core.judgements import DryRun, Judged, Tried

MOST = 100_000
"""Events it is tried on at the most, the newest ones."""
_CLASSES = {each.value: each for each in EventClass}


def run(db: sqlite3.Connection, saved: Filter, draft: Filter, most: int = MOST) -> DryRun:
    """Try both filters on the newest events, by name."""
    # Counted by what both said: [neither, the saved one alone, the draft alone, both].
    found: dict[str, list[int]] = {}
    each = _one_by_one if needs_content(saved) or needs_content(draft) else _by_name
    now, before = judge(draft), judge(saved)
    for event, count in each(db, most):
        found.setdefault(event.name, [0, 0, 0, 0])[2 * now(event) + before(event)] += count
    return DryRun(
        {
            name: Tried(sum(counts), counts[2] + counts[3], counts[1] + counts[3], counts[2], counts[1])
            for name, counts in found.items()
        }
    )


def newest(db: sqlite3.Connection, name: str) -> Event | None:
    """The newest event of a name, if one is kept among the newest of all."""
    row = db.execute(
        "SELECT raw FROM (SELECT id, name, raw FROM events ORDER BY id DESC LIMIT ?) WHERE name = ?"
        " ORDER BY id DESC LIMIT 1",
        (MOST, name),
    ).fetchone()
    return view(row[0], jsontext.parse(row[0])) if row else None


def matrix(db: sqlite3.Connection, most: int) -> list[Judged]:
    """What was said to the newest events, by name and destination; the name seen last comes first."""
    # SQLite takes the clause from the row that max() picks.
    rows = db.execute(
        "SELECT e.name, v.destination, count(*), sum(v.forwarded), v.clause, max(v.event)"
        " FROM (SELECT id, name FROM events ORDER BY id DESC LIMIT ?) e JOIN verdicts v ON v.event = e.id"
        " GROUP BY e.name, v.destination ORDER BY max(v.event) DESC, v.destination",
        (most,),
    )
    return [Judged(*row[:5]) for row in rows]


def _by_name(db: sqlite3.Connection, most: int) -> Iterator[tuple[Event, int]]:
    # A backslash is either a forbidden character, or begins the escape that stands for half of one:
    # the bytes know.
    newest = "FROM (SELECT id, name, class, raw FROM events ORDER BY id DESC LIMIT ?) WHERE instr(name, '\\')"
    for (raw,) in db.execute(f"SELECT raw {newest} > 0", (most,)):
        yield view(raw, jsontext.parse(raw)), 1
    for name, kind, count in db.execute(
        f"SELECT name, class, count(*) {newest} = 0 GROUP BY name, class", (most,)
    ):
        yield Event(b"", name, EventClass(kind), None, None, None, forbidden=forbidden_in(name)), count


def _one_by_one(db: sqlite3.Connection, most: int) -> Iterator[tuple[Event, int]]:
    rows = db.execute(
        "SELECT raw, name, class, user_id, time_uuid FROM events ORDER BY id DESC LIMIT ?", (most,)
    )
    forbidden = lru_cache(forbidden_in)
    for raw, name, kind, user_id, time_uuid in rows:
        if "\\" in name:
            yield view(raw, jsontext.parse(raw)), 1
        else:
            at = _timestamp(raw)
            yield Event(raw, name, _CLASSES[kind], user_id, time_uuid, at, forbidden=forbidden(name)), 1


class _Timed(msgspec.Struct):
    """What stands in no column: reading it alone takes a fraction of reading the event."""

    timestamp: Any = None


def _timestamp(raw: bytes) -> int | None:
    try:
        return milliseconds(msgspec.json.decode(raw, type=_Timed).timestamp)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return view(raw, jsontext.parse(raw)).timestamp
