"""The one place where engine meets Textual: a thread for the engine, wake-ups one way, verbs the other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, ExitStack
from typing import TYPE_CHECKING, TypeVar

from statsig_tui.core.records import CaptureRecord
from statsig_tui.engine.latch import Latch
from statsig_tui.errors import StoreBroken

if TYPE_CHECKING:
    from statsig_tui.engine.archive import Archive
    from statsig_tui.engine.engine import Engine

T = TypeVar("T")
OpenEngine = Callable[[], "AbstractAsyncContextManager[Engine]"]


class Bridge:
    """Owns the engine's thread; every call is made from the screens' loop."""

    def __init__(self, open_engine: OpenEngine) -> None:
        self._open_engine = open_engine
        self._stack = ExitStack()
        self._portal: object | None = None
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="reader")
        self._latch: Latch | None = None
        self._ended = False
        self._turn = threading.Lock()
        """An end that comes during the start waits for it: what is half open could not be closed."""
        self.engine: Engine | None = None

    async def start(self, wake: Callable[[], None]) -> Engine:
        """Run the engine in its own thread; `wake` is called from other threads, once until release().

        Raises whatever starting it raises.
        """
        self.engine = await asyncio.to_thread(self._start)
        self._latch = Latch(wake)
        latch = self._latch
        self.engine.on_commit(lambda records: latch.trip())
        self.engine.on_refused(latch.trip)
        self.engine.on_noted(latch.trip)
        return self.engine

    def release(self) -> None:
        """Call before reading what a wake-up announced."""
        if self._latch is not None:
            self._latch.release()

    async def stop(self) -> None:
        """Stop the engine cleanly and end its thread; whoever asks from now on is cancelled."""
        self._ended = True
        await asyncio.to_thread(self._reader.shutdown)
        await asyncio.to_thread(self._close)

    async def do(self, verb: Callable[[Engine], Awaitable[T]]) -> T:
        """Run one of the engine's verbs on its own loop and wait for it here."""
        from anyio.from_thread import BlockingPortal

        self._check_running()
        if self.engine is None or not isinstance(self._portal, BlockingPortal):
            raise RuntimeError("the engine has not started")
        return await asyncio.wrap_future(self._portal.start_task_soon(verb, self.engine))

    async def ask(self, question: Callable[[Archive], T]) -> T:
        """Ask the store something, off this loop."""
        self._check_running()
        if self.engine is None:
            raise RuntimeError("the engine has not started")
        return await asyncio.get_running_loop().run_in_executor(self._reader, question, self.engine.archive)

    def summaries(self, ids: Sequence[int]) -> list[CaptureRecord]:
        """The captures with these ids as rows show them, read at once: they are asked for while drawn."""
        try:
            return self.engine.archive.captures(ids) if self.engine is not None else []
        except StoreBroken:
            # Whoever pulls says what is wrong.
            return []

    def _check_running(self) -> None:
        if self._ended:
            raise asyncio.CancelledError

    def _close(self) -> None:
        with self._turn:
            self._stack.close()

    def _start(self) -> Engine:
        with self._turn:
            self._check_running()
            return self._open()

    def _open(self) -> Engine:
        # Imported here: the network's parts come after the first paint.
        from anyio.from_thread import start_blocking_portal

        portal = self._stack.enter_context(start_blocking_portal("asyncio", name="engine"))
        self._portal = portal
        try:
            return self._stack.enter_context(portal.wrap_async_context_manager(self._open_engine()))
        except BaseException:
            self._stack.close()
            raise
