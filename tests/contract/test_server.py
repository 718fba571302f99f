"""The server with an app of the test's own, over sockets; the hostile cases of table R are in the corpus."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from statsig_tui.engine import connection
from statsig_tui.engine.http import CLOSE, BodyRefused, ClientGone, Receive, Scope, Send, read_body, respond
from statsig_tui.engine.server import Limits, Refusal, address, bind, error_json, serving
from statsig_tui.errors import PortInUse, Unavailable

PATIENCE = 20.0
"""Seconds after which a test is stuck; no test takes a tenth of it."""
SHORT = Limits(
    head_seconds=0.2,
    keep_alive_seconds=0.2,
    body_idle_seconds=0.2,
    body_total_seconds=0.6,
    stop_seconds=0.3,
)
ROOMY = Limits()
HOST = b"Host: localhost\r\n"
GOOD = b"POST /good HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}"


@dataclass
class Site:
    """A running server, what it refused, and what its app saw."""

    port: int
    refusals: list[Refusal] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    limits: Limits = SHORT

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the body's length; /gate waits to be let through, /hang waits without end."""
        self.scopes.append(scope)
        try:
            self.bodies.append(await read_body(scope, receive, self.limits))
        except BodyRefused as refused:
            answer = error_json(refused.status, refused.code, refused.message)
            await respond(send, refused.status, answer, [CLOSE])
        except ClientGone:
            self.gone.set()
        else:
            self.started.set()
            await self.route(scope["path"], receive, send)

    async def route(self, path: str, receive: Receive, send: Send) -> None:
        if path == "/gate":
            await self.gate.wait()
        elif path == "/hang":
            while (await receive())["type"] != "http.disconnect":
                pass
            self.gone.set()
        elif path == "/boom":
            raise RuntimeError("secret-in-the-exception")
        if path not in {"/silent", "/hang"}:
            await respond(send, 200, json.dumps({"size": len(self.bodies[-1])}).encode())

    async def good(self) -> None:
        """A request beyond reproach is answered."""
        assert (await self.ask(GOOD)).startswith(b"HTTP/1.1 200 ")

    async def ask(self, *parts: bytes) -> bytes:
        """Everything that comes back until the server closes."""
        async with self.peer() as (reader, writer):
            return await _exchange(reader, writer, *parts)

    @contextlib.asynccontextmanager
    async def peer(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *parts: bytes) -> bytes:
    async def send() -> None:
        with contextlib.suppress(OSError):
            for part in parts:
                writer.write(part)
                await writer.drain()

    async with asyncio.TaskGroup() as group:
        sending = group.create_task(send())
        answer = await reader.read(-1)
        sending.cancel()
    return answer


async def _answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """One response: its head and its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head, await reader.readexactly(length)


def _statuses(answers: bytes) -> list[bytes]:
    return re.findall(rb"HTTP/1\.1 (\d+) ", answers)


@contextlib.asynccontextmanager
async def running(limits: Limits = SHORT, **options: Any) -> AsyncIterator[Site]:
    """A site whose server keeps quiet: nothing reaches the loop's exception handler."""
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))
    sock = bind("127.0.0.1", 0)
    site = Site(sock.getsockname()[1], limits=limits)
    async with (
        asyncio.timeout(PATIENCE),
        serving(site.app, sock, limits, on_refused=site.refusals.append, **options),
    ):
        yield site
    assert faults == []


def _head(*lines: str, request: str = "POST / HTTP/1.1", host: bytes = HOST) -> bytes:
    return request.encode() + b"\r\n" + host + "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


CHUNKED = _head("Transfer-Encoding: chunked")


async def test_a_refusal_is_told_with_who_and_why() -> None:
    async with running() as site:
        answer = await site.ask(_head(host=b""))
        await site.good()
    error = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    (refusal,) = site.refusals
    assert (refusal.status, refusal.code, refusal.message) == (400, "bad_host", error["message"])
    assert refusal.peer.startswith("127.0.0.1:")


async def test_a_connection_kept_alive_is_closed_when_idle() -> None:
    async with running() as site:
        answer = await site.ask(_head("Content-Length: 0"))
    assert answer.endswith(b'{"size": 0}')
    assert b"connection: close" not in answer
    assert site.refusals == []


