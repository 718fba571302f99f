"""Where each event occurred and how often each name did: two tables written behind the captures.

An index over ids grows anywhere, so nothing of it is done while a request is answered or many come: it is
caught up with when there is time, a short transaction at a time, and forgets what the captures forgot.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from statsig_tui.core import jsontext
from statsig_tui.core.event import EventClass
from statsig_tui.core.records import CaptureRecord, EventSummary
from statsig_tui.core.repeats import Beside, NameCount, Names, key, needs_body
from statsig_tui.engine import captures
from statsig_tui.engine.store import Store, Tx
from statsig_tui.engine.tasks import told_task
from statsig_tui.errors import StoreBroken

QUIET_SECONDS = 0.3
"""Between two steps; captures are noted that much later than they came."""
_FLOOD = 30
"""Captures in that time that leave no time for this."""
_CAPTURES = 500
_EVENTS = 4000
"""What one step notes at most, one capture however large it is excepted."""
_PLACES = 14
"""Bits for a place in a batch: an occurrence's number is its capture's with these behind it."""
_NOTED = "noted"
"""The fact of up to which capture all is noted."""
_BEFORE = 64
"""Captures that are looked through for what the same sender sent before."""


class Noting:
    """Notes what came when it is quiet; one task, and none while there is nothing to do."""

    def __init__(
        self, store: Store, changed: Callable[[], None], quiet_seconds: float = QUIET_SECONDS
    ) -> None:
        """`changed` is called on the loop after each step that noted something."""
        self._store = store
        self._changed = changed
        self._quiet = quiet_seconds
        self._came = 0
        self._task: asyncio.Task[None] | None = None

    def count(self) -> None:
        """One more capture came and is committed."""
        self._came += 1
        self.look()

    def look(self) -> None:
        """Look soon whether anything is to be noted."""
        if self._task is None or self._task.done():
            follows = "what came is not known as a repetition, and not counted by name"
            self._task = told_task(self._follow(), "noting", follows)

    def stop(self) -> None:
        """Leave the rest to the next start."""
        if self._task is not None:
            self._task.cancel()

    async def _follow(self) -> None:
        # A store that refuses notes nothing; the next capture that it takes tries again.
        with contextlib.suppress(StoreBroken):
            while True:
                before = self._came
                await asyncio.sleep(self._quiet)
                if self._came - before > _FLOOD:
                    continue
                before = self._came
                step = await self._store.write(note)
                if step.events:
                    self._changed()
                if step.is_all and self._came == before:
                    return


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did."""

    events: int
    is_all: bool
    """Whether everything that had come is noted now."""


def note(tx: Tx) -> Step:
    """Note the next captures, oldest first, and forget some of what the captures forgot."""
    db = tx.db
    oldest = captures.oldest(db)
    noted = reached(db)
    is_rid = _forget(db, oldest or noted + 1)
    last, count = noted, 0
    rows: list[tuple[int, int | None, tuple[str, str]]] = []
    names = Counter[tuple[str, str]]()
    for record, content in captures.select(
        db, "id > ? ORDER BY id LIMIT ?", (max(noted, oldest - 1), _CAPTURES)
    ):
        if count and count + len(record.events) > _EVENTS:
            break
        count += len(record.events)
        last = record.id
        for place, (event, number) in enumerate(zip(record.events, keys(record, content), strict=True)):
            named = (event.event_name, event.event_class.value)
            names[named] += 1
            rows.append((record.id << _PLACES | place, number, named))
    numbers = {named: _name(db, *named, volume) for named, volume in names.items()}
    db.executemany(
        "INSERT OR IGNORE INTO occurrences VALUES (?, ?, ?)",
        ((at, number, numbers[named]) for at, number, named in rows),
    )
    if last > noted:
        db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (_NOTED, str(last)))
    return Step(len(rows), is_rid and last >= _newest(db))


def reached(db: sqlite3.Connection) -> int:
    """The capture up to which all is noted; 0: none."""
    row = db.execute("SELECT value FROM facts WHERE name = ?", (_NOTED,)).fetchone()
    return int(row[0]) if row is not None else 0


def keys(record: CaptureRecord, content: captures.Reading) -> list[int | None]:
    """By what each event of a capture is known again; the body is read only for config changes."""
    changed: Sequence[str | None] = ()
    if any(map(needs_body, record.events)):
        changed = _changed(content)
    return [
        key(event, changed[place] if place < len(changed) and needs_body(event) else None)
        for place, event in enumerate(record.events)
    ]


