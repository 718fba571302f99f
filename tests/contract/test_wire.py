"""What the forwarder's own connections send and take, byte by byte, at servers made of a socket."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_network
from typing import Any

import pytest

from statsig_tui.core import link_local
from statsig_tui.core.config import Destination
from statsig_tui.core.records import Headers
from statsig_tui.engine.connecting import check_not_link_local
from statsig_tui.engine.exchange import Answer, Connection
from statsig_tui.engine.outcome import ANSWER_LIMIT, USER_AGENT, Outcome
from statsig_tui.engine.probing import self_test
from statsig_tui.engine.sender import Sender
from statsig_tui.engine.wire import Wire, place_of

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Listen = Callable[[Serve], Awaitable[int]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PATIENCE = 20.0


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    """Start a server that ends with the test; its port."""
    servers: list[asyncio.Server] = []
    peers: list[asyncio.Task[None] | None] = []

    async def start(serve: Serve) -> int:
        async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            peers.append(asyncio.current_task())
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await serve(reader, writer)
            writer.close()

        servers.append(await asyncio.start_server(peer, "127.0.0.1", 0))
        port: int = servers[-1].sockets[0].getsockname()[1]
        return port

    yield start
    for server in servers:
        server.close()
    for task in peers:
        assert task is not None
        task.cancel()


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    it = Wire(verify_tls=True)
    yield it
    it.close()


async def post(
    wire: Wire, port: int, body: bytes = b"{}", headers: Headers = (), host: str = "127.0.0.1"
) -> Outcome:
    place = place_of(f"http://{host}:{port}/hook?a=%20b")
    assert place is not None
    return await wire.send(place, headers, body, PATIENCE)


async def request(reader: asyncio.StreamReader) -> bytes:
    """One request as it came, its body in full."""
    head = await reader.readuntil(b"\r\n\r\n")
    size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(size)


async def test_a_request_is_these_bytes_and_no_others(wire: Wire, listen: Listen) -> None:
    came: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await request(reader))
        writer.write(OK)

    port = await listen(serve)
    body = b'{"a": "\xc3\xa9"}\n'
    headers = (("Content-Type", "application/json"), ("X-Own", "caf\xe9"), ("accept", "text/plain"))
    outcome = await post(wire, port, body, headers)
    assert (outcome.status, outcome.body, outcome.error, outcome.truncated) == (200, b"ok", None, False)
    assert came == [
        b"POST /hook?a=%%20b HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
        b"X-Own: caf\xe9\r\naccept: text/plain\r\nUser-Agent: %b\r\nAccept-Encoding: identity\r\n"
        b"Content-Length: 12\r\n\r\n%b" % (port, USER_AGENT.encode(), body)
    ]


@pytest.mark.parametrize(
    ("name", "value"), [("X-Own", "hunter2\r\nX-More: 1"), ("X-Own", "hunter2 "), ("X-Own", "hunter2\u2603"),
                        ("X-Own", "hunter2\x00"), ("X Own", "hunter2"), ("", "hunter2")],
)  # fmt: skip
async def test_a_header_that_cannot_be_sent_is_not_and_its_value_is_not_told(
    wire: Wire, name: str, value: str
) -> None:
    outcome = await post(wire, 9, headers=((name, value),))
    assert (outcome.status, outcome.error, outcome.certainty) == (
        None,
        "not sent: illegal header",
        "not sent",
    )


ENDS: list[tuple[str, bytes, int]] = [
    ("kept", OK, 1),
    ("lines without CR", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 1),
    ("interim first", b"HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + OK, 1),
    ("no body", b"HTTP/1.1 204 No Content\r\n\r\n", 1),
    ("chunks and a trailer", CHUNKED + b"2\r\nok\r\n0\r\nX: y\r\n\r\n", 1),
    ("close", b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 2),
    ("HTTP/1.0", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 2),
    ("an answer too many", OK + b"HTTP/1.1 500 No\r\nX: y\r\nContent-Length: 2\r\n\r\nno", 2),
    ("words too many", OK + b"\r\nwords", 2),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "connections"), [end[1:] for end in ENDS], ids=[end[0] for end in ENDS])
async def test_a_connection_is_used_again_where_nothing_speaks_against_it(
    wire: Wire, listen: Listen, answer: bytes, connections: int
) -> None:
    made = 0
    status = 204 if b" 204 " in answer else 200

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal made
        made += 1
        while await request(reader):
            writer.write(answer)

    port = await listen(serve)
    for _ in range(2):
        outcome = await post(wire, port)
        assert (outcome.status, outcome.error, outcome.truncated) == (status, None, False)
        assert outcome.body == (b"" if status == 204 else b"ok")
    assert made == connections


async def test_what_comes_unasked_is_no_answer_to_what_is_asked_next(wire: Wire, listen: Listen) -> None:
    late, left = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(OK)
        if not late.is_set():
            await late.wait()
            writer.write(b"HTTP/1.1 500 Late\r\nContent-Length: 0\r\n\r\n")
            await reader.read()
            left.set()

    port = await listen(serve)
    assert (await post(wire, port)).status == 200
    late.set()
    async with asyncio.timeout(PATIENCE):
        await left.wait()
    assert (await post(wire, port)).status == 200


async def test_a_body_goes_out_to_its_end_though_200_came_early(wire: Wire, listen: Listen) -> None:
    """Who says yes at once may still want all of it."""
    came: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await writer.drain()
        came.append(head + await reader.readexactly(len(body)))

    body = bytes(range(256)) * 40_000
    port = await listen(serve)
    assert (await post(wire, port, body)).status == 200
    async with asyncio.timeout(PATIENCE):
        while not came:
            await asyncio.sleep(0.001)
    assert came[0].endswith(body)


async def test_an_answer_that_waits_behind_a_failed_write_is_read() -> None:
    """D19: who closes over what is still coming in has said why before."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    _, connection = await asyncio.get_running_loop().create_connection(Connection, sock=ours)
    theirs.sendall(b"HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n")
    theirs.close()
    answer = Answer()
    async with asyncio.timeout(PATIENCE):
        await connection.post(answer, b"POST / HTTP/1.1\r\n\r\n", b"x" * 10_000_000)
    assert answer.head is not None
    assert (answer.head.status, answer.is_complete, connection.is_reusable) == (413, True, False)


