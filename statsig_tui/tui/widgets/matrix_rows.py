"""Names of events against destinations, with what each filter said to them: rows for a list. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from statsig_tui.core.judgements import Judged
from statsig_tui.tui import theme
from statsig_tui.tui.text import column, content

_CELL = 16
"""Cells of a destination's column."""
_NAME = 24
"""Cells of a name at the least."""


class MatrixRows:
    """A row a name; below it, what each destination's filter said, and why."""

    def __init__(self, destinations: Sequence[str], judged: Sequence[Judged]) -> None:
        self.destinations = [*destinations]
        self._rows: dict[str, dict[str, Judged]] = {}
        for item in judged:
            self._rows.setdefault(item.name, {})[item.destination] = item
            if item.destination not in self.destinations:
                self.destinations.append(item.destination)
        self._names = list(self._rows)

    def __len__(self) -> int:
        return len(self._names)

    def key(self, index: int) -> int:
        """The row's place: the matrix does not change while it is shown."""
        return index

    def revision(self, index: int) -> int:
        """It never changes."""
        return 0

    def line(self, index: int, width: int) -> Content:
        """`checkout_completed   ✓ 312   – 8`."""
        columns, room = self._columns(width)
        row = self._rows[self._names[index]]
        return Content.assemble(
            column(self._names[index], room),
            *(_cell(row.get(destination)) for destination in columns),
        )

    def children(self, index: int) -> int:
        """A line a destination."""
        return len(self._rows[self._names[index]])

    def child(self, index: int, n: int, width: int) -> Content:
        """`my-api   – 8 of 8 filtered   new event not included`."""
        row = self._rows[self._names[index]]
        item = [row[name] for name in self.destinations if name in row][n]
        filtered = item.events - item.forwarded
        what = (
            f"{item.forwarded:,} forwarded" if not filtered else f"{filtered:,} of {item.events:,} filtered"
        )
        return Content.assemble(
            _mark(item), (column(item.destination, _NAME), theme.STRONG), what,
            content(f"   newest: {item.clause}", theme.QUIET),
        )  # fmt: skip

    def header(self, width: int) -> Content:
        """The destinations' names."""
        columns, room = self._columns(width)
        hidden = len(self.destinations) - len(columns)
        names = "".join(column(name, _CELL) for name in columns)
        title = f"Event   ({hidden} more below it: →)" if hidden else "Event"
        return Content.styled(f"{title:<{room}}{names}", theme.QUIET)

    def _columns(self, width: int) -> tuple[list[str], int]:
        shown = self.destinations[: max(0, (width - _NAME) // _CELL)]
        return shown, max(1, width - _CELL * len(shown))


def _cell(item: Judged | None) -> Content:
    if item is None:
        return Content.styled("·".ljust(_CELL), theme.QUIET)
    some = 0 < item.forwarded < item.events
    count = f"{item.forwarded:,} of {item.events:,}" if some else f"{item.events:,}"
    return Content.assemble(_mark(item), count.ljust(_CELL - 2))


def _mark(item: Judged) -> Content:
    if not item.forwarded:
        return Content.styled("– ", theme.WARN)
    return (
        Content.styled("✓ ", theme.GOOD)
        if item.forwarded == item.events
        else Content.styled("~ ", theme.WARN)
    )
