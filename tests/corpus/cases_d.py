"""What a destination may answer, and what the attempt becomes (reliability.md §2.7; the ids are its rows)."""

from __future__ import annotations

import asyncio
import gzip
import struct
from dataclasses import dataclass
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING, Literal

from statsig_tui.core.records import DeliveryState

if TYPE_CHECKING:
    from tests.conftest import Got

PROTOCOL = "protocol error"
NO_HTTP = "protocol error: not HTTP"
SHORT = 0.3
"""A destination's total deadline in seconds, where it is what ends the attempt."""
LATE = f"timeout: no answer within {SHORT:g} s"
BOMB = gzip.compress(bytes(100_000_000), 1)
KEPT = 64 * 1024
"""Bytes of a body that are kept."""
ELSEWHERE = "http://elsewhere/"
"""Stands for the URL of another endpoint, which must never be asked."""


@dataclass(frozen=True)
class Case:
    """One answer, what happens to the connection after it, and what is to become of the attempt."""

    id: str
    answer: bytes
    status: int | None
    error: str | None = None
    """A part of the attempt's words; None: no error."""
    then: Literal["silence", "close", "reset"] = "silence"
    drip: bytes = b""
    """Sent after the answer, over and over, for ever."""
    seconds: float = 20.0
    body: bytes | None = None
    """What of the answer's body is kept, where that matters."""
    flagged: bool = False
    """It counts, and is marked as a page that no webhook would answer."""

    @property
    def state(self) -> DeliveryState:
        """What the delivery is after this one attempt; the next one is far off."""
        return DeliveryState.DELIVERED if self.error is None else DeliveryState.RETRYING

    async def play(self, got: Got, writer: asyncio.StreamWriter, elsewhere: str) -> None:
        """Be the endpoint."""
        writer.write(self.answer.replace(ELSEWHERE.encode(), elsewhere.encode()))
        await writer.drain()
        while self.drip:
            writer.write(self.drip)
            await writer.drain()
            await asyncio.sleep(0.01)
        if self.then == "close":
            writer.close()
        elif self.then == "reset":
            # What has been sent must have been read: a reset may overtake it.
            await asyncio.sleep(0.05 if self.answer else 0)
            reset(writer)


def reset(writer: asyncio.StreamWriter) -> None:
    """Break a connection off as a crash does."""
    writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def head(status: int | str, *lines: str, body: str = "", length: int | None = None) -> bytes:
    """An answer that is whole, unless its length is said to be another."""
    given = "".join(f"{line}\r\n" for line in lines)
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status} Words\r\n{given}Content-Length: {size}\r\n\r\n{body}".encode()


LINE = b"HTTP/1.1 200 OK\r\n"
CHUNKED = LINE + b"Transfer-Encoding: chunked\r\n\r\n"
ODD = b"\x1b]52;c;\x00\xe2"

