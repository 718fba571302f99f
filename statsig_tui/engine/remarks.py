"""What the user said of captures: marks and notes, in SQL. They go when their capture is forgotten."""

from __future__ import annotations

import sqlite3

from statsig_tui.engine.store import Tx


def marked(db: sqlite3.Connection) -> list[int]:
    """The captures that are marked, by id."""
    return [row[0] for row in db.execute("SELECT capture FROM marked ORDER BY capture")]


def annotated(db: sqlite3.Connection) -> list[int]:
    """The captures that have a note, by id."""
    return [row[0] for row in db.execute("SELECT capture FROM notes ORDER BY capture")]


def note(db: sqlite3.Connection, capture: int) -> str | None:
    """The note on a capture."""
    row = db.execute("SELECT text FROM notes WHERE capture = ?", (capture,)).fetchone()
    return row[0] if row is not None else None


def mark(tx: Tx, capture: int, is_marked: bool) -> None:
    """Mark a capture, or mark it no longer."""
    statement = (
        "INSERT OR IGNORE INTO marked VALUES (?)" if is_marked else "DELETE FROM marked WHERE capture = ?"
    )
    tx.db.execute(statement, (capture,))


def set_note(tx: Tx, capture: int, text: str) -> None:
    """Keep a note on a capture; an empty one is none."""
    if text.strip():
        tx.db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (capture, text))
    else:
        tx.db.execute("DELETE FROM notes WHERE capture = ?", (capture,))


def forget(db: sqlite3.Connection) -> None:
    """Drop what was said of captures that are no longer kept."""
    for table in ("marked", "notes"):
        db.execute(f"DELETE FROM {table} WHERE capture < (SELECT coalesce(min(id), 0) FROM captures)")
