"""A million captures: whether the screen and the memory notice, and how a page is found among them."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.capture import live
from benchmarks.measure import Aim, Plan, Row, Rows, alternate, percentile, ratios, say
from benchmarks.processes import Place, place
from benchmarks.terminal import LIVE, Terminal, terminal
from statsig_tui.engine.archive import Archive
from statsig_tui.engine.occurrences import note
from statsig_tui.engine.store import Store, Tx

_PAGE_UP, _PAGE_DOWN = "\x1b[5~", "\x1b[6~"
_PAGES = 12
"""Fewer than the smaller store has: every key must move something."""
_FEW = 1000
_QUERY = "-event:*7"
"""Nine of ten fit."""
_UP, _DOWN = "\x1b[A", "\x1b[B"
_PACE = 0.05
"""Seconds between two keys: a key that is held down."""
_HIDDEN = 10
"""Of so many captures the query hides one."""
_ROWS = """
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO captures (rev, at, method, path, size, envelope, events, signature_state, status, fault, ms,
    signature, sent_timestamp, digest, summary, peer, http_version, headers, signature_reason,
    answer_headers, answer_body, packed, body)
SELECT i, 1700000000000 + i, 'POST', '/', 120, 'data', 1, 'valid', 200, NULL, 1.0,
    NULL, NULL, randomblob(32),
    CAST('[{"event_name":"event ' || i || '","event_class":"custom","user_id":"user-' || i || '",'
        || '"time_uuid":null,"timestamp":1700000000000}]' AS BLOB),
    '127.0.0.1:1', '1.1', '[]', 'the digest matches', '[]', x'7b7d', 0,
    CAST('{"data":[{"eventName":"event ' || i || '"}]}' AS BLOB)
FROM n
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """The app on Live: its memory, and the processor seconds of a page up or down."""

    megabytes: float
    frame: float
    filtered: float
    """The same behind a filter."""
    waits: Sequence[float]
    """Seconds from a key to what it draws, while the filter looks through the store."""
    found_after: float
    """Seconds until the filter has looked through it."""


def scaled(plan: Plan) -> Rows:
    """Frame, memory and a random page, with few and with many captures in the store."""
    many = int(plan.scaled(1_000_000, 100_000))
    with place() as small, place() as large:
        for at, count in ((small, _FEW), (large, many)):
            _fill(at.database, count)
        few, lots = alternate(plan, lambda: _browse(small, _FEW), lambda: _browse(large, many))
        against = f"at {_FEW:,}"
        few_frames, many_frames = [seen.frame for seen in few], [seen.frame for seen in lots]
        yield Row(
            f"processor time of a frame with {many:,} stored captures",
            against,
            ratios(many_frames, few_frames),
            Aim("<=", 1.1),
            f"{median(many_frames) * 1000:.1f} ms against {median(few_frames) * 1000:.1f} ms",
        )
        yield Row(
            f"memory with {many:,} stored captures",
            against,
            [one.megabytes - other.megabytes for one, other in zip(lots, few, strict=True)],
            Aim("<=", 20, "MB"),
            f"{median(seen.megabytes for seen in lots):.0f} MB"
            f" against {median(seen.megabytes for seen in few):.0f} MB",
        )
        yield Row(
            f"processor time of a frame with {many:,} stored captures behind a filter",
            against,
            ratios([seen.filtered for seen in lots], [seen.filtered for seen in few]),
            Aim("<=", 1.1),
            f"{median(seen.filtered for seen in lots) * 1000:.1f} ms against"
            f" {median(seen.filtered for seen in few) * 1000:.1f} ms",
        )
        yield Row(
            f"a key while a filter looks through {many:,} captures, until it is drawn, p99",
            "what an eye takes for at once",
            [percentile(seen.waits, 99) * 1000 for seen in lots],
            Aim("<=", 50, "ms"),
            f"median {median(median(seen.waits) for seen in lots) * 1000:.1f} ms; looked through in"
            f" {median(seen.found_after for seen in lots):.1f} s",
        )
        yield asyncio.run(_pages(plan, large.database, many))


