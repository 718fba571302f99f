"""Table R of reliability.md §2.1 as far as it is about whole requests: hosts, methods, types, browsers."""

from __future__ import annotations

import gzip
import zlib
from functools import reduce

import brotli
import zstandard

from tests.corpus.framing import EMULATOR, MIB, RECEIVER, Case
from tests.corpus.wire import BATCH, EVENT, HOOK, JSON_LINE, KEY_LINE, request, signed


def _event(*lines: str, body: bytes = EVENT, host: str = "localhost", path: str = HOOK) -> bytes:
    return request(body, JSON_LINE, KEY_LINE, *lines, host=host, path=path)


LOOPBACK = [
    "localhost",
    "LOCALHOST:7828",
    "LocalHost",
    "127.0.0.1",
    "127.0.0.1:9999",
    "[::1]",
    "[::1]:7828",
    "localhost:7828 \t",
]
FOREIGN = ["evil.example:9999", "127.0.0.1.evil.example", "localhost.", "0.0.0.0", "127.1", "2130706433",
           "user@127.0.0.1", "localhost:7828@evil.example", "localhost:evil.example", "[::]",
           "[::ffff:7f00:1]", "\xe9vil"]  # fmt: skip
HOSTS = [
    *(Case(f"R19 {host}", signed(BATCH, JSON_LINE, host=host), (200,), to=RECEIVER, kept=1)
      for host in LOOPBACK + FOREIGN),
    *(Case(f"R19 {host}", _event(host=host), (202,), to=EMULATOR) for host in LOOPBACK),
    *(Case(f"R19 {host}", _event(host=host), (403,), to=EMULATOR, says="allowed_hosts") for host in FOREIGN),
    Case("R20 its own host in the target", signed(BATCH, host="evil", path="http://EVIL/x?y"), (200,),
         to=RECEIVER, kept=1, shown="/x?y"),
    Case("R20 its own host in the target", _event(host="evil", path=f"http://evil{HOOK}"), (403,),
         to=EMULATOR, says="allowed_hosts", shown=HOOK),
    Case("R20 loopback in the target", _event(path=f"http://localhost{HOOK}"), (202,), to=EMULATOR),
    Case("R24 bytes beyond ASCII in a header", signed(BATCH, "X: \xff\xfe"), (200,), to=RECEIVER, kept=1),
    Case("R25 X-Forwarded-For", signed(BATCH, "X-Forwarded-For: 8.8.8.8", "Forwarded: for=8.8.8.8"), (200,),
         to=RECEIVER, kept=1),
]  # fmt: skip

METHODS = ["GET", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "HEAD"]
PATHS = ["//", "/../", "/%2e%2e", "/%00", "/%1b%5b31m", "/v1/webhooks/event_webhook/x", "/a#b",
         "/a" * 2_000]  # fmt: skip
ROUTES = [
    *(Case(f"R28 {method}", request(b"", method=method), (400,), "not_a_batch", to=RECEIVER, kept=1)
      for method in METHODS),
    *(Case(f"R28 {method}", request(b"", method=method), (405,), to=EMULATOR, lines=("allow: post",))
      for method in METHODS),
    Case("R28 GET /", request(b"", method="GET", path="/"), (200,), to=EMULATOR, says="healthy"),
    *(Case(f"R29 {path[:30]}", signed(BATCH, path=path), (200,), to=RECEIVER, kept=1,
           shown=path.partition("#")[0]) for path in PATHS),
    *(Case(f"R29 {path[:30]}", _event(path=path), (404,), to=EMULATOR, says="/v1/webhooks/event_webhook",
           shown=path.partition("#")[0]) for path in PATHS),
]  # fmt: skip

TYPES = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "",
         "application/jsonp", "text/json"]  # fmt: skip
JSON_TYPES = ["application/json", "application/json; charset=utf-16", "Application/JSON",
              "application/cloudevents+json"]  # fmt: skip
