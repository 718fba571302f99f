"""Runs table E (`incoming`): strict and lenient, and on to the receiver whatever is forwarded."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from statsig_tui.core.records import EventRecord, VerdictRecord
from tests.conftest import KEY
from tests.corpus.incoming import CASES, CLIENT, Case
from tests.corpus.wire import EVENT, HOOK, JSON_LINE, KEY_LINE, answers, exchange, head, request

if TYPE_CHECKING:
    from tests.corpus.conftest import Ground, OpenGround

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("bounded_memory")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def grounds(open_ground: OpenGround) -> AsyncIterator[Mapping[str, Ground]]:
    """A strict and a lenient emulator, whose events go on to the receiver."""
    async with contextlib.AsyncExitStack() as stack:
        yield {
            mode: await stack.enter_async_context(
                open_ground(forwards=True, emulator={"strict": mode == "strict"})
            )
            for mode in ("strict", "lenient")
        }


@pytest.mark.parametrize("mode", ["strict", "lenient"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
async def test_table_e(
    grounds: Mapping[str, Ground], mode: str, case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    ground = grounds[mode]
    status = case.lenient if mode == "lenient" and case.lenient else case.status
    async with ground.case(caplog):
        sent = request(case.body, JSON_LINE, *case.lines, path=case.path)
        (answer,) = await ground.ask("emulator", sent)
        assert answer.status == status
        assert answer.json() == ({"success": True} if status == 202 else answer.json() | {"status": status})
        assert KEY.encode() not in answer.body
        assert CLIENT.encode() not in answer.body
        if status != 202:
            assert case.says in answer.json()["message"]
        assert len(ground.noted) == (1 if case.says else 0)
        for noted in ground.noted:
            assert noted.fault is not None
            assert noted.status == status
            assert case.says in noted.fault
            assert case.shown in ("", noted.path)
            if status != case.status:
                assert "Statsig would likely drop this" in noted.fault
        names = case.names if status == 202 else ()
        events = ground.new(EventRecord)
        assert tuple(event.name for event in events) == names
        if events:
            assert any(line.startswith("x-statsig-tui-trace: t") for line in answer.lines)
            assert case.note in events[0].note
            await _check_forwarded(ground, case, {event.id for event in events})


async def _check_forwarded(ground: Ground, case: Case, events: set[int]) -> None:
    verdicts = await ground.site.journal.wait(
        VerdictRecord, lambda verdict: verdict.event in events, count=len(events)
    )
    assert {verdict.forwarded for verdict in verdicts} == {case.forwarded}
    if not case.forwarded:
        assert {verdict.clause for verdict in verdicts} == {"invalid event name"}
        return
    (capture,) = await ground.forwarded(len(events))
    detail = ground.site.engine.archive.capture(capture.id)
    assert detail is not None
    assert (capture.signature, capture.status, capture.fault) == ("valid", 200, None)
    assert case.sent_on in detail.body


async def test_e07_a_burst_is_taken_whole(
    grounds: Mapping[str, Ground], caplog: pytest.LogCaptureFixture
) -> None:
    """Never 429: what is answered 202 is stored, whatever the rate."""
    ground = grounds["strict"]
    one = head(f"Content-Length: {len(EVENT)}", JSON_LINE, KEY_LINE, request=f"POST {HOOK} HTTP/1.1") + EVENT
    last = request(EVENT, JSON_LINE, KEY_LINE)
    async with ground.case(caplog):
        came = await asyncio.gather(*(exchange(ground.port("emulator"), one * 24 + last) for _ in range(40)))
        statuses = [answer.status for raw in came for answer in answers(raw)]
        assert statuses == [202] * 1000
        events = ground.new(EventRecord)
        assert len(events) == len({event.time_uuid for event in events}) == 1000
        numbers = {event.id for event in events}
        await ground.site.journal.wait(VerdictRecord, lambda verdict: verdict.event in numbers, count=1000)
        await ground.forwarded(1000)
