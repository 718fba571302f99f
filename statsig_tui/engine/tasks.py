"""Tasks that nobody waits for: one that dies is an error, and is said."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger("statsig_tui")


def running_task(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Start work that does not end by itself; if it dies, the log tells of it."""
    return told_task(work, name, "its destination stands still until the next start")


def told_task(work: Coroutine[Any, Any, None], name: str, follows: str) -> asyncio.Task[None]:
    """Start work that ends by itself; if it dies, the log tells of it, and what follows from that."""

    def tell(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s died; %s", task.get_name(), follows, exc_info=error)

    task = asyncio.create_task(work, name=name)
    task.add_done_callback(tell)
    return task
