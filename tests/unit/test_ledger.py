"""The ledger over a real store: what is due first is what the store says at that moment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from statsig_tui.core.batch import Closed
from statsig_tui.core.event import view
from statsig_tui.core.filters import Clause, Verdict
from statsig_tui.core.records import ISOLATING, DeliveryState, Ended, Job, Replay
from statsig_tui.core.redact import Redactor
from statsig_tui.engine import outbox, outgoing, replays
from statsig_tui.engine.attempt import attempted, sending_of
from statsig_tui.engine.ledger import LARGE, StoreLedger
from statsig_tui.engine.outcome import CUT_OFF, STALE, Outcome
from tests.unit.desk import MINE

if TYPE_CHECKING:
    from statsig_tui.engine.store import Store
    from tests.unit.conftest import HandClock

HIDDEN = "hunter2-and-more"
"""A secret."""


class Book:
    """A ledger, and a short way to put deliveries into it and to note attempts."""

    def __init__(self, store: Store, clock: HandClock) -> None:
        self.store = store
        self.clock = clock
        self.ledger = StoreLedger(store, clock, lambda: Redactor([HIDDEN]))

    async def open(self, *names: str) -> int:
        """A delivery of these events; its number."""
        events = [view(b'{"eventName":"%s"}' % name.encode(), {"eventName": name}) for name in names]
        answers = [[(MINE.name, Verdict(True, Clause.NEW_INCLUDED))]] * len(events)
        ids = await self.store.write(lambda tx: outbox.accept(tx, 1, "t", events, answers))
        raws = [event.raw for event in events]
        return (await self.ledger.open(MINE, Closed(tuple(zip(ids, raws, strict=True)), "full"))).id

    async def due(self) -> Job:
        """What is due first; there is something."""
        job = await self.ledger.next_job(MINE.name)
        assert job is not None
        return job

    async def body(self, delivery: int) -> bytes:
        """What a delivery sends."""
        body = await self.store.read(lambda db: outgoing.batch_body(db, delivery))
        assert body is not None
        return body

    def ended(self, job: Job, outcome: Outcome, state: DeliveryState) -> Ended:
        """An attempt at a job, with what came of it."""
        sending = sending_of(job, MINE, self.clock.now())
        return Ended(attempted(sending, self.clock.now(), outcome), state, outcome.error)


async def test_what_came_after_an_end_is_found_though_nothing_was_due_at_it(
    store: Store, clock: HandClock
) -> None:
    book = Book(store, clock)
    await book.open("first")
    job = await book.due()
    sending = sending_of(job, MINE, clock.now())
    assert await book.ledger.begin(sending, 1) == ([sending], ())
    await book.ledger.end((book.ended(job, Outcome(200, 1.0), DeliveryState.DELIVERED),))
    second = await book.open("second")
    assert (await book.due()).delivery == second
    assert not (await book.ledger.begin(sending_of(job, MINE, clock.now()))).sendings, "it has arrived"


@pytest.mark.parametrize(
    ("attempt", "closed_by", "words"),
    [
        (None, "halved", "larger than the endpoint takes"),
        (413, "halved", "too large"),
        (422, ISOLATING, "refused with 422"),
        (500, ISOLATING, "refused before"),
    ],
)
@pytest.mark.parametrize("names", [("a", "bb"), ("a", "b", "cccc"), ("a", "b", "c", "d", "e")])
async def test_halves_hold_all_events_in_order_in_the_place_of_the_whole(
    store: Store, clock: HandClock, names: tuple[str, ...], attempt: int | None, closed_by: str, words: str
) -> None:
    book = Book(store, clock)
    whole = await book.open(*names)
    later = await book.open("later")
    job = await book.due()
    made = None
    if attempt is not None:
        await book.ledger.begin(sending_of(job, MINE, clock.now()))
        made = book.ended(job, Outcome(attempt, 1.0), DeliveryState.FAILED).attempt
    clock.advance(60)
    largest = await book.ledger.halve(job, MINE, made)
    first, second, *_ = await store.read(lambda db: outgoing.deliveries(db, "d.id > ?", (later,)))
    bodies = [await book.body(half.id) for half in (first, second)]
    found = [[event["eventName"] for event in json.loads(body)["data"]] for body in bodies]
    assert found[0] + found[1] == list(names)
    assert len(found[0]) - len(found[1]) in (0, 1)
    assert largest == max(map(len, bodies))
    assert [(half.events, half.closed_by) for half in (first, second)] == [
        (len(half), closed_by) for half in found
    ]
    assert (await book.due()).delivery == first.id, "not behind what came later"
    (former,) = await store.read(lambda db: outgoing.deliveries(db, "d.id = ?", (whole,)))
    assert (former.error or "").startswith(words)
    kept = await store.read(lambda db: outgoing.attempts(db, [whole]))
    assert [item.status for item in kept] == ([] if attempt is None else [attempt])


async def test_a_part_that_is_too_large_is_still_searched_for_what_is_refused(
    store: Store, clock: HandClock
) -> None:
    book = Book(store, clock)
    await book.open("a", "b", "c", "d")
    for status in (422, 413):
        job = await book.due()
        await book.ledger.begin(sending_of(job, MINE, clock.now()))
        made = book.ended(job, Outcome(status, 1.0), DeliveryState.FAILED)
        await book.ledger.halve(job, MINE, made.attempt)
    assert (await book.due()).events == 1
    assert (await book.due()).is_isolating


async def test_no_secret_is_stored_with_an_attempt(store: Store, clock: HandClock) -> None:
    book = Book(store, clock)
    await book.open("e")
    job = await book.due()
    await book.ledger.begin(sending_of(job, MINE, clock.now()))
    spoken = Outcome(500, 1.0, HIDDEN, (("X-Echo", HIDDEN), ("X-Other", "yes")), error=f"500 {HIDDEN}")
    await book.ledger.end((book.ended(job, spoken, DeliveryState.FAILED),))
    (kept,) = await store.read(lambda db: outgoing.attempts(db, [job.delivery]))
    (failed,) = await store.read(lambda db: outgoing.deliveries(db, "d.id = ?", (job.delivery,)))
    assert HIDDEN not in repr(kept) + repr(failed)
    assert failed.error == kept.error
    assert (kept.status, kept.response_headers[1], (kept.error or "")[:4]) == (
        500,
        ("X-Other", "yes"),
        "500 ",
    )


async def test_a_large_batch_has_the_bytes_of_a_small_one(store: Store, clock: HandClock) -> None:
    book = Book(store, clock)
    await book.open("a" * LARGE, "b")
    assert (await book.due()).body == b'{"data":[{"eventName":"%s"},{"eventName":"b"}]}' % (b"a" * LARGE)


async def crash(book: Book, count: int) -> None:
    """Begin what is due, so many, and begin anew as after a crash."""
    for _ in range(count):
        await book.ledger.begin(sending_of(await book.due(), MINE, book.clock.now()))
        book.clock.advance(1)
    await book.store.write(lambda tx: outbox.recover(tx, book.clock.now()))


async def order(book: Book) -> list[int]:
    """Everything that is due, in its order."""
    jobs = await book.store.read(lambda db: list(outbox.next_jobs(db, MINE.name, 100)))
    return [job.delivery for job in jobs]


async def test_however_often_it_crashes_what_was_begun_keeps_its_place_in_the_row(
    store: Store, clock: HandClock
) -> None:
    """Also what was retried, and the halves of what was too large."""
    book = Book(store, clock)
    await book.open("retried")
    job = await book.due()
    await book.ledger.begin(sending_of(job, MINE, clock.now()))
    failed = attempted(sending_of(job, MINE, clock.now()), clock.now(), Outcome(500, 1.0, error="500"))
    await book.ledger.end((Ended(failed, DeliveryState.RETRYING, "500", clock.now()),))
    clock.advance(1)
    await book.open("large", "too")
    for name in ("b", "c", "d"):
        clock.advance(1)
        await book.open(name)
    whole = (await store.read(lambda db: list(outbox.next_jobs(db, MINE.name, 2))))[1]
    await book.ledger.halve(whole, MINE, None)
    before = await order(book)
    assert len(before) == 6
    for count in (4, 1, 5, 6):
        await crash(book, count)
        assert await order(book) == before


@pytest.mark.parametrize("error", [STALE, CUT_OFF, None])
async def test_an_attempt_that_says_nothing_of_the_endpoint_uses_up_no_step(
    store: Store, clock: HandClock, error: str | None
) -> None:
    """None: it was broken off by a crash."""
    book = Book(store, clock)
    delivery = await book.open("e")
    for outcome in (Outcome(500, 1.0, error="500"), Outcome(None, 1.0, error=error), Outcome(422, 1.0)):
        job = await book.due()
        sending = sending_of(job, MINE, clock.now())
        await book.ledger.begin(sending)
        if outcome.status is None and error is None:
            await store.write(lambda tx: outbox.recover(tx, clock.now()))
        else:
            ended = Ended(attempted(sending, clock.now(), outcome), DeliveryState.RETRYING, None, clock.now())
            await book.ledger.end((ended,))
    job = await book.due()
    assert (job.delivery, job.attempt, job.uncounted, job.was_refused) == (delivery, 3, 1, True)


async def test_what_was_begun_when_its_replay_was_stopped_can_be_wanted_after_all(
    store: Store, clock: HandClock
) -> None:
    """Whoever stops a replay takes what was begun to be under way."""
    book = Book(store, clock)
    at = clock.now()
    made = await store.write(
        lambda tx: replays.open_delivery(tx, at, 1, 1, MINE.name, None, b"{}", 1, Replay.RESIGNED, ())
    )
    sending = sending_of(await book.due(), MINE, at)
    await book.ledger.begin(sending)
    assert await store.write(lambda tx: replays.cancel(tx, at, 1)) == [made.id]
    await book.ledger.end((), (sending,))
    assert await store.read(lambda db: outgoing.attempts(db, [made.id])) == []
    assert await store.write(lambda tx: outbox.reschedule(tx, at, made.id))
    assert (await book.ledger.begin(sending_of(await book.due(), MINE, at))).sendings


async def test_what_comes_of_an_attempt_is_news_though_its_delivery_was_cancelled(
    store: Store, clock: HandClock
) -> None:
    book = Book(store, clock)
    delivery = await book.open("e")
    job = await book.due()
    await book.ledger.begin(sending_of(job, MINE, clock.now()))
    await store.write(lambda tx: outbox.cancel(tx, clock.now(), delivery))
    (cancelled,) = await store.read(lambda db: outgoing.deliveries(db, "d.id = ?", (delivery,)))
    await book.ledger.end((book.ended(job, Outcome(None, 1.0, error=CUT_OFF), DeliveryState.CANCELLED),))
    (ended,) = await store.read(lambda db: outgoing.deliveries(db, "d.id = ?", (delivery,)))
    assert ended.rev > cancelled.rev
    assert (ended.state, ended.error) == (DeliveryState.CANCELLED, cancelled.error)
