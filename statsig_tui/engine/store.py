"""SQLite with one writer thread, group commit and revisions. Knows how to store, not what.

A write is acknowledged after the commit that holds it is on the disk, in the file that was opened.
Every commit that changed something raises the revision and is announced, from the writer's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from statsig_tui.core.records import Record
from statsig_tui.engine import schema
from statsig_tui.engine.database import WAL_CAP, broken, connect, is_damage, is_of_the_file, is_shut
from statsig_tui.engine.identity import OpenedFile
from statsig_tui.errors import StoreBroken

log = logging.getLogger("statsig_tui")

T = TypeVar("T")
A = TypeVar("A")
Observer = Callable[[Sequence[Record]], None]
_Asked = tuple[Callable[["Tx", Sequence[Any]], Sequence[Any]], Any]
"""How to insert, and what."""
_GROUP = 256
_WAL_STEP = WAL_CAP // 4
"""Growth of the log after which it is tried again to cut it, while somebody's long read holds it."""
BUSY_SECONDS = 5.0
"""How long a write waits for a lock of another program."""
_IDLE_SECONDS = 0.5
"""Quiet time after which the writer checkpoints; with nothing to checkpoint it waits without end.

While it refuses, it tries as often whether it could write again.
"""


class Tx:
    """One write's view of the transaction: SQL, the next revision, and what to announce."""

    def __init__(self, db: sqlite3.Connection, rev: int) -> None:
        self.db = db
        self.rev = rev
        self.records: list[Record] = []

    def next_rev(self) -> int:
        """A revision for a row that is new or changed."""
        self.rev += 1
        return self.rev

    def announce(self, record: Record) -> None:
        """Tell the observers of this record once it is committed."""
        self.records.append(record)


@dataclass(slots=True)
class _Write:
    insert: Callable[[Tx, Sequence[Any]], Sequence[Any]]
    item: Any
    future: asyncio.Future[Any]


