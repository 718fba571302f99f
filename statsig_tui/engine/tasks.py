"""Tasks that are meant to run until they are cancelled: one that ends by itself is an error, and is said."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger("statsig_tui")


def running_task(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Start work that does not end by itself; if it dies, the log tells of it."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_tell)
    return task


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error(
            "%s died; its destination stands still until the next start", task.get_name(), exc_info=error
        )
