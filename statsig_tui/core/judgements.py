"""What filters said to the events of a name, and what a draft of one would have said. Frozen facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Judged:
    """What a destination's filter said to the events of a name."""

    name: str
    destination: str
    events: int
    forwarded: int
    clause: str
    """What decided on the newest one."""


@dataclass(frozen=True, slots=True)
class Tried:
    """How many events of a name a filter was tried on, and what became of them."""

    events: int
    passing: int
    passed_before: int
    """By the saved filter."""
    gained: int
    lost: int


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a draft of a filter would have let pass, by the event's name."""

    names: Mapping[str, Tried]

    @property
    def total(self) -> Tried:
        """All names together."""
        return self.together(self.names)

    def together(self, names: Iterable[str]) -> Tried:
        """Some of the names in one."""
        rows = [self.names[name] for name in names]
        return Tried(
            sum(row.events for row in rows),
            sum(row.passing for row in rows),
            sum(row.passed_before for row in rows),
            sum(row.gained for row in rows),
            sum(row.lost for row in rows),
        )
