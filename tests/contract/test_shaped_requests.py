"""A request shaped by hand reaches the target as exactly that; what is kept of it says how long it took."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from statsig_tui.core.config import Config, EmulatorConfig, ReceiverConfig, Secret, Target
from statsig_tui.core.records import SentDetail
from statsig_tui.core.request import Shape
from statsig_tui.engine import schema
from statsig_tui.engine.engine import running
from statsig_tui.engine.outcome import USER_AGENT
from statsig_tui.engine.sender import head_of
from statsig_tui.engine.target import request_for

KEY = Secret.of("secret-" + "k" * 43)

if TYPE_CHECKING:
    from tests.conftest import Site


class Wire:
    """A server that keeps the bytes it got, up to what ends them, and then answers."""

    def __init__(self) -> None:
        self.last = b"END"
        self.got = bytearray()
        self.ended = asyncio.Event()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not self.got.endswith(self.last) and (more := await reader.read(65536)):
            self.got += more
        with contextlib.suppress(OSError):
            writer.write(b"HTTP/1.1 204 X\r\n\r\n")
            await writer.drain()
        writer.close()
        self.ended.set()


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    wire = Wire()
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield wire


async def sent(site: Site, url: str, body: bytes, shape: Shape) -> SentDetail:
    record = await site.engine.send(Target("mine", url, KEY), body, shape=shape)
    detail = site.engine.archive.sent_detail(record.id)
    assert detail is not None
    return detail


PLAIN = (
    b"POST /v1/webhooks/event_webhook HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    b"STATSIG-API-KEY: secret-" + b"k" * 43 + b"\r\nUser-Agent: {agent}\r\nAccept: */*\r\n"
    b"Accept-Encoding: identity\r\nContent-Length: 5\r\n\r\n\xff\x00END"
)
BARE = """\
Content-Type:
STATSIG-API-KEY:
User-Agent:
accept:
Accept-Encoding :

X-Empty;
X-Two: 1
x-two:2
nonsense"""
BARE_SENT = (
    b"PUT /a//b/../c?x=%zz%20%C3%A9%23 HTTP/1.1\r\nHost: {host}\r\n"
    b"X-Empty: \r\nX-Two: 1\r\nx-two: 2\r\nContent-Length: 3\r\n\r\nEND"
)
ODD = """\
Content-Type: text/plain
STATSIG-API-KEY: client-x
User-Agent: caf\xe9
Accept:
Accept-Encoding:
Host: other
Transfer-Encoding: chunked"""
ODD_SENT = (
    b"POST /v1/webhooks/event_webhook HTTP/1.1\r\nHost: other\r\n"
    b"Content-Type: text/plain\r\nSTATSIG-API-KEY: client-x\r\nUser-Agent: caf\xe9\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nd\r\n0123456789END\r\n0\r\n\r\n"
)


@pytest.mark.parametrize(
    ("shape", "body", "expected"),
    [
        (Shape(), b"\xff\x00END", PLAIN),
        (Shape("put", "/a//b/../c?x=%zz é#", BARE), b"END", BARE_SENT),
        (Shape(headers=ODD), b"0123456789END", ODD_SENT),
    ],
)
async def test_the_target_gets_exactly_this(
    site: Site, wire: Wire, shape: Shape, body: bytes, expected: bytes
) -> None:
    wire.last = expected[-7:]
    detail = await sent(site, wire.url, body, shape)
    host = wire.url.removeprefix("http://").encode()
    expected = expected.replace(b"{host}", host).replace(b"{agent}", USER_AGENT.encode())
    assert bytes(wire.got) == expected
    assert (detail.record.status, detail.body) == (204, body)
    assert detail.method == (shape.method.upper() or "POST")
    assert not any("k" * 43 in value for _, value in detail.request_headers)
    # What is shown before it is sent is what is sent.
    request = request_for(Target("mine", wire.url, KEY), body, shape=shape)
    head = b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in head_of(request))
    assert head + b"\r\n" in bytes(wire.got)


async def test_a_body_shorter_than_its_length_says_is_broken_off(site: Site, wire: Wire) -> None:
    detail = await sent(site, wire.url, b'{"cut', Shape(headers="Content-Length: 10"))
    await asyncio.wait_for(wire.ended.wait(), 20)
    assert b"Content-Length: 10\r\n" in wire.got
    assert (detail.record.status, detail.record.certainty) == (None, "unknown")
    assert detail.record.error is not None
    assert detail.record.error.startswith("broken off")


@pytest.mark.parametrize("shape", [Shape(headers="a b: x"), Shape(headers="X: \u2603"), Shape("NO T")])
async def test_what_is_no_http_is_not_sent(site: Site, wire: Wire, shape: Shape) -> None:
    detail = await sent(site, wire.url, b"{}", shape)
    assert detail.record.certainty == "not sent"
    assert b"HTTP/" not in wire.got


async def test_a_request_says_how_long_each_part_took(site: Site, wire: Wire) -> None:
    answered = await sent(site, wire.url, b"END", Shape())
    assert None not in (answered.timing.connect, answered.timing.wait, answered.timing.read)
    refused = await sent(site, "http://127.0.0.1:1", b"{}", Shape())
    assert refused.timing.connect is not None
    assert (refused.timing.wait, refused.timing.read) == (None, None)

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        unanswered = await sent(site, f"http://127.0.0.1:{port}", b"{}", Shape())
    assert (unanswered.record.certainty, unanswered.timing.read) == ("unknown", None)
    assert unanswered.timing.wait is not None


async def test_what_an_older_version_sent_can_still_be_read(tmp_path: Path) -> None:
    database = tmp_path / "store.db"
    with contextlib.closing(sqlite3.connect(database)) as db:
        db.executescript(
            f"{schema._MIGRATIONS[0]} PRAGMA application_id = {schema._APPLICATION_ID};"
            "PRAGMA user_version = 1;"
            "INSERT INTO sent VALUES (1, 1, 5, 't', 'http://h/', 'old', 2, 202, NULL, 'answered', 3.0, NULL,"
            " '[]', x'7b7d', '[]', x'', 0);"
        )
    config = Config(emulator=EmulatorConfig(port=0), receiver=ReceiverConfig(port=0))
    async with running(config, database) as engine:
        detail = engine.archive.sent_detail(1)
    assert detail is not None
    assert (detail.record.event_name, detail.body, detail.method) == ("old", b"{}", "POST")
    assert detail.timing.connect is None
