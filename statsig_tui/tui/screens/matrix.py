"""The matrix: the names of events seen last against the destinations, with what each filter said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from statsig_tui.core.judgements import Judged
from statsig_tui.tui import theme
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.text import content
from statsig_tui.tui.widgets.matrix_rows import MatrixRows
from statsig_tui.tui.widgets.table import Table

_NOTHING = "No event was judged yet. Send one from Compose, or post one to the emulator."


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
