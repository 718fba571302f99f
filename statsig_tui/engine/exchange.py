"""One connection that posts, and the answer as it comes in: bounded, and never more than it was asked for."""

from __future__ import annotations

import asyncio
import contextlib
import os

import httptools

from statsig_tui.engine.outcome import ANSWER_LIMIT, Head, as_text, words

_HEAD_LIMIT = 100 * 1024
"""Bytes of an answer's head, interim answers before it included."""
_FRAMES_LIMIT = 8
"""Bytes on the wire for one byte of a body, beyond which it is no body: chunks' sizes, trailers."""
_SLICE = 64 * 1024
"""Bytes of a body that go out before it is looked again whether they are still wanted."""
_INTERIM = range(100, 200)
_SWITCHING = 101
_REFUSED = 300


class Answer:
    """What has come of an answer. The callbacks are httptools'."""

    def __init__(self) -> None:
        self.head: Head | None = None
        self.body = bytearray()
        self.is_complete = False
        self.is_truncated = False
        self.is_stale = False
        """The connection ended before a single byte of it came."""
        self.is_last = True
        """Nothing more can come over its connection."""
        self.error = ""
        """Why there is no head, in words."""
        self._came = 0
        self._reason = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._size = 0
        self._has_length = False
        self._is_interim = False
        self._parser = httptools.HttpResponseParser(self)
        # A server of a few lines of shell ends its lines without CR, and puts into a header what it was sent:
        # what was answered is worth more than how.
        self._parser.set_dangerous_leniencies(lenient_optional_cr_before_lf=True, lenient_headers=True)

    @property
    def is_over(self) -> bool:
        """Whether nothing more of it is waited for."""
        return self.is_complete or self.is_truncated or bool(self.error)

    @property
    def refuses(self) -> bool:
        """Whether it is one after which the rest of the request is not worth sending."""
        return bool(self.error) or (self.head is not None and self.head.status >= _REFUSED)

    def feed(self, data: bytes) -> None:
        """Take what came."""
        if not self._came and data[:1] != b"H":
            return self._fail("protocol error: not HTTP")
        self._came += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            # What follows a whole answer is no part of it; the connection ends there.
            self.is_last = True
            if not self.is_complete:
                self._fail(f"protocol error: {words(error)}")
        if self.head is None:
            if self._came > _HEAD_LIMIT or self._size > _HEAD_LIMIT:
                self._fail(f"protocol error: the answer's head is longer than {_HEAD_LIMIT:,} bytes")
        elif self._came > _HEAD_LIMIT + _FRAMES_LIMIT * ANSWER_LIMIT:
            self.is_truncated = True
        return None

    def end(self, error: Exception | None) -> None:
        """Take it that the connection has ended, as it should or not."""
        self.is_last = True
        if self.is_over:
            return
        if self.head is not None:
            # Without a length the end of the connection is the end of the body.
            self.is_complete = error is None and not self._has_length
            self.is_truncated = not self.is_complete
        elif error is not None:
            self.error = f"connection lost: {words(error)}"
        else:
            self.is_stale = not self._came
            what = "without sending a response" if self.is_stale else "in the head of its answer"
            self.error = f"protocol error: Server disconnected {what}"

    def on_status(self, reason: bytes) -> None:
        """The words behind the status, which may come in parts."""
        self._size += len(reason)
        if self._size <= _HEAD_LIMIT:
            self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        self._size += len(name) + len(value)
        if self.head is None and self._size <= _HEAD_LIMIT:
            self._headers.append((name, value))
            if name.lower() in (b"content-length", b"transfer-encoding"):
                self._has_length = True

    def on_headers_complete(self) -> None:
        """The head is there, or that of an interim answer."""
        if self.is_complete:
            return
        status = self._parser.get_status_code()
        self._is_interim = status in _INTERIM
        if status == _SWITCHING:
            self._fail("protocol error: it switches protocols")
        elif not self._is_interim and self._size <= _HEAD_LIMIT:
            self.head = Head(status, self._reason.decode("latin-1"), as_text(self._headers))
            self.is_last = not self._parser.should_keep_alive()
        self._reason = b""
        self._headers = []

    def on_body(self, data: bytes) -> None:
        """A part of the body."""
        if not self.is_truncated and not self.is_complete:
            self.body += data
            if len(self.body) > ANSWER_LIMIT:
                del self.body[ANSWER_LIMIT:]
                self.is_truncated = True

    def on_message_begin(self) -> None:
        """An answer begins; after the one that was waited for, it is one that nobody asked for."""
        if self.is_complete:
            self.is_last = True

    def on_message_complete(self) -> None:
        """All of it is there."""
        if self.head is not None and not self._is_interim:
            self.is_complete = True

    def _fail(self, error: str) -> None:
        if self.head is not None:
            self.is_truncated = True
        else:
            self.error = self.error or error


class Connection(asyncio.Protocol):
    """A connection on which one request at a time is under way."""

    def __init__(self) -> None:
        self.is_reusable = False
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._answer: Answer | None = None
        self._turn: asyncio.Future[None] | None = None
        """Done when there is a reason to look again: room to write, an answer, the end."""
        self._is_full = False
        self._is_lost = False
        self._failure: Exception | None = None

    async def post(self, answer: Answer, head: bytes, body: bytes) -> None:
        """Send a request, and fill its answer until it is over."""
        self._answer = answer
        self.is_reusable = False
        if self._is_lost:
            answer.end(self._failure)
            return
        transport = self._transport
        assert transport is not None
        if len(body) <= _SLICE:
            transport.write(head + body)
        else:
            transport.write(head)
            await self._upload(transport, body, answer)
        while not answer.is_over:
            await self._changed()
        # Who refuses something large may have read none of it, nor of what would come after it.
        is_in_step = len(body) <= _SLICE or not answer.refuses
        self.is_reusable = answer.is_complete and not answer.is_last and not self._is_full and is_in_step
        self._answer = None

    async def _upload(self, transport: asyncio.Transport, body: bytes, answer: Answer) -> None:
        rest = memoryview(body)
        while rest and not answer.refuses and not self._is_lost:
            if self._is_full:
                await self._changed()
                continue
            transport.write(rest[:_SLICE])
            rest = rest[_SLICE:]

    async def _changed(self) -> None:
        self._turn = asyncio.get_running_loop().create_future()
        await self._turn

    def _look(self) -> None:
        if self._turn is not None and not self._turn.done():
            self._turn.set_result(None)

    def abort(self) -> None:
        """Close it at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands, its TLS handshake done."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Something of the answer came; or something that nobody asked for."""
        if self._answer is None:
            self.is_reusable = False
            self.abort()
            return
        self._answer.feed(data)
        self._look()

    def pause_writing(self) -> None:
        """The other side takes nothing at present."""
        self._is_full = True

    def resume_writing(self) -> None:
        """It takes more."""
        self._is_full = False
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        self._is_lost = True
        self.is_reusable = False
        self._failure = exc
        if self._answer is not None:
            if exc is not None:
                self._read_what_is_left()
            self._answer.end(exc)
        self._look()

    def _read_what_is_left(self) -> None:
        """An answer may have come before the reset that made a write fail: asyncio would throw it away."""
        assert self._transport is not None
        if self._transport.get_extra_info("ssl_object") is not None:
            return
        assert self._answer is not None
        number = self._transport.get_extra_info("socket").fileno()
        with contextlib.suppress(OSError):
            while not self._answer.is_over and (data := os.read(number, _SLICE)):
                self._answer.feed(data)
