"""What is promised of deliveries (reliability.md §1, 4 to 8 and 19), over real sockets and the real store."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from statsig_tui.core.config import BatchPolicy, CircuitPolicy, RetryPolicy
from statsig_tui.core.records import DeliveryRecord, DeliveryState, VerdictRecord
from statsig_tui.core.signing import sign
from tests.corpus.cases_d import head

if TYPE_CHECKING:
    from tests.conftest import Answer, Endpoint, Got, Site, StartEndpoint, StartEngine

Make = Callable[..., Any]
Say = Callable[..., "Answer"]
ONCE = RetryPolicy("none")
LATER = RetryPolicy((600, 600))
AT_ONCE = BatchPolicy(1, 0)
SECRET = "webhook-" + "s" * 43
REFUSED = head(413)


def events(got: Got) -> list[dict[str, Any]]:
    """The events of a request."""
    found: list[dict[str, Any]] = json.loads(got.body)["data"]
    return found


def names(*requests: Got) -> list[str]:
    """The names of the events of requests."""
    return [event["eventName"] for got in requests for event in events(got)]


def delivered_events(site: Site, destination: str = "mine") -> int:
    """How many events have arrived at a destination."""
    found = site.journal.of(
        DeliveryRecord, lambda d: d.state is DeliveryState.DELIVERED and d.destination == destination
    )
    return sum(delivery.events for delivery in found)


async def delivered(site: Site, count: int, destination: str = "mine") -> None:
    """Wait until so many events have arrived at a destination."""
    await site.journal.wait(DeliveryRecord, lambda _: delivered_events(site, destination) >= count)


async def batch(site: Site, *wanted: str) -> None:
    """Have these events accepted together."""
    answer = await site.post({"events": [{"eventName": name} for name in wanted]}, "/v1/log_event")
    assert answer.status_code == 202


# Promise 4: duplicates are recognisable


async def test_a_retry_sends_the_same_bytes_with_a_fresh_signature(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    """Over a restart too; and the event keeps its timeUUID."""
    mine = await endpoint(say(500, 502, 500, 200))
    settings = config(destination("mine", mine.url, retry=RetryPolicy((0.01, 600, 600))))
    async with engine(settings) as site:
        await site.event(value="1.50")
        await mine.got(2)
        (*_, retrying) = await site.delivery(DeliveryState.RETRYING, "mine", count=2)
    async with engine(settings) as site:
        assert await site.engine.retry_now(retrying.id)
        await site.journal.wait(DeliveryRecord, lambda d: d.attempt == 3 and d.status == 500)
        assert await site.engine.retry_now(retrying.id)
        await site.delivery(DeliveryState.DELIVERED, "mine")
        assert [attempt.status for attempt in site.engine.archive.attempts(retrying.id)] == [
            500,
            502,
            500,
            200,
        ]
    assert len({got.body for got in mine.requests}) == 1
    assert len({event["timeUUID"] for got in mine.requests for event in events(got)}) == 1
    stamps = [got.headers["x-statsig-request-timestamp"] for got in mine.requests]
    assert sorted(set(stamps)) == stamps
    for got, stamp in zip(mine.requests, stamps, strict=True):
        assert got.headers["x-statsig-signature"] == sign(SECRET, stamp, got.body)
        assert got.headers["content-length"] == str(len(got.body))


# Promise 5: the schedule


async def test_a_used_up_schedule_fails_and_can_be_tried_again(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(500, 500, 200))
    async with engine(config(destination("mine", mine.url, retry=RetryPolicy((0.01,))))) as site:
        await site.event()
        (failed,) = await site.delivery(DeliveryState.FAILED, "mine")
        assert site.engine.archive.counters().destinations["mine"].failed == 1
        assert await site.engine.retry_now(failed.id)
        await site.delivery(DeliveryState.DELIVERED, "mine")
        assert not await site.engine.retry_now(failed.id)
        counters = site.engine.archive.counters().destinations["mine"]
        assert (counters.failed, counters.delivered) == (0, 1)


async def test_what_failed_since_a_time_is_redelivered_and_nothing_else(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    mine, other = await endpoint(say(500)), await endpoint(say(500))
    once = {"batch": AT_ONCE, "retry": ONCE}
    settings = config(destination("mine", mine.url, **once), destination("other", other.url, **once))
    async with engine(settings) as site:
        for count, name in enumerate(("old", "new", "newer"), start=1):
            await site.event(name)
            await site.delivery(DeliveryState.FAILED, "mine", count=count)
        await site.delivery(DeliveryState.FAILED, "other", count=3)
        archive = site.engine.archive
        since = sorted(item.created for item in archive.deliveries("mine", 10))[1]
        assert archive.failed("mine", since) == (2, 2)
        assert archive.failed("mine", 0, since) == (1, 1)
        mine.answer = say(200)
        assert await site.engine.redeliver("mine", since) == 2
        await delivered(site, 2)
        assert names(*mine.requests[3:]) == ["new", "newer"]
        assert archive.failed("mine", 0) == (1, 1)
        assert await site.engine.redeliver("mine", 0, since) == 1
        await delivered(site, 3)
        assert archive.failed("mine", 0) == (0, 0)
        assert len(other.requests) == 3


async def test_chosen_deliveries_are_redelivered_whether_failed_cancelled_or_waiting(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    """And what has arrived is not sent twice."""
    mine = await endpoint(say(500))
    settings = config(destination("mine", mine.url, batch=AT_ONCE, retry=LATER))
    async with engine(settings) as site:
        for count, name in enumerate(("waiting", "cancelled", "left alone", "arrived"), start=1):
            await site.event(name)
            await site.delivery(DeliveryState.RETRYING, "mine", count=count)
        archive = site.engine.archive
        arrived, left, cancelled, waiting = (item.id for item in archive.deliveries("mine", 9))
        mine.answer = say(200)
        assert await site.engine.cancel(cancelled)
        assert await site.engine.retry_now(arrived)
        await delivered(site, 1)
        chosen = [waiting, cancelled, arrived, 10_000]
        found = archive.deliveries_of("mine", chosen)
        assert [item.id for item in found] == [arrived, cancelled, waiting]
        assert archive.deliveries_of("other", chosen) == []
        assert await site.engine.redeliver_these("mine", chosen) == 2
        await delivered(site, 3)
        assert names(*mine.requests[4:]) == ["arrived", "waiting", "cancelled"]
        assert {item.id for item in archive.deliveries("mine", 9) if item.state.is_open} == {left}


# Promise 7: what is gone is left alone, and nothing of it is lost


async def test_gone_disables_until_resumed_and_drops_nothing(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    """D16, over a restart too."""
    queued = asyncio.Event()

    async def gone_at_first(got: Got, writer: asyncio.StreamWriter) -> None:
        await queued.wait()
        writer.write(head(410 if len(mine.requests) == 1 else 200))

    mine = await endpoint(gone_at_first)
    settings = config(destination("mine", mine.url, batch=AT_ONCE))
    async with engine(settings) as site:
        for name in ("first", "second", "third"):
            await site.event(name)
        await site.delivery(DeliveryState.WAITING, "mine", count=3)
        queued.set()
        await site.delivery(DeliveryState.RETRYING, "mine")
        assert site.engine.disabled("mine") == "the endpoint answered 410 Gone"
        await site.event("missed")
        verdict = (await site.journal.wait(VerdictRecord, count=4))[-1]
        assert (verdict.forwarded, verdict.clause) == (False, "destination disabled")
    async with engine(settings) as site:
        assert site.engine.disabled("mine") == "the endpoint answered 410 Gone"
        assert site.engine.archive.counters().destinations["mine"].disabled is not None
        assert names(*mine.requests) == ["first"]
        await site.engine.resume("mine")
        assert site.engine.disabled("mine") is None
        await site.delivery(DeliveryState.DELIVERED, "mine", count=3)
        assert sorted(names(*mine.requests[1:])) == ["first", "second", "third"]
        await site.event("afterwards")
        await mine.got(5)
    async with engine(settings) as site:
        assert site.engine.disabled("mine") is None


async def test_a_sick_endpoint_is_paused_probed_and_resumed_and_loses_nothing(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    """Over a restart too; what comes meanwhile is queued."""
    mine = await endpoint(say(500))
    sick = {"batch": AT_ONCE, "retry": ONCE, "circuit": CircuitPolicy(3, 3600)}
    settings = config(destination("mine", mine.url, **sick))
    wanted = [f"e{number}" for number in range(6)]
    async with engine(settings) as site:
        for name in wanted:
            await site.event(name)
        await site.delivery(DeliveryState.WAITING, "mine", count=6)
        await mine.got(3)
        await site.journal.wait(DeliveryRecord, lambda d: d.state is DeliveryState.RETRYING)
        assert site.engine.ailing() == {"mine": "paused"}
        paused = site.engine.archive.counters().destinations["mine"].paused
        assert paused == "3 deliveries failed in a row; the last one: 500 X"
    async with engine(settings) as site:
        assert site.engine.ailing() == {"mine": "paused"}
        await site.event("meanwhile")
        await site.delivery(DeliveryState.WAITING, "mine")
        await mine.got(4)
        # The probe's answer must not come after the resuming: it would count against a healthy endpoint.
        await site.journal.wait(DeliveryRecord, lambda d: d.state is DeliveryState.RETRYING)
        mine.answer = say(200)
        await site.engine.resume("mine")
        assert site.engine.ailing() == {}
        await delivered(site, 5)
        counts = site.engine.archive.counters().destinations["mine"]
        assert (counts.paused, counts.failed, counts.queued) == (None, 2, 0)
    assert "meanwhile" in names(*mine.requests[4:])


async def test_a_probe_that_arrives_lets_everything_through(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(500, 500, 500, 200))
    sick = destination("mine", mine.url, batch=AT_ONCE, circuit=CircuitPolicy(2, 0.1))
    async with engine(config(sick)) as site:
        for name in ("a", "b", "c"):
            await site.event(name)
        await delivered(site, 3)
        assert site.engine.ailing() == {}
    async with engine(config(sick)) as site:
        assert site.engine.ailing() == {}


# Promise 8: one slow destination never delays others


@pytest.fixture
def hung_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Names under .hangs are looked up until the test ends."""
    over = threading.Event()
    found = socket.getaddrinfo

    def look_up(host: Any, *rest: Any, **options: Any) -> Any:
        if str(host).endswith(".hangs"):
            over.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return found(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield
    over.set()


@pytest.mark.usefixtures("hung_names")
async def test_slow_destinations_delay_no_other(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    """One that hangs, one that drips, eight whose names are never found; a healthy one found by name."""

    async def hang(got: Got, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async def drip(got: Got, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def close_after(got: Got, writer: asyncio.StreamWriter) -> None:
        # Each delivery has to look the name up again.
        writer.write(head(200, "Connection: close"))
        await writer.drain()
        writer.close()

    stuck, slow, fine = await endpoint(hang), await endpoint(drip), await endpoint(close_after)
    patient = {"batch": AT_ONCE, "timeout_seconds": 300}
    impatient = {"batch": AT_ONCE, "timeout_seconds": 0.1, "retry": RetryPolicy((0.01,) * 1000)}
    unfound = [destination(f"unfound {n}", f"http://name{n}.hangs/", **impatient) for n in range(8)]
    settings = config(
        destination("stuck", stuck.url, **patient),
        destination("slow", slow.url, **patient),
        destination("fine", fine.url.replace("127.0.0.1", "localhost"), batch=AT_ONCE),
        *unfound,
    )
    async with engine(settings) as site:
        await site.event()
        await stuck.got(1)
        await slow.got(1)
        for one in unfound:
            # More lookups than any pool of threads would hold.
            told = await site.delivery(DeliveryState.RETRYING, one.name, count=6)
            assert {item.error for item in told} == {"timeout: no connection within 0.1 s"}
        for number in range(50):
            await site.event(f"e{number}")
        await site.delivery(DeliveryState.DELIVERED, "fine", count=51)
        assert names(*fine.requests)[1:] == [f"e{number}" for number in range(50)]
        assert (len(stuck.requests), len(slow.requests)) == (1, 1)
        (sending,) = site.journal.of(
            DeliveryRecord, lambda d: d.destination == "stuck" and d.state is DeliveryState.SENDING
        )
        (under_way,) = site.engine.archive.attempts(sending.id)
        assert (under_way.status, under_way.error, under_way.ms) == (None, None, None)
        assert site.engine.archive.counters().destinations["stuck"].queued == 51
        await site.engine.apply(config(destination("fine", fine.url)))


# Promise 19: what is too large, or refused, blocks nothing


@pytest.mark.parametrize("timestamps", ["number", "string"])
async def test_a_batch_that_is_too_large_is_halved_and_the_next_ones_fit(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, timestamps: str
) -> None:
    """D17"""
    most = 0

    async def so_many_bytes(got: Got, writer: asyncio.StreamWriter) -> None:
        nonlocal most
        most = most or len(got.body) // 3
        writer.write(head(200) if len(got.body) <= most else REFUSED)

    def refused(endpoint: Endpoint) -> int:
        return sum(len(got.body) > most for got in endpoint.requests)

    mine = await endpoint(so_many_bytes)
    first = destination("mine", mine.url, batch=BatchPolicy(8, 0.2), timestamps=timestamps)
    async with engine(config(first)) as site:
        await batch(site, *(f"a{number}" for number in range(8)))
        await delivered(site, 8)
        halved = site.journal.of(DeliveryRecord, lambda d: d.state is DeliveryState.CANCELLED)
        assert halved[0].error is not None
        assert halved[0].error.startswith("too large: halved; batches have at most")
        assert [attempt.status for attempt in site.engine.archive.attempts(halved[0].id)] == [413]
        so_far = refused(mine)
        assert so_far == 2, "one of eight, and one of its halves; the other half is not tried"
        await batch(site, *(f"b{number}" for number in range(8)))
        await delivered(site, 16)
        assert refused(mine) == so_far
        await site.engine.apply(config(destination("mine", mine.url, batch=BatchPolicy(7, 0.2))))
        await batch(site, *(f"c{number}" for number in range(7)))
        await delivered(site, 23)
        assert refused(mine) > so_far, "new batch settings are tried as they are"
    taken = [got for got in mine.requests if len(got.body) <= most]
    wanted = [
        f"{letter}{number}" for letter, size in (("a", 8), ("b", 8), ("c", 7)) for number in range(size)
    ]
    assert sorted(names(*taken)) == wanted


async def test_batches_that_wait_already_are_not_sent_too_large(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    """D17"""
    queued = asyncio.Event()

    async def two_at_most(got: Got, writer: asyncio.StreamWriter) -> None:
        await queued.wait()
        writer.write(head(200) if len(events(got)) <= 2 else REFUSED)

    mine = await endpoint(two_at_most)
    async with engine(config(destination("mine", mine.url, batch=BatchPolicy(4, 0)))) as site:
        for letter in "abcd":
            await batch(site, *(f"{letter}{number}" for number in range(4)))
        await site.delivery(DeliveryState.WAITING, "mine", count=4)
        queued.set()
        await delivered(site, 16)
    sizes = [len(events(got)) for got in mine.requests]
    assert sizes.count(4) == 1
    assert sizes.count(2) == 8


async def test_one_event_that_is_too_large_fails_alone(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    """D17, promise 19"""

    async def no_giants(got: Got, writer: asyncio.StreamWriter) -> None:
        writer.write(REFUSED if b"giant" in got.body else head(200))

    mine = await endpoint(no_giants)
    chosen = destination("mine", mine.url, batch=BatchPolicy(5, 3600), retry=ONCE)
    async with engine(config(chosen)) as site:
        await batch(site, "a", "b", "giant", "c", "d")
        (failed,) = await site.delivery(DeliveryState.FAILED, "mine")
        assert failed.events == 1

        await delivered(site, 4)


async def no_poison(got: Got, writer: asyncio.StreamWriter) -> None:
    """Refuse what has a poisonous event in it, as a handler does that validates a batch as a whole."""
    writer.write(head(422 if b"poison" in got.body else 200))


async def test_refused_events_are_isolated_and_all_others_arrive_in_order(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    """D13, promise 19: 100 events, two of them refused."""
    wanted = [f"e{number:02}" for number in range(100)]
    wanted[17], wanted[63] = "poison a", "poison b"
    mine = await endpoint(no_poison)
    chosen = destination("mine", mine.url, batch=BatchPolicy(100, 3600), retry=RetryPolicy((0.01, 0.01)))
    async with engine(config(chosen)) as site:
        await batch(site, *wanted)
        failed = await site.delivery(DeliveryState.FAILED, "mine", count=2)
        await delivered(site, 98)
        archive = site.engine.archive
        assert {(item.events, item.attempt, item.error) for item in failed} == {(1, 1, "422 Words")}
        assert archive.counters().destinations["mine"].failed == 2
        (first, *_) = site.journal.of(DeliveryRecord, lambda d: d.state is DeliveryState.CANCELLED)
        assert first.error == "refused with 422: halved, to find what is refused"
        assert [attempt.status for attempt in archive.attempts(first.id)] == [422, 422, 422]
        assert len(mine.requests) == 3 + 26, "the batch by its schedule; 13 to find each of the two"
        arrived = [event for got in mine.requests if b"poison" not in got.body for event in events(got)]
        assert [event["eventName"] for event in arrived] == [n for n in wanted if "poison" not in n]
        assert all(event in events(mine.requests[0]) for event in arrived), "its timeUUID with it"
        assert {name for item in failed for name in names_of(site, item)} == {"poison a", "poison b"}
        mine.answer = taking
        assert await site.engine.retry_now(failed[0].id)
        await delivered(site, 99)


async def taking(got: Got, writer: asyncio.StreamWriter) -> None:
    """Take anything: the endpoint was mended."""
    writer.write(head(200))


def names_of(site: Site, item: DeliveryRecord) -> list[str]:
    """The names of a delivery's events."""
    found = site.engine.archive.trace(f"d{item.id}")
    assert found is not None
    return [event.name for event in found.events]


async def test_what_is_not_to_be_isolated_fails_whole(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    mine = await endpoint(no_poison)
    whole = destination(
        "mine", mine.url, batch=BatchPolicy(3, 3600), retry=RetryPolicy("none", isolate=False)
    )
    async with engine(config(whole)) as site:
        await batch(site, "a", "poison", "b")
        (failed,) = await site.delivery(DeliveryState.FAILED, "mine")
        assert (failed.events, len(mine.requests)) == (3, 1)


async def test_a_part_that_only_fails_for_a_while_is_tried_again(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    """While a batch is searched, too, a 500 tells nothing about its events."""
    stumbles = [500]

    async def answer(got: Got, writer: asyncio.StreamWriter) -> None:
        if len(events(got)) == 2 and stumbles:
            writer.write(head(stumbles.pop()))
        else:
            await no_poison(got, writer)

    mine = await endpoint(answer)
    chosen = destination("mine", mine.url, batch=BatchPolicy(4, 3600), retry=RetryPolicy((0.01,)))
    async with engine(config(chosen)) as site:
        await batch(site, "a", "b", "c", "poison")
        (failed,) = await site.delivery(DeliveryState.FAILED, "mine")
        await delivered(site, 3)
        assert names_of(site, failed) == ["poison"]


async def test_a_last_attempt_that_stumbles_does_not_take_the_good_events_with_it(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    """What was refused before tells of an event; the 500 at the end of the schedule does not."""
    answers = [422, 500]

    async def answer(got: Got, writer: asyncio.StreamWriter) -> None:
        if answers:
            writer.write(head(answers.pop(0)))
        else:
            await no_poison(got, writer)

    mine = await endpoint(answer)
    chosen = destination("mine", mine.url, batch=BatchPolicy(4, 3600), retry=RetryPolicy((0.01,)))
    async with engine(config(chosen)) as site:
        await batch(site, "a", "b", "poison", "c")
        (failed,) = await site.delivery(DeliveryState.FAILED, "mine")
        await delivered(site, 3)
        assert names_of(site, failed) == ["poison"]
        (first, *_) = site.journal.of(DeliveryRecord, lambda d: d.state is DeliveryState.CANCELLED)
        assert first.error == "refused before: halved, to find what is refused"


async def test_what_was_halved_is_not_sent_again_beside_its_halves(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    """Its events are theirs now: it would only repeat what has arrived."""
    mine = await endpoint(no_poison)
    chosen = destination("mine", mine.url, batch=BatchPolicy(2, 3600), retry=ONCE)
    async with engine(config(chosen)) as site:
        await batch(site, "a", "poison")
        await site.delivery(DeliveryState.FAILED, "mine")
        (whole,) = site.journal.of(DeliveryRecord, lambda d: d.state is DeliveryState.CANCELLED)
        assert not await site.engine.retry_now(whole.id)
        (failed,) = site.journal.of(DeliveryRecord, lambda d: d.state is DeliveryState.FAILED)
        mine.answer = taking
        assert await site.engine.redeliver_these("mine", [whole.id, failed.id]) == 1
        await delivered(site, 2)
        assert names(*mine.requests[1:]) == ["a", "poison", "poison"]
