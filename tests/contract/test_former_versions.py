"""A database of every former version opens, with all that was in it, and what waited in it is sent."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from statsig_tui.core.config import RECEIVER
from statsig_tui.core.query import parse
from statsig_tui.core.records import CaptureRecord, DeliveryState
from statsig_tui.engine import schema
from statsig_tui.engine.search import Search

if TYPE_CHECKING:
    from tests.conftest import StartEngine

BODY = b'{"data":[{"eventName":"old","timeUUID":"one"}]}'
SUMMARY = (
    b'[{"event_name":"old","event_class":"custom","user_id":"u1","time_uuid":"one",'
    b'"timestamp":1767225600000}]'
)


def written_by(version: int, path: Path) -> None:
    """What a former version left: a capture, and a delivery that was being sent when it ended."""
    db = sqlite3.connect(path)
    for script in schema._MIGRATIONS[:version]:
        db.executescript(script)
    db.execute(f"PRAGMA application_id = {schema._APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {version}")
    db.execute(
        "INSERT INTO captures (rev, at, method, path, size, envelope, events, signature_state, status, ms,"
        " digest, summary, peer, http_version, headers, signature_reason, answer_headers, answer_body,"
        " packed, body) VALUES (1, 1, 'POST', '/old', ?, 'data', 1, 'unchecked', 200, 1.0, x'00', ?,"
        " '127.0.0.1:5', '1.1', '[]', '', '[]', x'', 0, ?)",
        (len(BODY), SUMMARY, BODY),
    )
    db.execute("INSERT INTO batches VALUES (1, 1, 'full', 1, ?, x'00', ?)", (len(BODY), BODY))
    db.execute(
        "INSERT INTO deliveries (rev, at, created, batch, destination, events, state, attempt,"
        " headers) VALUES (2, 1, 1, 1, ?, 1, 'sending', 1, '[]')",
        (RECEIVER,),
    )
    db.execute(
        "INSERT INTO attempts (delivery, number, at, url, request_headers)"
        " VALUES (1, 1, 1, 'http://x/', '[]')"
    )
    db.commit()
    db.close()


@pytest.mark.parametrize("version", range(1, schema.VERSION))
async def test_what_a_former_version_wrote_is_there_and_goes_on(
    engine: StartEngine, tmp_path: Path, version: int
) -> None:
    written_by(version, tmp_path / "old.db")
    async with engine(database=tmp_path / "old.db") as site:
        assert site.engine.recovered == 1
        await site.delivery(DeliveryState.DELIVERED)
        again = await site.capture()
        archive = site.engine.archive
        assert [attempt.status for attempt in archive.attempts(1)] == [None, 200]
        assert [attempt.phases is None for attempt in archive.attempts(1)] == [True, False]
        old, new = archive.captures([1, again.id])
        assert [event.event_name for event in (*old.events, *new.events)] == ["old", "old"]
        assert archive.capture(1) is not None
        search = Search("captures", parse("dup:yes"), 0)
        found = []
        while not search.is_done:
            found += archive.search(search)
        assert [record.id for record in found if isinstance(record, CaptureRecord)] == [new.id]
        assert archive.trace("c1") is not None
        assert archive.marked() == []
