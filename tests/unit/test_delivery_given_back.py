"""What was begun ahead and is not under way: it waits again where a request hangs, or something changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from statsig_tui.core.signing import TIMESTAMP_HEADER
from statsig_tui.engine.line import MOST_AHEAD
from statsig_tui.engine.outcome import CUT_OFF, STALE, Outcome
from tests.unit.conftest import PATIENCE, HandClock, MakeDesk
from tests.unit.desk import MINE, Desk
from tests.unit.test_delivery_ahead import AT, COUNT, OK, give_all, numbers, posts


async def until(condition: Callable[[], bool]) -> None:
    """Let everybody go on until this holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0)


def hang(it: Desk) -> None:
    """Let the request behind this one get no answer."""
    it.held = asyncio.Event()


@pytest.mark.parametrize("slow", [0, 3, 10])
async def test_while_a_request_hangs_nothing_but_it_counts_as_under_way(
    desk: MakeDesk, clock: HandClock, slow: int
) -> None:
    it = desk(slow_after=0.01)
    it.slow = slow
    it.when, it.during = AT, lambda: hang(it)
    give_all(it)
    await until(lambda: len(it.posted) == AT + 1 and it.under_way == [AT + 1])
    assert [attempt.delivery for attempt, _, _ in it.ended] == list(range(1, AT + 1))
    assert it.held is not None
    it.held.set()
    await clock.idle()
    assert posts(it) == numbers(1, COUNT)


@pytest.mark.parametrize("change", ["settings", "cancelled"])
async def test_where_something_changes_it_waits_again_at_once(
    desk: MakeDesk, clock: HandClock, change: str
) -> None:
    it = desk()
    it.when, it.during = AT, lambda: hang(it)
    give_all(it)
    await until(lambda: len(it.posted) == AT + 1 and len(it.under_way) == MOST_AHEAD)
    if change == "settings":
        it.delivery.apply(replace(MINE, headers={"X-New": "yes"}))
    else:
        it.delivery.cut_off([AT + 2])
    await until(lambda: it.under_way == [AT + 1])


async def test_what_cannot_be_given_back_does_not_go_before_it_was(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(slow_after=0.01)
    it.when, it.during = AT, lambda: hang(it)
    it.refusals.add("back")
    give_all(it)
    await until(lambda: it.refused > 0)
    assert it.held is not None
    it.held.set()
    await clock.idle()
    assert posts(it) == numbers(1, AT + 1)
    it.refusals.clear()
    clock.advance(1)
    await clock.idle()
    assert posts(it) == numbers(1, COUNT)
    assert [attempt.delivery for attempt, _, _ in it.ended] == list(range(1, COUNT + 1))


LATER = range(16)
"""Turns of the loop, in which several requests and commits have their beginnings and ends."""


async def changed(it: Desk, clock: HandClock, later: int, change: Callable[[], object]) -> int:
    """Give all, and change something so many turns after a request began; what was posted by then."""
    begun = asyncio.Event()
    it.when, it.during = AT, begun.set
    give_all(it)
    await begun.wait()
    for _ in range(later):
        await asyncio.sleep(0)
    change()
    before = len(it.posted)
    await clock.idle()
    return before


@pytest.mark.parametrize("slow", [0, 3, 10])
@pytest.mark.parametrize("later", LATER)
async def test_not_a_single_request_goes_with_settings_that_were_changed(
    desk: MakeDesk, clock: HandClock, later: int, slow: int
) -> None:
    it = desk()
    it.slow = slow
    new = replace(MINE, headers={"X-New": "yes"})
    before = await changed(it, clock, later, lambda: it.delivery.apply(new))
    assert posts(it) == numbers(1, COUNT)
    has_new = ["X-New" in dict(headers) for headers, _ in it.posted]
    assert has_new == [False] * before + [True] * (COUNT - before)


@pytest.mark.parametrize("slow", [0, 3, 10])
@pytest.mark.parametrize("later", LATER)
@pytest.mark.parametrize("off", ["off", "disabled"])
async def test_not_a_single_request_goes_to_what_takes_nothing_any_more(
    desk: MakeDesk, clock: HandClock, later: int, slow: int, off: str
) -> None:
    it = desk()
    it.slow = slow

    def change() -> None:
        if off == "off":
            it.delivery.apply(replace(MINE, enabled=False))
        else:
            it.disabled.add("mine")

    before = await changed(it, clock, later, change)
    assert posts(it) == numbers(1, before)
    assert it.under_way == []


@pytest.mark.parametrize("slow", [0, 3, 10])
@pytest.mark.parametrize("later", LATER)
async def test_what_is_cancelled_before_its_turn_does_not_go(
    desk: MakeDesk, clock: HandClock, later: int, slow: int
) -> None:
    it = desk()
    it.slow = slow
    unwanted: list[int] = []

    def cancel() -> None:
        unwanted.append(len(it.posted) + 2)
        it.cancelled.add(unwanted[0])
        it.delivery.cut_off(unwanted)

    await changed(it, clock, later, cancel)
    assert posts(it) == [name for name in numbers(1, COUNT) if name != str(unwanted[0])]


@pytest.mark.parametrize("slow", [0, 3, 10])
@pytest.mark.parametrize("later", LATER)
async def test_once_the_clock_was_set_all_is_signed_by_it(
    desk: MakeDesk, clock: HandClock, later: int, slow: int
) -> None:
    it = desk()
    it.slow = slow
    before = await changed(it, clock, later, lambda: clock.set(-86_400))
    assert posts(it) == numbers(1, COUNT)
    stamps = [int(dict(headers)[TIMESTAMP_HEADER]) for headers, _ in it.posted]
    assert stamps[before:] == [clock.now()] * (COUNT - before)


async def test_a_request_that_is_cut_off_says_nothing_of_the_endpoint(
    desk: MakeDesk, clock: HandClock
) -> None:
    it = desk(answers=[OK])
    it.held = asyncio.Event()
    it.give(1)
    it.give(2)
    await until(lambda: len(it.posted) == 1)
    it.held = None
    it.delivery.cut_off([1])
    await clock.idle()
    assert posts(it) == ["1", "2"]
    assert [(attempt.status, attempt.error) for attempt, _, _ in it.ended] == [(None, CUT_OFF), (200, None)]


async def test_what_met_a_closed_connection_goes_again_before_what_is_behind_it(
    desk: MakeDesk, clock: HandClock
) -> None:
    """Also where several had been begun behind it."""
    stale = Outcome(None, 1.0, error=STALE, certainty="unknown")
    it = desk(answers=[OK] * (AT - 1) + [stale, OK])
    for number in range(1, COUNT + 1):
        it.give(number, due_in=(number - COUNT) / 1000)
    await clock.idle()
    assert posts(it) == [*numbers(1, AT), *numbers(AT, COUNT)]
