"""Each answer of cases_d.py over a real socket: what the attempt becomes, and that nothing else suffers."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from statsig_tui.cli.lines import as_text
from statsig_tui.core.config import BatchPolicy, RetryPolicy
from statsig_tui.core.records import AttemptRecord, DeliveryState
from statsig_tui.engine.clock import SystemClock
from tests.corpus.cases_d import AT, CASES, WISHES, Case, Wish, head

if TYPE_CHECKING:
    from tests.conftest import Answer, Got, Site, StartEndpoint, StartEngine

Make = Callable[..., Any]
Say = Callable[..., "Answer"]
PATIENCE = 20.0
LATER = RetryPolicy((600, 600))
SECRET = "webhook-" + "s" * 43


def sockets() -> int:
    """Sockets that this process has open; the store opens more files as it needs them."""
    count = 0
    for number in os.listdir("/dev/fd"):
        # The listing itself was one, and is closed by now.
        with suppress(OSError):
            count += stat.S_ISSOCK(os.fstat(int(number)).st_mode)
    return count


@asynccontextmanager
async def beside_a_healthy_one(
    engine: StartEngine, config: Make, healthy: Any, mine: Any
) -> AsyncIterator[Site]:
    """A wrong destination beside one that works before, meanwhile and afterwards, and leaks nothing."""
    async with engine(config(healthy)) as site:
        await site.event("before")
        await site.delivery(DeliveryState.DELIVERED, "healthy")
        open_before = sockets()
        await site.engine.apply(config(healthy, mine))
        await site.event("meanwhile")
        yield site
        await site.event("afterwards")
        await site.delivery(DeliveryState.DELIVERED, "healthy", count=3)
        await site.engine.apply(config(healthy))
        async with asyncio.timeout(PATIENCE):
            while sockets() > open_before:
                await asyncio.sleep(0.001)


async def only_attempt(site: Site, state: DeliveryState) -> AttemptRecord:
    """The one attempt that was made before the delivery came into a state."""
    (delivery,) = await site.delivery(state, "mine")
    (attempt,) = site.engine.archive.attempts(delivery.id)
    assert (delivery.status, delivery.error) == (attempt.status, attempt.error)
    return attempt


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
async def test_an_answer_becomes_what_the_table_says(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say, case: Case
) -> None:
    elsewhere, fine = await endpoint(say(200)), await endpoint(say(200))
    bad = await endpoint(lambda got, writer: case.play(got, writer, elsewhere.url))
    mine = destination("mine", bad.url, retry=LATER, timeout_seconds=case.seconds)
    async with beside_a_healthy_one(engine, config, destination("healthy", fine.url), mine) as site:
        attempt = await only_attempt(site, case.state)
        assert attempt.status == case.status
        assert (case.error or "") in (attempt.error or "")
        assert bool(attempt.error) == bool(case.error)
        assert SECRET not in str(attempt)
        assert ("an HTML page answered" in as_text(attempt)) == case.flagged
        if case.body is not None:
            assert attempt.response_body == case.body
        assert len(bad.requests) == 1
        assert elsewhere.requests == []
        assert (site.engine.disabled("mine") is not None) == (case.status == 410)


class StoppedClock(SystemClock):
    """The time of day stands still."""

    def now(self) -> int:
        return AT


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose time of day is nobody else's, by half an hour too."""
    monkeypatch.setenv("TZ", "XXX-12:30")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_east")
@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: wish.id)
async def test_a_wish_to_wait_holds_the_whole_destination(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say, wish: Wish
) -> None:
    mine = await endpoint(say(head(wish.status, f"Retry-After: {wish.value}"), 200))
    policies = {"retry": RetryPolicy((100, 100)), "batch": BatchPolicy(1, 0)}
    async with engine(config(destination("mine", mine.url, **policies)), clock=StoppedClock()) as site:
        await site.event("first")
        (retrying,) = await site.delivery(DeliveryState.RETRYING, "mine")
        assert retrying.next_at is not None
        delay = (retrying.next_at - AT) / 1000
        await site.event("second")
        if wish.seconds is None:
            assert 80 <= delay <= 120
            await site.delivery(DeliveryState.DELIVERED, "mine")
            return
        assert delay == wish.seconds
        await site.delivery(DeliveryState.WAITING, "mine", count=2)
        counters = site.engine.archive.counters().destinations["mine"]
        assert (counters.queued, counters.retrying, counters.delivered) == (2, 1, 0)
    # Stopping sends what is due.
    assert len(mine.requests) == 1


async def test_a_wish_counts_though_its_body_never_comes(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    """D18, D04"""
    mine = await endpoint(say(head(429, "Retry-After: 3000", length=9)))
    settings = config(destination("mine", mine.url, timeout_seconds=0.2))
    async with engine(settings, clock=StoppedClock()) as site:
        await site.event()
        (retrying,) = await site.delivery(DeliveryState.RETRYING, "mine")
        assert retrying.next_at == AT + 3_000_000


async def test_a_stale_connection_is_an_attempt_but_counts_for_no_failure(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    """D09"""

    async def close_after(got: Got, writer: asyncio.StreamWriter) -> None:
        if len(mine.requests) == 2:
            writer.close()
        else:
            writer.write(head(200))

    mine = await endpoint(close_after)
    async with engine(config(destination("mine", mine.url, retry=RetryPolicy("none")))) as site:
        for name in ("first", "second"):
            await site.event(name)
            await site.delivery(DeliveryState.DELIVERED, "mine")
        await mine.got(3)
        (*_, delivered) = await site.delivery(DeliveryState.DELIVERED, "mine", count=2)
        made = site.engine.archive.attempts(delivered.id)
        assert [attempt.status for attempt in made] == [None, 200]
        assert "sent again at once" in (made[0].error or "")
    assert mine.requests[1].body == mine.requests[2].body
