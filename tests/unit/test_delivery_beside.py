"""Several deliveries of one destination at once: what is promised of one holds of them together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from statsig_tui.core.config import CircuitPolicy
from statsig_tui.core.records import DeliveryState
from statsig_tui.engine.outcome import Outcome
from tests.unit.conftest import PATIENCE, HandClock, MakeDesk
from tests.unit.desk import MINE, Desk

FOUR = replace(MINE, concurrency=4)
OK = Outcome(200, 1.0)
DOWN = Outcome(500, 1.0, error="500")


def give(it: Desk, *numbers: int) -> None:
    """Deliveries that are due now, while no answer comes."""
    it.held = it.held or asyncio.Event()
    for number in numbers:
        it.give(number)


async def until(condition: Callable[[], bool]) -> None:
    """Let everybody go on until this holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0)


async def all_begun(it: Desk, clock: HandClock, count: int) -> None:
    """Return when so many requests are under way, and nothing else is to be done."""
    await until(lambda: len(it.under_way) >= count and len(it.posted) - len(it.ended) >= count)
    await clock.idle()


async def ended(it: Desk, clock: HandClock, count: int) -> None:
    """Let the answers come, and return when so many attempts in all have ended."""
    held, it.held = it.held, asyncio.Event()
    assert held is not None
    held.set()
    await until(lambda: len(it.ended) >= count)
    await clock.idle()


async def test_so_many_are_under_way_and_no_more_each_noted_before_it_is_made(
    desk: MakeDesk, clock: HandClock
) -> None:
    it = desk(FOUR)
    give(it, 1, 2, 3, 4, 5, 6)
    await all_begun(it, clock, 4)
    assert it.under_way == [1, 2, 3, 4]
    for number in it.under_way:
        assert it.log.index(f"begin {number}") < it.log.index(f"post {number}")
    await ended(it, clock, 4)
    await all_begun(it, clock, 2)
    assert it.under_way == [5, 6]
    await ended(it, clock, 6)
    assert len(it.posted) == 6


async def test_what_was_cancelled_meanwhile_is_not_posted_beside_others(
    desk: MakeDesk, clock: HandClock
) -> None:
    it = desk(FOUR)
    it.cancelled.add(1)
    give(it, 1, 2)
    await all_begun(it, clock, 1)
    assert it.log == ["begin 2", "post 2"]


async def test_what_changes_while_it_is_begun_holds_of_it(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(FOUR)
    it.slow = 5
    give(it, 1, 2)
    await until(lambda: it.log == ["begin 1"])
    it.delivery.apply(replace(FOUR, headers={"X-New": "yes"}))
    await all_begun(it, clock, 2)
    assert it.log[:2] == ["begin 1", "back 1"]
    assert ["X-New" in dict(headers) for headers, _ in it.posted] == [True, True]


async def test_what_is_too_large_is_halved_beside_others(
    desk: MakeDesk, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    it = desk(FOUR, answers=[Outcome(413, 1.0), OK])
    it.give(1, size=100)
    await it.delivery.drained()
    assert sorted(it.log[-2:]) == ["end 11 delivered", "end 12 delivered"]
    assert caplog.records == [], "no attempt died of it"


async def test_a_wish_to_wait_holds_what_was_not_begun_and_the_longest_counts(
    desk: MakeDesk, clock: HandClock
) -> None:
    wishes = [Outcome(429, 1.0, retry_after=seconds) for seconds in ("60", "30")]
    it = desk(FOUR, answers=[*wishes, OK])
    give(it, 1, 2, 3, 4, 5, 6)
    await all_begun(it, clock, 4)
    await ended(it, clock, 4)
    clock.advance(59.9)
    await clock.idle()
    assert len(it.posted) == 4
    clock.advance(0.1)
    await all_begun(it, clock, 4)
    assert sorted(it.under_way) == [1, 2, 5, 6]


async def test_a_rate_limit_spaces_requests_that_are_under_way_together(
    desk: MakeDesk, clock: HandClock
) -> None:
    it = desk(replace(FOUR, rate_limit=0.5))
    give(it, 1, 2, 3)
    for count in (1, 2, 3):
        await all_begun(it, clock, count)
        assert len(it.posted) == count
        clock.advance(1.9)
        await clock.idle()
        assert len(it.posted) == count
        clock.advance(0.1)


async def test_while_paused_one_probe_at_a_time_is_under_way(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(replace(FOUR, circuit=CircuitPolicy(2, 60)), answers=[DOWN])
    give(it, 1, 2, 3, 4, 5)
    await all_begun(it, clock, 4)
    await ended(it, clock, 4)
    assert it.paused is not None
    assert it.log.count("opened") == 1
    clock.advance(60)
    await all_begun(it, clock, 1)
    clock.advance(60)
    await clock.idle()
    assert len(it.under_way) == 1
    it.answers = [OK]
    await ended(it, clock, 5)
    assert it.paused is None
    await all_begun(it, clock, 4)


async def test_what_is_retried_by_hand_waits_for_its_attempt_under_way(
    desk: MakeDesk, clock: HandClock
) -> None:
    """It was cancelled, which recalls no request, and then wanted after all."""
    it = desk(FOUR)
    give(it, 1)
    await all_begun(it, clock, 1)
    it.under_way.remove(1)
    it.delivery.wake()
    await clock.idle()
    assert [entry for entry in it.log if "begin" in entry] == ["begin 1"]
    it.under_way.append(1)
    await ended(it, clock, 1)


@pytest.mark.parametrize("concurrency", [1, 2])
async def test_fewer_at_once_count_from_the_next_attempt_on(
    desk: MakeDesk, clock: HandClock, concurrency: int
) -> None:
    it = desk(FOUR)
    give(it, 1, 2, 3, 4, 5, 6, 7)
    await all_begun(it, clock, 4)
    it.delivery.apply(replace(FOUR, concurrency=concurrency))
    held, it.held = it.held, asyncio.Event()
    assert held is not None
    held.set()
    await until(lambda: len(it.ended) == 4 and len(it.posted) == 4 + concurrency)
    if concurrency > 1:
        await clock.idle()
    assert it.under_way == [5, 6, 7][:concurrency]


async def test_drained_waits_for_what_is_under_way(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(FOUR)
    give(it, 1, 2)
    await all_begun(it, clock, 2)
    drained = asyncio.create_task(it.delivery.drained())
    await asyncio.sleep(0)
    await clock.idle()
    await asyncio.sleep(0)
    assert not drained.done()
    await ended(it, clock, 2)
    await drained
    assert [state for _, state, _ in it.ended] == [DeliveryState.DELIVERED] * 2


async def test_stopping_ends_what_is_under_way_and_notes_nothing_of_it(
    desk: MakeDesk, clock: HandClock
) -> None:
    it = desk(FOUR)
    give(it, 1, 2, 3)
    await all_begun(it, clock, 3)
    await it.delivery.stop()
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("delivery mine")]
    assert (it.ended, it.under_way) == ([], [1, 2, 3])


async def test_a_size_that_was_refused_is_not_forgotten_for_a_larger_one(
    desk: MakeDesk, clock: HandClock
) -> None:
    it = desk(FOUR, answers=[Outcome(413, 1.0), Outcome(413, 1.0), OK])
    it.held = asyncio.Event()
    it.give(1, size=400)
    it.give(2, size=800)
    await all_begun(it, clock, 2)
    it.held.set()
    it.held = None
    await it.delivery.drained()
    assert it.delivery.most_bytes == 200
