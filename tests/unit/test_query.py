"""The query language: what fits, what is no query and where, and what is offered at the cursor."""

from __future__ import annotations

import json
from typing import Any

import pytest

from statsig_tui.core.event import classify
from statsig_tui.core.event import view as event_view
from statsig_tui.core.query import (
    CONDITION_KEYS,
    KEYS,
    All,
    QueryError,
    View,
    complete,
    parse,
    parse_condition,
)
from statsig_tui.core.query.view import of_capture, of_event
from statsig_tui.core.records import CaptureRecord, EventSummary
from statsig_tui.core.signing import SignatureState

NOW = 1_767_225_600_000
EVENTS: list[dict[str, Any]] = [
    {
        "eventName": "checkout_completed",
        "user": {"userID": "u1", "country": "KR", "custom": {"plan": "pro", "a.b": [1, "x"]}},
        "value": "49.90",
        "metadata": {"gate": "new", "items": 3, "ok": True, "off": False, "none": None, "sku": "007"},
        "timestamp": NOW - 65_000,
        "timeUUID": "f4c414a0-0000-11ef-8000-000000000001",
    },
    {"eventName": "statsig::gate_exposure", "user": {"userID": "u2"}, "metadata": {"gate": "old"}},
]


def view(events: list[dict[str, Any]] = EVENTS, **changes: Any) -> View:
    body = json.dumps({"data": events}).encode()
    record: dict[str, Any] = {
        "id": 57,
        "rev": 1,
        "at": NOW - 60_000,
        "method": "POST",
        "path": "/hook?a=1",
        "size": 20_480,
        "envelope": "data",
        "events": tuple(
            EventSummary(
                event["eventName"], classify(event["eventName"]), event["user"]["userID"],
                event.get("timeUUID"), event.get("timestamp"),
            )
            for event in events
        ),
        "signature": SignatureState.STALE,
        "status": 500,
        "fault": "stale_timestamp",
        "ms": 12.5,
    }  # fmt: skip
    return of_capture(
        CaptureRecord(**(record | changes)),
        lambda: body,
        destinations=lambda: ("my-api", "another"),
        came_before=lambda index: index == 1,
    )


FITS = """
event:checkout_* user:u1 -event:heartbeat
event:checkout_completed,other
class:custom|class:gate|class:exposure|class:gate_exposure,custom
status:5xx|status:500|status:>=500|status:200,500|status:<501|-status:2xx
sig:bad|sig:stale|-sig:good|sig:BAD
dest:my-api|dest:my-*
path:/hook|path:/hook?a=1|path:/h*
size:>10k|size:20k|size:<=20480|size:<1M
events:2|events:>1
took:>10ms|took:<1s
since:10m|since:1h until:30s|since:2020-01-01|since:2020-01-01T10:00Z|since:1000|until:2030-01-01
dup:yes|class:gate dup:yes|-dup:yes
lag:5s|lag:>4s
envelope:data|method:POST|fault:stale*|fault:*|id:c57|imported:no|-imported:yes
metadata.gate=new|metadata.gate:n*|metadata.gate=old,older|metadata.gate!=new
user.country=KR,JP|user.custom.plan=pro|user.custom."a.b"|user.custom."a.b"[1]=x|user.custom."a.b"=1
metadata.items=3|metadata.items>2|metadata.items<=3.0|value>49|value=49.90|"value">10|metadata.ok=true
metadata.none=null|metadata.none|has:metadata.none|-has:metadata.nothing|metadata.sku="007"
CHECKOUT|c57|f4c414a0|u2|stale_time|statsig::gate_exposure|check*ted|"49.90"
nothing or checkout|(nothing or event:checkout_completed) user:u1|-(nothing checkout)|-(nothing or never)
checkout and user:u1|checkout AND user:u1|nothing OR checkout
since:1m|size:1k,20k|metadata.items=3.0|metadata.items=*|metadata.off=false|dest:another|C57|hook?a
"""


@pytest.mark.parametrize("text", [each for line in FITS.strip().split("\n") for each in line.split("|")])
def test_what_fits(text: str) -> None:
    assert parse(text).matches(view(), NOW)


