"""The receiver over real sockets: what arrives whole is a capture, whatever it is (tables R, S, J)."""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import zstandard

from statsig_tui.core.config import Secret
from statsig_tui.core.event import EventClass
from statsig_tui.core.records import CaptureDetail, CaptureRecord
from statsig_tui.core.signing import SignatureState, sign
from statsig_tui.engine.framing import Limits

if TYPE_CHECKING:
    from tests.conftest import Site, StartEngine

SECRET = "webhook-" + "s" * 43
EVENT = {"eventName": "checkout", "userID": "u1", "timeUUID": "f4c414a0-8ab5-11ec-a8a3-0242ac120001"}
BATCH = {"data": [EVENT]}
Make = Callable[..., Any]


async def kept(site: Site, answer: httpx.Response) -> CaptureDetail:
    """The capture that a request became: its answer is the one that was given."""
    record = (await site.journal.wait(CaptureRecord))[-1]
    detail = site.engine.archive.capture(record.id)
    assert detail is not None
    assert (detail.record.status, detail.answer_body) == (answer.status_code, answer.content)
    assert site.engine.archive.captures(record.id, record.id) == [record] == [detail.record]
    return detail


def error(answer: httpx.Response) -> tuple[int, str]:
    assert set(answer.json()) == {"error"}
    assert set(answer.json()["error"]) == {"code", "message"}
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize(("body", "envelope"), [(BATCH, "data"), ([EVENT], "array")])
async def test_a_signed_batch_is_captured_whole(site: Site, body: object, envelope: str) -> None:
    """J03, J04"""
    answer = await site.webhook(body, "/any/path?x=1", headers={"X-Own": "kept"})
    assert (answer.status_code, answer.json()) == (200, {"success": True, "stored": 1})
    detail = await kept(site, answer)
    record = detail.record
    assert (record.method, record.path, record.envelope) == ("POST", "/any/path?x=1", envelope)
    assert (record.signature, record.fault) == (SignatureState.VALID, None)
    assert [(e.event_name, e.event_class, e.user_id, e.time_uuid) for e in record.events] == [
        ("checkout", EventClass.CUSTOM, "u1", EVENT["timeUUID"])
    ]
    assert json.loads(detail.body) == body
    assert record.size == len(detail.body)
    assert ("x-own", "kept") in detail.headers
    assert detail.peer.startswith("127.0.0.1:")
    assert (await site.webhook({"data": []})).json() == {"success": True, "stored": 0}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "POST"])
async def test_any_method_and_path_is_kept(site: Site, method: str) -> None:
    answer = await site.client.request(method, site.receiver + "/%1b%5b31m/../x")
    (capture,) = await site.journal.wait(CaptureRecord)
    assert (capture.method, capture.size) == (method, 0)
    assert (capture.status, capture.fault) == (answer.status_code, "not_a_batch") == (400, "not_a_batch")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param(b"", "empty", id="J01 empty"),
        pytest.param(b"null", "neither", id="J01 null"),
        pytest.param(b"42", "neither", id="J01 42"),
        pytest.param(b"{}", "data is missing", id="J02 {}"),
        pytest.param(b'{"data":null}', "data is null", id="J02 null"),
        pytest.param(b'{"events":[]}', "calls its events data", id="J02 events"),
        pytest.param(json.dumps(EVENT).encode(), "wrap the event", id="J05 one event"),
    ],
)
async def test_what_is_no_batch_is_captured_with_its_fault(site: Site, body: bytes, says: str) -> None:
    answer = await site.webhook(body)
    assert error(answer) == (400, "not_a_batch")
    assert says in answer.json()["error"]["message"]
    detail = await kept(site, answer)
    assert (detail.record.fault, detail.record.envelope, detail.body) == ("not_a_batch", None, body)
    assert detail.record.signature is SignatureState.VALID


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"data":[NaN]}', "bad_number"),
        (b'{"data":[{"v":1e400}]}', "bad_number"),
        (b'{"data":["\xff"]}', "bad_utf8"),
        (b'{"data":[', "bad_json"),
        (b"[" * 1000, "too_deep"),
        (os.urandom(5000), None),
    ],
)
async def test_what_is_no_json_is_captured_with_its_fault(site: Site, body: bytes, code: str | None) -> None:
    answer = await site.webhook(body)
    assert answer.status_code == 400
    detail = await kept(site, answer)
    assert detail.body == body
    assert detail.record.fault == error(answer)[1]
    assert code in (None, detail.record.fault)
    assert (await site.webhook(BATCH)).status_code == 200


async def test_items_that_are_no_events_are_named(site: Site) -> None:
    """J06"""
    answer = await site.webhook({"data": [1, None, "x", [], EVENT]})
    assert (answer.status_code, answer.json()) == (200, {"success": True, "stored": 1, "rejected": 4})
    record = (await kept(site, answer)).record
    assert record.fault == "items that are no events: 0, 1, 2, 3"
    assert [event.event_name for event in record.events] == ["checkout"]


