"""Any JSON value survives splitting and joining; no bytes at all make the readers fail in another way."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from statsig_tui.core import envelope, incoming, jsontext, sdk

text = st.text(st.characters(exclude_categories=()), max_size=12)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text
)
values = st.recursive(
    scalars, lambda deep: st.lists(deep, max_size=4) | st.dictionaries(text, deep, max_size=4), max_leaves=12
)
objects = st.dictionaries(text, values, max_size=6)
quick = settings(max_examples=150, deadline=None)


def spelled(value: Any, *, ascii_only: bool, indent: int | None) -> bytes:
    """JSON text that UTF-8 can carry: lone surrogates only as escapes."""
    try:
        return json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent).encode()


@quick
@given(value=objects, ascii_only=st.booleans(), indent=st.none() | st.integers(0, 3))
def test_objects_survive(value: dict[str, Any], ascii_only: bool, indent: int | None) -> None:
    raw = spelled(value, ascii_only=ascii_only, indent=indent)
    assert jsontext.parse(raw) == value
    parts = jsontext.members(raw)
    assert {name: jsontext.parse(part) for name, part in parts.items()} == value
    for part in parts.values():
        assert part in raw
    assert jsontext.parse(jsontext.join(parts)) == value
    assert jsontext.parse(jsontext.dump(value)) == value


@quick
@given(value=st.lists(values, max_size=6), indent=st.none() | st.integers(0, 3))
def test_arrays_survive(value: list[Any], indent: int | None) -> None:
    raw = spelled(value, ascii_only=False, indent=indent)
    parts = jsontext.items(raw)
    assert [jsontext.parse(part) for part in parts] == value
    assert all(part in raw for part in parts)


@quick
@given(events=st.lists(objects, max_size=5), kind=st.sampled_from(["data", "array"]))
def test_batches_survive(events: list[dict[str, Any]], kind: Any) -> None:
    content = envelope.decode(envelope.encode([jsontext.dump(event) for event in events], kind, "number"))
    assert isinstance(content, envelope.Batch)
    assert len(content.events) == len(events)


FRAGMENTS = [
    b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"1e400", b"null", b'"data"', b"\\ud800", b'"eventName"',
    b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"NaN", b"-0", b" ", b"\x00",
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(raw=st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=4), max_size=14).map(b"".join))
@example(raw=b'{"data":[{"eventName":"\\ud800"}]}')
@example(raw=b'"\\')
def test_any_bytes_are_judged(raw: bytes) -> None:
    content = envelope.decode(raw)
    if isinstance(content, envelope.NotABatch):
        assert 400 <= content.status < 500
        content.message.encode()


@quick
@given(
    body=st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("user", "event", "value", "metadata", "timestamp", "userID", "x"), values)
    )
)
def test_any_object_that_is_taken_becomes_a_readable_event(body: dict[str, Any]) -> None:
    raw = jsontext.dump(body)
    incoming.problems(body)
    event = incoming.to_event(raw, body, now=1, time_uuid="t")
    outgoing = jsontext.parse(event.raw)
    assert isinstance(outgoing["value"], str)
    assert isinstance(outgoing["userID"], str)
    assert outgoing.get("x") == body.get("x")


@quick
@given(
    events=st.lists(
        values
        | st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(
                ("eventName", "user", "value", "metadata", "time", "statsigMetadata", "x"), values
            ),
        ),
        max_size=4,
    ),
    shared=st.dictionaries(st.sampled_from(["user", "statsigMetadata"]), values),
)
def test_any_sdk_batch_becomes_readable_events(events: list[Any], shared: dict[str, Any]) -> None:
    raw = jsontext.dump({"events": events} | shared)
    batch = sdk.to_events(raw, now=1, client_time=None, known_experiments=("e",), new_uuid=lambda: "t")
    assert len(batch.events) + len(batch.rejected) == len(events)
    for event in batch.events:
        assert jsontext.parse(event.raw)["timeUUID"]
