"""Replaying what was captured, by the engine's own verb, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from statsig_tui.core.config import RECEIVER, Filter
from statsig_tui.core.event import EventClass
from statsig_tui.core.records import (
    CaptureDetail,
    DeliveryRecord,
    DeliveryState,
    EventRecord,
    Replay,
    VerdictRecord,
)
from statsig_tui.core.replaying import MOST, Wish
from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, SignatureState, sign
from statsig_tui.engine import replays
from statsig_tui.engine.replaying import Replaying
from statsig_tui.engine.store import Store
from statsig_tui.engine.tracing import TOLD
from statsig_tui.errors import NotFound, UsageError
from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.conftest import Answer, Endpoint, Got, Site, StartEndpoint, StartEngine

Make = Callable[..., Any]
Say = Callable[..., "Answer"]
SECRET = "webhook-" + "s" * 43
SIGNATURE, STAMP = SIGNATURE_HEADER.lower(), TIMESTAMP_HEADER.lower()
TWO = (
    b'{ "data" : [{"eventName":"a","timeUUID":"one","timestamp":1767225600001,"n":1.50},'
    b' {"eventName":"b","timeUUID":"two"}]}'
)


@pytest.fixture
async def away(endpoint: StartEndpoint, say: Say) -> Endpoint:
    """An endpoint that takes everything."""
    return await endpoint(say(200))


async def caught(site: Site, body: bytes = TWO, **headers: str) -> CaptureDetail:
    """A capture of a signed request with these headers."""
    await site.webhook(body, "/a/path?x=1", headers=headers)
    record = await site.capture()
    detail = site.engine.archive.capture(record.id)
    assert detail is not None
    return detail


def replaying(capture: CaptureDetail, *, child: int | None = None, **wish: Any) -> Replaying:
    return Replaying(Wish(**wish), [(capture.record.id, child)])


async def settled(site: Site, count: int) -> list[DeliveryRecord]:
    """The replayed deliveries, once so many are settled."""
    return await site.journal.wait(
        DeliveryRecord, lambda d: d.replay is not None and not d.state.is_open, count=count
    )


async def test_as_received_the_head_that_speaks_of_the_body_goes_along(
    engine: StartEngine, config: Make, destination: Make, away: Endpoint
) -> None:
    mine = destination("mine", away.url, headers={"X-Own": "yes", "x-both": "destination"})
    async with engine(config(destination(), mine)) as site:
        packed = gzip.compress(TWO)
        first = await caught(
            site,
            packed,
            **{
                "Content-Type": "application/cloudevents+json",
                "Content-Encoding": "gzip",
                "X-Mark": "kept; as it is",
                "X-Both": "capture",
                "Connection": "keep-alive, X-Hop",
                "X-Hop": "of one connection",
                "Authorization": "Bearer hush-hush-12345",
                "Accept-Encoding": "br",
            },
        )
        assert first.record.signature is SignatureState.VALID
        await site.engine.replay(replaying(first, destinations=("mine",)))
        (got,) = await away.got(1)
        assert (got.path, got.body) == ("/hook", packed)
        kept = dict(first.headers)
        for name in (SIGNATURE, STAMP, "content-type", "content-encoding", "x-mark"):
            assert got.headers[name] == kept[name], name
        assert (got.headers["x-own"], got.headers["x-both"]) == ("yes", "destination")
        assert not {"x-hop", "authorization"} & set(got.headers)
        assert got.headers.get("accept-encoding") != "br"
        (delivery,) = await settled(site, 1)
        assert delivery.replay is Replay.AS_RECEIVED


async def test_re_signed_the_same_bytes_have_a_signature_of_now(site: Site) -> None:
    first = await caught(site)
    await site.engine.replay(replaying(first, how=Replay.RESIGNED, destinations=(RECEIVER,)))
    again = site.engine.archive.capture((await site.capture(lambda c: c.id > first.record.id)).id)
    assert again is not None
    assert again.body == first.body
    assert again.record.signature is SignatureState.VALID
    assert dict(again.headers)[SIGNATURE] != dict(first.headers)[SIGNATURE]
    assert [name for name, _ in again.headers].count(SIGNATURE) == 1
    assert site.engine.archive.origin(first.record.id) == ()
    assert site.engine.archive.origin(again.record.id) == (RECEIVER,)


async def test_as_events_each_goes_through_the_filters_that_are_asked(
    engine: StartEngine, config: Make, destination: Make, away: Endpoint
) -> None:
    mine = destination("mine", away.url, filter=Filter(events={"b": False}))
    other = destination("other", away.url)
    async with engine(config(destination(), mine, other)) as site:
        first = await caught(site)
        again = replaying(first, how=Replay.AS_EVENTS, destinations=("mine",))
        await site.engine.replay(again)
        (got,) = await away.got(1)
        (event,) = json.loads(got.body)["data"]
        assert event == {"eventName": "a", "timeUUID": "one", "timestamp": 1767225600001, "n": 1.5}
        assert b'"n":1.50' in got.body
        verdicts = {(v.event, v.destination): v.forwarded for v in site.journal.of(VerdictRecord)}
        assert verdicts == {(1, "mine"): True, (2, "mine"): False}
        records = site.journal.of(EventRecord)
        assert [(r.time_uuid, r.note, r.event_class) for r in records] == [
            ("one", "replayed from c1", EventClass.CUSTOM),
            ("two", "replayed from c1", EventClass.CUSTOM),
        ]
        await site.delivery(DeliveryState.DELIVERED, "mine")
        assert again.run is not None
        assert site.engine.archive.replayed(again.run).words() == "1 delivered, 1 filtered"
        trace = site.engine.archive.trace("c1")
        assert trace is not None
        assert [event.id for event in trace.events] == [1, 2]
        assert [record.destination for record in trace.deliveries] == ["mine"]


async def test_one_event_of_a_batch_is_a_batch_of_its_own(site: Site, away: Endpoint) -> None:
    first = await caught(site, gzip.compress(TWO), **{"Content-Encoding": "gzip"})
    wish: dict[str, Any] = {"child": 1, "urls": (away.url,), "secret": SECRET}
    await site.engine.replay(replaying(first, how=Replay.RESIGNED, **wish))
    (got,) = await away.got(1)
    assert got.body == b'{"data":[{"eventName":"b","timeUUID":"two"}]}'
    assert "content-encoding" not in got.headers
    assert got.headers[SIGNATURE] == sign(SECRET, got.headers[STAMP], got.body)
    with pytest.raises(UsageError, match="the signature is that of the whole batch"):
        await site.engine.replay(replaying(first, **wish))
    await site.engine.replay(replaying(first, child=0, how=Replay.AS_EVENTS, destinations=(RECEIVER,)))
    assert [e.time_uuid for e in await site.journal.wait(EventRecord)] == ["one"]


async def test_to_several_places_so_many_times_and_what_came_of_it(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say, away: Endpoint
) -> None:
    failing = await endpoint(say(200, 503))
    async with engine(config(destination(), destination("mine", away.url))) as site:
        first = await caught(site)
        again = replaying(first, destinations=("mine",), urls=(failing.url,), times=3, rate=1000.0)
        assert again.total == 6
        await site.engine.replay(again)
        await settled(site, 6)
        assert again.run is not None
        assert site.engine.archive.replayed(again.run).words() == "4 delivered, 2 failed 503"
        assert len(away.requests) == len(failing.requests) == 3
        typed = site.engine.archive.deliveries(failing.url, 10)
        assert [(d.state, d.attempt, d.status) for d in typed] == [
            (DeliveryState.FAILED, 1, 503),
            (DeliveryState.FAILED, 1, 503),
            (DeliveryState.DELIVERED, 1, 200),
        ]
        (attempt,) = site.engine.archive.attempts(typed[0].id)
        assert (attempt.url, attempt.status) == (failing.url, 503)
        # The bytes are kept once, however often they went out.
        assert len({d.batch for d in settled_of(site)}) == 1
        trace = site.engine.archive.trace(f"c{first.record.id}")
        assert trace is not None
        assert {d.destination for d in trace.deliveries} == {"mine", failing.url}
        assert site.engine.ailing() == {}


async def test_a_request_to_a_typed_url_stands_in_the_store_before_it_is_made(
    site: Site, endpoint: StartEndpoint
) -> None:
    stood: list[int] = []

    async def look(got: Got, writer: asyncio.StreamWriter) -> None:
        (delivery,) = site.engine.archive.deliveries(url, 10)
        stood.append(len(site.engine.archive.attempts(delivery.id)))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    url = (await endpoint(look)).url
    await site.engine.replay(replaying(await caught(site), urls=(url,)))
    await settled(site, 1)
    assert stood == [1]


def settled_of(site: Site) -> list[DeliveryRecord]:
    return site.journal.of(DeliveryRecord, lambda d: d.replay is not None)


async def test_a_trace_tells_of_the_first_and_last_of_many_replays_and_counts_the_rest(
    site: Site, away: Endpoint
) -> None:
    first = await caught(site)
    again = replaying(first, destinations=(RECEIVER,), urls=(away.url,), times=TOLD)
    await site.engine.replay(again)
    await settled(site, 2 * TOLD)
    assert again.run is not None
    await site.engine.replay(replaying(first, how=Replay.RESIGNED, destinations=(RECEIVER,), times=2))
    await settled(site, 2 * TOLD + 2)
    trace = site.engine.archive.trace("c1")
    assert trace is not None
    assert len(trace.deliveries) == 2 * TOLD
    assert trace.deliveries[-1].replay is Replay.RESIGNED
    assert trace.captures[0].id == 1
    assert trace.untold == 2


async def test_stopped_it_sends_nothing_more(site: Site, endpoint: StartEndpoint) -> None:
    asked = asyncio.Event()

    async def hang(got: Got, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.Event().wait()

    slow = await endpoint(hang)
    first = await caught(site)
    again = replaying(first, urls=(slow.url,), times=5)
    task = asyncio.create_task(site.engine.replay(again))
    await asked.wait()
    again.stop()
    await task
    assert again.run is not None
    assert site.engine.archive.replayed(again.run).words() == "1 cancelled"
    (delivery,) = site.engine.archive.deliveries(slow.url, 10)
    assert (delivery.state, delivery.error) == (DeliveryState.CANCELLED, replays.STOPPED)
    assert len(slow.requests) == 1


async def test_a_destination_that_goes_meanwhile_ends_it_and_nothing_waits_for_nobody(
    engine: StartEngine, config: Make, destination: Make, away: Endpoint
) -> None:
    async with engine(config(destination(), destination("mine", away.url))) as site:
        first = await caught(site)
        again = replaying(first, destinations=("mine",), times=50, rate=50.0)
        task = asyncio.create_task(site.engine.replay(again))
        await away.got(2)
        await site.engine.apply(config(destination()))
        with pytest.raises(NotFound, match="no destination mine"):
            await task
        assert again.run is not None
        assert site.engine.archive.replayed(again.run).is_settled


async def test_the_end_of_the_program_leaves_it_and_keeps_what_waits(
    engine: StartEngine, config: Make, destination: Make, away: Endpoint, tmp_path: Path
) -> None:
    off = config(destination(enabled=False))
    async with engine(off, database=tmp_path / "kept.db") as site:
        first = await caught(site)
        again = replaying(first, destinations=(RECEIVER,), urls=(away.url,), times=9, rate=0.01)
        task = asyncio.create_task(site.engine.replay(again))
        await site.journal.wait(DeliveryRecord)
    await asyncio.wait_for(task, PATIENCE)
    assert away.requests == []
    async with engine(database=tmp_path / "kept.db") as site:
        await site.delivery(DeliveryState.DELIVERED)
        assert again.run is not None
        assert site.engine.archive.replayed(again.run).words() == "1 delivered"


async def test_two_that_begin_at_once_are_two(site: Site, away: Endpoint) -> None:
    first = await caught(site)
    both = [replaying(first, urls=(away.url,), times=times) for times in (1, 2)]
    await asyncio.gather(*map(site.engine.replay, both))
    runs = [again.run for again in both if again.run is not None]
    assert [site.engine.archive.replayed(run).total for run in runs] == [1, 2]


async def test_what_was_broken_off_at_a_typed_url_is_not_sent_by_the_next_run(
    engine: StartEngine, tmp_path: Path
) -> None:
    store = await Store.open(tmp_path / "store.db")
    for name in ("http://far.example/hook", RECEIVER):
        await store.write(
            lambda tx, name=name: replays.open_delivery(  # type: ignore[misc]  # binds the loop's name
                tx, 1, 1, 1, name, None, b'{"data":[]}', 0, Replay.AS_RECEIVED, ()
            )
        )
    await store.close()
    async with engine() as site:
        (typed,) = await site.journal.wait(DeliveryRecord, lambda d: "://" in d.destination)
        assert (typed.state, typed.error) == (DeliveryState.CANCELLED, replays.BROKEN_OFF)
        await site.delivery(DeliveryState.DELIVERED)


async def test_a_url_that_holds_a_secret_is_stored_without_it(
    engine: StartEngine, config: Make, away: Endpoint
) -> None:
    async with engine(config()) as site:
        first = await caught(site)
        await site.engine.replay(replaying(first, urls=(f"{away.url}?key={SECRET}",)))
        assert away.requests[0].path.endswith(SECRET)
        (delivery,) = settled_of(site)[-1:]
        assert SECRET not in delivery.destination
        assert SECRET not in str(site.engine.archive.attempts(delivery.id))


async def test_what_cannot_be_replayed_is_said_before_anything_is_sent(site: Site, away: Endpoint) -> None:
    first = await caught(site)
    for wish, said in (
        ({}, "Nothing was chosen"),
        ({"urls": ("ftp://x/",)}, "http://"),
        ({"urls": (away.url,), "how": Replay.AS_EVENTS}, "no filter"),
        ({"urls": (away.url,), "how": Replay.RESIGNED}, "No secret"),
        ({"urls": (away.url,), "times": MOST + 1}, f"{MOST + 1:,} requests"),
    ):
        with pytest.raises(UsageError, match=said):
            await site.engine.replay(replaying(first, **wish))
    with pytest.raises(NotFound):
        await site.engine.replay(replaying(first, destinations=("nobody",)))
    with pytest.raises(NotFound, match="nothing to replay of c999"):
        await site.engine.replay(Replaying(Wish(urls=(away.url,)), [(999, None)]))
    await site.webhook(b"no batch", secret=None)
    broken = await site.capture(lambda c: c.id > first.record.id)
    with pytest.raises(NotFound):
        await site.engine.replay(Replaying(Wish(Replay.AS_EVENTS, (RECEIVER,)), [(broken.id, None)]))
    await site.engine.replay(Replaying(Wish(urls=(away.url,)), [(broken.id, None)]))
    assert [got.body for got in away.requests] == [b"no batch"]
