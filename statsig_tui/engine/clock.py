"""Time as an argument: epoch for what is stored, monotonic for waiting."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What the stages ask about time."""

    def now(self) -> int:
        """Milliseconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""

    async def wait(self, event: asyncio.Event, until: float | None) -> None:
        """Return when `event` is set, or when monotonic() has reached `until`."""


class Pace:
    """How many times as fast as it really is the forwarder's waiting goes.

    It shortens waits where they begin; times of day, signed or stored, know nothing of it.
    """

    def __init__(self) -> None:
        self.speed = 1.0

    def real(self, seconds: float) -> float:
        """How long a wait really lasts."""
        return seconds / self.speed


class SystemClock:
    """The machine's own."""

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()

    async def wait(self, event: asyncio.Event, until: float | None) -> None:
        """Return when `event` is set, or when monotonic() has reached `until`."""
        if until is None:
            await event.wait()
            return
        timer = asyncio.get_running_loop().call_later(max(0.0, until - self.monotonic()), event.set)
        try:
            await event.wait()
        finally:
            timer.cancel()
