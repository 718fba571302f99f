"""Why a signature does not verify: which of the usual mistakes made it (statsig-wire.md §3.6).

Every mistake is a deviation from the one right way: another secret, base string, timestamp or body. What
reproduces the received digest with the fewest deviations is the explanation. Pure.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from statsig_tui.core import jsontext
from statsig_tui.core.redact import mask_secret
from statsig_tui.core.signing import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    VERSION,
    SignatureState,
    SignatureVerdict,
    digest,
    verify,
)

_HASHED = 64 * 1024 * 1024
"""Bytes that are hashed at the most: a large body gets fewer guesses, not a longer wait."""
_DEVIATIONS = 2
"""How many mistakes at once are looked for."""
_CLOCK_MS = 1500
"""How far a clock that was read a second time may have run on."""
_RESPELLED = 1024 * 1024
"""Bytes up to which a body is serialised again in every usual way."""
_SHOWN = 200
"""Bytes of the base string that are told."""
_PREFIX = re.compile(rb"(?:[a-zA-Z]+-)?[a-zA-Z]*[0-9]*=")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What was done instead of the right thing, and how to mend it."""

    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What one known secret makes of the request."""

    secret: str
    """Masked."""
    signature: str
    matches: bool


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All there is to say of a request's signature."""

    verdict: SignatureVerdict
    base: bytes
    """The head of `v0:<timestamp>:<body>`, what is to be signed."""
    base_size: int
    expected: tuple[Expected, ...]
    mistakes: tuple[Mistake, ...]
    """What explains the received signature, one or several at once; empty where none is known to."""
    mend: str = ""
    """What to do where that does not explain all of it."""


@dataclass(frozen=True, slots=True)
class _Request:
    secrets: Sequence[str]
    timestamp: bytes
    body: bytes


_Guess = tuple[Mistake | None, bytes]
"""A deviation, None for the right way, and what it leads to."""


def diagnose(
    secrets: Sequence[str],
    signature: bytes | None,
    timestamp: bytes | None,
    body: bytes,
    now: int,
    tolerance_seconds: int,
    decoded: bytes | None = None,
) -> Diagnosis:
    """Explain a request's two signature headers; `now` in epoch ms, `decoded` the body without its encoding.

    Takes a second or two for a body of megabytes: call it off any loop.
    """
    verdict = verify(secrets, signature, timestamp, body, now, tolerance_seconds)
    stamp = timestamp or b""
    base = b"v0:" + stamp + b":" + body[:_SHOWN]
    made = [(secret, f"{VERSION}={digest(secret, stamp, body)}") for secret in secrets] if timestamp else []
    expected = tuple(Expected(mask_secret(secret), text, text.encode() == signature) for secret, text in made)
    size = len(stamp) + 4 + len(body)
    if verdict.state in (SignatureState.VALID, SignatureState.UNCHECKED) or signature is None:
        return Diagnosis(verdict, base[:_SHOWN], size, expected, (), _mend(verdict, secrets))
    mistakes, is_explained = _found(_Request(secrets, stamp, body), signature, decoded)
    mend = "" if mistakes and is_explained else _mend(verdict, secrets)
    return Diagnosis(verdict, base[:_SHOWN], size, expected, mistakes, mend)


def _mend(verdict: SignatureVerdict, secrets: Sequence[str]) -> str:
    if verdict.state is SignatureState.VALID:
        return ""
    if verdict.code == "missing_signature":
        return f"Send both headers: {SIGNATURE_HEADER} and {TIMESTAMP_HEADER}."
    if not secrets:
        return "Give the signing secret to the receiver or to a destination: then it is checked."
    if verdict.code == "stale_timestamp":
        return "Set the clocks right, or sign at the moment of sending; a replay is signed anew with R."
    if verdict.code == "bad_timestamp":
        return f"{TIMESTAMP_HEADER} is epoch milliseconds as 13 digits, the same text that is signed."
    return (
        "None of the usual mistakes explains it. Most likely another secret signed it: that of another"
        " integration, or one that Generate New Key has replaced. Or the body was changed on its way."
    )


def _found(request: _Request, signature: bytes, decoded: bytes | None) -> tuple[tuple[Mistake, ...], bool]:
    """The mistakes, and whether they lead to the received digest."""
    received, spelling = _digest_in(signature)
    explained: tuple[Mistake, ...] | None = None
    if received is not None:
        explained = _explained(request, received, decoded)
        if explained is None:
            explained = _other_clock(request, received)
    seconds = _seconds(request.timestamp) if explained is not None else None
    found = tuple(item for item in (spelling, *(explained or ()), seconds) if item is not None)
    return found, explained is not None or received is None


