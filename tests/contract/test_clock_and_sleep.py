"""The clock is set, the machine sleeps: a retry that waits is neither stuck nor let go with all others."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from statsig_tui.core.config import BatchPolicy, RetryPolicy
from statsig_tui.core.records import DeliveryState
from statsig_tui.engine.clock import SystemClock

if TYPE_CHECKING:
    from tests.conftest import Answer, StartEndpoint, StartEngine
    from tests.contract.conftest import Spawn

Make = Callable[..., Any]
Say = Callable[..., "Answer"]
DAY = 86_400_000
"""Milliseconds."""
MORE_THAN_A_DAY = RetryPolicy((100_000,))


class SetClock(SystemClock):
    """A clock that somebody sets."""

    ahead = 0

    def now(self) -> int:
        return super().now() + self.ahead


@pytest.mark.parametrize("days", [-1, 1])
async def test_retries_move_with_the_clock(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say, days: int
) -> None:
    clock = SetClock()
    mine = await endpoint(say(500, 500, 500, 200))
    settings = config(destination("mine", mine.url, batch=BatchPolicy(1, 0), retry=RetryPolicy((1000,))))
    async with engine(settings, clock=clock) as site:
        for name in ("a", "b", "c"):
            await site.event(name)
        before = await site.delivery(DeliveryState.RETRYING, "mine", count=3)
        clock.ahead = days * DAY
        await site.event("fresh")
        await site.delivery(DeliveryState.DELIVERED, "mine")
        after = {
            delivery.id: delivery.next_at
            for delivery in (await site.delivery(DeliveryState.RETRYING, "mine", count=6))[3:]
        }
        for delivery in before:
            assert delivery.next_at is not None
            assert after[delivery.id] == pytest.approx(delivery.next_at + days * DAY, abs=100)
        assert len(mine.requests) == 4
        for delivery in before:
            assert await site.engine.retry_now(delivery.id)
        await site.delivery(DeliveryState.DELIVERED, "mine", count=4)


async def test_what_is_asked_for_after_the_clock_was_set_is_not_put_off(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    clock = SetClock()
    mine = await endpoint(say(500, 200))
    async with engine(config(destination("mine", mine.url, retry=MORE_THAN_A_DAY)), clock=clock) as site:
        await site.event()
        (retrying,) = await site.delivery(DeliveryState.RETRYING, "mine")
        clock.ahead = DAY
        assert await site.engine.retry_now(retrying.id)
        await site.delivery(DeliveryState.DELIVERED, "mine")


async def test_a_program_that_was_stopped_goes_on_where_it_was(
    spawn: Spawn, settings: Callable[[str], tuple[str, str]], endpoint: StartEndpoint, say: Say
) -> None:
    """Retries that came due meanwhile are made, each once; who knocked is let in."""
    mine = await endpoint(say(500, 500, 500, 200))
    options = settings(
        '[emulator]\nport = 0\n[receiver]\nport = 0\n[[destinations]]\nname = "mine"\n'
        f'url = "{mine.url}"\nbatch = {{ max_events = 1, max_seconds = 0 }}\nretry.schedule = [1, 1]\n'
    )
    serve = await spawn("serve", "--json", *options)
    ready = await serve.line("ready")
    async with httpx.AsyncClient(
        base_url=ready["emulator"],
        headers={"STATSIG-API-KEY": "secret-" + "k" * 43},
        trust_env=False,
        timeout=60,
    ) as client:

        async def post(name: str) -> int:
            body = {"user": {"userID": "u"}, "event": name}
            return (await client.post("/v1/webhooks/event_webhook", json=body)).status_code

        for name in ("a", "b", "c"):
            assert await post(name) == 202
        for _ in range(3):
            await serve.line("delivery", state="retrying")
        serve.process.send_signal(signal.SIGSTOP)
        knocking = asyncio.create_task(post("d"))
        # The sleep itself: longer than a retry waits, and than what counts as a hiccup.
        await asyncio.sleep(4)
        assert not knocking.done()
        serve.process.send_signal(signal.SIGCONT)
        assert await knocking == 202
        for _ in range(4):
            await serve.line("delivery", state="delivered")
    code, _, errors = await serve.end(signal.SIGTERM)
    assert (code, errors) == (128 + signal.SIGTERM, "")
    assert len(mine.requests) == 7
    assert len({got.body for got in mine.requests}) == 4
