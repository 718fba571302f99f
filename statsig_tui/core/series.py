"""A series of sends: when the next one starts, and what became of all of them. Pure."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

CATCH_UP_SECONDS = 0.1
"""A start that was missed by less is made up for; what was missed by more is left out."""

Certainty = Literal["answered", "not sent", "unknown"]


def next_start(former: float | None, now: float, rate: float | None) -> float:
    """When to start the next of `rate` a second, the former one having been due then; None: at once."""
    if rate is None or former is None:
        return now
    return max(former + 1 / rate, now - CATCH_UP_SECONDS)


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a series."""

    count: int
    """Requests that were begun."""
    seconds: float
    statuses: dict[int, int]
    """How often each status was answered, ascending."""
    not_sent: int
    unknown: int
    """Requests that may have arrived, though no answer came."""
    p50: float | None
    """Milliseconds until the answer; None where there was none."""
    p95: float | None
    p99: float | None

    @property
    def rate(self) -> float:
        """Requests begun in a second."""
        return self.count / self.seconds if self.seconds > 0 else 0.0


@dataclass(slots=True)
class Tally:
    """Counts what a series comes to."""

    begun: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    not_sent: int = 0
    times: list[float] = field(default_factory=list)

    def begin(self) -> None:
        """One more request is under way."""
        self.begun += 1

    def add(self, status: int | None, certainty: Certainty, ms: float) -> None:
        """How one of them ended."""
        if status is not None:
            self.statuses[status] += 1
            self.times.append(ms)
        elif certainty == "not sent":
            self.not_sent += 1

    def summary(self, seconds: float) -> Summary:
        """All so far; what is still under way counts as unknown."""
        times = sorted(self.times)
        return Summary(
            count=self.begun,
            seconds=seconds,
            statuses=dict(sorted(self.statuses.items())),
            not_sent=self.not_sent,
            unknown=self.begun - self.not_sent - sum(self.statuses.values()),
            p50=_percentile(times, 50),
            p95=_percentile(times, 95),
            p99=_percentile(times, 99),
        )


def _percentile(ordered: list[float], percent: int) -> float | None:
    """The smallest value that so many percent do not exceed."""
    return ordered[math.ceil(len(ordered) * percent / 100) - 1] if ordered else None
