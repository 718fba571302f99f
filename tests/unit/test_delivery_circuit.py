"""A destination that fails: paused with a reason, probed, resumed; nothing is given up meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from statsig_tui.core.config import CircuitPolicy, RetryPolicy
from statsig_tui.core.records import DeliveryState
from statsig_tui.engine.outcome import Outcome
from tests.unit.desk import MINE, Desk

if TYPE_CHECKING:
    from tests.unit.conftest import HandClock, MakeDesk

SICK = replace(MINE, circuit=CircuitPolicy(3, 60), retry=RetryPolicy((10,)))


def posts(it: Desk) -> list[str]:
    return [entry for entry in it.log if entry.startswith(("post", "opened", "closed"))]


async def test_after_failures_in_a_row_single_probes_are_made_until_one_arrives(
    desk: MakeDesk, clock: HandClock
) -> None:
    """Promise 7: closed, open, half-open, open, half-open, closed; nothing is given up meanwhile."""
    it = desk(SICK, answers=[*[Outcome(500, 1.0, error="500")] * 4, Outcome(200, 1.0)])
    for number in range(1, 6):
        it.give(number)
    await clock.idle()
    assert posts(it) == ["post 1", "post 2", "post 3", "opened"]
    assert it.paused == "3 deliveries failed in a row; the last one: 500"
    clock.advance(59.9)
    await clock.idle()
    assert len(it.posted) == 3
    clock.advance(0.1)
    await clock.idle()
    assert posts(it)[4:] == ["post 4"], "a probe, and it failed"
    clock.advance(59.9)
    await clock.idle()
    assert len(it.posted) == 4
    clock.advance(0.1)
    await clock.idle()
    assert posts(it)[5:7] == ["post 5", "closed"]
    assert it.paused is None
    assert it.jobs == {}
    assert {state for _, state, _ in it.ended} == {DeliveryState.RETRYING, DeliveryState.DELIVERED}


async def test_another_number_of_failures_counts_from_now_on(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(SICK, answers=[Outcome(500, 1.0)])
    it.delivery.apply(replace(SICK, circuit=CircuitPolicy(1, 60)))
    it.give(1)
    await clock.idle()
    assert posts(it) == ["post 1", "opened"]
    assert it.paused == "1 delivery failed in a row; the last one: 500"


async def test_probes_give_nothing_up_however_long_it_takes(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(replace(SICK, retry=RetryPolicy("none"), circuit=CircuitPolicy(1, 60)))
    it.answers = [*[Outcome(None, 1.0, error="connection refused")] * 30, Outcome(200, 1.0)]
    it.give(1)
    it.give(2)
    for made in range(1, 31):
        await clock.idle()
        assert len(it.posted) == made
        clock.advance(60)
    await clock.idle()
    assert it.jobs == {}


async def test_a_circuit_that_was_open_is_probed_at_once(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(SICK, paused="of a former run", answers=[Outcome(500, 1.0), Outcome(200, 1.0)])
    it.give(1)
    it.give(2)
    await clock.idle()
    assert posts(it) == ["post 1"]
    it.delivery.resume()
    await clock.idle()
    assert posts(it) == ["post 1", "post 2"]


async def test_what_is_refused_or_asked_to_slow_down_pauses_nothing(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(replace(SICK, retry=RetryPolicy("none")), answers=[Outcome(422, 1.0)])
    for number in range(1, 10):
        it.give(number, events=1)
    await clock.idle()
    assert len(it.posted) == 9
    assert "opened" not in it.log


@pytest.mark.parametrize(("paused", "then"), [(None, "halve 1"), ("of a former run", "end 1 retrying")])
async def test_no_event_is_searched_for_while_everything_fails(
    desk: MakeDesk, clock: HandClock, paused: str | None, then: str
) -> None:
    once = replace(SICK, retry=RetryPolicy("none"))
    it = desk(once, paused=paused, answers=[Outcome(500, 1.0)])
    it.give(1, was_refused=True)
    await clock.idle()
    assert it.log[:3] == ["begin 1", "post 1", then]


async def test_probes_go_as_fast_as_the_pace(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(SICK, answers=[*[Outcome(500, 1.0)] * 3, Outcome(200, 1.0)])
    it.pace.speed = 60
    for number in range(1, 5):
        it.give(number)
    await clock.idle()
    clock.advance(1)
    await clock.idle()
    assert it.paused is None


async def test_the_circuit_is_noted_as_soon_as_the_store_takes_it(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(replace(SICK, circuit=CircuitPolicy(1, 60)), answers=[Outcome(500, 1.0)])
    it.refusals = {"circuit"}
    it.give(1)
    await clock.idle()
    assert it.log == ["begin 1", "post 1"]
    it.refusals.clear()
    clock.advance(1)
    await clock.idle()
    assert it.log == ["begin 1", "post 1", "opened", "end 1 retrying"]
