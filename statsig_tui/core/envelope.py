"""What a webhook request carries: a batch in either envelope, a URL verification, or neither (§3.1, §3.5)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from statsig_tui.core import jsontext
from statsig_tui.core.event import Event, EventClass, milliseconds, told_by
from statsig_tui.core.records import EventSummary

MAX_EVENTS = 10_000
_CODE = re.compile(r"[A-Za-z0-9._-]{1,256}")
EnvelopeName = Literal["data", "array", "verification"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in the order they came; `rejected` are the places of items that are no objects."""

    envelope: Literal["data", "array"]
    events: tuple[EventSummary, ...]
    rejected: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Verification:
    """A URL verification: its code is to be echoed before any signature check."""

    code: str


@dataclass(frozen=True, slots=True)
class NotABatch:
    """Anything else, with the answer it deserves."""

    status: int
    code: str
    message: str


Content = Batch | Verification | NotABatch


def decode(raw: bytes) -> Content:
    """What the body of a webhook request holds; never raises on any bytes."""
    if not raw.strip():
        return NotABatch(400, "not_a_batch", 'The body is empty: send {"data":[…]}.')
    try:
        body = jsontext.parse(raw)
    except jsontext.JsonError as error:
        return NotABatch(413 if error.code == "too_many_values" else 400, error.code, error.message)
    if isinstance(body, list):
        return _batch("array", body)
    if not isinstance(body, dict):
        return NotABatch(400, "not_a_batch", "The body is neither an object nor an array of events.")
    if "data" not in body:
        return NotABatch(400, "not_a_batch", _without_data(body))
    data = body["data"]
    if isinstance(data, list):
        return _batch("data", data)
    if isinstance(data, dict) and data.get("event") == "url_verification":
        return _verification(data)
    return NotABatch(400, "not_a_batch", f"data is {_kind(data)}: it must be an array of events.")


def listed(content: Content) -> tuple[EnvelopeName | None, tuple[EventSummary, ...]]:
    """The envelope, and the events as far as a line shows them."""
    if isinstance(content, Batch):
        return content.envelope, content.events
    if isinstance(content, Verification):
        said = EventSummary("url_verification", EventClass.VERIFICATION, None, None, None)
        return "verification", (said,)
    return None, ()


def summary(event: Event) -> EventSummary:
    """One event as far as a line shows it."""
    return EventSummary(event.name, event.event_class, event.user_id, event.time_uuid, event.timestamp)


def encode(
    events: Sequence[bytes], envelope: Literal["data", "array"], timestamps: Literal["number", "string"]
) -> bytes:
    """The body of a batch; the events' own bytes, but for timestamps where they are asked for as text."""
    if timestamps == "string":
        events = [_with_text_timestamp(event) for event in events]
    array = b"[" + b",".join(events) + b"]"
    return b'{"data":' + array + b"}" if envelope == "data" else array


def frame_size(envelope: Literal["data", "array"]) -> int:
    """Bytes of a batch's body beside its events, of which each counts with a comma."""
    return len('{"data":[]}' if envelope == "data" else "[]") - 1


def most_size(event: bytes, timestamps: Literal["number", "string"]) -> int:
    """The bytes that an event takes at the most in a batch, its comma and its timestamp's quotes included."""
    return len(event) + (3 if timestamps == "string" else 1)


def verification(code: str) -> bytes:
    """The body of a URL verification (§3.5)."""
    return jsontext.dump({"data": {"event": "url_verification", "verification_code": code}})


def _batch(envelope: Literal["data", "array"], items: list[Any]) -> Batch | NotABatch:
    if len(items) > MAX_EVENTS:
        return NotABatch(
            413, "too_many_events", f"The batch holds {len(items):,} events; {MAX_EVENTS:,} are the limit."
        )
    return Batch(
        envelope,
        tuple([EventSummary(*told_by(item)[:-1]) for item in items if isinstance(item, dict)]),
        tuple(at for at, item in enumerate(items) if not isinstance(item, dict)),
    )


def _verification(data: dict[str, Any]) -> Verification | NotABatch:
    code = data.get("verification_code")
    if isinstance(code, str) and _CODE.fullmatch(code):
        return Verification(code)
    return NotABatch(
        400,
        "bad_verification",
        "verification_code must be 1 to 256 letters, digits, dots, dashes or underscores.",
    )


def _without_data(body: dict[str, Any]) -> str:
    if "eventName" in body:
        return 'data is missing: wrap the event in {"data":[…]}.'
    if "events" in body:
        return "data is missing: a webhook batch calls its events data."
    return "data is missing: it must be an array of events."


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string"
    return "an object" if isinstance(value, dict) else "a number"


def _with_text_timestamp(event: bytes) -> bytes:
    parts = jsontext.members(event)
    raw = parts.get("timestamp")
    if raw is None or raw.startswith(b'"') or milliseconds(jsontext.parse(raw)) is None:
        return event
    return jsontext.join(parts | {"timestamp": b'"' + raw + b'"'})
