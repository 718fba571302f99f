"""When the wall clock jumped: the machine slept, or its time was set. Pure; times are arguments."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_MS = 5_000
"""What the clock may be set by without a word: daemons that keep the time set it by less."""


@dataclass(frozen=True, slots=True)
class Jump:
    """That the wall clock moved against the time that passed."""

    at: int
    """Epoch ms by the clock as it went on."""
    by: int
    """Milliseconds; below 0: backwards."""


class Jumps:
    """Compares the clocks whenever somebody looks; what happened between two looks is one jump."""

    def __init__(self) -> None:
        self._before: float | None = None

    def look(self, wall: int, monotonic: float) -> Jump | None:
        """The jump since the last look; wall time in epoch ms, `monotonic` in seconds."""
        now = wall - monotonic * 1000
        before, self._before = self._before, now
        if before is None or abs(now - before) < LEAST_MS:
            return None
        return Jump(wall, round(now - before))
