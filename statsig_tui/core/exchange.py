"""One request and what it was answered, as it is exported, imported and shown; HAR and JSON of it. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from statsig_tui.core.event import is_unicode, milliseconds
from statsig_tui.core.phases import Phases
from statsig_tui.core.records import Headers
from statsig_tui.core.redact import Redactor
from statsig_tui.core.request import target_of
from statsig_tui.core.signing import SignatureState

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 253_402_300_799_999
"""The end of the year 9999, epoch ms."""
_MARK = "_statsig_tui"
"""What HAR has no place for; a name with an underscore is ours to use."""


class NotAnExchange(ValueError):
    """What was to be read is none; says why."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """All of it, as far as it is known."""

    at: int
    """Epoch ms."""
    method: str
    url: str
    headers: Headers
    body: bytes
    status: int | None = None
    reason: str = ""
    answer_headers: Headers = ()
    answer_body: bytes = b""
    ms: float | None = None
    phases: Phases | None = None
    """Where the time went, of what was sent from here."""
    http_version: str = "1.1"
    peer: str = ""
    signature: SignatureState = SignatureState.UNCHECKED
    signature_reason: str = ""
    fault: str | None = None
    id: str = ""

    @property
    def path(self) -> str:
        """Path and query."""
        return target_of(self.url)

    def masked(self, redact: Callable[[str], str]) -> Exchange:
        """The same with every secret masked, in the bodies, too."""
        heads = Redactor()
        return replace(
            self,
            url=redact(self.url),
            signature_reason=redact(self.signature_reason),
            fault=redact(self.fault) if self.fault else self.fault,
            headers=tuple((name, redact(heads.header(name, value))) for name, value in self.headers),
            body=masked_bytes(self.body, redact),
            answer_headers=tuple(
                (name, redact(heads.header(name, value))) for name, value in self.answer_headers
            ),
            answer_body=masked_bytes(self.answer_body, redact),
        )


def iso(at: int) -> str:
    """Epoch ms as ISO 8601 in UTC."""
    return (_EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds")


def masked_bytes(body: bytes, redact: Callable[[str], str]) -> bytes:
    """Bytes with every secret masked; what is no UTF-8 in them stays as it is."""
    return redact(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def body_fields(body: bytes) -> dict[str, str]:
    """A body for a JSON line: `body` where it is text, else `body_base64`."""
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}


def to_fields(it: Exchange) -> dict[str, Any]:
    """What a JSON line says of it beside the record's own fields."""
    return {
        "url": it.url,
        "http_version": it.http_version,
        "peer": it.peer or None,
        "headers": [list(pair) for pair in it.headers],
        **body_fields(it.body),
        "answer": {
            "status": it.status,
            "headers": [list(pair) for pair in it.answer_headers],
            **body_fields(it.answer_body),
        },
        "ms": it.ms and round(it.ms, 3),
    }


def from_fields(fields: Any) -> Exchange:
    """The exchange of a capture's JSON line. Raises NotAnExchange."""
    if not isinstance(fields, dict) or fields.get("type") != "capture":
        raise NotAnExchange('it is no exported capture: {"type":"capture", …}')
    answer = _object(fields, "answer")
    return Exchange(
        at=_time(fields),
        method=_said(fields, "method"),
        url=_said(fields, "path"),
        headers=_headers(fields.get("headers")),
        body=_body(fields),
        status=_number(answer, "status"),
        answer_headers=_headers(answer.get("headers")),
        answer_body=_body(answer),
        ms=_milliseconds(fields.get("ms")),
        http_version=_text(fields, "http_version"),
        signature=_signature(fields.get("signature")),
        signature_reason=_text(fields, "signature_reason"),
        fault=fields["fault"] if isinstance(fields.get("fault"), str) else None,
    )


