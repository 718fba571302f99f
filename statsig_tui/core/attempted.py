"""A delivery's attempt as one JSON text, request and answer, for whoever compares two of them. Pure."""

from __future__ import annotations

from statsig_tui.core import jsontext
from statsig_tui.core.records import AttemptRecord, Headers


def as_document(attempt: AttemptRecord, body: bytes) -> bytes:
    """What was sent and what came back; bodies that are JSON stand in it as they are spelled."""
    request = {
        "url": jsontext.dump(attempt.url),
        "headers": _head(attempt.request_headers),
        "body": _body(body),
    }
    answer = {
        "status": jsontext.dump(attempt.status),
        "reason": jsontext.dump(attempt.reason),
        "error": jsontext.dump(attempt.error),
        "headers": _head(attempt.response_headers),
        "body": _body(attempt.response_body),
        "truncated": jsontext.dump(attempt.truncated),
    }
    return jsontext.join({"request": jsontext.join(request), "response": jsontext.join(answer)})


def _head(headers: Headers) -> bytes:
    """By name, whose case does not count; what comes several times is one value."""
    found: dict[str, str] = {}
    for name, value in headers:
        known = found.get(name.lower())
        found[name.lower()] = value if known is None else f"{known}, {value}"
    return jsontext.dump(found)


def _body(raw: bytes) -> bytes:
    if not raw:
        return b"null"
    try:
        jsontext.parse(raw)
    except jsontext.JsonError:
        return jsontext.dump(raw.decode(errors="backslashreplace"))
    return jsontext.without_bom(raw)
