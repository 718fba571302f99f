"""The Batcher: collects items until they are enough, or large, or the first has waited. No clock inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from statsig_tui.core.config import BatchPolicy

Item = TypeVar("Item")
ClosedBy = Literal["full", "bytes", "timer", "flush", "stop"]


@dataclass(frozen=True, slots=True)
class Closed(Generic[Item]):
    """A batch that is complete, and what closed it."""

    items: tuple[Item, ...]
    by: ClosedBy


class Batcher(Generic[Item]):
    """Times are seconds of any one clock; items leave in the order they came, each once."""

    def __init__(self, policy: BatchPolicy, frame: int) -> None:
        """`frame` are the bytes that a batch has beside its items'."""
        self.policy = policy
        self.frame = frame
        self._items: list[Item] = []
        self._since = 0.0
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def deadline(self) -> float | None:
        """When the open batch closes by itself; None while it is empty."""
        return self._since + self.policy.max_seconds if self._items else None

    def add(self, item: Item, now: float, size: int, most_bytes: int | None = None) -> list[Closed[Item]]:
        """Take one item of so many bytes; the batches this closes, in order.

        They are the open one, where it has no room for the item, and the one that the item completes.
        `most_bytes` is a limit beside the policy's; an item beyond both is a batch of its own.
        """
        closed: list[Closed[Item]] = []
        limit = min((most for most in (self.policy.max_bytes, most_bytes) if most is not None), default=None)
        if limit is not None and self._items and self._with(size) > limit:
            closed.append(self._close("bytes"))
        if not self._items:
            self._since = now
        self._bytes = self._with(size)
        self._items.append(item)
        if len(self._items) >= self.policy.max_events:
            closed.append(self._close("full"))
        elif limit is not None and self._bytes >= limit:
            closed.append(self._close("bytes"))
        return closed

    def due(self, now: float) -> Closed[Item] | None:
        """The batch whose time has come, if it has."""
        deadline = self.deadline
        return self._close("timer") if deadline is not None and now >= deadline else None

    def flush(self, by: ClosedBy = "flush") -> Closed[Item] | None:
        """Whatever is there, now; None when empty."""
        return self._close(by) if self._items else None

    def _with(self, size: int) -> int:
        return (self._bytes if self._items else self.frame) + size

    def _close(self, by: ClosedBy) -> Closed[Item]:
        items, self._items = tuple(self._items), []
        return Closed(items, by)
