"""What waits for destinations: hurried, sent again, given up, and kept when the settings change.

The store holds it; lanes and workers hold its head. Both are told here, in the order that loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from statsig_tui.core.batch import Batcher, Closed
from statsig_tui.core.config import Destination
from statsig_tui.core.envelope import encode, frame_size, most_size
from statsig_tui.engine import due, endpoints, outbox, replays
from statsig_tui.engine.clock import Clock, Pace
from statsig_tui.engine.deliveries import Deliveries
from statsig_tui.engine.forwarder import Forwarder, Queued
from statsig_tui.engine.store import Store, Tx
from statsig_tui.errors import StoreBroken


class Queues:
    """The queues of all destinations; whatever it is asked, it raises StoreBroken where that is not kept."""

    def __init__(
        self, store: Store, clock: Clock, pace: Pace, forwarder: Forwarder, deliveries: Deliveries
    ) -> None:
        self._store = store
        self._clock = clock
        self._pace = pace
        self._forwarder = forwarder
        self._deliveries = deliveries

    async def recover(self, destinations: Sequence[str], speed: float) -> int:
        """Take up what a former run left; how many deliveries it was sending when it ended."""
        at = self._clock.now()
        self._pace.speed = speed

        def recover(tx: Tx) -> int:
            replays.give_up_typed(tx, at, list(destinations))
            recovered = outbox.recover(tx, at)
            due.set_speed(tx, at, speed)
            return recovered

        recovered = await self._store.write(recover)
        self._deliveries.disabled.update(await self._store.read(endpoints.disabled))
        self._deliveries.paused.update(await self._store.read(endpoints.paused))
        return recovered

    # When the settings change

    async def follow(
        self,
        before: Sequence[Destination],
        after: Sequence[Destination],
        renamed: tuple[str, str] | None,
        serve: Callable[[], None],
    ) -> None:
        """Let what waits follow the destinations; `serve` has lanes and workers use those of `after`.

        `renamed` is a destination's old and new name. What waits for one that is gone is cancelled; one
        that comes back gets it back.
        """
        at = self._clock.now()
        old = {destination.name for destination in before}
        new = {destination.name for destination in after}
        if renamed is not None:
            was, becomes = renamed
            # The lane ends first: a batch it still holds open is read again under the new name.
            self._forwarder.apply([item for item in after if item.name not in renamed])
            await self._deliveries.end(was)
            await self._store.write(lambda tx: outbox.rename_destination(tx, at, was, becomes))
            self._deliveries.rename(was, becomes)
            old, new = old - {was}, new - {becomes}
        for name in old - new:
            await self._deliveries.end(name)
            self._deliveries.forget(name)
        serve()
        for destination in before:
            if destination.name in old - new:
                await self._drop(destination, at)
        for name in new - old:
            await self._store.write(lambda tx, name=name: outbox.restore_destination(tx, at, name))  # type: ignore[misc]  # a default argument binds the loop's name

    async def _drop(self, destination: Destination, at: int) -> None:
        name = destination.name

        def note(tx: Tx) -> None:
            # What no batch holds yet is put into batches, so that it can be cancelled, and brought back.
            while pending := outbox.backlog(tx.db, name, 0, destination.batch.max_events):
                closed = _first_batch(destination, pending)
                body = encode([raw for _, raw in closed.items], destination.envelope, destination.timestamps)
                outbox.open_delivery(tx, at, name, body, [number for number, _ in closed.items], closed.by)
            outbox.drop_destination(tx, at, name)

        await self._store.write(note)

    # By hand

    async def retry_now(self, delivery: int) -> bool:
        """Make a delivery due at once, whatever became of it; False where there is nothing to do."""
        at = self._clock.now()
        done = await self._store.write(lambda tx: outbox.reschedule(tx, at, delivery))
        self._deliveries.wake_all()
        return done

    async def cancel(self, delivery: int) -> bool:
        """Give up a delivery, and end its request that is under way; False where it is settled already."""
        at = self._clock.now()
        done = await self._store.write(lambda tx: outbox.cancel(tx, at, delivery))
        if done:
            self._deliveries.cut_off((delivery,))
        return done

    async def cancel_replay(self, run: int) -> None:
        """Give up what waits of a replay, and end its requests that are under way."""
        at = self._clock.now()
        self._deliveries.cut_off(await self._store.write(lambda tx: replays.cancel(tx, at, run)))

    async def hurry(self, destination: str) -> int:
        """End the waiting for the next attempts at a destination, and of its open batch.

        How many deliveries waited, that of the batch included.
        """
        at = self._clock.now()
        count = await self._store.write(lambda tx: due.hurry(tx, at, destination))
        self._deliveries.stretch(0, destination)
        return count + self._forwarder.flush(destination)

    async def redeliver(self, destination: str, since: int, until: int) -> int:
        """Make due at once what failed of the deliveries created from `since` to before `until` (ms)."""
        at = self._clock.now()
        count = await self._store.write(lambda tx: due.redeliver(tx, at, destination, since, until))
        self._deliveries.wake(destination)
        return count

    async def redeliver_these(self, destination: str, deliveries: Sequence[int]) -> int:
        """Make these deliveries due at once, whatever became of them but arriving."""
        at = self._clock.now()
        count = await self._store.write(lambda tx: due.redeliver_these(tx, at, deliveries))
        self._deliveries.wake(destination)
        return count

    async def resume(self, destination: str) -> None:
        """Let a destination that a 410 disabled, or failures paused, be sent everything again."""
        self._deliveries.resume(destination)
        await self._store.write(lambda tx: endpoints.resume(tx, destination))

    async def set_speed(self, speed: float) -> None:
        """Let waiting go so many times as fast; what waits is due by the new speed from this moment on."""
        before, self._pace.speed = self._pace.speed, speed
        at = self._clock.now()
        # In one turn of the loop: an attempt that ends from here on reckons with the new speed, and is
        # noted after this.
        self._deliveries.stretch(before / speed)
        try:
            await self._store.write(lambda tx: due.set_speed(tx, at, speed))
        except StoreBroken:
            self._pace.speed = before
            self._deliveries.stretch(speed / before)
            raise
        finally:
            self._forwarder.repace()
            self._deliveries.wake_all()


def _first_batch(destination: Destination, pending: Sequence[Queued]) -> Closed[Queued]:
    """As many of these events as a batch of the destination holds."""
    batcher: Batcher[Queued] = Batcher(destination.batch, frame_size(destination.envelope))
    for item in pending:
        if closed := batcher.add(item, 0, most_size(item[1], destination.timestamps)):
            return closed[0]
    return Closed(tuple(pending), "stop")
