"""Table R of reliability.md §2.1 as far as it is about bytes on the wire; whole requests are in `requests`.

What goes to both listeners is refused by what both share, before either app hears of it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from statsig_tui.engine.listeners import Listener
from tests.corpus.wire import (
    BATCH,
    EVENT,
    HOOK,
    JSON_LINE,
    KEY_LINE,
    End,
    Flood,
    Part,
    Until,
    chunk,
    head,
    request,
    signature_lines,
    signed,
)

BOTH: tuple[Listener, ...] = ("receiver", "emulator")
RECEIVER: tuple[Listener, ...] = ("receiver",)
EMULATOR: tuple[Listener, ...] = ("emulator",)
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Case:
    """What is sent, to whom, and what must come of it."""

    id: str
    sent: Part | tuple[Part, ...]
    answers: tuple[int, ...] = ()
    """Statuses in their order; empty: closed without a word."""
    code: str | None = None
    """What is wrong: the last answer's code, a capture's fault, or what is counted."""
    to: tuple[Listener, ...] = BOTH
    end: End = "stay"
    kept: int = 0
    """Captures that come of it, at the receiver."""
    counted: str = ""
    """What is counted beside all that is answered."""
    says: str = ""
    lines: tuple[str, ...] = ()
    """Lines that the last answer's head must have."""
    shown: str = ""
    """The path under which it is shown; empty: any."""
    stored: bytes | None = None
    """The body that is kept; None: any."""
    signature: str = ""
    """What is made of the signature; empty: anything."""
    peers: int = 1
    """How many send it at the same time."""
    told: str = ""
    """On the list of what was not kept, where that is not what the answer says."""
    hasty: bool = False
    """Runs where deadlines are short: what it says to a silent or dripping peer is what counts."""


def refused(
    id: str,  # noqa: A002 - as in the case
    sent: Part | tuple[Part, ...],
    status: int,
    code: str,
    says: str = "",
) -> Case:
    """A case that is refused for its framing."""
    return Case(id, sent, (status,), code, says=says)


CHUNKED = head("Transfer-Encoding: chunked", JSON_LINE, KEY_LINE)
HALF = f"POST {HOOK} HTTP/1.1\r\nHost: loc".encode()


def _length(*values: str) -> bytes:
    return head(*(f"Content-Length: {value}" for value in values))


def _coding(*values: str) -> bytes:
    return head(*(f"Transfer-Encoding: {value}" for value in values))


SLOW = [
    Case("R01 nothing is sent", b"", hasty=True),
    Case("R02 half a head", HALF, code="head_timeout", hasty=True),
    Case("R02 half a second head", head("Content-Length: 0", request="GET / HTTP/1.1") + HALF,
         (200,), "head_timeout", to=EMULATOR, hasty=True),
    Case("R03 a head that drips", (head()[:-2], Flood(b"X: 1\r\n", 400, every=0.02)), code="head_timeout",
         hasty=True),
    Case("R04 a body that stops", _length("100000") + b"abc", (408,), "body_timeout", hasty=True,
         says="No more of the body came"),
    Case("R04 a chunked body that stops", CHUNKED + chunk(b"abc"), (408,), "body_timeout", hasty=True),
    Case("R05 a body that drips", (_length("100000"), Flood(b"x", 400, every=0.02)), (408,), "body_timeout",
         hasty=True, says="was not whole after"),
    Case("R06 a body cut off, then FIN", _length("100") + b"abc", code="aborted", end="fin"),
    Case("R06 a chunked body cut off, then FIN", CHUNKED + b"64\r\nabc", code="aborted", end="fin"),
    Case("R06 a head cut off, then FIN", HALF, end="fin"),
    Case("R07 a body cut off, then RST",
         (head("Content-Length: 100", "Expect: 100-continue"), Until.ANSWERED, b"abc"), (100,), "aborted",
         end="reset"),
    Case("R08 500 half-open connections", HALF, code="head_timeout", peers=500, hasty=True),
]  # fmt: skip

