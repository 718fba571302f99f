"""The matrix: the names of events seen last against the destinations, with what each filter said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from statsig_tui.core.records import Judged
from statsig_tui.tui import theme
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.text import column, content
from statsig_tui.tui.widgets.table import Table

_CELL = 16
"""Cells of a destination's column."""
_NAME = 24
"""Cells of a name at the least."""
_NOTHING = "No event was judged yet. Send one from Compose, or post one to the emulator."


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


class MatrixScreen(Dialog[None]):
    """Everything the filters said, as it was when it was opened."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,v", "dismiss", "Close")]

    def __init__(self, destinations: Sequence[str], judged: Sequence[Judged]) -> None:
        super().__init__()
        self._rows = MatrixRows(destinations, judged)

    def compose(self) -> ComposeResult:
        """The table."""
        with Vertical(classes="dialog", id="matrix") as box:
            names, count = len(self._rows), len(self._rows.destinations)
            box.border_title = Content(
                f"Verdicts  {names} name{'s' * (names != 1)} · {count} destination{'s' * (count != 1)}"
            )
            box.border_subtitle = "→ why · esc closes"
            yield Table(
                self._rows,
                header=self._rows.header,
                empty=content(_NOTHING, theme.QUIET),
                id="matrix-table",
            )

    def on_mount(self) -> None:
        """From the top."""
        table = self.query_one(Table)
        table.refresh_rows(keep_cursor=False)
        table.focus()


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
