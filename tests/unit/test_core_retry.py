"""What follows an attempt (reliability.md promise 5, D10–D18)."""

from __future__ import annotations

import pytest

from statsig_tui.core.config import CircuitPolicy, Destination, RetryPolicy, ScheduleName
from statsig_tui.core.retry import Next, delays, longest_wait, next_step

QUICK = RetryPolicy("quick")


def test_what_a_destination_does_that_says_nothing_of_it() -> None:
    """Promises 5 to 7."""
    mine = Destination("mine", "http://127.0.0.1/")
    assert (mine.timeout_seconds, mine.circuit) == (15, CircuitPolicy(20, 60))
    assert delays(mine.retry) == (1, 5, 30, 120, 600)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_alone_is_success(status: int) -> None:
    assert next_step(1, status, QUICK, 0) == Next("delivered")
    assert next_step(6, status, QUICK, 0) == Next("delivered")


@pytest.mark.parametrize(
    "status",
    [None, 100, 101, 199, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 408, 413, 415, 422, 425,
     429, 500, 502, 503, 504, 520, 527, 599],
)  # fmt: skip
def test_everything_else_is_tried_again_by_the_schedule(status: int | None) -> None:
    for attempt, base in enumerate((1, 5, 30, 120, 600), start=1):
        assert next_step(attempt, status, QUICK, 0) == Next("retry", base)
    assert next_step(6, status, QUICK, 0) == Next("failed")
    assert next_step(1, status, RetryPolicy("none"), 0) == Next("failed")


@pytest.mark.parametrize("status", [400, 422])
def test_what_is_refused_to_the_end_is_isolated_and_its_parts_are_asked_once(status: int) -> None:
    for attempt, base in enumerate((1, 5, 30, 120, 600), start=1):
        assert next_step(attempt, status, QUICK, 0, events=2) == Next("retry", base)
        assert next_step(attempt, status, QUICK, 0, events=2, is_isolating=True) == Next("isolate")
        assert next_step(attempt, status, QUICK, 0, events=1, is_isolating=True) == Next("failed")
        assert next_step(attempt, 500, QUICK, 0, events=2, is_isolating=True) == Next("retry", base)
    assert next_step(6, status, QUICK, 0, events=2) == Next("isolate")
    kept_whole = RetryPolicy("quick", isolate=False)
    assert next_step(6, status, kept_whole, 0, events=2) == Next("failed")
    assert next_step(1, status, kept_whole, 0, events=2, is_isolating=True) == Next("retry", 1)


@pytest.mark.parametrize("status", [None, 401, 403, 404, 405, 415, 429, 500, 503])
def test_no_other_failure_is_searched_for_an_event(status: int | None) -> None:
    assert next_step(6, status, QUICK, 0, events=2) == Next("failed")
    assert next_step(6, status, QUICK, 0, events=2, is_isolating=True) == Next("failed")


@pytest.mark.parametrize("status", [None, 403, 429, 500, 503])
def test_what_was_refused_once_is_isolated_though_its_last_attempt_failed_otherwise(
    status: int | None,
) -> None:
    assert next_step(1, status, QUICK, 0, events=2, was_refused=True).step == "retry"
    assert next_step(6, status, QUICK, 0, events=2, was_refused=True) == Next("isolate")
    assert next_step(6, status, QUICK, 0, events=1, was_refused=True) == Next("failed")
    kept_whole = RetryPolicy("quick", isolate=False)
    assert next_step(6, status, kept_whole, 0, events=2, was_refused=True) == Next("failed")


def test_gone_disables_at_any_attempt() -> None:
    for attempt in (1, 6, 99):
        assert next_step(attempt, 410, QUICK, 0) == Next("disable")
    assert next_step(1, 410, RetryPolicy("none"), 0) == Next("disable")


def test_too_large_splits_what_can_be_split() -> None:
    assert next_step(1, 413, QUICK, 0, events=2) == Next("split")
    assert next_step(6, 413, RetryPolicy("none"), 0, events=100) == Next("split")
    assert next_step(1, 413, QUICK, 0, events=1) == Next("retry", 1)
    assert next_step(6, 413, QUICK, 0, events=1) == Next("failed")


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("wish", "delay"),
    [(0, 1), (0.5, 1), (1, 1), (5, 5), (120.6, 120.6), (3600, 3600), (1e9, 3600)],
)
def test_retry_after_is_granted_between_the_schedule_and_an_hour(
    status: int, wish: float, delay: float
) -> None:
    for jitter in (-1, 0, 1):
        assert next_step(1, status, QUICK, jitter, wish) == Next("retry", delay, holds_destination=True)


def test_a_schedule_beyond_an_hour_is_not_shortened_by_retry_after() -> None:
    svix = RetryPolicy("svix")
    assert next_step(5, 429, svix, 0, 60) == Next("retry", 18_000, holds_destination=True)
    assert next_step(5, 429, svix, 0, 1e9) == Next("retry", 18_000, holds_destination=True)


@pytest.mark.parametrize("status", [500, 301, 400, None])
def test_retry_after_counts_for_429_and_503_alone(status: int | None) -> None:
    assert next_step(1, status, QUICK, 0, 100) == Next("retry", 1)


@pytest.mark.parametrize("jitter", [0, 0.2, 1])
@pytest.mark.parametrize("chance", [-1, -0.5, 0, 1])
def test_an_own_schedule_has_the_jitter_it_is_given_and_none_by_itself(jitter: float, chance: float) -> None:
    own = RetryPolicy((10, 5000), jitter=jitter)
    assert next_step(1, 500, own, chance) == Next("retry", 10 * (1 + jitter * chance))
    assert next_step(2, 500, own, chance).delay <= longest_wait(own) == max(3600, 5000 * (1 + jitter))
    assert next_step(1, 500, RetryPolicy((10,)), chance) == Next("retry", 10)
    assert next_step(1, 500, RetryPolicy("quick", jitter=jitter), chance).delay == 1 + 0.2 * chance


@pytest.mark.parametrize(
    ("schedule", "longest"),
    [("quick", 3600), ("none", 3600), ((), 3600), ("svix", 43_200), ("standard-webhooks", 103_680)],
)
def test_no_attempt_lies_beyond_the_longest_wait(schedule: ScheduleName | tuple[()], longest: float) -> None:
    policy = RetryPolicy(schedule)
    assert longest_wait(policy) == pytest.approx(longest)
    for attempt in range(1, len(delays(policy)) + 1):
        assert next_step(attempt, 500, policy, 1).delay <= longest_wait(policy)
        assert next_step(attempt, 429, policy, 1, 1e9).delay <= longest_wait(policy)
