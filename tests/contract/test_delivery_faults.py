"""Destinations that answer wrongly, late or not at all (reliability.md §2.7; the ids are its rows)."""

from __future__ import annotations

import asyncio
import gzip
import json
import struct
from collections.abc import Callable
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING, Any

import pytest

from statsig_tui.core.config import BatchPolicy, RetryPolicy
from statsig_tui.core.records import (
    AttemptRecord,
    DeliveryRecord,
    DeliveryState,
    VerdictRecord,
)
from statsig_tui.core.signing import sign

if TYPE_CHECKING:
    from tests.conftest import Answer, Got, Site, StartEndpoint, StartEngine

Make = Callable[..., Any]
Say = Callable[..., "Answer"]
ONCE = RetryPolicy("none")
LATER = RetryPolicy((600, 600))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
SECRET = "webhook-" + "s" * 43
BOMB = gzip.compress(bytes(10_000_000))


def attempts(site: Site, destination: str = "mine") -> list[AttemptRecord]:
    """Every attempt at a destination's newest delivery."""
    (delivery,) = site.engine.archive.deliveries(destination, 1)
    return site.engine.archive.attempts(delivery.id)


def count(got: Got) -> int:
    return len(json.loads(got.body)["data"])


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param(OK, 200, id="D10 200"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", 204, id="D10 204"),
        pytest.param(b"HTTP/1.1 299 X\r\nContent-Length: 0\r\n\r\n", 299, id="D10 299"),
        pytest.param(b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"error":1}', 200, id="D10 error body"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, id="D11 continue, then 200"),
        pytest.param(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n", 200, id="D21"),
    ],
)
async def test_2xx_is_delivered(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say,
    answer: bytes, status: int,
) -> None:  # fmt: skip
    mine = await endpoint(say(answer))
    async with engine(config(destination("mine", mine.url))) as site:
        for _ in range(2):
            await site.event()
            (*_, delivered) = await site.delivery(DeliveryState.DELIVERED, "mine")
            assert (delivered.status, delivered.error) == (status, None)
        assert not [got for got in mine.requests if "cookie" in got.headers]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 400, 401, 403, 404, 422, 500, 503, 599])
async def test_what_is_not_2xx_fails_with_words(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say, status: int
) -> None:
    """D11–D15"""
    elsewhere = await endpoint(say(200))
    answer = f"HTTP/1.1 {status} X\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n"
    mine = await endpoint(say(answer.encode()))
    async with engine(config(destination("mine", mine.url, retry=ONCE))) as site:
        await site.event()
        (failed,) = await site.delivery(DeliveryState.FAILED, "mine")
        assert (failed.status, failed.attempt) == (status, 1)
        assert failed.error is not None
        if 300 <= status <= 399:
            assert failed.error == f"{status}: redirect to {elsewhere.url} not followed"
        if status in (401, 403):
            assert "check the signing secret" in failed.error
            assert SECRET not in failed.error
    assert len(mine.requests) == 1
    assert elsewhere.requests == []


