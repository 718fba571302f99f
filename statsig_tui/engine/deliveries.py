"""One delivery worker and one HTTP client for each destination, and which of them are disabled or paused."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import NamedTuple

from statsig_tui.core.config import ClientCert, Destination
from statsig_tui.core.records import Headers
from statsig_tui.engine.attempt import Post
from statsig_tui.engine.clock import Clock, Pace
from statsig_tui.engine.connecting import has_proxies, is_local
from statsig_tui.engine.delivery import Delivery
from statsig_tui.engine.line import Ledger
from statsig_tui.engine.outcome import Outcome
from statsig_tui.engine.sender import Sender
from statsig_tui.engine.wire import Place, Wire, place_of


class Way(NamedTuple):
    """What of a destination its connections depend on."""

    verify_tls: bool = True
    allow_link_local: bool = False
    client_cert: ClientCert | None = None


class Client:
    """One destination's connections: our own, or httpx's where the environment's proxies may have a say."""

    def __init__(self, way: Way) -> None:
        self.way = way
        self._wire = Wire(
            verify_tls=way.verify_tls, allow_link_local=way.allow_link_local, client_cert=way.client_cert
        )
        self._sender = Sender(
            verify_tls=way.verify_tls, allow_link_local=way.allow_link_local, client_cert=way.client_cert
        )
        self._url = ""
        self._place: Place | None = None
        self._in_use = 0
        self._is_retired = False

    async def send(self, url: str, headers: Headers, body: bytes, seconds: float) -> Outcome:
        """Post exactly these bytes and wait at most `seconds` for all of it; never raises on failure."""
        self._in_use += 1
        try:
            return await self._send(url, headers, body, seconds)
        finally:
            self._in_use -= 1
            if self._is_retired:
                await self.retire()

    async def retire(self) -> None:
        """Close every connection once what is under way has ended."""
        self._is_retired = True
        if not self._in_use:
            await self.close()

    async def _send(self, url: str, headers: Headers, body: bytes, seconds: float) -> Outcome:
        if url != self._url:
            self._url = url
            self._place = place_of(url) if is_local(url) or not has_proxies() else None
        if self._place is None:
            return await self._sender.send("POST", url, headers, body, seconds)
        return await self._wire.send(self._place, headers, body, seconds)

    async def close(self) -> None:
        """Close every connection."""
        self._wire.close()
        await self._sender.close()


@contextlib.asynccontextmanager
async def client_of_its_own() -> AsyncIterator[Post]:
    """Connections for a few requests that are no destination's; closed at the end."""
    client = Client(Way())
    try:
        yield client.send
    finally:
        await client.close()


class Deliveries:
    """Workers by destination; `keep_disabled` hears of a 410, `keep_paused` of a circuit opening or closing.

    Both return once that is durable.
    """

    def __init__(
        self,
        clock: Clock,
        pace: Pace,
        ledger: Ledger,
        keep_disabled: Callable[[str, str], Awaitable[None]],
        keep_paused: Callable[[str, str | None], Awaitable[None]],
    ) -> None:
        self._clock = clock
        self._pace = pace
        self._ledger = ledger
        self._keep_disabled = keep_disabled
        self._keep_paused = keep_paused
        self._workers: dict[str, Delivery] = {}
        self._clients: dict[str, Client] = {}
        self.disabled: dict[str, str] = {}
        """Destinations that take nothing though they are enabled, and why."""
        self.paused: dict[str, str] = {}
        """Destinations that are sent nothing but probes, and why."""

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

    def cut_off(self, deliveries: Sequence[int]) -> None:
        """End the requests of deliveries that were given up."""
        for worker in self._workers.values():
            worker.cut_off(deliveries)

    def resume(self, destination: str) -> None:
        """Send a destination everything again, disabled or paused."""
        self.forget(destination)
        worker = self._workers.get(destination)
        if worker is not None:
            worker.resume()

    def forget(self, destination: str) -> None:
        """Know no more why a destination was sent nothing."""
        self.disabled.pop(destination, None)
        self.paused.pop(destination, None)

    def rename(self, was: str, becomes: str) -> None:
        """Know by another name why a destination is sent nothing; its worker has ended."""
        for known in (self.disabled, self.paused):
            if was in known:
                known[becomes] = known.pop(was)

    def ailing(self, destinations: Sequence[str]) -> dict[str, str]:
        """Those of them that are sent nothing: `disabled` by a 410, or `paused` after failures."""
        return {
            name: "disabled" if name in self.disabled else "paused"
            for name in destinations
            if name in self.disabled or name in self.paused
        }

    def next_probe(self, destination: str) -> int | None:
        """When a paused destination is tried again (epoch ms); None: it is not paused."""
        worker = self._workers.get(destination)
        return worker.next_probe() if worker is not None else None

    def stretch(self, by: float, destination: str | None = None) -> None:
        """Wait `by` times as long for probes and what endpoints asked for, all or one; 0: no longer."""
        for name, worker in self._workers.items():
            if destination in (None, name):
                worker.stretch(by)

    async def drained(self) -> None:
        """Return when nothing is due at this moment."""
        await asyncio.gather(*(worker.drained() for worker in self._workers.values()))

    async def end(self, destination: str) -> None:
        """Stop a destination's worker and close its connections."""
        worker = self._workers.pop(destination, None)
        if worker is not None:
            await worker.stop()
        client = self._clients.pop(destination, None)
        if client is not None:
            await client.close()

    async def close(self) -> None:
        """Stop all of them."""
        for name in list(self._workers):
            await self.end(name)

    def _worker(self, destination: Destination) -> Delivery:
        name = destination.name

        async def post(url: str, headers: Headers, body: bytes, seconds: float) -> Outcome:
            now = self._workers[name].destination
            way = Way(now.verify_tls, now.allow_link_local, now.client_cert)
            client = self._clients.get(name)
            if client is None or client.way != way:
                former = client
                client = self._clients[name] = Client(way)
                if former is not None:
                    await former.retire()
            return await client.send(url, headers, body, seconds)

        return Delivery(
            destination,
            clock=self._clock,
            ledger=self._ledger,
            post=post,
            on_gone=self._gone,
            on_circuit=self._circuit,
            paused=self.paused.get(name),
            is_disabled=self.disabled.__contains__,
            pace=self._pace,
        )

    async def _gone(self, destination: str) -> None:
        reason = "the endpoint answered 410 Gone"
        self.disabled[destination] = reason
        await self._keep_disabled(destination, reason)

    async def _circuit(self, destination: str, reason: str | None) -> None:
        if reason is None:
            self.paused.pop(destination, None)
        else:
            self.paused[destination] = reason
        await self._keep_paused(destination, reason)
