"""Tables and numbered migrations of the store. A migration, once released, never changes."""

from __future__ import annotations

import sqlite3

from statsig_tui.errors import StoreBroken

_APPLICATION_ID = 0x53544154
"""`STAT`: tells our file from anybody else's database."""

_MIGRATIONS = (
    """
    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

    CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT, rev INTEGER NOT NULL, at INTEGER NOT NULL,
        trace TEXT NOT NULL, name TEXT NOT NULL, class TEXT NOT NULL, user_id TEXT, time_uuid TEXT,
        note TEXT NOT NULL, raw BLOB NOT NULL);
    CREATE INDEX events_rev ON events (rev);
    CREATE INDEX events_trace ON events (trace);
    CREATE INDEX events_time_uuid ON events (time_uuid);

    CREATE TABLE verdicts (
        event INTEGER NOT NULL, destination TEXT NOT NULL, at INTEGER NOT NULL,
        forwarded INTEGER NOT NULL, clause TEXT NOT NULL, delivery INTEGER,
        PRIMARY KEY (event, destination)) WITHOUT ROWID;
    CREATE INDEX verdicts_pending ON verdicts (destination, event)
        WHERE forwarded = 1 AND delivery IS NULL;
    CREATE INDEX verdicts_delivery ON verdicts (delivery) WHERE delivery IS NOT NULL;
    CREATE INDEX verdicts_time ON verdicts (destination, at);

    CREATE TABLE seen (
        name TEXT PRIMARY KEY, class TEXT NOT NULL, volume INTEGER NOT NULL, at INTEGER NOT NULL
        ) WITHOUT ROWID;

    CREATE TABLE batches (
        id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, closed_by TEXT NOT NULL,
        events INTEGER NOT NULL, size INTEGER NOT NULL, digest BLOB NOT NULL, body BLOB NOT NULL);
    CREATE INDEX batches_digest ON batches (digest);

    CREATE TABLE deliveries (
        id INTEGER PRIMARY KEY AUTOINCREMENT, rev INTEGER NOT NULL, at INTEGER NOT NULL,
        created INTEGER NOT NULL, batch INTEGER NOT NULL, destination TEXT NOT NULL,
        events INTEGER NOT NULL, state TEXT NOT NULL, attempt INTEGER NOT NULL DEFAULT 0,
        status INTEGER, error TEXT, next_at INTEGER, rate_limited INTEGER NOT NULL DEFAULT 0,
        replay TEXT, headers TEXT);
    CREATE INDEX deliveries_rev ON deliveries (rev);
    CREATE INDEX deliveries_batch ON deliveries (batch);
    CREATE INDEX deliveries_open ON deliveries (destination, next_at, id)
        WHERE state IN ('waiting', 'retrying');
    CREATE INDEX deliveries_time ON deliveries (destination, created);

    CREATE TABLE attempts (
        delivery INTEGER NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, url TEXT NOT NULL,
        request_headers TEXT NOT NULL, signature TEXT, sent_timestamp TEXT, status INTEGER,
        reason TEXT NOT NULL DEFAULT '', response_headers TEXT NOT NULL DEFAULT '[]',
        response_body BLOB NOT NULL DEFAULT x'', truncated INTEGER NOT NULL DEFAULT 0,
        error TEXT, ms REAL, PRIMARY KEY (delivery, number)) WITHOUT ROWID;
    CREATE INDEX attempts_signature ON attempts (signature) WHERE signature IS NOT NULL;

    CREATE TABLE endpoints (
        destination TEXT PRIMARY KEY, disabled TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;

    CREATE TABLE captures (
        id INTEGER PRIMARY KEY AUTOINCREMENT, rev INTEGER NOT NULL, at INTEGER NOT NULL,
        method TEXT NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, envelope TEXT,
        events INTEGER NOT NULL, signature_state TEXT NOT NULL, status INTEGER NOT NULL, fault TEXT,
        ms REAL NOT NULL, signature TEXT, sent_timestamp TEXT, digest BLOB NOT NULL,
        summary BLOB NOT NULL, peer TEXT NOT NULL, http_version TEXT NOT NULL, headers TEXT NOT NULL,
        signature_reason TEXT NOT NULL, answer_headers TEXT NOT NULL, answer_body BLOB NOT NULL,
        packed INTEGER NOT NULL, body BLOB NOT NULL);
    CREATE INDEX captures_rev ON captures (rev);
    CREATE INDEX captures_signature ON captures (signature) WHERE signature IS NOT NULL;
    CREATE INDEX captures_digest ON captures (digest);

    CREATE TABLE requests (
        id INTEGER PRIMARY KEY AUTOINCREMENT, rev INTEGER NOT NULL, at INTEGER NOT NULL,
        method TEXT NOT NULL, path TEXT NOT NULL, status INTEGER NOT NULL, fault TEXT);
    CREATE INDEX requests_rev ON requests (rev);

    CREATE TABLE sent (
        id INTEGER PRIMARY KEY AUTOINCREMENT, rev INTEGER NOT NULL, at INTEGER NOT NULL,
        target TEXT NOT NULL, url TEXT NOT NULL, event_name TEXT NOT NULL, size INTEGER NOT NULL,
        status INTEGER, error TEXT, certainty TEXT NOT NULL, ms REAL, trace TEXT,
        request_headers TEXT NOT NULL, body BLOB NOT NULL, response_headers TEXT NOT NULL,
        response_body BLOB NOT NULL, truncated INTEGER NOT NULL);
    CREATE INDEX sent_rev ON sent (rev);
    CREATE INDEX sent_trace ON sent (trace) WHERE trace IS NOT NULL;
    """,
    """
    ALTER TABLE sent ADD COLUMN method TEXT NOT NULL DEFAULT 'POST';
    ALTER TABLE sent ADD COLUMN connect_ms REAL;
    ALTER TABLE sent ADD COLUMN wait_ms REAL;
    ALTER TABLE sent ADD COLUMN read_ms REAL;
    """,
    # Indexes that grow at their end: one that grows anywhere costs a page more to write for each row.
    """
    DROP INDEX captures_signature;
    CREATE INDEX captures_signed ON captures (sent_timestamp, signature) WHERE signature IS NOT NULL;
    DROP INDEX captures_digest;
    CREATE INDEX captures_digest ON captures (digest) WHERE signature IS NULL;
    """,
    """
    CREATE TABLE circuits (
        destination TEXT PRIMARY KEY, paused TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
    """,
    "ALTER TABLE captures ADD COLUMN program TEXT;",
    """
    CREATE TABLE replays (
        id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, capture INTEGER NOT NULL,
        delivery INTEGER, trace TEXT);
    CREATE INDEX replays_run ON replays (run);
    CREATE INDEX replays_capture ON replays (capture);
    """,
    # Filled behind the captures, never with them: see occurrences.py.
    """
    CREATE TABLE occurrences (at INTEGER PRIMARY KEY, key INTEGER, name INTEGER NOT NULL);
    CREATE INDEX occurrences_key ON occurrences (key) WHERE key IS NOT NULL;
    CREATE TABLE names (
        id INTEGER PRIMARY KEY, class TEXT NOT NULL, name TEXT NOT NULL, volume INTEGER NOT NULL,
        UNIQUE (name, class));
    """,
    """
    CREATE TABLE marked (capture INTEGER PRIMARY KEY);
    CREATE TABLE notes (capture INTEGER PRIMARY KEY, text TEXT NOT NULL);
    """,
    "ALTER TABLE attempts ADD COLUMN phases TEXT;",
)
VERSION = len(_MIGRATIONS)


