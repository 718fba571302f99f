"""What is posted in, and the event it becomes (statsig-wire.md §1, §3.3, §5)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from statsig_tui.core import incoming, jsontext, sdk
from statsig_tui.core.event import Event, EventClass, classify, milliseconds, view

Data = Callable[[str], bytes]
NOW = 1_767_225_601_000


def posted(raw: bytes) -> Event:
    return incoming.to_event(raw, jsontext.parse(raw), now=NOW, time_uuid="uuid-0")


def logged(raw: bytes, *, now: int = NOW, client_time: int | None = None, known: tuple[str, ...] = ()) -> Any:
    numbers = count()
    return sdk.to_events(
        raw,
        now=now,
        client_time=client_time,
        known_experiments=known,
        new_uuid=lambda: f"uuid-{next(numbers)}",
    )


def one(**members: object) -> Event:
    """The event that an SDK event of these members becomes."""
    (event,) = logged(json.dumps({"events": [members]}).encode()).events
    assert isinstance(event, Event)
    return event


def golden(data: Data, name: str) -> Any:
    return json.loads(data("golden-mapping.json"))[name]


@pytest.mark.parametrize("name", ["incoming-event", "incoming-minimal"])
def test_incoming_events_become_the_golden_ones(data: Data, name: str) -> None:
    event = posted(data(f"{name}.json"))
    assert [json.loads(event.raw)] == golden(data, name)


def test_an_sdk_batch_becomes_the_golden_events(data: Data) -> None:
    batch = logged(data("log-event-batch.json"), client_time=NOW - 500)
    assert [json.loads(event.raw) for event in batch.events] == golden(data, "log-event-batch")
    assert [event.note for event in batch.events] == ["", "privateAttributes removed"]


def test_a_real_sdk_request_becomes_the_golden_events(data: Data) -> None:
    raw = gzip.decompress(data("statsig-python-0.72-log_event.gz"))
    batch = logged(raw, now=1_795_423_936_679, client_time=1_795_423_935_679, known=("demo_experiment",))
    assert [json.loads(event.raw) for event in batch.events] == golden(data, "statsig-python-0.72-log_event")
    assert [event.event_class for event in batch.events] == [
        EventClass.INTERNAL,
        EventClass.GATE_EXPOSURE,
        EventClass.GATE_EXPOSURE,
        EventClass.CONFIG_EXPOSURE,
        EventClass.EXPERIMENT_EXPOSURE,
        EventClass.LAYER_EXPOSURE,
        EventClass.CUSTOM,
        EventClass.CUSTOM,
        EventClass.CUSTOM,
    ]


def test_an_incoming_event_keeps_its_spelling_and_unknown_members() -> None:
    event = posted(
        b'{"event":"caf\\u00e9","user":{ "userID" : 1.0, "x":12345678901234567890 },'
        b'"value":1e3,"metadata":{"n":1.50},"timestamp":1767225600000.5,"extra":{"a": -0}}'
    )
    assert event.raw == (
        b'{"eventName":"caf\\u00e9","user":{ "userID" : 1.0, "x":12345678901234567890 },"userID":"1.0",'
        b'"timestamp":1767225600000.5,"value":"1e3","metadata":{"n":1.50},"statsigMetadata":{},'
        b'"timeUUID":"uuid-0","companyID":"statsig-tui","extra":{"a": -0}}'
    )
    assert (event.name, event.user_id, event.timestamp) == ("café", "1.0", 1_767_225_600_000)


@pytest.mark.parametrize(
    ("value", "becomes"),
    [('"text"', "text"), ("49.90", "49.90"), ("null", ""), ("12345678901234567890", "12345678901234567890"),
     ("true", "true"), ('{"a":1}', '{"a":1}'), (r'"\ud800"', "\ud800")],
)  # fmt: skip
def test_a_value_is_always_text(value: str, becomes: str) -> None:
    event = posted(f'{{"event":"e","user":{{}},"value":{value}}}'.encode())
    assert json.loads(event.raw)["value"] == becomes
    (logged_event,) = logged(f'{{"events":[{{"eventName":"e","value":{value}}}]}}'.encode()).events
    assert json.loads(logged_event.raw)["value"] == becomes


@pytest.mark.parametrize("key", ["privateAttributes", r"private\u0041ttributes"])
def test_private_attributes_never_leave(key: str) -> None:
    user = f'{{"userID":"u","{key}":{{"ssn":"078"}},"email":"a@b.c"}}'
    event = posted(f'{{"event":"e","user":{user}}}'.encode())
    assert json.loads(event.raw)["user"] == {"userID": "u", "email": "a@b.c"}
    assert event.note == "privateAttributes removed"
    shared = logged(f'{{"events":[{{"eventName":"e"}}],"user":{user}}}'.encode()).events[0]
    assert b"078" not in shared.raw
    assert shared.user_id == "u"


@pytest.mark.parametrize("timestamp", ['"2026-01-01T00:00:00Z"', '"1767225600000"', "true", "null", "{}"])
def test_a_timestamp_that_is_no_number_becomes_the_time_of_arrival(timestamp: str) -> None:
    event = posted(f'{{"event":"e","user":{{}},"timestamp":{timestamp}}}'.encode())
    assert json.loads(event.raw)["timestamp"] == NOW
    assert event.note == ("" if timestamp == "null" else "timestamp replaced by the time of arrival")


@pytest.mark.parametrize(
    ("members", "field", "says"),
    [
        ({"user": {}}, "event", "event: missing"),
        ({"user": {}, "eventName": "e"}, "event", "eventName belongs to /v1/log_event"),
        ({"user": {}, "event": ""}, "event", "not empty"),
        ({"user": {}, "event": 5}, "event", "must be a string"),
        ({"event": "e"}, "user", "user: missing"),
        ({"event": "e", "userID": "u"}, "user", "userID belongs into user"),
        ({"event": "e", "userId": "u"}, "user", "userId belongs into user"),
        ({"event": "e", "user": "u"}, "user", "user: must be an object"),
        ({"event": "e", "user": {}, "metadata": []}, "metadata", "must be an object"),
        ({"event": "e", "user": {}, "value": {}}, "value", "string or a number"),
        ({"event": "e", "user": {}, "value": True}, "value", "string or a number"),
        ({"event": "e", "user": {}, "timestamp": "1767225600000"}, "timestamp", "epoch milliseconds"),
        ({"event": "e", "user": {}, "timestamp": True}, "timestamp", "epoch milliseconds"),
        ({"events": []}, "events", "one event"),
        ({"data": []}, "data", "one event"),
    ],
)
def test_problems_name_the_field(members: dict[str, object], field: str, says: str) -> None:
    (problem,) = incoming.problems(members)
    assert problem.field == field
    assert says in problem.message


@pytest.mark.parametrize("body", [[], [{"event": "e"}], None, 5, "x", True])
def test_a_body_that_is_no_object_is_a_problem(body: object) -> None:
    assert [problem.field for problem in incoming.problems(body)] == ["body"]


def test_good_bodies_have_no_problem(data: Data) -> None:
    for name in ("incoming-event.json", "incoming-minimal.json"):
        assert incoming.problems(json.loads(data(name))) == []
    assert incoming.problems({"event": "e", "user": {}, "value": None, "metadata": None}) == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "not a JSON object"),
        ({}, "events: missing"),
        ({"event": "e", "user": {}}, "belongs to /v1/webhooks/event_webhook"),
        ({"events": {}}, "events: must be an array"),
        ({"events": []}, None),
        ({"events": [{}] * 10_000}, None),
        ({"events": [{}] * 10_001}, "10,000 are the limit"),
    ],
)
def test_problems_of_sdk_bodies(body: object, says: str | None) -> None:
    found = sdk.problem(body)
    assert found is None if says is None else found is not None and says in found


def test_items_that_are_no_events_are_told() -> None:
    batch = logged(b'{"events":[1,{"eventName":"e"},null,"x",[]]}')
    assert [event.name for event in batch.events] == ["e"]
    assert batch.rejected == (0, 2, 3, 4)


@pytest.mark.parametrize(
    ("time", "timestamp"),
    [(1_767_225_600_000, 1_767_225_600_500), ("2026-01-01T00:00:00Z", 1_767_225_600_500),
     ("2026-01-01T01:00:00+01:00", 1_767_225_600_500), ("nonsense", NOW), (None, NOW), (True, NOW)],
)  # fmt: skip
def test_an_sdk_time_is_shifted_by_the_clocks_difference(time: object, timestamp: int) -> None:
    raw = json.dumps({"events": [{"eventName": "e", "time": time}]}).encode()
    (event,) = logged(raw, client_time=NOW - 500).events
    assert event.timestamp == timestamp


def test_the_events_own_metadata_wins_over_the_requests() -> None:
    raw = json.dumps(
        {
            "events": [{"eventName": "e", "statsigMetadata": {"sdkVersion": "2", "own": 1}}],
            "statsigMetadata": {"sdkType": "js-client", "sdkVersion": "1", "sessionID": "s"},
        }
    ).encode()
    (event,) = logged(raw).events
    assert json.loads(event.raw)["statsigMetadata"] == {
        "sdkType": "js-client",
        "sdkVersion": "2",
        "sessionID": "s",
        "own": 1,
    }


@pytest.mark.parametrize(
    ("user", "unit"),
    [({"userID": "u"}, "userID"), ({"userID": "", "customIDs": {"stableID": "s"}}, "stableID"),
     ({"userID": None, "customIDs": {"companyID": "c", "stableID": "s"}}, "companyID"), ({}, "userID"),
     (None, "userID"), ("u", "userID")],
)  # fmt: skip
def test_exposures_name_the_kind_of_their_id(user: object, unit: str) -> None:
    exposure = one(eventName="statsig::gate_exposure", user=user, metadata={"gate": "g"})
    assert json.loads(exposure.raw)["unitID"] == unit
    assert "unitID" not in json.loads(one(eventName="custom", user=user).raw)


def test_unscramble() -> None:
    assert sdk.unscramble(b"==QfxojIhJye") == b'{"a":1}'
    for wrong in (b'{"a":1}', b"!!!!", b"abc"):
        with pytest.raises(ValueError, match="base64 text, reversed"):
            sdk.unscramble(wrong)


@pytest.mark.parametrize(
    ("name", "event_class"),
    [
        ("checkout", EventClass.CUSTOM),
        ("", EventClass.CUSTOM),
        ("statsig::gate_exposure", EventClass.GATE_EXPOSURE),
        ("statsig::config_exposure", EventClass.CONFIG_EXPOSURE),
        ("statsig::experiment_exposure", EventClass.EXPERIMENT_EXPOSURE),
        ("statsig::layer_exposure", EventClass.LAYER_EXPOSURE),
        ("statsig::holdout_exposure", EventClass.HOLDOUT_EXPOSURE),
        ("statsig::first_exposure::checkout_copy", EventClass.EXPERIMENT_EXPOSURE),
        ("statsig::config_change", EventClass.CONFIG_CHANGE),
        ("statsig::diagnostics", EventClass.INTERNAL),
        ("statsig::non_exposed_checks", EventClass.INTERNAL),
        ("statsig::log_line", EventClass.INTERNAL),
        ("statsig::app_metrics", EventClass.CUSTOM),
        ("statsig::app_error", EventClass.CUSTOM),
        ("auto_capture::page_view", EventClass.CUSTOM),
    ],
)
def test_classes(name: str, event_class: EventClass) -> None:
    assert classify(name) is event_class


@pytest.mark.parametrize(
    ("value", "ms"),
    [(5, 5), (1.9, 1), ("5", 5), (" 1767225600000 ", 1_767_225_600_000), (-5, -5), (None, None),
     (True, None), ({}, None), ("soon", None), ("١٢", None), (2**63, None), (1e300, None),
     ("9999-12-31T23:59:59Z", 253_402_300_799_000), ("2026-01-01", 1_767_225_600_000)],
)  # fmt: skip
def test_milliseconds(value: object, ms: int | None) -> None:
    """J24"""
    assert milliseconds(value) == ms


@pytest.mark.parametrize("odd", [None, 5, True, [], {}, "", "\ud800", "x" * 10_000])
def test_a_view_never_fails_on_odd_members(odd: Any) -> None:
    """J23, J25, J27"""
    for key in ("eventName", "user", "userID", "timestamp", "timeUUID", "metadata", "value"):
        seen = view(b"{}", {key: odd})
        f"{seen.name}{seen.user_id}{seen.time_uuid}".encode()


def test_a_config_change_posted_in_goes_out_in_the_console_s_shape() -> None:
    raw = (
        b'{"user":{"name":"Console User"},"event":"statsig::config_change","value":"x",'
        b'"metadata":{"type":"Gate","tags":[ 1.0 ]},"timestamp":5,"extra":"kept"}'
    )
    event = posted(raw)
    assert event.raw == (
        b'{"user":{"name":"Console User"},"timestamp":5,"eventName":"statsig::config_change",'
        b'"metadata":{"type":"Gate","tags":[ 1.0 ]},"extra":"kept"}'
    )
    assert event.event_class is EventClass.CONFIG_CHANGE
    assert event.note == "value is no part of a config change"


@pytest.mark.parametrize(
    ("user", "unit"),
    [({"userID": "u"}, "userID"), ({"customIDs": {"stableID": "s"}}, "stableID"), ({}, "userID")],
)
def test_an_exposure_posted_in_says_by_which_id_it_was_decided(user: dict[str, object], unit: str) -> None:
    for kind in ("gate", "config", "experiment", "layer", "holdout"):
        event = posted(json.dumps({"user": user, "event": f"statsig::{kind}_exposure"}).encode())
        assert json.loads(event.raw)["unitID"] == unit