def to_har(it: Exchange) -> dict[str, Any]:
    """It as an entry of an HTTP archive (HAR 1.2)."""
    took = it.ms or 0.0
    phases = it.phases or Phases(wait=took)
    opening = [ms for ms in (phases.connect, phases.tls) if ms is not None]
    return {
        "startedDateTime": iso(it.at),
        "time": took,
        "request": {
            "method": it.method,
            "url": it.url,
            "httpVersion": f"HTTP/{it.http_version}",
            "cookies": [],
            "headers": _pairs(it.headers),
            "queryString": [],
            "postData": {"mimeType": _kind(it.headers), "params": [], **_har_text(it.body)},
            "headersSize": -1,
            "bodySize": len(it.body),
        },
        "response": {
            "status": it.status or 0,
            "statusText": it.reason,
            "httpVersion": f"HTTP/{it.http_version}",
            "cookies": [],
            "headers": _pairs(it.answer_headers),
            "content": {
                "size": len(it.answer_body),
                "mimeType": _kind(it.answer_headers),
                **_har_text(it.answer_body),
            },
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": len(it.answer_body),
        },
        "cache": {},
        "timings": {
            # Their sum is to be the whole; TLS is a part of connecting, and -1 is none of it.
            "blocked": max(0.0, took - sum(ms for _, ms in phases)),
            "dns": -1 if phases.resolve is None else phases.resolve,
            "connect": sum(opening) if opening else -1,
            "ssl": -1 if phases.tls is None else phases.tls,
            "send": phases.send or 0,
            "wait": phases.wait or 0,
            "receive": phases.read or 0,
        },
        _MARK: {
            "id": it.id,
            "signature": it.signature.value,
            "signature_reason": it.signature_reason,
            "fault": it.fault,
        },
    }


def from_har(entry: Any) -> Exchange:
    """The exchange of a HAR entry. Raises NotAnExchange."""
    if not isinstance(entry, dict):
        raise NotAnExchange("it is no object")
    request, response, own = _object(entry, "request"), _object(entry, "response"), _object(entry, _MARK)
    at = milliseconds(_text(entry, "startedDateTime"))
    if at is None or not 0 <= at <= _LAST:
        raise NotAnExchange("startedDateTime is no time")
    content = _object(response, "content")
    return Exchange(
        at=at,
        method=_said(request, "method"),
        url=_said(request, "url"),
        headers=_har_headers(request.get("headers")),
        body=_har_body(_object(request, "postData")),
        status=_number(response, "status") or None,
        reason=_text(response, "statusText"),
        answer_headers=_har_headers(response.get("headers")),
        answer_body=_har_body(content),
        ms=_milliseconds(entry.get("time")),
        http_version=_text(request, "httpVersion").removeprefix("HTTP/") or "1.1",
        signature=_signature(own.get("signature")),
        signature_reason=_text(own, "signature_reason"),
        fault=own["fault"] if isinstance(own.get("fault"), str) else None,
    )


def _kind(headers: Headers) -> str:
    return next((value for name, value in headers if name.lower() == "content-type"), "")


def _pairs(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _har_text(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(body).decode(), "encoding": "base64"}


def _har_body(holder: Mapping[str, Any]) -> bytes:
    text = _text(holder, "text")
    return _unpacked(text) if holder.get("encoding") == "base64" else text.encode()


def _har_headers(found: Any) -> Headers:
    items = found if isinstance(found, list) else []
    return _headers([[item.get("name"), item.get("value")] for item in items if isinstance(item, dict)])


def _object(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = holder.get(name)
    if found is not None and not isinstance(found, dict):
        raise NotAnExchange(f"{name} is no object")
    return found or {}


def _text(holder: Mapping[str, Any], name: str) -> str:
    found = holder.get(name, "")
    if not isinstance(found, str) or not is_unicode(found):
        raise NotAnExchange(f"{name} is no text")
    return found


def _said(holder: Mapping[str, Any], name: str) -> str:
    if not (found := _text(holder, name)):
        raise NotAnExchange(f"{name} is missing")
    return found


def _number(holder: Mapping[str, Any], name: str) -> int:
    found = holder.get(name)
    if isinstance(found, bool) or not isinstance(found, int) or abs(found) >= 2**53:
        raise NotAnExchange(f"{name} is no whole number")
    return found


def _time(holder: Mapping[str, Any]) -> int:
    at = _number(holder, "at")
    if not 0 <= at <= _LAST:
        raise NotAnExchange("at is no time")
    return at


def _milliseconds(found: Any) -> float | None:
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return float(found) if is_number and 0 <= found < 2**53 else None


def _headers(found: Any) -> Headers:
    pairs = found if isinstance(found, list) else []
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise NotAnExchange("headers are no pairs")
    if not all(isinstance(part, str) and is_unicode(part) for pair in pairs for part in pair):
        raise NotAnExchange("a header is no text")
    return tuple((name, value) for name, value in pairs)


def _signature(found: Any) -> SignatureState:
    known = {state.value: state for state in SignatureState}
    return known.get(found, SignatureState.UNCHECKED) if isinstance(found, str) else SignatureState.UNCHECKED


def _body(holder: Mapping[str, Any]) -> bytes:
    if "body_base64" in holder:
        return _unpacked(_text(holder, "body_base64"))
    return _text(holder, "body").encode()


def _unpacked(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NotAnExchange("a body is no base64") from None
