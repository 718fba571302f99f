"""A listening socket and a guarded HTTP/1.1 server on it; what is asked and answered is the app's affair.

uvicorn's protocol does the parsing and speaks ASGI. Its Server is not used: it exits the process on a
taken port, replaces signal handlers, and cannot pause accepting.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import AsyncIterator, Callable
from typing import cast

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.server import ServerState

from statsig_tui.engine.connection import Connection, Render
from statsig_tui.engine.framing import Limits, Refusal
from statsig_tui.engine.http import error_json
from statsig_tui.errors import PortInUse, Unavailable

log = logging.getLogger("statsig_tui")

__all__ = ["Limits", "Refusal", "address", "bind", "error_json", "serving"]

_STARVED_SECONDS = 0.25
"""How long accepting rests when it fails, as it does with no file descriptor left."""


def bind(host: str, port: int, *, backlog: int = 1024) -> socket.socket:
    """A listening, non-blocking socket; PortInUse or Unavailable where it is not to be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock: socket.socket | None = None
    try:
        # Without an explicit protocol asyncio sets no TCP_NODELAY on what is accepted here.
        sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind((host, port))
        sock.listen(backlog)
    except (OSError, OverflowError, UnicodeError) as exc:
        if sock is not None:
            sock.close()
        raise _unbindable(host, port, exc) from exc
    return sock


def _unbindable(host: str, port: int, exc: Exception) -> Unavailable:
    place = _authority(host, port)
    code = exc.errno if isinstance(exc, OSError) and not isinstance(exc, socket.gaierror) else None
    if code == errno.EADDRINUSE:
        return PortInUse(
            host,
            port,
            f"{place} is in use by another program.",
            f"See which: lsof -i :{port} or ss -ltnp. "
            "Take a free port with --emulator-port 0 or --receiver-port 0.",
        )
    if code in {errno.EACCES, errno.EPERM}:
        return Unavailable(f"{place} may not be opened by this user.", "Choose a port from 1024 up.")
    reason = getattr(exc, "strerror", None) or str(exc)
    return Unavailable(
        f"{place} cannot be listened on: {reason}.",
        "Give an address of this machine, such as 127.0.0.1, and a port from 0 to 65535.",
    )


def address(sock: socket.socket) -> str:
    """The base URL a bound socket is reached under."""
    host, port = sock.getsockname()[:2]
    return f"http://{_authority(host, port)}"


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextlib.asynccontextmanager
async def serving(
    app: ASGIApp,
    sock: socket.socket,
    limits: Limits,
    *,
    on_refused: Callable[[Refusal], None] = lambda refusal: None,
    render: Render = error_json,
) -> AsyncIterator[None]:
    """Serve on a socket of `bind`, which is closed at the end; `render` makes the body of an error.

    `on_refused` hears of what the app never saw whole, requests that broke off among it.
    """
    listener = _Listener(app, sock, limits, on_refused, render)
    listener.accept()
    try:
        yield
    finally:
        await listener.stop()


class _Listener:
    """The socket, its connections and the one timer that watches their deadlines."""

    def __init__(
        self,
        app: ASGIApp,
        sock: socket.socket,
        limits: Limits,
        on_refused: Callable[[Refusal], None],
        render: Render,
    ) -> None:
        self.config = Config(
            app,
            http=Connection,
            loop="none",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
        )
        self.config.load()
        self.loop = asyncio.get_running_loop()
        self.limits = limits
        self.on_refused = on_refused
        self.render = render
        self.state = ServerState()
        self._sock = sock
        self._open = 0
        self._empty = asyncio.Event()
        self._empty.set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._accepting = False
        self._starved: asyncio.TimerHandle | None = None
        self._warned = False
        self._stopping = False
        self._sweeping: asyncio.TimerHandle | None = None
        shortest = min(limits.head_seconds, limits.keep_alive_seconds)
        self._interval = min(1.0, shortest / 4)

    def accept(self) -> None:
        """Accept while there is room; the socket is watched only then, so waiting costs nothing."""
        self._starved = None
        if not self._accepting and not self._stopping and self._open < self.limits.connections:
            self._accepting = True
            self.loop.add_reader(self._sock, self._accept)

    def _pause(self) -> None:
        if self._accepting:
            self._accepting = False
            self.loop.remove_reader(self._sock)

    def _accept(self) -> None:
        while self._open < self.limits.connections:
            try:
                conn, _ = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as exc:
                self._pause()
                if not self._warned:
                    self._warned = True
                    log.warning("Cannot accept connections for now: %s", exc.strerror)
                self._starved = self.loop.call_later(_STARVED_SECONDS, self.accept)
                return
            self._warned = False
            conn.setblocking(False)
            self._open += 1
            self._empty.clear()
            task = self.loop.create_task(self._connect(conn))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)
        self._pause()

    async def _connect(self, conn: socket.socket) -> None:
        try:
            await self.loop.connect_accepted_socket(lambda: Connection(self), conn)
        except OSError:
            conn.close()
            self.lost()

    def made(self, connection: Connection) -> None:
        """A connection came up."""
        if self._stopping:
            connection.abandon()
        if self._sweeping is None:
            self._sweeping = self.loop.call_later(self._interval, self._sweep)

    def lost(self) -> None:
        """A connection is gone."""
        self._open -= 1
        if not self._open:
            self._empty.set()
        if self._starved is None:
            self.accept()

    def _sweep(self) -> None:
        now = self.loop.time()
        connections = cast("set[Connection]", self.state.connections)
        for connection in [item for item in connections if item.deadline <= now]:
            connection.expire(now)
        self._sweeping = self.loop.call_later(self._interval, self._sweep) if connections else None

    async def stop(self) -> None:
        """Refuse what is new, let what is in flight finish, then end it."""
        self._stopping = True
        self._pause()
        self._sock.close()
        if self._starved is not None:
            self._starved.cancel()
        try:
            if self._connecting:
                await asyncio.wait(self._connecting)
            for connection in list(self.state.connections):
                connection.shutdown()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.limits.stop_seconds):
                    while self.state.tasks:
                        await asyncio.wait(self.state.tasks)
                    await self._empty.wait()
        finally:
            if self._sweeping is not None:
                self._sweeping.cancel()
            tasks = list(self.state.tasks)
            for task in tasks:
                task.cancel()
            for connection in cast("set[Connection]", set(self.state.connections)):
                connection.abandon()
            await asyncio.sleep(0)
            if tasks:
                await asyncio.wait(tasks, timeout=1.0)
            await self._empty.wait()
