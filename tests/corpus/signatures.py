"""Table S of reliability.md §2.2: signature headers, timestamps and URL verification at the receiver."""

from __future__ import annotations

import json
from dataclasses import dataclass

from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, SignatureState, sign
from tests.conftest import SECRET
from tests.corpus.wire import BATCH, NOW, signature_lines

OTHER_SECRET = "webhook-" + "o" * 43
"""Known to the receiver beside the destination's: the previous one of a rotation."""
VALID, INVALID, MISSING, STALE, UNCHECKED = SignatureState
Lines = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A request's signature headers, and what is made of them."""

    id: str
    lines: Lines
    state: SignatureState
    code: str | None = None
    """What is wrong; None: nothing."""
    says: str = ""
    """In the reason that is kept with the capture."""
    body: bytes = BATCH
    status: int | None = None
    """The answer whether signatures are enforced or not; None: 401 or 200, as the setting says."""
    answer: bytes = b""
    """The answer's body; empty: any."""
    secret: bool = True
    """Whether any signing secret is known."""


_GOOD = sign(SECRET, str(NOW), BATCH)
_HEX = _GOOD.removeprefix("v0=")


def _by(signature: str, stamp: int | str = NOW) -> Lines:
    return f"{SIGNATURE_HEADER}: {signature}", f"{TIMESTAMP_HEADER}: {stamp}"


def _malformed(id: str, signature: str, says: str = "not v0= and 64 hex digits") -> Case:  # noqa: A002
    return Case(id, _by(signature), INVALID, "bad_signature_format", says)


def _wrong(id: str, lines: Lines, body: bytes = BATCH) -> Case:  # noqa: A002
    return Case(id, lines, INVALID, "bad_signature", "matches none of the known secrets", body)


def _at(stamp: int | str) -> Lines:
    return signature_lines(BATCH, at=stamp)


def _stamp(id: str, stamp: str) -> Case:  # noqa: A002
    return Case(id, _at(stamp), INVALID, "bad_timestamp", "is not epoch milliseconds")


HEADERS = [
    Case("S01 no signature", _by(_GOOD)[1:], MISSING, "missing_signature", f"{SIGNATURE_HEADER} missing"),
    Case("S01 no timestamp", _by(_GOOD)[:1], MISSING, "missing_signature", f"{TIMESTAMP_HEADER} missing"),
    Case("S01 neither", (), MISSING, "missing_signature",
         f"{SIGNATURE_HEADER} and {TIMESTAMP_HEADER} missing"),
    _malformed("S02 v1=", f"v1={_HEX}"),
    _malformed("S02 sha256=", f"sha256={_HEX}", "starts with sha256="),
    _malformed("S02 bare hex", _HEX, "prefix v0= is missing"),
    _malformed("S02 V0=", f"V0={_HEX}", "must be lower case"),
    _malformed("S02 upper-case hex", f"v0={_HEX.upper()}", "must be lower case"),
    _malformed("S02 space inside", f"v0= {_HEX}"),
    _malformed("S02 two in one", f"{_GOOD}, {_GOOD}"),
    _malformed("S02 trailing space", _GOOD + " ", "spaces around it"),
    Case("S02 two signatures", (*_by(_GOOD), _by(_GOOD)[0]), INVALID, "bad_signature_format", "sent twice"),
    Case("S02 two timestamps", (*_by(_GOOD), _by(_GOOD)[1]), INVALID, "bad_signature_format", "sent twice"),
    _malformed("S03 63 digits", _GOOD[:-1]),
    _malformed("S03 65 digits", _GOOD + "0"),
    _malformed("S03 no hex", "v0=" + "g" * 64),
    _malformed("S03 beyond ASCII", "v0=ab\xe7"),
    _malformed("S03 64 times beyond ASCII", "v0=" + "\xff" * 64),
    _malformed("S03 empty", ""),
    _malformed("S03 10 kB", "v0=" + "a" * 10_000),
]  # fmt: skip