def _explained(request: _Request, received: bytes, decoded: bytes | None) -> tuple[Mistake, ...] | None:
    ways = [
        list(_secrets(request.secrets)),
        list(_bases()),
        list(_timestamps(request.timestamp)),
        list(_bodies(request.body, decoded)),
    ]
    budget = _HASHED
    for count in range(_DEVIATIONS + 1):
        for chosen in combinations(range(len(ways)), count):
            options = [
                [item for item in way if (item[0] is not None) == (index in chosen)]
                for index, way in enumerate(ways)
            ]
            for secret, base, stamp, body in product(*options):
                budget -= len(body[1]) + 256
                if budget < 0:
                    return None
                message = _BASES[base[1]](stamp[1], body[1])
                if hmac.compare_digest(hmac.digest(secret[1], message, "sha256"), received):
                    return tuple(item[0] for item in (base, stamp, body, secret) if item[0] is not None)
    return None


def _other_clock(request: _Request, received: bytes) -> tuple[Mistake, ...] | None:
    if not re.fullmatch(rb"[0-9]{13}", request.timestamp):
        return None
    stamp = int(request.timestamp)
    budget = _HASHED
    for distance in range(1, _CLOCK_MS + 1):
        for other, secret in product((stamp - distance, stamp + distance), request.secrets):
            budget -= len(request.body) + 256
            if budget < 0:
                return None
            message = b"v0:%d:" % other + request.body
            if hmac.compare_digest(hmac.digest(secret.encode(), message, "sha256"), received):
                return (
                    Mistake(
                        f"the clock was read twice: {distance} ms lie between what was signed and the header",
                        "Read the clock once, and use that text for both header and base string.",
                    ),
                )
    return None


def _digest_in(signature: bytes) -> tuple[bytes | None, Mistake | None]:
    """The 32 bytes that a header means, however they are spelled, and what is wrong with the spelling."""
    text = signature.strip()
    prefix = _PREFIX.match(text)
    rest = text[prefix.end() :] if prefix is not None else text
    received: bytes | None = None
    spelling = ""
    if re.fullmatch(rb"[0-9a-fA-F]{64}", rest):
        received = bytes.fromhex(rest.decode())
        if rest != rest.lower():
            spelling = "the digest is in upper case"
    else:
        with_padding = rest + b"=" * (-len(rest) % 4)
        try:
            raw = base64.b64decode(with_padding, altchars=b"-_" if b"-" in rest or b"_" in rest else None)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) == 32:
            received, spelling = raw, "the digest is in base64 instead of hexadecimal"
    if received is None:
        return None, Mistake(
            "what stands in the header is no digest of 32 bytes", f"Send {VERSION}= and 64 hex digits."
        )
    if text != signature:
        spelling = spelling or "there are spaces around the signature"
    if prefix is None:
        spelling = spelling or "the prefix v0= is missing"
    elif prefix[0] != b"v0=":
        spelling = spelling or f"the prefix is {prefix[0].decode()} instead of v0="
    return received, Mistake(spelling, f"Send {VERSION}= and 64 lower-case hex digits.") if spelling else None


def _secrets(secrets: Sequence[str]) -> Iterator[_Guess]:
    for secret in secrets:
        yield None, secret.encode()
    for secret in secrets:
        if secret.startswith("webhook-"):
            yield (
                Mistake(
                    "the secret was used without its webhook- prefix", "The prefix is part of the secret."
                ),
                secret.removeprefix("webhook-").encode(),
            )
        for end, name in ((b"\n", "a newline"), (b"\r\n", "a line end"), (b" ", "a space")):
            yield (
                Mistake(f"the secret was used with {name} at its end", "Strip it where it is read."),
                secret.encode() + end,
            )
        yield (
            Mistake("the secret was used in quotes", "Strip the quotes where it is read."),
            f'"{secret}"'.encode(),
        )
        yield Mistake("the secret was used in lower case", "It is case-sensitive."), secret.lower().encode()


_BASES: dict[bytes, Callable[[bytes, bytes], bytes]] = {
    b"right": lambda stamp, body: b"v0:" + stamp + b":" + body,
    b"body": lambda stamp, body: body,
    b"untimed": lambda stamp, body: b"v0:" + body,
    b"unversioned": lambda stamp, body: stamp + b":" + body,
    b"dots": lambda stamp, body: stamp + b"." + body,
    b"glued": lambda stamp, body: stamp + body,
    b"v1": lambda stamp, body: b"v1:" + stamp + b":" + body,
}


