"""The store: what is acknowledged is durable, one bad write spoils no other, and what is forgotten when."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from statsig_tui.core.config import Retention
from statsig_tui.core.event import Event, view
from statsig_tui.core.filters import Clause, Verdict
from statsig_tui.core.records import Captured, Record, RequestRecord
from statsig_tui.core.signing import SignatureState, SignatureVerdict
from statsig_tui.engine import captures, history, outbox, outgoing, retention
from statsig_tui.engine.store import Store, Tx
from statsig_tui.errors import StoreBroken

PATIENCE = 10.0
YES = Verdict(True, Clause.NEW_INCLUDED)
NO = Verdict(False, Clause.NOT_TRACKED)


def note(path: str) -> Callable[[Tx], None]:
    return lambda tx: history.insert_request(tx, 1, "GET", path, 200, None)


def paths(db: sqlite3.Connection) -> list[str]:
    return [row[0] for row in db.execute("SELECT path FROM requests ORDER BY id")]


def events(*names: str) -> list[Event]:
    return [view(name.encode(), {"eventName": name}) for name in names]


def capture(body: bytes = b"{}") -> Captured:
    verdict = SignatureVerdict(SignatureState.UNCHECKED, "unverified", "")
    return Captured(
        1, "POST", "/", "1.1", "", (), body, None, (), None, None, verdict, 200, None, (), b"", 0.0
    )


async def test_the_writer_syncs_every_commit_and_readers_cannot_write(store: Store) -> None:
    def pragmas(tx: Tx) -> list[object]:
        names = ("journal_mode", "synchronous", "wal_autocheckpoint", "busy_timeout")
        return [tx.db.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert await store.write(pragmas) == ["wal", 2, 0, 5000]
    with pytest.raises(StoreBroken, match="readonly"):
        store.look(lambda db: db.execute("DELETE FROM requests"))


async def test_files_are_for_their_owner_alone(store: Store, tmp_path: Path) -> None:
    await store.write(note("/"))
    names = {file.name for file in tmp_path.iterdir()}
    assert {"store.db", "store.db-wal"} <= names
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


async def test_a_write_is_readable_when_it_is_acknowledged(store: Store) -> None:
    for number in range(50):
        await store.write(note(f"/{number}"))
        assert len(store.look(paths)) == number + 1
        assert len(await store.read(paths)) == number + 1


async def test_writes_keep_their_order_and_share_commits(store: Store) -> None:
    commits: list[Sequence[Record]] = []
    store.on_commit(lambda records: commits.append(tuple(records)))
    await asyncio.gather(*(store.write(note(f"/{number}")) for number in range(1000)))
    assert await store.read(paths) == [f"/{number}" for number in range(1000)]
    told = [record for commit in commits for record in commit]
    assert [record.rev for record in told if isinstance(record, RequestRecord)] == list(range(1, 1001))
    assert store.rev == 1000
    assert len(commits) < 1000


async def test_one_bad_write_spoils_no_other(store: Store) -> None:
    told: list[Record] = []
    store.on_commit(told.extend)

    def half(tx: Tx) -> None:
        note("/half")(tx)
        raise KeyError("mine")

    def broken(tx: Tx) -> None:
        tx.db.execute("INSERT INTO nowhere VALUES (1)")

    jobs = [note("/1"), half, note("/2"), broken, note("/3")]
    results = await asyncio.gather(*(store.write(job) for job in jobs), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), KeyError, type(None), StoreBroken, type(None)]
    assert await store.read(paths) == ["/1", "/2", "/3"]
    assert [record.path for record in told if isinstance(record, RequestRecord)] == ["/1", "/2", "/3"]


async def test_a_caller_that_leaves_takes_nothing_with_it(store: Store) -> None:
    blocked, go = threading.Event(), threading.Event()

    def wait(tx: Tx) -> None:
        blocked.set()
        go.wait(20)

    first = asyncio.create_task(store.write(wait))
    await asyncio.to_thread(blocked.wait, 20)
    leaving = asyncio.create_task(store.write(note("/left")))
    staying = asyncio.create_task(store.write(note("/stays")))
    await asyncio.sleep(0)
    leaving.cancel()
    go.set()
    await asyncio.gather(first, staying)
    assert await store.read(paths) == ["/left", "/stays"]


async def test_closing_commits_what_is_queued_and_then_refuses(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "store.db")
    writes = [asyncio.create_task(store.write(note(f"/{number}"))) for number in range(300)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*writes)
    with pytest.raises(StoreBroken):
        await store.write(note("/late"))
    with pytest.raises(StoreBroken):
        store.look(paths)
    assert not (tmp_path / "store.db-wal").exists()
    with sqlite3.connect(tmp_path / "store.db") as db:
        assert len(paths(db)) == 300
    db.close()


async def test_an_observer_that_fails_stops_neither_writer_nor_the_others(store: Store) -> None:
    told: list[Record] = []

    def fail(records: Sequence[Record]) -> None:
        raise RuntimeError("observer")

    leave = store.on_commit(fail)
    store.on_commit(told.extend)
    await store.write(note("/1"))
    await store.write(note("/2"))
    assert len(told) == 2
    leave()
    await store.write(note("/3"))


async def test_a_full_disk_refuses_and_goes_on_when_there_is_room(store: Store) -> None:
    def cap(pages: int) -> Callable[[Tx], None]:
        return lambda tx: tx.db.execute(f"PRAGMA max_page_count = {pages}").close()

    pages = store.look(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
    await store.write(note("/before"))
    await store.write(cap(pages))
    with pytest.raises(StoreBroken, match="full") as caught:
        await store.insert(captures.insert, capture(os.urandom(500_000)))
    assert "make room" in caught.value.hint
    await store.write(cap(1_000_000))
    await store.write(note("/after"))
    assert await store.read(paths) == ["/before", "/after"]


def directory(path: Path) -> None:
    path.mkdir()


def nowhere(path: Path) -> None:
    path.parent.rmdir()


@pytest.mark.parametrize(("spoil", "says"), [(directory, "directory"), (nowhere, "No such file")])
async def test_a_place_where_no_database_can_be_is_told(
    tmp_path: Path, spoil: Callable[[Path], None], says: str
) -> None:
    path = tmp_path / "data" / "store.db"
    path.parent.mkdir()
    spoil(path)
    with pytest.raises(StoreBroken) as caught:
        await Store.open(path)
    assert says in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.hint


async def test_a_database_of_ours_opens_again(tmp_path: Path) -> None:
    for number in range(3):
        store = await Store.open(tmp_path / "store.db")
        assert store.rev == number
        await store.write(note("/"))
        await store.close()


async def test_readers_on_many_threads_see_whole_commits(store: Store) -> None:
    def pair(tx: Tx) -> None:
        note("/a")(tx)
        note("/b")(tx)

    def count() -> list[int]:
        return [len(store.look(paths)) for _ in range(50)]

    reads = [asyncio.create_task(asyncio.to_thread(count)) for _ in range(4)]
    await asyncio.gather(*(store.write(pair) for _ in range(100)))
    seen = [number for result in await asyncio.gather(*reads) for number in result]
    assert all(number % 2 == 0 for number in seen)


def test_kill_9_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """Promise 1, at the store itself: what was printed had been acknowledged."""
    script = f"""
