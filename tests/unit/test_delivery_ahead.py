"""Attempts that are begun ahead: in order, one request at a time, given back where it does not go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from statsig_tui.core.batch import Closed
from statsig_tui.core.records import DeliveryRecord, DeliveryState, Ended, Job
from statsig_tui.core.redact import Redactor
from statsig_tui.core.signing import TIMESTAMP_HEADER
from statsig_tui.engine import outbox, outgoing
from statsig_tui.engine.attempt import attempted, sending_of
from statsig_tui.engine.ledger import StoreLedger
from statsig_tui.engine.line import MOST_AHEAD
from statsig_tui.engine.outcome import Outcome
from statsig_tui.engine.store import Store
from tests.unit.conftest import PATIENCE, HandClock, MakeDesk
from tests.unit.desk import MINE, Desk

OK = Outcome(200, 1.0)
COUNT = 40
AT = 20
"""The request at which something changes, when as much is begun ahead as ever will be."""


def posts(it: Desk) -> list[str]:
    """What was posted, in order."""
    return [entry.removeprefix("post ") for entry in it.log if entry.startswith("post ")]


def numbers(first: int, last: int) -> list[str]:
    """As posts() names them."""
    return [str(number) for number in range(first, last + 1)]


def give_all(it: Desk) -> None:
    """Deliveries that are due now."""
    for number in range(1, COUNT + 1):
        it.give(number)


async def held_behind(it: Desk, at: int) -> None:
    """Give all; return while the request behind that one is under way and gets no answer."""

    def hold() -> None:
        it.held = asyncio.Event()

    it.when, it.during = at, hold
    give_all(it)
    async with asyncio.timeout(PATIENCE):
        while len(it.posted) <= at:
            await asyncio.sleep(0)


def ahead(it: Desk, until: int) -> list[int]:
    """How many had begun and were not posted, whenever something was posted or noted, up to one post."""
    counts, begun, posted = [], 0, 0
    for entry in it.log:
        begun += entry.startswith("begin")
        posted += entry.startswith("post")
        counts.append(begun - posted)
        if posted == until:
            break
    return counts


async def test_the_more_arrives_quickly_the_more_is_begun_ahead_and_all_in_order(
    desk: MakeDesk, clock: HandClock
) -> None:
    it = desk()
    give_all(it)
    await clock.idle()
    assert posts(it) == numbers(1, COUNT)
    for number in numbers(1, COUNT):
        assert it.log.index(f"begin {number}") < it.log.index(f"post {number}")
        assert it.log.index(f"post {number}") < it.log.index(f"end {number} delivered")
    assert max(ahead(it, 2)) == 1, "of an endpoint that nothing is known of, one by one"
    assert max(ahead(it, COUNT)) == MOST_AHEAD - 1, "beside the one that is under way"


async def test_a_commit_that_takes_its_time_ends_and_begins_several(desk: MakeDesk, clock: HandClock) -> None:
    it = desk()
    it.slow = 10
    give_all(it)
    await clock.idle()
    assert posts(it) == numbers(1, COUNT)
    assert it.turns <= COUNT / 2


@pytest.mark.parametrize("at", range(AT, AT + 5))
@pytest.mark.parametrize("slow", [0, 3, 10])
async def test_one_request_at_a_time_is_under_way_and_those_before_it_are_noted(
    desk: MakeDesk, clock: HandClock, slow: int, at: int
) -> None:
    it = desk()
    it.slow = slow
    await held_behind(it, at)
    for _ in range(100):
        await asyncio.sleep(0)
    assert posts(it) == numbers(1, at + 1)
    assert [attempt.delivery for attempt, _, _ in it.ended] == list(range(1, at + 1))
    assert it.held is not None
    it.held.set()
    await clock.idle()
    assert posts(it) == numbers(1, COUNT)


SLOW = Outcome(200, 5000.0)
GOES_ON: dict[str, Outcome] = {
    "refused": Outcome(400, 1.0, error="400"),
    "down": Outcome(500, 1.0, error="500"),
    "no answer": Outcome(None, 1.0, error="nothing came back", certainty="unknown"),
    "slow": SLOW,
}


@pytest.mark.parametrize("case", GOES_ON)
async def test_what_was_begun_ahead_is_given_back_where_all_is_not_well_any_more(
    desk: MakeDesk, clock: HandClock, case: str
) -> None:
    it = desk(answers=[OK] * (AT - 1) + [GOES_ON[case], OK])
    give_all(it)
    await clock.idle()
    where = next(at for at, entry in enumerate(it.log) if entry.startswith(f"end {AT} "))
    back = [entry for entry in it.log if entry.startswith("back")]
    assert 1 <= len(back) <= MOST_AHEAD
    assert it.log[where + 1 : where + 1 + len(back)] == back, "in the commit that ends it"
    assert it.log[where + 1 + len(back)] == f"begin {AT + 1}"
    assert posts(it) == numbers(1, COUNT), "and then sent in its order"


STOPS: dict[str, tuple[Callable[[Desk], object], Outcome]] = {
    "a wish": (lambda it: None, Outcome(429, 1.0, retry_after="30")),
    "gone": (lambda it: None, Outcome(410, 1.0)),
    "off": (lambda it: it.delivery.apply(replace(MINE, enabled=False)), OK),
    "disabled": (lambda it: it.disabled.add("mine"), OK),
    "a rate": (lambda it: it.delivery.apply(replace(MINE, rate_limit=0.1)), OK),
}


@pytest.mark.parametrize("slow", [0, 3, 4, 5])
@pytest.mark.parametrize("case", STOPS)
async def test_nothing_that_was_begun_ahead_is_sent_when_that_changed_meanwhile(
    desk: MakeDesk, clock: HandClock, case: str, slow: int
) -> None:
    """However far the commit is that begins more."""
    change, answer = STOPS[case]
    it = desk(answers=[OK] * (AT - 1) + [answer, OK])
    it.slow = slow
    it.when, it.during = AT, lambda: change(it)
    give_all(it)
    await clock.idle()
    assert posts(it) == numbers(1, AT)
    assert it.under_way == []
    assert any(entry.startswith("back") for entry in it.log)


async def test_where_the_clock_was_set_what_was_begun_ahead_is_signed_anew(
    desk: MakeDesk, clock: HandClock
) -> None:
    it = desk()
    it.when, it.during = AT, lambda: clock.set(-86_400)
    give_all(it)
    await clock.idle()
    assert posts(it) == numbers(1, COUNT)
    stamps = [int(dict(headers)[TIMESTAMP_HEADER]) for headers, _ in it.posted]
    assert stamps[AT:] == [clock.now()] * (COUNT - AT)


async def test_what_was_begun_with_other_settings_is_begun_anew(desk: MakeDesk, clock: HandClock) -> None:
    it = desk()
    new = replace(MINE, headers={"X-New": "yes"})
    it.when, it.during = AT, lambda: it.delivery.apply(new)
    give_all(it)
    await clock.idle()
    assert posts(it) == numbers(1, COUNT)
    assert ["X-New" in dict(headers) for headers, _ in it.posted] == [False] * AT + [True] * (COUNT - AT)


async def test_what_is_halved_goes_before_what_was_begun_ahead(desk: MakeDesk, clock: HandClock) -> None:
    it = desk(answers=[OK] * (AT - 1) + [Outcome(413, 1.0), OK])
    for number in range(1, COUNT + 1):
        it.give(number, due_in=(number - COUNT) / 1000, size=100 if number == AT else 10)
    await clock.idle()
    assert posts(it) == [*numbers(1, AT), f"{AT}1", f"{AT}2", *numbers(AT + 1, COUNT)]


@pytest.mark.parametrize("refused", [{"turn"}, {"turn", "end"}])
async def test_where_a_turn_cannot_be_noted_nothing_goes_that_is_not_noted(
    desk: MakeDesk, clock: HandClock, refused: set[str]
) -> None:
    it = desk()
    it.when, it.during = AT, lambda: it.refusals.update(refused)
    give_all(it)
    async with asyncio.timeout(PATIENCE):
        while not it.refusals:
            await asyncio.sleep(0)
    await clock.idle()
    sent = len(it.posted)
    if "end" in refused:
        assert sent < COUNT, "what it began before is all that may go"
    it.refusals.clear()
    clock.advance(1)
    await clock.idle()
    clock.advance(1)
    await clock.idle()
    assert posts(it) == numbers(1, COUNT)
    assert [attempt.delivery for attempt, _, _ in it.ended] == list(range(1, COUNT + 1))


async def test_a_stop_notes_what_ended_and_gives_back_what_was_begun_ahead(
    desk: MakeDesk, clock: HandClock
) -> None:
    it = desk()
    await held_behind(it, AT)
    await it.delivery.stop()
    assert it.under_way == [AT + 1], "the one that is under way counts as interrupted"
    assert [attempt.delivery for attempt, _, _ in it.ended] == list(range(1, AT + 1))


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[tuple[StoreLedger, Store, HandClock]]:
    """A ledger over a real store."""
    clock = HandClock()
    store = await Store.open(tmp_path / "store.db")
    yield StoreLedger(store, clock, lambda: Redactor([])), store, clock
    await store.close()


Kept = tuple[StoreLedger, Store, HandClock]


async def opened(kept: Kept) -> tuple[Job, DeliveryRecord]:
    """A delivery that is due, as it is asked for and as it is shown."""
    ledger, store, _ = kept
    await ledger.open(MINE, Closed(((1, b"{}"),), "full"))
    return await shown(ledger, store)


async def shown(ledger: StoreLedger, store: Store) -> tuple[Job, DeliveryRecord]:
    job = await ledger.next_job("mine")
    assert job is not None
    return job, await record_of(store, job.delivery)


async def record_of(store: Store, delivery: int) -> DeliveryRecord:
    [record] = await store.read(lambda db: outgoing.deliveries(db, "d.id = ?", (delivery,)))
    return replace(record, rev=0)


@pytest.mark.parametrize("tried", [0, 1, 2])
async def test_what_was_begun_and_is_not_made_waits_as_it_did_before(kept: Kept, tried: int) -> None:
    ledger, store, clock = kept
    job, before = await opened(kept)
    for _ in range(tried):
        sending = sending_of(job, MINE, clock.now())
        await ledger.begin(sending)
        attempt = attempted(sending, clock.now(), Outcome(500, 1.0, error="500 down"))
        await ledger.end((Ended(attempt, DeliveryState.RETRYING, "500 down", clock.now()),))
        job, before = await shown(ledger, store)
    clock.advance(5)
    sending = sending_of(job, MINE, clock.now())
    await ledger.begin(sending)
    await ledger.end((), (sending,))
    assert await shown(ledger, store) == (job, before)
    assert len(await store.read(lambda db: outgoing.attempts(db, [job.delivery]))) == tried


async def test_what_was_cancelled_before_it_is_given_back_stays_cancelled(kept: Kept) -> None:
    ledger, store, clock = kept
    job, _ = await opened(kept)
    sending = sending_of(job, MINE, clock.now())
    await ledger.begin(sending)
    await store.write(lambda tx: outbox.cancel(tx, clock.now(), job.delivery))
    await ledger.end((), (sending,))
    record = await record_of(store, job.delivery)
    assert (record.state, record.attempt) == (DeliveryState.CANCELLED, 0)
    assert await ledger.next_job("mine") is None


async def test_what_was_interrupted_stays_before_what_came_after_it(kept: Kept) -> None:
    ledger, store, clock = kept
    first, _ = await opened(kept)
    clock.advance(1)
    await ledger.open(MINE, Closed(((2, b"{}"),), "full"))
    await ledger.begin(sending_of(first, MINE, clock.now()))
    clock.advance(1)
    await store.write(lambda tx: outbox.recover(tx, clock.now()))
    job = await ledger.next_job("mine")
    assert job is not None
    assert job.delivery == first.delivery


async def test_large_bodies_are_not_read_ahead_of_their_turn(kept: Kept) -> None:
    ledger, _, clock = kept
    for number in range(4):
        await ledger.open(MINE, Closed(((number, b'"%s"' % (b"x" * 200_000)),), "full"))
    job = await ledger.next_job("mine")
    assert job is not None
    begun = await ledger.begin(sending_of(job, MINE, clock.now()), MOST_AHEAD)
    assert len(begun.following) == 2
