"""Requests that leave as HAR or JSON lines come back as they were, and nothing that is none comes in."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from statsig_tui.core.exchange import Exchange, NotAnExchange, from_fields, from_har, to_fields, to_har
from statsig_tui.core.phases import Phases
from statsig_tui.core.signing import SignatureState

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
headers = st.lists(st.tuples(words, words), max_size=3).map(tuple)
bodies = st.binary(max_size=8) | words.map(str.encode)
exchanges = st.builds(
    Exchange,
    at=st.integers(0, 2_000_000_000_000),
    method=st.sampled_from(["POST", "GET", "x"]),
    url=st.sampled_from(["http://127.0.0.1:7829/hook?a=1", "http://[::1]:1/"]),
    headers=headers,
    body=bodies,
    status=st.integers(100, 599),
    answer_headers=headers,
    answer_body=bodies,
    ms=st.floats(0.001, 1e6).map(lambda ms: round(ms, 3)),
    signature=st.sampled_from(SignatureState),
    signature_reason=words,
    fault=st.none() | words,
)
NAMES = (
    "type", "at", "method", "path", "headers", "body", "body_base64", "answer", "status", "http_version",
    "startedDateTime", "request", "response", "url", "postData", "text", "encoding", "content", "fault",
)  # fmt: skip
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["capture", "base64", "/", "é="]),
    lambda inner: (
        st.dictionaries(st.sampled_from(NAMES), inner, max_size=8)
        | st.lists(inner, max_size=3)
        | st.lists(st.tuples(st.just("a"), inner).map(list), max_size=2)
    ),
    max_leaves=12,
)


@given(exchanges)
def test_har_comes_back(it: Exchange) -> None:
    assert from_har(json.loads(json.dumps(to_har(it)))) == it


@given(exchanges)
def test_a_json_line_comes_back(it: Exchange) -> None:
    own = {
        "type": "capture", "at": it.at, "method": it.method, "path": it.path, "signature": it.signature,
        "signature_reason": it.signature_reason, "status": it.status, "fault": it.fault,
    }  # fmt: skip
    assert from_fields(json.loads(json.dumps(to_fields(it) | own))) == replace(it, url=it.path)


@given(values)
@example({"startedDateTime": 1, "request": {"method": "\ud800", "url": "/"}, "response": {"status": 1}})
@example({"startedDateTime": float("inf")})
@example(
    {"type": "capture", "at": 1, "method": "x", "path": "/", "answer": {"status": 200}, "body_base64": "é"}
)
def test_anything_is_an_exchange_or_is_refused_in_words(value: Any) -> None:
    for read in (from_fields, from_har):
        try:
            found = read(value)
        except NotAnExchange as error:
            said = str(error)
        else:
            said = found.method
            (found.method + found.path + repr(found.headers)).encode()
        assert said


parts = st.none() | st.floats(0, 60_000)


@given(
    exchanges, st.builds(Phases, resolve=parts, connect=parts, tls=parts, send=parts, wait=parts, read=parts)
)
def test_the_timings_of_har_are_the_whole_time(it: Exchange, phases: Phases) -> None:
    whole = sum(ms for _, ms in phases) + 1.0
    entry = to_har(replace(it, ms=whole, phases=phases))
    timings = entry["timings"]
    counted = [ms for name, ms in timings.items() if name != "ssl" and ms != -1]
    assert sum(counted) == pytest.approx(entry["time"])
    assert timings["connect"] >= timings["ssl"]
    assert min(timings["send"], timings["wait"], timings["receive"]) >= 0