LENGTHS = [
    refused("R09 20 nines", _length("99999999999999999999"), 400, "bad_framing"),
    refused("R09 19 nines", _length("9999999999999999999"), 413, "body_too_large"),
    refused("R10 negative", _length("-5"), 400, "bad_framing"),
    refused("R10 plus", _length("+5"), 400, "bad_framing"),
    refused("R10 word", _length("abc"), 400, "bad_framing"),
    refused("R10 list", _length("5, 5"), 400, "bad_framing"),
    refused("R10 hex", _length("0x5"), 400, "bad_framing"),
    refused("R10 space inside", _length("1 0"), 400, "bad_framing"),
    refused("R10 empty", _length(""), 400, "bad_framing"),
    refused("R10 two equal", _length("5", "5"), 400, "bad_framing"),
    refused("R10 two different", _length("5", "6"), 400, "bad_framing"),
    refused("R10 20 digits, mostly zeros", _length("0" * 19 + "5"), 400, "bad_framing"),
    refused("R11 length, then chunked", head("Content-Length: 5", "Transfer-Encoding: chunked"), 400,
            "bad_framing"),
    refused("R11 chunked, then length", head("Transfer-Encoding: chunked", "Content-Length: 5"), 400,
            "bad_framing"),
    refused("R12 xchunked", _coding("xchunked"), 501, "bad_framing"),
    refused("R12 identity", _coding("identity"), 501, "bad_framing"),
    refused("R12 gzip, chunked", _coding("gzip, chunked"), 501, "bad_framing"),
    refused("R12 chunked, chunked", _coding("chunked, chunked"), 400, "bad_framing"),
    refused("R12 chunked twice", _coding("chunked", "chunked"), 400, "bad_framing"),
    refused("R12 chunked in HTTP/1.0", head("Transfer-Encoding: chunked", request=f"POST {HOOK} HTTP/1.0"),
            400, "bad_framing"),
    refused("R13 size zz", CHUNKED + b"zz\r\n", 400, "bad_framing"),
    refused("R13 size 0x5", CHUNKED + b"0x5\r\nhello\r\n", 400, "bad_framing"),
    refused("R13 size beyond 64 bits", CHUNKED + b"ffffffffffffffff1\r\n", 400, "bad_framing"),
    refused("R13 no CRLF behind a chunk", CHUNKED + b"5\r\nhelloX", 400, "bad_framing"),
    refused("R13 a bad chunk behind a good one", CHUNKED + chunk(b"[") + b"-1\r\n", 400, "bad_framing"),
    refused("R14 chunk extension", (CHUNKED, b"5;" + b"e" * 262_144), 400, "bad_framing"),
    refused("R14 long trailer", (CHUNKED, b"0\r\nX: " + b"t" * 262_144), 400, "bad_framing"),
    refused("R14 many trailers", (CHUNKED, b"0\r\n" + b"X: t\r\n" * 50_000), 400, "bad_framing"),
]  # fmt: skip

HEADS = [
    refused("R15 header 70 kB", head("X: " + "a" * 70_000), 431, "head_too_large"),
    refused("R15 header 1 MB", head("X: " + "a" * 1_000_000), 431, "head_too_large"),
    refused("R15 header 32 MB", (head()[:-2] + b"X: ", Flood(b"a" * 65_536, 512)), 431, "head_too_large"),
    refused("R15 header 17 kB, all in one burst", head("X: " + "a" * 17_000) + b"x" * 90_000, 431,
            "head_too_large"),
    refused("R15 empty lines", b"\r\n" * 40_000, 431, "head_too_large"),
    refused("R16 200 headers", head(*["X: 1"] * 200), 431, "too_many_headers"),
    refused("R16 20,000 headers", head(*["X: 1"] * 20_000), 431, "head_too_large"),
    refused("R17 target 9 kB", head(request=f"GET /{'a' * 9_000} HTTP/1.1"), 414, "uri_too_long"),
    refused("R17 target 70 kB", head(request=f"GET /{'a' * 70_000} HTTP/1.1"), 414, "uri_too_long"),
    refused("R17 target 1 MB", head(request=f"GET /{'a' * 1_000_000} HTTP/1.1"), 414, "uri_too_long"),
    refused("R17 method 100 kB", head(request=f"{'A' * 100_000} / HTTP/1.1"), 400, "bad_request"),
    refused("R18 no Host", head(host=""), 400, "bad_host"),
    refused("R18 two Hosts", head(host="Host: localhost\r\n" * 2), 400, "bad_host"),
    refused("R18 empty Host", head(host="Host:\r\n"), 400, "bad_host"),
    refused("R18 blank Host in HTTP/1.0", head(host="Host:  \r\n", request="GET / HTTP/1.0"), 400,
            "bad_host"),
    refused("R20 another host in the target", head(request="GET http://evil/ HTTP/1.1"), 400, "bad_host"),
    refused("R20 user@ in the target", head(request="GET http://u@localhost/ HTTP/1.1"), 400, "bad_host"),
    refused("R20 ftp", head(request="GET ftp://localhost/ HTTP/1.1"), 400, "bad_target"),
    refused("R21 HTTP/0.9", b"GET /\r\n\r\n", 505, "http_version"),
    refused("R21 HTTP/3.7", head(request="GET / HTTP/3.7"), 505, "http_version"),
    refused("R21 HTTP/2.0", head(request="GET / HTTP/2.0"), 505, "http_version"),
    refused("R21 PRI", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "http_version"),
    refused("R21 h2c", head("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMA"),
            400, "upgrade_unsupported"),
    Case("R22 TLS ClientHello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)),
         code="tls", told="TLS came to a plain listener: write http:// in the sender's URL, or use a tunnel"),
    refused("R24 NUL in a header", head("X: a\0b"), 400, "bad_request"),
    refused("R24 ESC in a header", head("X: \x1b[31m"), 400, "bad_request"),
    refused("R24 folded", head("X: a", " folded"), 400, "bad_request"),
    refused("R24 bare LF", b"GET / HTTP/1.1\nHost: a\n\n", 400, "bad_request"),
    refused("R24 space before the colon", head("X : a"), 400, "bad_request"),
    refused("R24 control characters in the target", head(request="GET /\x7f\x1b HTTP/1.1"), 400,
            "bad_request"),
    refused("R26 too big", head("Content-Length: 10485761", "Expect: 100-continue"), 413, "body_too_large"),
    refused("R26 two Hosts", head("Expect: 100-continue", "Content-Length: 5", host="Host: a\r\n" * 2), 400,
            "bad_host"),
    Case("R26 a host that is not allowed",
         head("Expect: 100-continue", "Content-Length: 5", host="Host: a\r\n"), (403,), to=EMULATOR),
    refused("R28 CONNECT", head(request="CONNECT localhost:1 HTTP/1.1"), 400, "bad_target"),
    refused("R29 bytes beyond ASCII in the target", head(request="GET /\xff HTTP/1.1"), 400, "bad_request"),
    refused("R35 WebSocket", head("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x"), 400,
            "upgrade_unsupported"),
]  # fmt: skip


