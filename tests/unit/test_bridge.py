"""The bridge to the engine's thread: an end may come at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from typing import cast

from statsig_tui.engine.engine import Engine
from statsig_tui.tui.bridge import Bridge

PATIENCE = 20


async def test_an_end_during_the_start_ends_the_engine_too() -> None:
    begun, goes_on = threading.Event(), threading.Event()
    ended: list[bool] = []

    @contextlib.asynccontextmanager
    async def opening() -> AsyncIterator[Engine]:
        begun.set()
        await asyncio.to_thread(goes_on.wait)
        try:
            yield cast("Engine", None)
        finally:
            ended.append(True)

    bridge = Bridge(opening)
    starting = asyncio.create_task(bridge.start(lambda: None))
    await asyncio.to_thread(begun.wait)
    starting.cancel()
    stopping = asyncio.create_task(bridge.stop())
    await asyncio.wait([stopping], timeout=0.1)
    assert not stopping.done()
    goes_on.set()
    async with asyncio.timeout(PATIENCE):
        await stopping
    assert ended == [True]
