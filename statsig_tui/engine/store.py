"""SQLite with one writer thread, group commit and revisions. Knows how to store, not what.

A write is acknowledged after the commit that holds it is on the disk. Every commit that changed
something raises the revision and is announced, from the writer's thread, with what it wrote.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from statsig_tui.core.records import Record
from statsig_tui.engine import schema
from statsig_tui.errors import StoreBroken

log = logging.getLogger("statsig_tui")

T = TypeVar("T")
Observer = Callable[[Sequence[Record]], None]
_GROUP = 256
_WAL_CAP = 16 * 1024 * 1024
BUSY_MS = 5000
"""How long a lock that another program holds is waited for."""
_IDLE_SECONDS = 0.5
"""Quiet time after which the writer checkpoints; with nothing to checkpoint it waits without end."""


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
class _Write(Generic[T]):
    job: Callable[[Tx], T]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[T]


class Store:
    """The open database. Writes come from the loop that opened it, reads from anywhere."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rev = 0
        self._observers: list[Observer] = []
        self._queue: queue.SimpleQueue[_Write[Any] | None] = queue.SimpleQueue()
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._closing = False
        self._closed = False
        self._reading = ThreadPoolExecutor(2, thread_name_prefix="store-read")
        self._ready: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)

    @classmethod
    async def open(cls, path: Path) -> Store:
        """Open or create the database at `path`, mode 0600. Raises StoreBroken."""
        store = cls(path)
        store._thread.start()
        failure = await asyncio.to_thread(store._ready.get)
        if failure is not None:
            await store.close()
            raise failure
        return store

    async def close(self) -> None:
        """Commit what is queued, checkpoint, and close every connection."""
        self._closing = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._reading.shutdown)
        with self._guard:
            self._closed = True
            for db in self._readers:
                db.close()
            self._readers.clear()

    def on_commit(self, observer: Observer) -> Callable[[], None]:
        """Call `observer` in the writer's thread after each commit that wrote; returns the way out."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    async def write(self, job: Callable[[Tx], T]) -> T:
        """Run `job` inside a transaction and return its result once that is durable.

        `job` must do nothing but SQL through its Tx: it is run again when its group fails.
        Raises StoreBroken where the disk or the database refuses.
        """
        if self._closing:
            raise StoreBroken("the store is closing", "Start statsig-tui again.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._queue.put(_Write(job, loop, future))
        return await future

    async def read(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run `job` on a reading connection, off the loop."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, self.look, job)

    def look(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run `job` on this thread's reading connection, and wait for it."""
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = self._reader()
        try:
            return job(db)
        except sqlite3.DatabaseError as error:
            raise broken(self.path, error) from error

    def _reader(self) -> sqlite3.Connection:
        with self._guard:
            if self._closed:
                raise StoreBroken("the store is closed", "Start statsig-tui again.")
            self._readers.append(_connect(self.path, writing=False))
            return self._readers[-1]

    def _run(self) -> None:
        try:
            db = _connect(self.path, writing=True)
        except (sqlite3.Error, OSError, StoreBroken) as error:
            self._ready.put(error if isinstance(error, StoreBroken) else broken(self.path, error))
            return
        with contextlib.closing(db):
            self.rev = schema.last_revision(db)
            self._ready.put(None)
            for group in self._groups(db):
                self._commit(db, group)
            with contextlib.suppress(sqlite3.Error):
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _groups(self, db: sqlite3.Connection) -> Iterator[list[_Write[Any]]]:
        """Whatever is queued at each moment, without waiting for more; ends when the store closes."""
        dirty = False
        while True:
            try:
                first = self._queue.get(timeout=_IDLE_SECONDS if dirty else None)
            except queue.Empty:
                self._checkpoint(db, "PASSIVE")
                dirty = False
                continue
            if first is None:
                return
            group = [first]
            ends = False
            while len(group) < _GROUP:
                try:
                    write = self._queue.get_nowait()
                except queue.Empty:
                    break
                if write is None:
                    ends = True
                    break
                group.append(write)
            yield group
            dirty = True
            if ends:
                return
            if self._wal_size() > _WAL_CAP:
                self._checkpoint(db, "RESTART")

    def _commit(self, db: sqlite3.Connection, group: list[_Write[Any]]) -> None:
        outcome = self._attempt(db, group)
        if outcome is not None:
            _resolve(group, outcome)
            return
        for write in group:
            # One of them spoiled the group: each gets a transaction of its own, so that the rest hold.
            alone = self._attempt(db, [write], report=True)
            if alone is not None:
                _resolve([write], alone)

    def _attempt(
        self, db: sqlite3.Connection, group: list[_Write[Any]], *, report: bool = False
    ) -> list[Any] | None:
        tx = Tx(db, self.rev)
        try:
            db.execute("BEGIN IMMEDIATE")
            results = [write.job(tx) for write in group]
            db.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever a job raises belongs to its caller
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            if report or len(group) == 1:
                failure = broken(self.path, error) if isinstance(error, sqlite3.Error) else error
                _reject(group, failure)
            return None if len(group) > 1 or report else []
        self.rev = tx.rev
        if tx.records:
            self._announce(tx.records)
        return results

    def _announce(self, records: Sequence[Record]) -> None:
        for observer in tuple(self._observers):
            try:
                observer(records)
            except Exception:
                # The commit stands; a writer that ended here would leave every later one waiting.
                log.exception("An observer of the store failed")

    def _checkpoint(self, db: sqlite3.Connection, mode: str) -> None:
        with contextlib.suppress(sqlite3.Error):
            db.execute(f"PRAGMA wal_checkpoint({mode})")

    def _wal_size(self) -> int:
        try:
            return self.path.with_name(self.path.name + "-wal").stat().st_size
        except OSError:
            return 0


