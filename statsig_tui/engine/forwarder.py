"""Per destination: queue -> verdict -> batch -> deliver. The store is the queue; memory holds its head."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from statsig_tui.core.batch import Batcher, Closed
from statsig_tui.core.config import BatchPolicy, Destination
from statsig_tui.core.envelope import frame_size, most_size
from statsig_tui.core.event import Event
from statsig_tui.core.filters import Clause, Verdict, decide
from statsig_tui.engine.clock import Clock, Pace
from statsig_tui.engine.tasks import running_task
from statsig_tui.errors import StatsigTuiError

Queued = tuple[int, bytes]
"""An event's id and bytes."""
Answers = Sequence[Sequence[tuple[str, Verdict]]]
_HEAD = 1000
"""Events of one destination held in memory; the rest waits in the store."""
_STORE_PAUSE = 1.0
"""Seconds until a batch that the store refused is offered to it again."""


@dataclass(frozen=True, slots=True)
class Only:
    """The destinations that events are for."""

    destinations: tuple[str, ...]
    clause: Clause | None = None
    """Why they go there whatever its filter says; None: its filter is asked."""


class Forwarder:
    """Takes accepted events; knows neither where they come from nor how a batch is delivered."""

    def __init__(
        self,
        *,
        clock: Clock,
        keep: Callable[[str, Sequence[Event], Answers], Awaitable[list[int]]],
        backlog: Callable[[str, int, int], Awaitable[list[Queued]]],
        deliver: Callable[[Destination, Closed[Queued]], Awaitable[None]],
        is_disabled: Callable[[str], bool],
        most_bytes: Callable[[str], int | None],
        pace: Pace,
    ) -> None:
        """`most_bytes` is the largest body that a destination takes; None: any."""
        self._clock = clock
        self._keep = keep
        self._backlog = backlog
        self._deliver = deliver
        self._is_disabled = is_disabled
        self._most_bytes = most_bytes
        self._pace = pace
        self._lanes: dict[str, _Lane] = {}

    async def accept(self, trace: str, events: Sequence[Event], *, only: Only | None = None) -> None:
        """Keep events with every destination's verdict, then queue them; returns once they are durable.

        Raises StoreBroken.
        """
        answers = [self._judge(event, only) for event in events]
        ids = await self._keep(trace, events, answers)
        for number, event, given in zip(ids, events, answers, strict=True):
            for name, verdict in given:
                lane = self._lanes.get(name)
                if verdict.forwarded and lane is not None:
                    lane.offer(number, event.raw)

    def apply(self, destinations: Sequence[Destination]) -> None:
        """Serve these destinations from now on; queued events of those that stay are kept."""
        wanted = {destination.name: destination for destination in destinations}
        for name in [name for name in self._lanes if name not in wanted]:
            self._lanes.pop(name).stop()
        for name, destination in wanted.items():
            lane = self._lanes.get(name)
            if lane is None:
                self._lanes[name] = _Lane(
                    destination, self._clock, self._pace, self._backlog, self._deliver, self._most_bytes
                )
            else:
                lane.apply(destination)

    def repace(self) -> None:
        """Let open batches close by the pace as it is now."""
        for lane in self._lanes.values():
            lane.apply(lane.destination)

    def flush(self, destination: str) -> bool:
        """Close a destination's open batch as soon as may be; False where there is none."""
        lane = self._lanes.get(destination)
        return lane is not None and lane.hurry()

    async def close(self) -> None:
        """Close every open batch and hand it over, then stop."""
        lanes, self._lanes = list(self._lanes.values()), {}
        await asyncio.gather(*(lane.flush() for lane in lanes))

    def _judge(self, event: Event, only: Only | None) -> list[tuple[str, Verdict]]:
        if only is not None and only.clause is not None:
            return [(name, Verdict(True, only.clause)) for name in only.destinations]
        disabled = Verdict(False, Clause.DISABLED)
        return [
            (
                name,
                decide(lane.destination.filter, event)
                if lane.destination.enabled and not self._is_disabled(name)
                else disabled,
            )
            for name, lane in self._lanes.items()
            if only is None or name in only.destinations
        ]


