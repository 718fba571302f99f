"""The closed loop over real sockets: posted, filtered, batched, signed, delivered, verified, kept, traced."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from statsig_tui.core.config import RECEIVER, BatchPolicy, Filter, RetryPolicy, Target
from statsig_tui.core.event import EventClass
from statsig_tui.core.records import (
    CaptureRecord,
    DeliveryRecord,
    DeliveryState,
    EventRecord,
    SentRecord,
    Trace,
    VerdictRecord,
)
from statsig_tui.core.signing import SignatureState
from statsig_tui.errors import PortInUse, Unavailable

if TYPE_CHECKING:
    from tests.conftest import Answer, Site, StartEndpoint, StartEngine

Make = Callable[..., Any]
Say = Callable[..., "Answer"]
NEVER = BatchPolicy(10_000, 3600)
"""A batch that closes when the engine stops, not before."""


async def test_what_is_posted_arrives_verified(site: Site) -> None:
    body = {"user": {"userID": "u1", "x": 1.50}, "event": "checkout", "value": 49.90, "metadata": {"n": 3}}
    answer = await site.post(body)
    capture = await site.capture()
    assert (capture.signature, capture.status, capture.envelope) == (SignatureState.VALID, 200, "data")
    assert capture.fault is None
    detail = site.engine.archive.capture(capture.id)
    assert detail is not None
    (event,) = json.loads(detail.body)["data"]
    assert (event["eventName"], event["userID"], event["value"]) == ("checkout", "u1", "49.9")
    assert event["user"] == body["user"]
    assert event["metadata"] == {"n": 3}
    (delivered,) = await site.delivery(DeliveryState.DELIVERED)
    assert (delivered.attempt, delivered.status, delivered.error, delivered.next_at) == (1, 200, None, None)
    trace = site.engine.archive.trace(answer.headers["x-statsig-tui-trace"])
    assert trace is not None
    assert [(v.destination, v.forwarded, v.clause) for v in trace.verdicts] == [
        (RECEIVER, True, "new event included")
    ]
    assert [attempt.status for attempt in trace.attempts] == [200]
    assert trace.captures == (capture,)


async def test_a_filtered_event_is_recorded_with_its_clause_and_not_sent(
    engine: StartEngine, config: Make, destination: Make
) -> None:
    chosen = Filter(exposures=False, include_new_events=False, events={"checkout": True})
    async with engine(config(destination(filter=chosen))) as site:
        names = ["checkout", "heartbeat", "statsig::gate_exposure", "statsig::diagnostics", "a|b", "checkout"]
        await site.post({"events": [{"eventName": name} for name in names]}, "/v1/log_event")
        verdicts = await site.journal.wait(VerdictRecord, count=len(names))
        assert [(v.forwarded, v.clause) for v in verdicts] == [
            (True, "custom event tracked"),
            (False, "new event not included"),
            (False, "exposures off"),
            (False, "internal event"),
            (False, "invalid event name"),
            (True, "custom event tracked"),
        ]
        capture = await site.capture()
        assert [event.event_name for event in capture.events] == ["checkout", "checkout"]
        counters = site.engine.archive.counters().destinations[RECEIVER]
        assert (counters.forwarded, counters.filtered) == (2, 4)


async def test_a_batch_closes_at_its_size_and_keeps_the_order(
    engine: StartEngine, config: Make, destination: Make
) -> None:
    async with engine(config(destination(batch=BatchPolicy(3, 3600)))) as site:
        for number in range(7):
            await site.event(f"event-{number}")
        captures = await site.journal.wait(CaptureRecord, count=2)
        assert [[event.event_name for event in capture.events] for capture in captures] == [
            ["event-0", "event-1", "event-2"],
            ["event-3", "event-4", "event-5"],
        ]
    # The last one leaves with the stop, while the receiver still listens.
    (last,) = site.journal.of(CaptureRecord)[2:]
    assert [event.event_name for event in last.events] == ["event-6"]
    assert [delivery.closed_by for delivery in site.journal.of(DeliveryRecord) if delivery.attempt == 0] == [
        "full",
        "full",
        "stop",
    ]


async def test_a_batch_closes_before_it_is_larger_than_its_bytes_and_a_larger_event_goes_alone(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    mine = await endpoint(say(200))
    policy = BatchPolicy(100, 3600, max_bytes=1500)
    sizes = [300, 300, 300, 5000, 300]
    async with engine(config(destination("mine", mine.url, batch=policy))) as site:
        for number, size in enumerate(sizes):
            await site.event(f"e{number}", metadata={"text": "x" * size})
        await site.delivery(DeliveryState.DELIVERED, "mine", count=3)
    names = [[event["eventName"] for event in json.loads(got.body)["data"]] for got in mine.requests]
    assert [name for batch in names for name in batch] == ["e0", "e1", "e2", "e3", "e4"]
    assert ["e3"] in names
    assert all(len(got.body) <= 1500 for got in mine.requests if len(got.body) < 5000)
    closed = [record.closed_by for record in site.journal.of(DeliveryRecord) if record.attempt == 0]
    assert closed == ["bytes"] * (len(names) - 1) + ["stop"]


async def test_every_destination_gets_its_own(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    other = await endpoint(say(204))
    mine = destination("mine", other.url, filter=Filter(include_new_events=False), secret=None)
    async with engine(config(destination(), mine)) as site:
        await site.event("checkout")
        await site.post({"events": [{"eventName": "statsig::gate_exposure"}]}, "/v1/log_event")
        (got,) = await other.got(1)
        assert [event["eventName"] for event in json.loads(got.body)["data"]] == ["statsig::gate_exposure"]
        assert got.headers["content-type"] == "application/json"
        assert "x-statsig-signature" not in got.headers
        await site.delivery(DeliveryState.DELIVERED, "mine")
        await site.journal.wait(CaptureRecord, count=1)


async def test_array_envelope_and_timestamps_as_text(
    engine: StartEngine, config: Make, destination: Make
) -> None:
    chosen = destination(envelope="array", timestamps="string", headers={"X-Own": "yes"})
    async with engine(config(chosen)) as site:
        await site.event("e", timestamp=1_767_225_600_000)
        capture = await site.capture()
        assert (capture.envelope, capture.signature) == ("array", SignatureState.VALID)
        detail = site.engine.archive.capture(capture.id)
        assert detail is not None
        assert json.loads(detail.body)[0]["timestamp"] == "1767225600000"
        assert ("x-own", "yes") in detail.headers


async def test_a_trace_is_found_by_every_id(site: Site) -> None:
    target = site.engine.targets()[0]
    sent = await site.engine.send(target, b'{"user":{"userID":"u"},"event":"traced"}', event_name="traced")
    assert (sent.status, sent.target, sent.certainty) == (202, "emulator", "answered")
    capture = await site.capture()
    (delivery,) = await site.delivery(DeliveryState.DELIVERED)
    (event,) = site.journal.of(EventRecord)
    assert sent.trace is not None
    assert event.time_uuid is not None
    ids = [sent.trace, f"e{event.id}", f"d{delivery.id}", f"b{delivery.batch}", f"c{capture.id}"]
    for of in [*ids, f"s{sent.id}", event.time_uuid, f" #c{capture.id} "]:
        trace = site.engine.archive.trace(of)
        assert trace == Trace(
            sent.trace,
            sent=(sent,),
            events=(event,),
            verdicts=(replace(site.journal.of(VerdictRecord)[0], delivery=delivery.id),),
            deliveries=(delivery,),
            attempts=tuple(site.engine.archive.attempts(delivery.id)),
            captures=(capture,),
        )
    detail = site.engine.archive.sent_detail(sent.id)
    assert detail is not None
    assert dict(detail.request_headers)["STATSIG-API-KEY"] == "secret-…a1b2"


@pytest.mark.parametrize(
    "of", ["e999", "d999", "b999", "c999", "s999", "t" + "0" * 16, "no-such-uuid", "", "x1"]
)
async def test_an_unknown_id_has_no_trace(site: Site, of: str) -> None:
    await site.event()
    await site.delivery(DeliveryState.DELIVERED)
    assert site.engine.archive.trace(of) is None


async def test_what_did_not_come_from_here_has_a_trace_of_its_own(site: Site) -> None:
    await site.webhook({"data": [{"eventName": "foreign"}]})
    capture = await site.capture()
    assert site.engine.archive.trace(f"c{capture.id}") == Trace("", captures=(capture,))
    nowhere = Target("nowhere", "http://127.0.0.1:9")
    sent = await site.engine.send(nowhere, b"{}")
    assert (sent.status, sent.certainty, sent.trace) == (None, "not sent", None)
    assert sent.error == "connection refused: is the endpoint running?"
    assert site.engine.archive.trace(f"s{sent.id}") == Trace("", sent=(sent,))


async def test_unsigned_deliveries_find_their_captures(
    engine: StartEngine, config: Make, destination: Make
) -> None:
    async with engine(config(destination(secret=None))) as site:
        trace_id = await site.event()
        capture = await site.capture()
        await site.delivery(DeliveryState.DELIVERED)
        trace = site.engine.archive.trace(trace_id)
        assert trace is not None
        assert (trace.captures, capture.signature) == ((capture,), SignatureState.UNCHECKED)


async def test_the_demo_goes_to_the_receiver_alone(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    other = await endpoint(say(200))
    nothing = Filter(False, False, False)
    async with engine(config(destination(filter=nothing), destination("mine", other.url))) as site:
        sent = await site.engine.send_demo()
        assert sent is not None
        assert sent.status == 202
        capture = await site.capture()
        assert [event.event_name for event in capture.events] == ["DEMO_checkout_completed"]
        assert [v.clause for v in site.journal.of(VerdictRecord)] == ["demo event"]
        assert site.engine.archive.fact("demo") == "sent"
        await site.post({"user": {}, "event": "e"}, headers={"X-Statsig-Tui-Demo": "guessed"})
        await other.got(1)
        assert json.loads(other.requests[0].body)["data"][0]["eventName"] == "e"


async def test_seen_events_and_diagnostics_count_what_happened(
    engine: StartEngine, config: Make, destination: Make
) -> None:
    async with engine(config(destination(filter=Filter(events={"b": False})))) as site:
        for name in ("a", "b", "a", "statsig::gate_exposure"):
            await site.event(name)
        await site.journal.wait(DeliveryRecord, lambda d: d.state is DeliveryState.DELIVERED)
        seen = [(item.name, item.event_class, item.volume) for item in site.engine.archive.seen_events()]
        assert seen == [("a", EventClass.CUSTOM, 2), ("b", EventClass.CUSTOM, 1)]
        rows = site.engine.archive.diagnostics(RECEIVER, 10)
        assert sum(row.events for row in rows) == 4
        assert sum(row.forwarded for row in rows) == 3
        assert sum(row.filtered for row in rows) == 1
        assert all(row.error is None for row in rows)


async def test_many_events_at_once_are_each_delivered_once(
    engine: StartEngine, config: Make, destination: Make
) -> None:
    async with engine(config(destination(batch=BatchPolicy(100, 0.05)))) as site:
        names = [f"n{number}" for number in range(1500)]
        body = {"events": [{"eventName": name} for name in names]}
        await asyncio.gather(site.post(body, "/v1/log_event"), *(site.event(f"s{n}") for n in range(50)))

        def arrived(_: CaptureRecord) -> bool:
            return sum(len(capture.events) for capture in site.journal.of(CaptureRecord)) >= 1550

        await site.journal.wait(CaptureRecord, arrived)
    got = [event.event_name for capture in site.journal.of(CaptureRecord) for event in capture.events]
    assert sorted(got) == sorted([*names, *(f"s{n}" for n in range(50))])
    assert [name for name in got if name.startswith("n")] == names


async def test_what_is_pending_is_delivered_after_a_restart(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    down = await endpoint(say(500))
    three = BatchPolicy(3, 3600)
    waits = destination("mine", down.url, batch=three, retry=RetryPolicy((600,)))
    async with engine(config(waits)) as site:
        traces = [await site.event(f"e{number}") for number in range(3)]
        await site.delivery(DeliveryState.RETRYING, "mine")
    up = await endpoint(say(200))
    async with engine(config(destination("mine", up.url))) as site:
        (delivery,) = site.engine.archive.deliveries("mine", 10)
        await site.engine.retry_now(delivery.id)
        await site.delivery(DeliveryState.DELIVERED, "mine")
        first = site.engine.archive.trace(traces[0])
        assert first is not None
        assert [attempt.status for attempt in first.attempts] == [500, 200]
        assert up.requests[0].body == down.requests[0].body


async def test_a_batch_that_was_open_at_the_end_is_kept_without_a_receiver(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    dead = "http://127.0.0.1:9/"
    async with engine(config(destination("mine", dead, batch=NEVER))) as site:
        await site.event("left over")
    up = await endpoint(say(200))
    async with engine(config(destination("mine", up.url))) as site:
        (got,) = await up.got(1)
        assert json.loads(got.body)["data"][0]["eventName"] == "left over"


async def test_revisions_go_on_after_a_restart(engine: StartEngine) -> None:
    async with engine() as site:
        await site.event()
        await site.delivery(DeliveryState.DELIVERED)
        rev = site.engine.archive.rev
    async with engine() as site:
        assert site.engine.archive.rev >= rev
        before = site.engine.archive.rev
        await site.event("second")
        await site.delivery(DeliveryState.DELIVERED)
        new: Sequence[CaptureRecord] = site.engine.archive.since(before, 10)
        assert [capture.events[0].event_name for capture in new] == ["second"]


async def test_the_listeners_ports(engine: StartEngine, config: Make) -> None:
    async with engine() as site:
        taken = int(site.emulator.rpartition(":")[2])
        with pytest.raises(PortInUse) as caught:
            async with engine(config(emulator={"port": taken})):
                pass
        assert str(taken) in caught.value.message
        assert caught.value.hint
        async with engine(config(emulator={"port": taken}), fall_back=True) as other:
            assert other.engine.addresses.emulator is None
            assert str(taken) in other.engine.troubles["emulator"]
            assert (await other.webhook({"data": []})).status_code == 200


async def test_an_address_that_cannot_be_had_leaves_the_rest_working(
    engine: StartEngine, config: Make
) -> None:
    elsewhere = config(receiver={"host": "203.0.113.7"})
    with pytest.raises(Unavailable, match="cannot be listened on"):
        async with engine(elsewhere):
            pass
    async with engine(elsewhere, fall_back=True) as site:
        assert site.engine.addresses.receiver is None
        assert "203.0.113.7" in site.engine.troubles["receiver"]
        assert "127.0.0.1" in site.engine.troubles["receiver"]
        await site.event()


async def test_sent_events_are_listed_newest_first(site: Site) -> None:
    target = site.engine.targets()[0]
    before = time.time_ns() // 1_000_000
    for name in ("one", "two"):
        await site.engine.send(target, b'{"user":{},"event":"e"}', event_name=name)
    listed: list[SentRecord] = site.engine.archive.sent(10)
    assert [record.event_name for record in listed] == ["two", "one"]
    assert all(before <= record.at <= time.time_ns() // 1_000_000 for record in listed)
