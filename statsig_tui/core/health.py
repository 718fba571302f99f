"""How an endpoint does, judged by the newest attempts made at it. Pure; engine/health.py reads them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

JUDGED = 20
"""Attempts, the newest, that an endpoint is judged by."""
_IN_A_ROW = 3
"""Failures without a success between them after which an endpoint counts as failing."""
_FAILING_RATE = 0.5
_SHAKY_RATE = 0.05

State = Literal["untried", "healthy", "shaky", "failing"]


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt that ended."""

    at: int
    """Epoch ms."""
    is_success: bool
    ms: float | None
    """How long the answer took; None: there was none."""


@dataclass(frozen=True, slots=True)
class Health:
    """What the newest attempts at an endpoint say, and what waits for it."""

    tries: tuple[Try, ...] = ()
    """The newest last."""
    last_success_at: int | None = None
    """Epoch ms; None: there was none for as long as is known."""
    waiting_since: int | None = None
    """Epoch ms of the oldest thing that was not delivered yet; None: nothing waits."""

    @property
    def state(self) -> State:
        """How it does."""
        if not self.tries:
            return "untried"
        recent = self.tries[-JUDGED:]
        rate = _failure_rate(recent)
        in_a_row = self.tries[-_IN_A_ROW:]
        is_down = len(in_a_row) == _IN_A_ROW and not any(item.is_success for item in in_a_row)
        if is_down or (rate >= _FAILING_RATE and len(recent) >= _IN_A_ROW):
            return "failing"
        return "shaky" if rate >= _SHAKY_RATE else "healthy"

    @property
    def failures(self) -> int:
        """How many of the tries failed."""
        return sum(not item.is_success for item in self.tries)

    @property
    def failure_rate(self) -> float:
        """The share of the tries that failed."""
        return _failure_rate(self.tries)

    @property
    def latencies(self) -> tuple[float, ...]:
        """How long the answers took in ms, the newest last."""
        return tuple(item.ms for item in self.tries if item.ms is not None)

    def percentile(self, share: float) -> float:
        """The latency (ms) that this share of the answers did not exceed; there must be an answer."""
        ordered = sorted(self.latencies)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _failure_rate(tries: Sequence[Try]) -> float:
    return sum(not item.is_success for item in tries) / len(tries) if tries else 0.0
