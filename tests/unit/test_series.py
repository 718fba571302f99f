"""When the next of a series starts, what it is counted as, and that nothing of it is sent twice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from statsig_tui.core.config import Target
from statsig_tui.core.request import Shape
from statsig_tui.core.series import CATCH_UP_SECONDS, Tally, next_start
from statsig_tui.engine.outcome import Outcome
from statsig_tui.engine.series import run_series

if TYPE_CHECKING:
    from tests.conftest import Answer, StartEndpoint

Say = Callable[..., "Answer"]


def requests(count: int) -> Iterator[tuple[bytes, Shape]]:
    return ((str(number).encode(), Shape(headers=f"X-Number: {number}")) for number in range(count))


def test_starts_keep_the_rate_and_make_up_for_a_little() -> None:
    assert next_start(None, 7.0, 10) == 7.0
    assert next_start(7.0, 7.0, None) == 7.0
    assert next_start(7.0, 7.01, 10) == pytest.approx(7.1)
    assert next_start(7.0, 7.15, 10) == pytest.approx(7.1), "a little late: at once, and the next one on time"
    assert next_start(7.0, 99.0, 10) == pytest.approx(99.0 - CATCH_UP_SECONDS), "no burst after a pause"


def test_a_summary_counts_every_end() -> None:
    tally = Tally()
    for _ in range(106):
        tally.begin()
    for ms in range(100, 0, -1):
        tally.add(202 if ms > 1 else 500, "answered", float(ms))
    tally.add(None, "not sent", 1.0)
    tally.add(None, "unknown", 1.0)
    it = tally.summary(10.6)
    assert (it.count, it.rate) == (106, 10.0)
    assert it.statuses == {202: 99, 500: 1}
    assert (it.not_sent, it.unknown) == (1, 5), "what has no outcome yet may have arrived"
    assert (it.p50, it.p95, it.p99) == (50.0, 95.0, 99.0)


def test_nothing_answered_has_no_times() -> None:
    it = Tally().summary(0.0)
    assert (it.count, it.rate, it.p50) == (0, 0.0, None)


@pytest.mark.parametrize("concurrency", [1, 7])
async def test_each_request_is_posted_once_whatever_becomes_of_it(
    endpoint: StartEndpoint, say: Say, concurrency: int
) -> None:
    mine = await endpoint(say(202, b"nonsense\r\n\r\n", 500, 202))
    tally, outcomes = Tally(), list[Outcome]()
    target = Target("mine", mine.url)
    await run_series(target, requests(30), tally, outcomes.append, concurrency=concurrency)
    assert sorted(int(got.body) for got in mine.requests) == list(range(30))
    assert all(got.headers["x-number"] == got.body.decode() for got in mine.requests)
    assert len(outcomes) == 30
    it = tally.summary(1)
    assert (it.statuses, it.unknown) == ({202: 28, 500: 1}, 1)


async def test_cancelling_leaves_at_once_and_tells_what_is_unknown(endpoint: StartEndpoint) -> None:
    answered = asyncio.Event()

    async def answer_two(got: object, writer: asyncio.StreamWriter) -> None:
        if len(mine.requests) <= 2:
            writer.write(b"HTTP/1.1 202 X\r\nContent-Length: 0\r\n\r\n")
        elif len(mine.requests) == 5:
            answered.set()

    mine = await endpoint(answer_two)
    tally, outcomes = Tally(), list[Outcome]()
    target = Target("mine", mine.url)
    series = asyncio.create_task(run_series(target, requests(100), tally, outcomes.append, concurrency=3))
    await answered.wait()
    series.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await series
    it = tally.summary(1)
    assert (it.count, it.statuses, it.unknown) == (5, {202: 2}, 3)
    assert len(mine.requests) == 5
