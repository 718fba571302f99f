"""A delivery that is given up while its request is under way: that ends there, and what is behind it goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from statsig_tui.core.config import BatchPolicy, CircuitPolicy, RetryPolicy
from statsig_tui.core.mending import mend
from statsig_tui.core.records import CaptureRecord, DeliveryRecord, DeliveryState, Replay
from statsig_tui.core.replaying import Wish
from statsig_tui.engine.outcome import CUT_OFF, INTERRUPTED
from statsig_tui.engine.replaying import Replaying

if TYPE_CHECKING:
    from tests.conftest import Endpoint, Got, StartEndpoint, StartEngine

Make = Callable[..., Any]
EACH = BatchPolicy(1, 0)
NEVER = 600
"""Seconds that nobody waits for in here."""


def names(mine: Endpoint) -> list[str]:
    """Of the events, as they came in."""
    return [event["eventName"] for got in mine.requests for event in json.loads(got.body)["data"]]


class Hanging:
    """Answers nothing that has to do with `stuck` until it is mended; all else is taken."""

    def __init__(self) -> None:
        self.status: int | None = None

    async def __call__(self, got: Got, writer: asyncio.StreamWriter) -> None:
        status = 200 if b"stuck" not in got.body else self.status
        if status is not None:
            writer.write(b"HTTP/1.1 %d Words\r\nContent-Length: 0\r\n\r\n" % status)


@pytest.mark.parametrize("by_proxy", [False, True])
@pytest.mark.parametrize("concurrency", [1, 2])
async def test_a_request_under_way_ends_with_its_delivery_and_lets_the_next_go(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint,
    monkeypatch: pytest.MonkeyPatch, concurrency: int, by_proxy: bool,
) -> None:  # fmt: skip
    mine = await endpoint(Hanging())
    url = mine.url
    if by_proxy:
        monkeypatch.setenv("HTTP_PROXY", mine.url)
        url = "http://hooks.example.test/in"
    chosen = destination(
        "mine",
        url,
        batch=EACH,
        timeout_seconds=NEVER,
        concurrency=concurrency,
        circuit=CircuitPolicy(1, NEVER),
    )
    stuck = [f"stuck {number}" for number in range(concurrency)]
    async with engine(config(chosen)) as site:
        for name in (*stuck, "next", "last"):
            await site.event(name)
        await mine.got(concurrency)
        for item in await site.delivery(DeliveryState.SENDING, "mine", count=concurrency):
            assert await site.engine.cancel(item.id)
        await mine.until(lambda: mine.closed >= concurrency)
        await site.delivery(DeliveryState.DELIVERED, "mine", count=2)
        assert sorted(names(mine)) == sorted([*stuck, "next", "last"])
        (first,) = site.engine.archive.deliveries_of("mine", [1])
        assert (first.state, first.error) == (DeliveryState.CANCELLED, "cancelled by hand")
        (attempt,) = site.engine.archive.attempts(first.id)
        assert (attempt.status, attempt.error) == (None, CUT_OFF)
        assert mend(attempt)
        tries = site.engine.archive.health(["mine"])["mine"].tries
        assert [item.is_success for item in tries] == [True, True], "nothing of it is the endpoint's fault"


async def test_what_was_cut_off_can_be_wanted_after_all_and_has_used_up_no_attempt(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    hanging = Hanging()
    mine = await endpoint(hanging)
    chosen = destination("mine", mine.url, timeout_seconds=NEVER, retry=RetryPolicy((NEVER,)))
    async with engine(config(chosen)) as site:
        await site.event("stuck")
        (item,) = await site.delivery(DeliveryState.SENDING, "mine")
        await mine.got(1)
        assert await site.engine.cancel(item.id)
        hanging.status = 500
        assert await site.engine.retry_now(item.id)
        await site.journal.wait(
            DeliveryRecord, lambda d: d.state is DeliveryState.RETRYING and d.status == 500
        )
        hanging.status = 200
        assert await site.engine.retry_now(item.id)
        await site.delivery(DeliveryState.DELIVERED, "mine")
        attempts = site.engine.archive.attempts(item.id)
        assert [attempt.status or attempt.error for attempt in attempts] == [CUT_OFF, 500, 200]
    assert len({got.body for got in mine.requests}) == 1


async def test_a_replay_that_is_stopped_ends_its_request_under_way(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    mine = await endpoint(Hanging())
    chosen = destination("mine", mine.url, batch=EACH, timeout_seconds=NEVER)
    async with engine(config(chosen)) as site:
        await site.webhook({"data": [{"eventName": "stuck"}]}, secret=None)
        capture: CaptureRecord = await site.capture()
        replaying = Replaying(Wish(Replay.RESIGNED, ("mine",)), [(capture.id, None)])
        await site.engine.replay(replaying)
        await mine.got(1)
        await site.event("next")
        await site.engine.stop_replay(replaying)
        await mine.until(lambda: mine.closed == 1)
        await site.delivery(DeliveryState.DELIVERED, "mine")
    assert names(mine) == ["stuck", "next"]


async def test_a_deleted_destination_ends_its_request_under_way(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    hanging = Hanging()
    mine = await endpoint(hanging)
    it = destination("mine", mine.url, batch=EACH, timeout_seconds=NEVER)
    async with engine(config(it)) as site:
        await site.event("stuck")
        await mine.got(1)
        await site.engine.apply(config(destination()))
        await mine.until(lambda: mine.closed == 1)
        (item,) = await site.delivery(DeliveryState.CANCELLED, "mine")
        (attempt,) = site.engine.archive.attempts(item.id)
        assert (attempt.status, attempt.error) == (None, INTERRUPTED)
        hanging.status = 200
        await site.engine.apply(config(destination(), it))
        await site.delivery(DeliveryState.DELIVERED, "mine")
    assert names(mine) == ["stuck", "stuck"]


async def test_what_is_under_way_at_a_pause_is_let_end_and_nothing_goes_behind_it(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    """Cutting it off would only leave in doubt what may well arrive: nothing waits for it."""
    go = asyncio.Event()

    async def answer(got: Got, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    mine = await endpoint(answer)
    it = destination("mine", mine.url, batch=EACH)
    async with engine(config(it)) as site:
        await site.event("under way")
        await site.event("next")
        await mine.got(1)
        await site.engine.apply(config(destination("mine", mine.url, batch=EACH, enabled=False)))
        go.set()
        await site.delivery(DeliveryState.DELIVERED, "mine")
        await site.engine.apply(config(it))
        await site.delivery(DeliveryState.DELIVERED, "mine", count=2)
        (first,) = site.engine.archive.deliveries_of("mine", [1])
        assert first.attempt == 1
    assert names(mine) == ["under way", "next"]