ENDLESS: dict[str, tuple[bytes, bytes, str | None]] = {
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", "protocol error: the answer's head"),
    "a header": (b"HTTP/1.1 200 OK\r\nX: ", b"x" * 1000, "protocol error: the answer's head"),
    "a reason": (b"HTTP/1.1 200 ", b"x" * 1000, "protocol error: the answer's head"),
    "a body": (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1000, None),
    "sizes of chunks": (CHUNKED, b"1;" + b"x" * 1000 + b"\r\ny\r\n", None),
    "trailers": (CHUNKED + b"0\r\n", b"X: " + b"x" * 1000 + b"\r\n", None),
}  # fmt: skip


@pytest.mark.parametrize("what", ENDLESS)
async def test_an_answer_without_end_ends_at_a_bound(wire: Wire, listen: Listen, what: str) -> None:
    """Not at the deadline: not even in bounded memory is it worth reading for so long."""
    start, more, error = ENDLESS[what]
    sent = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(start)
        nonlocal sent
        while True:
            writer.write(more)
            await writer.drain()
            sent += len(more)

    outcome = await post(wire, await listen(serve))
    assert sent < 20_000_000, "what a connection holds by itself, and some more"
    if error is not None:
        assert outcome.error is not None
        assert outcome.error.startswith(error)
    else:
        assert (outcome.status, outcome.error, outcome.truncated) == (200, None, True)
        assert len(outcome.body) <= ANSWER_LIMIT


def test_a_reason_is_bounded_though_it_comes_at_once() -> None:
    """D20"""
    answer = Answer()
    answer.feed(b"HTTP/1.1 500 " + b"x" * 150_000 + b"\r\n\r\n")
    assert answer.head is None
    assert answer.error.startswith("protocol error: the answer's head")


async def test_the_next_address_of_a_name_is_tried(
    wire: Wire, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(OK)

    port = await listen(serve)
    kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")

    def look_up(host: Any, *rest: Any, **options: Any) -> Any:
        assert host == "two.test"
        return [(*kind, ("127.0.0.9", port)), (*kind, ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert (await post(wire, port, host="two.test")).status == 200


@pytest.mark.parametrize(
    "url", ["ftp://h/", "http://", "http://u:p@h/", "http://h:x/", "http://\u0000/", "h"]
)
def test_what_is_no_plain_address_is_not_for_the_wire(url: str) -> None:
    assert place_of(url) is None


async def test_a_name_that_leads_to_metadata_is_not_connected_to(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(*_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]

    tried: list[Any] = []

    async def connect(_: object, address: Any) -> None:
        tried.append(address)
        raise OSError(errno.ENETUNREACH, "no way there")

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    monkeypatch.setattr(loop, "sock_connect", connect)
    outcome = await post(wire, 80, host="innocent.example")
    assert (outcome.status, outcome.certainty, tried) == (None, "not sent", [])
    assert "link-local or metadata address" in str(outcome.error)
    there = Destination("x", "http://innocent.example/")
    [refused] = await self_test(there, 1_700_000_000_000)
    assert not refused.passed
    assert tried == []
    await post(Wire(verify_tls=True, allow_link_local=True), 80, host="innocent.example")
    assert tried == [("169.254.169.254", 80)]


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_name_that_leads_to_metadata_only_when_it_is_connected_to_is_sent_nothing(
    listen: Listen, monkeypatch: pytest.MonkeyPatch, allowed: bool
) -> None:
    got: list[bytes] = []
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await reader.read(10))
        writer.write(OK)
        ended.set()

    port = await listen(serve)
    monkeypatch.setattr(link_local, "_NETWORKS", (ip_network("127.0.0.0/8"),))
    sender = Sender(allow_link_local=allowed, keep_alive=False)
    outcome = await sender.send("POST", f"http://localhost:{port}/", (), b"{}", PATIENCE)
    await sender.close()
    async with asyncio.timeout(PATIENCE):
        await ended.wait()
    if allowed:
        assert (outcome.status, got) == (200, [b"POST / HTT"])
    else:
        assert (outcome.status, outcome.certainty, got) == (None, "not sent", [b""])
        assert "link-local or metadata address" in str(outcome.error)


async def test_looking_where_a_name_leads_ends_though_nobody_says(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(*_: object, **__: object) -> list[Any]:
        return await asyncio.Future()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    async with asyncio.timeout(PATIENCE):
        await check_not_link_local("http://slow.example/", 0.01)
