"""Both envelopes, URL verification and everything that is neither (statsig-wire.md §3.1, §3.5; table J)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from statsig_tui.core import envelope
from statsig_tui.core.envelope import Batch, NotABatch, Verification, decode, encode
from statsig_tui.core.event import EventClass


def batch(raw: bytes) -> Batch:
    content = decode(raw)
    assert isinstance(content, Batch), content
    return content


@pytest.mark.parametrize(
    ("name", "kind", "classes"),
    [
        ("batch-bare-array.json", "array", None),
        ("batch-data-envelope.json", "data", None),
        ("batch-config-changes.json", "data", [EventClass.CONFIG_CHANGE] * 3),
        ("batch-string-timestamp-unknown-keys.json", "data", [EventClass.CUSTOM]),
    ],
)
def test_documented_batches(data: Any, name: str, kind: str, classes: list[EventClass] | None) -> None:
    raw = data(name)
    found = batch(raw)
    assert (found.envelope, found.rejected) == (kind, ())
    value = json.loads(raw)
    events = value if kind == "array" else value["data"]
    assert [event.event_name for event in found.events] == [event["eventName"] for event in events]
    assert classes is None or [event.event_class for event in found.events] == classes


def test_a_timestamp_may_be_text(data: Any) -> None:
    (event,) = batch(data("batch-string-timestamp-unknown-keys.json")).events
    assert event.timestamp == 1_767_225_600_001


@pytest.mark.parametrize("raw", [b'{"data":[]}', b"[]", b'\xef\xbb\xbf{"data":[]}'])
def test_an_empty_batch_is_a_batch(raw: bytes) -> None:
    """J03, J07"""
    assert batch(raw).events == ()


def test_items_that_are_no_objects_are_named_and_the_rest_kept() -> None:
    """J06"""
    found = batch(b'{"data":[1,null,"x",[],{"eventName":"good"}]}')
    assert found.rejected == (0, 1, 2, 3)
    assert [event.event_name for event in found.events] == ["good"]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        pytest.param(b"", "empty", id="J01 empty"),
        pytest.param(b" \n\t", "empty", id="J01 space"),
        pytest.param(b"null", "neither an object nor an array", id="J01 null"),
        pytest.param(b"true", "neither an object nor an array", id="J01 true"),
        pytest.param(b"42", "neither an object nor an array", id="J01 42"),
        pytest.param(b'"x"', "neither an object nor an array", id="J01 text"),
        pytest.param(b"{}", "data is missing", id="J02 {}"),
        pytest.param(b'{"data":null}', "data is null", id="J02 null"),
        pytest.param(b'{"data":"x"}', "data is a string", id="J02 string"),
        pytest.param(b'{"data":{}}', "data is an object", id="J02 object"),
        pytest.param(b'{"data":1}', "data is a number", id="J02 number"),
        pytest.param(b'{"data":true}', "data is a boolean", id="J02 boolean"),
        pytest.param(b'{"events":[]}', "calls its events data", id="J02 events"),
        pytest.param(b'{"eventName":"e"}', 'wrap the event in {"data":[', id="J05"),
    ],
)
def test_what_is_no_batch_is_told_why(raw: bytes, says: str) -> None:
    content = decode(raw)
    assert isinstance(content, NotABatch)
    assert (content.status, content.code) == (400, "not_a_batch")
    assert says in content.message


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'{"data":[NaN]}', "bad_number"),
        (b'{"data":[1e400]}', "bad_number"),
        (b'{"data":["\xff"]}', "bad_utf8"),
        (b'{"data":[}', "bad_json"),
        (b'{"data":' + b"[" * 300, "too_deep"),
    ],
)
def test_what_is_no_json_keeps_its_reason(raw: bytes, code: str) -> None:
    content = decode(raw)
    assert isinstance(content, NotABatch)
    assert (content.status, content.code) == (400, code)


def test_the_limit_of_events() -> None:
    """J21"""
    assert len(batch(b"[" + b",".join([b"{}"] * 10_000) + b"]").events) == 10_000
    content = decode(b'{"data":[' + b",".join([b"{}"] * 10_001) + b"]}")
    assert isinstance(content, NotABatch)
    assert (content.status, content.code) == (413, "too_many_events")


def test_lone_surrogates_stay_escapes_and_are_shown_as_such() -> None:
    """J08"""
    raw = rb'{"data":[{"eventName":"a\ud800","timeUUID":"\udfff","userID":"u\ud800","v":1.0}]}'
    (event,) = batch(raw).events
    assert (event.event_name, event.time_uuid, event.user_id) == ("a\\ud800", "\\udfff", "u\\ud800")


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"eventName": None},
        {"eventName": 5, "user": "u", "metadata": [], "value": {}},
        {"eventName": "[@click=app.quit]x[/]", "user": None, "timestamp": "soon", "timeUUID": 5},
        {"eventName": "e" * 10_000, "timestamp": 253_402_300_800_000, "user": []},
        {"eventName": "e", "timestamp": 1e300, "userID": True},
        {"__proto__": 1, "constructor": 2, "": 3, "a.b": 4},
    ],
)
def test_events_of_any_shape_are_kept(event: dict[str, object]) -> None:
    """J23–J28"""
    raw = json.dumps({"data": [event]}).encode()
    (found,) = batch(raw).events
    assert found.event_name == (event["eventName"] if isinstance(event.get("eventName"), str) else "")


def test_verification(data: Callable[[str], bytes]) -> None:
    """S11"""
    assert decode(data("url-verification.json")) == Verification("a1b2c3")
    assert decode(envelope.verification("A-b_c.9")) == Verification("A-b_c.9")


@pytest.mark.parametrize(
    "code", ["x" * 257, "", 5, None, "<script>", "\x1b[31m", "a b", "é", ["a"], "a\n"], ids=repr
)
def test_only_a_harmless_code_is_echoed(code: object) -> None:
    """S12"""
    content = decode(json.dumps({"data": {"event": "url_verification", "verification_code": code}}).encode())
    assert isinstance(content, NotABatch)
    assert (content.status, content.code) == (400, "bad_verification")
    assert "<script>" not in content.message
    missing = decode(b'{"data":{"event":"url_verification"}}')
    assert isinstance(missing, NotABatch)
    assert missing.code == "bad_verification"


def test_a_verification_among_events_is_an_event() -> None:
    """S13"""
    found = batch(b'{"data":[{"event":"url_verification","verification_code":"abc"},{"eventName":"e"}]}')
    assert len(found.events) == 2


EVENT = rb'{"eventName":"e","timestamp":1767225600000,"value":"1.0","metadata":{"n":1.50}}'


def test_encode_puts_the_events_own_bytes_in_either_envelope() -> None:
    assert encode([EVENT, b"{}"], "data", "number") == b'{"data":[' + EVENT + b",{}]}"
    assert encode([EVENT, b"{}"], "array", "number") == b"[" + EVENT + b",{}]"
    assert encode([], "data", "string") == b'{"data":[]}'


@pytest.mark.parametrize(
    ("timestamp", "becomes"),
    [(b"1767225600000", b'"1767225600000"'), (b'"1767225600000"', b'"1767225600000"'), (b"null", b"null"),
     (b"true", b"true"), (b"1.5e12", b'"1.5e12"')],
)  # fmt: skip
def test_encode_turns_only_timestamps_into_text(timestamp: bytes, becomes: bytes) -> None:
    event = b'{"eventName":"e","timestamp":%s,"metadata":{"n":1.50,"timestamp":5}}'
    assert encode([event % timestamp], "array", "string") == b"[" + event % becomes + b"]"
    assert encode([b"{}"], "array", "string") == b"[{}]"


def test_what_encode_makes_decode_reads() -> None:
    for kind in ("data", "array"):
        found = batch(encode([EVENT, b"{}"], kind, "number"))
        assert found.envelope == kind
        assert [event.timestamp for event in found.events] == [1_767_225_600_000, None]
