"""Runs table R (`framing`, `requests`) against both listeners, byte by byte over sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from statsig_tui.core.records import EventRecord
from statsig_tui.engine.framing import Limits
from statsig_tui.engine.listeners import Listener
from statsig_tui.engine.refusals import MOST as MAX_REFUSALS
from tests.conftest import KEY, SECRET
from tests.corpus import framing, requests
from tests.corpus.framing import Case
from tests.corpus.wire import Answer

if TYPE_CHECKING:
    from tests.corpus.conftest import Ground, OpenGround

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("bounded_memory")]
SHORT = Limits(
    head_seconds=0.2, keep_alive_seconds=0.2, body_idle_seconds=0.5, body_total_seconds=0.8, stop_seconds=0.3
)
CASES = [*framing.CASES, *requests.CASES]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def patient(open_ground: OpenGround) -> AsyncIterator[Ground]:
    """Deadlines as they are."""
    async with open_ground() as ground:
        yield ground


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hasty(open_ground: OpenGround, many_files: None) -> AsyncIterator[Ground]:
    """Deadlines of a fraction of a second."""
    async with open_ground(limits=SHORT) as ground:
        yield ground


@pytest.mark.parametrize(
    ("listener", "case"),
    [pytest.param(listener, case, id=f"{case.id} @ {listener}") for case in CASES for listener in case.to],
)
async def test_table_r(
    patient: Ground, hasty: Ground, listener: Listener, case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    ground = hasty if case.hasty else patient
    parts = case.sent if isinstance(case.sent, tuple) else (case.sent,)
    async with ground.case(caplog):
        asked = [asyncio.create_task(ground.ask(listener, *parts, end=case.end)) for _ in range(case.peers)]
        if case.peers > 1:
            await ground.good()
            assert ground.further_sockets() <= case.peers + SHORT.connections
        for answers in await asyncio.gather(*asked):
            assert tuple(answer.status for answer in answers) == case.answers
            _check_answers(ground, listener, case, answers)
        if listener == "receiver":
            _check_kept(ground, case)
        else:
            _check_noted(ground, case)
        _check_told(ground, listener, case)


def _check_answers(ground: Ground, listener: Listener, case: Case, answers: list[Answer]) -> None:
    for answer in answers:
        text = "\n".join(answer.lines) + answer.body.decode()
        assert KEY not in text
        assert SECRET not in text
        assert "\nserver: " not in text
        allowed = [line for line in answer.lines if line.startswith("access-control-allow-origin")]
        assert not allowed or allowed[0] in case.lines
        if answer.status >= 400 and answer.body:
            _check_error(listener, case, answer)
    if answers:
        assert case.says in answers[-1].body.decode()
        assert set(case.lines) <= set(answers[-1].lines)


def _check_error(listener: Listener, case: Case, answer: Answer) -> None:
    told = answer.json()
    if listener == "emulator":
        assert set(told) == {"status", "message"}
        assert told["status"] == answer.status
    else:
        assert set(told) == {"error"}
        assert set(told["error"]) == {"code", "message"}
        assert told["error"]["code"] == case.code
    if answer.status in {408, 413, 414, 431, 501, 505} and case.kept == 0:
        assert "connection: close" in answer.lines


def _refused(ground: Ground, case: Case) -> dict[str, int]:
    """What was counted; a peer of a crowd whose first byte nobody came to read was silent, and is not."""
    return {code: max(count, case.peers) for code, count in ground.refused.items()}


def _check_kept(ground: Ground, case: Case) -> None:
    good = 1 if case.peers > 1 else 0
    kept = ground.captures[good:]
    assert len(kept) == case.kept
    is_kept = case.kept == len([status for status in case.answers if status >= 200]) > 0
    counted = case.counted or ("" if is_kept else case.code)
    assert _refused(ground, case) == ({counted: case.peers} if counted else {})
    for record in kept:
        detail = ground.site.engine.archive.capture(record.id)
        assert detail is not None
        assert detail.peer.startswith("127.0.0.1:")
        assert record.fault == (case.code if is_kept else None)
        assert case.shown in ("", record.path)
        assert case.signature in ("", record.signature)
        assert case.stored in (None, detail.body)


def _check_noted(ground: Ground, case: Case) -> None:
    accepted = len(ground.new(EventRecord, lambda record: not record.name.startswith("sent good")))
    assert accepted == case.answers.count(202)
    faults = [record for record in ground.noted if record.fault]
    errors = case.peers * sum(status >= 400 for status in case.answers)
    refused = _refused(ground, case)
    counted = sum(refused.values())
    assert counted + len(faults) == max(errors, case.peers if case.code or case.counted else 0)
    assert not counted or set(refused) == {case.counted or case.code}
    for record in faults:
        assert record.status == case.answers[-1]
        assert case.shown in ("", record.path)


def _check_told(ground: Ground, listener: Listener, case: Case) -> None:
    """What was not kept is on a list that does not grow, with who sent it and why."""
    told = ground.site.engine.refusals
    assert len(told) == min(MAX_REFUSALS, sum(ground.site.engine.refused.values()))
    if ground.refused:
        newest = told[-1]
        assert (newest.listener, newest.code) == (listener, case.counted or case.code)
        assert newest.peer.startswith("127.0.0.1:")
        assert newest.status in (None, *case.answers)
        assert (case.told or case.says) in newest.message


@pytest.mark.parametrize("first", range(0, 1000, 100))
@pytest.mark.parametrize("listener", framing.BOTH)
async def test_r23_random_bytes(
    patient: Ground, listener: Listener, first: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with patient.case(caplog):
        for seed in range(first, first + 100):
            for answer in await patient.ask(listener, framing.noise(seed), end="fin"):
                assert answer.status in {400, 505}
        assert patient.captures == []