def check(db: sqlite3.Connection, path: str, *, current: bool = False) -> None:
    """Raise StoreBroken for a foreign or a newer database (with `current` an older one); change nothing."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    owner = db.execute("PRAGMA application_id").fetchone()[0]
    has_tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if owner != _APPLICATION_ID and (has_tables or version):
        raise StoreBroken(
            f"{path} is a database of another program",
            "Name another directory with --data, or move the file away.",
        )
    if version > VERSION:
        raise StoreBroken(
            f"{path} was written by a newer statsig-tui (store version {version}, known here: {VERSION})",
            "Upgrade statsig-tui, or name another directory with --data.",
        )
    if current and version < VERSION:
        raise StoreBroken(
            f"{path} was written by an older statsig-tui (store version {version}, known here: {VERSION})",
            "Start statsig-tui or `statsig-tui serve` on it once: that brings it up to date.",
        )


def last_revision(db: sqlite3.Connection) -> int:
    """The newest revision of any row."""
    tables = ("events", "deliveries", "captures", "requests", "sent")
    found: list[int] = [
        db.execute(f"SELECT coalesce(max(rev), 0) FROM {table}").fetchone()[0] for table in tables
    ]
    return max(found)


def migrate(db: sqlite3.Connection) -> None:
    """Bring a database that passed check() up to VERSION."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
        db.executescript(
            f"BEGIN IMMEDIATE; {script} PRAGMA application_id = {_APPLICATION_ID};"
            f" PRAGMA user_version = {number}; COMMIT;"
        )
