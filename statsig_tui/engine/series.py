"""Post many requests to one target: at a rate, so many at a time, each exactly once and never again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from statsig_tui.core.config import Target
from statsig_tui.core.request import Shape
from statsig_tui.core.series import Tally, next_start
from statsig_tui.engine.outcome import Outcome
from statsig_tui.engine.target import Post, posting

Request = tuple[bytes, Shape]
"""A body, and what its request asks for beside it."""


async def run_series(
    target: Target,
    requests: Iterator[Request],
    tally: Tally,
    note: Callable[[Outcome], None],
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
                request = next(requests, None)
            if request is None:
                return
            body, shape = request
            tally.begin()
            outcome = await post(body, shape)
            tally.add(outcome.status, outcome.certainty, outcome.ms)
            note(outcome)

    async with posting(target) as post, asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work(post))
