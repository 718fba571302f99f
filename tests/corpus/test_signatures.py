"""Runs table S (`signatures`): each case where signatures are reported, and where they are enforced."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from statsig_tui.core.config import Secret
from tests.conftest import SECRET
from tests.corpus.signatures import CASES, OTHER_SECRET, UNCHECKED, VALID, Case
from tests.corpus.wire import BATCH, JSON_LINE, request, signed

if TYPE_CHECKING:
    from tests.corpus.conftest import Ground, OpenGround

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("bounded_memory")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def grounds(open_ground: OpenGround) -> AsyncIterator[Mapping[str, Ground]]:
    """One where signatures are reported, one where they are enforced, one that knows no secret."""
    known = {"secrets": (Secret.of(OTHER_SECRET), Secret(env="UNSET"))}
    async with contextlib.AsyncExitStack() as stack:
        yield {
            "report": await stack.enter_async_context(open_ground(receiver=known)),
            "enforce": await stack.enter_async_context(
                open_ground(receiver=known | {"signature": "enforce"})
            ),
            "no secret": await stack.enter_async_context(open_ground(secret=None)),
        }


@pytest.mark.parametrize(
    ("mode", "case"),
    [
        pytest.param(mode, case, id=f"{case.id} @ {mode}")
        for case in CASES
        for mode in (("report", "enforce") if case.secret else ("no secret",))
    ],
)
async def test_table_s(
    grounds: Mapping[str, Ground], mode: str, case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    ground = grounds[mode]
    is_trusted = case.state in (VALID, UNCHECKED)
    async with ground.case(caplog):
        (answer,) = await ground.ask("receiver", request(case.body, JSON_LINE, *case.lines))
        assert answer.status == (case.status or (401 if mode == "enforce" and not is_trusted else 200))
        assert SECRET.encode() not in answer.body
        if answer.status >= 400:
            assert answer.json()["error"]["code"] == case.code
        assert case.answer in (b"", answer.body)
        (kept,) = ground.captures
        detail = ground.site.engine.archive.capture(kept.id)
        assert detail is not None
        assert (kept.signature, detail.body) == (case.state, case.body)
        assert kept.status == answer.status
        assert kept.fault == (None if case.state is UNCHECKED else case.code)
        assert case.says in detail.signature_reason
        assert SECRET not in detail.signature_reason


async def test_s09_a_request_sent_again_is_a_capture_of_its_own(
    grounds: Mapping[str, Ground], caplog: pytest.LogCaptureFixture
) -> None:
    ground = grounds["enforce"]
    async with ground.case(caplog):
        for _ in range(3):
            (answer,) = await ground.ask("receiver", signed(BATCH))
            assert json.loads(answer.body) == {"success": True, "stored": 1}
        assert len({record.id for record in ground.captures}) == 3
        assert len({record.events for record in ground.captures}) == 1
