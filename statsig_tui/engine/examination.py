"""A request's signature under the loupe: what a capture or a file holds, handed to the diagnosis."""

from __future__ import annotations

from collections.abc import Sequence

from statsig_tui.core.diagnosis import Diagnosis, diagnose
from statsig_tui.core.records import CaptureDetail, Headers
from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER
from statsig_tui.engine.framing import Limits, RefusedError
from statsig_tui.engine.http import decoded_body


def examine(detail: CaptureDetail, secrets: Sequence[str], tolerance_seconds: int) -> Diagnosis:
    """Judge a capture as it was when it arrived; takes its time for a large body."""
    return examine_request(detail.headers, detail.body, secrets, detail.record.at, tolerance_seconds)


def examine_request(
    headers: Headers, body: bytes, secrets: Sequence[str], now: int, tolerance_seconds: int
) -> Diagnosis:
    """Judge a request's headers and raw body at `now` (epoch ms)."""
    given: dict[str, str] = {}
    for name, value in headers:
        given.setdefault(name.lower(), value)
    signature, timestamp = given.get(SIGNATURE_HEADER.lower()), given.get(TIMESTAMP_HEADER.lower())
    return diagnose(
        secrets,
        signature.encode("latin-1") if signature is not None else None,
        timestamp.encode("latin-1") if timestamp is not None else None,
        body,
        now,
        tolerance_seconds,
        _decoded(body, given.get("content-encoding")),
    )


def _decoded(body: bytes, encoding: str | None) -> bytes | None:
    if encoding is None:
        return None
    try:
        return decoded_body(body, encoding, Limits().body_bytes)
    except RefusedError:
        return None
