"""The questions screens and commands ask of the store; every answer is frozen. Any thread may ask."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from statsig_tui.core.config import Filter
from statsig_tui.core.envelope import MAX_EVENTS
from statsig_tui.core.event import Event, EventClass
from statsig_tui.core.health import Health
from statsig_tui.core.judgements import DryRun, Judged
from statsig_tui.core.records import (
    Arrival,
    AttemptRecord,
    CaptureDetail,
    CaptureRecord,
    Counters,
    DeliveryRecord,
    DestinationCounters,
    DiagnosticsRow,
    RequestRecord,
    SentDetail,
    SentRecord,
    Trace,
    VerdictRecord,
)
from statsig_tui.core.repeats import Beside, Names
from statsig_tui.core.replaying import Replayed
from statsig_tui.core.seen import Seen, gather
from statsig_tui.engine import (
    captures,
    dry_run,
    due,
    endpoints,
    health,
    history,
    occurrences,
    offers,
    outgoing,
    remarks,
    replays,
    tracing,
)
from statsig_tui.engine.search import Search, Stored

T = TypeVar("T")
_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """An event name that was accepted, and how often."""

    name: str
    event_class: EventClass
    volume: int


class Readable(Protocol):
    """A database and how to ask it, on the calling thread."""

    @property
    def rev(self) -> int:
        """The newest committed revision."""

    def look(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run `job` on a reading connection, and wait for it. Raises StoreBroken."""


