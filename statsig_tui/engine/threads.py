"""The loop's threads. Name lookups stand apart: one that hangs holds up no other work, and no exit.

Made for set_default_executor(): asyncio looks names up there, with socket.getaddrinfo.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class Threads(ThreadPoolExecutor):
    """A pool, and beside it one thread for each name that is being looked up."""

    def __init__(self) -> None:
        super().__init__(thread_name_prefix="engine-io")
        self._lookups: dict[tuple[Any, ...], Future[Any]] = {}
        self._looking = threading.Lock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a call; whoever asks for a name that is being looked up shares its answer."""
        if fn is not socket.getaddrinfo:
            return super().submit(fn, *args, **kwargs)
        with self._looking:
            future = self._lookups.get(args)
            if future is None:
                future = Future()
                # Who asked may give up; the lookup goes on for the next one to ask.
                future.set_running_or_notify_cancel()
                # Nobody waits for a daemon: getaddrinfo may take minutes, and cannot be interrupted.
                threading.Thread(
                    target=self._look_up, args=(future, fn, args), name="engine-lookup", daemon=True
                ).start()
                self._lookups[args] = future
            return future

    def _look_up(self, future: Future[Any], call: Callable[..., Any], args: tuple[Any, ...]) -> None:
        answer: Any = None
        failure: BaseException | None = None
        try:
            answer = call(*args)
        except BaseException as error:  # noqa: BLE001 - whoever asked is told, whatever it is
            failure = error
        with self._looking:
            del self._lookups[args]
        if failure is None:
            future.set_result(answer)
        else:
            future.set_exception(failure)