async def test_odd_events_are_kept_as_they_are(site: Site) -> None:
    """J08, J12, J16, J23–J28"""
    body = (
        rb'{"data":[{"eventName":"a\ud800\u0000","timeUUID":5,"user":null,"timestamp":"soon","v":1.0},'
        rb'{"eventName":null,"userID":123456789012345678901234567890,"a":1,"a":2,"__proto__":[]},{}]}'
    )
    answer = await site.webhook(body)
    assert answer.status_code == 200
    detail = await kept(site, answer)
    assert detail.body == body
    assert [event.event_name for event in detail.record.events] == ["a\\ud800\0", "", ""]
    assert detail.record.events[1].user_id == "123456789012345678901234567890"
    assert detail.record == site.engine.archive.since(0, 10)[-1]


async def test_too_many_events_arrived_whole_and_are_kept(site: Site) -> None:
    """J21"""
    answer = await site.webhook(b"[" + b",".join([b"{}"] * 10_001) + b"]")
    assert error(answer) == (413, "too_many_events")
    assert (await kept(site, answer)).record.fault == "too_many_events"


async def test_a_body_over_the_limit_is_counted_and_not_kept(engine: StartEngine) -> None:
    """R36"""
    async with engine(limits=Limits(body_bytes=1000)) as site:
        answer = await site.webhook(b" " * 1001)
        assert error(answer) == (413, "body_too_large")
        assert (await site.webhook(BATCH)).status_code == 200
        assert len(await site.journal.wait(CaptureRecord)) == 1
        assert site.engine.refused == {"body_too_large": 1}


async def test_verification_is_answered_before_any_signature_check(
    engine: StartEngine, config: Make, data: Callable[[str], bytes]
) -> None:
    """S11"""
    async with engine(config(receiver={"signature": "enforce"})) as site:
        answer = await site.webhook(data("url-verification.json"), secret=None)
        assert (answer.status_code, answer.json()) == (200, {"verification_code": "a1b2c3"})
        record = (await kept(site, answer)).record
        assert (record.envelope, record.fault) == ("verification", None)
        assert [event.event_class for event in record.events] == [EventClass.VERIFICATION]


@pytest.mark.parametrize("code", ["x" * 257, 98765, None, "<script>", "\x1b[31m"])
async def test_a_code_that_could_do_harm_is_not_echoed(site: Site, code: object) -> None:
    """S12"""
    answer = await site.webhook({"data": {"event": "url_verification", "verification_code": code}})
    assert error(answer) == (400, "bad_verification")
    assert str(code) not in answer.text
    assert (await kept(site, answer)).record.fault == "bad_verification"


async def test_a_verification_among_events_needs_a_signature(engine: StartEngine, config: Make) -> None:
    """S13"""
    mixed = {"data": [{"event": "url_verification", "verification_code": "abc"}, EVENT]}
    async with engine(config(receiver={"signature": "enforce"})) as site:
        assert error(await site.webhook(mixed, secret=None)) == (401, "missing_signature")
        assert (await site.webhook(mixed)).json() == {"success": True, "stored": 2}


