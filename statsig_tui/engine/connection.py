"""One guarded HTTP/1.1 connection: uvicorn's parser and ASGI cycle behind deadlines and limits.

Whose host a request asks for, what its path means and how long its body may take is the app's affair.
"""

from __future__ import annotations

import asyncio
import logging
import math
import urllib.parse
from collections.abc import Callable, Coroutine
from functools import lru_cache
from typing import Any, Protocol, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from statsig_tui.engine.framing import Limits, Refusal, RefusedError, check_head, too_large, unreadable
from statsig_tui.engine.http import AT_ONCE, CLOSE, SENDER, WHOLE, json_head

log = logging.getLogger("statsig_tui")

_LINGER_SECONDS = 1.0
"""How long a peer that still sends may take to read its answer: closing at once would reset it unread."""
_PIPELINE = 32
"""Requests that may wait behind the one being answered."""
_SHORT = 256
"""Bytes up to which an answer is remembered as it was written: the same few come again and again."""
_TLS = "TLS came to a plain listener: write http:// in the sender's URL, or use a tunnel that ends TLS."
_FAILED = "The request failed inside statsig-tui; its log says why."

Render = Callable[[int, str, str], bytes]
"""Status, code and message to the body of an error."""


class Host(Protocol):
    """What a connection needs of the server it belongs to."""

    config: Config
    state: ServerState
    loop: asyncio.AbstractEventLoop
    limits: Limits
    render: Render
    on_refused: Callable[[Refusal], None]

    def made(self, connection: Connection) -> None:
        """A connection came up."""

    def lost(self) -> None:
        """A connection is gone."""


class _Door:
    """The transport as a response sees it: head and body leave together, and closing may linger."""

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, close: Callable[[], None]
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""
        self.close = close
        self.abort = transport.abort
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        if self._held:
            self._transport.write(self._held + data)
            self._held = b""
        else:
            self._held = data
            self._loop.call_soon(self.flush)

    def write_whole(self, data: bytes) -> None:
        self.flush()
        self._transport.write(data)

    def flush(self) -> None:
        if self._held:
            self._transport.write(self._held)
            self._held = b""


class _Flow(FlowControl):
    """Reading stays paused while whole requests wait: the one being answered needs no more bytes."""

    def __init__(self, transport: asyncio.Transport, waiting: Any) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        if self.read_paused and not self._waiting:
            super().resume_reading()


class _Cycle(RequestResponseCycle):
    """One request and its response; where the app fails, the answer is JSON and tells nothing."""

    render: Render
    door: _Door
    is_kept_waiting = False

    async def keep_waiting(self, seconds: float | None) -> bool:
        """Let the sender wait; whether it still does."""
        self.is_kept_waiting = True
        self.flow.resume_reading()  # or nobody would notice that it leaves
        try:
            async with asyncio.timeout(seconds):
                while not self.disconnected:
                    self.message_event.clear()
                    await self.message_event.wait()
        except TimeoutError:
            return not self.disconnected
        finally:
            self.is_kept_waiting = False
        return False

    def cut(self) -> None:
        """End the connection without an answer, or without the rest of one."""
        self.disconnected = True
        self.door.abort()

    def is_whole(self) -> bool:
        """Whether the body is here, and nobody has to be asked to send it."""
        return not self.more_body

    def at_once(self, status: int, body: bytes) -> bool:
        """Answer a request that came whole; False where the answer says more than that."""
        usual = self.keep_alive and not (self.more_body or self.response_started or self.disconnected)
        if not usual or self.flow.write_paused or self.scope["method"] == "HEAD" or len(body) > _SHORT:
            return False
        self.response_started = self.response_complete = True
        self.door.write_whole(_written(status, body))
        self.message_event.set()
        self.on_response()
        return True

    async def run_asgi(self, app: Any) -> None:
        try:
            await app(self.scope, self.receive, self.send)
            if not self.response_complete and not self.disconnected:
                log.error("A request was left without a whole answer")
                await self._fail()
        except asyncio.CancelledError:
            self.transport.close()
            raise
        except Exception:
            log.exception("A request failed inside statsig-tui")
            await self._fail()
        finally:
            self.on_response = lambda: None
            # It holds this cycle, which holds it: left so, every request would be the collector's work.
            self.scope.pop("extensions", None)

    async def _fail(self) -> None:
        if self.response_started:
            self.transport.close()
            return
        body = self.render(500, "internal", _FAILED)
        await self.send({"type": "http.response.start", "status": 500, "headers": [*json_head(body), CLOSE]})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})

    def send(self, message: Any) -> Coroutine[Any, Any, None]:
        if self.more_body and not self.response_started:
            self.keep_alive = False  # an answer before the body's end: the rest will not be read
        return super().send(message)