class Archive:
    """Reads on the calling thread's own connection: short ones from a loop, long ones from a thread."""

    def __init__(self, store: Readable) -> None:
        self._store = store

    @property
    def rev(self) -> int:
        """The newest committed revision."""
        return self._store.rev

    def version(self) -> int:
        """Another number once another program has changed the database; costs next to nothing."""
        return self._ask(lambda db: int(db.execute("PRAGMA data_version").fetchone()[0]))

    def since(self, rev: int, limit: int) -> list[CaptureRecord]:
        """Captures that are new behind a revision, oldest first."""
        return self._ask(lambda db: captures.since(db, rev, limit))

    def arrivals(self, rev: int, limit: int) -> list[Arrival]:
        """When captures that are new behind a revision came, oldest first, and with how many events."""
        return self._ask(lambda db: captures.arrivals(db, rev, limit))

    def capture_ids(self, after: int = 0) -> array[int]:
        """Ids of all captures behind `after`, oldest first."""
        return self._ask(lambda db: captures.ids(db, after))

    def oldest_capture(self) -> int:
        """The smallest id still kept; 0: none."""
        return self._ask(captures.oldest)

    def captures(self, ids: Sequence[int]) -> list[CaptureRecord]:
        """The captures with these ids, as far as they are kept, oldest first."""
        return self._ask(lambda db: captures.some(db, ids))

    def capture(self, capture: int) -> CaptureDetail | None:
        """All of one capture."""
        return self._ask(lambda db: captures.detail(db, capture))

    def beside(self, capture: int, first: int = 0, last: int = MAX_EVENTS) -> Beside:
        """Which events of a capture, of places from `first` to before `last`, came in which one before."""
        return self._ask(lambda db: occurrences.beside(db, capture, first, last))

    def noted(self) -> int:
        """The capture up to which beside() knows all; what came later is looked at when it is quiet."""
        return self._ask(occurrences.reached)

    def names(self, most: int) -> Names:
        """How many captured events there are of each class, and of the most frequent names."""
        return self._ask(lambda db: occurrences.names(db, most))

    def sent(self, limit: int) -> list[SentRecord]:
        """The newest sent events, newest first."""
        return self._ask(lambda db: history.sent(db, "1 ORDER BY id DESC LIMIT ?", (limit,)))

    def sent_like(self, is_wanted: Callable[[SentRecord], bool], limit: int) -> list[SentRecord]:
        """The newest sent events that are wanted, newest first."""
        return self._ask(lambda db: history.sent_like(db, is_wanted, limit))

    def sent_count(self) -> int:
        """How many sent events are kept."""
        return self._ask(history.sent_count)

    def sent_detail(self, number: int) -> SentDetail | None:
        """All of one sent event."""
        return self._ask(lambda db: history.sent_detail(db, number))

    def marked(self) -> list[int]:
        """The captures that are marked, by id."""
        return self._ask(remarks.marked)

    def annotated(self) -> list[int]:
        """The captures that have a note, by id."""
        return self._ask(remarks.annotated)

    def note(self, capture: int) -> str | None:
        """The note on a capture."""
        return self._ask(lambda db: remarks.note(db, capture))

    def requests(self, limit: int) -> list[RequestRecord]:
        """The newest requests the emulator did not plainly accept, newest first."""
        return self._ask(lambda db: history.requests(db, limit))

    def deliveries(
        self, destination: str, limit: int, *, since: int = 0, until: int = 2**62
    ) -> list[DeliveryRecord]:
        """A destination's deliveries created from `since` to before `until` (epoch ms), newest first."""
        return self._ask(
            lambda db: outgoing.deliveries(
                db,
                "d.destination = ? AND d.created >= ? AND d.created < ? ORDER BY d.id DESC LIMIT ?",
                (destination, since, until, limit),
            )
        )

    def deliveries_of(self, destination: str, ids: Collection[int]) -> list[DeliveryRecord]:
        """These deliveries, as far as they are a destination's and still kept, newest first."""
        marks = ",".join("?" * len(ids))
        return self._ask(
            lambda db: outgoing.deliveries(
                db, f"d.destination = ? AND d.id IN ({marks}) ORDER BY d.id DESC", (destination, *ids)
            )
        )

    def found(self, kind: str, number: int) -> list[Stored]:
        """What an id of a kind (product.md §5: c d b e s) stands for: the deliveries of a batch, else one."""

        def ask(db: sqlite3.Connection) -> list[Stored]:
            match kind:
                case "c":
                    return list(captures.page(db, number, number))
                case "d":
                    return list(outgoing.deliveries(db, "d.id = ?", (number,)))
                case "b":
                    return list(outgoing.deliveries(db, "d.batch = ? ORDER BY d.id", (number,)))
                case "e":
                    return list(outgoing.events(db, "id = ?", (number,)))
                case "s":
                    return list(history.sent(db, "id = ?", (number,)))
            return []

        return self._ask(ask)

    def request(self, number: int) -> RequestRecord | None:
        """One request the emulator did not plainly accept."""
        return self._ask(lambda db: history.request(db, number))

    def verdicts(self, event: int) -> list[VerdictRecord]:
        """Every destination's verdict on an event."""
        return self._ask(lambda db: outgoing.verdicts(db, [event]))

    def event_body(self, event: int) -> bytes | None:
        """The bytes of an accepted event."""
        return self._ask(lambda db: outgoing.event_body(db, event))

    def failed(self, destination: str, since: int, until: int = 2**62) -> tuple[int, int]:
        """How many deliveries created in a time have failed for a destination, and the events in them."""
        return self._ask(lambda db: due.failed(db, destination, since, until))

    def attempts(self, delivery: int) -> list[AttemptRecord]:
        """Every attempt of a delivery."""
        return self._ask(lambda db: outgoing.attempts(db, [delivery]))

    def batch_body(self, delivery: int) -> bytes | None:
        """The bytes a delivery sends."""
        return self._ask(lambda db: outgoing.batch_body(db, delivery))

    def seen_events(self) -> list[SeenEvent]:
        """Every custom event name accepted so far, the most frequent first."""
        return self._seen("class = 'custom' AND name <> '' ORDER BY volume DESC, name")

    def latest_events(self, most: int) -> list[SeenEvent]:
        """The event names of every class that were accepted last, the newest first."""
        return self._seen(f"name <> '' ORDER BY at DESC, name LIMIT {int(most)}")

    def _seen(self, which: str) -> list[SeenEvent]:
        return self._ask(
            lambda db: [
                SeenEvent(name, EventClass(kind), volume)
                for name, kind, volume in db.execute(f"SELECT name, class, volume FROM seen WHERE {which}")
            ]
        )

    def dry_run(self, saved: Filter, draft: Filter) -> DryRun:
        """What a draft of a filter would let pass of the newest events, against the saved one."""
        return self._ask(lambda db: dry_run.run(db, saved, draft))

    def matrix(self, most: int = 10_000) -> list[Judged]:
        """What every destination's filter said to the newest events, by name."""
        return self._ask(lambda db: dry_run.matrix(db, most))

    def newest_event(self, name: str) -> Event | None:
        """The newest event of a name."""
        return self._ask(lambda db: dry_run.newest(db, name))

    def seen(self, newest: int) -> Seen:
        """What the newest sent and received events had in them, to be offered for another one."""

        def ask(db: sqlite3.Connection) -> Seen:
            names = db.execute(
                "SELECT name FROM seen WHERE name <> '' ORDER BY volume DESC LIMIT ?", (newest,)
            )
            return gather((name for (name,) in names), history.bodies(db, newest))

        return self._ask(ask)

    def asked_for(self, newest: int) -> Mapping[str, Sequence[str]]:
        """What a query can ask the newest captures for: values by key and by field."""
        return self._ask(lambda db: offers.gather(db, newest))

    def judged(self, newest: int) -> Mapping[str, Sequence[str]]:
        """What a condition can ask the newest accepted events for: values by key and by field."""
        return self._ask(lambda db: offers.gather_events(db, newest))

    def diagnostics(self, destination: str, limit: int) -> list[DiagnosticsRow]:
        """What happened for a destination by the minute, newest first."""
        return self._ask(lambda db: _diagnostics(db, destination, limit))

    def counters(self) -> Counters:
        """Totals, and those of every destination that was ever judged for."""
        return self._ask(self._count)

    def health(self, destinations: Sequence[str]) -> dict[str, Health]:
        """How the endpoints of these destinations do."""
        return self._ask(lambda db: {name: health.of(db, name) for name in destinations})

    def replayed(self, run: int) -> Replayed:
        """What a replay came to so far."""
        return self._ask(lambda db: replays.outcome(db, run))

    def origin(self, capture: int) -> tuple[str, ...]:
        """The destinations whose deliveries became a capture, the first one first."""
        return self._ask(lambda db: tuple(captures.destinations_of(db, capture)))

    def trace(self, of: str) -> Trace | None:
        """The way of an event by any id of it: trace, event, delivery, capture, sent or timeUUID."""
        return self._ask(lambda db: tracing.trace(db, of.strip()))

    def search(self, search: Search) -> list[Stored]:
        """The next step of a search."""
        return self._ask(search.step)

    def arrived(self, search: Search) -> list[Stored]:
        """What came since a search began and fits, oldest first, as far as the search `is_current`."""
        return self._ask(search.arrived)

    def fact(self, name: str) -> str | None:
        """A remembered fact of this data directory."""

        def ask(db: sqlite3.Connection) -> str | None:
            row = db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
            return row[0] if row else None

        return self._ask(ask)

    def _ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        return self._store.look(question)

    def _count(self, db: sqlite3.Connection) -> Counters:
        kept, events, last = captures.totals(db)
        disabled, paused = endpoints.disabled(db), endpoints.paused(db)
        found: dict[str, dict[str, int]] = {}
        for destination, forwarded, count in db.execute(
            "SELECT destination, forwarded, count(*) FROM verdicts GROUP BY destination, forwarded"
        ):
            found.setdefault(destination, {})["forwarded" if forwarded else "filtered"] = count
        pending = db.execute(
            "SELECT destination, count(*) FROM verdicts WHERE forwarded = 1 AND delivery IS NULL GROUP BY 1"
        )
        for destination, count in pending:
            found.setdefault(destination, {})["queued"] = count
        for destination, state, events_in, limited in db.execute(
            "SELECT destination, state, sum(events), sum(rate_limited) FROM deliveries WHERE replay IS NULL"
            " GROUP BY destination, state"
        ):
            counts = found.setdefault(destination, {})
            key = {"delivered": "delivered", "failed": "failed", "cancelled": "cancelled"}.get(
                state, "queued"
            )
            counts[key] = counts.get(key, 0) + events_in
            if state == "retrying":
                counts["retrying"] = events_in
            counts["rate_limited"] = counts.get("rate_limited", 0) + limited
        accepted = db.execute("SELECT count(*) FROM events").fetchone()[0]
        names = set(found) | set(disabled) | set(paused)
        return Counters(
            rev=self._store.rev,
            captures=kept,
            captured_events=events,
            last_capture_at=last,
            events=accepted,
            destinations={
                name: DestinationCounters(
                    **{key: value for key, value in found.get(name, {}).items() if key != "cancelled"},
                    disabled=disabled.get(name),
                    paused=paused.get(name),
                )
                for name in names
            },
        )


