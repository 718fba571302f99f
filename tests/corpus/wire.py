"""Requests as bytes, sent over a socket as they are, and the answers as they come: no HTTP client between.

Time stands still at NOW, so a case's signature is the same in every run.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import struct
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from tests.conftest import KEY, PATIENCE, SECRET

NOW = 1_767_225_600_000
HOOK = "/v1/webhooks/event_webhook"
"""The emulator's endpoint; the receiver takes any path."""
KEY_LINE = f"STATSIG-API-KEY: {KEY}"
JSON_LINE = "Content-Type: application/json"
BATCH = b'{"data":[{"eventName":"checkout","userID":"u1","timeUUID":"f4c414a0-8ab5-11ec-a8a3-0242ac120001"}]}'
EVENT = b'{"user":{"userID":"u1"},"event":"checkout"}'
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) [A-Za-z -]+")


@dataclass(frozen=True, slots=True)
class Flood:
    """The same bytes again and again, until they are through or nobody listens any more."""

    part: bytes
    times: int
    every: float = 0.0
    """Seconds between two of them."""


class Until(Enum):
    """A part that sends nothing: what follows waits."""

    ANSWERED = 1


Part = bytes | Flood | Until
End = Literal["stay", "fin", "reset"]
"""What the peer does after its last byte: wait for the answer's end, close its half, or break off."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; the lines of its head in lower case, the status line left out."""

    status: int
    lines: tuple[str, ...]
    body: bytes

    def json(self) -> Any:
        """The body, which must be JSON, say so, and hold nothing that a terminal would obey."""
        assert "content-type: application/json" in self.lines
        assert "x-content-type-options: nosniff" in self.lines
        assert self.body.decode().isprintable()
        return json.loads(self.body)


def head(*lines: str, request: str = f"POST {HOOK} HTTP/1.1", host: str = "Host: localhost\r\n") -> bytes:
    """A request's head; characters are bytes."""
    return (f"{request}\r\n{host}" + "".join(f"{line}\r\n" for line in lines) + "\r\n").encode("latin-1")


def request(
    body: bytes, *lines: str, method: str = "POST", path: str = HOOK, host: str = "localhost"
) -> bytes:
    """A whole request, the last on its connection."""
    given = (f"Content-Length: {len(body)}", "Connection: close", *lines)
    return head(*given, request=f"{method} {path} HTTP/1.1", host=f"Host: {host}\r\n") + body


def signed(body: bytes, *lines: str, **options: Any) -> bytes:
    """A whole request that the known secret has signed now."""
    return request(body, *signature_lines(body), *lines, **options)


def signature_lines(body: bytes, *, at: int | str = NOW, secret: str = SECRET) -> tuple[str, str]:
    """The two header lines of a signed request."""
    return f"{SIGNATURE_HEADER}: {sign(secret, str(at), body)}", f"{TIMESTAMP_HEADER}: {at}"


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; the last is empty."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def answers(raw: bytes, *, bodiless: bool = False) -> list[Answer]:
    """What came back, every byte of it accounted for; `bodiless` for the answer to a HEAD."""
    found = []
    while raw:
        top, ended, rest = raw.partition(b"\r\n\r\n")
        first, *lines = top.split(b"\r\n")
        status = _STATUS.fullmatch(first)
        assert ended, f"a head without an end: {raw[:200]!r}"
        assert status, f"no HTTP/1.1: {raw[:200]!r}"
        low = tuple(line.decode("ascii").lower() for line in lines)
        size = 0 if bodiless else next((int(x[16:]) for x in low if x.startswith("content-length: ")), 0)
        assert len(rest) >= size, f"an answer cut off: {raw[:200]!r}"
        found.append(Answer(int(status[1]), low, rest[:size]))
        raw = rest[size:]
    return found


async def exchange(port: int, *parts: Part, end: End = "stay") -> bytes:
    """Everything that comes back on a connection of its own until the server closes it."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            return await _exchange(reader, writer, parts, end)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, parts: tuple[Part, ...], end: End
) -> bytes:
    answered = asyncio.Event()
    came = bytearray()
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(_send(writer, parts, end, answered))
        # A peer that is refused while it still sends may find a reset behind the answer.
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                came += data
                answered.set()
        sending.cancel()
    return bytes(came)


async def _send(
    writer: asyncio.StreamWriter, parts: tuple[Part, ...], end: End, answered: asyncio.Event
) -> None:
    with contextlib.suppress(OSError):
        for part in parts:
            if isinstance(part, Until):
                await answered.wait()
            elif isinstance(part, bytes):
                writer.write(part)
                await writer.drain()
            else:
                for _ in range(part.times):
                    writer.write(part.part)
                    await writer.drain()
                    await asyncio.sleep(part.every)
        if end == "fin":
            writer.write_eof()
        elif end == "reset":
            peer = writer.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
