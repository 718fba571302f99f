"""When events happened against when they came: lag, order, and how long it is usually quiet. Pure.

All times are epoch ms, all spans ms.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from statistics import median

LATE_MS = 120_000
"""A batch may well wait for a minute (statsig-wire.md §3.7); what is this late is worth a word."""
AHEAD_MS = 1000
"""Clocks differ; what is this far ahead of its arrival is worth a word."""
_UNITS = ((365 * 86_400_000, "years"), (86_400_000, "days"), (3_600_000, "h"), (60_000, "min"))
_KEPT = 60
"""Pauses between arrivals that are remembered."""
_TELLING = 5
"""Pauses it takes to say what is usual."""
_QUIET_MS = 30_000
_TIMES_USUAL = 6


def is_strange(lag: int) -> bool:
    """Whether an event came so late, or so early, that one should look."""
    return lag >= LATE_MS or lag <= -AHEAD_MS


def lag_words(lag: int) -> str:
    """Event time against arrival: `+18 ms`, `+2.4 s`, `40 min late`, `12 s from the future`."""
    if is_strange(lag):
        return f"{_amount(abs(lag))} {'late' if lag > 0 else 'from the future'}"
    if abs(lag) < 1000:
        return f"{'-' if lag < 0 else '+'}{abs(lag)} ms"
    return f"+{lag / 1000:.1f} s" if lag < 10_000 else f"+{lag // 1000} s"


def out_of_order(times: Sequence[int | None], before: int | None = None) -> tuple[bool, ...]:
    """For each event, in the order a sender sent them, whether the one sent before it happened later.

    `before` is the time of the last one that came earlier; what has no time is passed over.
    """
    found: list[bool] = []
    for at in times:
        found.append(at is not None and before is not None and at < before)
        before = at if at is not None else before
    return tuple(found)


class Rhythm:
    """How far apart arrivals usually are, to the second: what comes within one second is one arrival."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._pauses: deque[int] = deque(maxlen=_KEPT)

    def add(self, at: int) -> None:
        """Something arrived; in the order of arrival."""
        last = self._last if self._last is not None else at
        pause = at // 1000 - last // 1000
        if pause > 0:
            self._pauses.append(pause * 1000)
        self._last = max(at, last)

    @property
    def usual(self) -> int | None:
        """The usual pause in ms; None while too little came to say."""
        return int(median(self._pauses)) if len(self._pauses) >= _TELLING else None

    def quiet(self, now: int) -> tuple[int, int] | None:
        """For how long nothing came and how long a pause usually is, where that is much longer; else None."""
        usual = self.usual
        if usual is None or self._last is None:
            return None
        silence = now - self._last
        return (silence, usual) if silence >= max(_QUIET_MS, _TIMES_USUAL * usual) else None


def _amount(span: int) -> str:
    for size, unit in _UNITS:
        if span >= 2 * size:
            return f"{span // size:,} {unit}"
    return f"{span // 1000} s"
