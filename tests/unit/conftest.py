"""A clock that the test moves, a delivery worker that goes by it, and a store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from statsig_tui.core.config import Destination
from statsig_tui.engine.store import Store
from tests.unit.desk import MINE, Desk

PATIENCE = 20.0
MakeDesk = Callable[..., Desk]


@dataclass
class HandClock:
    """Time stands still until `advance`; both scales move together."""

    seconds: float = 1000.0
    epoch: int = 1_700_000_000_000
    _waiting: list[tuple[float, asyncio.Event]] = field(default_factory=list)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self.epoch

    def monotonic(self) -> float:
        """Seconds."""
        return self.seconds

    async def wait(self, event: asyncio.Event, until: float | None) -> None:
        """Return when `event` is set, or when the test has moved time to `until`."""
        entry = (float("inf") if until is None else until, event)
        self._waiting.append(entry)
        self._arrived.set()
        if entry[0] <= self.seconds:
            event.set()
        try:
            await event.wait()
        finally:
            self._waiting.remove(entry)

    def left(self) -> float | None:
        """Seconds until somebody is woken by the time; None: nobody is."""
        until = min((until for until, _ in self._waiting), default=float("inf"))
        return None if until == float("inf") else max(0.0, until - self.seconds)

    def advance(self, seconds: float) -> None:
        """Move time and wake whom it concerns."""
        self.seconds += seconds
        self.epoch += round(seconds * 1000)
        for until, event in self._waiting:
            if until <= self.seconds:
                event.set()

    def set(self, seconds: float) -> None:
        """Put the hands elsewhere: only what is stored as a time of day notices."""
        self.epoch += round(seconds * 1000)

    async def idle(self, waiters: int = 1) -> None:
        """Return when so many tasks wait, and none of them is being woken."""
        async with asyncio.timeout(PATIENCE):
            while len(self._waiting) < waiters or any(event.is_set() for _, event in self._waiting):
                self._arrived.clear()
                await (self._arrived.wait() if len(self._waiting) < waiters else asyncio.sleep(0))

    async def deserted(self) -> None:
        """Return when nobody waits any more."""
        while self._waiting:
            await asyncio.sleep(0)


@pytest.fixture
def clock() -> HandClock:
    """A clock at 1000 s and 2023-11-14T22:13:20Z."""
    return HandClock()


@pytest.fixture
async def desk(clock: HandClock) -> AsyncIterator[MakeDesk]:
    made: list[Desk] = []

    def make(destination: Destination = MINE, **options: Any) -> Desk:
        made.append(Desk(clock, destination, **options))
        return made[-1]

    yield make
    for item in made:
        await item.delivery.stop()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store."""
    store = await Store.open(tmp_path / "store.db")
    yield store
    await store.close()
