"""What is completed of a query: values that the newest captures or events have, read out of the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial

from statsig_tui.core import jsontext
from statsig_tui.core.event import view
from statsig_tui.core.query import offers
from statsig_tui.core.query.view import View, of_capture, of_event
from statsig_tui.core.records import CaptureRecord
from statsig_tui.engine import captures
from statsig_tui.engine.captures import plain

_READ = 40
"""Captures whose bodies are looked into for fields."""
_LARGEST = 32 * 1024
"""Bytes of a body that is looked into."""


def gather(db: sqlite3.Connection, newest: int) -> Mapping[str, Sequence[str]]:
    """Values by key of the newest captures, and by field of a few of them."""
    listed = [_view(*row) for row in captures.select(db, "1 ORDER BY id DESC LIMIT ?", (newest,))]
    small = captures.select(
        db, "size <= ? AND events > 0 ORDER BY id DESC LIMIT ?", (_LARGEST, _READ), with_bodies=True
    )
    return offers.gather(listed, (_view(*row) for row in small))


def gather_events(db: sqlite3.Connection, newest: int) -> Mapping[str, Sequence[str]]:
    """Values by key and by field of the newest accepted events."""
    rows = db.execute("SELECT raw, at FROM events ORDER BY id DESC LIMIT ?", (newest,))
    found = [of_event(view(raw, jsontext.parse(raw)), at) for raw, at in rows if len(raw) <= _LARGEST]
    return offers.gather(found, found[:_READ])


def _view(record: CaptureRecord, content: captures.Reading) -> View:
    return of_capture(record, partial(_body, content))


def _body(content: captures.Reading) -> bytes:
    headers, body = content() or ("[]", b"")
    return plain(captures.headers_of(headers), body)