_RESERIALISED = json.dumps(json.loads(BATCH)).encode()
_FIFTY = b'{"data":[{"eventName":"' + b"x" * 50 + b'"}]}'
_PLACES = range(_FIFTY.index(b"x"), _FIFTY.index(b"x") + 50)
DIGESTS = [
    _wrong("S04 over the re-serialised body", signature_lines(_RESERIALISED)),
    Case("S05 by another known secret", signature_lines(BATCH, secret=OTHER_SECRET), VALID),
    _wrong("S05 by an unknown secret", signature_lines(BATCH, secret="webhook-else")),
    _wrong("S06 secret without webhook-", signature_lines(BATCH, secret=SECRET.removeprefix("webhook-"))),
    _wrong("S06 secret with a line's end", signature_lines(BATCH, secret=SECRET + "\n")),
    *(_wrong(f"S07 byte {at} changed", signature_lines(_FIFTY), _FIFTY[:at] + b"y" + _FIFTY[at + 1 :])
      for at in _PLACES),
    _wrong("S07 a line's end behind", _by(_GOOD), BATCH + b"\n"),
    _wrong("S07 a space in front", _by(_GOOD), b" " + BATCH),
    _wrong("S07 a byte order mark in front", _by(_GOOD), b"\xef\xbb\xbf" + BATCH),
]  # fmt: skip

TIMES = [
    *(Case(f"S08 {seconds:+} s", _at(NOW + seconds * 1000), VALID) for seconds in (-300, -299, 299, 300)),
    Case("S08 -301 s", _at(NOW - 301_000), STALE, "stale_timestamp", "301.0 s old; 300 s are tolerated"),
    Case("S08 +301 s", _at(NOW + 301_000), STALE, "stale_timestamp", "301.0 s ahead"),
    Case("S08 seconds", _at(NOW // 1000), INVALID, "bad_timestamp", "in seconds: send milliseconds"),
    Case("S08 0", _at(0), INVALID, "bad_timestamp", "in seconds"),
    Case("S08 16 digits", _at("9" * 16), STALE, "stale_timestamp", "ahead"),
    _stamp("S08 negative", f"-{NOW}"),
    _stamp("S08 1e9", "1e9"),
    _stamp("S08 plus", f"+{NOW}"),
    _stamp("S08 underscores", "1_767_225_600_000"),
    _stamp("S08 superscript digit", f"{NOW}\xb2"),
    _stamp("S08 17 digits", "1" * 17),
    _stamp("S08 400 digits", "1" * 400),
    _stamp("S08 empty", ""),
    _stamp("S08 float", f"{NOW}.5"),
    Case("S08 another time than was signed", _by(_GOOD, NOW + 1), INVALID, "bad_signature"),
    Case("S10 after 10 min", _at(NOW - 600_000), STALE, "stale_timestamp", "600.0 s old"),
]  # fmt: skip


def _verification(code: str) -> bytes:
    return b'{"data":{"event":"url_verification"' + code.encode() + b"}}"


def _code(id: str, code: str) -> Case:  # noqa: A002
    body = _verification(f',"verification_code":{code}')
    return Case(id, signature_lines(body), VALID, "bad_verification", body=body, status=400)


_ASKED = _verification(',"verification_code":"aB1._-"')
_ECHOED = b'{"verification_code":"aB1._-"}'
_NO_CODE = _verification("")
_MIXED = b'{"data":[{"event":"url_verification","verification_code":"abc"},' + BATCH[9:]
HANDSHAKES = [
    Case("S11 unsigned", (), MISSING, body=_ASKED, status=200, answer=_ECHOED),
    Case("S11 signed", signature_lines(_ASKED), VALID, body=_ASKED, status=200, answer=_ECHOED),
    Case("S11 badly signed", _by(_GOOD), INVALID, body=_ASKED, status=200, answer=_ECHOED),
    Case("S11 without a secret", (), UNCHECKED, body=_ASKED, status=200, answer=_ECHOED, secret=False),
    _code("S12 100 kB", f'"{"x" * 100_000}"'),
    _code("S12 257 characters", f'"{"x" * 257}"'),
    _code("S12 number", "98765"),
    _code("S12 null", "null"),
    _code("S12 empty", '""'),
    _code("S12 script", '"<script>"'),
    _code("S12 ESC", '"\\u001b[31m"'),
    _code("S12 line's end", '"abc\\n"'),
    _code("S12 beyond ASCII", '"\\u00e9"'),
    _code("S12 lone surrogate", '"\\ud800"'),
    _code("S12 array", '["abc"]'),
    Case("S12 missing", signature_lines(_NO_CODE), VALID, "bad_verification", body=_NO_CODE, status=400),
    Case("S13 unsigned among events", (), MISSING, "missing_signature", body=_MIXED),
    Case("S13 signed among events", signature_lines(_MIXED), VALID, body=_MIXED),
    Case("S14 unsigned", (), UNCHECKED, "unverified", secret=False),
    Case("S14 signed", _by(_GOOD), UNCHECKED, "unverified", secret=False),
]  # fmt: skip

CASES = [*HEADERS, *DIGESTS, *TIMES, *HANDSHAKES]
