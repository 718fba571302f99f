"""One delivery worker and one HTTP client for each destination, and which of them are disabled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from statsig_tui.core.config import Destination
from statsig_tui.core.records import Headers
from statsig_tui.engine.clock import Clock
from statsig_tui.engine.delivery import Delivery, Ledger
from statsig_tui.engine.sender import Outcome, Sender


class Deliveries:
    """Workers by destination; `keep_disabled` is told of a 410 and returns once that is durable."""

    def __init__(
        self, clock: Clock, ledger: Ledger, keep_disabled: Callable[[str, str], Awaitable[None]]
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._keep_disabled = keep_disabled
        self._workers: dict[str, Delivery] = {}
        self._senders: dict[str, Sender] = {}
        self.disabled: dict[str, str] = {}
        """Destinations that take nothing though they are enabled, and why."""

    def apply(self, destinations: Sequence[Destination]) -> None:
        """Serve these; those that are gone are ended by end()."""
        for destination in destinations:
            worker = self._workers.get(destination.name)
            if worker is None:
                self._workers[destination.name] = self._worker(destination)
            elif worker.destination != destination:
                worker.apply(destination)

    def most_bytes(self, destination: str) -> int | None:
        """The largest body that a destination's endpoint takes, as far as it has refused larger ones."""
        worker = self._workers.get(destination)
        return worker.most_bytes if worker is not None else None

    def wake(self, destination: str) -> None:
        """Something may be due for a destination."""
        worker = self._workers.get(destination)
        if worker is not None:
            worker.wake()

    def wake_all(self) -> None:
        """Something may be due for any of them."""
        for worker in self._workers.values():
            worker.wake()

    async def drained(self) -> None:
        """Return when nothing is due at this moment."""
        await asyncio.gather(*(worker.drained() for worker in self._workers.values()))

    async def end(self, destination: str) -> None:
        """Stop a destination's worker and close its connections."""
        worker = self._workers.pop(destination, None)
        if worker is not None:
            await worker.stop()
        sender = self._senders.pop(destination, None)
        if sender is not None:
            await sender.close()

    async def close(self) -> None:
        """Stop all of them."""
        for name in list(self._workers):
            await self.end(name)

    def _worker(self, destination: Destination) -> Delivery:
        name = destination.name

        async def post(url: str, headers: Headers, body: bytes, seconds: float) -> Outcome:
            verify = self._workers[name].destination.verify_tls
            sender = self._senders.get(name)
            if sender is None or sender.verify_tls != verify:
                if sender is not None:
                    await sender.close()
                sender = self._senders[name] = Sender(verify_tls=verify)
            return await sender.send("POST", url, headers, body, seconds)

        return Delivery(
            destination,
            clock=self._clock,
            ledger=self._ledger,
            post=post,
            on_gone=self._gone,
            is_disabled=self.disabled.__contains__,
        )

    async def _gone(self, destination: str) -> None:
        reason = "the endpoint answered 410 Gone"
        self.disabled[destination] = reason
        await self._keep_disabled(destination, reason)
