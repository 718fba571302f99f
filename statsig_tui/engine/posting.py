"""Incoming events that are posted from here, by hand or marked as ours, and what is kept of each request.

Marked ones carry a pass that nobody else knows: it tells the forwarder whom they are for.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence

from statsig_tui.core.config import RECEIVER, Target
from statsig_tui.core.filters import Clause
from statsig_tui.core.probe import NAME as PROBE
from statsig_tui.core.records import SentDetail, SentRecord
from statsig_tui.core.redact import Redactor
from statsig_tui.core.request import Shape
from statsig_tui.engine import probe
from statsig_tui.engine.clock import Clock
from statsig_tui.engine.emulator import PASS_HEADER
from statsig_tui.engine.forwarder import Only
from statsig_tui.engine.sent import keeping_examples, kept
from statsig_tui.engine.series import Series
from statsig_tui.engine.target import request_for, send_once


class Posting:
    """Posts once, never by itself again; `keep` stores what became of it. Raises StoreBroken."""

    def __init__(
        self,
        clock: Clock,
        redact: Callable[[], Redactor],
        keep: Callable[[SentDetail], Awaitable[SentRecord]],
    ) -> None:
        self._clock = clock
        self._redact = redact
        self._keep = keep
        self.demo_pass = secrets.token_hex(16)
        """To be masked like a secret: it is posted as long as the engine runs."""
        self._passes = {self.demo_pass: Only((RECEIVER,), Clause.DEMO)}

    def meant_for(self, given: str) -> Only | None:
        """Whom events are for that came with this pass; None: for everybody."""
        return self._passes.get(given)

    async def send(
        self,
        target: Target,
        body: bytes,
        *,
        event_name: str = "",
        headers: Sequence[tuple[str, str]] = (),
        seconds: float = 15.0,
        shape: Shape | None = None,
    ) -> SentRecord:
        """Post one body to a target, exactly these bytes, once."""
        at = self._clock.now()
        request = request_for(target, body, headers=headers, shape=shape)
        outcome = await send_once(request, seconds)
        return await self._keep(kept(target, request, outcome, self._redact(), at=at, event_name=event_name))

    async def send_series(self, series: Series) -> None:
        """Post a series until it is done or stopped; history keeps an example of each outcome."""
        await series.run(keeping_examples(series, self._redact, self._clock.now, self._keep))

    async def send_demo(self, target: Target) -> SentRecord:
        """A marked event for `receiver` alone, past its filter."""
        body = (
            b'{"user":{"userID":"demo-user","email":"demo@example.com","statsigEnvironment":{"tier":"development"}},'
            b'"event":"DEMO_checkout_completed","value":49.90,'
            b'"metadata":{"demo":"sent by statsig-tui on its first run","currency":"EUR","items":3},'
            b'"timestamp":' + str(self._clock.now()).encode() + b"}"
        )
        demo = [(PASS_HEADER.decode(), self.demo_pass)]
        return await self.send(target, body, event_name="DEMO_checkout_completed", headers=demo)

    async def probe(self, target: Target, destination: str) -> SentRecord:
        """A marked event for one destination alone, whose filter is asked."""
        given = secrets.token_hex(16)
        self._passes[given] = Only((destination,))
        sent = await self.send(
            target,
            probe.body(self._clock.now()),
            event_name=PROBE,
            headers=[(PASS_HEADER.decode(), given)],
        )
        if sent.status is not None:
            # Else it may still be taken, and without its pass it would be for everybody.
            del self._passes[given]
        return sent