def _diagnostics(db: sqlite3.Connection, destination: str, limit: int) -> list[DiagnosticsRow]:
    rows: dict[int, list[int]] = {}
    judged = db.execute(
        f"SELECT at / {_MINUTE}, count(*), sum(forwarded) FROM verdicts WHERE destination = ?"
        " GROUP BY 1 ORDER BY 1 DESC LIMIT ?",
        (destination, limit),
    )
    for minute, total, forwarded in judged:
        rows[minute] = [total, forwarded, total - forwarded, 0, 0]
    delivered = db.execute(
        f"SELECT created / {_MINUTE}, sum(events * rate_limited), sum(events * (state = 'failed'))"
        " FROM deliveries WHERE destination = ? GROUP BY 1 ORDER BY 1 DESC LIMIT ?",
        (destination, limit),
    )
    for minute, limited, failed in delivered:
        row = rows.setdefault(minute, [0, 0, 0, 0, 0])
        row[3], row[4] = limited, failed
    # SQLite takes the other columns from the row that max() picks: the newest error of the minute.
    newest_errors = db.execute(
        f"SELECT d.created / {_MINUTE}, a.error, max(a.at) FROM deliveries d"
        " JOIN attempts a ON a.delivery = d.id AND a.error IS NOT NULL"
        " WHERE d.destination = ? GROUP BY 1 ORDER BY 1 DESC LIMIT ?",
        (destination, limit),
    )
    errors = {minute: error for minute, error, _ in newest_errors}
    newest = sorted(rows, reverse=True)[:limit]
    return [
        DiagnosticsRow(minute * _MINUTE, total, forwarded, filtered, limited, failed, errors.get(minute))
        for minute in newest
        for total, forwarded, filtered, limited, failed in [rows[minute]]
    ]
