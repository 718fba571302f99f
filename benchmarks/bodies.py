"""The batches that are sent: ten events, about 5 KB, signed as Statsig signs them."""

from __future__ import annotations

import json
import time
import uuid

from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

SECRET = "webhook-" + "b" * 43
EVENTS = 10


def event(number: int) -> dict[str, object]:
    """One outgoing event of about 500 bytes."""
    user = f"user-{number % 997}"
    return {
        "eventName": ("checkout_completed", "page_view", "statsig::gate_exposure")[number % 3],
        "user": {"userID": user, "email": f"{user}@example.com", "custom": {"plan": "pro", "seats": number}},
        "userID": user,
        "timestamp": 1_700_000_000_000 + number,
        "value": str(number),
        "metadata": {"currency": "EUR", "items": "3", "path": f"/shop/{number}", "referrer": "newsletter"},
        "statsigMetadata": {"sdkType": "py-server", "sdkVersion": "0.72.1", "languageVersion": "3.11"},
        "timeUUID": str(uuid.uuid4()),
        "companyID": "company-1",
    }


def batch(number: int) -> bytes:
    """The body of the n-th batch."""
    events = [event(number * EVENTS + place) for place in range(EVENTS)]
    return json.dumps({"data": events}, separators=(",", ":")).encode()


def headers(body: bytes) -> dict[str, str]:
    """The headers of a batch that is sent now."""
    timestamp = str(time.time_ns() // 1_000_000)
    return {
        "Content-Type": "application/json",
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: sign(SECRET, timestamp, body),
    }


def request(number: int, port: int, path: str) -> bytes:
    """The n-th batch as the bytes of a whole HTTP request."""
    body = batch(number)
    head = {"Host": f"127.0.0.1:{port}", "Content-Length": str(len(body)), **headers(body)}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def json_document(size: int) -> bytes:
    """A batch of at least so many bytes."""
    events: list[bytes] = []
    length = 0
    while length < size:
        events.append(json.dumps(event(len(events))).encode())
        length += len(events[-1])
    return b'{"data":[' + b",".join(events) + b"]}"