def repeated(db: sqlite3.Connection, low: int, before: int) -> set[tuple[int, int]]:
    """Capture and place of each noted event that came before, in captures from `low` to before `before`."""
    rows = db.execute(
        "SELECT o.at FROM occurrences o WHERE o.at >= ? AND o.at < ? AND EXISTS"
        " (SELECT 1 FROM occurrences p WHERE p.key = o.key AND p.at < o.at AND p.at >= ?)",
        (low << _PLACES, before << _PLACES, captures.oldest(db) << _PLACES),
    )
    return {_place(at) for (at,) in rows}


def came_before(db: sqlite3.Connection, number: int, capture: int, place: int) -> bool:
    """Whether an event with this key is noted that came before a capture's place."""
    row = db.execute(
        "SELECT 1 FROM occurrences WHERE key = ? AND at < ? AND at >= ? LIMIT 1",
        (number, capture << _PLACES | place, captures.oldest(db) << _PLACES),
    ).fetchone()
    return row is not None


def beside(db: sqlite3.Connection, capture: int, first: int = 0, last: int = 1 << _PLACES) -> Beside:
    """Which events of a capture, of places from `first` to before `last`, came where before."""
    rows = db.execute(
        "SELECT o.at, (SELECT min(p.at) FROM occurrences p WHERE p.key = o.key AND p.at >= ?)"
        " FROM occurrences o WHERE o.at >= ? AND o.at < ? AND o.key IS NOT NULL",
        (
            captures.oldest(db) << _PLACES,
            capture << _PLACES | first,
            (capture << _PLACES) + last,
        ),
    )
    found = {_place(at)[1]: _place(start) for at, start in rows if start != at}
    return Beside(found, _time_before(db, capture), reached(db) >= capture)


def names(db: sqlite3.Connection, most: int) -> Names:
    """What is kept by class and name."""
    listed = db.execute(
        "SELECT class, name, volume FROM names WHERE volume > 0 ORDER BY volume DESC, name LIMIT ?", (most,)
    )
    classes = db.execute("SELECT class, sum(volume) FROM names GROUP BY class HAVING sum(volume) > 0")
    return Names(
        tuple(NameCount(EventClass(kind), name, volume) for kind, name, volume in listed),
        {EventClass(kind): volume for kind, volume in classes},
        max(0, _newest(db) - max(reached(db), captures.oldest(db) - 1)),
    )


def _forget(db: sqlite3.Connection, oldest: int) -> bool:
    """Forget what captures before `oldest` held; whether all of it is forgotten now."""
    gone = db.execute(
        "SELECT at, name FROM occurrences WHERE at < ? ORDER BY at LIMIT ?", (oldest << _PLACES, _EVENTS)
    ).fetchall()
    if not gone:
        return True
    for name, volume in Counter(name for _, name in gone).items():
        db.execute("UPDATE names SET volume = volume - ? WHERE id = ?", (volume, name))
    db.execute("DELETE FROM occurrences WHERE at <= ?", (gone[-1][0],))
    db.execute("DELETE FROM names WHERE volume <= 0")
    return len(gone) < _EVENTS


def _name(db: sqlite3.Connection, name: str, event_class: str, volume: int) -> int:
    row = db.execute(
        "INSERT INTO names (class, name, volume) VALUES (?, ?, ?)"
        " ON CONFLICT (name, class) DO UPDATE SET volume = volume + excluded.volume RETURNING id",
        (event_class, name, volume),
    ).fetchone()
    return int(row[0])


def _newest(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT coalesce(max(id), 0) FROM captures").fetchone()[0])


def _place(at: int) -> tuple[int, int]:
    return at >> _PLACES, at & (1 << _PLACES) - 1


def _time_before(db: sqlite3.Connection, capture: int) -> int | None:
    """When the last event happened of the former capture from the same host for the same path."""
    row = db.execute(
        "SELECT f.id FROM captures c JOIN captures f ON f.id < c.id AND f.id >= c.id - ?"
        " AND f.path = c.path AND rtrim(f.peer, '0123456789') = rtrim(c.peer, '0123456789')"
        " WHERE c.id = ? ORDER BY f.id DESC LIMIT 1",
        (_BEFORE, capture),
    ).fetchone()
    if row is None:
        return None
    events: Sequence[EventSummary] = captures.page(db, row[0], row[0])[0].events
    return next((event.timestamp for event in reversed(events) if event.timestamp is not None), None)


def _changed(content: captures.Reading) -> list[str | None]:
    """The `metadata.name` of each event of a body."""
    headers, body = content() or ("[]", b"")
    try:
        value = jsontext.parse(captures.plain(captures.headers_of(headers), body))
    except jsontext.JsonError:
        return []
    items = value.get("data") if isinstance(value, dict) else value
    found = [item.get("metadata") for item in items or () if isinstance(item, dict)]
    named = [metadata.get("name") if isinstance(metadata, dict) else None for metadata in found]
    return [name if isinstance(name, str) else None for name in named]
