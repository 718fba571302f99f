"""Settings that change while the engine runs: only what changed restarts, and queued work is kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from statsig_tui.core.config import BatchPolicy, Filter, RetryPolicy, Secret
from statsig_tui.core.records import CaptureRecord, DeliveryState, VerdictRecord
from statsig_tui.core.rotation import rotated
from statsig_tui.core.signing import SignatureState, sign
from statsig_tui.engine.clock import SystemClock
from statsig_tui.errors import PortInUse

if TYPE_CHECKING:
    from tests.conftest import Answer, Endpoint, Got, StartEndpoint, StartEngine

Make = Callable[..., Any]
Say = Callable[..., "Answer"]
SLOWLY = BatchPolicy(10_000, 3600)
LATER = RetryPolicy((600, 600))


def names(got: Got) -> list[str]:
    body = json.loads(got.body)
    return [event["eventName"] for event in (body["data"] if isinstance(body, dict) else body)]


def all_names(endpoint: Endpoint) -> list[str]:
    return [name for got in endpoint.requests for name in names(got)]


async def test_a_new_url_gets_what_was_waiting(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    old, new = await endpoint(say(500)), await endpoint(say(200))
    async with engine(config(destination("mine", old.url, retry=RetryPolicy((0.05,) * 1000)))) as site:
        await site.event("waited")
        await old.got(1)
        await site.engine.apply(config(destination("mine", new.url)))
        (got,) = await new.got(1)
        assert names(got) == ["waited"]
        assert got.body == old.requests[0].body
        await site.delivery(DeliveryState.DELIVERED, "mine")


async def test_an_open_batch_survives_an_edit(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(200))
    async with engine(config(destination("mine", mine.url, batch=SLOWLY))) as site:
        for number in range(3):
            await site.event(f"e{number}")
        changed = destination("mine", mine.url, batch=BatchPolicy(100, 0.0), envelope="array")
        await site.engine.apply(config(changed))
        (got,) = await mine.got(1)
        assert names(got) == ["e0", "e1", "e2"]
        assert got.body.startswith(b"[")


async def test_a_new_filter_counts_from_the_next_event(
    engine: StartEngine, config: Make, destination: Make
) -> None:
    async with engine(config(destination())) as site:
        await site.event("before")
        await site.engine.apply(config(destination(filter=Filter(include_new_events=False))))
        await site.event("after")
        verdicts = await site.journal.wait(VerdictRecord, count=2)
        assert [verdict.forwarded for verdict in verdicts] == [True, False]


async def test_a_new_secret_signs_the_next_attempt(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(500, 200))
    waits = destination("mine", mine.url, retry=LATER)
    async with engine(config(waits)) as site:
        await site.event()
        await site.delivery(DeliveryState.RETRYING, "mine")
        fresh = "webhook-" + "n" * 43
        await site.engine.apply(config(replace(waits, secret=Secret.of(fresh))))
        (delivery,) = site.engine.archive.deliveries("mine", 1)
        assert await site.engine.retry_now(delivery.id)
        _, got = await mine.got(2)
        stamp = got.headers["x-statsig-request-timestamp"]
        assert got.headers["x-statsig-signature"] == sign(fresh, stamp, got.body)


async def test_a_secret_that_is_replaced_while_a_request_is_under_way_signs_what_follows(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    """What was signed with the old one is still accepted, for the time that it is given."""
    replaced = asyncio.Event()

    async def answer(got: Got, writer: asyncio.StreamWriter) -> None:
        await replaced.wait()
        status = 500 if len(mine.requests) == 1 else 200
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)

    mine = await endpoint(answer)
    old, fresh = "webhook-" + "o" * 43, "webhook-" + "n" * 43
    before = destination("mine", mine.url, secret=Secret.of(old))
    async with engine(config(before, receiver={"signature": "enforce"})) as site:
        await site.event()
        await mine.got(1)
        after = rotated(before, Secret.of(fresh), 3600, SystemClock().now())
        await site.engine.apply(config(after, receiver={"signature": "enforce"}))
        replaced.set()
        first, second = await mine.got(2)
        assert first.body == second.body
        for got, secret in ((first, old), (second, fresh)):
            stamp = got.headers["x-statsig-request-timestamp"]
            assert got.headers["x-statsig-signature"] == sign(secret, stamp, got.body)
            signature = {name: value for name, value in got.headers.items() if name.startswith("x-")}
            answered = await site.webhook(got.body, secret=None, headers=signature)
            assert answered.status_code == 200


async def test_a_former_secret_is_masked_when_it_comes_back(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    former = "a former secret of no known shape"
    mine = await endpoint(say(b"HTTP/1.1 200 X\r\nX-Echo: %s\r\nContent-Length: 0\r\n\r\n" % former.encode()))
    async with engine(config(destination("mine", mine.url, secret=Secret.of(former)))) as site:
        await site.engine.apply(config(destination("mine", mine.url, secret=Secret.of("another one"))))
        await site.event()
        (delivered,) = await site.delivery(DeliveryState.DELIVERED, "mine")
        (attempt,) = site.engine.archive.attempts(delivered.id)
        assert dict(attempt.response_headers)["X-Echo"].endswith("…hape")


async def test_a_destination_that_is_switched_off_keeps_its_queue(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(200))
    on = destination("mine", mine.url, batch=SLOWLY)
    async with engine(config(on)) as site:
        await site.event("queued")
        await site.engine.apply(config(replace(on, enabled=False, batch=BatchPolicy(1, 0))))
        await site.delivery(DeliveryState.WAITING, "mine")
        await site.event("missed")
        (_, verdict) = await site.journal.wait(VerdictRecord, count=2)
        assert (verdict.forwarded, verdict.clause) == (False, "destination disabled")
        assert mine.requests == []
        await site.engine.apply(config(on))
        (got,) = await mine.got(1)
        assert names(got) == ["queued"]


async def test_a_renamed_destination_keeps_its_work_and_its_past(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(200, 500, 200))
    old = destination("old", mine.url, retry=LATER)
    async with engine(config(old)) as site:
        await site.event("delivered")
        await site.delivery(DeliveryState.DELIVERED, "old")
        await site.event("retrying")
        (retrying,) = await site.delivery(DeliveryState.RETRYING, "old")
        await site.engine.apply(config(replace(old, batch=SLOWLY)))
        await site.event("open")
        new = replace(old, name="new", batch=BatchPolicy(100, 0.0))
        await site.engine.apply(config(new), renamed=("old", "new"))
        await site.engine.retry_now(retrying.id)
        await mine.got(4)
        assert sorted(all_names(mine)) == ["delivered", "open", "retrying", "retrying"]
        await site.delivery(DeliveryState.DELIVERED, "new", count=2)
        assert site.engine.archive.deliveries("old", 10) == []
        assert len(site.engine.archive.deliveries("new", 10)) == 3
        assert set(site.engine.archive.counters().destinations) == {"new"}


async def test_the_name_of_a_deleted_destination_is_free_and_what_it_left_comes_back_with_it(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    """Both were judged for the same event: their pasts must not run into each other."""
    mine, theirs = await endpoint(say(200)), await endpoint(say(500, 200))
    kept, lost = destination("kept", mine.url), destination("lost", theirs.url, retry=LATER)
    async with engine(config(kept, lost)) as site:
        await site.event("both")
        await site.delivery(DeliveryState.DELIVERED, "kept")
        await site.delivery(DeliveryState.RETRYING, "lost")
        await site.engine.apply(config(kept))
        await site.engine.apply(config(replace(kept, name="lost")), renamed=("kept", "lost"))
        await site.event("after")
        await site.delivery(DeliveryState.DELIVERED, "lost")
        await mine.got(2)
        assert all_names(mine) == ["both", "after"]
        archive = site.engine.archive
        assert [item.state for item in archive.deliveries("lost", 10)] == [DeliveryState.DELIVERED] * 2
        await site.engine.apply(config(kept), renamed=("lost", "kept"))
        assert len(archive.deliveries("kept", 10)) == 2
        await site.engine.apply(config(kept, lost))
        await theirs.got(2)
        assert all_names(theirs) == ["both", "both"]


async def test_a_request_under_way_survives_a_renaming(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    async def hang_once(got: Got, writer: asyncio.StreamWriter) -> None:
        if len(mine.requests) > 1:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    mine = await endpoint(hang_once)
    old = destination("old", mine.url)
    async with engine(config(old)) as site:
        await site.event("under way")
        await mine.got(1)
        await site.engine.apply(config(replace(old, name="new")), renamed=("old", "new"))
        first, second = await mine.got(2)
        assert first.body == second.body
        await site.delivery(DeliveryState.DELIVERED, "new")
        (delivery,) = site.engine.archive.deliveries("new", 10)
        (lost, made) = site.engine.archive.attempts(delivery.id)
        assert lost.error is not None
        assert lost.error.startswith("interrupted")
        assert made.status == 200


async def test_a_deleted_destination_is_cancelled_and_undone(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(500, 200))
    it = destination("mine", mine.url, retry=LATER, envelope="array", timestamps="string")
    async with engine(config(destination(), it)) as site:
        await site.event("retrying")
        await site.delivery(DeliveryState.RETRYING, "mine")
        await site.engine.apply(config(destination(), replace(it, batch=SLOWLY)))
        await site.event("open")
        await site.engine.apply(config(destination()))
        cancelled = await site.delivery(DeliveryState.CANCELLED, "mine", count=2)
        assert {delivery.error for delivery in cancelled} == {"destination deleted"}
        await site.event("while it was gone")
        await site.engine.apply(config(destination(), it))
        await site.delivery(DeliveryState.DELIVERED, "mine", count=2)
        assert sorted(all_names(mine)) == ["open", "retrying", "retrying"]
        for got in mine.requests:
            (event,) = json.loads(got.body)
            assert isinstance(event["timestamp"], str)
        counters = site.engine.archive.counters().destinations["mine"]
        assert (counters.delivered, counters.queued, counters.failed) == (2, 0, 0)


async def test_what_was_cancelled_by_hand_is_not_undone(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(500, 200))
    it = destination("mine", mine.url, retry=LATER)
    async with engine(config(it)) as site:
        await site.event("unwanted")
        (retrying,) = await site.delivery(DeliveryState.RETRYING, "mine")
        assert await site.engine.cancel(retrying.id)
        assert not await site.engine.cancel(retrying.id)
        await site.engine.apply(config(destination()))
        await site.engine.apply(config(destination(), it))
        await site.event("wanted")
        await mine.got(2)
        assert all_names(mine) == ["unwanted", "wanted"]


async def test_other_destinations_are_left_alone(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(200))
    async with engine(config(destination(), destination("mine", mine.url, batch=SLOWLY))) as site:
        await site.event("queued")
        await site.engine.apply(config(destination("mine", mine.url, batch=SLOWLY)))
        await site.event("queued, too")
        assert mine.requests == []
    assert [names(got) for got in mine.requests] == [["queued", "queued, too"]]


async def test_a_listener_moves_and_the_built_in_destination_follows(
    engine: StartEngine, config: Make
) -> None:
    async with engine() as site:
        free = int(site.receiver.rpartition(":")[2])
        before = site.receiver
        await site.engine.apply(config(receiver={"port": free}))
        assert site.receiver == before
        emulator = site.emulator
        await site.engine.apply(config(receiver={"host": "localhost", "port": 0}))
        assert (site.receiver != before, site.emulator) == (True, emulator)
        with pytest.raises(httpx.ConnectError):
            await site.client.post(before)
        await site.event("moved")
        capture = await site.capture()
        assert capture.signature is SignatureState.VALID
        assert site.engine.destinations()[0].url == site.receiver + "/"


async def test_settings_of_the_listeners_count_at_once(engine: StartEngine, config: Make) -> None:
    async with engine() as site:
        assert (await site.webhook({"data": []}, secret=None)).status_code == 200
        await site.engine.apply(config(receiver={"signature": "enforce"}, emulator={"strict": False}))
        assert (await site.webhook({"data": []}, secret=None)).status_code == 401
        assert (await site.post({})).status_code == 202
        await site.journal.wait(CaptureRecord, count=2)


async def test_many_edits_under_load_lose_nothing(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(200))
    made = [
        destination("mine", mine.url, batch=BatchPolicy(size, seconds), envelope=envelope)
        for size, seconds, envelope in ((1, 0, "data"), (7, 0.01, "array"), (100, 0.05, "data"))
    ]
    async with engine(config(made[0])) as site:

        async def edit() -> None:
            for number in range(40):
                await site.engine.apply(config(made[number % 3]))
                await asyncio.sleep(0)

        async def post(start: int) -> None:
            for number in range(start, start + 40):
                await site.event(f"e{number}")

        await asyncio.gather(edit(), post(0), post(40))
        await mine.until(lambda: len(set(all_names(mine))) == 80)
    assert sorted(all_names(mine)) == sorted(f"e{number}" for number in range(80))


async def test_a_port_that_cannot_be_had_keeps_nothing_else_from_being_used(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(200))
    taken = int(mine.url.rsplit(":", 1)[1].split("/")[0])
    async with engine(config()) as site:
        changed = config(destination("mine", mine.url), receiver={"port": 0, "respond": "418"})
        changed = replace(changed, emulator=replace(changed.emulator, port=taken))
        changed = replace(changed, receiver=replace(changed.receiver, host="localhost"))
        with pytest.raises(PortInUse):
            await site.engine.apply(changed)
        assert site.engine.addresses.emulator is None
        assert site.engine.addresses.receiver is not None
        assert (await site.webhook({"data": []})).status_code == 418
        await site.engine.send_test("mine", b'{"eventName":"checkout"}', filtered=False)
        await mine.got(1)
