"""What is sent to one destination one after the other: begun ahead of its turn, noted behind it.

While one request is under way, the commit runs that ends those before it and begins those behind it. What
was begun and does not go is given back: it waits again as it did before.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from statsig_tui.core.config import Destination
from statsig_tui.core.records import AttemptRecord, Ended, Job, Sending

MOST_AHEAD = 8
"""Attempts that are begun and not made, at most: what a crash leaves in doubt beside what ended unnoted."""


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
        self._window = 0
        """Attempts that may be begun and not made; 0: none, and those that are, are given back."""
        self._noting: asyncio.Task[Begun] | None = None
        self._noted: Sequence[Ended] = ()
        self._asked: Sequence[Sending] = ()
        self._returned: Sequence[Sending] = ()
        """What the commit under way ends, begins and gives back."""

    @property
    def ahead(self) -> Job | None:
        """The delivery that was begun to go next, or is being so; None: nothing was."""
        for sending in (*self._begun, *self._asked):
            return sending.job
        return None

    async def open(self, sending: Sending, window: int) -> None:
        """Begin an attempt behind which others may follow."""
        self._take(await self._ledger.begin(sending, window))

    def refuse(self, sending: Sending) -> None:
        """Take back the attempt to make now: it is not to be made as it was begun."""
        self._begun.appendleft(sending)

    def add(self, ended: Ended) -> None:
        """Take what came of an attempt, to be noted by the next commit."""
        self._ended.append(ended)

    async def next(self, window: int) -> Sending | None:
        """The attempt to make now, its beginning on the disk; None: none may follow.

        So many are begun, at most, that are not made yet. Raises StatsigTuiError where it cannot be noted.
        """
        self._window = window
        while True:
            self._collect()
            if self._noting is None and (self._begun or self._may_go_on()):
                self._note()
            if self._begun:
                return self._begun.popleft()
            if self._noting is None:
                return None
            await asyncio.wait((self._noting,))

    def give_back(self) -> None:
        """Have what was begun ahead wait again at once, whatever becomes of the request under way."""
        self._window = 0
        self._following.clear()
        if self._noting is None:
            self._note()

    async def settle(self) -> None:
        """Note what has ended, and that what was begun ahead is not made; forget what would follow.

        Raises StatsigTuiError where it cannot be noted.
        """
        self._window = 0
        while True:
            self._collect()
            self._following.clear()
            if self._noting is None:
                self._note()
            if self._noting is None:
                return
            await asyncio.wait((self._noting,))

    def _may_go_on(self) -> bool:
        has_room = len(self._begun) < self._window
        return has_room and bool(self._following) and self._may_follow(self._following[0])

    def _note(self) -> None:
        """Commit what there is to end and, as the line goes on or not, to begin or to give back."""
        sendings: list[Sending] = []
        while len(sendings) < self._window - len(self._begun) and self._may_go_on():
            sendings.append(self._sending_of(self._following.popleft()))
        returned = [] if self._window else list(self._begun)
        if not (sendings or returned or self._ended):
            return
        self._noted, self._ended = self._ended, []
        self._asked, self._returned = sendings, returned
        if self._window:
            ahead = 0 if self._following else self._window
            commit = self._ledger.turn(self._noted, sendings, ahead)
        else:
            self._begun.clear()
            commit = self._ending(self._noted, returned)
        self._noting = asyncio.create_task(commit)
        self._noting.add_done_callback(self._go_on)

    async def _ending(self, ended: Sequence[Ended], returned: Sequence[Sending]) -> Begun:
        await self._ledger.end(ended, returned)
        return Begun((), ())

    def _go_on(self, noting: asyncio.Task[Begun]) -> None:
        """Note at once what ended during a commit: the request under way may take its time."""
        if noting is self._noting and not noting.cancelled() and not noting.exception():
            self._collect()
            if self._ended or not self._window:
                self._note()

    def _collect(self) -> None:
        """Take what a commit has come to. Raises what it failed of."""
        noting = self._noting
        if noting is None or not noting.done():
            return
        noted, returned = self._noted, self._returned
        self._noted, self._asked, self._returned, self._noting = (), (), (), None
        try:
            begun = noting.result()
        except BaseException:
            self._ended[:0] = noted
            self._begun.extendleft(reversed(returned))
            raise
        self._take(begun)

    def _take(self, begun: Begun) -> None:
        self._begun += begun.sendings
        self._following += begun.following
