"""What was noted of the captures: where an event came first, what a sender sent before, counts by name."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from statsig_tui.core.envelope import decode, listed
from statsig_tui.core.event import EventClass
from statsig_tui.core.records import Captured
from statsig_tui.core.repeats import NameCount
from statsig_tui.core.signing import SignatureState, SignatureVerdict
from statsig_tui.engine import captures, occurrences, schema
from statsig_tui.engine.occurrences import Noting
from statsig_tui.engine.store import Store, Tx

NOW = 1_767_225_600_000
CHANGE = "statsig::config_change"


def event(name: str = "a", **fields: Any) -> dict[str, Any]:
    return {"eventName": name, **fields}


def captured(events: Sequence[dict[str, Any]], path: str = "/", peer: str = "10.0.0.1:5000") -> Captured:
    body = json.dumps({"data": events}).encode()
    envelope, summaries = listed(decode(body))
    return Captured(
        at=NOW, method="POST", path=path, http_version="1.1", peer=peer, headers=(), body=body,
        envelope=envelope, events=summaries, signature=None, timestamp=None,
        verdict=SignatureVerdict(SignatureState.UNCHECKED, "", ""), status=200, fault=None,
        answer_headers=(), answer_body=b"", ms=1.0,
    )  # fmt: skip


class Kept:
    """Captures in a database of their own, c1 first."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.tx = Tx(db, 0)

    def put(self, *events: dict[str, Any], path: str = "/", peer: str = "10.0.0.1:5000") -> None:
        captures.insert(self.tx, [captured(events, path, peer)])

    def note_all(self) -> None:
        while not occurrences.note(self.tx).is_all:
            pass

    def first(self, capture: int) -> dict[int, tuple[int, int]]:
        return dict(occurrences.beside(self.db, capture).first)

    def forget_before(self, oldest: int) -> None:
        self.db.execute("DELETE FROM captures WHERE id < ?", (oldest,))


@pytest.fixture
def kept() -> Iterator[Kept]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        schema.migrate(db)
        yield Kept(db)


def test_an_event_that_came_before_points_to_where_it_came_first(kept: Kept) -> None:
    kept.put(event(timeUUID="x"), event(timeUUID="y"))
    kept.put(event(timeUUID="z"), event(timeUUID="y"))
    kept.put(event("other name", timeUUID="y"), event(timeUUID="y"), event(timeUUID="z"))
    kept.note_all()
    assert kept.first(1) == {}
    assert kept.first(2) == {1: (1, 1)}
    assert kept.first(3) == {0: (1, 1), 1: (1, 1), 2: (2, 0)}
    assert occurrences.beside(kept.db, 3, 1, 2).first == {1: (1, 1)}, "as many as are looked at"


def test_without_a_time_uuid_name_time_user_and_what_was_changed_tell_it(kept: Kept) -> None:
    same = event(timestamp=NOW, userID="u")
    change = event(CHANGE, timestamp=NOW, metadata={"name": "gate"})
    kept.put(same, change, event())
    kept.put(same, change, event())
    kept.put(
        event(timestamp=NOW, userID="v"),
        event(timestamp=NOW + 1, userID="u"),
        event(CHANGE, timestamp=NOW, metadata={"name": "other"}),
    )
    kept.note_all()
    assert kept.first(2) == {0: (1, 0), 1: (1, 1)}, "what has neither id nor time repeats nothing"
    assert kept.first(3) == {}


def test_a_change_of_what_no_name_can_be_is_known_again_and_stops_nothing(kept: Kept) -> None:
    strange = event(CHANGE, timestamp=NOW, metadata={"name": "\ud800"})
    kept.put(strange)
    kept.put(strange, event(timeUUID="x"))
    kept.put(event(timeUUID="x"))
    kept.note_all()
    assert kept.first(2) == {0: (1, 0)}
    assert kept.first(3) == {0: (2, 1)}


def test_what_is_not_noted_yet_is_not_said_to_be_final(kept: Kept) -> None:
    kept.put(event(timeUUID="x"))
    kept.note_all()
    kept.put(event(timeUUID="x"))
    assert not occurrences.beside(kept.db, 2).is_final
    kept.note_all()
    assert occurrences.beside(kept.db, 2).is_final
    assert kept.first(2) == {0: (1, 0)}


def test_what_the_captures_forgot_is_no_first_and_counts_no_more(kept: Kept) -> None:
    for name in ("a", "b", "a"):
        kept.put(event(name, timeUUID="x"))
    kept.note_all()
    assert occurrences.names(kept.db, 10).classes == {EventClass.CUSTOM: 3}
    kept.forget_before(2)
    assert kept.first(3) == {0: (2, 0)}, "before anything is noted again"
    kept.note_all()
    assert [(count.name, count.volume) for count in occurrences.names(kept.db, 10).names] == [
        ("a", 1),
        ("b", 1),
    ]
    kept.forget_before(4)
    kept.note_all()
    assert occurrences.names(kept.db, 10).names == ()
    assert kept.db.execute("SELECT count(*) FROM occurrences").fetchone() == (0,)


def test_names_are_counted_by_class_and_what_is_left_to_count_is_told(kept: Kept) -> None:
    kept.put(event("page"), event("page"), event("statsig::gate_exposure"), event(""))
    assert occurrences.names(kept.db, 10).behind == 1
    kept.note_all()
    found = occurrences.names(kept.db, 2)
    assert found.names == (NameCount(EventClass.CUSTOM, "page", 2), NameCount(EventClass.CUSTOM, "", 1))
    assert found.classes == {EventClass.CUSTOM: 3, EventClass.GATE_EXPOSURE: 1}
    assert found.behind == 0


def test_a_step_is_short_however_much_there_is(kept: Kept) -> None:
    events = [event(timeUUID=f"{number}") for number in range(3000)]
    for _ in range(3):
        kept.put(*events)
    assert [occurrences.note(kept.tx).events for _ in range(4)] == [3000, 3000, 3000, 0]
    assert len(kept.first(3)) == 3000


@pytest.mark.parametrize(
    ("path", "peer", "expected"),
    [("/", "10.0.0.1:6000", NOW + 5), ("/other", "10.0.0.1:5000", None), ("/", "10.0.0.2:5000", None)],
)
def test_what_a_sender_sent_before_is_that_of_its_host_and_path(
    kept: Kept, path: str, peer: str, expected: int | None
) -> None:
    kept.put(event(timestamp=NOW), event(timestamp=NOW + 5), event())
    kept.put(event(timestamp=NOW + 1), path=path, peer=peer)
    assert occurrences.beside(kept.db, 2).before == expected


async def test_what_comes_is_noted_when_it_is_quiet_and_that_is_told(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "statsig-tui.db")
    told = asyncio.Event()
    noting = Noting(store, told.set, quiet_seconds=0.01)
    try:
        await store.insert(captures.insert, captured([event(timeUUID="x")]))
        noting.count()
        await asyncio.wait_for(told.wait(), 20)
        assert await store.read(occurrences.reached) == 1
        told.clear()
        await store.insert(captures.insert, captured([event(timeUUID="x")]))
        noting.count()
        await asyncio.wait_for(told.wait(), 20)
        found = await store.read(lambda db: occurrences.beside(db, 2))
        assert (dict(found.first), found.is_final) == ({0: (1, 0)}, True)
    finally:
        noting.stop()
        await store.close()
