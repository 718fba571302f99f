"""Post many requests to one target: at a rate, so many at a time, each exactly once and never again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace

from statsig_tui.core.config import Target
from statsig_tui.core.request import Shape
from statsig_tui.core.series import Summary, Tally, next_start
from statsig_tui.engine.outcome import Outcome
from statsig_tui.engine.target import Post, posting

Request = tuple[bytes, Shape]
"""A body, and what its request asks for beside it."""
Requests = Iterator[Request] | AsyncIterator[Request]
"""The latter may be waited for."""
Note = Callable[[Outcome, Request], Awaitable[None]]
"""Hears how a request ended."""


async def run_series(
    target: Target,
    requests: Requests,
    tally: Tally,
    note: Note,
    *,
    rate: float | None = None,
    concurrency: int = 1,
) -> None:
    """Post what `requests` gives, each asked for when it is due; `note` hears every outcome.

    Cancelling it leaves at once: what is under way then is begun in the tally and has no outcome.
    """
    loop = asyncio.get_running_loop()
    gate = asyncio.Lock()
    due: float | None = None

    async def work(post: Post) -> None:
        nonlocal due
        while True:
            async with gate:
                due = next_start(due, loop.time(), rate)
                await asyncio.sleep(due - loop.time())
                request = (
                    next(requests, None) if isinstance(requests, Iterator) else await anext(requests, None)
                )
            if request is None:
                return
            tally.begin()
            outcome = await post(*request)
            tally.add(outcome.status, outcome.certainty, outcome.ms, outcome.error)
            await note(outcome, request)

    async with posting(target) as post, asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work(post))


class Series:
    """A series that can be looked at and stopped while it runs. All of it on one loop."""

    def __init__(
        self,
        target: Target,
        requests: Iterator[Request],
        *,
        rate: float | None = None,
        concurrency: int = 1,
    ) -> None:
        self.target = target
        self._requests = requests
        self._rate = rate
        self._concurrency = concurrency
        self._tally = Tally()
        self._started: float | None = None
        self._ended: float | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_stopped = False

    async def run(self, note: Note) -> None:
        """Post all of it; returns when it is done or stopped."""
        if self._is_stopped:
            return
        loop = asyncio.get_running_loop()
        self._started = loop.time()
        self._task = loop.create_task(
            run_series(
                self.target,
                self._requests,
                self._tally,
                note,
                rate=self._rate,
                concurrency=self._concurrency,
            )
        )
        try:
            await self._task
        except asyncio.CancelledError:
            if not self._is_stopped:
                self._task.cancel()
                raise
        finally:
            self._ended = loop.time()

    async def stop(self) -> None:
        """End it at once."""
        self._is_stopped = True
        if self._task is not None:
            self._task.cancel()

    async def summary(self) -> Summary:
        """What it came to so far."""
        now = self._ended or asyncio.get_running_loop().time()
        found = self._tally.summary(now - (self._started or now))
        return found if self._ended is None else replace(found, under_way=0)