def remembered(plan: Plan) -> Rows:
    """Memory after many captures that came in while Live drew."""
    many = int(plan.scaled(100_000, 10_000))
    with live() as shown:
        shown.load(requests=_FEW)
        shown.screen.settle()
        few = shown.screen.megabytes()
        shown.load(requests=many - _FEW)
        shown.screen.settle()
        after = shown.screen.megabytes()
    yield Row(
        f"memory after {many:,} captures of 5 KB",
        f"after {_FEW:,}",
        [after - few],
        Aim("<=", 20, "MB"),
        f"{after:.0f} MB against {few:.0f} MB",
    )


def _fill(database: Path, count: int) -> None:
    database.parent.mkdir(mode=0o700)
    asyncio.run(_create(database))
    db = sqlite3.connect(database)
    db.execute("PRAGMA synchronous = OFF")
    db.execute(_ROWS, (count,))
    db.execute("INSERT INTO facts VALUES ('demo', 'sent')")
    # What has been noted of each capture is there too: else that would run while something else is measured.
    tx = Tx(db, count)
    while not note(tx).is_all:
        pass
    db.commit()
    db.close()


async def _create(database: Path) -> None:
    store = await Store.open(database)
    await store.close()


def _browse(at: Place, count: int) -> Seen:
    with terminal(at.program()) as screen:
        at.receiver()
        screen.press(LIVE)
        screen.wait_for_count(count)
        screen.settle(1.0)
        memory = screen.megabytes()
        frame = _frame(screen)
        before = screen.bytes
        screen.press("f")
        screen.wait_for_output(before)
        screen.settle()
        began = time.perf_counter()
        screen.press(f"{_QUERY}\r")
        waits = _keys(screen, count - count // _HIDDEN)
        found_after = time.perf_counter() - began
        screen.settle(1.0)
        filtered = _frame(screen)
    say(f"  {count:,}: {memory:.1f} MB, {frame * 1000:.2f} ms a frame, {filtered * 1000:.2f} ms filtered")
    return Seen(memory, frame, filtered, waits, found_after)


def _frame(screen: Terminal) -> float:
    """Processor seconds of a page up or down."""
    _page(screen, _PAGE_UP)
    _page(screen, _PAGE_DOWN)
    before = screen.cpu()
    _page(screen, _PAGE_UP)
    _page(screen, _PAGE_DOWN)
    return (screen.cpu() - before) / (2 * _PAGES)


def _keys(screen: Terminal, count: int) -> list[float]:
    """Go up and down until the list shows what the filter leaves; how long each key took."""
    waits: list[float] = []
    while screen.count != count:
        before, began = screen.bytes, time.perf_counter()
        screen.press(_DOWN if len(waits) % 2 else _UP)
        waits.append(screen.wait_for_output(before) - began)
        time.sleep(_PACE)
    return waits


def _page(screen: Terminal, key: str) -> None:
    for _ in range(_PAGES):
        before = screen.bytes
        screen.press(key)
        screen.wait_for_output(before)
        screen.settle(0.05)


async def _pages(plan: Plan, database: Path, count: int) -> Row:
    store = await Store.open(database)
    archive = Archive(store)
    chance = random.Random(1)  # noqa: S311 - places of pages, not secrets
    size = 64

    def keyset() -> float:
        places = [chance.randrange(1, count - size) for _ in range(200)]
        began = time.perf_counter()
        for first in places:
            archive.captures(range(first, first + size))
        return (time.perf_counter() - began) / len(places)

    def offset() -> float:
        places = [chance.randrange(1, count - size) for _ in range(5)]
        began = time.perf_counter()
        for first in places:
            store.look(_skipping(size, first))
        return (time.perf_counter() - began) / len(places)

    keyset()
    skipped, found = alternate(plan, offset, keyset)
    await store.close()
    return Row(
        f"a random page of {size} in {count:,} captures",
        "OFFSET, its time over ours",
        ratios(skipped, found),
        Aim(">=", 100),
        f"{median(found) * 1000:.2f} ms against {median(skipped) * 1000:.1f} ms",
    )


def _skipping(size: int, offset: int) -> Callable[[sqlite3.Connection], list[object]]:
    query = "SELECT id, summary FROM captures ORDER BY id LIMIT ? OFFSET ?"
    return lambda db: db.execute(query, (size, offset)).fetchall()
