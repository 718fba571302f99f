"""Several deliveries of one destination at once, over real sockets to an endpoint that takes its time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from statsig_tui.core.config import BatchPolicy, RetryPolicy
from statsig_tui.core.records import DeliveryState

if TYPE_CHECKING:
    from tests.conftest import Got, Site, StartEndpoint, StartEngine

Make = Callable[..., Any]
AT_ONCE = BatchPolicy(1, 0)
LATER = RetryPolicy((600, 600))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@dataclass
class Slow:
    """Answers nobody before so many wait, or before it is let go."""

    together: int
    waiting: int = 0
    most: int = 0
    replies: list[bytes] = field(default_factory=list)
    """The last stands for ever; none: 200."""
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, got: Got, writer: asyncio.StreamWriter) -> None:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        if self.waiting >= self.together:
            self.go.set()
        await self.go.wait()
        self.waiting -= 1
        writer.write(self.replies.pop(0) if self.replies else OK)


def name(got: Got) -> str:
    """The one event of a request."""
    (event,) = json.loads(got.body)["data"]
    found: str = event["eventName"]
    return found


async def send(site: Site, *names: str) -> None:
    for each in names:
        await site.event(each)


NAMES = [f"e{number}" for number in range(12)]


async def test_so_many_are_under_way_at_once_and_each_arrives_once(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    slow = Slow(4)
    mine = await endpoint(slow)
    chosen = destination("mine", mine.url, batch=AT_ONCE, concurrency=4)
    async with engine(config(chosen)) as site:
        await send(site, *NAMES)
        done = await site.delivery(DeliveryState.DELIVERED, "mine", count=12)
        assert [len(site.engine.archive.attempts(item.id)) for item in done] == [1] * 12
    assert slow.most == 4
    assert sorted(map(name, mine.requests)) == sorted(NAMES)


async def test_one_at_a_time_keeps_the_order(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    slow = Slow(1)
    mine = await endpoint(slow)
    async with engine(config(destination("mine", mine.url, batch=AT_ONCE))) as site:
        await send(site, *NAMES)
        await site.delivery(DeliveryState.DELIVERED, "mine", count=12)
    assert (slow.most, [name(got) for got in mine.requests]) == (1, NAMES)


async def test_an_answer_that_asks_to_wait_holds_all_that_are_not_under_way(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    later = b"HTTP/1.1 429 Slow\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n"
    slow = Slow(4, replies=[later, later, later, later])
    mine = await endpoint(slow)
    chosen = destination("mine", mine.url, batch=AT_ONCE, concurrency=4, retry=LATER)
    async with engine(config(chosen)) as site:
        await send(site, *NAMES)
        await site.delivery(DeliveryState.RETRYING, "mine", count=4)
    # Stopping sends what is due.
    assert len(mine.requests) == 4


@pytest.mark.parametrize("by_proxy", [False, True])
async def test_other_settings_cut_nothing_off_that_is_under_way(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint,
    monkeypatch: pytest.MonkeyPatch, by_proxy: bool,
) -> None:  # fmt: skip
    slow = Slow(3)
    mine = await endpoint(slow)
    url = mine.url
    if by_proxy:
        monkeypatch.setenv("HTTP_PROXY", mine.url)
        url = "http://hooks.example.test/in"
    chosen = destination("mine", url, batch=AT_ONCE, concurrency=4, retry=LATER)
    async with engine(config(chosen)) as site:
        await send(site, "one", "two")
        await mine.got(2)
        await site.engine.apply(config(replace(chosen, verify_tls=False)))
        await send(site, "three")
        done = await site.delivery(DeliveryState.DELIVERED, "mine", count=3)
        assert [item.attempt for item in done] == [1, 1, 1]
    assert len(mine.requests) == 3
