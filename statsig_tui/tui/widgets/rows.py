"""What a RowList draws from, and which row is on which of its lines; no widget, no screen."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from typing import Protocol

from rich.text import Text
from textual.content import Content


class Rows(Protocol):
    """A window on something that may hold a million rows, the newest last; their keys ascend."""

    def __len__(self) -> int: ...

    def key(self, index: int) -> int:
        """The stable id of a row; larger than that of the row before."""

    def revision(self, index: int) -> int:
        """A number that changes when the row's drawing does."""

    def line(self, index: int, width: int) -> Text | Content:
        """The row's one line of gated text."""

    def children(self, index: int) -> int:
        """How many lines are below the row when it is unfolded."""

    def child(self, index: int, n: int, width: int) -> Text | Content:
        """The n-th line below the row, of gated text."""


class Unfolded:
    """Which row is on which line, given the unfolded rows; O(log n) in their number."""

    def __init__(self, rows: Iterable[tuple[int, int]] = ()) -> None:
        """Rows as (index, lines below it), by ascending index."""
        counted = list(rows)
        self.rows = [row for row, _ in counted]
        self._sums = [0, *accumulate(children for _, children in counted)]
        self._lines = [row + before for row, before in zip(self.rows, self._sums, strict=False)]

    @property
    def children(self) -> int:
        """All lines below rows."""
        return self._sums[-1]

    def __contains__(self, row: int) -> bool:
        at = bisect_left(self.rows, row)
        return at < len(self.rows) and self.rows[at] == row

    def line(self, row: int, child: int | None = None) -> int:
        """The line of a row, or of a line below it."""
        return row + self._sums[bisect_left(self.rows, row)] + (0 if child is None else child + 1)

    def at(self, line: int) -> tuple[int, int | None]:
        """The row on a line, and which of the lines below it that is."""
        after = bisect_left(self._lines, line)
        if after:
            child = line - self._lines[after - 1] - 1
            if child < self._sums[after] - self._sums[after - 1]:
                return self.rows[after - 1], child
        return line - self._sums[after], None
