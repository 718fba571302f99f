"""The rules a request's head must keep, before any app hears of it. Pure: bytes in, a refusal out.

The parser (llhttp) knows the grammar; this knows what the grammar lets through.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_LENGTH = re.compile(rb"[0-9]{1,19}")
_ABSOLUTE = re.compile(rb"https?://([^/?]*)(.*)", re.IGNORECASE)
_OTHER_PROTOCOL = re.compile(r"Invalid \w* ?version|PRI")
_FRAMING = re.compile(r"content-length|transfer-encoding|chunk", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one peer may ask of us."""

    head_bytes: int = 16 * 1024
    """Request line and headers; the target alone may take half of it."""
    headers: int = 100
    head_seconds: float = 5.0
    """From the connection, or from a later request's first byte, to the end of the head."""
    body_bytes: int = 10 * 1024 * 1024
    body_idle_seconds: float = 10.0
    body_total_seconds: float = 30.0
    connections: int = 64
    """With this many open, accepting pauses; others wait in the backlog."""
    keep_alive_seconds: float = 5.0
    stop_seconds: float = 3.0
    """How long requests in flight may take to finish once the server stops."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that is not kept, and why. Holds no byte of it."""

    peer: str
    status: int | None
    """The answer's status; None where the connection was closed without one."""
    code: str
    message: str


class RefusedError(Exception):
    """The answer a request gets instead of the app's."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def check_head(
    version: str, target: bytes, headers: Sequence[tuple[bytes, bytes]], size: int, limits: Limits
) -> bytes:
    """The target as path and query; RefusedError for a head that breaks a rule.

    Header names are lower-case. `size` is an upper bound of the head's bytes: measuring is left to
    the rare head that may be too large.
    """
    if version not in {"1.1", "1.0"}:
        raise bad_version()
    if len(target) > limits.head_bytes // 2 or size > limits.head_bytes:
        exact = len(target) + sum(len(name) + len(value) + 4 for name, value in headers)
        if exact > limits.head_bytes or len(target) > limits.head_bytes // 2:
            raise too_large(len(target), limits)
    if len(headers) > limits.headers:
        raise RefusedError(431, "too_many_headers", f"The request has more than {limits.headers} headers.")
    names = [name for name, _ in headers]
    hosts = names.count(b"host")
    host = headers[names.index(b"host")][1].strip() if hosts else b""
    if hosts > 1 or (not host and (hosts or version == "1.1")):
        raise RefusedError(400, "bad_host", "The request needs one Host header, and not an empty one.")
    if b"transfer-encoding" in names:
        _check_chunked(version, names, headers)
    elif b"content-length" in names:
        length = headers[names.index(b"content-length")][1].strip()
        if names.count(b"content-length") > 1 or not _LENGTH.fullmatch(length):
            raise RefusedError(400, "bad_framing", "Content-Length must stand once, as 1 to 19 digits.")
        if int(length) > limits.body_bytes:
            raise RefusedError(*body_too_large(limits))
    return target if target.startswith(b"/") and b"#" not in target else _origin_form(target, host)


def _check_chunked(version: str, names: list[bytes], headers: Sequence[tuple[bytes, bytes]]) -> None:
    if b"content-length" in names or names.count(b"transfer-encoding") > 1 or version == "1.0":
        raise RefusedError(400, "bad_framing", "Transfer-Encoding must stand once, alone, and in HTTP/1.1.")
    if headers[names.index(b"transfer-encoding")][1].strip().lower() != b"chunked":
        raise RefusedError(501, "bad_framing", "The only Transfer-Encoding understood here is chunked.")


def _origin_form(target: bytes, host: bytes) -> bytes:
    target = target.partition(b"#")[0]
    if target == b"*" or target.startswith(b"/"):
        return target
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        raise RefusedError(400, "bad_target", "The request target is neither a path nor an http URL.")
    if match[1].lower() != host.lower():
        raise RefusedError(400, "bad_host", "The request target and the Host header name different hosts.")
    return match[2] if match[2].startswith(b"/") else b"/" + match[2]


def bad_version() -> RefusedError:
    """The refusal of another protocol."""
    return RefusedError(505, "http_version", "Only HTTP/1.1 and HTTP/1.0 are spoken here.")


def too_large(target: int, limits: Limits) -> RefusedError:
    """The refusal of a head over the limit, whose target has so many bytes."""
    if target > limits.head_bytes // 2:
        return RefusedError(
            414, "uri_too_long", f"The request target is over {limits.head_bytes // 2} bytes."
        )
    return RefusedError(431, "head_too_large", f"The request's head is over {limits.head_bytes} bytes.")


def body_too_large(limits: Limits) -> tuple[int, str, str]:
    """Status, code and message for a body over the limit."""
    return 413, "body_too_large", f"The body is over the limit of {limits.body_bytes} bytes."


def unreadable(reason: str) -> RefusedError:
    """The refusal of what the parser gave up on; its reasons are fixed words, never the peer's."""
    if _OTHER_PROTOCOL.search(reason):
        return bad_version()
    code = "bad_framing" if _FRAMING.search(reason) else "bad_request"
    return RefusedError(400, code, f"This is not valid HTTP/1.1: {reason}.")
