"""Why destinations that are on are sent nothing, in SQL: disabled by a 410, or paused after failures."""

from __future__ import annotations

import sqlite3

from statsig_tui.engine.store import Tx


def disable(tx: Tx, at: int, destination: str, reason: str) -> None:
    """Keep that a destination takes nothing until it is resumed."""
    tx.db.execute(
        "INSERT INTO endpoints VALUES (?,?,?) ON CONFLICT (destination) DO UPDATE SET"
        " disabled = excluded.disabled, at = excluded.at",
        (destination, reason, at),
    )


def disabled(db: sqlite3.Connection) -> dict[str, str]:
    """Destinations that take nothing, and why."""
    return dict(db.execute("SELECT destination, disabled FROM endpoints"))


def pause(tx: Tx, at: int, destination: str, reason: str | None) -> None:
    """Keep that a destination is sent nothing but probes, and why; None: it is sent everything."""
    if reason is None:
        tx.db.execute("DELETE FROM circuits WHERE destination = ?", (destination,))
    else:
        tx.db.execute("INSERT OR REPLACE INTO circuits VALUES (?,?,?)", (destination, reason, at))


def paused(db: sqlite3.Connection) -> dict[str, str]:
    """Destinations that are sent nothing but probes, and why."""
    return dict(db.execute("SELECT destination, paused FROM circuits"))


def resume(tx: Tx, destination: str) -> None:
    """Undo disable() and pause()."""
    for table in ("endpoints", "circuits"):
        tx.db.execute(f"DELETE FROM {table} WHERE destination = ?", (destination,))
