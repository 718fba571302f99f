"""One destination's deliveries over a ledger that is a list: order of notes, waiting, holding, giving up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from statsig_tui.core.config import BatchPolicy, CircuitPolicy, RetryPolicy, ScheduleName, Secret
from statsig_tui.core.records import DeliveryState, Headers, Replay
from statsig_tui.core.signing import sign
from statsig_tui.engine.outcome import STALE, Outcome, with_own
from tests.unit.desk import MINE, SECRET, Desk

if TYPE_CHECKING:
    from tests.unit.conftest import HandClock, MakeDesk


async def test_an_attempt_is_noted_before_it_is_made(desk: MakeDesk, clock: HandClock) -> None:
    it = desk()
    for number in (1, 2):
        it.give(number)
    await clock.idle()
    assert it.log == ["begin 1", "post 1", "end 1 delivered", "begin 2", "post 2", "end 2 delivered"]
    headers = dict(it.posted[0][0])
    assert headers["X-Statsig-Request-Timestamp"] == str(clock.epoch)
    assert headers["X-Statsig-Signature"] == sign(SECRET, str(clock.epoch), b"body 1")
    attempt = it.ended[0][0]
    assert (attempt.number, attempt.at, attempt.url, attempt.status) == (1, clock.epoch, MINE.url, 200)


async def test_what_was_cancelled_meanwhile_is_not_posted(desk: MakeDesk, clock: HandClock) -> None:
    it = desk()
    it.cancelled.add(1)
    it.give(1)
    it.give(2)
    await clock.idle()
    assert it.log == ["begin 2", "post 2", "end 2 delivered"]


async def test_what_is_due_behind_an_attempt_begins_in_the_commit_that_ends_it(
    desk: MakeDesk, clock: HandClock
) -> None:
    it = desk(answers=[Outcome(200, 1.0), Outcome(500, 1.0), Outcome(200, 1.0)])
    for number in (1, 2, 3):
        it.give(number)
    await clock.idle()
    assert it.turns == 2
    assert it.log == [
        "begin 1", "post 1", "end 1 delivered",
        "begin 2", "post 2", "end 2 retrying",
        "begin 3", "post 3", "end 3 delivered",
    ]  # fmt: skip


async def test_where_both_cannot_be_noted_the_end_is(desk: MakeDesk, clock: HandClock) -> None:
    it = desk()
    it.refusals = {"turn"}
    it.give(1)
    it.give(2)
    await clock.idle()
    assert it.log == ["begin 1", "post 1", "end 1 delivered", "begin 2", "post 2", "end 2 delivered"]


MEANWHILE: dict[str, tuple[Callable[[Desk], object], Outcome]] = {
    "cancelled": (lambda it: it.cancelled.add(2), Outcome(200, 1.0)),
    "off": (lambda it: it.delivery.apply(replace(MINE, enabled=False)), Outcome(200, 1.0)),
    "disabled": (lambda it: it.disabled.add("mine"), Outcome(200, 1.0)),
    "a rate": (lambda it: it.delivery.apply(replace(MINE, rate_limit=0.1)), Outcome(200, 1.0)),
    "a wish": (lambda it: None, Outcome(429, 1.0, retry_after="30")),
}


@pytest.mark.parametrize("case", MEANWHILE)
async def test_what_was_due_is_not_sent_when_that_changed_meanwhile(
    desk: MakeDesk, clock: HandClock, case: str
) -> None:
    change, answer = MEANWHILE[case]
    it = desk(answers=[answer, Outcome(200, 1.0)])
    it.during = lambda: change(it)
    it.give(1)
    it.give(2)
    await clock.idle()
    assert [entry for entry in it.log if "post" in entry] == ["post 1"]


SCHEDULE = {
    "quick": (1, 5, 30, 120, 600),
    "standard-webhooks": (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400),
    "svix": (5, 300, 1800, 7200, 18_000, 36_000, 36_000),
    "none": (),
    "own": (10, 20.5),
}
"""Seconds between attempts (product.md §3)."""
OWN_JITTER = 0.5
"""Of the own schedule; presets have theirs."""


@pytest.mark.parametrize("jitter", [-1.0, 0.0, 0.5, 1.0])
@pytest.mark.parametrize("name", SCHEDULE)
async def test_retries_wait_for_their_time_and_then_it_fails(
    desk: MakeDesk, clock: HandClock, name: str, jitter: float
) -> None:
    """Promise 5, over days of a clock of its own."""
    schedule = SCHEDULE[name]
    policy = RetryPolicy(schedule if name == "own" else cast("ScheduleName", name), jitter=OWN_JITTER)
    it = desk(replace(MINE, retry=policy), answers=[Outcome(500, 1.0, error="500")], jitter=jitter)
    it.give(1)
    await clock.idle()
    for made, seconds in enumerate(schedule, start=1):
        wait = seconds * (1 + (OWN_JITTER if name == "own" else 0.2) * jitter)
        assert it.due_in == {1: pytest.approx(wait, abs=0.001)}
        clock.advance(wait - 0.01)
        await clock.idle()
        assert len(it.posted) == made
        clock.advance(0.02)
        await clock.idle()
        assert len(it.posted) == made + 1
    states = [DeliveryState.RETRYING] * len(schedule) + [DeliveryState.FAILED]
    assert [state for _, state, _ in it.ended] == states
    assert [attempt.number for attempt, _, _ in it.ended] == list(range(1, len(states) + 1))
    assert {body for _, body in it.posted} == {b"body 1"}
    stamps = [dict(headers)["X-Statsig-Request-Timestamp"] for headers, _ in it.posted]
    assert len(set(stamps)) == len(stamps)


async def test_a_stale_connection_uses_up_nothing_of_the_schedule(desk: MakeDesk, clock: HandClock) -> None:
    stale = Outcome(None, 1.0, error=STALE, certainty="unknown")
    it = desk(answers=[stale, Outcome(500, 1.0), stale, Outcome(500, 1.0)])
    it.give(1)
    await clock.idle()
    assert it.due_in == {1: 10.0}
    clock.advance(10)
    await clock.idle()
    assert it.due_in == {1: 20.0}
    clock.advance(20)
    await clock.idle()
    assert it.ended[-1][1] is DeliveryState.FAILED
    assert [attempt.number for attempt, _, _ in it.ended] == [1, 2, 3, 4, 5]


async def test_a_stale_connection_is_no_failure_of_the_endpoint(desk: MakeDesk, clock: HandClock) -> None:
    stale = Outcome(None, 1.0, error=STALE, certainty="unknown")
    it = desk(replace(MINE, circuit=CircuitPolicy(1)), answers=[stale, Outcome(200, 1.0)])
    it.give(1)
    await clock.idle()
    assert it.log == ["begin 1", "post 1", "end 1 retrying", "begin 1", "post 1", "end 1 delivered"]


async def test_a_retry_in_the_future_holds_up_nothing_newer(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(answers=[Outcome(500, 1.0), Outcome(200, 1.0)])
    it.give(1)
    await clock.idle()
    it.give(2)
    await clock.idle()
    assert it.log[-2:] == ["post 2", "end 2 delivered"]
    assert it.due_in == {1: 10.0}


async def test_a_wish_to_wait_holds_everything(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(answers=[Outcome(429, 1.0, retry_after="30"), Outcome(200, 1.0)])
    it.give(1)
    await clock.idle()
    it.give(2)
    await clock.idle()
    clock.advance(29.9)
    await clock.idle()
    assert len(it.posted) == 1
    clock.advance(0.1)
    await clock.idle()
    assert sorted(it.log[-6:]) == sorted(
        ["begin 2", "post 2", "end 2 delivered", "begin 1", "post 1", "end 1 delivered"]
    )


async def test_a_rate_limit_spaces_the_requests(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(replace(MINE, rate_limit=0.5))
    for number in (1, 2, 3):
        it.give(number)
    await clock.idle()
    assert [entry for entry in it.log if "post" in entry] == ["post 1"]
    assert it.log[-1] == "limited 2"
    clock.advance(1.9)
    await clock.idle()
    assert len(it.posted) == 1
    clock.advance(0.1)
    await clock.idle()
    assert len(it.posted) == 2
    clock.advance(2)
    await clock.idle()
    assert [entry for entry in it.log if "post" in entry] == ["post 1", "post 2", "post 3"]


async def test_too_large_is_halved(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(answers=[Outcome(413, 1.0), Outcome(200, 1.0)])
    it.give(1, size=100)
    await clock.idle()
    assert it.log == [
        "begin 1", "post 1", "halve 1",
        "begin 11", "post 11", "end 11 delivered", "begin 12", "post 12", "end 12 delivered",
    ]  # fmt: skip
    assert it.delivery.most_bytes == 50


async def test_what_was_too_large_once_is_halved_before_it_is_sent(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(answers=[Outcome(413, 1.0), Outcome(200, 1.0)])
    it.give(1, size=100)
    await clock.idle()
    it.log.clear()
    it.give(2, size=80)
    it.give(3, size=10)
    it.give(4, size=80)
    it.give(5, size=60, replay=Replay.RESIGNED)
    it.give(6, size=90, events=1)
    await clock.idle()
    assert [entry for entry in it.log if "begin" not in entry and "end" not in entry] == [
        "halve 2", "post 3", "halve 4", "post 5", "post 6", "post 21", "post 22", "post 41", "post 42"
    ]  # fmt: skip
    assert it.delivery.most_bytes == 90, "the larger one was taken"


async def test_what_is_refused_says_nothing_about_size(desk: MakeDesk, clock: HandClock) -> None:
    once = replace(MINE, retry=RetryPolicy("none"))
    it = desk(once, answers=[Outcome(422, 1.0), Outcome(200, 1.0)])
    it.give(1, size=100)
    await clock.idle()
    assert [entry for entry in it.log if "post" in entry or "halve" in entry] == [
        "post 1", "halve 1", "post 11", "post 12"
    ]  # fmt: skip
    assert it.delivery.most_bytes is None


@pytest.mark.parametrize(
    ("changes", "forgotten"),
    [({"batch": BatchPolicy(7)}, True), ({"url": "http://127.0.0.1/new"}, True), ({"rate_limit": 5}, False)],
)
async def test_a_size_is_forgotten_with_the_settings_it_belongs_to(
    desk: MakeDesk, clock: HandClock, changes: dict[str, Any], forgotten: bool
) -> None:
    it = desk(answers=[Outcome(413, 1.0), Outcome(200, 1.0)])
    it.give(1, size=100)
    await clock.idle()
    it.delivery.apply(replace(MINE, **changes))
    assert it.delivery.most_bytes == (None if forgotten else 50)


async def test_gone_disables_and_keeps_the_delivery_due(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(answers=[Outcome(410, 1.0), Outcome(200, 1.0)])
    it.give(1)
    it.give(2)
    await clock.idle()
    assert it.log == ["begin 1", "post 1", "gone", "end 1 retrying"]
    it.disabled.clear()
    it.delivery.wake()
    await clock.idle()
    assert it.log[4:] == ["begin 1", "post 1", "end 1 delivered", "begin 2", "post 2", "end 2 delivered"]


@pytest.mark.parametrize(
    ("ahead", "scheduled"), [(3601, 0), (86_400, 0), (400 * 86_400, 0), (30, 1), (86_400, 86_399_000)]
)
async def test_retries_that_a_clock_set_back_left_in_the_future_keep_their_distance(
    desk: MakeDesk, clock: HandClock, ahead: float, scheduled: int
) -> None:
    it = desk()
    it.give(1, due_in=ahead, scheduled=clock.now() + scheduled)
    it.give(2, due_in=ahead + 7, scheduled=clock.now() + scheduled)
    await clock.idle()
    assert it.log == ["begin 1", "post 1", "end 1 delivered"]
    clock.advance(6.9)
    await clock.idle()
    assert len(it.posted) == 1
    clock.advance(0.1)
    await clock.idle()
    assert len(it.posted) == 2


@pytest.mark.parametrize(
    ("set_by", "due_in"), [(1.5, 98.5), (2.0, 98.0), (2.001, 100.0), (60.0, 100.0), (-60.0, 100.0)]
)
async def test_a_clock_that_is_set_moves_retries_and_one_that_is_corrected_does_not(
    desk: MakeDesk, clock: HandClock, set_by: float, due_in: float
) -> None:
    it = desk(replace(MINE, retry=RetryPolicy((100,))), answers=[Outcome(500, 1.0)])
    it.give(1)
    await clock.idle()
    clock.set(set_by)
    it.delivery.wake()
    await clock.idle()
    assert it.due_in == {1: due_in}


@pytest.mark.parametrize("is_asleep", [False, True])
async def test_what_was_noted_since_by_the_clock_as_it_is_now_stays(
    desk: MakeDesk, clock: HandClock, is_asleep: bool
) -> None:
    it = desk()
    it.give(1, due_in=10)
    await clock.idle()
    (clock.advance if is_asleep else clock.set)(60)
    it.give(2, due_in=20)
    await clock.idle()
    assert it.due_in.get(2) == 20
    assert it.due_in.get(1) == (None if is_asleep else 10)


@pytest.mark.parametrize("days", [-1, 1])
async def test_retries_wait_as_long_as_they_would_have_when_the_clock_is_set(
    desk: MakeDesk, clock: HandClock, days: int
) -> None:
    """Neither stuck for a day nor all at once."""
    it = desk(replace(MINE, retry=RetryPolicy((100,), jitter=0.2)))
    it.answers = [Outcome(500, 1.0)] * 3 + [Outcome(200, 1.0)]
    for number, jitter in ((1, -1.0), (2, 0.0), (3, 1.0)):
        it.jitter = jitter
        it.give(number)
        await clock.idle()
    assert it.due_in == {1: 80, 2: 100, 3: 120}
    clock.set(days * 86_400)
    for posted, step in ((3, 79.9), (4, 0.1), (4, 19.9), (5, 0.1), (5, 19.9), (6, 0.1)):
        clock.advance(step)
        await clock.idle()
        assert len(it.posted) == posted
    assert it.jobs == {}


async def test_retries_missed_while_asleep_are_caught_up_with_their_distances(
    desk: MakeDesk, clock: HandClock
) -> None:
    it = desk()
    for number, due_in in ((1, 10), (2, 13), (3, 16)):
        it.give(number, due_in=due_in)
    await clock.idle()
    clock.advance(3600)
    for posted in (1, 2, 3):
        await clock.idle()
        assert len(it.posted) == posted
        clock.advance(2.9)
        await clock.idle()
        assert len(it.posted) == posted
        clock.advance(0.1)


async def test_nothing_is_posted_that_the_store_has_not_taken(desk: MakeDesk, clock: HandClock) -> None:
    it = desk()
    it.refusals = {"next"}
    it.give(1)
    for refused in ({"begin"}, {"next", "begin"}, set[str]()):
        await clock.idle()
        assert it.posted == []
        it.refusals = refused
        clock.advance(1)
    await clock.idle()
    assert it.log == ["begin 1", "post 1", "end 1 delivered"]


async def test_what_happened_is_noted_as_soon_as_the_store_takes_it(desk: MakeDesk, clock: HandClock) -> None:
    it = desk()
    it.refusals = {"end"}
    it.give(1)
    for _ in range(3):
        await clock.idle()
        assert it.log == ["begin 1", "post 1"]
        clock.advance(1)
    it.refusals.clear()
    await clock.idle()
    clock.advance(1)
    await clock.idle()
    assert it.log == ["begin 1", "post 1", "end 1 delivered"]


@pytest.mark.parametrize(
    ("answer", "paused"),
    [
        (Outcome(500, 1.0, error="500"), None),
        (Outcome(500, 1.0, error="500"), "of a former run"),
        (Outcome(413, 1.0, error="413"), None),
        (Outcome(422, 1.0, error="422"), None),
    ],
)
async def test_a_capture_is_replayed_with_its_own_signature_and_only_once(
    desk: MakeDesk, clock: HandClock, answer: Outcome, paused: str | None
) -> None:
    it = desk(answers=[answer], paused=paused)
    kept: Headers = (("X-Statsig-Signature", "v0=old"), ("X-Statsig-Request-Timestamp", "5"))
    it.give(1, replay=Replay.AS_RECEIVED, headers=kept)
    await clock.idle()
    assert set(kept) <= set(it.posted[0][0])
    assert it.ended[0][1] is DeliveryState.FAILED
    it.delivery.resume()
    it.give(2, replay=Replay.RESIGNED, headers=kept)
    await clock.idle()
    assert dict(it.posted[1][0])["X-Statsig-Signature"] == sign(SECRET, str(clock.epoch), b"body 2")


@pytest.mark.parametrize("secret", [None, Secret(env="UNSET")])
async def test_without_a_secret_nothing_is_signed(
    desk: MakeDesk, clock: HandClock, secret: Secret | None
) -> None:
    it = desk(replace(MINE, secret=secret, headers={"X-Own": "yes"}))
    it.give(1)
    await clock.idle()
    assert it.posted[0][0] == with_own((("Content-Type", "application/json"), ("X-Own", "yes")))


async def test_a_destination_that_is_off_waits_for_being_on(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(replace(MINE, enabled=False))
    it.give(1)
    await clock.idle()
    assert it.log == []
    it.delivery.apply(MINE)
    await clock.idle()
    assert it.log == ["begin 1", "post 1", "end 1 delivered"]


async def test_drained_returns_when_nothing_is_due(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(answers=[Outcome(500, 1.0), Outcome(200, 1.0)])
    for number in range(1, 6):
        it.give(number)
    await it.delivery.drained()
    assert len(it.posted) == 5
    assert list(it.jobs) == [1]
    it.give(6)
    await it.delivery.drained()
    assert len(it.posted) == 6, "not what was so before"
    it.answers = [Outcome(413, 1.0), Outcome(200, 1.0)]
    it.give(7, size=100)
    await it.delivery.drained()
    assert len(it.posted) == 9, "both halves are due at once"


async def test_waiting_goes_as_fast_as_the_pace_and_signatures_stay_true(
    desk: MakeDesk, clock: HandClock
) -> None:
    it = desk(answers=[Outcome(500, 1.0), Outcome(500, 1.0), Outcome(200, 1.0)])
    it.pace.speed = 60
    it.give(1)
    await clock.idle()
    assert it.due_in == {1: 0.166}
    clock.advance(0.166)
    await clock.idle()
    assert it.due_in == {1: 0.333}
    clock.advance(0.333)
    await clock.idle()
    assert [state for _, state, _ in it.ended][-1] is DeliveryState.DELIVERED
    stamps = [dict(headers)["X-Statsig-Request-Timestamp"] for headers, _ in it.posted]
    start = clock.epoch - 499
    assert stamps == [str(start + after) for after in (0, 166, 499)]


async def test_a_rate_limit_goes_as_fast_as_the_pace(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(replace(MINE, rate_limit=0.5))
    it.give(1)
    it.give(2)
    await clock.idle()
    it.pace.speed = 4
    it.delivery.stretch(1 / 4)
    await clock.idle()
    clock.advance(0.49)
    await clock.idle()
    assert len(it.posted) == 1
    clock.advance(0.01)
    await clock.idle()
    assert len(it.posted) == 2


@pytest.mark.parametrize(
    "first", [Outcome(429, 1.0, retry_after="30"), Outcome(500, 1.0)], ids=["a wish", "a probe"]
)
@pytest.mark.parametrize(("by", "left"), [(0.5, 10.0), (2, 40.0), (0, 0.0), (None, 0.0)])
async def test_what_holds_a_destination_is_stretched_and_ends_with_new_settings(
    desk: MakeDesk, clock: HandClock, by: float | None, left: float, first: Outcome
) -> None:
    mine = replace(MINE, circuit=CircuitPolicy(1, 30))
    it = desk(mine, answers=[first, Outcome(200, 1.0)])
    it.delivery.stretch(2)
    it.give(1)
    await clock.idle()
    assert it.log[:2] == ["begin 1", "post 1"], "nothing is held that nobody asked to hold"
    it.give(2)
    clock.advance(10)
    await clock.idle()
    if by is None:
        it.delivery.apply(replace(mine, timeout_seconds=3))
    else:
        it.delivery.stretch(by)
    await clock.idle()
    if left:
        clock.advance(left - 0.01)
        await clock.idle()
        assert len(it.posted) == 1
        clock.advance(0.02)
        await clock.idle()
    assert "post 2" in it.log