CASES = [
    # No answer in time
    Case("D03 silence", b"", None, LATE, seconds=SHORT),
    Case("D04 head drip", LINE, None, LATE, drip=b"X: y\r\n", seconds=SHORT),
    Case("D04 endless 100", b"", None, LATE, drip=b"HTTP/1.1 100 Continue\r\n\r\n", seconds=SHORT),
    Case("D04 body drip", head(200, length=10**6), 200, drip=b"y", seconds=SHORT),
    Case("D04 chunk drip", CHUNKED, 200, drip=b"1\r\nx\r\n", seconds=SHORT),
    Case("D04 drip of an error", head(500, length=10**6), 500, "500 Words", drip=b"y", seconds=SHORT),
    Case("D04 silence after 401", head(401, length=9), 401, "check the signing secret", seconds=SHORT),
    Case("D04 endless", LINE + b"\r\n", 200, drip=b"x" * 100_000, body=b"x" * KEPT),
    # Bodies
    Case("D05 bomb", LINE + b"Content-Encoding: gzip\r\n\r\n" + BOMB, 200, then="close", body=BOMB[:KEPT]),
    Case("D05 br", LINE + b"Content-Encoding: br\r\n\r\n\x0b\x02\x80ok\x03", 200, then="close",
         body=b"\x0b\x02\x80ok\x03"),
    Case("D05 bad gzip", LINE + b"Content-Encoding: gzip\r\n\r\nbad", 200, then="close", body=b"bad"),
    Case("D05 no such encoding", LINE + b"Content-Encoding: zzz\r\n\r\nx", 200, then="close", body=b"x"),
    # No HTTP
    Case("D06 garbage", b"nonsense\r\n\r\n", None, NO_HTTP, then="close"),
    Case("D06 binary", bytes(range(256)), None, NO_HTTP, then="close"),
    Case("D06 status abc", b"HTTP/1.1 abc X\r\n\r\n", None, PROTOCOL),
    Case("D06 status 099", head("099"), None, PROTOCOL),
    Case("D06 status 600", head(600), None, "protocol error: status 600"),
    Case("D06 status 999", head(999), None, "protocol error: status 999"),
    Case("D06 silence after 999", head(999, length=9), None, "protocol error: status 999", seconds=SHORT),
    Case("D06 HTTP/0.9", b"<html>hello</html>\n", None, NO_HTTP, then="close"),
    Case("D06 HTTP/2", b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0d", None, NO_HTTP, then="close"),
    Case("D06 two lengths", LINE + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", None, PROTOCOL),
    Case("D06 bad chunk", CHUNKED + b"zz\r\n", 200),
    Case("D07 2 MB header", LINE + b"X: " + b"x" * 2_000_000, None, PROTOCOL),
    Case("D07 10,000 headers", LINE + b"X-Header: and value\r\n" * 10_000 + b"\r\n", None, PROTOCOL),
    Case("D07 150 kB of words", b"HTTP/1.1 500 " + b"x" * 150_000 + b"\r\n\r\n", None, "head is longer"),
    # Broken off
    Case("D08 reset before an answer", b"", None, "connection lost", then="reset"),
    Case("D08 reset in the head", LINE, None, "connection lost", then="reset"),
    Case("D08 reset after 200", head(200, length=9), 200, then="reset"),
    Case("D08 reset after 500", head(500, length=9), 500, "500 Words", then="reset"),
    Case("D08 end before an answer", b"", None, "protocol error: Server disconnected", then="close"),
    Case("D08 end in the head", LINE, None, PROTOCOL, then="close"),
    Case("D08 end in the body", head(200, body="half", length=9), 200, then="close", body=b"half"),
    Case("D08 end in a chunk", CHUNKED + b"9\r\nhal", 200, then="close", body=b"hal"),
    # Success
    *(Case(f"D10 {status}", head(status), status) for status in (200, 201, 202, 299)),
    Case("D10 204", b"HTTP/1.1 204 No Content\r\n\r\n", 204),
    Case("D10 error in words", head(200, body='{"error":1}'), 200, body=b'{"error":1}'),
    Case("D10 login page", head(200, "content-type: Text/HTML; charset=x", body="Log"), 200, flagged=True),
    Case("D10 page without a type", head(203, body="\n <!DOCTYPE html><p>"), 203, flagged=True),
    Case("D10 page called text", head(200, "Content-Type: text/plain", body="<HTML>"), 200, flagged=True),
    Case("D10 words", head(200, "Content-Type: text/plain", body="ok <html>"), 200),
    Case("D10 page of an error", head(500, "Content-Type: text/html", body="<html>"), 500, "500 Words"),
    Case("D11 100, then 200", b"HTTP/1.1 100 Continue\r\n\r\n" + head(200), 200),
    Case("D20 control characters", b"HTTP/1.1 200 \x1b[31mred\r\n\r\n" + ODD, 200, then="close", body=ODD),
    Case("D20 in a header", head(200, "X: \x1b]52;c;YQ==\x07[red]\u202e"), 200),
    Case("D20 NUL in a header", head(200, "X: a\0b"), 200),
    Case("D20 a line of 1 MB", head(500, body="x" * 10**6), 500, "500 Words", body=b"x" * KEPT),
    Case("D21 cookie", head(200, "Set-Cookie: a=b"), 200),
    # No success
    Case("D11 101", b"HTTP/1.1 101 Switching Protocols\r\n\r\n", None, "it switches protocols"),
    Case("D11 100 alone", b"HTTP/1.1 100 Continue\r\n\r\n", None, PROTOCOL, then="close"),
    *(
        Case(f"D12 {status}", head(status, f"Location: {ELSEWHERE}"), status, "redirect to http://127.0.0.1:")
        for status in (301, 302, 303, 307, 308)
    ),
    Case("D12 same host", head(307, "Location: /hook"), 307, "307: redirect to /hook not followed"),
    Case("D12 file", head(302, "Location: file:///etc/passwd"), 302, "redirect to file:///etc/passwd not"),
    Case("D12 nowhere", head(302), 302, "302: redirect to nowhere not followed"),
    Case("D12 then silence", head(302, "Location: /x", length=9), 302, "to /x not", seconds=SHORT),
    *(Case(f"D13 {status}", head(status), status, f"{status} Words") for status in (400, 404, 405, 415, 422)),
    *(Case(f"D14 {status}", head(status), status, "check the signing secret") for status in (401, 403)),
    *(
        Case(f"D15 {status}", head(status), status, f"{status} Words")
        for status in (408, 425, 500, 502, 503, 504, *range(520, 528), 599)
    ),
    Case("D16 410", head(410), 410, "gone for good"),
    Case("D17 413 for one event", head(413), 413, "more than the endpoint takes"),
    Case("D18 429", head(429), 429, "asks to slow down"),
]  # fmt: skip


@dataclass(frozen=True)
class Wish:
    """A Retry-After, over a schedule that says 100 s, at Wed, 21 Oct 2015 07:28:00 GMT."""

    id: str
    value: str
    """Lines of the answer's head."""
    seconds: float | None
    """How long the whole destination waits; None: the wish counts for nothing."""
    status: int = 429


AT = 1_445_412_480_000
WISHES = [
    Wish("D18 0", "0", 100),
    Wish("D18 5", "5", 100),
    Wish("D18 120.6", "120.6", 120.6),
    Wish("D18 1e9", "1e9", 3600),
    Wish("D18 at a time", "Wed, 21 Oct 2015 07:31:00 GMT", 180),
    Wish("D18 at a time, as C writes it", "Wed Oct 21 07:31:00 2015", 180),
    Wish("D18 at a time, as RFC 850 has it", "Wednesday, 21-Oct-15 07:31:00 GMT", 180),
    Wish("D18 at a time of no zone", "Wed, 21 Oct 2015 07:31:00 -0000", 180),
    Wish("D18 in ten years", "Tue, 21 Oct 2025 07:28:00 GMT", 3600),
    Wish("D18 this moment", "Wed, 21 Oct 2015 07:28:00 GMT", 100),
    Wish("D18 503", "200", 200, 503),
    Wish("D18 negative", "-1", None),
    Wish("D18 words", "abc", None),
    Wish("D18 nothing", "", None),
    Wish("D18 infinite", "inf", None),
    Wish("D18 no number", "nan", None),
    Wish("D18 in the past", "Wed, 21 Oct 2015 07:27:00 GMT", None),
    Wish("D18 no date", "Wed, 99 Oct 2015 07:28:00 GMT", None),
    Wish("D18 two", "5\r\nRetry-After: 200", None),
    Wish("D18 for 500", "200", None, 500),
]
