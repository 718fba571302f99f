"""Records and settings with one foreign text in every place that can hold one."""

from __future__ import annotations

import json
from typing import Literal

from statsig_tui.core.config import Destination, Filter, Secret
from statsig_tui.core.event import EventClass
from statsig_tui.core.records import (
    AttemptRecord,
    CaptureDetail,
    CaptureRecord,
    DeliveryRecord,
    DeliveryState,
    EventRecord,
    EventSummary,
    RequestRecord,
    SentDetail,
    SentRecord,
    Trace,
    VerdictRecord,
)
from statsig_tui.core.signing import SignatureState


def body(text: str) -> bytes:
    """An event with the text in every key and value, raw where JSON lets it."""
    event = {"eventName": text, "userID": text, "metadata": {text: [text, {text: None}]}}
    return json.dumps({"data": [event]}, ensure_ascii=False).encode("utf-8", "surrogatepass")


def capture(text: str, number: int = 1) -> CaptureRecord:
    """A refused capture, so that its fault is shown."""
    events = (EventSummary(text, EventClass.CUSTOM, text, text, 1),)
    return CaptureRecord(
        number, number, 1, text, text, 9, "data", events, SignatureState.INVALID, 401, text, 1.0
    )


def capture_detail(text: str) -> CaptureDetail:
    """All there is of it."""
    pairs = ((text, text), ("x-statsig-signature", text), ("X-Statsig-Request-Timestamp", text))
    return CaptureDetail(
        capture(text), text, text, pairs, body(text), text, pairs, text.encode(errors="replace")
    )


def attempt(text: str, number: int = 1) -> AttemptRecord:
    """A failed attempt with a body."""
    pairs = ((text, text),)
    return AttemptRecord(number, 1, 1, text, pairs, 500, text, pairs, body(text), True, text, 1.0)


def delivery(text: str, number: int = 1, state: DeliveryState = DeliveryState.FAILED) -> DeliveryRecord:
    """A delivery that was given up."""
    return DeliveryRecord(number, number, 1, 1, 1, text, 1, 9, state, 1, 500, text, None, None, text)


def sent(text: str, number: int = 1, status: int | None = 200) -> SentRecord:
    """A sent event, answered unless told otherwise."""
    certainty: Literal["answered", "unknown"] = "answered" if status else "unknown"
    return SentRecord(number, number, 1, text, text, text, 9, status, text, certainty, 1.0, text)


def sent_detail(text: str, status: int | None = 200) -> SentDetail:
    """All there is of it."""
    return SentDetail(
        sent(text, status=status), ((text, text),), body(text), ((text, text),), body(text), True
    )


def event(text: str) -> EventRecord:
    """An accepted event."""
    return EventRecord(1, 1, 1, text, text, EventClass.CUSTOM, text, text, text)


def verdict(text: str) -> VerdictRecord:
    """Filtered."""
    return VerdictRecord(1, text, 1, False, text)


def request(text: str) -> RequestRecord:
    """Refused by the emulator."""
    return RequestRecord(1, 1, 1, text, text, 401, text)


def trace(text: str) -> Trace:
    """A way that shows everything a trace can show."""
    return Trace(
        text,
        (sent(text), sent(text, 2, None)),
        (event(text),),
        (verdict(text),),
        (delivery(text), delivery(text, 2, DeliveryState.CANCELLED)),
        (attempt(text), attempt(text, 2)),
        (capture(text),),
    )


def destination(text: str) -> Destination:
    """A destination nobody could set like this; a settings file may hold anything."""
    secret = Secret(env=text)
    return Destination(
        text, f"http://{text}/", secret=secret, headers={text: text}, filter=Filter(events={text: True})
    )
