"""A search finds exactly what the query fits, whatever SQL answers of it and however small its steps are."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from functools import partial
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from statsig_tui.core.envelope import decode, listed
from statsig_tui.core.query import Query, parse
from statsig_tui.core.query.view import of_capture
from statsig_tui.core.records import Captured
from statsig_tui.core.signing import SignatureState, SignatureVerdict
from statsig_tui.engine import captures, occurrences, schema
from statsig_tui.engine.search import Search, Stored
from statsig_tui.engine.store import Tx

NOW = 1_767_225_600_000
NAMES = ("a", "ab", "é", 'a"b', "a\\b", "a/b", "*", "statsig::gate_exposure", "A", "K")
PATHS = ("/", "/a", "/a?x=1", "/[a]?", "/a*", "/é")
CLAUSES = (
    *("event:a", "event:a*", "event:*b", 'event:"*"', 'event:"a\\"b"', "event:é,ab", "user:a*", "uuid:u1"),
    *(
        "class:gate",
        "class:custom",
        "dup:yes",
        "-dup:yes",
        "lag:>1s",
        "drift:yes",
        "metadata.p=a",
        "has:metadata.p",
    ),
    *("status:200", "status:4xx,500", "status:>=401", "status:none", "sig:bad", "sig:valid", "envelope:none"),
    *("path:/a", "path:/a*", "path:/[a]*", "path:*x=1", 'path:"/a*"', 'path:"\\ud800"', "method:POST"),
    *("fault:*", "fault:bad*", "size:>60", "size:<=2", "events:2", "events:<1", "took:>1ms", "took:<=1.5"),
    *(
        "since:10s",
        "until:5s",
        "since:1767225590000",
        "id:c2",
        "imported:yes",
        "word",
        "a",
        "k",
        "c1",
        '"x=1"',
    ),
)
events = st.fixed_dictionaries(
    {
        "eventName": st.sampled_from(NAMES),
        "userID": st.sampled_from(NAMES),
        "timestamp": st.sampled_from([NOW - 20_000, NOW - 500, NOW, None]),
        "metadata": st.sampled_from([{}, {"p": "a"}, {"p": "word"}]),
    },
    optional={"timeUUID": st.sampled_from(["u1", "u2", "u3"])},
)
stored = st.fixed_dictionaries(
    {
        "events": st.none() | st.lists(events, max_size=3),
        "at": st.integers(NOW - 20_000, NOW),
        "path": st.sampled_from(PATHS),
        "method": st.sampled_from(["POST", "GET"]),
        "state": st.sampled_from(list(SignatureState)),
        "status": st.sampled_from([200, 400, 401, 500]),
        "fault": st.sampled_from([None, "bad_signature", "not_json"]),
        "ms": st.sampled_from([0.5, 1.5, 20.0]),
        "peer": st.sampled_from(["127.0.0.1:9", captures.IMPORTED]),
    }
)
WITHOUT_FAULT = {
    "events": None, "at": NOW, "path": "/", "method": "POST", "state": SignatureState.VALID, "status": 200,
    "fault": None, "ms": 1.0, "peer": "127.0.0.1:9",
}  # fmt: skip
queries = st.recursive(
    st.sampled_from(CLAUSES),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({' '.join(parts)})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({' or '.join(parts)})"),
        inner.map("-{}".format),
    ),
    max_leaves=5,
).map(parse)


def keep(tx: Tx, given: dict[str, Any]) -> None:
    body = b"word" if given["events"] is None else json.dumps({"data": given["events"]}).encode()
    envelope, listed_events = listed(decode(body))
    captures.insert(
        tx,
        [Captured(
            at=given["at"], method=given["method"], path=given["path"], http_version="1.1",
            peer=given["peer"], headers=(), body=body,
            envelope=envelope, events=listed_events,
            signature=None, timestamp=None, verdict=SignatureVerdict(given["state"], "", ""),
            status=given["status"], fault=given["fault"], answer_headers=(), answer_body=b"", ms=given["ms"],
        )],
    )  # fmt: skip


def by_hand(db: sqlite3.Connection, query: Query) -> list[int]:
    """Every capture asked one by one, in the order of arrival."""
    seen: set[object] = set()
    found = []
    for record, content in captures.select(db, "1 ORDER BY id", ()):
        old = []
        for event in record.events:
            same = event.time_uuid or (event.event_name, event.timestamp, event.user_id)
            old.append(same in seen)
            seen |= {same} if event.time_uuid or event.timestamp is not None else set()
        headers_and_body = content()
        assert headers_and_body is not None
        body = partial(bytes, headers_and_body[1])
        if query.matches(of_capture(record, body, came_before=old.__getitem__), NOW):
            found.append(record.id)
    return found[::-1]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(stored, max_size=8), queries, st.integers(1, 3), st.sampled_from([1, 3, 2000]), st.integers(0, 8)
)  # fmt: skip
@example([], parse("dup:yes"), 1, 1, 0)
@example([WITHOUT_FAULT], parse("-fault:bad*"), 1, 1, 0)
def test_a_search_finds_what_asking_one_by_one_finds(
    given: list[dict[str, Any]], query: Query, limit: int, span: int, noted: int
) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        schema.migrate(db)
        tx = Tx(db, 0)
        for number, each in enumerate(given):
            keep(tx, each)
            if number < noted:
                occurrences.note(tx)
        looking = Search("captures", query, NOW, limit=limit, span=span)
        found = []
        while not looking.is_done:
            page = looking.step(db)
            assert len(page) <= limit
            found += [record.id for record in page]
        assert found == by_hand(db, query)


STEPS = 50
"""More than it takes to look at a few captures one by one, and to learn of them before."""
STORED = {
    "events": [{"eventName": "a", "timeUUID": "u1"}], "at": NOW, "path": "/", "method": "POST",
    "state": SignatureState.VALID, "status": 200, "fault": None, "ms": 1.5, "peer": "127.0.0.1:9",
}  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    st.lists(stored, max_size=5), st.lists(stored, max_size=5), queries,
    st.integers(1, 3), st.sampled_from([1, 3, 2000]), st.booleans(), st.booleans(),
)  # fmt: skip
@example([], [], parse("dup:yes"), 1, 1, False, False)
@example([{**STORED, "events": []}, STORED], [STORED], parse("dup:yes"), 1, 1, True, False)
def test_what_arrives_is_found_beside_what_was_there(
    there: list[dict[str, Any]],
    new: list[dict[str, Any]],
    query: Query,
    limit: int,
    span: int,
    first: bool,
    noted: bool,
) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        schema.migrate(db)
        tx = Tx(db, 0)
        for each in there:
            keep(tx, each)
        looking = Search("captures", query, NOW, limit=limit, span=span)
        found = looking.step(db)
        for each in new:
            keep(tx, each)
            if noted:
                occurrences.note(tx)
        while not first and not looking.is_done:
            found += looking.step(db)
        arrived: list[Stored] = looking.arrived(db)
        for _ in range(STEPS):
            arrived += looking.arrived(db) if not looking.is_current else []
        assert looking.is_current
        while not looking.is_done:
            found += looking.step(db)
        assert [record.id for record in [*arrived[::-1], *found]] == by_hand(db, query)
        assert looking.arrived(db) == [], "told once"


def test_a_query_too_long_for_sql_is_answered_all_the_same() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        schema.migrate(db)
        looking = Search("captures", parse(" or ".join(f"size:{number}" for number in range(330))), NOW)
        assert looking.step(db) == []
        assert looking.is_done
