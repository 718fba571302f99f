"""When deliveries are due, as the store moves it: which ones, to when, and that it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from statsig_tui.core.records import DeliveryRecord, Record
from statsig_tui.engine import due, outbox
from statsig_tui.engine.store import Store, Tx

Row = tuple[str, str, int, int | None]
"""Destination, state, when it came into it, when it is due."""


async def moved(
    store: Store, rows: Sequence[Row], move: Callable[[Tx], object]
) -> tuple[object, dict[int, tuple[int, int | None]]]:
    """What a move of these deliveries returns, and when each that it changed and told of is due now."""

    def fill(tx: Tx) -> None:
        for number, (destination, state, at, next_at) in enumerate(rows, start=1):
            outbox.open_delivery(tx, number, destination, b"1", [], "full", count=number)
            row = (state, at, next_at, number)
            tx.db.execute("UPDATE deliveries SET state = ?, at = ?, next_at = ? WHERE id = ?", row)

    await store.write(fill)
    told: list[Record] = []
    store.on_commit(told.extend)
    before = store.rev
    returned = await store.write(move)
    records = await store.read(
        lambda db: db.execute("SELECT id, at, next_at FROM deliveries WHERE rev > ?", (before,)).fetchall()
    )
    assert [record.id for record in told if isinstance(record, DeliveryRecord)] == [row[0] for row in records]
    return returned, {number: (at, next_at) for number, at, next_at in records}


MINE: tuple[Row, ...] = (
    ("mine", "retrying", 10, 1000),
    ("mine", "waiting", 10, 500),
    ("mine", "retrying", 11, 1000),
    ("mine", "delivered", 10, None),
    ("mine", "sending", 10, None),
    ("other", "retrying", 10, 1000),
)


async def test_a_clock_set_ahead_moves_what_is_retried_and_was_noted_before(store: Store) -> None:
    _, found = await moved(store, MINE, lambda tx: due.move(tx, "mine", 100, 10))
    assert found == {1: (110, 1100)}


async def test_a_clock_set_back_moves_what_waits_too(store: Store) -> None:
    _, found = await moved(store, MINE, lambda tx: due.move(tx, "mine", -100, None))
    assert found == {1: (-90, 900), 2: (-90, 400), 3: (-89, 900)}


async def test_another_speed_stretches_what_is_still_to_wait_everywhere(store: Store) -> None:
    rows: tuple[Row, ...] = (
        ("mine", "retrying", 1, 1995),
        ("other", "waiting", 1, 2000),
        ("mine", "retrying", 1, 1000),
        ("mine", "failed", 1, None),
    )
    _, found = await moved(store, rows, lambda tx: due.set_speed(tx, 1000, 2))
    assert found == {1: (1, 1497), 2: (1, 1500)}
    for at, speed, due_at in ((1000, 2.0, None), (1100, 1.0, 1900), (1100, 1.0, None), (1100, 0.5, 2700)):
        before = store.rev
        await store.write(lambda tx, at=at, speed=speed: due.set_speed(tx, at, speed))  # type: ignore[misc]  # a default argument binds the loop's name
        if due_at is None:
            assert store.rev == before, "it went so fast already"
            continue
        row = await store.read(
            lambda db: db.execute("SELECT next_at FROM deliveries WHERE id = 2").fetchone()
        )
        assert row == (due_at,)


async def test_hurrying_ends_the_waiting_of_one_destination(store: Store) -> None:
    count, found = await moved(store, MINE, lambda tx: due.hurry(tx, 500, "mine"))
    assert (count, found) == (2, {1: (10, 500), 3: (11, 500)})


async def test_what_failed_in_a_time_is_counted_and_made_due(store: Store) -> None:
    """Created at 1, 2, 3 and so on, with as many events."""
    rows: tuple[Row, ...] = (
        *[("mine", "failed", 10, None)] * 4,
        ("other", "failed", 10, None),
        ("mine", "cancelled", 10, None),
    )
    count, found = await moved(store, rows, lambda tx: due.redeliver(tx, 77, "mine", 2, 4))
    assert (count, found) == (2, {2: (77, 77), 3: (77, 77)})
    assert await store.read(lambda db: due.failed(db, "mine", 0, 4)) == (1, 1)
    assert await store.read(lambda db: due.failed(db, "mine", 4, 99)) == (1, 4)
    assert await store.read(lambda db: due.failed(db, "mine", 9, 99)) == (0, 0)
