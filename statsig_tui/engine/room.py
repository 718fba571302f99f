"""How much of large bodies may be in memory at once: who finds no room waits unread, small ones never."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from statsig_tui.engine.framing import Limits
from statsig_tui.engine.http import ASGIApp, Receive, Scope, Send, header

T = TypeVar("T")
_SMALL = 64 * 1024
"""Bytes up to which a body is not counted: with every connection sending one, that is 4 MiB."""
_reading = ThreadPoolExecutor(1, thread_name_prefix="large-bodies")
"""One thread: reading is the interpreter's work, and at once it takes many times a body's size each."""


async def off_loop(work: Callable[..., T], *arguments: Any) -> T:
    """Do a large body's work in the thread for it, one at a time."""
    return await asyncio.get_running_loop().run_in_executor(_reading, work, *arguments)


class Room:
    """So many bytes, given in the order of asking."""

    def __init__(self, size: int = 32 * 1024 * 1024) -> None:
        self._size = self._left = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    def within(self, app: ASGIApp, limits: Limits) -> ASGIApp:
        """The application, which begins with a large request only when there is room for its body."""

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            size = min(_announced(scope, limits), self._size)
            if size <= _SMALL:
                await app(scope, receive, send)
                return
            await self._enter(size)
            try:
                await app(scope, receive, send)
            finally:
                self._leave(size)

        return application

    async def _enter(self, size: int) -> None:
        if not self._waiting and size <= self._left:
            self._left -= size
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(size)
            else:
                self._waiting.remove((size, turn))
                self._admit()
            raise

    def _leave(self, size: int) -> None:
        self._left += size
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._left:
            size, turn = self._waiting.popleft()
            self._left -= size
            turn.set_result(None)


def _announced(scope: Scope, limits: Limits) -> int:
    length = header(scope, b"content-length")
    if length is not None:
        return min(int(length), limits.body_bytes)
    return limits.body_bytes if header(scope, b"transfer-encoding") is not None else 0