KINDS = [
    *(Case(f"R30 signed, {kind or 'empty'}", signed(BATCH, f"Content-Type: {kind}"), (200,), to=RECEIVER,
           kept=1, signature="valid") for kind in TYPES + JSON_TYPES),
    *(Case(f"R30 unsigned, {kind or 'empty'}", request(BATCH, f"Content-Type: {kind}"), (415,), "not_json",
           to=RECEIVER, kept=1, signature="missing") for kind in TYPES),
    *(Case(f"R30 unsigned, {kind}", request(BATCH, f"Content-Type: {kind}"), (200,), "missing_signature",
           to=RECEIVER, kept=1) for kind in JSON_TYPES),
    Case("R30 signed, none", signed(BATCH), (200,), to=RECEIVER, kept=1, signature="valid"),
    Case("R30 unsigned, none", request(BATCH), (415,), "not_json", to=RECEIVER, kept=1),
    *(Case(f"R30 {kind or 'empty'}", request(EVENT, KEY_LINE, f"Content-Type: {kind}"), (202,), to=EMULATOR)
      for kind in TYPES + JSON_TYPES),
]  # fmt: skip

_COMPRESS = {
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
"""Deterministic but for gzip's time, which a case holds with its bytes."""
_SIX = reduce(lambda data, _: gzip.compress(data), range(6), BATCH)
_GZIP = gzip.compress(BATCH)
_WRONG_CRC = _GZIP[:-8] + bytes([_GZIP[-8] ^ 1]) + _GZIP[-7:]


def _bomb() -> bytes:
    coder = zlib.compressobj(9, wbits=31)
    return b"".join(coder.compress(bytes(MIB)) for _ in range(200)) + coder.flush()


def _coded(id: str, body: bytes, coding: str, status: int, code: str | None = None) -> list[Case]:  # noqa: A002
    line = f"Content-Encoding: {coding}"
    return [
        Case(id, signed(body, line), (status,), code, to=RECEIVER, kept=1, stored=body, signature="valid"),
        Case(id, _event(line, body=body, path="/v1/log_event"), (status,), to=EMULATOR),
    ]


def _both_ok(coding: str) -> list[Case]:
    line, pack = f"Content-Encoding: {coding}", _COMPRESS[coding]
    wire = pack(BATCH)
    return [
        Case(
            f"R31 {coding}", signed(wire, line), (200,), to=RECEIVER, kept=1, stored=wire, signature="valid"
        ),
        Case(f"R31 {coding}", _event(line, body=pack(EVENT)), (202,), to=EMULATOR),
        *(Case(f"R31 {coding} to {path}", _event(line, body=pack(b'{"events":[{}]}'), path=path), (202,),
               to=EMULATOR) for path in ("/v1/log_event", "/v1/rgstr")),
    ]  # fmt: skip


CODINGS = [
    *(case for coding in _COMPRESS for case in _both_ok(coding)),
    *_coded("R32 gzip bomb, 200 MiB", _bomb(), "gzip", 413, "inflated_too_large"),
    *_coded("R32 br bomb", brotli.compress(bytes(16 * MIB), quality=1), "br", 413, "inflated_too_large"),
    *_coded("R32 zstd bomb", zstandard.compress(bytes(16 * MIB)), "zstd", 413, "inflated_too_large"),
    *_coded("R32 six layers, one named", _SIX, "gzip", 400, "bad_utf8"),
    *_coded("R32 six layers, six named", _SIX, ", ".join(["gzip"] * 6), 415, "unsupported_encoding"),
    *_coded("R32 truncated gzip", _GZIP[:-4], "gzip", 400, "bad_encoding"),
    *_coded("R32 wrong CRC", _WRONG_CRC, "gzip", 400, "bad_encoding"),
    *_coded("R32 not compressed at all", BATCH, "gzip", 400, "bad_encoding"),
    *_coded("R32 truncated br", _COMPRESS["br"](BATCH)[:-3], "br", 400, "bad_encoding"),
    *_coded("R32 truncated zstd", _COMPRESS["zstd"](BATCH)[:-3], "zstd", 400, "bad_encoding"),
    *_coded("R32 truncated deflate", _COMPRESS["deflate"](BATCH)[:-3], "deflate", 400, "bad_encoding"),
    *_coded("R32 identity, gzip", _GZIP, "identity, gzip", 415, "unsupported_encoding"),
    *_coded("R32 compress", BATCH, "compress", 415, "unsupported_encoding"),
]  # fmt: skip

PAGES = [
    "https://evil.example",
    "null",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example:3000",
    "http://evil.example:3000/localhost",
    "http://localhost@evil.example",
    "file://",
    "",
    "http://[",
]
OWN = "localhost:7829"
LOCAL_PAGES = ["http://localhost:3000", "http://127.0.0.1:8080", "https://localhost", "http://[::1]:3000"]
_PREFLIGHT = ("Access-Control-Request-Method: POST", "Access-Control-Request-Private-Network: true",
              "Access-Control-Request-Headers: content-type,statsig-api-key")  # fmt: skip


def _preflight(origin: str) -> bytes:
    return request(b"", f"Origin: {origin}", *_PREFLIGHT, method="OPTIONS", host=OWN)


def _allowed(origin: str) -> tuple[str, str]:
    return f"access-control-allow-origin: {origin}", "vary: origin"


BROWSERS = [
    *(Case(f"R33 Origin {page or 'empty'}", signed(BATCH, f"Origin: {page}", host=OWN), (403,),
           "browser_request", to=RECEIVER, kept=1, stored=BATCH) for page in PAGES + LOCAL_PAGES),
    *(Case(f"E10 form of {page or 'an empty origin'}", request(EVENT, f"Origin: {page}", KEY_LINE,
           "Content-Type: text/plain"), (403,), to=EMULATOR, says="cors_origins") for page in PAGES),
    *(Case(f"R33 Origin {page}", _event(f"Origin: {page}", "Sec-Fetch-Site: cross-site"), (202,), to=EMULATOR,
           lines=_allowed(page)) for page in LOCAL_PAGES),
    *(Case(f"R33 an error for {page}", _event(f"Origin: {page}", body=b"{}"), (400,), to=EMULATOR,
           lines=_allowed(page)) for page in LOCAL_PAGES),
    Case("R33 a page of its own", signed(BATCH, f"Origin: http://{OWN}", host=OWN), (200,), to=RECEIVER,
         kept=1),
    Case("R33 cross-site", signed(BATCH, "Sec-Fetch-Site: cross-site"), (403,), "browser_request",
         to=RECEIVER, kept=1),
    Case("R33 cross-site", _event("Sec-Fetch-Site: cross-site"), (403,), to=EMULATOR),
    *(Case(f"R33 {kind}", signed(BATCH, f"Sec-Fetch-Site: {kind}", "Sec-Fetch-Mode: cors"), (200,),
           to=RECEIVER, kept=1) for kind in ("same-origin", "same-site", "none")),
    *(Case(f"R33 {kind}", _event(f"Sec-Fetch-Site: {kind}", "Sec-Fetch-Mode: cors"), (202,), to=EMULATOR)
      for kind in ("same-origin", "same-site", "none")),
    *(Case(f"R34 preflight of {page or 'an empty origin'}", _preflight(page), (403,), "browser_request",
           to=RECEIVER, kept=1) for page in PAGES + LOCAL_PAGES),
    *(Case(f"R34 preflight of {page or 'an empty origin'}", _preflight(page), (403,), to=EMULATOR)
      for page in PAGES),
    *(Case(f"R34 preflight of {page}", _preflight(page), (204,), to=EMULATOR, lines=(
           *_allowed(page), "access-control-allow-methods: get, post, options",
           "access-control-allow-headers: content-type,statsig-api-key",
           "access-control-allow-private-network: true")) for page in LOCAL_PAGES),
]  # fmt: skip

CASES = [*HOSTS, *ROUTES, *KINDS, *CODINGS, *BROWSERS]
