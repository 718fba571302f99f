"""The database file: how it is opened, to write or to read, and what its errors mean."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from statsig_tui.engine import schema
from statsig_tui.errors import StoreBroken

WAL_CAP = 16 * 1024 * 1024
"""Bytes of the log at which it is cut."""
_WAL_KEPT = WAL_CAP // 4 * 3
"""What is left of the file for the log to begin anew in: writing over is a third cheaper than growing."""
_READER_CACHE_KIB = 256
"""Pages a reading connection keeps: there are several, and the system has the file's pages anyway."""
_OF_THE_FILE = (
    *("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_READONLY"),
    *("SQLITE_CANTOPEN", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_PERM", "SQLITE_NOMEM"),
)
"""Errors of disk and database; every other one is the fault of the write that met it."""
_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


def connect(path: Path, busy_ms: int, *, writing: bool) -> sqlite3.Connection:
    """A connection to the database at `path`, which a writing one creates.

    Raises StoreBroken or sqlite3.Error.
    """
    if writing:
        # Created before SQLite does, because its own files would be readable by everybody.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    # `rw`: a reader that comes after the file was deleted must not make an empty one.
    uri = f"{path.absolute().as_uri()}?mode=rw"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=256)
    try:
        db.execute(f"PRAGMA busy_timeout = {busy_ms}")
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
            db.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT}")
            schema.migrate(db)
        else:
            db.execute("PRAGMA query_only = 1")
            db.execute(f"PRAGMA cache_size = -{_READER_CACHE_KIB}")
            db.execute("PRAGMA wal_autocheckpoint = 0")
    except BaseException:
        db.close()
        raise
    return db


def is_of_the_file(error: Exception) -> bool:
    """Whether it is disk or database that failed, and not the write that met it."""
    code = getattr(error, "sqlite_errorname", None)
    return code is None or code.startswith(_OF_THE_FILE)


def is_shut(failure: Exception) -> bool:
    """Whether every write would fail alike, and each after a wait of its own."""
    cause = failure.__cause__
    code = getattr(cause, "sqlite_errorname", "")
    return isinstance(failure, StoreBroken) and (cause is None or code.startswith("SQLITE_BUSY"))


def is_damage(error: Exception) -> bool:
    """Whether something inside the file is broken."""
    return getattr(error, "sqlite_errorname", "").startswith(_DAMAGE)


def broken(path: Path, error: BaseException) -> StoreBroken:
    """A failure of the database at `path`, in words."""
    code = getattr(error, "sqlite_errorname", "")
    text = str(error) or type(error).__name__
    if code.startswith(_DAMAGE):
        hint = (
            "Move the file away (it is not deleted for you) or name another directory with --data,"
            " then start statsig-tui again."
        )
    elif code == "SQLITE_FULL" or getattr(error, "errno", None) == 28:
        hint = "The disk is full: make room, then try again. Nothing acknowledged is lost."
    elif code.startswith("SQLITE_BUSY"):
        hint = "Another program holds a lock on the database: close it, then try again."
    else:
        hint = "See that the directory exists and is writable, or name another one with --data."
    broken = StoreBroken(f"{path}: {text}", hint)
    broken.__cause__ = error
    return broken