async def test_without_descriptors_accepting_rests(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Starved(socket.socket):
        left = 3

        def accept(self) -> tuple[socket.socket, Any]:
            if self.left:
                self.left -= 1
                raise OSError(errno.EMFILE, "Too many open files")
            return super().accept()

    sock = Starved(fileno=bind("127.0.0.1", 0).detach())
    monkeypatch.setattr("statsig_tui.engine.server._STARVED_SECONDS", 0.01)
    site = Site(sock.getsockname()[1])
    async with asyncio.timeout(PATIENCE), serving(site.app, sock, SHORT):
        await site.good()
    assert [record.message for record in caplog.records] == [
        "Cannot accept connections for now: Too many open files"
    ]


async def test_trailers_do_not_become_headers() -> None:
    async with running() as site:
        answer = await site.ask(CHUNKED + b"2\r\n{}\r\n0\r\nHost: evil\r\nX-Late: 1\r\n\r\n")
    assert b"200 OK" in answer
    assert [name for name, _ in site.scopes[0]["headers"]] == [b"host", b"transfer-encoding"]


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/a%20b?x=1?y", "/a b", b"x=1?y"),
        (b"//", "//", b""),
        (b"/../%2e%2e/%00", "/../../\0", b""),
        (b"/a#b", "/a", b""),
        (b"http://LOCALHOST/p?q", "/p", b"q"),
        (b"http://localhost", "/", b""),
        (b"http://localhost?q", "/", b"q"),
        (b"*", "*", b""),
    ],
)
async def test_targets_reach_the_app_as_path_and_query(target: bytes, path: str, query: bytes) -> None:
    async with running() as site:
        await site.ask(b"OPTIONS " + target + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    assert [(scope["path"], scope["query_string"]) for scope in site.scopes] == [(path, query)]


async def test_http_1_0_needs_no_host() -> None:
    async with running() as site:
        assert (await site.ask(b"GET / HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.1 200 ")


async def test_pipelined_requests_arriving_one_by_one_are_answered_in_order() -> None:
    async with running(ROOMY) as site, site.peer() as (reader, writer):
        writer.write(_head("Content-Length: 0", request="POST /gate HTTP/1.1"))
        await site.started.wait()
        writer.write(_head("Content-Length: 100000") + b"x" * 50_000)
        await writer.drain()
        site.gate.set()
        assert (await _answer(reader))[1] == b'{"size": 0}'
        writer.write(b"x" * 50_000 + _head("Content-Length: 7") + b"x" * 7)
        assert (await _answer(reader))[1] == b'{"size": 100000}'
        assert (await _answer(reader))[1] == b'{"size": 7}'


async def test_a_broken_body_behind_a_slow_request_waits_its_turn() -> None:
    async with running(ROOMY) as site, site.peer() as (reader, writer):
        writer.write(_head("Content-Length: 0", request="POST /gate HTTP/1.1") + CHUNKED + b"zz\r\n")
        await site.started.wait()
        while not site.refusals:
            await asyncio.sleep(0)
        site.gate.set()
        answer = await reader.read(-1)
    assert _statuses(answer) == [b"200", b"400"]
    assert len(site.scopes) == 1


async def test_a_pipeline_is_bounded() -> None:
    async with running() as site:
        answer = await site.ask(_head("Content-Length: 0") * 200)
        await site.good()
    assert answer.count(b"HTTP/1.1 200") < 200
    assert answer.endswith(b'requests wait on one connection."}}')


async def test_a_refused_upload_can_still_read_why() -> None:
    """The peer sends all it announced before it looks: it must find an answer, not a reset."""
    async with running(ROOMY) as site, site.peer() as (reader, writer):
        writer.write(_head("Content-Length: 20000000") + b"x" * 20_000_000)
        await writer.drain()
        assert (await reader.read(-1)).startswith(b"HTTP/1.1 413 ")


async def test_an_answer_before_the_bodys_end_closes() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, 404, b"{}")

    sock = bind("127.0.0.1", 0)
    site = Site(sock.getsockname()[1])
    async with asyncio.timeout(PATIENCE), serving(app, sock, SHORT, on_refused=site.refusals.append):
        answer = await site.ask(_head("Content-Length: 1000", "Expect: 100-continue"))
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"connection: close" in answer
    assert site.refusals == []


async def test_a_peer_that_closes_its_half_is_answered() -> None:
    async with running(ROOMY) as site, site.peer() as (reader, writer):
        writer.write(_head("Content-Length: 0", request="POST /gate HTTP/1.1"))
        await site.started.wait()
        writer.write_eof()
        site.gate.set()
        assert (await reader.read(-1)).startswith(b"HTTP/1.1 200 ")


async def test_a_peer_that_left_is_noticed_while_its_answer_hangs() -> None:
    async with running() as site:
        async with site.peer() as (_, writer):
            writer.write(_head("Content-Length: 0", request="POST /hang HTTP/1.1"))
            await site.started.wait()
        await site.gone.wait()
        await site.good()
    assert site.refusals == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/boom", "A request failed inside statsig-tui"),
        ("/silent", "A request was left without a whole answer"),
    ],
)
async def test_a_failing_app_is_a_500_that_tells_nothing(
    path: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running() as site:
        answer = await site.ask(_head("Content-Length: 0", request=f"POST {path} HTTP/1.1"))
        await site.good()
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "internal"
    assert b"secret-in-the-exception" not in answer
    assert [(record.name, record.levelno, record.message) for record in caplog.records] == [
        ("statsig_tui", logging.ERROR, said)
    ]


async def test_the_app_decides_what_an_error_looks_like() -> None:
    def render(status: int, code: str, message: str) -> bytes:
        return json.dumps({"status": status, "message": message}).encode()

    async with running(render=render) as site:
        answer = await site.ask(_head(host=b""))
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 400


async def test_stopping_lets_a_request_in_flight_finish() -> None:
    async with contextlib.AsyncExitStack() as stack:
        site = await stack.enter_async_context(running(ROOMY))
        async with site.peer() as (reader, writer), site.peer() as (idle, _):
            writer.write(_head("Content-Length: 0", request="POST /gate HTTP/1.1"))
            await site.started.wait()
            stopping = asyncio.create_task(stack.aclose())
            assert await idle.read(-1) == b""
            with pytest.raises(OSError, match="Connect call failed"):
                await asyncio.open_connection("127.0.0.1", site.port)
            site.gate.set()
            answer = await reader.read(-1)
            await stopping
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in answer


async def test_stopping_ends_what_hangs() -> None:
    async with contextlib.AsyncExitStack() as stack:
        site = await stack.enter_async_context(running())
        async with site.peer() as (reader, writer):
            writer.write(_head("Content-Length: 0", request="POST /gate HTTP/1.1"))
            await site.started.wait()
            await stack.aclose()
            with contextlib.suppress(ConnectionError):
                assert await reader.read(-1) == b""


async def test_stopping_waits_for_no_keep_alive() -> None:
    async with contextlib.AsyncExitStack() as stack:
        site = await stack.enter_async_context(running(Limits(stop_seconds=PATIENCE)))
        async with site.peer() as (reader, writer):
            writer.write(_head("Content-Length: 0"))
            await _answer(reader)
            await stack.aclose()
            assert await reader.read(-1) == b""


async def test_idle_means_no_timer() -> None:
    loop = asyncio.get_running_loop()

    def is_sweeping() -> bool:
        handles: list[Any] = loop._scheduled  # type: ignore[attr-defined]
        return any("_sweep" in repr(handle) and not handle.cancelled() for handle in handles)

    async with running() as site:
        assert not is_sweeping()
        async with site.peer() as (_, writer):
            writer.write(b"G")
            while not is_sweeping():
                await asyncio.sleep(0)
        while is_sweeping():
            await asyncio.sleep(0.01)
        await site.good()


async def test_accepted_connections_do_not_wait_to_send(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    made = connection.Connection.connection_made

    def spy(self: connection.Connection, transport: asyncio.Transport) -> None:
        seen.append(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        made(self, transport)

    monkeypatch.setattr(connection.Connection, "connection_made", spy)
    async with running() as site:
        await site.good()
    assert seen
    assert all(seen)


def test_a_taken_port_says_so() -> None:
    with bind("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(PortInUse) as caught:
            bind("127.0.0.1", port)
    assert caught.value.message == f"127.0.0.1:{port} is in use by another program."
    assert f"lsof -i :{port}" in caught.value.hint
    assert "--emulator-port" in caught.value.hint
    assert (caught.value.host, caught.value.port, caught.value.exit_code) == ("127.0.0.1", port, 3)


@pytest.mark.parametrize(
    ("host", "port"), [("192.0.2.1", 0), ("127.0.0.1", 70_000), ("2001:db8::1", 0), ("a" * 70, 0)]
)
def test_an_address_that_cannot_be_had_says_so(host: str, port: int) -> None:
    with pytest.raises(Unavailable) as caught:
        bind(host, port)
    assert not isinstance(caught.value, PortInUse)
    assert "cannot be listened on" in caught.value.message
    assert caught.value.hint


def test_a_forbidden_port_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forbidden(socket.socket):
        def bind(self, address: Any) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "socket", Forbidden)
    with pytest.raises(Unavailable, match="may not be opened"):
        bind("127.0.0.1", 80)


def test_the_address_is_a_url() -> None:
    with bind("127.0.0.1", 0) as sock:
        assert address(sock) == f"http://127.0.0.1:{sock.getsockname()[1]}"


async def test_ipv6_is_served_or_refused_in_words() -> None:
    try:
        sock = bind("::1", 0)
    except Unavailable as error:
        said = error.message + error.hint
    else:
        await _serves_ipv6(sock)
        return
    # A machine without IPv6: the address is named, with what to give instead.
    assert "[::1]" in said
    assert "127.0.0.1" in said


async def _serves_ipv6(sock: socket.socket) -> None:
    site = Site(sock.getsockname()[1])
    assert address(sock) == f"http://[::1]:{site.port}"
    async with asyncio.timeout(PATIENCE), serving(site.app, sock, SHORT):
        reader, writer = await asyncio.open_connection("::1", site.port)
        assert (await _exchange(reader, writer, GOOD)).startswith(b"HTTP/1.1 200 ")
        writer.close()
        await writer.wait_closed()
    assert site.scopes[0]["client"][0] == "::1"
