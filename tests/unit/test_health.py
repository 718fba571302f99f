"""How an endpoint is judged, and what is read for it, whatever waits beside what was tried."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from statsig_tui.core.health import Health, Try
from statsig_tui.engine import health, schema
from statsig_tui.engine.archive import Archive
from statsig_tui.engine.outcome import STALE
from statsig_tui.engine.store import Store, Tx

BACKLOG = 300
"""Deliveries that wait: more than the attempts that are read."""
YES, NO = Try(1, True, 10.0), Try(1, False, None)
Row = tuple[int, str, int, int]
"""Created, state, attempts, due."""


@pytest.mark.parametrize(
    ("tries", "state"),
    [
        ((), "untried"),
        ((YES,), "healthy"),
        ((NO,), "shaky"),
        ((YES, NO, NO), "failing"),
        ((NO, NO), "shaky"),
        ((*[YES] * 50, NO, NO, NO), "failing"),
        ((*[YES] * 18, NO, YES), "shaky"),
        ((*[NO] * 80, *[YES] * 20), "healthy"),
        ((*[YES] * 80, *[NO, YES] * 10), "failing"),
    ],
)
def test_an_endpoint_is_judged_by_its_newest_attempts(tries: tuple[Try, ...], state: str) -> None:
    assert Health(tries).state == state


def test_percentiles_are_answers_that_came() -> None:
    mixed = Health((NO, *(Try(1, True, float(ms)) for ms in (40, 10, 30, 20)), NO))
    assert [mixed.percentile(share) for share in (0.0, 0.5, 0.75, 0.99)] == [10.0, 20.0, 30.0, 40.0]
    assert mixed.latencies == (40.0, 10.0, 30.0, 20.0)
    assert (mixed.failures, round(mixed.failure_rate, 2)) == (2, 0.33)
    assert (Health().failures, Health().failure_rate) == (0, 0)


async def keep(store: Store, rows: Sequence[Row], *, status: int | None, error: str | None = None) -> None:
    """Keep deliveries to `a`, each with its last attempt at its own age; with a status it took that long."""

    def insert(tx: Tx) -> None:
        for created, state, attempt, due in rows:
            open_ = state in ("waiting", "retrying")
            cursor = tx.db.execute(
                "INSERT INTO deliveries (rev, at, created, batch, destination, events, state, attempt,"
                " next_at) VALUES (?,?,?,1,'a',1,?,?,?)",
                (tx.next_rev(), created, created, state, attempt, due if open_ else None),
            )
            if attempt:
                tx.db.execute(
                    "INSERT INTO attempts (delivery, number, at, url, request_headers, status, error, ms)"
                    " VALUES (?,?,?,'','[]',?,?,?)",
                    (cursor.lastrowid, attempt, created + 1, status, error,
                     created if status or error not in (None, "interrupted") else None),
                )  # fmt: skip

    await store.write(insert)


async def test_attempts_are_found_behind_any_backlog(store: Store) -> None:
    archive = Archive(store)

    def found() -> Health:
        return archive.health(["a"])["a"]

    assert found() == Health()
    await keep(store, [(at, "delivered", 1, 0) for at in range(1, 151)], status=200)
    assert [item.at for item in found().tries] == list(range(52, 152))
    assert (found().last_success_at, found().waiting_since) == (151, None)
    # What broke off by itself, or on our side, says nothing of the endpoint.
    await keep(store, [(160, "retrying", 1, 5000)], status=None, error=STALE)
    await keep(store, [(161, "retrying", 1, 5001)], status=None, error="interrupted")
    assert found().state == "healthy"
    # A hanging endpoint: one is under way, three wait for their next attempt, and everything waits.
    await keep(store, [(170, "sending", 1, 0)], status=None)
    await keep(store, [(at, "retrying", 2, 9000 + at) for at in (171, 172, 173)], status=None, error="late")
    await keep(store, [(at, "waiting", 0, at) for at in range(200, 200 + BACKLOG)], status=None)
    assert [item.at for item in found().tries[-4:]] == [151, 172, 173, 174]
    assert (found().state, found().last_success_at, found().waiting_since) == ("failing", 151, 160)
    # And the last success is remembered when it is among the newest attempts no more.
    await keep(store, [(at, "failed", 1, 0) for at in range(180, 200)] * 5, status=500)
    assert not any(item.is_success for item in found().tries)
    assert found().last_success_at == 150


def test_every_question_is_answered_by_an_index(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "empty.db")) as db:
        schema.migrate(db)
        for query in (health.TRIES, health.LAST_SUCCESS, health.WAITING, health.PENDING):
            plan = db.execute(f"EXPLAIN QUERY PLAN {query}", {"destination": "a", "newest": 1}).fetchall()
            steps = [row[3] for row in plan]
            touched = [step for step in steps if re.search(r"\b(deliveries|attempts|verdicts|a)\b", step)]
            assert touched, steps
            assert all(re.match(r"SEARCH .+ USING (COVERING )?(INDEX|PRIMARY KEY)", step) for step in touched)
