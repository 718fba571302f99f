"""What is sent to one destination one after the other: begun ahead of its turn, noted behind it.

While one request is under way, the commit runs that ends those before it and begins those behind it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from statsig_tui.core.config import Destination
from statsig_tui.core.records import AttemptRecord, Ended, Job, Sending

MOST_AHEAD = 8
"""Attempts that are begun at once: what a crash leaves in doubt."""


class Begun(NamedTuple):
    """The attempts that are to be made, and the deliveries that were due first after them."""

    sendings: Sequence[Sending]
    following: Sequence[Job]


class Ledger(Protocol):
    """Where deliveries are kept; every call returns once it is durable."""

    async def next_job(self, destination: str) -> Job | None:
        """The delivery of a destination that is due first."""

    async def begin(self, sending: Sending, ahead: int = 0) -> Begun:
        """Note an attempt before it is made, unless it is not to be made any more; look so far ahead."""

    async def end(self, ended: Sequence[Ended], unmade: Sequence[Sending] = ()) -> None:
        """Note what came of attempts, and that others, though begun, are not made."""

    async def turn(self, ended: Sequence[Ended], sendings: Sequence[Sending], ahead: int) -> Begun:
        """Note what came of some attempts and begin others, at once; look so far ahead of them."""

    async def halve(self, job: Job, destination: Destination, attempt: AttemptRecord | None) -> int:
        """Replace a delivery by two of half its events, in its place, noting the answer that asked for it.

        Returns the bytes of the larger half.
        """

    async def move(self, destination: str, by: int, untouched_since: int | None) -> None:
        """Move next attempts by ms; where a time is given, of what has not changed since."""

    async def note_rate_limited(self, delivery: int) -> None:
        """Note that a delivery waits for the rate limit."""


class Line:
    """The attempts of one destination in their order; what it holds survives a worker that is cancelled."""

    def __init__(
        self, ledger: Ledger, may_follow: Callable[[Job], bool], sending_of: Callable[[Job], Sending]
    ) -> None:
        self._ledger = ledger
        self._may_follow = may_follow
        self._sending_of = sending_of
        self._following: deque[Job] = deque()
        """Due behind what was begun, as far as it was looked ahead."""
        self._begun: deque[Sending] = deque()
        self._ended: list[Ended] = []
        self._noting: asyncio.Task[Begun] | None = None
        self._noted: Sequence[Ended] = ()
        self._asked: Sequence[Sending] = ()
        """What the commit under way ends and begins."""

    @property
    def ahead(self) -> Job | None:
        """The delivery that was begun to go next, or is being so; None: nothing was."""
        for sending in (*self._begun, *self._asked):
            return sending.job
        return None

    async def open(self, sending: Sending, window: int) -> bool:
        """Begin an attempt behind which others may follow; whether it is to be made."""
        begun = await self._ledger.begin(sending, window)
        self._take(begun)
        return bool(begun.sendings)

    def add(self, ended: Ended) -> None:
        """Take what came of an attempt, to be noted by the next commit."""
        self._ended.append(ended)

    async def next(self, window: int) -> Sending | None:
        """The attempt to make now, its beginning on the disk; None: none may follow.

        So many are begun, at most, that are not made yet. Raises StatsigTuiError where it cannot be noted.
        """
        while True:
            if self._noting is not None and (self._noting.done() or not self._begun):
                await self._wait()
            if self._noting is None:
                self._note(window)
            if self._begun:
                return self._begun.popleft()
            if self._noting is None:
                return None

    async def settle(self) -> None:
        """Note what has ended, and that what was begun ahead is not made; forget what would follow."""
        self._following.clear()
        if self._noting is not None:
            await self._wait()
            self._following.clear()
        if self._ended or self._begun:
            await self._ledger.end(tuple(self._ended), tuple(self._begun))
            self._ended.clear()
            self._begun.clear()

    def _note(self, window: int) -> None:
        sendings: list[Sending] = []
        while (
            self._following
            and len(self._begun) + len(sendings) < window
            and self._may_follow(self._following[0])
        ):
            sendings.append(self._sending_of(self._following.popleft()))
        if not sendings and not (self._ended and self._begun):
            return
        self._noted, self._ended, self._asked = self._ended, [], sendings
        ahead = 0 if self._following else window
        self._noting = asyncio.create_task(self._ledger.turn(self._noted, sendings, ahead))

    async def _wait(self) -> None:
        noting = self._noting
        assert noting is not None
        # Waited for from outside: whoever is cancelled here does not cancel the commit's result.
        await asyncio.wait((noting,))
        self._noting = None
        try:
            begun = noting.result()
        except BaseException:
            self._ended[:0] = self._noted
            raise
        finally:
            self._noted, self._asked = (), ()
        self._take(begun)

    def _take(self, begun: Begun) -> None:
        self._begun += begun.sendings
        self._following += begun.following
