"""Attempts begun ahead of their turn, over real sockets: what changes before that turn holds of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from statsig_tui.core.config import BatchPolicy, Secret
from statsig_tui.core.records import DeliveryRecord, DeliveryState
from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Endpoint, Got, Site, StartEndpoint, StartEngine

Make = Callable[..., Any]
EACH = BatchPolicy(1, 0)
NAMES = [f"e{number:02}" for number in range(40)]
AT = 20
"""The request at which something happens, when as much is begun ahead as ever will be."""


def names(*mine: Endpoint) -> list[str]:
    """Of the events, as they came in."""
    bodies = [got.body for endpoint in mine for got in endpoint.requests]
    return [event["eventName"] for body in bodies for event in json.loads(body)["data"]]


@dataclass
class Quick:
    """Answers nobody before all is queued; then at once, but for what happens at one request."""

    then: Callable[[], Awaitable[object]]
    queued: asyncio.Event = field(default_factory=asyncio.Event)
    count: int = 0

    async def __call__(self, got: Got, writer: asyncio.StreamWriter) -> None:
        await self.queued.wait()
        self.count += 1
        if self.count == AT:
            await self.then()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@dataclass
class Crowd:
    """An engine with one destination, and many deliveries for it that are about to go."""

    site: Site
    mine: Endpoint
    then: Callable[[], Awaitable[object]] | None = None

    async def arrived(self, count: int) -> None:
        """Return when so many have."""
        await self.site.delivery(DeliveryState.DELIVERED, "mine", count=count)

    def states(self) -> list[str]:
        """Of all deliveries, in their order."""
        return [str(item.state) for item in reversed(self.site.engine.archive.deliveries("mine", 99))]

    def attempts(self) -> list[int]:
        """How many each of them has."""
        archive = self.site.engine.archive
        return [len(archive.attempts(item.id)) for item in reversed(archive.deliveries("mine", 99))]


@asynccontextmanager
async def crowd(
    engine: StartEngine, endpoint: StartEndpoint, chosen: Callable[[str], Any], **options: Any
) -> AsyncIterator[tuple[Crowd, Quick]]:
    """A crowd whose first request is held until the test lets it go."""

    async def then() -> None:
        if it.then is not None:
            await it.then()

    quick = Quick(then)
    mine = await endpoint(quick)
    async with engine(chosen(mine.url), **options) as site:
        it = Crowd(site, mine)
        for name in NAMES:
            await site.event(name)
        await site.journal.wait(DeliveryRecord, lambda d: d.state is DeliveryState.WAITING, count=len(NAMES))
        yield it, quick


async def given_back(it: Crowd) -> None:
    """Return when something that was begun waits again."""

    def is_back(item: DeliveryRecord) -> bool:
        return item.state is DeliveryState.WAITING and bool(
            it.site.journal.of(
                DeliveryRecord,
                lambda d: d.id == item.id and d.state is DeliveryState.SENDING and d.rev < item.rev,
            )
        )

    await it.site.journal.wait(DeliveryRecord, is_back)


async def test_while_an_endpoint_hangs_one_delivery_alone_is_being_sent(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    """And what is changed meanwhile holds of all that is behind it: URL, secret and signature's time."""
    go = asyncio.Event()
    other = await endpoint(taking)
    old = destination("mine", "http://127.0.0.1/", batch=EACH, secret=Secret.of("old secret"))
    async with crowd(engine, endpoint, lambda url: config(replace(old, url=url))) as (it, quick):
        it.then = go.wait
        quick.queued.set()
        await given_back(it)
        waiting = len(NAMES) - AT
        assert it.states() == ["delivered"] * (AT - 1) + ["sending"] + ["waiting"] * waiting
        assert it.attempts() == [1] * AT + [0] * waiting
        new = replace(old, url=other.url, secret=Secret.of("new secret"))
        await it.site.engine.apply(config(new))
        go.set()
        await it.arrived(len(NAMES))
        assert it.attempts() == [1] * len(NAMES)
    assert names(it.mine, other) == NAMES
    assert len(it.mine.requests) == AT
    for got in other.requests:
        stamp, signature = (got.headers[name.lower()] for name in (TIMESTAMP_HEADER, SIGNATURE_HEADER))
        assert sign("new secret", stamp, got.body) == signature


async def taking(got: Got, writer: asyncio.StreamWriter) -> None:
    """Take anything."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


async def test_once_other_settings_are_saved_nothing_goes_with_the_old_ones(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    other = await endpoint(taking)
    old = destination("mine", "http://127.0.0.1/", batch=EACH)
    async with crowd(engine, endpoint, lambda url: config(replace(old, url=url))) as (it, quick):
        it.then = lambda: it.site.engine.apply(config(replace(old, url=other.url)))
        quick.queued.set()
        await it.arrived(len(NAMES))
        assert it.attempts() == [1] * len(NAMES)
    assert names(it.mine, other) == NAMES
    assert len(it.mine.requests) == AT


async def test_what_is_cancelled_before_its_turn_is_never_sent(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    chosen = destination("mine", "http://127.0.0.1/", batch=EACH)
    async with crowd(engine, endpoint, lambda url: config(replace(chosen, url=url))) as (it, quick):

        async def cancel() -> None:
            for number in (AT + 1, AT + 3):
                assert await it.site.engine.cancel(number)

        it.then = cancel
        quick.queued.set()
        await it.arrived(len(NAMES) - 2)
        assert it.states().count("cancelled") == 2
        assert [it.attempts()[number - 1] for number in (AT + 1, AT + 3)] == [0, 0]
    assert names(it.mine) == [name for name in NAMES if name not in (NAMES[AT], NAMES[AT + 2])]


async def test_a_deleted_destination_takes_what_was_begun_ahead_with_it_and_gives_it_back(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    chosen = destination("mine", "http://127.0.0.1/", batch=EACH)
    async with crowd(engine, endpoint, lambda url: config(replace(chosen, url=url))) as (it, quick):
        there = replace(chosen, url=it.mine.url)
        it.then = lambda: it.site.engine.apply(config(destination()))
        quick.queued.set()
        await it.site.delivery(DeliveryState.CANCELLED, "mine", count=len(NAMES) - AT)
        behind = len(NAMES) - AT
        assert it.states()[AT:] == ["cancelled"] * behind
        assert it.attempts()[AT:] == [0] * behind
        await it.site.engine.apply(config(destination(), there))
        await it.arrived(len(NAMES))
    assert sorted(set(names(it.mine))) == NAMES
    assert names(it.mine)[:AT] == NAMES[:AT]


async def test_a_stop_leaves_nothing_in_doubt_but_what_is_under_way(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, tmp_path: Path
) -> None:
    """And the next start goes on in order."""
    begun = asyncio.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    chosen = destination("mine", "http://127.0.0.1/", batch=EACH)
    database = tmp_path / "one.db"
    async with crowd(engine, endpoint, lambda url: config(replace(chosen, url=url)), database=database) as (
        it,
        quick,
    ):
        it.then = hang
        quick.queued.set()
        await begun.wait()
    former = it
    again = config(replace(chosen, url=former.mine.url))
    async with engine(again, database=database) as site:
        it = Crowd(site, former.mine)
        assert site.engine.recovered == 1
        await it.arrived(len(NAMES) - AT + 1)
        assert it.attempts() == [1] * (AT - 1) + [2] + [1] * (len(NAMES) - AT)
    assert names(it.mine) == [*NAMES[:AT], *NAMES[AT - 1 :]]
