"""When the next of a series starts, what it is counted as, and that nothing of it is sent twice."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statsig_tui.core.config import Secret, Target
from statsig_tui.core.request import Shape
from statsig_tui.core.series import CATCH_UP_SECONDS, Tally, Times, next_start, usual_at_once, usual_rate
from statsig_tui.engine.outcome import Outcome
from statsig_tui.engine.series import Note, Request, Series, run_series

if TYPE_CHECKING:
    from tests.conftest import Answer, Got, Site, StartEndpoint

KEY = "secret-" + "k" * 43
Say = Callable[..., "Answer"]


def requests(count: int) -> Iterator[tuple[bytes, Shape]]:
    return ((str(number).encode(), Shape(headers=f"X-Number: {number}")) for number in range(count))


def noting(outcomes: list[Outcome]) -> Note:
    """Collects outcomes."""

    async def note(outcome: Outcome, request: Request) -> None:
        outcomes.append(outcome)

    return note


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
    tally.add(None, "not sent", 1.0, "refused")
    tally.add(None, "unknown", 1.0, "cut")
    it = tally.summary(10.6)
    assert (it.count, it.rate) == (106, 10.0)
    assert it.statuses == {202: 99, 500: 1}
    assert (it.not_sent, it.unknown) == (1, 5), "what has no outcome yet may have arrived"
    assert (it.under_way, it.errors) == (4, {"not sent": "refused", "unknown": "cut"})
    assert (it.p50, it.p95, it.p99) == (50.0, 95.0, 99.0)
    assert it.histogram == ((1, 1), (2, 1), (5, 3), (10, 5), (20, 10), (50, 30), (100, 50))


def test_nothing_answered_has_no_times() -> None:
    it = Tally().summary(0.0)
    assert (it.count, it.rate, it.p50) == (0, 0.0, None)


def test_a_far_host_is_not_flooded_and_a_rate_can_be_kept() -> None:
    assert usual_rate(None, 11, is_local=False) == usual_rate(None, None, is_local=False) == 10.0
    assert usual_rate(None, 10, is_local=False) is usual_rate(None, None, is_local=True) is None
    assert usual_rate(500.0, None, is_local=False) == 500.0
    assert [usual_at_once(None, None, 9), usual_at_once(None, 5.0, 9), usual_at_once(4, 5.0, None)] == [
        1,
        9,
        4,
    ]


@given(
    times=st.lists(st.floats(0.01, 100_000), min_size=1, max_size=60),
    percent=st.sampled_from([1, 50, 95, 99, 100]),
)
def test_a_percentile_is_a_time_that_occurred_within_a_percent(times: list[float], percent: int) -> None:
    counted = Times()
    for ms in times:
        counted.add(ms)
    exact = sorted(times)[math.ceil(len(times) * percent / 100) - 1]
    [found] = counted.percentiles(percent)
    assert found in times
    assert found is not None
    assert exact <= found <= exact * 1.0101
    assert sum(count for _, count in counted.histogram()) == len(times)


@pytest.mark.parametrize("concurrency", [1, 7])
async def test_each_request_is_posted_once_whatever_becomes_of_it(
    endpoint: StartEndpoint, say: Say, concurrency: int
) -> None:
    mine = await endpoint(say(202, b"nonsense\r\n\r\n", 500, 202))
    tally, outcomes = Tally(), list[Outcome]()
    target = Target("mine", mine.url)
    await run_series(target, requests(30), tally, noting(outcomes), concurrency=concurrency)
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
    series = asyncio.create_task(run_series(target, requests(100), tally, noting(outcomes), concurrency=3))
    await answered.wait()
    series.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await series
    it = tally.summary(1)
    assert (it.count, it.statuses, it.unknown) == (5, {202: 2}, 3)
    assert len(mine.requests) == 5


async def test_a_series_of_the_engine_is_stopped_at_once_and_keeps_one_example_of_each_outcome(
    site: Site, endpoint: StartEndpoint, say: Say
) -> None:
    seventh = asyncio.Event()
    answer = say(202, 503, b"nonsense\r\n\r\n", 202)

    async def answer_six(got: Got, writer: asyncio.StreamWriter) -> None:
        if len(mine.requests) == 7:
            seventh.set()
        else:
            await answer(got, writer)

    mine = await endpoint(answer_six)
    shape = Shape(method="PUT", path="/own", headers="X-Own: 1")
    bodies = ((b'{"event":"e%d"}' % number, shape) for number in range(100))
    series = Series(Target("mine", mine.url, Secret.of(KEY)), bodies)
    running = asyncio.create_task(site.engine.send_series(series))
    await seventh.wait()
    assert (await series.summary()).under_way == 1
    await series.stop()
    await running
    it = await series.summary()
    assert (it.count, it.statuses, it.not_sent, it.unknown) == (7, {202: 4, 503: 1}, 0, 2)
    assert it.under_way == 0, "what was cut short may have arrived"
    assert {got.path for got in mine.requests} == {"/own"}
    assert mine.requests[0].headers["x-own"] == "1"
    kept = [site.engine.archive.sent_detail(record.id) for record in site.engine.archive.sent(100)]
    assert [(one.record.event_name, one.record.status) for one in kept if one is not None] == [
        ("e2", None),
        ("e1", 503),
        ("e0", 202),
    ]
    assert kept[0] is not None
    assert kept[0].record.certainty == "unknown"
    assert (kept[0].method, kept[0].body) == ("PUT", b'{"event":"e2"}')
    assert KEY not in str(kept[0].request_headers)
