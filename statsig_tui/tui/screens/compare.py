"""What is different between two bodies, on one list; whole values of both sides below it on demand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content

from statsig_tui.core.compare import NOISE, Change, Comparison, compare
from statsig_tui.tui import theme
from statsig_tui.tui.screens.modal import Dialog
from statsig_tui.tui.text import content
from statsig_tui.tui.widgets.compare_rows import CompareRows, heading
from statsig_tui.tui.widgets.json_view import JsonView
from statsig_tui.tui.widgets.line_view import GUTTER
from statsig_tui.tui.widgets.row_list import RowList
from statsig_tui.tui.widgets.table import Table

_ALSO = {
    "json": "",
    "text": "One of them is no JSON: compared by lines.  ",
    "bytes": "One of them is no text: compared by bytes.  ",
}


@dataclass(frozen=True, slots=True)
class Side:
    """A body and what it is called."""

    name: str
    body: bytes


class CompareScreen(Dialog[None]):
    """Both sides' differences; times and ids that differ anyway are left out until they are asked for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Close"),
        Binding("i", "noise", "Times and ids"),
    ]

    def __init__(self, left: Side, right: Side) -> None:
        super().__init__()
        self._sides = left, right
        self._rows = CompareRows()
        self._found: Comparison | None = None
        self._with_noise = False
        self._width = 0

    def compose(self) -> ComposeResult:
        """The list, and both values of a change."""
        names = [side.name for side in self._sides]
        with Vertical(classes="dialog", id="compare") as box:
            box.border_title = "Compare"
            yield Table(
                self._rows,
                header=partial(heading, left=names[0], right=names[1]),
                empty=Content.styled("Comparing…", theme.QUIET),
                id="changes",
            )
            with Horizontal(id="values"):
                yield JsonView(id="left-value")
                yield JsonView(id="right-value")

    def on_mount(self) -> None:
        """Compare."""
        self.query_one("#values").display = False
        self._compare()

    @work(group="compare")
    async def _compare(self) -> None:
        left, right = self._sides
        # Not on this loop: bodies may have megabytes.
        self._found = await asyncio.to_thread(compare, left.body, right.body)
        if self.query(Table):
            self._show()

    def on_resize(self) -> None:
        """Beside each other or not, after the width."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        if self.query(Table) and self.query_one(Table).line_width != self._width:
            self._show()

    def _show(self) -> None:
        found, table = self._found, self.query_one(Table)
        if found is None:
            return
        chosen = self._rows.place(table.cursor[0]) if table.cursor is not None else 0
        changes = [change for change in found.changes if self._with_noise or not change.is_noise]
        self._width = table.line_width
        self._rows.load(changes, self._width - GUTTER)
        table.empty = self._nothing(found)
        table.refresh_rows(keep_cursor=False)
        table.go(self._rows.first_of(chosen))
        self._say(found, len(changes))

    def _nothing(self, found: Comparison) -> Content:
        if found.is_identical:
            words = "The same, to the byte."
        elif found.changes:
            words = "The same but for times and ids: i shows them."
        else:
            words = "The same values: only white space or the order of members differs."
        return Content.styled(words, theme.GOOD)

    def _say(self, found: Comparison, shown: int) -> None:
        box = self.query_one("#compare")
        left_out = len(found.changes) - shown
        box.border_title = Content(f"Compare  {shown:,} change{'s' * (shown != 1)}")
        noise = sum(change.is_noise for change in found.changes)
        if left_out:
            keys = f"i shows {left_out:,} more in {', '.join(NOISE[:3])}, session ids"
        elif noise:
            keys = f"i leaves out {noise:,} in times and ids"
        else:
            keys = "no times or ids differ" if found.form == "json" else ""
        also = Content.styled(_ALSO[found.form], theme.WARN)
        box.border_subtitle = Content.assemble(also, f"{keys} · enter whole values · esc closes".lstrip(" ·"))

    def action_noise(self) -> None:
        """Show what differs anyway, or leave it out."""
        self._with_noise = not self._with_noise
        self._show()

    @on(RowList.Opened)
    def _open(self, event: RowList.Opened) -> None:
        values = self.query_one("#values")
        values.display = not values.display
        self._load(self._rows.change(event.key))

    @on(RowList.Highlighted)
    def _moved(self, event: RowList.Highlighted) -> None:
        if event.key is not None and self.query_one("#values").display:
            self._load(self._rows.change(event.key))

    def _load(self, change: Change | None) -> None:
        sides = (None, None) if change is None else (change.left, change.right)
        for name, side, whose in zip(("#left-value", "#right-value"), sides, self._sides, strict=True):
            view = self.query_one(name, JsonView)
            view.border_title = content(whose.name)
            view.load((side or "").encode("utf-8", "surrogatepass"))

    def action_leave(self) -> None:
        """Close the values, then the whole."""
        values = self.query_one("#values")
        if values.display:
            values.display = False
            self.query_one(Table).focus()
        else:
            self.dismiss()
