"""What every test stands on: its own home, no network beyond this machine, and engines and endpoints to use.

Types of what the fixtures give are for annotations: `if TYPE_CHECKING: from tests.conftest import Site`.
"""

from __future__ import annotations

import asyncio
import compileall
import contextlib
import gc
import ipaddress
import json
import os
import socket
import ssl
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import httpx
import pytest
from hypothesis import HealthCheck, settings

from statsig_tui.core.config import (
    DEFAULT_RECEIVER_URL,
    RECEIVER,
    BatchPolicy,
    Config,
    Destination,
    EmulatorConfig,
    ReceiverConfig,
    RetryPolicy,
    Secret,
)
from statsig_tui.core.records import CaptureRecord, DeliveryRecord, DeliveryState, Record
from statsig_tui.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from statsig_tui.engine.clock import Clock
from statsig_tui.engine.engine import Engine, running
from statsig_tui.engine.framing import Limits
from statsig_tui.engine.listeners import Listener
from statsig_tui.engine.target import ENDPOINT

# What is red is red for everybody and again: examples change neither by themselves nor with the machine's
# speed.
settings.register_profile(
    "the same everywhere", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("the same everywhere")

PATIENCE = 20.0
"""Seconds after which a test is stuck; none comes near."""
KEY = "secret-" + "k" * 43
SECRET = "webhook-" + "s" * 43
R = TypeVar("R")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are cores: a test of screens or processes waits about as long as it computes."""
    return (os.cpu_count() or 1) + 1


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the program once: where Python may not write, each of the run's many processes would."""
    if not hasattr(session.config, "workerinput"):
        compileall.compile_dir(Path(__file__).parents[1] / "statsig_tui", quiet=2)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is loaded by now stays: the collector need not walk it in every test."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for each test, and none of the user's settings."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / f".{name.lower()}"))
    for name in list(os.environ):
        if name.startswith(("STATSIG_", "_STATSIG_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    # The clipboard of whoever runs the tests is theirs.
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    # A backend of the desktop must neither be asked nor waited for.
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    return home


@pytest.fixture(autouse=True)
def only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection and every name beyond loopback."""
    connect, connect_ex, resolve = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded(self: socket.socket, address: Any) -> None:
        _allow(self.family, address)
        connect(self, address)

    def guarded_ex(self: socket.socket, address: Any) -> int:
        _allow(self.family, address)
        return connect_ex(self, address)

    def local_names(host: Any, *rest: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not _is_loopback(name):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *rest, **options)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_ex)
    monkeypatch.setattr(socket, "getaddrinfo", local_names)


def _allow(family: int, address: Any) -> None:
    if family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
        raise PermissionError(f"tests reach this machine only, not {address[0]}")


def _is_loopback(host: str) -> bool:
    if host in ("", "localhost") or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Journal:
    """Every record that was committed, in order, and a way to wait for the one that matters."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()

    def put(self, records: Sequence[Record]) -> None:
        """The observer: called in the writer's thread."""
        self._loop.call_soon_threadsafe(self._take, tuple(records))

    def of(self, kind: type[R], match: Callable[[R], bool] = lambda record: True) -> list[R]:
        """What came so far."""
        return [record for record in self.records if isinstance(record, kind) and match(record)]

    async def wait(
        self, kind: type[R], match: Callable[[R], bool] = lambda record: True, *, count: int = 1
    ) -> list[R]:
        """All that match, once there are `count`."""
        async with asyncio.timeout(PATIENCE):
            while len(found := self.of(kind, match)) < count:
                self._changed.clear()
                await self._changed.wait()
        return found

    def _take(self, records: Sequence[Record]) -> None:
        self.records.extend(records)
        self._changed.set()


@dataclass
class Site:
    """A running engine, what it committed, and a client that speaks to its listeners."""

    engine: Engine
    journal: Journal
    client: httpx.AsyncClient

    @property
    def emulator(self) -> str:
        """The emulator's base URL."""
        assert self.engine.addresses.emulator is not None
        return self.engine.addresses.emulator

    @property
    def receiver(self) -> str:
        """The receiver's base URL."""
        assert self.engine.addresses.receiver is not None
        return self.engine.addresses.receiver

    async def post(
        self, body: object, path: str = ENDPOINT, *, key: str | None = KEY, headers: Any = None
    ) -> httpx.Response:
        """Post to the emulator: bytes as they are, anything else as JSON."""
        given: dict[str, Any] = {"Content-Type": "application/json"}
        given |= {"STATSIG-API-KEY": key} if key else {}
        return await self.client.post(
            self.emulator + path, content=_bytes(body), headers=given | (headers or {})
        )

    async def event(self, name: str = "checkout", **members: object) -> str:
        """Post a good incoming event; its trace."""
        answer = await self.post({"user": {"userID": "u1"}, "event": name} | members)
        assert answer.status_code == 202, answer.text
        trace: str = answer.headers["X-Statsig-Tui-Trace"]
        return trace

    async def webhook(
        self, body: object, path: str = "/", *, secret: str | None = SECRET, headers: Any = None
    ) -> httpx.Response:
        """Post to the receiver, signed where a secret is given."""
        raw = _bytes(body)
        given = {"Content-Type": "application/json"}
        if secret is not None:
            given |= signed(secret, raw)
        return await self.client.post(self.receiver + path, content=raw, headers=given | (headers or {}))

    async def capture(self, match: Callable[[CaptureRecord], bool] = lambda record: True) -> CaptureRecord:
        """The newest capture that matches, once there is one."""
        return (await self.journal.wait(CaptureRecord, match))[-1]

    async def delivery(
        self, state: DeliveryState, destination: str = RECEIVER, *, count: int = 1
    ) -> list[DeliveryRecord]:
        """Deliveries of a destination as they came into a state."""
        return await self.journal.wait(
            DeliveryRecord, lambda d: d.state is state and d.destination == destination, count=count
        )


def signed(secret: str, body: bytes, timestamp: str | None = None) -> dict[str, str]:
    """The two headers of a signed request."""
    stamp = timestamp or str(time.time_ns() // 1_000_000)
    return {TIMESTAMP_HEADER: stamp, SIGNATURE_HEADER: sign(secret, stamp, body)}


def _bytes(body: object) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


@pytest.fixture(scope="session")
def destination() -> Callable[..., Destination]:
    """Make a destination that batches and retries quickly; the built-in one unless told otherwise."""

    def make(name: str = RECEIVER, url: str = DEFAULT_RECEIVER_URL, **changes: Any) -> Destination:
        settings: dict[str, Any] = {
            "secret": Secret.of(SECRET),
            "batch": BatchPolicy(max_events=100, max_seconds=0.01),
            "retry": RetryPolicy((0.01, 0.01, 0.01)),
        }
        return Destination(name, url, **(settings | changes))

    return make


@pytest.fixture(scope="session")
def config(destination: Callable[..., Destination]) -> Callable[..., Config]:
    """Make settings with free ports and these destinations (or the built-in one)."""

    def make(*destinations: Destination, emulator: Any = None, receiver: Any = None) -> Config:
        return Config(
            emulator=EmulatorConfig(**({"port": 0} | (emulator or {}))),
            receiver=ReceiverConfig(**({"port": 0} | (receiver or {}))),
            destinations=destinations or (destination(),),
        )

    return make


class StartEngine(Protocol):
    """Starts an engine; it ends with the context."""

    def __call__(
        self,
        config: Config | None = None,
        *,
        listeners: Sequence[Listener] = ...,
        fall_back: bool = ...,
        limits: Limits | None = ...,
        clock: Clock | None = ...,
        busy_seconds: float = ...,
        database: Path | None = ...,
    ) -> contextlib.AbstractAsyncContextManager[Site]: ...


@contextlib.asynccontextmanager
async def open_site(config: Config, database: Path, **options: Any) -> AsyncIterator[Site]:
    """A running engine, its journal and a client."""
    journal = Journal()
    async with (
        httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client,
        running(config, database, observers=[journal.put], **options) as started,
    ):
        yield Site(started, journal, client)


@pytest.fixture
def engine(tmp_path: Path, config: Callable[..., Config]) -> StartEngine:
    """Start an engine on free ports: `async with engine() as site`; the database is kept between starts."""
    make = config

    def start(
        config: Config | None = None, *, database: Path | None = None, **options: Any
    ) -> contextlib.AbstractAsyncContextManager[Site]:
        return open_site(config or make(), database or tmp_path / "store.db", **options)

    return start


@pytest.fixture
async def site(engine: StartEngine) -> AsyncIterator[Site]:
    """An engine with both listeners and the built-in destination."""
    async with engine() as site:
        yield site


@dataclass(frozen=True)
class Got:
    """One request that an endpoint got."""

    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


Answer = Callable[[Got, asyncio.StreamWriter], Awaitable[object]]


@dataclass
class Endpoint:
    """Somebody's webhook endpoint; what it answers is the test's affair."""

    answer: Answer
    requests: list[Got] = field(default_factory=list)
    url: str = ""
    closed: int = 0
    """Connections that have ended, from either side."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _peers: set[asyncio.Task[None]] = field(default_factory=set)

    async def got(self, count: int) -> list[Got]:
        """The requests, once there are so many."""
        await self.until(lambda: len(self.requests) >= count)
        return self.requests

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that a request makes true."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests until it ends."""
        task = asyncio.current_task()
        assert task is not None
        self._peers.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                lines = (line.partition(":") for line in head[1:] if line)
                headers = {name.lower(): value.strip() for name, _, value in lines}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                got = Got(head[0].split(" ")[1], headers, body)
                self.requests.append(got)
                self._changed.set()
                await self.answer(got, writer)
                await writer.drain()
        self._peers.discard(task)
        writer.close()
        self.closed += 1
        self._changed.set()

    def stop(self) -> None:
        """Leave every connection."""
        for task in self._peers:
            task.cancel()


class StartEndpoint(Protocol):
    """Starts an endpoint that ends with the test."""

    def __call__(self, answer: Answer, *, tls: ssl.SSLContext | None = None) -> Awaitable[Endpoint]: ...


@pytest.fixture
async def endpoint() -> AsyncIterator[StartEndpoint]:
    """Start an endpoint with a function that answers: `await endpoint(say(200))`."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(answer: Answer, *, tls: ssl.SSLContext | None = None) -> Endpoint:
            site = Endpoint(answer)
            server = await asyncio.start_server(site.serve, "127.0.0.1", 0, ssl=tls)
            stack.callback(server.close)
            stack.callback(site.stop)
            host, port = server.sockets[0].getsockname()
            site.url = f"{'http' if tls is None else 'https'}://{host}:{port}/hook"
            return site

        yield start


@pytest.fixture
def say() -> Callable[..., Answer]:
    """Answers in a row, the last for ever: statuses, or raw bytes."""

    def make(*answers: int | bytes) -> Answer:
        left = list(answers)

        async def answer(got: Got, writer: asyncio.StreamWriter) -> None:
            now = left.pop(0) if len(left) > 1 else left[0]
            head = b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % now if isinstance(now, int) else now
            writer.write(head)

        return answer

    return make


@pytest.fixture
def data() -> Callable[[str], bytes]:
    """Bytes of a file under tests/data."""
    return lambda name: (Path(__file__).parent / "data" / name).read_bytes()


@pytest.fixture
def python() -> Callable[..., Awaitable[tuple[int, str, str]]]:
    """Run Python in a process of its own: exit code, stdout, stderr."""

    async def run(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(3 * PATIENCE):
            out, err = await process.communicate(stdin)
        return process.returncode or 0, out.decode(), err.decode()

    return run
