"""Names of events against destinations, with what each filter said to them: rows for a list. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from statsig_tui.core.judgements import Judged
from statsig_tui.tui import theme
from statsig_tui.tui.text import column, content, fit

_CELL = 16
"""Cells of a destination's column."""
_NAME = 24
"""Cells of a name at the least."""
_LEAST = 9
"""Cells of a destination's name beside its reason, at the least."""


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
        self._shown = list(range(len(self._names)))
        """The places of the names that are shown."""

    def __len__(self) -> int:
        return len(self._shown)

    @property
    def total(self) -> int:
        """Names, shown or not."""
        return len(self._names)

    def search(self, text: str) -> None:
        """Show only names that hold a text, in either case."""
        wanted = text.strip().casefold()
        self._shown = [place for place, name in enumerate(self._names) if wanted in name.casefold()]

    def place(self, index: int, at: int, width: int) -> int | None:
        """The line below a row that says what stands at a cell of it; None where no verdict does."""
        columns, room = self._columns(width)
        column_at = (at - room) // _CELL
        row = self._row(index)
        if not 0 <= column_at < len(columns) or columns[column_at] not in row:
            return None
        return [name for name in self.destinations if name in row].index(columns[column_at])

    def key(self, index: int) -> int:
        """The name's place among all: the matrix does not change while it is shown."""
        return self._shown[index]

    def revision(self, index: int) -> int:
        """It never changes."""
        return 0

    def line(self, index: int, width: int) -> Content:
        """`checkout_completed   ✓ 312   – 8`."""
        columns, room = self._columns(width)
        row = self._row(index)
        return Content.assemble(
            column(self._names[self._shown[index]], room),
            *(_cell(row.get(destination)) for destination in columns),
        )

    def children(self, index: int) -> int:
        """A line a destination."""
        return len(self._row(index))

    def child(self, index: int, n: int, width: int) -> Content:
        """`my-api   – 8 of 8 filtered   new event not included`."""
        row = self._row(index)
        item = [row[name] for name in self.destinations if name in row][n]
        filtered = item.events - item.forwarded
        what = (
            f"{item.forwarded:,} forwarded" if not filtered else f"{filtered:,} of {item.events:,} filtered"
        )
        why = f"   newest: {item.clause}"
        # The name gives way to the reason, which is what was asked for.
        room = min(_NAME, max(_LEAST, width - len(what) - len(why) - 2))
        return Content.assemble(
            _mark(item), (column(item.destination, room), theme.STRONG), what,
            content(fit(why, max(1, width - room - len(what) - 2)), theme.QUIET),
        )  # fmt: skip

    def header(self, width: int) -> Content:
        """The destinations' names."""
        columns, room = self._columns(width)
        hidden = len(self.destinations) - len(columns)
        names = "".join(column(name, _CELL) for name in columns)
        title = f"Event   ({hidden} more below it: →)" if hidden else "Event"
        return Content.styled(f"{title:<{room}}{names}", theme.QUIET)

    def _row(self, index: int) -> dict[str, Judged]:
        return self._rows[self._names[self._shown[index]]]

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
