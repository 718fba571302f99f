"""Requests that the listeners did not keep, in this run: how many by reason, and what the newest were."""

from __future__ import annotations

from collections.abc import Callable

from statsig_tui.core.records import RefusedRecord
from statsig_tui.engine.clock import Clock
from statsig_tui.engine.framing import Refusal

MOST = 100
"""Requests of which it is remembered why."""


class Refusals:
    """Counts refusals and remembers the newest; read from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.counts: dict[str, int] = {}
        """By reason."""
        self.newest: tuple[RefusedRecord, ...] = ()
        """Oldest first; another tuple each time, for whoever draws it is on another thread."""
        self.on_change: Callable[[], None] = lambda: None

    def add(self, listener: str, refusal: Refusal) -> None:
        """Note that a listener did not keep a request."""
        self.counts[refusal.code] = self.counts.get(refusal.code, 0) + 1
        record = RefusedRecord(
            self._clock.now(), listener, refusal.peer, refusal.status, refusal.code, refusal.message
        )
        self.newest = (*self.newest[1 - MOST :], record)
        self.on_change()
