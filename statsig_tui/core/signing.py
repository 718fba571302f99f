"""Webhook signatures, made and checked on raw bytes (statsig-wire.md §3.6)."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

SIGNATURE_HEADER = "X-Statsig-Signature"
TIMESTAMP_HEADER = "X-Statsig-Request-Timestamp"
VERSION = "v0"
_SIGNATURE = re.compile(rb"v0=[0-9a-f]{64}")
_TIMESTAMP = re.compile(rb"[0-9]{1,16}")
_UNINTERRUPTED = 2047
"""Bytes that hashlib takes without giving up the interpreter: to get it back from whoever took it meanwhile,
as the store's writer does, costs more than to hash a usual body.
"""
_SHORT = 16 * 1024
"""A longer message is hashed in one piece, while others go on."""
_SECONDS_BELOW = 100_000_000_000
"""A timestamp smaller than this is in seconds: as milliseconds it would lie before 1973-03-03."""


class SignatureState(StrEnum):
    """What a signature turned out to be."""

    VALID = "valid"
    INVALID = "invalid"
    MISSING = "missing"
    STALE = "stale"
    UNCHECKED = "unchecked"
    """No secret is known to check it with."""


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """The state, a code for the answer's error, and the reason in words."""

    state: SignatureState
    code: str
    reason: str


_VALID = SignatureVerdict(SignatureState.VALID, "valid", "the digest matches")


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The signature header for a body sent at `timestamp` (epoch ms as text)."""
    return f"{VERSION}={digest(secret, timestamp.encode(), body)}"


def signing_headers(secret: str, now: int, body: bytes) -> tuple[tuple[str, str], tuple[str, str]]:
    """The headers that sign a body sent at `now` (epoch ms): the timestamp's and the signature's."""
    timestamp = str(now)
    return (TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, sign(secret, timestamp, body))


def digest(secret: str, timestamp: bytes, body: bytes) -> str:
    """HMAC-SHA256 over `v0:<timestamp>:<body>` as 64 lower-case hex digits."""
    signed = b"v0:" + timestamp + b":" + body
    step = _UNINTERRUPTED if len(signed) <= _SHORT else len(signed)
    made = _keyed(secret).copy()
    for start in range(0, len(signed), step):
        made.update(signed[start : start + step])
    return made.hexdigest()


@lru_cache(maxsize=64)
def _keyed(secret: str) -> hmac.HMAC:
    """To be copied: making one costs as much as a short body does."""
    return hmac.new(secret.encode(), digestmod="sha256")


def verify(
    secrets: Sequence[str],
    signature: bytes | None,
    timestamp: bytes | None,
    body: bytes,
    now: int,
    tolerance_seconds: int,
) -> SignatureVerdict:
    """Judge a request's two signature headers; `now` in epoch ms, tolerance 0 accepts any age.

    Any of the secrets may have signed it. Comparison takes constant time.
    """
    if signature is None or timestamp is None:
        absent = [
            name
            for name, value in ((SIGNATURE_HEADER, signature), (TIMESTAMP_HEADER, timestamp))
            if value is None
        ]
        return SignatureVerdict(
            SignatureState.MISSING, "missing_signature", f"{' and '.join(absent)} missing"
        )
    if not _SIGNATURE.fullmatch(signature):
        return SignatureVerdict(SignatureState.INVALID, "bad_signature_format", _format_mistake(signature))
    if not _TIMESTAMP.fullmatch(timestamp):
        return SignatureVerdict(
            SignatureState.INVALID, "bad_timestamp", f"{TIMESTAMP_HEADER} is not epoch milliseconds"
        )
    if not secrets:
        return SignatureVerdict(SignatureState.UNCHECKED, "unverified", "no signing secret is known here")
    given = signature[len(VERSION) + 1 :]
    if not any(hmac.compare_digest(digest(secret, timestamp, body).encode(), given) for secret in secrets):
        return SignatureVerdict(
            SignatureState.INVALID, "bad_signature", "the digest matches none of the known secrets"
        )
    sent_at = int(timestamp)
    if sent_at < _SECONDS_BELOW:
        return SignatureVerdict(
            SignatureState.INVALID, "bad_timestamp", f"{TIMESTAMP_HEADER} is in seconds: send milliseconds"
        )
    skew = now - sent_at
    if tolerance_seconds and abs(skew) > tolerance_seconds * 1000:
        side = "old" if skew > 0 else "ahead"
        return SignatureVerdict(
            SignatureState.STALE,
            "stale_timestamp",
            f"the timestamp is {abs(skew) / 1000:.1f} s {side}; {tolerance_seconds} s are tolerated",
        )
    return _VALID


def _format_mistake(signature: bytes) -> str:
    text = signature.strip()
    if text != signature:
        return "the signature has spaces around it"
    if text.startswith(b"sha256="):
        return "the signature starts with sha256= instead of v0="
    if re.fullmatch(rb"[0-9a-fA-F]{64}", text):
        return "the prefix v0= is missing"
    if re.fullmatch(rb"[vV]0=[0-9a-fA-F]{64}", text):
        return "the signature must be lower case"
    return "the signature is not v0= and 64 hex digits"
