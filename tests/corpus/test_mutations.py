"""Mutated good requests and bodies, the same ones in every run: whatever is sent, the next is served."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statsig_tui.core.records import EventRecord
from statsig_tui.engine.listeners import Listener
from tests.corpus.mutations import BODIES, JSON_WORDS, REQUESTS, WIRE_WORDS, Change, changed, changes, pieces
from tests.corpus.wire import JSON_LINE, KEY_LINE, request, signed

if TYPE_CHECKING:
    from tests.corpus.conftest import Ground, OpenGround

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("bounded_memory")]
REPEATABLE = settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FRAMING_ANSWERS = {100, 200, 202, 204, 400, 401, 403, 404, 405, 413, 414, 415, 431, 501, 505}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(open_ground: OpenGround) -> AsyncIterator[Ground]:
    """One engine for all of it."""
    async with open_ground() as ground:
        yield ground


@pytest.mark.parametrize("listener", ["receiver", "emulator"])
@settings(REPEATABLE, max_examples=300)
@given(
    raw=st.sampled_from(REQUESTS),
    what=changes(WIRE_WORDS, b"\r\n"),
    cuts=st.lists(st.integers(0, 1_000), max_size=6),
)
async def test_mutated_requests(
    ground: Ground,
    caplog: pytest.LogCaptureFixture,
    listener: Listener,
    raw: bytes,
    what: list[Change],
    cuts: Sequence[int],
) -> None:
    async with ground.case(caplog):
        parts = pieces(changed(raw, what), cuts)
        statuses = [answer.status for answer in await ground.ask(listener, *parts, end="fin")]
        assert set(statuses) <= FRAMING_ANSWERS
        if listener == "receiver":
            # What is answered 200 is kept, whatever else it was.
            assert statuses.count(200) <= len(ground.captures) <= len(statuses)
        else:
            assert statuses.count(202) >= len(ground.new(EventRecord))


@settings(REPEATABLE, max_examples=350)
@given(raw=st.sampled_from(BODIES), what=changes(JSON_WORDS, b'"'))
async def test_mutated_bodies(
    ground: Ground, caplog: pytest.LogCaptureFixture, raw: bytes, what: list[Change]
) -> None:
    body = changed(raw, what)
    async with ground.case(caplog):
        (answer,) = await ground.ask("receiver", signed(body))
        assert answer.status in {200, 400}
        (kept,) = ground.captures
        detail = ground.site.engine.archive.capture(kept.id)
        assert detail is not None
        assert (detail.record, detail.body) == (kept, body)
        for path in ("/v1/webhooks/event_webhook", "/v1/log_event"):
            before = len(ground.new(EventRecord))
            (answer,) = await ground.ask("emulator", request(body, JSON_LINE, KEY_LINE, path=path))
            assert answer.status in {202, 400}
            assert (len(ground.new(EventRecord)) > before) <= (answer.status == 202)
