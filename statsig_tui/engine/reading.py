"""The store of a data directory, asked from outside its engine: its owner may be running, or nobody is."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from statsig_tui.engine import schema
from statsig_tui.engine.archive import Archive
from statsig_tui.engine.database import broken
from statsig_tui.engine.store import BUSY_SECONDS
from statsig_tui.errors import NotFound, StoreBroken

T = TypeVar("T")


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Archive]:
    """An archive over a database that is only read. Raises NotFound where there is none, or StoreBroken."""
    if not path.is_file():
        raise NotFound(
            f"{path.parent} holds no history yet.",
            "Start statsig-tui or `statsig-tui serve` first, or name another directory with --data.",
        )
    try:
        # Never created here: an empty database would be taken for one with a history.
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    except sqlite3.Error as error:
        raise broken(path, error) from error
    with contextlib.closing(db):
        try:
            db.execute(f"PRAGMA busy_timeout = {round(BUSY_SECONDS * 1000)}")
            db.execute("PRAGMA query_only = 1")
            schema.check(db, str(path), current=True)
        except sqlite3.Error as error:
            raise broken(path, error) from error
        yield Archive(_Snapshot(path, db))


class _Snapshot:
    def __init__(self, path: Path, db: sqlite3.Connection) -> None:
        self._path = path
        self._db = db
        self._known = _file(path)

    @property
    def rev(self) -> int:
        return self.look(schema.last_revision)

    def look(self, job: Callable[[sqlite3.Connection], T]) -> T:
        if _file(self._path) != self._known:
            # SQLite reads on in the file that is gone, in which nothing will ever change.
            raise StoreBroken(
                f"{self._path} was deleted, moved or replaced meanwhile", "Ask again what is there now."
            )
        try:
            return job(self._db)
        except sqlite3.DatabaseError as error:
            raise broken(self._path, error) from error


def _file(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