import asyncio, sys
from pathlib import Path
from statsig_tui.engine import history
from statsig_tui.engine.store import Store
async def main():
    store = await Store.open(Path({str(tmp_path / "store.db")!r}))
    number = 0
    while True:
        names = [f"/{{number + n}}" for n in range(20)]
        number += 20
        await asyncio.gather(*(store.write(lambda tx, name=name: history.insert_request(
            tx, 1, "GET", name, 200, None)) for name in names))
        print(*names, flush=True)
asyncio.run(main())
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged = []
    for _ in range(100):
        acknowledged += process.stdout.readline().split()
    process.kill()
    acknowledged += process.stdout.read().rpartition("\n")[0].split()
    process.stdout.close()
    process.wait()
    db = sqlite3.connect(tmp_path / "store.db")
    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    kept = paths(db)
    db.close()
    assert len(acknowledged) >= 2000
    assert set(acknowledged) <= set(kept)
    assert len(kept) == len(set(kept))


async def test_the_oldest_is_forgotten_beyond_a_count(store: Store) -> None:
    keep = Retention(captures=10, megabytes=1024)
    for number in range(25):
        await store.insert(captures.insert, capture())
        await store.write(note(f"/{number}"))
    assert await store.read(lambda db: retention.is_over(db, keep))
    while await store.write(lambda tx: retention.prune(tx, keep)):
        pass
    assert list(await store.read(captures.ids)) == list(range(16, 26))
    assert await store.read(paths) == [f"/{number}" for number in range(15, 25)]
    assert not await store.read(lambda db: retention.is_over(db, keep))


