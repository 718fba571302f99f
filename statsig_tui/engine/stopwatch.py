"""In which phase a request is, and how long the former ones took, by the monotonic clock."""

from __future__ import annotations

from time import monotonic

from statsig_tui.core.phases import Phase, Phases


class Stopwatch:
    """Of one request; at rest until the first phase begins."""

    __slots__ = ("_former", "_since", "_took", "phase")

    def __init__(self) -> None:
        self.phase: Phase | None = None
        self._former: Phase | None = None
        self._since = 0.0
        self._took: dict[Phase, float] = {}

    def begin(self, phase: Phase) -> None:
        """End the phase that is running and begin this one."""
        self._end()
        self._former, self.phase = self.phase, phase

    def go_back(self) -> None:
        """Take it that the former phase still runs: what seemed to end it was a part of it."""
        self.phase = self._former

    def phases(self) -> Phases:
        """The phases up to now."""
        self._end()
        return Phases(**self._took)

    def _end(self) -> None:
        now = monotonic()
        if self.phase is not None:
            self._took[self.phase] = self._took.get(self.phase, 0.0) + (now - self._since) * 1000
        self._since = now
