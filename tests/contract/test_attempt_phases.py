"""Where the time of an attempt went: which phases it came to, and in which it ended, at real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from statsig_tui.core.phases import Phases, ended
from statsig_tui.core.records import DeliveryRecord
from statsig_tui.engine.outcome import Outcome
from statsig_tui.engine.wire import Wire, place_of
from tests.corpus.certificates import Authority

if TYPE_CHECKING:
    from tests.conftest import StartEngine

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PATIENCE = 20.0
SHORT = 0.5
"""Seconds after which an attempt at a server that holds still is given up."""
HOLD = 0.15
"""Seconds for which a server holds one phase up."""
LARGE = b"x" * (24 << 20)
"""More than the system takes for a server that does not read."""


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    it = Wire(verify_tls=True)
    yield it
    it.close()


@contextlib.asynccontextmanager
async def serving(serve: Serve, **options: Any) -> AsyncIterator[int]:
    """The port of a server for as long as it is asked."""
    peers: set[asyncio.Task[None]] = set()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        peers.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await serve(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(peer, "127.0.0.1", 0, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in peers:
            task.cancel()


@contextlib.contextmanager
def holding_still(backlog: int = 16) -> Iterator[int]:
    """The port of a socket that is listened at and at which nobody ever answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(backlog)
        yield listener.getsockname()[1]


async def request(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))


async def post(
    wire: Wire,
    port: int,
    *,
    origin: str = "http://127.0.0.1",
    body: bytes = b"{}",
    seconds: float = PATIENCE,
) -> tuple[Outcome, Phases]:
    place = place_of(f"{origin}:{port}/hook")
    assert place is not None
    outcome = await wire.send(place, (), body, seconds)
    assert outcome.phases is not None
    return outcome, outcome.phases


def reached(phases: Phases) -> list[str]:
    return [name for name, _ in phases]


def in_all(phases: Phases) -> float:
    return sum(took.ms for took in phases)


async def test_a_connection_that_stands_is_said_to_be_used_again(wire: Wire) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await request(reader)
            writer.write(OK)

    async with serving(serve) as port:
        outcome, first = await post(wire, port)
        _, second = await post(wire, port)
    assert (reached(first), first.is_reused) == (["connect", "send", "wait", "read"], False)
    assert (reached(second), second.is_reused) == (["send", "wait", "read"], True)
    assert in_all(first) <= outcome.ms + 0.01, "the phases do not overlap"


async def test_a_name_is_looked_up_and_an_address_is_not(wire: Wire) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(OK)

    async with serving(serve) as port:
        _, phases = await post(wire, port, origin="http://localhost")
        assert reached(phases)[:2] == ["resolve", "connect"]


@pytest.mark.parametrize("held", ["wait", "interim", "read"])
async def test_the_time_for_which_a_server_holds_a_phase_up_is_that_phases(wire: Wire, held: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        if held == "interim":
            writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
        if held != "read":
            await asyncio.sleep(HOLD)
        writer.write(OK[:-2])
        if held == "read":
            await asyncio.sleep(HOLD)
        writer.write(OK[-2:])

    async with serving(serve) as port:
        outcome, phases = await post(wire, port)
    assert outcome.status == 200
    took = dict(phases)
    assert took["read" if held == "read" else "wait"] >= HOLD * 900


async def test_a_tls_handshake_is_a_phase_of_its_own(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await request(reader)
            writer.write(OK)

    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.trusted))
    async with serving(serve, ssl=authority.server()) as port:
        _, first = await post(wire, port, origin="https://127.0.0.1")
        _, second = await post(wire, port, origin="https://127.0.0.1")
    assert reached(first) == ["connect", "tls", "send", "wait", "read"]
    assert reached(second) == ["send", "wait", "read"]


async def test_a_certificate_that_is_refused_ends_in_the_handshake(wire: Wire, tmp_path: Path) -> None:
    async def serve(*_: object) -> None:
        """Never come to."""

    async with serving(serve, ssl=Authority(tmp_path).server()) as port:
        outcome, phases = await post(wire, port, origin="https://127.0.0.1")
    assert "TLS error" in str(outcome.error)
    assert reached(phases) == ["connect", "tls"]
    assert "in the TLS handshake, connected in" in ended(phases)


async def test_a_port_that_refuses_ends_while_connecting(wire: Wire) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        outcome, phases = await post(wire, taken.getsockname()[1])
    assert "connection refused" in str(outcome.error)
    assert reached(phases) == ["connect"]
    assert ended(phases).endswith("ms connecting")


async def test_a_name_that_is_not_found_ends_while_it_is_looked_up(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    outcome, phases = await post(wire, 80, origin="http://nowhere.test")
    assert "does not resolve" in str(outcome.error)
    assert reached(phases) == ["resolve"]


async def test_a_time_out_says_in_which_phase_it_came(wire: Wire) -> None:
    async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(OK[:-1])
        await reader.read()

    def came(phases: Phases, *wanted: str) -> None:
        assert reached(phases) == list(wanted)

    with holding_still() as port:
        outcome, phases = await post(wire, port, seconds=SHORT)
        assert "no answer within" in str(outcome.error)
        came(phases, "connect", "send", "wait")
        assert "ms waiting for the answer, connected in" in ended(phases)
        outcome, phases = await post(wire, port, body=LARGE, seconds=SHORT)
        came(phases, "connect", "send")
        assert "ms sending the request, connected in" in ended(phases)
        outcome, phases = await post(wire, port, origin="https://127.0.0.1", seconds=SHORT)
        assert "no handshake within" in str(outcome.error)
        came(phases, "connect", "tls")
    async with serving(drips) as port:
        outcome, phases = await post(wire, port, seconds=SHORT)
        assert (outcome.status, outcome.truncated) == (200, True)
        came(phases, "connect", "send", "wait", "read")


async def test_a_connection_that_never_comes_about_ended_while_connecting(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def connect(*_: object) -> None:
        await asyncio.Event().wait()

    async def find(*_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "sock_connect", connect)
    monkeypatch.setattr(loop, "getaddrinfo", find)
    outcome, phases = await post(wire, 80, origin="http://silent.test", seconds=SHORT)
    assert "no connection within" in str(outcome.error)
    assert reached(phases) == ["resolve", "connect"]
    assert "ms connecting, name found in" in ended(phases)


def was_delivered(number: int, record: DeliveryRecord) -> bool:
    return record.id == number and record.state == "delivered"


async def test_the_phases_are_kept_with_the_attempt(engine: StartEngine) -> None:
    found: list[Phases] = []
    async with engine() as site:
        for number in (1, 2):
            await site.event()
            await site.journal.wait(DeliveryRecord, partial(was_delivered, number))
            (attempt,) = site.engine.archive.attempts(number)
            assert attempt.phases is not None
            assert attempt.ms is not None
            assert in_all(attempt.phases) <= attempt.ms + 0.01
            found.append(attempt.phases)
    assert [phases.is_reused for phases in found] == [False, True]
    assert reached(found[1]) == ["send", "wait", "read"]
