"""What Event Filtering is made of: boxes in the columns of the table, the table, the details' line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import events
from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from statsig_tui.core.config import Filter
from statsig_tui.core.judgements import DryRun, Tried
from statsig_tui.tui import theme
from statsig_tui.tui.commands import key
from statsig_tui.tui.widgets.fields import TICKED, Tick
from statsig_tui.tui.widgets.filter_text import detail_words
from statsig_tui.tui.widgets.line_view import GUTTER
from statsig_tui.tui.widgets.table import Table
from statsig_tui.tui.widgets.tracked_rows import TrackedRows


class EventTable(Table):
    """The table of custom events; space changes the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "check", "Check"),
        Binding("up,k", "up_or_out", "Up", show=False),
    ]

    class Checked(Message):
        """The event under the cursor is to change."""

        def __init__(self, key: int) -> None:
            super().__init__()
            self.key = key

    def on_click(self, event: events.Click) -> None:
        """Select; on the box also change it, as it does elsewhere."""
        # Or Textual would have the list's own way with it too, which is to open.
        event.prevent_default()
        line, at = self.line_at(event), event.get_content_offset(self)
        if line is None or at is None:
            return
        self.go(line)
        if at.x < GUTTER + len(TICKED):
            self.action_check()

    def action_check(self) -> None:
        """Track it, or no longer."""
        if self.cursor is not None:
            self.post_message(self.Checked(self.cursor[0]))

    def action_open(self) -> None:
        """Enter does what space does."""
        self.action_check()

    def action_up_or_out(self) -> None:
        """One line up; from the first one to what is above the table."""
        if self.cursor_line():
            self.action_up()
        else:
            self.screen.focus_previous()


class DetailsLine(Static):
    """Says what of the detailed options is set; a click opens them."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    DetailsLine {
        height: 1;
        padding: 0 0 0 3;
    }
    """

    class Pressed(Message):
        """The details are to be opened."""

    def say(self, chosen: Filter) -> None:
        """What is set of them."""
        set_to = detail_words(chosen)
        words = Content.assemble(
            (f"▸ View Detailed Options  {key('destinations.details')}", theme.ACCENT),
            "   " if set_to else "",
            set_to,
        )
        self.update(words)

    def on_click(self) -> None:
        """As the key does."""
        self.post_message(self.Pressed())


class CheckAll(Tick):
    """The table's heading, with the box that checks all."""

    def __init__(self, rows: TrackedRows, *, id: str) -> None:  # noqa: A002 Textual's name
        super().__init__(id=id)
        self._rows = rows

    def render(self) -> RenderResult:
        """The columns are those of the rows below."""
        # A list leaves the scrollbar's column free.
        self.set_reactive(Tick.label, self._rows.heading(self.size.width - GUTTER - 1))
        return super().render()


class ClassBox(Tick):
    """The box of a whole class of events, with how many were seen and what passes."""

    def __init__(self, title: str, what: str, rows: TrackedRows, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._title, self._what, self._rows = title, what, rows
        self.names: list[str] = []
        """What was seen of the class, the most frequent first."""
        self._tried: Tried | None = None

    def tell(self, tried: DryRun, names: Iterable[str]) -> None:
        """Take what a dry run found of these names."""
        self.names = sorted(names, key=lambda name: -tried.names[name].events)
        self._tried = tried.together(self.names)
        self.refresh()

    def render(self) -> RenderResult:
        """In the columns of the table below."""
        words = self._rows.box(self._title, self._what, self._tried, self.size.width - GUTTER - 1)
        self.set_reactive(Tick.label, words)
        return super().render()