MISSES = """
event:checkout|event:Checkout_*|event:"checkout_*"|event:checkout_completed user:u2
class:config|class:internal|status:none|status:4xx|status:>500|sig:valid|sig:unchecked
dest:other|path:/hoo|path:/HOOK|size:>1M|events:1|took:>1s|since:30s|until:10m|since:2030-01-01
event:checkout_completed dup:yes|lag:>6s|fault:bad*|id:c5|imported:yes|state:failed|attempts:>0|target:*
metadata.gate=n|metadata.nothing|metadata.nothing=x|metadata.sku=7|metadata.sku>6|user.country=k*|user.country>1
metadata.gate=new metadata.gate=old|value>50|metadata=x|"a.b"=x|checkout nothing|-checkout|"check*ted"
event:checkout_completed class:gate|-(nothing or checkout)
until:1m|metadata.ok=1|metadata.off=true|metadata.none>1|user.custom>1|class:gate uuid:*|c58
hook*stale|hook*hook
user.custom."a.b"[2]|user.custom.plan[0]|metadata[0]|user.custom.plan.p
"""


@pytest.mark.parametrize("text", [each for line in MISSES.strip().split("\n") for each in line.split("|")])
def test_what_does_not(text: str) -> None:
    assert not parse(text).matches(view(), NOW)


def test_one_event_has_to_fit_all_of_it_and_is_named() -> None:
    assert parse("-class:custom").fitting(view(), NOW) == [1]
    assert parse("").fitting(view(), NOW) == [0, 1]
    assert not parse("event:*").matches(view([]), NOW)
    assert parse("-event:* status:5xx").matches(view([]), NOW)
    truths = parse("(user:u1 or user:u9) -sig:bad").explain(view(), NOW, 0)
    assert [(truth.text, truth.holds) for truth in truths] == [
        ("user:u1", True),
        ("user:u9", False),
        ("sig:bad", True),
    ]


def test_drift_is_asked_of_what_goes_out_alone() -> None:
    known = {"eventName": "a", "user": {"userID": "u"}, "value": "1"}
    new = view([known, {**known, "novel": 1}])
    assert parse("drift:yes").fitting(new, NOW) == [1]
    assert parse("drift:no").fitting(new, NOW) == [0]
    assert parse("drift:yes").reads_bodies, "it is found in bodies alone"


def test_the_same_language_asks_of_an_event_on_its_way() -> None:
    first, second = (of_event(event_view(json.dumps(event).encode(), event), NOW) for event in EVENTS)
    condition = parse("metadata.gate=new -user.country=US")
    assert condition.matches(first, NOW)
    assert not condition.matches(second, NOW)
    assert not parse("-status:none status:none").matches(first, NOW)
    assert not parse("path:*").matches(first, NOW)


WRONG = {
    "staus:5xx": (0, "there is no key staus; did you mean status?"),
    "a metdata.plan=pro": (2, "there is no key metdata; did you mean metadata?"),
    "sig:bda": (4, "sig is never bda; did you mean bad?"),
    "status:6xx": (7, "status: 6xx is not a status such as 200, 5xx or none"),
    "size:>ten": (6, "size: ten is not a size such as 512, 10k or 2M"),
    "event:>a": (7, "event cannot be greater or less"),
    "event:": (6, "event: what is it to be?"),
    "event:a,": (8, "event: what is it to be?"),
    "status:>400,500": (8, "status takes one value here"),
    "value>x": (6, "> compares with one number"),
    'a "b': (2, "this quote is never closed"),
    'event:"b': (6, "this quote is never closed"),
    'event:a"b"': (7, 'a value ends before "'),
    r'"a\q"': (0, "a backslash in quotes stands before a quote or another backslash"),
    "(a": (0, "this bracket is never closed"),
    "a)": (1, "this bracket closes nothing"),
    "a ()": (2, "nothing stands between the brackets"),
    "a or": (2, "or stands between two clauses"),
    "or a": (0, "or stands between two clauses"),
    "a and": (2, "and stands between two clauses"),
    "- a": (0, "- negates what follows it at once"),
    "since:soon": (6, "since: soon is not an age such as 10m or 2h, or a time such as 2026-01-31T12:00Z"),
    "has:": (4, "has: what field?"),
    "(" * 60: (41, "brackets and minus signs go 40 deep at most"),
    "x" * 4001: (4000, "a query has 4,000 characters at most"),
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_query_is_said_at_its_place(text: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert (caught.value.position, caught.value.message) == WRONG[text]


CONDITIONS = """
event:check* -user:u1 class:gate uuid:f4* drift:no has:metadata.plan size:>1k since:2026-01-01
until:2030-01-01|lag|since|"dup:yes"|metadata.status=5xx|"lag">5|user.custom.note=x
"""


@pytest.mark.parametrize(
    "text", [each for line in CONDITIONS.strip().split("\n") for each in line.split("|")]
)
def test_a_condition_asks_what_an_event_says_of_itself(text: str) -> None:
    assert parse_condition(text) == parse(text)


@pytest.mark.parametrize("key", sorted(set(KEYS) - set(CONDITION_KEYS)))
def test_a_condition_that_asks_of_a_delivery_is_refused_at_its_place(key: str) -> None:
    with pytest.raises(QueryError, match=f"{key} says nothing of an event before its delivery") as caught:
        parse_condition(f"(user:u1 or -{key}:1)")
    assert caught.value.position == len("(user:u1 or -")
    assert caught.value.hint.startswith(
        "Use event, user, class, uuid, drift, has, size, since, until, or a field"
    )


def test_what_a_query_knows_and_a_condition_does_not_is_never_what_was_meant() -> None:
    with pytest.raises(QueryError) as caught:
        parse_condition("staus:5xx")
    assert "did you mean" not in caught.value.message
    assert "lag" not in caught.value.hint
    with pytest.raises(QueryError, match="since: 2h is an age, and an event has none before its delivery"):
        parse_condition("since:2h")
    with pytest.raises(QueryError, match="until: soon is not a time such as 2026-01-31T12:00Z"):
        parse_condition("until:soon")


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("", ""),
        ("  ( a  (b c) ) ", "a b c"),
        ("a or (b or c)", "a or b or c"),
        ("-(a)", "-a"),
        ("metadata.gate!=new", "-metadata.gate=new"),
        ("metadata.gate", "has:metadata.gate"),
        ('event:"plain"', "event:plain"),
        ('"-x" "or" "a b"', '"-x" "or" "a b"'),
        ("statsig::gate_exposure", '"statsig::gate_exposure"'),
        ("user=u1 status>=400", "user:u1 status:>=400"),
    ],
)
def test_a_query_has_one_spelling(text: str, normal: str) -> None:
    assert parse(text).to_text() == normal