class Store:
    """The open database. Writes come from the loop that opened it, reads from anywhere."""

    def __init__(self, path: Path, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self.rev = 0
        self.refusal: StoreBroken | None = None
        """Why it takes nothing at present; None: it does."""
        self._damage: StoreBroken | None = None
        """What was found broken inside the file: no write is let near it until the next start."""
        self._busy_ms = round(busy_seconds * 1000)
        self._wal_limit = WAL_CAP
        self._observers: list[Observer] = []
        self._turn: list[_Write] = []
        """What this turn of the loop asked for; handed over at once, so that the writer wakes once."""
        self._queue: queue.SimpleQueue[list[_Write] | None] = queue.SimpleQueue()
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._closing = False
        self._closed = False
        self._reading = ThreadPoolExecutor(2, thread_name_prefix="store-read")
        self._ready: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)

    @classmethod
    async def open(cls, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> Store:
        """Open or create the database at `path`, mode 0600. Raises StoreBroken."""
        store = cls(path, busy_seconds)
        store._thread.start()
        failure = await asyncio.to_thread(store._ready.get)
        if failure is not None:
            await store.close()
            raise failure
        return store

    async def close(self) -> None:
        """Commit what is queued, checkpoint, and close every connection."""
        self._closing = True
        self._hand_over()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._reading.shutdown)
        with self._guard:
            self._closed = True
            for db in self._readers:
                db.close()
            self._readers.clear()

    def on_commit(self, observer: Observer) -> Callable[[], None]:
        """Call `observer` in the writer's thread after each commit that wrote; returns the way out.

        It is called with nothing when `refusal` changed.
        """
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    async def write(self, job: Callable[[Tx], T]) -> T:
        """Run `job` inside a transaction and return its result once that is durable.

        `job` must do nothing but SQL through its Tx: it is run again when its group fails.
        Raises StoreBroken where the disk or the database refuses.
        """
        result: T = await self._ask(_run, job)
        return result

    def insert(self, insert: Callable[[Tx, Sequence[A]], Sequence[T]], item: A) -> asyncio.Future[T]:
        """As write(), for what comes often: `insert` gets all items that one transaction has for it.

        It returns a result for each of them, in their order.
        """
        return self._ask(insert, item)

    def _ask(self, insert: Callable[[Tx, Sequence[Any]], Sequence[Any]], item: object) -> asyncio.Future[Any]:
        if self._closing:
            raise StoreBroken("the store is closing", "Start statsig-tui again.")
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        if not self._turn:
            loop.call_soon(self._hand_over)
        self._turn.append(_Write(insert, item, future))
        return future

    def _hand_over(self) -> None:
        if self._turn:
            self._queue.put(self._turn)
            self._turn = []

    async def read(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run `job` on a reading connection, off the loop."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, self.look, job)

    def look(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run `job` on this thread's reading connection, and wait for it."""
        try:
            db: sqlite3.Connection | None = getattr(self._local, "db", None)
            if db is None:
                db = self._local.db = self._reader()
            return job(db)
        except sqlite3.DatabaseError as error:
            if self._is_damage(error):
                # The writer may hold what it needs of the file in memory, and would never know.
                self._queue.put([])
            raise broken(self.path, error) from error

    def _reader(self) -> sqlite3.Connection:
        with self._guard:
            if self._closed:
                raise StoreBroken("the store is closed", "Start statsig-tui again.")
            db = connect(self.path, self._busy_ms, writing=False)
            self._readers.append(db)
            self._file.check()
            return db

    def _run(self) -> None:
        try:
            db = connect(self.path, self._busy_ms, writing=True)
        except (sqlite3.Error, OSError, StoreBroken) as error:
            self._ready.put(error if isinstance(error, StoreBroken) else broken(self.path, error))
            return
        with contextlib.closing(db):
            self.rev = schema.last_revision(db)
            self._file = OpenedFile(self.path)
            self._ready.put(None)
            for group in self._groups(db):
                self._commit(db, group)
            self._checkpoint(db, "TRUNCATE")

    def _groups(self, db: sqlite3.Connection) -> Iterator[list[_Write]]:
        """Whatever is queued at each moment, without waiting for more; ends when the store closes."""
        dirty = False
        while True:
            try:
                first = self._queue.get(timeout=_IDLE_SECONDS if dirty else None)
            except queue.Empty:
                if self.refusal:
                    self._transact(db, _PROBE)
                    continue
                self._checkpoint(db, "PASSIVE")
                dirty = False
                continue
            if first is None:
                return
            group = first
            ends = False
            while len(group) < _GROUP:
                try:
                    turn = self._queue.get_nowait()
                except queue.Empty:
                    break
                if turn is None:
                    ends = True
                    break
                group += turn
            yield group
            dirty = True
            if ends:
                return
            self._cut_log(db)

    def _commit(self, db: sqlite3.Connection, group: list[_Write]) -> None:
        outcome = self._transact(db, [(write.insert, write.item) for write in group])
        if isinstance(outcome, list):
            _resolve(group, outcome)
        elif len(group) == 1 or is_shut(outcome):
            _reject(group, outcome)
        else:
            # One of them spoiled the group: each gets a transaction of its own, so that the rest hold.
            for write in group:
                self._commit(db, [write])

    def _transact(self, db: sqlite3.Connection, asked: Sequence[_Asked]) -> list[Any] | Exception:
        """What came of each item, once that is durable; or why none of them holds."""
        tx = Tx(db, self.rev)
        results: list[Any] = []
        try:
            if self._damage is not None:
                raise StoreBroken(self._damage.message, self._damage.hint)
            self._file.check()
            db.execute("BEGIN IMMEDIATE")
            for insert, group in groupby(asked, key=itemgetter(0)):
                results += insert(tx, [item for _, item in group])
            db.execute("COMMIT")
            # Looked at again: what went into a file that was deleted meanwhile is not acknowledged.
            self._file.check()
        except Exception as error:  # noqa: BLE001 - whatever a job raises belongs to its caller
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            failure = broken(self.path, error) if isinstance(error, sqlite3.Error) else error
            self._is_damage(error)
            if isinstance(failure, StoreBroken) and is_of_the_file(error):
                self._refuse(failure)
            return failure
        self.rev = tx.rev
        self._refuse(None)
        if tx.records:
            self._announce(tx.records)
        return results

    def _is_damage(self, error: Exception) -> bool:
        """Whether the file that was opened is broken inside, which is remembered."""
        if not is_damage(error):
            return False
        try:
            self._file.check()
        except StoreBroken:
            return False  # another file stands there now, and ours may come back
        self._damage = self._damage or broken(self.path, error)
        return True

    def _refuse(self, refusal: StoreBroken | None) -> None:
        before, self.refusal = self.refusal, refusal
        if str(before or "") != str(refusal or ""):
            self._announce(())

    def _announce(self, records: Sequence[Record]) -> None:
        for observer in tuple(self._observers):
            try:
                observer(records)
            except Exception:
                # The commit stands; a writer that ended here would leave every later one waiting.
                log.exception("An observer of the store failed")

    def _cut_log(self, db: sqlite3.Connection) -> None:
        size = self._file.log_size
        if size > self._wal_limit:
            done = self._checkpoint(db, "RESTART")
            self._wal_limit = WAL_CAP if done else size + _WAL_STEP

    def _checkpoint(self, db: sqlite3.Connection, mode: str) -> bool:
        """Whether all of it was done; somebody's long read is not waited for."""
        try:
            db.execute("PRAGMA busy_timeout = 0")
            held = db.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()[0]
        except sqlite3.Error:
            return False
        finally:
            db.execute(f"PRAGMA busy_timeout = {self._busy_ms}")
        return not held


def _run(tx: Tx, jobs: Sequence[Callable[[Tx], Any]]) -> list[Any]:
    return [job(tx) for job in jobs]


def _probe(tx: Tx) -> None:
    # The smallest write there is, of what stands there already.
    tx.db.execute(f"PRAGMA user_version = {schema.VERSION}")


_PROBE: Sequence[_Asked] = ((_run, _probe),)


def _resolve(group: Sequence[_Write], results: Sequence[Any]) -> None:
    def settle() -> None:
        for write, result in zip(group, results, strict=True):
            if not write.future.done():
                write.future.set_result(result)

    if results:
        _on_loop(group[0].future.get_loop(), settle)


def _reject(group: Sequence[_Write], error: BaseException) -> None:
    def settle() -> None:
        for write in group:
            if not write.future.done():
                write.future.set_exception(error)

    if group:
        _on_loop(group[0].future.get_loop(), settle)


def _on_loop(loop: asyncio.AbstractEventLoop, settle: Callable[[], None]) -> None:
    # A loop that has ended took its waiters with it; the commit stands regardless.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(settle)