def _posted(body: bytes) -> bytes:
    return head(f"Content-Length: {len(body)}", JSON_LINE, KEY_LINE, *signature_lines(body)) + body


def _padded(body: bytes, size: int) -> bytes:
    return body + b" " * (size - len(body))


def _awaited(body: bytes) -> tuple[Part, ...]:
    whole = request(body, JSON_LINE, KEY_LINE, "Expect: 100-continue", *signature_lines(body))
    return whole.removesuffix(body), Until.ANSWERED, body


def _chunked(body: bytes) -> tuple[Part, ...]:
    lines = (JSON_LINE, KEY_LINE, "Transfer-Encoding: chunked", "Connection: close", *signature_lines(body))
    return head(*lines), *(chunk(body[at : at + MIB]) for at in range(0, len(body), MIB)), chunk(b"")


ONE_EACH = ((RECEIVER, BATCH, 200, 1), (EMULATOR, EVENT, 202, 0))
_FULL = 10 * MIB
_MB = chunk(b"x" * MIB)
_FULL_BATCH = _padded(BATCH, _FULL)
_FULL_EVENT = _padded(EVENT, _FULL)
ACCEPTED = [
    Case("R26 a body awaited", _awaited(BATCH), (100, 200), to=RECEIVER, kept=1, stored=BATCH),
    Case("R26 a body awaited", _awaited(EVENT), (100, 202), to=EMULATOR),
    Case("R27 garbage behind three", _posted(BATCH) * 3 + b"\x00garbage\r\n\r\n", (200, 200, 200, 400),
         "bad_request", to=RECEIVER, kept=3),
    Case("R27 garbage behind three", _posted(EVENT) * 3 + b"\x00garbage\r\n\r\n", (202, 202, 202, 400),
         "bad_request", to=EMULATOR),
    *(Case("R27 garbage behind one, then FIN", _posted(body) + b"\x00garbage\r\n\r\n", (status, 400),
           "bad_request", to=to, kept=kept, end="fin") for to, body, status, kept in ONE_EACH),
    *(Case("R27 a body cut off behind one, then FIN", _posted(body) + _posted(body)[:-9], (status,), to=to,
           kept=kept, counted="aborted", end="fin") for to, body, status, kept in ONE_EACH),
    Case("R36 10 MiB", signed(_FULL_BATCH), (200,), to=RECEIVER, kept=1, stored=_FULL_BATCH),
    Case("R36 10 MiB, chunked", _chunked(_FULL_BATCH), (200,), to=RECEIVER, kept=1, stored=_FULL_BATCH),
    Case("R36 10 MiB", request(_FULL_EVENT, KEY_LINE), (202,), to=EMULATOR),
    Case("R36 10 MiB, chunked", _chunked(_FULL_EVENT), (202,), to=EMULATOR),
    refused("R36 one byte over", _length(f"{_FULL + 1}"), 413, "body_too_large"),
    refused("R36 64 MB", _length("64000000"), 413, "body_too_large"),
    refused("R36 256 MB", _length("268435456"), 413, "body_too_large"),
    refused("R36 256 MB, sent before it looks", (_length("268435456"), Flood(b"x" * MIB, 256)), 413,
            "body_too_large"),
    refused("R36 one byte over, chunked", (CHUNKED, Flood(_MB, 10), chunk(b"x")), 413, "body_too_large"),
    refused("R36 64 MB, chunked", (CHUNKED, Flood(_MB, 64)), 413, "body_too_large"),
    refused("R36 256 MB, chunked", (CHUNKED, Flood(_MB, 256)), 413, "body_too_large"),
]  # fmt: skip


def noise(seed: int) -> bytes:
    """R23: random bytes."""
    chance = random.Random(seed)
    return chance.randbytes(chance.randrange(1, 300))


CASES = [*SLOW, *LENGTHS, *HEADS, *ACCEPTED]