class Connection(HttpToolsProtocol):
    """uvicorn's protocol with a deadline, limits, and every refusal as JSON."""

    transport: asyncio.Transport

    def __init__(self, host: Host) -> None:
        super().__init__(host.config, host.state, {}, host.loop)
        self.logger = log
        self.url = b""
        self.deadline = math.inf
        """In the loop's time, when the host calls `expire`; infinite from a head's end to the answer's."""
        self._host = host
        self._limits = host.limits
        self._newest: _Cycle | None = None
        self._running: _Cycle | None = None
        self._pending: RefusedError | None = None
        """A refusal that waits for the answers before it."""
        self._raw = 0
        """Bytes since the last that ended a head or were payload: a head, chunk framing or trailers."""
        self._feed = 0
        self._in_head = False
        self._deaf = False
        """What arrives is dropped: the connection was refused or is closing."""
        self._half_closed = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self._door = _Door(transport, self.loop, self._close_after_answer)
        self.flow = _Flow(transport, self.pipeline)
        self.server = _pair(transport.get_extra_info("sockname"))
        self.client = _pair(transport.get_extra_info("peername"))
        self.scheme = "http"
        self.connections.add(self)
        self.deadline = self.loop.time() + self._limits.head_seconds
        self._host.made(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._deaf and self._is_body_due():
            self._tell(None, "aborted", "The client left in the middle of the body.")
        self._deaf = True
        if self._running is not None and self._is_answering():
            self._running.disconnected = True  # uvicorn tells the newest request only
            self._running.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)
        self._host.lost()

    def eof_received(self) -> bool:  # type: ignore[override]
        self._door.flush()
        newest = self._newest
        if self._pending is None:
            if self._deaf or self._is_body_due() or newest is None or newest.response_complete:
                return False
            newest.keep_alive = False
        # `nc -N` and its kind close their half and wait. For so long they are not told from who left.
        self._half_closed = True
        self.deadline = self.loop.time() + self._limits.head_seconds
        return True

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._feed = len(data)
        self._raw += self._feed
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserCallbackError as exc:
            refusal = exc.__context__
            if not isinstance(refusal, RefusedError):
                log.exception("A request failed inside statsig-tui")
                refusal = RefusedError(500, "internal", _FAILED)
            self._refuse(refusal)
        except httptools.HttpParserError as exc:
            if self._newest is None and self._raw == self._feed and data[0] == 0x16:
                self._tell(None, "tls", _TLS)
                self._close(linger=True)
            else:
                self._refuse(unreadable(str(exc)))
        else:
            if self._raw > self._limits.head_bytes:
                self._refuse(self._overflow())

    def _overflow(self) -> RefusedError:
        if self._newest is not None and self._newest.more_body:
            limit = self._limits.head_bytes
            return RefusedError(
                400, "bad_framing", f"Over {limit} bytes of chunk framing or trailers in a row."
            )
        return too_large(len(self.url), self._limits)

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._in_head = True
        if self._newest is not None:
            self.deadline = self.loop.time() + self._limits.head_seconds

    def on_headers_complete(self) -> None:
        parser = self.parser
        version = parser.get_http_version()
        target = check_head(version, self.url, self.headers, max(self._raw, self._feed), self._limits)
        if parser.should_upgrade():
            raise RefusedError(400, "upgrade_unsupported", "Only plain HTTP/1.1 is offered: no upgrade.")
        if len(self.pipeline) >= _PIPELINE:
            raise RefusedError(400, "pipeline_too_long", f"Over {_PIPELINE} requests wait on one connection.")
        raw_path, _, query = target.partition(b"?")
        path = raw_path.decode("latin-1")
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": "http",
            "method": parser.get_method().decode("ascii"),
            "root_path": "",
            "path": urllib.parse.unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": query,
            "headers": self.headers,
            "state": {},
        }
        self.headers = []  # trailers land here, where nobody looks, not among what was checked
        self._in_head = False
        self._raw = 0
        self.deadline = math.inf
        is_modern = version == "1.1"
        cycle = _Cycle(
            scope=self.scope,
            transport=cast("asyncio.Transport", self._door),
            flow=self.flow,
            logger=log,
            access_logger=log,
            access_log=False,
            default_headers=[],
            message_event=asyncio.Event(),
            expect_100_continue=is_modern and self.expect_100_continue,
            keep_alive=is_modern and parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        cycle.render = self._host.render
        cycle.door = self._door
        extensions: dict[str, Any] = {WHOLE: cycle.is_whole, AT_ONCE: cycle.at_once, SENDER: cycle}
        self.scope["extensions"] = extensions
        self.cycle = self._newest = cycle
        if self._is_answering():
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))
        else:
            self._start_asgi_task(cycle, self.app)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cast("_Cycle", cycle)
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        self._raw = 0
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        self._raw = 0
        self.cycle.more_body = False
        self.cycle.message_event.set()

    def on_response_complete(self) -> None:
        if self.transport.is_closing():
            return
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._pending is not None:
            self._answer(self._pending)
        elif not self._deaf:
            self.deadline = self.loop.time() + self._limits.keep_alive_seconds
        self.flow.resume_reading()

    def expire(self, now: float) -> None:
        """Close what is past its deadline."""
        if self.transport.is_closing():
            self.transport.abort()  # what was written is not being read
        elif not self._is_answering() or self._half_closed:
            if self._in_head and not self._deaf:
                seconds = self._limits.head_seconds
                self._tell(None, "head_timeout", f"The head was not whole after {seconds:g} seconds.")
            self._deaf = True
            self.deadline = now + _LINGER_SECONDS
            self.transport.close()

    def shutdown(self) -> None:
        self._door.flush()
        if self._running is not None and self._running.is_kept_waiting:
            self.abandon()
        super().shutdown()

    def abandon(self) -> None:
        """Drop the connection with whatever is under way on it."""
        self._deaf = True
        self.transport.abort()

    def _is_answering(self) -> bool:
        return self._running is not None and not self._running.response_complete

    def _is_body_due(self) -> bool:
        newest = self._newest
        return newest is not None and newest.more_body and not newest.response_complete

    def _refuse(self, refusal: RefusedError) -> None:
        """Answer with an error, after the whole requests that came before it, and close."""
        self._deaf = True
        self._tell(refusal.status, refusal.code, refusal.message)
        newest = self._newest
        if newest is not None and self._is_body_due():
            newest.disconnected = True  # the app that reads this body gets no more of it
            newest.message_event.set()
            if newest is not self._running:
                self.pipeline.popleft()
            elif newest.response_started:
                self._close(linger=True)
                return
            else:
                newest.response_complete = True
        if self._is_answering():
            self._pending = refusal
        else:
            self._answer(refusal)

    def _answer(self, refusal: RefusedError) -> None:
        body = self._host.render(refusal.status, refusal.code, refusal.message)
        self._door.write_whole(_written.__wrapped__(refusal.status, body, CLOSE))
        self._close(linger=True)

    def _close_after_answer(self) -> None:
        self._close(linger=self._deaf or (self._newest is not None and self._newest.more_body))

    def _close(self, *, linger: bool) -> None:
        """Close; a peer that may still be sending is first given a little time to read and to leave."""
        self._deaf = True
        self._door.flush()
        if self.transport.is_closing():
            return
        self.deadline = self.loop.time() + _LINGER_SECONDS
        self.pipeline.clear()
        self._pending = None
        if linger and not self._half_closed:
            self.flow.resume_reading()
            self.transport.write_eof()
        else:
            self.transport.close()

    def _tell(self, status: int | None, code: str, message: str) -> None:
        peer = "{}:{}".format(*self.client) if self.client else ""
        self._host.on_refused(Refusal(peer, status, code, message))


@lru_cache(maxsize=256)
def _written(status: int, body: bytes, *more: tuple[bytes, bytes]) -> bytes:
    lines = [name + b": " + value + b"\r\n" for name, value in (*json_head(body), *more)]
    return b"".join((STATUS_LINE[status], *lines, b"\r\n", body))


def _pair(name: Any) -> tuple[str, int] | None:
    """Host and port of a socket's name; IPv6 has two more parts."""
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) else None
