"""The wall clock goes back by a day: nothing waits for it, and what came later stays later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from statsig_tui.core.config import RECEIVER, Config, Destination, RetryPolicy
from statsig_tui.core.records import CaptureRecord, DeliveryState
from statsig_tui.engine.clock import SystemClock

if TYPE_CHECKING:
    from tests.conftest import Answer, StartEndpoint, StartEngine

DAY = 86_400_000


@dataclass
class SetClock(SystemClock):
    """The machine's clock, set forward by so many milliseconds."""

    ahead: int = DAY

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return super().now() + self.ahead


async def test_a_retry_does_not_wait_a_day(
    engine: StartEngine,
    config: Callable[..., Config],
    destination: Callable[..., Destination],
    endpoint: StartEndpoint,
    say: Callable[..., Answer],
) -> None:
    mine = await endpoint(say(500, 200))
    clock = SetClock()
    to_mine = config(destination("mine", mine.url, retry=RetryPolicy((0.3, 0.3))))
    async with engine(to_mine, clock=clock) as site:
        await site.event()
        await site.delivery(DeliveryState.RETRYING, "mine")
        clock.ahead = 0
        await site.event("later")
        await site.delivery(DeliveryState.DELIVERED, "mine", count=2)


async def test_what_a_former_run_left_in_the_future_is_delivered(
    engine: StartEngine,
    config: Callable[..., Config],
    destination: Callable[..., Destination],
    endpoint: StartEndpoint,
    say: Callable[..., Answer],
) -> None:
    mine = await endpoint(say(503, 200))
    to_mine = config(destination("mine", mine.url, retry=RetryPolicy((3600, 3600))))
    async with engine(to_mine, clock=SetClock()) as site:
        await site.event()
        await site.delivery(DeliveryState.RETRYING, "mine")
    async with engine(to_mine) as site:
        await site.delivery(DeliveryState.DELIVERED, "mine")


async def test_captures_keep_the_order_in_which_they_came(engine: StartEngine) -> None:
    clock = SetClock()
    async with engine(clock=clock) as site:
        for name, clock.ahead in (("first", DAY), ("second", 0), ("third", 2 * DAY)):
            await site.event(name)
            await site.capture(lambda record: named(record) == name)  # noqa: B023 - awaited before the next
        archive = site.engine.archive
        ids = archive.capture_ids()
        assert [named(record) for record in archive.captures(ids)] == ["first", "second", "third"]
        assert [named(record) for record in archive.since(0, 10)] == ["first", "second", "third"]
        assert [d.id for d in archive.deliveries(RECEIVER, 10)] == [3, 2, 1]


def named(record: CaptureRecord) -> str:
    return record.events[0].event_name