async def test_what_is_undelivered_is_never_forgotten(store: Store) -> None:
    keep = Retention(captures=1, megabytes=1024)

    def fill(tx: Tx) -> list[int]:
        verdicts = [[("a", YES)], [("a", NO)], [("a", YES)], [("a", YES)], [("a", NO)]]
        return outbox.accept(tx, 1, "t", events("open", "filtered", "queued", "done", "last"), verdicts)

    open_, _, queued, done, _ = await store.write(fill)
    delivery = await store.write(lambda tx: outbox.open_delivery(tx, 1, "a", b"1", [open_], "full"))
    settled = await store.write(lambda tx: outbox.open_delivery(tx, 1, "a", b"2", [done], "full"))
    await store.write(lambda tx: tx.db.execute("UPDATE deliveries SET state='delivered' WHERE id=?", (settled.id,)).rowcount)  # fmt: skip  # noqa: E501
    for _ in range(5):
        await store.insert(captures.insert, capture())
    while await store.write(lambda tx: retention.prune(tx, keep)):
        pass
    left = await store.read(lambda db: [event.name for event in outgoing.events(db, "1", ())])
    assert {"open", "queued"} <= set(left)
    assert "done" not in left
    assert await store.read(lambda db: outbox.backlog(db, "a", 0, 10)) == [(queued, b"queued")]
    job = await store.read(lambda db: next(outbox.next_jobs(db, "a", 1)))
    assert (job.delivery, job.body) == (delivery.id, b"1")


async def test_what_stays_undelivered_neither_holds_the_rest_nor_drives_it_out(store: Store) -> None:
    keep = Retention(captures=10, megabytes=1024)
    names = [f"e{number}" for number in range(1, 41)]

    def fill(tx: Tx) -> None:
        for event in outbox.accept(tx, 1, "t", events(*names), [[("a", YES)]] * len(names)):
            made = outbox.open_delivery(tx, 1, "a", b"1", [event], "full")
            job = next(outbox.next_jobs(tx.db, "a", 1))
            outbox.begin_attempt(tx, 1, job, "http://x/", (), None, None)
            if made.id > 1:
                tx.db.execute("UPDATE deliveries SET state = 'delivered' WHERE id = ?", (made.id,))

    await store.write(fill)
    for _ in range(24):
        await store.insert(captures.insert, capture())
        await store.write(lambda tx: retention.prune(tx, keep))
    kept = [1, *range(32, 41)]
    for table, column in (
        ("deliveries", "id"), ("attempts", "delivery"), ("batches", "id"), ("events", "id"),
        ("verdicts", "event"),
    ):  # fmt: skip
        asked = f"SELECT {column} FROM {table} ORDER BY 1"
        found = await store.read(lambda db, asked=asked: db.execute(asked).fetchall())  # type: ignore[misc]  # a default argument binds the loop's name
        assert [row[0] for row in found] == kept, table


async def test_captures_of_one_moment_are_kept_in_their_order_with_numbers_of_their_own(store: Store) -> None:
    told: list[Sequence[Record]] = []
    store.on_commit(told.append)
    sizes = [number * 30_000 for number in range(40)]
    records = await asyncio.gather(*(store.insert(captures.insert, capture(b"x" * size)) for size in sizes))
    assert [record.size for record in records] == sizes
    assert [record.id for record in records] == list(range(1, 41))
    assert [record.rev for record in records] == list(range(1, 41))
    assert await store.read(lambda db: captures.since(db, 0, 100)) == records
    assert [record for commit in told for record in commit] == records


async def test_a_capture_that_cannot_be_kept_spoils_no_other_of_its_moment(store: Store) -> None:
    odd = msgspec.structs.replace(capture(), path="\ud800")
    asked = [store.insert(captures.insert, each) for each in (capture(), odd, capture())]
    first, failure, last = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(failure, UnicodeEncodeError)
    assert await store.read(lambda db: captures.since(db, 0, 100)) == [first, last]


async def test_what_is_asked_in_the_moment_of_closing_is_kept(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "store.db")
    asked = store.insert(captures.insert, capture())
    await store.close()
    assert (await asyncio.wait_for(asked, PATIENCE)).id == 1
    with pytest.raises(StoreBroken):
        store.insert(captures.insert, capture())
    again = await Store.open(tmp_path / "store.db")
    assert list(await again.read(captures.ids)) == [1]
    await again.close()


async def test_the_log_is_written_over_again_and_stays_within_its_bound(store: Store) -> None:
    log = store.path.with_name("store.db-wal")
    sizes: list[int] = []
    for _ in range(90):
        await store.insert(captures.insert, capture(os.urandom(500_000)))
        sizes.append(log.stat().st_size)
    most = 16 * 1024 * 1024
    assert max(sizes) < most + 1024 * 1024
    first = next(at for at, size in enumerate(sizes) if size > most)
    assert min(sizes[first:]) >= most // 2
    assert len(await store.read(captures.ids)) == 90


async def test_bodies_of_any_size_come_back_as_they_were(store: Store) -> None:
    for body in (b"", b"x" * 511, b"x" * 512, bytes(range(256)) * 1000):
        record = await store.insert(captures.insert, capture(body))
        detail = await store.read(lambda db, number=record.id: captures.detail(db, number))  # type: ignore[misc]
        assert detail is not None
        assert detail.body == body