class _Lane:
    """One destination's way from queue to batch."""

    def __init__(
        self,
        destination: Destination,
        clock: Clock,
        pace: Pace,
        backlog: Callable[[str, int, int], Awaitable[list[Queued]]],
        deliver: Callable[[Destination, Closed[Queued]], Awaitable[None]],
        most_bytes: Callable[[str], int | None],
    ) -> None:
        self.destination = destination
        self._clock = clock
        self._pace = pace
        self._backlog = backlog
        self._deliver = deliver
        self._most_bytes = most_bytes
        self._batcher: Batcher[Queued] = Batcher(self._policy(), frame_size(destination.envelope))
        self._head: deque[Queued] = deque()
        self._taken = 0
        """The last event that went into a batch: nothing up to it is taken again."""
        self._behind = True
        """The store holds more than the head does: what a former run left, or an overflow."""
        self._is_hurried = False
        """What is there goes, however little it is and however short it has waited."""
        self._wake = asyncio.Event()
        self._task = running_task(self._run(), f"forwarder {destination.name}")

    def offer(self, number: int, raw: bytes) -> None:
        if len(self._head) >= _HEAD:
            self._behind = True
        if not self._behind:
            self._head.append((number, raw))
        self._wake.set()

    def apply(self, destination: Destination) -> None:
        self.destination = destination
        self._batcher.policy = self._policy()
        self._batcher.frame = frame_size(destination.envelope)
        self._wake.set()

    def hurry(self) -> bool:
        self._is_hurried = bool(self._head or len(self._batcher))
        self._wake.set()
        return self._is_hurried

    def stop(self) -> None:
        self._task.cancel()

    async def flush(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        closed = self._batcher.flush("stop")
        if closed is not None:
            # Where the store refuses it, the next start finds its events waiting there.
            with contextlib.suppress(StatsigTuiError):
                await self._deliver(self.destination, closed)

    def _policy(self) -> BatchPolicy:
        chosen = self.destination.batch
        return replace(chosen, max_seconds=self._pace.real(chosen.max_seconds))

    async def _run(self) -> None:
        while True:
            if self._behind and not self._head:
                await self._refill()
            while self._head:
                item = self._head.popleft()
                if item[0] > self._taken:
                    self._taken = item[0]
                    for closed in self._add(item):
                        await self._ship(closed)
            if self._is_hurried:
                self._is_hurried = False
                await self._ship(self._batcher.flush())
            await self._ship(self._batcher.due(self._clock.monotonic()))
            if not self._behind and not self._head:
                await self._clock.wait(self._wake, self._batcher.deadline)
            self._wake.clear()

    async def _refill(self) -> None:
        # Offers made while the store is read go into the head again; what both hold is taken once.
        self._behind = False
        found = await self._guarded(lambda: self._backlog(self.destination.name, self._taken, _HEAD))
        if len(found) == _HEAD:
            self._behind = True
            self._head.clear()
        self._head.extendleft(reversed(found))

    def _add(self, item: Queued) -> list[Closed[Queued]]:
        size = most_size(item[1], self.destination.timestamps)
        most = self._most_bytes(self.destination.name)
        return self._batcher.add(item, self._clock.monotonic(), size, most)

    async def _ship(self, closed: Closed[Queued] | None) -> None:
        if closed is not None:
            await self._guarded(lambda: self._deliver(self.destination, closed))

    async def _guarded(self, step: Callable[[], Awaitable[list[Queued] | None]]) -> list[Queued]:
        """Repeat a step until the store takes it: what was accepted is never given up."""
        while True:
            try:
                return await step() or []
            except StatsigTuiError:
                pause = asyncio.Event()
                await self._clock.wait(pause, self._clock.monotonic() + _STORE_PAUSE)
