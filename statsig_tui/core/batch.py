"""The Batcher: collects items until enough are there or the first has waited long enough. No clock inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from statsig_tui.core.config import BatchPolicy

Item = TypeVar("Item")
ClosedBy = Literal["full", "timer", "flush", "stop"]


@dataclass(frozen=True, slots=True)
class Closed(Generic[Item]):
    """A batch that is complete, and what closed it."""

    items: tuple[Item, ...]
    by: ClosedBy


class Batcher(Generic[Item]):
    """Times are seconds of any one clock; items leave in the order they came, each once."""

    def __init__(self, policy: BatchPolicy) -> None:
        self.policy = policy
        self._items: list[Item] = []
        self._since = 0.0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def deadline(self) -> float | None:
        """When the open batch closes by itself; None while it is empty."""
        return self._since + self.policy.max_seconds if self._items else None

    def add(self, item: Item, now: float) -> Closed[Item] | None:
        """Take one item; the batch it completed, if it did."""
        if not self._items:
            self._since = now
        self._items.append(item)
        return self._close("full") if len(self._items) >= self.policy.max_events else None

    def due(self, now: float) -> Closed[Item] | None:
        """The batch whose time has come, if it has."""
        deadline = self.deadline
        return self._close("timer") if deadline is not None and now >= deadline else None

    def flush(self, by: ClosedBy = "flush") -> Closed[Item] | None:
        """Whatever is there, now; None when empty."""
        return self._close(by) if self._items else None

    def _close(self, by: ClosedBy) -> Closed[Item]:
        items, self._items = tuple(self._items), []
        return Closed(items, by)