async def test_a_retry_sends_the_same_bytes_with_a_fresh_signature(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    """D24"""
    mine = await endpoint(say(500, 502, 200))
    async with engine(config(destination("mine", mine.url))) as site:
        await site.event(value="1.50")
        (delivered,) = await site.delivery(DeliveryState.DELIVERED, "mine")
        assert delivered.attempt == 3
        assert [attempt.status for attempt in attempts(site)] == [500, 502, 200]
    assert len({got.body for got in mine.requests}) == 1
    stamps = [got.headers["x-statsig-request-timestamp"] for got in mine.requests]
    assert sorted(set(stamps)) == stamps
    for got, stamp in zip(mine.requests, stamps, strict=True):
        assert got.headers["x-statsig-signature"] == sign(SECRET, stamp, got.body)
        assert got.headers["content-length"] == str(len(got.body))


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


async def test_too_large_a_batch_is_halved_until_it_fits(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    """D17"""

    async def two_at_most(got: Got, writer: asyncio.StreamWriter) -> None:
        writer.write(OK if count(got) <= 2 else OK.replace(b"200 OK", b"413 Too Large"))

    mine = await endpoint(two_at_most)
    async with engine(config(destination("mine", mine.url, batch=BatchPolicy(7, 3600)))) as site:
        body = {"events": [{"eventName": f"e{number}"} for number in range(7)]}
        answer = await site.post(body, "/v1/log_event")
        await site.delivery(DeliveryState.DELIVERED, "mine", count=4)
        trace = site.engine.archive.trace(answer.headers["x-statsig-tui-trace"])
        assert trace is not None
        assert {d.state for d in trace.deliveries} == {DeliveryState.DELIVERED}
        assert sum(delivery.events for delivery in trace.deliveries) == 7
        halved = await site.delivery(DeliveryState.CANCELLED, "mine")
        assert halved[0].error is not None
        assert halved[0].error.startswith("too large: halved; batches have at most")
        assert [attempt.status for attempt in site.engine.archive.attempts(halved[0].id)] == [413]
    delivered = [got for got in mine.requests if count(got) <= 2]
    got = [event["eventName"] for request in delivered for event in json.loads(request.body)["data"]]
    assert sorted(got) == [f"e{number}" for number in range(7)]


async def test_one_event_that_is_too_large_fails_alone(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    """D17, promise 19"""

    async def no_giants(got: Got, writer: asyncio.StreamWriter) -> None:
        writer.write(OK if b"giant" not in got.body else OK.replace(b"200 OK", b"413 Too Large"))

    mine = await endpoint(no_giants)
    chosen = destination("mine", mine.url, batch=BatchPolicy(5, 3600), retry=ONCE)
    async with engine(config(chosen)) as site:
        names = ["a", "b", "giant", "c", "d"]
        await site.post({"events": [{"eventName": name} for name in names]}, "/v1/log_event")
        (failed,) = await site.delivery(DeliveryState.FAILED, "mine")
        assert failed.events == 1

        def all_others(_: DeliveryRecord) -> bool:
            done = site.journal.of(DeliveryRecord, lambda d: d.state is DeliveryState.DELIVERED)
            return sum(delivery.events for delivery in done) == 4

        await site.journal.wait(DeliveryRecord, all_others)


async def test_gone_disables_until_resumed_even_over_a_restart(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    """D16"""
    mine = await endpoint(say(410, 200))
    settings = config(destination("mine", mine.url))
    async with engine(settings) as site:
        await site.event("first")
        await site.delivery(DeliveryState.RETRYING, "mine")
        assert site.engine.disabled("mine") == "the endpoint answered 410 Gone"
        await site.event("missed")
        (_, verdict) = await site.journal.wait(VerdictRecord, count=2)
        assert (verdict.forwarded, verdict.clause) == (False, "destination disabled")
    async with engine(settings) as site:
        assert site.engine.disabled("mine") == "the endpoint answered 410 Gone"
        assert site.engine.archive.counters().destinations["mine"].disabled is not None
        assert len(mine.requests) == 1
        await site.engine.resume("mine")
        (delivered,) = await site.delivery(DeliveryState.DELIVERED, "mine")
        assert delivered.attempt == 2
        assert site.engine.disabled("mine") is None
        await site.event("afterwards")
        await mine.got(3)
    async with engine(settings) as site:
        assert site.engine.disabled("mine") is None


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_holds_the_whole_destination(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say, status: int
) -> None:
    """D18"""
    slow = f"HTTP/1.1 {status} X\r\nRetry-After: 3000\r\nContent-Length: 0\r\n\r\n".encode()
    mine, other = await endpoint(say(slow, 200)), await endpoint(say(200))
    batch = BatchPolicy(1, 0)
    settings = config(
        destination("mine", mine.url, batch=batch), destination("other", other.url, batch=batch)
    )
    async with engine(settings) as site:
        await site.event("first")
        (held,) = await site.delivery(DeliveryState.RETRYING, "mine")
        assert held.next_at is not None
        assert held.next_at - held.at == 3_000_000
        for name in ("second", "third"):
            await site.event(name)
        await site.delivery(DeliveryState.WAITING, "mine", count=3)
        await other.got(3)
        assert len(mine.requests) == 1
        counters = site.engine.archive.counters().destinations["mine"]
        assert (counters.queued, counters.retrying, counters.delivered) == (3, 1, 0)


async def test_a_hanging_destination_delays_no_other(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, say: Say
) -> None:
    """D03, promise 8"""

    async def hang(got: Got, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    stuck, fine = await endpoint(hang), await endpoint(say(200))
    batch = BatchPolicy(1, 0)
    settings = config(
        destination("stuck", stuck.url, batch=batch, timeout_seconds=300),
        destination("fine", fine.url, batch=batch),
    )
    async with engine(settings) as site:
        for number in range(20):
            await site.event(f"e{number}")
        await stuck.got(1)
        await site.delivery(DeliveryState.DELIVERED, "fine", count=20)
        assert len(stuck.requests) == 1
        (under_way,) = site.engine.archive.attempts(site.journal.of(DeliveryRecord, is_stuck)[0].id)
        assert (under_way.status, under_way.error, under_way.ms) == (None, None, None)
        assert site.engine.archive.counters().destinations["stuck"].queued == 20
        await site.engine.apply(config(destination("fine", fine.url)))


def is_stuck(delivery: DeliveryRecord) -> bool:
    return delivery.destination == "stuck" and delivery.state is DeliveryState.SENDING


async def test_a_request_ends_with_its_deadline(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    """D03, D04: a status that came counts, whatever follows it."""

    async def drip(got: Got, writer: asyncio.StreamWriter) -> None:
        if len(mine.requests) > 1:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
            await writer.drain()
        await asyncio.Event().wait()

    mine = await endpoint(drip)
    async with engine(config(destination("mine", mine.url, timeout_seconds=0.2))) as site:
        await site.event()
        await site.delivery(DeliveryState.DELIVERED, "mine")
        timed_out, cut = attempts(site)
        assert (timed_out.status, timed_out.error) == (None, "timeout: no answer within 0.2 s")
        assert (cut.status, cut.error, cut.truncated) == (200, None, True)


def reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(None, "connection lost", id="D08 reset before an answer"),
        pytest.param(b"", "protocol error: Server disconnected", id="D08 EOF before an answer"),
        pytest.param(b"nonsense\r\n\r\n", "protocol error", id="D06 garbage"),
        pytest.param(b"HTTP/1.1 abc X\r\n\r\n", "protocol error", id="D06 status abc"),
        pytest.param(b"HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n", "protocol error", id="D06 status 099"),
        pytest.param(b"HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n", "protocol error", id="D06 status 999"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "protocol error", id="D11 101"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2_000_000, "protocol error", id="D07 huge head"),
    ],
)
async def test_what_is_no_answer_is_tried_again(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint,
    answer: bytes | None, error: str,
) -> None:  # fmt: skip
    async def wrong_once(got: Got, writer: asyncio.StreamWriter) -> None:
        if len(mine.requests) > 1:
            writer.write(OK)
        elif answer is None:
            reset(writer)
        else:
            writer.write(answer)
            writer.close()

    mine = await endpoint(wrong_once)
    async with engine(config(destination("mine", mine.url))) as site:
        await site.event()
        await site.delivery(DeliveryState.DELIVERED, "mine")
        wrong, right = attempts(site)
        assert wrong.status is None
        assert wrong.error is not None
        assert error in wrong.error
        assert right.status == 200
    assert mine.requests[0].body == mine.requests[1].body


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", b"half", id="D08 cut after 200"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000, b"x" * 65_536, id="D04 endless"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + BOMB,
            BOMB,
            id="D05 bomb",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nbad", b"bad", id="D05 bad gzip"),
        pytest.param(b"HTTP/1.1 200 \x1b[31mred\r\n\r\n\x1b]52;c;eA==\x07", b"\x1b]52;c;eA==\x07", id="D20"),
    ],
)
async def test_a_200_is_a_200_whatever_its_body(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint, answer: bytes, kept: bytes
) -> None:
    async def once(got: Got, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    mine = await endpoint(once)
    async with engine(config(destination("mine", mine.url))) as site:
        await site.event()
        await site.delivery(DeliveryState.DELIVERED, "mine")
        (attempt,) = attempts(site)
        assert (attempt.status, attempt.error) == (200, None)
        assert attempt.response_body in (kept, kept[:65_536])
    assert len(mine.requests) == 1


async def test_a_stale_connection_is_an_attempt_but_counts_for_no_failure(
    engine: StartEngine, config: Make, destination: Make, endpoint: StartEndpoint
) -> None:
    """D09"""

    async def close_after(got: Got, writer: asyncio.StreamWriter) -> None:
        if len(mine.requests) == 2:
            writer.close()
        else:
            writer.write(OK)

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
