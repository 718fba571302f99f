"""The matrix: the names of events seen last against the destinations, with what each filter said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from statsig_tui.core.judgements import Judged
from statsig_tui.tui import theme
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.text import content, fit
from statsig_tui.tui.widgets.fields import SearchInput
from statsig_tui.tui.widgets.line_view import GUTTER
from statsig_tui.tui.widgets.matrix_rows import MatrixRows
from statsig_tui.tui.widgets.table import Table

_NOTHING = "No event was judged yet. Send one from Compose, or post one to the emulator."


class MatrixTable(Table):
    """The table; a click on a cell shows why, as the keys do."""

    def __init__(self, rows: MatrixRows) -> None:
        super().__init__(rows, header=rows.header, empty=content(_NOTHING, theme.QUIET), id="matrix-table")
        self._matrix = rows

    def on_click(self, event: events.Click) -> None:
        """Go to what is said of the cell; elsewhere do what a list does."""
        line, at = self.line_at(event), event.get_content_offset(self)
        if line is None or at is None:
            return
        row, child = self.row_at(line)
        if child is not None:
            return
        below = self._matrix.place(row, at.x - GUTTER, self.line_width - GUTTER)
        if below is not None:
            # Or the list would have its own way with it too.
            event.prevent_default()
            self.go_to(self._matrix.key(row), below)


class MatrixScreen(Dialog[None]):
    """Everything the filters said, as it was when it was opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Close"),
        Binding("v", "dismiss", "Close", show=False),
        Binding("slash", "search", "Search"),
    ]
    DEFAULT_CSS = """
    MatrixScreen #matrix-search {
        padding: 0 1;
    }
    """

    def __init__(self, destinations: Sequence[str], judged: Sequence[Judged]) -> None:
        super().__init__()
        self._rows = MatrixRows(destinations, judged)
        self._table = MatrixTable(self._rows)

    def compose(self) -> ComposeResult:
        """The search and the table."""
        with Vertical(classes="dialog", id="matrix") as box:
            box.border_subtitle = "→ why · / search · esc closes"
            with Horizontal(id="matrix-search", classes="search-row"):
                yield Static("/", markup=False)
                yield SearchInput(placeholder="search names", compact=True)
            yield self._table

    def on_mount(self) -> None:
        """From the top."""
        self._show("")
        self._table.focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._show(event.value)

    @on(Input.Submitted)
    @on(SearchInput.Left)
    def _to_table(self) -> None:
        self._table.focus()

    def action_search(self) -> None:
        """Go to the search box."""
        self.query_one(SearchInput).focus()

    def action_back(self) -> None:
        """Show all names again; with all of them shown, close."""
        search = self.query_one(SearchInput)
        if search.value:
            search.value = ""
        else:
            self.dismiss()

    def _show(self, text: str) -> None:
        self._rows.search(text)
        shown, total, count = len(self._rows), self._rows.total, len(self._rows.destinations)
        of = f"{shown} of {total}" if shown < total else f"{total}"
        names = f"{of} name{'s' * (total != 1)}"
        title = Content(f"Verdicts  {names} · {count} destination{'s' * (count != 1)}")
        self.query_one("#matrix").border_title = title
        nothing = f"No name holds “{fit(text, 40)}”; esc shows all." if total else _NOTHING
        self._table.empty = content(nothing, theme.QUIET)
        self._table.refresh_rows(keep_cursor=False)
