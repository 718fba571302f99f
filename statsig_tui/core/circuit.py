"""The circuit of a destination: open after failures in a row, with a probe now and then until one arrives.

Pure. Emulated; Statsig does not publish what it does about an endpoint that fails (statsig-wire.md §3.7).
"""

from __future__ import annotations

from statsig_tui.core.config import CircuitPolicy
from statsig_tui.core.retry import GONE, REFUSED, TOO_LARGE

_SPEAKS = REFUSED | {GONE, TOO_LARGE, 429}
"""What an endpoint that works says about what it is sent, or how often."""


class Circuit:
    """Counts the deliveries that failed since anything was answered; times are seconds of any one clock."""

    def __init__(self, policy: CircuitPolicy, reason: str | None = None) -> None:
        self.policy = policy
        self.reason = reason
        """Why nothing but probes is sent; None: everything is."""
        self.probe_at = 0.0
        """When the next attempt may be made, while it is open."""
        self._failing: set[int] = set()

    def note(self, delivery: int, status: int | None, error: str | None) -> None:
        """Take what came of an attempt; a delivery that fails several times counts once."""
        if is_well(status) or not self.policy.failures:
            self.close()
            return
        self._failing.add(delivery)
        count = len(self._failing)
        if self.reason is None and count >= self.policy.failures:
            deliveries = f"{count} deliver{'y' if count == 1 else 'ies'} failed in a row"
            self.reason = f"{deliveries}; the last one: {error or status}"

    def close(self) -> None:
        """Send everything again."""
        self.reason = None
        self._failing.clear()


def is_well(status: int | None) -> bool:
    """Whether an endpoint that gives this answer (None: none) works, even if it refused what it was sent."""
    return status is not None and (200 <= status <= 299 or status in _SPEAKS)
