"""What statsig-wire.md §3 does not know is new; what it knows, or leaves to the caller, is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from statsig_tui.core import drift
from statsig_tui.core.drift import of_body, of_event

DATA = Path(__file__).parents[1] / "data"


def said(event: dict[str, Any]) -> list[str]:
    return [f"{drift.path_of(each.path)} {each.about}" for each in of_event(event)]


@pytest.mark.parametrize(
    "name", ["batch-bare-array", "batch-config-changes", "batch-data-envelope", "url-verification"]
)
def test_what_is_documented_is_not_new(name: str) -> None:
    assert of_body((DATA / f"{name}.json").read_bytes()) == ()


def test_an_unknown_field_is_new_and_is_named_once() -> None:
    found = of_body((DATA / "batch-string-timestamp-unknown-keys.json").read_bytes())
    assert [(place, each.path) for place, each in found] == [(0, ("somethingNew",))]
    (mark,) = drift.marks(found * 5)
    assert (mark.oddity, mark.message) == ("new here", "somethingNew is a field that is not known.")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"eventName": "mine", "metadata": {"x": 1}, "statsigMetadata": {"y": None}}, []),
        ({"eventName": "mine", "user": {"custom": {}, "favouriteColour": 1}}, []),
        ({"eventName": "mine", "userID": None, "value": None}, []),
        ({"eventName": "statsig::first_exposure::x"}, []),
        ({"eventName": "auto_capture::page_view"}, []),
        ({"eventName": "statsig::brand_new"}, ["eventName is a name of Statsig's that is not known"]),
        ({"eventName": "mine", "value": 4.5}, ["value is a number, known as text"]),
        ({"eventName": "mine", "value": True}, ["value is a boolean, known as text"]),
        ({"eventName": "mine", "timestamp": []}, ["timestamp is an array, known as number or text"]),
        ({"eventName": "mine", "user": "u"}, ["user is text, known as object"]),
        ({"eventName": "mine", "user": {"userID": 7}}, ["user.userID is a number, known as text"]),
        (
            {"eventName": "mine", "user": {"privateAttributes": {}}},
            ["user.privateAttributes is never to be forwarded"],
        ),
        (
            {"eventName": "statsig::gate_exposure", "metadata": {"gate": "g", "gateValue": True, "who": ""}},
            ["metadata.gateValue is a boolean, known as text", "metadata.who is a field that is not known"],
        ),
        (
            {"eventName": drift.CHANGE, "user": {"userID": "u"}, "metadata": {"type": "Robot", "a b": 1}},
            [
                "user.userID is a field that is not known",
                "metadata.type is none of the known words",
                'metadata["a b"] is a field that is not known',
            ],
        ),
    ],
)
def test_fields_types_and_names(event: dict[str, Any], expected: list[str]) -> None:
    assert said(event) == expected


@pytest.mark.parametrize("raw", [b"", b"{", b"7", b'{"data":{}}', b'{"data":[1,null]}', b"\xff"])
def test_what_holds_no_events_holds_nothing_new(raw: bytes) -> None:
    assert of_body(raw) == ()


def test_the_first_ones_are_named_and_the_others_counted() -> None:
    event = {"eventName": "a", **{f"new{number}": 1 for number in range(6)}}
    (mark,) = drift.marks(of_body(json.dumps(event).encode(), is_event=True))
    assert mark.message.startswith("new0 is a field that is not known; new1 ")
    assert mark.message.endswith("; 3 more.")


def test_a_body_full_of_news_is_looked_at_only_so_far() -> None:
    raw = json.dumps([{"eventName": "a", "b": 1}] * (drift.MOST + 5)).encode()
    assert len(of_body(raw)) == drift.MOST
