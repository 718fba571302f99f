"""A series of sends: when the next one starts, and what became of all of them. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

UNASKED = 10
"""So many requests go to a host that is not this machine without its name being asked for."""
FAR_RATE = 10.0
"""Requests a second of a series to such a host, where no rate is given."""
RATED_AT_ONCE = 16
"""Requests under way at a time where a rate is given and nothing else."""
FASTEST = 1_000_000
"""Requests a second that can be asked for."""
MOST_AT_ONCE = 1000
"""Requests under way at a time that can be asked for."""
STEPS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
"""Milliseconds: upper bounds of a histogram's bars; what took longer is in one more."""
_RATIO = math.log(1.01)
"""Times that differ by less are counted together."""
CATCH_UP_SECONDS = 0.1
"""A start that was missed by less is made up for; what was missed by more is left out."""

Certainty = Literal["answered", "not sent", "unknown"]


def next_start(former: float | None, now: float, rate: float | None) -> float:
    """When to start the next of `rate` a second, the former one having been due then; None: at once."""
    if rate is None or former is None:
        return now
    return max(former + 1 / rate, now - CATCH_UP_SECONDS)


def usual_rate(rate: float | None, total: int | None, *, is_local: bool) -> float | None:
    """The rate of a series: a far host is not flooded where none is given; `total` None: until stopped."""
    is_long = total is None or total > UNASKED
    return FAR_RATE if rate is None and is_long and not is_local else rate


def usual_at_once(concurrency: int | None, rate: float | None, total: int | None) -> int:
    """How many are under way at a time: what is given, else enough to keep a rate that is given."""
    wanted = concurrency or (1 if rate is None else RATED_AT_ONCE)
    return wanted if total is None else max(1, min(wanted, total))


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
    """Milliseconds until the answer, to within 1 %; None where there was none."""
    p95: float | None
    p99: float | None
    under_way: int = 0
    """Those of the unknown that have not ended."""
    histogram: tuple[tuple[float, int], ...] = ()
    """How many answers took up to so many milliseconds and longer than the bar before, without empty ends."""
    errors: dict[Certainty, str] = field(default_factory=dict)
    """The last error of those without an answer."""

    @property
    def rate(self) -> float:
        """Requests begun in a second."""
        return self.count / self.seconds if self.seconds > 0 else 0.0


@dataclass(slots=True)
class Times:
    """Durations in as much memory as there are different ones; percentiles are times that occurred."""

    counts: Counter[int] = field(default_factory=Counter)
    longest: dict[int, float] = field(default_factory=dict)
    bars: list[int] = field(default_factory=lambda: [0] * (len(STEPS) + 1))

    def add(self, ms: float) -> None:
        """One more."""
        place = math.floor(math.log(max(ms, 0.001)) / _RATIO)
        self.counts[place] += 1
        self.longest[place] = max(ms, self.longest.get(place, ms))
        self.bars[bisect_left(STEPS, ms)] += 1

    def percentiles(self, *percents: int) -> list[float | None]:
        """Of each, the smallest time that so many percent do not exceed."""
        places = sorted(self.counts)
        if not places:
            return [None] * len(percents)
        sums = list(accumulate(self.counts[place] for place in places))
        ranks = (math.ceil(sums[-1] * percent / 100) for percent in percents)
        return [self.longest[places[bisect_left(sums, rank)]] for rank in ranks]

    def histogram(self) -> tuple[tuple[float, int], ...]:
        """The bars from the first to the last that is not empty."""
        bars = tuple(zip((*STEPS, math.inf), self.bars, strict=True))
        filled = [place for place, (_, count) in enumerate(bars) if count]
        return bars[filled[0] : filled[-1] + 1] if filled else ()


@dataclass(slots=True)
class Tally:
    """Counts what a series comes to; a summary costs the same however long it was."""

    begun: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    not_sent: int = 0
    ended: int = 0
    times: Times = field(default_factory=Times)
    errors: dict[Certainty, str] = field(default_factory=dict)

    def begin(self) -> None:
        """One more request is under way."""
        self.begun += 1

    def add(self, status: int | None, certainty: Certainty, ms: float, error: str | None = None) -> None:
        """How one of them ended."""
        self.ended += 1
        if status is not None:
            self.statuses[status] += 1
            self.times.add(ms)
            return
        if error:
            self.errors[certainty] = error
        if certainty == "not sent":
            self.not_sent += 1

    def summary(self, seconds: float) -> Summary:
        """All so far; what is still under way counts as unknown."""
        p50, p95, p99 = self.times.percentiles(50, 95, 99)
        return Summary(
            count=self.begun,
            seconds=seconds,
            statuses=dict(sorted(self.statuses.items())),
            not_sent=self.not_sent,
            unknown=self.begun - self.not_sent - sum(self.statuses.values()),
            p50=p50,
            p95=p95,
            p99=p99,
            under_way=self.begun - self.ended,
            histogram=self.times.histogram(),
            errors=dict(self.errors),
        )
