"""What follows an attempt: done, again after so many seconds, halved, or given up. Pure numbers.

The schedules are emulated; Statsig does not publish its own (statsig-wire.md §3.7).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from statsig_tui.core.config import RetryPolicy, ScheduleName

SCHEDULES: dict[ScheduleName, tuple[float, ...]] = {
    "quick": (1, 5, 30, 120, 600),
    "standard-webhooks": (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400),
    "svix": (5, 300, 1800, 7200, 18_000, 36_000, 36_000),
    "none": (),
}
JITTER = 0.2
"""Of the presets."""
LONGEST_RETRY_AFTER = 3600.0
"""Seconds; a longer wish is not granted."""
GONE = 410
TOO_LARGE = 413
REFUSED = frozenset({400, 422})
"""What an endpoint answers that cannot take something in a batch; the next half may be taken."""
_WAITS_FOR_ALL = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Next:
    """What to do with a delivery after an attempt."""

    step: Literal["delivered", "retry", "failed", "disable", "split", "isolate"]
    """`split`: in halves, for its size; `isolate`: in halves, for what is refused in it."""
    delay: float = 0.0
    """Seconds until the next attempt, for `retry`."""
    holds_destination: bool = False
    """The whole destination waits, not only this delivery."""


def delays(policy: RetryPolicy) -> tuple[float, ...]:
    """Seconds between the attempts of a policy, before jitter."""
    return SCHEDULES[policy.schedule] if isinstance(policy.schedule, str) else policy.schedule


def spread(policy: RetryPolicy) -> float:
    """The share by which the delays of a policy are shorter or longer by chance."""
    return JITTER if isinstance(policy.schedule, str) else policy.jitter


def longest_wait(policy: RetryPolicy) -> float:
    """Seconds beyond which no next attempt of a policy can lie."""
    return max((LONGEST_RETRY_AFTER, *(delay * (1 + spread(policy)) for delay in delays(policy))))


def next_step(
    attempt: int,
    status: int | None,
    policy: RetryPolicy,
    jitter: float,
    retry_after: float | None = None,
    events: int = 1,
    is_isolating: bool = False,
    was_refused: bool = False,
) -> Next:
    """What follows attempt number `attempt` (from 1) that got `status` (None: no answer).

    `jitter` in -1…1 moves the delay by up to the policy's spread; `retry_after` is the answer's wish in
    seconds and counts for 429 and 503. Success is 2xx alone. What `is_isolating` is a part of a batch whose
    schedule was used up on being refused: it is asked once. What `was_refused` was so by an earlier attempt:
    a last one that failed otherwise says nothing for its events, and they must not all go with it.
    """
    if status is not None and 200 <= status <= 299:
        return Next("delivered")
    if status == GONE:
        return Next("disable")
    if status == TOO_LARGE and events > 1:
        return Next("split")
    schedule = delays(policy)
    is_refused = status in REFUSED and policy.isolate
    if attempt > len(schedule) or (is_refused and is_isolating):
        has_refused_event = is_refused or (was_refused and policy.isolate)
        return Next("isolate" if has_refused_event and events > 1 else "failed")
    base = schedule[attempt - 1]
    delay = base * (1 + spread(policy) * jitter)
    if status in _WAITS_FOR_ALL and retry_after is not None:
        return Next("retry", min(max(retry_after, base), max(LONGEST_RETRY_AFTER, base)), True)
    return Next("retry", delay)
