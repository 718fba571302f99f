"""Time control (product.md §3.2): the waiting goes fast, over real sockets and the real store."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx

from statsig_tui.core.config import BatchPolicy, RetryPolicy
from statsig_tui.core.records import DeliveryRecord, DeliveryState

if TYPE_CHECKING:
    from tests.conftest import Answer, Site, StartEndpoint, StartEngine
    from tests.contract.conftest import Spawn

Make = Callable[..., Any]
Say = Callable[..., "Answer"]
HOUR = 3_600_000
JITTER = 0.2


def now() -> int:
    """Epoch ms."""
    return time.time_ns() // 1_000_000


def due_in(site: Site) -> int:
    """Milliseconds until the only delivery is due."""
    (item,) = site.engine.archive.deliveries("mine", 10)
    assert item.next_at is not None
    return item.next_at - now()


async def test_hours_of_retries_go_by_while_one_watches(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(500, 500, 500, 200))
    slow = destination("mine", mine.url, retry=RetryPolicy((360, 180, 90)), batch=BatchPolicy(100, 300))
    async with engine(config(slow)) as site:
        began = now()
        await site.event()
        await site.engine.set_speed(3600)
        assert site.engine.speed == 3600
        (delivery,) = await site.delivery(DeliveryState.DELIVERED, "mine")
        attempts = site.engine.archive.attempts(delivery.id)
        ended = now()
    assert [attempt.status for attempt in attempts] == [500, 500, 500, 200]
    times = [attempt.at for attempt in attempts]
    stamps = [int(got.headers["x-statsig-request-timestamp"]) for got in mine.requests]
    assert began <= times[0] <= times[-1] <= ended, "stored times are real"
    assert began <= stamps[0] <= stamps[-1] <= ended, "so are signed ones"


async def test_a_change_of_speed_moves_what_waits_and_back(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    """Over a restart too: what is stored is when a delivery is really due."""
    mine = await endpoint(say(500, 200))
    settings = config(destination("mine", mine.url, retry=RetryPolicy((36_000,))))
    least, most = 10 * HOUR * (1 - JITTER), 10 * HOUR * (1 + JITTER)
    async with engine(settings) as site:
        await site.event()
        await site.delivery(DeliveryState.RETRYING, "mine")
        await site.engine.set_speed(60)
        assert least / 60 - 60_000 < due_in(site) <= most / 60
        await site.engine.set_speed(1)
        assert least - HOUR < due_in(site) <= most
        await site.engine.set_speed(60)
    async with engine(settings) as site:
        assert site.engine.speed == 1
        assert least - HOUR < due_in(site) <= most
        assert len(mine.requests) == 1
        assert await site.engine.next_attempt_now("mine") == 1
        await site.delivery(DeliveryState.DELIVERED, "mine")
        assert await site.engine.next_attempt_now("mine") == 0


async def test_next_attempt_now_ends_the_waiting_of_one_destination_alone(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    asks = b"HTTP/1.1 429 X\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n"
    mine, other = await endpoint(say(asks, 200)), await endpoint(say(500, 200))
    later = {"retry": RetryPolicy((600,))}
    async with engine(
        config(destination("mine", mine.url, **later), destination("other", other.url, **later))
    ) as site:
        await site.event()
        await site.delivery(DeliveryState.RETRYING, "mine")
        await site.delivery(DeliveryState.RETRYING, "other")
        assert await site.engine.next_attempt_now("mine") == 1
        await site.delivery(DeliveryState.DELIVERED, "mine")
        assert site.engine.archive.counters().destinations["other"].retrying == 1
        assert not site.journal.of(
            DeliveryRecord, lambda d: d.destination == "other" and d.state is DeliveryState.DELIVERED
        )


async def test_next_attempt_now_closes_the_open_batch(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(200))
    async with engine(config(destination("mine", mine.url, batch=BatchPolicy(100, 3600)))) as site:
        for name in ("one", "two"):
            await site.event(name)
        assert await site.engine.next_attempt_now("mine") == 1
        (made,) = await site.delivery(DeliveryState.DELIVERED, "mine")
        assert (made.events, made.closed_by) == (2, "flush")
        assert await site.engine.next_attempt_now("mine") == 0
        await site.event("three")
        assert site.engine.archive.counters().destinations["mine"].queued == 1, "what comes later waits again"
    assert len(mine.requests) == 2


async def test_serve_says_how_fast_waiting_goes_and_goes_so_fast(
    spawn: Spawn, settings: Callable[[str], tuple[str, str]], endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(500, 200))
    chosen = settings(
        f'[[destinations]]\nname = "mine"\nurl = "{mine.url}"\nretry = {{ schedule = [600] }}\n'
    )
    ports = ("--emulator-port", "0", "--receiver-port", "0")
    it = await spawn("serve", *chosen, *ports, "--json", "--speed", "3600")
    ready = await it.line("ready")
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.post(
            f"{ready['emulator']}/v1/webhooks/event_webhook",
            headers={"STATSIG-API-KEY": "secret-x"},
            json={"user": {"userID": "u1"}, "event": "checkout"},
        )
    await it.line("delivery", destination="mine", state="delivered", attempt=2)
    _, _, err = await it.end(signal.SIGTERM)
    assert "Waiting goes 3600 times as fast" in err