def _connect(path: Path, *, writing: bool) -> sqlite3.Connection:
    if writing:
        # Created before SQLite does, because its own files would be readable by everybody.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    try:
        db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        if writing:
            schema.check(db, str(path))
            path.chmod(0o600)
            mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            if mode != "wal":
                raise StoreBroken(
                    f"{path}: this file system does not carry a write-ahead log",
                    "Name a directory on a local disk with --data.",
                )
            db.execute("PRAGMA synchronous = FULL")
            # Only the writer checkpoints, when idle or at a cap: a checkpoint inside a commit is a spike.
            db.execute("PRAGMA wal_autocheckpoint = 0")
            schema.migrate(db)
        else:
            db.execute("PRAGMA query_only = 1")
            db.execute("PRAGMA wal_autocheckpoint = 0")
    except BaseException:
        db.close()
        raise
    return db


def broken(path: Path, error: BaseException) -> StoreBroken:
    """A failure of the database at `path`, in words."""
    code = getattr(error, "sqlite_errorname", "")
    text = str(error) or type(error).__name__
    if code in {"SQLITE_NOTADB", "SQLITE_CORRUPT"}:
        hint = "Move the file away (it is not deleted for you), or name another directory with --data."
    elif code == "SQLITE_FULL" or getattr(error, "errno", None) == 28:
        hint = "The disk is full: make room, then try again. Nothing acknowledged is lost."
    elif code.startswith("SQLITE_BUSY"):
        hint = "Another program holds a lock on the database: close it, then try again."
    else:
        hint = "See that the directory exists and is writable, or name another one with --data."
    return StoreBroken(f"{path}: {text}", hint)


def _resolve(group: Sequence[_Write[Any]], results: Sequence[Any]) -> None:
    def settle() -> None:
        for write, result in zip(group, results, strict=True):
            if not write.future.done():
                write.future.set_result(result)

    if results:
        _on_loop(group[0].loop, settle)


def _reject(group: Sequence[_Write[Any]], error: BaseException) -> None:
    def settle() -> None:
        for write in group:
            if not write.future.done():
                write.future.set_exception(error)

    _on_loop(group[0].loop, settle)


def _on_loop(loop: asyncio.AbstractEventLoop, settle: Callable[[], None]) -> None:
    # A loop that has ended took its waiters with it; the commit stands regardless.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(settle)