def test_what_a_table_can_answer_is_told_apart() -> None:
    indexed = parse("status:5xx -(path:/a or size:>1k) event:check*_x,y dest:a user:u* word").indexed()
    assert parse("status:5xx -(path:/a or size:>1k)").node == indexed.columns
    assert indexed.pieces == (("check", "y"), ("u",))
    assert indexed.rest.to_text() == "event:check*_x,y dest:a user:u* word"
    assert parse('event:"ü" -event:a').indexed().pieces == ()
    assert parse("class:gate,change").indexed().pieces == (("config_change", "gate_exposure"),)
    assert parse("").indexed().columns == All()


def test_a_condition_is_offered_its_own_keys_alone() -> None:
    seen = {"path": ("/hook",), "metadata.plan": ("pro",), "event": ("lagging",)}

    def offered(text: str) -> list[str]:
        return [each.text for each in complete(text, len(text), seen, CONDITION_KEYS).candidates]

    assert offered("") == [*(f"{key}:" for key in CONDITION_KEYS), "metadata.plan="]
    assert offered("la") == offered("lag:") == offered("path:") == offered("sig:") == []
    assert offered("event:") == ["lagging"]
    assert offered("has:") == ["metadata.plan"]


SEEN = {"event": ("checkout", "check out", "page_view"), "metadata.plan": ("pro", "free"), "dest": ("api",)}


@pytest.mark.parametrize(
    ("text", "place", "offered"),
    [
        ("ev|", (0, 2), ["event:", "events:"]),
        ("a -(me|t", (4, 7), ["method:", "metadata.plan="]),
        ("event:|", (6, 6), ["checkout", '"check out"', "page_view"]),
        ("event:a,c|", (8, 9), ["checkout", '"check out"']),
        ('x "a b" event:"che|', (14, 18), ["checkout", '"check out"']),
        ("sig:b|ad x", (4, 7), ["bad"]),
        ("status:|", (7, 7), ["2xx", "3xx", "4xx", "5xx", "none"]),
        ("-metadata.plan=p|", (15, 16), ["pro"]),
        ("has:m|", (4, 5), ["metadata.plan"]),
        ('"que|', (0, 4), []),
    ],
)
def test_what_is_offered_at_the_cursor(text: str, place: tuple[int, int], offered: list[str]) -> None:
    cursor = text.index("|")
    found = complete(text.replace("|", ""), cursor, SEEN)
    assert (found.start, found.end) == place
    assert [candidate.text for candidate in found.candidates] == offered
