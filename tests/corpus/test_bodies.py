"""Runs table J (`bodies`): well signed to the receiver, and what is no JSON to the emulator too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from statsig_tui.core import marks
from statsig_tui.core.records import CaptureRecord, EventRecord
from statsig_tui.tui.widgets.capture_rows import CaptureRows
from tests.corpus.bodies import CASES, Case
from tests.corpus.cases_t import LEAK
from tests.corpus.wire import JSON_LINE, KEY_LINE, request, signed

if TYPE_CHECKING:
    from tests.corpus.conftest import Ground, OpenGround

WIDTH = 80
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("bounded_memory")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(open_ground: OpenGround) -> AsyncIterator[Ground]:
    """One engine for the table."""
    async with open_ground() as ground:
        yield ground


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
async def test_table_j(ground: Ground, case: Case, caplog: pytest.LogCaptureFixture) -> None:
    async with ground.case(caplog):
        (answer,) = await ground.ask("receiver", signed(case.body))
        (kept,) = ground.captures
        detail = ground.site.engine.archive.capture(kept.id)
        assert detail is not None
        assert (detail.record, detail.body) == (kept, case.body)
        # Received is not forwarded (E08).
        assert ground.new(EventRecord) == []
        assert (kept.signature, kept.status) == ("valid", answer.status)
        assert (kept.size, detail.answer_body) == (len(case.body), answer.body)
        if case.code is not None:
            error = answer.json()["error"]
            assert (answer.status, error["code"]) == (case.status, case.code)
            assert case.says in error["message"]
            assert (kept.fault, kept.envelope, kept.events) == (case.code, None, ())
        else:
            _check_batch(ground, case, answer.json())
            assert answer.status == 200


def _check_batch(ground: Ground, case: Case, told: object) -> None:
    (kept,) = ground.captures
    count = len(case.names) if case.stored is None else case.stored
    rejected = {"rejected": len(case.rejected)} if case.rejected else {}
    assert told == {"success": True, "stored": count} | rejected
    places = ", ".join(map(str, case.rejected))
    assert kept.fault == (f"items that are no events: {places}" if places else None)
    assert (kept.envelope, len(kept.events)) == (case.envelope, count)
    if case.names:
        assert tuple(event.event_name for event in kept.events) == case.names
        first = kept.events[0]
        shown = (first.user_id, first.time_uuid, first.timestamp)
        assert shown == (case.user_id, case.time_uuid, case.timestamp)
    assert ground.site.engine.archive.since(kept.rev - 1, 1) == [kept]
    detail = ground.site.engine.archive.capture(kept.id)
    assert detail is not None
    marked = [f"{mark.oddity}: {mark.message}" for mark in marks.of_capture(detail)]
    assert len(marked) == len(case.marks), marked
    assert all(map(str.startswith, marked, case.marks)), marked
    _check_rows(kept, case.row)


def _check_rows(kept: CaptureRecord, shown: str) -> None:
    """On the list it takes one line, and each event one: as wide as there is room, and harmless."""
    rows = CaptureRows(lambda ids: [])
    rows.append(kept)
    drawn = [rows.line(0, WIDTH), *(rows.child(0, n, WIDTH) for n in range(min(len(kept.events), 5)))]
    assert shown in drawn[0].plain
    assert max(line.cell_length for line in drawn) <= WIDTH
    assert not any(LEAK.search(line.plain) for line in drawn)


@pytest.mark.parametrize("path", ["/v1/webhooks/event_webhook", "/v1/log_event"])
@pytest.mark.parametrize("case", [case for case in CASES if not case.is_json], ids=lambda case: case.id)
async def test_what_is_no_json_is_none_at_the_emulator(
    ground: Ground, case: Case, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with ground.case(caplog):
        (answer,) = await ground.ask("emulator", request(case.body, JSON_LINE, KEY_LINE, path=path))
        told = answer.json()
        assert answer.status == told["status"] == 400
        assert case.says in told["message"]
        (noted,) = ground.noted
        assert (noted.status, noted.fault) == (400, told["message"])
        assert ground.new(EventRecord) == []