def _bases() -> Iterator[_Guess]:
    mend = "Sign v0:<timestamp>:<body>."
    yield None, b"right"
    yield Mistake("the body alone was signed", mend), b"body"
    yield Mistake("the timestamp was left out of what was signed", mend), b"untimed"
    yield Mistake("v0: was left out of what was signed", mend), b"unversioned"
    yield Mistake("timestamp and body were joined by a dot, as Stripe does it", mend), b"dots"
    yield Mistake("timestamp and body were joined without a colon, and without v0:", mend), b"glued"
    yield Mistake("v1: was signed instead of v0:", mend), b"v1"


def _timestamps(stamp: bytes) -> Iterator[_Guess]:
    yield None, stamp
    mend = f"Sign the very text of {TIMESTAMP_HEADER}."
    if re.fullmatch(rb"[0-9]{13}", stamp):
        yield Mistake("seconds were signed, milliseconds sent", mend), stamp[:-3]
        yield Mistake("the timestamp was signed rounded to seconds", mend), stamp[:-3] + b"000"
        yield Mistake("the timestamp was signed with a decimal point", mend), stamp[:-3] + b"." + stamp[-3:]
    if re.fullmatch(rb"[0-9]{10}", stamp):
        yield Mistake("milliseconds were signed, seconds sent", mend), stamp + b"000"


def _seconds(stamp: bytes) -> Mistake | None:
    if not re.fullmatch(rb"[0-9]{1,11}", stamp):
        return None
    return Mistake(
        f"{TIMESTAMP_HEADER} is in seconds", "Send epoch milliseconds, 13 digits, and sign the same text."
    )


def _bodies(body: bytes, decoded: bytes | None) -> Iterator[_Guess]:
    yield None, body
    raw = "Sign and send the same bytes: serialise once."
    seen = {body}

    def guess(what: str, mend: str, other: bytes) -> Iterator[_Guess]:
        if other not in seen:
            seen.add(other)
            yield Mistake(what, mend), other

    yield from guess("a newline was added to the body", raw, body.removesuffix(b"\n"))
    yield from guess("the body was signed with a newline at its end", raw, body + b"\n")
    yield from guess("the line ends were changed", raw, body.replace(b"\r\n", b"\n"))
    yield from guess("a byte order mark was added to the body", raw, jsontext.without_bom(body))
    if decoded is not None:
        yield from guess(
            "the body was signed before it was compressed", "Sign the bytes on the wire.", decoded
        )
    try:
        for value in _values(body if decoded is None else decoded):
            is_large = len(body) > _RESPELLED
            for other in _spelled(value, is_large=is_large):
                yield from guess("the body was serialised again between signing and sending", raw, other)
            if isinstance(value, dict) and isinstance(value.get("data"), list):
                for other in _spelled(value["data"], is_large=is_large):
                    yield from guess("the events were signed without their envelope", "Sign the body.", other)
            if isinstance(value, list):
                for other in _spelled({"data": value}, is_large=is_large):
                    yield from guess("the envelope was signed but not sent", raw, other)
    except (ValueError, RecursionError):
        return


def _values(body: bytes) -> Iterator[object]:
    """The body's value as Python reads it and, where that differs, as JavaScript does: 1.0 becomes 1."""
    yield json.loads(body)
    if b"." in body or b"e" in body or b"E" in body:
        yield json.loads(body, parse_float=_as_javascript)


def _as_javascript(text: str) -> float | int:
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 1e21 else number


_JAVASCRIPT: dict[str, Any] = {"separators": (",", ":"), "ensure_ascii": False}
_PYTHON: dict[str, Any] = {"ensure_ascii": True}
_STYLES = (
    _JAVASCRIPT,
    _PYTHON,
    *(
        style | {"ensure_ascii": is_ascii, "sort_keys": is_sorted}
        for style in (_JAVASCRIPT, _PYTHON, {"indent": 2}, {"indent": 4})
        for is_ascii in (False, True)
        for is_sorted in (False, True)
    ),
)
"""How the usual serialisers write JSON, the most usual first."""


def _spelled(value: object, *, is_large: bool) -> Iterator[bytes]:
    """A JSON value as the usual serialisers write it; of a large one as the two most usual do."""
    for style in _STYLES[:2] if is_large else _STYLES:
        yield json.dumps(value, **style).encode(errors="surrogatepass")