def mistaken(body: bytes) -> list[tuple[dict[str, str], str, SignatureState]]:
    now = str(time.time_ns() // 1_000_000)
    old, seconds = str(int(now) - 600_000), now[:-3]

    def headers(signature: str, stamp: str) -> dict[str, str]:
        return {"X-Statsig-Signature": signature, "X-Statsig-Request-Timestamp": stamp}

    good = headers(sign(SECRET, now, body), now)
    unstamped = {"X-Statsig-Signature": good["X-Statsig-Signature"]}
    bare = headers(good["X-Statsig-Signature"][3:], now)
    return [
        ({}, "missing_signature", SignatureState.MISSING),
        (unstamped, "missing_signature", SignatureState.MISSING),
        (bare, "bad_signature_format", SignatureState.INVALID),
        (headers(sign("webhook-other", now, body), now), "bad_signature", SignatureState.INVALID),
        (headers(sign(SECRET, now, body + b"\n"), now), "bad_signature", SignatureState.INVALID),
        (headers(sign(SECRET, old, body), old), "stale_timestamp", SignatureState.STALE),
        (headers(sign(SECRET, seconds, body), seconds), "bad_timestamp", SignatureState.INVALID),
    ]


@pytest.mark.parametrize("mode", ["report", "enforce"])
@pytest.mark.parametrize("case", range(7))
async def test_a_bad_signature_is_reported_or_refused(
    engine: StartEngine, config: Make, mode: str, case: int
) -> None:
    body = json.dumps(BATCH).encode()
    headers, code, state = mistaken(body)[case]
    async with engine(config(receiver={"signature": mode})) as site:
        answer = await site.webhook(body, secret=None, headers=headers)
        record = (await kept(site, answer)).record
        assert (record.signature, record.fault) == (state, code)
        assert len(record.events) == 1
        if mode == "enforce":
            assert error(answer) == (401, code)
        else:
            assert answer.json() == {"success": True, "stored": 1}


async def test_two_signatures_are_no_signature(site: Site) -> None:
    body = json.dumps(BATCH).encode()
    now = str(time.time_ns() // 1_000_000)
    twice = ("X-Statsig-Signature", sign(SECRET, now, body))
    answer = await site.client.post(
        site.receiver,
        content=body,
        headers=[("Content-Type", "application/json"), ("X-Statsig-Request-Timestamp", now), twice, twice],
    )
    record = (await kept(site, answer)).record
    assert (record.signature, record.fault) == (SignatureState.INVALID, "bad_signature_format")


async def test_every_known_secret_may_have_signed(engine: StartEngine, config: Make) -> None:
    """S05"""
    own = "webhook-" + "o" * 43
    settings = {"signature": "enforce", "secrets": (Secret.of(own), Secret(env="UNSET"))}
    async with engine(config(receiver=settings)) as site:
        for secret in (own, SECRET):
            assert (await site.webhook(BATCH, secret=secret)).status_code == 200
        assert (await site.webhook(BATCH, secret="webhook-else")).status_code == 401


async def test_without_any_secret_nothing_is_checked(
    engine: StartEngine, config: Make, destination: Make
) -> None:
    """S14"""
    async with engine(config(destination(secret=None))) as site:
        for secret in (None, SECRET):
            answer = await site.webhook(BATCH, secret=secret)
            record = (await kept(site, answer)).record
            assert (answer.status_code, record.signature) == (200, SignatureState.UNCHECKED)


async def test_tolerance_zero_takes_any_age(engine: StartEngine, config: Make) -> None:
    async with engine(config(receiver={"tolerance_seconds": 0, "signature": "enforce"})) as site:
        body = json.dumps(BATCH).encode()
        headers = {
            "X-Statsig-Signature": sign(SECRET, "1700000000000", body),
            "X-Statsig-Request-Timestamp": "1700000000000",
        }
        assert (await site.webhook(body, secret=None, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
async def test_the_content_type_matters_only_unsigned(site: Site, content_type: str) -> None:
    """R30"""
    headers = {"Content-Type": content_type}
    assert (await site.webhook(BATCH, headers=headers)).status_code == 200
    answer = await site.webhook(BATCH, secret=None, headers=headers)
    assert error(answer) == (415, "not_json")
    assert (await kept(site, answer)).record.fault == "not_json"
    for json_type in ("application/json; charset=utf-16", "application/cloudevents+json"):
        answer = await site.webhook(BATCH, secret=None, headers={"Content-Type": json_type})
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("encoding", "coder"),
    [("gzip", gzip.compress), ("zstd", zstandard.ZstdCompressor().compress), ("identity", bytes)],
)
async def test_compressed_bodies_are_verified_on_the_wire_and_kept_so(
    site: Site, encoding: str, coder: Callable[[bytes], bytes]
) -> None:
    """R31"""
    wire = coder(json.dumps(BATCH).encode())
    answer = await site.webhook(wire, headers={"Content-Encoding": encoding})
    assert answer.status_code == 200
    detail = await kept(site, answer)
    assert detail.body == wire
    assert (detail.record.signature, len(detail.record.events)) == (SignatureState.VALID, 1)


async def test_bad_compression_is_captured_with_its_fault(engine: StartEngine) -> None:
    """R32"""
    async with engine(limits=Limits(body_bytes=100_000)) as site:
        for body, encoding, expected in (
            (gzip.compress(b"[]")[:-4], "gzip", (400, "bad_encoding")),
            (gzip.compress(b"[" + b" " * 200_000), "gzip", (413, "inflated_too_large")),
            (b"[]", "compress", (415, "unsupported_encoding")),
            (b"[]", "gzip, br", (415, "unsupported_encoding")),
        ):
            answer = await site.webhook(body, headers={"Content-Encoding": encoding})
            assert error(answer) == expected
            detail = await kept(site, answer)
            assert (detail.record.fault, detail.body) == (expected[1], body)


async def test_secrets_are_masked_in_what_is_kept_of_the_head(site: Site) -> None:
    key = "secret-" + "q" * 43
    answer = await site.webhook(BATCH, f"/hook?token={SECRET}", headers={"X-Key": key, "X-Signing": SECRET})
    detail = await kept(site, answer)
    assert detail.record.path == "/hook?token=webhook-…ssss"
    head = dict(detail.headers)
    assert (head["x-key"], head["x-signing"]) == ("secret-…qqqq", "webhook-…ssss")


async def test_a_large_batch_is_judged_alike(site: Site) -> None:
    body = {"data": [EVENT | {"metadata": {"n": str(n), "pad": "x" * 200}} for n in range(3000)]}
    answer = await site.webhook(body)
    assert answer.json() == {"success": True, "stored": 3000}
    detail = await kept(site, answer)
    assert detail.record.signature is SignatureState.VALID
    assert json.loads(detail.body) == body


async def test_the_peer_is_the_sockets(site: Site) -> None:
    """R25"""
    answer = await site.webhook(BATCH, headers={"X-Forwarded-For": "8.8.8.8"})
    assert (await kept(site, answer)).peer.startswith("127.0.0.1:")
